/*
 * graph: a sequence as DOT and, by Graphviz's real dot, as an SVG that may stand in a page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "config/plan.h"
#include "console/graph.h"

#define CONFIG "tests/config/good/nurtured.yaml"

static int load(void **state)
{
	struct plan_errors errors = { 0 };

	*state = plan_load_to_look(CONFIG, &errors);
	if (!*state)
		fail_msg("%s", buf_cstr(&errors.text));
	buf_clear(&errors.text);
	return 0;
}

static int unload(void **state)
{
	plan_unref((struct plan **)state);
	return 0;
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void assert_has(const char *text, const char *what)
{
	if (times(text, what) != 1)
		fail_msg("%zu times `%s` in\n%s", times(text, what), what, text);
}

static const char counts[] =
	"{\"steps\":[{\"step\":\"mistakes\",\"active\":1412,\"paused\":3},{\"step\":\"nudge\",\"active\":1,\"paused\":0},{\"step\":\"thank\",\"active\":0,\"paused\":0}]}";

static void steps_are_nodes_and_their_ways_are_named(void **state)
{
	struct plan *plan = *state;
	json_t *json = json_loads(counts, 0, NULL);
	struct buf dot = BUF_INIT;

	graph_dot(&dot, plan, plan_sequence(plan, "book"), json);
	assert_has(buf_cstr(&dot), "label=<on signup, if event.form ==<BR/>&quot;book&quot;>");
	assert_has(buf_cstr(&dot), "\"mistakes\" [id=\"book-mistakes\", class=\"mail\"");
	assert_has(buf_cstr(&dot), "label=<<B>mistakes</B><BR/>mail mistakes<BR/><B>1,412 people here, 3 paused</B>>");
	assert_has(buf_cstr(&dot), "<B>1 person here</B>");
	assert_has(buf_cstr(&dot), "class=\"wait\", shape=box, fillcolor=\"#fff8c5\", color=\"#9a6700\", label=<wait 2 days>");
	assert_has(buf_cstr(&dot), "<B>ask</B><BR/>if did(&quot;download&quot;)>");
	assert_has(buf_cstr(&dot), "\"ask\" -> \"thank\" [class=\"way\", label=\"  then  \"];");
	assert_has(buf_cstr(&dot), "\"ask\" -> \"set-1\" [class=\"way\", label=\"  else  \", style=dashed];");
	assert_has(buf_cstr(&dot), "\"wait_for-1\" -> \"nudge\" [class=\"way\", label=\"  otherwise  \", style=dashed];");
	/* `go` is a way, not a place */
	assert_has(buf_cstr(&dot), "\"wait-2\" -> \"thank\" [class=\"way\"];");
	assert_int_equal(times(buf_cstr(&dot), "go-1"), 0);
	assert_int_equal(times(buf_cstr(&dot), "the end"), 0);
	assert_has(buf_cstr(&dot), "label=\"leaves as converted when stage >= \\\"decision\\\"\\lleaves when list != \\\"looking\\\"\\l"
		"leaves when moved to another list than looking\\l\"");
	buf_reset(&dot);
	graph_dot(&dot, plan, plan_sequence(plan, "second"), NULL);
	assert_has(buf_cstr(&dot), "\"send-1\" -> \"the end\" [class=\"way\"];");
	assert_int_equal(times(buf_cstr(&dot), " here"), 0);
	buf_clear(&dot);
	json_decref(json);
}

static void who_cannot_see_it_hears_it(void **state)
{
	struct plan *plan = *state;
	struct buf text = BUF_INIT;

	graph_describe(&text, plan, plan_sequence(plan, "book"));
	assert_has(buf_cstr(&text), "Enters on signup, if event.form == \"book\". deliver: mail delivery, even in quiet hours. wait-1: wait 2 days.");
	assert_has(buf_cstr(&text), " ask: if did(\"download\"); then: thank, else: set-1.");
	assert_has(buf_cstr(&text), " go-1: go to thank.");
	buf_clear(&text);
}

static void the_picture_may_stand_in_a_page(void **state)
{
	struct plan *plan = *state;
	struct buf dot = BUF_INIT, raw = BUF_INIT, svg = BUF_INIT;
	struct err err = { "" };

	graph_dot(&dot, plan, plan_sequence(plan, "book"), NULL);
	if (graph_run_dot(&dot, &raw, &err) < 0 || graph_finish(&svg, buf_cstr(&raw), "book", "a <b> & \"c\"", &err) < 0)
		fail_msg("%s", err.text);
	assert_memory_equal(buf_cstr(&svg), "<svg id=\"book-picture\" role=\"img\" aria-labelledby=", 50);
	assert_has(buf_cstr(&svg), "<title id=\"book-picture-title\">Sequence book</title>");
	assert_has(buf_cstr(&svg), "a &lt;b&gt; &amp; &quot;c&quot;</desc>");
	assert_has(buf_cstr(&svg), "@media (prefers-color-scheme:dark)");
	assert_has(buf_cstr(&svg), "id=\"book&#45;nudge\" class=\"node mail\"");
	assert_has(buf_cstr(&svg), "</svg>");
	/* nothing is fetched, and nothing of a file of its own is left */
	assert_int_equal(times(buf_cstr(&svg), "http"), 2);	/* the two xmlns */
	assert_int_equal(times(buf_cstr(&svg), "<?xml") + times(buf_cstr(&svg), "<!DOCTYPE") + times(buf_cstr(&svg), "@import"), 0);
	assert_int_equal(graph_finish(&svg, "no picture", "book", "", &err), -1);
	buf_clear(&dot);
	buf_clear(&raw);
	buf_clear(&svg);
}

static void what_dot_cannot_do_is_told(void **state)
{
	char *path = strdup(getenv("PATH"));
	struct buf dot = BUF_INIT, raw = BUF_INIT;
	struct err err = { "" };

	buf_str(&dot, "digraph {");
	assert_int_equal(graph_run_dot(&dot, &raw, &err), -1);
	assert_non_null(strstr(err.text, "dot made no picture"));
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(graph_run_dot(&dot, &raw, &err), -1);
	assert_non_null(strstr(err.text, "install graphviz"));
	setenv("PATH", path, 1);
	free(path);
	buf_clear(&dot);
	buf_clear(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(steps_are_nodes_and_their_ways_are_named, load, unload),
		cmocka_unit_test_setup_teardown(who_cannot_see_it_hears_it, load, unload),
		cmocka_unit_test_setup_teardown(the_picture_may_stand_in_a_page, load, unload),
		cmocka_unit_test(what_dot_cannot_do_is_told),
	};

	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
