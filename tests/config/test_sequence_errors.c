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
		"sequences/book.yaml:9:40: `even_in` is `quiet` (the mail goes out in quiet hours too), `cap` "
		"(although the cap of the list is reached) or `always`\n" },
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
		"sequences/book.yaml:21:5: nothing leads to step `nudge`; name it in a `go`, `then`, `else`, "
		"`otherwise` or `split`, or take it out\n" },
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

/* Keys of a sequence, verbs and their options. */
static const struct mistake option_mistakes[] = {
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait: 0 business days}",
		"sequences/book.yaml:10:12: `wait`: out of bounds; 1 to 365 business days are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait: 400 business days}",
		"sequences/book.yaml:10:12: `wait`: out of bounds; 1 to 365 business days are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait: business days}",
		"sequences/book.yaml:10:12: `wait`: \"business days\" is not a duration; write it as \"14 days\" or "
		"\"2h30m\"\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait: 100 ms}",
		"sequences/book.yaml:10:12: `wait`: out of bounds; 1 second to 1095 days are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: tuesday 09:00}",
		"sequences/book.yaml:10:18: `wait_until`: `tuesday` is written `tue`\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: tue}",
		"sequences/book.yaml:10:18: `wait_until`: the time of day is missing; write it like tue 09:00\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: 2026-02-30}",
		"sequences/book.yaml:10:18: `wait_until`: there is no day `2026-02-30` in the calendar\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: webinar}",
		"sequences/book.yaml:10:18: there is no field `webinar` in nurture.yaml; there are `first_name`, "
		"`role`, `seats` and `company`\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: seats}",
		"sequences/book.yaml:10:18: `seats` is no time; only a field of `type: time` can be waited for\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: tue 09:00, before: 1 day}",
		"sequences/book.yaml:10:18: `before` goes with a field that holds a time\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: 2026-12-01, after: 1 day}",
		"sequences/book.yaml:10:18: `after` goes with a field that holds a time\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: tue 09:00, otherwise: nudge}",
		"sequences/book.yaml:10:40: `otherwise` has no effect: there is always a next time for `tue 09:00`\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: seats, before: 1 day, after: 1 day}",
		"sequences/book.yaml:10:18: `seats` is no time; only a field of `type: time` can be waited for\n"
		"sequences/book.yaml:10:18: `before` and `after` in one step; write one of them\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: 2026-12-01, otherwise: nuge}",
		"sequences/book.yaml:10:41: there is no step `nuge` in this sequence; did you mean `nudge`?\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait_until: 2026-12-01, before: 1 ms}",
		"sequences/book.yaml:10:38: `before`: out of bounds; 1 second to 1095 days are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{split: [50, 50]}",
		"sequences/book.yaml:10:13: `split` is a list here; it must be a mapping (`key: value`)\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{split: {nudge: 50}}",
		"sequences/book.yaml:10:13: `split` has 2 to 20 ways; here is 1\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{split: {}}",
		"sequences/book.yaml:10:13: `split` has 2 to 20 ways; here are 0\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{split: {nudge: 50, tank: 50}}",
		"sequences/book.yaml:10:25: there is no step `tank` in this sequence; did you mean `thank`?\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{split: {nudge: 0, thank: 50}}",
		"sequences/book.yaml:10:21: a share of `split` is a whole number from 1 to 1000\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{split: {nudge: half, thank: 50}}",
		"sequences/book.yaml:10:21: `half` is no whole number; write it in digits\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{split: {nudge: [1], thank: 50}}",
		"sequences/book.yaml:10:21: a share of `split` is a list here; it must be one text\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{split: {nudge: 50, deliver: 50}}",
		"sequences/book.yaml:9:5: step `deliver` comes back to itself without a `wait` on the way; put one "
		"into the loop\n"
		"sequences/book.yaml:11:5: nothing leads to step `mistakes`; name it in a `go`, `then`, `else`, "
		"`otherwise` or `split`, or take it out\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "split: {send: delivery}",
		"sequences/book.yaml:10:5: a step cannot be called `split`: that is a verb; give it another name\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes]}",
		"sequences/book.yaml:10:12: a `test` has 2 to 8 mails; here is 1\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: []}",
		"sequences/book.yaml:10:12: a `test` has 2 to 8 mails; here are 0\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: mistakes}",
		"sequences/book.yaml:10:12: `test` is a text here; it must be a list\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivry]}",
		"sequences/book.yaml:10:23: there is no mail `delivry` in templates/emails/; did you mean "
		"`delivery`?\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery, mistakes]}",
		"sequences/book.yaml:10:33: this mail is in the test already; give it another `subject`, or take it "
		"out\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, {subject: x}]}",
		"sequences/book.yaml:10:23: `mail` is missing in an item of `test`; it is the name of its template\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, {mail: delivery, subject: \"Hi {{ firstname }}\"}]}",
		"sequences/book.yaml:10:56: unknown name \"firstname\"; did you mean \"first_name\"?\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, {mail: delivery, subject: \"Hi {{ role }}\"}]}",
		"sequences/book.yaml:10:56: role may be empty: write {{ role | default: \"...\" }} or put it inside "
		"{% if role %}\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, {mail: delivery, subject: \"a\\nb\"}]}",
		"sequences/book.yaml:10:49: a subject is one line\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [{mail: mistakes, name: a}, {mail: delivery, name: a}]}",
		"sequences/book.yaml:10:63: there are two mails called `a` in this test; each has a name of its own\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [{mail: mistakes, name: a b}, delivery]}",
		"sequences/book.yaml:10:36: `a b` is no name; a letter comes first, then letters, digits, - and _\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [{mail: mistakes, sbject: x}, delivery]}",
		"sequences/book.yaml:10:30: unknown key `sbject` in an item of `test`; did you mean `subject`?\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [[mistakes], delivery]}",
		"sequences/book.yaml:10:13: an item of `test` is a list here; it must be a mapping (`key: value`)\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery], by: click_machine}",
		"sequences/book.yaml:10:38: `click_machine`: what machines do decides nothing; name the event "
		"without _machine\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery], by: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
		"sequences/book.yaml:10:38: the name of an event has at most 64 characters\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery], within: 1 s}",
		"sequences/book.yaml:10:42: `within`: out of bounds; 1 minute to 365 days are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery], method: random}",
		"sequences/book.yaml:10:42: `method`: `random` is no choice here; there are `thompson` and `fixed`\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery], size: 5}",
		"sequences/book.yaml:10:40: `size`: out of bounds; 10 to 10000000 are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery], sure: 100%}",
		"sequences/book.yaml:10:40: `sure`: no test is ever quite sure; at most 99.99 %\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery], sure: 40%}",
		"sequences/book.yaml:10:40: `sure`: out of bounds; 50% to 100% are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery], sure: 95}",
		"sequences/book.yaml:10:40: `sure`: `95` is no percentage; write it like 10%\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery], even_in: night}",
		"sequences/book.yaml:10:43: `even_in` is `quiet` (the mail goes out in quiet hours too), `cap` "
		"(although the cap of the list is reached) or `always`\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{send: mistakes, as: ana}",
		"sequences/book.yaml:10:26: `as` knows only `owner`: the mail is from the owner of the lead\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{send: mistakes, thread: new}",
		"sequences/book.yaml:10:30: `thread` knows only `same`: the mail answers the one before it\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{send: mistakes, valid_for: 1 s}",
		"sequences/book.yaml:10:33: `valid_for`: out of bounds; 1 minute to 1095 days are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{tag: []}",
		"sequences/book.yaml:10:11: a `tag` step has 1 to 20 tags\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{tag: v i p}",
		"sequences/book.yaml:10:11: `v i p` is no name; a letter comes first, then letters, digits, - and _\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{tag: \"-\"}",
		"sequences/book.yaml:10:11: the name is empty; give it one\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{tag: [vip, -vip]}",
		"sequences/book.yaml:10:17: the tag `vip` is here twice\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{tag: {vip: yes}}",
		"sequences/book.yaml:10:11: `tag` is a mapping here; it must be one text or a list\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{tag: [[vip]]}",
		"sequences/book.yaml:10:12: a tag is a list here; it must be one text\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{move: bying}",
		"sequences/book.yaml:10:12: there is no list `bying` in nurture.yaml; did you mean `buying`?\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{move: buying, for: 1 s}",
		"sequences/book.yaml:10:25: `for`: out of bounds; 1 minute to 1095 days are allowed\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{move: buying}",
		"sequences/book.yaml:10:5: whoever is moved to `buying` leaves this sequence, and never comes to "
		"step `mistakes`; leave its `list` away, or let an `end` follow\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{alert: Look, as: slak}",
		"sequences/book.yaml:10:23: there is no template `slak` in alerts/; did you mean `slack`?\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{alert: \"\"}",
		"sequences/book.yaml:10:13: `alert`: it is empty; write something, or leave the key away\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{webhook: example.com}",
		"sequences/book.yaml:10:5: `secret` is missing: a `standard` webhook is signed; name a credential or "
		"a file in secrets/\n"
		"sequences/book.yaml:10:15: `webhook`: `example.com` is no whole URL; it begins like https://\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{webhook: \"https://example.com/\"}",
		"sequences/book.yaml:10:5: `secret` is missing: a `standard` webhook is signed; name a credential or "
		"a file in secrets/\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{webhook: \"https://example.com/\", as: teams}",
		"sequences/book.yaml:10:43: there is no template `teams` in alerts/; there are `forward`, `slack` "
		"and `standard`\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{webhook: \"https://example.com/\", secret: nope}",
		"sequences/book.yaml:10:47: `secret`: there is no secret `nope`: neither a credential of that name "
		"nor secrets/nope; put whsec_ and at least 24 random bytes in base64 there\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{webhook: \"https://example.com/\", secret: api-key}",
		"sequences/book.yaml:10:47: `secret`: the secret does not begin with whsec_; make one with: printf "
		"'whsec_%s' \"$(openssl rand -base64 32)\"\n" },
	{ "sequences/book.yaml", "{send: delivery, even_in: quiet}", "{send: delivery, thread: same}",
		"sequences/book.yaml:9:39: there is no mail before step `deliver` that it could answer; leave "
		"`thread` away\n" },
	{ "sequences/book.yaml", "{on: signup, when: event.form == \"book\"}", "by mail",
		"sequences/book.yaml:3:8: `enter`: `by mail` is no choice here; there are `by hand` and {on: EVENT}\n" },
	{ "sequences/book.yaml", "{on: signup, when: event.form == \"book\"}", "[signup]",
		"sequences/book.yaml:3:8: `enter` is a list here; it must be one text or a mapping (`key: value`)\n" },
	{ "sequences/book.yaml", "priority: 10", "beside: second",
		"sequences/book.yaml:7:9: `beside`: `second` is no choice here; there are `any` and a list of names, "
		"like [second]\n" },
	{ "sequences/book.yaml", "priority: 10", "beside: [secnd]",
		"sequences/book.yaml:7:10: there is no sequence `secnd`; did you mean `second`?\n" },
	{ "sequences/book.yaml", "priority: 10", "beside: [book]",
		"sequences/book.yaml:7:10: no sequence runs beside itself; take `book` out\n" },
	{ "sequences/book.yaml", "priority: 10", "beside: [second, second]",
		"sequences/book.yaml:7:18: `second` is in `beside` twice\n" },
	{ "sequences/book.yaml", "priority: 10", "beside: [[second]]",
		"sequences/book.yaml:7:10: an item of `beside` is a list here; it must be one text\n" },
	{ "sequences/book.yaml", "priority: 10", "beside: {second: yes}",
		"sequences/book.yaml:7:9: `beside` is a mapping here; it must be one text or a list\n" },
	{ "sequences/book.yaml", "priority: 10", "holdout: 95%",
		"sequences/book.yaml:7:10: `holdout`: out of bounds; 0% to 90% are allowed\n" },
	{ "sequences/book.yaml", "priority: 10", "holdout: 10",
		"sequences/book.yaml:7:10: `holdout`: `10` is no percentage; write it like 10%\n" },
	{ "sequences/book.yaml", "priority: 10", "holdout_for: 10 days",
		"sequences/book.yaml:7:14: `holdout_for` has no effect without `holdout`\n" },
	{ "sequences/book.yaml", "priority: 10", "holdout: 10%\nholdout_for: 1 hour",
		"sequences/book.yaml:8:14: `holdout_for`: out of bounds; 1 day to 1095 days are allowed\n" },
	{ "sequences/book.yaml", "priority: 10", "gone: {nudge: end}",
		"sequences/book.yaml:7:8: the step `nudge` is still there; `gone` is for steps that are not\n" },
	{ "sequences/book.yaml", "priority: 10", "gone: {old: nuge}",
		"sequences/book.yaml:7:13: there is no step `nuge` in this sequence; did you mean `nudge`?\n" },
	{ "sequences/book.yaml", "priority: 10", "gone: {old: [nudge]}",
		"sequences/book.yaml:7:13: what follows a step in `gone` is a list here; it must be one text\n" },
	{ "sequences/book.yaml", "priority: 10", "gone: {o d: end}",
		"sequences/book.yaml:7:8: `o d` is no name; a letter comes first, then letters, digits, - and _\n" },
	{ "sequences/book.yaml", "goal: stage >= \"decision\"", "holdout: 10%",
		"sequences/book.yaml:5:10: `holdout` compares who reaches the goal, and this sequence has none; give "
		"it a `goal`\n" },
	{ "sequences/book.yaml", "did(\"download\")", "1 == 1",
		"sequences/book.yaml:16:11: this `if` always holds: nobody would go the other way; leave it away, or "
		"ask something else\n" },
	{ "sequences/book.yaml", "did(\"download\")", "stage < \"awareness\"",
		"sequences/book.yaml:16:11: this `if` can never hold; leave it away, or ask something else\n" },
	{ "sequences/book.yaml", "{end: done}", "{end: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
		"sequences/book.yaml:20:11: the reason of an `end` has at most 64 characters\n" },
	{ "sequences/book.yaml", "{on: signup, when: event.form == \"book\"}", "{on: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
		"sequences/book.yaml:3:13: the name of an event has at most 64 characters\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{alert: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
		"sequences/book.yaml:10:13: what an alert says has at most 200 characters\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{send: {mail: mistakes}}",
		"sequences/book.yaml:10:12: `send` is a mapping here; it must be one text\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "wait: {send: mistakes}",
		"sequences/book.yaml:10:5: a step cannot be called `wait`: that is a verb; give it another name\n" },
};

/* What only other steps, or the whole sequence, can tell. */
static const struct mistake way_mistakes[] = {
	{ "sequences/second.yaml", "{send: delivery}", "{test: [delivery, mistakes], by: goal}",
		"sequences/second.yaml:5:38: this sequence has no `goal`; give it one, or let something else decide\n" },
	{ "sequences/second.yaml", "  - {send: delivery}",
		"  - {wait: 1 day}\n  - {send: delivery, thread: same}\n  - {send: mistakes, thread: same}\n",
		"sequences/second.yaml:6:30: there is no mail before step `send-1` that it could answer; leave `thread` "
		"away\n" },
	{ "sequences/second.yaml", "  - {send: delivery}",
		"  - {test: [delivery, mistakes], thread: same}\n",
		"sequences/second.yaml:5:42: there is no mail before step `test-1` that it could answer; leave `thread` "
		"away\n" },
	{ "sequences/second.yaml", "  - {send: delivery}",
		"  - {split: {a: 1, b: 1}}\n  - a: {send: delivery}\n  - {end: done}\n  - b: {send: mistakes, thread: same}\n",
		"sequences/second.yaml:8:33: there is no mail before step `b` that it could answer; leave `thread` away\n" },
	{ "sequences/second.yaml", "  - {send: delivery}",
		"  - {split: {a: 1, b: 1}}\n  - a: {wait: 1 day}\n  - {go: split-1}\n  - b: {go: split-1}\n",
		"sequences/second.yaml:5:5: step `split-1` comes back to itself without a `wait` on the way; put one into "
		"the loop\n" },
	{ "sequences/second.yaml", "  - {send: delivery}",
		"  - {wait_until: 2026-12-01, otherwise: late}\n  - late: {send: delivery}\n  - {go: wait_until-1}\n",
		"sequences/second.yaml:5:5: step `wait_until-1` comes back to itself without a `wait` on the way; put one "
		"into the loop\n" },
	{ "sequences/second.yaml", "steps:", "exit: list == \"buying\"\nsteps:\n  - {move: buying}\n  - {tag: moved}",
		"sequences/second.yaml:6:5: whoever is moved to `buying` leaves this sequence, and never comes to step "
		"`send-1`; leave its `exit` away, or let an `end` follow\n" },
	{ "sequences/second.yaml", "steps:", "list: looking\nsteps:\n  - {move: buying, for: 1 day}\n  - {wait: 1 hour}",
		"sequences/second.yaml:6:5: whoever is moved to `buying` leaves this sequence, and never comes to step "
		"`wait-1`; leave its `list` away, or let an `end` follow\n" },
	{ "sequences/second.yaml", "  - {send: delivery}", "  - {end: no}\n  - {send: delivery}\n  - {wait: 1 day}",
		"sequences/second.yaml:6:5: nothing leads to step `send-1`; name it in a `go`, `then`, `else`, `otherwise` "
		"or `split`, or take it out\n" },
};

/* What a step asks of sales.yaml, which has nothing. */
static const struct mistake sales_mistakes[] = {
	{ "sequences/second.yaml", "{send: delivery}", "{alert: Look}",
		"sequences/second.yaml:5:5: nobody would hear this alert: there are no `alerts` in sales.yaml\n" },
	{ "sequences/second.yaml", "{send: delivery}", "{send: delivery, as: owner}",
		"sequences/second.yaml:5:26: there are no `owners` in sales.yaml; name them there, or leave `as` away\n" },
	{ "sequences/second.yaml", "{send: delivery}", "{test: [delivery, mistakes], as: owner}",
		"sequences/second.yaml:5:38: there are no `owners` in sales.yaml; name them there, or leave `as` away\n" },
};

static void test_sequences(void **state)
{
	try_mistakes(sequence_mistakes, COUNT(sequence_mistakes));
}

static void test_options(void **state)
{
	try_mistakes(option_mistakes, COUNT(option_mistakes));
}

static void test_ways(void **state)
{
	try_mistakes(way_mistakes, COUNT(way_mistakes));
}

static void test_without_sales(void **state)
{
	struct conf c;

	conf_init(&c);
	conf_remove(&c, "sales.yaml");
	try_mistakes_in(&c, sales_mistakes, COUNT(sales_mistakes));
	conf_clear(&c);
}

/* So many that no row holds them. */
static void test_too_many(void **state)
{
	static const struct {
		const char *before, *each, *after, *said;
		int count;
	} rows[] = {
		{ "sequence: second\nenter: by hand\nsteps:\n", "  - {tag: a}\n", "",
			"sequences/second.yaml:4:3: a sequence has at most 1000 steps\n", 1001 },
		{ "sequence: second\nenter: by hand\nsteps: [{tag: a}]\nbeside: [", "a%d, ", "]\n",
			"sequences/second.yaml:4:9: `beside` has at most 100 names; there is `any`, too\n", 101 },
		{ "sequence: second\nenter: by hand\nsteps: [{tag: a}]\ngone: {", "a%d: end, ", "}\n",
			"sequences/second.yaml:4:7: `gone` has at most 1000 steps; take out those at which nobody stands any "
			"more\n", 1001 },
		{ "sequence: second\nenter: by hand\nsteps:\n  - {tag: [", "a%d, ", "]}\n",
			"sequences/second.yaml:4:11: a `tag` step has 1 to 20 tags\n", 21 },
		{ "sequence: second\nenter: by hand\nsteps:\n  - {test: [", "{mail: delivery, name: a%d, subject: s%d}, ", "]}\n",
			"sequences/second.yaml:4:12: a `test` has 2 to 8 mails; here are 9\n", 9 },
		{ "sequence: second\nenter: by hand\nsteps:\n  - {split: {", "a%d: 1, ", "}}\n",
			"sequences/second.yaml:4:13: `split` has 2 to 20 ways; here are 21\n", 21 },
	};
	struct conf c;

	conf_init(&c);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf text = BUF_INIT;
		struct plan *plan;
		char *said;

		buf_str(&text, rows[i].before);
		for (int k = 0; k < rows[i].count; k++) {
			for (const char *at = rows[i].each; *at; at++) {
				if (*at == '%' && at++)
					buf_printf(&text, "%d", k);
				else
					buf_char(&text, *at);
			}
		}
		buf_str(&text, rows[i].after);
		conf_write(&c, "sequences/second.yaml", buf_cstr(&text));
		plan = conf_load(&c, &said);
		assert_null(plan);
		assert_string_equal(said, rows[i].said);
		free(said);
		buf_clear(&text);
	}
	conf_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_without_sales),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
