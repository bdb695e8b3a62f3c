/*
 * connection.c: see connection.h.
 *
 * Life: OPENING (libcurl's: DNS, TCP, TLS, EHLO, AUTH) -> READY (ours: with TLS by curl_easy_send and curl_easy_recv) -> DEAD. A dead one is freed by
 * the relay at its next turn, because the code that finds the connection dead stands inside it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include "connection.h"

/*
 * As KumoMTA has it: relays behind one name share the load. A new connection costs eleven times what a message does (TLS, AUTH), so that it is a tenth
 * on top. A relay that wants fewer says 421, which costs nothing but that.
 */
#define MESSAGES 100		/* where nothing is said */
#define RECORD 16384	/* one TLS record a write: all of it arrives or nothing */

/* --- dying -------------------------------------------------------------------------------------------------------- */

static void release(struct connection *c)
{
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	c->readable = c->writable = NULL;
	transfer_cancel(&c->transfer);
	if (c->easy)
		curl_easy_cleanup(c->easy);
	c->easy = NULL;
	timer_free(&c->timer);
	free(c->record);
	c->record = NULL;
}

static void die(struct connection *c)
{
	c->state = CONNECTION_DEAD;
	release(c);
	c->hooks->dead(c);
}

void connection_free(struct connection **connection)
{
	struct connection *c = *connection;

	if (!c)
		return;
	release(c);
	dialogue_clear(&c->dialogue);
	free(c);
	*connection = NULL;
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

/* When the present wait has lasted too long; 0: it may last. */
static int64_t deadline(const struct connection *c)
{
	int64_t timeout;

	if (c->state == CONNECTION_OPENING)
		return c->active + c->times->connect;
	timeout = dialogue_timeout(&c->dialogue, &c->times->dialogue);
	if (timeout == 0 && dialogue_idle(&c->dialogue))
		timeout = c->times->idle;
	return timeout ? c->active + timeout : 0;
}

/* A timer that is set too early finds out when it fires: cheaper than to move it with every byte. */
static void arm(struct connection *c)
{
	int64_t at = deadline(c);

	if (!at || (c->armed && c->armed <= at))
		return;
	c->armed = at;
	timer_set(c->timer, at - clock_steady());
}

static void opening_failed(struct connection *c, CURLcode code);

static void timer_cb(void *arg)
{
	struct connection *c = arg;
	int64_t at;

	c->armed = 0;
	at = deadline(c);
	if (!at)
		return;
	if (clock_steady() < at) {
		arm(c);
		return;
	}
	if (c->state == CONNECTION_OPENING) {
		curl_off_t connected = 0;

		/* libcurl watches the rest */
		curl_easy_getinfo(c->easy, CURLINFO_CONNECT_TIME_T, &connected);
		if (connected == 0)
			opening_failed(c, CURLE_COULDNT_CONNECT);
		return;
	}
	if (dialogue_idle(&c->dialogue))
		dialogue_quit(&c->dialogue);
	else
		dialogue_fail(&c->dialogue, TROUBLE_TIMEOUT);
	connection_pump(c);
}

/* --- reading and writing ------------------------------------------------------------------------------------------ */

/* What to hand to libcurl now: of the dialogue's output, or of the record under way. */
static struct slice next_write(struct connection *c)
{
	struct slice s = dialogue_output(&c->dialogue);

	if (!c->tls) {
		if (s.len > 65536)
			s.len = 65536;
		return s;
	}
	if (!c->record)
		c->record = xmalloc(RECORD);
	if (c->record_len == 0 && s.len > 0) {
		c->record_len = s.len < RECORD ? s.len : RECORD;
		memcpy(c->record, s.data, c->record_len);
	}
	return (struct slice){ c->record, c->record_len };
}

/*
 * Where there is no TLS libcurl adds nothing but a search for the connection among its own, twice a message. It goes on to hold the socket, and to
 * close it.
 */
static CURLcode take_in(struct connection *c, char *bytes, size_t size, size_t *n_out)
{
	ssize_t n;

	*n_out = 0;
	if (c->tls)
		return curl_easy_recv(c->easy, bytes, size, n_out);
	n = recv(c->fd, bytes, size, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? CURLE_AGAIN : CURLE_RECV_ERROR;
	*n_out = (size_t)n;
	return CURLE_OK;
}

static CURLcode give_out(struct connection *c, struct slice s, size_t *n_out)
{
	ssize_t n;

	*n_out = 0;
	if (c->tls)
		return curl_easy_send(c->easy, s.data, s.len, n_out);
	n = send(c->fd, s.data, s.len, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? CURLE_AGAIN : CURLE_SEND_ERROR;
	*n_out = (size_t)n;
	return CURLE_OK;
}

static void after_write(unsigned wrote)
{
	if (wrote & WROTE_ENVELOPE)
		CRASH_POINT("smtp.after_mailfrom");
	if (wrote & WROTE_DOT)
		CRASH_POINT("smtp.after_last_byte");
}

static void read_in(struct connection *c)
{
	static char bytes[16384];	/* loop thread only */
	struct dialogue_end *end;
	size_t n;
	CURLcode code;

	do {
		code = take_in(c, bytes, sizeof(bytes), &n);
		if (code == CURLE_AGAIN)
			return;
		if (code != CURLE_OK || n == 0) {
			dialogue_fail(&c->dialogue, TROUBLE_LOST);
			return;
		}
		c->active = clock_steady();
		dialogue_input(&c->dialogue, bytes, n);
		end = &c->dialogue.ends[c->dialogue.end_first];
		if (c->dialogue.end_count > 0 && end->stage == STAGE_DOT && end->reply.code / 100 == 2)
			CRASH_POINT("smtp.after_250_before_commit");
		/* TLS may hold bytes that the socket does not show; else a short read says that there is no more */
	} while (!dialogue_closed(&c->dialogue) && (c->tls || n == sizeof(bytes)));
}

static void write_out(struct connection *c)
{
	struct slice s;
	size_t sent;
	CURLcode code;

	while (!dialogue_closed(&c->dialogue) && (s = next_write(c)).len > 0) {
		code = give_out(c, s, &sent);
		/* TLS: bytes of a record that would block may be under way, but the other side can make nothing of half a record */
		after_write(dialogue_written(&c->dialogue, sent, c->tls && code != CURLE_AGAIN ? s.len : sent));
		if (sent > 0)
			c->active = clock_steady();
		if (code == CURLE_OK && sent == s.len) {
			c->record_len = 0;
			continue;
		}
		if (code == CURLE_OK && c->tls) {
			memmove(c->record, c->record + sent, s.len - sent);
			c->record_len = s.len - sent;
		} else if (code != CURLE_OK && code != CURLE_AGAIN) {
			/* why it went away it may have said */
			read_in(c);
			if (!dialogue_closed(&c->dialogue))
				dialogue_fail(&c->dialogue, TROUBLE_LOST);
			return;
		}
		event_add(c->writable, NULL);
		return;
	}
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	read_in(c);
	connection_pump(c);
}

static void writable_cb(evutil_socket_t fd, short what, void *arg)
{
	connection_pump(arg);
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static bool worn_out(const struct connection *c, int64_t now)
{
	return c->messages >= c->messages_most || now - c->ready_since >= c->times->life;
}

static void report_ends(struct connection *c)
{
	struct dialogue_end end;

	while (dialogue_next_end(&c->dialogue, &end)) {
		end.envelope->connection = NULL;
		c->hooks->ended(c, &end);
	}
}

/* What the relay said it does not take is not tried: it ends as if it had said so again. */
static bool not_taken(struct connection *c, struct envelope *e)
{
	struct dialogue_end end = { .envelope = e, .stage = STAGE_MAIL, .untouched = true, .reply = { .code = 552, .enhanced = "5.3.4" } };

	if (e->utf8 && !(c->can & CAN_UTF8)) {
		end.reply = (struct reply){ .code = 553, .enhanced = "5.6.7" };
		snprintf(end.reply.text, sizeof(end.reply.text), NO_UTF8_REPLY);
	} else if (c->dialogue.size_limit > 0 && (int64_t)e->body.len > c->dialogue.size_limit) {
		snprintf(end.reply.text, sizeof(end.reply.text), "5.3.4 larger than the SIZE that the relay names");
	} else {
		return false;
	}
	c->hooks->ended(c, &end);
	return true;
}

static void take_messages(struct connection *c)
{
	struct envelope *e;
	int64_t now;

	if (dialogue_room(&c->dialogue) == 0)	/* nor is it idle then */
		return;
	now = clock_steady();
	while (dialogue_room(&c->dialogue) > 0 && !worn_out(c, now) && (e = c->hooks->take(c))) {
		if (not_taken(c, e))
			continue;
		if (dialogue_idle(&c->dialogue))
			c->active = now;
		c->messages++;
		e->connection = c;
		dialogue_add(&c->dialogue, e);
		c->hooks->dot(c, e);
	}
	if (worn_out(c, now))
		connection_quit_if_idle(c);
}

void connection_pump(struct connection *c)
{
	if (c->state != CONNECTION_READY)
		return;
	c->again = true;
	if (c->in_pump)
		return;
	c->in_pump = true;
	while (c->again) {
		c->again = false;
		report_ends(c);
		take_messages(c);
		write_out(c);
		if (c->dialogue.end_count > 0)
			c->again = true;
	}
	c->in_pump = false;
	if (dialogue_closed(&c->dialogue))
		die(c);
	else
		arm(c);
}

void connection_quit_if_idle(struct connection *c)
{
	if (c->state != CONNECTION_READY || dialogue_closed(&c->dialogue) || !dialogue_idle(&c->dialogue))
		return;
	c->active = clock_steady();
	dialogue_quit(&c->dialogue);
	connection_pump(c);
}

void connection_cut(struct connection *c)
{
	if (c->state == CONNECTION_OPENING) {
		die(c);
		return;
	}
	if (c->state != CONNECTION_READY)
		return;
	dialogue_fail(&c->dialogue, TROUBLE_STOPPED);
	connection_pump(c);
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* One keyword line of an EHLO reply, code and separator taken off. */
static void take_keyword(struct connection *c, struct slice line)
{
	if (slice_is_nocase(line, "PIPELINING"))
		c->can |= CAN_PIPELINE;
	else if (line.len >= 4 && strncasecmp(line.data, "AUTH", 4) == 0 && (line.len == 4 || line.data[4] == ' ' || line.data[4] == '='))
		c->can |= CAN_AUTH;
	else if (slice_is_nocase(line, "STARTTLS"))
		c->odd_starttls = memcmp(line.data, "STARTTLS", 8) != 0;	/* libcurl before 8.17 */
	else if (slice_is_nocase(line, "DSN"))
		c->can |= CAN_DSN;
	else if (slice_is_nocase(line, "SMTPUTF8"))
		c->can |= CAN_UTF8;
	else if (line.len >= 4 && strncasecmp(line.data, "SIZE", 4) == 0 && (line.len == 4 || line.data[4] == ' ')) {
		char number[24] = "0";

		c->can |= CAN_SIZE;
		c->size_limit = 0;
		if (line.len > 5 && line.len - 5 < sizeof(number)) {
			memcpy(number, line.data + 5, line.len - 5);
			number[line.len - 5] = '\0';
		}
		if (text_int(number, &c->size_limit) < 0 || c->size_limit < 0)
			c->size_limit = 0;
	}
}

/* libcurl gives us every line that the relay says until the login is done. After STARTTLS a second EHLO counts alone. */
static size_t line_cb(char *data, size_t size, size_t count, void *arg)
{
	struct connection *c = arg;
	size_t n = size * count;
	struct slice line = slice_trim((struct slice){ data, n });
	const char *p = data;
	size_t left = n;

	if (line.len >= 3 && memcmp(line.data, "250", 3) == 0) {
		if (!c->in_reply) {
			c->can = 0;
			c->size_limit = 0;
		} else if (line.len > 4) {
			take_keyword(c, (struct slice){ line.data + 4, line.len - 4 });
		}
	}
	c->in_reply = line.len > 3 && line.data[3] == '-';
	while (left > 0 && reply_feed(&c->parser, &p, &left) == 1)
		c->replies++;
	return n;
}

static void set_why(struct dialogue_end *why, enum smtp_stage stage, enum trouble trouble, const char *text)
{
	why->stage = stage;
	why->trouble = trouble;
	why->untouched = true;
	why->reply.code = 0;
	why->reply.enhanced[0] = '\0';
	snprintf(why->reply.text, sizeof(why->reply.text), "%s", text);
}

/* What libcurl's code and the last reply together say. */
static struct dialogue_end explain(const struct connection *c, CURLcode code)
{
	struct dialogue_end why = { .envelope = NULL };
	const char *text = c->error[0] ? c->error : curl_easy_strerror(code);
	enum smtp_stage stage = c->replies == 0 ? STAGE_GREET : STAGE_EHLO;
	bool refused = c->replies > 0 && c->parser.reply.code >= 400;

	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_CONNECT: case CURLE_URL_MALFORMAT: case CURLE_INTERFACE_FAILED:
		set_why(&why, STAGE_CONNECT, TROUBLE_REFUSED, text);
		return why;
	case CURLE_USE_SSL_FAILED:
		set_why(&why, STAGE_TLS, TROUBLE_UNVERIFIED, !c->odd_starttls ? text :
			"the relay writes STARTTLS in lower case, which is not understood; use smtps:// with its port for TLS");
		return why;
	case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CERTPROBLEM:
		set_why(&why, STAGE_TLS, TROUBLE_UNVERIFIED, text);
		return why;
	case CURLE_SSL_CONNECT_ERROR:
		set_why(&why, STAGE_TLS, TROUBLE_REFUSED, text);
		return why;
	case CURLE_LOGIN_DENIED: case CURLE_AUTH_ERROR:
		set_why(&why, STAGE_AUTH, TROUBLE_NONE, text);
		why.reply.code = 535;
		if (refused)
			why.reply = c->parser.reply;
		return why;
	case CURLE_OPERATION_TIMEDOUT:
		set_why(&why, stage, TROUBLE_TIMEOUT, text);
		return why;
	}
	if (!refused) {
		set_why(&why, stage, TROUBLE_LOST, text);
		return why;
	}
	set_why(&why, c->replies == 1 ? STAGE_GREET : STAGE_EHLO, TROUBLE_NONE, "");
	why.reply = c->parser.reply;
	return why;
}

static void opening_failed(struct connection *c, CURLcode code)
{
	struct dialogue_end why = explain(c, code);

	c->hooks->failed(c, &why);
	die(c);
}

/* libcurl goes on without a login where none is offered: what then goes out is nobody's, and is refused later or taken for spam. */
static void not_logged_in(struct connection *c)
{
	struct dialogue_end why = { .envelope = NULL };

	set_why(&why, STAGE_AUTH, TROUBLE_NONE, "the relay offers no login (AUTH), and `user` is set; is the port right, and TLS on?");
	why.reply.code = 530;
	c->hooks->failed(c, &why);
	die(c);
}

static void opened(struct connection *c)
{
	char nothing[1];
	curl_socket_t fd = CURL_SOCKET_BAD;
	size_t n;

	curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD) {
		opening_failed(c, CURLE_RECV_ERROR);
		return;
	}
	c->fd = fd;
	c->state = CONNECTION_READY;
	c->armed = 0;
	timer_stop(c->timer);
	dialogue_init(&c->dialogue, c->can, c->size_limit);
	c->readable = event_new(c->base, fd, EV_READ | EV_PERSIST, readable_cb, c);
	c->writable = event_new(c->base, fd, EV_WRITE, writable_cb, c);
	if (!c->readable || !c->writable || event_add(c->readable, NULL) < 0)
		abort();
	c->active = c->ready_since = clock_steady();
	/* without this touch libcurl counts the connection as idle and closes it after 118 s */
	if (curl_easy_recv(c->easy, nothing, 1, &n) != CURLE_AGAIN)
		dialogue_fail(&c->dialogue, TROUBLE_GARBAGE);
	c->hooks->ready(c);
	connection_pump(c);
}

static void opened_cb(void *arg, CURLcode code)
{
	struct connection *c = arg;

	if (code == CURLE_OK && c->login && !(c->can & CAN_AUTH))
		not_logged_in(c);
	else if (code == CURLE_OK)
		opened(c);
	else
		opening_failed(c, code);
}

static void set_options(struct connection *c, const struct relay_config *config)
{
	CURL *e = c->easy;
	char *url = config->ehlo ? xasprintf("%s/%s", config->url, config->ehlo) : xstrdup(config->url);

	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)((c->times->connect + c->times->greet) / 1000));
	curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)((c->times->greet + US_SECOND - 1) / US_SECOND));
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, line_cb);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
	if (config->user) {
		curl_easy_setopt(e, CURLOPT_USERNAME, config->user);
		curl_easy_setopt(e, CURLOPT_PASSWORD, config->password);
	}
	/* the verification is libcurl's default, said here so that it is read here */
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_CAINFO, config->ca_file);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_USE_SSL, (long)(config->tls == TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	free(url);
}

struct connection *connection_new(struct relay *relay, struct loop *loop, struct transfer_pool *pool, const struct relay_config *config,
		const struct relay_times *times, const struct connection_hooks *hooks)
{
	struct connection *c = xcalloc(1, sizeof(*c));

	c->relay = relay;
	c->hooks = hooks;
	c->times = times;
	c->base = loop_base(loop);
	c->active = clock_steady();
	c->tls = config->tls != TLS_NONE;
	c->login = config->user;
	c->messages_most = config->messages ? (unsigned)config->messages : MESSAGES;
	reply_init(&c->parser);
	c->timer = timer_new(loop, timer_cb, c);
	c->easy = curl_easy_init();
	if (!c->easy)
		abort();
	set_options(c, config);
	c->transfer = transfer_start(pool, c->easy, 1, opened_cb, c);
	arm(c);
	return c;
}
