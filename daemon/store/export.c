/*
 * export.c: see export.h. A row of the list for each table; `columns` says how each column of its statement is written, in that order.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/address.h"
#include "base/answer.h"
#include "base/id.h"
#include "store/export.h"

#include "inside.h"

/* What the parameters of a rule's statement are. */
enum about {
	PERSON,		/* ?1 bucket, ?2 id */
	ANYWHERE,	/* ?1 id */
	ADDRESS,	/* ?1 bucket of the address, ?2 its key */
	MENTION,	/* the same, of the address's bucket and of the person's: only rows whose first column has the address in it */
	SAMPLE,		/* none: only rows whose last column has the address in it */
};

STATEMENT(prospect, BUCKETED,
	"SELECT id, address, address_key, fields, stage, list, form, language, timezone, consent, fit, interest, interest_at, intent, intent_at, hot, hot_at,"
	"  recheck, recheck_rule, recheck_id, created, changed, tags, moved_list, moved_until, consent_at, consent_until, topics, paused_until, own_count,"
	"  own_within"
	" FROM prospect WHERE bucket = ?1 AND id = ?2");
STATEMENT(address, BUCKETED,
	"SELECT address_key, prospect FROM address"
	" WHERE bucket = ?1 AND address_key = ?2");
STATEMENT(consent, BUCKETED,
	"SELECT id, prospect, what, purpose, words, form, page, ip, agent, data, at, ref, place, basis, version, until_us, actor"
	" FROM consent WHERE bucket = ?1 AND prospect = ?2 ORDER BY id");
STATEMENT(event, BUCKETED,
	"SELECT id, prospect, name, at, subject, data, points"
	" FROM event WHERE bucket = ?1 AND prospect = ?2 ORDER BY at, id");
STATEMENT(event_count, BUCKETED,
	"SELECT prospect, name, subject, events, newest"
	" FROM event_count WHERE bucket = ?1 AND prospect = ?2 ORDER BY name, subject");
STATEMENT(score_term, BUCKETED,
	"SELECT prospect, rule, at, event, points"
	" FROM score_term WHERE bucket = ?1 AND prospect = ?2 ORDER BY at, event");
STATEMENT(delivery, BUCKETED,
	"SELECT id, prospect, kind, state, enrolment, sequence, step, template, address, download, ref, attempt, planned, done, code, reply, relay_id, arm"
	" FROM delivery WHERE bucket = ?1 AND prospect = ?2 ORDER BY id");
STATEMENT(mail_data, BUCKETED,
	"SELECT delivery, data FROM mail_data"
	" WHERE bucket = ?1 AND delivery IN (SELECT id FROM delivery WHERE bucket = ?1 AND prospect = ?2)");
STATEMENT(hit, BUCKETED,
	"SELECT id, prospect, delivery, at, kind, place, traits, times, agent, ip, verdict, reasons, settled, event"
	" FROM hit WHERE bucket = ?1 AND prospect = ?2 ORDER BY at, id");
STATEMENT(enrolment, BUCKETED,
	"SELECT id, prospect, sequence, step, state, entered, ended, why, due, queue_id, lane, version, allowed, heldout"
	" FROM enrolment WHERE bucket = ?1 AND prospect = ?2 ORDER BY id");
STATEMENT(queue, BUCKETED,
	"SELECT id, prospect, lane, due, kind, ref, name"
	" FROM queue WHERE bucket = ?1 AND prospect = ?2 ORDER BY due, id");
STATEMENT(trial, BUCKETED,
	"SELECT prospect, enrolment, step, test, arm, template, event, at, until_us, won"
	" FROM trial WHERE bucket = ?1 AND prospect = ?2 ORDER BY at");
STATEMENT(touch, BUCKETED,
	"SELECT prospect, first_at, first, last_at, last"
	" FROM touch WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(hold, BUCKETED,
	"SELECT prospect, until_us, why"
	" FROM hold WHERE bucket = ?1 AND prospect = ?2");
STATEMENT(company_hold, SITE,
	"SELECT domain, prospect, until_us, why"
	" FROM company_hold WHERE prospect = ?1");
STATEMENT(lead, BUCKETED,
	"SELECT id, prospect, state, owner, reason, at, answered, answer, amount"
	" FROM lead WHERE bucket = ?1 AND prospect = ?2 ORDER BY at");
STATEMENT(alert, BUCKETED,
	"SELECT id, prospect, lead, url, shape, body, state, attempt, created, due, done, code, error"
	" FROM alert WHERE bucket = ?1 AND prospect = ?2 ORDER BY id");
STATEMENT(journal, BUCKETED,
	"SELECT id, prospect, at, kind, what, why"
	" FROM journal WHERE bucket = ?1 AND prospect = ?2 ORDER BY id");
STATEMENT(inbound, BUCKETED,
	"SELECT id, mailbox, received, class, prospect, delivery, summary, bytes"
	" FROM inbound WHERE bucket = ?1 AND prospect = ?2 ORDER BY id");
STATEMENT(inbound_raw, BUCKETED,
	"SELECT inbound, received, raw FROM inbound_raw"
	" WHERE bucket = ?1 AND inbound IN (SELECT id FROM inbound WHERE bucket = ?1 AND prospect = ?2) ORDER BY inbound");
STATEMENT(visitor, SITE,
	"SELECT anonymous_id, prospect, since"
	" FROM visitor WHERE prospect = ?1 ORDER BY since");
STATEMENT(visitor_event, SITE,
	"SELECT e.id, e.anonymous_id, e.at, e.name, e.subject, e.data"
	" FROM visitor AS v JOIN visitor_event AS e ON e.bucket = v.bucket AND e.anonymous_id = v.anonymous_id"
	" WHERE v.prospect = ?1 ORDER BY e.at");
STATEMENT(once, BUCKETED,
	"SELECT once_key, at, answer"
	" FROM once WHERE bucket = ?1");
STATEMENT(alarm, SITE,
	"SELECT kind, what, times, first, last, sample"
	" FROM alarm");

static const struct rule {
	struct export_rule rule;
	enum about about;
	struct statement *statement;
} rules[] = {
	{ { "prospect", "id:pro address address_key fields:json stage list form language timezone consent:consent fit:real interest:real interest_at:time "
		"intent intent_at:time hot:bool hot_at:time recheck:time recheck_rule:int recheck_id:int created:time changed:time tags moved_list "
		"moved_until:time consent_at:time consent_until:time topics paused_until:time own_count:int own_within:int" }, PERSON, &sql_prospect },
	{ { "address", "address_key prospect:pro" }, ADDRESS, &sql_address },
	{ { "consent", "id:con prospect:pro what purpose words form page ip agent data:json at:time ref:int place:int basis version until_us:time actor" },
		PERSON, &sql_consent },
	{ { "event", "id:evt prospect:pro name at:time subject data:json points:real" }, PERSON, &sql_event },
	{ { "event_count", "prospect:pro name subject events:int newest:time" }, PERSON, &sql_event_count },
	{ { "score_term", "prospect:pro rule at:time event:evt points:real" }, PERSON, &sql_score_term },
	{ { "delivery", "id:del prospect:pro kind:mail state:state enrolment:enr sequence step template address download ref:int attempt:int planned:time "
		"done:time code:int reply relay_id arm" }, PERSON, &sql_delivery },
	{ { "mail_data", "delivery:del data:json" }, PERSON, &sql_mail_data },
	{ { "hit", "id:int prospect:pro delivery:del at:time kind place:int traits:int times:int agent ip verdict:verdict reasons:int settled:time event:evt" },
		PERSON, &sql_hit },
	{ { "enrolment", "id:enr prospect:pro sequence step state:way entered:time ended:time why due:time queue_id:int lane:int version allowed:time heldout:bool" },
		PERSON, &sql_enrolment },
	{ { "queue", "id:int prospect:pro lane:int due:time kind:due ref:int name" }, PERSON, &sql_queue },
	{ { "trial", "prospect:pro enrolment:enr step test arm template event at:time until_us:time won:bool" }, PERSON, &sql_trial },
	{ { "touch", "prospect:pro first_at:time first:json last_at:time last:json" }, PERSON, &sql_touch },
	{ { "hold", "prospect:pro until_us:time why" }, PERSON, &sql_hold },
	{ { "company_hold", "domain prospect:pro until_us:time why" }, ANYWHERE, &sql_company_hold },
	{ { "lead", "id:led prospect:pro state owner reason at:time answered:time answer amount:real" }, PERSON, &sql_lead },
	{ { "alert", "id:alt prospect:pro lead:led url shape body:json state:alert attempt:int created:time due:time done:time code:int error" },
		PERSON, &sql_alert },
	{ { "journal", "id:int prospect:pro at:time kind what why" }, PERSON, &sql_journal },
	{ { "inbound", "id:inb mailbox received:time class prospect:pro delivery:del summary:json bytes:int" }, PERSON, &sql_inbound },
	{ { "inbound_raw", "inbound:inb received:time raw:bytes" }, PERSON, &sql_inbound_raw },
	{ { "visitor", "anonymous_id prospect:pro since:time" }, ANYWHERE, &sql_visitor },
	{ { "visitor_event", "id:evt anonymous_id at:time name subject data:json" }, ANYWHERE, &sql_visitor_event },
	{ { "once", "once_key at:time answer" }, MENTION, &sql_once },
	{ { "alarm", "kind what times:int first:time last:time sample" }, SAMPLE, &sql_alarm },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

const struct export_rule *export_rules(void)
{
	static struct export_rule list[RULES + 1];
	size_t i;

	for (i = 0; i < RULES; i++)
		list[i] = rules[i].rule;
	return list;
}

/* --- one value ------------------------------------------------------------------------------------------ */

/* Numbers that stand for words, by kind. */
static const struct {
	const char *kind;
	const char *const names[9];
} words[] = {
	{ "bool", { "no", "yes", NULL } },
	{ "consent", { "none", "pending", "given", "withdrawn", NULL } },
	{ "verdict", { "unknown", "human", "machine", NULL } },
	{ "mail", { "step", "confirm", "forward", "test", "again", NULL } },
	{ "state", { "planned", "sending", "dot", "sent", "deferred", "failed", "unknown", "suppressed", NULL } },
	{ "way", { "active", "paused", "ended", "watched", NULL } },
	{ "alert", { "waiting", "delivered", "dead", NULL } },
	{ "due", { "step", "mail", "settle", "recheck", "alert", NULL } },
};

/* NULL: the kind has no words, or that number none. */
static json_t *in_words(const char *kind, int64_t value)
{
	size_t i;
	int64_t k;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].kind, kind) != 0)
			continue;
		for (k = 0; words[i].names[k]; k++)
			if (k == value)
				return json_string(words[i].names[k]);
	}
	return NULL;
}

/* Bodies may be of any template, so that not all of them are JSON. */
static json_t *json_or_text(const char *s)
{
	json_t *json = json_loads(s && *s ? s : "{}", JSON_DECODE_ANY, NULL);

	return json ? json : answer_text(s);
}

static json_t *bytes(struct slice s)
{
	struct buf text = BUF_INIT;
	json_t *json;

	buf_add(&text, s.data ? s.data : "", s.len);
	json = answer_text(buf_cstr(&text));
	buf_clear(&text);
	return json;
}

static json_t *value_of(struct query *q, int column, const char *kind)
{
	json_t *word;

	if (!*kind)
		return answer_text(query_get_text(q, column));
	if (strcmp(kind, "json") == 0)
		return json_or_text(query_get_text(q, column));
	if (strcmp(kind, "bytes") == 0)
		return bytes(query_get_blob(q, column));
	if (strcmp(kind, "time") == 0)
		return answer_time(query_get_int(q, column));
	if (strcmp(kind, "real") == 0)
		return json_real(query_get_real(q, column));
	if (strcmp(kind, "int") == 0)
		return json_integer((json_int_t)query_get_int(q, column));
	word = in_words(kind, query_get_int(q, column));
	return word ? word : answer_id(kind, query_get_int(q, column));
}

/* "id:evt at:time name" */
static json_t *row_of(struct query *q, const char *columns)
{
	json_t *json = json_object();
	char name[32], kind[16];
	int column = 0;

	while (*columns) {
		size_t n = strcspn(columns, " "), k = strcspn(columns, ": ");

		snprintf(name, sizeof(name), "%.*s", (int)k, columns);
		snprintf(kind, sizeof(kind), "%.*s", k < n ? (int)(n - k - 1) : 0, columns + k + 1);
		json_object_set_new(json, name, value_of(q, column++, kind));
		columns += n + strspn(columns + n, " ");
	}
	return json;
}

/* --- one table ------------------------------------------------------------------------------------------ */

static bool is_theirs(struct query *q, const struct rule *r, const char *address_key)
{
	switch (r->about) {
	case MENTION:
		return strcasestr(query_get_text(q, 0), address_key) != NULL;
	case SAMPLE:
		return strcasestr(query_get_text(q, 5), address_key) != NULL;
	case PERSON: case ANYWHERE: case ADDRESS:
		break;
	}
	return true;
}

static int add_rows(struct query *q, const struct rule *r, const char *address_key, json_t *list, struct err *err)
{
	int got;

	while ((got = query_row(q, err)) == 1)
		if (is_theirs(q, r, address_key))
			json_array_append_new(list, row_of(q, r->rule.columns));
	query_done(q);
	return got;
}

static int add_table(struct db *db, const struct rule *r, const struct prospect *row, json_t *list, struct err *err)
{
	uint16_t home = address_bucket(row->key), bucket = id_bucket(row->id);
	struct query *q = db_query(db, r->statement);

	switch (r->about) {
	case PERSON:
		query_int(q, 1, bucket);
		query_int(q, 2, row->id);
		break;
	case ANYWHERE:
		query_int(q, 1, row->id);
		break;
	case ADDRESS:
		query_int(q, 1, home);
		query_text(q, 2, row->key);
		break;
	case MENTION:
		query_int(q, 1, home);
		if (home == bucket)
			break;
		if (add_rows(q, r, row->key, list, err) < 0)
			return -1;
		q = db_query(db, r->statement);
		query_int(q, 1, bucket);
		break;
	case SAMPLE:
		break;
	}
	return add_rows(q, r, row->key, list, err);
}

/* Hits that nothing follows from yet: as they will be. */
static int add_packed_hits(struct db *db, const struct prospect *row, json_t *list, struct err *err)
{
	struct arena *arena = arena_new(0);
	size_t count, found = 0, i;
	struct hit *hits = NULL;
	int64_t *mails;
	int rc = deliveries_ids(db, row->id, arena, &mails, &count, err);

	if (rc == 0)
		rc = packs_look_of(db, mails, count, arena, &hits, &found, err);
	for (i = 0; i < found; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:s%, s:i, s:i, s:I, s:o, s:o, s:s, s:i}", "prospect", answer_id("pro", row->id),
				"delivery", answer_id("del", hits[i].delivery), "at", answer_time(hits[i].at), "kind", &hits[i].kind, (size_t)1,
				"place", hits[i].link, "traits", (int)hits[i].traits, "times", (json_int_t)hits[i].times, "agent", answer_text(hits[i].agent),
				"ip", answer_text(hits[i].ip), "verdict", "unknown", "reasons", 0));
	arena_free(&arena);
	return rc;
}

static json_t *claim_of(const struct delivery *d)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:i, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "id", answer_id("del", d->id),
			"prospect", answer_id("pro", d->prospect), "kind", in_words("mail", d->kind), "state", in_words("state", d->state),
			"enrolment", answer_id("enr", d->enrolment), "sequence", answer_text(d->sequence), "step", answer_text(d->step),
			"template", answer_text(d->template), "address", answer_text(d->address), "download", answer_text(d->download),
			"ref", (json_int_t)d->ref, "attempt", d->attempt, "planned", answer_time(d->planned), "done", answer_time(d->done), "code", d->code,
			"reply", answer_text(d->reply), "relay_id", answer_text(d->relay_id), "claimed", answer_time(d->claimed), "arm", answer_text(d->arm));
}

/* Mails that are under way, many people's in a row. */
static int add_claims(struct db *db, const struct prospect *row, json_t *list, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct delivery *mails;
	size_t count, i;
	int rc = sending_of(db, row->id, arena, &mails, &count, err);

	for (i = 0; rc == 0 && i < count; i++)
		json_array_append_new(list, claim_of(&mails[i]));
	arena_free(&arena);
	return rc;
}

int export_person(struct db *db, const struct prospect *row, json_t **out, struct err *err)
{
	json_t *tables = json_object(), *claims = json_array();
	size_t i;

	json_object_set_new(tables, "sending", claims);
	if (add_claims(db, row, claims, err) < 0) {
		json_decref(tables);
		return err_prefix(err, "exporting from sending");
	}
	for (i = 0; i < RULES; i++) {
		json_t *list = json_array();

		json_object_set_new(tables, rules[i].rule.table, list);
		if (add_table(db, &rules[i], row, list, err) < 0 ||
				(rules[i].statement == &sql_hit && add_packed_hits(db, row, list, err) < 0)) {
			json_decref(tables);
			return err_prefix(err, "exporting from %s", rules[i].rule.table);
		}
	}
	*out = tables;
	return 0;
}
