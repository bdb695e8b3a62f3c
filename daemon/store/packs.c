/*
 * packs.c: hits that came in and have not taken effect yet, many a row, in the order in which they came. To record one costs next to nothing; what
 * follows from it is worked out from here, some at a time, and the row goes in the transaction that has its effects.
 *
 * A row's body: a byte for the version of this form, then each hit: delivery (8 bytes, little endian), time since the hit before it, times, kind,
 * link, traits, address and agent; numbers as LEB128, texts with their length before them. The same few agents come again and again: each is written
 * once a row, and named by its place afterwards.
 *
 * A row lies in the bucket of its first hit, and whoever holds that bucket works on it. On an engine that several daemons share all of a row are of one
 * bucket; where one daemon holds all of them, they are not told apart, or there would be a row a hit.
 *
 * In memory: the rows of the buckets that are held, in their order, each with a filter of the mails that it has hits of (3 % of others pass it, too), so
 * that those of one mail are found without reading all. What a transaction changed here is taken back with it.
 *
 * A row that cannot be read is set aside, in hit_damaged, and holds nobody up.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"

#include "inside.h"

#define FORM 1
#define AGENTS 64		/* that a row names by their place */
#define NEW_AGENT 255
#define HIT_LEAST 15		/* bytes that a hit takes at least */
#define HITS_MOST 65536		/* more than a row has: a damaged one that says so has nobody knows how many */
#define FILTER_HITS 8		/* for which a word of a filter is enough */
#define FILTER_MOST 32		/* words */

/* A row, as it is known without reading it. */
struct pack {
	int64_t id;
	uint16_t bucket;
	int64_t hits;
	uint64_t words;			/* of the filter, less 1; a power of 2, less 1 */
	uint64_t mails[];
};

/* What has to be put right when a job, or the transaction, is rolled back. */
struct pack_change {
	enum { PACK_ADDED, PACK_REMOVED, PACK_CUT } what;
	struct pack *pack;
	int64_t hits;			/* of one that was cut: before */
};

struct packs {
	int64_t next;			/* id of the next row */
	struct pack **list;		/* by their ids */
	size_t count, cap;
	int64_t hits;			/* in all of them */
	_Atomic int64_t published;	/* as of the last commit */
	struct pack_change *changes;	/* of the transaction, the last is undone first */
	size_t change_count, change_cap;
};

/* --- which mails a row has hits of -------------------------------------------------------------------------- */

static void filter_add(struct pack *p, int64_t delivery)
{
	uint64_t h = (uint64_t)delivery * UINT64_C(0x9e3779b97f4a7c15);
	int i;

	for (i = 0; i < 3; i++, h <<= 11)
		p->mails[h >> 58 & p->words] |= UINT64_C(1) << (h >> 52 & 63);
}

static bool filter_has(const struct pack *p, int64_t delivery)
{
	uint64_t h = (uint64_t)delivery * UINT64_C(0x9e3779b97f4a7c15);
	int i;

	for (i = 0; i < 3; i++, h <<= 11)
		if (!(p->mails[h >> 58 & p->words] >> (h >> 52 & 63) & 1))
			return false;
	return true;
}

static bool has_any(const struct pack *p, const int64_t *mails, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (filter_has(p, mails[i]))
			return true;
	return false;
}

/* --- the list of them --------------------------------------------------------------------------------------- */

/* Where the first with that id, or a later one, stands. */
static size_t place_of(const struct packs *p, int64_t id)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (p->list[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void list_add(struct packs *p, struct pack *pack)
{
	size_t at = place_of(p, pack->id);

	p->list = xgrow(p->list, &p->cap, p->count + 1, sizeof(struct pack *));
	memmove(p->list + at + 1, p->list + at, (p->count - at) * sizeof(struct pack *));
	p->list[at] = pack;
	p->count++;
	p->hits += pack->hits;
}

static void list_remove(struct packs *p, const struct pack *pack)
{
	size_t at = place_of(p, pack->id);

	while (p->list[at] != pack)
		at++;
	p->count--;
	memmove(p->list + at, p->list + at + 1, (p->count - at) * sizeof(struct pack *));
	p->hits -= pack->hits;
}

static void cut(struct packs *p, struct pack *pack, int64_t hits)
{
	p->hits += hits - pack->hits;
	pack->hits = hits;
}

static void take_back(void *arg)
{
	struct packs *p = arg;
	const struct pack_change *c = &p->changes[--p->change_count];

	switch (c->what) {
	case PACK_ADDED:
		list_remove(p, c->pack);
		free(c->pack);
		break;
	case PACK_REMOVED:
		list_add(p, c->pack);
		break;
	case PACK_CUT:
		cut(p, c->pack, c->hits);
		break;
	}
}

static void forget_changes(struct packs *p)
{
	while (p->change_count) {
		const struct pack_change *c = &p->changes[--p->change_count];

		if (c->what == PACK_REMOVED)
			free(c->pack);
	}
}

static void change(struct db *db, int what, struct pack *pack)
{
	struct packs *p = db->packs;

	p->changes = xgrow(p->changes, &p->change_cap, p->change_count + 1, sizeof(*p->changes));
	p->changes[p->change_count++] = (struct pack_change){ .what = what, .pack = pack, .hits = pack->hits };
	db_on_undo(db, take_back, p);
}

static struct packs *packs_new(void)
{
	struct packs *p = xcalloc(1, sizeof(*p));

	p->next = 1;
	return p;
}

void packs_free(struct packs **packs)
{
	struct packs *p = *packs;
	size_t i;

	if (!p)
		return;
	forget_changes(p);
	for (i = 0; i < p->count; i++)
		free(p->list[i]);
	free(p->list);
	free(p->changes);
	free(p);
	*packs = NULL;
}

void packs_committed(struct packs *packs)
{
	forget_changes(packs);
	atomic_store(&packs->published, packs->hits);
}

int64_t packs_waiting(struct store *store)
{
	return atomic_load(&store_db(store)->packs->published);
}

bool packs_may_have(struct db *db, int64_t delivery)
{
	size_t i;

	for (i = 0; db->packs && i < db->packs->count; i++)
		if (filter_has(db->packs->list[i], delivery))
			return true;
	return !db->packs;
}

/* --- one row ---------------------------------------------------------------------------------------------- */

struct writer {
	struct buf *out;
	int64_t at;			/* of the hit before */
	const char *agents[AGENTS];
	size_t agent_count;
};

static void put_number(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_char(out, (char)(v | 0x80));
	buf_char(out, (char)v);
}

static void put_text(struct buf *out, const char *s)
{
	size_t n = strlen(s);

	put_number(out, n);
	buf_add(out, s, n);
}

static void put_agent(struct writer *w, const char *agent)
{
	size_t i;

	for (i = 0; i < w->agent_count; i++) {
		if (w->agents[i] != agent && strcmp(w->agents[i], agent) != 0)
			continue;
		buf_char(w->out, (char)i);
		return;
	}
	buf_char(w->out, (char)NEW_AGENT);
	put_text(w->out, agent);
	if (w->agent_count < AGENTS)
		w->agents[w->agent_count++] = agent;
}

static void put_hit(struct writer *w, const struct hit *h)
{
	int64_t since = h->at - w->at;
	int i;

	for (i = 0; i < 64; i += 8)
		buf_char(w->out, (char)((uint64_t)h->delivery >> i));
	put_number(w->out, (uint64_t)since << 1 ^ (since < 0 ? UINT64_MAX : 0));
	w->at = h->at;
	put_number(w->out, (uint64_t)h->times);
	buf_char(w->out, h->kind);
	buf_char(w->out, (char)h->link);
	put_number(w->out, h->traits);
	put_text(w->out, rows_or_empty(h->ip));
	put_agent(w, rows_or_empty(h->agent));
}

static void write_row(struct buf *out, const struct hit *hits, size_t count)
{
	struct writer w = { .out = out };
	size_t i;

	buf_reset(out);
	buf_char(out, FORM);
	for (i = 0; i < count; i++)
		put_hit(&w, &hits[i]);
}

struct reading {
	const uint8_t *at, *end;
	bool bad;
	const char *agents[AGENTS];
	size_t agent_count;
};

static uint8_t get_byte(struct reading *r)
{
	if (r->at < r->end)
		return *r->at++;
	r->bad = true;
	return 0;
}

static uint64_t get_number(struct reading *r)
{
	uint64_t v = 0;
	uint8_t c = 0x80;
	int shift;

	for (shift = 0; shift < 64 && c & 0x80; shift += 7) {
		c = get_byte(r);
		v |= (uint64_t)(c & 0x7f) << shift;
	}
	r->bad |= (c & 0x80) != 0;
	return v;
}

static const char *get_text(struct reading *r, struct arena *arena)
{
	uint64_t n = get_number(r);
	const char *s = (const char *)r->at;

	if (n > (uint64_t)(r->end - r->at)) {
		r->bad = true;
		return "";
	}
	r->at += n;
	return n ? arena_strndup(arena, s, (size_t)n) : "";
}

static const char *get_agent(struct reading *r, struct arena *arena)
{
	uint8_t place = get_byte(r);
	const char *agent;

	if (place < r->agent_count)
		return r->agents[place];
	if (place != NEW_AGENT) {
		r->bad = true;
		return "";
	}
	agent = get_text(r, arena);
	if (r->agent_count < AGENTS)
		r->agents[r->agent_count++] = agent;
	return agent;
}

static int64_t get_delivery(struct reading *r)
{
	uint64_t v = 0;
	int i;

	for (i = 0; i < 64; i += 8)
		v |= (uint64_t)get_byte(r) << i;
	return (int64_t)v;
}

static struct hit get_hit(struct reading *r, struct arena *arena, int64_t before)
{
	struct hit h = { .delivery = get_delivery(r) };
	uint64_t since = get_number(r);

	h.at = (int64_t)((uint64_t)before + (since >> 1 ^ (since & 1 ? UINT64_MAX : 0)));
	h.times = (int64_t)get_number(r);
	h.kind = (char)get_byte(r);
	h.link = get_byte(r);
	h.traits = (unsigned)get_number(r);
	h.ip = get_text(r, arena);
	h.agent = get_agent(r, arena);
	return h;
}

static bool is_kind(char c)
{
	return c == 'o' || c == 'c' || c == 'u';
}

/* All of a row; NULL: it is damaged, and why. */
static struct hit *read_row(struct slice body, int64_t hits, struct arena *arena, const char **why)
{
	struct reading r = { .at = (const uint8_t *)body.data, .end = (const uint8_t *)body.data + body.len };
	struct hit *all;
	int64_t i, at = 0;

	*why = "hits are packed in a way that this program does not know";
	if (get_byte(&r) != FORM)
		return NULL;
	*why = "what is packed is no hits, or not so many";
	if (hits < 1 || hits > (int64_t)(body.len / HIT_LEAST))
		return NULL;
	all = arena_calloc(arena, (size_t)hits, sizeof(*all));
	for (i = 0; i < hits && !r.bad; i++) {
		all[i] = get_hit(&r, arena, at);
		at = all[i].at;
		r.bad |= !is_kind(all[i].kind) || all[i].times < 1;
	}
	return r.bad || r.at != r.end ? NULL : all;
}

/* --- those that cannot be read ------------------------------------------------------------------------------ */

STATEMENT(set_aside, BUCKETED,
	"INSERT INTO hit_damaged (bucket, at, id, hits, why, body)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

STATEMENT(remove, BUCKETED,
	"DELETE FROM hit_pack"
	" WHERE bucket = ?1 AND id = ?2");

static int remove_row(struct db *db, uint16_t bucket, int64_t id, struct err *err)
{
	struct query *q = db_query(db, &sql_remove);

	query_int(q, 1, bucket);
	query_int(q, 2, id);
	return query_run(q, err) < 0 ? -1 : 0;
}

static void tell_damaged_cb(void *arg)
{
	log_error("hits.damaged", L_INT("hits", (int64_t)(intptr_t)arg), L_STR("do", "they are kept in the table hit_damaged, and have no effect"));
}

static const char *copy_body(struct slice body, struct arena *arena)
{
	char *copy = arena_alloc(arena, body.len + 1);

	if (body.len)
		memcpy(copy, body.data, body.len);
	return copy;
}

struct damaged {
	int64_t id, hits;
	uint16_t bucket;
	const char *why;
	struct slice body;
};

static int set_aside(struct db *db, const struct damaged *row, struct err *err)
{
	struct query *q = db_query(db, &sql_set_aside);

	query_int(q, 1, row->bucket);
	query_int(q, 2, clock_now());
	query_int(q, 3, row->id);
	query_int(q, 4, row->hits);
	query_text(q, 5, row->why);
	query_blob(q, 6, row->body.data, row->body.len);
	if (query_run(q, err) < 0 || remove_row(db, row->bucket, row->id, err) < 0)
		return -1;
	db_after_commit(db, tell_damaged_cb, (void *)(intptr_t)row->hits);
	return alarms_raise(db, "hits", "damaged", row->why, clock_now(), err);
}

STATEMENT(damaged, SITE,
	"SELECT SUM(hits) FROM hit_damaged");

int packs_damaged(struct db *db, int64_t *out, struct err *err)
{
	struct query *q = db_query(db, &sql_damaged);
	int got = query_row(q, err);

	*out = got == 1 ? query_get_int(q, 0) : 0;
	query_done(q);
	return got < 0 ? -1 : 0;
}

STATEMENT(drop_damaged, BUCKETED,
	"DELETE FROM hit_damaged"
	" WHERE bucket = ?1 AND at < ?2");

int packs_drop_damaged(struct db *db, uint16_t bucket, int64_t before, struct err *err)
{
	struct query *q = db_query(db, &sql_drop_damaged);

	query_int(q, 1, bucket);
	query_int(q, 2, before);
	return query_run(q, err) < 0 ? -1 : 0;
}

/* --- all rows ----------------------------------------------------------------------------------------------- */

STATEMENT(all, SITE,
	"SELECT bucket, id, hits, body FROM hit_pack"
	" ORDER BY bucket, id");

static void know_row(struct packs *p, uint16_t bucket, int64_t id, const struct hit *hits, int64_t count)
{
	size_t words = 1;
	struct pack *pack;
	int64_t i;

	while (words < FILTER_MOST && (int64_t)words * FILTER_HITS < count)
		words *= 2;
	pack = xcalloc(1, sizeof(*pack) + words * sizeof(*pack->mails));
	pack->id = id;
	pack->bucket = bucket;
	pack->hits = count;
	pack->words = words - 1;
	for (i = 0; i < count; i++)
		filter_add(pack, hits[i].delivery);
	list_add(p, pack);
}

/* Those that cannot be read go into `bad`. */
static int know_rows(struct db *db, struct arena *arena, struct damaged **bad, size_t *bad_count, struct err *err)
{
	struct query *q = db_query(db, &sql_all);
	struct arena *spare = arena_new(0);
	size_t cap = 0;
	int got;

	while ((got = query_row(q, err)) == 1) {
		struct damaged row = { .bucket = (uint16_t)query_get_int(q, 0), .id = query_get_int(q, 1), .hits = query_get_int(q, 2),
			.body = query_get_blob(q, 3) };
		const struct hit *hits = read_row(row.body, row.hits, spare, &row.why);

		if (row.id >= db->packs->next)
			db->packs->next = row.id + 1;
		if (hits) {
			know_row(db->packs, row.bucket, row.id, hits, row.hits);
		} else {
			row.hits = row.hits < 0 || row.hits > HITS_MOST ? 0 : row.hits;
			row.body.data = copy_body(row.body, arena);
			*bad = xgrow(*bad, &cap, *bad_count + 1, sizeof(**bad));
			(*bad)[(*bad_count)++] = row;
		}
		arena_reset(spare);
	}
	query_done(q);
	arena_free(&spare);
	return got;
}

int packs_load(struct db *db, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct damaged *bad = NULL;
	size_t bad_count = 0, i;
	int rc;

	/* tried again where the disk was full */
	packs_free(&db->packs);
	db->packs = packs_new();
	rc = know_rows(db, arena, &bad, &bad_count, err);
	for (i = 0; rc == 0 && i < bad_count; i++)
		rc = set_aside(db, &bad[i], err);
	free(bad);
	arena_free(&arena);
	return rc;
}

/* --- putting them in -------------------------------------------------------------------------------------- */

STATEMENT(insert, BUCKETED,
	"INSERT INTO hit_pack (bucket, id, hits, body)"
	" VALUES (?1, ?2, ?3, ?4)");

static int add_row(struct db *db, const struct hit *hits, size_t count, struct err *err)
{
	uint16_t bucket = id_bucket(hits->delivery);
	int64_t id = db->packs->next++;
	struct buf body = BUF_INIT;
	struct query *q;
	int rc;

	write_row(&body, hits, count);
	q = db_query(db, &sql_insert);
	query_int(q, 1, bucket);
	query_int(q, 2, id);
	query_int(q, 3, (int64_t)count);
	query_blob(q, 4, body.data, body.len);
	rc = query_run(q, err);
	buf_clear(&body);
	if (rc < 0)
		return -1;
	know_row(db->packs, bucket, id, hits, (int64_t)count);
	change(db, PACK_ADDED, db->packs->list[place_of(db->packs, id)]);
	return 0;
}

int packs_add(struct db *db, const struct hit *hits, size_t count, struct err *err)
{
	struct hit *part = xcalloc(count, sizeof(*part));
	bool *done = xcalloc(count, sizeof(*done));
	size_t i, k, n;
	int rc = 0;

	for (i = 0; i < count && rc == 0; i++) {
		for (k = i, n = 0; k < count; k++) {
			if (done[k] || (db->driver->shares && id_bucket(hits[k].delivery) != id_bucket(hits[i].delivery)))
				continue;
			part[n++] = hits[k];
			done[k] = true;
		}
		if (n)
			rc = add_row(db, part, n, err);
	}
	free(part);
	free(done);
	db_hint(db, HINT_HITS);
	return rc;
}

/* --- taking them out -------------------------------------------------------------------------------------- */

STATEMENT(one, BUCKETED,
	"SELECT body FROM hit_pack"
	" WHERE bucket = ?1 AND id = ?2");

STATEMENT(update, BUCKETED,
	"UPDATE hit_pack SET hits = ?3, body = ?4"
	" WHERE bucket = ?1 AND id = ?2");

/* All hits of a row; NULL and 0: it was damaged, and is gone. */
static int open_row(struct db *db, struct pack *pack, struct arena *arena, struct hit **out, struct err *err)
{
	struct damaged row = { .id = pack->id, .bucket = pack->bucket, .hits = pack->hits };
	struct query *q = db_query(db, &sql_one);
	int got;

	query_int(q, 1, pack->bucket);
	query_int(q, 2, pack->id);
	got = query_row(q, err);
	*out = NULL;
	if (got == 1) {
		row.body = query_get_blob(q, 0);
		*out = read_row(row.body, row.hits, arena, &row.why);
		if (!*out)
			row.body.data = copy_body(row.body, arena);
	}
	query_done(q);
	if (got < 0 || *out)
		return got < 0 ? -1 : 0;
	change(db, PACK_REMOVED, pack);
	list_remove(db->packs, pack);
	return got ? set_aside(db, &row, err) : 0;
}

/* What stays of a row. */
static int keep_of_row(struct db *db, struct pack *pack, const struct hit *hits, size_t count, struct err *err)
{
	struct buf body = BUF_INIT;
	struct query *q;
	int rc;

	if (!count) {
		change(db, PACK_REMOVED, pack);
		list_remove(db->packs, pack);
		return remove_row(db, pack->bucket, pack->id, err);
	}
	change(db, PACK_CUT, pack);
	cut(db->packs, pack, (int64_t)count);
	write_row(&body, hits, count);
	q = db_query(db, &sql_update);
	query_int(q, 1, pack->bucket);
	query_int(q, 2, pack->id);
	query_int(q, 3, (int64_t)count);
	query_blob(q, 4, body.data, body.len);
	rc = query_run(q, err);
	buf_clear(&body);
	return rc < 0 ? -1 : 0;
}

/* The first row behind `after` whose bucket is held; NULL. */
static struct pack *next_held(struct db *db, int64_t after)
{
	struct packs *p = db->packs;
	size_t i;

	for (i = place_of(p, after + 1); i < p->count; i++)
		if (db_owns(db, p->list[i]->bucket))
			return p->list[i];
	return NULL;
}

int packs_take(struct db *db, size_t max, struct arena *arena, struct hit **out, size_t *count_out, struct err *err)
{
	struct pack *pack;
	int64_t after = 0;
	size_t taken = 0;

	*out = arena_calloc(arena, max, sizeof(**out));
	*count_out = 0;
	while (taken < max && (pack = next_held(db, after))) {
		size_t hits = (size_t)pack->hits, part = hits < max ? hits : max;
		struct hit *all;

		after = pack->id;
		if (taken && taken + hits > max)
			break;
		if (open_row(db, pack, arena, &all, err) < 0)
			return -1;
		if (!all)
			continue;
		memcpy(*out + taken, all, part * sizeof(*all));
		if (keep_of_row(db, pack, all + part, hits - part, err) < 0)
			return -1;
		taken += part;
	}
	*count_out = taken;
	return 0;
}

static bool is_one_of(const struct hit *h, const int64_t *mails, size_t mail_count, char kind)
{
	size_t i;

	for (i = 0; i < mail_count; i++)
		if (h->delivery == mails[i])
			return !kind || h->kind == kind;
	return false;
}

/* Moves those that are sought behind the others, both in their order. How many are not sought. */
static size_t part_row(struct arena *arena, struct hit *hits, size_t count, const int64_t *mails, size_t mail_count, char kind)
{
	struct hit *sought = arena_calloc(arena, count, sizeof(*sought));
	size_t i, stay = 0, go = 0;

	for (i = 0; i < count; i++) {
		if (is_one_of(&hits[i], mails, mail_count, kind))
			sought[go++] = hits[i];
		else
			hits[stay++] = hits[i];
	}
	memcpy(hits + stay, sought, go * sizeof(*hits));
	return stay;
}

/* Hits of several rows. */
struct found {
	struct arena *arena;		/* for their texts */
	struct hit *hits;
	size_t count, cap;
};

static void find(struct found *f, const struct hit *hits, size_t count)
{
	size_t i;

	f->hits = xgrow(f->hits, &f->cap, f->count + count, sizeof(*f->hits));
	for (i = 0; i < count; i++) {
		f->hits[f->count] = hits[i];
		f->hits[f->count].ip = arena_strdup(f->arena, hits[i].ip);
		f->hits[f->count++].agent = arena_strdup(f->arena, hits[i].agent);
	}
}

static void give(struct found *f, struct hit **out, size_t *count_out)
{
	*out = arena_calloc(f->arena, f->count + 1, sizeof(**out));
	if (f->count)
		memcpy(*out, f->hits, f->count * sizeof(*f->hits));
	*count_out = f->count;
	free(f->hits);
}

static int take_of_row(struct db *db, struct pack *pack, const int64_t *mails, size_t mail_count, char kind, struct arena *spare, struct found *f,
		struct err *err)
{
	struct hit *all;
	size_t hits, stay;

	if (open_row(db, pack, spare, &all, err) < 0)
		return -1;
	if (!all)
		return 0;
	hits = (size_t)pack->hits;
	stay = part_row(spare, all, hits, mails, mail_count, kind);
	find(f, all + stay, hits - stay);
	return stay < hits ? keep_of_row(db, pack, all, stay, err) : 0;
}

int packs_take_of(struct db *db, const int64_t *mails, size_t mail_count, char kind, struct arena *arena, struct hit **out, size_t *count_out,
		struct err *err)
{
	struct found f = { .arena = arena };
	struct arena *spare = NULL;
	struct pack *pack;
	int64_t after = 0;
	int rc = 0;

	while (rc == 0 && (pack = next_held(db, after))) {
		after = pack->id;
		if (!has_any(pack, mails, mail_count))
			continue;
		if (!spare)
			spare = arena_new(0);
		rc = take_of_row(db, pack, mails, mail_count, kind, spare, &f, err);
		arena_reset(spare);
	}
	arena_free(&spare);
	give(&f, out, count_out);
	return rc;
}

int packs_look_of(struct db *db, const int64_t *mails, size_t mail_count, struct arena *arena, struct hit **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_all);
	struct arena *spare = arena_new(0);
	struct found f = { .arena = arena };
	const char *why;
	int got;

	while ((got = query_row(q, err)) == 1) {
		size_t hits = (size_t)query_get_int(q, 2), stay;
		struct hit *all = read_row(query_get_blob(q, 3), (int64_t)hits, spare, &why);

		if (all) {
			stay = part_row(spare, all, hits, mails, mail_count, '\0');
			find(&f, all + stay, hits - stay);
		}
		arena_reset(spare);
	}
	query_done(q);
	arena_free(&spare);
	give(&f, out, count_out);
	return got;
}
