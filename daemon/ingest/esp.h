/*
 * esp.h: what mail services report by webhook, in our words. The readers are pure: a parsed body in, events out, in the arena; nothing of the
 * JSON is borrowed. They read what they know and leave the rest: services add kinds of events without notice.
 */
#ifndef INGEST_ESP_H
#define INGEST_ESP_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "decide/facts.h"

#define ESP_EVENTS_MAX 5000	/* of one report: a megabyte holds fewer */

struct esp_event {
	enum esp_what what;
	const char *key;	/* by which the service tells it from all others; "": it has none */
	const char *address;	/* the recipient, as the service writes it; "" */
	const char *our_id;	/* our Message-ID or X-Nurtured-ID, as the service writes it; "" */
	const char *relay_id;	/* the service's own id of the message; "" */
	const char *kind;	/* of a bounce, by the service: hard soft sender */
	const char *reason;	/* a word of bounce reasons, if the service's type says it; "": the diagnostic may */
	const char *status;	/* "5.1.1" or "" */
	const char *diagnostic;
};

struct esp_report {
	struct arena *arena;
	struct esp_event *events;
	size_t count, cap;
};

/* Adds one with every text "". NULL beyond ESP_EVENTS_MAX. */
struct esp_event *esp_add(struct esp_report *report, enum esp_what what);
/* A member as text in the arena: a string, or a number as it is written; "" if it is nothing of the kind. */
const char *esp_text(struct arena *arena, const json_t *object, const char *name);
/* The same of a value at hand. */
const char *esp_value(struct arena *arena, const json_t *v);
/* The same of a list of {"name": ..., "value": ...}, names compared without case. */
const char *esp_header(struct arena *arena, const json_t *headers, const char *name);
/* A key out of what there is: of services whose events have none. */
const char *esp_key(struct arena *arena, const char *a, const char *b, const char *c, const char *d);

/* What an event of a service is called, and what it means; kind and reason of a bounce may be "". A table of these ends with a NULL name. */
struct esp_word {
	const char *name;
	enum esp_what what;
	const char *kind, *reason;
};

/* Adds what the table says of the name; NULL for what is not in it, and beyond ESP_EVENTS_MAX. */
struct esp_event *esp_add_word(struct esp_report *report, const struct esp_word *words, const char *name);
/* Of a body that is one event (an object with a member `event`) or a list of them. -1: neither. */
int esp_each(struct esp_report *report, const json_t *body, void (*read)(struct esp_report *report, const json_t *event), struct err *err) MUSTCHECK;

/* Each reads a body as its service posts it (SES: the message within SNS's). -1: it is not one of theirs; err says what is missing. */
int esp_read_ses(struct esp_report *out, const json_t *message, const char *sns_id, struct err *err) MUSTCHECK;
int esp_read_sendgrid(struct esp_report *out, const json_t *body, struct err *err) MUSTCHECK;
int esp_read_postmark(struct esp_report *out, const json_t *body, struct err *err) MUSTCHECK;
int esp_read_mailgun(struct esp_report *out, const json_t *body, struct err *err) MUSTCHECK;
int esp_read_mailjet(struct esp_report *out, const json_t *body, struct err *err) MUSTCHECK;
int esp_read_brevo(struct esp_report *out, const json_t *body, struct err *err) MUSTCHECK;

#endif
