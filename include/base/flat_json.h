/*
 * flat_json.h: reads a JSON object of plain members in place: what the store holds of a person's fields, and of an event. To build a tree of the
 * fields was a twelfth of what the store did for a mail, of an event a tenth of a click. Whatever is not that plain is left to Jansson. Pure; any
 * thread.
 */
#ifndef BASE_FLAT_JSON_H
#define BASE_FLAT_JSON_H

#include "base/buf.h"

enum flat_kind { FLAT_TEXT, FLAT_NUMBER, FLAT_TRUE, FLAT_FALSE, FLAT_NULL };

struct flat_member {
	struct slice name;
	enum flat_kind kind;
	struct slice text;	/* of a text without its quotes, of a number as it is written */
};

/* The object's first byte, or NULL: there is none. */
const char *flat_json_begin(const char *text);
/*
 * Moves *at, which is what flat_json_begin() gave to begin with, behind the next member. 1 there is one; 0 the object and the text end here; -1 it is
 * broken, or has members that are objects or lists, or has an escape or bytes that are no UTF-8. Numbers may be larger than Jansson takes,
 * and a name may come twice: with Jansson the last counts.
 */
int flat_json_next(const char **at, struct flat_member *out);

#endif
