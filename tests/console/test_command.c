/*
 * command: what people type, what it asks of the daemon, and what they are told when it is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "console/command.h"

#define WORDS_MAX 10

/* The words of a line, separated by one space; two single quotes are an empty one. */
static int parse(const char *line, struct command *out, struct err *err)
{
	static char text[512];
	const char *argv[WORDS_MAX] = { "nurturectl" };
	int argc = 1;
	char *p;

	assert_true(strlen(line) < sizeof(text));
	memcpy(text, line, strlen(line) + 1);
	for (p = text; *p && argc < WORDS_MAX; argc++) {
		argv[argc] = strncmp(p, "''", 2) == 0 ? "" : p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = '\0';
	}
	return command_parse(argc, argv, out, err);
}

static void remote_verbs_become_requests(void **state)
{
	static const struct {
		const char *line, *socket, *path, *body;
	} rows[] = {
		{ "status", "/run/nurtured/control.sock", "/status", "" },
		{ "-s /tmp/s status", "/tmp/s", "/status", "" },
		{ "status -s /tmp/s", "/tmp/s", "/status", "" },
		{ "status -s=/tmp/s --json", "/tmp/s", "/status", "" },
		{ "prospect show pro_0c8s000000000", NULL, "/prospects/pro_0c8s000000000", "" },
		{ "prospect show ada+x@example.com", NULL, "/prospects/ada%2Bx%40example.com", "" },
		{ "prospect why a/b@example.com --json", NULL, "/prospects/a%2Fb%40example.com/why", "" },
		{ "score ada@example.com", NULL, "/prospects/ada%40example.com/score", "" },
		{ "score --explain ada@example.com", NULL, "/prospects/ada%40example.com/score?explain", "" },
		{ "eval score>5 --prospect ada@example.com", NULL, "/eval?expr=score%3E5&prospect=ada%40example.com", "" },
		{ "eval score --explain --prospect=pro_1", NULL, "/eval?expr=score&prospect=pro_1&explain", "" },
		{ "queue", NULL, "/queue?due", "" },
		{ "queue --due", NULL, "/queue?due", "" },
		{ "queue --unknown", NULL, "/queue?unknown", "" },
		{ "--deferred queue", NULL, "/queue?deferred", "" },
		{ "queue --dead", NULL, "/queue?dead", "" },
		{ "leads", NULL, "/leads", "" },
		{ "suppression add ada@example.com", NULL, "/suppressions", "{\"address\":\"ada@example.com\"}" },
		{ "suppression add ada@example.com --reason asked", NULL, "/suppressions",
			"{\"address\":\"ada@example.com\",\"reason\":\"asked\"}" },
		{ "suppression add --reason=\"x\" a\"b@example.com", NULL, "/suppressions",
			"{\"address\":\"a\\\"b@example.com\",\"reason\":\"\\\"x\\\"\"}" },
		{ "suppression remove ada@example.com", NULL, "/suppressions/remove", "{\"address\":\"ada@example.com\"}" },
		{ "consent verify", NULL, "/consents/verify", "" },
		{ "alert replay alr_0c8s000000000", NULL, "/alerts/alr_0c8s000000000/replay", "{}" },
		{ "reload", NULL, "/reload", "{}" },
		{ "plan --json", NULL, "/plan", "" },
		{ "sequence list", NULL, "/sequences", "" },
		{ "sequence show e/book", NULL, "/sequences/e%2Fbook", "" },
		{ "prospect show -- -x@example.com", NULL, "/prospects/-x%40example.com", "" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf path = BUF_INIT, body = BUF_INIT;
		struct command c;
		struct err err;

		if (parse(rows[i].line, &c, &err) < 0)
			fail_msg("%s: %s", rows[i].line, err.text);
		assert_int_equal(c.verb->kind, VERB_REMOTE);
		assert_string_equal(c.socket, rows[i].socket ? rows[i].socket : "/run/nurtured/control.sock");
		assert_int_equal(c.json, strstr(rows[i].line, "--json") != NULL);
		command_request(&c, &path, &body);
		assert_string_equal(buf_cstr(&path), rows[i].path);
		assert_string_equal(buf_cstr(&body), rows[i].body);
		buf_clear(&path);
		buf_clear(&body);
	}
}

static void local_verbs_take_their_files(void **state)
{
	struct command c;
	struct err err;

	assert_int_equal(parse("check", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_CHECK);
	assert_string_equal(c.config, "/etc/nurtured/nurtured.yaml");
	assert_int_equal(parse("check -c conf/nurtured.yaml", &c, &err), 0);
	assert_string_equal(c.config, "conf/nurtured.yaml");
	assert_int_equal(parse("template render x.liquid --data d.json --plain", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_RENDER);
	assert_string_equal(c.argument, "x.liquid");
	assert_string_equal(c.data, "d.json");
	assert_true(c.plain && !c.text && !c.headers);
	assert_int_equal(parse("template render --text --headers x.liquid", &c, &err), 0);
	assert_true(!c.plain && c.text && c.headers);
	assert_null(c.data);
}

static void the_list_is_read_and_written_in_parts(void **state)
{
	struct buf path = BUF_INIT, body = BUF_INIT;
	struct command c;
	struct err err;

	assert_int_equal(parse("suppression import --dry-run list.csv", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_SUPPRESSION_IMPORT);
	assert_string_equal(c.argument, "list.csv");
	assert_true(c.dry);
	assert_int_equal(parse("suppression import -", &c, &err), 0);
	assert_string_equal(c.argument, "-");
	assert_false(c.dry);
	assert_int_equal(parse("suppression export", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_SUPPRESSION_EXPORT);
	assert_int_equal(parse("suppression list", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_SUPPRESSION_LIST);
	assert_null(c.argument);
	assert_int_equal(parse("suppression list ada@example.com", &c, &err), 0);
	command_request(&c, &path, &body);
	assert_string_equal(buf_cstr(&path), "/suppressions?address=ada%40example.com");
	buf_clear(&path);
	buf_clear(&body);
}

static void many_files_may_be_named(void **state)
{
	struct command c;
	struct err err;

	assert_int_equal(parse("template lint a.liquid -c x.yaml b.liquid --json c.liquid", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_LINT);
	assert_int_equal(c.argument_count, 3);
	assert_string_equal(c.arguments[0], "a.liquid");
	assert_string_equal(c.arguments[2], "c.liquid");
	assert_string_equal(c.config, "x.yaml");
	assert_true(c.config_given && c.json && !c.all);
	assert_int_equal(parse("template lint --all", &c, &err), 0);
	assert_int_equal(c.argument_count, 0);
	assert_true(c.all && !c.config_given);
	assert_int_equal(parse("template print a.liquid", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_PRINT);
	assert_string_equal(c.argument, "a.liquid");
	assert_int_equal(parse("template print a.liquid b.liquid", &c, &err), -1);
	assert_int_equal(parse("template print", &c, &err), -1);
}

static void a_simulation_may_go_without_a_sequence(void **state)
{
	struct command c;
	struct err err;

	assert_int_equal(parse("simulate --population --people 100 --over=2d --days 30", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_SIMULATE);
	assert_null(c.argument);
	assert_true(c.simulate.population && !c.simulate.update);
	assert_string_equal(c.simulate.people, "100");
	assert_string_equal(c.simulate.over, "2d");
	assert_string_equal(c.simulate.days, "30");
	assert_int_equal(parse("simulate ebook --persona p.yaml --golden g --update --seed 3", &c, &err), 0);
	assert_string_equal(c.argument, "ebook");
	assert_string_equal(c.simulate.persona, "p.yaml");
	assert_string_equal(c.simulate.golden, "g");
	assert_string_equal(c.simulate.seed, "3");
	assert_true(c.simulate.update);
	assert_null(c.simulate.from);
}

static void a_picture_is_made_here(void **state)
{
	struct command c;
	struct err err;

	assert_int_equal(parse("sequence graph ebook -c x.yaml --dot", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_GRAPH);
	assert_true(c.dot && !c.json);
	assert_string_equal(c.argument, "ebook");
	assert_string_equal(c.config, "x.yaml");
}

static void a_sequence_is_filled_in_several_steps(void **state)
{
	struct command c;
	struct err err;

	assert_int_equal(parse("sequence enroll mailing --where score>5 --yes", &c, &err), 0);
	assert_int_equal(c.verb->kind, VERB_ENROLL);
	assert_true(c.yes && !c.json);
	assert_string_equal(c.argument, "mailing");
	assert_string_equal(c.where, "score>5");
}

static void help_and_version_need_no_verb(void **state)
{
	static const char *const help[] = {
		"-h", "--help", "status -h", "nonsense --help", "queue --dead extra words -h",
	};
	struct buf text = BUF_INIT;
	struct command c;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(help) / sizeof(help[0]); i++) {
		assert_int_equal(parse(help[i], &c, &err), 0);
		assert_true(c.help && !c.version);
	}
	assert_int_equal(parse("-V", &c, &err), 0);
	assert_true(c.version);
	command_help(&text);
	assert_non_null(
		strstr(buf_cstr(&text), "  prospect why ID|ADDRESS    what they got and why, what comes next\n"));
	assert_non_null(strstr(buf_cstr(&text), "  --reason TEXT              suppression add: why\n"));
	buf_clear(&text);
}

static void wrong_usage_is_told_with_what_was_meant(void **state)
{
	static const struct {
		const char *line, *error;
	} rows[] = {
		{ "", "which verb? nurturectl -h shows them all" },
		{ "statsu", "no verb `statsu`; did you mean `status`" },
		{ "prospect shwo x", "no verb `prospect shwo`; did you mean `prospect show`" },
		{ "xyzzy", "no verb `xyzzy`; nurturectl -h shows them all" },
		{ "prospect show", "`prospect show` needs its ID|ADDRESS" },
		{ "prospect show ''", "the ID|ADDRESS is empty" },
		{ "status now", "`status` takes no argument" },
		{ "suppression add a@example.com b@example.com", "`suppression add` takes one argument" },
		{ "suppression add a b c d e f", "`suppression add` takes one argument" },
		{ "status --jsno", "no option --jsno; did you mean --json" },
		{ "status -q", "no option -q" },
		{ "status --json=yes", "--json takes no value" },
		{ "status -s", "-s needs its SOCKET" },
		{ "template send-test x", "`template send-test` needs --to ADDRESS" },
		{ "sequence enroll x", "`sequence enroll` needs --where EXPRESSION" },
		{ "eval score", "`eval` needs --prospect ID|ADDRESS" },
		{ "eval --prospect a@example.com", "`eval` needs its EXPRESSION" },
		{ "status --explain", "`status` has no use for --explain" },
		{ "status --dead", "`status` has no use for --due and its like" },
		{ "leads --reason x", "`leads` has no use for --reason" },
		{ "check -s /tmp/s", "`check` has no use for -s" },
		{ "status -c x", "`status` has no use for -c" },
		{ "status --persona x", "`status` has no use for --persona and its like" },
		{ "simulate a b", "`simulate` takes one argument" },
		{ "simulate ''", "the SEQUENCE is empty" },
		{ "simulate --persona", "--persona needs its FILE" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command c;
		struct err err;

		assert_int_equal(parse(rows[i].line, &c, &err), -1);
		if (strncmp(err.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("%s: %s", rows[i].line, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remote_verbs_become_requests),
		cmocka_unit_test(local_verbs_take_their_files),
		cmocka_unit_test(the_list_is_read_and_written_in_parts),
		cmocka_unit_test(many_files_may_be_named),
		cmocka_unit_test(a_simulation_may_go_without_a_sequence),
		cmocka_unit_test(a_picture_is_made_here),
		cmocka_unit_test(a_sequence_is_filled_in_several_steps),
		cmocka_unit_test(help_and_version_need_no_verb),
		cmocka_unit_test(wrong_usage_is_told_with_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
