/*
 * From a sign-up in the store to the relay's 250 and the row: real store, real decide, the scripted relay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "decide/facts.h"
#include "send/send.h"
#include "store/store.h"

#include "../peers/smtp_script.h"

struct world {
	char folder[64];
	struct loop *loop;
	struct store *store;
	struct token_ring *ring;
	struct plan *plan;
	struct decide *decide;
	struct send *send;
	struct smtp_peer *peer, *second;
	int port, second_port;
	const char *main_keys, *second_keys, *sender_keys;	/* more of these, each ", key: value"; second NULL: there is none */
	const char *name;		/* how their addresses begin; NULL: p */
	int64_t prospects[400];
	size_t count;
	bool late;
};

/* --- the world -------------------------------------------------------------------------------------------------------- */

static void write_conf(const struct world *w, int connections, const char *retry_first)
{
	static const char *const links[] = { "nurture.yaml", "sales.yaml", "forms", "sequences" };
	char *templates = realpath("tests/decide/templates", NULL), *conf = realpath("tests/decide/conf", NULL);
	char path[256], to[512];
	FILE *f;
	size_t i;

	snprintf(path, sizeof(path), "%s/nurtured.yaml", w->folder);
	f = fopen(path, "w");
	fprintf(f, "state: %s/state\ntemplates: %s\ncontrol: %s/control.sock\n"
		"listen: {port: 0, public_url: \"https://mail.example.com\"}\n"
		"sender: {from: \"Ana <ana@example.com>\", company: Example Ltd, postal_address: \"1 High Street\","
		" bounce_domain: bounce.example.com, reply_domain: reply.example.com%s}\n"
		"mailboxes:\n  - {name: replies, url: \"maildir:%s/replies\"}\nretry_first: %s\n"
		"relays:\n  - {name: main, url: \"smtp://127.0.0.1:%d\", tls: none, connections: %d%s}\n",
		w->folder, templates, w->folder, w->sender_keys ? w->sender_keys : "", w->folder, retry_first, w->port, connections,
		w->main_keys ? w->main_keys : "");
	if (w->second_keys)
		fprintf(f, "  - {name: second, url: \"smtp://127.0.0.1:%d\", tls: none, connections: %d%s}\n", w->second_port, connections,
			w->second_keys);
	fclose(f);
	snprintf(path, sizeof(path), "%s/secrets", w->folder);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/secrets/crm", w->folder);
	f = fopen(path, "w");
	fprintf(f, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw\n");
	fclose(f);
	chmod(path, 0600);
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", w->folder, links[i]);
		snprintf(to, sizeof(to), "%s/%s", conf, links[i]);
		if (symlink(to, path) < 0)
			assert_int_equal(access(path, R_OK), 0);
	}
	free(templates);
	free(conf);
}

static void load_plan(struct world *w)
{
	struct plan_errors errors = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/nurtured.yaml", w->folder);
	plan_unref(&w->plan);
	w->plan = plan_load(path, &errors);
	if (!w->plan)
		fail_msg("%s", buf_cstr(&errors.text));
	buf_clear(&errors.text);
}

static void begin(struct world *w, const struct smtp_script *script, int connections, const char *retry_first)
{
	static const uint8_t key[1][TOKEN_SECRET] = { { 1, 2, 3 } }, ids[1] = { 0 };
	struct store_options options = { .owner = "test" };
	char path[128];
	struct err err = { "" };

	snprintf(w->folder, sizeof(w->folder), "/tmp/test_send.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	w->peer = smtp_peer_start(script, 0);
	w->port = w->peer->port;
	write_conf(w, connections, retry_first);
	load_plan(w);
	w->loop = loop_new();
	snprintf(path, sizeof(path), "%s/state", w->folder);
	options.state = path;
	if (store_start(w->loop, &options, &w->store, &err) < 0)
		fail_msg("%s", err.text);
	w->ring = token_ring_new(key, ids, 1);
	assert_int_equal(decide_start(w->loop, w->store, w->plan, w->ring, &w->decide, &err), 0);
	assert_int_equal(send_start(w->loop, w->decide, &w->send, &err), 0);
}

static struct world *world_new(const struct smtp_script *script, int connections, const char *retry_first)
{
	struct world *w = xcalloc(1, sizeof(*w));

	begin(w, script, connections, retry_first);
	return w;
}

static struct world *world_of_two(const struct smtp_script *script, const char *main_keys, const struct smtp_script *second, const char *second_keys,
		const char *retry_first)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->second = smtp_peer_start(second, 0);
	w->second_port = w->second->port;
	w->main_keys = main_keys;
	w->second_keys = second_keys;
	begin(w, script, 2, retry_first);
	return w;
}

static void world_free(struct world **world)
{
	struct world *w = *world;
	char command[128];

	send_stop(&w->send);
	decide_quiesce(w->decide);
	store_stop(&w->store);
	decide_stop(&w->decide);
	loop_drain(w->loop);
	plan_unref(&w->plan);
	token_ring_free(&w->ring);
	loop_free(&w->loop);
	if (w->peer)
		smtp_peer_stop(&w->peer);
	if (w->second)
		smtp_peer_stop(&w->second);
	snprintf(command, sizeof(command), "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
	free(w);
	*world = NULL;
}

/* --- jobs, one after the other -------------------------------------------------------------------------------------------- */

struct call {
	struct store_job job;
	struct world *w;
	int (*fn)(struct world *w, struct db *db, void *arg, struct err *err);
	void *arg;
	bool done;
	enum store_result result;
};

static int call_run(struct store_job *job, struct db *db, struct err *err)
{
	struct call *c = (struct call *)job;

	return c->fn(c->w, db, c->arg, err);
}

static void call_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct call *c = (struct call *)job;

	if (result != STORE_COMMITTED)
		print_error("%s\n", err->text);
	c->result = result;
	c->done = true;
}

static void call(struct world *w, int (*fn)(struct world *w, struct db *db, void *arg, struct err *err), void *arg)
{
	struct call c = { .fn = fn, .arg = arg, .w = w, .job = { .run = call_run, .done = call_done } };

	assert_int_equal(store_submit(w->store, &c.job, STORE_NORMAL), 0);
	while (!c.done)
		event_base_loop(loop_base(w->loop), EVLOOP_ONCE);
	assert_int_equal(c.result, STORE_COMMITTED);
}

static void address_of(const struct world *w, size_t who, char out[64])
{
	snprintf(out, 64, "%s%zu@customer.example", w->name ? w->name : "p", who);
}

static int sign_up(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct pair fields[] = { { "first_name", "Bob" }, { "role", "director" } };
	struct signup_result result;
	struct address address;
	struct signup fact = { .form = "ebook", .address = &address, .fields = fields, .field_count = 2, .ip = "192.0.2.1", .agent = "test",
		.page = "", .language = "en", .timezone = "", .at = clock_now() };
	char text[64], key[64];
	size_t i, from = w->count, n = *(size_t *)arg;

	for (i = from; i < from + n; i++) {
		address_of(w, i, text);
		snprintf(key, sizeof(key), "form/ebook/%zu", i);
		fact.key = key;
		if (address_parse(text, &address, err) < 0 || on_signup(w->decide, db, &fact, &result, err) < 0)
			return -1;
	}
	return 0;
}

static void sign_ups(struct world *w, size_t n)
{
	call(w, sign_up, &n);
	w->count += n;
}

struct look {
	size_t who;
	struct delivery mail;		/* the latest of that person */
	char reply[512], relay_id[128];
	size_t count;
	bool suppressed, gone;
};

static int look_up(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct look *look = arg;
	struct arena *arena = arena_new(0);
	struct delivery *list;
	struct suppression s;
	struct prospect p;
	char key[64];
	int rc;

	address_of(w, look->who, key);
	rc = prospects_find_address(db, key, arena, &p, err);
	if (rc == 1)
		rc = sending_of(db, p.id, arena, &list, &look->count, err);
	if (rc == 0 && look->count == 0)
		rc = deliveries_of(db, p.id, 10, arena, &list, &look->count, err);
	if (rc == 0 && look->count > 0) {
		look->mail = list[0];
		snprintf(look->reply, sizeof(look->reply), "%s", list[0].reply);
		snprintf(look->relay_id, sizeof(look->relay_id), "%s", list[0].relay_id);
	}
	if (rc == 0)
		rc = suppressions_find(db, key, arena, &s, err);
	look->suppressed = rc == 1;
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

static struct look look_at(struct world *w, size_t who)
{
	struct look look = { .who = who };

	call(w, look_up, &look);
	return look;
}

static int unsubscribe(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct unsubscribe fact = { .delivery = *(int64_t *)arg, .how = "one-click", .ip = "192.0.2.1", .agent = "test", .at = clock_now() };
	struct unsubscribe_result result;

	return on_unsubscribe(w->decide, db, &fact, &result, err);
}

/* In one transaction: between two of them its dot may be committed, and then it goes out. */
static int unsubscribe_if_claimed(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct look *look = arg;

	if (look_up(w, db, look, err) < 0)
		return -1;
	look->gone = look->count > 0 && look->mail.state == DELIVERY_SENDING;
	return look->gone ? unsubscribe(w, db, &look->mail.id, err) : 0;
}

/* --- waiting --------------------------------------------------------------------------------------------------------------- */

static void give_up(void *arg)
{
	struct world *w = arg;

	w->late = true;
}

static void run_until(struct world *w, bool (*done)(struct world *w, size_t n), size_t n)
{
	struct timer *timer = timer_new(w->loop, give_up, w);

	timer_set(timer, US_MINUTE);
	while (!done(w, n) && !w->late)
		event_base_loop(loop_base(w->loop), EVLOOP_ONCE);
	timer_free(&timer);
	assert_false(w->late);
}

static struct send_counts counts_of(struct world *w)
{
	struct send_counts counts;

	send_counts(w->send, &counts);
	return counts;
}

static bool sent(struct world *w, size_t n)
{
	return counts_of(w).sent >= n && send_busy(w->send) == 0;
}

static bool idle_with_outcomes(struct world *w, size_t n)
{
	struct send_counts c = counts_of(w);

	return c.sent + c.failed + c.unknown + c.withdrawn + c.skipped >= n && send_busy(w->send) == 0;
}

/* Of the n-th. */
static struct send_relay relay_at(struct world *w, size_t n)
{
	struct send_relay relays[4];

	assert_true(send_relays(w->send, relays, 4) > n);
	return relays[n];
}

static bool breaker_open(struct world *w, size_t n)
{
	return strcmp(relay_at(w, n).breaker, "open") == 0 && send_busy(w->send) == 0;
}

static bool peer_has_dots(struct world *w, size_t n)
{
	return smtp_count(w->peer, &w->peer->dots) >= n;
}

static size_t arrived_at(struct world *w, struct smtp_peer *peer, size_t who)
{
	char address[64];
	size_t i, n = 0;

	address_of(w, who, address);
	pthread_mutex_lock(&peer->lock);
	for (i = 0; i < peer->count; i++)
		n += strcmp(peer->taken[i].to, address) == 0;
	pthread_mutex_unlock(&peer->lock);
	return n;
}

/* How often the servers took a mail to that person. */
static size_t arrived(struct world *w, size_t who)
{
	return arrived_at(w, w->peer, who) + (w->second ? arrived_at(w, w->second, who) : 0);
}

/* --- cases ----------------------------------------------------------------------------------------------------------------- */

static void everybody_gets_theirs_once(void **state)
{
	struct smtp_script script = { .size = 10000000 };
	struct world *w = world_new(&script, 5, "1 minute");
	struct look look;
	size_t i;

	sign_ups(w, 300);
	run_until(w, sent, 300);
	assert_int_equal(w->peer->count, 300);
	for (i = 0; i < 300; i++)
		assert_int_equal(arrived(w, i), 1);
	look = look_at(w, 7);
	assert_int_equal(look.mail.state, DELIVERY_SENT);
	assert_int_equal(look.mail.code, 250);
	assert_string_equal(look.relay_id, "4TEST");
	assert_non_null(memmem(w->peer->taken[0].data, w->peer->taken[0].len, "\r\nList-Unsubscribe-Post: ", 25));
	assert_int_equal(strncmp(w->peer->taken[0].from, "b+", 2), 0);
	world_free(&w);
}

static const char *message_id(const struct smtp_message *m)
{
	const char *at = memmem(m->data, m->len, "\r\nMessage-ID: ", 14);

	assert_non_null(at);
	return at + 14;
}

static void a_deferred_mail_comes_again(void **state)
{
	struct smtp_script script = { .say[AT_RCPT] = "450 4.2.1 busy", .only = 3 };
	struct world *w = world_new(&script, 1, "100 ms");
	size_t i;

	sign_ups(w, 3);
	run_until(w, sent, 3);
	assert_int_equal(counts_of(w).deferred, 3);
	for (i = 0; i < 3; i++) {
		struct look look = look_at(w, i);

		assert_int_equal(arrived(w, i), 1);
		assert_int_equal(look.mail.state, DELIVERY_SENT);
		assert_int_equal(look.mail.attempt, 2);
		assert_int_equal(look.count, 1);
	}
	assert_int_equal(strncmp(message_id(&w->peer->taken[0]), "<n1.", 4), 0);
	world_free(&w);
}

static void an_unknown_user_is_suppressed_and_a_policy_refusal_is_not(void **state)
{
	struct smtp_script gone = { .say[AT_RCPT] = "550 5.1.1 user unknown" }, spam = { .say[AT_DOT] = "554 5.7.1 spam" };
	struct world *w = world_new(&gone, 1, "1 minute");
	struct look look;

	sign_ups(w, 1);
	run_until(w, idle_with_outcomes, 1);
	look = look_at(w, 0);
	assert_int_equal(look.mail.state, DELIVERY_FAILED);
	assert_true(look.suppressed);
	world_free(&w);

	w = world_new(&spam, 1, "1 minute");
	sign_ups(w, 1);
	run_until(w, idle_with_outcomes, 1);
	look = look_at(w, 0);
	assert_int_equal(look.mail.state, DELIVERY_FAILED);
	assert_string_equal(look.reply, "5.7.1 spam");
	assert_false(look.suppressed);
	world_free(&w);
}

static void doubt_is_kept_and_not_resent(void **state)
{
	struct smtp_script script = { .drop = AT_DOT, .only = 1 };
	struct world *w = world_new(&script, 1, "100 ms");
	size_t i, unknown = 0;

	sign_ups(w, 4);
	run_until(w, idle_with_outcomes, 4);
	for (i = 0; i < 4; i++) {
		struct look look = look_at(w, i);

		unknown += look.mail.state == DELIVERY_UNKNOWN;
		assert_int_equal(look.mail.state, arrived(w, i) ? DELIVERY_SENT : DELIVERY_UNKNOWN);
	}
	assert_int_equal(unknown, 1);
	assert_int_equal(w->peer->count, 3);
	world_free(&w);
}

static void who_unsubscribes_meanwhile_gets_nothing(void **state)
{
	struct smtp_script script = { .hang_dot = 200 };
	struct world *w = world_new(&script, 2, "1 minute");
	struct look look;
	size_t i, gone = 0, kept = 0;

	/* while the first message hangs at its dot, all the others, claimed or not, on their way or not, are withdrawn */
	sign_ups(w, 20);
	run_until(w, peer_has_dots, 2);
	for (i = 0; i < 20; i++) {
		look = (struct look){ .who = i };
		call(w, unsubscribe_if_claimed, &look);
		gone += look.gone;
	}
	assert_true(gone > 5);
	for (i = 0; i < 20; i++) {
		look = look_at(w, i);
		if (!look.suppressed)
			continue;
		kept++;
		assert_int_equal(arrived(w, i), 0);
	}
	assert_int_equal(kept, gone);
	run_until(w, idle_with_outcomes, 1);
	for (i = 0; i < 20; i++) {
		look = look_at(w, i);
		assert_int_equal(arrived(w, i), !look.suppressed);
	}
	world_free(&w);
}

static void a_relay_that_is_away_costs_no_mail(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct world *w = world_new(&script, 2, "300 ms");
	size_t i;

	smtp_peer_stop(&w->peer);
	sign_ups(w, 30);
	run_until(w, breaker_open, 0);
	assert_int_equal(counts_of(w).sent, 0);
	w->peer = smtp_peer_start(&script, w->port);
	run_until(w, sent, 30);
	for (i = 0; i < 30; i++) {
		assert_int_equal(arrived(w, i), 1);
		assert_true(look_at(w, i).mail.attempt <= 1);
	}
	assert_string_equal(relay_at(w, 0).breaker, "closed");
	world_free(&w);
}

static void stopping_finishes_some_and_gives_back_the_rest(void **state)
{
	struct smtp_script script = { .hang_dot = 20 };
	struct world *w = world_new(&script, 2, "1 minute");
	struct err err;
	size_t i, before;

	sign_ups(w, 40);
	run_until(w, peer_has_dots, 3);
	send_stop(&w->send);
	before = w->peer->count;
	assert_in_range(before, 3, 20);
	assert_int_equal(w->peer->dots, before);
	assert_int_equal(send_start(w->loop, w->decide, &w->send, &err), 0);
	run_until(w, sent, 40 - before);
	for (i = 0; i < 40; i++)
		assert_int_equal(arrived(w, i), 1);
	world_free(&w);
}

static void a_reload_changes_the_relay_under_way(void **state)
{
	struct smtp_script script = { .hang_dot = 10 };
	struct world *w = world_new(&script, 1, "1 minute");
	struct smtp_peer *old = w->peer;
	struct err err;
	size_t i, on_old;

	sign_ups(w, 30);
	run_until(w, peer_has_dots, 2);
	w->peer = smtp_peer_start(&script, 0);
	w->port = w->peer->port;
	write_conf(w, 3, "1 minute");
	load_plan(w);
	assert_int_equal(decide_reload(w->decide, w->plan, &err), 0);
	assert_int_equal(send_reload(w->send, &err), 0);
	run_until(w, sent, 30);
	on_old = old->count;
	assert_in_range(on_old, 2, 10);
	assert_int_equal(on_old + w->peer->count, 30);
	for (i = 0; i < 30; i++)
		assert_int_equal(look_at(w, i).mail.state, DELIVERY_SENT);
	smtp_peer_stop(&old);
	world_free(&w);
}

/* --- two relays ------------------------------------------------------------------------------------------------------------ */

static void each_has_its_share(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct world *w = world_of_two(&script, "", &script, ", weight: 3", "1 minute");
	size_t i;

	for (i = 0; i < 40; i++) {
		sign_ups(w, 1);
		run_until(w, sent, i + 1);
		assert_int_equal(arrived(w, i), 1);
	}
	assert_int_equal(w->peer->count, 10);
	/* when one has all that it can take, the other takes more than its share */
	sign_ups(w, 300);
	run_until(w, sent, 340);
	for (i = 40; i < 340; i++)
		assert_int_equal(arrived(w, i), 1);
	assert_int_equal(relay_at(w, 0).sent, w->peer->count);
	assert_int_equal(relay_at(w, 1).sent, w->second->count);
	world_free(&w);
}

static void a_backup_has_nothing_while_the_other_works(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct world *w = world_of_two(&script, "", &script, ", backup: yes", "100 ms");
	size_t i;

	sign_ups(w, 100);
	run_until(w, sent, 100);
	assert_int_equal(w->second->connections, 0);
	/* the first goes away: what it cannot take goes over the backup */
	smtp_peer_stop(&w->peer);
	w->peer = smtp_peer_start(&(struct smtp_script){ .say[AT_GREET] = "421 4.3.2 down" }, w->port);
	sign_ups(w, 50);
	run_until(w, sent, 150);
	assert_int_equal(w->second->count, 50);
	for (i = 100; i < 150; i++)
		assert_int_equal(arrived(w, i), 1);
	/* and is back */
	smtp_peer_stop(&w->peer);
	w->peer = smtp_peer_start(&script, w->port);
	while (w->peer->count == 0) {
		sign_ups(w, 1);
		run_until(w, sent, w->count);
	}
	assert_int_equal(w->peer->count + w->second->count, w->count - 100);
	world_free(&w);
}

/* What one fails goes over the other at once; with half an hour until the next try nothing would come before the test is given up. */
static void what_one_fails_goes_over_the_other(void **state)
{
	static const struct smtp_script fails[] = {
		{ .say[AT_GREET] = "421 4.3.2 down" }, { .say[AT_GREET] = "554 not for you" }, { .say[AT_MAIL] = "421 4.3.2 down" },
		{ .say[AT_RCPT] = "421 4.3.2 down" }, { .say[AT_DATA] = "421 4.3.2 down" }, { .say[AT_DOT] = "421 4.3.2 down" },
		{ .say[AT_MAIL] = "452 4.3.1 no room" }, { .say[AT_DOT] = "454 Throttling failure: Maximum sending rate exceeded." },
		{ .say[AT_MAIL] = "530 5.7.0 log in first" }, { .drop = AT_GREET }, { .drop = AT_EHLO }, { .drop = AT_MAIL }, { .drop = AT_RCPT },
		{ .drop = AT_DATA }, { .garbage = AT_GREET }, { .garbage = AT_MAIL }, { .garbage = AT_DATA }, { .partial = AT_GREET }, { .partial = AT_EHLO },
		{ .partial = AT_MAIL }, { .partial = AT_RCPT }, { .partial = AT_DATA },
	};
	static const struct smtp_script good = { .size = 0 };
	size_t i, k;

	for (k = 0; k < sizeof(fails) / sizeof(fails[0]); k++) {
		struct world *w = world_of_two(&fails[k], "", &good, "", "30 minutes");

		sign_ups(w, 30);
		run_until(w, sent, 30);
		for (i = 0; i < 30; i++)
			assert_int_equal(arrived(w, i), 1);
		assert_int_equal(w->second->count, 30);
		assert_int_equal(counts_of(w).unknown, 0);
		world_free(&w);
	}
}

static void nothing_goes_over_another_after_its_dot(void **state)
{
	static const struct smtp_script fails[] = { { .drop = AT_DOT }, { .garbage = AT_DOT }, { .partial = AT_DOT } };
	static const struct smtp_script good = { .size = 0 };
	size_t i, k, unknown;

	for (k = 0; k < sizeof(fails) / sizeof(fails[0]); k++) {
		struct world *w = world_of_two(&fails[k], "", &good, "", "30 minutes");

		sign_ups(w, 30);
		run_until(w, idle_with_outcomes, 30);
		for (unknown = i = 0; i < 30; i++) {
			struct look look = look_at(w, i);

			unknown += look.mail.state == DELIVERY_UNKNOWN;
			assert_int_equal(look.mail.state, arrived(w, i) ? DELIVERY_SENT : DELIVERY_UNKNOWN);
		}
		assert_in_range(unknown, 1, w->peer->dots);
		assert_int_equal(w->second->count, 30 - unknown);
		world_free(&w);
	}
}

static void a_sender_has_a_relay_of_its_own(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct world *w = xcalloc(1, sizeof(*w));

	w->sender_keys = ", relay: second";
	w->second = smtp_peer_start(&script, 0);
	w->second_port = w->second->port;
	w->second_keys = ", backup: yes";
	begin(w, &script, 2, "300 ms");
	sign_ups(w, 20);
	run_until(w, sent, 20);
	assert_int_equal(w->peer->connections, 0);
	assert_int_equal(w->second->count, 20);
	/* and waits for it */
	smtp_peer_stop(&w->second);
	sign_ups(w, 20);
	run_until(w, breaker_open, 1);
	assert_int_equal(counts_of(w).sent, 20);
	w->second = smtp_peer_start(&script, w->second_port);
	run_until(w, sent, 40);
	assert_int_equal(w->peer->connections, 0);
	world_free(&w);
}

struct doubting {
	struct doubt fact;
	char why_not[200];
};

static int decide_doubt(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct doubting *d = arg;

	return on_doubt(w->decide, db, &d->fact, d->why_not, err);
}

struct enrolled {
	size_t who;
	char step[64];
	int64_t due;
};

static int look_enrolled(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct enrolled *out = arg;
	struct look look = { .who = out->who };
	struct arena *arena = arena_new(0);
	struct enrolment e;
	int rc = look_up(w, db, &look, err);

	if (rc == 0)
		rc = enrolments_find(db, look.mail.prospect, look.mail.enrolment, arena, &e, err);
	if (rc == 1) {
		snprintf(out->step, sizeof(out->step), "%s", e.step);
		out->due = e.due;
	}
	arena_free(&arena);
	return rc == 1 ? 0 : -1;
}

/* Nobody knows; a person decides. */
static void what_is_in_doubt_goes_again_when_told(void **state)
{
	struct smtp_script script = { .drop = AT_DOT, .only = 2 };
	struct world *w = world_new(&script, 1, "1 minute");
	struct doubting again = { .fact = { .again = true, .by = "nurturectl" } }, sent_it = { .fact = { .by = "nurturectl" } };
	struct enrolled before = { .who = 0 }, after = { .who = 0 };
	struct look look;

	sign_ups(w, 1);
	run_until(w, idle_with_outcomes, 1);
	sign_ups(w, 1);
	run_until(w, idle_with_outcomes, 2);
	assert_int_equal(look_at(w, 0).mail.state, DELIVERY_UNKNOWN);
	assert_int_equal(look_at(w, 1).mail.state, DELIVERY_UNKNOWN);
	call(w, look_enrolled, &before);

	again.fact.delivery = look_at(w, 0).mail.id;
	again.fact.at = clock_now();
	call(w, decide_doubt, &again);
	assert_string_equal(again.why_not, "");
	run_until(w, sent, 1);
	look = look_at(w, 0);
	assert_int_equal(arrived(w, 0), 1);
	assert_int_equal(look.mail.id, again.fact.delivery);
	assert_int_equal(look.mail.state, DELIVERY_SENT);
	assert_int_equal(look.mail.kind, DELIVERY_STEP);
	/* its sequence had gone on, and does not begin from there again */
	call(w, look_enrolled, &after);
	assert_string_equal(after.step, before.step);
	assert_int_equal(after.due, before.due);
	call(w, decide_doubt, &again);
	assert_non_null(strstr(again.why_not, "it is sent"));

	sent_it.fact.delivery = look_at(w, 1).mail.id;
	sent_it.fact.at = clock_now();
	call(w, decide_doubt, &sent_it);
	assert_string_equal(sent_it.why_not, "");
	assert_int_equal(look_at(w, 1).mail.state, DELIVERY_SENT);
	assert_int_equal(arrived(w, 1), 0);
	world_free(&w);
}

static void who_said_no_since_gets_nothing_again(void **state)
{
	struct smtp_script script = { .drop = AT_DOT, .only = 1 };
	struct world *w = world_new(&script, 1, "1 minute");
	struct doubting again = { .fact = { .again = true, .by = "nurturectl" } };

	sign_ups(w, 1);
	run_until(w, idle_with_outcomes, 1);
	again.fact.delivery = look_at(w, 0).mail.id;
	again.fact.at = clock_now();
	call(w, unsubscribe, &again.fact.delivery);
	call(w, decide_doubt, &again);
	while (look_at(w, 0).mail.state == DELIVERY_DEFERRED)
		event_base_loop(loop_base(w->loop), EVLOOP_ONCE);
	assert_int_equal(look_at(w, 0).mail.state, DELIVERY_SUPPRESSED);
	assert_int_equal(look_at(w, 0).mail.kind, DELIVERY_STEP);
	assert_int_equal(arrived(w, 0), 0);
	world_free(&w);
}

#define LETTERS "\xc3\xa9milie"

/* RFC 6531: the one that does not offer it is not asked, and nothing waits for that; with half an hour until the next try. */
static void letters_go_over_the_relay_that_takes_them(void **state)
{
	static const struct smtp_script plain = { .size = 0 }, utf8 = { .utf8 = true };
	struct world *w = world_of_two(&plain, "", &utf8, ", backup: yes", "30 minutes");
	size_t i;

	w->name = LETTERS;
	sign_ups(w, 30);
	run_until(w, sent, 30);
	for (i = 0; i < 30; i++)
		assert_int_equal(arrived(w, i), 1);
	assert_int_equal(w->second->count, 30);
	assert_true(w->second->taken[0].utf8);
	assert_non_null(memmem(w->second->taken[0].data, w->second->taken[0].len, "<" LETTERS, 8));
	assert_int_equal(look_at(w, 0).mail.state, DELIVERY_SENT);
	w->name = NULL;
	sign_ups(w, 1);
	run_until(w, sent, 31);
	assert_int_equal(w->peer->count, 1);
	world_free(&w);
}

static void letters_that_no_relay_takes_fail_and_stop_nobody(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct world *w = world_new(&script, 1, "30 minutes");
	struct look look;
	size_t i;

	w->name = LETTERS;
	sign_ups(w, 30);
	run_until(w, idle_with_outcomes, 30);
	assert_int_equal(counts_of(w).failed, 30);
	for (i = 0; i < 30; i++) {
		look = look_at(w, i);
		assert_int_equal(look.mail.state, DELIVERY_FAILED);
		assert_non_null(strstr(look.reply, "does not offer SMTPUTF8"));
		assert_false(look.suppressed);
	}
	assert_int_equal(w->peer->count, 0);
	/* the sequence is not paused for them */
	w->name = NULL;
	sign_ups(w, 1);
	run_until(w, sent, 1);
	assert_int_equal(w->peer->count, 1);
	assert_false(w->peer->taken[0].utf8);
	world_free(&w);
}

static void a_relay_has_no_more_than_its_rate(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct world *w = xcalloc(1, sizeof(*w));
	int64_t from;

	w->main_keys = ", rate: 40 per second";
	begin(w, &script, 5, "1 minute");
	from = clock_steady();
	sign_ups(w, 40);
	run_until(w, sent, 40);
	assert_true(clock_steady() - from > 700 * 1000);	/* eight may go at once */
	assert_int_equal(w->peer->count, 40);
	world_free(&w);
}

static void a_reload_takes_a_relay_away(void **state)
{
	struct smtp_script slow = { .hang_dot = 50 }, script = { .size = 0 };
	struct world *w = world_of_two(&slow, "", &script, "", "1 minute");
	struct err err;
	size_t i;

	sign_ups(w, 60);
	run_until(w, peer_has_dots, 2);
	w->port = w->second_port;
	w->second_keys = NULL;
	write_conf(w, 2, "1 minute");
	load_plan(w);
	assert_int_equal(decide_reload(w->decide, w->plan, &err), 0);
	assert_int_equal(send_reload(w->send, &err), 0);
	run_until(w, sent, 60);
	assert_in_range(w->peer->count, 2, 12);
	for (i = 0; i < 60; i++)
		assert_int_equal(arrived(w, i), 1);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_theirs_once),
		cmocka_unit_test(a_deferred_mail_comes_again),
		cmocka_unit_test(an_unknown_user_is_suppressed_and_a_policy_refusal_is_not),
		cmocka_unit_test(doubt_is_kept_and_not_resent),
		cmocka_unit_test(who_unsubscribes_meanwhile_gets_nothing),
		cmocka_unit_test(a_relay_that_is_away_costs_no_mail),
		cmocka_unit_test(stopping_finishes_some_and_gives_back_the_rest),
		cmocka_unit_test(a_reload_changes_the_relay_under_way),
		cmocka_unit_test(each_has_its_share),
		cmocka_unit_test(a_backup_has_nothing_while_the_other_works),
		cmocka_unit_test(what_one_fails_goes_over_the_other),
		cmocka_unit_test(nothing_goes_over_another_after_its_dot),
		cmocka_unit_test(a_sender_has_a_relay_of_its_own),
		cmocka_unit_test(what_is_in_doubt_goes_again_when_told),
		cmocka_unit_test(who_said_no_since_gets_nothing_again),
		cmocka_unit_test(letters_go_over_the_relay_that_takes_them),
		cmocka_unit_test(letters_that_no_relay_takes_fail_and_stop_nobody),
		cmocka_unit_test(a_relay_has_no_more_than_its_rate),
		cmocka_unit_test(a_reload_takes_a_relay_away),
	};
	int rc;

	log_setup(LOG_ERROR, false);
	curl_global_init(CURL_GLOBAL_ALL);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return rc;
}
