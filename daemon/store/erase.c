/*
 * erase.c: see erase.h. A row of the list for each table about people; statements that name no bucket first look for rows that lie elsewhere.
 */
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/id.h"
#include "store/erase.h"

#include "inside.h"

/* What a rule's statement is about: its parameters are the bucket and the id, unless it says otherwise. */
enum about {
	PERSON,		/* ?1 bucket, ?2 id */
	ADDRESS,	/* ?1 bucket of the address, ?2 its key */
	MENTION,	/* ?1 bucket of the address, then that of the person; ?2 each key of a request that has the address in it */
	VISITOR,	/* of each of theirs: ?1 bucket, ?2 anonymous id */
	ANYWHERE,	/* ?1 id */
	SAMPLE,		/* of each alarm whose sample has the address in it: ?1 kind, ?2 what */
	LEDGER,		/* ?1 bucket, ?2 id, ?3 nothing */
};

STATEMENT(visitors, SITE,
	"SELECT bucket, anonymous_id FROM visitor"
	" WHERE prospect = ?1");
STATEMENT(visitor_event, BUCKETED,
	"DELETE FROM visitor_event"
	" WHERE bucket = ?1 AND anonymous_id = ?2");
STATEMENT(visitor, BUCKETED,
	"DELETE FROM visitor"
	" WHERE bucket = ?1 AND anonymous_id = ?2");
STATEMENT(company_hold, SITE,
	"UPDATE company_hold SET prospect = 0, why = ''"
	" WHERE prospect = ?1");
STATEMENT(samples, SITE,
	"SELECT kind, what, sample FROM alarm");
STATEMENT(alarm, SITE,
	"UPDATE alarm SET sample = ''"
	" WHERE kind = ?1 AND what = ?2");
STATEMENT(keys, BUCKETED,
	"SELECT once_key FROM once"
	" WHERE bucket = ?1");
STATEMENT(once, BUCKETED,
	"DELETE FROM once"
	" WHERE bucket = ?1 AND once_key = ?2");
STATEMENT(mail_data, BUCKETED,
	"DELETE FROM mail_data"
	" WHERE bucket = ?1 AND delivery IN (SELECT id FROM delivery WHERE bucket = ?1 AND prospect = ?2)");
STATEMENT(delivery, BUCKETED,
	"UPDATE delivery SET prospect = 0, address = '', download = '', reply = '', relay_id = '', ref = 0"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(inbound_raw, BUCKETED,
	"DELETE FROM inbound_raw"
	" WHERE bucket = ?1 AND inbound IN (SELECT id FROM inbound WHERE bucket = ?1 AND prospect = ?2)");
STATEMENT(inbound, BUCKETED,
	"DELETE FROM inbound"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(event, BUCKETED,
	"DELETE FROM event"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(event_count, BUCKETED,
	"DELETE FROM event_count"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(score_term, BUCKETED,
	"DELETE FROM score_term"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(hit, BUCKETED,
	"DELETE FROM hit"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(enrolment, BUCKETED,
	"DELETE FROM enrolment"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(queue, BUCKETED,
	"DELETE FROM queue"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(trial, BUCKETED,
	"DELETE FROM trial"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(touch, BUCKETED,
	"DELETE FROM touch"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(hold, BUCKETED,
	"DELETE FROM hold"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(lead, BUCKETED,
	"DELETE FROM lead"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(alert, BUCKETED,
	"DELETE FROM alert"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(journal, BUCKETED,
	"DELETE FROM journal"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(consent, BUCKETED,
	"UPDATE consent SET prospect = 0, what = 'erased', purpose = '', words = '', form = '', page = '', ip = '', agent = '', data = '',"
	"  ref = 0, basis = '', version = '', until_us = 0, actor = '', salt = ?3"
	" WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(address, BUCKETED,
	"DELETE FROM address"
	" WHERE bucket = ?1 AND address_key = ?2");
STATEMENT(prospect, BUCKETED,
	"DELETE FROM prospect"
	" WHERE bucket = ?1 AND id = ?2");

#define GONE "deleted"

static const struct rule {
	struct erase_rule rule;
	enum about about;
	struct statement *statement;
} rules[] = {
	/* what others lead to first */
	{ { "mail_data", GONE }, PERSON, &sql_mail_data },
	{ { "inbound_raw", GONE }, PERSON, &sql_inbound_raw },
	{ { "inbound", GONE }, PERSON, &sql_inbound },
	{ { "visitor_event", GONE }, VISITOR, &sql_visitor_event },
	{ { "visitor", GONE }, VISITOR, &sql_visitor },
	{ { "delivery", "kept for counts, without the person, address, reply and number of the relay" }, PERSON, &sql_delivery },
	{ { "event", GONE }, PERSON, &sql_event },
	{ { "event_count", GONE }, PERSON, &sql_event_count },
	{ { "score_term", GONE }, PERSON, &sql_score_term },
	{ { "hit", GONE }, PERSON, &sql_hit },
	{ { "enrolment", GONE }, PERSON, &sql_enrolment },
	{ { "queue", GONE }, PERSON, &sql_queue },
	{ { "trial", GONE }, PERSON, &sql_trial },
	{ { "touch", GONE }, PERSON, &sql_touch },
	{ { "hold", GONE }, PERSON, &sql_hold },
	{ { "company_hold", "kept for the company, without the person and why" }, ANYWHERE, &sql_company_hold },
	{ { "lead", GONE }, PERSON, &sql_lead },
	{ { "alert", GONE }, PERSON, &sql_alert },
	{ { "once", "deleted where the key has the address in it" }, MENTION, &sql_once },
	{ { "alarm", "without its sample where that has the address in it" }, SAMPLE, &sql_alarm },
	{ { "journal", GONE }, PERSON, &sql_journal },
	{ { "consent", "blanked with its salt; the digest stays" }, LEDGER, &sql_consent },
	{ { "address", GONE }, ADDRESS, &sql_address },
	{ { "prospect", GONE }, PERSON, &sql_prospect },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

const struct erase_rule *erase_rules(void)
{
	static struct erase_rule list[RULES + 1];
	size_t i;

	for (i = 0; i < RULES; i++)
		list[i] = rules[i].rule;
	return list;
}

struct visitor {
	uint16_t bucket;
	const char *anonymous_id;
};

static void read_visitor(struct query *q, struct arena *arena, void *row)
{
	struct visitor *v = row;

	v->bucket = (uint16_t)query_get_int(q, 0);
	v->anonymous_id = rows_text(q, 1, arena);
}

static int run_with(struct db *db, struct statement *statement, uint16_t bucket, const char *text, struct err *err)
{
	struct query *q = db_query(db, statement);

	query_int(q, 1, bucket);
	query_text(q, 2, text);
	return query_run(q, err) < 0 ? -1 : 0;
}

static int each_visitor(struct db *db, struct statement *statement, int64_t id, struct err *err)
{
	struct query *q = db_query(db, &sql_visitors);
	struct arena *arena = arena_new(0);
	void *rows;
	size_t count = 0, i;
	int rc;

	query_int(q, 1, id);
	rc = rows_collect(q, sizeof(struct visitor), read_visitor, arena, &rows, &count, err);
	for (i = 0; i < count && rc == 0; i++) {
		const struct visitor *v = (struct visitor *)rows + i;

		rc = run_with(db, statement, v->bucket, v->anonymous_id, err);
	}
	arena_free(&arena);
	return rc;
}

static int by_person(struct db *db, const struct rule *r, const struct prospect *row, struct err *err)
{
	struct query *q = db_query(db, r->statement);

	query_int(q, 1, id_bucket(row->id));
	query_int(q, 2, row->id);
	if (r->about == LEDGER)
		query_blob(q, 3, "", 0);
	return query_run(q, err) < 0 ? -1 : 0;
}

/* Keys of requests are the sender's: an address may be a part of one. */
static int each_mention(struct db *db, struct statement *statement, uint16_t bucket, const char *address_key, struct err *err)
{
	struct query *q = db_query(db, &sql_keys);
	int got, rc = 0;

	query_int(q, 1, bucket);
	while (rc == 0 && (got = query_row(q, err)) != 0) {
		const char *key = got == 1 ? query_get_text(q, 0) : "";

		rc = got < 0 ? -1 : strcasestr(key, address_key) ? run_with(db, statement, bucket, key, err) : 0;
	}
	query_done(q);
	return rc;
}

static int each_sample(struct db *db, struct statement *statement, const char *address_key, struct err *err)
{
	struct query *q = db_query(db, &sql_samples), *change;
	int got, rc = 0;

	while (rc == 0 && (got = query_row(q, err)) != 0) {
		rc = got < 0 ? -1 : 0;
		if (rc < 0 || !strcasestr(query_get_text(q, 2), address_key))
			continue;
		change = db_query(db, statement);
		query_text(change, 1, query_get_text(q, 0));
		query_text(change, 2, query_get_text(q, 1));
		rc = query_run(change, err) < 0 ? -1 : 0;
	}
	query_done(q);
	return rc;
}

static int by_id(struct db *db, struct statement *statement, int64_t id, struct err *err)
{
	struct query *q = db_query(db, statement);

	query_int(q, 1, id);
	return query_run(q, err) < 0 ? -1 : 0;
}

static int apply(struct db *db, const struct rule *r, const struct prospect *row, struct err *err)
{
	uint16_t bucket = address_bucket(row->key);

	switch (r->about) {
	case PERSON:
	case LEDGER:
		return by_person(db, r, row, err);
	case ADDRESS:
		return run_with(db, r->statement, bucket, row->key, err);
	case MENTION:
		return each_mention(db, r->statement, bucket, row->key, err) || each_mention(db, r->statement, id_bucket(row->id), row->key, err) ? -1 : 0;
	case VISITOR:
		return each_visitor(db, r->statement, row->id, err);
	case ANYWHERE:
		return by_id(db, r->statement, row->id, err);
	case SAMPLE:
		return each_sample(db, r->statement, row->key, err);
	}
	return 0;
}

/* Nobody wants to know any more what follows from them. */
static int drop_packed_hits(struct db *db, int64_t prospect, struct err *err)
{
	struct arena *arena = arena_new(0);
	int64_t *mails;
	struct hit *hits;
	size_t count, gone;
	int rc = deliveries_ids(db, prospect, arena, &mails, &count, err);

	if (rc == 0)
		rc = packs_take_of(db, mails, count, '\0', arena, &hits, &gone, err);
	arena_free(&arena);
	return rc;
}

/* Whose they are nobody can tell any more. */
static int drop_damaged_hits(struct db *db, struct err *err)
{
	int bucket, rc = 0;

	for (bucket = 0; bucket < BUCKETS && rc == 0; bucket++)
		if (db_owns(db, (uint16_t)bucket))
			rc = packs_drop_damaged(db, (uint16_t)bucket, TIME_NEVER, err);
	return rc;
}

void erase_scrub(struct db *db)
{
	db->scrub = true;
}

int erase_person(struct db *db, const struct prospect *row, struct err *err)
{
	size_t i;

	if (drop_packed_hits(db, row->id, err) < 0)
		return err_prefix(err, "erasing from hit_pack");
	if (drop_damaged_hits(db, err) < 0)
		return err_prefix(err, "erasing from hit_damaged");
	if (claims_forget(db, row->id, err) < 0)
		return err_prefix(err, "erasing from sending");
	for (i = 0; i < RULES; i++)
		if (apply(db, &rules[i], row, err) < 0)
			return err_prefix(err, "erasing from %s", rules[i].rule.table);
	db->scrub = true;
	return 0;
}
