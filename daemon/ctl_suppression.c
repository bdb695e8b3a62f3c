/*
 * ctl_suppression.c: nurturectl suppression list, import, export: the list in pages, and CSV files in batches, so that neither they nor the daemon
 * hold more than some hundred rows at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/text.h"

#include "ctl.h"

#define BATCH 250
#define WRONG_SHOWN 100

enum column { EMAIL, HASH, REASON, AT, SOURCE, COLUMNS };

static const char *const columns[COLUMNS + 1] = { "email", "hash", "reason", "at", "source", NULL };

static const char *text(const json_t *row, enum column column)
{
	const char *s = json_string_value(json_object_get(row, columns[column]));

	return s ? s : "";
}

/* --- pages ------------------------------------------------------------------------------------------ */

/* Each row of the list. */
static int each(const struct command *c, void (*row)(const json_t *row, void *arg), void *arg)
{
	char *path = xstrdup("/suppressions");
	int rc = EXIT_DONE;

	while (path) {
		json_t *page = ctl_answer(c, path, NULL, &rc);
		const json_t *rows = json_object_get(page, "rows");
		const char *next = json_string_value(json_object_get(page, "next"));
		size_t i;

		free(path);
		for (i = 0; i < json_array_size(rows); i++)
			row(json_array_get(rows, i), arg);
		path = next ? xstrdup(next) : NULL;
		json_decref(page);
	}
	return rc;
}

static void print_row(const json_t *row, void *arg)
{
	int64_t *count = arg;

	if (!(*count)++)
		printf("%-40s %-20s %-20s %s\n", "ADDRESS", "REASON", "SINCE", "SOURCE");
	printf("%-40s %-20s %-20s %s\n", *text(row, EMAIL) ? text(row, EMAIL) : text(row, HASH), text(row, REASON), text(row, AT), text(row, SOURCE));
}

static void print_row_json(const json_t *row, void *arg)
{
	int64_t *count = arg;
	char *line = json_dumps(row, JSON_COMPACT);

	printf("%s\n%s", (*count)++ ? "," : "[", line ? line : "null");
	free(line);
}

int ctl_suppression_list(const struct command *c)
{
	int64_t count = 0;
	int rc;

	if (c->argument)
		return ctl_remote(c);
	rc = each(c, c->json ? print_row_json : print_row, &count);
	if (rc == EXIT_DONE && c->json)
		puts(count ? "\n]" : "[]");
	else if (rc == EXIT_DONE && !count)
		puts("none");
	return rc;
}

static void print_csv(const json_t *row, void *arg)
{
	struct buf line = BUF_INIT;
	int i;

	for (i = 0; i < COLUMNS; i++) {
		if (i)
			buf_char(&line, ',');
		csv_field(&line, text(row, (enum column)i));
	}
	buf_str(&line, "\r\n");
	fwrite(line.data, 1, line.len, stdout);
	buf_clear(&line);
}

int ctl_suppression_export(const struct command *c)
{
	fputs("email,hash,reason,at,source\r\n", stdout);
	return each(c, print_csv, NULL);
}

/* --- a file ----------------------------------------------------------------------------------------- */

struct import {
	const struct command *c;
	const char *name;		/* for complaints */
	struct csv *csv;
	int places[COLUMNS];		/* of each column in a row; -1: the file has none such */
	size_t width;			/* columns of its header */
	json_t *rows;			/* of the batch at hand */
	int64_t lines[BATCH];		/* where they stand */
	json_int_t fresh, known, wrong;
	int rc;
};

static void complain(struct import *im, int64_t line, const char *why)
{
	if (im->wrong++ < WRONG_SHOWN)
		fprintf(stderr, "%s:%lld: %s\n", im->name, (long long)line, why);
	else if (im->wrong == WRONG_SHOWN + 1)
		fprintf(stderr, "%s: further wrong lines are only counted\n", im->name);
}

static int64_t read_file(void *arg, char *data, size_t size)
{
	FILE *f = arg;
	size_t n = fread(data, 1, size, f);

	return n || !ferror(f) ? (int64_t)n : -1;
}

static int unknown_column(struct import *im, const char *name)
{
	const char *near = text_nearest(name, columns);

	fprintf(stderr, "%s:1: no column `%.60s`%s%s%s\n", im->name, name, near ? "; did you mean `" : "; there are email, hash, reason, at, source",
		near ? near : "", near ? "`" : "");
	return -1;
}

/* The header says which column is which. */
static int read_header(struct import *im)
{
	struct csv_row row;
	struct err err;
	size_t i;
	int got = csv_next(im->csv, &row, &err), k;

	for (k = 0; k < COLUMNS; k++)
		im->places[k] = -1;
	if (got <= 0) {
		fprintf(stderr, "%s:1: %s\n", im->name, got < 0 ? err.text : "it is empty: the first line must name the columns");
		return -1;
	}
	im->width = row.count;
	for (i = 0; i < row.count; i++) {
		for (k = 0; k < COLUMNS && strcasecmp(row.fields[i], columns[k]) != 0; k++)
			;
		if (k == COLUMNS)
			return unknown_column(im, row.fields[i]);
		if (im->places[k] >= 0) {
			fprintf(stderr, "%s:1: two columns `%s`\n", im->name, columns[k]);
			return -1;
		}
		im->places[k] = (int)i;
	}
	if (im->places[EMAIL] < 0 && im->places[HASH] < 0) {
		fprintf(stderr, "%s:1: the first line must name the columns, and one of them must be `email` or `hash`\n", im->name);
		return -1;
	}
	return 0;
}

/* What was gathered, to the daemon. */
static void pass_on(struct import *im)
{
	json_t *request = json_pack("{s:b, s:O}", "dry", im->c->dry, "rows", im->rows), *answer;
	char *body = json_dumps(request, JSON_COMPACT);
	const json_t *wrong;
	size_t i;

	answer = ctl_answer(im->c, "/suppressions/import", body, &im->rc);
	im->fresh += json_integer_value(json_object_get(answer, "new"));
	im->known += json_integer_value(json_object_get(answer, "known"));
	wrong = json_object_get(answer, "wrong");
	for (i = 0; i < json_array_size(wrong); i++) {
		const json_t *one = json_array_get(wrong, i);
		json_int_t place = json_integer_value(json_object_get(one, "row"));
		const char *why = json_string_value(json_object_get(one, "why"));

		if (place >= 0 && place < BATCH)
			complain(im, im->lines[place], why ? why : "");
	}
	json_decref(answer);
	json_decref(request);
	free(body);
	json_array_clear(im->rows);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%lld new, %lld known, %lld wrong ", (long long)im->fresh, (long long)im->known, (long long)im->wrong);
}

static void add(struct import *im, const struct csv_row *row)
{
	json_t *json = json_object();
	int k;

	for (k = 0; k < COLUMNS; k++)
		if (im->places[k] >= 0 && *row->fields[im->places[k]])
			json_object_set_new(json, columns[k], json_string(row->fields[im->places[k]]));
	im->lines[json_array_size(im->rows)] = row->line;
	json_array_append_new(im->rows, json);
	if (json_array_size(im->rows) == BATCH)
		pass_on(im);
}

static void read_rows(struct import *im)
{
	struct csv_row row;
	struct err err;
	int got;

	while (im->rc == EXIT_DONE && (got = csv_next(im->csv, &row, &err)) != 0) {
		if (csv_broken(im->csv)) {
			ctl_complain(err.text);
			im->rc = EXIT_REFUSED;
		} else if (got < 0) {
			complain(im, row.line, err.text);
		} else if (row.count != im->width) {
			complain(im, row.line, "it has another number of fields than the first line");
		} else {
			add(im, &row);
		}
	}
	if (im->rc == EXIT_DONE && json_array_size(im->rows))
		pass_on(im);
}

static void tell(const struct import *im)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (im->c->json)
		printf("{\"new\":%lld,\"known\":%lld,\"wrong\":%lld,\"dry\":%s}\n", (long long)im->fresh, (long long)im->known, (long long)im->wrong,
			im->c->dry ? "true" : "false");
	else
		printf("%lld %s, %lld known before, %lld wrong%s\n", (long long)im->fresh, im->c->dry ? "would be new" : "new", (long long)im->known,
			(long long)im->wrong, im->rc == EXIT_DONE ? "" : "; not all was read: give the same command again");
}

int ctl_suppression_import(const struct command *c)
{
	bool standard = strcmp(c->argument, "-") == 0;
	struct import im = { .c = c, .name = standard ? "standard input" : c->argument, .rc = EXIT_DONE };
	FILE *f = standard ? stdin : fopen(c->argument, "rb");

	if (!f) {
		perror(c->argument);
		return EXIT_REFUSED;
	}
	im.csv = csv_new(read_file, f);
	im.rows = json_array();
	if (read_header(&im) < 0) {
		im.rc = EXIT_REFUSED;
	} else {
		read_rows(&im);
		tell(&im);
	}
	csv_free(&im.csv);
	json_decref(im.rows);
	if (!standard)
		fclose(f);
	return im.rc == EXIT_DONE && im.wrong ? EXIT_REFUSED : im.rc;
}
