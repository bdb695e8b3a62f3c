/*
 * spf.h: the whole of an SPF record: what it includes too. Blocks (DNS).
 */
#ifndef DOCTOR_SPF_H
#define DOCTOR_SPF_H

#include "names.h"
#include "records.h"

struct spf_whole {
	int lookups;		/* terms that ask DNS, RFC 7208 4.6.4: 10 at most */
	int voids;		/* of these, answered by nothing: 2 at most */
	char all;		/* its own `all`, or that of what it redirects to; 0: none */
	bool after_all;
	bool covers;		/* some term lets one of the addresses send */
};

enum spf_found { SPF_UNTOLD = -1, SPF_NONE, SPF_FOUND, SPF_SEVERAL, SPF_BROKEN };

/* The addresses are those that the relay sends from, as far as they are known. The error is of SPF_UNTOLD and SPF_BROKEN. */
enum spf_found spf_look(struct names *names, const char *domain, const struct names_list *addresses, struct spf_whole *out, struct err *err);

#endif
