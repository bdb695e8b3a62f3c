/*
 * letters.c: see letters.h. GLib has the tables; nothing here looks at the locale.
 */
#include <glib.h>

#include "base/text.h"

#include "letters.h"

static void ascii(struct buf *out, struct slice s, bool up)
{
	for (size_t i = 0; i < s.len; i++)
		buf_char(out, (char)(up ? g_ascii_toupper(s.data[i]) : g_ascii_tolower(s.data[i])));
}

/* Bytes of the character that begins here; g_utf8_next_char() casts a const away. */
static size_t width(const char *s)
{
	return (size_t)g_utf8_skip[(unsigned char)*s];
}

static void add_character(struct buf *out, gunichar c)
{
	char bytes[6];

	buf_add(out, bytes, (size_t)g_unichar_to_utf8(c, bytes));
}

void letters_up(struct buf *out, struct slice s)
{
	char *up;

	if (text_ascii(s.data, s.len) || !text_utf8_valid(s.data, s.len)) {
		ascii(out, s, true);
		return;
	}
	up = g_utf8_strup(s.data, (gssize)s.len);
	buf_str(out, up);
	g_free(up);
}

void letters_down(struct buf *out, struct slice s)
{
	if (text_ascii(s.data, s.len) || !text_utf8_valid(s.data, s.len)) {
		ascii(out, s, false);
		return;
	}
	for (const char *p = s.data; p < s.data + s.len; p += width(p)) {
		gunichar c = g_utf8_get_char(p);

		add_character(out, c == 0x130 ? 'i' : g_unichar_tolower(c));
		if (c == 0x130)		/* I with a dot keeps it */
			add_character(out, 0x307);
	}
}

void letters_capital(struct buf *out, struct slice s)
{
	struct slice first = { s.data, 0 }, rest;
	struct buf up = BUF_INIT;
	gunichar c, title;

	if (s.len == 0)
		return;
	if (!text_utf8_valid(s.data, s.len)) {
		first.len = 1;
		ascii(out, first, true);
		ascii(out, (struct slice){ s.data + 1, s.len - 1 }, false);
		return;
	}
	first.len = width(s.data);
	rest = (struct slice){ s.data + first.len, s.len - first.len };
	c = g_utf8_get_char(s.data);
	title = g_unichar_totitle(c);
	if (c >= 0x10d0 && c <= 0x10ff) {	/* Georgian has capitals for whole words alone */
		add_character(out, c);
	} else if (title != c || g_unichar_istitle(c)) {
		add_character(out, title);
	} else {	/* some become two, of which the first letter is the large one: Ss, Fi */
		letters_up(&up, first);
		for (first.len = 0; first.len < up.len;) {
			const char *p = buf_cstr(&up) + first.len;

			first.len += width(p);
			if (g_unichar_isupper(g_utf8_get_char(p)))
				break;
		}
		buf_add(out, buf_cstr(&up), first.len);
		letters_down(out, (struct slice){ buf_cstr(&up) + first.len, up.len - first.len });
		buf_clear(&up);
	}
	letters_down(out, rest);
}
