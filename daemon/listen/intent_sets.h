/*
 * intent_sets.h: the patterns of intents.c, a set an intent, each ended by an entry without text.
 */
#ifndef LISTEN_INTENT_SETS_H
#define LISTEN_INTENT_SETS_H

#include "base/patterns.h"

extern struct pattern intent_set_unsubscribe[];
extern struct pattern intent_set_not_interested[];
extern struct pattern intent_set_meeting[];
extern struct pattern intent_set_call_me[];
extern struct pattern intent_set_pricing[];
extern struct pattern intent_set_demo[];
extern struct pattern intent_set_not_now[];
extern struct pattern intent_set_left_company[];
extern struct pattern intent_set_ooo[];
extern struct pattern intent_set_review[];

/* The end of an absence, with the date in the group "date". */
extern struct pattern intent_absence_end;

#endif
