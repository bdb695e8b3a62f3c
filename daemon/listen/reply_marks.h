/*
 * reply_marks.h: the many ways in which programs mark what they quote, written as one. Pure.
 */
#ifndef LISTEN_REPLY_MARKS_H
#define LISTEN_REPLY_MARKS_H

#include "base/mem.h"

/*
 * The text with ">" for each other mark of quoting ("JA>", "|", blocks between ">>>>" and "<<<<"), without what PGP and
 * mailing lists put around the words. In the arena; never longer than twice the text.
 */
char *reply_marks_plain(struct arena *arena, const char *text);

#endif
