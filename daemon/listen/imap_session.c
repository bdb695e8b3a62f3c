/*
 * imap_session.c: from nothing to a session that is logged in. Passwords go by LOGIN, or by AUTHENTICATE PLAIN where the server wants no LOGIN;
 * tokens by XOAUTH2 or OAUTHBEARER (RFC 7628). AUTHENTICATE and IDLE are spoken line by line, since libetpan's own ways through them know neither
 * OAUTHBEARER nor what a server says before its `+`.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

#include "imap_session.h"
#include "sasl.h"

void imap_allow(struct imap_source *s, size_t bytes, int64_t within)
{
	tls_stream_allow(mailstream_get_low(s->session->imap_stream), bytes, within);
}

void imap_disconnect(struct imap_source *s)
{
	if (s->session && s->session->imap_stream) {	/* first, or libetpan says LOGOUT, and waits for who may be silent */
		mailstream_close(s->session->imap_stream);
		s->session->imap_stream = NULL;
	}
	if (s->session)
		mailimap_free(s->session);
	s->session = NULL;
	s->idling = s->news = s->folder_made = false;
	s->count = s->next = 0;
}

int imap_failed(struct imap_source *s, const char *what, int rc, struct err *err)
{
	const char *host = s->config.stream.host, *said = s->session && s->session->imap_response ? s->session->imap_response : "";
	struct buf text = BUF_INIT;

	if (rc == MAILIMAP_ERROR_STREAM) {
		err_set(err, "%s: %s failed: %s", host, what,
			s->session && s->session->imap_stream ? tls_stream_why(mailstream_get_low(s->session->imap_stream)) : "connection lost");
	} else if (rc == MAILIMAP_ERROR_PARSE || rc == MAILIMAP_ERROR_MEMORY) {
		err_set(err, "%s: %s failed: what the server sent is no IMAP", host, what);
	} else {
		for (; *said && text.len < 200; said++)
			buf_char(&text, (unsigned char)*said < ' ' || *said == 127 ? ' ' : *said);
		err_set(err, "%s: %s failed; the server said: %s", host, what, text.len ? buf_cstr(&text) : "nothing");
	}
	buf_clear(&text);
	return -1;
}

/* --- line by line --------------------------------------------------------------------------------------- */

int imap_say(struct imap_source *s, const char *line)
{
	mailstream *stream = s->session->imap_stream;

	return mailstream_write(stream, line, strlen(line)) < 0 || mailstream_write(stream, "\r\n", 2) < 0 || mailstream_flush(stream) < 0 ? -1 : 0;
}

const char *imap_hear(struct imap_source *s)
{
	return mailstream_read_line_remove_eol(s->session->imap_stream, s->session->imap_stream_buffer);
}

/* Kept where libetpan keeps what it heard: for imap_failed(). */
static void keep_words(struct imap_source *s, const char *words)
{
	if (mmap_string_assign(s->session->imap_response_buffer, words))
		s->session->imap_response = s->session->imap_response_buffer->str;
}

/* --- logging in ----------------------------------------------------------------------------------------- */

/* The answer to AUTHENTICATE: 1: in; 0: no; -1: lost. `proof` goes where the server asks for it; asked again, it has said why not, and gets `heard`. */
static int hear_verdict(struct imap_source *s, const char *proof, bool said, const char *heard)
{
	static const char tag[] = "auth ";
	struct buf why = BUF_INIT;
	const char *line;
	int rc = -1;

	while (rc < 0 && (line = imap_hear(s))) {
		if (*line == '+') {
			if (said && text_base64_decode(line + strspn(line, "+ "), strlen(line + strspn(line, "+ ")), &why) < 0)
				buf_reset(&why);
			if (imap_say(s, said ? heard : proof) < 0)
				break;
			said = true;
		} else if (!strncmp(line, tag, strlen(tag))) {
			rc = !strncasecmp(line + strlen(tag), "OK", 2);
			if (why.len)
				buf_char(&why, ' ');
			buf_str(&why, line + strlen(tag));
			keep_words(s, buf_cstr(&why));
		} else if (!strncasecmp(line, "* BYE", 5)) {
			keep_words(s, line + 2);
			rc = 0;
		}
	}
	buf_clear(&why);
	return rc;
}

static int authenticate(struct imap_source *s, const char *mechanism, struct err *err)
{
	const struct imap_config *c = &s->config;
	bool at_once = mailimap_has_extension(s->session, "SASL-IR");
	struct buf plain = BUF_INIT, proof = BUF_INIT, line = BUF_INIT;
	int rc;

	sasl_first_words(&plain, mechanism, c->user, strcmp(mechanism, "PLAIN") ? s->token : c->password, c->stream.host, c->stream.port);
	text_base64(&proof, plain.data, plain.len);
	buf_printf(&line, "auth AUTHENTICATE %s%s%s", mechanism, at_once ? " " : "", at_once ? buf_cstr(&proof) : "");
	rc = imap_say(s, buf_cstr(&line)) < 0 ? -1 : hear_verdict(s, buf_cstr(&proof), at_once, sasl_heard(mechanism));
	sasl_wipe(&plain);
	sasl_wipe(&proof);
	sasl_wipe(&line);
	if (rc != 1)
		return imap_failed(s, "login", rc < 0 ? MAILIMAP_ERROR_STREAM : MAILIMAP_ERROR_LOGIN, err);
	s->session->imap_state = MAILIMAP_STATE_AUTHENTICATED;
	return 0;
}

/* Refused, but not because of who we are (RFC 5530). */
static bool is_passing(const char *said)
{
	static const char *const codes[] = { "[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "BYE" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (said && strcasestr(said, codes[i]))
			return true;
	return false;
}

static int by_token(struct imap_source *s, enum source_trouble *trouble, struct err *err)
{
	const char *mechanism = mailimap_has_authentication(s->session, "XOAUTH2") ? "XOAUTH2" :
		mailimap_has_authentication(s->session, "OAUTHBEARER") ? "OAUTHBEARER" : NULL;

	if (!mechanism) {
		*trouble = TROUBLE_LOGIN;
		return err_set(err, "%s: the server takes no token: it has neither XOAUTH2 nor OAUTHBEARER", s->config.stream.host);
	}
	if (authenticate(s, mechanism, err) == 0)
		return 0;
	if (s->session->imap_response && !is_passing(s->session->imap_response))
		*trouble = TROUBLE_TOKEN;
	return -1;
}

static int by_password(struct imap_source *s, enum source_trouble *trouble, struct err *err)
{
	const struct mailimap_response_info *info;
	int rc;

	if (mailimap_has_extension(s->session, "LOGINDISABLED") && mailimap_has_authentication(s->session, "PLAIN")) {
		if (authenticate(s, "PLAIN", err) == 0)
			return 0;
		if (s->session->imap_response && !is_passing(s->session->imap_response))
			*trouble = TROUBLE_LOGIN;
		return -1;
	}
	rc = mailimap_login(s->session, s->config.user, s->config.password);
	if (rc == MAILIMAP_NO_ERROR)
		return 0;
	info = s->session->imap_response_info;
	if (rc == MAILIMAP_ERROR_LOGIN && !(info && info->rsp_atom && (!strcasecmp(info->rsp_atom, "UNAVAILABLE") ||
		!strcasecmp(info->rsp_atom, "INUSE") || !strcasecmp(info->rsp_atom, "LIMIT") || !strcasecmp(info->rsp_atom, "SERVERBUG"))))
		*trouble = TROUBLE_LOGIN;
	return imap_failed(s, "login", rc, err);
}

/* --- connecting ----------------------------------------------------------------------------------------- */

static int ask_capabilities(struct imap_source *s, struct err *err)
{
	struct mailimap_capability_data *list = NULL;
	int rc;

	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_capability(s->session, &list);
	if (rc != MAILIMAP_NO_ERROR)
		return imap_failed(s, "CAPABILITY", rc, err);
	mailimap_capability_data_free(list);
	s->can_idle = mailimap_has_idle(s->session);
	s->can_move = mailimap_has_extension(s->session, "MOVE");
	s->can_expunge = mailimap_has_uidplus(s->session);
	return 0;
}

static int upgrade(struct imap_source *s, struct err *err)
{
	int rc = mailimap_starttls(s->session);

	if (rc != MAILIMAP_NO_ERROR)
		return imap_failed(s, "STARTTLS", rc, err);
	if (s->session->imap_stream->read_buffer_len > 0)	/* somebody in the middle spoke ahead */
		return err_set(err, "%s: bytes in the clear after STARTTLS", s->config.stream.host);
	return tls_stream_upgrade(mailstream_get_low(s->session->imap_stream), err);
}

static int greet(struct imap_source *s, struct err *err)
{
	mailstream_low *low;
	mailstream *stream;
	int rc;

	if (tls_stream_open(&s->config.stream, &low, err) < 0)
		return -1;
	stream = mailstream_new(low, 8192);
	s->session = mailimap_new(0, NULL);
	if (!stream || !s->session)
		return err_set(err, "out of memory");
	rc = mailimap_connect(s->session, stream);
	if (rc != MAILIMAP_NO_ERROR_NON_AUTHENTICATED && rc != MAILIMAP_NO_ERROR_AUTHENTICATED)
		return imap_failed(s, "the greeting", rc, err);
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	return s->config.starttls ? upgrade(s, err) : 0;
}

int imap_log_in(struct imap_source *s, enum source_trouble *trouble, struct err *err)
{
	int rc;

	if (greet(s, err) < 0 || ask_capabilities(s, err) < 0)
		return -1;
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = s->config.by_token ? by_token(s, trouble, err) : by_password(s, trouble, err);
	imap_token(s, NULL);
	return rc < 0 ? -1 : ask_capabilities(s, err);	/* more is told to who is in */
}
