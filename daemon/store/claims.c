/*
 * claims.c: what lies in `sending`, in memory: whose mails are on their way, and which of them may have gone out. The table is the truth, this is a
 * copy that the one who writes it keeps; what a transaction changed here is taken back with it.
 *
 * That a mail may go out (its dot) is written many a row, one row a transaction, in the table `dot`: to change its row in `sending` costs as much as
 * the row did. A row of `dot` goes with the last of its mails. Until then it may name some that have ended, and been claimed once more: with each
 * stands when it was claimed. Who only reads the database looks for a mail in all of these rows; there are as many as transactions whose mails are
 * under way, some dozens.
 */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/id.h"

#include "inside.h"

#define PLACES 4096

/* A mail in a row of `dot`; there the numbers are little endian. */
struct mark {
	int64_t delivery, claimed;
};

struct dots {
	int64_t id;		/* of the row */
	size_t open;		/* claims that are in it */
	size_t refs;		/* claims that point here, ended ones too until the commit */
};

struct claim {
	int64_t id, prospect, epoch, claimed;
	enum delivery_kind kind;
	bool dotted;
	struct dots *dots;	/* NULL: no dot, or it stands in the claim's own row (schema of an earlier version) */
};

struct change {
	enum { ADDED, ENDED, DOTTED } what;
	struct claim *claim;
};

struct claims {
	GHashTable *by_id;
	uint16_t people[PLACES];	/* how many there are for those who share the place */
	struct dots *gathering;		/* of the transaction at hand; NULL: none yet */
	struct buf marks;		/* in it */
	struct change *changes;		/* of the transaction, the last is undone first */
	size_t change_count, change_cap;
};

static struct claims *claims_new(void)
{
	struct claims *c = xcalloc(1, sizeof(*c));

	c->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
	return c;
}

static void drop_dots(struct dots *dots)
{
	if (dots && --dots->refs == 0)
		free(dots);
}

static void claim_free(struct claim *claim)
{
	drop_dots(claim->dots);
	free(claim);
}

/* What was ended is forgotten, and what was gathered is written. */
void claims_committed(struct claims *c)
{
	for (size_t i = 0; i < c->change_count; i++)
		if (c->changes[i].what == ENDED)
			claim_free(c->changes[i].claim);
	c->change_count = 0;
	drop_dots(c->gathering);
	c->gathering = NULL;
	buf_reset(&c->marks);
}

void claims_free(struct claims **claims)
{
	struct claims *c = *claims;
	GHashTableIter all;
	void *claim;

	if (!c)
		return;
	claims_committed(c);
	g_hash_table_iter_init(&all, c->by_id);
	while (g_hash_table_iter_next(&all, NULL, &claim))
		claim_free(claim);
	g_hash_table_destroy(c->by_id);
	buf_clear(&c->marks);
	free(c->changes);
	free(c);
	*claims = NULL;
}

static uint16_t *place_of(struct claims *c, int64_t prospect)
{
	return &c->people[((uint64_t)prospect * UINT64_C(0x9e3779b97f4a7c15)) >> 52];
}

static void put(struct claims *c, struct claim *claim)
{
	g_hash_table_insert(c->by_id, &claim->id, claim);
	++*place_of(c, claim->prospect);
}

static void take(struct claims *c, struct claim *claim)
{
	g_hash_table_remove(c->by_id, &claim->id);
	--*place_of(c, claim->prospect);
}

static void set_dot(struct claim *claim, struct dots *dots)
{
	claim->dotted = true;
	claim->dots = dots;
	dots->open++;
	dots->refs++;
}

static void undo_dot(struct claims *c, struct claim *claim)
{
	buf_cut(&c->marks, c->marks.len - sizeof(struct mark));
	claim->dotted = false;
	claim->dots->open--;
	drop_dots(claim->dots);
	claim->dots = NULL;
}

static void undo_last(void *arg)
{
	struct claims *c = arg;
	const struct change *change = &c->changes[--c->change_count];

	switch (change->what) {
	case ADDED:
		take(c, change->claim);
		claim_free(change->claim);
		break;
	case ENDED:
		put(c, change->claim);
		if (change->claim->dots)
			change->claim->dots->open++;
		break;
	case DOTTED:
		undo_dot(c, change->claim);
		break;
	}
}

static void note(struct db *db, int what, struct claim *claim)
{
	struct claims *c = db->claims;

	c->changes = xgrow(c->changes, &c->change_cap, c->change_count + 1, sizeof(*c->changes));
	c->changes[c->change_count].what = what;
	c->changes[c->change_count++].claim = claim;
	db_on_undo(db, undo_last, c);
}

static struct claim *find(struct db *db, int64_t id)
{
	return g_hash_table_lookup(db->claims->by_id, &id);
}

/* --- what deliveries.c does ------------------------------------------------------------------------------------------- */

void claims_add(struct db *db, const struct delivery *d, int64_t epoch, int64_t claimed)
{
	struct claim *claim = xcalloc(1, sizeof(*claim));

	*claim = (struct claim){ .id = d->id, .prospect = d->prospect, .epoch = epoch, .claimed = claimed, .kind = d->kind };
	put(db->claims, claim);
	note(db, ADDED, claim);
}

bool claims_dot(struct db *db, int64_t id, int64_t epoch)
{
	struct claims *c = db->claims;
	struct claim *claim = find(db, id);
	struct mark mark;

	if (!claim || claim->dotted || claim->epoch != epoch)
		return false;
	if (!c->gathering) {
		c->gathering = xcalloc(1, sizeof(*c->gathering));
		c->gathering->id = id_new(0, clock_now());
		c->gathering->refs = 1;
	}
	mark = (struct mark){ (int64_t)htole64((uint64_t)id), (int64_t)htole64((uint64_t)claim->claimed) };
	buf_add(&c->marks, &mark, sizeof(mark));
	set_dot(claim, c->gathering);
	note(db, DOTTED, claim);
	return true;
}

STATEMENT(remove_dots, SITE,
	"DELETE FROM dot"
	" WHERE id = ?1");

static int remove_dots(struct db *db, int64_t id, struct err *err)
{
	struct query *q = db_query(db, &sql_remove_dots);

	query_int(q, 1, id);
	return query_run(q, err) < 0 ? -1 : 0;
}

int claims_end(struct db *db, int64_t id, struct err *err)
{
	struct claims *c = db->claims;
	struct claim *claim = find(db, id);

	if (!claim)
		return 0;
	take(c, claim);
	if (claim->dots)
		claim->dots->open--;
	note(db, ENDED, claim);
	return claim->dots && claim->dots->open == 0 && claim->dots != c->gathering ? remove_dots(db, claim->dots->id, err) : 0;
}

bool claims_may_have(struct db *db, int64_t id)
{
	return !db->claims || db->driver->shares || find(db, id);
}

int64_t claims_count(struct db *db, int64_t prospect, enum delivery_kind kind)
{
	struct claims *c = db->claims;
	GHashTableIter all;
	void *value;
	int64_t count = 0;

	assert(c);
	if (*place_of(c, prospect) == 0)
		return 0;
	g_hash_table_iter_init(&all, c->by_id);
	while (g_hash_table_iter_next(&all, NULL, &value)) {
		const struct claim *claim = value;

		count += claim->prospect == prospect && claim->kind == kind;
	}
	return count;
}

STATEMENT(all_dots, SITE,
	"SELECT id, deliveries FROM dot");

/* The mark at `at`, which is moved behind it; false: there is none. */
static bool next_mark(struct slice marks, size_t *at, struct mark *out)
{
	if (*at + sizeof(*out) > marks.len)
		return false;
	memcpy(out, marks.data + *at, sizeof(*out));
	*out = (struct mark){ (int64_t)le64toh((uint64_t)out->delivery), (int64_t)le64toh((uint64_t)out->claimed) };
	*at += sizeof(*out);
	return true;
}

static bool names(struct slice marks, const struct delivery *d)
{
	struct mark mark;
	size_t at = 0;

	while (next_mark(marks, &at, &mark))
		if (mark.delivery == d->id && mark.claimed == d->claimed)
			return true;
	return false;
}

/* For a reader, who has the tables alone. */
static int look_for_dots(struct db *db, struct delivery *rows, size_t count, struct err *err)
{
	struct query *q = db_query(db, &sql_all_dots);
	int got;

	while ((got = query_row(q, err)) == 1) {
		struct slice marks = query_get_blob(q, 1);

		for (size_t i = 0; i < count; i++)
			if (rows[i].state == DELIVERY_SENDING && names(marks, &rows[i]))
				rows[i].state = DELIVERY_DOT;
	}
	query_done(q);
	return got;
}

int claims_set_states(struct db *db, struct delivery *rows, size_t count, struct err *err)
{
	if (count == 0)
		return 0;
	if (!db->claims)
		return look_for_dots(db, rows, count, err);
	for (size_t i = 0; i < count; i++) {
		const struct claim *claim = find(db, rows[i].id);

		if (claim && claim->dotted)
			rows[i].state = DELIVERY_DOT;
	}
	return 0;
}

/* --- start and commit ------------------------------------------------------------------------------------------------- */

STATEMENT(all_claims, SITE,
	"SELECT id, prospect, kind, state, epoch, claimed FROM sending");

static int load_claims(struct db *db, struct err *err)
{
	struct query *q = db_query(db, &sql_all_claims);
	int got;

	while ((got = query_row(q, err)) == 1) {
		struct claim *claim = xcalloc(1, sizeof(*claim));

		*claim = (struct claim){ .id = query_get_int(q, 0), .prospect = query_get_int(q, 1), .kind = (enum delivery_kind)query_get_int(q, 2),
			.dotted = query_get_int(q, 3) == DELIVERY_DOT, .epoch = query_get_int(q, 4), .claimed = query_get_int(q, 5) };
		put(db->claims, claim);
	}
	query_done(q);
	return got;
}

/* The row's mails that are still claimed as they were then. */
static void load_row(struct db *db, struct dots *dots, struct slice marks)
{
	struct claim *claim;
	struct mark mark;
	size_t at = 0;

	while (next_mark(marks, &at, &mark)) {
		claim = find(db, mark.delivery);
		if (claim && claim->claimed == mark.claimed && !claim->dotted)
			set_dot(claim, dots);
	}
}

static int load_dots(struct db *db, struct err *err)
{
	struct query *q = db_query(db, &sql_all_dots);
	int got, rc = 0;

	while (rc == 0 && (got = query_row(q, err)) == 1) {
		struct dots *dots = xcalloc(1, sizeof(*dots));

		dots->id = query_get_int(q, 0);
		dots->refs = 1;
		load_row(db, dots, query_get_blob(q, 1));
		/* no mail that it speaks of is under way: nobody has use for it */
		if (dots->open == 0)
			rc = remove_dots(db, dots->id, err);
		drop_dots(dots);
	}
	query_done(q);
	return rc < 0 || got < 0 ? -1 : 0;
}

int claims_load(struct db *db, struct err *err)
{
	/* tried again where the disk was full */
	claims_free(&db->claims);
	db->claims = claims_new();
	return load_claims(db, err) < 0 || load_dots(db, err) < 0 ? -1 : 0;
}

STATEMENT(add_dots, SITE,
	"INSERT INTO dot (id, deliveries)"
	" VALUES (?1, ?2)");

int claims_write(struct db *db, struct err *err)
{
	struct claims *c = db->claims;
	struct query *q;

	if (!c->gathering || c->gathering->open == 0)
		return 0;
	q = db_query(db, &sql_add_dots);
	query_int(q, 1, c->gathering->id);
	query_blob(q, 2, c->marks.data, c->marks.len);
	return query_run(q, err) < 0 ? -1 : 0;
}
