/*
 * person_tags.c: names that steps give people and take from them, the list that a step moved them to, and their grade.
 *
 * Tags lie in the row as one text, sorted, with a space between: few, read with the row, and equal sets are equal texts.
 */
#include <string.h>

#include "base/log.h"

#include "decide.h"
#include "person.h"

#define TAGS_MAX 100

static const char *next_tag(const char *at, struct slice *out)
{
	size_t n;

	while (*at == ' ')
		at++;
	n = strcspn(at, " ");
	*out = (struct slice){ at, n };
	return n ? at + n : NULL;
}

struct value person_tags(const struct person *p, struct arena *arena)
{
	struct value_builder *list;
	const char *at = p->row.tags;
	struct slice tag;

	if (!*at)
		return value_nil;
	list = value_build_list(arena);
	while ((at = next_tag(at, &tag)))
		value_add(list, value_slice((struct slice){ arena_strndup(arena, tag.data, tag.len), tag.len }));
	return value_built(list);
}

static int order(struct slice tag, const char *name)
{
	size_t n = strlen(name);
	int c = memcmp(tag.data, name, tag.len < n ? tag.len : n);

	return c ? c : (tag.len > n) - (tag.len < n);
}

/* The tags without `name`, or with it at its place; *had: whether it was there, *count: how many there are. */
static const char *rebuilt(struct person *p, const char *name, bool give, bool *had, size_t *count)
{
	struct buf text = BUF_INIT;
	const char *at = p->row.tags, *out;
	bool placed = !give;
	struct slice tag;

	*had = false;
	*count = 0;
	while ((at = next_tag(at, &tag))) {
		int c = order(tag, name);

		*had = *had || c == 0;
		if (!placed && c >= 0) {
			buf_printf(&text, "%s%s", text.len ? " " : "", name);
			placed = true;
			++*count;
		}
		if (c == 0)
			continue;
		if (text.len)
			buf_char(&text, ' ');
		buf_add(&text, tag.data, tag.len);
		++*count;
	}
	if (!placed) {
		buf_printf(&text, "%s%s", text.len ? " " : "", name);
		++*count;
	}
	out = arena_strdup(p->arena, buf_cstr(&text));
	buf_clear(&text);
	return out;
}

int person_tag(struct person *p, const char *name, bool give, struct err *err)
{
	struct event_at_hand *event = p->event;
	const char *cause = p->cause, *tags;
	size_t count;
	bool had;
	int rc;

	tags = rebuilt(p, name, give, &had, &count);
	if (had == give)
		return 0;
	if (give && count > TAGS_MAX) {
		log_warn("tag.refused", L_ID("prospect", "pro", p->row.id), L_STR("tag", name), L_STR("why", "they have 100 tags"));
		return person_journal(p, "tag", name, "not given: they have 100 tags already", err);
	}
	p->row.tags = tags;
	p->changed = true;
	person_mark_symbol(p, p->plan->symbol_tags);
	rc = person_journal(p, give ? "tag" : "untag", name, cause, err) ||
		person_happen(p, give ? "tagged" : "untagged", name, "{}", NULL, err) ? -1 : 0;
	p->event = event;
	p->cause = cause;
	return rc;
}

void person_move(struct person *p, const char *list, int64_t until)
{
	p->row.moved_list = list;
	p->row.moved_until = until;
	p->changed = p->list = true;
}

const char *person_grade(const struct person *p)
{
	static const char *const grades[4][4] = {
		{ "A1", "A2", "A3", "A4" }, { "B1", "B2", "B3", "B4" }, { "C1", "C2", "C3", "C4" }, { "D1", "D2", "D3", "D4" },
	};
	double interest = person_interest(p);
	int letter, figure;

	if (!p->plan->graded)
		return NULL;
	for (letter = 0; letter < 3 && p->row.fit < p->plan->grade_fit[letter]; letter++)
		;
	for (figure = 0; figure < 3 && interest < p->plan->grade_interest[figure]; figure++)
		;
	return grades[letter][figure];
}
