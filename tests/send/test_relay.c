/*
 * A relay's connections against a server that plays each failure: what must come of every message, and what the server saw.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

#include "../../daemon/send/connection.h"
#include "../peers/smtp_script.h"

#define MAILS 64

enum grants { GRANT_SOON, GRANT_NEVER, FORBID_AT_ONCE, FORBID_SECOND };

struct mailing {
	struct envelope envelope;
	bool ended, granted;
	struct dialogue_end end;
	struct judgement judgement;
};

struct rig {
	struct loop *loop;
	struct relay *relay;
	struct relay_config config;
	struct smtp_peer *peer;
	char url[64];
	struct mailing mails[MAILS];
	size_t count, next, ended, dots, changes;
	size_t granted_unended, granted_most;
	enum grants grants;
	bool late;		/* the test took too long: it hangs */
};

/* --- the owner ------------------------------------------------------------------------------------------------------ */

static struct envelope *take(void *ctx, struct relay *relay)
{
	struct rig *r = ctx;

	return r->next < r->count ? &r->mails[r->next++].envelope : NULL;
}

static void grant_later(void *arg)
{
	struct mailing *m = arg;
	struct rig *r = m->envelope.owner;

	if (m->ended)
		return;
	if (r->grants == FORBID_AT_ONCE || (r->grants == FORBID_SECOND && m == &r->mails[1])) {
		relay_forbid(&m->envelope);
		return;
	}
	m->granted = true;
	if (++r->granted_unended > r->granted_most)
		r->granted_most = r->granted_unended;
	relay_granted(&m->envelope);
}

static void dot(void *ctx, struct envelope *envelope)
{
	struct rig *r = ctx;

	r->dots++;
	if (r->grants != GRANT_NEVER)
		loop_post(r->loop, grant_later, envelope);
}

static void ended(void *ctx, struct relay *relay, const struct dialogue_end *end, struct judgement judgement)
{
	struct rig *r = ctx;
	struct mailing *m = (struct mailing *)end->envelope;

	assert_false(m->ended);
	m->ended = true;
	m->end = *end;
	m->judgement = judgement;
	r->ended++;
	r->granted_unended -= m->granted;
}

static void changed(void *ctx, struct relay *relay)
{
	struct rig *r = ctx;

	r->changes++;
	relay_wake(relay, r->count - r->next);
}

/* --- the rig ---------------------------------------------------------------------------------------------------------- */

static const struct relay_times short_times = {
	.dialogue = { .mail = 5 * US_SECOND, .rcpt = 5 * US_SECOND, .data = 5 * US_SECOND, .dot = 300 * 1000, .rset = 5 * US_SECOND,
		.quit = 5 * US_SECOND, .block = 5 * US_SECOND },
	.connect = 5 * US_SECOND, .greet = 5 * US_SECOND, .idle = 20 * US_SECOND, .life = 300 * US_SECOND, .scale = US_MINUTE,
};

static struct rig *rig_new(const struct smtp_script *script, const struct relay_config *config, const struct relay_times *times)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	struct relay_owner owner = { .take = take, .dot = dot, .ended = ended, .changed = changed, .ctx = r };

	r->loop = loop_new();
	r->peer = smtp_peer_start(script, 0);
	r->config = config ? *config : (struct relay_config){ .tls = TLS_NONE };
	r->config.name = "main";
	if (!r->config.url) {
		snprintf(r->url, sizeof(r->url), "%s://localhost:%d", script->tls_first ? "smtps" : "smtp", r->peer->port);
		r->config.url = r->url;
	}
	if (!r->config.connections)
		r->config.connections = 1;
	r->relay = relay_new(r->loop, &r->config, times ? times : &short_times, &owner);
	return r;
}

static void write_message(struct buf *out, size_t number)
{
	buf_printf(out, "Subject: %zu\r\n\r\n", number);
	while (out->len < 4000)
		buf_str(out, "sixty bytes of body text that is there to be carried along\r\n");
}

static void post_mails(struct rig *r, size_t n)
{
	for (; n > 0; n--) {
		struct envelope *e = &r->mails[r->count].envelope;

		snprintf(e->return_path, sizeof(e->return_path), "b+%zu@bounce.example", r->count);
		snprintf(e->recipient, sizeof(e->recipient), "p%zu@them.example", r->count);
		snprintf(e->envid, sizeof(e->envid), "id%zu", r->count);
		e->owner = r;
		write_message(&e->body, r->count);
		r->count++;
	}
	relay_wake(r->relay, r->count - r->next);
}

static void give_up(void *arg)
{
	struct rig *r = arg;

	r->late = true;
}

/* Runs the loop until `done` says so. A minute without that is a hang. */
static void run_until(struct rig *r, bool (*done)(struct rig *r))
{
	struct timer *timer = timer_new(r->loop, give_up, r);

	timer_set(timer, US_MINUTE);
	while (!done(r) && !r->late)
		event_base_loop(loop_base(r->loop), EVLOOP_ONCE);
	timer_free(&timer);
	assert_false(r->late);
}

static bool all_ended(struct rig *r)
{
	return r->ended == r->count;
}

static bool breaker_opened(struct rig *r)
{
	return relay_pause(r->relay) > 0;
}

static void rig_free(struct rig **rig)
{
	struct rig *r = *rig;
	size_t i;

	relay_free(&r->relay);
	for (i = 0; i < r->count; i++)
		buf_clear(&r->mails[i].envelope.body);
	loop_drain(r->loop);
	loop_free(&r->loop);
	smtp_peer_stop(&r->peer);
	free(r);
	*rig = NULL;
}

/* --- all is well ------------------------------------------------------------------------------------------------------ */

static void messages_arrive_whole_and_once(void **state)
{
	struct smtp_script script = { .size = 1000000 };
	struct rig *r = rig_new(&script, &(struct relay_config){ .tls = TLS_NONE, .connections = 3, .ehlo = "us.example" }, NULL);
	struct buf want = BUF_INIT;
	size_t i, k, found;

	post_mails(r, MAILS);
	run_until(r, all_ended);
	assert_int_equal(r->peer->count, MAILS);
	assert_in_range(r->peer->connections, 1, 3);
	assert_int_equal(r->peer->resets, 0);
	for (i = 0; i < MAILS; i++) {
		assert_int_equal(r->mails[i].judgement.outcome, OUTCOME_SENT);
		buf_reset(&want);
		write_message(&want, i);
		for (found = k = 0; k < MAILS; k++) {
			struct smtp_message *m = &r->peer->taken[k];

			if (strcmp(m->to, r->mails[i].envelope.recipient) != 0)
				continue;
			found++;
			assert_string_equal(m->from, r->mails[i].envelope.return_path);
			assert_int_equal(m->len, want.len);
			assert_memory_equal(m->data, want.data, m->len);
		}
		assert_int_equal(found, 1);
	}
	buf_clear(&want);
	rig_free(&r);
}

static void no_more_than_two_dots_a_connection_are_granted(void **state)
{
	struct smtp_script script = { .no_dsn = true };
	struct rig *r = rig_new(&script, NULL, NULL);

	post_mails(r, 40);
	run_until(r, all_ended);
	assert_int_equal(r->granted_most, 2);
	assert_int_equal(r->peer->connections, 1);
	rig_free(&r);
}

static void without_pipelining(void **state)
{
	struct smtp_script script = { .no_pipelining = true, .no_dsn = true };
	struct rig *r = rig_new(&script, NULL, NULL);

	post_mails(r, 10);
	run_until(r, all_ended);
	assert_int_equal(r->peer->count, 10);
	rig_free(&r);
}

static void a_message_beyond_the_size_offered_is_not_tried(void **state)
{
	struct smtp_script script = { .size = 1000 };
	struct rig *r = rig_new(&script, NULL, NULL);

	post_mails(r, 1);
	run_until(r, all_ended);
	assert_int_equal(r->mails[0].judgement.outcome, OUTCOME_FAILED);
	assert_int_equal(r->mails[0].judgement.fault, FAULT_MESSAGE);
	assert_int_equal(r->dots, 0);
	assert_int_equal(r->peer->body_bytes, 0);
	rig_free(&r);
}

/* --- TLS and AUTH ------------------------------------------------------------------------------------------------------ */

static char certificate[128], key[128], other[128], other_key[128];

static char dir[] = "/tmp/test_relay.XXXXXX";

static int make_certificates(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(certificate, sizeof(certificate), "%s/c.pem", dir);
	snprintf(key, sizeof(key), "%s/k.pem", dir);
	snprintf(other, sizeof(other), "%s/other.pem", dir);
	snprintf(other_key, sizeof(other_key), "%s/other-k.pem", dir);
	smtp_make_certificate(certificate, key, "DNS:localhost");
	smtp_make_certificate(other, other_key, "DNS:elsewhere.example");
	return 0;
}

static int drop_certificates(void **state)
{
	unlink(certificate);
	unlink(key);
	unlink(other);
	unlink(other_key);
	return rmdir(dir);
}

static void tls_and_login(void **state)
{
	int way;

	for (way = 0; way < 4; way++) {
		struct smtp_script script = { .certificate = certificate, .key = key, .tls_first = way & 1, .user = "nurtured",
			.password = "s3cr=t", .only_login = way & 2 };
		struct relay_config config = { .tls = TLS_REQUIRED, .user = "nurtured", .password = "s3cr=t", .ca_file = certificate };
		struct rig *r = rig_new(&script, &config, NULL);

		post_mails(r, 20);
		run_until(r, all_ended);
		assert_int_equal(r->peer->count, 20);
		assert_int_equal(r->peer->connections, 1);
		rig_free(&r);
	}
}

/* What the operator has to mend stops everything at once, and nothing is sent. */
static void expect_operator(const struct smtp_script *script, const struct relay_config *config, const char *stage)
{
	struct rig *r = rig_new(script, config, NULL);
	struct relay_counts counts;

	post_mails(r, 3);
	run_until(r, breaker_opened);
	relay_counts(r->relay, &counts);
	assert_int_equal(counts.breaker, BREAKER_OPEN);
	if (strncmp(counts.last_error, stage, strlen(stage)) != 0)
		fail_msg("last error: %s", counts.last_error);
	assert_int_equal(r->peer->count, 0);
	assert_int_equal(r->next, 0);
	rig_free(&r);
}

static void certificates_are_verified(void **state)
{
	struct smtp_script script = { .certificate = certificate, .key = key };
	struct smtp_script stranger = { .certificate = other, .key = other_key };
	struct smtp_script plain = { .size = 0 };

	/* an authority that did not sign it; the wrong name; no STARTTLS at all (taken out on the way) */
	expect_operator(&script, &(struct relay_config){ .tls = TLS_REQUIRED, .ca_file = other }, "tls");
	expect_operator(&stranger, &(struct relay_config){ .tls = TLS_REQUIRED, .ca_file = other }, "tls");
	expect_operator(&plain, &(struct relay_config){ .tls = TLS_REQUIRED, .ca_file = certificate }, "tls");
}

static void starttls_in_lower_case_is_told(void **state)
{
	struct smtp_script script = { .certificate = certificate, .key = key, .lower_case = true };

	expect_operator(&script, &(struct relay_config){ .tls = TLS_REQUIRED, .ca_file = certificate }, "tls: the relay writes STARTTLS in lower case");
}

static void a_wrong_password_is_not_tried_again_and_again(void **state)
{
	struct smtp_script script = { .certificate = certificate, .key = key, .user = "nurtured", .password = "right" };

	expect_operator(&script, &(struct relay_config){ .tls = TLS_REQUIRED, .ca_file = certificate, .user = "nurtured", .password = "wrong" },
		"auth: 535");
}

static void a_relay_that_offers_no_login_gets_nothing(void **state)
{
	struct smtp_script script = { .certificate = certificate, .key = key };

	expect_operator(&script, &(struct relay_config){ .tls = TLS_REQUIRED, .ca_file = certificate, .user = "nurtured", .password = "s3cr=t" },
		"auth: 530 the relay offers no login");
}

/* --- failures --------------------------------------------------------------------------------------------------------- */

struct failure {
	const char *name;
	struct smtp_script script;
	enum grants grants;
	enum outcome outcome;		/* of the first message */
	enum smtp_stage stage;
	enum fault fault;
	bool counted, hard;
	size_t taken;			/* by the server, all its life */
};

/* One connection, two messages, the failure once: the first message has it, the second goes through. */
static const struct failure failures[] = {
	{ "451 to MAIL", { .say[AT_MAIL] = "451 4.3.0 later", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_MAIL, FAULT_NONE, true, false, 1 },
	{ "450 to RCPT", { .say[AT_RCPT] = "450 4.2.1 later", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_RCPT, FAULT_NONE, true, false, 1 },
	{ "550 to RCPT", { .say[AT_RCPT] = "550 5.1.1 no such user", .only = 1 }, 0, OUTCOME_FAILED, STAGE_RCPT, FAULT_PROSPECT, false, true, 1 },
	{ "550 to RCPT, and yet 354", { .say[AT_RCPT] = "550 5.1.1 no such user", .go_anyway = true, .only = 1 }, 0, OUTCOME_FAILED, STAGE_RCPT,
		FAULT_PROSPECT, false, true, 1 },
	{ "550 to RCPT, lock-step", { .say[AT_RCPT] = "550 5.1.1 no such user", .no_pipelining = true, .only = 1 }, 0, OUTCOME_FAILED, STAGE_RCPT,
		FAULT_PROSPECT, false, true, 1 },
	{ "451 to DATA", { .say[AT_DATA] = "451 4.3.0 later", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_DATA, FAULT_NONE, true, false, 1 },
	{ "452 to the dot", { .say[AT_DOT] = "452 4.2.2 full", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_DOT, FAULT_NONE, true, false, 1 },
	{ "554 to the dot", { .say[AT_DOT] = "554 5.7.1 spam", .only = 1 }, 0, OUTCOME_FAILED, STAGE_DOT, FAULT_MESSAGE, false, false, 1 },
	{ "a reply of 8 kB", { .say[AT_DOT] = NULL }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "hangs up at MAIL", { .drop = AT_MAIL, .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_MAIL, FAULT_RELAY, false, false, 1 },
	{ "hangs up at RCPT", { .drop = AT_RCPT, .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_RCPT, FAULT_RELAY, true, false, 1 },
	{ "hangs up at DATA", { .drop = AT_DATA, .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_DATA, FAULT_RELAY, true, false, 1 },
	{ "hangs up after the dot", { .drop = AT_DOT, .only = 1 }, 0, OUTCOME_UNKNOWN, STAGE_DOT, FAULT_RELAY, false, false, 1 },
	{ "half a reply to MAIL", { .partial = AT_MAIL, .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_MAIL, FAULT_RELAY, false, false, 1 },
	{ "half a reply to RCPT", { .partial = AT_RCPT, .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_RCPT, FAULT_RELAY, true, false, 1 },
	{ "half a reply to DATA", { .partial = AT_DATA, .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_DATA, FAULT_RELAY, true, false, 1 },
	{ "half a reply to the dot", { .partial = AT_DOT, .only = 1 }, 0, OUTCOME_UNKNOWN, STAGE_DOT, FAULT_RELAY, false, false, 1 },
	{ "half a greeting", { .partial = AT_GREET, .only = 1 }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "half a reply to EHLO", { .partial = AT_EHLO, .only = 1 }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "a reply too many to the dot", { .early = AT_DOT, .only = 1 }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "553 to MAIL", { .say[AT_MAIL] = "553 5.7.1 not from you", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_MAIL, FAULT_SENDER, false, false, 1 },
	{ "452 4.3.1 to RCPT", { .say[AT_RCPT] = "452 4.3.1 no room", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_RCPT, FAULT_RELAY, false, false, 1 },
	{ "421 to RCPT", { .say[AT_RCPT] = "421 4.3.2 shutting down", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_RCPT, FAULT_RELAY, false, false, 1 },
	{ "421 to DATA", { .say[AT_DATA] = "421 4.3.2 shutting down", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_DATA, FAULT_RELAY, false, false, 1 },
	{ "554 to DATA", { .say[AT_DATA] = "554 5.7.1 no", .only = 1 }, 0, OUTCOME_FAILED, STAGE_DATA, FAULT_MESSAGE, false, false, 1 },
	{ "450 to EHLO", { .say[AT_EHLO] = "450 4.3.2 later", .only = 1 }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "garbage at EHLO", { .garbage = AT_EHLO, .only = 1 }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "garbage at RCPT", { .garbage = AT_RCPT, .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_RCPT, FAULT_RELAY, true, false, 1 },
	{ "garbage at DATA", { .garbage = AT_DATA, .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_DATA, FAULT_RELAY, true, false, 1 },
	{ "garbage at MAIL", { .garbage = AT_MAIL, .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_MAIL, FAULT_RELAY, false, false, 1 },
	{ "garbage at the dot", { .garbage = AT_DOT, .only = 1 }, 0, OUTCOME_UNKNOWN, STAGE_DOT, FAULT_RELAY, false, false, 1 },
	{ "421 to MAIL", { .say[AT_MAIL] = "421 4.3.2 shutting down", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_MAIL, FAULT_RELAY, false, false, 1 },
	{ "421 to the dot", { .say[AT_DOT] = "421 4.3.2 shutting down", .only = 1 }, 0, OUTCOME_DEFERRED, STAGE_DOT, FAULT_RELAY, false, false, 1 },
	{ "421 at the door", { .say[AT_GREET] = "421 4.7.0 too many", .only = 1 }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "554 at the door", { .say[AT_GREET] = "554 not today", .only = 1 }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "hangs up at EHLO", { .drop = AT_EHLO, .only = 1 }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "garbage at the door", { .garbage = AT_GREET, .only = 1 }, 0, OUTCOME_SENT, STAGE_DOT, FAULT_NONE, false, false, 2 },
	{ "no reply to the dot in time", { .hang_dot = -1 }, 0, OUTCOME_UNKNOWN, STAGE_DOT, FAULT_RELAY, false, false, 0 },
	{ "must not go out", { .size = 0 }, FORBID_AT_ONCE, OUTCOME_WITHDRAWN, STAGE_DATA, FAULT_NONE, false, false, 0 },
};

static void plays(void **state)
{
	const struct failure *f = *state;
	struct smtp_script script = f->script;
	char *long_reply = NULL;
	struct rig *r;

	if (strcmp(f->name, "a reply of 8 kB") == 0) {
		long_reply = xmalloc(8200);
		memset(long_reply, 'x', 8199);
		memcpy(long_reply, "452 ", 4);
		long_reply[8199] = '\0';
		script.say[AT_RCPT] = long_reply;
		script.only = 1;
	}
	r = rig_new(&script, NULL, NULL);
	r->grants = f->grants;
	post_mails(r, 2);
	run_until(r, all_ended);
	if (long_reply) {
		assert_int_equal(r->mails[0].end.reply.code, 452);
		assert_int_equal(r->peer->count, 1);
	} else {
		assert_int_equal(r->mails[0].judgement.outcome, f->outcome);
		assert_int_equal(r->mails[0].end.stage, f->stage);
		assert_int_equal(r->mails[0].judgement.fault, f->fault);
		assert_int_equal(r->mails[0].judgement.counted, f->counted);
		assert_int_equal(r->mails[0].judgement.hard_bounce, f->hard);
		assert_int_equal(r->peer->count, f->taken);
	}
	if (f->outcome == OUTCOME_WITHDRAWN)
		assert_int_equal(r->peer->body_bytes, 0);
	rig_free(&r);
	free(long_reply);
}

/* A relay that reads a part of a large message, says what is wrong with it, and closes with the rest unread: that is a reset. */
static void *say_in_the_body_main(void *arg)
{
	static const char greet[] = "220 relay.test\r\n", ehlo[] = "250-relay.test\r\n250 PIPELINING\r\n", go[] = "250 ok\r\n250 ok\r\n354 go on\r\n",
		no[] = "552 5.3.4 too big\r\n";
	int *listener = arg, fd = accept(*listener, NULL, NULL), lines = 0;
	char bytes[4096];
	size_t got = 0;
	ssize_t n;

	assert_true(fd >= 0 && write(fd, greet, sizeof(greet) - 1) > 0);
	while (got < 100000 && (n = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n && lines < 4; i++) {
			lines += bytes[i] == '\n';
			if (bytes[i] == '\n' && lines == 1)
				assert_true(write(fd, ehlo, sizeof(ehlo) - 1) > 0);
			else if (bytes[i] == '\n' && lines == 4)
				assert_true(write(fd, go, sizeof(go) - 1) > 0);
		}
		got += lines == 4 ? (size_t)n : 0;
	}
	assert_true(write(fd, no, sizeof(no) - 1) > 0);
	close(fd);
	return NULL;
}

static void what_is_said_in_the_body_counts_although_the_rest_cannot_be_written(void **state)
{
	for (int i = 0; i < 10; i++) {
		struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct smtp_script script = { .size = 0 };
		socklen_t len = sizeof(at);
		int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		pthread_t thread;
		struct rig *r;
		char url[64];

		assert_int_equal(bind(listener, (struct sockaddr *)&at, len) | listen(listener, 5) | getsockname(listener, (struct sockaddr *)&at, &len), 0);
		snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", ntohs(at.sin_port));
		assert_int_equal(pthread_create(&thread, NULL, say_in_the_body_main, &listener), 0);
		r = rig_new(&script, &(struct relay_config){ .tls = TLS_NONE, .url = url }, NULL);
		post_mails(r, 1);
		for (int line = 0; line < 400000; line++)
			buf_str(&r->mails[0].envelope.body, "forty bytes of body that go on and on.\r\n");
		run_until(r, all_ended);
		assert_int_equal(r->mails[0].end.reply.code, 552);
		assert_int_equal(r->mails[0].judgement.outcome, OUTCOME_FAILED);
		pthread_join(thread, NULL);
		close(listener);
		rig_free(&r);
	}
}

static void hanging_up_in_the_body_leaves_no_doubt(void **state)
{
	struct smtp_script script = { .drop = AT_BODY, .only = 1 };
	struct rig *r = rig_new(&script, NULL, NULL);
	size_t i;

	/* more than the sockets hold, so that the dot cannot have left when the server hangs up */
	post_mails(r, 2);
	for (i = 0; i < 400000; i++)
		buf_str(&r->mails[0].envelope.body, "forty bytes of body that go on and on.\r\n");
	run_until(r, all_ended);
	assert_int_equal(r->mails[0].judgement.outcome, OUTCOME_DEFERRED);
	assert_true(r->mails[0].judgement.counted);
	assert_int_equal(r->mails[1].judgement.outcome, OUTCOME_SENT);
	rig_free(&r);
}

static void a_dot_that_was_not_granted_is_not_written(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct rig *r = rig_new(&script, NULL, NULL);
	struct connection *c;

	r->grants = GRANT_NEVER;
	post_mails(r, 1);
	while (r->dots == 0)
		event_base_loop(loop_base(r->loop), EVLOOP_ONCE);
	/* the 354 comes, and nothing may follow it */
	c = r->mails[0].envelope.connection;
	while (c->dialogue.slots[0].state < SLOT_GO)
		event_base_loop(loop_base(r->loop), EVLOOP_ONCE);
	event_base_loop(loop_base(r->loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
	relay_cut(r->relay);
	assert_int_equal(r->mails[0].judgement.outcome, OUTCOME_DEFERRED);
	assert_false(r->mails[0].end.in_doubt);
	pthread_mutex_lock(&r->peer->lock);
	while (r->peer->open > 0)
		pthread_cond_wait(&r->peer->changed, &r->peer->lock);
	pthread_mutex_unlock(&r->peer->lock);
	assert_int_equal(r->peer->body_bytes, 0);
	rig_free(&r);
}

static void one_that_is_forbidden_takes_no_other_with_it(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct rig *r = rig_new(&script, NULL, NULL);

	r->grants = FORBID_SECOND;
	post_mails(r, 10);
	run_until(r, all_ended);
	assert_int_equal(r->mails[0].judgement.outcome, OUTCOME_SENT);
	assert_int_equal(r->mails[1].judgement.outcome, OUTCOME_WITHDRAWN);
	assert_int_equal(r->mails[9].judgement.outcome, OUTCOME_SENT);
	/* the one that was chained behind it went back; nobody else did, and nothing was in doubt */
	assert_in_range(r->peer->count, 8, 9);
	rig_free(&r);
}

/* --- connections that went stale, breaker, draining ------------------------------------------------------------------------ */

static void a_stale_connection_costs_nothing(void **state)
{
	struct smtp_script script = { .messages = 1 };
	struct rig *r = rig_new(&script, NULL, NULL);
	size_t i, sent = 0;

	post_mails(r, 1);
	run_until(r, all_ended);
	post_mails(r, 5);
	run_until(r, all_ended);
	for (i = 0; i < r->count; i++) {
		sent += r->mails[i].judgement.outcome == OUTCOME_SENT;
		if (r->mails[i].judgement.outcome == OUTCOME_SENT)
			continue;
		assert_int_equal(r->mails[i].judgement.outcome, OUTCOME_DEFERRED);
		assert_int_equal(r->mails[i].judgement.fault, FAULT_NONE);
		assert_false(r->mails[i].judgement.counted);
	}
	assert_int_equal(relay_pause(r->relay), 0);
	assert_int_equal(sent, r->peer->count);
	rig_free(&r);
}

static void a_connection_that_served_long_enough_makes_room_for_another(void **state)
{
	struct relay_times times = short_times;
	struct smtp_script script = { .hang_dot = 5 };
	struct rig *r;

	times.life = 30 * 1000;
	r = rig_new(&script, NULL, &times);
	post_mails(r, 30);
	run_until(r, all_ended);
	assert_int_equal(r->peer->count, 30);
	assert_true(smtp_count(r->peer, &r->peer->connections) > 1);
	rig_free(&r);
}

static void the_breaker_opens_and_heals(void **state)
{
	struct relay_times times = short_times;
	struct smtp_script script = { .say[AT_GREET] = "554 not today", .only = 5 };
	struct rig *r;

	times.scale = US_SECOND;	/* the first pause is half a second */
	r = rig_new(&script, NULL, &times);
	post_mails(r, 3);
	run_until(r, breaker_opened);
	assert_int_equal(relay_appetite(r->relay), 0);
	assert_int_equal(r->next, 0);
	run_until(r, all_ended);
	assert_int_equal(r->peer->count, 3);
	assert_true(r->changes >= 2);
	assert_int_equal(relay_appetite(r->relay), 8);
	rig_free(&r);
}

static bool has_ended_or_broken(struct rig *r)
{
	return all_ended(r) || breaker_opened(r);
}

/* It takes four connections and is asked for twenty: it is no worse for that. */
static void a_relay_that_takes_few_connections_is_served_by_those(void **state)
{
	struct smtp_script script = { .most = 4, .hang_dot = 5 };
	struct rig *r = rig_new(&script, &(struct relay_config){ .tls = TLS_NONE, .connections = 20 }, NULL);
	struct relay_counts counts;

	post_mails(r, MAILS);
	run_until(r, has_ended_or_broken);
	assert_false(breaker_opened(r));
	assert_int_equal(r->peer->count, MAILS);
	relay_counts(r->relay, &counts);
	assert_true(counts.failures > 0 && counts.failures <= 16);
	assert_int_equal(counts.slow_until, 0);
	rig_free(&r);
}

static void a_connection_takes_as_many_messages_as_is_said(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct rig *r = rig_new(&script, &(struct relay_config){ .tls = TLS_NONE, .messages = 7 }, NULL);

	post_mails(r, 28);
	run_until(r, all_ended);
	assert_int_equal(r->peer->count, 28);
	assert_int_equal(smtp_count(r->peer, &r->peer->connections), 4);
	rig_free(&r);
}

static void nobody_listens(void **state)
{
	struct smtp_script script = { .size = 0 };
	struct rig *r = rig_new(&script, &(struct relay_config){ .tls = TLS_NONE, .url = "smtp://127.0.0.1:1" }, NULL);
	struct relay_counts counts;

	post_mails(r, 3);
	run_until(r, breaker_opened);
	relay_counts(r->relay, &counts);
	assert_int_equal(strncmp(counts.last_error, "connect: ", 9), 0);
	assert_int_equal(counts.failures, 5);
	rig_free(&r);
}

static void draining_finishes_what_is_under_way(void **state)
{
	struct smtp_script script = { .hang_dot = 50 };
	struct rig *r = rig_new(&script, NULL, NULL);

	post_mails(r, 1);
	while (r->dots == 0)
		event_base_loop(loop_base(r->loop), EVLOOP_ONCE);
	relay_drain(r->relay);
	run_until(r, all_ended);
	assert_int_equal(r->mails[0].judgement.outcome, OUTCOME_SENT);
	post_mails(r, 1);
	event_base_loop(loop_base(r->loop), EVLOOP_ONCE);
	assert_int_equal(r->next, 1);
	rig_free(&r);
}

static bool all_but_one_ended(struct rig *r)
{
	return r->ended + 1 == r->count;
}

/* The loop turns while one of them waits for its reply. */
static void a_dot_that_hangs_holds_up_no_other(void **state)
{
	struct relay_times times = short_times;
	struct smtp_script script = { .hang_dot = -1, .only = 1 };
	struct rig *r;
	size_t i, sent = 0, unknown = 0;

	times.dialogue.dot = 600 * US_SECOND;
	r = rig_new(&script, &(struct relay_config){ .tls = TLS_NONE, .connections = 2 }, &times);
	post_mails(r, MAILS);
	run_until(r, all_but_one_ended);
	assert_int_equal(r->peer->count, MAILS - 1);
	relay_cut(r->relay);
	for (i = 0; i < MAILS; i++) {
		sent += r->mails[i].judgement.outcome == OUTCOME_SENT;
		unknown += r->mails[i].judgement.outcome == OUTCOME_UNKNOWN;
	}
	assert_int_equal(sent, MAILS - 1);
	assert_int_equal(unknown, 1);
	rig_free(&r);
}

static void too_fast_is_half_as_fast(void **state)
{
	struct smtp_script script = { .say[AT_DOT] = "454 Throttling failure: Maximum sending rate exceeded.", .only = 1 };
	struct rig *r = rig_new(&script, &(struct relay_config){ .tls = TLS_NONE, .rate = { 100, US_SECOND } }, NULL);
	struct relay_counts counts;

	post_mails(r, 1);
	run_until(r, all_ended);
	assert_int_equal(r->mails[0].judgement.fault, FAULT_QUOTA);
	relay_counts(r->relay, &counts);
	assert_int_equal(counts.breaker, BREAKER_OPEN);
	assert_in_range((int)counts.rate, 1, 50);
	rig_free(&r);
}

static void cutting_leaves_in_doubt_what_has_its_dot_out(void **state)
{
	struct relay_times times = short_times;
	struct smtp_script script = { .hang_dot = -1 };
	struct rig *r;

	times.dialogue.dot = US_MINUTE;
	r = rig_new(&script, NULL, &times);
	post_mails(r, 1);
	while (smtp_count(r->peer, &r->peer->dots) == 0)
		event_base_loop(loop_base(r->loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
	relay_cut(r->relay);
	assert_int_equal(r->mails[0].judgement.outcome, OUTCOME_UNKNOWN);
	rig_free(&r);
}

int main(void)
{
	struct CMUnitTest tests[96] = {
		cmocka_unit_test(messages_arrive_whole_and_once),
		cmocka_unit_test(no_more_than_two_dots_a_connection_are_granted),
		cmocka_unit_test(without_pipelining),
		cmocka_unit_test(a_message_beyond_the_size_offered_is_not_tried),
		cmocka_unit_test(tls_and_login),
		cmocka_unit_test(certificates_are_verified),
		cmocka_unit_test(starttls_in_lower_case_is_told),
		cmocka_unit_test(a_dot_that_hangs_holds_up_no_other),
		cmocka_unit_test(too_fast_is_half_as_fast),
		cmocka_unit_test(a_wrong_password_is_not_tried_again_and_again),
		cmocka_unit_test(a_relay_that_offers_no_login_gets_nothing),
		cmocka_unit_test(hanging_up_in_the_body_leaves_no_doubt),
		cmocka_unit_test(what_is_said_in_the_body_counts_although_the_rest_cannot_be_written),
		cmocka_unit_test(a_dot_that_was_not_granted_is_not_written),
		cmocka_unit_test(one_that_is_forbidden_takes_no_other_with_it),
		cmocka_unit_test(a_stale_connection_costs_nothing),
		cmocka_unit_test(a_connection_that_served_long_enough_makes_room_for_another),
		cmocka_unit_test(the_breaker_opens_and_heals),
		cmocka_unit_test(a_relay_that_takes_few_connections_is_served_by_those),
		cmocka_unit_test(a_connection_takes_as_many_messages_as_is_said),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(draining_finishes_what_is_under_way),
		cmocka_unit_test(cutting_leaves_in_doubt_what_has_its_dot_out),
	};
	size_t n = 0, i;
	int rc;

	while (tests[n].test_func)
		n++;
	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		tests[n++] = (struct CMUnitTest){ .name = failures[i].name, .test_func = plays, .initial_state = (void *)(uintptr_t)&failures[i] };
	log_setup(LOG_ERROR, false);
	curl_global_init(CURL_GLOBAL_ALL);
	rc = _cmocka_run_group_tests("relay", tests, n, make_certificates, drop_certificates);
	curl_global_cleanup();
	return rc;
}
