/*
 * fuzz_mail.c: a whole mail from any bytes. Whatever it is, there is a reading, its texts are UTF-8 within their limits, and it
 * goes into a frame and comes out the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "listen/frame.h"
#include "listen/reading.h"
#include "../listen/shipped.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct mail_reading *r)
{
	must(text_utf8_valid(r->text, strlen(r->text)) && strlen(r->text) <= READING_MAX_TEXT);
	must(text_utf8_valid(r->subject, strlen(r->subject)) && !text_has_control(r->subject, strlen(r->subject)));
	for (size_t i = 0; i < r->token_count; i++)
		must(strspn(r->tokens[i].text, "abcdefghijklmnopqrstuvwxyz234567") == 34);
	must(r->class != READING_BOUNCE || *r->bounce.reason);
	must((r->class == READING_HUMAN) == (*r->intent != '\0'));
}

static void round_trip(json_t *said)
{
	struct buf b = BUF_INIT;
	json_t *again = NULL;

	must(frame_encode(&b, said, NULL) == 0);
	must(frame_decode(&b, &again, NULL) == 1 && b.len == 0);
	must(json_equal(said, again));
	json_decref(again);
	buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const own[] = { "reply.example.test", NULL };
	const struct reading_setting setting = { own, shipped_rules() };
	struct mail_reading r;
	json_t *said;

	reading_make(&r, (const char *)data, size, INT64_C(1793613600000000), &setting);
	check(&r);
	said = reading_json(&r);
	round_trip(said);
	json_decref(said);
	reading_clear(&r);
	return 0;
}
