/*
 * message.h: one message of Segment's spec (track, page, identify), as a website posts it, read into a fact of decide/facts.h. All that it
 * points to is in the arena. Loop thread; reads the plan.
 */
#ifndef INGEST_MESSAGE_H
#define INGEST_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "config/plan.h"
#include "decide/facts.h"

#define PROPERTIES_MAX 16384	/* bytes, as JSON */

enum message_type { MESSAGE_TRACK, MESSAGE_PAGE, MESSAGE_IDENTIFY };

struct message {
	enum message_type type;
	struct address address;		/* what `who` points to */
	struct track track;		/* of track and page */
	struct identify identify;
	const char *const *ignored;	/* traits that no field of the config has; ends with NULL */
	struct track_result result;
};

struct message_reader {
	struct arena *arena;
	const struct plan *plan;
	const struct token_ring *ring;
	bool trusted;			/* it has proved to be the website's server: it may say anything about anybody */
	const char *key;		/* of the whole request, if it has one: messageId where the message has none; NULL */
	int64_t now;
};

/* The type by Segment's name; -1. */
int message_type_of(const char *name);
/* -1: err says which member is wrong, and what was meant. */
int message_read(const struct message_reader *reader, enum message_type type, const json_t *json, struct message *out, struct err *err) MUSTCHECK;
/* Store thread. */
int message_apply(struct decide *d, struct db *db, struct message *m, struct err *err) MUSTCHECK;

/* touch.c: where they came from, as a JSON object: Segment's context.campaign, else utm_* in the page's address, else another site's page; NULL. */
json_t *touch_read(const json_t *message, const char *path);

#endif
