/*
 * mail.h: one mail opened: its fields, its texts, the report and the original that it may carry. Pure; the
 * arena's memory.
 */
#ifndef LISTEN_MAIL_H
#define LISTEN_MAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "headers.h"
#include "mime.h"

struct arena;

struct opened_mail {
	struct arena *arena;
	struct headers headers;
	struct mime mime;
	const char *type;		/* of the whole: "multipart/report" */
	const char *report_type;	/* its report-type parameter, lower case, or "" */
	const char *plain;		/* all text/plain that is no attachment, or "" */
	const char *html;		/* the first text/html, or "" */
	const char *status; /* message/delivery-status, also where it is labelled otherwise; or NULL */
	bool status_in_text;		/* it stood in the notice: a person may have quoted it */
	const char *feedback;		/* message/feedback-report; or NULL */
	const char
		*notice; /* what the sender of a report says: plain, else html as text, up to the original */
	bool has_original;		/* the mail that a report is about, or its header, is in it */
	struct headers original;	/* its fields */
	struct slice original_raw;	/* its bytes */
	const struct opened_mail *passed_on;	/* a report that this mail only carries, attached to it; or NULL */
};

/* Never fails. `raw` must outlive it. */
void mail_open(struct opened_mail *m, struct arena *arena, const char *raw, size_t n);

#endif
