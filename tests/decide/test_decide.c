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
#include "base/random.h"
#include "decide/facts.h"
#include "store/store.h"

#include "../../daemon/decide/person.h"

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
	loop_drain(w.loop);
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
	struct track_call c = { .fact = { .event = event, .subject = path, .properties = "{}", .message_id = id, .who = { .anonymous_id = anonymous }, .at = clock_now() } };

	if (email) {
		assert_int_equal(address_parse(email, &address, NULL), 0);
		c.fact.who.address = &address;
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
	struct hit_fact fact = { .delivery = delivery, .kind = kind, .link = link, .traits = HIT_ACCEPT | HIT_LANGUAGE, .ip = "192.0.2.9", .agent = agent, .at = clock_now() };

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

/* What was asked for goes out at night, and although the list's cap is reached; it counts for those that follow. */
static void test_even_in_always(void **state)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	clock_set(START + 13 * US_HOUR);
	track("eva@work.example", NULL, "trial", "", "m1");
	assert_string_equal(send_due(NULL), "short-version");
	clock_set(START + 2 * US_DAY);
	pass_time();
	assert_string_equal(send_due(NULL), "");
	c = look("eva@work.example");
	assert_string_equal(c.enrolments[0].why, "cap of list just-looking");
	assert_true(c.enrolments[0].due == START + 2 * US_DAY + 13 * US_HOUR);
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
	/* what has been passed is not passed again, the instant after */
	assert_true(c.row.recheck == 0 || c.row.recheck > due + US_DAY);
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

/* Plain properties are read in place, others by a whole parser: both find the last of a name that comes twice. */
static void test_properties_are_read_alike(void **state)
{
	static const struct {
		const char *properties;
		double interest;
	} rows[] = {
		{ "{\"path\":\"/pricing\"}", 15 },
		{ "{\"path\":\"/other\"}", 0 },
		{ "{\"path\":\"/other\",\"path\":\"/pricing\"}", 15 },
		{ "{\"path\":\"/pricing\",\"path\":\"/other\"}", 0 },
		{ "{\"n\":1,\"path\":\"/pricing\"}", 15 },
		{ "{\"a\":{},\"path\":\"/pricing\"}", 15 },
		{ "{\"path\":\"\\/pricing\"}", 15 },
		{ "{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":\"\",\"g\":\"\",\"h\":\"\",\"i\":\"\",\"j\":\"\",\"k\":\"\",\"l\":\"\",\"m\":\"\",\"n\":\"\","
		  "\"o\":\"\",\"p\":\"\",\"path\":\"/pricing\"}", 15 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char email[40] = "";
		struct track_call c = { .fact = { .event = "page_view", .subject = "/x", .properties = rows[i].properties, .message_id = email, .at = clock_now() } };
		struct address address;

		snprintf(email, sizeof(email), "p%d@work.example", (int)i);
		sign_up("ebook", email, NULL, NULL);
		assert_int_equal(address_parse(email, &address, NULL), 0);
		c.fact.who.address = &address;
		run(run_track, &c);
		assert_true(look(email).row.interest == 10 + rows[i].interest);
	}
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
	mail_in(MAIL_HUMAN, delivery, "Nice read.", "other", 5);
	c = look("eva@work.example");
	assert_int_equal(c.has_lead, 0);
	assert_int_equal(c.enrolments[0].state, ENROLMENT_ENDED);
	assert_string_equal(send_due(NULL), "forward");
	c = look("eva@work.example");
	assert_string_equal(c.deliveries[0].address, "sales@example.com");
}

/* How many mails of that template were sent to them. */
static int sent_of(const char *address, const char *template)
{
	struct look_call c = look(address);
	int n = 0;

	for (size_t i = 0; i < c.delivery_count; i++)
		n += c.deliveries[i].state == DELIVERY_SENT && strcmp(c.deliveries[i].template, template) == 0;
	return n;
}

static void work_until(int64_t at)
{
	while (clock_now() < at) {
		clock_set(clock_now() + 6 * US_HOUR);
		pass_time();
		while (*send_due(NULL))
			;
	}
}

/* While sales talk with one of a company, the sequences of the others wait; what waited comes when that is over. */
static void test_a_colleague_waits_and_goes_on_after(void **state)
{
	int64_t delivery = 0;

	/* as replies.yaml says it where somebody wants that */
	w.plan->replies.hold_company = 14 * US_DAY;
	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(&delivery);
	sign_up("ebook", "ute@work.example", NULL, NULL);
	sign_up("ebook", "tom@other.example", NULL, NULL);
	while (*send_due(NULL))
		;
	assert_int_equal(sent_of("ute@work.example", "ebook-delivery"), 1);
	assert_true(mail_in(MAIL_HUMAN, delivery, "How much is it for 40 people?", "pricing", 5).hot);
	work_until(START + 13 * US_DAY);
	assert_int_equal(sent_of("ute@work.example", "three-mistakes"), 0);
	assert_int_equal(sent_of("tom@other.example", "three-mistakes"), 1);
	work_until(START + 18 * US_DAY);
	assert_int_equal(sent_of("ute@work.example", "three-mistakes"), 1);
}

/* What holds mails back at the gate does so at the dot, too, and what passes there passes here. */
static void test_a_hold_between_claim_and_dot(void **state)
{
	int64_t delivery = 0;
	struct claim_call first = { 0 }, urgent = { 0 };
	struct dot_call dot = { 0 };

	w.plan->replies.hold_company = 14 * US_DAY;
	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(&delivery);
	sign_up("ebook", "ute@work.example", NULL, NULL);
	run(run_claim, &first);
	assert_int_equal(first.batch->count, 1);
	assert_true(mail_in(MAIL_HUMAN, delivery, "How much is it for 40 people?", "pricing", 5).hot);
	dot.delivery = first.batch->mails[0].delivery;
	run(run_dot, &dot);
	assert_false(dot.may);
	assert_int_equal(look("ute@work.example").deliveries[0].state, DELIVERY_DEFERRED);
	mail_batch_free(&first.batch);
	/* `even_in: always`: whatever they were mailed, and whoever talks with sales */
	track("ute@work.example", NULL, "trial", "", "t1");
	run(run_claim, &urgent);
	assert_int_equal(urgent.batch->count, 2);	/* and the reply, for sales */
	dot = (struct dot_call){ .delivery = urgent.batch->mails[urgent.batch->mails[0].kind != DELIVERY_STEP].delivery };
	run(run_dot, &dot);
	assert_true(dot.may);
	mail_batch_free(&urgent.batch);
}

/* Nobody has that address and no token of ours is in it: sales read it, and answer whoever wrote it. */
static void test_a_mail_of_a_stranger_goes_to_sales(void **state)
{
	struct mail_call c = { .fact = { .mailbox = "replies", .watermark = { 7, 9 }, .received = clock_now(), .at = clock_now(), .class = MAIL_HUMAN,
		.from = "zoe@elsewhere.example", .from_name = "Zoe", .subject = "Your tool", .message_id = "<z@z>", .text = "Is it for schools?", .intent = "question",
		.intents = "[]", .bounce_kind = "", .bounce_reason = "", .bounce_status = "", .bounce_diagnostic = "", .summary = "{}", .raw = "x", .raw_len = 1, .size = 1 } };
	struct claim_call claim = { 0 };

	memset(c.fact.sha256, 9, sizeof(c.fact.sha256));
	run(run_mail, &c);
	assert_true(c.result.prospect == 0);
	run(run_claim, &claim);
	assert_int_equal(claim.batch->count, 1);
	assert_string_equal(claim.batch->mails[0].address->text, "sales@example.com");
	assert_string_equal(claim.batch->mails[0].reply_to, "zoe@elsewhere.example");
	mail_batch_free(&claim.batch);
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

struct says_call {
	int64_t prospect;
	const char *why;
	bool found;
};

static int run_says(struct db *db, void *arg, struct err *err)
{
	struct says_call *c = arg;
	struct arena *arena = arena_new(0);
	struct journal_row *rows;
	size_t count, i;
	int rc = journal_of(db, c->prospect, 50, arena, &rows, &count, err);

	for (i = 0; !rc && i < count; i++)
		c->found = c->found || strcmp(rows[i].why, c->why) == 0;
	arena_free(&arena);
	return rc;
}

static bool journal_says(int64_t prospect, const char *why)
{
	struct says_call c = { .prospect = prospect, .why = why };

	run(run_says, &c);
	return c.found;
}

/* Who has seen it has got it. */
static void test_hits_prove_what_was_in_doubt(void **state)
{
	static const struct {
		char hit;
		const char *says;
	} rows[] = {
		{ 'o', "an open says that it arrived" },
		{ 'c', "a click says that it arrived" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mail_outcome lost = { .outcome = OUTCOME_UNKNOWN, .reply = "connection lost", .relay_id = "", .at = START };
		char *email = xasprintf("p%zu@work.example", i), *key = xasprintf("key%zu", i);
		struct claim_call claim = { 0 };
		struct dot_call dot = { 0 };

		sign_up("ebook", email, NULL, key);
		run(run_claim, &claim);
		dot.delivery = lost.delivery = claim.batch->mails[0].delivery;
		run(run_dot, &dot);
		run(run_outcome, &lost);
		mail_batch_free(&claim.batch);
		assert_int_equal(look(email).deliveries[0].state, DELIVERY_UNKNOWN);
		hit(lost.delivery, rows[i].hit, 0, "Mozilla/5.0 (X11) Firefox/120");
		assert_int_equal(look(email).deliveries[0].state, DELIVERY_SENT);
		assert_true(journal_says(look(email).row.id, rows[i].says));
		free(email);
		free(key);
	}
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

static int run_forget_all(struct db *db, void *arg, struct err *err)
{
	uint16_t bucket;

	for (bucket = 0; bucket < BUCKETS; bucket++)
		if (on_forget(db, bucket, *(int64_t *)arg, err))
			return -1;
	return 0;
}

static void test_what_is_old_is_forgotten(void **state)
{
	int64_t before = START + US_DAY;
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	clock_set(START + 2 * US_DAY);
	track("eva@work.example", NULL, "webinar", "", "m1");
	c = look("eva@work.example");
	assert_true(c.event_count >= 2);
	run(run_forget_all, &before);
	c = look("eva@work.example");
	assert_true(c.event_count >= 1 && c.events[0].at >= before);
	assert_true(c.row.interest > 49);	/* the score is what it was */
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

/* --- enrolments: each at rest has one row in the queue --------------------------------------------------------------- */

struct rows_call {
	int64_t prospect;
	size_t steps, mails;
};

/* Takes all rows and fails, so that they are put back. */
static int run_rows(struct db *db, void *arg, struct err *err)
{
	struct rows_call *c = arg;
	struct arena *arena = arena_new(0);
	struct queue_row *rows;
	enum lane lane;
	size_t count, i;
	int rc = 0;

	c->steps = c->mails = 0;
	for (lane = 0; lane < LANES && !rc; lane++) {
		rc = queue_take(db, lane, TIME_NEVER - 1, 1000, arena, &rows, &count, err);
		for (i = 0; !rc && i < count; i++) {
			c->steps += rows[i].prospect == c->prospect && rows[i].kind == QUEUE_STEP;
			c->mails += rows[i].prospect == c->prospect && rows[i].kind == QUEUE_MAIL;
		}
	}
	arena_free(&arena);
	return rc ? -1 : err_set(err, "looked");
}

static struct rows_call rows_of(const char *email)
{
	struct rows_call rows = { .prospect = look(email).row.id };
	struct call c = { .fn = run_rows, .arg = &rows, .job = { .run = call_run, .done = call_done } };

	assert_int_equal(store_submit(w.store, &c.job, STORE_NORMAL), 0);
	assert_int_equal(loop_run(w.loop), 0);
	assert_int_equal(c.result, STORE_REFUSED);
	assert_string_equal(c.err.text, "looked");
	return rows;
}

static const struct enrolment *enrolment_in(const struct look_call *c, const char *sequence)
{
	size_t i;

	for (i = c->enrolment_count; i > 0; i--)
		if (strcmp(c->enrolments[i - 1].sequence, sequence) == 0)
			return &c->enrolments[i - 1];
	fail_msg("not in %s", sequence);
	return NULL;
}

static void defer(int64_t retry_at, int64_t *delivery_out)
{
	struct claim_call claim = { 0 };
	struct mail_outcome later = { .outcome = OUTCOME_DEFERRED, .counted = true, .code = 451, .reply = "451 later", .relay_id = "", .at = clock_now() };

	run(run_claim, &claim);
	assert_int_equal(claim.batch->count, 1);
	later.delivery = *delivery_out = claim.batch->mails[0].delivery;
	later.retry_at = retry_at;
	run(run_outcome, &later);
	mail_batch_free(&claim.batch);
}

static void test_ids_keep_to_the_clock(void **state)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);		/* rests for two days */
	track("eva@work.example", NULL, "page_view", "/x", "m1");
	c = look("eva@work.example");
	assert_true(id_time(c.events[c.event_count - 1].id) < START + US_MINUTE);
}

static void test_priority_goes_first_and_the_other_goes_on(void **state)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	track("eva@work.example", NULL, "trial", "", "m1");
	c = look("eva@work.example");
	assert_int_equal(enrolment_in(&c, "ebook")->state, ENROLMENT_PAUSED);
	assert_string_equal(enrolment_in(&c, "ebook")->why, "gave way to urgent");
	assert_int_equal(rows_of("eva@work.example").steps, 1);
	assert_string_equal(send_due(NULL), "short-version");
	clock_set(START + US_DAY);
	pass_time();
	c = look("eva@work.example");
	assert_string_equal(enrolment_in(&c, "urgent")->why, "done");
	assert_int_equal(enrolment_in(&c, "ebook")->state, ENROLMENT_ACTIVE);
	assert_int_equal(rows_of("eva@work.example").steps, 1);
	clock_set(START + 2 * US_DAY);	/* the list has room */
	assert_string_equal(send_due(NULL), "ebook-delivery");
	assert_int_equal(rows_of("eva@work.example").steps, 1);
}

static void test_lower_priority_does_not_enter(void **state)
{
	sign_up("ebook", "eva@work.example", NULL, NULL);
	track("eva@work.example", NULL, "trial", "", "m1");
	track("eva@work.example", NULL, "gift", "", "m2");
	assert_int_equal(look("eva@work.example").enrolment_count, 2);
}

static void test_a_step_is_not_mailed_twice_for_a_pause(void **state)
{
	int64_t first, second = 0;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	defer(START + 36 * US_HOUR, &first);
	track("eva@work.example", NULL, "trial", "", "m1");
	assert_string_equal(send_due(NULL), "short-version");
	clock_set(START + US_DAY);
	pass_time();	/* urgent is done; the deferred mail is still to be tried again */
	assert_int_equal(rows_of("eva@work.example").steps, 0);
	assert_int_equal(rows_of("eva@work.example").mails, 1);
	clock_set(START + 2 * US_DAY);
	assert_string_equal(send_due(&second), "ebook-delivery");
	assert_true(first == second);
	assert_string_equal(send_due(NULL), "");
	assert_int_equal(rows_of("eva@work.example").steps, 1);
	assert_int_equal(rows_of("eva@work.example").mails, 0);
}

static void test_a_click_and_the_end_of_the_wait_at_once(void **state)
{
	int64_t delivery = 0;
	struct rows_call rows;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	clock_set(START + 2 * US_DAY);
	send_due(&delivery);
	clock_set(START + 5 * US_DAY - 100 * US_SECOND);
	hit(delivery, 'c', 0, "Mozilla/5.0 (X11) Firefox/120");
	clock_set(START + 5 * US_DAY);
	pass_time();
	rows = rows_of("eva@work.example");
	assert_int_equal(rows.steps, 1);
	assert_string_equal(look("eva@work.example").enrolments[0].step, "nudge");
}

static void test_a_wait_for_outlasts_a_pause(void **state)
{
	int64_t delivery = 0;
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	clock_set(START + 2 * US_DAY);
	send_due(&delivery);
	clock_set(START + 3 * US_DAY);
	track("eva@work.example", NULL, "gift", "", "m1");	/* takes no time, but its turn */
	pass_time();
	c = look("eva@work.example");
	assert_string_equal(enrolment_in(&c, "gift")->why, "given");
	assert_string_equal(enrolment_in(&c, "ebook")->step, "wait_for-1");
	assert_true(enrolment_in(&c, "ebook")->due == START + 6 * US_DAY);
	hit(delivery, 'c', 0, "Mozilla/5.0 (X11) Firefox/120");
	clock_set(START + 3 * US_DAY + 2 * US_MINUTE);
	pass_time();
	c = look("eva@work.example");
	assert_string_equal(enrolment_in(&c, "ebook")->step, "nudge");
	assert_int_equal(rows_of("eva@work.example").steps, 1);
}

static void test_stopping_leaves_no_row(void **state)
{
	int64_t delivery = 0;
	struct unsubscribe_call gone;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(&delivery);
	track("eva@work.example", NULL, "trial", "", "m1");	/* ebook gives way */
	gone = (struct unsubscribe_call){ .delivery = delivery };
	run(run_unsubscribe, &gone);
	assert_int_equal(rows_of("eva@work.example").steps, 0);
	sign_up("ebook", "ute@work.example", NULL, NULL);
	send_due(&delivery);
	track("ute@work.example", NULL, "trial", "", "m2");
	mail_in(MAIL_HUMAN, delivery, "Nice.", "other", 7);
	assert_int_equal(rows_of("ute@work.example").steps, 0);
	assert_int_equal(look("ute@work.example").enrolments[0].state, ENROLMENT_ENDED);
	assert_string_equal(look("ute@work.example").enrolments[1].why, "replied");
}

static void test_failed_template_comes_again(void **state)
{
	struct claim_call claim = { 0 };
	struct mail_outcome broken = { .outcome = OUTCOME_SKIPPED, .reply = "empty field: company", .relay_id = "", .at = START };
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	run(run_claim, &claim);
	broken.delivery = claim.batch->mails[0].delivery;
	run(run_outcome, &broken);
	mail_batch_free(&claim.batch);
	c = look("eva@work.example");
	assert_string_equal(c.enrolments[0].why, "empty field: company");
	assert_true(c.enrolments[0].due == START + US_DAY);
	assert_string_equal(send_due(NULL), "");
	clock_set(START + US_DAY);
	assert_string_equal(send_due(NULL), "ebook-delivery");
}

static int run_suppress_only(struct db *db, void *arg, struct err *err)
{
	uint8_t hash[32];

	suppressions_hash(db, arg, hash);
	return suppressions_add(db, &(struct suppression){ .bucket = address_bucket(arg), .hash = hash, .reason = "manual", .at = START,
			.source = "another daemon" }, err);
}

static void test_suppressed_by_another_daemon(void **state)
{
	struct claim_call claim = { 0 };
	struct dot_call dot;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	run(run_claim, &claim);
	run(run_suppress_only, "eva@work.example");
	dot = (struct dot_call){ .delivery = claim.batch->mails[0].delivery };
	run(run_dot, &dot);
	mail_batch_free(&claim.batch);
	assert_false(dot.may);
	assert_int_equal(look("eva@work.example").enrolments[0].state, ENROLMENT_ENDED);
}

static void test_again_never_and_always(void **state)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	track("eva@work.example", NULL, "gift", "", "m1");
	c = look("eva@work.example");
	assert_string_equal(enrolment_in(&c, "gift")->why, "given");
	assert_true(c.row.fit == 20);	/* the step set a field, a rule named it */
	assert_non_null(strstr(c.row.fields, "Chief of staff"));
	clock_set(START + US_DAY);
	track("eva@work.example", NULL, "gift", "", "m2");
	assert_int_equal(look("eva@work.example").enrolment_count, 2);
	track("eva@work.example", NULL, "trial", "", "m3");
	track("eva@work.example", NULL, "trial", "", "m4");	/* is in it */
	assert_int_equal(look("eva@work.example").enrolment_count, 3);
	clock_set(START + 3 * US_DAY);
	assert_string_equal(send_due(NULL), "short-version");
	clock_set(START + 4 * US_DAY);
	pass_time();
	track("eva@work.example", NULL, "trial", "", "m5");
	assert_int_equal(look("eva@work.example").enrolment_count, 4);
	assert_int_equal(rows_of("eva@work.example").steps, 1);
}

static void test_goal_comes_before_exit(void **state)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	track("eva@work.example", NULL, "purchase", "", "m1");
	c = look("eva@work.example");
	assert_string_equal(c.row.list, "customers");
	assert_string_equal(enrolment_in(&c, "ebook")->why, "goal");
}

static void test_the_first_list_that_holds(void **state)
{
	static const struct {
		const char *event, *list;
	} rows[] = { { "nothing", "just-looking" }, { "webinar", "comparing" }, { "webinar", "ready-to-buy" }, { "purchase", "customers" } };
	char id[8];
	size_t i;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(id, sizeof(id), "m%zu", i);
		track("eva@work.example", NULL, rows[i].event, "", id);
		assert_string_equal(look("eva@work.example").row.list, rows[i].list);
	}
}

/* --- hot ------------------------------------------------------------------------------------------------------------ */

/* In `urgent`, whose mail has not gone out, when they become hot. */
static struct look_call hot_in_urgent(void)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", "Head of IT", NULL);
	track("eva@work.example", NULL, "trial", "", "m0");
	track("eva@work.example", NULL, "webinar", "", "m1");
	track("eva@work.example", NULL, "webinar", "", "m2");
	c = look("eva@work.example");
	assert_int_equal(c.has_lead, 1);
	assert_int_equal(enrolment_in(&c, "urgent")->state, ENROLMENT_PAUSED);
	assert_string_equal(enrolment_in(&c, "urgent")->why, "hot");
	assert_int_equal(rows_of("eva@work.example").steps, 0);
	assert_string_equal(send_due(NULL), "");
	return c;
}

static struct sales_result sales_say(int64_t lead, enum lead_answer what, const char *key)
{
	struct sales_call answer = { .fact = { .lead = lead, .answer = what, .reason = "so", .by = "api", .key = key, .at = clock_now() } };

	run(run_sales, &answer);
	return answer.result;
}

static void test_paused_for_sales_goes_on_when_rejected(void **state)
{
	struct look_call c = hot_in_urgent();
	int64_t lead = c.lead.id;

	sales_say(lead, ANSWER_ACCEPT, NULL);
	assert_string_equal(send_due(NULL), "");
	sales_say(lead, ANSWER_REJECT, NULL);
	assert_int_equal(rows_of("eva@work.example").steps, 1);
	assert_string_equal(send_due(NULL), "short-version");
	c = look("eva@work.example");
	assert_string_equal(enrolment_in(&c, "urgent")->step, "end-1");
}

static void test_paused_for_sales_ends_when_won(void **state)
{
	struct look_call c = hot_in_urgent();

	sales_say(c.lead.id, ANSWER_WON, NULL);
	c = look("eva@work.example");
	assert_string_equal(enrolment_in(&c, "urgent")->why, "won");
	assert_int_equal(rows_of("eva@work.example").steps, 0);
}

static void test_answer_by_key_counts_once(void **state)
{
	int64_t lead = hot_in_urgent().lead.id;

	assert_false(sales_say(lead, ANSWER_ACCEPT, "k").repeated);
	assert_string_equal(sales_say(lead, ANSWER_LOST, "l").state, "lost");
	assert_string_equal(sales_say(lead, ANSWER_ACCEPT, "k").state, "accepted");	/* the same answer again, */
	assert_string_equal(look("eva@work.example").lead.state, "lost");		/* and nothing changed */
}

/* --- consent -------------------------------------------------------------------------------------------------------- */

static int64_t confirm_in_doubt(void)
{
	struct claim_call claim = { 0 };
	struct mail_outcome lost = { .outcome = OUTCOME_UNKNOWN, .reply = "connection lost", .relay_id = "", .at = clock_now() };
	struct dot_call dot = { 0 };

	run(run_claim, &claim);
	assert_int_equal(claim.batch->count, 1);
	assert_int_equal(claim.batch->mails[0].kind, DELIVERY_CONFIRM);
	dot.delivery = lost.delivery = claim.batch->mails[0].delivery;
	run(run_dot, &dot);
	assert_true(dot.may);
	run(run_outcome, &lost);
	mail_batch_free(&claim.batch);
	return lost.delivery;
}

static void test_confirmation_in_doubt_comes_again(void **state)
{
	int64_t first, after = US_MINUTE, at = START;
	struct look_call c;
	int sent = 0;

	sign_up("careful", "eva@work.example", NULL, NULL);
	first = confirm_in_doubt();
	for (c = look("eva@work.example"); c.deliveries[0].state == DELIVERY_DEFERRED && sent < 20; c = look("eva@work.example"), sent++) {
		clock_set(at + after - 1);
		assert_string_equal(send_due(NULL), "");
		clock_set(at = at + after);
		assert_true(confirm_in_doubt() == first);
		after = after < 1024 * US_MINUTE ? after * 4 : after;
	}
	assert_int_equal(c.deliveries[0].state, DELIVERY_UNKNOWN);
	assert_true(sent >= 4 && sent < 10);
}

static void test_no_confirmation_after_it_was_given_or_refused(void **state)
{
	struct confirmation_result r;
	struct unsubscribe_call gone;
	int64_t delivery;

	consent_to_confirm = sign_up("careful", "eva@work.example", NULL, NULL).id;
	confirm_in_doubt();
	run(run_confirm, &r);
	sign_up("careful", "ute@work.example", NULL, NULL);
	clock_set(START + US_SECOND);
	send_due(NULL);		/* ebook-delivery to the one, a confirmation to the other */
	sign_up("careful", "ida@work.example", NULL, NULL);
	delivery = confirm_in_doubt();
	gone = (struct unsubscribe_call){ .delivery = delivery };
	run(run_unsubscribe, &gone);
	clock_set(START + 2 * US_HOUR);
	assert_string_equal(send_due(NULL), "");
	assert_int_equal(rows_of("eva@work.example").mails, 0);
	assert_int_equal(rows_of("ida@work.example").mails, 0);
}

static void test_confirmation_is_withheld_at_the_dot(void **state)
{
	struct claim_call claim = { 0 };
	struct unsubscribe_call gone;
	struct dot_call dot;

	sign_up("careful", "eva@work.example", NULL, NULL);
	run(run_claim, &claim);
	dot = (struct dot_call){ .delivery = claim.batch->mails[0].delivery };
	gone = (struct unsubscribe_call){ .delivery = dot.delivery };
	run(run_unsubscribe, &gone);
	run(run_dot, &dot);
	assert_false(dot.may);
	mail_batch_free(&claim.batch);
}

static void test_confirming_anew_lifts_an_unsubscribe_only(void **state)
{
	static const char *const forms[] = { "careful", "ebook" };	/* double and single opt-in */
	struct confirmation_result r;
	struct unsubscribe_call gone;
	int64_t delivery = 0;
	size_t i;

	for (i = 0; i < 2; i++) {
		char email[64];

		snprintf(email, sizeof(email), "eva%zu@work.example", i);
		sign_up("ebook", email, NULL, NULL);
		send_due(&delivery);
		gone = (struct unsubscribe_call){ .delivery = delivery };
		run(run_unsubscribe, &gone);
		assert_int_equal(look(email).suppressed, 1);
		clock_set(clock_now() + US_MINUTE);
		consent_to_confirm = sign_up(forms[i], email, NULL, NULL).id;
		assert_int_equal(look(email).row.consent, CONSENT_PENDING);
		assert_string_equal(send_due(NULL), "confirm");
		assert_int_equal(look(email).suppressed, 1);
		run(run_confirm, &r);
		assert_int_equal(look(email).suppressed, 0);
		assert_int_equal(look(email).row.consent, CONSENT_GIVEN);
	}
	run(run_unsubscribe, &gone);
	mail_in(MAIL_COMPLAINT, delivery, "", "", 9);
	consent_to_confirm = sign_up("careful", "eva1@work.example", NULL, NULL).id;
	run(run_confirm, &r);
	assert_int_equal(look("eva1@work.example").suppressed, 1);
}

struct suppress_call {
	bool remove, changed;
};

static int run_suppress(struct db *db, void *arg, struct err *err)
{
	struct suppress_call *c = arg;
	struct address address;

	return address_parse("eva@work.example", &address, err) || on_suppress(w.d, db, &(struct manual_suppression){ .address = &address,
			.remove = c->remove, .reason = "manual", .by = "test", .at = clock_now() }, &c->changed, err) ? -1 : 0;
}

static void test_suppressing_by_hand_and_back(void **state)
{
	struct suppress_call put = { .remove = false }, back = { .remove = true };

	sign_up("ebook", "eva@work.example", NULL, NULL);
	run(run_suppress, &put);
	assert_true(put.changed && look("eva@work.example").suppressed == 1);
	assert_int_equal(rows_of("eva@work.example").steps, 0);
	run(run_suppress, &back);
	assert_true(back.changed && look("eva@work.example").suppressed == 0);
	run(run_suppress, &back);
	assert_false(back.changed);
}

/* --- reload --------------------------------------------------------------------------------------------------------- */

/* The same config changed by a sed program is in force. */
static void reload(const char *change)
{
	struct plan_errors errors = { 0 };
	struct err err = { "" };
	struct plan *plan;
	char command[1024], path[128];

	snprintf(command, sizeof(command), "cd %s && rm -rf next && mkdir next && cp -rL *.yaml forms sequences secrets next/ &&"
		" find next -name '*.yaml' -exec sed -i -E '%s' {} +", w.folder, change);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/next/nurtured.yaml", w.folder);
	plan = plan_load(path, &errors);
	if (!plan)
		print_error("%s", buf_cstr(&errors.text));
	assert_non_null(plan);
	buf_clear(&errors.text);
	assert_int_equal(decide_reload(w.d, plan, &err), 0);
	plan_unref(&plan);
}

static void test_reload_without_the_step(void **state)
{
	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	reload("s/- mistakes:/- errors:/");
	clock_set(START + 2 * US_DAY);
	assert_string_equal(send_due(NULL), "");
	assert_string_equal(look("eva@work.example").enrolments[0].why, "its step mistakes is gone from the sequence");
}

static void test_reload_while_a_mail_is_deferred(void **state)
{
	static const struct {
		const char *change, *mail, *why;
	} rows[] = {
		{ "s/- deliver:/- hand-over:/", "", "its step deliver is gone from the sequence" },
		{ "s/^sequence: ebook/sequence: book/", "", "the sequence is gone" },
		{ "s/- deliver: .*/- deliver: {wait: 1 hour}/", "ebook-delivery", "wait-2" },	/* what was begun is ended */
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t delivery;
		char email[64];

		reload("");
		snprintf(email, sizeof(email), "eva%zu@work.example", i);
		sign_up("ebook", email, NULL, NULL);
		defer(clock_now() + US_MINUTE, &delivery);
		reload(rows[i].change);
		clock_set(clock_now() + US_MINUTE);
		assert_string_equal(send_due(NULL), rows[i].mail);
		assert_string_equal(look(email).enrolments[0].why, rows[i].why);
		assert_int_equal(rows_of(email).mails, 0);
		assert_int_equal(rows_of(email).steps, i == 2);
	}
}

static void test_reload_with_lists_and_stages_of_other_names(void **state)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	send_due(NULL);
	reload("s/just-looking/looking/g; s/awareness/curiosity/g");
	clock_set(START + 2 * US_DAY);
	assert_string_equal(send_due(NULL), "three-mistakes");
	c = look("eva@work.example");
	assert_string_equal(c.row.list, "looking");
	assert_string_equal(c.row.stage, "curiosity");
	assert_int_equal(rows_of("eva@work.example").steps, 1);
}

static void test_reload_moves_fields_and_their_types(void **state)
{
	struct look_call c;

	sign_up("ebook", "eva@work.example", "Head of IT", NULL);
	/* another order, and text where numbers are to be */
	reload("/^  first_name:/d; s/^  company:.*/  company: {type: text}\\n  first_name: {type: text, default: there}/;"
		" s/^  country:.*/  country: {type: number}/; s/country in .*\\]/country > 5/");
	track("eva@work.example", NULL, "gift", "", "m1");
	c = look("eva@work.example");
	assert_true(c.row.fit == 20);
	assert_non_null(strstr(c.row.fields, "\"first_name\":\"Eva\""));
	assert_non_null(strstr(c.row.fields, "\"role\":\"Chief of staff\""));
}

/* --- scores --------------------------------------------------------------------------------------------------------- */

/* Nothing but the events, in their order. */
static double recomputed(const struct look_call *c, int64_t at)
{
	double value = 0;
	int64_t as_of = 0;
	size_t i;

	for (i = 0; i < c->event_count; i++) {
		if (c->events[i].points == 0)
			continue;
		value = decay_value(value, as_of, w.plan->half_life, c->events[i].at) + c->events[i].points;
		as_of = c->events[i].at;
	}
	return decay_value(value, as_of, w.plan->half_life, at);
}

static int run_look_prospect(struct db *db, void *arg, struct err *err)
{
	return look_prospect(w.plan, db, "eva@work.example", arg, err) == 1 ? 0 : -1;
}

static void test_interest_below_nothing(void **state)
{
	struct buf json = BUF_INIT;

	sign_up("ebook", "eva@work.example", NULL, NULL);
	track("eva@work.example", NULL, "refund", "", "m1");
	assert_true(look("eva@work.example").row.interest == -15);
	clock_set(START + 30 * US_DAY);
	run(run_look_prospect, &json);
	assert_non_null(strstr(buf_cstr(&json), "\"interest\":-7.5,"));
	buf_clear(&json);
}

struct terms_call {
	const struct look_call *look;
	int64_t at;
	double sum;
};

static int run_terms(struct db *db, void *arg, struct err *err)
{
	struct terms_call *c = arg;
	struct term_sum *terms;
	size_t count, i;

	c->sum = 0;
	if (terms_by_rule(db, c->look->row.id, c->at, w.plan->half_life, c->look->arena, &terms, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		c->sum += terms[i].points;
	return 0;
}

static void test_interest_is_a_function_of_the_events(void **state)
{
	static const char *const names[] = { "page_view", "webinar", "refund", "nothing", "page_view", "refund" };
	struct terms_call terms;
	struct look_call c;
	char email[64], id[32];
	int64_t now = START;
	int person, i, negative = 0;

	random_seed(4711);
	for (person = 0; person < 200; person++) {
		int events = 1 + (int)(random_u64() % 12);

		snprintf(email, sizeof(email), "p%d@work.example", person);
		sign_up("ebook", email, NULL, NULL);
		for (i = 0; i < events; i++) {
			now += random_u64() % 3 ? (int64_t)(random_u64() % (uint64_t)(20 * US_DAY)) : 0;
			clock_set(now);
			snprintf(id, sizeof(id), "%d.%d", person, i);
			track(email, NULL, names[random_u64() % 6], "/pricing", id);
		}
		c = look(email);
		assert_float_equal(recomputed(&c, c.row.interest_at), c.row.interest, 1e-9);
		terms = (struct terms_call){ .look = &c, .at = now };
		run(run_terms, &terms);
		assert_float_equal(terms.sum, recomputed(&c, now), 1e-9);
		negative += c.row.interest < 0;
	}
	assert_true(negative > 10);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(test_ids_keep_to_the_clock),	/* first: ids of a process only grow */
		CASE(test_signup_enters_and_mails), CASE(test_same_key_changes_nothing), CASE(test_confirm_comes_first),
		CASE(test_confirming_takes_effect_once), CASE(test_wait_for_click_branches), CASE(test_wait_for_gives_up),
		CASE(test_scanner_clicks_do_not_count), CASE(test_caps_and_quiet_hours_hold), CASE(test_cap_of_the_list), CASE(test_even_in_always),
		CASE(test_stage_falls_at_its_instant), CASE(test_list_change_enters), CASE(test_message_id_counts_once),
		CASE(test_properties_are_read_alike), CASE(test_points_are_capped), CASE(test_reply_stops_makes_hot_and_is_forwarded),
		CASE(test_reply_that_makes_nobody_hot_is_forwarded_too), CASE(test_a_colleague_waits_and_goes_on_after), CASE(test_a_hold_between_claim_and_dot), CASE(test_a_mail_of_a_stranger_goes_to_sales),
		CASE(test_unsigned_mail_changes_nobody),
		CASE(test_bounce_and_complaint_suppress), CASE(test_unsubscribe_between_claim_and_dot),
		CASE(test_deferred_comes_again_as_the_same_mail), CASE(test_unknown_is_not_resent_and_the_sequence_goes_on),
		CASE(test_hits_prove_what_was_in_doubt),
		CASE(test_visitor_becomes_prospect), CASE(test_rejected_lead_goes_on),
		CASE(test_clock_that_steps_back), CASE(test_what_is_old_is_forgotten), CASE(test_priority_goes_first_and_the_other_goes_on),
		CASE(test_lower_priority_does_not_enter), CASE(test_a_step_is_not_mailed_twice_for_a_pause),
		CASE(test_a_click_and_the_end_of_the_wait_at_once), CASE(test_a_wait_for_outlasts_a_pause),
		CASE(test_stopping_leaves_no_row), CASE(test_failed_template_comes_again),
		CASE(test_suppressed_by_another_daemon), CASE(test_again_never_and_always),
		CASE(test_goal_comes_before_exit), CASE(test_the_first_list_that_holds),
		CASE(test_paused_for_sales_goes_on_when_rejected), CASE(test_paused_for_sales_ends_when_won),
		CASE(test_answer_by_key_counts_once), CASE(test_confirmation_in_doubt_comes_again),
		CASE(test_no_confirmation_after_it_was_given_or_refused), CASE(test_confirmation_is_withheld_at_the_dot),
		CASE(test_confirming_anew_lifts_an_unsubscribe_only), CASE(test_suppressing_by_hand_and_back), CASE(test_reload_without_the_step),
		CASE(test_reload_while_a_mail_is_deferred), CASE(test_reload_with_lists_and_stages_of_other_names),
		CASE(test_reload_moves_fields_and_their_types), CASE(test_interest_is_a_function_of_the_events), CASE(test_interest_below_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
