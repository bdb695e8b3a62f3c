/*
 * words.c: see words.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "listen/words.h"

#include "intents.h"
#include "reply_text.h"
#include "return_date.h"

static void print_intents(const struct mail_reading *r, struct words_reading *out)
{
	struct buf list = BUF_INIT;

	buf_char(&list, '[');
	for (size_t i = 0; i < r->intent_count; i++)
		buf_printf(&list, "%s{\"name\":\"%s\",\"confidence\":%g}", i ? "," : "", r->intents[i].name,
			r->intents[i].confidence);
	buf_char(&list, ']');
	/* all intents that there are fit in */
	snprintf(out->intents, sizeof(out->intents), "%s", list.len < sizeof(out->intents) ? buf_cstr(&list) : "[]");
	buf_clear(&list);
}

void words_read(const char *words, int64_t at, struct words_reading *out)
{
	struct mail_reading r = { .intent = "" };
	struct arena *arena = arena_new(0);
	struct reply_text reply;

	reply_text_read(&reply, arena, words);
	intents_read(reply.judged, &r);
	out->intent = r.intent;
	out->until = strcmp(r.intent, "not_now") == 0 ? return_date_of_not_now(reply.judged, at, false) : 0;
	print_intents(&r, out);
	arena_free(&arena);
}
