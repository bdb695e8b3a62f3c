/*
 * page_why.c: why a person got what they got, and what comes next, as a page. See page.h.
 */
#include <jansson.h>
#include <string.h>

#include "base/text.h"

#include "console/page.h"
#include "say.h"

#define MAILS_SHOWN 12
#define HELD_SHOWN 8
#define PAST_SHOWN 8
#define RECORD_SHOWN 15
#define DATE 2		/* column of a date, and of what stands beside it */
#define BESIDE 20

static void title(struct buf *out, const char *text)
{
	buf_printf(out, "\n%s\n", text);
}

static void date(struct buf *out, const json_t *row, const char *name, int64_t now)
{
	int64_t at = say_member_time(row, name);

	say_spaces(out, DATE);
	if (at)
		say_time(out, at, now);
	say_column(out, BESIDE);
}

/* A line behind `label`, wrapped below its own beginning. */
static void line(struct buf *out, size_t indent, const char *label, const char *text, int64_t now)
{
	say_spaces(out, indent);
	buf_str(out, label);
	say_wrapped(out, indent + 2, text, now);
	buf_char(out, '\n');
}

static void because(struct buf *out, size_t indent, const json_t *row, int64_t now)
{
	if (*say_member(row, "because"))
		line(out, indent, "because of: ", say_member(row, "because"), now);
}

/* The lines of an explanation behind the first, which says again what has just been said; they keep their own indent. */
static void parts(struct buf *out, size_t indent, const json_t *row, int64_t now)
{
	const json_t *lines = json_object_get(row, "parts");
	size_t i;

	for (i = 1; i < json_array_size(lines); i++) {
		const char *s = json_string_value(json_array_get(lines, i));
		size_t depth = strspn(s ? s : "", " ");

		if (!s)
			continue;
		say_spaces(out, indent + depth - (depth > 1 ? 2 : 0));
		say_wrapped(out, indent + depth, s + depth, now);
		buf_char(out, '\n');
	}
}

static const char *yes_no(const json_t *row, const char *name)
{
	return say_member_true(row, name) ? "yes" : "no";
}

/* --- head ------------------------------------------------------------------------------------------- */

static void head(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *suppressed = json_object_get(json, "suppressed");
	const char *name = say_member(json, "name");

	if (*name && strcmp(name, say_member(json, "email")) != 0) {
		say_text(out, name, now);
		buf_str(out, " <");
		say_text(out, say_member(json, "email"), now);
		buf_char(out, '>');
	} else {
		say_text(out, say_member(json, "email"), now);
	}
	buf_printf(out, "   %s\n", say_member(json, "id"));
	buf_str(out, "list ");
	say_text(out, say_member(json, "list"), now);
	buf_str(out, ", stage ");
	say_text(out, say_member(json, "stage"), now);
	buf_str(out, say_member_true(json, "hot") ? ", hot" : ", not hot");
	buf_str(out, "; score ");
	say_points(out, say_member_number(json, "score"));
	buf_str(out, " (fit ");
	say_points(out, say_member_number(json, "fit"));
	buf_str(out, ", interest ");
	say_points(out, say_member_number(json, "interest"));
	buf_printf(out, "); consent %s\n", say_member(json, "consent"));
	if (json_is_object(suppressed)) {
		buf_str(out, "NO MAIL since ");
		say_when(out, say_member_time(suppressed, "at"), now);
		buf_str(out, ": ");
		say_text(out, say_member(suppressed, "reason"), now);
		buf_str(out, " (");
		say_text(out, say_member(suppressed, "source"), now);
		buf_str(out, ")\n");
	}
}

/* --- what comes next -------------------------------------------------------------------------------- */

static void ways(struct buf *out, size_t indent, const json_t *row, int64_t now)
{
	const json_t *list = json_object_get(row, "ways");
	struct buf text = BUF_INIT;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *way = json_array_get(list, i);
		const char *label = say_member(way, "label");

		buf_printf(&text, "%s%s: %s", i ? "; " : "", *label ? label : "then", say_member(way, "to"));
	}
	if (text.len)
		line(out, indent, "", buf_cstr(&text), now);
	buf_clear(&text);
}

static void step(struct buf *out, const char *label, const json_t *row, int64_t now)
{
	say_spaces(out, 4);
	buf_str(out, label);
	say_column(out, BESIDE);
	if (*say_member(row, "step"))
		buf_printf(out, "%s: ", say_member(row, "step"));
	say_wrapped(out, BESIDE + 2, say_member(row, "does"), now);
	if (json_object_get(row, "holds"))
		buf_printf(out, "   (now: %s)", yes_no(row, "holds"));
	buf_char(out, '\n');
	parts(out, BESIDE + 2, row, now);
	ways(out, BESIDE + 2, row, now);
}

static void ahead(struct buf *out, const json_t *sequence, int64_t now)
{
	const json_t *list = json_object_get(sequence, "ahead");
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		step(out, i ? "then" : "next", json_array_get(list, i), now);
}

static void changes(struct buf *out, const json_t *sequence, int64_t now)
{
	const json_t *list = json_object_get(sequence, "changes");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		say_spaces(out, 4);
		say_text(out, say_member(row, "then"), now);
		buf_str(out, " when ");
		say_wrapped(out, 6, say_member(row, "when"), now);
		buf_printf(out, "   (now: %s)\n", yes_no(row, "holds"));
		parts(out, 6, row, now);
	}
}

/* For what it stands still. */
static void waits(struct buf *out, const json_t *sequence, int64_t now)
{
	const char *state = say_member(sequence, "state");
	int64_t due = say_member_time(sequence, "due");
	const json_t *mail = json_object_get(sequence, "mail");

	if (json_is_object(mail)) {
		say_spaces(out, 4);
		buf_printf(out, "mail %s is %s", say_member(mail, "template"), say_member(mail, "state"));
		if (*say_member(mail, "reply")) {
			buf_str(out, ": ");
			say_wrapped(out, 6, say_member(mail, "reply"), now);
		}
		buf_char(out, '\n');
	}
	if (*say_member(sequence, "waits"))
		line(out, 4, "", say_member(sequence, "waits"), now);
	if (strcmp(state, "held out") == 0)
		line(out, 4, "", "one of those who get nothing, to be compared with the others", now);
	else if (*say_member(sequence, "held"))
		line(out, 4, strcmp(state, "paused") == 0 ? "paused: " : "held: ", say_member(sequence, "held"), now);
	if (!due)
		return;
	buf_str(out, "    until ");
	say_when(out, due, now);
	buf_char(out, '\n');
}

static void sequence(struct buf *out, const json_t *row, int64_t now)
{
	say_spaces(out, DATE);
	say_text(out, say_member(row, "sequence"), now);
	buf_printf(out, ": %s since ", say_member(row, "state"));
	say_when(out, say_member_time(row, "entered"), now);
	buf_char(out, '\n');
	because(out, 4, row, now);
	if (say_member_true(row, "old_version"))
		line(out, 4, "", "finishes the version of the sequence that it entered", now);
	waits(out, row, now);
	ahead(out, row, now);
	changes(out, row, now);
}

static void next(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "sequences");
	size_t i;

	title(out, "COMES NEXT");
	if (!json_array_size(list))
		buf_str(out, "  Nothing: they are in no sequence.\n");
	for (i = 0; i < json_array_size(list); i++)
		sequence(out, json_array_get(list, i), now);
}

/* --- what they got ---------------------------------------------------------------------------------- */

static void answers(struct buf *out, const json_t *json, const json_t *mail, int64_t now)
{
	const json_t *list = json_object_get(json, "answers");
	int64_t sent = say_member_time(mail, "done");
	struct buf text = BUF_INIT;
	size_t i;

	for (i = json_array_size(list); i > 0 && sent; i--) {
		const json_t *row = json_array_get(list, i - 1);

		if (strcmp(say_member(row, "mail"), say_member(mail, "template")) != 0 || say_member_time(row, "at") < sent)
			continue;
		buf_printf(&text, "%s%s %s", text.len ? ", " : "", say_member(row, "what"), say_member(row, "at"));
	}
	if (text.len)
		line(out, BESIDE, "", buf_cstr(&text), now);
	buf_clear(&text);
}

/* What the relay said, or why it did not get there. */
static void reply(struct buf *out, const json_t *row, int64_t now)
{
	const char *text = say_member(row, "reply");
	struct buf code = BUF_INIT;

	if (!*text)
		return;
	say_spaces(out, BESIDE);
	buf_printf(&code, "%.0f", say_member_number(row, "code"));
	if (strcmp(buf_cstr(&code), "0") != 0)
		buf_str(out, "relay: ");
	if (strcmp(buf_cstr(&code), "0") != 0 && !text_starts_with(text, buf_cstr(&code)))
		buf_printf(out, "%s ", buf_cstr(&code));
	say_wrapped(out, BESIDE + 2, text, now);
	buf_char(out, '\n');
	buf_clear(&code);
}

static void mail(struct buf *out, const json_t *json, const json_t *row, int64_t now)
{
	const char *kind = say_member(row, "kind");

	date(out, row, say_member_time(row, "done") ? "done" : "planned", now);
	say_text(out, say_member(row, "template"), now);
	if (*say_member(row, "arm"))
		buf_printf(out, " (arm %s)", say_member(row, "arm"));
	say_column(out, 46);
	if (*say_member(row, "sequence")) {
		say_text(out, say_member(row, "sequence"), now);
		buf_str(out, " / ");
		say_text(out, say_member(row, "step"), now);
	} else {
		buf_str(out, kind);
		if (strcmp(kind, "forwarded reply") == 0)
			buf_printf(out, " to %s", say_member(row, "to"));
	}
	say_column(out, 80);
	buf_printf(out, "%s\n", say_member(row, "state"));
	because(out, BESIDE, row, now);
	reply(out, row, now);
	answers(out, json, row, now);
}

static void got(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "mails");
	size_t count = json_array_size(list), i;

	title(out, "GOT");
	if (!count)
		buf_str(out, "  No mail yet.\n");
	for (i = 0; i < count && i < MAILS_SHOWN; i++)
		mail(out, json, json_array_get(list, i), now);
	if (count > MAILS_SHOWN)
		buf_printf(out, "  and %zu before: --json shows them\n", count - MAILS_SHOWN);
}

static void held(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "held");
	size_t i;

	if (!json_array_size(list))
		return;
	title(out, "HELD BACK");
	for (i = 0; i < json_array_size(list) && i < HELD_SHOWN; i++) {
		const json_t *row = json_array_get(list, i);
		int64_t until = say_member_time(row, "until"), went = say_member_time(row, "went_out");

		date(out, row, "at", now);
		say_text(out, say_member(row, "what"), now);
		buf_str(out, say_member_true(row, "dropped") ? " was dropped: " : ": ");
		say_wrapped(out, BESIDE + 2, say_member(row, "why"), now);
		if (until || went) {
			buf_str(out, until ? "; until " : "; went out ");
			say_when(out, until ? until : went, now);
		}
		buf_char(out, '\n');
	}
}

static void past(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "past");
	size_t i;

	if (!json_array_size(list))
		return;
	title(out, "BEHIND THEM");
	for (i = 0; i < json_array_size(list) && i < PAST_SHOWN; i++) {
		const json_t *row = json_array_get(list, i);

		date(out, row, "ended", now);
		say_text(out, say_member(row, "sequence"), now);
		buf_str(out, say_member_true(row, "held_out") ? ", held out since " : ", since ");
		say_time(out, say_member_time(row, "entered"), now);
		buf_str(out, ", ended at ");
		say_text(out, say_member(row, "step"), now);
		buf_str(out, ": ");
		say_wrapped(out, BESIDE + 2, say_member(row, "why"), now);
		if (say_member_time(row, "watched_until")) {
			buf_str(out, "; its goal is looked for until ");
			say_time(out, say_member_time(row, "watched_until"), now);
		}
		buf_char(out, '\n');
		because(out, BESIDE, row, now);
	}
}

/* --- where they are --------------------------------------------------------------------------------- */

static void lead(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *l = json_object_get(json, "lead");

	if (!json_is_object(l))
		return;
	buf_printf(out, "  lead %s, ", say_member(l, "id"));
	say_when(out, say_member_time(l, "at"), now);
	buf_printf(out, ": %s", say_member(l, "state"));
	if (*say_member(l, "owner"))
		buf_printf(out, ", of %s", say_member(l, "owner"));
	if (*say_member(l, "answer")) {
		buf_str(out, ": ");
		say_wrapped(out, 4, say_member(l, "answer"), now);
	}
	buf_char(out, '\n');
}

static void hot(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *h = json_object_get(json, "hot_rule");
	int64_t cooldown = say_member_time(h, "cooldown_until");

	buf_printf(out, "\nHOT: %s\n", yes_no(h, "now"));
	if (!*say_member(h, "rule")) {
		buf_str(out, "  There is no hot rule in sales.yaml.\n");
		return;
	}
	say_spaces(out, 2);
	say_wrapped(out, 4, say_member(h, "rule"), now);
	buf_printf(out, "   (now: %s)\n", yes_no(h, "holds"));
	parts(out, 4, h, now);
	if (say_member_time(h, "became")) {
		buf_str(out, "  became hot ");
		say_when(out, say_member_time(h, "became"), now);
		buf_char(out, '\n');
		because(out, 4, h, now);
	}
	if (cooldown) {
		buf_str(out, "  makes no second lead until ");
		say_when(out, cooldown, now);
		buf_char(out, '\n');
	}
	lead(out, json, now);
}

/* `otherwise`: what a rule without a condition says. */
static void rule(struct buf *out, const json_t *row, const char *here, const char *otherwise, int64_t now)
{
	say_spaces(out, 2);
	buf_str(out, strcmp(say_member(row, "name"), here) == 0 ? "> " : "  ");
	say_text(out, say_member(row, "name"), now);
	say_column(out, BESIDE);
	if (*say_member(row, "when")) {
		say_wrapped(out, BESIDE + 2, say_member(row, "when"), now);
		buf_printf(out, "   (now: %s)\n", yes_no(row, "holds"));
	} else {
		buf_printf(out, "%s\n", otherwise);
	}
	if (!*say_member(row, "until") || strcmp(say_member(row, "name"), here) != 0)
		return;
	say_spaces(out, BESIDE);
	buf_str(out, "kept until ");
	say_wrapped(out, BESIDE + 2, say_member(row, "until"), now);
	buf_printf(out, "   (now: %s)\n", yes_no(row, "until_holds"));
}

static void place(struct buf *out, const char *what, const json_t *row, const char *otherwise, int64_t now)
{
	const json_t *rules = json_object_get(row, "rules");
	size_t i;

	buf_printf(out, "\n%s: ", what);
	say_text(out, say_member(row, "now"), now);
	buf_str(out, ", since ");
	say_when(out, say_member_time(row, "since"), now);
	buf_char(out, '\n');
	because(out, 2, row, now);
	if (say_member_true(row, "moved_by_step")) {
		buf_str(out, "  a step moved them there, until ");
		if (say_member_time(row, "moved_until"))
			say_when(out, say_member_time(row, "moved_until"), now);
		else
			buf_str(out, "the stage changes");
		buf_char(out, '\n');
	}
	for (i = 0; i < json_array_size(rules); i++)
		rule(out, json_array_get(rules, i), say_member(row, "now"), otherwise, now);
}

/* --- tests, record ---------------------------------------------------------------------------------- */

static void tests(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "tests");
	size_t i;

	if (!json_array_size(list))
		return;
	title(out, "TESTS THEY ARE IN");
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		date(out, row, "at", now);
		buf_printf(out, "%s: got %s; ", say_member(row, "step"), say_member(row, "arm"));
		if (say_member_true(row, "won")) {
			buf_printf(out, "%s: won\n", say_member(row, "decided_by"));
		} else {
			buf_printf(out, "no %s, looked for until ", say_member(row, "decided_by"));
			say_when(out, say_member_time(row, "until"), now);
			buf_char(out, '\n');
		}
	}
}

static void record(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *list = json_object_get(json, "journal");
	size_t i;

	title(out, "RECORD, newest first");
	for (i = 0; i < json_array_size(list) && i < RECORD_SHOWN; i++) {
		const json_t *row = json_array_get(list, i);

		date(out, row, "at", now);
		say_text(out, say_member(row, "kind"), now);
		buf_char(out, ' ');
		say_text(out, say_member(row, "what"), now);
		buf_str(out, ": ");
		say_wrapped(out, BESIDE + 2, say_member(row, "why"), now);
		buf_char(out, '\n');
	}
}

void page_why(struct buf *out, const json_t *json, int64_t now)
{
	head(out, json, now);
	next(out, json, now);
	got(out, json, now);
	held(out, json, now);
	past(out, json, now);
	hot(out, json, now);
	place(out, "STAGE", json_object_get(json, "on_stage"), "where everybody begins", now);
	place(out, "LIST", json_object_get(json, "on_list"), "everybody who is left", now);
	page_changes(out, json_object_get(json, "changes"), now);
	tests(out, json, now);
	record(out, json, now);
}
