/*
 * person_fields.c: the declared fields of a person: read from the row's JSON, set by forms and steps, written back once.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/flat_json.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

/* What was stored under another type than the config has now counts as not given. */
static struct value field_value(const struct field *field, const json_t *v, struct arena *arena)
{
	if (field->type == VALUE_TEXT && json_is_string(v) && json_string_length(v) > 0)
		return value_text(arena_strndup(arena, json_string_value(v), json_string_length(v)));
	if ((field->type == VALUE_REAL || field->type == VALUE_INT) && json_is_number(v))
		return value_real(json_number_value(v));
	if (field->type == VALUE_TIME && json_is_integer(v))
		return value_time(json_integer_value(v));
	if (field->type == VALUE_BOOL && json_is_boolean(v))
		return value_bool(json_is_true(v));
	return value_text(field->default_text);
}

#define NUMBER_MAX 40

/* The same of a member as it is written. */
static struct value member_value(const struct field *field, const struct flat_member *m, struct arena *arena)
{
	char number[NUMBER_MAX];
	double real;
	int64_t integer;

	switch (m->kind) {
	case FLAT_TEXT:
		if (field->type == VALUE_TEXT && m->text.len > 0)
			return value_text(arena_strndup(arena, m->text.data, m->text.len));
		break;
	case FLAT_NUMBER:
		memcpy(number, m->text.data, m->text.len);
		number[m->text.len] = '\0';
		if ((field->type == VALUE_REAL || field->type == VALUE_INT) && text_double(number, &real) == 0)
			return value_real(real);
		if (field->type == VALUE_TIME && text_int(number, &integer) == 0)
			return value_time(integer);
		break;
	case FLAT_TRUE:
	case FLAT_FALSE:
		if (field->type == VALUE_BOOL)
			return value_bool(m->kind == FLAT_TRUE);
		break;
	case FLAT_NULL:
		break;
	}
	return value_text(field->default_text);
}

/* They are written in the order of the plan: looked for from where the one before was. */
static size_t place_of(const struct plan *plan, struct slice name, size_t from)
{
	for (size_t i = 0; i < plan->field_count; i++) {
		size_t at = from + i < plan->field_count ? from + i : from + i - plan->field_count;

		if (slice_is(name, plan->fields[at].name))
			return at;
	}
	return plan->field_count;
}

/* False: there is something in them that takes a whole parser. */
static bool read_plain(struct person *p)
{
	const char *at = flat_json_begin(p->row.fields);
	struct flat_member m;
	size_t field = 0;
	int got;

	if (!at)
		return false;
	while ((got = flat_json_next(&at, &m)) == 1) {
		size_t found = place_of(p->plan, m.name, field);

		if (m.kind == FLAT_NUMBER && m.text.len >= NUMBER_MAX)
			return false;
		if (found == p->plan->field_count)
			continue;
		p->fields[found] = member_value(&p->plan->fields[found], &m, p->arena);
		field = found + 1;
	}
	return got == 0;
}

void person_read_fields(struct person *p)
{
	json_t *json;
	size_t i;

	p->fields = arena_calloc(p->arena, p->plan->field_count + 1, sizeof(*p->fields));
	for (i = 0; i < p->plan->field_count; i++)
		p->fields[i] = value_text(p->plan->fields[i].default_text);
	if (!p->row.fields || read_plain(p))
		return;
	json = json_loads(p->row.fields, 0, NULL);
	for (i = 0; i < p->plan->field_count; i++)
		p->fields[i] = field_value(&p->plan->fields[i], json ? json_object_get(json, p->plan->fields[i].name) : NULL, p->arena);
	json_decref(json);
}

/* What a form or a step says, as the field's type has it; 0 or -1. */
static int typed(struct person *p, const struct field *field, const char *text, struct value *out)
{
	double number;
	int64_t us;

	switch (field->type) {
	case VALUE_REAL:
	case VALUE_INT:
		if (text_double(text, &number))
			return -1;
		*out = value_real(number);
		return 0;
	case VALUE_BOOL:
		*out = value_bool(strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "1") == 0 || strcmp(text, "on") == 0);
		return 0;
	case VALUE_TIME:
		if (text_time_parse(text, &us))
			return -1;
		*out = value_time(us);
		return 0;
	default:
		*out = value_text(arena_strdup(p->arena, text));
		return 0;
	}
}

static bool same(struct value a, struct value b)
{
	if (a.type != b.type)
		return false;
	switch (a.type) {
	case VALUE_REAL:
		return a.real == b.real;
	case VALUE_BOOL:
		return a.boolean == b.boolean;
	case VALUE_TEXT:
		return a.text.len == b.text.len && memcmp(a.text.data, b.text.data, a.text.len) == 0;
	default:
		return a.integer == b.integer;
	}
}

bool person_has_field(const struct person *p, size_t field)
{
	struct value v = p->fields[field];

	return v.type != VALUE_NIL && !(v.type == VALUE_TEXT && (v.text.len == 0 || v.text.data == p->plan->fields[field].default_text));
}

int person_set_field(struct person *p, int field, const char *value, bool overwrite, struct err *err)
{
	const struct field *f = &p->plan->fields[field];
	struct value v;

	if (!overwrite && person_has_field(p, (size_t)field))
		return 0;
	if (typed(p, f, value, &v))
		return err_set(err, "field %s: not a %s: %s", f->name, value_type_name(f->type), value);
	if (same(v, p->fields[field]))
		return 0;
	p->fields[field] = v;
	p->changed = p->fields_changed = true;
	person_mark_symbol(p, f->symbol);
	return 0;
}

/* The row's JSON anew. What it holds of fields that the config does not name any more stays. */
void person_write_fields(struct person *p)
{
	struct buf text = BUF_INIT;
	size_t i;
	json_t *old = strcmp(p->row.fields, "{}") == 0 ? NULL : json_loads(p->row.fields, 0, NULL), *v;
	const char *name;
	char *kept;

	buf_char(&text, '{');
	for (i = 0; i < p->plan->field_count; i++) {
		json_object_del(old, p->plan->fields[i].name);
		if (!person_has_field(p, i))
			continue;
		if (text.len > 1)
			buf_char(&text, ',');
		text_json(&text, p->plan->fields[i].name, strlen(p->plan->fields[i].name));
		buf_char(&text, ':');
		if (p->fields[i].type == VALUE_TIME)
			buf_printf(&text, "%lld", (long long)p->fields[i].integer);
		else
			value_to_json(&text, p->fields[i]);
	}
	json_object_foreach(old, name, v) {
		kept = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		buf_char(&text, text.len > 1 ? ',' : ' ');
		text_json(&text, name, strlen(name));
		buf_printf(&text, ":%s", kept ? kept : "null");
		free(kept);
	}
	buf_char(&text, '}');
	p->row.fields = arena_strndup(p->arena, text.data, text.len);
	buf_clear(&text);
	json_decref(old);
	p->fields_changed = false;
}
