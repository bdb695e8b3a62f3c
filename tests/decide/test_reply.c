/*
 * test_reply.c: what follows from an answer, by what it wants: which sequences stop, which wait and until when, who is told; and of a company whose
 * one is hot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "small_site.h"

#include "base/id.h"
#include "base/text.h"
#include "store/holds.h"

/* Monday 2026-11-23 10:00 in Berlin */
#define START (INT64_C(1795424400) * US_SECOND)

static struct site site;
static int64_t eva;
static int mails;

static int find_eva(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct prospect row;
	int found = prospects_find_address(db, "eva@example.com", arena, &row, err);

	eva = found == 1 ? row.id : 0;
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

/* What those who sign up are mailed for; NULL: what they said. */
static const char *basis;

static int open_site(void **state)
{
	clock_set(START);
	site_init(&site);
	if (basis) {
		char *form = xasprintf("form: form\nfields: [email, first_name, country]\nconsent: {purpose: newsletter, words: \"You asked us.\", basis: %s}\n"
			"confirm: single\n", basis);

		site_write(&site, "forms/form.yaml", form);
		free(form);
	}
	site_write(&site, "sales.yaml", "replies_to: sales@example.com\n");
	site_open(&site);
	site_signup(&site, "eva@example.com", "DE", "en", "");
	site_run(&site, find_eva, NULL);
	assert_true(eva != 0);
	return 0;
}

static int close_site(void **state)
{
	site_clear(&site);
	clock_set(0);
	return 0;
}

static int put_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	return deliveries_put(db, arg, err);
}

static int64_t mailed(void)
{
	struct delivery d = {
		.id = id_new(id_bucket(eva), clock_now()), .prospect = eva, .kind = DELIVERY_STEP, .state = DELIVERY_SENT, .sequence = "", .step = "",
		.template = "a", .arm = "", .address = "eva@example.com", .download = "", .planned = clock_now(), .done = clock_now(), .reply = "",
		.relay_id = "",
	};

	site_run(&site, put_fn, &d);
	return d.id;
}

struct call {
	struct mail_fact fact;
	struct mail_result result;
};

static int mail_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct call *c = arg;

	return on_mail(s->d, db, &c->fact, &c->result, err);
}

static void answer(enum mail_class class, const char *intent, int64_t until)
{
	struct call c = { .fact = { .mailbox = "replies", .received = clock_now(), .at = clock_now(), .class = class, .delivery = mailed(),
		.from = "eva@example.com", .from_name = "Eva", .subject = "Re: a", .message_id = "<x@y>", .text = "words", .intent = intent,
		.intents = "[]", .bounce_kind = "", .bounce_reason = "", .bounce_status = "", .bounce_diagnostic = "", .summary = "{}", .size = 1,
		.until = until } };

	mails++;
	memcpy(c.fact.sha256, &mails, sizeof(mails));
	site_run(&site, mail_fn, &c);
	assert_int_equal(c.result.prospect, eva);
}

struct seen {
	bool suppressed, open, forwarded;
	char held[120], journal[120], event[40];
};

static int look_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct seen *seen = arg;
	struct arena *arena = arena_new(0);
	struct suppression suppression;
	struct enrolment *open;
	struct delivery *all;
	struct journal_row *rows;
	struct hold hold;
	size_t count, i;

	seen->suppressed = suppressions_find(db, "eva@example.com", arena, &suppression, err) == 1;
	if (holds_find(db, eva, arena, &hold, err) == 1)
		snprintf(seen->held, sizeof(seen->held), "%s", hold.why);
	assert_int_equal(enrolments_open(db, eva, arena, &open, &count, err), 0);
	seen->open = count > 0;
	assert_int_equal(deliveries_of(db, eva, 50, arena, &all, &count, err), 0);
	for (i = 0; i < count; i++)
		seen->forwarded |= all[i].kind == DELIVERY_FORWARD;
	assert_int_equal(journal_of(db, eva, 50, arena, &rows, &count, err), 0);
	for (i = 0; i < count && !*seen->journal; i++)
		if (strcmp(rows[i].kind, "reply") == 0)
			snprintf(seen->journal, sizeof(seen->journal), "%s: %s", rows[i].what, rows[i].why);
	arena_free(&arena);
	return 0;
}

static struct seen look(void)
{
	struct seen seen = { 0 };

	site_run(&site, look_fn, &seen);
	return seen;
}

static int64_t day(const char *text)
{
	int64_t at;

	assert_int_equal(text_time_parse(text, &at), 0);
	return at;
}

static const struct row {
	enum mail_class class;
	const char *intent, *until;
	bool suppressed, forwarded;
	const char *held, *journal;
} rows[] = {
	{ MAIL_HUMAN, "unsubscribe", "", true, true, "", "unsubscribe: their sequences stop" },
	{ MAIL_HUMAN, "legal", "", true, true, "", "task: they speak of the law" },
	{ MAIL_HUMAN, "left_company", "", false, true, "", "task: they have left the company" },
	{ MAIL_HUMAN, "wrong_person", "", false, true, "", "task: somebody else" },
	{ MAIL_HUMAN, "positive", "", false, true, "", "positive: their sequences stop" },
	{ MAIL_HUMAN, "question", "", false, true, "", "question: their sequences stop" },
	{ MAIL_HUMAN, "objection", "", false, true, "", "objection: their sequences stop" },
	{ MAIL_HUMAN, "other", "", false, true, "", "other: their sequences stop" },
	{ MAIL_HUMAN, "not_now", "2027-05-01T00:00:00Z", false, true, "paused until 2027-05-01: they named that day", "pause: paused until 2027-05-01" },
	{ MAIL_HUMAN, "not_now", "", false, true, "paused until 2027-02-21: they said not now", "pause: paused until 2027-02-21" },
	{ MAIL_HUMAN, "review", "", false, true, "paused until 2026-12-23: somebody has to read their reply", "pause: paused until 2026-12-23" },
	{ MAIL_HUMAN, "thanks", "", false, true, "", "thanks: their sequences go on" },
	/* back on Thursday; Friday; Saturday is no day of work; far away; not said */
	{ MAIL_AUTO, "ooo", "2026-11-26T00:00:00Z", false, false, "paused until 2026-11-27: they are away", "pause: " },
	{ MAIL_AUTO, "ooo", "2026-11-27T00:00:00Z", false, false, "paused until 2026-11-30: they are away", "pause: " },
	{ MAIL_AUTO, "ooo", "2027-06-01T00:00:00Z", false, false, "paused until 2027-01-22: they are away", "pause: " },
	{ MAIL_AUTO, "ooo", "", false, false, "paused until 2026-11-28: they are away", "pause: " },
	{ MAIL_AUTO, "left_company", "", false, false, "", "task: they have left the company" },
	{ MAIL_AUTO, "auto_ack", "", false, false, "", "" },
};

static void what_follows(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen;

		open_site(NULL);
		answer(rows[i].class, rows[i].intent, *rows[i].until ? day(rows[i].until) : 0);
		seen = look();
		if (seen.suppressed != rows[i].suppressed || seen.forwarded != rows[i].forwarded || strcmp(seen.held, rows[i].held) ||
				strncmp(seen.journal, rows[i].journal, strlen(rows[i].journal)))
			fail_msg("row %zu, %s: suppressed %d, forwarded %d, \"%s\", \"%s\"", i, rows[i].intent, seen.suppressed, seen.forwarded,
				seen.held, seen.journal);
		close_site(NULL);
	}
}

/* The newest row of the ledger. */
static int ledger_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct consent *all;
	struct prospect row;
	size_t count;

	assert_int_equal(consents_of(db, eva, arena, &all, &count, err), 0);
	assert_int_equal(prospects_find(db, eva, arena, &row, err), 1);
	snprintf(arg, 200, "%zu %s by %s: %s (%s) %s", count, all[count - 1].what, all[count - 1].actor, all[count - 1].words, all[count - 1].data,
		row.consent == CONSENT_WITHDRAWN ? "withdrawn" : "stands");
	arena_free(&arena);
	return 0;
}

/* Objections stand in the ledger with the words in which they were made; also what a provider reports. */
static void what_the_ledger_keeps(void **state)
{
	static const struct {
		enum mail_class class;
		const char *intent, *row;
	} cases[] = {
		{ MAIL_HUMAN, "unsubscribe", "2 withdrawn by prospect: words ({\"by\":\"replies\",\"mail\":\"del_" },
		{ MAIL_HUMAN, "legal", "2 objected by prospect: words ({\"by\":\"replies\",\"mail\":\"del_" },
		{ MAIL_COMPLAINT, "", "2 complained by mailbox:  ({\"by\":\"replies\",\"mail\":\"del_" },
		{ MAIL_UNSUBSCRIBE, "", "2 withdrawn by prospect: mailto ({}) withdrawn" },
		{ MAIL_HUMAN, "positive", "1 " },
	};
	char row[200];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_site(NULL);
		answer(cases[i].class, cases[i].intent, 0);
		site_run(&site, ledger_fn, row);
		if (strncmp(row, cases[i].row, strlen(cases[i].row)) != 0)
			fail_msg("%s is not %s", row, cases[i].row);
		assert_string_equal(strrchr(row, ' ') + 1, cases[i].class == MAIL_COMPLAINT || i == 4 ? "stands" : "withdrawn");
		close_site(NULL);
	}
}

/* Who never said that they may be mailed has nothing to take back. */
static void what_they_had_not_said_they_object_to(void **state)
{
	static const char *const bases[] = { "implied-inquiry", "implied-purchase", "contract" };
	char row[200];
	size_t i;

	for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		basis = bases[i];
		open_site(NULL);
		basis = NULL;
		answer(MAIL_HUMAN, "unsubscribe", 0);
		site_run(&site, ledger_fn, row);
		assert_true(strncmp(row, "2 objected by prospect: words (", 31) == 0);
		assert_string_equal(strrchr(row, ' ') + 1, "withdrawn");
		close_site(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_follows), cmocka_unit_test(what_the_ledger_keeps),
		cmocka_unit_test(what_they_had_not_said_they_object_to) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
