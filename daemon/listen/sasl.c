/*
 * sasl.c: PLAIN, XOAUTH2, OAUTHBEARER.
 */
#include <string.h>

#include "sasl.h"

/* `,` and `=` of a name, as a GS2 header wants them (RFC 5801). */
static void add_saslname(struct buf *out, const char *name)
{
	for (; *name; name++) {
		if (*name == ',')
			buf_str(out, "=2C");
		else if (*name == '=')
			buf_str(out, "=3D");
		else
			buf_char(out, *name);
	}
}

void sasl_first_words(struct buf *out, const char *mechanism, const char *user, const char *secret, const char *host, int port)
{
	if (!strcmp(mechanism, "PLAIN")) {
		buf_add(out, "", 1);
		buf_add(out, user, strlen(user) + 1);
		buf_str(out, secret);
	} else if (!strcmp(mechanism, "XOAUTH2")) {
		buf_printf(out, "user=%s\001auth=Bearer %s\001\001", user, secret);
	} else {
		buf_str(out, "n,a=");
		add_saslname(out, user);
		buf_printf(out, ",\001host=%s\001port=%d\001auth=Bearer %s\001\001", host, port, secret);
	}
}

const char *sasl_heard(const char *mechanism)
{
	return strcmp(mechanism, "XOAUTH2") ? "AQ==" : "";
}

void sasl_wipe(struct buf *words)
{
	if (words->len)
		explicit_bzero(words->data, words->len);
	buf_clear(words);
}
