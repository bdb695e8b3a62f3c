/*
 * on_doubt.c: an operator decides about a mail in doubt, of which nobody knows whether it went out: it is sent again, or taken as sent.
 *
 * Its sequence went on as if it had been sent. So what is sent again is the mail alone: with its id and Message-ID, by rules of today (suppression,
 * consent, the rate of its group), and whatever becomes of it moves nobody in a sequence (DELIVERY_AGAIN).
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

#include "decide.h"
#include "person.h"

static int refuse(char why_not[200], const char *why)
{
	snprintf(why_not, 200, "%s", why);
	return 0;
}

/* Of these the text was kept until they were tried. */
static bool has_no_text(const struct delivery *mail)
{
	return mail->kind == DELIVERY_TEST || (mail->kind == DELIVERY_FORWARD && !mail->prospect);
}

static int send_again(struct db *db, struct delivery *mail, const struct doubt *fact, struct err *err)
{
	if (mail->kind == DELIVERY_STEP)
		mail->kind = DELIVERY_AGAIN;
	mail->state = DELIVERY_DEFERRED;
	mail->attempt = 0;
	mail->done = 0;
	mail->reply = "in doubt, sent again by hand";
	return mail_plan(db, mail, fact->at, err) || journal_add(db, mail->prospect, fact->at, "mail", "again", fact->by, err) ? -1 : 0;
}

int on_doubt(struct decide *d, struct db *db, const struct doubt *fact, char why_not[200], struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery mail;
	struct person p;
	int found = deliveries_find(db, fact->delivery, arena, &mail, err);

	why_not[0] = '\0';
	if (found <= 0)
		return found < 0 ? -1 : refuse(why_not, "there is no such mail");
	if (mail.state != DELIVERY_UNKNOWN)
		return refuse(why_not, arena_printf(arena, "it is not in doubt: it is %s", delivery_state_names[mail.state]));
	if (fact->again)
		return has_no_text(&mail) ? refuse(why_not, "what it said is not kept; send another") : send_again(db, &mail, fact, err);
	found = mail.prospect ? person_load(d, db, mail.prospect, fact->at, &p, err) : 0;
	if (found)
		return found < 0 ? -1 : delivery_prove(&p, &mail, DELIVERY_SENT, fact->by, err);
	mail.state = DELIVERY_SENT;
	return deliveries_put(db, &mail, err);
}
