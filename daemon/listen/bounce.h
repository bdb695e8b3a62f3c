/*
 * bounce.h: reads a bounce: the delivery status (RFC 3464) where there is one, else the notice in words.
 * Pure.
 */
#ifndef LISTEN_BOUNCE_H
#define LISTEN_BOUNCE_H

#include "listen/reading.h"
#include "mail.h"

/*
 * Adds to `r` why this is a bounce; true if it is one: a delivery status alone is enough, of the weaker
 * signs it takes two.
 */
bool bounce_recognise(const struct opened_mail *m, struct mail_reading *r);

/*
 * Fills r->bounce: of several recipients the first that failed; and r->bounces with all of them if there are
 * several: whoever knows whom we wrote to takes that one.
 */
void bounce_read(const struct opened_mail *m, struct mail_reading *r);

#endif
