/* incoming.c: a mail's bytes are freed as a whole. */
#include <stdlib.h>
#include <string.h>

#include "incoming.h"

void incoming_clear(struct incoming *in)
{
	free(in->key);
	buf_clear(&in->raw);
	memset(in, 0, sizeof(*in));
}
