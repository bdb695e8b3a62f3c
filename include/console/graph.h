/*
 * graph.h: a sequence as a picture: its DOT text, and the SVG that Graphviz's `dot` makes of it, fit to stand in a page.
 *
 * The SVG brings its own colours for light and dark, names no font but the reader's own, carries a title and a description, and its ids and
 * styles are its own, so that several stand in one page. The nodes' classes are their kinds: enter mail test wait branch change sales end.
 */
#ifndef CONSOLE_GRAPH_H
#define CONSOLE_GRAPH_H

#include "base/buf.h"
#include "base/err.h"
#include "config/plan.h"

struct json_t;

/* counts: the answer to /sequences/{name}, for how many people are at which step; NULL: none are shown. Pure. */
void graph_dot(struct buf *out, const struct plan *plan, const struct sequence *s, const struct json_t *counts);

/* The same as words: what a reader hears who cannot see it. Pure. */
void graph_describe(struct buf *out, const struct plan *plan, const struct sequence *s);

/* Runs `dot` (found by PATH, no shell) on the text; its SVG as it comes. */
int graph_run_dot(const struct buf *dot, struct buf *out, struct err *err) MUSTCHECK;

/* What `dot` made, as it may stand in a page: without XML declaration, with title, description, role and colours. -1: that is no SVG. */
int graph_finish(struct buf *out, const char *svg, const char *sequence, const char *description, struct err *err) MUSTCHECK;

#endif
