/*
 * intake.c: nurtured-intake, the program that reads one mailbox for the daemon. It alone parses what
 * strangers send, so it lives apart: no keys, no database, limits on memory and on the CPU time of each
 * mail. It is started with a socket on fd 3 (listen/frame.h), lives as long as that socket, and says what
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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libxml/parser.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "listen/frame.h"
#include "listen/reading.h"
#include "listen/imap_source.h"
#include "listen/intents.h"
#include "listen/maildir_source.h"

#define CPU_SECONDS 3			/* of one mail */
#define MEMORY_BYTES (1024ul * 1024 * 1024)
#define OWN_DOMAINS 100
#define RAW_SENT (1024 * 1024)
#define BACKOFF_FIRST US_SECOND
#define BACKOFF_MOST (5 * US_MINUTE)
#define LOGIN_FIRST (5 * US_MINUTE)	/* a wrong password tried often locks the account */
#define LOGIN_MOST (60 * US_MINUTE)

struct intake {
	json_t *config;			/* NULL before `configure` */
	struct intent_rules *rules;
	struct buf in;
	struct imap_source *imap;	/* one of the two */
	struct maildir_source *maildir;
	char *host, *mailbox;		/* what imap's config borrows */
	char *out[FRAME_WINDOW];	/* keys that wait for `committed` */
	size_t out_count;
	int64_t next_look;		/* clock_steady() */
	int64_t backoff;
	bool asked;			/* a `read` came: these bytes behind it are its mail */
	size_t asked_size;
	int64_t asked_received;
	bool ready, more, stop; /* more: the source has mails that did not fit into the window */
};

/* --- to the daemon -------------------------------------------------------------------------------------- */

static void send_frame(struct intake *in, json_t *message)
{
	struct buf b = BUF_INIT;
	struct err err;
	size_t at = 0;

	if (frame_encode(&b, message, &err) < 0) {
		fprintf(stderr, "nurtured-intake: %s\n", err.text);
		in->stop = true;
	}
	json_decref(message);
	while (at < b.len && !in->stop) {
		ssize_t n = send(FRAME_FD, b.data + at, b.len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			in->stop = true;	/* the daemon is gone */
		at += n > 0 ? (size_t)n : 0;
	}
	buf_clear(&b);
}

static void send_problem(struct intake *in, const char *what, int64_t retry_in)
{
	send_frame(in, json_pack("{ss ss sI}", "type", "problem", "what", what, "retry_in",
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

static void add_bytes(json_t *message, const struct incoming *mail, bool raw)
{
	uint8_t digest[SHA256_SIZE];
	struct buf text = BUF_INIT;

	digest_sha256(buf_cstr(&mail->raw), mail->raw.len, digest);
	text_hex(&text, digest, sizeof(digest));
	json_object_set_new(message, "sha256", json_string(buf_cstr(&text)));
	buf_reset(&text);
	if (raw) {
		text_base64(&text, buf_cstr(&mail->raw), mail->raw.len < RAW_SENT ? mail->raw.len : RAW_SENT);
		json_object_set_new(message, "raw", json_string(buf_cstr(&text)));
	}
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

static void send_mail(struct intake *in, struct incoming *mail)
{
	json_t *message = json_pack("{ss ss sI sI sI sI}", "type", "mail", "key", mail->key, "uid",
		(json_int_t)mail->uid, "uidvalidity", (json_int_t)mail->uidvalidity, "size",
		(json_int_t)mail->size, "received", (json_int_t)mail->received);
	json_t *said;

	if (!mail->raw.len || in_list(json_object_get(in->config, "skip"), mail->key))
		said = json_pack("{ss s[s]}", "class", reading_class_name(READING_UNREADABLE), "evidence",
				 mail->raw.len ? "ended the intake twice" : "the server could not give it");
	else
		said = read_mail(in, mail);
	json_object_update(message, said);
	json_decref(said);
	add_bytes(message, mail, json_is_true(json_object_get(in->config, "raw")));
	in->out[in->out_count++] = xstrdup(mail->key);
	send_frame(in, message);
}

/* --- the mailbox ---------------------------------------------------------------------------------------- */

static void trouble(struct intake *in, const struct err *err, bool login)
{
	int64_t first = login ? LOGIN_FIRST : BACKOFF_FIRST, most = login ? LOGIN_MOST : BACKOFF_MOST;

	in->backoff = in->backoff * 2 < first ? first : in->backoff * 2 > most ? most : in->backoff * 2;
	in->more = false;
	send_problem(in, err->text, in->backoff);
	look_again_in(in, in->backoff);
}

static bool announce_next(struct intake *in)
{
	char key[300];

	if (in->imap) {
		if (!imap_peek(in->imap, key, sizeof(key)))
			return false;
	} else {
		if (!maildir_peek(in->maildir))
			return false;
		snprintf(key, sizeof(key), "%s", maildir_peek(in->maildir));
	}
	send_frame(in, json_pack("{ss ss ss}", "type", "state", "state", "reading", "key", key));
	return true;
}

/* Gives out mails while the window has room. */
static void pump(struct intake *in)
{
	struct incoming mail;
	struct err err;

	while (in->more && in->out_count < FRAME_WINDOW && !in->stop) {
		int rc;

		if (!announce_next(in)) {
			in->more = false;
			send_frame(in, json_pack("{ss ss}", "type", "state", "state", "idle"));
			return;
		}
		rc = in->imap ? imap_next(in->imap, &mail, &err) : maildir_next(in->maildir, &mail, &err);
		if (rc > 0)
			send_mail(in, &mail);
		else if (rc < 0 && in->imap)
			trouble(in, &err, false);
		else if (rc < 0)
			send_problem(in, err.text, 0);	/* that file alone */
		if (rc > 0)
			incoming_clear(&mail);
	}
}

static int64_t poll_interval(const struct intake *in)
{
	int64_t seconds = frame_integer(in->config, "poll_seconds", 15);

	return (seconds < 1 ? 1 : seconds) * US_SECOND;
}

static void look(struct intake *in)
{
	enum imap_trouble kind = IMAP_NETWORK;
	struct err err;
	int rc = in->imap ? imap_refresh(in->imap, &kind, &err) : maildir_refresh(in->maildir, &err);

	if (rc < 0) {
		trouble(in, &err, kind == IMAP_LOGIN);
		return;
	}
	in->backoff = 0;
	look_again_in(in, poll_interval(in));
	if (!in->ready)
		send_frame(in, json_pack("{ss sI}", "type", "ready", "uidvalidity",
					 (json_int_t)(in->imap ? imap_uidvalidity(in->imap) : 0)));
	in->ready = true;
	in->more = true;
}

/* host[:port]/MAILBOX, the host perhaps an [IPv6] one */
static int split_url(struct intake *in, const char *rest, int default_port, int *port_out, struct err *err)
{
	const char *slash = strchr(rest, '/'), *end = slash ? slash : rest + strlen(rest),
		   *colon = memrchr(rest, ':', (size_t)(end - rest));
	struct buf name = BUF_INIT;
	int64_t port = default_port;

	if (*rest == '[' && memchr(rest, ']', (size_t)(end - rest))) {
		const char *close = memchr(rest, ']', (size_t)(end - rest));

		colon = close[1] == ':' ? close + 1 : NULL;
		in->host = xstrndup(rest + 1, (size_t)(close - rest - 1));
	} else {
		in->host = xstrndup(rest, (size_t)((colon ? colon : end) - rest));
	}
	if (colon) {
		char *digits = xstrndup(colon + 1, (size_t)(end - colon - 1));
		int rc = text_int(digits, &port);

		free(digits);
		if (rc < 0 || port < 1 || port > 65535)
			return err_set(err, "%s: no such port", rest);
	}
	if (slash && text_percent_decode(slash + 1, strlen(slash + 1), false, &name) < 0)
		buf_reset(&name);
	in->mailbox = name.len ? buf_take(&name) : xstrdup("INBOX");
	buf_clear(&name);
	*port_out = (int)port;
	return *in->host ? 0 : err_set(err, "%s: no host", rest);
}

static int open_imap(struct intake *in, const char *url, struct err *err)
{
	const json_t *watermark = json_object_get(in->config, "watermark");
	bool tls = text_starts_with(url, "imaps://");
	struct imap_config config = {
		.stream = {.tls = tls, .control_fd = FRAME_FD, .cainfo = frame_string(in->config, "cainfo")},
		.starttls = !tls && json_is_true(json_object_get(in->config, "starttls")),
		.user = frame_string(in->config, "user"),
		.password = frame_string(in->config, "password"),
		.uidvalidity = (uint32_t)frame_integer(watermark, "uidvalidity", 0),
		.last_uid = (uint32_t)frame_integer(watermark, "last_uid", 0),
	};

	if (!tls && !config.starttls && !json_is_true(json_object_get(in->config, "cleartext")))
		return err_set(err, "%s: without STARTTLS the password would go in the clear", url);
	if (!*config.stream.cainfo)
		config.stream.cainfo = "/etc/ssl/certs/ca-certificates.crt";
	if (split_url(in, strstr(url, "://") + 3, tls ? 993 : 143, &config.stream.port, err) < 0)
		return -1;
	config.stream.host = in->host;
	config.mailbox = in->mailbox;
	in->imap = imap_new(&config);
	return 0;
}

static int configure(struct intake *in, json_t *message, struct err *err)
{
	const char *url = frame_string(message, "url");

	if (in->config)
		return err_set(err, "configured twice");
	in->config = json_incref(message);
	in->rules = intent_rules_new(json_object_get(message, "replies"));
	look_again_in(in, 0);
	if (!*url)
		return 0;
	if (text_starts_with(url, "maildir:"))
		return maildir_open(url + strlen("maildir:"), &in->maildir, err);
	if (text_starts_with(url, "imaps://") || text_starts_with(url, "imap://"))
		return open_imap(in, url, err);
	return err_set(err, "%s: neither imaps://, imap:// nor maildir:", url);
}

/* --- from the daemon ------------------------------------------------------------------------------------ */

static void on_committed(struct intake *in, const char *key)
{
	struct err err;

	for (size_t i = 0; i < in->out_count; i++) {
		if (strcmp(in->out[i], key))
			continue;
		free(in->out[i]);
		in->out[i] = in->out[--in->out_count];
		if (in->imap)
			imap_done(in->imap, key);
		else if (maildir_done(in->maildir, key, &err) < 0)
			send_problem(in, err.text, 0);
		return;
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
			send_problem(in, err.text, 0);
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
		on_committed(in, frame_string(message, "key"));
	} else if (!strcmp(type, "poll_now") && !in->backoff) {
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
	add_bytes(said, &mail, false);
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

static void wait_and_serve(struct intake *in)
{
	struct pollfd p[2] = { { .fd = FRAME_FD, .events = POLLIN },
			       { .fd = in->maildir ? maildir_fd(in->maildir) : -1, .events = POLLIN } };
	int64_t left = in->next_look - clock_steady();
	bool no_mailbox = !in->imap && !in->maildir;
	int timeout = no_mailbox ? -1 : left <= 0 ? 0 : left > US_HOUR ? 3600000 : (int)(left / 1000) + 1;

	if (poll(p, 2, timeout) < 0 && errno != EINTR) {
		in->stop = true;
		return;
	}
	if (p[0].revents)
		read_frames(in);
	if (in->stop || (!in->imap && !in->maildir))
		return;
	if ((p[1].revents && !in->backoff) || clock_steady() >= in->next_look)
		look(in);
	pump(in);
}

static void limit_process(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);	/* what it holds is other people's mail */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	struct rlimit memory = { MEMORY_BYTES, MEMORY_BYTES };

	setrlimit(RLIMIT_AS, &memory);
#endif
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);	/* libetpan writes without asking */
}

static void intake_clear(struct intake *in)
{
	imap_free(&in->imap);
	maildir_close(&in->maildir);
	for (size_t i = 0; i < in->out_count; i++)
		free(in->out[i]);
	free(in->host);
	free(in->mailbox);
	json_decref(in->config);
	intent_rules_free(&in->rules);
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
	limit_process();
	while (!in.stop)
		wait_and_serve(&in);
	intake_clear(&in);
	xmlCleanupParser();
	return 0;
}
