/*
 * ctl_graph.c: nurturectl sequence graph: a sequence of the config as a picture; with how many people are at each step if a daemon answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "config/plan.h"
#include "console/graph.h"

#include "ctl.h"

/* NULL: nobody answers, or does not know it. */
static json_t *ask_counts(const struct command *c)
{
	struct buf path = BUF_INIT, answer = BUF_INIT;
	json_t *json = NULL;

	buf_str(&path, "/sequences/");
	text_percent(&path, c->argument, strlen(c->argument));
	if (ctl_ask(c->socket, buf_cstr(&path), NULL, &answer, NULL) == 200)
		json = json_loadb(answer.data, answer.len, 0, NULL);
	buf_clear(&path);
	buf_clear(&answer);
	return json;
}

static void print_json(const struct sequence *s, const struct buf *dot, const struct buf *svg)
{
	json_t *json = json_pack("{s:s, s:s, s:s}", "sequence", s->name, "dot", buf_cstr(dot), "svg", buf_cstr(svg));
	char *text = json_dumps(json, JSON_INDENT(2));

	puts(text ? text : "null");
	free(text);
	json_decref(json);
}

static int draw(const struct command *c, const struct plan *plan, const struct sequence *s)
{
	struct buf dot = BUF_INIT, raw = BUF_INIT, svg = BUF_INIT, description = BUF_INIT;
	json_t *counts = ask_counts(c);
	struct err err;
	int rc = 0;

	graph_dot(&dot, plan, s, counts);
	graph_describe(&description, plan, s);
	if (!c->dot)
		rc = graph_run_dot(&dot, &raw, &err);
	if (!c->dot && rc == 0)
		rc = graph_finish(&svg, buf_cstr(&raw), s->name, buf_cstr(&description), &err);
	if (rc < 0)
		ctl_complain(err.text);
	else if (c->json)
		print_json(s, &dot, &svg);
	else
		fputs(buf_cstr(c->dot ? &dot : &svg), stdout);
	json_decref(counts);
	buf_clear(&dot);
	buf_clear(&raw);
	buf_clear(&svg);
	buf_clear(&description);
	return rc < 0 ? EXIT_REFUSED : EXIT_DONE;
}

static int none(const struct command *c, const struct plan *plan)
{
	const char **names = xcalloc(plan->sequence_count + 1, sizeof(*names)), *near;
	size_t i;

	for (i = 0; i < plan->sequence_count; i++)
		names[i] = plan->sequences[i].name;
	near = text_nearest(c->argument, names);
	fprintf(stderr, "nurturectl: %s has no sequence `%s`%s%s%s\n", c->config, c->argument, near ? "; did you mean `" : "", near ? near : "",
		near ? "`?" : "");
	free(names);
	return EXIT_REFUSED;
}

int ctl_graph(const struct command *c)
{
	struct plan_errors errors = { 0 };
	struct plan *plan = plan_load_to_look(c->config, &errors);
	const struct sequence *s;
	int rc;

	if (!plan) {
		fputs(buf_cstr(&errors.text), stderr);
		buf_clear(&errors.text);
		return EXIT_BAD_CONFIG;
	}
	s = plan_sequence(plan, c->argument);
	rc = s ? draw(c, plan, s) : none(c, plan);
	buf_clear(&errors.text);
	plan_unref(&plan);
	return rc;
}
