/*
 * folder.c: modified UTF-7 by iconv.
 */
#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/folder.h"
#include "base/text.h"

#define UTF7 "UTF-7-IMAP"

/* `text` is far below three times as long, either way. -1: it is not in `from`, or iconv has not both. */
static int convert(struct buf *out, const char *text, const char *from, const char *to)
{
	iconv_t cd = iconv_open(to, from);
	size_t left = strlen(text), room = 3 * left + 16, before = out->len;
	char *in = (char *)(uintptr_t)text, *at;	/* iconv reads it, whatever its prototype says */
	int rc;

	if (cd == (iconv_t)-1)
		return -1;
	buf_reserve(out, room);
	at = out->data + before;
	rc = iconv(cd, &in, &left, &at, &room) == (size_t)-1 || iconv(cd, NULL, NULL, &at, &room) == (size_t)-1 ? -1 : 0;
	iconv_close(cd);
	out->len = rc < 0 ? before : (size_t)(at - out->data);
	out->data[out->len] = '\0';
	return rc;
}

static bool is_ascii(const char *s)
{
	while (*s > 0 && *s < 127)
		s++;
	return !*s;
}

/* It comes back as it was: iconv also reads what it would never write. */
static bool is_utf7(const char *name)
{
	struct buf text = BUF_INIT, again = BUF_INIT;
	bool same = convert(&text, name, UTF7, "UTF-8") == 0 && convert(&again, buf_cstr(&text), "UTF-8", UTF7) == 0 && !strcmp(buf_cstr(&again), name);

	buf_clear(&text);
	buf_clear(&again);
	return same;
}

int folder_name(struct buf *out, const char *name, struct err *err)
{
	if (is_ascii(name) && (!strchr(name, '&') || is_utf7(name))) {
		buf_str(out, name);
		return 0;
	}
	if (!text_utf8_valid(name, strlen(name)) || convert(out, name, "UTF-8", UTF7) < 0)
		return err_set(err, "%s cannot be written as the name of a folder (modified UTF-7)", name);
	return 0;
}
