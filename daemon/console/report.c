/*
 * report.c: see report.h.
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "console/report.h"

#include "say.h"

#define CELL_MAX 60	/* columns of a cell in a table: longer ones end in "..." */
#define DEPTH_MAX 16

/* --- single values ---------------------------------------------------------------------------------- */

void report_age(struct buf *out, int64_t at, int64_t now)
{
	static const struct {
		int64_t us;
		const char *name;
	} units[] = {
		{ 365 * US_DAY, "year" }, { 30 * US_DAY, "month" }, { US_DAY, "day" }, { US_HOUR, "hour" },
		{ US_MINUTE, "minute" }, { US_SECOND, "second" },
	};
	int64_t distance = at > now ? at - now : now - at, count;
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]) && distance < units[i].us; i++)
		;
	if (i == sizeof(units) / sizeof(units[0])) {
		buf_str(out, "now");
		return;
	}
	count = distance / units[i].us;
	buf_printf(out, "%s%" PRId64 " %s%s%s", at > now ? "in " : "", count, units[i].name,
		count == 1 ? "" : "s", at > now ? "" : " ago");
}

static void print_time(struct buf *out, int64_t at, int64_t now)
{
	say_stamp(out, at);
	buf_str(out, " (");
	report_age(out, at, now);
	buf_char(out, ')');
}

static void print_bytes(struct buf *out, double n)
{
	static const char *const units[] = { "bytes", "KB", "MB", "GB", "TB" };
	size_t i;

	for (i = 0; n >= 1000 && i + 1 < sizeof(units) / sizeof(units[0]); i++)
		n /= 1000;
	buf_printf(out, i ? "%.1f %s" : "%.0f %s", n, units[i]);
}

static void print_text(struct buf *out, const char *s, int64_t now)
{
	size_t start = out->len;
	int64_t at;

	if (text_time_parse(s, &at) == 0) {
		print_time(out, at, now);
		return;
	}
	say_clean(out, s);
	while (out->len > start && out->data[out->len - 1] == '\n')
		buf_cut(out, out->len - 1);
}

static void print_number(struct buf *out, const char *key, double n)
{
	if (text_ends_with(key, "_bytes"))
		print_bytes(out, n);
	else if (text_ends_with(key, "_seconds") && n >= 0 && n < 1e9)
		text_duration_print(out, (int64_t)(n * 1e6));
	else if (n == floor(n) && fabs(n) < 1e15)
		buf_printf(out, "%.0f", n);
	else
		buf_printf(out, "%.2f", n);
}

/* Anything but an object or a list of objects, on one line. */
static void print_scalar(struct buf *out, const char *key, const json_t *v, int64_t now)
{
	size_t i;

	switch (json_typeof(v)) {
	case JSON_STRING:
		print_text(out, *json_string_value(v) ? json_string_value(v) : "-", now);
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		print_number(out, key, json_number_value(v));
		break;
	case JSON_TRUE:
		buf_str(out, "yes");
		break;
	case JSON_FALSE:
		buf_str(out, "no");
		break;
	case JSON_NULL:
		buf_char(out, '-');
		break;
	case JSON_ARRAY:
		for (i = 0; i < json_array_size(v); i++) {
			buf_str(out, i ? ", " : "");
			print_scalar(out, key, json_array_get(v, i), now);
		}
		if (!json_array_size(v))
			buf_char(out, '-');
		break;
	case JSON_OBJECT: {
		const char *name;
		json_t *member;

		i = 0;
		json_object_foreach((json_t *)(uintptr_t)v, name, member) {
			buf_printf(out, "%s%s ", i++ ? ", " : "", name);
			print_scalar(out, name, member, now);
		}
		if (!i)
			buf_char(out, '-');
		break;
	}
	}
}

/* --- tables ----------------------------------------------------------------------------------------- */

struct table {
	size_t rows, columns;
	char **cells;		/* rows * columns; row 0 the heads */
	size_t *widths;
};

/* Takes the text of `cell`: one line, CELL_MAX characters at most. */
static void set_cell(struct table *t, size_t row, size_t column, struct buf *cell)
{
	char *s = buf_take(cell), *p;
	size_t width;

	for (p = s; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	width = text_utf8_length(s, strlen(s));
	if (width > CELL_MAX) {
		for (width = 0, p = s; width < CELL_MAX - 3 || ((unsigned char)*p & 0xc0) == 0x80; p++)
			width += ((unsigned char)p[1] & 0xc0) != 0x80;
		memcpy(p, "...", 4);
		width = CELL_MAX;
	}
	t->cells[row * t->columns + column] = s;
	if (width > t->widths[column])
		t->widths[column] = width;
}

static void print_heads(struct table *t, const json_t *heads)
{
	size_t column = 0;
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)heads, name, member) {
		struct buf cell = BUF_INIT;
		const char *p;

		for (p = name; *p; p++)
			buf_char(&cell, *p == '_' ? ' ' : (char)toupper((unsigned char)*p));
		set_cell(t, 0, column++, &cell);
	}
}

static void print_rows(struct buf *out, const struct table *t, size_t indent)
{
	size_t row, column;

	for (row = 0; row < t->rows; row++) {
		say_spaces(out, indent);
		for (column = 0; column < t->columns; column++) {
			const char *s = t->cells[row * t->columns + column];

			buf_str(out, s);
			if (column + 1 < t->columns)
				say_spaces(out, t->widths[column] + 2 - text_utf8_length(s, strlen(s)));
		}
		buf_char(out, '\n');
	}
}

/* Every name that any of the objects has, in the order of their first use. */
static json_t *columns_of(const json_t *list)
{
	json_t *heads = json_object();
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		json_object_update_missing(heads, json_array_get(list, i));
	return heads;
}

static void print_table(struct buf *out, const json_t *list, size_t indent, int64_t now)
{
	json_t *heads = columns_of(list), *member;
	struct table t = { .rows = json_array_size(list) + 1, .columns = json_object_size(heads) };
	const char *name;
	size_t row, column;

	t.cells = xcalloc(t.rows * t.columns + 1, sizeof(*t.cells));
	t.widths = xcalloc(t.columns + 1, sizeof(*t.widths));
	print_heads(&t, heads);
	for (row = 1; row < t.rows; row++) {
		column = 0;
		json_object_foreach(heads, name, member) {
			const json_t *v = json_object_get(json_array_get(list, row - 1), name);
			struct buf cell = BUF_INIT;

			if (v)
				print_scalar(&cell, name, v, now);
			else
				buf_char(&cell, '-');
			set_cell(&t, row, column++, &cell);
		}
	}
	print_rows(out, &t, indent);
	for (row = 0; row < t.rows * t.columns; row++)
		free(t.cells[row]);
	free(t.cells);
	free(t.widths);
	json_decref(heads);
}

/* --- objects ---------------------------------------------------------------------------------------- */

static void print_any(struct buf *out, const json_t *json, size_t indent, int depth, int64_t now);

static bool is_table(const json_t *v)
{
	return json_is_array(v) && json_is_object(json_array_get(v, 0));
}

/* Does it stand below its name rather than beside it? */
static bool is_block(const json_t *v)
{
	return (json_is_object(v) && json_object_size(v)) || is_table(v);
}

static size_t name_width(const json_t *object)
{
	size_t width = 0;
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)object, name, member) {
		if (!is_block(member) && strlen(name) > width)
			width = strlen(name);
	}
	return width;
}

static void print_name(struct buf *out, const char *name)
{
	for (; *name; name++)
		buf_char(out, *name == '_' ? ' ' : *name);
}

/* Lines after the first stand below the first. */
static void print_lines(struct buf *out, const char *s, size_t indent)
{
	for (; *s; s++) {
		buf_char(out, *s);
		if (*s == '\n' && s[1])
			say_spaces(out, indent);
	}
	buf_char(out, '\n');
}

static void print_object(struct buf *out, const json_t *object, size_t indent, int depth, int64_t now)
{
	size_t width = name_width(object);
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)object, name, member) {
		struct buf value = BUF_INIT;

		say_spaces(out, indent);
		print_name(out, name);
		if (is_block(member)) {
			buf_char(out, '\n');
			print_any(out, member, indent + 2, depth + 1, now);
			continue;
		}
		say_spaces(out, width + 2 - strlen(name));
		print_scalar(&value, name, member, now);
		print_lines(out, buf_cstr(&value), indent + width + 2);
		buf_clear(&value);
	}
}

static void print_any(struct buf *out, const json_t *json, size_t indent, int depth, int64_t now)
{
	size_t i;

	if (json_is_object(json) && depth < DEPTH_MAX) {
		print_object(out, json, indent, depth, now);
	} else if (is_table(json)) {
		print_table(out, json, indent, now);
	} else if (json_is_array(json)) {
		for (i = 0; i < json_array_size(json); i++) {
			say_spaces(out, indent);
			print_scalar(out, "", json_array_get(json, i), now);
			buf_char(out, '\n');
		}
	} else {
		say_spaces(out, indent);
		print_scalar(out, "", json, now);
		buf_char(out, '\n');
	}
}

void report_each(struct buf *out, const struct json_t *json, int64_t now)
{
	size_t i;

	for (i = 0; i < json_array_size(json); i++) {
		if (i)
			buf_char(out, '\n');
		print_any(out, json_array_get(json, i), 0, 0, now);
	}
}

void report_print(struct buf *out, const struct json_t *json, int64_t now)
{
	if (json_is_array(json) && !json_array_size(json))
		buf_str(out, "none\n");
	else
		print_any(out, json, 0, 0, now);
}

void report_json(struct buf *out, const json_t *json, int64_t now)
{
	char *text = json_dumps(json, JSON_INDENT(2));

	buf_str(out, text ? text : "null");
	buf_char(out, '\n');
	free(text);
}
