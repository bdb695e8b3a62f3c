/*
 * test_difference.c: what two configs say differently. Each row changes one file of the good config and has what is told of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/difference.h"

#include "conf.h"

/* One a line: "kind name: change", and below it "  aspect: was -> is". */
static void print(struct buf *out, const struct difference *d)
{
	buf_printf(out, "%s%s%s: %s\n", d->kind, *d->name ? " " : "", d->name, difference_words[d->change]);
	for (size_t i = 0; i < d->count; i++) {
		const struct difference_aspect *a = &d->aspects[i];

		buf_printf(out, "  %s: %s -> %s\n", a->name, a->was ? a->was : "(not)", a->is ? a->is : "(not)");
	}
}

static struct plan *load(struct conf *c)
{
	char *said;
	struct plan *plan = conf_load(c, &said);

	if (!plan)
		fail_msg("%s", said);
	free(said);
	return plan;
}

/* `said` gets the differences between the good config and the one that is in the folder. */
static void compare(struct conf *c, struct plan *good, struct buf *said)
{
	struct plan *plan = load(c);
	struct arena *arena = arena_new(0);
	const struct difference *all;
	size_t count = plan_compare(good, plan, arena, &all);

	buf_reset(said);
	for (size_t i = 0; i < count; i++)
		print(said, &all[i]);
	arena_free(&arena);
	plan_unref(&plan);
}

static const struct {
	const char *file, *old, *new, *said;
} rows[] = {
	{ "nurture.yaml", "half_life: 10 days", "half_life: 10 days # the same", "" },
	{ "nurture.yaml", "default: there", "default: you", "field first_name: changed\n  default: there -> you\n" },
	{ "nurture.yaml", "  role:\n", "  role:\n  city:\n", "field city: added\n" },
	{ "nurture.yaml", "until: interest < 40", "until: interest < 30", "stage decision: changed\n  until: interest < 40 -> interest < 30\n" },
	{ "nurture.yaml", "    until: interest < 40\n", "", "stage decision: changed\n  until: interest < 40 -> (not)\n" },
	{ "nurture.yaml", "  - {name: buying", "  - {name: new, when: did(\"x\")}\n  - {name: buying", "list new: added\n" },
	{ "nurture.yaml", "at_most: 1 per day, tone: direct", "at_most: 2 per day",
		"list buying: changed\n  at_most: 1 per day -> 2 per day\n  tone: direct -> (not)\n" },
	{ "nurture.yaml", "half_life: 10 days", "half_life: 12 days\n  grades: {fit: [3, 2, 1], interest: [30, 20, 10]}",
		"score: changed\n  half_life: 10 days -> 12 days\n"
		"  grade A, fit from: (not) -> 3\n  grade 1, interest from: (not) -> 30\n  grade B, fit from: (not) -> 2\n"
		"  grade 2, interest from: (not) -> 20\n  grade C, fit from: (not) -> 1\n  grade 3, interest from: (not) -> 10\n" },
	{ "nurture.yaml", "points: 20", "points: 25", "fit rule fit-1: changed\n  points: 20 -> 25\n" },
	{ "nurture.yaml", "at_most: 15 per 7 days", "at_most: 10 per 7 days", "interest rule click: changed\n  at_most: 15 per 7 days -> 10 per 7 days\n" },
	{ "nurture.yaml", "    - {on: signup, points: 10}\n", "", "interest rule signup: removed\n" },
	{ "nurture.yaml", "days: [sun]", "days: [sat, sun]", "quiet: changed\n  days: sun -> sat, sun\n" },
	{ "nurture.yaml", "timezone: Europe/Berlin}", "timezone: Europe/Berlin}\nholidays: [\"12-25\", 2027-04-03]",
		"holiday 12-25: added\nholiday 2027-04-03: added\n" },
	{ "forms/book.yaml", "required: [company]", "required: []", "form book: changed\n  fields: first_name, company (required) -> first_name, company\n" },
	{ "forms/book.yaml", "Yes, send me", "Send me", "form book: changed\n  consent words: Yes, send me the book. -> Send me the book.\n" },
	{ "templates/emails/mistakes.liquid", "Compare<", "Look<", "mail mistakes: changed\n  text:  -> \n" },
	{ "templates/emails/mistakes.txt.liquid", "Stop:", "Leave:", "mail mistakes: changed\n  plain text:  -> \n" },
	{ "templates/emails/parts/letter.liquid", NULL, "nothing\n", "" },
	{ "sales.yaml", "score >= 80", "score >= 70",
		"sales: changed\n  hot: (score >= 80 and stage == \"decision\") or intent in [\"meeting\", \"demo\"]"
		" -> (score >= 70 and stage == \"decision\") or intent in [\"meeting\", \"demo\"]\n" },
	{ "sales.yaml", "share: 2", "share: 3", "owner ben: changed\n  share: 2 -> 3\n" },
	{ "sales.yaml", "hooks/lead", "hooks/other", "alert 1, to crm.example.com: changed\n  to:  -> \n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{wait: 3 business days}", "sequence book: changed\n  step wait-1: wait 2 days -> wait 3 business days\n" },
	{ "sequences/book.yaml", "mistakes: {send: mistakes}", "errors: {send: mistakes}",
		"sequence book: changed\n  step mistakes: mail mistakes -> (not)\n  step errors: (not) -> mail mistakes\n" },
	{ "sequences/book.yaml", "then: thank", "then: nudge",
		"sequence book: changed\n  step ask: if did(\"download\"); then: thank, else: set-1 -> if did(\"download\"); then: nudge, else: set-1\n" },
	{ "sequences/book.yaml", "{go: thank}", "{go: mistakes}", "sequence book: changed\n  step go-1: go to thank -> go to mistakes\n" },
	{ "sequences/book.yaml", "at_most: 3 days\n    otherwise: nudge", "at_most: 4 days\n    otherwise: nudge",
		"sequence book: changed\n  step wait_for-1: wait for clicked(\"mistakes\") or visited(\"/compare*\", 14 days), at most 3 days; otherwise: nudge"
		" -> wait for clicked(\"mistakes\") or visited(\"/compare*\", 14 days), at most 4 days; otherwise: nudge\n" },
	{ "sequences/book.yaml", "priority: 10", "priority: 10\non_change: finish\ngone: {old: nudge}\nholdout: 10%",
		"sequence book: changed\n  on_change: move -> finish\n  holdout: (not) -> 10%\n  holdout_for: (not) -> 90 days\n  gone: old: (not) -> nudge\n" },
	{ "sequences/third.yaml", NULL, "sequence: third\nenter: by hand\nsteps:\n  - {send: mistakes}\n", "sequence third: added\n" },
	{ "nurtured.yaml", "company: Example Ltd", "company: Example GmbH", "operator: changed\n  sender.company: Example Ltd -> Example GmbH\n" },
	{ "sequences/book.yaml", "priority: 10", "priority: 10\nmode: one-to-one", "sequence book: changed\n  mode: (not) -> one-to-one\n" },
	{ "nurtured.yaml", "relays:", "message: {headers: {X-Company: Example}, precedence: always, suppress_auto_replies: yes, max_size: 1 MiB}\nrelays:",
		"operator: changed\n  message.precedence: mailings -> always\n"
		"  message.suppress_auto_replies: no -> yes\n  message.max_size: 9437184 -> 1048576\n  message.headers.X-Company: (not) -> Example\n" },
	{ "nurtured.yaml", "relays:", "senders: [{name: shop, from: ben@shop.example, separator: '='}]\nrelays:",
		"sender shop: added\n" },
	{ "nurtured.yaml", "relay.example.com:587", "relay.example.com:2525",
		"relay main: changed\n  url: smtp://relay.example.com:587 -> smtp://relay.example.com:2525\n" },
	{ "nurtured.yaml", "user: nurtured,", "user: nurtured, weight: 3, rate: 10 per second,",
		"relay main: changed\n  weight: 1 -> 3\n  rate: (not) -> 10 per second\n" },
	{ "nurtured.yaml", "mailboxes:", "  - {name: spare, url: \"smtp://b.example.com\", backup: yes}\nmailboxes:", "relay spare: added\n" },
	{ "nurtured.yaml", "relays:", "  relay: main\nrelays:", "operator: changed\n  sender.relay: (not) -> main\n" },
	{ "credentials/smtp-password", NULL, "another\n", "relay main: changed\n  password:  -> \n" },
};

static void each_change_is_told(void **state)
{
	struct buf said = BUF_INIT;
	struct conf c;
	struct plan *good;

	conf_init(&c);
	good = load(&c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf_edit(&c, rows[i].file, rows[i].old, rows[i].new);
		compare(&c, good, &said);
		if (strcmp(buf_cstr(&said), rows[i].said) != 0)
			fail_msg("%s, %s:\n%s", rows[i].file, rows[i].new, buf_cstr(&said));
		conf_restore(&c, rows[i].file);
		if (strncmp(rows[i].file, "credentials/", 12) == 0)
			conf_write(&c, rows[i].file, "smtp secret\n");
	}
	plan_unref(&good);
	conf_clear(&c);
	buf_clear(&said);
}

/* Where the order decides, it is said; one that is added or taken away does not move the others. */
static void another_order_is_told(void **state)
{
	struct buf said = BUF_INIT;
	struct conf c;
	struct plan *good;

	conf_init(&c);
	conf_edit(&c, "nurture.yaml", "  - {name: looking", "  - {name: third, when: did(\"x\")}\n  - {name: looking");
	good = load(&c);
	conf_edit(&c, "nurture.yaml", "  - {name: buying, when: stage == \"decision\", at_most: 1 per day, tone: direct}\n  - {name: looking",
		"  - {name: third, when: did(\"x\")}\n  - {name: buying, when: stage == \"decision\", at_most: 1 per day, tone: direct}\n  - {name: looking");
	compare(&c, good, &said);
	assert_string_equal(buf_cstr(&said), "list: changed\n  order: buying, third, looking -> third, buying, looking\n");
	conf_restore(&c, "nurture.yaml");
	compare(&c, good, &said);
	assert_string_equal(buf_cstr(&said), "list third: removed\n");
	conf_edit(&c, "sequences/book.yaml", "  - deliver: {send: delivery, even_in: quiet}\n  - {wait: 2 days}\n  - mistakes: {send: mistakes}\n",
		"  - mistakes: {send: mistakes}\n  - {wait: 2 days}\n  - deliver: {send: delivery, even_in: quiet}\n");
	compare(&c, good, &said);
	assert_non_null(strstr(buf_cstr(&said), "sequence book: changed\n  order of steps: deliver, wait-1, mistakes, "));
	plan_unref(&good);
	conf_clear(&c);
	buf_clear(&said);
}

static void what_needs_a_restart_is_told(void **state)
{
	struct conf c;
	struct plan *good, *other;

	conf_init(&c);
	good = load(&c);
	conf_edit(&c, "nurtured.yaml", "port: 0", "port: 8025");
	other = load(&c);
	assert_non_null(strstr(plan_needs_restart(good, other), "listen.port"));
	assert_null(plan_needs_restart(good, good));
	plan_unref(&other);
	plan_unref(&good);
	conf_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_is_told),
		cmocka_unit_test(another_order_is_told),
		cmocka_unit_test(what_needs_a_restart_is_told),
	};

	return cmocka_run_group_tests_name("difference", tests, NULL, NULL);
}
