/*
 * reread.h: what a kept mail is by a reading of today. Loop thread.
 */
#ifndef LISTEN_REREAD_H
#define LISTEN_REREAD_H

#include "listen/listen.h"

/* As listen_reread(). */
int reread_submit(struct decide *decide, int64_t mail, json_t *said, bool dry, listen_reread_done *done, void *arg) MUSTCHECK;

#endif
