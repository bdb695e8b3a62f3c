/*
 * intents.h: what a person who answered wants. Pure but for intent_rules_new(); the one thread of the intake, or of
 * nurturectl.
 */
#ifndef LISTEN_INTENTS_H
#define LISTEN_INTENTS_H

#include <jansson.h>
#include <stdbool.h>

#include "listen/reading.h"

/* The rules of replies.yaml, as intake_setting() writes them (its member `replies`); NULL finds nothing. */
struct intent_rules *intent_rules_new(const json_t *replies);
void intent_rules_free(struct intent_rules **rules);

/*
 * `text`: the judged part of a reply. Fills r->intents with all that is found, in the order of the rules, and
 * r->intent with the one to act on: a name of the list, "review" (a person must read it before anything
 * happens) or "other". What it says of them is in r's arena.
 */
void intents_read(const struct intent_rules *rules, const char *text, struct mail_reading *r);

/* Does it speak of being away, or of having left? For automatic replies. */
bool intents_ooo(const char *text);
bool intents_left(const char *text);

#endif
