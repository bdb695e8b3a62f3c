/*
 * classify.h: what kind of mail this is; the order of tests is mail.md 3.6's. Pure.
 */
#ifndef LISTEN_CLASSIFY_H
#define LISTEN_CLASSIFY_H

#include "listen/reading.h"
#include "mail.h"
#include "reply_text.h"

/*
 * Is it a report, a complaint or a bounce? Then it sets class, auto_kind, evidence and complaint, and true. What a
 * person may have written need not be looked for in one: half the work. r's recipients and tokens must have been
 * read. `own_domains` as for reading_make().
 */
bool classify_report(const struct opened_mail *m, const char *const *own_domains, struct mail_reading *r);

/* The same for all else, behind classify_report(). */
void classify(const struct opened_mail *m, const struct reply_text *reply, const char *const *own_domains,
	struct mail_reading *r);

#endif
