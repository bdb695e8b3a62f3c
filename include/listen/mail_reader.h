/*
 * mail_reader.h: one mail after the other read by the intake's own program, in a process of its own, as the
 * daemon has it done; without a mailbox and without a daemon. Blocks; one thread.
 */
#ifndef LISTEN_MAIL_READER_H
#define LISTEN_MAIL_READER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct mail_reader;
struct plan;

/*
 * As the plan says, which is borrowed for this call. The program is nurtured-intake beside our own, or in ../sbin of it.
 */
struct mail_reader *mail_reader_new(const struct plan *plan);
void mail_reader_free(struct mail_reader **r);

/* Takes the setting: an object as intake_setting() makes it, and no member `url`. */
struct mail_reader *mail_reader_by(json_t *setting);

/* Starts the process now, before the first mail: for who gives up the right to start one. -1: it cannot be started. */
int mail_reader_start(struct mail_reader *r, struct err *err) MUSTCHECK;

/*
 * What the intake says of these bytes: 1 and a new reference to its `mail` frame; 0: reading them ended it, it
 * will be started again for the next; -1: it cannot be started. `received` as for reading_make().
 */
int mail_reader_read(struct mail_reader *r, const char *raw, size_t n, int64_t received, json_t **out, struct err *err)
	MUSTCHECK;

#endif
