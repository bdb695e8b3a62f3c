/*
 * alert.c: news for sales and other systems: rendered when it happens, put into the outbox in the same transaction.
 */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

static struct value answer_links(struct person *p, int64_t lead)
{
	static const struct {
		const char *name;
		enum lead_answer answer;
	} answers[] = { { "accept", ANSWER_ACCEPT }, { "reject", ANSWER_REJECT }, { "won", ANSWER_WON }, { "lost", ANSWER_LOST } };
	struct value_builder *b = value_build_object(p->arena);
	char token[TOKEN_TEXT];
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		token_make(p->d->ring, TOKEN_SALES, lead, (uint8_t)answers[i].answer, p->now, token);
		value_put(b, answers[i].name, value_text(arena_printf(p->arena, "%s/s/%s", p->plan->operator.listen.public_url, token)));
	}
	return value_built(b);
}

static struct value lead_value(struct person *p, const struct lead *lead, const struct owner *owner)
{
	struct value_builder *b = value_build_object(p->arena);
	char id[ID_TEXT];

	value_put(b, "id", value_text(arena_strdup(p->arena, id_text("led", lead->id, id))));
	value_put(b, "at", value_time(lead->at));
	value_put(b, "reason", value_text(lead->reason));
	if (owner)
		value_put(b, "owner", owner_value(owner, p->arena));
	return value_built(b);
}

static struct value last_words(struct person *p, struct err *err)
{
	static const char *const reply[] = { "reply", NULL };
	struct event_row *events;
	struct value v = value_nil;
	size_t count;
	json_t *json;

	if (events_latest(p->db, p->row.id, reply, 1, p->arena, &events, &count, err) || !count)
		return v;
	json = json_loads(events[0].data, 0, NULL);
	if (json)
		v = value_get(value_from_json(p->arena, json), slice_of("words"));
	json_decref(json);
	return v;
}

static struct value ask_name(void *ctx, int symbol)
{
	const struct value *values = ctx;

	return values[symbol];
}

static struct value note_value(struct person *p, const struct alert_note *note)
{
	struct value_builder *b = value_build_object(p->arena);

	value_put(b, "type", value_text(note->type));
	value_put(b, "at", value_time(p->now));
	value_put(b, "reason", value_text(note->reason));
	value_put(b, "sequence", *note->sequence ? value_text(note->sequence) : value_nil);
	value_put(b, "step", *note->step ? value_text(note->step) : value_nil);
	return value_built(b);
}

static struct value *alert_values(struct person *p, const struct alert_note *note, struct err *err)
{
	const struct name_places *at = &p->d->places;
	struct value *values = arena_calloc(p->arena, vocabulary_count(p->plan->alert_names) + 1, sizeof(*values));
	const struct {
		int place;
		struct value v;
	} all[] = {
		{ at->alert, note_value(p, note) },
		{ at->lead, note->lead ? lead_value(p, note->lead, note->owner) : value_nil },
		{ at->prospect, values_of_prospect(p, p->arena) },
		{ at->terms, values_of_terms(p, p->arena, err) },
		{ at->actions, values_of_actions(p, 8, p->arena, err) },
		{ at->words, last_words(p, err) },
		{ at->links, note->lead ? answer_links(p, note->lead->id) : value_nil },
		{ at->company, value_text(p->plan->operator.senders[0].company) },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].place >= 0)
			values[all[i].place] = all[i].v;
	return values;
}

/* What they get when the template fails: news must not be lost for a template's sake. */
static void bare_facts(struct person *p, const struct alert_note *note, struct buf *body)
{
	buf_reset(body);
	buf_str(body, "{\"type\":");
	text_json(body, note->type, strlen(note->type));
	buf_str(body, ",\"text\":");
	text_json(body, p->row.address, strlen(p->row.address));
	buf_str(body, ",\"reason\":");
	text_json(body, note->reason, strlen(note->reason));
	buf_char(body, '}');
}

static int put_alert(struct person *p, const struct alert_note *note, const struct alert_target *target, const struct template *payload,
		const struct value *values, struct err *err)
{
	struct template_env env = { .now = p->now, .ctx = (void *)(uintptr_t)values, .name = ask_name, .arena = p->arena };
	struct buf body = BUF_INIT;
	struct err why = { "" };
	struct alert a;
	int rc;

	if (template_render(payload, &env, &body, &why) != TEMPLATE_DONE) {
		log_error("alert.template", L_STR("as", template_name(payload)), L_STR("why", why.text));
		bare_facts(p, note, &body);
	}
	a = (struct alert){
		.id = id_new(id_bucket(p->row.id), p->now), .prospect = p->row.id, .lead = note->lead ? note->lead->id : 0, .url = target->url,
		.as = target->as, .body = buf_cstr(&body), .state = ALERT_WAITING, .created = p->now, .due = p->now, .error = "",
	};
	rc = alerts_insert(p->db, &a, err);
	if (!rc)
		rc = queue_add(p->db, &(struct queue_row){ .id = id_new(id_bucket(p->row.id), p->now), .lane = LANE_ALERT, .due = p->now,
				.kind = QUEUE_ALERT, .prospect = p->row.id, .ref = a.id, .name = "" }, err);
	buf_clear(&body);
	return rc;
}

int alert_post(struct person *p, const struct alert_note *note, const struct alert_target *targets, size_t count, const struct template *payload,
		struct err *err)
{
	struct err failed = { "" };
	struct value *values = alert_values(p, note, &failed);
	size_t i;

	if (*failed.text)
		return err_set(err, "%s", failed.text);
	for (i = 0; i < count; i++)
		if (put_alert(p, note, &targets[i], payload ? payload : targets[i].payload, values, err))
			return -1;
	return 0;
}

int alert_of_step(struct person *p, const struct sequence *s, const struct step *step, struct err *err)
{
	const struct sales *sales = &p->plan->sales;
	struct alert_note note = { .sequence = s->name, .step = step->name };
	struct lead lead;
	int found = leads_last(p->db, p->row.id, p->arena, &lead, err);

	if (found < 0 || owner_of(p, &note.owner, err))
		return -1;
	if (found)
		note.lead = &lead;
	if (step->kind == STEP_WEBHOOK) {
		note.type = "sequence.webhook";
		note.reason = step->name;
		if (person_journal(p, "webhook", step->name, s->name, err))
			return -1;
		return alert_post(p, &note, step->target, 1, NULL, err);
	}
	note.type = "sequence.alert";
	note.reason = step->reason;
	if (person_journal(p, "alert", step->reason, s->name, err))
		return -1;
	return alert_post(p, &note, sales->alerts, sales->alert_count, step->payload, err);
}
