/*
 * reply_text.h: what the writer of a reply newly wrote, without what they quote, their signature and their
 * telephone's advertisement. Pure; all memory is the arena's.
 */
#ifndef LISTEN_REPLY_TEXT_H
#define LISTEN_REPLY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

#define REPLY_TEXT_MAX_CUTS 8
#define REPLY_TEXT_MAX_LINES 4000	/* of the mail that are looked at */

struct reply_text {
	char *text;		/* to be shown: the new text; quotes stay where it answers between them */
	char *judged;		/* to be classified: only new lines, no closing, names, disclaimers; may be "" */
	bool uncut;		/* nothing new was found: text is the first 20 lines as they came */
	bool quoted;		/* something was cut or quoted */
	int new_lines;		/* that are not empty */
	const char *cut[REPLY_TEXT_MAX_CUTS];	/* which rules left something out, in their order; static words */
	size_t cut_count;
};

/* UTF-8 with LF, from text/plain or html_text(). */
void reply_text_read(struct reply_text *out, struct arena *arena, const char *text);

#endif
