/*
 * with_plan.h: the programme of tests/simulate/conf, and what its people say. Included by the tests of simulate only.
 */
#ifndef TESTS_SIMULATE_WITH_PLAN_H
#define TESTS_SIMULATE_WITH_PLAN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "listen/words.h"
#include "simulate/simulate.h"

#define CONF "tests/simulate/conf/nurtured.yaml"
#define PERSONAS "tests/simulate/personas"

static inline struct plan *load_plan(void)
{
	struct plan_errors errors = { 0 };
	struct plan *plan = plan_load_to_look(CONF, &errors);

	log_setup(LOG_ERROR, false);
	if (!plan)
		fail_msg("%s", buf_cstr(&errors.text));
	return plan;
}

static inline struct persona *load_persona(struct plan *plan, const char *text)
{
	struct plan_errors errors = { 0 };
	struct persona *p = persona_parse("persona", text, strlen(text), plan, &errors);

	if (!p)
		fail_msg("%s in\n%s", buf_cstr(&errors.text), text);
	return p;
}

static inline void read_reply(const char *words, int64_t at, struct reply_reading *out)
{
	static struct words *rules;
	static struct words_reading r;

	if (!rules) {
		struct plan *shipped = plan_of_replies();

		rules = words_new(shipped);
		plan_unref(&shipped);
	}
	words_read(rules, words, at, &r);
	out->intent = r.intent;
	out->until = r.until;
	snprintf(out->intents, sizeof(out->intents), "%s", r.intents);
}

#endif
