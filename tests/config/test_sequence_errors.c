/*
 * test_sequence_errors.c: every kind of mistake in a sequence, and what is said of it. A row makes one good file wrong and
 * gives the whole output, so that nothing else is complained about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mistakes.h"

static const struct mistake sequence_mistakes[] = {
	{ "sequences/book.yaml", "list: looking", "list: loking",
		"sequences/book.yaml:2:7: there is no list `loking` in nurture.yaml; did you mean "
		"`looking`?\n" },
	{ "sequences/book.yaml", "{on: signup, when", "{when",
		"sequences/book.yaml:3:8: `on` is missing in `enter`; it is the event that lets people in: "
		"signup, list_changed, stage_changed, or any other\n" },
	{ "sequences/book.yaml", "after 180 days", "sometimes",
		"sequences/book.yaml:4:8: `again`: `sometimes` is no choice here; there are `never`, "
		"`always` and `after 180 days`\n" },
	{ "sequences/book.yaml", "after 180 days", "after a while",
		"sequences/book.yaml:4:8: `again`: \"a while\" is not a duration; write it as \"14 days\" or "
		"\"2h30m\"\n" },
	{ "sequences/book.yaml", "priority: 10", "priority: 10\non_change: stop",
		"sequences/book.yaml:8:12: `on_change`: `stop` is no choice here; there are `move`, `finish` "
		"and `restart`\n" },
	{ "sequences/book.yaml", "goal: stage >= \"decision\"", "goal: 1 > 2",
		"sequences/book.yaml:5:7: this goal can never hold; leave it away, or ask something else\n" },
	{ "sequences/book.yaml", "exit: list != \"looking\"", "exit: 2 > 1",
		"sequences/book.yaml:6:7: this exit always holds: everybody would leave at once; leave it "
		"away, or ask something else\n" },
	{ "sequences/book.yaml", "exit: list != \"looking\"", "exit: list == 'looking'",
		"sequences/book.yaml:6:7: this exit holds for everybody on the sequence's own list "
		"`looking`; `list != \"looking\"` was probably meant\n" },
	{ "sequences/book.yaml", "exit: list != \"looking\"", "exit: list != \"buying\"",
		"sequences/book.yaml:6:7: this exit holds for everybody on the sequence's own list "
		"`looking`; `list != \"looking\"` was probably meant\n" },
	{ "sequences/book.yaml", "exit: list != \"looking\"", "exit: not (list in [\"looking\", \"buying\"])",
		"sequences/book.yaml:6:7: this exit can never hold; leave it away, or ask something else\n" },
	{ "sequences/book.yaml", "goal: stage >= \"decision\"", "goal: stage < \"awareness\"",
		"sequences/book.yaml:5:7: this goal can never hold; leave it away, or ask something else\n" },
	{ "sequences/book.yaml", "{send: delivery, even_in: quiet}", "{send: delivry, even_in: quiet}",
		"sequences/book.yaml:9:21: there is no mail `delivry` in templates/emails/; did you mean "
		"`delivery`?\n" },
	{ "sequences/book.yaml", "{send: delivery, even_in: quiet}", "{sned: delivery}",
		"sequences/book.yaml:9:15: no step begins so; a step is one of send, wait, wait_until, wait_for, if, "
		"split, test, set, tag, move, alert, webhook, go and end; did you mean `send`?\n" },
	{ "sequences/book.yaml", "- deliver: {send: delivery, even_in: quiet}", "- sned: delivery",
		"sequences/book.yaml:9:5: no step begins so; a step is one of send, wait, wait_until, wait_for, if, "
		"split, test, set, tag, move, alert, webhook, go and end; did you mean `send`?\n" },
	{ "sequences/book.yaml", "even_in: quiet", "even_in: night",
		"sequences/book.yaml:9:40: `even_in` knows only `quiet`: the mail goes out in quiet hours "
		"too\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait: 2 days, send: delivery}",
		"sequences/book.yaml:10:20: `wait` and `send` in one step; each is a step of its own\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "wait",
		"sequences/book.yaml:10:5: a step is a text here; it must be a mapping (`key: value`)\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait: soon}",
		"sequences/book.yaml:10:12: `wait`: \"soon\" is not a duration; write it as \"14 days\" or "
		"\"2h30m\"\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait: 4 years}",
		"sequences/book.yaml:10:12: `wait`: out of bounds; 1 second to 1095 days are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait: 2 days, otherwise: nudge}",
		"sequences/book.yaml:10:20: unknown key `otherwise` in a `wait` step; there is only "
		"`wait`\n" },
	{ "sequences/book.yaml", "    at_most: 3 days\n", "",
		"sequences/book.yaml:12:5: `at_most` is missing in a `wait_for` step; it is how long to wait "
		"for it\n" },
	{ "sequences/book.yaml", "otherwise: nudge", "otherwise: nuge",
		"sequences/book.yaml:14:16: there is no step `nuge` in this sequence; did you mean "
		"`nudge`?\n" },
	{ "sequences/book.yaml", "clicked(\"mistakes\")", "clicked(\"mistake\")",
		"sequences/book.yaml:12:24: there is no mail `mistake` in templates/emails/; did you mean "
		"`mistakes`?\n" },
	{ "sequences/book.yaml", "clicked(\"mistakes\") or visited(\"/compare*\", 14 days)", "1 == 1",
		"sequences/book.yaml:12:15: this `wait_for` always holds: nobody would wait; leave it "
		"away, or ask something else\n" },
	{ "sequences/book.yaml", "      then: thank\n", "",
		"sequences/book.yaml:16:7: this `if` has neither `then` nor `else`: it asks and does "
		"nothing\n" },
	{ "sequences/book.yaml", "{send: delivery, even_in: quiet}", "{send: delivery}\n    even_in: quiet",
		"sequences/book.yaml:10:5: `even_in` stands beside the name of the step; put it into the "
		"braces, beside the verb\n" },
	{ "sequences/book.yaml", "{set: {seats: \"12\"}}", "{set: {seets: \"12\"}}",
		"sequences/book.yaml:18:12: there is no field `seets` in nurture.yaml; did you mean "
		"`seats`?\n" },
	{ "sequences/book.yaml", "{set: {seats: \"12\"}}", "{set: {seats: many}}",
		"sequences/book.yaml:18:19: `many` is no number; `seats` holds numbers\n" },
	{ "sequences/book.yaml", "{set: {seats: \"12\"}}", "{set: {seats: \"12\", role: x}}",
		"sequences/book.yaml:18:11: a `set` step fills one field; write one step for each\n" },
	{ "sequences/book.yaml", "- thank: {", "- mistakes: {",
		"sequences/book.yaml:17:13: there is no step `thank` in this sequence; there are "
		"`deliver`, `wait-1`, `mistakes`, `wait_for-1`, `ask`, `set-1`, `mistakes`, `end-1`, "
		"`nudge`, `wait-2` and `go-1`\n"
		"sequences/book.yaml:19:5: there are two steps `mistakes`; the first is in line 11\n"
		"sequences/book.yaml:23:10: there is no step `thank` in this sequence; there are "
		"`deliver`, `wait-1`, `mistakes`, `wait_for-1`, `ask`, `set-1`, `mistakes`, `end-1`, "
		"`nudge`, `wait-2` and `go-1`\n" },
	{ "sequences/book.yaml", "- thank: {", "- go: {",
		"sequences/book.yaml:17:13: there is no step `thank` in this sequence; there are "
		"`deliver`, `wait-1`, `mistakes`, `wait_for-1`, `ask`, `set-1`, `go-1`, `end-1`, `nudge`, "
		"`wait-2` and `go-2`\n"
		"sequences/book.yaml:19:5: a step cannot be called `go`: that is a verb; give it another "
		"name\n"
		"sequences/book.yaml:23:10: there is no step `thank` in this sequence; there are "
		"`deliver`, `wait-1`, `mistakes`, `wait_for-1`, `ask`, `set-1`, `go-1`, `end-1`, `nudge`, "
		"`wait-2` and `go-2`\n" },
	{ "sequences/book.yaml", "otherwise: nudge", "otherwise: thank",
		"sequences/book.yaml:21:5: nothing leads to step `nudge`; name it in a `go`, `then`, `else` "
		"or `otherwise`, or take it out\n" },
	{ "sequences/book.yaml", "{go: thank}", "{go: go-1}",
		"sequences/book.yaml:23:5: this `go` leads to itself; name another step\n" },
	{ "sequences/book.yaml", "  - {wait: 5 days}\n  - {go: thank}", "  - {go: nudge}",
		"sequences/book.yaml:21:5: step `nudge` comes back to itself without a `wait` on the way; "
		"put one into the loop\n" },
	{ "sequences/book.yaml", "  - {go: thank}",
		"  - wait_for: replied()\n    at_most: 1 day\n  - {go: wait_for-2}",
		"sequences/book.yaml:23:5: step `wait_for-2` comes back to itself without a `wait` on the "
		"way; put one into the loop\n" },
	{ "sequences/second.yaml", "sequence: second", "sequence: book",
		"sequences/book.yaml:1:11: there are two sequences `book`; each has a name of its own\n" },
	{ "sequences/second.yaml", "  - {send: delivery}", "  []",
		"sequences/second.yaml:5:3: `steps` is empty; write at least one\n" },
};

static void test_sequences(void **state)
{
	try_mistakes(sequence_mistakes, COUNT(sequence_mistakes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
