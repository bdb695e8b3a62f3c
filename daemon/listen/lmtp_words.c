/* lmtp_words.c: see lmtp_words.h. */
#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "lmtp_words.h"

static const struct {
	const char *word;
	enum lmtp_verb verb;
} verbs[] = {
	{ "LHLO", LMTP_LHLO }, { "MAIL", LMTP_MAIL }, { "RCPT", LMTP_RCPT }, { "DATA", LMTP_DATA }, { "RSET", LMTP_RSET }, { "NOOP", LMTP_NOOP },
	{ "VRFY", LMTP_VRFY }, { "QUIT", LMTP_QUIT }, { "HELO", LMTP_SMTP }, { "EHLO", LMTP_SMTP },
};

/* --- commands ------------------------------------------------------------------------------------------------------- */

static const char *skip_spaces(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	return s;
}

/* <local@domain>, "<>", and <@route:local@domain>, whose route is passed over. Behind it, or NULL. */
static const char *read_path(struct lmtp_command *out, const char *s, const char *end)
{
	const char *close = s, *colon;
	bool quoted = false;

	if (s == end || *s != '<')
		return NULL;
	s++;
	for (close = s; close < end && (quoted || *close != '>'); close++) {
		if (*close == '\\' && quoted && close + 1 < end)
			close++;
		else if (*close == '"')
			quoted = !quoted;
		if ((unsigned char)*close < 0x20 || *close == 0x7f)
			return NULL;
	}
	if (close >= end)
		return NULL;
	if (*s == '@' && (colon = memchr(s, ':', (size_t)(close - s))))
		s = colon + 1;
	if (close - s > LMTP_PATH_MAX)
		return NULL;
	memcpy(out->path, s, (size_t)(close - s));
	out->path[close - s] = '\0';
	return close + 1;
}

static bool is_parameter(const char *s, size_t n, const char *name)
{
	return strlen(name) == n && strncasecmp(s, name, n) == 0;
}

static const char *read_parameters(struct lmtp_command *out, const char *s, const char *end)
{
	while ((s = skip_spaces(s, end)) < end) {
		size_t n = 0;
		char number[24] = "";

		while (s + n < end && s[n] != ' ')
			n++;
		if (out->verb == LMTP_MAIL && n > 5 && strncasecmp(s, "SIZE=", 5) == 0) {
			if (n - 5 < sizeof(number))
				memcpy(number, s + 5, n - 5);
			if (text_int(number, &out->size) < 0 || out->size < 0)
				return "501 5.5.4 SIZE is a number of bytes";
		} else if (out->verb != LMTP_MAIL || !(is_parameter(s, n, "BODY=8BITMIME") || is_parameter(s, n, "BODY=7BIT") || is_parameter(s, n, "SMTPUTF8"))) {
			return "555 5.5.4 no such parameter here";
		}
		s += n;
	}
	return NULL;
}

static const char *read_envelope(struct lmtp_command *out, const char *s, const char *end)
{
	const char *word = out->verb == LMTP_MAIL ? "FROM:" : "TO:";
	size_t n = strlen(word);

	s = skip_spaces(s, end);
	if ((size_t)(end - s) < n || strncasecmp(s, word, n) != 0)
		return out->verb == LMTP_MAIL ? "501 5.5.2 write MAIL FROM:<address>" : "501 5.5.2 write RCPT TO:<address>";
	s = read_path(out, skip_spaces(s + n, end), end);
	if (!s || (out->verb == LMTP_RCPT && !*out->path))
		return out->verb == LMTP_MAIL ? "501 5.1.7 the address must stand in < >" : "501 5.1.3 the address must stand in < >";
	if (s < end && *s != ' ')
		return "501 5.5.2 a space must stand behind >";
	return read_parameters(out, s, end);
}

void lmtp_command_read(struct lmtp_command *out, const char *line, size_t n)
{
	const char *end = line + n;

	*out = (struct lmtp_command){ .verb = LMTP_UNKNOWN };
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (n >= 4 && strncasecmp(line, verbs[i].word, 4) == 0 && (n == 4 || line[4] == ' '))
			out->verb = verbs[i].verb;
	if (memchr(line, '\0', n)) {
		out->wrong = "500 5.5.2 a NUL is in that line";
		return;
	}
	switch (out->verb) {
	case LMTP_MAIL:
	case LMTP_RCPT:
		out->wrong = read_envelope(out, line + 4, end);
		break;
	case LMTP_LHLO:
		if (skip_spaces(line + 4, end) == end)
			out->wrong = "501 5.5.4 write LHLO and a name";
		break;
	case LMTP_DATA:
	case LMTP_RSET:
	case LMTP_QUIT:
		if (skip_spaces(line + 4, end) != end)
			out->wrong = "501 5.5.4 nothing may stand behind that";
		break;
	case LMTP_SMTP:
		out->wrong = "500 5.5.1 this is LMTP: write LHLO";
		break;
	case LMTP_UNKNOWN:
		out->wrong = "500 5.5.1 no such command";
		break;
	case LMTP_NOOP:
	case LMTP_VRFY:
		break;
	}
}

/* --- the message ------------------------------------------------------------------------------------------------------ */

enum { LINE, DOT, DOT_CR, TEXT, CR };

static void emit(struct lmtp_data *d, const char *s, size_t n)
{
	size_t room = d->bytes.len < d->most ? d->most - d->bytes.len : 0;

	buf_add(&d->bytes, s, n < room ? n : room);
	d->size += (int64_t)n;
}

/* Behind a CR that was taken for text. */
static int behind_cr(struct lmtp_data *d, const char *c)
{
	emit(d, c, 1);
	return *c == '\n' ? LINE : *c == '\r' ? CR : TEXT;
}

static int in_text(struct lmtp_data *d, const char *c)
{
	emit(d, c, 1);
	return *c == '\r' ? CR : TEXT;
}

size_t lmtp_data_feed(struct lmtp_data *d, const char *s, size_t n, bool *ended_out)
{
	*ended_out = false;
	for (size_t i = 0; i < n; i++) {
		const char *c = s + i;

		switch (d->state) {
		case LINE:
			d->state = *c == '.' ? DOT : in_text(d, c);
			break;
		case DOT:
			d->state = *c == '\r' ? DOT_CR : in_text(d, c);
			break;
		case DOT_CR:
			if (*c == '\n') {
				*ended_out = true;
				return i + 1;
			}
			emit(d, "\r", 1);
			d->state = behind_cr(d, c);
			break;
		case CR:
			d->state = behind_cr(d, c);
			break;
		case TEXT: {
			const char *cr = memchr(c, '\r', n - i);
			size_t run = cr ? (size_t)(cr - c) : n - i;

			if (run) {
				emit(d, c, run);
				i += run - 1;
			} else {
				d->state = in_text(d, c);
			}
			break;
		}
		}
	}
	return n;
}
