/*
 * test_until.c: a mail behind a `wait_until` that goes by a field. When it is on its way its wait is over: what happens to the person
 * then does not make them wait again, nor go `otherwise`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "small_site.h"

#include "base/log.h"
#include "store/rows.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)

/* The steps as they are, and the same with `valid_for`, which notes in the enrolment when the mail was allowed. */
#define STEPS(option) \
	"enter: {on: signup}\nsteps:\n" \
	"  - {set: {webinar_at: \"2026-11-26T09:00:00Z\"}}\n" \
	"  - wait_until: webinar_at\n    before: 1 day\n    otherwise: late\n" \
	"  - {send: a" option "}\n" \
	"  - {end: reminded}\n" \
	"  - late: {send: b}\n" \
	"  - {end: late}\n"

/* Its exit names the mail, so that everybody is settled when it has gone out. */
static const char other[] = "enter: {on: other}\nexit: sent(\"a\")\nsteps:\n  - {send: c}\n";

static struct site site;

static int send_due(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct mail_batch *batch;
	size_t i;
	int rc = on_claim(s->d, db, 10, &batch, err);

	for (i = 0; rc == 0 && i < batch->count; i++) {
		struct mail_outcome sent = { .delivery = batch->mails[i].delivery, .outcome = OUTCOME_SENT, .code = 250, .reply = "", .at = clock_now() };
		bool may;

		if (arg)	/* something happens while it is on its way */
			rc = site_track_fn(s, db, arg, err);
		rc = rc || on_dot(s->d, db, sent.delivery, &may, err) || on_outcome(s->d, db, &sent, err);
	}
	if (rc == 0)
		mail_batch_free(&batch);
	return rc ? -1 : 0;
}

static int let_time_pass(struct site *s, struct db *db, void *arg, struct err *err)
{
	size_t done;

	do {
		if (on_time(s->d, db, 100, &done, err))
			return -1;
	} while (done);
	return 0;
}

static int read_end(struct site *s, struct db *db, void *arg, struct err *err)
{
	static struct arena *arena;
	struct address address;
	struct prospect p;
	struct enrolment e = { .why = "nowhere" };

	arena_free(&arena);
	arena = arena_new(0);
	if (address_parse("eva@example.com", &address, NULL) || prospects_find_address(db, address.key, arena, &p, err) < 0 ||
			enrolments_last(db, p.id, "story", arena, &e, err) < 0)
		return -1;
	*(const char **)arg = e.state == ENROLMENT_ENDED ? arena_printf(arena, "%s after %s", e.why, e.step) : "is under way";
	return 0;
}

static const char *how_it_ends(const char *steps, struct track *meanwhile)
{
	const char *why = NULL;

	clock_set(START);
	site_init(&site);
	site_sequence(&site, "story", steps);
	site_sequence(&site, "other", other);
	site_open(&site);
	site_signup(&site, "eva@example.com", NULL, "", "");
	clock_set(START + 2 * US_DAY + US_MINUTE);
	site_run(&site, let_time_pass, NULL);
	site_run(&site, send_due, meanwhile);
	site_run(&site, let_time_pass, NULL);
	site_run(&site, send_due, NULL);
	site_run(&site, read_end, &why);
	return why;
}

static int close_site(void **state)
{
	site_clear(&site);
	clock_set(0);
	return 0;
}

static void test_sent_is_no_reason_to_wait_again(void **state)
{
	assert_string_equal(how_it_ends(STEPS(""), NULL), "reminded after send-1");
}

static void test_nor_with_valid_for(void **state)
{
	assert_string_equal(how_it_ends(STEPS(", valid_for: 1 day"), NULL), "reminded after send-1");
}

static void test_nor_is_an_event_while_it_is_on_its_way(void **state)
{
	struct address address;
	struct track visit = { .who = { .address = &address }, .event = "visit", .subject = "", .properties = "{}", .message_id = "", .at = START + 2 * US_DAY + US_MINUTE };

	assert_int_equal(address_parse("eva@example.com", &address, NULL), 0);
	assert_string_equal(how_it_ends(STEPS(", valid_for: 1 day"), &visit), "reminded after send-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_sent_is_no_reason_to_wait_again, close_site),
		cmocka_unit_test_teardown(test_nor_with_valid_for, close_site),
		cmocka_unit_test_teardown(test_nor_is_an_event_while_it_is_on_its_way, close_site),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
