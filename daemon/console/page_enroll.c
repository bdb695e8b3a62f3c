/*
 * page_enroll.c: who would enter a sequence by hand, and what became of it, as pages. See page.h.
 */
#include <jansson.h>

#include "console/page.h"
#include "say.h"

#define COUNT 9
#define BESIDE 11

static int64_t number(const json_t *row, const char *name)
{
	return (int64_t)say_member_number(row, name);
}

static void counted(struct buf *out, int64_t n)
{
	struct buf text = BUF_INIT;

	say_count(&text, n, "", "");
	say_spaces(out, COUNT > text.len ? COUNT - text.len : 0);
	buf_str(out, buf_cstr(&text));
	buf_str(out, "  ");
	buf_clear(&text);
}

static void first(struct buf *out, const json_t *list, const char *title, int64_t now)
{
	size_t i;

	if (!json_array_size(list))
		return;
	buf_printf(out, "\n%s\n", title);
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		buf_str(out, "  ");
		say_text(out, say_member(row, "address"), now);
		if (*say_member(row, "why_not")) {
			say_column(out, 42);
			say_wrapped(out, 44, say_member(row, "why_not"), now);
		}
		buf_char(out, '\n');
	}
}

void page_enroll(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *reasons = json_object_get(json, "left_out");
	int64_t people = number(json, "people"), match = number(json, "match");
	size_t i;

	buf_printf(out, "%s, where ", say_member(json, "sequence"));
	say_wrapped(out, 2, say_member(json, "where"), now);
	buf_str(out, "\n\n");
	counted(out, people);
	buf_str(out, "people there are\n");
	counted(out, people - match);
	buf_str(out, "do not match\n");
	for (i = 0; i < json_array_size(reasons); i++) {
		counted(out, number(json_array_get(reasons, i), "count"));
		buf_str(out, "match, but: ");
		say_wrapped(out, BESIDE + 2, say_member(json_array_get(reasons, i), "why"), now);
		buf_char(out, '\n');
	}
	counted(out, number(json, "would_enter"));
	buf_str(out, "would enter\n");
	first(out, json_object_get(json, "first"), "THE FIRST WHO WOULD ENTER", now);
	first(out, json_object_get(json, "first_left_out"), "THE FIRST WHO MATCH AND ARE LEFT OUT", now);
}

void page_enrolled(struct buf *out, const json_t *json, int64_t now)
{
	int64_t left_out = number(json, "left_out");

	say_count(out, number(json, "entered"), "person has", "people have");
	buf_printf(out, " entered %s", say_member(json, "sequence"));
	if (left_out) {
		buf_str(out, "; ");
		say_count(out, left_out, "was", "were");
		buf_str(out, " left out, as something had changed meanwhile");
	}
	buf_char(out, '\n');
	if (*say_member(json, "error")) {
		buf_str(out, "It stopped before the end: ");
		say_wrapped(out, 2, say_member(json, "error"), now);
		buf_str(out, "\nThe same command again goes on where it stood.\n");
	}
}
