/*
 * evidence.h: why a mail was put into its class, a few static words each, so that `why` can be answered.
 * Pure.
 */
#ifndef LISTEN_EVIDENCE_H
#define LISTEN_EVIDENCE_H

#include <stdbool.h>

struct mail_reading;

/* Borrows `words` (static). Always true, to be added up. */
bool evidence_add(struct mail_reading *r, const char *words);

#endif
