/*
 * lines.c: see lines.h.
 */
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#include "lines.h"

void lines_member(struct buf *out, const char *name, const char *text)
{
	const char *end;
	bool first = true;

	buf_printf(out, "\"%s\":[", name);
	for (; *text; text = *end ? end + 1 : end) {
		end = text + strcspn(text, "\n");
		if (end == text)
			continue;
		if (!first)
			buf_char(out, ',');
		first = false;
		text_json(out, text, (size_t)(end - text));
	}
	buf_char(out, ']');
}
