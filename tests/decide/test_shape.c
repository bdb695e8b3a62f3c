/*
 * test_shape.c: mails on their way through the gate when there are limits: what waits is written once, one limit holds up nobody else, receivers
 * are heard, and what a restart must know is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "small_site.h"

#include "base/id.h"
#include "base/log.h"
#include "store/rows.h"

#include "../../daemon/decide/decide.h"
#include "../../daemon/decide/shape_parts.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)

#define MIDNIGHT (START + 15 * US_HOUR - 1)	/* the site has no zone: that of UTC */

static struct site site;

struct mailed {
	size_t sent, held, gmail, fine;
	int64_t last;
	struct mail_outcome as;		/* of mails to gmail.com */
	size_t refused;			/* so many of them */
};

static int send_due(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct mailed *m = arg;
	struct mail_batch *batch;
	size_t i;

	if (on_claim(s->d, db, 100, &batch, err))
		return -1;
	for (i = 0; i < batch->count; i++) {
		struct mail_outcome out = { .delivery = batch->mails[i].delivery, .outcome = OUTCOME_SENT, .reply = "", .at = clock_now() };
		bool gmail = strcmp(batch->mails[i].address->domain, "gmail.com") == 0, may;

		if (gmail && m->refused) {
			m->refused--;
			out = m->as;
			out.delivery = batch->mails[i].delivery;
			out.at = clock_now();
			out.retry_at = clock_now() + US_MINUTE;
		} else {
			m->sent++;
			m->gmail += gmail;
			m->fine += !gmail;
			m->last = clock_now();
		}
		if (on_dot(s->d, db, out.delivery, &may, err) || on_outcome(s->d, db, &out, err))
			return -1;
	}
	m->held = batch->more;
	mail_batch_free(&batch);
	return 0;
}

static void run_until(int64_t until, struct mailed *m)
{
	int64_t next;

	while ((next = queue_next_mail(site.store)) <= until) {
		if (next > clock_now())
			clock_set(next);
		site_run(&site, send_due, m);
	}
	clock_set(until);
}

static void people(const char *domain, int count)
{
	char email[80];
	int i;

	for (i = 0; i < count; i++) {
		snprintf(email, sizeof(email), "p%d@%s", i, domain);
		site_signup(&site, email, NULL, "", "");
	}
}

static void open_with(const char *shape, const char *sequence)
{
	char *path = xasprintf("%s/nurtured.yaml", site.folder);
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(shape, f);
	fclose(f);
	free(path);
	site_write(&site, "nurture.yaml", "fields:\n  first_name: {type: text, default: there}\n  country: {type: text}\nstages:\n  - name: first\nlists:\n  - {name: all}\n");
	site_sequence(&site, "story", sequence);
	site_open(&site);
}

static int init(void **state)
{
	clock_set(START);
	id_restart();
	site_init(&site);
	return 0;
}

static int close_site(void **state)
{
	site_clear(&site);
	clock_set(0);
	return 0;
}

#define STORY "enter: {on: signup}\nsteps:\n  - {send: a}\n"

static void test_names_that_nobody_has_are_not_limited(void **state)
{
	struct mailed m = { 0 };

	open_with("", STORY);
	people("example.com", 500);
	people("people.example", 500);
	run_until(START, &m);
	assert_int_equal(m.sent, 1000);
}

static void test_one_alone_never_waits(void **state)
{
	struct mailed m = { 0 };

	open_with("shape:\n  senders: [{domain: example.com, per_day: 10, warm_up: {since: 2026-11-01, first: 2}}]\n",
		"spread: 2 hours\n" STORY);
	people("gmail.com", 1);
	run_until(START, &m);
	assert_int_equal(m.sent, 1);
}

static void test_a_provider_is_mailed_at_its_rate(void **state)
{
	struct mailed m = { 0 };

	open_with("", STORY);
	people("gmail.com", 300);
	people("outlook.de", 10);
	people("example.com", 50);
	run_until(START, &m);
	assert_in_range(m.gmail, 5, 8);
	assert_true(m.fine >= 50);
	run_until(START + 100 * US_SECOND, &m);
	assert_in_range(m.gmail, 200, 210);
	run_until(START + US_HOUR, &m);
	assert_int_equal(m.sent, 360);
	assert_in_range(m.last, START + 140 * US_SECOND, START + 160 * US_SECOND);
}

static void test_a_domain_of_other_letters_is_in_its_group(void **state)
{
	struct mailed m = { 0 };

	open_with("shape: {groups: [{name: own, domains: [Müller.com], rate: 1 per minute, burst: 1}]}\n", STORY);
	people("müller.com", 3);
	people("sub.xn--mller-kva.com", 2);
	run_until(START, &m);
	assert_int_equal(m.sent, 1);
	run_until(START + 5 * US_MINUTE, &m);
	assert_int_equal(m.sent, 5);
}

static void test_limits_can_be_off(void **state)
{
	struct mailed m = { 0 };

	open_with("shape: {limits: off}\n", STORY);
	people("gmail.com", 300);
	run_until(START, &m);
	assert_int_equal(m.sent, 300);
}

static void test_a_batch_is_spread(void **state)
{
	struct mailed m = { 0 };

	open_with("", "spread: 2 hours\n" STORY);
	people("example.com", 100);
	run_until(START, &m);
	assert_int_equal(m.sent, 1);
	run_until(START + US_HOUR, &m);
	assert_in_range(m.sent, 48, 53);
	run_until(START + 2 * US_HOUR, &m);
	assert_int_equal(m.sent, 100);
}

static void test_a_day_has_a_budget(void **state)
{
	struct mailed m = { 0 };

	open_with("shape: {senders: [{domain: example.com, per_day: 40}]}\n", STORY);
	people("example.com", 100);
	run_until(MIDNIGHT, &m);
	assert_int_equal(m.sent, 40);
	run_until(MIDNIGHT + US_DAY, &m);
	assert_int_equal(m.sent, 80);
	run_until(MIDNIGHT + 2 * US_DAY, &m);
	assert_int_equal(m.sent, 100);
}

static void test_a_warm_up_doubles_from_day_to_day(void **state)
{
	static const size_t sums[] = { 10, 30, 70, 150, 200 };
	struct mailed m = { 0 };
	size_t i;

	open_with("shape: {senders: [{domain: example.com, warm_up: {since: 2026-11-23, first: 10}}]}\n", STORY);
	people("example.com", 200);
	for (i = 0; i < 5; i++) {
		run_until(MIDNIGHT + (int64_t)i * US_DAY, &m);
		assert_int_equal(m.sent, sums[i]);
	}
}

static void test_a_provider_that_asks_for_less_gets_less(void **state)
{
	struct mailed m = { .refused = 1, .as = { .outcome = OUTCOME_DEFERRED, .fault = FAULT_QUOTA, .reason = "speeding",
		.reply = "temporarily deferred", .slow = { SLOW_GROUP, SLOW_TRICKLE, 90 * US_MINUTE } } };
	size_t before;

	open_with("", STORY);
	people("gmail.com", 500);
	people("example.com", 10);
	run_until(START, &m);
	before = m.gmail;
	run_until(START + US_HOUR, &m);
	assert_in_range(m.gmail - before, 55, 63);
	assert_int_equal(m.fine, 10);
	run_until(START + 12 * US_HOUR, &m);
	assert_int_equal(m.sent, 510);
}

static void test_a_sequence_that_is_refused_pauses(void **state)
{
	struct mailed m = { .refused = 5, .as = { .outcome = OUTCOME_FAILED, .fault = FAULT_MESSAGE, .reason = "spamdetected", .code = 550,
		.reply = "5.7.1 looks like spam" } };
	struct shape_watched *flow;

	open_with("shape: {providers: 100 per second, provider_burst: 100}\n", STORY);
	people("gmail.com", 5);
	run_until(START, &m);
	assert_int_equal(m.sent, 0);
	flow = (struct shape_watched *)shape_find(&site.d->shape->flows, "story");
	assert_non_null(flow);
	assert_true(flow->rest.since > 0);
	people("example.com", 20);
	run_until(START + 10 * US_MINUTE, &m);
	assert_int_equal(m.sent, 0);
	/* then one tries it, and it goes on */
	run_until(START + 3 * US_HOUR, &m);
	assert_int_equal(m.sent, 20);
	assert_true(flow->rest.since == 0);
}

static int resume(struct site *s, struct db *db, void *arg, struct err *err)
{
	return on_resume(s->d, db, "example.com", clock_now(), arg, err);
}

static void test_a_sender_that_is_refused_pauses_until_told(void **state)
{
	struct mailed m = { .refused = 1, .as = { .outcome = OUTCOME_DEFERRED, .fault = FAULT_SENDER, .reason = "rejected", .code = 550,
		.reply = "5.7.1 sender address rejected" } };
	bool found = false;

	open_with("", STORY);
	people("gmail.com", 1);
	run_until(START, &m);
	people("example.com", 20);
	run_until(START + US_MINUTE, &m);
	assert_int_equal(m.sent, 0);
	site_run(&site, resume, &found);
	assert_true(found);
	people("other.example", 3);
	run_until(START + 2 * US_MINUTE, &m);
	assert_int_equal(m.sent, 3);
	/* those that were held ask again within the hour */
	run_until(START + 2 * US_HOUR, &m);
	assert_int_equal(m.sent, 24);
	site_run(&site, resume, &found);
	assert_false(found);
}

/* What a restart must know: the same memory, as another process would find it. */
static void test_a_restart_knows_what_was_slowed_and_spent(void **state)
{
	struct mailed m = { .refused = 1, .as = { .outcome = OUTCOME_DEFERRED, .fault = FAULT_QUOTA, .reason = "speeding",
		.reply = "later", .slow = { SLOW_GROUP, SLOW_PAUSE, 2 * US_HOUR } } };
	struct err err = { "" };
	size_t before;

	open_with("shape: {senders: [{domain: example.com, per_day: 60}]}\n", STORY);
	people("example.com", 30);
	people("gmail.com", 3);
	run_until(START + US_MINUTE, &m);
	before = m.sent;
	assert_in_range(before, 30, 33);
	decide_stop(&site.d);
	assert_int_equal(decide_open(site.store, site.plan, site.ring, &site.d, &err), 0);
	people("after.example", 100);
	run_until(START + US_HOUR, &m);
	assert_true(m.gmail <= 3);
	run_until(START + 12 * US_HOUR, &m);
	assert_in_range(m.sent, 55, 60);
}

static int look(struct site *s, struct db *db, void *arg, struct err *err)
{
	return look_shape(s->d, db, "", clock_now(), arg, err);
}

static int look_and_fail(struct site *s, struct db *db, void *arg, struct err *err)
{
	return look(s, db, arg, err) < 0 ? -1 : err_set(err, "as told");
}

static void run_undone(site_fn *fn, void *arg)
{
	struct site_job j = { .job = { .run = site_job_run }, .site = &site, .fn = fn, .arg = arg };
	struct err err;

	assert_int_equal(store_run(site.store, &j.job, &err), STORE_REFUSED);
	assert_string_equal(err.text, "as told");
}

static void reopen(void)
{
	struct err err;

	decide_stop(&site.d);
	assert_int_equal(decide_open(site.store, site.plan, site.ring, &site.d, &err), 0);
}

static void test_what_is_rolled_back_is_written_again(void **state)
{
	struct mailed m = { .refused = 1, .as = { .outcome = OUTCOME_DEFERRED, .fault = FAULT_QUOTA, .reason = "speeding", .reply = "later",
		.slow = { SLOW_GROUP, SLOW_PAUSE, 2 * US_HOUR } } };
	struct buf out = BUF_INIT;

	open_with("", STORY);
	people("mail.example.com", 7);
	run_until(START + US_MINUTE, &m);
	run_undone(look_and_fail, &out);
	buf_reset(&out);
	site_run(&site, look, &out);
	assert_non_null(strstr(buf_cstr(&out), "\"domain\":\"example.com\",\"sent\":7"));
	/* once, and what is in memory goes with it */
	site.d->shape->dirty = true;
	run_undone(look_and_fail, &out);
	assert_true(site.d->shape->dirty);
	buf_reset(&out);
	site_run(&site, look, &out);
	assert_false(site.d->shape->dirty);
	assert_non_null(strstr(buf_cstr(&out), "\"domain\":\"example.com\",\"sent\":7"));
	buf_clear(&out);
}

static int send_due_and_fail(struct site *s, struct db *db, void *arg, struct err *err)
{
	return send_due(s, db, arg, err) || send_due(s, db, arg, err) ? -1 : err_set(err, "as told");
}

/* All that is counted of mails. */
struct counted {
	struct shape_watched flow, sender;
	struct budget budget;
	int64_t spent;
	struct domain_day day;
};

static struct counted count_all(void)
{
	struct shape *s = site.d->shape;
	const struct shape_sender_state *sender = (const struct shape_sender_state *)shape_find(&s->senders, "example.com");
	const struct shape_watched *flow = (const struct shape_watched *)shape_find(&s->flows, "story");
	const struct shape_count *count = (const struct shape_count *)shape_find(&s->counts, "gmail.com");
	struct counted c = { .sender = sender->watched, .budget = sender->budget, .spent = shape_group_named(s, "gmail")->pace.spent };

	if (flow)
		c.flow = *flow;
	if (count)
		c.day = count->sum;
	memset(&c.flow.named, 0, sizeof(c.flow.named));
	memset(&c.sender.named, 0, sizeof(c.sender.named));
	c.day.domain = NULL;
	/* what a restart is told may be more than there was */
	c.budget.noted = 0;
	return c;
}

static void assert_same(const struct counted *a, const struct counted *b)
{
	assert_memory_equal(&a->flow.rest, &b->flow.rest, sizeof(a->flow.rest));
	assert_memory_equal(a->flow.ring, b->flow.ring, sizeof(a->flow.ring));
	assert_memory_equal(&a->flow.tally, &b->flow.tally, sizeof(a->flow.tally));
	assert_memory_equal(&a->sender.rest, &b->sender.rest, sizeof(a->sender.rest));
	assert_memory_equal(a->sender.ring, b->sender.ring, sizeof(a->sender.ring));
	assert_memory_equal(&a->sender.tally, &b->sender.tally, sizeof(a->sender.tally));
	assert_int_equal(a->flow.streak, b->flow.streak);
	assert_int_equal(a->flow.ring_count, b->flow.ring_count);
	assert_int_equal(a->sender.ring_count, b->sender.ring_count);
	assert_memory_equal(a->budget.used, b->budget.used, sizeof(a->budget.used));
	assert_int_equal(a->budget.passed, b->budget.passed);
	assert_int_equal(a->spent, b->spent);
	assert_memory_equal(a->day.opens, b->day.opens, sizeof(a->day.opens));
	assert_int_equal(a->day.sent, b->day.sent);
	assert_int_equal(a->day.deferred, b->day.deferred);
	assert_int_equal(a->day.soft, b->day.soft);
}

static void test_what_is_rolled_back_counts_once(void **state)
{
	static const struct mail_outcome spam = { .outcome = OUTCOME_FAILED, .fault = FAULT_MESSAGE, .reason = "spamdetected", .code = 550, .reply = "5.7.1 spam" };
	struct mailed m = { 0 }, again = { .refused = 5, .as = spam };
	struct counted before, after;

	open_with("shape: {senders: [{domain: example.com, per_day: 4000}], providers: 100 per second, provider_burst: 100}\n", STORY);
	people("gmail.com", 3);
	people("example.com", 9);
	run_until(START, &m);
	assert_int_equal(m.sent, 12);
	before = count_all();
	people("googlemail.com", 4);
	people("gmail.com", 8);
	people("people.example", 60);
	run_undone(send_due_and_fail, &m);
	after = count_all();
	assert_int_equal(m.sent, 12 + 4 + 5 + 60);
	assert_same(&before, &after);
	/* what would have paused it has not */
	run_undone(send_due_and_fail, &again);
	assert_int_equal(again.refused, 0);
	after = count_all();
	assert_same(&before, &after);
	assert_int_equal(after.flow.rest.since, 0);
}

static void test_what_is_rolled_back_uses_no_budget(void **state)
{
	struct mailed m = { 0 };
	int i;

	open_with("shape: {senders: [{domain: example.com, per_day: 40}]}\n", STORY);
	people("people.example", 30);
	for (i = 0; i < 5; i++)
		run_undone(send_due_and_fail, &m);
	m.sent = 0;
	run_until(START, &m);
	people("other.example", 30);
	run_until(MIDNIGHT, &m);
	assert_int_equal(m.sent, 40);
	run_until(MIDNIGHT + US_DAY, &m);
	assert_int_equal(m.sent, 60);
}

static void test_what_is_rolled_back_takes_no_places(void **state)
{
	struct mailed m = { 0 };
	int i;

	open_with("", STORY);
	people("gmail.com", 300);
	for (i = 0; i < 5; i++)
		run_undone(send_due_and_fail, &m);
	m = (struct mailed){ 0 };
	run_until(START, &m);
	assert_in_range(m.gmail, 5, 8);
	run_until(START + 100 * US_SECOND, &m);
	assert_in_range(m.gmail, 200, 210);
	run_until(START + US_HOUR, &m);
	assert_int_equal(m.sent, 300);
	assert_in_range(m.last, START + 140 * US_SECOND, START + 160 * US_SECOND);
}

static void test_what_is_rolled_back_is_spread_as_before(void **state)
{
	struct mailed m = { 0 };
	int i;

	open_with("", "spread: 2 hours\n" STORY);
	people("example.com", 100);
	for (i = 0; i < 5; i++)
		run_undone(send_due_and_fail, &m);
	m = (struct mailed){ 0 };
	run_until(START, &m);
	assert_int_equal(m.sent, 1);
	run_until(START + US_HOUR, &m);
	assert_in_range(m.sent, 48, 53);
	run_until(START + 2 * US_HOUR, &m);
	assert_int_equal(m.sent, 100);
}

static void test_a_restart_knows_which_places_are_given(void **state)
{
	struct mailed m = { 0 };
	int64_t last;

	open_with("", STORY);
	people("gmail.com", 300);
	run_until(START + 20 * US_SECOND, &m);
	last = shape_group_named(site.d->shape, "gmail")->pace.places[PACE_OTHERS].last;
	assert_in_range(last, START + 140 * US_SECOND, START + 160 * US_SECOND);
	reopen();
	assert_in_range(shape_group_named(site.d->shape, "gmail")->pace.places[PACE_OTHERS].last, last, last + 2 * US_MINUTE);
	/* who has a place comes to it, and at the rate; who comes now, behind them */
	people("googlemail.com", 5);
	run_until(last, &m);
	assert_in_range(m.sent, 295, 300);
	run_until(START + US_HOUR, &m);
	assert_int_equal(m.sent, 305);
}

static void test_a_restart_knows_the_places_of_a_spread(void **state)
{
	struct mailed m = { 0 };
	int i;

	open_with("", "spread: 2 hours\n" STORY);
	people("example.com", 500);
	for (i = 0; i < 5; i++) {
		site_run(&site, send_due, &m);
		clock_set(clock_now() + US_SECOND);
		reopen();
	}
	/* none of those who asked later began anew, and was the first that goes at once */
	assert_int_equal(m.sent, 1);
	run_until(START + 2 * US_MINUTE, &m);
	assert_in_range(m.sent, 1, 12);
	run_until(START + US_HOUR, &m);
	assert_in_range(m.sent, 235, 260);
	run_until(START + 2 * US_HOUR, &m);
	assert_in_range(m.sent, 495, 500);
	run_until(START + 2 * US_HOUR + 2 * US_MINUTE, &m);
	assert_int_equal(m.sent, 500);
}

static void test_who_comes_late_to_a_batch_is_spread_too(void **state)
{
	struct mailed m = { 0 };
	size_t before;
	int i;

	open_with("", "spread: 2 hours\n" STORY);
	/* some every minute, so that the batch goes on, and then many */
	for (i = 0; i < 100; i++) {
		char domain[40];

		snprintf(domain, sizeof(domain), "d%d.example", i);
		people(domain, 5);
		run_until(START + i * US_MINUTE, &m);
	}
	before = m.sent;
	people("example.com", 400);
	run_until(START + 101 * US_MINUTE, &m);
	assert_true(m.sent - before < 25);
	run_until(START + 160 * US_MINUTE, &m);
	assert_in_range(m.sent, before + 200, before + 500);
	run_until(START + 222 * US_MINUTE, &m);
	assert_int_equal(m.sent, 900);
	/* one alone, later, goes at once */
	clock_set(START + 240 * US_MINUTE);
	people("one.example", 1);
	run_until(clock_now(), &m);
	assert_int_equal(m.sent, 901);
}

static void test_a_refused_sender_pauses_without_limits_too(void **state)
{
	struct mailed m = { .refused = 1, .as = { .outcome = OUTCOME_DEFERRED, .fault = FAULT_SENDER, .reason = "rejected", .code = 550,
		.reply = "5.7.1 sender address rejected" } };

	open_with("shape: {limits: off}\n", STORY);
	people("gmail.com", 1);
	run_until(START, &m);
	people("example.com", 20);
	run_until(START + US_MINUTE, &m);
	assert_int_equal(m.sent, 0);
	reopen();
	people("after.example", 20);
	run_until(START + 2 * US_MINUTE, &m);
	assert_int_equal(m.sent, 0);
	run_until(START + 3 * US_HOUR, &m);
	assert_int_equal(m.sent, 41);
}

static void count_wanted(void *arg)
{
	++*(size_t *)arg;
}

static int learn(struct site *s, struct db *db, void *arg, struct err *err)
{
	char *wanted[MX_WANTED];
	size_t count = shape_take_wanted(s->d->shape, wanted), i;

	for (i = 0; i < count; i++) {
		struct mx_host host = { .domain = wanted[i], .host = arg, .until = clock_now() + US_DAY };

		if (mx_hosts_put(db, &host, err))
			return -1;
		shape_learn(s->d->shape, &host);
		free(wanted[i]);
	}
	return count == 1 ? 0 : err_set(err, "%zu domains are asked for", count);
}

static void test_a_mail_waits_a_little_for_dns_and_once(void **state)
{
	struct mailed m = { 0 };
	size_t told = 0;

	open_with("", STORY);
	shape_on_wanted(site.d->shape, count_wanted, &told);
	people("a-company.com", 3);
	run_until(START, &m);
	assert_int_equal(m.sent, 0);
	assert_int_equal(told, 1);
	run_until(START + 6 * US_SECOND, &m);
	assert_int_equal(m.sent, 3);
	assert_int_equal(told, 1);
	/* a minute without an answer: it is asked again */
	clock_set(START + 2 * US_MINUTE);
	people("a-company.com", 1);
	assert_int_equal(told, 2);
}

static void test_a_domain_belongs_to_whose_servers_take_its_mail(void **state)
{
	struct mailed m = { 0 };
	size_t told = 0;

	open_with("", STORY);
	shape_on_wanted(site.d->shape, count_wanted, &told);
	people("a-company.com", 300);
	site_run(&site, learn, "aspmx.l.google.com");
	run_until(START, &m);
	assert_in_range(m.sent, 5, 8);
	people("gmail.com", 10);
	run_until(START + 100 * US_SECOND, &m);
	assert_in_range(m.sent, 200, 210);
	/* what is known is asked again after its time, and holds until there is an answer */
	clock_set(START + 2 * US_DAY);
	people("a-company.com", 1);
	assert_int_equal(told, 2);
	assert_string_equal(shape_mx_group(site.d->shape, "a-company.com"), "gmail");
	site_run(&site, learn, "mx.a-company.com");
	assert_null(shape_mx_group(site.d->shape, "a-company.com"));
}

static int look_held(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct held *held, *h;
	size_t count, throttled = 0, put_off = 0;

	if (held_by_reason(db, clock_now(), 1000, 10, decide_arena(s->d), &held, &count, err))
		return -1;
	for (h = held; h < held + count; h++) {
		if (strcmp(h->why, "throttle gmail") == 0) {
			throttled += (size_t)h->mails;
			assert_in_range(h->oldest, START - 1000, START + US_SECOND);
			assert_in_range(h->next, clock_now() + 1, clock_now() + US_MINUTE);
		} else if (h->state == DELIVERY_DEFERRED && h->code == 450) {
			assert_string_equal(h->why, "");
			put_off += (size_t)h->mails;
		}
	}
	assert_int_equal(put_off, 2);
	*(size_t *)arg = throttled;
	return 0;
}

static void test_what_holds_mails_is_told(void **state)
{
	struct mailed m = { .refused = 2, .as = { .outcome = OUTCOME_DEFERRED, .counted = true, .code = 450, .reply = "450 4.2.1 p1@gmail.com is busy" } };
	size_t throttled;

	open_with("", STORY);
	people("gmail.com", 100);
	run_until(START, &m);
	site_run(&site, look_held, &throttled);
	assert_int_equal(throttled + m.gmail + 2, 100);
}

static void test_what_became_of_it_is_counted_by_domain(void **state)
{
	struct mailed m = { .refused = 2, .as = { .outcome = OUTCOME_FAILED, .fault = FAULT_PROSPECT, .hard_bounce = true, .reason = "userunknown", .reply = "no" } };
	struct buf out = BUF_INIT;

	open_with("", STORY);
	people("gmail.com", 4);
	people("mail.example.com", 7);
	run_until(START + US_MINUTE, &m);
	site_run(&site, look, &out);
	assert_non_null(strstr(buf_cstr(&out), "\"domain\":\"example.com\",\"sent\":7"));
	assert_non_null(strstr(buf_cstr(&out), "\"domain\":\"gmail.com\",\"sent\":2,\"deferred\":0,\"hard\":2"));
	assert_non_null(strstr(buf_cstr(&out), "\"group\":\"gmail\",\"sent\":2,\"deferred\":0,\"hard\":2"));
	assert_non_null(strstr(buf_cstr(&out), "\"group\":\"others\",\"sent\":7"));
	assert_non_null(strstr(buf_cstr(&out), "\"opens\":{\"human\":0,\"machine\":0,\"unknown\":0}"));
	buf_clear(&out);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, init, close_site)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_names_that_nobody_has_are_not_limited), CASE(test_one_alone_never_waits), CASE(test_a_provider_is_mailed_at_its_rate),
		CASE(test_a_domain_of_other_letters_is_in_its_group), CASE(test_limits_can_be_off), CASE(test_a_batch_is_spread), CASE(test_a_day_has_a_budget), CASE(test_a_warm_up_doubles_from_day_to_day),
		CASE(test_a_provider_that_asks_for_less_gets_less), CASE(test_a_sequence_that_is_refused_pauses),
		CASE(test_a_sender_that_is_refused_pauses_until_told), CASE(test_a_restart_knows_what_was_slowed_and_spent),
		CASE(test_what_is_rolled_back_is_written_again), CASE(test_what_is_rolled_back_counts_once),
		CASE(test_what_is_rolled_back_uses_no_budget),
		CASE(test_what_is_rolled_back_takes_no_places), CASE(test_what_is_rolled_back_is_spread_as_before), CASE(test_a_restart_knows_which_places_are_given),
		CASE(test_a_restart_knows_the_places_of_a_spread), CASE(test_who_comes_late_to_a_batch_is_spread_too),
		CASE(test_a_refused_sender_pauses_without_limits_too), CASE(test_a_mail_waits_a_little_for_dns_and_once), CASE(test_a_domain_belongs_to_whose_servers_take_its_mail),
		CASE(test_what_holds_mails_is_told), CASE(test_what_became_of_it_is_counted_by_domain),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
