/*
 * compose.h: a claimed mail becomes an envelope and the bytes of a message. Loop thread.
 *
 * Headers in the order of RFC 5322's examples and as receivers of bulk mail ask for: Date From Reply-To To Subject Message-ID List-Id List-Unsubscribe
 * List-Unsubscribe-Post (RFC 2369, 8058; steps of sequences only) Feedback-ID Precedence X-Auto-Response-Suppress X-Nurtured-ID, those of config,
 * MIME-Version Content-Type. Mails in one-to-one mode have none of List-Id, Feedback-ID, Precedence and X-Auto-Response-Suppress. The body is
 * multipart/alternative, text first; with pictures the HTML is a multipart/related, with attachments all is in a multipart/mixed. A forward to an owner is text alone, with the person as Reply-To.
 *
 * The same delivery composed again has the same Message-ID: its token carries the day on which the mail was planned, not that of the attempt.
 */
#ifndef SEND_COMPOSE_H
#define SEND_COMPOSE_H

#include <stdint.h>

#include "base/err.h"
#include "base/token.h"
#include "decide/facts.h"
#include "language/template.h"

#include "dialogue.h"

/* What of a plan goes into every mail, made once. */
struct compose;

/* Takes a reference to the plan; the ring is borrowed for life. */
struct compose *compose_new(struct plan *plan, const struct token_ring *ring, struct err *err) MUSTCHECK;
void compose_free(struct compose **c);
const struct plan *compose_plan(const struct compose *c);

/*
 * Fills return_path, recipient, envid and body of the envelope; `now` is the message's Date. DONE; ABORTED: the template said so, err has its reason;
 * FAILED: err says what is wrong with template or values ("header_injection: ...", an empty field, too large).
 */
enum template_result compose_mail(struct compose *c, const struct mail *mail, int64_t now, struct envelope *out, struct err *err);

#endif
