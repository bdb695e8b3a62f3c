/*
 * lmtp.c: accept -> commands -> the message -> the reception, a recipient after the other -> an answer for each.
 *
 * While a mail is with the reception nothing is read from its client, so that what is buffered stays bounded, and answers stay in order.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/token.h"

#include "incoming.h"
#include "lmtp.h"
#include "lmtp_words.h"
#include "reception.h"

#define CONNECTIONS 20			/* Postfix makes as many */
#define RECIPIENTS 100
#define LINE_MOST 4096
#define MESSAGE_MOST INCOMING_MAX_RAW
#define HELD_MOST (64 * 1024 * 1024)	/* of mails that are being said, in all */
#define SILENCE_S 300			/* RFC 5321 4.5.3.2 */
#define SOCKET_MODE 0666		/* Postfix drops all groups but its own; who may write there says nothing that the world may not mail */

METRIC(taken, COUNTER, "nurtured_lmtp_recipients_total", "result=\"taken\"", "Recipients of mails that came by LMTP, by answer.");
METRIC(put_off, COUNTER, "nurtured_lmtp_recipients_total", "result=\"later\"", "Recipients of mails that came by LMTP, by answer.");
METRIC(refused, COUNTER, "nurtured_lmtp_recipients_total", "result=\"refused\"", "Recipients of mails that came by LMTP, by answer.");

struct session {
	struct lmtp *lmtp;		/* NULL: stopped */
	struct session *next, *before;
	struct bufferevent *bev;	/* NULL: the client is gone, and a mail of it is with the reception */
	bool greeted, in_mail, in_data, waits, quits;
	char *sender;
	char *recipients[RECIPIENTS];
	size_t recipient_count, answered;
	struct lmtp_data data;
};

struct lmtp {
	struct reception *reception;
	struct plan *plan;
	const struct mailbox_config *config;
	char *url, *path;		/* path: NULL on TCP */
	struct evconnlistener *listener;
	struct session *sessions;
	size_t count, held;
};

static const char busy[] = "too many large mails come at once";

/* --- sessions ------------------------------------------------------------------------------------------------------- */

static void forget_mail(struct session *s)
{
	free(s->sender);
	s->sender = NULL;
	for (size_t i = 0; i < s->recipient_count; i++)
		free(s->recipients[i]);
	s->recipient_count = s->answered = 0;
	if (s->lmtp)
		s->lmtp->held -= s->data.bytes.len;
	buf_clear(&s->data.bytes);
	s->data = (struct lmtp_data){ 0 };
	s->in_mail = s->in_data = false;
}

static void unlink_session(struct session *s)
{
	struct lmtp *l = s->lmtp;

	if (!l)
		return;
	if (s->before)
		s->before->next = s->next;
	else
		l->sessions = s->next;
	if (s->next)
		s->next->before = s->before;
	l->count--;
	l->held -= s->data.bytes.len;
	s->lmtp = NULL;
}

/* What is with the reception is waited for: its `done` comes once more, and frees. */
static void end_session(struct session *s)
{
	if (s->bev)
		bufferevent_free(s->bev);
	s->bev = NULL;
	unlink_session(s);
	if (s->waits)
		return;
	forget_mail(s);
	free(s);
}

static void answer(struct session *s, const char *text)
{
	if (s->bev)
		evbuffer_add_printf(bufferevent_get_output(s->bev), "%s\r\n", text);
}

/* --- the message ------------------------------------------------------------------------------------------------------ */

static void next_recipient(struct session *s);
static void serve(struct session *s);

static void answer_recipient(struct session *s, bool committed, const char *why)
{
	const char *recipient = s->recipients[s->answered++];

	metric_add(committed ? &metric_taken : &metric_put_off, 1);
	if (!s->bev)
		;
	else if (committed)
		evbuffer_add_printf(bufferevent_get_output(s->bev), "250 2.1.5 <%s> taken\r\n", recipient);
	else
		evbuffer_add_printf(bufferevent_get_output(s->bev), "451 4.3.0 <%s> %s\r\n", recipient, why);
}

static void recipient_done(void *arg, bool committed, const char *why)
{
	struct session *s = arg;

	s->waits = false;
	answer_recipient(s, committed, why);
	if (!s->bev) {
		end_session(s);		/* the client is gone: it brings the others again */
		return;
	}
	next_recipient(s);
	if (!s->waits) {
		bufferevent_enable(s->bev, EV_READ);
		serve(s);
	}
}

/* 0: it has been given to the reception. */
static int give(struct session *s)
{
	struct buf raw = BUF_INIT;
	int rc;

	reception_envelope(&raw, s->sender, s->recipients[s->answered]);
	buf_add(&raw, buf_cstr(&s->data.bytes), s->data.bytes.len);
	rc = reception_take(s->lmtp->reception, s->lmtp->config->name, &raw, s->data.size, recipient_done, s);
	buf_clear(&raw);
	return rc;
}

static void next_recipient(struct session *s)
{
	while (s->answered < s->recipient_count) {
		if (give(s) == 0) {
			s->waits = true;
			bufferevent_disable(s->bev, EV_READ);
			return;
		}
		answer_recipient(s, false, "too many mails wait here");
	}
	forget_mail(s);
}

static void message_is_there(struct session *s)
{
	s->in_data = false;
	if ((int64_t)s->data.bytes.len == s->data.size) {
		next_recipient(s);
		return;
	}
	for (; s->answered < s->recipient_count; s->answered++) {
		bool never = s->data.size > MESSAGE_MOST;

		metric_add(never ? &metric_refused : &metric_put_off, 1);
		evbuffer_add_printf(bufferevent_get_output(s->bev), "%s <%s> %s\r\n", never ? "552 5.3.4" : "452 4.3.1", s->recipients[s->answered],
			never ? "the message has more than 25 MB" : busy);
	}
	forget_mail(s);
}

/* --- commands ----------------------------------------------------------------------------------------------------------- */

static bool is_domain_of(const char *domain, const struct sender_config *sender)
{
	return !strcasecmp(domain, sender->bounce_domain) || !strcasecmp(domain, sender->reply_domain);
}

/* r+TOKEN: may have been forwarded from a domain of ours. */
static bool has_token(const char *recipient, size_t n)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

	return n == 2 + TOKEN_TEXT - 1 && strchr("+-=", recipient[1]) && strspn(recipient + 2, alphabet) == TOKEN_TEXT - 1;
}

/* As far as it can be told: by its domain. */
static bool is_ours(const struct lmtp *l, const char *recipient)
{
	const char *at = strrchr(recipient, '@');
	const struct operator_config *o = &l->plan->operator;

	if (!at)
		return !strcasecmp(recipient, "postmaster");	/* RFC 5321 4.5.1 */
	for (size_t i = 0; i < o->sender_count; i++)
		if (is_domain_of(at + 1, &o->senders[i]))
			return true;
	for (const char *const *d = l->config->domains; d && *d; d++)
		if (!strcasecmp(at + 1, *d))
			return true;
	return has_token(recipient, (size_t)(at - recipient));
}

static void on_lhlo(struct session *s)
{
	forget_mail(s);
	s->greeted = true;
	evbuffer_add_printf(bufferevent_get_output(s->bev),
		"250-nurtured\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE %d\r\n", MESSAGE_MOST);
}

static void on_mail_from(struct session *s, const struct lmtp_command *c)
{
	if (!s->greeted) {
		answer(s, "503 5.5.1 LHLO comes first");
	} else if (s->in_mail) {
		answer(s, "503 5.5.1 there is a sender already");
	} else if (c->size > MESSAGE_MOST) {
		answer(s, "552 5.3.4 the message is too large");
	} else if ((uint64_t)c->size + s->lmtp->held > HELD_MOST) {
		evbuffer_add_printf(bufferevent_get_output(s->bev), "452 4.3.1 %s\r\n", busy);
	} else {
		s->in_mail = true;
		s->sender = xstrdup(c->path);
		answer(s, "250 2.1.0 go on");
	}
}

static void on_rcpt_to(struct session *s, const struct lmtp_command *c)
{
	if (!s->in_mail) {
		answer(s, "503 5.5.1 MAIL comes first");
	} else if (s->recipient_count == RECIPIENTS) {
		answer(s, "452 4.5.3 too many recipients for one message");
	} else if (!is_ours(s->lmtp, c->path)) {
		metric_add(&metric_refused, 1);
		answer(s, "550 5.1.2 that domain is none of those that mail comes back to; see `mailboxes` in nurtured.yaml");
	} else {
		s->recipients[s->recipient_count++] = xstrdup(c->path);
		answer(s, "250 2.1.5 go on");
	}
}

static void on_data(struct session *s)
{
	if (!s->in_mail) {
		answer(s, "503 5.5.1 MAIL comes first");
	} else if (!s->recipient_count) {
		answer(s, "503 5.5.1 there is no recipient");	/* RFC 2033 4.2 */
	} else {
		s->in_data = true;
		answer(s, "354 end with a dot on a line of its own");
	}
}

static void on_command(struct session *s, const struct lmtp_command *c)
{
	if (c->wrong) {
		answer(s, c->wrong);
		return;
	}
	switch (c->verb) {
	case LMTP_LHLO:
		on_lhlo(s);
		break;
	case LMTP_MAIL:
		on_mail_from(s, c);
		break;
	case LMTP_RCPT:
		on_rcpt_to(s, c);
		break;
	case LMTP_DATA:
		on_data(s);
		break;
	case LMTP_RSET:
		forget_mail(s);
		answer(s, "250 2.0.0 forgotten");
		break;
	case LMTP_NOOP:
		answer(s, "250 2.0.0 yes");
		break;
	case LMTP_VRFY:
		answer(s, "252 2.5.0 try it");
		break;
	case LMTP_QUIT:
		s->quits = true;
		answer(s, "221 2.0.0 bye");
		break;
	case LMTP_SMTP:
	case LMTP_UNKNOWN:
		break;
	}
}

/* --- bytes -------------------------------------------------------------------------------------------------------------- */

/* false: there is not enough to go on. */
static bool take_line(struct session *s, struct evbuffer *in)
{
	struct lmtp_command c;
	size_t n;
	char *line = evbuffer_readln(in, &n, EVBUFFER_EOL_CRLF);

	if (!line) {
		if (evbuffer_get_length(in) > LINE_MOST) {
			s->quits = true;
			answer(s, "500 5.5.2 that line is too long");
		}
		return false;
	}
	if (n > LINE_MOST) {
		s->quits = true;
		answer(s, "500 5.5.2 that line is too long");
	} else {
		lmtp_command_read(&c, line, n);
		on_command(s, &c);
	}
	free(line);
	return true;
}

static bool take_data(struct session *s, struct evbuffer *in)
{
	struct evbuffer_iovec part;
	bool ended = false;

	s->lmtp->held -= s->data.bytes.len;
	s->data.most = HELD_MOST - s->lmtp->held < INCOMING_MAX_RAW ? HELD_MOST - s->lmtp->held : INCOMING_MAX_RAW;
	while (!ended && evbuffer_peek(in, -1, NULL, &part, 1) > 0)
		evbuffer_drain(in, lmtp_data_feed(&s->data, part.iov_base, part.iov_len, &ended));
	s->lmtp->held += s->data.bytes.len;
	if (ended)
		message_is_there(s);
	return ended;
}

/* All that is there; nothing while a mail is with the reception. It may end the session: nothing is done with it behind this. */
static void serve(struct session *s)
{
	struct evbuffer *in = bufferevent_get_input(s->bev);

	while (!s->waits && !s->quits && (s->in_data ? take_data(s, in) : take_line(s, in)))
		;
	if (s->quits)	/* closed when the last answer is out */
		bufferevent_disable(s->bev, EV_READ);
}

static void read_cb(struct bufferevent *bev, void *arg)
{
	struct session *s = arg;

	(void)bev;
	if (!s->waits && !s->quits)
		serve(s);
}

static void write_cb(struct bufferevent *bev, void *arg)
{
	struct session *s = arg;

	if (s->quits && !s->waits && evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		end_session(s);
}

/* Lost, or silent for too long: what was not ended by a dot never was. */
static void event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct session *s = arg;

	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)))
		return;
	if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING)) {
		s->quits = true;
		answer(s, "421 4.4.2 nothing came for too long");
		return;
	}
	(void)bev;
	end_session(s);
}

static void accept_cb(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len, void *arg)
{
	static const char full[] = "421 4.3.2 too many connections\r\n";
	struct timeval silence = { SILENCE_S, 0 };
	struct lmtp *l = arg;
	struct session *s;

	(void)from;
	(void)len;
	if (l->count >= CONNECTIONS) {
		(void)!send(fd, full, strlen(full), MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->lmtp = l;
	s->next = l->sessions;
	if (s->next)
		s->next->before = s;
	l->sessions = s;
	l->count++;
	forget_mail(s);
	s->bev = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(s->bev, read_cb, write_cb, event_cb, s);
	bufferevent_set_timeouts(s->bev, &silence, &silence);
	bufferevent_setwatermark(s->bev, EV_READ, 0, 256 * 1024);
	bufferevent_enable(s->bev, EV_READ | EV_WRITE);
	answer(s, "220 nurtured LMTP");
}

/* --- the part ----------------------------------------------------------------------------------------------------------- */

static int open_socket(struct lmtp *l, const struct mailbox_config *config, struct err *err)
{
	if (config->port)
		return endpoint_tcp(config->host, config->port, err);
	l->path = xstrdup(config->host);
	return endpoint_unix(config->host, SOCKET_MODE, err);
}

int lmtp_start(struct loop *loop, struct reception *reception, struct plan *plan, const struct mailbox_config *config, struct lmtp **out,
	struct err *err)
{
	struct lmtp *l = xcalloc(1, sizeof(*l));
	int fd = open_socket(l, config, err);

	if (fd < 0) {
		free(l->path);
		free(l);
		return err_prefix(err, "mailbox %s", config->name);
	}
	l->reception = reception;
	l->plan = plan_ref(plan);
	l->config = config;
	l->url = xstrdup(config->url);
	l->listener = evconnlistener_new(loop_base(loop), accept_cb, l, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, CONNECTIONS, fd);
	if (!l->listener) {
		close(fd);
		lmtp_stop(&l);
		return err_set(err, "mailbox %s: cannot listen", config->name);
	}
	log_info("mailbox.open", L_STR("mailbox", config->name), L_STR("url", config->url));
	*out = l;
	return 0;
}

void lmtp_set_plan(struct lmtp *l, struct plan *plan, const struct mailbox_config *config)
{
	struct plan *before = l->plan;

	l->plan = plan_ref(plan);
	l->config = config;
	plan_unref(&before);
}

bool lmtp_is_at(const struct lmtp *l, const struct mailbox_config *config)
{
	return !strcmp(l->url, config->url);
}

void lmtp_stop(struct lmtp **lmtp)
{
	struct lmtp *l = *lmtp;

	if (!l)
		return;
	*lmtp = NULL;
	while (l->sessions)
		end_session(l->sessions);
	if (l->listener)
		evconnlistener_free(l->listener);
	if (l->path)
		(void)unlink(l->path);
	plan_unref(&l->plan);
	free(l->path);
	free(l->url);
	free(l);
}
