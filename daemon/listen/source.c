/*
 * source.c: which kind of mailbox an URL means, and each question to the one that it is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/text.h"
#include "listen/frame.h"

#include "imap_source.h"
#include "maildir_source.h"
#include "pop3_source.h"
#include "sandbox.h"
#include "source.h"

#define IDLE_LEAST (2 * US_MINUTE)	/* some servers forget to tell */
#define IDLE_MOST (9 * US_MINUTE)	/* some NATs forget the connection; a server may end it after 29 */

enum source_kind { SOURCE_IMAP, SOURCE_POP3, SOURCE_MAILDIR };

struct source {
	enum source_kind kind;
	json_t *config;
	const struct source_calls *calls;
	char *host, *folder, *move_to;	/* what imap's and pop3's config borrow */
	struct imap_source *imap;
	struct pop3_source *pop3;
	struct maildir_source *maildir;
};

static const struct scheme {
	const char *text;
	enum source_kind kind;
	bool tls;
	int port;
} schemes[] = {
	{ "imaps://", SOURCE_IMAP, true, 993 },
	{ "imap://", SOURCE_IMAP, false, 143 },
	{ "pop3s://", SOURCE_POP3, true, 995 },
	{ "pop3://", SOURCE_POP3, false, 110 },
};

/* --- opening -------------------------------------------------------------------------------------------- */

/* host[:port][/FOLDER], the host perhaps an [IPv6] one */
static int split_url(struct source *s, const char *rest, int default_port, int *port_out, struct err *err)
{
	const char *slash = strchr(rest, '/'), *end = slash ? slash : rest + strlen(rest), *colon = memrchr(rest, ':', (size_t)(end - rest));
	struct buf name = BUF_INIT;
	int64_t port = default_port;

	if (*rest == '[' && memchr(rest, ']', (size_t)(end - rest))) {
		const char *close = memchr(rest, ']', (size_t)(end - rest));

		colon = close[1] == ':' ? close + 1 : NULL;
		s->host = xstrndup(rest + 1, (size_t)(close - rest - 1));
	} else {
		s->host = xstrndup(rest, (size_t)((colon ? colon : end) - rest));
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
	s->folder = name.len ? buf_take(&name) : xstrdup("INBOX");
	buf_clear(&name);
	*port_out = (int)port;
	return *s->host ? 0 : err_set(err, "%s: no host", rest);
}

/* As the server names them. */
static int name_folders(struct source *s, struct err *err)
{
	struct buf folder = BUF_INIT, move_to = BUF_INIT;
	int rc = folder_name(&folder, s->folder, err) < 0 || folder_name(&move_to, frame_string(s->config, "move_to"), err) < 0 ? -1 : 0;

	free(s->folder);
	s->folder = buf_take(&folder);
	s->move_to = buf_take(&move_to);
	return rc;
}

static enum source_after after_of(const json_t *config)
{
	static const char *const names[] = { "keep", "seen", "move", "delete" };
	const char *after = frame_string(config, "after");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], after))
			return (enum source_after)i;
	return AFTER_KEEP;
}

static void open_imap(struct source *s, const struct tls_stream_config *stream, bool starttls)
{
	const json_t *c = s->config, *watermark = json_object_get(c, "watermark");
	struct imap_config config = {
		.stream = *stream, .starttls = starttls, .mailbox = s->folder, .user = frame_string(c, "user"), .password = frame_string(c, "password"),
		.by_token = json_is_true(json_object_get(c, "by_token")), .after = after_of(c), .move_to = s->move_to,
		.uidvalidity = (uint32_t)frame_integer(watermark, "uidvalidity", 0), .last_uid = (uint32_t)frame_integer(watermark, "last_uid", 0),
		.calls = s->calls,
	};

	s->imap = imap_new(&config);
}

static void open_pop3(struct source *s, const struct tls_stream_config *stream, bool starttls)
{
	const json_t *c = s->config;
	struct pop3_config config = {
		.stream = *stream, .starttls = starttls, .user = frame_string(c, "user"), .password = frame_string(c, "password"),
		.by_token = json_is_true(json_object_get(c, "by_token")), .delete = after_of(c) == AFTER_DELETE, .calls = s->calls,
	};

	s->pop3 = pop3_new(&config);
}

static int open_remote(struct source *s, const struct scheme *scheme, const char *url, int control_fd, struct err *err)
{
	struct tls_stream_config stream = { .tls = scheme->tls, .control_fd = control_fd, .cainfo = frame_string(s->config, "cainfo") };
	bool starttls = !scheme->tls && json_is_true(json_object_get(s->config, "starttls"));

	s->kind = scheme->kind;
	if (!scheme->tls && !starttls && !json_is_true(json_object_get(s->config, "cleartext")))
		return err_set(err, "%s: without STARTTLS the password would go in the clear", url);
	if (!*stream.cainfo)
		stream.cainfo = "/etc/ssl/certs/ca-certificates.crt";
	if (split_url(s, url + strlen(scheme->text), scheme->port, &stream.port, err) < 0 || name_folders(s, err) < 0)
		return -1;
	stream.host = s->host;
	sandbox_remote(stream.port, stream.cainfo);
	if (scheme->kind == SOURCE_IMAP)
		open_imap(s, &stream, starttls);
	else
		open_pop3(s, &stream, starttls);
	return 0;
}

static int open_url(struct source *s, int control_fd, struct err *err)
{
	const char *url = frame_string(s->config, "url");

	s->kind = SOURCE_MAILDIR;
	if (text_starts_with(url, "maildir:")) {
		sandbox_maildir(url + strlen("maildir:"));
		return maildir_open(url + strlen("maildir:"), &s->maildir, err);
	}
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (text_starts_with(url, schemes[i].text))
			return open_remote(s, &schemes[i], url, control_fd, err);
	return err_set(err, "%s: neither imaps://, imap://, pop3s://, pop3:// nor maildir:", url);
}

int source_open(json_t *config, int control_fd, const struct source_calls *calls, struct source **out, struct err *err)
{
	struct source *s = xcalloc(1, sizeof(*s));

	s->config = json_incref(config);
	s->calls = calls;
	if (open_url(s, control_fd, err) < 0) {
		source_free(&s);
		return -1;
	}
	*out = s;
	return 0;
}

void source_free(struct source **source)
{
	struct source *s = *source;

	if (!s)
		return;
	*source = NULL;
	imap_free(&s->imap);
	pop3_free(&s->pop3);
	maildir_close(&s->maildir);
	free(s->host);
	free(s->folder);
	free(s->move_to);
	json_decref(s->config);
	free(s);
}

/* --- to the one that it is ------------------------------------------------------------------------------ */

void source_known(struct source *s, const char *key, bool leave)
{
	switch (s->kind) {
	case SOURCE_IMAP:
		imap_known(s->imap, key, leave);
		break;
	case SOURCE_POP3:
		pop3_known(s->pop3, key, leave);
		break;
	case SOURCE_MAILDIR:
		s->calls->gone(s->calls->ctx, key);	/* of what was configured under this name before */
		break;
	}
}

bool source_wants_token(const struct source *s)
{
	return s->kind == SOURCE_IMAP ? imap_wants_token(s->imap) : s->kind == SOURCE_POP3 && pop3_wants_token(s->pop3);
}

void source_token(struct source *s, const char *token)
{
	if (s->kind == SOURCE_IMAP)
		imap_token(s->imap, token);
	else if (s->kind == SOURCE_POP3)
		pop3_token(s->pop3, token);
}

int source_refresh(struct source *s, enum source_trouble *trouble, struct err *err)
{
	switch (s->kind) {
	case SOURCE_IMAP:
		return imap_refresh(s->imap, trouble, err);
	case SOURCE_POP3:
		return pop3_refresh(s->pop3, trouble, err);
	case SOURCE_MAILDIR:
		*trouble = TROUBLE_NETWORK;
		return maildir_refresh(s->maildir, err);
	}
	return -1;
}

bool source_peek(const struct source *s, char *key, size_t size)
{
	const char *name;

	switch (s->kind) {
	case SOURCE_IMAP:
		return imap_peek(s->imap, key, size);
	case SOURCE_POP3:
		return pop3_peek(s->pop3, key, size);
	case SOURCE_MAILDIR:
		name = maildir_peek(s->maildir);
		if (name)
			snprintf(key, size, "%s", name);
		return name != NULL;
	}
	return false;
}

int source_next(struct source *s, struct incoming *out, struct err *err)
{
	switch (s->kind) {
	case SOURCE_IMAP:
		return imap_next(s->imap, out, err);
	case SOURCE_POP3:
		return pop3_next(s->pop3, out, err);
	case SOURCE_MAILDIR:
		return maildir_next(s->maildir, out, err);
	}
	return -1;
}

int source_done(struct source *s, const char *key, bool leave, struct err *err)
{
	switch (s->kind) {
	case SOURCE_IMAP:
		return imap_done(s->imap, key, leave, err);
	case SOURCE_POP3:
		return pop3_done(s->pop3, key, leave, err);
	case SOURCE_MAILDIR:
		return maildir_done(s->maildir, key, err);
	}
	return -1;
}

int source_rest(struct source *s, struct err *err)
{
	return s->kind == SOURCE_IMAP ? imap_rest(s->imap, err) : s->kind == SOURCE_POP3 ? pop3_rest(s->pop3, err) : 0;
}

int source_fd(const struct source *s)
{
	return s->kind == SOURCE_IMAP ? imap_fd(s->imap) : s->kind == SOURCE_MAILDIR ? maildir_fd(s->maildir) : -1;
}

int source_woken(struct source *s, struct err *err)
{
	return s->kind == SOURCE_IMAP ? imap_woken(s->imap, err) : 1;
}

int64_t source_interval(const struct source *s, int64_t poll)
{
	if (source_fd(s) < 0 || s->kind != SOURCE_IMAP)
		return poll;
	return poll < IDLE_LEAST ? IDLE_LEAST : poll > IDLE_MOST ? IDLE_MOST : poll;
}

const char *source_learns(const struct source *s)
{
	return source_fd(s) < 0 ? "asks" : "told";
}

bool source_is_remote(const struct source *s)
{
	return s->kind != SOURCE_MAILDIR;
}

uint32_t source_uidvalidity(const struct source *s)
{
	return s->kind == SOURCE_IMAP ? imap_uidvalidity(s->imap) : 0;
}
