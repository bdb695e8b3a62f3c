/*
 * meaning_form.h: a form of replies.yaml as it is written: "dont > send . =remove me/address !thing". What it says is in the head of that
 * file. The configuration is checked and mails are read by this one grammar; whether a meaning has words is the caller's. Pure.
 */
#ifndef BASE_MEANING_FORM_H
#define BASE_MEANING_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define FORM_ITEMS 8
#define FORM_PARTS 2

/* ` `, `>`, `>>` and `,` before an item: how it stands to the one before. */
enum form_order { FORM_ANY, FORM_BEHIND, FORM_CLOSE, FORM_NEXT_CLAUSE };

/* `=`, `==`, `~` and `|` before a part: what says nothing else. FORM_LOOSE is a sentence too, but for small words. */
enum form_extent { FORM_AMONG, FORM_SENTENCE, FORM_TEXT, FORM_LOOSE, FORM_CLAUSE };

struct form_item {
	struct slice names;	/* meanings, of which one is enough; form_next_meaning() takes them apart */
	enum form_order order;
	bool absent;		/* none of them */
};

struct form_part {
	struct form_item items[FORM_ITEMS];
	size_t count;
	enum form_extent extent;
};

struct meaning_form {
	struct form_part parts[FORM_PARTS];
	size_t count;
};

/* The names in `out` are in `text`. -1: it is no form; err says what to write instead. */
int meaning_form_parse(const char *text, struct meaning_form *out, struct err *err) MUSTCHECK;

/* The first of `names`, which is taken off; false: there was none. */
bool form_next_meaning(struct slice *names, struct slice *name_out);

#endif
