/*
 * targets.h: where something is posted: URL, payload and secret, for the alerts of sales.yaml and for `webhook` steps alike.
 */
#ifndef CONFIG_TARGETS_H
#define CONFIG_TARGETS_H

#include "load.h"

extern const char *const targets_schemes[];	/* of its URL, for KEY_URL */

/* A secret of Standard Webhooks: whsec_ and 24 to 64 random bytes in base64. */
int targets_check_secret(const char *secret, struct err *err) MUSTCHECK;

/*
 * Fills *out. `as` and `secret` may be NULL: "standard", none. `at` is the mapping that they stand in, and `what` what it is:
 * "a `standard` alert". `url` belongs to the plan, or is NULL after a complaint.
 */
void targets_fill(struct load *l, const struct yaml_node *at, const char *what, const char *url, const struct yaml_node *as,
		const struct yaml_node *secret, struct alert_target *out);

#endif
