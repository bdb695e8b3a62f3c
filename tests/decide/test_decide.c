/* test_decide.c: facts against a real store in a temporary folder, with the clock set by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "decide/facts.h"
#include "store/store.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)

struct world {
	char folder[64];
	struct loop *loop;
	struct store *store;
	struct token_ring *ring;
	struct plan *plan;
	struct decide *d;
};

static struct world w;

/* --- running a fact, synchronously -------------------------------------------------------------------------------- */

struct call {
	struct store_job job;
	int (*fn)(struct db *db, void *arg, struct err *err);
	void *arg;
	enum store_result result;
	struct err err;
};

static int call_run(struct store_job *job, struct db *db, struct err *err)
{
	struct call *c = (struct call *)job;

	return c->fn(db, c->arg, err);
}

static void call_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct call *c = (struct call *)job;

	c->result = result;
	c->err = *err;
	loop_stop(w.loop);
}

static void run(int (*fn)(struct db *db, void *arg, struct err *err), void *arg)
{
	struct call c = { .fn = fn, .arg = arg, .job = { .run = call_run, .done = call_done } };

	assert_int_equal(store_submit(w.store, &c.job, STORE_NORMAL), 0);
	assert_int_equal(loop_run(w.loop), 0);
	if (c.result != STORE_COMMITTED)
		print_error("%s\n", c.err.text);
	assert_int_equal(c.result, STORE_COMMITTED);
}

/* --- the world ----------------------------------------------------------------------------------------------------- */

static void write_conf(void)
{
	char path[256], *templates = realpath("tests/decide/templates", NULL), *conf = realpath("tests/decide/conf", NULL);
	static const char *const links[] = { "nurture.yaml", "sales.yaml", "forms", "sequences" };
	char to[512];
	FILE *f;
	size_t i;

	snprintf(path, sizeof(path), "%s/nurtured.yaml", w.folder);
	f = fopen(path, "w");
	fprintf(f, "state: %s/state\ntemplates: %s\ncontrol: %s/control.sock\n"
		"listen: {port: 0, public_url: \"https://mail.example.com\"}\n"
		"sender: {from: \"Ana <ana@example.com>\", company: Example Ltd, postal_address: \"1 High Street\", bounce_domain: bounce.example.com, reply_domain: reply.example.com}\n"
		"relays:\n  - {name: main, url: \"smtp://127.0.0.1:2525\", tls: none}\n"
		"mailboxes:\n  - {name: replies, url: \"maildir:%s/replies\"}\n"
		"click_hold: 90 s\n", w.folder, templates, w.folder, w.folder);
	fclose(f);
	snprintf(path, sizeof(path), "%s/secrets", w.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/secrets/crm", w.folder);
	f = fopen(path, "w");
	fprintf(f, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw\n");
	fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", w.folder, links[i]);
		snprintf(to, sizeof(to), "%s/%s", conf, links[i]);
		assert_int_equal(symlink(to, path), 0);
	}
	free(templates);
	free(conf);
}

static int world_open(void **state)
{
	struct plan_errors errors = { 0 };
	struct store_options options = { .owner = "test" };
	uint8_t key[1][TOKEN_SECRET] = { { 1, 2, 3 } }, ids[1] = { 0 };
	char path[128];
	struct err err = { "" };

	memset(&w, 0, sizeof(w));
	snprintf(w.folder, sizeof(w.folder), "/tmp/test_decide.XXXXXX");
	assert_non_null(mkdtemp(w.folder));
	write_conf();
	clock_set(START);
	snprintf(path, sizeof(path), "%s/nurtured.yaml", w.folder);
	w.plan = plan_load(path, &errors);
	if (!w.plan)
		print_error("%s", buf_cstr(&errors.text));
	assert_non_null(w.plan);
	buf_clear(&errors.text);
	w.loop = loop_new();
	snprintf(path, sizeof(path), "%s/state", w.folder);
	options.state = path;
	if (store_start(w.loop, &options, &w.store, &err))
		print_error("%s\n", err.text);
	assert_non_null(w.store);
	w.ring = token_ring_new((const uint8_t (*)[TOKEN_SECRET])key, ids, 1);
	assert_int_equal(decide_start(w.loop, w.store, w.plan, w.ring, &w.d, &err), 0);
	return 0;
}

static int world_close(void **state)
{
	char command[128];

	decide_quiesce(w.d);
	store_stop(&w.store);
	decide_stop(&w.d);
	token_ring_free(&w.ring);
	plan_unref(&w.plan);
	loop_free(&w.loop);
	snprintf(command, sizeof(command), "rm -rf %s", w.folder);
	clock_set(0);
	return system(command);
}

/* --- facts in short ------------------------------------------------------------------------------------------------- */

struct signup_call {
	struct signup fact;
	struct signup_result result;
};

static int run_signup(struct db *db, void *arg, struct err *err)
{
	struct signup_call *c = arg;

	return on_signup(w.d, db, &c->fact, &c->result, err);
}

static struct signup_result sign_up(const char *form, const char *email, const char *role, const char *key)
{
	struct pair fields[] = { { "first_name", "Eva" }, { "role", role }, { "country", "FR" } };
	struct address address;
	struct signup_call c = { .fact = { .form = form, .address = &address, .fields = fields, .field_count = role ? 3 : 1, .ip = "192.0.2.1",
		.agent = "test", .page = "", .language = "", .timezone = "", .key = key, .at = clock_now() } };

	assert_int_equal(address_parse(email, &address, NULL), 0);
	run(run_signup, &c);
	return c.result;
}

struct track_call {
	struct track fact;
	struct track_result result;
};

static int run_track(struct db *db, void *arg, struct err *err)
{
	struct track_call *c = arg;

	return on_track(w.d, db, &c->fact, &c->result, err);
}

static struct track_result track(const char *email, const char *anonymous, const char *event, const char *path, const char *id)
{
	struct address address;
	struct track_call c = { .fact = { .event = event, .subject = path, .properties = "{}", .message_id = id, .anonymous_id = anonymous, .at = clock_now() } };

	if (email) {
		assert_int_equal(address_parse(email, &address, NULL), 0);
		c.fact.address = &address;
	}
	run(run_track, &c);
	return c.result;
}

struct look_call {
	const char *email;
	struct prospect row;
	struct enrolment *enrolments;
	size_t enrolment_count;
	struct delivery *deliveries;
	size_t delivery_count;
	struct lead lead;
	int has_lead, suppressed, found;
	struct event_row *events;
	size_t event_count;
	struct alert *alerts;
	size_t alert_count;
	struct arena *arena;
};

static int run_look(struct db *db, void *arg, struct err *err)
{
	struct look_call *c = arg;
	struct suppression s;

	c->found = prospects_find_address(db, c->email, c->arena, &c->row, err);
	if (c->found <= 0)
		return c->found;
	c->has_lead = leads_last(db, c->row.id, c->arena, &c->lead, err);
	c->suppressed = suppressions_find(db, c->row.key, c->arena, &s, err);
	return enrolments_all(db, c->row.id, c->arena, &c->enrolments, &c->enrolment_count, err) ||
		deliveries_of(db, c->row.id, 50, c->arena, &c->deliveries, &c->delivery_count, err) ||
		events_all(db, c->row.id, c->arena, &c->events, &c->event_count, err) ||
		alerts_in_state(db, ALERT_WAITING, 50, c->arena, &c->alerts, &c->alert_count, err);
}

static struct look_call look(const char *email)
{
	static struct arena *arena;
	struct look_call c = { .email = email };

	arena_free(&arena);
	arena = arena_new(0);
	c.arena = arena;
	run(run_look, &c);
	return c;
}

struct claim_call {
	struct mail_batch *batch;
};

static int run_claim(struct db *db, void *arg, struct err *err)
{
	struct claim_call *c = arg;

	mail_batch_free(&c->batch);
	return on_claim(w.d, db, 100, &c->batch, err);
}

struct dot_call {
	int64_t delivery;
	bool may;
};

static int run_dot(struct db *db, void *arg, struct err *err)
{
	struct dot_call *c = arg;

	return on_dot(w.d, db, c->delivery, &c->may, err);
}

static int run_outcome(struct db *db, void *arg, struct err *err)
{
	return on_outcome(w.d, db, arg, err);
}

/* Claims what is due and has it sent; the template of the first, "" if none; its delivery in *delivery_out. */
static const char *send_due(int64_t *delivery_out)
{
	static char name[64];
	struct claim_call c = { 0 };
	size_t i;

	run(run_claim, &c);
	name[0] = '\0';
	for (i = 0; i < c.batch->count; i++) {
		const struct mail *m = &c.batch->mails[i];
		struct dot_call dot = { .delivery = m->delivery };
		struct mail_outcome sent = { .delivery = m->delivery, .outcome = OUTCOME_SENT, .code = 250, .reply = "250 Ok", .relay_id = "X", .at = clock_now() };

		run(run_dot, &dot);
		assert_true(dot.may);
		run(run_outcome, &sent);
		if (i == 0) {
			snprintf(name, sizeof(name), "%s", m->template ? m->template->name : "forward");
			if (delivery_out)
				*delivery_out = m->delivery;
		}
	}
	mail_batch_free(&c.batch);
	return name;
}

static int run_time(struct db *db, void *arg, struct err *err)
{
	return on_time(w.d, db, 100, arg, err);
}

static size_t pass_time(void)
{
	size_t done, all = 0;

	do {
		run(run_time, &done);
		all += done;
	} while (done);
	return all;
}

static int run_hit(struct db *db, void *arg, struct err *err)
{
	struct hit_result result;

	return on_hit(w.d, db, arg, &result, err);
}

static void hit(int64_t delivery, char kind, int link, const char *agent)
{
	struct hit_fact fact = { .delivery = delivery, .kind = kind, .link = link, .ip = "192.0.2.9", .agent = agent, .at = clock_now() };

	run(run_hit, &fact);
}

struct mail_call {
	struct mail_fact fact;
	struct mail_result result;
};

static int run_mail(struct db *db, void *arg, struct err *err)
{
	struct mail_call *c = arg;

	return on_mail(w.d, db, &c->fact, &c->result, err);
}

static struct mail_result mail_in(enum mail_class class, int64_t delivery, const char *text, const char *intent, uint32_t uid)
{
	struct mail_call c = { .fact = { .mailbox = "replies", .watermark = { 7, uid }, .received = clock_now(), .at = clock_now(), .class = class,
		.delivery = delivery, .from = "eva@work.example", .from_name = "Eva", .subject = "Re: hello", .message_id = "<x@y>", .text = text,
		.intent = intent, .intents = "[]", .bounce_kind = class == MAIL_BOUNCE ? "hard" : "", .bounce_reason = "userunknown",
		.bounce_status = "5.1.1", .bounce_diagnostic = "550 no such user", .summary = "{}", .raw = "x", .raw_len = 1, .size = 1 } };

	memcpy(c.fact.sha256, &uid, sizeof(uid));
	run(run_mail, &c);
	return c.result;
}

/* --- the story ------------------------------------------------------------------------------------------------------ */

static void test_signup_enters_and_mails(void **state)
{
	struct look_call c;

	assert_false(sign_up("ebook", "eva@work.example", "Head of IT", "k1").must_confirm);
	c = look("eva@work.example");
	assert_string_equal(c.row.stage, "awareness");
	assert_string_equal(c.row.list, "just-looking");
	assert_int_equal(c.row.consent, CONSENT_GIVEN);
	assert_true(c.row.fit == 20 && c.row.interest == 10);
	assert_int_equal(c.enrolment_count, 1);
	assert_string_equal(c.enrolments[0].step, "deliver");
	assert_string_equal(send_due(NULL), "ebook-delivery");
	c = look("eva@work.example");
	assert_string_equal(c.enrolments[0].step, "mistakes");
	assert_true(c.enrolments[0].due == START + 2 * US_DAY);
	assert_string_equal(send_due(NULL), "");
}

static void test_same_key_changes_nothing(void **state)
{
	struct signup_result first = sign_up("ebook", "eva@work.example", NULL, "k1"), again = sign_up("ebook", "eva@work.example", NULL, "k1");

	assert_true(again.repeated && again.id == first.id);
	assert_int_equal(look("eva@work.example").event_count, 1);
}

static void test_confirm_comes_first(void **state)
{
	struct signup_result r = sign_up("careful", "eva@work.example", NULL, NULL);
	struct look_call c = look("eva@work.example");

	assert_true(r.must_confirm);
	assert_int_equal(c.row.consent, CONSENT_PENDING);
	assert_int_equal(c.enrolment_count, 0);
	assert_string_equal(send_due(NULL), "confirm");
	assert_string_equal(send_due(NULL), "");
}

static int64_t consent_to_confirm;

static int run_confirm(struct db *db, void *arg, struct err *err)
{
	return on_confirm(w.d, db, &(struct confirmation){ .consent = consent_to_confirm, .ip = "", .agent = "", .at = clock_now() }, arg, err);
}

static void test_confirming_takes_effect_once(void **state)
{
	struct confirmation_result r;

	consent_to_confirm = sign_up("careful", "eva@work.example", NULL, NULL).id;
	run(run_confirm, &r);
	assert_true(r.found && !r.repeated);
	assert_string_equal(r.form, "careful");
	run(run_confirm, &r);
	assert_true(r.found && r.repeated);
	assert_int_equal(look("eva@work.example").row.consent, CONSENT_GIVEN);
	assert_int_equal(look("eva@work.example").enrolment_count, 1);
	consent_to_confirm = id_new(3, START);
	run(run_confirm, &r);
	assert_false(r.found);
}

static void test_wait_for_click_branches(void **state)
{
	int64_t delivery = 0;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	clock_set(START + 2 * US_DAY);
	assert_string_equal(send_due(&delivery), "three-mistakes");
	assert_string_equal(look("eva@work.example").enrolments[0].step, "wait_for-1");
	hit(delivery, 'c', 0, "Mozilla/5.0 (X11) Firefox/120");
	pass_time();
	assert_string_equal(look("eva@work.example").enrolments[0].step, "wait_for-1");	/* held back */
	clock_set(START + 2 * US_DAY + 90 * US_SECOND);
	pass_time();
	assert_string_equal(look("eva@work.example").enrolments[0].step, "nudge");	/* clicked, but did not compare */
	assert_true(look("eva@work.example").row.interest > 14);
}

static void test_wait_for_gives_up(void **state)
{
	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	clock_set(START + 2 * US_DAY);
	send_due(NULL);
	clock_set(START + 5 * US_DAY - 1);
	assert_int_equal(pass_time(), 0);
	clock_set(START + 5 * US_DAY);
	assert_int_equal(pass_time(), 1);
	assert_string_equal(look("eva@work.example").enrolments[0].step, "nudge");
}

static void test_scanner_clicks_do_not_count(void **state)
{
	int64_t delivery = 0;
	size_t i, clicks = 0, machine = 0;
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(&delivery);
	hit(delivery, 'c', 0, "Mozilla/5.0 (X11) Firefox/120");
	hit(delivery, 'c', 1, "Mozilla/5.0 (X11) Firefox/120");	/* two links at once: nobody clicks like that */
	hit(delivery, 'o', 0, "");
	clock_set(START + 2 * US_MINUTE);
	pass_time();
	c = look("eva@work.example");
	for (i = 0; i < c.event_count; i++) {
		clicks += strcmp(c.events[i].name, "click") == 0 || strcmp(c.events[i].name, "open") == 0;
		machine += strcmp(c.events[i].name, "click_machine") == 0 || strcmp(c.events[i].name, "open_machine") == 0;
	}
	assert_int_equal(clicks, 0);
	assert_int_equal(machine, 3);
}

static void test_caps_and_quiet_hours_hold(void **state)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	/* Wednesday 23:00 in Berlin: quiet until eight */
	clock_set(START + 2 * US_DAY + 13 * US_HOUR);
	assert_string_equal(send_due(NULL), "");
	c = look("eva@work.example");
	assert_string_equal(c.enrolments[0].why, "quiet hours");
	assert_true(c.enrolments[0].due >= START + 2 * US_DAY + 22 * US_HOUR && c.enrolments[0].due < START + 2 * US_DAY + 22 * US_HOUR + 10 * US_MINUTE);
	clock_set(c.enrolments[0].due);
	assert_string_equal(send_due(NULL), "three-mistakes");
	/* the nudge may not follow within two days of it */
	clock_set(c.enrolments[0].due + US_HOUR);
	track("eva@work.example", NULL, "page_view", "/x", "m0");
	c = look("eva@work.example");
	assert_string_equal(c.enrolments[0].step, "wait_for-1");
}

static void test_cap_of_the_list(void **state)
{
	int64_t delivery = 0;
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	clock_set(START + 2 * US_DAY);
	send_due(&delivery);
	clock_set(START + 2 * US_DAY + US_MINUTE);
	hit(delivery, 'c', 0, "Mozilla/5.0 (X11) Firefox/120");
	clock_set(START + 2 * US_DAY + 10 * US_MINUTE);
	pass_time();
	assert_string_equal(send_due(NULL), "");
	c = look("eva@work.example");
	assert_string_equal(c.enrolments[0].why, "cap of list just-looking");
	assert_true(c.enrolments[0].due == START + 4 * US_DAY);
}

static void test_stage_falls_at_its_instant(void **state)
{
	struct store_counts before, after;
	int64_t due;
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	track("eva@work.example", NULL, "webinar", "", "m1");	/* interest 50 */
	c = look("eva@work.example");
	assert_string_equal(c.row.stage, "consideration");
	assert_string_equal(c.row.list, "comparing");
	assert_string_equal(c.enrolments[0].why, "exit");
	due = c.row.recheck;
	/* 50 falls to 20 in 30 days times log2(2.5) */
	assert_true(due > START + 39 * US_DAY + 15 * US_HOUR && due < START + 39 * US_DAY + 17 * US_HOUR);
	while (*send_due(NULL))
		;
	clock_set(START + 2 * US_DAY);
	pass_time();	/* the one-day wait of `compare` */
	assert_true(queue_next_due(w.store, LANE_TIME) == due);
	store_counts(w.store, &before);
	clock_set(due - 1);
	decide_on_due(w.d, LANE_SEND, NULL, NULL);
	store_counts(w.store, &after);
	assert_true(before.statements == after.statements);
	assert_int_equal(pass_time(), 0);
	clock_set(due);
	assert_int_equal(pass_time(), 1);
	c = look("eva@work.example");
	assert_string_equal(c.row.stage, "awareness");
	assert_string_equal(c.row.list, "just-looking");
}

static void test_list_change_enters(void **state)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	track("eva@work.example", NULL, "page_view", "/compare/all", "m1");
	c = look("eva@work.example");
	assert_string_equal(c.row.list, "comparing");
	assert_int_equal(c.enrolment_count, 2);
	assert_string_equal(send_due(NULL), "short-version");
}

static void test_message_id_counts_once(void **state)
{
	sign_up("ebook", "eva@work.example", NULL, NULL);
	assert_false(track("eva@work.example", NULL, "page_view", "/pricing", "m1").repeated);
	assert_true(track("eva@work.example", NULL, "page_view", "/pricing", "m1").repeated);
	assert_int_equal(look("eva@work.example").event_count, 2);
	assert_true(look("eva@work.example").row.interest == 25);
}

static void test_points_are_capped(void **state)
{
	char id[8];
	int i;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	for (i = 0; i < 4; i++) {
		snprintf(id, sizeof(id), "m%d", i);
		track("eva@work.example", NULL, "page_view", "/pricing", id);
	}
	assert_true(look("eva@work.example").row.interest == 40);	/* 10 and at most 30 */
}

static void test_reply_stops_makes_hot_and_is_forwarded(void **state)
{
	int64_t delivery = 0;
	struct mail_result r;
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(&delivery);
	r = mail_in(MAIL_HUMAN, delivery, "How much is it for 40 people?", "pricing", 5);
	assert_true(r.hot && !r.repeated);
	c = look("eva@work.example");
	assert_string_equal(c.row.stage, "decision");
	assert_int_equal(c.has_lead, 1);
	assert_string_equal(c.lead.owner, "ben");
	assert_int_equal(c.alert_count, 1);
	assert_int_equal(c.enrolments[0].state, ENROLMENT_ENDED);
	assert_string_equal(send_due(NULL), "forward");
	c = look("eva@work.example");
	assert_string_equal(c.deliveries[0].address, "ben@example.com");
	/* the same mail again */
	assert_true(mail_in(MAIL_HUMAN, delivery, "How much is it for 40 people?", "pricing", 5).repeated);
	assert_int_equal(look("eva@work.example").alert_count, 1);
}

static void test_reply_that_makes_nobody_hot_is_forwarded_too(void **state)
{
	int64_t delivery = 0;
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(&delivery);
	mail_in(MAIL_HUMAN, delivery, "Thanks, nice read.", "thanks", 5);
	c = look("eva@work.example");
	assert_int_equal(c.has_lead, 0);
	assert_int_equal(c.enrolments[0].state, ENROLMENT_ENDED);
	assert_string_equal(send_due(NULL), "forward");
	c = look("eva@work.example");
	assert_string_equal(c.deliveries[0].address, "sales@example.com");
}

static void test_unsigned_mail_changes_nobody(void **state)
{
	sign_up("ebook", "eva@work.example", NULL, NULL);
	assert_true(mail_in(MAIL_BOUNCE, 0, "", "", 5).prospect == 0);
	assert_int_equal(look("eva@work.example").suppressed, 0);
}

static void test_bounce_and_complaint_suppress(void **state)
{
	int64_t delivery = 0;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(&delivery);
	mail_in(MAIL_BOUNCE, delivery, "", "", 5);
	assert_int_equal(look("eva@work.example").suppressed, 1);
	assert_string_equal(look("eva@work.example").enrolments[0].why, "hard_bounce");
	sign_up("ebook", "ute@work.example", NULL, NULL);
	send_due(&delivery);
	mail_in(MAIL_COMPLAINT, delivery, "", "", 6);
	assert_int_equal(look("ute@work.example").suppressed, 1);
	clock_set(START + 30 * US_DAY);
	assert_string_equal(send_due(NULL), "");
}

struct unsubscribe_call {
	int64_t delivery;
	struct unsubscribe_result result;
};

static int run_unsubscribe(struct db *db, void *arg, struct err *err)
{
	struct unsubscribe_call *c = arg;
	struct unsubscribe fact = { .delivery = c->delivery, .how = "one-click", .ip = "", .agent = "", .at = clock_now() };

	return on_unsubscribe(w.d, db, &fact, &c->result, err);
}

static void test_unsubscribe_between_claim_and_dot(void **state)
{
	int64_t delivery = 0;
	struct claim_call claim = { 0 };
	struct unsubscribe_call gone;
	struct dot_call dot;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(&delivery);
	clock_set(START + 2 * US_DAY);
	run(run_claim, &claim);
	assert_int_equal(claim.batch->count, 1);
	gone = (struct unsubscribe_call){ .delivery = delivery };
	run(run_unsubscribe, &gone);
	assert_true(gone.result.found && !gone.result.repeated);
	dot = (struct dot_call){ .delivery = claim.batch->mails[0].delivery };
	run(run_dot, &dot);
	assert_false(dot.may);
	assert_int_equal(look("eva@work.example").deliveries[0].state, DELIVERY_SUPPRESSED);
	run(run_unsubscribe, &gone);
	assert_true(gone.result.repeated);
	mail_batch_free(&claim.batch);
}

static void test_deferred_comes_again_as_the_same_mail(void **state)
{
	struct claim_call claim = { 0 };
	struct mail_outcome later = { .outcome = OUTCOME_DEFERRED, .counted = true, .code = 451, .reply = "451 later", .relay_id = "" };
	int64_t delivery;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	run(run_claim, &claim);
	delivery = later.delivery = claim.batch->mails[0].delivery;
	later.at = clock_now();
	later.retry_at = START + US_MINUTE;
	run(run_outcome, &later);
	run(run_claim, &claim);
	assert_int_equal(claim.batch->count, 0);
	clock_set(START + US_MINUTE);
	run(run_claim, &claim);
	assert_int_equal(claim.batch->count, 1);
	assert_true(claim.batch->mails[0].delivery == delivery && claim.batch->mails[0].attempt == 1);
	mail_batch_free(&claim.batch);
}

static void test_unknown_is_not_resent_and_the_sequence_goes_on(void **state)
{
	struct claim_call claim = { 0 };
	struct mail_outcome lost = { .outcome = OUTCOME_UNKNOWN, .reply = "connection lost", .relay_id = "", .at = START };
	struct dot_call dot = { 0 };

	sign_up("ebook", "eva@work.example", NULL, NULL);
	run(run_claim, &claim);
	dot.delivery = lost.delivery = claim.batch->mails[0].delivery;
	run(run_dot, &dot);
	run(run_outcome, &lost);
	mail_batch_free(&claim.batch);
	assert_int_equal(look("eva@work.example").deliveries[0].state, DELIVERY_UNKNOWN);
	assert_string_equal(look("eva@work.example").enrolments[0].step, "mistakes");
	assert_string_equal(send_due(NULL), "");
	/* an open says that it came */
	hit(lost.delivery, 'o', 0, "Mozilla/5.0 (X11) Firefox/120");
	assert_int_equal(look("eva@work.example").deliveries[0].state, DELIVERY_SENT);
}

static void test_visitor_becomes_prospect(void **state)
{
	struct pair fields[] = { { "first_name", "Eva" } };
	struct address address;
	struct signup_call c = { .fact = { .form = "ebook", .address = &address, .fields = fields, .field_count = 1, .ip = "", .agent = "", .page = "",
		.language = "", .timezone = "", .anonymous_id = "visitor-1", .at = clock_now() } };

	assert_false(track(NULL, "visitor-1", "page_view", "/pricing", "m1").known);
	assert_int_equal(address_parse("eva@work.example", &address, NULL), 0);
	run(run_signup, &c);
	assert_true(look("eva@work.example").row.interest == 25);
	assert_true(track(NULL, "visitor-1", "page_view", "/compare", "m2").known);
	assert_string_equal(look("eva@work.example").row.stage, "consideration");
}

struct sales_call {
	struct sales_outcome fact;
	struct sales_result result;
};

static int run_sales(struct db *db, void *arg, struct err *err)
{
	struct sales_call *c = arg;

	return on_sales(w.d, db, &c->fact, &c->result, err);
}

static void test_rejected_lead_goes_on(void **state)
{
	struct sales_call answer = { .fact = { .answer = ANSWER_REJECT, .reason = "too small", .by = "link" } };
	struct look_call c;
	char id[8];
	int i;

	sign_up("ebook", "eva@work.example", "Head of IT", NULL);
	send_due(NULL);
	for (i = 0; i < 2; i++) {	/* interest 90: decision, and with fit 20 hot */
		snprintf(id, sizeof(id), "m%d", i);
		track("eva@work.example", NULL, "webinar", "", id);
	}
	c = look("eva@work.example");
	assert_int_equal(c.has_lead, 1);
	assert_string_equal(c.lead.state, "new");
	answer.fact.lead = c.lead.id;
	answer.fact.at = clock_now();
	run(run_sales, &answer);
	assert_true(answer.result.found && !answer.result.repeated);
	c = look("eva@work.example");
	assert_string_equal(c.lead.state, "rejected");
	assert_string_equal(c.lead.answer, "too small");
	run(run_sales, &answer);
	assert_true(answer.result.repeated);
}

static int run_recompute(struct db *db, void *arg, struct err *err)
{
	struct look_call *c = arg;
	struct term_sum *terms;
	double sum = 0;
	size_t count, i;

	if (terms_by_rule(db, c->row.id, clock_now(), w.plan->half_life, c->arena, &terms, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		sum += terms[i].points;
	assert_float_equal(sum, c->row.interest, 1e-6);
	return 0;
}

static void test_score_is_the_sum_of_its_terms(void **state)
{
	struct look_call c;
	char id[8];
	int i;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	for (i = 0; i < 5; i++) {
		clock_set(START + i * 3 * US_DAY);
		snprintf(id, sizeof(id), "m%d", i);
		track("eva@work.example", NULL, i % 2 ? "webinar" : "page_view", "/pricing", id);
	}
	c = look("eva@work.example");
	assert_true(c.row.interest_at == clock_now());
	run(run_recompute, &c);
}

static void test_clock_that_steps_back(void **state)
{
	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	clock_set(START - 10 * US_DAY);
	assert_string_equal(send_due(NULL), "");
	assert_int_equal(pass_time(), 0);
	track("eva@work.example", NULL, "page_view", "/pricing", "m1");
	assert_true(look("eva@work.example").row.interest == 25);
	clock_set(START + 30 * US_DAY);		/* and jumps ahead: one step, not all */
	assert_string_equal(send_due(NULL), "three-mistakes");
	assert_string_equal(send_due(NULL), "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(test_signup_enters_and_mails), CASE(test_same_key_changes_nothing), CASE(test_confirm_comes_first),
		CASE(test_confirming_takes_effect_once), CASE(test_wait_for_click_branches), CASE(test_wait_for_gives_up),
		CASE(test_scanner_clicks_do_not_count), CASE(test_caps_and_quiet_hours_hold), CASE(test_cap_of_the_list),
		CASE(test_stage_falls_at_its_instant), CASE(test_list_change_enters), CASE(test_message_id_counts_once),
		CASE(test_points_are_capped), CASE(test_reply_stops_makes_hot_and_is_forwarded),
		CASE(test_reply_that_makes_nobody_hot_is_forwarded_too), CASE(test_unsigned_mail_changes_nobody),
		CASE(test_bounce_and_complaint_suppress), CASE(test_unsubscribe_between_claim_and_dot),
		CASE(test_deferred_comes_again_as_the_same_mail), CASE(test_unknown_is_not_resent_and_the_sequence_goes_on),
		CASE(test_visitor_becomes_prospect), CASE(test_rejected_lead_goes_on), CASE(test_score_is_the_sum_of_its_terms),
		CASE(test_clock_that_steps_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
