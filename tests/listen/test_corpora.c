/*
 * test_corpora.c: public mail that is no part of the tree, where it is at hand: $NURTURED_CORPORA, or
 * ../shared/corpora. Prints how much was read as its collectors say, and holds the line below which it must
 * not fall. Without the corpora the cases of the tree stand alone, and this says so.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/listen/charset.h"
#include "../../daemon/listen/reply_text.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "listen/reading.h"

#define LEAST_HARD_SOFT 0.98
#define LEAST_REASON 0.97
#define LEAST_RECIPIENT 0.99
#define LEAST_REPLIES 0.95
#define MOST_FALSE_HARD 2

static char folder[400];

static bool load(const char *path, struct buf *out)
{
	char chunk[65536];
	size_t n;
	FILE *f = fopen(path, "rb");

	buf_reset(out);
	if (!f)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
	return true;
}

/* What the table says of one file: a row for each recipient. */
struct verdict {
	char file[100];
	char reasons[400];	/* " userunknown expired " */
	bool hard, soft;
};

static struct verdict *table;
static size_t table_count, table_cap;

static bool load_table(void)
{
	char path[500], line[500], file[100], reason[60], kind[10];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bounces.tsv", folder);
	f = fopen(path, "r");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		struct verdict *v;

		if (sscanf(line, "%99s %*s %*s %*s %59s %9s", file, reason, kind) != 3 ||
			!strcmp(file, "file"))
			continue;
		if (!table_count || strcmp(table[table_count - 1].file, file)) {
			table = xgrow(table, &table_cap, table_count + 1, sizeof(*table));
			memset(&table[table_count], 0, sizeof(*table));
			snprintf(table[table_count++].file, sizeof(table->file), "%s", file);
		}
		v = &table[table_count - 1];
		snprintf(v->reasons + strlen(v->reasons), sizeof(v->reasons) - strlen(v->reasons), " %s ",
			reason);
		v->hard |= !strcmp(kind, "hard");
		v->soft |= !strcmp(kind, "soft");
	}
	fclose(f);
	return true;
}

static bool says(const struct verdict *v, const char *reason)
{
	char word[70];

	snprintf(word, sizeof(word), " %s ", reason);
	return strstr(v->reasons, word) != NULL;
}

struct score {
	int mails, recognised, hard_soft, false_hard, reason, recipient;
};

static void judge(const struct verdict *v, const struct mail_reading *r, struct score *s)
{
	bool hard = r->class == READING_BOUNCE && r->bounce.kind == BOUNCE_HARD;

	s->mails++;
	s->recognised += r->class == READING_BOUNCE;
	s->hard_soft += hard ? v->hard : v->soft;
	s->false_hard += hard && !v->hard;
	s->reason += says(v, r->bounce.reason);
	s->recipient += *r->bounce.recipient != '\0';
}

static void bounces(void **state)
{
	struct score s = { 0 };
	int complaints = 0, complaints_seen = 0, others_as_bounce = 0;
	struct buf raw = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < table_count; i++) {
		const struct verdict *v = &table[i];
		struct mail_reading r;
		char path[600];

		snprintf(path, sizeof(path), "%s/bounces/%s", folder, v->file);
		assert_true(load(path, &raw));
		reading_make(&r, buf_cstr(&raw), raw.len, 0, NULL);
		if (says(v, "feedback")) {
			complaints++;
			complaints_seen += r.class == READING_COMPLAINT;
		}
		if (says(v, "feedback") || says(v, "vacation"))
			others_as_bounce += r.class == READING_BOUNCE;
		else if (!says(v, "delivered"))
			judge(v, &r, &s);
		reading_clear(&r);
	}
	buf_clear(&raw);
	print_message("bounces: %d mails, %d recognised, hard or soft %.1f %%, %d false hard, reason %.1f "
		      "%%, %d with a recipient; complaints %d of %d\n",
		s.mails, s.recognised, 100.0 * s.hard_soft / s.mails, s.false_hard,
		100.0 * s.reason / s.mails, s.recipient, complaints_seen, complaints);
	assert_true(s.hard_soft >= LEAST_HARD_SOFT * s.mails);
	assert_true(s.reason >= LEAST_REASON * s.mails);
	assert_true(s.false_hard <= MOST_FALSE_HARD);
	assert_true(s.recipient >= LEAST_RECIPIENT * s.mails);
	assert_int_equal(others_as_bounce, 0);
}

static bool same_text(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n && (a[n - 1] == '\n' || a[n - 1] == ' '))
		n--;
	while (m && (b[m - 1] == '\n' || b[m - 1] == ' '))
		m--;
	return n == m && !memcmp(a, b, n);
}

static bool reply_is_exact(const char *path, struct buf *mail, struct buf *expected)
{
	struct arena *arena = arena_new(0);
	struct reply_text r;
	char other[600];
	bool same;

	snprintf(other, sizeof(other), "%.*s.expected", (int)(strlen(path) - 4), path);
	assert_true(load(path, mail) && load(other, expected));
	reply_text_read(&r, arena, charset_to_utf8(arena, buf_cstr(mail), mail->len, "utf-8"));
	same = same_text(r.text, charset_to_utf8(arena, buf_cstr(expected), expected->len, "utf-8"));
	arena_free(&arena);
	return same;
}

static void replies(void **state)
{
	char path[500];
	struct buf mail = BUF_INIT, expected = BUF_INIT;
	const struct dirent *entry;
	int count = 0, exact = 0;
	DIR *dir;

	(void)state;
	snprintf(path, sizeof(path), "%s/replies", folder);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char file[800];

		if (!text_ends_with(entry->d_name, ".txt"))
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		count++;
		if (reply_is_exact(file, &mail, &expected))
			exact++;
		else
			print_message("replies: %s differs\n", entry->d_name);
	}
	closedir(dir);
	buf_clear(&mail);
	buf_clear(&expected);
	print_message("replies: new text exact in %d of %d\n", exact, count);
	assert_true(exact >= LEAST_REPLIES * count);
}

static void not_at_hand(void **state)
{
	(void)state;
	print_message("no corpora at %s: the mails of the tree stand alone\n", folder);
	assert_null(getenv("NURTURED_CORPORA"));	/* whoever names them wants them read */
}

int main(void)
{
	const struct CMUnitTest with[] = { cmocka_unit_test(bounces), cmocka_unit_test(replies) };
	const struct CMUnitTest without[] = { cmocka_unit_test(not_at_hand) };
	const char *named = getenv("NURTURED_CORPORA");
	int rc;

	snprintf(folder, sizeof(folder), "%s", named ? named : "../shared/corpora");
	rc = load_table() ? cmocka_run_group_tests(with, NULL, NULL)
			  : cmocka_run_group_tests(without, NULL, NULL);
	free(table);
	return rc;
}
