/*
 * filters_text.c: filters on texts. Anything else is taken as it would be printed. Lengths and places count
 * characters, not bytes.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "program.h"

static struct slice in_text(struct filter_call *c)
{
	struct slice s = liquid_text(c->r, c->in);

	return s.data ? s : (struct slice){ "", 0 };
}

static struct slice arg_text(struct filter_call *c, int i)
{
	struct slice s = i < c->count ? liquid_text(c->r, c->args[i]) : (struct slice){ "", 0 };

	return s.data ? s : (struct slice){ "", 0 };
}

static struct buf *scratch(struct filter_call *c)
{
	buf_reset(&c->r->scratch);
	return &c->r->scratch;
}

/* Bytes of the character at s[i]. */
static size_t character(struct slice s, size_t i)
{
	size_t n = 1;

	while (i + n < s.len && ((unsigned char)s.data[i + n] & 0xc0) == 0x80 && n < 4)
		n++;
	return n;
}

static size_t byte_of(struct slice s, size_t characters)
{
	size_t i = 0;

	while (characters-- && i < s.len)
		i += character(s, i);
	return i;
}

/* --- case ----------------------------------------------------------------------------------------------- */

/*
 * The two-byte letters of Latin-1, Greek and Cyrillic whose other case is a fixed way off; ASCII. Others
 * stay.
 */
static unsigned other_case(unsigned c, bool up)
{
	if (up && c >= 'a' && c <= 'z')
		return c - 32;
	if (!up && c >= 'A' && c <= 'Z')
		return c + 32;
	if (up && ((c >= 0xe0 && c <= 0xfe && c != 0xf7) || (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) ||
			  (c >= 0x430 && c <= 0x44f)))
		return c - 32;
	if (!up && ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) ||
			   (c >= 0x410 && c <= 0x42f)))
		return c + 32;
	if ((c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
		return up ? c & ~1u : c | 1u;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return up == (bool)(c & 1) ? c : up ? c - 1 : c + 1;
	if (up && c >= 0x450 && c <= 0x45f)
		return c - 80;
	if (!up && c >= 0x400 && c <= 0x40f)
		return c + 80;
	return c;
}

static void add_cased(struct buf *out, struct slice s, bool up)
{
	for (size_t i = 0; i < s.len; ) {
		size_t n = character(s, i);
		unsigned char first = (unsigned char)s.data[i];
		unsigned c;

		if (n == 1) {
			buf_char(out, (char)(first < 0x80 ? other_case(first, up) : first));
		} else if (up && n == 2 && first == 0xc3 && (unsigned char)s.data[i + 1] == 0x9f) {
			buf_str(out, "SS");	/* sharp s has no capital of its own in common use */
		} else if (n == 2 && first >= 0xc2) {
			c = other_case(
				(unsigned)(first & 0x1f) << 6 | ((unsigned char)s.data[i + 1] & 0x3f), up);
			buf_char(out, (char)(0xc0 | c >> 6));
			buf_char(out, (char)(0x80 | (c & 0x3f)));
		} else {
			buf_add(out, s.data + i, n);
		}
		i += n;
	}
}

static struct value do_upcase(struct filter_call *c)
{
	struct slice s = in_text(c);

	add_cased(scratch(c), s, true);
	return render_scratch(c->r);
}

static struct value do_downcase(struct filter_call *c)
{
	struct slice s = in_text(c);

	add_cased(scratch(c), s, false);
	return render_scratch(c->r);
}

static struct value do_capitalize(struct filter_call *c)
{
	struct slice s = in_text(c);
	size_t n = s.len ? character(s, 0) : 0;
	struct buf *out = scratch(c);

	add_cased(out, (struct slice){ s.data, n }, true);
	add_cased(out, (struct slice){ s.data + n, s.len - n }, false);
	return render_scratch(c->r);
}

/* --- joining and cutting -------------------------------------------------------------------------------- */

static struct value joined(struct filter_call *c, struct slice a, struct slice b)
{
	struct buf *out = scratch(c);

	buf_add(out, a.data, a.len);
	buf_add(out, b.data, b.len);
	return render_scratch(c->r);
}

static struct value do_append(struct filter_call *c)
{
	struct slice a = in_text(c), b = arg_text(c, 0);

	return joined(c, a, b);
}

static struct value do_prepend(struct filter_call *c)
{
	struct slice a = in_text(c), b = arg_text(c, 0);

	return joined(c, b, a);
}

static bool is_space(char ch)
{
	return ch == ' ' || (ch >= '\t' && ch <= '\r') || ch == '\0';
}

static struct value stripped(struct filter_call *c, bool left, bool right)
{
	struct slice s = in_text(c);

	while (left && s.len && is_space(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (right && s.len && is_space(s.data[s.len - 1]))
		s.len--;
	return value_slice(s);
}

static struct value do_strip(struct filter_call *c)
{
	return stripped(c, true, true);
}

static struct value do_lstrip(struct filter_call *c)
{
	return stripped(c, true, false);
}

static struct value do_rstrip(struct filter_call *c)
{
	return stripped(c, false, true);
}

static struct value do_strip_newlines(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf *out = scratch(c);

	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] != '\n' && s.data[i] != '\r')
			buf_char(out, s.data[i]);
	return render_scratch(c->r);
}

static struct value do_newline_to_br(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf *out = scratch(c);

	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '\r' && i + 1 < s.len && s.data[i + 1] == '\n')
			continue;
		if (s.data[i] == '\n')
			buf_str(out, "<br />\n");
		else
			buf_char(out, s.data[i]);
	}
	return render_scratch(c->r);
}

/* As Ruby's Integer(): a text has to be one as a whole, and nil is none. */
static bool whole_argument(struct filter_call *c, int i, int64_t otherwise, int64_t *out)
{
	char copy[32];
	struct slice s;

	*out = otherwise;
	if (i >= c->count)
		return true;
	*out = liquid_integer(c->args[i]);
	if (c->args[i].type == VALUE_INT)
		return true;
	s = c->args[i].type == VALUE_TEXT ? slice_trim(c->args[i].text) : (struct slice){ "", 0 };
	snprintf(copy, sizeof(copy), "%.*s", (int)(s.len < 30 ? s.len : 30), s.data ? s.data : "");
	if (s.len && s.len < 30 && text_int(copy, out) == 0)
		return true;
	render_fail(c->r, "a whole number is wanted, not a %s", value_type_name(c->args[i].type));
	return false;
}

static struct value do_truncate(struct filter_call *c)
{
	struct slice s, end = c->count > 1 ? arg_text(c, 1) : (struct slice){ "...", 3 };
	int64_t length, keep;

	if (c->in.type == VALUE_NIL || !whole_argument(c, 0, 50, &length))
		return value_nil;
	s = in_text(c);
	if ((int64_t)text_utf8_length(s.data, s.len) <= length)
		return value_slice(s);
	keep = length - (int64_t)text_utf8_length(end.data, end.len);
	s.len = byte_of(s, keep > 0 ? (size_t)keep : 0);
	return joined(c, s, end);
}

static struct value do_truncatewords(struct filter_call *c)
{
	struct slice s = in_text(c), end = c->count > 1 ? arg_text(c, 1) : (struct slice){ "...", 3 };
	int64_t words;
	struct buf *out;
	size_t i = 0;

	if (c->in.type == VALUE_NIL || !whole_argument(c, 0, 15, &words))
		return value_nil;
	words = words > 0 ? words : 1;
	out = scratch(c);
	for (int64_t n = 0; ; n++) {
		size_t start;

		while (i < s.len && is_space(s.data[i]))
			i++;
		if (i == s.len) {
			buf_reset(out);
			return value_slice(s);	/* not more than `words` of them */
		}
		if (n == words)
			break;
		for (start = i; i < s.len && !is_space(s.data[i]); i++)
			;
		if (n)
			buf_char(out, ' ');
		buf_add(out, s.data + start, i - start);
	}
	buf_add(out, end.data, end.len);
	return render_scratch(c->r);
}

static struct value slice_of_list(struct filter_call *c, int64_t from, int64_t count)
{
	const struct value_list *l = c->in.list;
	int64_t n = (int64_t)l->count;

	from = from < 0 ? from + n : from;
	if (from < 0 || from >= n || count <= 0)
		return liquid_list(c->r, NULL, 0);
	count = count < n - from ? count : n - from;
	return liquid_list(c->r, l->items + from, (size_t)count);
}

static struct value do_slice(struct filter_call *c)
{
	struct slice s;
	int64_t from, count = 1, n;

	if (!whole_argument(c, 0, 0, &from))
		return value_nil;
	if (c->count > 1 && c->args[1].type != VALUE_NIL && !whole_argument(c, 1, 1, &count))
		return value_nil;
	if (c->in.type == VALUE_LIST)
		return slice_of_list(c, from, count);
	s = in_text(c);
	n = (int64_t)text_utf8_length(s.data, s.len);
	from = from < 0 ? from + n : from;
	if (from < 0 || from > n || count <= 0)
		return value_slice((struct slice){ "", 0 });
	n = (int64_t)byte_of(s, (size_t)from);
	s = (struct slice){ s.data + n, s.len - (size_t)n };
	s.len = byte_of(s, (size_t)count);
	return value_slice(s);
}

static struct value do_split(struct filter_call *c)
{
	struct slice s = in_text(c), by = arg_text(c, 0);
	struct value_builder *b = value_build_list(c->r->env->arena);
	bool words = by.len == 1 && by.data[0] == ' ';
	size_t count = 0, filled = 0, i = 0;
	struct value *items;

	while (i <= s.len && s.len) {
		size_t start, n;

		while (words && i < s.len && is_space(s.data[i]))
			i++;
		if (i == s.len && (words || by.len == 0))
			break;
		start = i;
		if (words) {
			while (i < s.len && !is_space(s.data[i]))
				i++;
			n = i - start;
		} else if (by.len == 0) {
			n = character(s, i);
			i += n;
		} else {
			const char *next = memmem(s.data + i, s.len - i, by.data, by.len);

			n = next ? (size_t)(next - s.data) - i : s.len - i;
			i = next ? i + n + by.len : s.len + 1;
		}
		value_add(b, value_slice((struct slice){ s.data + start, n }));
		filled = n ? count + 1 : filled;
		count++;
	}
	/* as Ruby's split: no empty texts at the end */
	items = (struct value *)(uintptr_t)value_built(b).list->items;
	return liquid_list(c->r, items, filled);
}

/* --- replacing ------------------------------------------------------------------------------------------ */

static struct value replaced_everywhere(struct filter_call *c, struct slice what, struct slice with)
{
	struct slice s = in_text(c);
	struct buf *out = scratch(c);
	size_t i = 0;

	while (i <= s.len) {
		const char *found = i < s.len || what.len == 0
					    ? memmem(s.data + i, s.len - i, what.data, what.len)
					    : NULL;
		size_t n = found ? (size_t)(found - s.data) - i : s.len - i;

		buf_add(out, s.data + i, n);
		if (!found || out->len > (1 << 20))
			break;
		buf_add(out, with.data, with.len);
		i += n + what.len;
		if (what.len == 0) {
			n = i < s.len ? character(s, i) : 1;
			buf_add(out, s.data + i, i < s.len ? n : 0);
			i += n;
		}
	}
	return render_scratch(c->r);
}

static struct value replaced_once(struct filter_call *c, struct slice what, struct slice with, bool last)
{
	struct slice s = in_text(c);
	const char *found = NULL, *p;
	struct buf *out;

	for (size_t i = 0; i <= s.len; i = (size_t)(p - s.data) + 1) {
		p = memmem(s.data + i, s.len - i, what.data, what.len);
		if (!p)
			break;
		found = p;
		if (!last)
			break;
	}
	if (!found)
		return value_slice(s);
	out = scratch(c);
	buf_add(out, s.data, (size_t)(found - s.data));
	buf_add(out, with.data, with.len);
	buf_add(out, found + what.len, s.len - (size_t)(found - s.data) - what.len);
	return render_scratch(c->r);
}

static struct value do_replace(struct filter_call *c)
{
	struct slice what = arg_text(c, 0), with = arg_text(c, 1);

	return replaced_everywhere(c, what, with);
}

static struct value do_replace_first(struct filter_call *c)
{
	struct slice what = arg_text(c, 0), with = arg_text(c, 1);

	return replaced_once(c, what, with, false);
}

static struct value do_replace_last(struct filter_call *c)
{
	struct slice what = arg_text(c, 0), with = arg_text(c, 1);

	return replaced_once(c, what, with, true);
}

static struct value do_remove(struct filter_call *c)
{
	struct slice what = arg_text(c, 0);

	return replaced_everywhere(c, what, (struct slice){ "", 0 });
}

static struct value do_remove_first(struct filter_call *c)
{
	struct slice what = arg_text(c, 0);

	return replaced_once(c, what, (struct slice){ "", 0 }, false);
}

static struct value do_remove_last(struct filter_call *c)
{
	struct slice what = arg_text(c, 0);

	return replaced_once(c, what, (struct slice){ "", 0 }, true);
}

/* --- escaping ------------------------------------------------------------------------------------------- */

static struct value do_escape(struct filter_call *c)
{
	struct slice s = in_text(c);

	if (c->in.type == VALUE_NIL)
		return value_nil;
	text_html(scratch(c), s.data, s.len);
	return render_scratch(c->r);
}

/* &amp; &#38; &#x26; */
static size_t entity(struct slice s, size_t i)
{
	size_t n = 1;

	if (i + n < s.len && s.data[i + n] == '#')
		n++;
	while (i + n < s.len && n < 12 && (((s.data[i + n] | 32) >= 'a' && (s.data[i + n] | 32) <= 'z')
				|| (s.data[i + n] >= '0' && s.data[i + n] <= '9')))
		n++;
	return n > 1 && i + n < s.len && s.data[i + n] == ';' ? n + 1 : 0;
}

static struct value do_escape_once(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf *out;

	if (c->in.type == VALUE_NIL)
		return value_nil;
	out = scratch(c);
	for (size_t i = 0; i < s.len; i++) {
		size_t n = s.data[i] == '&' ? entity(s, i) : 0;

		if (n) {
			buf_add(out, s.data + i, n);
			i += n - 1;
		} else {
			text_html(out, s.data + i, 1);
		}
	}
	return render_scratch(c->r);
}

static size_t find_nocase(struct slice s, size_t from, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = from; i + n <= s.len; i++)
		if (strncasecmp(s.data + i, what, n) == 0)
			return i + n;
	return 0;
}

static bool starts_nocase(struct slice s, size_t i, const char *what)
{
	return s.len - i >= strlen(what) && strncasecmp(s.data + i, what, strlen(what)) == 0;
}

/* Tags, comments, and scripts and styles with what is in them. */
static struct value do_strip_html(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf *out = scratch(c);

	for (size_t i = 0; i < s.len; i++) {
		size_t end = 0;

		if (s.data[i] == '<') {
			if (starts_nocase(s, i, "<script"))
				end = find_nocase(s, i, "</script>");
			else if (starts_nocase(s, i, "<style"))
				end = find_nocase(s, i, "</style>");
			else if (starts_nocase(s, i, "<!--"))
				end = find_nocase(s, i, "-->");
			if (!end)
				end = find_nocase(s, i, ">");
		}
		if (end)
			i = end - 1;
		else
			buf_char(out, s.data[i]);
	}
	return render_scratch(c->r);
}

/* As a form encodes it: a space is a +. */
static struct value do_url_encode(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf *out = scratch(c);

	if (c->in.type == VALUE_NIL)
		return value_nil;
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == ' ')
			buf_char(out, '+');
		else
			text_percent(out, s.data + i, 1);
	}
	return render_scratch(c->r);
}

static struct value do_url_decode(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf *out = scratch(c);

	if (c->in.type == VALUE_NIL)
		return value_nil;
	if (text_percent_decode(s.data, s.len, true, out) < 0 || !text_utf8_valid(buf_cstr(out), out->len)) {
		buf_reset(out);
		return render_fail(c->r, "url_decode: this is not encoded as URLs are");
	}
	return render_scratch(c->r);
}

static struct value do_base64_encode(struct filter_call *c)
{
	struct slice s = in_text(c);

	text_base64(scratch(c), s.data, s.len);
	return render_scratch(c->r);
}

static void swap(struct buf *b, char from, char to)
{
	for (size_t i = 0; i < b->len; i++)
		if (b->data[i] == from)
			b->data[i] = to;
}

static struct value do_base64_url_safe_encode(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf *out = scratch(c);

	text_base64(out, s.data, s.len);
	swap(out, '+', '-');
	swap(out, '/', '_');
	return render_scratch(c->r);
}

static struct value decoded(struct filter_call *c, bool url_safe)
{
	struct slice s = in_text(c);
	struct buf copy = BUF_INIT, *out;
	int failed;

	if (c->in.type == VALUE_NIL)
		return value_slice((struct slice){ "", 0 });
	if (c->in.type != VALUE_TEXT)
		return render_fail(c->r, "base64 is a text, not a %s", value_type_name(c->in.type));
	buf_add(&copy, s.data, s.len);
	if (url_safe) {
		swap(&copy, '-', '+');
		swap(&copy, '_', '/');
	}
	while (copy.len % 4)
		buf_char(&copy, '=');
	out = scratch(c);
	failed = text_base64_decode(buf_cstr(&copy), copy.len, out);
	buf_clear(&copy);
	if (failed < 0 || !text_utf8_valid(buf_cstr(out), out->len)) {
		buf_reset(out);
		return render_fail(c->r, "this is no text in base64");
	}
	return render_scratch(c->r);
}

static struct value do_base64_decode(struct filter_call *c)
{
	return decoded(c, false);
}

static struct value do_base64_url_safe_decode(struct filter_call *c)
{
	return decoded(c, true);
}

const struct filter filters_text[] = {
	{ "upcase", 0, 0, do_upcase },
	{ "downcase", 0, 0, do_downcase },
	{ "capitalize", 0, 0, do_capitalize },
	{ "append", 1, 1, do_append },
	{ "prepend", 1, 1, do_prepend },
	{ "strip", 0, 0, do_strip },
	{ "lstrip", 0, 0, do_lstrip },
	{ "rstrip", 0, 0, do_rstrip },
	{ "strip_newlines", 0, 0, do_strip_newlines },
	{ "newline_to_br", 0, 0, do_newline_to_br },
	{ "truncate", 0, 2, do_truncate },
	{ "truncatewords", 0, 2, do_truncatewords },
	{ "slice", 1, 2, do_slice },
	{ "split", 1, 1, do_split },
	{ "replace", 1, 2, do_replace },
	{ "replace_first", 1, 2, do_replace_first },
	{ "replace_last", 2, 2, do_replace_last },
	{ "remove", 1, 1, do_remove },
	{ "remove_first", 1, 1, do_remove_first },
	{ "remove_last", 1, 1, do_remove_last },
	{ "escape", 0, 0, do_escape },
	{ "h", 0, 0, do_escape },
	{ "escape_once", 0, 0, do_escape_once },
	{ "strip_html", 0, 0, do_strip_html },
	{ "url_encode", 0, 0, do_url_encode },
	{ "url_decode", 0, 0, do_url_decode },
	{ "base64_encode", 0, 0, do_base64_encode },
	{ "base64_decode", 0, 0, do_base64_decode },
	{ "base64_url_safe_encode", 0, 0, do_base64_url_safe_encode },
	{ "base64_url_safe_decode", 0, 0, do_base64_url_safe_decode },
	{ NULL, 0, 0, NULL },
};
