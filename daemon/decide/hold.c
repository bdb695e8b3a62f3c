/*
 * hold.c: mails of sequences wait while somebody is away, wants to be asked later, or has a colleague who talks with sales; then they go on
 * where they were.
 */
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"
#include "reply.h"

/* Of the company of an address; NULL where it tells nothing about one. */
static const char *company_domain(const char *text, struct arena *arena)
{
	struct address address;
	const char *at;

	if (address_parse(text, &address, NULL) || strcmp(address_kind(&address), "free") == 0)
		return NULL;
	at = strrchr(address.key, '@');
	return at ? arena_strdup(arena, at + 1) : NULL;
}

static const char *day_of(struct person *p, int64_t at)
{
	struct buf text = BUF_INIT;
	const char *day;

	text_time(&text, at);
	buf_cut(&text, 10);
	day = arena_strdup(p->arena, buf_cstr(&text));
	buf_clear(&text);
	return day;
}

int hold_person(struct person *p, int64_t until, const char *why, struct err *err)
{
	struct hold hold = { .prospect = p->row.id, .until = until };

	hold.why = arena_printf(p->arena, "paused until %s: %s", day_of(p, until), why);
	return holds_put(p->db, &hold, err) || person_journal(p, "reply", "pause", hold.why, err) ? -1 : 0;
}

int hold_company(struct person *p, struct err *err)
{
	const char *domain = p->plan->replies.hold_company > 0 ? company_domain(p->row.address, p->arena) : NULL;
	struct hold hold = { .prospect = p->row.id, .until = p->now + p->plan->replies.hold_company };

	if (!domain)
		return 0;
	hold.why = arena_printf(p->arena, "paused until %s: a colleague talks with sales", day_of(p, hold.until));
	return holds_put_company(p->db, domain, &hold, err);
}

int hold_find(const struct plan *plan, struct db *db, int64_t prospect, const char *address, int64_t now, struct arena *arena, struct hold *out,
	struct err *err)
{
	const char *domain;
	int rc = holds_find(db, prospect, arena, out, err);

	if (rc < 0 || (rc == 1 && out->until > now))
		return rc;
	domain = plan->replies.hold_company > 0 ? company_domain(address, arena) : NULL;
	rc = domain ? holds_find_company(db, domain, arena, out, err) : 0;
	return rc == 1 && (out->until <= now || out->prospect == prospect) ? 0 : rc;
}
