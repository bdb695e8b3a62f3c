/*
 * id.h: ids that name their bucket: int64 = 41 bits of milliseconds since 2024-01-01 UTC | 10 bits bucket | 12 bits
 * sequence. Always positive. Outside the program they are text: a prefix, '_' and 13 characters of Crockford base32
 * in lower case ("pro_0c8s..."), so that they sort as the numbers do. Any thread.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdint.h>

#include "base/err.h"

#define ID_TEXT 24	/* prefix of up to 4, '_', 13 characters, NUL, and some room */

/* Never the same twice in a process, also when the clock steps back; the sequence starts at random. */
int64_t id_new(uint16_t bucket, int64_t now_us);
/* Tests and simulation: forgets what was given out, so that the same clock and random numbers give the same ids again. */
void id_restart(void);
uint16_t id_bucket(int64_t id);
int64_t id_time(int64_t id);	/* microseconds UTC */

/*
 * Prefixes in use: pro prospect, enr enrolment, del delivery, evt event, con consent, led lead, alr alert, inb inbound
 * mail.
 */
const char *id_text(const char *prefix, int64_t id, char out[ID_TEXT]);
int id_parse(const char *prefix, const char *s, int64_t *out) MUSTCHECK;	/* -1: not such an id */

#endif
