/*
 * words.h: what the words of a reply want, without a mail around them: the same rules as for mails that come in. Pure.
 */
#ifndef LISTEN_WORDS_H
#define LISTEN_WORDS_H

#include <stdint.h>

struct words_reading {
	const char *intent;	/* static: "pricing", "not_now", ..., "review" or "other" */
	char intents[512];	/* JSON array of all that match: [{"name": ..., "confidence": ...}] */
	int64_t until;		/* not_now: ask again on; 0: not said */
};

/* `at`: when it came, for "in May". */
void words_read(const char *words, int64_t at, struct words_reading *out);

#endif
