/*
 * fuzz_persona.c: any bytes as a persona's file: a persona or complaints, never a crash, and no habit beyond its bounds. libFuzzer.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/persona.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Once a process; it lives as long. */
static struct plan *good_plan(void)
{
	static struct plan *plan;
	struct plan_errors errors = { 0 };

	if (!plan)
		plan = plan_load_to_look("tests/config/good/nurtured.yaml", &errors);
	assert(plan);
	buf_clear(&errors.text);
	return plan;
}

static void check_mails(const struct which_mails *m)
{
	assert(m->number >= 0 && m->number <= 1000);
	assert(m->chance >= 0 && m->chance <= 1);
	assert(!m->name || plan_mail(good_plan(), m->name));
}

static void check_habit(const struct habit *h)
{
	json_t *json = json_loads(h->data, 0, NULL);

	assert(json_is_object(json));
	json_decref(json);
	check_mails(&h->mails);
	assert(h->delay >= -1 && h->delay <= 3650 * US_DAY);
	assert(h->day >= 0 && h->day <= 3650 && h->minute >= -1 && h->minute < 24 * 60);
	assert(h->when != WHEN_DATE || (h->date.month >= 1 && h->date.month <= 12 && h->date.day >= 1 && h->date.day <= 31));
	assert(text_utf8_valid(h->text, strlen(h->text)));
	assert(h->verb != HABIT_CLICKS || (h->link >= 1 && h->link <= 255));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan_errors errors = { 0 };
	char *text = xstrndup((const char *)data, size);
	struct persona *p = persona_parse("fuzz.yaml", text, memchr(data, 0, size) ? strlen(text) : size, good_plan(), &errors);
	size_t i;

	assert(!p == (errors.count > 0));
	for (i = 0; p && i < p->habit_count; i++)
		check_habit(&p->habits[i]);
	persona_free(&p);
	buf_clear(&errors.text);
	free(text);
	return 0;
}
