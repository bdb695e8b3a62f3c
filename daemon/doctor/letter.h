/*
 * letter.h: a mail that arrived, as its bytes are: the fields in their order, so that a signature over them can be checked. Pure; any thread.
 */
#ifndef DOCTOR_LETTER_H
#define DOCTOR_LETTER_H

#include <stddef.h>

#include "base/buf.h"

#define LETTER_FIELDS_MAX 1000

struct letter_field {
	struct slice raw;	/* "Name: value" with its folds, without the last CRLF */
	char *name;		/* lower case */
	char *value;		/* unfolded and trimmed */
};

struct letter {
	struct buf text;	/* all of it, its lines ended by CRLF */
	struct letter_field *fields;
	size_t count;
	struct slice body;
};

/* RFC 5322 2.2; a line of mbox in front ("From ...") is none of it. To be cleared. */
void letter_open(struct letter *letter, const char *raw, size_t n);
void letter_clear(struct letter *letter);

/* The value of the i-th field of that name (lower case), from above; NULL: there are not so many. */
const char *letter_nth(const struct letter *letter, const char *name, size_t i);
size_t letter_count(const struct letter *letter, const char *name);

#endif
