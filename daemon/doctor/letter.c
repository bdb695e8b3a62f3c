/*
 * letter.c: see letter.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#include "letter.h"

/* A Maildir has bare LFs, and signatures are over CRLFs. */
static void take_text(struct buf *out, const char *raw, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (raw[i] == '\n' && (i == 0 || raw[i - 1] != '\r'))
			buf_char(out, '\r');
		buf_char(out, raw[i]);
	}
}

/* Where the line ends, before its CRLF. */
static const char *line_end(const char *p, const char *end)
{
	const char *found = memmem(p, (size_t)(end - p), "\r\n", 2);

	return found ? found : end;
}

static const char *next_line(const char *line_ends, const char *end)
{
	return line_ends == end ? end : line_ends + 2;
}

static char *unfolded(struct slice s)
{
	struct buf b = BUF_INIT;
	size_t i;

	s = slice_trim(s);
	for (i = 0; i < s.len; i++)
		if (s.data[i] != '\r' && s.data[i] != '\n' && s.data[i])
			buf_char(&b, s.data[i]);
	return buf_take(&b);
}

static void add_field(struct letter *l, struct slice raw)
{
	const char *colon = memchr(raw.data, ':', raw.len);
	struct letter_field *f;
	struct slice name;

	if (!colon || l->count == LETTER_FIELDS_MAX)
		return;
	l->fields = xreallocarray(l->fields, l->count + 1, sizeof(*l->fields));
	f = &l->fields[l->count++];
	name = slice_trim((struct slice){ raw.data, (size_t)(colon - raw.data) });
	f->raw = raw;
	f->name = xstrndup(name.data, name.len);
	text_lower(f->name);
	f->value = unfolded((struct slice){ colon + 1, (size_t)(raw.data + raw.len - colon - 1) });
}

void letter_open(struct letter *l, const char *raw, size_t n)
{
	const char *p, *end, *field_end;

	memset(l, 0, sizeof(*l));
	take_text(&l->text, raw, n);
	p = buf_cstr(&l->text);
	end = p + l->text.len;
	if (l->text.len > 5 && memcmp(p, "From ", 5) == 0)
		p = next_line(line_end(p, end), end);
	while (p < end && line_end(p, end) != p) {
		const char *start = p;

		do {
			field_end = line_end(p, end);
			p = next_line(field_end, end);
		} while (p < end && (*p == ' ' || *p == '\t'));
		add_field(l, (struct slice){ start, (size_t)(field_end - start) });
	}
	p = p < end ? next_line(p, end) : end;
	l->body = (struct slice){ p, (size_t)(end - p) };
}

void letter_clear(struct letter *l)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		free(l->fields[i].name);
		free(l->fields[i].value);
	}
	free(l->fields);
	buf_clear(&l->text);
	memset(l, 0, sizeof(*l));
}

const char *letter_nth(const struct letter *l, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (strcmp(l->fields[i].name, name) == 0 && n-- == 0)
			return l->fields[i].value;
	return NULL;
}

size_t letter_count(const struct letter *l, const char *name)
{
	size_t n = 0;

	while (letter_nth(l, name, n))
		n++;
	return n;
}
