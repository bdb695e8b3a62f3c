/*
 * err.c: see err.h. The text is cut, never refused: a message that is too long is still a message.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

int err_set(struct err *err, const char *fmt, ...)
{
	struct err old;
	va_list ap;

	if (!err)
		return -1;
	/* an argument may be the old text itself */
	va_start(ap, fmt);
	vsnprintf(old.text, sizeof(old.text), fmt, ap);
	va_end(ap);
	memcpy(err->text, old.text, strlen(old.text) + 1);
	return -1;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	struct err out;
	va_list ap;
	size_t n, rest;

	if (!err)
		return -1;
	va_start(ap, fmt);
	vsnprintf(out.text, sizeof(out.text) - 2, fmt, ap);
	va_end(ap);
	n = strlen(out.text);
	memcpy(out.text + n, ": ", 2);
	n += 2;
	rest = strnlen(err->text, sizeof(out.text) - 1 - n);
	memcpy(out.text + n, err->text, rest);
	out.text[n + rest] = '\0';
	memcpy(err->text, out.text, n + rest + 1);
	return -1;
}
