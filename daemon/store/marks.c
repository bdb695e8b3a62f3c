/*
 * marks.c: who has been written about lately, kept in memory, so that what was read and found good need not be read again while nobody has
 * touched it. Only this process's writes are seen: where several share the database, everything counts as touched.
 *
 * A mark stays when its transaction is rolled back: then something is looked at once more for nothing.
 */
#include <stdlib.h>

#include "base/id.h"

#include "inside.h"

#define PLACES 16384	/* people share them by their id's lowest bits, which count up within a bucket */

struct marks {
	uint64_t now;
	uint64_t all;
	uint64_t people[PLACES];
	uint64_t addresses[BUCKETS];
};

struct marks *marks_new(void)
{
	struct marks *m = xcalloc(1, sizeof(*m));

	m->now = 1;
	return m;
}

void marks_free(struct marks **marks)
{
	free(*marks);
	*marks = NULL;
}

static uint64_t *place_of(struct marks *m, int64_t prospect)
{
	return &m->people[((uint64_t)prospect * UINT64_C(0x9e3779b97f4a7c15)) >> 50];
}

void marks_person(struct db *db, int64_t prospect)
{
	if (db->marks)
		*place_of(db->marks, prospect) = db->marks->now;
}

void marks_address(struct db *db, uint16_t bucket)
{
	if (db->marks)
		db->marks->addresses[bucket] = db->marks->now;
}

void marks_all(struct db *db)
{
	if (db->marks)
		db->marks->all = db->marks->now;
}

uint64_t db_moment(struct db *db)
{
	return db->marks ? ++db->marks->now : 0;
}

bool db_touched(struct db *db, uint64_t moment, int64_t prospect, uint16_t address_bucket)
{
	struct marks *m = db->marks;

	return !m || db->driver->shares || m->all >= moment || *place_of(m, prospect) >= moment || m->addresses[address_bucket] >= moment;
}
