/*
 * packs.c: hits that came in and have not taken effect yet, many a row, in the order in which they came. To record one costs next to nothing; what
 * follows from it is worked out from here, some at a time, and the row goes in the transaction that has its effects.
 *
 * A row's body: a byte for the version of this form, then each hit: delivery (8 bytes, little endian), time since the hit before it, times, kind,
 * link, traits, address and agent; numbers as LEB128, texts with their length before them. The same few agents come again and again: each is written
 * once a row, and named by its place afterwards.
 *
 * In memory: how many hits wait, and a mark for each mail that may have some, never fewer than the truth. A mark goes when none wait at all.
 */
#include <stdlib.h>
#include <string.h>

#include "base/id.h"

#include "inside.h"

#define FORM 1
#define PLACES 16384
#define AGENTS 64		/* that a row names by their place */
#define NEW_AGENT 255

struct packs {
	int64_t next;			/* id of the next row */
	int64_t hits;			/* that wait, as of the transaction at hand */
	bool doubt;			/* ... unless something was undone: they are to be counted again */
	bool marked;
	_Atomic int64_t published;	/* as of the last commit */
	uint8_t marks[PLACES];
};

static void doubt(void *arg)
{
	((struct packs *)arg)->doubt = true;
}

static uint8_t *mark_of(struct packs *p, int64_t delivery)
{
	return &p->marks[((uint64_t)delivery * UINT64_C(0x9e3779b97f4a7c15)) >> 50];
}

static void mark(struct packs *p, int64_t delivery)
{
	*mark_of(p, delivery) = 1;
	p->marked = true;
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

/* Appends all of a row. */
static int read_row(struct slice body, int64_t hits, struct arena *arena, struct hit *out, struct err *err)
{
	struct reading r = { .at = (const uint8_t *)body.data, .end = (const uint8_t *)body.data + body.len };
	int64_t i, at = 0;

	if (get_byte(&r) != FORM)
		return err_set(err, "hits are packed in a way that this program does not know");
	for (i = 0; i < hits && !r.bad; i++) {
		out[i] = get_hit(&r, arena, at);
		at = out[i].at;
	}
	return r.bad || r.at != r.end ? err_set(err, "a row of packed hits is damaged") : 0;
}

struct row {
	int64_t id, hits;
	struct slice body;
};

static void read_body(struct query *q, struct arena *arena, void *row)
{
	struct row *r = row;
	struct slice body = query_get_blob(q, 2);
	char *copy = arena_alloc(arena, body.len + 1);

	if (body.len)
		memcpy(copy, body.data, body.len);
	r->id = query_get_int(q, 0);
	r->hits = query_get_int(q, 1);
	r->body = (struct slice){ copy, body.len };
}

/* --- how many wait ---------------------------------------------------------------------------------------- */

STATEMENT(sum, SITE,
	"SELECT SUM(hits) FROM hit_pack");

/* Before anything is changed. */
static int count_again(struct db *db, struct err *err)
{
	struct query *q;
	int got;

	if (!db->packs->doubt)
		return 0;
	q = db_query(db, &sql_sum);
	got = query_row(q, err);
	if (got == 1)
		db->packs->hits = query_get_int(q, 0);
	query_done(q);
	if (got < 0)
		return -1;
	db->packs->doubt = false;
	return 0;
}

/* In this transaction there are so many more; or, if it is undone, nobody knows. */
static int count(struct db *db, int64_t more, struct err *err)
{
	if (count_again(db, err) < 0)
		return -1;
	db->packs->hits += more;
	db_on_undo(db, doubt, db->packs);
	return 0;
}

STATEMENT(last, SITE,
	"SELECT id FROM hit_pack"
	" ORDER BY id DESC"
	" LIMIT 1");

STATEMENT(each, SITE,
	"SELECT id, hits, body FROM hit_pack"
	" WHERE id > ?1"
	" ORDER BY id"
	" LIMIT 1");

/* The first row behind `after`. 1/0/-1. */
static int next_row(struct db *db, int64_t after, struct arena *arena, struct row *out, struct err *err)
{
	struct query *q = db_query(db, &sql_each);

	query_int(q, 1, after);
	return rows_one(q, read_body, arena, out, err);
}

static int load_marks(struct db *db, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct row row = { .id = 0 };
	int got;

	while ((got = next_row(db, row.id, arena, &row, err)) == 1) {
		struct hit *hits = arena_calloc(arena, (size_t)row.hits, sizeof(*hits));
		int64_t i;

		if (read_row(row.body, row.hits, arena, hits, err) < 0)
			break;
		for (i = 0; i < row.hits; i++)
			mark(db->packs, hits[i].delivery);
		arena_reset(arena);
	}
	arena_free(&arena);
	return got == 0 ? 0 : -1;
}

int packs_load(struct db *db, struct err *err)
{
	struct query *q = db_query(db, &sql_last);
	int got = query_row(q, err);

	db->packs->next = got == 1 ? query_get_int(q, 0) + 1 : 1;
	query_done(q);
	db->packs->doubt = true;
	if (got < 0 || count_again(db, err) < 0 || load_marks(db, err) < 0)
		return -1;
	packs_publish(db->packs);
	return 0;
}

struct packs *packs_new(void)
{
	return xcalloc(1, sizeof(struct packs));
}

void packs_free(struct packs **packs)
{
	free(*packs);
	*packs = NULL;
}

void packs_publish(struct packs *packs)
{
	if (packs->doubt)
		return;
	atomic_store(&packs->published, packs->hits);
	if (packs->hits == 0 && packs->marked) {
		memset(packs->marks, 0, sizeof(packs->marks));
		packs->marked = false;
	}
}

int64_t packs_waiting(struct store *store)
{
	return atomic_load(&store_db(store)->packs->published);
}

bool packs_may_have(struct db *db, int64_t delivery)
{
	return !db->packs || *mark_of(db->packs, delivery);
}

/* --- putting them in -------------------------------------------------------------------------------------- */

STATEMENT(insert, SITE,
	"INSERT INTO hit_pack (id, hits, body)"
	" VALUES (?1, ?2, ?3)");

int packs_add(struct db *db, const struct hit *hits, size_t count_, struct err *err)
{
	struct buf body = BUF_INIT;
	struct query *q;
	size_t i;
	int rc;

	if (count(db, (int64_t)count_, err) < 0)
		return -1;
	for (i = 0; i < count_; i++)
		mark(db->packs, hits[i].delivery);
	write_row(&body, hits, count_);
	q = db_query(db, &sql_insert);
	query_int(q, 1, db->packs->next++);
	query_int(q, 2, (int64_t)count_);
	query_blob(q, 3, body.data, body.len);
	rc = query_run(q, err);
	buf_clear(&body);
	db_hint(db, HINT_HITS);
	return rc < 0 ? -1 : 0;
}

/* --- taking them out -------------------------------------------------------------------------------------- */

STATEMENT(remove, SITE,
	"DELETE FROM hit_pack"
	" WHERE id = ?1");

STATEMENT(update, SITE,
	"UPDATE hit_pack SET hits = ?2, body = ?3"
	" WHERE id = ?1");

/* What stays of a row. */
static int keep_of_row(struct db *db, int64_t id, const struct hit *hits, size_t count_, struct err *err)
{
	struct query *q = db_query(db, count_ ? &sql_update : &sql_remove);
	struct buf body = BUF_INIT;
	int rc;

	query_int(q, 1, id);
	if (count_) {
		write_row(&body, hits, count_);
		query_int(q, 2, (int64_t)count_);
		query_blob(q, 3, body.data, body.len);
	}
	rc = query_run(q, err);
	buf_clear(&body);
	return rc < 0 ? -1 : 0;
}

int packs_take(struct db *db, size_t max, struct arena *arena, struct hit **out, size_t *count_out, struct err *err)
{
	struct row row = { .id = 0 };
	size_t taken = 0;
	int got = 0;

	*out = arena_calloc(arena, max, sizeof(**out));
	*count_out = 0;
	if (count_again(db, err) < 0)
		return -1;
	while (taken < max && (got = next_row(db, row.id, arena, &row, err)) == 1) {
		size_t hits = (size_t)row.hits, part = hits;
		struct hit *all;

		if (taken && taken + hits > max)
			break;
		all = arena_calloc(arena, hits, sizeof(*all));
		if (read_row(row.body, row.hits, arena, all, err) < 0)
			return -1;
		if (part > max)
			part = max;
		memcpy(*out + taken, all, part * sizeof(*all));
		if (keep_of_row(db, row.id, all + part, hits - part, err) < 0)
			return -1;
		taken += part;
	}
	if (got < 0 || (taken && count(db, -(int64_t)taken, err) < 0))
		return -1;
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
static size_t part_row(struct arena *arena, struct hit *hits, size_t count_, const int64_t *mails, size_t mail_count, char kind)
{
	struct hit *sought = arena_calloc(arena, count_, sizeof(*sought));
	size_t i, stay = 0, go = 0;

	for (i = 0; i < count_; i++) {
		if (is_one_of(&hits[i], mails, mail_count, kind))
			sought[go++] = hits[i];
		else
			hits[stay++] = hits[i];
	}
	memcpy(hits + stay, sought, go * sizeof(*hits));
	return stay;
}

/* All rows, for those hits; `takes`: they leave. */
static int search(struct db *db, const int64_t *mails, size_t mail_count, char kind, bool takes, struct arena *arena, struct hit **out, size_t *count_out,
		struct err *err)
{
	struct arena *spare = arena_new(0);
	struct row row = { .id = 0 };
	size_t cap = 0, found = 0;
	struct hit *list = NULL;
	int got;

	while ((got = next_row(db, row.id, spare, &row, err)) == 1) {
		size_t hits = (size_t)row.hits, stay, i;
		struct hit *all = arena_calloc(spare, hits, sizeof(*all));

		got = read_row(row.body, row.hits, spare, all, err);
		if (got < 0)
			break;
		stay = part_row(spare, all, hits, mails, mail_count, kind);
		if (stay < hits && takes && (got = keep_of_row(db, row.id, all, stay, err)) < 0)
			break;
		list = xgrow(list, &cap, found + hits - stay, sizeof(*list));
		for (i = stay; i < hits; i++) {
			list[found] = all[i];
			list[found].ip = arena_strdup(arena, all[i].ip);
			list[found++].agent = arena_strdup(arena, all[i].agent);
		}
		arena_reset(spare);
	}
	if (got == 0 && found && takes)
		got = count(db, -(int64_t)found, err);
	if (got == 0) {
		*out = arena_calloc(arena, found + 1, sizeof(**out));
		if (found)
			memcpy(*out, list, found * sizeof(*list));
		*count_out = found;
	}
	free(list);
	arena_free(&spare);
	return got < 0 ? -1 : 0;
}

/* Those of the mails that may have any: mostly none. */
static size_t marked(struct db *db, const int64_t *mails, size_t count_, struct arena *arena, int64_t **out)
{
	size_t i, n = 0;

	*out = arena_calloc(arena, count_ + 1, sizeof(**out));
	for (i = 0; i < count_; i++)
		if (packs_may_have(db, mails[i]))
			(*out)[n++] = mails[i];
	return n;
}

int packs_take_of(struct db *db, const int64_t *mails, size_t mail_count, char kind, struct arena *arena, struct hit **out, size_t *count_out,
		struct err *err)
{
	int64_t *some;
	size_t n = marked(db, mails, mail_count, arena, &some);

	*out = NULL;
	*count_out = 0;
	if (!n)
		return 0;
	return count_again(db, err) || search(db, some, n, kind, true, arena, out, count_out, err) ? -1 : 0;
}

int packs_look_of(struct db *db, const int64_t *mails, size_t mail_count, struct arena *arena, struct hit **out, size_t *count_out, struct err *err)
{
	*out = NULL;
	*count_out = 0;
	return mail_count ? search(db, mails, mail_count, '\0', false, arena, out, count_out, err) : 0;
}
