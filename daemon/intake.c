/*
 * intake.c: nurtured-intake, the program that reads one mailbox for the daemon. It alone parses what
 * strangers send, so it lives apart: no keys, no database, limits on memory and on the CPU time of each
 * mail, and a sandbox (listen/sandbox.h). With a mailbox it fetches alone, and has a second process of itself read what it fetched, which can do
 * nothing else. It is started with a socket on fd 3 (listen/frame.h), lives as long as that socket, and says what
 * it does only there. Without a mailbox it reads the single mails that it is given there.
 *
 * One thread. It waits for the daemon, for files to arrive, and for the next poll; while it talks IMAP it
 * blocks, and the daemon's frames wait, but for the closing of the socket.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libxml/parser.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "listen/charset.h"
#include "listen/frame.h"
#include "listen/intents.h"
#include "listen/mail_reader.h"
#include "listen/reading.h"
#include "listen/sandbox.h"
#include "listen/source.h"

#define CPU_SECONDS 3			/* of one mail */
#define OWN_DOMAINS 100
#define READER_ENDED 1			/* the daemon counts it against the mail */
#define BACKOFF_FIRST US_SECOND
#define BACKOFF_MOST (5 * US_MINUTE)
#define LOGIN_FIRST (5 * US_MINUTE)	/* a wrong password tried often locks the account */
#define LOGIN_MOST (60 * US_MINUTE)
#define TOKEN_AGAIN (5 * US_SECOND)	/* one that was refused may just have run out */
#define TOKEN_COMES (90 * US_SECOND)

struct intake {
	json_t *config;			/* NULL before `configure` */
	struct intent_rules *rules;	/* without a mailbox */
	struct mail_reader *reader;	/* with one */
	struct buf in;
	struct source *source;		/* NULL: only what `read` brings */
	struct {
		char *key;
		size_t bytes;
	} out[FRAME_WINDOW];		/* wait for `committed` */
	size_t out_count, out_bytes;
	int64_t next_look;		/* clock_steady() */
	int64_t backoff;		/* the last one; 0: all went well since */
	bool failing;			/* it waits for that to pass */
	bool wants_token;		/* the daemon was asked for one */
	int tokens_refused;
	bool asked;			/* a `read` came: these bytes behind it are its mail */
	size_t asked_size;
	int64_t asked_received;
	bool known;			/* all that the daemon remembers is told */
	bool ready, more, rests, stop; /* more: the source has mails that did not fit into the window */
	int status;			/* to end with */
};

/* --- to the daemon -------------------------------------------------------------------------------------- */

static void send_bytes(struct intake *in, const char *data, size_t n)
{
	size_t at = 0;

	while (at < n && !in->stop) {
		ssize_t sent = send(FRAME_FD, data + at, n - at, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			in->stop = true;	/* the daemon is gone */
		at += sent > 0 ? (size_t)sent : 0;
	}
}

static void send_frame(struct intake *in, json_t *message)
{
	struct buf b = BUF_INIT;
	struct err err;

	if (frame_encode(&b, message, &err) < 0) {
		fprintf(stderr, "nurtured-intake: %s\n", err.text);
		in->stop = true;
	}
	json_decref(message);
	send_bytes(in, b.data, b.len);
	buf_clear(&b);
}

static void send_problem(struct intake *in, const char *kind, const char *what, int64_t retry_in)
{
	send_frame(in, json_pack("{ss ss ss sI}", "type", "problem", "kind", kind, "what", what, "retry_in",
			       (json_int_t)(retry_in / US_SECOND)));
}

static void look_again_in(struct intake *in, int64_t us)
{
	in->next_look = clock_steady() + us;
}

/* --- one mail ------------------------------------------------------------------------------------------- */

/*
 * The kernel ends the process when one mail takes too long; the daemon knows which it was, by the state
 * `reading`.
 */
static void limit_cpu(void)
{
	struct rusage used;
	struct rlimit limit;

	if (getrusage(RUSAGE_SELF, &used) < 0 || getrlimit(RLIMIT_CPU, &limit) < 0)
		return;
	limit.rlim_cur = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1 + CPU_SECONDS);
	setrlimit(RLIMIT_CPU, &limit);
}

static bool in_list(const json_t *list, const char *s)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (json_is_string(v) && !strcmp(json_string_value(v), s))
			return true;
	return false;
}

static void add_digest(json_t *message, const struct incoming *mail)
{
	uint8_t digest[SHA256_SIZE];
	struct buf text = BUF_INIT;

	if (mail->raw.len)
		digest_sha256(buf_cstr(&mail->raw), mail->raw.len < FRAME_MAIL_MAX ? mail->raw.len : FRAME_MAIL_MAX, digest);
	else	/* one that could not be had is not the same as another */
		digest_sha256(mail->key, strlen(mail->key), digest);
	text_hex(&text, digest, sizeof(digest));
	json_object_set_new(message, "sha256", json_string(buf_cstr(&text)));
	buf_clear(&text);
}

static struct reading_setting setting_of(struct intake *in, const char **own)
{
	const json_t *domains = json_object_get(in->config, "own_domains");

	for (size_t i = 0; i < json_array_size(domains) && i < OWN_DOMAINS; i++)
		own[i] = json_string_value(json_array_get(domains, i));
	return (struct reading_setting){ own, in->rules };
}

static json_t *read_mail(struct intake *in, const struct incoming *mail)
{
	const char *own[OWN_DOMAINS + 1] = { NULL };
	struct reading_setting setting = setting_of(in, own);
	struct mail_reading reading;
	json_t *said;

	limit_cpu();
	reading_make(&reading, buf_cstr(&mail->raw), mail->raw.len, mail->received, &setting);
	said = reading_json(&reading);
	reading_clear(&reading);
	return said;
}

/* By the process that only reads. It may say anything, even of other mails: what we know ourselves stands. NULL: reading ended it. */
static json_t *have_read(struct intake *in, const struct incoming *mail)
{
	struct err err;
	json_t *said = NULL;
	int rc = mail_reader_read(in->reader, buf_cstr(&mail->raw), mail->raw.len, mail->received, &said, &err);

	if (rc < 0)
		send_problem(in, "config", err.text, 0);
	return rc > 0 ? said : NULL;
}

static void send_mail(struct intake *in, struct incoming *mail)
{
	json_t *message = json_pack("{ss ss sI sI sI sI}", "type", "mail", "key", mail->key, "uid",
		(json_int_t)mail->uid, "uidvalidity", (json_int_t)mail->uidvalidity, "size",
		(json_int_t)mail->size, "received", (json_int_t)mail->received);
	size_t raw = json_is_true(json_object_get(in->config, "raw")) ? mail->raw.len : 0;
	json_t *said;

	limit_cpu();
	if (!mail->raw.len || in_list(json_object_get(in->config, "skip"), mail->key))
		said = json_pack("{ss s[s]}", "class", reading_class_name(READING_UNREADABLE), "evidence",
				 mail->raw.len ? "ended the intake twice" : "the server could not give it");
	else
		said = have_read(in, mail);
	if (!said) {
		json_decref(message);
		in->stop = true;
		in->status = READER_ENDED;
		return;
	}
	add_digest(message, mail);
	json_object_set_new(message, "bytes", json_integer((json_int_t)raw));
	json_object_update_missing(message, said);
	json_decref(said);
	in->out[in->out_count].key = xstrdup(mail->key);
	in->out[in->out_count++].bytes = raw;
	in->out_bytes += raw;
	send_frame(in, message);
	send_bytes(in, buf_cstr(&mail->raw), raw);
}

/* --- the mailbox ---------------------------------------------------------------------------------------- */

/* Doubled each time, and spread, so that many who lost one server do not come back at once. */
static void back_off(struct intake *in, const char *kind, const char *what, int64_t first, int64_t most)
{
	in->backoff = in->backoff * 2 < first ? first : in->backoff * 2 > most ? most : in->backoff * 2;
	in->more = in->rests = false;
	in->failing = true;
	send_problem(in, kind, what, in->backoff);
	look_again_in(in, (int64_t)((double)in->backoff * (0.8 + 0.4 * random_unit())));
}

static void trouble(struct intake *in, const struct err *err, enum source_trouble kind)
{
	switch (kind) {
	case TROUBLE_NETWORK:
		back_off(in, "network", err->text, BACKOFF_FIRST, BACKOFF_MOST);
		return;
	case TROUBLE_TOKEN:
		if (in->tokens_refused++ == 0) {
			back_off(in, "network", err->text, TOKEN_AGAIN, TOKEN_AGAIN);
			return;
		}
		/* fall through */
	case TROUBLE_LOGIN:
		back_off(in, "login", err->text, LOGIN_FIRST, LOGIN_MOST);
		return;
	}
}

static bool announce_next(struct intake *in)
{
	char key[300];

	if (!source_peek(in->source, key, sizeof(key)))
		return false;
	send_frame(in, json_pack("{ss ss ss}", "type", "state", "state", "reading", "key", key));
	return true;
}

/* Gives out mails while the window has room. */
static void pump(struct intake *in)
{
	struct incoming mail;
	struct err err;

	while (in->more && in->out_count < FRAME_WINDOW && in->out_bytes < FRAME_WINDOW_BYTES && !in->stop) {
		int rc;

		if (!announce_next(in)) {
			in->more = false;
			send_frame(in, json_pack("{ss ss}", "type", "state", "state", "idle"));
			return;
		}
		rc = source_next(in->source, &mail, &err);
		if (rc > 0 && mail.raw.len)
			in->backoff = 0;
		if (rc > 0)
			send_mail(in, &mail);
		else if (rc < 0 && source_is_remote(in->source))
			trouble(in, &err, TROUBLE_NETWORK);
		else if (rc < 0)
			send_problem(in, "mail", err.text, 0);	/* that file alone */
		if (rc > 0)
			incoming_clear(&mail);
	}
}

static int64_t poll_interval(const struct intake *in)
{
	int64_t seconds = frame_integer(in->config, "poll_seconds", 15);

	return (seconds < 1 ? 1 : seconds) * US_SECOND;
}

/* A token is good for one login, and the daemon has it. false: it is on its way. */
static bool has_token(struct intake *in)
{
	struct err err;

	if (!source_wants_token(in->source))
		return true;
	if (in->wants_token) {
		in->wants_token = false;
		err_set(&err, "no token came");
		trouble(in, &err, TROUBLE_NETWORK);
		return false;
	}
	in->wants_token = true;
	send_frame(in, json_pack("{ss}", "type", "token_wanted"));
	look_again_in(in, TOKEN_COMES);
	return false;
}

static void look(struct intake *in)
{
	enum source_trouble kind = TROUBLE_NETWORK;
	struct err err;

	if (!has_token(in))
		return;
	limit_cpu();
	in->rests = false;
	if (source_refresh(in->source, &kind, &err) < 0) {
		trouble(in, &err, kind);
		return;
	}
	in->failing = false;
	in->tokens_refused = 0;
	look_again_in(in, poll_interval(in));
	if (!in->ready)
		send_frame(in, json_pack("{ss sI}", "type", "ready", "uidvalidity", (json_int_t)source_uidvalidity(in->source)));
	in->ready = true;
	in->more = true;
}

/* All is read and committed. */
static void rest(struct intake *in)
{
	struct err err;
	int rc = source_rest(in->source, &err);

	if (rc < 0) {
		trouble(in, &err, TROUBLE_NETWORK);
		return;
	}
	in->rests = true;
	in->backoff = 0;
	look_again_in(in, rc > 0 ? 0 : source_interval(in->source, poll_interval(in)));
	send_frame(in, json_pack("{ss ss ss}", "type", "state", "state", "rests", "learns", source_learns(in->source)));
}

static void woken(struct intake *in)
{
	struct err err;
	int rc = source_woken(in->source, &err);

	if (rc < 0)
		trouble(in, &err, TROUBLE_NETWORK);
	else if (rc > 0)
		look_again_in(in, 0);
}

static void tell_gone(void *ctx, const char *key)
{
	send_frame(ctx, json_pack("{ss ss}", "type", "gone", "key", key));
}

static void tell_note(void *ctx, const char *what)
{
	send_problem(ctx, "after", what, 0);
}

static void remember(struct intake *in, const json_t *message)
{
	json_t *leave;
	const char *key;

	json_object_foreach(json_object_get(message, "known"), key, leave)
		if (in->source)
			source_known(in->source, key, json_is_true(leave));
	in->known = !json_is_true(json_object_get(message, "more_known"));
}

static int configure(struct intake *in, json_t *message, struct err *err)
{
	static struct source_calls calls = { .gone = tell_gone, .note = tell_note };

	if (in->config)
		return err_set(err, "configured twice");
	in->config = json_incref(message);
	look_again_in(in, 0);
	if (!*frame_string(message, "url")) {
		in->rules = intent_rules_new(json_object_get(message, "replies"));
		charset_load();
		xmlInitParser();
		sandbox_parser();
		return 0;
	}
	calls.ctx = in;
	in->reader = mail_reader_by(json_pack("{sO* sO*}", "own_domains", json_object_get(message, "own_domains"), "replies", json_object_get(message, "replies")));
	if (mail_reader_start(in->reader, err) < 0 || source_open(message, FRAME_FD, &calls, &in->source, err) < 0)
		return -1;
	remember(in, message);
	return 0;
}

/* --- from the daemon ------------------------------------------------------------------------------------ */

static void on_committed(struct intake *in, const char *key, bool leave)
{
	struct err err;

	for (size_t i = 0; i < in->out_count; i++) {
		if (strcmp(in->out[i].key, key) != 0)
			continue;
		free(in->out[i].key);
		in->out_bytes -= in->out[i].bytes;
		in->out[i] = in->out[--in->out_count];
		if (source_done(in->source, key, leave, &err) < 0)
			send_problem(in, "after", err.text, 0);
		return;
	}
}

static void on_token(struct intake *in, const json_t *message)
{
	const char *token = frame_string(message, "token");
	struct err err;

	if (!in->wants_token)
		return;
	in->wants_token = false;
	if (*token) {
		source_token(in->source, token);
		look_again_in(in, 0);
	} else {
		err_set(&err, "%s", frame_string(message, "why"));
		back_off(in, "login", err.text, BACKOFF_FIRST * 30, LOGIN_MOST);
	}
}

static void on_frame(struct intake *in, json_t *message)
{
	const char *type = frame_type(message);
	struct err err;

	if (!strcmp(type, "stop")) {
		in->stop = true;
	} else if (!strcmp(type, "configure")) {
		if (configure(in, message, &err) < 0) {
			send_problem(in, "config", err.text, 0);
			in->stop = true;
		}
	} else if (!in->config) {
		in->stop = true;
	} else if (!strcmp(type, "read")) {
		int64_t size = frame_integer(message, "size", -1);

		in->asked = true;
		in->asked_size = (size_t)size;
		in->asked_received = frame_integer(message, "received", 0);
		in->stop = size < 0 || size > FRAME_MAIL_MAX;
	} else if (!strcmp(type, "committed")) {
		on_committed(in, frame_string(message, "key"), json_is_true(json_object_get(message, "leave")));
	} else if (!strcmp(type, "known")) {
		remember(in, message);
	} else if (!strcmp(type, "token")) {
		on_token(in, message);
	} else if (!strcmp(type, "poll_now") && !in->wants_token) {
		look_again_in(in, 0);
	}
}

/* The mail of a `read`, once it is all there; then it is taken off. */
static bool answer_read(struct intake *in)
{
	struct incoming mail = { .received = in->asked_received, .raw = in->in };
	json_t *said;

	if (in->in.len < in->asked_size)
		return false;
	mail.raw.len = in->asked_size;
	send_frame(in, json_pack("{ss ss ss}", "type", "state", "state", "reading", "key", ""));
	said = read_mail(in, &mail);
	json_object_set_new(said, "type", json_string("mail"));
	add_digest(said, &mail);
	send_frame(in, said);
	memmove(in->in.data, in->in.data + in->asked_size, in->in.len - in->asked_size);
	buf_cut(&in->in, in->in.len - in->asked_size);
	in->asked = false;
	return true;
}

/* One frame, or the mail behind it: false when there is not enough to go on. */
static bool take_next(struct intake *in)
{
	json_t *message;
	struct err err;
	int rc;

	if (in->asked)
		return answer_read(in);
	rc = frame_decode(&in->in, &message, &err);
	if (rc < 0)
		in->stop = true;
	if (rc <= 0)
		return false;
	on_frame(in, message);
	json_decref(message);
	return true;
}

static void read_frames(struct intake *in)
{
	ssize_t n;

	buf_reserve(&in->in, 65536);
	n = recv(FRAME_FD, in->in.data + in->in.len, 65536, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		in->stop = true;
	if (n <= 0)
		return;
	in->in.len += (size_t)n;
	while (!in->stop && take_next(in))
		;
}

/* --- waiting -------------------------------------------------------------------------------------------- */

static int wait_for(const struct intake *in)
{
	int64_t left = in->next_look - clock_steady();

	if (!in->source || !in->known)
		return -1;
	return left <= 0 ? 0 : left > US_HOUR ? 3600000 : (int)(left / 1000) + 1;
}

static void wait_and_serve(struct intake *in)
{
	struct pollfd p[2] = { { .fd = FRAME_FD, .events = POLLIN },
			       { .fd = in->source ? source_fd(in->source) : -1, .events = POLLIN } };

	if (poll(p, 2, wait_for(in)) < 0 && errno != EINTR) {
		in->stop = true;
		return;
	}
	if (p[0].revents)
		read_frames(in);
	if (in->stop || !in->source || !in->known)
		return;
	if (p[1].revents && !in->failing)
		woken(in);
	if (clock_steady() >= in->next_look)
		look(in);
	pump(in);
	if (in->ready && !in->more && !in->out_count && !in->rests && !in->failing && !in->wants_token && !in->stop)
		rest(in);
}

static void intake_clear(struct intake *in)
{
	source_free(&in->source);
	for (size_t i = 0; i < in->out_count; i++)
		free(in->out[i].key);
	json_decref(in->config);
	intent_rules_free(&in->rules);
	mail_reader_free(&in->reader);
	buf_clear(&in->in);
}

int main(int argc, char **argv)
{
	struct intake in = { .in = BUF_INIT };
	int kind;
	socklen_t size = sizeof(kind);

	if (argc > 1 || getsockopt(FRAME_FD, SOL_SOCKET, SO_TYPE, &kind, &size) < 0) {
		fprintf(stderr, "%s is started by nurtured, with a socket on fd %d\n", argv[0], FRAME_FD);
		return 64;
	}
	sandbox_limits();
	signal(SIGPIPE, SIG_IGN);	/* libetpan writes without asking */
	while (!in.stop)
		wait_and_serve(&in);
	intake_clear(&in);
	xmlCleanupParser();
	return in.status;
}
