/*
 * doctor.c: see doctor.h.
 */
#include <stdlib.h>

#include "base/mem.h"

#include "inside.h"

int doctor_new(const struct doctor_wish *wish, struct doctor **out, struct err *err)
{
	struct doctor *d = xcalloc(1, sizeof(*d));

	d->wish = *wish;
	d->operator = &wish->plan->operator;
	if (names_new(wish->resolver, &d->names, err) < 0) {
		free(d);
		return -1;
	}
	*out = d;
	return 0;
}

void doctor_free(struct doctor **doctor)
{
	struct doctor *d = *doctor;

	if (!d)
		return;
	names_free(&d->names);
	names_list_clear(&d->relays);
	findings_clear(&d->findings);
	free(d);
	*doctor = NULL;
}

void doctor_look(struct doctor *d)
{
	relays_find(d);
	domains_look(d);
	relays_look(d);
	mailboxes_look(d);
	web_look(d);
	machine_look(d);
}

enum doctor_level doctor_worst(const struct doctor *d)
{
	enum doctor_level worst = DOCTOR_OK;
	size_t i;

	for (i = 0; i < d->findings.count; i++)
		if (d->findings.list[i].level > worst)
			worst = d->findings.list[i].level;
	return worst;
}

json_t *doctor_json(const struct doctor *d)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < d->findings.count; i++) {
		const struct finding *f = &d->findings.list[i];

		json_array_append_new(list, json_pack("{ss ss ss ss ss*}", "check", f->check, "about", f->about, "level", doctor_level_names[f->level],
			"what", f->what, "next", f->next));
	}
	return json_pack("{ss so so}", "worst", doctor_level_names[doctor_worst(d)], "findings", list, "rules", rules_json(&d->findings));
}
