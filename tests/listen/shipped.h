/* shipped.h: the rules of the shipped replies.yaml, for tests that read mails. */
#ifndef TESTS_LISTEN_SHIPPED_H
#define TESTS_LISTEN_SHIPPED_H

#include <jansson.h>

#include "../../daemon/listen/intake_program.h"
#include "../../daemon/listen/intents.h"
#include "config/plan.h"

/* For the life of the program. */
static inline const struct intent_rules *shipped_rules(void)
{
	static struct intent_rules *rules;

	if (!rules) {
		struct plan *plan = plan_of_replies();
		json_t *setting = intake_setting(plan);

		rules = intent_rules_new(json_object_get(setting, "replies"));
		json_decref(setting);
		plan_unref(&plan);
	}
	return rules;
}

#endif
