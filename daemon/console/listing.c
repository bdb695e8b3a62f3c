/*
 * listing.c: see listing.h. Both go in pages, so that sign-ups and look-ups have their turn between them and memory is bounded, however long the
 * list is.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/text.h"
#include "decide/facts.h"
#include "store/rows.h"
#include "store/store.h"

#include "listing.h"

#define ROWS_MAX 500
#define TEXT_MAX 200

/* --- a page ----------------------------------------------------------------------------------------- */

struct page {
	struct store_job job;
	struct http_request *request;
	int64_t bucket;
	const char *after;		/* suppressions_text(), or NULL */
	struct buf out;
};

static void page_free(struct page *p)
{
	buf_clear(&p->out);
	free(p);
}

static json_t *row_json(struct db *db, const struct suppression *s)
{
	char hash[SUPPRESSION_TEXT];

	return json_pack("{s:o, s:s, s:o, s:o, s:o}",
		"email", s->address_key ? answer_text(s->address_key) : json_null(),
		"hash", suppressions_text(db, s, hash),
		"reason", answer_text(s->reason),
		"at", answer_time(s->at),
		"source", answer_text(s->source));
}

/* The path of the next page. */
static json_t *next_json(struct db *db, int next, const struct suppression *last)
{
	char hash[SUPPRESSION_TEXT];

	if (next == BUCKETS)
		return json_null();
	if (last && last->bucket == next)
		return json_sprintf("/suppressions?bucket=%d&after=%s", next, suppressions_text(db, last, hash));
	return json_sprintf("/suppressions?bucket=%d", next);
}

static int page_run(struct store_job *job, struct db *db, struct err *err)
{
	struct page *p = (struct page *)job;
	struct arena *arena;
	struct suppression *rows;
	json_t *list;
	uint16_t bucket = (uint16_t)p->bucket;
	uint8_t hash[32];
	size_t count, i;
	int next, rc;

	if (p->after && suppressions_parse(db, p->after, &bucket, hash, err) < 0)
		return -1;
	arena = arena_new(0);
	list = json_array();
	rc = suppressions_page(db, bucket, p->after ? hash : NULL, ROWS_MAX, arena, &rows, &count, &next, err);
	for (i = 0; rc == 0 && i < count; i++)
		json_array_append_new(list, row_json(db, &rows[i]));
	buf_reset(&p->out);
	if (rc == 0)
		rc = answer_give(&p->out, json_pack("{s:O, s:o}", "rows", list, "next", next_json(db, next, count ? &rows[count - 1] : NULL)), err);
	json_decref(list);
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

static void page_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct page *p = (struct page *)job;

	if (result == STORE_COMMITTED)
		http_reply(p->request, 200, "application/json", buf_cstr(&p->out), p->out.len);
	else
		http_problem(p->request, result == STORE_FAILED ? 503 : 400, err->text, NULL);
	page_free(p);
}

void listing_page(struct decide *decide, struct http_request *r)
{
	const char *bucket = http_query(r, "bucket");
	struct page *p = xcalloc(1, sizeof(*p));

	p->job = (struct store_job){ .run = page_run, .done = page_done };
	p->request = r;
	p->after = http_query(r, "after");
	if (bucket && (text_int(bucket, &p->bucket) < 0 || p->bucket < 0 || p->bucket >= BUCKETS)) {
		http_problem(r, 400, "`bucket` is none: 0 to 1023", NULL);
		page_free(p);
	} else if (store_read(decide_store(decide), &p->job) < 0) {
		http_problem(r, 503, "too many look-ups wait; try again in a moment", NULL);
		page_free(p);
	}
}

/* --- rows of another list --------------------------------------------------------------------------- */

struct import {
	struct store_job job;
	struct decide *decide;
	struct http_request *request;
	json_t *json;			/* what the texts of rows are borrowed from */
	struct suppression_list list;	/* those that may be applied */
	struct address *addresses;	/* one for each of them */
	size_t *places;			/* of them in the request */
	json_t *wrong;
};

static void import_free(struct import *i)
{
	json_decref(i->json);
	json_decref(i->wrong);
	free(i->list.rows);
	free(i->addresses);
	free(i->places);
	free(i);
}

static void add_wrong(struct import *i, size_t place, const char *why)
{
	json_array_append_new(i->wrong, json_pack("{s:I, s:o}", "row", (json_int_t)place, "why", answer_text(why)));
}

/* One line, or `missing` where there is none such. */
static int read_line(const json_t *row, const char *name, const char *missing, const char **out, struct err *err)
{
	const json_t *member = json_object_get(row, name);
	const char *s = json_string_value(member);

	if (member && !s)
		return err_set(err, "`%s` is no text", name);
	if (s && (strlen(s) > TEXT_MAX || text_has_control(s, strlen(s)) || strchr(s, '\n')))
		return err_set(err, "`%s` must be one line of at most %d bytes", name, TEXT_MAX);
	*out = s && *s ? s : missing;
	return 0;
}

static int read_time(const json_t *row, int64_t now, int64_t *out, struct err *err)
{
	const char *s;

	*out = 0;
	if (read_line(row, "at", "", &s, err))
		return -1;
	if (*s && text_time_parse(s, out) < 0)
		return err_set(err, "`at` is no time: %.40s; write it like 2026-11-22T03:21:35Z", s);
	if (*out > now)
		return err_set(err, "`at` is in the future: %.40s", s);
	return 0;
}

static int read_row(const json_t *row, int64_t now, struct address *address, struct listed *out, struct err *err)
{
	const char *email;

	*out = (struct listed){ .address = NULL };
	if (!json_is_object(row))
		return err_set(err, "it is no object");
	if (read_line(row, "hash", "", &out->hash, err) || read_line(row, "reason", "manual", &out->reason, err) ||
			read_line(row, "source", "import", &out->source, err) || read_time(row, now, &out->since, err))
		return -1;
	email = json_string_value(json_object_get(row, "email"));
	if (email && *email) {
		out->address = address;
		return address_parse(email, address, err);
	}
	return *out->hash ? 0 : err_set(err, "it has neither an email nor a hash");
}

static void read_rows(struct import *i, const json_t *rows)
{
	size_t count = json_array_size(rows), k;
	struct err err;

	i->list.rows = xcalloc(count + 1, sizeof(*i->list.rows));
	i->addresses = xcalloc(count + 1, sizeof(*i->addresses));
	i->places = xcalloc(count + 1, sizeof(*i->places));
	for (k = 0; k < count; k++) {
		size_t n = i->list.count;

		i->places[n] = k;
		if (read_row(json_array_get(rows, k), i->list.at, &i->addresses[n], &i->list.rows[n], &err) < 0)
			add_wrong(i, k, err.text);
		else
			i->list.count++;
	}
}

static int import_run(struct store_job *job, struct db *db, struct err *err)
{
	struct import *i = (struct import *)job;

	return on_suppress_all(i->decide, db, &i->list, err);
}

static void answer(struct import *i)
{
	json_int_t fresh = 0, known = 0;
	struct buf out = BUF_INIT;
	size_t k;

	for (k = 0; k < i->list.count; k++) {
		const struct listed *row = &i->list.rows[k];

		fresh += row->end == LISTED_NEW;
		known += row->end == LISTED_KNOWN;
		if (row->end == LISTED_WRONG)
			add_wrong(i, i->places[k], row->why);
	}
	if (answer_give(&out, json_pack("{s:I, s:I, s:O}", "new", fresh, "known", known, "wrong", i->wrong), NULL) < 0)
		http_problem(i->request, 500, "the answer cannot be written", NULL);
	else
		http_reply(i->request, 200, "application/json", out.data, out.len);
	buf_clear(&out);
}

static void import_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct import *i = (struct import *)job;

	if (result == STORE_COMMITTED)
		answer(i);
	else
		http_problem(i->request, result == STORE_FAILED ? 503 : 500, err->text, NULL);
	import_free(i);
}

void listing_import(struct decide *decide, struct http_request *r)
{
	struct slice body = http_body(r);
	struct import *i = xcalloc(1, sizeof(*i));
	const json_t *rows;
	int rc;

	i->job = (struct store_job){ .run = import_run, .done = import_done };
	i->decide = decide;
	i->request = r;
	i->json = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	i->wrong = json_array();
	i->list.at = clock_now();
	i->list.dry = json_is_true(json_object_get(i->json, "dry"));
	rows = json_object_get(i->json, "rows");
	if (!json_is_array(rows) || json_array_size(rows) > ROWS_MAX) {
		http_problem(r, 400, "the body must be {\"rows\": [{\"email\": \"...\", \"reason\": \"...\"}, ...]}, at most 500 of them", NULL);
		import_free(i);
		return;
	}
	read_rows(i, rows);
	rc = i->list.dry ? store_read(decide_store(decide), &i->job) : store_submit(decide_store(decide), &i->job, STORE_NORMAL);
	if (rc == 0)
		return;
	http_set_header(r, "Retry-After", "1");
	http_problem(r, 503, "nothing can be written now; see `nurturectl status`, then give the same command again", NULL);
	import_free(i);
}
