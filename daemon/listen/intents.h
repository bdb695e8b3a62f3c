/*
 * intents.h: what a person who answered wants. Pure.
 */
#ifndef LISTEN_INTENTS_H
#define LISTEN_INTENTS_H

#include <stdbool.h>

#include "listen/reading.h"

/*
 * `text`: the judged part of a reply. Fills r->intents with every set that matches, strongest wish first,
 * and r->intent with the one to act on: a name of the list, "review" (a person must read it before anything
 * happens) or "other".
 */
void intents_read(const char *text, struct mail_reading *r);

/* Does it speak of being away, or of having left? For automatic replies. */
bool intents_ooo(const char *text);
bool intents_left(const char *text);

#endif
