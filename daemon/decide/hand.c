/*
 * hand.c: the enrolments of the mails that were claimed lately, as they were then. A shorter way to what the tables say, never more than that: a dot is
 * set and a claim ended by the store alone, and what is not here is read from its tables. So nothing has to be taken back when a transaction is rolled
 * back, and a place that two mails share costs the first a look into the table.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "decide.h"
#include "hand.h"

#define PLACE_BITS 11		/* some hundred mails are in hand at a time */
#define PLACES (1u << PLACE_BITS)

struct place {
	struct in_hand in;
	char *text;		/* what its strings point into */
	size_t len, cap;
};

struct hand {
	struct place places[PLACES];
};

struct hand *hand_new(void)
{
	return xcalloc(1, sizeof(struct hand));
}

void hand_free(struct hand **hand)
{
	if (!*hand)
		return;
	for (size_t i = 0; i < PLACES; i++)
		free((*hand)->places[i].text);
	free(*hand);
	*hand = NULL;
}

static struct place *place_of(struct hand *hand, int64_t delivery)
{
	return &hand->places[((uint64_t)delivery * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - PLACE_BITS)];
}

#define STRINGS 4

static void strings_of(struct enrolment *e, const char **out[STRINGS])
{
	const char **all[STRINGS] = { &e->sequence, &e->step, &e->why, &e->version };

	memcpy(out, all, sizeof(all));
}

/* All strings into the one block that the place has. */
static void keep_strings(struct place *p)
{
	const char **strings[STRINGS];
	size_t need = 0, lens[STRINGS], i;
	char *to;

	strings_of(&p->in.enrolment, strings);
	for (i = 0; i < STRINGS; i++) {
		lens[i] = *strings[i] ? strlen(*strings[i]) + 1 : 1;
		need += lens[i];
	}
	p->text = xgrow(p->text, &p->cap, need, 1);
	to = p->text;
	for (i = 0; i < STRINGS; i++) {
		memcpy(to, *strings[i] ? *strings[i] : "", lens[i]);
		*strings[i] = to;
		to += lens[i];
	}
}

void hand_put(struct decide *d, struct db *db, const struct delivery *mail, const struct enrolment *e, uint16_t address_bucket)
{
	struct place *p = place_of(d->hand, mail->id);

	p->in = (struct in_hand){ .delivery = mail->id, .prospect = mail->prospect, .moment = db_moment(db), .address_bucket = address_bucket };
	if (!e)
		return;
	p->in.enrolment = *e;
	keep_strings(p);
}

const struct in_hand *hand_find(struct decide *d, int64_t delivery)
{
	struct place *p = place_of(d->hand, delivery);

	return p->in.delivery == delivery ? &p->in : NULL;
}

bool hand_holds(struct db *db, const struct in_hand *in)
{
	return in->enrolment.id && !db_touched(db, in->moment, in->prospect, in->address_bucket);
}
