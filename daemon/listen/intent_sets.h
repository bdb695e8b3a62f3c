/*
 * intent_sets.h: patterns for automatic replies, a set each, ended by an entry without text.
 */
#ifndef LISTEN_INTENT_SETS_H
#define LISTEN_INTENT_SETS_H

#include "base/patterns.h"

extern struct pattern intent_set_left_company[];
extern struct pattern intent_set_ooo[];

/* The end of an absence, with the date in the group "date". */
extern struct pattern intent_absence_end;

#endif
