/*
 * crowd.c: from which addresses many people's links were clicked within minutes: a scanner's, or an office's. In memory, of the last minutes only; a
 * restart forgets it. Store thread.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#include "decide.h"

#define SLOTS 8192		/* addresses that are remembered at one time; 0.8 MB */
#define PEOPLE 5		/* so many are a crowd */
#define WITHIN (10 * US_MINUTE)

struct crowd {
	struct slot {
		uint64_t address;	/* hash; 0: free */
		int64_t at[PEOPLE], prospect[PEOPLE];	/* the latest of each */
	} slots[SLOTS];
};

struct crowd *crowd_new(void)
{
	return xcalloc(1, sizeof(struct crowd));
}

void crowd_free(struct crowd **crowd)
{
	free(*crowd);
	*crowd = NULL;
}

/* FNV-1a */
static uint64_t hash(const char *ip)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *ip; ip++)
		h = (h ^ (uint8_t)*ip) * UINT64_C(1099511628211);
	return h ? h : 1;
}

void crowd_add(struct crowd *crowd, const struct hit *h)
{
	uint64_t address = hash(h->ip);
	struct slot *slot = &crowd->slots[address % SLOTS];
	size_t i, oldest = 0;

	if (!*h->ip)
		return;
	if (slot->address != address)
		*slot = (struct slot){ .address = address };
	for (i = 0; i < PEOPLE; i++) {
		if (slot->prospect[i] == h->prospect) {
			oldest = i;
			break;
		}
		if (slot->at[i] < slot->at[oldest])
			oldest = i;
	}
	slot->prospect[oldest] = h->prospect;
	slot->at[oldest] = h->at;
}

bool crowd_has(const struct crowd *crowd, const struct hit *h)
{
	uint64_t address = hash(h->ip);
	const struct slot *slot = &crowd->slots[address % SLOTS];
	size_t i;

	if (!*h->ip || slot->address != address)
		return false;
	for (i = 0; i < PEOPLE; i++)
		if (!slot->prospect[i] || slot->at[i] < h->at - WITHIN || slot->at[i] > h->at + WITHIN)
			return false;
	return true;
}
