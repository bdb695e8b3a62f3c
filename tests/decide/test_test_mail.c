/*
 * test_test_mail.c: a mail to somebody who wants to see it: it says what it would say, and nothing that comes of it counts for anybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "small_site.h"

#include "base/log.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)

static struct site site;

static int open_site(void **state)
{
	clock_set(START);
	site_init(&site);
	site_mail(&site, "a.de", "Post a", "Hallo {{ first_name | default: 'Du' }}.");
	site_open(&site);
	site_signup(&site, "eva@example.com", "DE", "de", "");
	return 0;
}

static int close_site(void **state)
{
	site_clear(&site);
	clock_set(0);
	return 0;
}

/* --- deeds --------------------------------------------------------------------------------------------------------- */

struct call {
	struct test_mail fact;
	struct test_mail_result result;
};

static int test_mail_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct call *c = arg;

	return on_test_mail(s->d, db, &c->fact, &c->result, err);
}

static struct test_mail_result ask(const char *template, const char *to, int64_t prospect, const char *data)
{
	struct address address;
	struct call c = { .fact = { .template = template, .to = &address, .owner = "", .prospect = prospect, .data = data, .at = clock_now() } };

	assert_int_equal(address_parse(to, &address, NULL), 0);
	site_run(&site, test_mail_fn, &c);
	return c.result;
}

static int find_eva(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct prospect row;
	int found = prospects_find_address(db, "eva@example.com", arena, &row, err);

	*(int64_t *)arg = found == 1 ? row.id : 0;
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

static int64_t eva(void)
{
	int64_t id;

	site_run(&site, find_eva, &id);
	return id;
}

static struct mail_batch *batch;

static int claim_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	return on_claim(s->d, db, 10, &batch, err);
}

/* The one that is due; in force until the next call. */
static const struct mail *claim(void)
{
	mail_batch_free(&batch);
	site_run(&site, claim_fn, NULL);
	assert_int_equal(batch->count, 1);
	return batch->mails;
}

static int send_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	const struct mail *m = arg;
	struct mail_outcome sent = { .delivery = m->delivery, .outcome = OUTCOME_SENT, .code = 250, .reply = "2.0.0 Ok", .at = clock_now() };
	bool may;

	return on_dot(s->d, db, m->delivery, &may, err) || !may || on_outcome(s->d, db, &sent, err) ? -1 : 0;
}

struct traces {
	size_t events, deliveries, data;
	enum consent_state consent;
	double interest;
	enum delivery_state state;
};

struct look {
	int64_t delivery;
	struct traces traces;
};

static int look_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct look *l = arg;
	struct arena *arena = arena_new(0);
	struct event_row *events;
	struct delivery *deliveries, test;
	struct prospect row;
	const char *data;
	int found = prospects_find_address(db, "eva@example.com", arena, &row, err);

	if (found == 1 && deliveries_find(db, l->delivery, arena, &test, err) == 1 && !events_all(db, row.id, arena, &events, &l->traces.events, err) &&
			!deliveries_of(db, row.id, 50, arena, &deliveries, &l->traces.deliveries, err)) {
		l->traces.consent = row.consent;
		l->traces.interest = row.interest;
		l->traces.state = test.state;
		l->traces.data = (size_t)mail_data_find(db, l->delivery, arena, &data, err);
	} else {
		found = -1;
	}
	arena_free(&arena);
	return found == 1 ? 0 : -1;
}

static struct traces traces(int64_t delivery)
{
	struct look l = { .delivery = delivery };

	site_run(&site, look_fn, &l);
	return l.traces;
}

static int click_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct hit_fact fact = { .delivery = *(int64_t *)arg, .kind = 'c', .link = 0, .traits = HIT_ACCEPT | HIT_LANGUAGE, .ip = "192.0.2.9", .agent = "Mozilla/5.0 Firefox/128.0", .at = clock_now() };
	struct hit_result result;

	if (on_hit(s->d, db, &fact, &result, err))
		return -1;
	assert_true(result.found);
	assert_string_equal(result.url, "https://www.example.com/a.de");
	fact.kind = 'o';
	return on_hit(s->d, db, &fact, &result, err);
}

static int leave_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct unsubscribe fact = { .delivery = *(int64_t *)arg, .how = "one-click", .ip = "", .agent = "", .at = clock_now() };
	struct unsubscribe_result result;

	if (look_delivery(db, fact.delivery, &result, err))
		return -1;
	assert_true(result.found && !result.repeated);
	assert_string_equal(result.address, "boss@example.com");
	if (on_unsubscribe(s->d, db, &fact, &result, err))
		return -1;
	assert_true(result.found);
	return 0;
}

static int reply_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct mail_fact fact = { .mailbox = "replies", .received = clock_now(), .at = clock_now(), .class = MAIL_HUMAN, .delivery = *(int64_t *)arg,
		.from = "boss@example.com", .from_name = "", .subject = "Re: [Test]", .message_id = "<x@y>", .text = "stop", .intent = "unsubscribe",
		.intents = "[]", .bounce_kind = "", .bounce_reason = "", .bounce_status = "", .bounce_diagnostic = "", .summary = "{}", .raw = "x",
		.raw_len = 1, .size = 1 };
	struct mail_result result;

	if (on_mail(s->d, db, &fact, &result, err))
		return -1;
	assert_int_equal(result.prospect, 0);
	fact.class = MAIL_BOUNCE;
	fact.bounce_kind = "hard";
	fact.sha256[0] = 1;
	return on_mail(s->d, db, &fact, &result, err);
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

static const char *value(const struct mail *m, const char *name)
{
	static char text[100];
	struct value v = m->values[vocabulary_find(batch->plan->mail_names, slice_of(name))];

	snprintf(text, sizeof(text), "%.*s", v.type == VALUE_TEXT ? (int)v.text.len : 3, v.type == VALUE_TEXT ? v.text.data : "nil");
	return text;
}

/* --- tests --------------------------------------------------------------------------------------------------------- */

static void it_is_their_mail_and_goes_to_somebody_else(void **state)
{
	struct test_mail_result r = ask("a", "boss@example.com", eva(), "");
	const struct mail *m = claim();

	assert_string_equal(r.why_not, "");
	assert_int_equal(m->delivery, r.delivery);
	assert_int_equal(m->kind, DELIVERY_TEST);
	assert_int_equal(m->prospect, 0);
	assert_string_equal(m->template->name, "a.de");
	assert_string_equal(m->address->text, "boss@example.com");
	assert_string_equal(m->reply_to, "site@example.com");
	assert_string_equal(value(m, "first_name"), "Eva");
	assert_string_equal(value(m, "email"), "eva@example.com");
	mail_batch_free(&batch);
}

static void its_data_stands_before_what_is_known(void **state)
{
	int64_t delivery = ask("a", "boss@example.com", eva(), "{\"first_name\":\"Max\",\"nonsense\":1}").delivery;
	const struct mail *m = claim();

	assert_string_equal(value(m, "first_name"), "Max");
	assert_string_equal(value(m, "country"), "DE");
	assert_int_equal(traces(delivery).data, 1);
	site_run(&site, send_fn, (void *)(uintptr_t)m);
	assert_int_equal(traces(delivery).data, 0);
	assert_int_equal(traces(delivery).state, DELIVERY_SENT);
	ask("a", "boss@example.com", 0, "{\"language\":\"de\"}");
	assert_string_equal(claim()->template->name, "a.de");
	ask("a", "boss@example.com", 0, "");
	assert_string_equal(claim()->template->name, "a");
	assert_string_equal(value(batch->mails, "first_name"), "nil");
	mail_batch_free(&batch);
}

static void nothing_that_comes_of_it_counts(void **state)
{
	int64_t delivery = ask("a", "boss@example.com", eva(), "").delivery;
	struct traces before, after;

	before = traces(delivery);
	site_run(&site, send_fn, (void *)(uintptr_t)claim());
	clock_set(START + US_MINUTE);
	site_run(&site, click_fn, &delivery);
	site_run(&site, leave_fn, &delivery);
	site_run(&site, reply_fn, &delivery);
	clock_set(START + US_HOUR);
	site_run(&site, let_time_pass, NULL);
	after = traces(delivery);
	assert_int_equal(after.events, before.events);
	assert_int_equal(after.deliveries, before.deliveries);
	assert_int_equal(after.consent, CONSENT_GIVEN);
	assert_true(after.interest == before.interest);
	assert_int_equal(after.state, DELIVERY_SENT);
	mail_batch_free(&batch);
}

static int suppress_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct address address;
	struct manual_suppression fact = { .address = &address, .reason = "asked", .by = "test", .at = clock_now() };
	bool changed;

	return address_parse("boss@example.com", &address, err) ? -1 : on_suppress(s->d, db, &fact, &changed, err);
}

/* To see whether mail comes back to us: at an address that only we can make. */
static void one_to_ourselves_goes_to_a_reply_address(void **state)
{
	struct call c = { .fact = { .template = "a", .owner = "", .data = "", .at = clock_now() } };
	const struct mail *m;

	site_run(&site, test_mail_fn, &c);
	assert_string_equal(c.result.why_not, "");
	m = claim();
	assert_int_equal(m->delivery, c.result.delivery);
	assert_string_equal(m->address->text, c.result.to.text);
	assert_memory_equal(c.result.to.text, "r+", 2);
	assert_string_equal(strchr(c.result.to.text, '@') + 1, m->sender->reply_domain);
}

/* To see whether a relay lets their mail pass. */
static void one_goes_as_from_somebody_in_sales(void **state)
{
	struct call c = { .fact = { .template = "a", .owner = "ana", .data = "", .at = clock_now() } };

	site_clear(&site);
	site_init(&site);
	site_write(&site, "sales.yaml", "owners:\n  - {name: ana, full_name: Ana Ruiz, email: ana@sales.example.com}\n");
	site_open(&site);
	site_run(&site, test_mail_fn, &c);
	assert_string_equal(claim()->owner->email, "ana@sales.example.com");
	c.fact.owner = "ben";
	site_run(&site, test_mail_fn, &c);
	assert_string_equal(c.result.why_not, "the config has no owner `ben`");
}

static void what_cannot_be_sent_says_why(void **state)
{
	assert_string_equal(ask("none", "boss@example.com", 0, "").why_not, "the config has no mail `none`");
	assert_string_equal(ask("a", "boss@example.com", 4711, "").why_not, "nobody here has that address or id");
	site_run(&site, suppress_fn, NULL);
	assert_string_equal(ask("a", "boss@example.com", 0, "").why_not, "that address is suppressed: asked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_their_mail_and_goes_to_somebody_else, open_site, close_site),
		cmocka_unit_test_setup_teardown(its_data_stands_before_what_is_known, open_site, close_site),
		cmocka_unit_test_setup_teardown(nothing_that_comes_of_it_counts, open_site, close_site),
		cmocka_unit_test_setup_teardown(one_to_ourselves_goes_to_a_reply_address, open_site, close_site),
		cmocka_unit_test_setup_teardown(one_goes_as_from_somebody_in_sales, open_site, close_site),
		cmocka_unit_test_setup_teardown(what_cannot_be_sent_says_why, open_site, close_site),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests_name("test_mail", tests, NULL, NULL);
}
