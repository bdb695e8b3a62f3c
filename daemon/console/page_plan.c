/*
 * page_plan.c: what a reload would change, and for how many people, as a page. See page.h.
 */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "console/page.h"
#include "say.h"

#define NAME 2
#define ASPECT 4
#define VALUE 26
#define COUNT 14

/* --- differences ------------------------------------------------------------------------------------ */

static void aspect(struct buf *out, const json_t *row, int64_t now)
{
	const char *was = say_member(row, "was"), *is = say_member(row, "is");
	bool gone = json_is_null(json_object_get(row, "is")), new = json_is_null(json_object_get(row, "was"));
	struct buf text = BUF_INIT;

	say_spaces(out, ASPECT);
	say_text(out, say_member(row, "what"), now);
	say_column(out, VALUE);
	if (new)
		buf_printf(&text, *is ? "new: %s" : "new", is);
	else if (gone)
		buf_printf(&text, *was ? "gone: %s" : "gone", was);
	else if (!*was && !*is)
		buf_str(&text, "another");
	else
		buf_printf(&text, "%s  ->  %s", was, is);
	say_wrapped(out, VALUE + 2, buf_cstr(&text), now);
	buf_char(out, '\n');
	buf_clear(&text);
}

static void difference(struct buf *out, const json_t *row, int64_t now)
{
	const json_t *details = json_object_get(row, "details");
	size_t i;

	say_spaces(out, NAME);
	buf_str(out, say_member(row, "kind"));
	if (*say_member(row, "name")) {
		buf_char(out, ' ');
		say_text(out, say_member(row, "name"), now);
	}
	buf_printf(out, ": %s\n", say_member(row, "change"));
	for (i = 0; i < json_array_size(details); i++)
		aspect(out, json_array_get(details, i), now);
}

/* --- people under way ------------------------------------------------------------------------------- */

static void count_column(struct buf *out, int64_t count, bool about)
{
	struct buf number = BUF_INIT;

	if (about)
		buf_str(&number, "about ");
	say_count(&number, count, "", "");
	say_spaces(out, COUNT > number.len ? COUNT - number.len : 0);
	buf_str(out, buf_cstr(&number));
	buf_clear(&number);
}

static void fate(struct buf *out, const json_t *row, bool gone, int64_t now)
{
	const char *what = say_member(row, "fate"), *state = say_member(row, "state");
	struct buf text = BUF_INIT;

	count_column(out, (int64_t)say_member_number(row, "count"), false);
	buf_char(out, ' ');
	buf_printf(&text, "at `%s`%s%s", say_member(row, "step"), strcmp(state, "active") != 0 ? ", " : "", strcmp(state, "active") != 0 ? state : "");
	if (strcmp(what, "go on") == 0)
		buf_str(&text, " go on under the new version");
	else if (strcmp(what, "go to") == 0)
		buf_printf(&text, ", a step that is gone, go to `%s`", say_member(row, "to"));
	else if (strcmp(what, "finish") == 0)
		buf_printf(&text, " finish the version that they entered (%s)", say_member(row, "version"));
	else if (strcmp(what, "restart") == 0)
		buf_printf(&text, " begin again at `%s`", say_member(row, "to"));
	else
		buf_str(&text, gone ? ": end" : ", a step that is gone: end");
	say_wrapped(out, COUNT + 3, buf_cstr(&text), now);
	buf_char(out, '\n');
	buf_clear(&text);
}

static void sequence(struct buf *out, const json_t *row, int64_t now)
{
	const json_t *people = json_object_get(row, "people");
	const char *on_change = say_member(row, "on_change");
	size_t i;

	say_spaces(out, NAME);
	say_text(out, say_member(row, "sequence"), now);
	buf_printf(out, ": %s", say_member(row, "change"));
	if (*on_change && strcmp(say_member(row, "change"), "added") != 0)
		buf_printf(out, "; on_change: %s", on_change);
	buf_str(out, json_array_size(people) ? "\n" : "; nobody under way is concerned\n");
	for (i = 0; i < json_array_size(people); i++)
		fate(out, json_array_get(people, i), !*on_change, now);
}

static void sequences(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "sequences");
	size_t i;

	if (!json_array_size(list))
		return;
	buf_str(out, "\nPEOPLE UNDER WAY\n");
	for (i = 0; i < json_array_size(list); i++)
		sequence(out, json_array_get(list, i), now);
}

/* --- where people would be -------------------------------------------------------------------------- */

static size_t moves(struct buf *out, const json_t *people, const char *kind, bool about, int64_t now)
{
	const json_t *list = json_object_get(people, kind);
	bool hot = strcmp(kind, "hot") == 0;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		bool becomes = strcmp(say_member(row, "to"), "hot") == 0;

		count_column(out, (int64_t)say_member_number(row, "count"), about);
		if (hot) {
			buf_str(out, becomes ? " become hot\n" : " are hot no more\n");
			continue;
		}
		buf_printf(out, " %s: ", kind);
		say_text(out, say_member(row, "from"), now);
		buf_str(out, " -> ");
		say_text(out, say_member(row, "to"), now);
		buf_char(out, '\n');
	}
	return i;
}

static void people(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *p = json_object_get(json, "people");
	bool sample = say_member_true(p, "sample");
	size_t some;

	buf_str(out, "\nWHERE PEOPLE ARE BY THE NEW RULES, of ");
	say_count(out, (int64_t)say_member_number(p, "all"), "person", "people");
	if (sample) {
		buf_str(out, "; a sample of ");
		say_count(out, (int64_t)say_member_number(p, "looked_at"), "person", "people");
		buf_str(out, ", scaled up");
	}
	buf_char(out, '\n');
	some = moves(out, p, "stage", sample, now) + moves(out, p, "list", sample, now) + moves(out, p, "hot", sample, now);
	if (!some)
		buf_str(out, "  Nobody changes stage or list, and nobody becomes hot.\n");
}

void page_plan(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *differences = json_object_get(json, "differences");
	const char *restart = say_member(json, "needs_restart");
	size_t i;

	if (*restart) {
		buf_str(out, "A reload would be refused: ");
		say_wrapped(out, 2, restart, now);
		buf_str(out, "\n\n");
	}
	if (say_member_true(json, "changed"))
		buf_str(out, "WHAT A RELOAD WOULD CHANGE\n");
	else
		buf_str(out, "The files say what is in force: a reload would change nothing.\n");
	for (i = 0; i < json_array_size(differences); i++)
		difference(out, json_array_get(differences, i), now);
	sequences(out, json, now);
	if (say_member_true(json, "changed"))
		people(out, json, now);
}
