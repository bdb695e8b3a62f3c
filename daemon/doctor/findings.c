/*
 * findings.c: see findings.h, and what doctor.h prints.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "findings.h"

const char *const doctor_level_names[] = { "ok", "note", "warning", "error", NULL };

void findings_clear(struct findings *f)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		free(f->list[i].about);
		free(f->list[i].what);
		free(f->list[i].next);
	}
	free(f->list);
	memset(f, 0, sizeof(*f));
}

static __attribute__((format(printf, 1, 0))) char *formatted(const char *fmt, va_list ap)
{
	struct buf b = BUF_INIT;

	buf_vprintf(&b, fmt, ap);
	return buf_take(&b);
}

void findings_add(struct findings *f, enum doctor_level level, const char *check, const char *about, const char *fmt, ...)
{
	struct finding *new;
	va_list ap;

	f->list = xgrow(f->list, &f->cap, f->count + 1, sizeof(*f->list));
	new = &f->list[f->count++];
	*new = (struct finding){ .level = level, .check = check, .about = xstrdup(about) };
	va_start(ap, fmt);
	new->what = formatted(fmt, ap);
	va_end(ap);
}

void findings_next(struct findings *f, const char *fmt, ...)
{
	struct finding *last = &f->list[f->count - 1];
	va_list ap;

	free(last->next);
	va_start(ap, fmt);
	last->next = formatted(fmt, ap);
	va_end(ap);
}

bool findings_has(const struct findings *f, const char *check, const char *about)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		if (!strcmp(f->list[i].check, check) && !strcmp(f->list[i].about, about))
			return true;
	return false;
}

void findings_fact(struct findings *f, enum fact fact, bool holds)
{
	if (f->facts[fact] != TRUTH_NO)
		f->facts[fact] = holds ? TRUTH_YES : TRUTH_NO;
}

/* --- for people ----------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *json, const char *key)
{
	const char *s = json_string_value(json_object_get(json, key));

	return s ? s : "";
}

static void print_rules(struct buf *out, const json_t *rules)
{
	const json_t *rule;
	size_t i;

	if (json_array_size(rules))
		buf_printf(out, "\n%-8s %-62s %-6s %-6s %s\n", "met", "what receivers ask of who sends much", "Gmail", "Yahoo", "Microsoft");
	json_array_foreach(rules, i, rule)
		buf_printf(out, "%-8s %-62s %-6s %-6s %s\n", text_of(rule, "met"), text_of(rule, "rule"), text_of(rule, "gmail"), text_of(rule, "yahoo"),
			text_of(rule, "microsoft"));
}

void doctor_print(struct buf *out, const json_t *json)
{
	const json_t *finding;
	int counts[DOCTOR_ERROR + 1] = { 0 };
	size_t i;
	int level;

	json_array_foreach(json_object_get(json, "findings"), i, finding) {
		buf_printf(out, "%-8s %s: %s: %s\n", text_of(finding, "level"), text_of(finding, "check"), text_of(finding, "about"), text_of(finding, "what"));
		if (*text_of(finding, "next"))
			buf_printf(out, "         -> %s\n", text_of(finding, "next"));
		for (level = 0; doctor_level_names[level]; level++)
			counts[level] += !strcmp(text_of(finding, "level"), doctor_level_names[level]);
	}
	print_rules(out, json_object_get(json, "rules"));
	buf_printf(out, "\n%d ok, %d to note, %d warnings, %d errors\n", counts[DOCTOR_OK], counts[DOCTOR_NOTE], counts[DOCTOR_WARNING], counts[DOCTOR_ERROR]);
}
