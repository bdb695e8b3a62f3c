/*
 * test_steps.c: what each kind of step becomes, the ways between steps, and the version of a sequence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include "conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Its fields are those of tests/config/good, and `webinar_at`. */
static const char every_step[] =
	"sequence: all\n"
	"enter: by hand\n"
	"beside: [book, second]\n"
	"goal: stage >= \"decision\"\n"
	"holdout: 10%\n"
	"holdout_for: 30 days\n"
	"on_change: restart\n"
	"gone: {intro: nudge, outro: end}\n"
	"steps:\n"
	"  - {send: delivery, valid_for: 3 days, as: owner, even_in: cap}\n"
	"  - {wait: 3 business days}\n"
	"  - {wait_until: \"mon, wed 14:30\"}\n"
	"  - {wait_until: business day 09:00}\n"
	"  - {wait_until: 2026-12-01}\n"
	"  - {wait_until: webinar_at, before: 1 day, otherwise: nudge}\n"
	"  - {wait_until: webinar_at 09:00, after: 2 days}\n"
	"  - {split: {nudge: 50, other: 25, last: 25}}\n"
	"  - other:\n"
	"      test:\n"
	"        - mistakes\n"
	"        - {mail: mistakes, subject: \"Three of them, {{ first_name }}\"}\n"
	"        - {mail: delivery, name: book}\n"
	"      by: goal\n"
	"      within: 5 days\n"
	"      method: fixed\n"
	"      size: 50\n"
	"      sure: 99.5%\n"
	"      even_in: quiet\n"
	"      thread: same\n"
	"  - nudge: {tag: [vip, -cold]}\n"
	"  - {tag: -cold}\n"
	"  - {move: buying, for: 30 days}\n"
	"  - {move: looking}\n"
	"  - {alert: Read the case and went quiet, as: slack}\n"
	"  - {alert: Look at this}\n"
	"  - {webhook: \"https://example.com/hook\", secret: crm-webhook}\n"
	"  - {webhook: \"https://example.com/chat\", as: slack}\n"
	"  - last: {end: done}\n";

static struct plan *load_good(struct conf *c)
{
	char *said;
	struct plan *plan;

	plan = conf_load(c, &said);
	assert_string_equal(said, "");
	assert_non_null(plan);
	free(said);
	return plan;
}

static int setup(void **state)
{
	struct conf *c = xcalloc(1, sizeof(*c));

	conf_init(c);
	conf_edit(c, "nurture.yaml", "  role:\n", "  role:\n  webinar_at: {type: time}\n");
	conf_write(c, "sequences/all.yaml", every_step);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	conf_clear(*state);
	free(*state);
	return 0;
}

static void test_sequence(void **state)
{
	struct plan *plan = load_good(*state);
	const struct sequence *s = plan_sequence(plan, "all");

	assert_string_equal(s->enter_on, "");
	assert_null(s->enter_when);
	assert_false(s->beside_any);
	assert_string_equal(s->beside[0], "book");
	assert_string_equal(s->beside[1], "second");
	assert_null(s->beside[2]);
	assert_true(s->holdout > 0.0999 && s->holdout < 0.1001);
	assert_int_equal(s->holdout_for, 30 * US_DAY);
	assert_int_equal(s->on_change, CHANGE_RESTART);
	assert_int_equal(s->gone_count, 2);
	assert_string_equal(s->gone[0].step, "intro");
	assert_int_equal(s->gone[0].to, plan_step(s, "nudge"));
	assert_string_equal(s->gone[1].step, "outro");
	assert_int_equal(s->gone[1].to, s->step_count);
	assert_int_equal(strlen(s->version), SEQUENCE_VERSION);
	assert_string_equal(s->source, every_step);
	plan_unref(&plan);
}

static void test_defaults(void **state)
{
	struct plan *plan = load_good(*state);
	const struct sequence *s = plan_sequence(plan, "second");

	assert_string_equal(s->enter_on, "stage_changed");
	assert_false(s->beside_any);
	assert_null(s->beside[0]);
	assert_true(s->holdout < 1e-9);
	assert_int_equal(s->holdout_for, 90 * US_DAY);
	assert_int_equal(s->on_change, CHANGE_MOVE);
	assert_int_equal(s->gone_count, 0);
	assert_int_equal(s->steps[0].valid_for, 0);
	assert_false(s->steps[0].as_owner || s->steps[0].same_thread || s->steps[0].even_in_quiet || s->steps[0].even_in_cap);
	plan_unref(&plan);
}

static void test_mails_and_waits(void **state)
{
	struct plan *plan = load_good(*state);
	const struct step *steps = plan_sequence(plan, "all")->steps;
	const struct moment *m;
	int webinar = 2;

	assert_string_equal(plan->fields[webinar].name, "webinar_at");
	assert_int_equal(steps[0].valid_for, 3 * US_DAY);
	assert_true(steps[0].as_owner);
	assert_true(steps[0].even_in_cap && !steps[0].even_in_quiet);
	assert_false(steps[0].same_thread);
	assert_int_equal(steps[1].business_days, 3);
	assert_int_equal(steps[1].wait, 0);
	m = &steps[2].until;
	assert_true(m->weekday[0] && !m->weekday[1] && m->weekday[2]);
	assert_int_equal(m->minute, 14 * 60 + 30);
	assert_int_equal(m->field, -1);
	m = &steps[3].until;
	assert_true(m->business && !m->weekday[0]);
	m = &steps[4].until;
	assert_int_equal(m->year * 10000 + m->month * 100 + m->day, 20261201);
	assert_int_equal(m->minute, 0);
	m = &steps[5].until;
	assert_int_equal(m->field, webinar);
	assert_int_equal(m->shift, -US_DAY);
	assert_int_equal(m->minute, -1);
	assert_int_equal(steps[5].else_step, plan_step(plan_sequence(plan, "all"), "nudge"));
	m = &steps[6].until;
	assert_int_equal(m->field, webinar);
	assert_int_equal(m->shift, 2 * US_DAY);
	assert_int_equal(m->minute, 9 * 60);
	assert_int_equal(steps[6].else_step, 7);
	plan_unref(&plan);
}

static void test_split_and_test(void **state)
{
	struct plan *plan = load_good(*state);
	const struct sequence *s = plan_sequence(plan, "all");
	const struct step *split = &s->steps[7], *test = &s->steps[8];

	assert_int_equal(split->branch_count, 3);
	assert_int_equal(split->branches[0], plan_step(s, "nudge"));
	assert_int_equal(split->branches[2], plan_step(s, "last"));
	assert_int_equal(split->shares[0], 50);
	assert_int_equal(split->shares[2], 25);
	assert_int_equal(test->arm_count, 3);
	assert_string_equal(test->arms[0].name, "mistakes");
	assert_null(test->arms[0].subject);
	assert_string_equal(test->arms[1].name, "mistakes-2");
	assert_ptr_equal(test->arms[1].mail, plan_mail(plan, "mistakes"));
	assert_true(template_uses(test->arms[1].subject, 0));
	assert_string_equal(test->arms[2].name, "book");
	assert_string_equal(test->by, "goal");
	assert_int_equal(test->within, 5 * US_DAY);
	assert_int_equal(test->method, TEST_FIXED);
	assert_int_equal(test->size, 50);
	assert_true(test->sure > 0.99499 && test->sure < 0.99501);
	assert_true(test->even_in_quiet && !test->even_in_cap && test->same_thread && !test->as_owner);
	assert_non_null(test->test_id);
	plan_unref(&plan);
}

static void test_defaults_of_a_test(void **state)
{
	struct conf *c = *state;
	struct plan *plan;
	const struct step *test;

	conf_edit(c, "sequences/second.yaml", "{send: delivery}", "{test: [delivery, mistakes]}");
	plan = load_good(c);
	test = &plan_sequence(plan, "second")->steps[0];
	assert_string_equal(test->name, "test-1");
	assert_string_equal(test->by, "click");
	assert_int_equal(test->within, 3 * US_DAY);
	assert_int_equal(test->method, TEST_THOMPSON);
	assert_int_equal(test->size, 200);
	assert_true(test->sure > 0.9499 && test->sure < 0.9501);
	plan_unref(&plan);
}

static void test_what_is_done_and_told(void **state)
{
	struct plan *plan = load_good(*state);
	const struct step *steps = plan_sequence(plan, "all")->steps;

	assert_string_equal(steps[9].tags[0], "vip");
	assert_null(steps[9].tags[1]);
	assert_string_equal(steps[9].untags[0], "cold");
	assert_null(steps[9].untags[1]);
	assert_null(steps[10].tags[0]);
	assert_string_equal(steps[10].untags[0], "cold");
	assert_string_equal(steps[11].list, "buying");
	assert_int_equal(steps[11].hold, 30 * US_DAY);
	assert_string_equal(steps[12].list, "looking");
	assert_int_equal(steps[12].hold, 0);
	assert_string_equal(steps[13].reason, "Read the case and went quiet");
	assert_string_equal(template_name(steps[13].payload), "slack");
	assert_null(steps[14].payload);
	assert_string_equal(steps[15].target->url, "https://example.com/hook");
	assert_string_equal(steps[15].target->as, "standard");
	assert_string_equal(steps[15].target->secret, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	assert_null(steps[16].target->secret);
	assert_int_equal(plan->webhook_count, 2);
	assert_ptr_equal(plan->webhooks[1], steps[16].target);
	plan_unref(&plan);
}

/* "1 (otherwise), 2 (waits)" */
static void test_ways(void **state)
{
	static const struct {
		int step;
		const char *ways;
	} rows[] = {
		{ 0, "1" },
		{ 1, "2 waits" },
		{ 2, "3 waits" },
		{ 4, "5" },
		{ 5, "6, 9 (otherwise)" },
		{ 6, "7" },
		{ 7, "9 (50 %), 8 (25 %), 17 (25 %)" },
		{ 8, "9 (mistakes), 9 (mistakes-2), 9 (book)" },
		{ 9, "10" },
		{ 17, "" },
	};
	struct plan *plan = load_good(*state);
	const struct sequence *s = plan_sequence(plan, "all"), *book = plan_sequence(plan, "book");
	struct step_way ways[STEP_WAYS_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = BUF_INIT;
		size_t n = step_ways(s, rows[i].step, ways);

		for (size_t k = 0; k < n; k++)
			buf_printf(&out, "%s%d%s%s%s%s", k ? ", " : "", ways[k].to, *ways[k].label ? " (" : "",
				ways[k].label, *ways[k].label ? ")" : "", ways[k].waits ? " waits" : "");
		assert_string_equal(buf_cstr(&out), rows[i].ways);
		buf_clear(&out);
	}
	assert_int_equal(step_ways(book, 3, ways), 2);	/* wait_for */
	assert_string_equal(ways[0].label, "in time");
	assert_string_equal(ways[1].label, "otherwise");
	assert_false(ways[0].waits);
	assert_true(ways[1].waits);
	assert_int_equal(step_ways(book, 4, ways), 2);	/* if */
	assert_string_equal(ways[0].label, "then");
	assert_string_equal(ways[1].label, "else");
	assert_int_equal(ways[1].to, 5);
	plan_unref(&plan);
}

/* What changes the version, and what does not. */
static void test_version(void **state)
{
	static const struct {
		const char *old, *new;
		bool other;
	} rows[] = {
		{ "{end: done}", "{end: gone}", true },
		{ "{nudge: 50, other: 25", "{other: 50, nudge: 25", true },
		{ "[vip, -cold]", "[-cold, vip]", true },
		{ "sure: 99.5%", "sure: 99%", true },
		{ "enter: by hand", "enter: {on: signup}", true },
		{ "gone: {intro: nudge, outro: end}\n", "", false },
		{ "on_change: restart", "on_change: finish", false },
		{ "holdout: 10%", "holdout: 20%", false },
		{ "holdout_for: 30 days", "holdout_for: 31 days", false },
		{ "beside: [book, second]", "priority: 7\nbeside: [book, second]", false },
		{ "{end: done}", "{end: 'done'}  # why not", false },
		{ "  - last: {end: done}", "  - last:\n      end: done\n", false },
	};
	struct conf *c = *state;
	struct plan *first = load_good(c);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *at = strstr(every_step, rows[i].old);
		char *text = xasprintf("%.*s%s%s", (int)(at - every_step), every_step, rows[i].new, at + strlen(rows[i].old));
		struct plan *second;

		conf_write(c, "sequences/all.yaml", text);
		second = load_good(c);
		assert_int_equal(strcmp(plan_sequence(first, "all")->version, plan_sequence(second, "all")->version) != 0,
			rows[i].other);
		assert_string_equal(plan_sequence(second, "all")->source, text);
		plan_unref(&second);
		free(text);
	}
	plan_unref(&first);
}

/* Another question is another test; how long it is asked is not. */
static void test_test_id(void **state)
{
	static const struct {
		const char *old, *new;
		bool other;
	} rows[] = {
		{ "{mail: delivery, name: book}", "{mail: delivery, name: books}", true },
		{ "subject: \"Three of them", "subject: \"Four of them", true },
		{ "        - {mail: delivery, name: book}\n", "", true },
		{ "by: goal", "by: click", true },
		{ "within: 5 days", "within: 6 days", true },
		{ "goal: stage >= \"decision\"", "goal: stage == \"decision\"", true },
		{ "size: 50", "size: 60", false },
		{ "sure: 99.5%", "sure: 90%", false },
		{ "method: fixed", "method: thompson", false },
		{ "{end: done}", "{end: gone}", false },
	};
	struct conf *c = *state;
	struct plan *first = load_good(c);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *at = strstr(every_step, rows[i].old);
		char *text = xasprintf("%.*s%s%s", (int)(at - every_step), every_step, rows[i].new, at + strlen(rows[i].old));
		struct plan *second;

		conf_write(c, "sequences/all.yaml", text);
		second = load_good(c);
		assert_int_equal(strcmp(plan_sequence(first, "all")->steps[8].test_id,
					 plan_sequence(second, "all")->steps[8].test_id) != 0, rows[i].other);
		plan_unref(&second);
		free(text);
	}
	plan_unref(&first);
}

/* --- an older version --------------------------------------------------------------------------------------------- */

static const struct sequence *old(struct plan *plan, const char *source, char **said)
{
	struct plan_errors errors = { 0 };
	const struct sequence *s = plan_old_sequence(plan, source, &errors);

	assert_int_equal(!s, errors.count > 0);
	*said = xstrdup(buf_cstr(&errors.text));
	buf_clear(&errors.text);
	return s;
}

/* The plan has a newer one; the old one still says what it said, with the plan's mails, fields and names. */
static void test_older_sequence(void **state)
{
	struct conf *c = *state;
	struct plan *plan;
	const struct sequence *s, *second;
	char *said;

	conf_edit(c, "sequences/all.yaml", NULL, "sequence: all\nenter: {on: signup}\nsteps:\n  - {send: mistakes}\n");
	plan = load_good(c);
	s = old(plan, every_step, &said);
	assert_string_equal(said, "");
	assert_int_equal(s->index, -1);
	assert_string_equal(s->name, "all");
	assert_int_equal(s->step_count, 18);
	assert_ptr_equal(s->steps[0].mail, plan_mail(plan, "delivery"));
	assert_string_equal(s->steps[15].target->secret, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	assert_non_null(s->goal);
	assert_string_equal(s->source, every_step);
	assert_string_not_equal(s->version, plan_sequence(plan, "all")->version);
	assert_int_equal(plan_sequence(plan, "all")->step_count, 1);
	assert_int_equal(plan->webhook_count, 0);
	free(said);
	second = old(plan, plan_sequence(plan, "all")->source, &said);
	assert_string_equal(second->version, plan_sequence(plan, "all")->version);
	free(said);
	assert_int_equal(s->step_count, 18);
	plan_unref(&plan);
}

static void test_older_sequence_cannot_go_on(void **state)
{
	static const struct {
		const char *source, *said;
	} rows[] = {
		{ "sequence: all\nenter: {on: signup}\nsteps:\n  - {send: gone}\n  - {set: {gone: x}}\n",
			"kept version:4:12: there is no mail `gone` in templates/emails/; there are `confirm`, `delivery` and "
			"`mistakes`\n"
			"kept version:5:12: there is no field `gone` in nurture.yaml; there are `first_name`, `role`, `webinar_at`, "
			"`seats` and `company`\n" },
		{ "sequence: all\nlist: gone\nenter: {on: signup}\nexit: gone > 3\nsteps:\n  - {send: mistakes}\n",
			"kept version:2:7: there is no list `gone` in nurture.yaml; there are `buying` and `looking`\n"
			"kept version:4:7: unknown name \"gone\"; a text stands in quotes\n" },
		{ "sequence: [", "kept version:1:12: did not find expected node content while parsing a flow node; inside { } YAML "
			"ends a bare expression at a comma or a bracket: write it on a line of its own, or in quotes\n" },
		{ "", "kept version:1:1: the file is empty\n" },
	};
	struct conf *c = *state;
	struct plan *plan = load_good(c);

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *said;

		assert_null(old(plan, rows[i].source, &said));
		assert_string_equal(said, rows[i].said);
		free(said);
	}
	plan_unref(&plan);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_sequence),
		TEST(test_defaults),
		TEST(test_mails_and_waits),
		TEST(test_split_and_test),
		TEST(test_defaults_of_a_test),
		TEST(test_what_is_done_and_told),
		TEST(test_ways),
		TEST(test_version),
		TEST(test_test_id),
		TEST(test_older_sequence),
		TEST(test_older_sequence_cannot_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
