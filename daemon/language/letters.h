/*
 * letters.h: large and small letters of all scripts, as Unicode has them. Pure. Texts that are not UTF-8 are only
 * changed in their ASCII letters.
 */
#ifndef LANGUAGE_LETTERS_H
#define LANGUAGE_LETTERS_H

#include "base/buf.h"

void letters_up(struct buf *out, struct slice s);	/* the sharp s becomes SS */
void letters_down(struct buf *out, struct slice s);	/* letter by letter: every sigma alike */
/* The first one large (a title's letter, where there is such), the rest small. */
void letters_capital(struct buf *out, struct slice s);

#endif
