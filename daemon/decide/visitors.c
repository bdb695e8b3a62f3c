/*
 * visitors.c: a visitor becomes a prospect: at sign-up, or when a page is opened by a link from a mail.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "store/visitors.h"

#include "decide.h"
#include "person.h"

/* Where they came from before anybody knew them: `touch` in what they did. */
static int take_touch(struct person *p, const struct event_row *e, struct err *err)
{
	json_t *data = strstr(e->data, "\"touch\"") ? json_loads(e->data, 0, NULL) : NULL, *touch = json_object_get(data, "touch");
	char *text = json_is_object(touch) ? json_dumps(touch, JSON_COMPACT) : NULL;
	int rc = text ? touches_put(p->db, p->row.id, e->at, text, err) : 0;

	free(text);
	json_decref(data);
	return rc;
}

int visitor_join(struct person *p, const char *anonymous_id, struct err *err)
{
	struct event_row *events;
	int64_t joined = 0;
	size_t count, i;
	int found;

	if (!anonymous_id || !*anonymous_id)
		return 0;
	found = visitors_find(p->db, anonymous_id, &joined, err);
	if (found < 0)
		return -1;
	if (found && joined == p->row.id)
		return 0;
	/* a browser that was joined to another person before is now in the hands of this one */
	if (visitors_join(p->db, anonymous_id, p->row.id, p->now, err) ||
			visitors_take_events(p->db, anonymous_id, p->arena, &events, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (take_touch(p, &events[i], err) || person_happen(p, events[i].name, events[i].subject, events[i].data, NULL, err))
			return -1;
	return 0;
}
