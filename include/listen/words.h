/*
 * words.h: what the words of a reply want, without a mail around them: the same rules as for mails that come in. One
 * thread.
 */
#ifndef LISTEN_WORDS_H
#define LISTEN_WORDS_H

#include <stdint.h>

struct plan;
struct words;

struct words_reading {
	char intent[80];	/* "pricing", "not_now", ..., "review" or "other" */
	char intents[2048];	/* JSON array of all that match: [{"name": ..., "confidence": ...}] */
	int64_t until;		/* when to ask again; 0: not said */
};

/* By the plan's replies.yaml; the plan is borrowed for this call. */
struct words *words_new(const struct plan *plan);
void words_free(struct words **words);

/* `at`: when it came, for "in May". */
void words_read(struct words *words, const char *text, int64_t at, struct words_reading *out);

#endif
