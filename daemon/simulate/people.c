/*
 * people.c: who lives in a simulation, by number and by prospect. People who are in the database before are met when their first mail goes out,
 * and each gets one of the personas, by share, always the same.
 */
#include <stdlib.h>

#include "base/random.h"

#include "inside.h"

/* Open addressing; a power of two, at most half full. */
struct by_prospect {
	size_t size, count;
	struct {
		int64_t prospect;	/* 0: free */
		uint32_t person;
	} slots[];
};

static uint64_t mix(uint64_t z)
{
	return random_mix(&z);
}

static double unit(uint64_t n)
{
	return (double)(n >> 11) * 0x1.0p-53;
}

double people_chance(const struct simulation *s, uint32_t person, uint32_t nth, unsigned what)
{
	return unit(mix(mix(mix(s->options.seed) ^ person) ^ ((uint64_t)nth << 8 | what)));
}

/* --- the index ---------------------------------------------------------------------------------------------------------- */

static size_t slot_of(const struct by_prospect *index, int64_t prospect)
{
	size_t i = mix((uint64_t)prospect) & (index->size - 1);

	while (index->slots[i].prospect && index->slots[i].prospect != prospect)
		i = (i + 1) & (index->size - 1);
	return i;
}

static struct by_prospect *index_new(size_t size)
{
	struct by_prospect *index = xcalloc(1, sizeof(*index) + size * sizeof(index->slots[0]));

	index->size = size;
	return index;
}

static void index_put(struct by_prospect **index, int64_t prospect, uint32_t person)
{
	struct by_prospect *old = *index;
	size_t i, at;

	if (!old || 2 * (old->count + 1) > old->size) {
		*index = index_new(old ? 2 * old->size : 64);
		for (i = 0; old && i < old->size; i++)
			if (old->slots[i].prospect)
				index_put(index, old->slots[i].prospect, old->slots[i].person);
		free(old);
	}
	at = slot_of(*index, prospect);
	(*index)->slots[at].prospect = prospect;
	(*index)->slots[at].person = person;
	(*index)->count++;
}

/* --- people --------------------------------------------------------------------------------------------------------------- */

static uint32_t add(struct simulation *s, const struct someone *who)
{
	s->people = xgrow(s->people, &s->cap, s->count + 1, sizeof(*s->people));
	s->people[s->count] = *who;
	return (uint32_t)s->count++;
}

size_t simulation_add(struct simulation *s, const struct persona *persona, const char *address, int64_t at, const char *sequence)
{
	uint32_t person = add(s, &(struct someone){ .persona = persona, .address = xstrdup_null(address), .sequence = sequence });

	agenda_add(&s->agenda, &(struct entry){ .at = at, .act = ACT_COME, .person = person });
	return person;
}

/* By share, from who they are: the same one in each run of the seed. */
static const struct persona *choose_persona(const struct simulation *s, int64_t prospect)
{
	const struct personas *all = s->options.personas;
	double place;
	size_t i;

	if (!s->shares)
		return NULL;
	place = unit(mix(mix(s->options.seed) ^ (uint64_t)prospect)) * (double)s->shares;
	for (i = 0; i + 1 < all->count && place >= all->all[i]->share; i++)
		place -= all->all[i]->share;
	return all->all[i];
}

void people_known(struct simulation *s, uint32_t person, int64_t prospect)
{
	if (s->people[person].prospect)
		return;
	s->people[person].prospect = prospect;
	index_put(&s->index, prospect, person);
}

uint32_t people_find(struct simulation *s, int64_t prospect)
{
	size_t at = s->index ? slot_of(s->index, prospect) : 0;
	uint32_t person;

	if (s->index && s->index->slots[at].prospect)
		return s->index->slots[at].person;
	person = add(s, &(struct someone){ .persona = choose_persona(s, prospect), .came = s->now, .begun = true });
	people_known(s, person, prospect);
	return person;
}

void people_clear(struct simulation *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		free(s->people[i].address);
	free(s->people);
	free(s->index);
	s->people = NULL;
	s->index = NULL;
	s->count = s->cap = 0;
}
