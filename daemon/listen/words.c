/*
 * words.c: see words.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "listen/words.h"

#include "intake_program.h"
#include "intents.h"
#include "reply_text.h"
#include "return_date.h"

struct words {
	struct intent_rules *rules;
};

struct words *words_new(const struct plan *plan)
{
	struct words *w = xcalloc(1, sizeof(*w));
	json_t *setting = intake_setting(plan);

	w->rules = intent_rules_new(json_object_get(setting, "replies"));
	json_decref(setting);
	return w;
}

void words_free(struct words **words)
{
	if (!*words)
		return;
	intent_rules_free(&(*words)->rules);
	free(*words);
	*words = NULL;
}

static void print_intents(const struct mail_reading *r, struct words_reading *out)
{
	struct buf list = BUF_INIT;

	buf_char(&list, '[');
	for (size_t i = 0; i < r->intent_count; i++)
		buf_printf(&list, "%s{\"name\":\"%s\",\"confidence\":%g}", i ? "," : "", r->intents[i].name,
			r->intents[i].confidence);
	buf_char(&list, ']');
	snprintf(out->intents, sizeof(out->intents), "%s", list.len < sizeof(out->intents) ? buf_cstr(&list) : "[]");
	buf_clear(&list);
}

void words_read(struct words *words, const char *text, int64_t at, struct words_reading *out)
{
	struct mail_reading r = { .arena = arena_new(0) };
	struct reply_text reply;

	reply_text_read(&reply, r.arena, text);
	intents_read(words->rules, reply.judged, &r);
	snprintf(out->intent, sizeof(out->intent), "%s", r.intent);
	out->until = return_date_of_not_now(reply.judged, at, false);
	print_intents(&r, out);
	arena_free(&r.arena);
}
