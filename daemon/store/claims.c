/*
 * claims.c: the mails that are on their way, in memory, and which of them may have gone out. The tables are the truth, this is a copy that the one who
 * writes them keeps; what a transaction changed here is taken back with it.
 *
 * The claims of a transaction are one row of `sending` (claim_pack.h); on an engine that several daemons share, one of each bucket. It goes with the
 * last of its mails. Until then it may name some that have ended: whose row in `delivery` is of a mail that is over has ended, since only what is
 * planned or deferred is claimed. So the end of nearly all mails is nothing but that row, which is written anyway. Where it does not tell - a mail that
 * goes back to the queue, or is sent once more; one whose row was written while it was claimed, by a bounce that was faster than the relay's reply - the
 * row of `sending` is written anew, with what is still under way.
 *
 * That a mail may go out (its dot) is written many a row, too, one row a transaction, in the table `dot`, which goes with the last of its mails. Until
 * then it may name some that have ended, and been claimed once more: with each stands when it was claimed. Who only reads the database looks through all
 * of these rows; there are as many as transactions whose mails are under way, some dozens.
 *
 * A row of `sending` that cannot be read stays where it is: whose mails they were nobody can tell, and each start says that it is there. It goes when
 * somebody is erased: they may be in it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"

#include "claim_rows.h"
#include "inside.h"

#define PLACE_BITS 14
#define PLACES (1 << PLACE_BITS)

struct dots {
	int64_t id;		/* of the row */
	size_t open;		/* claims that are in it */
	size_t refs;		/* claims that point here, ended ones too until the commit */
};

struct claim {
	struct packed_claim row;
	bool dotted;
	bool ended;		/* its row in `sending` may name it all the same */
	bool told;		/* its row in `delivery` says that it has ended */
	struct dots *dots;	/* NULL: no dot, or it stands in the claim's own row (schema of an earlier version) */
	struct pack *pack;
	size_t len;		/* of what its texts, one behind the other, take */
	char texts[];
};

/* A row of `sending`. */
struct pack {
	int64_t id;
	uint16_t bucket;
	bool stored;			/* it is there */
	bool stale;			/* it has to be written anew */
	bool touched;			/* it is in the list of these */
	struct claim **claims;		/* those that it names */
	size_t count, cap;
	size_t open;			/* of these, not ended */
	size_t untold;			/* ended, and nothing but this row can tell */
	struct pack *next, **link;	/* in the list of all */
};

struct change {
	enum { ADDED, ENDED, TOLD, DOTTED } what;
	struct claim *claim;
	struct claim *before;		/* of what was added: one that has ended, and is the same mail */
};

struct damaged {
	uint16_t bucket;
	int64_t id;
};

struct claims {
	GHashTable *by_id;
	uint16_t people[PLACES];	/* how many are under way for those who share the place */
	struct pack *packs;
	struct pack **touched;		/* what the commit may have to write */
	size_t touched_count, touched_cap;
	struct pack *filling;		/* of the transaction at hand, the last one; NULL: none yet */
	struct damaged *damaged;
	size_t damaged_count, damaged_cap;
	struct buf body;
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

/* --- one claim, and those of a row ---------------------------------------------------------------------------------- */

static struct claim *claim_new(const struct packed_claim *row)
{
	struct delivery mail = row->mail;
	size_t len = claim_pack_copy(&mail, NULL);
	struct claim *claim = xmalloc(sizeof(*claim) + len);

	*claim = (struct claim){ .row = *row, .dotted = row->mail.state == DELIVERY_DOT, .len = len };
	claim_pack_copy(&claim->row.mail, claim->texts);
	return claim;
}

static void claim_free(struct claim *claim)
{
	drop_dots(claim->dots);
	free(claim);
}

static struct pack *pack_new(struct claims *c, uint16_t bucket, int64_t id)
{
	struct pack *pack = xcalloc(1, sizeof(*pack));

	*pack = (struct pack){ .id = id, .bucket = bucket, .next = c->packs, .link = &c->packs };
	if (c->packs)
		c->packs->link = &pack->next;
	c->packs = pack;
	return pack;
}

static void pack_free(struct pack *pack)
{
	*pack->link = pack->next;
	if (pack->next)
		pack->next->link = pack->link;
	free(pack->claims);
	free(pack);
}

static void touch(struct claims *c, struct pack *pack)
{
	if (pack->touched)
		return;
	pack->touched = true;
	c->touched = xgrow(c->touched, &c->touched_cap, c->touched_count + 1, sizeof(*c->touched));
	c->touched[c->touched_count++] = pack;
}

static void make_stale(struct claims *c, struct pack *pack)
{
	pack->stale = true;
	touch(c, pack);
}

static uint16_t *place_of(struct claims *c, int64_t prospect)
{
	return &c->people[((uint64_t)prospect * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - PLACE_BITS)];
}

/* The claim of that mail; one that has ended, too, while its row names it. */
static struct claim *known(struct claims *c, int64_t id)
{
	return g_hash_table_lookup(c->by_id, &id);
}

static struct claim *find(struct db *db, int64_t id)
{
	struct claim *claim = known(db->claims, id);

	return claim && !claim->ended ? claim : NULL;
}

static void put(struct claims *c, struct pack *pack, struct claim *claim)
{
	pack->claims = xgrow(pack->claims, &pack->cap, pack->count + 1, sizeof(*pack->claims));
	pack->claims[pack->count++] = claim;
	pack->open++;
	claim->pack = pack;
	/* not insert: the key must be that of this one */
	g_hash_table_replace(c->by_id, &claim->row.mail.id, claim);
	++*place_of(c, claim->row.mail.prospect);
}

static void forget(struct claims *c, struct claim *claim)
{
	if (known(c, claim->row.mail.id) == claim)
		g_hash_table_remove(c->by_id, &claim->row.mail.id);
	claim_free(claim);
}

/* --- the end of a transaction --------------------------------------------------------------------------------------- */

static bool must_write(const struct pack *pack)
{
	return pack->open && (!pack->stored || pack->stale || pack->untold);
}

/* What is in the table now: those that have ended are out of it, or all of it is gone. */
static void settle_pack(struct claims *c, struct pack *pack)
{
	size_t kept = 0, i;

	pack->touched = false;
	if (pack->open && !must_write(pack))
		return;
	for (i = 0; i < pack->count; i++) {
		if (pack->claims[i]->ended)
			forget(c, pack->claims[i]);
		else
			pack->claims[kept++] = pack->claims[i];
	}
	pack->count = kept;
	pack->stored = true;
	pack->stale = false;
	pack->untold = 0;
	if (!kept)
		pack_free(pack);
}

void claims_committed(struct claims *c)
{
	size_t i;

	for (i = 0; i < c->touched_count; i++)
		settle_pack(c, c->touched[i]);
	c->touched_count = 0;
	c->filling = NULL;
	c->change_count = 0;
	drop_dots(c->gathering);
	c->gathering = NULL;
	buf_reset(&c->marks);
}

void claims_free(struct claims **claims)
{
	struct claims *c = *claims;

	if (!c)
		return;
	drop_dots(c->gathering);
	while (c->packs) {
		while (c->packs->count)
			claim_free(c->packs->claims[--c->packs->count]);
		pack_free(c->packs);
	}
	g_hash_table_destroy(c->by_id);
	buf_clear(&c->marks);
	buf_clear(&c->body);
	free(c->touched);
	free(c->damaged);
	free(c->changes);
	free(c);
	*claims = NULL;
}

/* --- undo ------------------------------------------------------------------------------------------------------------ */

static void set_dot(struct claim *claim, struct dots *dots)
{
	claim->dotted = true;
	claim->dots = dots;
	dots->open++;
	dots->refs++;
}

static void undo_dot(struct claims *c, struct claim *claim)
{
	buf_cut(&c->marks, c->marks.len - sizeof(struct dot_mark));
	claim->dotted = false;
	claim->dots->open--;
	drop_dots(claim->dots);
	claim->dots = NULL;
}

/* It is the last of its row. */
static void undo_add(struct claims *c, struct claim *claim, struct claim *before)
{
	claim->pack->count--;
	claim->pack->open--;
	--*place_of(c, claim->row.mail.prospect);
	forget(c, claim);
	if (before)
		g_hash_table_replace(c->by_id, &before->row.mail.id, before);
}

static void undo_end(struct claims *c, struct claim *claim)
{
	claim->ended = false;
	claim->pack->open++;
	claim->pack->untold--;
	++*place_of(c, claim->row.mail.prospect);
	if (claim->dots)
		claim->dots->open++;
}

static void undo_last(void *arg)
{
	struct claims *c = arg;
	const struct change *change = &c->changes[--c->change_count];

	switch (change->what) {
	case ADDED:
		undo_add(c, change->claim, change->before);
		break;
	case ENDED:
		undo_end(c, change->claim);
		break;
	case TOLD:
		change->claim->told = false;
		change->claim->pack->untold++;
		break;
	case DOTTED:
		undo_dot(c, change->claim);
		break;
	}
}

static void note(struct db *db, int what, struct claim *claim, struct claim *before)
{
	struct claims *c = db->claims;

	c->changes = xgrow(c->changes, &c->change_cap, c->change_count + 1, sizeof(*c->changes));
	c->changes[c->change_count].what = what;
	c->changes[c->change_count].before = before;
	c->changes[c->change_count++].claim = claim;
	db_on_undo(db, undo_last, c);
}

/* --- what deliveries.c does ------------------------------------------------------------------------------------------- */

/* The row that the transaction's claims of that bucket go into. */
static struct pack *pack_for(struct db *db, uint16_t bucket)
{
	struct claims *c = db->claims;
	size_t i;

	if (c->filling && (!db->driver->shares || c->filling->bucket == bucket))
		return c->filling;
	c->filling = NULL;
	for (i = 0; i < c->touched_count && !c->filling && db->driver->shares; i++)
		if (!c->touched[i]->stored && c->touched[i]->bucket == bucket)
			c->filling = c->touched[i];
	if (!c->filling)
		c->filling = pack_new(c, bucket, id_new(bucket, clock_now()));
	touch(c, c->filling);
	return c->filling;
}

int claims_add(struct db *db, const struct delivery *mail, int64_t epoch, struct err *err)
{
	struct claims *c = db->claims;
	struct claim *before = known(c, mail->id), *claim;

	if (before && !before->ended)
		return err_set(err, "the mail is claimed already");
	claim = claim_new(&(struct packed_claim){ .mail = *mail, .epoch = epoch });
	if (before)
		make_stale(c, before->pack);
	put(c, pack_for(db, id_bucket(mail->id)), claim);
	note(db, ADDED, claim, before);
	return 0;
}

void claims_put(struct db *db, const struct delivery *mail)
{
	struct claim *claim = db->claims ? known(db->claims, mail->id) : NULL;
	bool over = mail->state != DELIVERY_PLANNED && mail->state != DELIVERY_DEFERRED;

	if (!claim)
		return;
	if (!claim->ended) {
		if (over && !claim->row.apart) {
			claim->row.apart = true;
			make_stale(db->claims, claim->pack);
		}
	} else if (!over) {
		make_stale(db->claims, claim->pack);
	} else if (!claim->told && !claim->row.apart) {
		claim->told = true;
		claim->pack->untold--;
		note(db, TOLD, claim, NULL);
	}
}

bool claims_dot(struct db *db, int64_t id, int64_t epoch)
{
	struct claims *c = db->claims;
	struct claim *claim = find(db, id);

	if (!claim || claim->dotted || claim->row.epoch != epoch)
		return false;
	if (!c->gathering) {
		c->gathering = xcalloc(1, sizeof(*c->gathering));
		c->gathering->id = id_new(0, clock_now());
		c->gathering->refs = 1;
	}
	claim_rows_add_mark(&c->marks, &(struct dot_mark){ id, claim->row.mail.claimed });
	set_dot(claim, c->gathering);
	note(db, DOTTED, claim, NULL);
	return true;
}

int claims_end(struct db *db, int64_t id, struct err *err)
{
	struct claims *c = db->claims;
	struct claim *claim = find(db, id);

	if (!claim)
		return 0;
	claim->ended = true;
	claim->told = false;
	claim->pack->open--;
	claim->pack->untold++;
	--*place_of(c, claim->row.mail.prospect);
	if (claim->dots)
		claim->dots->open--;
	touch(c, claim->pack);
	note(db, ENDED, claim, NULL);
	if (claim->dots && claim->dots->open == 0 && claim->dots != c->gathering && claim_rows_remove_dots(db, claim->dots->id, err) < 0)
		return -1;
	return 1;
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

		count += !claim->ended && claim->row.mail.prospect == prospect && claim->row.mail.kind == kind;
	}
	return count;
}

/* --- looking ---------------------------------------------------------------------------------------------------------- */

static void give(const struct claim *claim, struct arena *arena, struct delivery *out)
{
	char *to = arena_alloc(arena, claim->len);
	const char **texts[CLAIM_TEXTS];
	size_t i;

	memcpy(to, claim->texts, claim->len);
	*out = claim->row.mail;
	claim_pack_texts(out, texts);
	for (i = 0; i < CLAIM_TEXTS; i++)
		*texts[i] = to + (*texts[i] - claim->texts);
	out->state = claim->dotted ? DELIVERY_DOT : DELIVERY_SENDING;
}

static void look_in_memory(struct claims *c, const struct claims_sought *sought, struct claim_list *out)
{
	GHashTableIter all;
	void *value;

	if (sought->prospect && *place_of(c, sought->prospect) == 0)
		return;
	g_hash_table_iter_init(&all, c->by_id);
	while (g_hash_table_iter_next(&all, NULL, &value)) {
		const struct claim *claim = value;

		if (!claim->ended && claim_rows_is_sought(&claim->row.mail, sought))
			claim_list_add(out, &claim->row, claim->dotted);
	}
}

static int by_id(const void *a, const void *b)
{
	const struct delivery *one = a, *other = b;

	return (one->id > other->id) - (one->id < other->id);
}

int claims_look(struct db *db, const struct claims_sought *sought, struct arena *arena, struct delivery **out, size_t *count_out, struct err *err)
{
	struct claim_list found = { .arena = arena };
	int rc = 0;
	size_t i;

	if (db->claims)
		look_in_memory(db->claims, sought, &found);
	else
		rc = claim_rows_look(db, sought, &found, err);
	*out = arena_calloc(arena, found.count + 1, sizeof(**out));
	for (i = 0; i < found.count; i++)
		(*out)[i] = found.rows[i].mail;
	*count_out = found.count;
	free(found.rows);
	qsort(*out, *count_out, sizeof(**out), by_id);
	return rc;
}

int claims_find(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err)
{
	struct delivery *rows;
	struct claim *claim;
	size_t count;

	if (!db->claims) {
		if (claims_look(db, &(struct claims_sought){ .id = id }, arena, &rows, &count, err) < 0)
			return -1;
		if (count)
			*out = rows[0];
		return count > 0;
	}
	claim = find(db, id);
	if (claim)
		give(claim, arena, out);
	return claim != NULL;
}

static int by_time(const void *a, const void *b)
{
	const struct delivery *one = a, *other = b;

	return one->claimed != other->claimed ? (one->claimed > other->claimed) - (one->claimed < other->claimed) : by_id(a, b);
}

int claims_left(struct db *db, int64_t before, struct arena *arena, struct delivery **out, size_t *count_out, struct err *err)
{
	struct delivery *all;
	size_t count, i;

	*count_out = 0;
	if (!db->claims)
		return err_set(err, "a reader does not know what is left");
	if (claims_look(db, &(struct claims_sought){ 0 }, arena, &all, &count, err) < 0)
		return -1;
	for (i = 0; i < count; i++) {
		int64_t epoch = db_epoch(db, id_bucket(all[i].id), err);

		if (epoch < 0)
			return -1;
		if (all[i].claimed < before && known(db->claims, all[i].id)->row.epoch < epoch)
			all[(*count_out)++] = all[i];
	}
	qsort(all, *count_out, sizeof(*all), by_time);
	*out = all;
	return 0;
}

/* --- start and commit ------------------------------------------------------------------------------------------------- */

/* 1, 0 it is damaged, and why, -1. */
static int load_pack(struct db *db, struct pack *pack, struct slice body, const char **why, struct err *err)
{
	struct claim_reading reading;
	struct packed_claim row;
	int ended = 0;

	if (!claim_rows_is_whole(body, why))
		return 0;
	pack->stored = true;
	claim_pack_open(&reading, body);
	while (ended >= 0 && claim_pack_next(&reading, &row) == 1) {
		ended = claim_rows_ended(db, &row, err);
		if (ended == 0)
			put(db->claims, pack, claim_new(&row));
		if (ended == 1)
			pack->stale = true;
	}
	if (pack->stale)
		touch(db->claims, pack);
	return ended < 0 ? -1 : 1;
}

static int tell_damaged(struct db *db, const struct pack *pack, const char *why, struct err *err)
{
	struct claims *c = db->claims;

	c->damaged = xgrow(c->damaged, &c->damaged_cap, c->damaged_count + 1, sizeof(*c->damaged));
	c->damaged[c->damaged_count++] = (struct damaged){ .bucket = pack->bucket, .id = pack->id };
	log_error("sending.damaged", L_INT("row", pack->id), L_STR("why", why),
		L_STR("do", "mails were under way, and nobody can tell which: they are neither sent again nor given up"));
	return alarms_raise(db, "sending", "damaged", why, clock_now(), err);
}

static int load_packs(struct db *db, struct err *err)
{
	struct query *q = claim_rows_all(db);
	int got, rc = 0;

	while (rc >= 0 && (got = query_row(q, err)) == 1) {
		struct pack *pack = pack_new(db->claims, (uint16_t)query_get_int(q, 0), query_get_int(q, 1));
		const char *why;

		rc = load_pack(db, pack, query_get_blob(q, 2), &why, err);
		if (rc == 0) {
			rc = tell_damaged(db, pack, why, err);
			pack_free(pack);
		}
	}
	query_done(q);
	return rc < 0 || got < 0 ? -1 : 0;
}

/* The row's mails that are still claimed as they were then. */
static void load_row(struct db *db, struct dots *dots, struct slice marks)
{
	struct claim *claim;
	struct dot_mark mark;
	size_t at = 0;

	while (claim_rows_next_mark(marks, &at, &mark)) {
		claim = find(db, mark.delivery);
		if (claim && claim->row.mail.claimed == mark.claimed && !claim->dotted)
			set_dot(claim, dots);
	}
}

static int load_dots(struct db *db, struct err *err)
{
	struct query *q = claim_rows_all_dots(db);
	int got, rc = 0;

	while (rc == 0 && (got = query_row(q, err)) == 1) {
		struct dots *dots = xcalloc(1, sizeof(*dots));

		dots->id = query_get_int(q, 0);
		dots->refs = 1;
		load_row(db, dots, query_get_blob(q, 1));
		/* no mail that it speaks of is under way: nobody has use for it */
		if (dots->open == 0)
			rc = claim_rows_remove_dots(db, dots->id, err);
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
	return load_packs(db, err) < 0 || load_dots(db, err) < 0 ? -1 : 0;
}

static int write_pack(struct db *db, const struct pack *pack, struct err *err)
{
	struct claim_packer packer;
	size_t i;

	if (!pack->open)
		return pack->stored ? claim_rows_remove(db, pack->bucket, pack->id, err) : 0;
	if (!must_write(pack))
		return 0;
	claim_pack_begin(&packer, &db->claims->body, pack->open);
	for (i = 0; i < pack->count; i++)
		if (!pack->claims[i]->ended)
			claim_pack_add(&packer, &pack->claims[i]->row);
	return claim_rows_write(db, pack->stored, pack->bucket, pack->id, &db->claims->body, err);
}

int claims_write(struct db *db, struct err *err)
{
	const struct claims *c = db->claims;
	size_t i;

	for (i = 0; i < c->touched_count; i++)
		if (write_pack(db, c->touched[i], err) < 0)
			return -1;
	return c->gathering && c->gathering->open ? claim_rows_write_dots(db, c->gathering->id, &c->marks, err) : 0;
}

int claims_forget(struct db *db, int64_t prospect, struct err *err)
{
	struct claims *c = db->claims;
	struct pack *pack;
	size_t i;

	for (pack = c->packs; pack; pack = pack->next)
		for (i = 0; i < pack->count; i++)
			if (pack->claims[i]->row.mail.prospect == prospect)
				make_stale(c, pack);
	for (i = 0; i < c->damaged_count; i++)
		if (claim_rows_remove(db, c->damaged[i].bucket, c->damaged[i].id, err) < 0)
			return -1;
	return 0;
}
