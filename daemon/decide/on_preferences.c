/*
 * on_preferences.c: a person says what they want to get, how often, from when on and in which language; or asks for what only a human can do.
 *
 * The ledger keeps each change as they made it, the journal what it changed. A mail that is claimed and that they do not want any more is
 * taken back from its claim in the same transaction, and comes to the gate again: its dot finds no claim.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "config/languages.h"

#include "decide.h"
#include "person.h"

METRIC(changed, COUNTER, "nurtured_preferences_total", "what=\"changed\"", "What people said in the preference centre.");
METRIC(asked, COUNTER, "nurtured_preferences_total", "what=\"asked\"", "What people said in the preference centre.");

static const char *const ask_names[] = { "", "data", "erasure" };

/* --- what changes ------------------------------------------------------------------------------------------------ */

static int set_limit(struct person *p, const struct preferences *fact, json_t *said, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc;

	if (!fact->has_limit || (p->row.own_limit.count == fact->limit_count && p->row.own_limit.within == fact->limit_within))
		return 0;
	p->row.own_limit.count = fact->limit_within ? fact->limit_count : 0;
	p->row.own_limit.within = fact->limit_within;
	p->changed = true;
	if (fact->limit_within) {
		buf_printf(&text, "%lld per ", (long long)fact->limit_count);
		text_duration_print(&text, fact->limit_within);
	} else {
		buf_str(&text, "none");
	}
	json_object_set_new(said, "limit", json_string(buf_cstr(&text)));
	rc = person_journal(p, "limit", buf_cstr(&text), "", err);
	buf_clear(&text);
	return rc;
}

static int set_pause(struct person *p, const struct preferences *fact, json_t *said, struct err *err)
{
	int64_t until = fact->paused_until > p->now ? fact->paused_until : 0;
	struct buf text = BUF_INIT;
	int rc;

	if (!fact->has_pause || until == (p->row.paused_until > p->now ? p->row.paused_until : 0))
		return 0;
	p->row.paused_until = until;
	p->changed = true;
	if (until)
		text_time(&text, until);
	else
		buf_str(&text, "over");
	json_object_set_new(said, "paused_until", json_string(buf_cstr(&text)));
	rc = person_journal(p, "pause", buf_cstr(&text), "", err);
	buf_clear(&text);
	return rc;
}

static int set_language(struct person *p, const struct preferences *fact, json_t *said, struct err *err)
{
	if (!fact->language || languages_same(p->row.language, fact->language, strlen(fact->language)))
		return 0;
	p->row.language = arena_strdup(p->arena, fact->language);
	p->changed = true;
	person_mark_symbol(p, p->plan->symbol_language);
	json_object_set_new(said, "language", json_string(fact->language));
	return person_journal(p, "language", fact->language, "", err);
}

static int set_topics(struct person *p, const struct preferences *fact, json_t *said, struct err *err)
{
	const char *before = p->row.topics;

	if (!fact->has_topics || person_set_topics(p, fact->topics, false, "", err))
		return fact->has_topics ? -1 : 0;
	if (strcmp(before, p->row.topics) != 0)
		json_object_set_new(said, "topics", json_string(*p->row.topics ? p->row.topics : "all"));
	return 0;
}

/* --- what follows ------------------------------------------------------------------------------------------------- */

static int end_left_sequences(struct person *p, struct err *err)
{
	struct enrolment *open;
	size_t count, i;

	if (enrolments_open(p->db, p->row.id, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		const struct sequence *s;

		if (enrolment_is_over(&open[i]))
			continue;
		if (version_of(p->d, p->db, &open[i], &s, err))
			return -1;
		if (s && !person_gets_topic(p, s->topic) &&
				sequence_end_all(p, &open[i], 1, arena_printf(p->arena, "topic %s was left", s->topic), err))
			return -1;
	}
	return 0;
}

/* Whatever they changed, the gate looks at it anew: a mail that may still go out is claimed again at once. */
static int take_back_claims(struct person *p, struct err *err)
{
	struct delivery *claimed, mail;
	size_t count, i;
	int found;

	if (sending_of(p->db, p->row.id, p->arena, &claimed, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		if (claimed[i].kind != DELIVERY_STEP || claimed[i].state != DELIVERY_SENDING)
			continue;
		found = sending_take(p->db, claimed[i].id, p->arena, &mail, err);
		if (found < 0)
			return -1;
		if (!found)
			continue;
		mail.state = mail.attempt ? DELIVERY_DEFERRED : DELIVERY_PLANNED;
		decide_withdraw_after_commit(p->d, p->db, mail.id);
		if (mail_plan(p->db, &mail, p->now, err))
			return -1;
	}
	return 0;
}

/* --- the ledger --------------------------------------------------------------------------------------------------- */

static int keep(struct person *p, const struct preferences *fact, const char *what, const json_t *said, struct err *err)
{
	const struct form *form = plan_form(p->plan, p->row.form);
	char *data = json_dumps(said, JSON_COMPACT);
	struct consent c = {
		.id = id_new(id_bucket(p->row.id), p->now), .prospect = p->row.id, .what = what, .purpose = form ? form->consent_purpose : "",
		.words = "", .form = p->row.form, .page = "/p/", .ip = fact->ip, .agent = fact->agent, .data = data ? data : "{}", .at = p->now,
		.actor = fact->by,
	};
	int rc = consents_add(p->db, &c, err);

	free(data);
	return rc;
}

/* Somebody must read of it: an error in the log, a row of the journal, a series of the metrics. */
static int ask(struct person *p, const struct preferences *fact, struct err *err)
{
	json_t *said = json_pack("{s:s}", "ask", ask_names[fact->ask]);
	int rc = keep(p, fact, "asked", said, err);

	json_decref(said);
	if (rc || person_journal(p, "asked", ask_names[fact->ask], "", err))
		return -1;
	db_count(p->db, &metric_asked, 1);
	log_error("privacy.asked", L_ID("prospect", "pro", p->row.id), L_STR("what", ask_names[fact->ask]));
	return 0;
}

/* --- the fact ----------------------------------------------------------------------------------------------------- */

static int change(struct person *p, const struct preferences *fact, bool *changed, struct err *err)
{
	json_t *said = json_object();
	int rc = set_topics(p, fact, said, err) || set_limit(p, fact, said, err) || set_pause(p, fact, said, err) || set_language(p, fact, said, err);

	*changed = json_object_size(said) > 0;
	if (!rc && *changed)
		rc = keep(p, fact, "changed", said, err) || end_left_sequences(p, err) || take_back_claims(p, err);
	json_decref(said);
	if (!rc && *changed)
		db_count(p->db, &metric_changed, 1);
	return rc ? -1 : 0;
}

int on_preferences(struct decide *d, struct db *db, const struct preferences *fact, struct preferences_result *out, struct err *err)
{
	struct person p;
	int found;

	decide_arena(d);
	*out = (struct preferences_result){ 0 };
	found = person_load(d, db, fact->prospect, fact->at, &p, err);
	if (found <= 0)
		return found;
	out->found = true;
	out->withdrawn = p.row.consent == CONSENT_WITHDRAWN;
	snprintf(out->address, sizeof(out->address), "%s", p.row.address);
	p.cause = arena_printf(p.arena, "preferences, by %s", fact->by);
	if (change(&p, fact, &out->changed, err) || (fact->ask != ASK_NOTHING && ask(&p, fact, err)) || person_settle(&p, err))
		return -1;
	CRASH_POINT("preferences.before_commit");
	return 0;
}

int look_preferences(const struct plan *plan, struct db *db, int64_t prospect, struct arena *arena, struct preferences_look *out, struct err *err)
{
	struct prospect row;
	struct person p;
	int found = prospects_find(db, prospect, arena, &row, err);
	size_t i;

	*out = (struct preferences_look){ .found = found == 1 };
	if (found <= 0)
		return found;
	p = (struct person){ .plan = plan, .arena = arena, .row = row };
	out->withdrawn = row.consent == CONSENT_WITHDRAWN;
	out->limit_count = row.own_limit.count;
	out->limit_within = row.own_limit.within;
	out->paused_until = row.paused_until;
	out->language = row.language;
	out->timezone = row.timezone;
	out->address = row.address;
	out->topics = arena_calloc(arena, plan->topic_count + 1, sizeof(*out->topics));
	for (i = 0; i < plan->topic_count; i++)
		out->topics[i] = person_gets_topic(&p, plan->topics[i].name);
	return 0;
}
