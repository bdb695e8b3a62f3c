/*
 * signup_page.c: a form as a page of our own: for trying things out, and for sites without forms of theirs.
 */
#include <ctype.h>
#include <string.h>

#include "base/text.h"

#include "parts.h"

static const char *find(const struct body *body, const char *name)
{
	return body ? body_get(body, name) : NULL;
}

/* "first_name" as people read it: "First name". */
static char *label_of(struct arena *arena, const char *name)
{
	char *label = arena_strdup(arena, name), *c;

	for (c = label; *c; c++)
		if (*c == '_')
			*c = ' ';
	*label = (char)toupper((unsigned char)*label);
	return label;
}

/* "is needed" is said of the label; "the email address has no @" stands by itself. */
static const char *sentence(struct arena *arena, const char *label, const char *error)
{
	bool whole = text_starts_with(error, "the ");
	char *out = arena_printf(arena, "%s%s%s.", whole ? "" : label, whole ? "" : " ", error);

	*out = (char)toupper((unsigned char)*out);
	return out;
}

static const char *input_type(enum value_type type)
{
	return type == VALUE_REAL ? "number" : type == VALUE_BOOL ? "checkbox" : "text";
}

static struct value input_value(struct arena *arena, const char *name, const char *label, const char *type,
	bool required, const struct body *values, const struct body *errors)
{
	struct value_builder *b = value_build_object(arena);
	const char *value = find(values, name), *error = find(errors, name);

	value_put(b, "name", value_text(name));
	value_put(b, "label", value_text(label));
	value_put(b, "type", value_text(type));
	value_put(b, "required", value_bool(required));
	if (value && *value)
		value_put(b, "value", value_text(value));
	if (error)
		value_put(b, "error", value_text(sentence(arena, label, error)));
	return value_built(b);
}

static struct value fields_value(struct arena *arena, const struct plan *plan, const struct form *form,
	const struct body *values, const struct body *errors)
{
	struct value_builder *list = value_build_list(arena);
	size_t i;

	value_add(list, input_value(arena, "email", "Email", "email", true, values, errors));
	for (i = 0; i < form->field_count; i++) {
		const struct field *f = &plan->fields[form->fields[i]];

		value_add(list, input_value(arena, f->name, label_of(arena, f->name), input_type(f->type),
					form->required[i], values, errors));
	}
	return value_built(list);
}

void signup_page_send(struct http_request *r, const struct plan *plan, const struct form *form, int status,
	const char *message, const struct body *values, const struct body *errors)
{
	struct arena *arena = http_arena(r);
	struct page *page = page_new(r, plan, "signup", "Sign up");
	struct value_builder *b = value_build_object(arena);

	value_put(b, "name", value_text(form->name));
	value_put(b, "label", value_text(label_of(arena, form->name)));
	value_put(b, "purpose", value_text(form->consent_purpose));
	value_put(b, "honeypot", value_text(form->honeypot));
	value_put(b, "double", value_bool(form->confirm_double));
	value_put(b, "download", value_bool(form->download != NULL));
	page_set(page, "form", value_built(b));
	page_set(page, "fields", fields_value(arena, plan, form, values, errors));
	page_set(page, "consent_words", value_text(form->consent_words));
	page_set(page, "action", value_text(arena_printf(arena, "/v1/forms/%s", form->name)));
	page_set(page, "message", value_text(message));
	if (form->thanks && origin_redirect_allowed(plan, form->thanks))
		page_posts_to(page, form->thanks);
	page_send(page, status);
}

void signup_page(void *ctx, struct http_request *r)
{
	struct plan *plan = ingest_plan(ctx);
	const struct form *form = plan_form(plan, http_rest(r));

	if (form)
		signup_page_send(r, plan, form, 200, "", NULL, NULL);
	else
		page_problem(r, plan, 404, "No such form", "There is no form of that name.");
}

void signup_home(void *ctx, struct http_request *r)
{
	struct plan *plan = ingest_plan(ctx);

	if (plan->form_count)
		http_redirect(r, 302, arena_printf(http_arena(r), "/signup/%s", plan->forms[0].name));
	else
		page_problem(r, plan, 404, "Nothing here", "There is no form to show.");
}
