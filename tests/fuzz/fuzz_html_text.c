/*
 * fuzz_html_text.c: HTML of any kind becomes text of bounded length; cut as a reply it is UTF-8.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/listen/charset.h"
#include "../../daemon/listen/html_text.h"
#include "../../daemon/listen/reply_text.h"
#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	char *utf8 = charset_to_utf8(arena, (const char *)data, size, NULL);
	struct html_text h;
	struct reply_text r;

	html_text(&h, arena, utf8, strlen(utf8));
	if (strlen(h.text) > 2 * HTML_TEXT_MAX)
		abort();
	reply_text_read(&r, arena, h.text);
	if (!text_utf8_valid(r.text, strlen(r.text)) && text_utf8_valid(h.text, strlen(h.text)))
		abort();
	arena_free(&arena);
	return 0;
}
