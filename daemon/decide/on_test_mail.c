/*
 * on_test_mail.c: a mail to somebody who wants to see it. It belongs to nobody: its links lead where they lead, and what is done with them
 * changes nothing.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/token.h"

#include "decide.h"
#include "person.h"

/* What it offers to be downloaded: what their form offers, else that of any form. */
static const char *download_of(const struct plan *plan, const char *form)
{
	const struct form *f = plan_form(plan, form);
	size_t i;

	if (f && f->download)
		return f->download;
	for (i = 0; i < plan->form_count; i++)
		if (plan->forms[i].download)
			return plan->forms[i].download;
	return "";
}

static const char *language_in(const char *data, struct arena *arena)
{
	json_t *json = json_loads(data, 0, NULL);
	const char *language = json_string_value(json_object_get(json, "language"));
	const char *copy = arena_strdup(arena, language ? language : "");

	json_decref(json);
	return copy;
}

/* Whoever is suppressed gets no test mail either. 1 they may, 0 and why, -1. */
static int may_get(struct decide *d, struct db *db, struct test_mail_result *out, struct err *err)
{
	struct suppression s;
	int found = suppressions_find(db, out->to.key, d->arena, &s, err);

	if (found == 1)
		snprintf(out->why_not, sizeof(out->why_not), "that address is suppressed: %.100s", s.reason);
	return found < 0 ? -1 : !found;
}

const struct owner *test_mail_owner(struct decide *d, const char *name)
{
	const struct sales *sales = &d->working->sales;
	size_t i;

	for (i = 0; i < sales->owner_count; i++)
		if (strcmp(sales->owners[i].name, name) == 0)
			return &sales->owners[i];
	return NULL;
}

/* Where replies to it would come. */
static int own_address(struct decide *d, const struct mail_template *template, int64_t delivery, int64_t at, struct address *out, struct err *err)
{
	const struct sender_config *sender = &d->working->operator.senders[template->sender];
	char token[TOKEN_TEXT];

	token_make(decide_ring(d), TOKEN_REPLY, delivery, 0, at, token);
	return address_parse(arena_printf(d->arena, "r%c%s@%s", sender->separator, token, sender->reply_domain), out, err);
}

/* Nobody's mail speaks of whom it goes to. */
static const char *data_of(const struct test_mail *fact, const struct address *to, struct arena *arena)
{
	json_t *json = *fact->data ? json_loads(fact->data, 0, NULL) : json_object();
	const char *out;
	char *text;

	if (fact->prospect || json_object_get(json, "email")) {
		json_decref(json);
		return fact->data;
	}
	json_object_set_new(json, "email", json_string(to->text));
	text = json_dumps(json, JSON_COMPACT);
	out = arena_strdup(arena, text ? text : fact->data);
	free(text);
	json_decref(json);
	return out;
}

int on_test_mail(struct decide *d, struct db *db, const struct test_mail *fact, struct test_mail_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	const struct mail_template *template = plan_mail(d->working, fact->template);
	struct delivery mail = {
		.id = id_new(fact->to ? fact->to->bucket : 0, fact->at), .kind = DELIVERY_TEST, .state = DELIVERY_PLANNED, .sequence = "", .step = "", .arm = fact->owner,
		.download = "", .ref = fact->prospect, .planned = fact->at, .reply = "", .relay_id = "",
	};
	struct prospect row = { .language = language_in(fact->data, arena), .form = "" };
	const char *data;
	int found = 1;

	*out = (struct test_mail_result){ .delivery = mail.id };
	if (!template) {
		snprintf(out->why_not, sizeof(out->why_not), "the config has no mail `%s`", fact->template);
		return 0;
	}
	if (*fact->owner && !test_mail_owner(d, fact->owner)) {
		snprintf(out->why_not, sizeof(out->why_not), "the config has no owner `%.100s`", fact->owner);
		return 0;
	}
	if (fact->to)
		out->to = *fact->to;
	else if (own_address(d, template, mail.id, fact->at, &out->to, err))
		return -1;
	mail.address = out->to.text;
	if (fact->prospect)
		found = prospects_find(db, fact->prospect, arena, &row, err);
	if (found == 1)
		found = may_get(d, db, out, err);
	else if (!found)
		snprintf(out->why_not, sizeof(out->why_not), "nobody here has that address or id");
	if (found <= 0)
		return found;
	template = plan_mail_in(d->working, template, row.language);
	mail.template = template->name;
	if (template->uses_download)
		mail.download = download_of(d->working, row.form);
	data = data_of(fact, &out->to, arena);
	if (*data && mail_data_put(db, mail.id, data, err))
		return -1;
	return mail_plan(db, &mail, fact->at, err);
}

const struct value *test_mail_values(struct decide *d, struct db *db, struct person *p, const struct sender_config *sender, int64_t delivery,
		struct arena *arena, struct err *err)
{
	struct value *values = values_of_mail(d, p, sender, arena);
	const struct owner *owner = NULL;
	const char *text, *name;
	json_t *json, *member;
	int found = mail_data_find(db, delivery, d->arena, &text, err);

	if (found < 0 || (p && owner_of(p, &owner, err)))
		return NULL;
	if (owner && d->places.owner >= 0)
		values[d->places.owner] = owner_value(owner, arena);
	json = found ? json_loads(text, 0, NULL) : NULL;
	json_object_foreach(json, name, member) {
		int place = vocabulary_find(d->working->mail_names, slice_of(name));

		if (place >= 0)
			values[place] = value_from_json(arena, member);
	}
	json_decref(json);
	return values;
}
