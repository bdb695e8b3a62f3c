/*
 * fuzz_words.c: what people write, to the rules that cut it, to those that say what is wanted and to those that look for dates. First byte: how 3/5 is read.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/listen/charset.h"
#include "../../daemon/listen/reply_text.h"
#include "../../daemon/listen/return_date.h"
#include "../listen/shipped.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define NOW (INT64_C(1793613600) * US_SECOND)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
	if (!truth)
		abort();
}

static void check_dates(const char *text, bool month_first)
{
	int64_t at = return_date_of_not_now(text, NOW, month_first);

	must(at == 0 || (at >= NOW - US_DAY && at <= NOW + 731 * US_DAY));
	at = return_date_of_absence(text, NOW, month_first);
	must(at == 0 || (at >= NOW - US_DAY && at <= NOW + 181 * US_DAY));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_reading r = { .arena = NULL };
	struct reply_text reply;
	char *text;

	if (size < 2)
		return 0;
	r.arena = arena_new(0);
	text = arena_strndup(r.arena, (const char *)data + 1, size - 1);
	if (text_utf8_valid(text, strlen(text))) {
		reply_text_read(&reply, r.arena, text);
		must(strlen(reply.judged) <= strlen(text) + 2 && text_utf8_valid(reply.judged, strlen(reply.judged)));
		intents_read(shipped_rules(), reply.judged, &r);
		must(r.intent && *r.intent && r.intent_count <= READING_MAX_INTENTS);
		check_dates(charset_simplify(r.arena, text), data[0] & 1);
		check_dates(text, data[0] & 2);
	}
	arena_free(&r.arena);
	return 0;
}
