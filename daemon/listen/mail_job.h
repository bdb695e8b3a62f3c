/*
 * mail_job.h: one `mail` frame as a store job: tokens verified, the fact made of it, on_mail() called.
 */
#ifndef LISTEN_MAIL_JOB_H
#define LISTEN_MAIL_JOB_H

#include <jansson.h>

#include "decide/facts.h"
#include "store/store.h"

struct mail_job {
	struct store_job job;		/* first */
	struct decide *decide;
	json_t *message;		/* a reference; what the fact borrows from */
	char *intents, *summary;
	struct buf raw;			/* whoever has them puts them here, to be freed with the job */
	struct mail_bounce_said *bounces;
	const char *relay_ids[4];
	struct mail_fact fact;
	struct mail_result result;
	void *owner;			/* of whoever submits it */
};

/*
 * Loop thread. Borrows the mailbox's name. NULL with err if
 * the message is no mail. The caller sets job.done and owner.
 */
struct mail_job *mail_job_new(struct decide *decide, const char *mailbox, json_t *message, int64_t now, struct err *err);
void mail_job_free(struct mail_job **job);

/* The bytes, borrowed for the job's life, go into the table too. */
void mail_job_keep(struct mail_job *job, const void *raw, size_t n);

/* A mail is put aside, unread: counted, and an error logged. `key`: which, for whoever looks for it. Any thread. */
void mail_job_quarantined(const char *mailbox, const char *key, const char *why);

/*
 * The delivery of the strongest token that is really ours and fits the class: to an unsubscribe address
 * only an unsubscribe token counts. 0 if none does. Pure but for the ring.
 */
int64_t mail_job_delivery(const struct token_ring *ring, const json_t *message, int64_t now, char *kind_out);

#endif
