/*
 * classify.c: bounces come before automatic replies, because most of them say Auto-Submitted too; an
 * unsubscribe address comes before both kinds of reply, because mail programs write to it by themselves.
 */
#include <string.h>
#include <strings.h>

#include "auto_reply.h"
#include "base/mem.h"
#include "base/patterns.h"
#include "base/text.h"
#include "base/token.h"
#include "bounce.h"
#include "candidates.h"
#include "classify.h"
#include "evidence.h"

/*
 * Our own mail come back to us whole, by a forwarding rule or a copy: it must not be read as an answer. Not
 * everything from our domains is ours: the relay's bounces may come from there.
 */
static bool is_own_loop(
	const struct opened_mail *m, const char *const *own_domains, const struct mail_reading *r)
{
	const char *at = strrchr(r->from, '@');

	if (headers_get(&m->headers, "x-nurtured-id"))
		return true;
	if (!candidates_is_ours(r->from))
		return false;
	for (size_t i = 0; at && own_domains && own_domains[i]; i++)
		if (!strcasecmp(at + 1, own_domains[i]))
			return true;
	return false;
}

/* Old reports of Microsoft have no report part: the mail alone, with the recipient in a field of it. */
static bool is_complaint(const struct opened_mail *m, struct mail_reading *r)
{
	struct headers f;
	const char *type = NULL;

	if (m->feedback) {
		headers_parse(&f, m->arena, m->feedback, strlen(m->feedback));
		type = headers_get(&f, "feedback-type");
		r->about = headers_address(m->arena, headers_get(&f, "original-rcpt-to"));
	} else if (!strcmp(m->report_type, "feedback-report")) {
		type = "abuse";
	} else if (m->has_original && (headers_get(&m->original, "x-hmxmroriginalrecipient") ||
					      headers_get(&m->headers, "x-hmxmroriginalrecipient"))) {
		type = "abuse";
		r->about = headers_address(m->arena, headers_get(headers_get(&m->headers, "x-hmxmroriginalrecipient") ?
			&m->headers : &m->original, "x-hmxmroriginalrecipient"));
	}
	if (!type)
		return false;
	r->complaint = headers_token(m->arena, type);
	return evidence_add(r, "feedback-report");
}

/* "Disposition: manual-action/MDN-sent-manually; displayed" */
static const char *disposition_of(const struct opened_mail *m)
{
	const struct mime_part *part = mime_find(&m->mime, "message/disposition-notification");
	const char *value, *semi;
	struct headers f;

	if (!part)
		return "";
	headers_parse(&f, m->arena, part->data.data ? part->data.data : "", part->data.len);
	value = headers_get(&f, "disposition");
	semi = value ? strchr(value, ';') : NULL;
	return semi ? headers_token(m->arena, semi + 1 + strspn(semi + 1, " \t")) : "";
}

static bool is_mdn(const struct opened_mail *m, struct mail_reading *r)
{
	if (strcmp(m->report_type, "disposition-notification") &&
		!mime_find(&m->mime, "message/disposition-notification"))
		return false;
	r->disposition = disposition_of(m);
	return evidence_add(r, "disposition-notification");
}

static bool is_challenge(const struct opened_mail *m, const struct reply_text *reply, struct mail_reading *r)
{
	static struct pattern agent = PATTERN("tmda|boxbe|bluebottle|spamarrest|sendio|mailblocks|"
		"choicemail");
	static struct pattern words = PATTERN(
		"(?:please\\s+)?(?:confirm|verify)\\s+(?:that\\s+)?(?:you\\s+(?:are|sent)|your\\s+(?:message|"
		"e-?mail|request\\s+to\\s+deliver))|not\\s+(?:yet\\s+)?(?:on|in)\\s+(?:my|"
		"the)\\s+(?:approved|guest|allowed|safe)\\s+(?:sender|list)|"
		"(?:click|reply).{0,60}(?:to\\s+(?:have\\s+your\\s+(?:message|e-?mail)\\s+delivered|"
		"prove\\s+(?:that\\s+)?you\\s+are\\s+(?:a\\s+)?human))");
	static struct pattern subject = PATTERN("please\\s+confirm\\s+your\\s+(?:message|e-?mail)|"
		"confirm\\s+(?:e-?mail\\s+)?delivery|challenge[- ]response|verify\\s+your\\s+e-?mail\\s+to");
	const char *title = headers_decode(m->arena, headers_get(&m->headers, "subject"));

	if (pattern_in(&agent, headers_get(&m->headers, "x-delivery-agent")) || pattern_in(&agent, r->from) ||
	    headers_get(&m->headers, "x-boxbe-c-r"))
		return evidence_add(r, "challenge service");
	if (pattern_in(&words, reply->text) && pattern_in(&subject, title))
		return evidence_add(r, "challenge in words");
	return false;
}

/* An answer to an invitation, or one: the part, or the whole, is text/calendar with a method. */
static bool is_calendar(const struct opened_mail *m, struct mail_reading *r)
{
	const struct mime_part *part = mime_find(&m->mime, "text/calendar");

	if (!part || part->attachment)
		return false;
	return evidence_add(r, "text/calendar");
}

static bool is_auto(const struct opened_mail *m, const struct reply_text *reply, struct mail_reading *r)
{
	bool to_bounce = candidates_to_kind(r, TOKEN_BOUNCE) && !m->has_original;
	size_t before = r->evidence_count;

	if (auto_reply_score(m, reply, to_bounce, r) >= AUTO_REPLY_SCORE) {
		r->auto_kind = auto_reply_kind(m, reply);
		return true;
	}
	r->evidence_count = before;
	return false;
}

static enum reading_class class_of(
	const struct opened_mail *m, const struct reply_text *reply, struct mail_reading *r)
{
	if (is_mdn(m, r))
		return READING_MDN;
	if (is_challenge(m, reply, r))
		return READING_CHALLENGE;
	if (candidates_to_kind(r, TOKEN_UNSUBSCRIBE)) {
		evidence_add(r, "unsubscribe address");
		return READING_UNSUBSCRIBE;
	}
	if (headers_get(&m->headers, "x-apple-unsubscribe")) {
		evidence_add(r, "Apple Mail's unsubscribe button");
		return READING_UNSUBSCRIBE;
	}
	if (is_calendar(m, r))
		return READING_CALENDAR;
	return is_auto(m, reply, r) ? READING_AUTO : READING_HUMAN;
}

bool classify_report(const struct opened_mail *m, const char *const *own_domains, struct mail_reading *r)
{
	r->auto_kind = "";
	r->complaint = "";
	if (is_own_loop(m, own_domains, r))
		return false;
	if (is_complaint(m, r)) {
		r->class = strcmp(r->complaint, "not-spam") ? READING_COMPLAINT : READING_AUTO;
		r->auto_kind = r->class == READING_AUTO ? "auto" : "";
		return true;
	}
	r->class = READING_BOUNCE;
	return bounce_recognise(m, r);
}

void classify(const struct opened_mail *m, const struct reply_text *reply, const char *const *own_domains,
	struct mail_reading *r)
{
	if (is_own_loop(m, own_domains, r)) {
		evidence_add(r, "our own mail");
		r->class = READING_AUTO;
		r->auto_kind = "own_loop";
		return;
	}
	r->class = class_of(m, reply, r);
	if (r->class == READING_AUTO && !*r->auto_kind)
		r->auto_kind = "auto";
}
