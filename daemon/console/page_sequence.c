/*
 * page_sequence.c: one sequence: how many are where, how they ended, what its tests and its holdout say, as a page. See page.h.
 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/text.h"

#include "console/page.h"
#include "say.h"

#define COUNT 9
#define STEP 21
#define DOES 38

static int64_t number(const json_t *row, const char *name)
{
	return (int64_t)say_member_number(row, name);
}

/* At the right end of `width` columns; "-" for none. */
static void right(struct buf *out, size_t width, int64_t n)
{
	struct buf text = BUF_INIT;

	if (n)
		say_count(&text, n, "", "");
	else
		buf_char(&text, '-');
	say_spaces(out, width > text.len ? width - text.len : 0);
	buf_str(out, buf_cstr(&text));
	buf_clear(&text);
}

static void percent(struct buf *out, double share)
{
	buf_printf(out, "%.1f %%", share * 100);
}

static void member(struct buf *out, const json_t *json, const char *name, const char *label, int64_t now)
{
	if (!*say_member(json, name))
		return;
	buf_printf(out, "%s", label);
	say_column(out, 12);
	say_wrapped(out, 14, say_member(json, name), now);
	buf_char(out, '\n');
}

static void head(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *versions = json_object_get(json, "versions");
	size_t i;

	buf_printf(out, "%s, version %s; ", say_member(json, "sequence"), say_member(json, "version"));
	say_count(out, number(json, "entered"), "person has", "people have");
	buf_str(out, " entered\n");
	member(out, json, "enter", "enter", now);
	member(out, json, "again", "again", now);
	member(out, json, "list", "list", now);
	member(out, json, "goal", "goal", now);
	member(out, json, "exit", "exit", now);
	member(out, json, "on_change", "on_change", now);
	for (i = 0; i < json_array_size(versions); i++) {
		const json_t *v = json_array_get(versions, i);

		buf_str(out, i ? "" : "versions");
		say_column(out, 12);
		buf_printf(out, "%s since ", say_member(v, "version"));
		say_when(out, say_member_time(v, "since"), now);
		buf_str(out, say_member_true(v, "in_force") ? "; in force\n" : "\n");
	}
}

/* Where a branch leads; one way, or all arms of a test to the same, go without saying. */
static void branches(struct buf *out, const json_t *row, int64_t now)
{
	const json_t *ways = json_object_get(row, "ways");
	const char *first = say_member(json_array_get(ways, 0), "to");
	struct buf text = BUF_INIT;
	bool differ = false;
	size_t i;

	for (i = 0; i < json_array_size(ways); i++) {
		const json_t *way = json_array_get(ways, i);

		differ = differ || strcmp(say_member(way, "to"), first) != 0;
		buf_printf(&text, "%s%s: %s", i ? "; " : "", *say_member(way, "label") ? say_member(way, "label") : "then", say_member(way, "to"));
	}
	if (differ) {
		say_column(out, DOES + 2);
		say_wrapped(out, DOES + 2, buf_cstr(&text), now);
		buf_char(out, '\n');
	}
	buf_clear(&text);
}

static void step(struct buf *out, const json_t *row, const char *name, int64_t now)
{
	right(out, COUNT, number(row, "active"));
	right(out, STEP - COUNT - 3, number(row, "paused"));
	say_column(out, STEP);
	say_text(out, name, now);
	if (*say_member(row, "version"))
		buf_printf(out, " (version %s)", say_member(row, "version"));
	if (*say_member(row, "does")) {
		say_column(out, DOES);
		say_wrapped(out, DOES + 2, say_member(row, "does"), now);
	}
	buf_char(out, '\n');
	branches(out, row, now);
}

static void steps(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "steps"), *elsewhere = json_object_get(json, "elsewhere");
	size_t i;

	buf_str(out, "\n   ACTIVE   PAUSED   STEP\n");
	for (i = 0; i < json_array_size(list); i++)
		step(out, json_array_get(list, i), say_member(json_array_get(list, i), "step"), now);
	if (json_array_size(elsewhere))
		buf_str(out, "  at a step of another version\n");
	for (i = 0; i < json_array_size(elsewhere); i++)
		step(out, json_array_get(elsewhere, i), say_member(json_array_get(elsewhere, i), "step"), now);
}

static void ended(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "ended");
	double all = say_member_number(json, "entered");
	size_t i;

	if (!json_array_size(list))
		return;
	buf_str(out, "\n    ENDED           WHY\n");
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		right(out, COUNT, number(row, "count"));
		buf_printf(out, "  %6.1f %%  ", 100 * say_member_number(row, "count") / (all > 0 ? all : 1));
		say_text(out, say_member(row, "why"), now);
		buf_char(out, '\n');
	}
}

/* --- tests ------------------------------------------------------------------------------------------ */

static void arm(struct buf *out, const json_t *row, int64_t now)
{
	right(out, COUNT, number(row, "sent"));
	right(out, 9, number(row, "known"));
	right(out, 9, number(row, "won"));
	buf_str(out, "  ");
	percent(out, say_member_number(row, "rate"));
	say_column(out, 38);
	buf_printf(out, "%.1f to %.1f", say_member_number(row, "low") * 100, say_member_number(row, "high") * 100);
	say_column(out, 54);
	say_text(out, say_member(row, "arm"), now);
	buf_char(out, '\n');
}

static void test(struct buf *out, const json_t *row, int64_t now)
{
	const json_t *arms = json_object_get(row, "arms"), *end = json_object_get(row, "ended");
	int64_t known = 0;
	size_t i;

	buf_printf(out, "\nTEST at %s: by %s within ", say_member(row, "step"), say_member(row, "by"));
	text_duration_print(out, (int64_t)(say_member_number(row, "within_seconds") * 1e6));
	buf_printf(out, "; %s, %.0f people an arm, ", say_member(row, "method"), say_member_number(row, "size"));
	percent(out, say_member_number(row, "sure_wanted"));
	buf_str(out, " sure\n     SENT    KNOWN      WON  RATE     95 % BETWEEN    ARM\n");
	for (i = 0; i < json_array_size(arms); i++) {
		arm(out, json_array_get(arms, i), now);
		known += number(json_array_get(arms, i), "known");
	}
	buf_str(out, "  ");
	if (json_is_object(end)) {
		buf_printf(out, "It ended ");
		say_when(out, say_member_time(end, "at"), now);
		buf_printf(out, ": everybody gets %s, ", say_member(end, "arm"));
		say_wrapped(out, 4, say_member(end, "why"), now);
	} else if (!known) {
		buf_str(out, "It goes on; nothing is known yet.");
	} else {
		buf_printf(out, "It goes on; %s is the best with ", say_member(row, "best"));
		percent(out, say_member_number(row, "best_by"));
	}
	buf_char(out, '\n');
}

/* --- holdout ---------------------------------------------------------------------------------------- */

static void rate(struct buf *out, const char *label, const json_t *row)
{
	buf_printf(out, "  %s", label);
	say_column(out, 20);
	percent(out, say_member_number(row, "rate"));
	buf_printf(out, "  (between %.1f and %.1f)  of ", say_member_number(row, "low") * 100, say_member_number(row, "high") * 100);
	say_count(out, number(row, "people"), "person", "people");
	buf_char(out, '\n');
}

static void holdout(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *h = json_object_get(json, "holdout"), *difference = json_object_get(h, "difference");
	double low = say_member_number(difference, "low"), high = say_member_number(difference, "high");
	struct buf text = BUF_INIT;

	if (!json_is_object(h))
		return;
	buf_str(out, "\nHOLDOUT of ");
	percent(out, say_member_number(h, "share"));
	buf_str(out, ": ");
	say_count(out, number(h, "people"), "person", "people");
	buf_str(out, ", of whom ");
	say_count(out, number(h, "watched"), "is", "are");
	buf_str(out, " still watched\n");
	if (!difference) {
		buf_str(out, *say_member(json, "goal") ? "  Too few of both were watched yet to compare them.\n"
			: "  The sequence has no goal by which they could be compared.\n");
		return;
	}
	buf_str(out, "  The goal was reached ");
	buf_printf(out, "within %.0f day%s of coming in, by\n", say_member_number(h, "by_day"), say_member_number(h, "by_day") == 1 ? "" : "s");
	rate(out, "who get it", json_object_get(h, "treated"));
	rate(out, "held out", json_object_get(h, "untreated"));
	buf_printf(&text, "The sequence makes a difference of %+.1f points, with 95 %% between %+.1f and %+.1f%s", say_member_number(difference, "rate") * 100,
		low * 100, high * 100, low > 0 ? ": it helps." : high < 0 ? ": it does harm." : ": that may be chance.");
	buf_str(out, "  ");
	say_wrapped(out, 4, buf_cstr(&text), now);
	buf_char(out, '\n');
	buf_clear(&text);
}

static void counts(struct buf *out, const json_t *of)
{
	right(out, 8, number(of, "human"));
	right(out, 9, number(of, "unknown"));
	right(out, 9, number(of, "machine"));
}

/* How many mails somebody opened and clicked: a person, nobody knows who, a machine alone. */
static void mails(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "mails");
	size_t i;

	if (!json_array_size(list))
		return;
	buf_str(out, "\n  MAILS OPENED BY             CLICKED BY\n   human  unknown  machine   human  unknown  machine   MAIL\n");
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		counts(out, json_object_get(row, "opened"));
		counts(out, json_object_get(row, "clicked"));
		buf_str(out, "   ");
		say_text(out, say_member(row, "template"), now);
		buf_char(out, '\n');
	}
}

void page_sequence(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *tests = json_object_get(json, "tests");
	size_t i;

	head(out, json, now);
	steps(out, json, now);
	ended(out, json, now);
	mails(out, json, now);
	for (i = 0; i < json_array_size(tests); i++)
		test(out, json_array_get(tests, i), now);
	holdout(out, json, now);
}
