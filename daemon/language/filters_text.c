/*
 * filters_text.c: filters on texts. Anything else is taken as it would be printed. Lengths and places count
 * characters, not bytes.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "letters.h"
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

static struct value do_upcase(struct filter_call *c)
{
	struct slice s = in_text(c);

	letters_up(scratch(c), s);
	return render_scratch(c->r);
}

static struct value do_downcase(struct filter_call *c)
{
	struct slice s = in_text(c);

	letters_down(scratch(c), s);
	return render_scratch(c->r);
}

static struct value do_capitalize(struct filter_call *c)
{
	struct slice s = in_text(c);

	letters_capital(scratch(c), s);
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
		if (s.data[i] != '\n' && !(s.data[i] == '\r' && i + 1 < s.len && s.data[i + 1] == '\n'))
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

static bool whole_argument(struct filter_call *c, int i, int64_t otherwise, int64_t *out)
{
	*out = otherwise;
	return i >= c->count || liquid_whole(c->r, c->args[i], out);
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
	int64_t words, n = 0;
	struct buf *out;
	size_t i = 0;

	if (c->in.type == VALUE_NIL || !whole_argument(c, 0, 15, &words))
		return value_nil;
	if (words >= INT32_MAX)
		return render_fail(c->r, "truncatewords: so many words are never there");
	words = words > 0 ? words : 1;
	out = scratch(c);
	while (i < s.len && is_space(s.data[i]))
		i++;
	for (; n < words && i < s.len; n++) {
		size_t start = i;

		while (i < s.len && !is_space(s.data[i]))
			i++;
		buf_str(out, n ? " " : "");
		buf_add(out, s.data + start, i - start);
		if (i == s.len)
			break;
		while (i < s.len && is_space(s.data[i]))
			i++;
	}
	if (n < words) {	/* it has not more of them, and does not end in white space behind the last */
		buf_reset(out);
		return value_slice(s);
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
	if (c->count > 1 && liquid_truth(c->args[1]) && !whole_argument(c, 1, 1, &count))
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

/* &amp; &#38; */
static size_t entity(struct slice s, size_t i)
{
	bool number = i + 1 < s.len && s.data[i + 1] == '#';
	size_t begin = i + 1 + number, n = begin;

	while (n < s.len && (number ? s.data[n] >= '0' && s.data[n] <= '9'
				    : (s.data[n] | 32) >= 'a' && (s.data[n] | 32) <= 'z'))
		n++;
	return n > begin && n < s.len && s.data[n] == ';' ? n + 1 - i : 0;
}

static struct value do_escape_once(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf *out = scratch(c);

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

static bool starts(struct slice s, size_t i, const char *what)
{
	return s.len - i >= strlen(what) && memcmp(s.data + i, what, strlen(what)) == 0;
}

/* Behind the next `what` at or behind `from`; 0 if there is none. */
static size_t behind(struct slice s, size_t from, const char *what)
{
	const char *p = from <= s.len ? memmem(s.data + from, s.len - from, what, strlen(what)) : NULL;

	return p ? (size_t)(p - s.data) + strlen(what) : 0;
}

/* The end of the script, comment or style that begins at s[i], or 0. */
static size_t block_end(struct slice s, size_t i)
{
	if (starts(s, i, "<script"))
		return behind(s, i + 7, "</script>");
	if (starts(s, i, "<!--"))
		return behind(s, i + 4, "-->");
	return starts(s, i, "<style") ? behind(s, i + 6, "</style>") : 0;
}

static size_t tag_end(struct slice s, size_t i)
{
	return behind(s, i + 1, ">");
}

static void without(struct buf *out, struct slice s, size_t (*end_of)(struct slice s, size_t i))
{
	for (size_t i = 0; i < s.len; i++) {
		size_t end = s.data[i] == '<' ? end_of(s, i) : 0;

		if (end)
			i = end - 1;
		else
			buf_char(out, s.data[i]);
	}
}

/* First scripts, styles and comments with what is in them, then what tags are left. */
static struct value do_strip_html(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf first = BUF_INIT, *out;

	without(&first, s, block_end);
	out = scratch(c);
	without(out, (struct slice){ buf_cstr(&first), first.len }, tag_end);
	buf_clear(&first);
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

static int hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch = (char)(ch | 32);
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* What is no %XX stays as it is. */
static struct value do_url_decode(struct filter_call *c)
{
	struct slice s = in_text(c);
	struct buf *out = scratch(c);

	if (c->in.type == VALUE_NIL)
		return value_nil;
	for (size_t i = 0; i < s.len; i++) {
		int high = s.data[i] == '%' && i + 2 < s.len ? hex_digit(s.data[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(s.data[i + 2]) : -1;

		if (low >= 0) {
			buf_char(out, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_char(out, (char)(s.data[i] == '+' ? ' ' : s.data[i]));
		}
	}
	if (!text_utf8_valid(buf_cstr(out), out->len)) {
		buf_reset(out);
		return render_fail(c->r, "url_decode: what comes out is no text");
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

	buf_add(&copy, s.data, s.len);
	if (url_safe) {
		swap(&copy, '-', '+');
		swap(&copy, '_', '/');
	}
	while (url_safe && copy.len % 4)
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
	{ "upcase", 0, 0, do_upcase, false },
	{ "downcase", 0, 0, do_downcase, false },
	{ "capitalize", 0, 0, do_capitalize, false },
	{ "append", 1, 1, do_append, false },
	{ "prepend", 1, 1, do_prepend, false },
	{ "strip", 0, 0, do_strip, false },
	{ "lstrip", 0, 0, do_lstrip, false },
	{ "rstrip", 0, 0, do_rstrip, false },
	{ "strip_newlines", 0, 0, do_strip_newlines, false },
	{ "newline_to_br", 0, 0, do_newline_to_br, false },
	{ "truncate", 0, 2, do_truncate, false },
	{ "truncatewords", 0, 2, do_truncatewords, false },
	{ "slice", 1, 2, do_slice, false },
	{ "split", 1, 1, do_split, false },
	{ "replace", 1, 2, do_replace, false },
	{ "replace_first", 1, 2, do_replace_first, false },
	{ "replace_last", 2, 2, do_replace_last, false },
	{ "remove", 1, 1, do_remove, false },
	{ "remove_first", 1, 1, do_remove_first, false },
	{ "remove_last", 1, 1, do_remove_last, false },
	{ "escape", 0, 0, do_escape, false },
	{ "h", 0, 0, do_escape, false },
	{ "escape_once", 0, 0, do_escape_once, false },
	{ "strip_html", 0, 0, do_strip_html, false },
	{ "url_encode", 0, 0, do_url_encode, false },
	{ "url_decode", 0, 0, do_url_decode, false },
	{ "base64_encode", 0, 0, do_base64_encode, false },
	{ "base64_decode", 0, 0, do_base64_decode, false },
	{ "base64_url_safe_encode", 0, 0, do_base64_url_safe_encode, false },
	{ "base64_url_safe_decode", 0, 0, do_base64_url_safe_decode, false },
	{ NULL, 0, 0, NULL, false },
};
