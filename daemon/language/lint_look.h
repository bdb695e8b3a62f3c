/*
 * lint_look.h: what inline styles say about how a text looks, as far as contrast needs it. Pure.
 */
#ifndef LANGUAGE_LINT_LOOK_H
#define LANGUAGE_LINT_LOOK_H

#include <stdbool.h>

#include "base/buf.h"

enum known {
	NOT_SAID,	/* nobody says it: what the mail program takes */
	KNOWN,
	UNKNOWN,	/* said, but not in a way that can be told: a picture, a gradient, Liquid */
};

struct color {
	enum known known;
	int r, g, b;
};

struct look {
	struct color text, ground;
	double size;		/* pixels; 0: cannot be told */
	bool bold;
	bool hidden;
	bool classed;		/* a style sheet may have its say here */
};

extern const struct look look_plain;

/* What an element's tag makes of what it inherits: headings are large and bold, links have a color of their own. */
void look_tag(struct look *l, const char *tag);
/* style="...", entities decoded. */
void look_style(struct look *l, struct slice style);
/* color="" and bgcolor="" */
void look_color(struct color *c, struct slice value);
/* A length or weight that style="" may have, such as width: is the property there? */
bool look_has(struct slice style, const char *property);

/* WCAG 2.1: 1 to 21. */
double look_contrast(const struct color *a, const struct color *b);
/* Is it large text (24 px, or 18.66 px bold), which needs 3:1 instead of 4.5:1? */
bool look_is_large(const struct look *l);

#endif
