/*
 * values.c: a person as mail templates and alerts see them.
 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/id.h"
#include "base/text.h"

#include "store/visitors.h"

#include "decide.h"
#include "person.h"

void values_places(struct name_places *places, const struct plan *plan)
{
	const struct {
		const char *name;
		int *place;
		const struct vocabulary *in;
	} all[] = {
		{ "email", &places->email, plan->mail_names }, { "sender", &places->sender, plan->mail_names },
		{ "list", &places->list, plan->mail_names }, { "stage", &places->stage, plan->mail_names },
		{ "tone", &places->tone, plan->mail_names }, { "language", &places->language, plan->mail_names },
		{ "form", &places->form, plan->mail_names }, { "consent_words", &places->consent_words, plan->mail_names },
		{ "consented_at", &places->consented_at, plan->mail_names },
		{ "owner", &places->owner, plan->mail_names }, { "tags", &places->tags, plan->mail_names },
		{ "grade", &places->grade, plan->mail_names }, { "alert", &places->alert, plan->alert_names },
		{ "lead", &places->lead, plan->alert_names }, { "prospect", &places->prospect, plan->alert_names },
		{ "terms", &places->terms, plan->alert_names }, { "actions", &places->actions, plan->alert_names },
		{ "words", &places->words, plan->alert_names }, { "links", &places->links, plan->alert_names },
		{ "company", &places->company, plan->alert_names }, { "from_email", &places->from_email, plan->alert_names },
		{ "from_name", &places->from_name, plan->alert_names }, { "subject", &places->subject, plan->alert_names },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		*all[i].place = vocabulary_find(all[i].in, slice_of(all[i].name));
}

static void put(struct value *values, int place, struct value v)
{
	if (place >= 0)
		values[place] = v;
}

static struct value text_in(struct arena *arena, const char *s)
{
	return s && *s ? value_text(arena_strdup(arena, s)) : value_nil;
}

static struct value sender_value(const struct sender_config *sender, struct arena *arena)
{
	struct value_builder *b = value_build_object(arena);

	value_put(b, "name", value_text(*sender->from_name ? sender->from_name : sender->company));
	value_put(b, "email", value_text(sender->from.text));
	value_put(b, "company", value_text(sender->company));
	value_put(b, "postal_address", value_text(sender->postal_address));
	return value_built(b);
}

/* A field's value whose text outlives the fact: claims hand it to the loop. */
static struct value kept(struct value v, struct arena *arena)
{
	return v.type == VALUE_TEXT && v.text.data ? value_slice((struct slice){ arena_strndup(arena, v.text.data, v.text.len), v.text.len }) : v;
}

struct value *values_of_mail(struct decide *d, struct person *p, const struct sender_config *sender, struct arena *arena)
{
	const struct plan *plan = d->working;
	const struct name_places *at = &d->places;
	struct value *values = arena_calloc(arena, vocabulary_count(plan->mail_names) + 1, sizeof(*values));
	const struct form *form;
	int list;
	size_t i;

	put(values, at->sender, sender_value(sender, arena));
	if (!p)
		return values;
	for (i = 0; i < plan->field_count; i++)
		values[plan->fields[i].symbol] = kept(p->fields[i], arena);
	put(values, at->email, text_in(arena, p->row.address));
	put(values, at->list, text_in(arena, p->row.list));
	put(values, at->stage, text_in(arena, p->row.stage));
	put(values, at->language, text_in(arena, p->row.language));
	put(values, at->form, text_in(arena, p->row.form));
	put(values, at->tags, person_tags(p, arena));
	put(values, at->grade, value_text(person_grade(p)));
	put(values, at->consented_at, p->row.consent_at ? value_time(p->row.consent_at) : value_nil);
	list = plan_list(plan, p->row.list);
	if (list >= 0)
		put(values, at->tone, text_in(arena, plan->lists[list].tone));
	form = plan_form(plan, p->row.form);
	if (form)
		put(values, at->consent_words, value_text(form->consent_words));
	return values;
}

static struct slice field_text(const struct person *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->plan->field_count; i++)
		if (strcmp(p->plan->fields[i].name, name) == 0 && p->fields[i].type == VALUE_TEXT && person_has_field(p, i))
			return p->fields[i].text;
	return (struct slice){ "", 0 };
}

const char *values_display_name(struct person *p, struct arena *arena)
{
	struct slice name = field_text(p, "name"), first = field_text(p, "first_name"), last = field_text(p, "last_name");
	size_t gap = first.len > 0 && last.len > 0;
	char *both;

	if (name.len > 0)
		return arena_strndup(arena, name.data, name.len);
	both = arena_alloc(arena, first.len + gap + last.len + 1);
	memcpy(both, first.data, first.len);
	memset(both + first.len, ' ', gap);
	memcpy(both + first.len + gap, last.data, last.len);
	both[first.len + gap + last.len] = '\0';
	return both;
}

static struct value touch_value(int64_t at, const char *text, struct arena *arena)
{
	struct value_builder *b = value_build_object(arena);
	json_t *json = json_loads(text, 0, NULL), *v;
	const char *name;

	json_object_foreach(json, name, v)
		if (json_is_string(v))
			value_put(b, arena_strdup(arena, name), text_in(arena, json_string_value(v)));
	json_decref(json);
	value_put(b, "at", value_time(at));
	return value_built(b);
}

/* Where they first came from, and where last; nothing when that is not known (or the store fails: then the transaction does). */
static void put_touches(struct value_builder *b, struct person *p, struct arena *arena)
{
	struct touches t;
	struct err err;
	bool found = touches_find(p->db, p->row.id, arena, &t, &err) == 1;

	value_put(b, "first_touch", found ? touch_value(t.first_at, t.first, arena) : value_nil);
	value_put(b, "last_touch", found ? touch_value(t.last_at, t.last, arena) : value_nil);
}

struct value values_of_prospect(struct person *p, struct arena *arena)
{
	struct value_builder *b = value_build_object(arena), *fields = value_build_object(arena);
	const char *name = values_display_name(p, arena);
	char id[ID_TEXT];
	size_t i;

	for (i = 0; i < p->plan->field_count; i++)
		if (person_has_field(p, i))	/* sales hear what they said, not what mails say for them */
			value_put(fields, p->plan->fields[i].name, kept(p->fields[i], arena));
	value_put(b, "id", text_in(arena, id_text("pro", p->row.id, id)));
	value_put(b, "email", text_in(arena, p->row.address));
	value_put(b, "name", text_in(arena, *name ? name : p->row.address));
	value_put(b, "fields", value_built(fields));
	value_put(b, "stage", text_in(arena, p->row.stage));
	value_put(b, "list", text_in(arena, p->row.list));
	value_put(b, "score", value_int(llround(person_score(p))));
	value_put(b, "interest", value_int(llround(person_interest(p))));
	value_put(b, "fit", value_int(llround(p->row.fit)));
	value_put(b, "intent", text_in(arena, p->row.intent));
	put_touches(b, p, arena);
	return value_built(b);
}

struct value values_of_terms(struct person *p, struct arena *arena, struct err *err)
{
	struct value_builder *list = value_build_list(arena);
	struct expression_env env = person_env(p);
	struct term_sum *terms;
	size_t count, i;

	for (i = 0; i < p->plan->fit_count; i++) {
		struct value_builder *b = value_build_object(arena);

		if (!expression_holds(p->plan->fit[i].when, &env, NULL))
			continue;
		value_put(b, "name", value_text(p->plan->fit[i].name));
		value_put(b, "points", value_real(p->plan->fit[i].points));
		value_put(b, "count", value_int(1));
		value_put(b, "kind", value_text("fit"));
		value_add(list, value_built(b));
	}
	if (terms_by_rule(p->db, p->row.id, p->now, p->plan->half_life, arena, &terms, &count, err))
		return value_nil;
	for (i = 0; i < count; i++) {
		struct value_builder *b = value_build_object(arena);

		value_put(b, "name", value_text(terms[i].rule));
		value_put(b, "points", value_real(round(terms[i].points * 10) / 10));
		value_put(b, "count", value_int(terms[i].count));
		value_put(b, "kind", value_text("interest"));
		value_add(list, value_built(b));
	}
	return value_built(list);
}

/* What a person did, newest first; not what was done to them, nor what follows from it. */
struct value values_of_actions(struct person *p, size_t max, struct arena *arena, struct err *err)
{
	struct value_builder *list = value_build_list(arena);
	struct event_row *events;
	size_t count, i, put_in = 0;

	if (events_latest(p->db, p->row.id, NULL, max * 4 + 8, arena, &events, &count, err))
		return value_nil;
	for (i = 0; i < count && put_in < max; i++) {
		struct value_builder *b;

		if (strcmp(events[i].name, "sent") == 0 || strcmp(events[i].name, "stage_changed") == 0 || strcmp(events[i].name, "list_changed") == 0 ||
				text_ends_with(events[i].name, "_machine"))
			continue;
		b = value_build_object(arena);
		value_put(b, "at", value_time(events[i].at));
		value_put(b, "name", value_text(events[i].name));
		value_put(b, "subject", value_text(events[i].subject));
		value_put(b, "points", value_real(events[i].points));
		value_add(list, value_built(b));
		put_in++;
	}
	return value_built(list);
}

const char *mail_base(struct arena *arena, const char *template)
{
	size_t n = strcspn(template, ".");

	return template[n] ? arena_strndup(arena, template, n) : template;
}
