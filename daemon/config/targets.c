/*
 * targets.c: the payload of what is posted, and the key that it is signed with.
 */
#include <string.h>

#include "base/text.h"

#include "targets.h"
#include "templates.h"

const char *const targets_schemes[] = { "https", "http", NULL };

int targets_check_secret(const char *secret, struct err *err)
{
	static const char prefix[] = "whsec_";
	struct buf bytes = BUF_INIT;
	size_t n;
	int rc;

	if (!text_starts_with(secret, prefix))
		return err_set(err,
			"the secret does not begin with whsec_; make one with: printf 'whsec_%%s' "
			"\"$(openssl rand -base64 32)\"");
	rc = text_base64_decode(secret + strlen(prefix), strlen(secret) - strlen(prefix), &bytes);
	n = bytes.len;
	buf_clear(&bytes);
	if (rc)
		return err_set(err, "what follows whsec_ in the secret is not base64");
	if (n < 24 || n > 64)
		return err_set(err, "the secret has %zu bytes; it needs 24 to 64", n);
	return 0;
}

void targets_fill(struct load *l, const struct yaml_node *at, const char *what, const char *url, const struct yaml_node *as,
	const struct yaml_node *secret, struct alert_target *out)
{
	struct err err;

	out->url = url;
	out->as = as ? arena_strdup(l->arena, as->text) : "standard";
	if (l->operator_known)
		out->payload = pages_alert(l, as ? as : at, out->as);
	if (!secret) {
		if (!strcmp(out->as, "standard") && at->kind == YAML_MAP)
			complain(l, at,
				"`secret` is missing: %s is signed; name a credential or a file in secrets/", what);
		return;
	}
	out->secret = secret_named(l, secret->text, &err);
	if (!out->secret || targets_check_secret(out->secret, &err))
		complain(l, secret, "`secret`: %s", err.text);
}
