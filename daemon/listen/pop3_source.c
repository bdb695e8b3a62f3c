/*
 * pop3_source.c: one session a look: log in, list, fetch what is new, delete what was taken, QUIT. Lines are read with libetpan's stream, the
 * dialogue is ours: its own takes as much of a mail as a server sends.
 */
#include <libetpan/libetpan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include "pop3_source.h"
#include "sasl.h"

#define ANSWER (64 * 1024)
#define LIST (16 * 1024 * 1024)
#define MAIL (40 * 1024 * 1024)		/* of what comes, the first INCOMING_MAX_RAW are kept */
#define PATIENCE (60 * US_SECOND)
#define PATIENCE_MAIL (5 * US_MINUTE)
#define UIDL_MOST 70
#define TRIES 3
#define TRIES_LOST 8

/* Of a mail whose key we know. */
enum { GIVEN = 1, TAKEN, LEFT };

struct listed {
	int64_t number, size;
	char *key;
};

struct pop3_source {
	struct pop3_config config;
	mailstream *stream;		/* NULL: not connected */
	MMAPString *line;
	char *token;
	json_t *known;			/* key: GIVEN, TAKEN or LEFT */
	size_t given;
	struct listed *list;		/* to be fetched: from `next` on */
	size_t count, cap, next;
	bool cut;			/* the connection was lost before the end of the list */
	char *tried;
	int tries;
};

struct pop3_source *pop3_new(const struct pop3_config *config)
{
	struct pop3_source *s = xcalloc(1, sizeof(*s));

	s->config = *config;
	s->known = json_object();
	s->line = mmap_string_new("");
	return s;
}

static void forget_list(struct pop3_source *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].key);
	s->count = s->next = 0;
}

static void disconnect(struct pop3_source *s)
{
	if (s->stream)
		mailstream_close(s->stream);
	s->stream = NULL;
	forget_list(s);
}

void pop3_free(struct pop3_source **source)
{
	struct pop3_source *s = *source;

	if (!s)
		return;
	*source = NULL;
	disconnect(s);
	pop3_token(s, NULL);
	mmap_string_free(s->line);
	json_decref(s->known);
	free(s->list);
	free(s->tried);
	free(s);
}

bool pop3_wants_token(const struct pop3_source *s)
{
	return s->config.by_token && !s->stream && !s->token;
}

void pop3_token(struct pop3_source *s, const char *token)
{
	if (s->token)
		explicit_bzero(s->token, strlen(s->token));
	free(s->token);
	s->token = token ? xstrdup(token) : NULL;
}

static void set_known(struct pop3_source *s, const char *key, int state)
{
	json_object_set_new(s->known, key, json_integer(state));
}

static int known(const struct pop3_source *s, const char *key)
{
	return (int)json_integer_value(json_object_get(s->known, key));
}

void pop3_known(struct pop3_source *s, const char *key, bool leave)
{
	set_known(s, key, leave ? LEFT : TAKEN);
}

/* --- the dialogue --------------------------------------------------------------------------------------- */

static int lost(struct pop3_source *s, const char *what, struct err *err)
{
	return err_set(err, "%s: %s failed: %s", s->config.stream.host, what, tls_stream_why(mailstream_get_low(s->stream)));
}

static const char *hear(struct pop3_source *s)
{
	return mailstream_read_line_remove_eol(s->stream, s->line);
}

/* 1: +OK; 0: -ERR, or `+ ` where more is wanted, err says it; -1: lost. The line stays in s->line. */
static int verdict(struct pop3_source *s, const char *what, struct err *err)
{
	const char *line = hear(s);
	struct buf text = BUF_INIT;

	if (!line)
		return lost(s, what, err);
	if (!strncmp(line, "+OK", 3))
		return 1;
	for (; *line && text.len < 200; line++)
		buf_char(&text, (unsigned char)*line < ' ' || *line == 127 ? ' ' : *line);
	err_set(err, "%s: %s failed; the server said: %s", s->config.stream.host, what, text.len ? buf_cstr(&text) : "nothing");
	buf_clear(&text);
	return 0;
}

static int say(struct pop3_source *s, const char *word, const char *argument)
{
	return mailstream_write(s->stream, word, strlen(word)) < 0 || (argument && mailstream_write(s->stream, argument, strlen(argument)) < 0) ||
		mailstream_write(s->stream, "\r\n", 2) < 0 || mailstream_flush(s->stream) < 0 ? -1 : 0;
}

/* One command and its first line, within bounds for all that follows it. `what` is for messages: a password is an argument too. */
static int ask(struct pop3_source *s, const char *word, const char *argument, const char *what, size_t bytes, struct err *err)
{
	tls_stream_allow(mailstream_get_low(s->stream), bytes, bytes > ANSWER ? PATIENCE_MAIL : PATIENCE);
	return say(s, word, argument) < 0 ? lost(s, what, err) : verdict(s, what, err);
}

/* The next line of several, dots taken off: 1; 0: it was the last; -1: lost. */
static int next_line(struct pop3_source *s, const char *what, const char **out, struct err *err)
{
	const char *line = hear(s);

	if (!line)
		return lost(s, what, err);
	if (!strcmp(line, "."))
		return 0;
	*out = *line == '.' ? line + 1 : line;
	return 1;
}

/* --- logging in ----------------------------------------------------------------------------------------- */

/* Refused, but not because of who we are (RFC 2449 8, RFC 3206). */
static bool is_passing(const char *line)
{
	return strcasestr(line, "[IN-USE]") || strcasestr(line, "[SYS/") || strcasestr(line, "[LOGIN-DELAY]");
}

static int refused(struct pop3_source *s, int rc, enum source_trouble kind, enum source_trouble *trouble)
{
	if (rc == 0 && !is_passing(s->line->str))
		*trouble = kind;
	return -1;
}

static int by_password(struct pop3_source *s, enum source_trouble *trouble, struct err *err)
{
	int rc = ask(s, "USER ", s->config.user, "login", ANSWER, err);

	if (rc == 1)
		rc = ask(s, "PASS ", s->config.password, "login", ANSWER, err);
	return rc == 1 ? 0 : refused(s, rc, TROUBLE_LOGIN, trouble);
}

/* "SASL PLAIN XOAUTH2" of CAPA (RFC 2449 6.3) */
static bool names(const char *line, const char *mechanism)
{
	size_t n = strlen(mechanism);

	if (strncasecmp(line, "SASL ", 5))
		return false;
	for (line = strchr(line, ' '); line; line = strchr(line, ' ')) {
		line += strspn(line, " ");
		if (!strncasecmp(line, mechanism, n) && (!line[n] || line[n] == ' '))
			return true;
	}
	return false;
}

/* How it takes tokens; a server that does not say is tried with what most have. NULL: not at all, or it is lost: *rc -1. */
static const char *token_mechanism(struct pop3_source *s, int *rc, struct err *err)
{
	bool sasl = false, xoauth2 = false, bearer = false;
	const char *line;
	int got = ask(s, "CAPA", NULL, "CAPA", ANSWER, err);

	*rc = got;
	while (got == 1 && (got = next_line(s, "CAPA", &line, err)) == 1) {
		sasl = sasl || !strncasecmp(line, "SASL ", 5);
		xoauth2 = xoauth2 || names(line, "XOAUTH2");
		bearer = bearer || names(line, "OAUTHBEARER");
	}
	if (got < 0)
		*rc = -1;
	return got < 0 ? NULL : xoauth2 || !sasl ? "XOAUTH2" : bearer ? "OAUTHBEARER" : NULL;
}

static int authenticate(struct pop3_source *s, const char *mechanism, struct err *err)
{
	struct buf plain = BUF_INIT, proof = BUF_INIT;
	int rc = ask(s, "AUTH ", mechanism, "login", ANSWER, err);

	sasl_first_words(&plain, mechanism, s->config.user, s->token, s->config.stream.host, s->config.stream.port);
	text_base64(&proof, plain.data, plain.len);
	if (rc == 0 && s->line->str[0] == '+')
		rc = ask(s, buf_cstr(&proof), NULL, "login", ANSWER, err);
	if (rc == 0 && s->line->str[0] == '+')		/* it says why not, and wants to be heard */
		rc = ask(s, sasl_heard(mechanism), NULL, "login", ANSWER, err);
	sasl_wipe(&plain);
	sasl_wipe(&proof);
	return rc;
}

static int by_token(struct pop3_source *s, enum source_trouble *trouble, struct err *err)
{
	int rc;
	const char *mechanism = token_mechanism(s, &rc, err);

	if (rc < 0)
		return -1;
	if (!mechanism) {
		*trouble = TROUBLE_LOGIN;
		return err_set(err, "%s: the server takes no token: it has neither XOAUTH2 nor OAUTHBEARER", s->config.stream.host);
	}
	rc = authenticate(s, mechanism, err);
	return rc == 1 ? 0 : refused(s, rc, TROUBLE_TOKEN, trouble);
}

static int upgrade(struct pop3_source *s, struct err *err)
{
	if (ask(s, "STLS", NULL, "STLS", ANSWER, err) != 1)
		return -1;
	if (s->stream->read_buffer_len > 0)
		return err_set(err, "%s: bytes in the clear after STLS", s->config.stream.host);
	return tls_stream_upgrade(mailstream_get_low(s->stream), err);
}

static int log_in(struct pop3_source *s, enum source_trouble *trouble, struct err *err)
{
	mailstream_low *low;
	int rc;

	if (tls_stream_open(&s->config.stream, &low, err) < 0)
		return -1;
	s->stream = mailstream_new(low, 8192);
	if (!s->stream)
		return err_set(err, "out of memory");
	if (verdict(s, "the greeting", err) != 1 || (s->config.starttls && upgrade(s, err) < 0))
		return -1;
	rc = s->config.by_token ? by_token(s, trouble, err) : by_password(s, trouble, err);
	pop3_token(s, NULL);
	return rc;
}

/* --- what is there -------------------------------------------------------------------------------------- */

/* "12 whqtswO00WBw418f9t5JxYwZ" */
static void take_key(struct pop3_source *s, const char *line)
{
	char *rest;
	long long number = strtoll(line, &rest, 10);
	size_t n;

	if (number < 1 || *rest != ' ')
		return;
	rest += strspn(rest, " ");
	n = strlen(rest);
	if (!n || n > UIDL_MOST || !text_utf8_valid(rest, n))
		return;
	s->list = xgrow(s->list, &s->cap, s->count + 1, sizeof(*s->list));
	s->list[s->count++] = (struct listed){ .number = number, .key = xstrdup(rest) };
}

/* "12 3456"; both lists have the order of the numbers. */
static void take_size(struct pop3_source *s, const char *line, size_t *at)
{
	char *rest;
	long long number = strtoll(line, &rest, 10), size = strtoll(rest, NULL, 10);

	while (*at < s->count && s->list[*at].number < number)
		++*at;
	if (*at < s->count && s->list[*at].number == number && size > 0)
		s->list[*at].size = size;
}

static int list_keys(struct pop3_source *s, struct err *err)
{
	const char *line;
	int rc = ask(s, "UIDL", NULL, "UIDL", LIST, err);

	if (rc == 0)
		return err_prefix(err, "which mails were read already cannot be told");
	while (rc == 1 && (rc = next_line(s, "UIDL", &line, err)) == 1)
		take_key(s, line);
	return rc;
}

static int list_sizes(struct pop3_source *s, struct err *err)
{
	const char *line;
	size_t at = 0;
	int rc = ask(s, "LIST", NULL, "LIST", LIST, err);

	while (rc == 1 && (rc = next_line(s, "LIST", &line, err)) == 1)
		take_size(s, line, &at);
	return rc;
}

/* What the server lists no longer need not be known any more. */
static void forget_gone(struct pop3_source *s)
{
	json_t *there = json_object(), *value;
	const char *key;
	void *next;

	for (size_t i = 0; i < s->count; i++)
		json_object_set_new(there, s->list[i].key, json_true());
	json_object_foreach_safe(s->known, next, key, value) {
		if (json_integer_value(value) == GIVEN || json_object_get(there, key))
			continue;
		s->config.calls->gone(s->config.calls->ctx, key);
		json_object_del(s->known, key);
	}
	json_decref(there);
}

static int delete(struct pop3_source *s, int64_t number, struct err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return ask(s, "DELE ", text, "DELE", ANSWER, err);
}

/* Those that were taken already are deleted where that is wanted, and leave the list. */
static int pass_over_known(struct pop3_source *s, struct err *err)
{
	size_t kept = 0, i;
	int rc = 0;

	for (i = 0; i < s->count && rc >= 0; i++) {
		int state = known(s, s->list[i].key);

		if (state == TAKEN && s->config.delete)
			rc = delete(s, s->list[i].number, err);
		if (state)
			free(s->list[i].key);
		else
			s->list[kept++] = s->list[i];
	}
	for (; i < s->count; i++)
		free(s->list[i].key);
	s->count = kept;
	return rc < 0 ? -1 : 0;
}

static int start(struct pop3_source *s, enum source_trouble *trouble, struct err *err)
{
	if (log_in(s, trouble, err) < 0 || list_keys(s, err) < 0)
		return -1;
	forget_gone(s);
	return list_sizes(s, err) < 0 || pass_over_known(s, err) < 0 ? -1 : 0;
}

int pop3_refresh(struct pop3_source *s, enum source_trouble *trouble, struct err *err)
{
	*trouble = TROUBLE_NETWORK;
	s->cut = false;
	if (s->stream && (s->given || s->next < s->count))
		return 0;	/* this session is not at its end */
	disconnect(s);
	if (start(s, trouble, err) == 0)
		return 0;
	disconnect(s);
	return -1;
}

/* --- one mail ------------------------------------------------------------------------------------------- */

bool pop3_peek(const struct pop3_source *s, char *key, size_t size)
{
	if (s->next >= s->count)
		return false;
	snprintf(key, size, "%s", s->list[s->next].key);
	return true;
}

static int fetch(struct pop3_source *s, const struct listed *mail, struct incoming *out, struct err *err)
{
	bool whole = mail->size < MAIL - ANSWER;	/* of a giant, its beginning */
	const char *line, *what = whole ? "RETR" : "TOP";
	char argument[40];
	int rc;

	snprintf(argument, sizeof(argument), whole ? "%lld" : "%lld 2000", (long long)mail->number);
	rc = ask(s, whole ? "RETR " : "TOP ", argument, what, MAIL, err);
	while (rc == 1 && (rc = next_line(s, what, &line, err)) == 1) {
		size_t n = s->line->len - (size_t)(line - s->line->str);

		out->size += (int64_t)n + 2;
		if (out->raw.len >= INCOMING_MAX_RAW)
			continue;
		buf_add(&out->raw, line, n);
		buf_str(&out->raw, "\r\n");
	}
	if (out->raw.len > INCOMING_MAX_RAW)
		buf_cut(&out->raw, INCOMING_MAX_RAW);
	if (!whole && out->size < mail->size)
		out->size = mail->size;
	return rc < 0 ? -1 : out->size ? 1 : 0;
}

static bool give_up(struct pop3_source *s, const char *key, bool connection)
{
	if (!s->tried || strcmp(s->tried, key)) {
		free(s->tried);
		s->tried = xstrdup(key);
		s->tries = 0;
	}
	return ++s->tries >= (connection ? TRIES_LOST : TRIES);
}

int pop3_next(struct pop3_source *s, struct incoming *out, struct err *err)
{
	struct listed mail = s->list[s->next];
	char *key = xstrdup(mail.key);
	int rc;

	memset(out, 0, sizeof(*out));
	rc = fetch(s, &mail, out, err);
	if (rc == 1) {
		s->next++;
	} else {
		incoming_clear(out);
		disconnect(s);
		s->cut = true;
		if (!give_up(s, key, rc < 0)) {
			free(key);
			return -1;
		}
	}
	set_known(s, key, GIVEN);
	s->given++;
	out->key = key;
	out->received = clock_now();
	return 1;
}

static int64_t number_of(const struct pop3_source *s, const char *key)
{
	for (size_t i = 0; s->stream && i < s->count; i++)
		if (!strcmp(s->list[i].key, key))
			return s->list[i].number;
	return 0;
}

int pop3_done(struct pop3_source *s, const char *key, bool leave, struct err *err)
{
	int64_t number = number_of(s, key);
	int rc;

	if (known(s, key) == GIVEN)
		s->given--;
	set_known(s, key, leave ? LEFT : TAKEN);
	if (!number || leave || !s->config.delete)
		return 0;
	rc = delete(s, number, err);
	if (rc < 0)
		disconnect(s);
	return rc == 1 ? 0 : -1;
}

int pop3_rest(struct pop3_source *s, struct err *err)
{
	int rc;

	if (!s->stream || s->given)
		return s->cut;
	rc = ask(s, "QUIT", NULL, "QUIT", ANSWER, err);
	disconnect(s);
	return rc == 1 ? 0 : -1;
}
