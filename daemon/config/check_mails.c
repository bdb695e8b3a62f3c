/*
 * check_mails.c: mails that cannot be stopped, and mails that are named and not there.
 */
#include <string.h>

#include "check.h"
#include "keys.h"
#include "mails.h"

/* --- how to stop ------------------------------------------------------------------------------------------------ */

/* One version of a mail, or the mail itself. */
static void check_link(struct load *l, const struct mail_template *mail, const struct yaml_node *at)
{
	int link = vocabulary_find(l->plan->mail_names, slice_of("unsubscribe_url"));

	if (!mail->html || !mail->text)
		return;
	if (!template_uses(mail->html, link))
		complain(l, at,
			"the mail `%s` has no link to unsubscribe; put {{ unsubscribe_url }} into it or its layout",
			mail->name);
	else if (!template_uses(mail->text, link))
		complain(l, at,
			"the text part of the mail `%s` has no link to unsubscribe; put {{ unsubscribe_url }} into "
			"%s.txt.liquid",
			mail->name, mail->name);
}

/* That which asks for consent is stopped by not answering. */
static void check_mail(struct load *l, const struct mail_template *mail, const struct yaml_node *at, bool *said)
{
	const struct plan *plan = l->plan;

	if (!mail || !strcmp(mail->base, "confirm") || said[mail - plan->mails])
		return;
	said[mail - plan->mails] = true;
	for (size_t i = 0; i < plan->mail_count; i++) {
		if (!strcmp(plan->mails[i].base, mail->base))
			check_link(l, &plan->mails[i], at);
	}
}

void check_mails(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes, bool *said)
{
	for (int i = 0; i < s->step_count; i++) {
		const struct step *step = &s->steps[i];

		check_mail(l, step->mail, nodes->steps[i].at, said);
		for (size_t k = 0; k < step->arm_count; k++)
			check_mail(l, step->arms[k].mail, nodes->steps[i].at, said);
	}
}

/* --- names ------------------------------------------------------------------------------------------------------ */

static bool is_mail_event(const char *event)
{
	return !strcmp(event, "click") || !strcmp(event, "open") || !strcmp(event, "sent");
}

/* clicked("three-mistake"): the literal is found in the text again to say where it stands. */
void check_mails_named(struct load *l, const struct yaml_node *node, const struct expression *e)
{
	const struct expression_uses *uses = expression_uses(e);

	for (size_t i = 0; i < uses->call_count; i++) {
		const struct history_call *call = &uses->calls[i];
		const char *at;

		if (!call->subject || call->glob || !is_mail_event(call->event) || mails_base(l->plan, call->subject))
			continue;
		at = strstr(node->text, call->subject);
		complain_inside(l, node, at ? (size_t)(at - node->text) : 0, "%s", mails_unknown(l, call->subject));
	}
}
