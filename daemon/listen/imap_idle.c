/*
 * imap_idle.c: the server says when there is mail (RFC 2177). It is asked again within minutes all the same: some forget to tell, NATs forget the
 * connection, and a server may end an IDLE after 29 minutes.
 */
#include <string.h>
#include <strings.h>

#include "imap_session.h"

static const char tag[] = "wait ";

bool imap_idles(const struct imap_source *s)
{
	return s->idling;
}

int imap_fd(const struct imap_source *s)
{
	return s->idling ? mailstream_low_get_fd(mailstream_get_low(s->session->imap_stream)) : -1;
}

static int lost(struct imap_source *s, struct err *err)
{
	imap_failed(s, "IDLE", MAILIMAP_ERROR_STREAM, err);
	imap_disconnect(s);
	return -1;
}

/* A line that was not asked for. -1: the server says good bye. */
static int unasked(struct imap_source *s, const char *line, struct err *err)
{
	size_t digits;

	if (strncmp(line, "* ", 2) != 0)
		return 0;
	if (!strncasecmp(line + 2, "BYE", 3)) {
		err_set(err, "%s: the server ends the session: %.200s", s->config.stream.host, line + 2);
		imap_disconnect(s);
		return -1;
	}
	digits = strspn(line + 2, "0123456789");
	if (digits && !strncasecmp(line + 2 + digits, " EXISTS", 7))
		s->news = true;
	return 0;
}

int imap_rest(struct imap_source *s, struct err *err)
{
	const char *line;

	if (!s->session)	/* lost over what was the last mail of the list */
		return 1;
	if (s->idling || !s->can_idle)
		return 0;
	/* told behind the list that we have, so that IDLE would not tell it again */
	s->news = s->session->imap_selection_info && s->session->imap_selection_info->sel_exists;
	if (s->news)
		return 1;
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	if (imap_say(s, "wait IDLE") < 0)
		return lost(s, err);
	while ((line = imap_hear(s))) {
		if (*line == '+') {
			s->idling = true;
			imap_allow(s, IMAP_ANSWER, US_DAY);
			return 0;
		}
		if (!strncmp(line, tag, strlen(tag))) {		/* it has it, and will not: asked now and then */
			s->can_idle = false;
			return 0;
		}
		if (unasked(s, line, err) < 0)
			return -1;
	}
	return lost(s, err);
}

/* Is there more to hear without waiting? -1: lost. */
static int more(struct imap_source *s, struct err *err)
{
	mailstream *stream = s->session->imap_stream;
	mailstream_low *low = mailstream_get_low(stream);
	ssize_t n;

	tls_stream_quick(low, true);
	n = mailstream_feed_read_buffer(stream);
	tls_stream_quick(low, false);
	if (n < 0)
		return tls_stream_nothing(low) ? 0 : lost(s, err);
	return n > 0;
}

int imap_woken(struct imap_source *s, struct err *err)
{
	const char *line;
	int rc = 0;

	while (s->idling && (rc = more(s, err)) > 0) {
		line = imap_hear(s);
		if (!line)
			return lost(s, err);
		if (!strncmp(line, tag, strlen(tag)))	/* it ended the wait by itself */
			s->idling = false;
		else if (unasked(s, line, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : s->news || !s->idling;
}

int imap_idle_end(struct imap_source *s, struct err *err)
{
	const char *line;

	if (!s->idling)
		return 0;
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	if (imap_say(s, "DONE") < 0)
		return lost(s, err);
	while ((line = imap_hear(s))) {
		if (!strncmp(line, tag, strlen(tag))) {
			s->idling = false;
			return 0;
		}
		if (unasked(s, line, err) < 0)
			return -1;
	}
	return lost(s, err);
}
