/*
 * person_topics.c: what a person subscribes to and left, how much they want, and until when they want nothing.
 *
 * Topics lie in the row as one text, names with a space between. An empty one is "everything", topics that come later included: who never
 * chose gets what there is. Who chose gets what they chose, and nothing that is new.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

static const char nothing[] = "-";

static bool among(const char *names, const char *name)
{
	size_t n = strlen(name);
	const char *at;

	for (at = names; (at = strstr(at, name)); at += n)
		if ((at == names || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

bool person_gets_topic(const struct person *p, const char *topic)
{
	return !topic || !p->row.topics || !*p->row.topics || among(p->row.topics, topic);
}

static bool named(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* In the order of the plan; all of them is everything. */
static const char *as_text(struct person *p, const char *const *names, bool with_own)
{
	struct buf text = BUF_INIT;
	const char *out;
	size_t i, n = 0;

	for (i = 0; i < p->plan->topic_count; i++) {
		const char *topic = p->plan->topics[i].name;

		if (!named(names, topic) && !(with_own && person_gets_topic(p, topic)))
			continue;
		buf_printf(&text, "%s%s", n++ ? " " : "", topic);
	}
	out = n == p->plan->topic_count ? "" : n ? arena_strdup(p->arena, buf_cstr(&text)) : nothing;
	buf_clear(&text);
	return out;
}

static int note(struct person *p, const char *before, const char *why, struct err *err)
{
	struct prospect row = p->row;
	size_t i;

	for (i = 0; i < p->plan->topic_count; i++) {
		const char *topic = p->plan->topics[i].name;
		bool gets = person_gets_topic(p, topic), got;

		p->row.topics = before;
		got = person_gets_topic(p, topic);
		p->row.topics = row.topics;
		if (got != gets && person_journal(p, gets ? "join" : "leave", topic, why, err))
			return -1;
	}
	return 0;
}

int person_set_topics(struct person *p, const char *const *names, bool with_own, const char *why, struct err *err)
{
	const char *before = p->row.topics;

	p->row.topics = as_text(p, names, with_own);
	if (strcmp(before, p->row.topics) == 0)
		return 0;
	p->changed = true;
	return note(p, before, why, err);
}

int person_sign_up_topics(struct person *p, const struct form *form, bool consented, struct err *err)
{
	if (form && form->topics && consented)
		return person_set_topics(p, form->topics, true, "", err);
	if (form && form->topics) {	/* nobody has left what they never had: the form and the ledger say what it is */
		p->row.topics = as_text(p, form->topics, false);
		p->changed = true;
		return 0;
	}
	if (strcmp(p->row.topics, nothing) != 0)
		return 0;
	p->row.topics = "";	/* who signs up wants something */
	p->changed = true;
	return note(p, nothing, "", err);
}

bool person_consents(const struct person *p, const char **why_not)
{
	*why_not = NULL;
	if (p->row.consent != CONSENT_GIVEN)
		*why_not = p->row.consent == CONSENT_WITHDRAWN ? "consent was withdrawn" : "no consent";
	else if (p->row.consent_until && p->now >= p->row.consent_until)
		*why_not = "the implied consent has ended";
	return !*why_not;
}

void person_consent(struct person *p, enum basis basis)
{
	int64_t lasts = basis_lasts(basis), until = lasts ? p->now + lasts : 0;
	bool before = p->row.consent == CONSENT_GIVEN;

	/* who said yes is not bound to less by an inquiry; and of two that end, the later one counts */
	if (before && until && (!p->row.consent_until || p->row.consent_until > until))
		until = p->row.consent_until;
	if (p->row.consent == CONSENT_WITHDRAWN)
		p->row.paused_until = 0;
	p->row.consent = CONSENT_GIVEN;
	p->row.consent_at = p->now;
	p->row.consent_until = until;
	p->changed = true;
}
