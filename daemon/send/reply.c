/*
 * reply.c: see reply.h.
 *
 * Works into the one text, so that no line is kept apart: a reply is some 30 bytes, and three or four come with a message.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "reply.h"

void reply_copy(struct reply *to, const struct reply *from)
{
	memcpy(to, from, offsetof(struct reply, text) + strlen(from->text) + 1);
}

void reply_init(struct reply_parser *p)
{
	memset(p, 0, sizeof(*p));
	p->done = true;
}

static void begin(struct reply_parser *p)
{
	p->reply.code = 0;
	p->reply.enhanced[0] = '\0';
	p->reply.text[0] = '\0';
	p->text_len = p->bytes = p->line = p->line_text = 0;
	p->done = p->cr = p->code_checked = false;
}

static void add_text(struct reply_parser *p, unsigned char c)
{
	if (p->text_len + 1 >= sizeof(p->reply.text))
		return;
	/* 8-bit texts are UTF-8 or somebody's Latin-1: they go to the database and to logs, which want neither guessed */
	p->reply.text[p->text_len++] = c == '\t' ? ' ' : (char)(c >= 0x20 && c < 0x7f ? c : '?');
	p->reply.text[p->text_len] = '\0';
}

/* "5.1.1" at the beginning of `s`, followed by a space or the end: its length, or 0. */
static size_t enhanced_length(const char *s)
{
	size_t n = 1, part, digits;

	if (*s != '2' && *s != '4' && *s != '5')
		return 0;
	for (part = 0; part < 2; part++) {
		if (s[n++] != '.')
			return 0;
		for (digits = 0; digits < 4 && isdigit((unsigned char)s[n]); digits++)
			n++;
		if (digits == 0 || digits > 3)
			return 0;
	}
	return s[n] == ' ' || s[n] == '\0' ? n : 0;
}

/* Code and separator of the line at hand; false: not a reply. */
static bool check_code(struct reply_parser *p)
{
	const char *h = p->head;

	p->code_checked = true;
	if (p->line < 3 || h[0] < '2' || h[0] > '5' || !isdigit((unsigned char)h[1]) || !isdigit((unsigned char)h[2]))
		return false;
	if (p->line > 3 && h[3] != ' ' && h[3] != '-')
		return false;
	p->reply.code = (h[0] - '0') * 100 + (h[1] - '0') * 10 + (h[2] - '0');
	return true;
}

/* 1: that was the last line; 0: more follow; -1: not a reply. */
static int end_line(struct reply_parser *p)
{
	const char *text = p->reply.text + p->line_text;
	bool last;
	size_t n;

	if (!p->code_checked && !check_code(p))
		return -1;
	last = p->line <= 3 || p->head[3] == ' ';
	n = enhanced_length(text);
	if (n > 0 && n < sizeof(p->reply.enhanced) && !p->reply.enhanced[0]) {
		memcpy(p->reply.enhanced, text, n);
		p->reply.enhanced[n] = '\0';
	}
	p->line = 0;
	p->code_checked = false;
	if (!last) {
		if (p->text_len > 0)
			add_text(p, ' ');
		p->line_text = p->text_len;
	}
	return last;
}

static int take_byte(struct reply_parser *p, char c)
{
	if (++p->bytes > REPLY_BYTES)
		return -1;
	if (c == '\n') {
		p->cr = false;
		return end_line(p);
	}
	if (p->cr)
		return -1;	/* a lone CR: somebody plays with line ends */
	if (c == '\r') {
		p->cr = true;
		return 0;
	}
	if (p->line < 4)
		p->head[p->line] = c;
	p->line++;
	if (p->line == 4 && !check_code(p))
		return -1;
	if (p->line > 4)
		add_text(p, (unsigned char)c);
	return 0;
}

/* Takes what of a line's text is as it should be, all at once: how many bytes that are. */
static size_t take_text(struct reply_parser *p, const char *data, size_t n)
{
	size_t room = sizeof(p->reply.text) - 1 - p->text_len, i;

	if (p->line < 4 || p->cr)
		return 0;
	n = n < room ? n : room;
	n = n < REPLY_BYTES - p->bytes ? n : REPLY_BYTES - p->bytes;
	i = text_printable(data, n);
	memcpy(p->reply.text + p->text_len, data, i);
	p->text_len += i;
	p->reply.text[p->text_len] = '\0';
	p->line += i;
	p->bytes += i;
	return i;
}

int reply_feed(struct reply_parser *p, const char **data, size_t *n)
{
	size_t taken;
	int rc = 0;

	while (*n > 0 && rc == 0) {
		if (p->done)
			begin(p);
		taken = take_text(p, *data, *n);
		*data += taken;
		*n -= taken;
		if (*n == 0)
			break;
		rc = take_byte(p, **data);
		(*data)++;
		(*n)--;
	}
	if (rc == 1)
		p->done = true;
	return rc;
}
