/*
 * names.c: the vocabularies: fields first, with the same indexes in each, then what nurtured itself knows.
 */
#include <string.h>

#include "names.h"

static const char *const kinds[] = { "free", "role", "work", NULL };
/* The letter is for fit, the figure for interest. From the best to the worst, but with no order to ask for: is A3 above B1? */
static const char *const grades[] = {
	"A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4", "C1", "C2", "C3", "C4", "D1", "D2", "D3", "D4", NULL,
};

/* Values of stage, list and intent are the plan's own names: names_build() fills them in. */
static const struct symbol expression_names[] = {
	{ .name = "email", .type = VALUE_TEXT },
	{ .name = "email_kind", .type = VALUE_TEXT, .values = kinds, .unordered = true },
	{ .name = "stage", .type = VALUE_TEXT },
	{ .name = "list", .type = VALUE_TEXT },
	{ .name = "score", .type = VALUE_REAL, .decays = true },
	{ .name = "interest", .type = VALUE_REAL, .decays = true },
	{ .name = "fit", .type = VALUE_REAL },
	{ .name = "intent", .type = VALUE_TEXT, .unordered = true, .may_be_empty = true },
	{ .name = "language", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "form", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "tags", .type = VALUE_LIST },
	{ .name = "grade", .type = VALUE_TEXT, .values = grades, .unordered = true },
	{ .name = NULL },
};

/* may_be_empty: a mail has to say what stands there then, with `default` or in an `if` */
static const struct symbol mail_names[] = {
	{ .name = "email", .type = VALUE_TEXT },
	{ .name = "subject", .type = VALUE_TEXT },
	{ .name = "preheader", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "sender", .type = VALUE_OBJECT },
	{ .name = "unsubscribe_url", .type = VALUE_TEXT },
	{ .name = "preferences_url", .type = VALUE_TEXT },
	{ .name = "download_url", .type = VALUE_TEXT },
	{ .name = "confirm_url", .type = VALUE_TEXT },
	{ .name = "open_url", .type = VALUE_TEXT },
	{ .name = "consent_words", .type = VALUE_TEXT },
	{ .name = "consented_at", .type = VALUE_TIME, .may_be_empty = true },
	{ .name = "list", .type = VALUE_TEXT },
	{ .name = "stage", .type = VALUE_TEXT },
	{ .name = "tone", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "language", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "form", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "owner", .type = VALUE_OBJECT, .may_be_empty = true },
	{ .name = "tags", .type = VALUE_LIST },
	{ .name = "grade", .type = VALUE_TEXT },
	{ .name = NULL },
};

static const struct symbol page_names[] = {
	{ .name = "title", .type = VALUE_TEXT },
	{ .name = "company", .type = VALUE_TEXT },
	{ .name = "postal_address", .type = VALUE_TEXT },
	{ .name = "form", .type = VALUE_OBJECT },
	{ .name = "fields", .type = VALUE_LIST },
	{ .name = "message", .type = VALUE_TEXT },
	{ .name = "action", .type = VALUE_TEXT },
	{ .name = "button", .type = VALUE_TEXT },
	{ .name = "email", .type = VALUE_TEXT },
	{ .name = "download_url", .type = VALUE_TEXT },
	{ .name = "lead", .type = VALUE_OBJECT },
	{ .name = "answer", .type = VALUE_TEXT },
	{ .name = "home_url", .type = VALUE_TEXT },
	{ .name = "next_url", .type = VALUE_TEXT },
	{ .name = "consent_words", .type = VALUE_TEXT },
	{ .name = "token", .type = VALUE_TEXT },
	{ .name = "language", .type = VALUE_TEXT },
	{ .name = "languages", .type = VALUE_LIST },
	{ .name = "topics", .type = VALUE_LIST },
	{ .name = "limits", .type = VALUE_LIST },
	{ .name = "paused_until", .type = VALUE_TEXT },
	{ .name = "until_least", .type = VALUE_TEXT },
	{ .name = "until_most", .type = VALUE_TEXT },
	{ .name = "withdrawn", .type = VALUE_BOOL },
	{ .name = "unsubscribe_url", .type = VALUE_TEXT },
	{ .name = "preferences_url", .type = VALUE_TEXT },
	{ .name = NULL },
};

static const struct symbol alert_names[] = {
	{ .name = "lead", .type = VALUE_OBJECT },
	{ .name = "prospect", .type = VALUE_OBJECT },
	{ .name = "terms", .type = VALUE_LIST },
	{ .name = "actions", .type = VALUE_LIST },
	{ .name = "words", .type = VALUE_TEXT },
	{ .name = "links", .type = VALUE_OBJECT },
	{ .name = "company", .type = VALUE_TEXT },
	{ .name = "from_name", .type = VALUE_TEXT },
	{ .name = "from_email", .type = VALUE_TEXT },
	{ .name = "subject", .type = VALUE_TEXT },
	{ .name = "alert", .type = VALUE_OBJECT },
	{ .name = NULL },
};

static bool among(const struct symbol *symbols, const char *name)
{
	for (; symbols->name; symbols++) {
		if (!strcmp(symbols->name, name))
			return true;
	}
	return false;
}

bool names_taken(const char *name)
{
	return among(expression_names, name) || among(mail_names, name) || !strcmp(name, "event") ||
		!strcmp(name, "content");
}

/*
 * Pages and alerts have names of their own that a field may share (`company`): there the field's place is kept by a
 * name that nobody can write, and the field is reached through `fields` or `prospect`.
 */
static void add_fields(struct load *l, struct vocabulary *v, const struct symbol *own, bool defaults_count)
{
	const struct plan *plan = l->plan;

	for (size_t i = 0; i < plan->field_count; i++) {
		const struct field *field = &plan->fields[i];
		struct symbol symbol = {
			.name = field->name,
			.type = field->type,
			.may_be_empty = !(defaults_count && field->default_text),
		};

		if (among(own, field->name) || vocabulary_find(v, slice_of(field->name)) >= 0)
			symbol.name = arena_printf(l->arena, "field %zu", i);
		vocabulary_add(v, &symbol);
	}
}

/* Without a grid there are no grades to ask for. */
static bool is_there(const struct plan *plan, const char *name)
{
	return plan->graded || strcmp(name, "grade") != 0;
}

static struct vocabulary *build(struct load *l, const struct symbol *own, bool defaults_count)
{
	struct vocabulary *v = vocabulary_new();

	add_fields(l, v, own, defaults_count);
	for (; own->name; own++) {
		if (is_there(l->plan, own->name))
			vocabulary_add(v, own);
	}
	return v;
}

static const char *const *stage_values(struct load *l)
{
	const struct plan *plan = l->plan;
	const char **values = arena_calloc(l->arena, plan->stage_count + 1, sizeof(*values));

	for (size_t i = 0; i < plan->stage_count; i++)
		values[i] = plan->stages[i].name;
	return values;
}

static const char *const *list_values(struct load *l)
{
	const struct plan *plan = l->plan;
	const char **values = arena_calloc(l->arena, plan->list_count + 1, sizeof(*values));

	for (size_t i = 0; i < plan->list_count; i++)
		values[i] = plan->lists[i].name;
	return values;
}

static struct vocabulary *build_expression_names(struct load *l)
{
	struct vocabulary *v = vocabulary_new();

	add_fields(l, v, expression_names, false);
	for (const struct symbol *own = expression_names; own->name; own++) {
		struct symbol symbol = *own;

		if (!strcmp(symbol.name, "stage"))
			symbol.values = stage_values(l);
		else if (!strcmp(symbol.name, "list"))
			symbol.values = list_values(l);
		else if (!strcmp(symbol.name, "intent"))
			symbol.values = l->plan->replies.names;
		if (is_there(l->plan, symbol.name))
			vocabulary_add(v, &symbol);
	}
	return v;
}

void names_build(struct load *l)
{
	struct plan *plan = l->plan;
	struct vocabulary *v = build_expression_names(l);

	plan->vocabulary = v;
	plan->symbol_email = vocabulary_find(v, slice_of("email"));
	plan->symbol_email_kind = vocabulary_find(v, slice_of("email_kind"));
	plan->symbol_stage = vocabulary_find(v, slice_of("stage"));
	plan->symbol_list = vocabulary_find(v, slice_of("list"));
	plan->symbol_score = vocabulary_find(v, slice_of("score"));
	plan->symbol_interest = vocabulary_find(v, slice_of("interest"));
	plan->symbol_fit = vocabulary_find(v, slice_of("fit"));
	plan->symbol_intent = vocabulary_find(v, slice_of("intent"));
	plan->symbol_language = vocabulary_find(v, slice_of("language"));
	plan->symbol_form = vocabulary_find(v, slice_of("form"));
	plan->symbol_tags = vocabulary_find(v, slice_of("tags"));
	plan->symbol_grade = vocabulary_find(v, slice_of("grade"));
	plan->mail_names = build(l, mail_names, true);
	plan->page_names = build(l, page_names, true);
	plan->alert_names = build(l, alert_names, true);
}
