/*
 * page_score.c: a score taken apart, and the value of one expression. See page.h.
 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/text.h"

#include "console/page.h"
#include "say.h"

#define NOW 2
#define GIVEN 11
#define TIMES 20
#define RULE 27

void page_eval(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *parts = json_object_get(json, "parts"), *value = json_object_get(json, "value");
	int64_t until = say_member_time(json, "until");
	size_t i;

	if (json_is_boolean(value))
		buf_str(out, json_is_true(value) ? "yes" : "no");
	else if (json_is_null(value))
		buf_str(out, "nothing");
	else
		say_text(out, say_member(json, "source"), now);
	if (until) {
		buf_str(out, "   (at the earliest another ");
		say_when(out, until, now);
		buf_char(out, ')');
	}
	buf_char(out, '\n');
	for (i = 0; i < json_array_size(parts); i++) {
		const char *line = json_string_value(json_array_get(parts, i));

		buf_str(out, "  ");
		say_text(out, line ? line : "", now);
		buf_char(out, '\n');
	}
}

/* --- score ------------------------------------------------------------------------------------------ */

static void head(struct buf *out, const json_t *json, int64_t now)
{
	say_text(out, say_member(json, "email"), now);
	buf_str(out, ": score ");
	say_points(out, say_member_number(json, "score"));
	if (*say_member(json, "grade"))
		buf_printf(out, ", grade %s", say_member(json, "grade"));
	buf_str(out, "; stage ");
	say_text(out, say_member(json, "stage"), now);
	buf_str(out, ", list ");
	say_text(out, say_member(json, "list"), now);
	buf_str(out, say_member_true(json, "hot") ? ", hot\n" : ", not hot\n");
}

static void parts_below(struct buf *out, const json_t *rule, size_t indent, int64_t now)
{
	const json_t *parts = json_object_get(rule, "parts");
	size_t i;

	for (i = 0; i < json_array_size(parts); i++) {
		say_spaces(out, indent);
		say_text(out, json_string_value(json_array_get(parts, i)), now);
		buf_char(out, '\n');
	}
}

static void fit_rule(struct buf *out, const json_t *rule, int64_t now)
{
	bool holds = say_member_true(rule, "holds");

	say_spaces(out, NOW);
	if (holds)
		say_points(out, say_member_number(rule, "points"));
	else
		buf_char(out, '-');
	say_column(out, GIVEN);
	if (!holds) {
		buf_char(out, '(');
		say_points(out, say_member_number(rule, "points"));
		buf_char(out, ')');
	}
	say_column(out, TIMES);
	say_text(out, say_member(rule, "rule"), now);
	buf_str(out, ": ");
	say_wrapped(out, RULE, say_member(rule, "when"), now);
	buf_char(out, '\n');
	parts_below(out, rule, RULE, now);
}

static void fit(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *rules = json_object_get(json, "fit_rules");
	size_t i;

	buf_str(out, "\nFIT ");
	say_points(out, say_member_number(json, "fit"));
	buf_str(out, json_array_size(rules) ? ", who they are; in brackets what does not hold\n" : ": the config has no rules for it\n");
	for (i = 0; i < json_array_size(rules); i++)
		fit_rule(out, json_array_get(rules, i), now);
}

static void cap(struct buf *out, const json_t *rule)
{
	const json_t *at_most = json_object_get(rule, "cap");

	if (!at_most)
		return;
	buf_str(out, "; ");
	say_points(out, say_member_number(at_most, "used"));
	buf_printf(out, " of %.0f in ", say_member_number(at_most, "points"));
	text_duration_print(out, (int64_t)(say_member_number(at_most, "within_seconds") * 1e6));
	if (say_member_true(at_most, "reached"))
		buf_str(out, ": CAP REACHED");
}

static void interest_rule(struct buf *out, const json_t *rule, int64_t now)
{
	say_spaces(out, NOW);
	say_points(out, say_member_number(rule, "now"));
	say_column(out, GIVEN);
	say_points(out, say_member_number(rule, "given"));
	say_column(out, TIMES);
	buf_printf(out, "%.0f", say_member_number(rule, "count"));
	say_column(out, RULE);
	say_text(out, say_member(rule, "rule"), now);
	if (json_object_get(rule, "on")) {
		buf_str(out, ": ");
		say_points(out, say_member_number(rule, "points"));
		buf_str(out, " on ");
		say_text(out, say_member(rule, "on"), now);
	} else {
		buf_str(out, ": is not in the config any more");
	}
	cap(out, rule);
	if (*say_member(rule, "when")) {
		buf_char(out, '\n');
		say_spaces(out, RULE + 2);
		buf_str(out, "if ");
		say_wrapped(out, RULE + 2, say_member(rule, "when"), now);
	}
	buf_char(out, '\n');
}

static void interest(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *rules = json_object_get(json, "interest_rules");
	size_t i;

	buf_str(out, "\nINTEREST ");
	say_points(out, say_member_number(json, "interest"));
	buf_str(out, ", what they did; ");
	if (say_member_number(json, "half_life_seconds") > 0) {
		buf_str(out, "halves every ");
		text_duration_print(out, (int64_t)(say_member_number(json, "half_life_seconds") * 1e6));
	} else {
		buf_str(out, "it does not decay");
	}
	buf_char(out, '\n');
	if (json_array_size(rules))
		buf_str(out, "  NOW      GIVEN    TIMES  RULE\n");
	for (i = 0; i < json_array_size(rules); i++)
		interest_rule(out, json_array_get(rules, i), now);
}

/* A sentence of the check, wrapped. Takes it. */
static void finding(struct buf *out, struct buf *sentence, int64_t now)
{
	buf_str(out, "  ");
	say_wrapped(out, 4, buf_cstr(sentence), now);
	buf_char(out, '\n');
	buf_clear(sentence);
}

static void check_interest(struct buf *out, const json_t *c, int64_t now)
{
	double off = say_member_number(c, "differs_by");
	struct buf s = BUF_INIT;

	if (say_member_true(c, "agrees"))
		buf_str(&s, "Recomputed from the events that are kept, it is the same.");
	else if (off == 0)
		buf_str(&s, "Interest recomputed from the events that are kept is the same.");
	else
		buf_printf(&s, "Interest recomputed from the events that are kept is %.4f; stored is %.4f: %+.4f.",
			say_member_number(c, "recomputed"), say_member_number(c, "stored"), off);
	finding(out, &s, now);
}

static void check(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *c = json_object_get(json, "check"), *rules = json_object_get(c, "rules"),
		*unknown = json_object_get(c, "not_asked_again");
	double fit = say_member_number(c, "fit_stored"), fit_now = say_member_number(c, "fit_recomputed");
	struct buf s = BUF_INIT;
	size_t i;

	buf_str(out, "\nCHECK\n");
	check_interest(out, c, now);
	for (i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);

		buf_printf(&s, "%s gave %.2f, and would give %.2f now: the rule was another when they did it, or what "
			"they did is forgotten.", say_member(rule, "rule"), say_member_number(rule, "recorded"),
			say_member_number(rule, "recomputed"));
		finding(out, &s, now);
	}
	if (fit != fit_now) {
		buf_printf(&s, "Fit is stored as %.2f, and is %.2f by the rules of now: it is put right when something happens "
			"to them.", fit, fit_now);
		finding(out, &s, now);
	}
	for (i = 0; i < json_array_size(unknown); i++) {
		buf_printf(&s, "%s asks what was known of them at the time: its points are taken as they were given.",
			json_string_value(json_array_get(unknown, i)));
		finding(out, &s, now);
	}
}

void page_changes(struct buf *out, const json_t *changes, int64_t now)
{
	size_t i;

	buf_str(out, "\nBY TIME ALONE\n");
	if (!json_array_size(changes))
		buf_str(out, "  Nothing changes within a year.\n");
	for (i = 0; i < json_array_size(changes); i++) {
		const json_t *row = json_array_get(changes, i);

		buf_str(out, "  ");
		say_when(out, say_member_time(row, "at"), now);
		say_column(out, 38);
		buf_printf(out, "%s: ", say_member(row, "what"));
		say_text(out, say_member(row, "from"), now);
		buf_str(out, " -> ");
		say_text(out, say_member(row, "to"), now);
		buf_char(out, '\n');
	}
}

void page_score(struct buf *out, const json_t *json, int64_t now)
{
	head(out, json, now);
	fit(out, json, now);
	interest(out, json, now);
	page_changes(out, json_object_get(json, "changes"), now);
	check(out, json, now);
}
