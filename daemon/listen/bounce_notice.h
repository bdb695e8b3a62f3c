/*
 * bounce_notice.h: what the text of a bounce says beside, or instead of, a delivery status. Pure; the mail's
 * arena.
 */
#ifndef LISTEN_BOUNCE_NOTICE_H
#define LISTEN_BOUNCE_NOTICE_H

#include "base/reason.h"
#include "listen/reading.h"
#include "mail.h"

/* The lines of a notice that tell what a server answered, or "". */
char *bounce_telling_lines(struct arena *arena, const char *notice);

/*
 * Of a notice about several recipients, lower case, the lines about one of them: from where it is named up to where
 * another is, each time. "" where it is not named.
 */
const char *bounce_part_about(const struct opened_mail *m, const char *const *recipients, size_t count, size_t which);

/*
 * The remote server's own words in a diagnostic of a program that wraps them in words of its own (Cisco's
 * appliances), or in a notice that says it better (Dovecot, KDDI); else the diagnostic. May set the stage.
 */
const char *bounce_remote_words(const struct opened_mail *m, const char *diagnostic, enum refused_at *stage);

/* Whom the notice is about, lower case, or "". */
const char *bounce_failed_in_notice(const struct opened_mail *m);

/* All whom it names as such, each once, lower case; returns how many. */
size_t bounce_list_failed(const struct opened_mail *m, const char **out, size_t max);

/* Fills code, and status where it is missing or says nothing, from a server's words. */
void bounce_read_codes(struct arena *arena, const char *text, struct mail_bounce *out);

/* What our side had said when the server refused. */
enum refused_at bounce_stage(const char *text);

#endif
