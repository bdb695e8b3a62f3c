/*
 * book.c: see book.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metrics.h"

#include "book.h"

#define BYTES_MAX ((size_t)8 << 20)	/* of hits that wait */
#define HEADS 65536			/* chains of the hash; a power of 2 */
#define BATCH 2048			/* hits a job */
#define ROW 256				/* ... and a row */
#define AGAIN (US_SECOND / 4)
#define URLS 65536			/* links that are remembered; a power of 2 */
#define WAYS 8				/* places that one may stand in */
#define TEXTS 4096			/* different destinations among them; a power of 2 */
#define URL_MAX_BYTES 1024

METRIC(waiting, GAUGE, "nurtured_hits_waiting", "", "Opens and clicks that are answered and not yet recorded.");
METRIC(full, COUNTER, "nurtured_hits_book_full_total", "", "Opens and clicks that had to wait for the store, because too many did already.");

struct entry {
	struct entry *next;		/* in the order in which they came */
	struct entry *chain;
	int64_t delivery, at, times;
	uint32_t hash;
	uint8_t link, traits;
	char kind;
	char text[];			/* address, NUL, agent, NUL */
};

struct batch {
	struct store_job job;
	struct book *book;
	struct entry *hits[BATCH];
	size_t count;
};

struct book {
	struct decide *decide;
	struct timer *timer;
	struct entry *first, **last;
	struct entry *heads[HEADS];	/* those in the list; not what is with the store */
	size_t bytes;
	int64_t hits;
	size_t jobs;			/* with the store */
	bool closing;
	struct known_url { int64_t delivery; int link; const char *url; } urls[URLS];
	unsigned turn;				/* whose place the next takes, if all of its own are taken */
	char *texts[TEXTS];
};

/* --- hits ------------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint32_t hash_of(const struct hit_fact *hit)
{
	return (uint32_t)mix(mix((uint64_t)hit->delivery, (uint64_t)hit->link << 16 | hit->traits << 8 | (uint8_t)hit->kind), 1);
}

static const char *agent_of(const struct entry *e)
{
	return e->text + strlen(e->text) + 1;
}

static bool is_same(const struct entry *e, const struct hit_fact *hit)
{
	return e->delivery == hit->delivery && e->kind == hit->kind && e->link == hit->link && e->traits == hit->traits &&
	       strcmp(e->text, hit->ip) == 0 && strcmp(agent_of(e), hit->agent) == 0;
}

static size_t size_of(const struct entry *e)
{
	return sizeof(*e) + strlen(e->text) + strlen(agent_of(e)) + 2;
}

static struct entry *entry_new(const struct hit_fact *hit, uint32_t hash, size_t size)
{
	struct entry *e = xmalloc(size);
	size_t n = strlen(hit->ip) + 1;

	*e = (struct entry){ .delivery = hit->delivery, .at = hit->at, .times = 1, .hash = hash, .link = (uint8_t)hit->link,
		.traits = (uint8_t)hit->traits, .kind = hit->kind };
	memcpy(e->text, hit->ip, n);
	memcpy(e->text + n, hit->agent, strlen(hit->agent) + 1);
	return e;
}

static void unchain(struct book *b, struct entry *e)
{
	struct entry **at = &b->heads[e->hash % HEADS];

	while (*at && *at != e)
		at = &(*at)->chain;
	if (*at)
		*at = e->chain;
}

static void submit_next(struct book *b);

bool book_take(struct book *b, const struct hit_fact *hit)
{
	uint32_t hash = hash_of(hit);
	size_t size = sizeof(struct entry) + strlen(hit->ip) + strlen(hit->agent) + 2;
	struct entry *e;

	for (e = b->heads[hash % HEADS]; e; e = e->chain)
		if (e->hash == hash && is_same(e, hit))
			break;
	if (!e && b->bytes + size > BYTES_MAX) {
		metric_add(&metric_full, 1);
		return false;
	}
	b->hits++;
	metric_set(&metric_waiting, b->hits);
	if (e) {
		e->times++;
		return true;
	}
	e = entry_new(hit, hash, size);
	b->bytes += size;
	e->chain = b->heads[hash % HEADS];
	b->heads[hash % HEADS] = e;
	*b->last = e;
	b->last = &e->next;
	if (!b->jobs)
		submit_next(b);
	return true;
}

/* --- to the store ---------------------------------------------------------------------------- */

static int batch_run(struct store_job *job, struct db *db, struct err *err)
{
	struct batch *batch = (struct batch *)job;
	struct hit hits[ROW];
	size_t i, n = 0;

	for (i = 0; i < batch->count; i++) {
		const struct entry *e = batch->hits[i];

		hits[n++] = (struct hit){ .delivery = e->delivery, .kind = e->kind, .link = e->link, .traits = e->traits, .times = e->times,
			.ip = e->text, .agent = agent_of(e), .at = e->at };
		if (n < ROW && i + 1 < batch->count)
			continue;
		if (on_hits_come(db, hits, n, err))
			return -1;
		n = 0;
	}
	return 0;
}

static void book_free(struct book *b)
{
	size_t i;

	for (i = 0; i < TEXTS; i++)
		free(b->texts[i]);
	free(b);
}

static void forget(struct book *b, struct entry *e)
{
	b->hits -= e->times;
	b->bytes -= size_of(e);
	free(e);
}

/* In front of all others, in the order that they had. */
static void put_back(struct book *b, struct batch *batch)
{
	size_t i;

	for (i = batch->count; i-- > 0;) {
		struct entry *e = batch->hits[i];

		e->next = b->first;
		if (!b->first)
			b->last = &e->next;
		b->first = e;
	}
}

/* Nobody will come for them any more. */
static void lose(struct book *b, struct batch *batch, const struct err *err)
{
	size_t i;

	for (i = 0; i < batch->count; i++) {
		log_error("hit.lost", L_ID("delivery", "del", batch->hits[i]->delivery), L_INT("times", batch->hits[i]->times),
			L_STR("error", err->text));
		forget(b, batch->hits[i]);
	}
}

static void batch_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct batch *batch = (struct batch *)job;
	struct book *b = batch->book;
	size_t i;

	b->jobs--;
	if (result == STORE_COMMITTED) {
		for (i = 0; i < batch->count; i++)
			forget(b, batch->hits[i]);
	} else if (b->closing) {
		lose(b, batch, err);
	} else {
		put_back(b, batch);
	}
	free(batch);
	metric_set(&metric_waiting, b->hits);
	if (b->closing) {
		if (!b->jobs)
			book_free(b);
	} else if (result != STORE_COMMITTED) {
		timer_set(b->timer, AGAIN);
	} else {
		submit_next(b);
	}
}

static struct batch *batch_new(struct book *b)
{
	struct batch *batch = xmalloc(sizeof(*batch));

	batch->count = 0;
	batch->job = (struct store_job){ .run = batch_run, .done = batch_done };
	batch->book = b;
	while (b->first && batch->count < BATCH) {
		struct entry *e = b->first;

		b->first = e->next;
		unchain(b, e);
		batch->hits[batch->count++] = e;
	}
	if (!b->first)
		b->last = &b->first;
	return batch;
}

/* 0 it is with the store; -1: the store takes nothing now, and the book has them again. */
static int submit(struct book *b)
{
	struct batch *batch = batch_new(b);

	if (store_submit(decide_store(b->decide), &batch->job, STORE_NORMAL) == 0) {
		b->jobs++;
		return 0;
	}
	put_back(b, batch);
	free(batch);
	return -1;
}

static void submit_next(struct book *b)
{
	if (!b->first || b->closing || b->jobs)
		return;
	if (!decide_takes_hits(b->decide) || submit(b) < 0)
		timer_set(b->timer, AGAIN);
}

static void again(void *arg)
{
	submit_next(arg);
}

struct book *book_new(struct loop *loop, struct decide *decide)
{
	struct book *b = xcalloc(1, sizeof(*b));

	b->decide = decide;
	b->last = &b->first;
	b->timer = timer_new(loop, again, b);
	return b;
}

void book_close(struct book **book)
{
	static const struct err why = { "the daemon ended while the store took nothing" };
	struct book *b = *book;

	if (!b)
		return;
	*book = NULL;
	timer_free(&b->timer);
	while (b->first && submit(b) == 0)
		;
	b->closing = true;
	while (b->first) {
		struct batch *batch = batch_new(b);

		lose(b, batch, &why);
		free(batch);
	}
	if (!b->jobs)
		book_free(b);
}

/* --- where links lead ------------------------------------------------------------------------ */

/* The first of the places of that link. */
static size_t url_set(int64_t delivery, int link)
{
	/* ids differ in their lowest bits, as links do: those go elsewhere, and the upper half of a product has seen all of them */
	return (mix(mix((uint64_t)delivery, (uint64_t)link << 40), 1) >> 32) % (URLS / WAYS) * WAYS;
}

const char *book_url(const struct book *b, int64_t delivery, int link)
{
	const struct known_url *set = &b->urls[url_set(delivery, link)];
	size_t i;

	for (i = 0; i < WAYS; i++)
		if (set[i].delivery == delivery && set[i].link == link)
			return set[i].url;
	return NULL;
}

/* Its own place, else a free one, else another's. */
static struct known_url *place_for(struct book *b, int64_t delivery, int link)
{
	struct known_url *set = &b->urls[url_set(delivery, link)], *place = NULL;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].delivery == delivery && set[i].link == link)
			return &set[i];
		if (!set[i].delivery && !place)
			place = &set[i];
	}
	return place ? place : &set[b->turn++ % WAYS];
}

/* One of each: thousands of mails lead to the same pages. NULL: there are too many. */
static const char *keep_text(struct book *b, const char *url)
{
	uint64_t h = 0;
	size_t i, at;

	for (i = 0; url[i]; i++)
		h = mix(h, (uint8_t)url[i]);
	if (i > URL_MAX_BYTES)
		return NULL;
	for (i = 0; i < 8; i++) {
		at = (h + i) % TEXTS;
		if (!b->texts[at])
			b->texts[at] = xstrdup(url);
		if (strcmp(b->texts[at], url) == 0)
			return b->texts[at];
	}
	return NULL;
}

void book_forget_urls(struct book *b)
{
	size_t i;

	memset(b->urls, 0, sizeof(b->urls));
	for (i = 0; i < TEXTS; i++) {
		free(b->texts[i]);
		b->texts[i] = NULL;
	}
}

void book_note_url(struct book *b, int64_t delivery, int link, const char *url)
{
	const char *text = keep_text(b, url);

	if (!text && strlen(url) <= URL_MAX_BYTES) {
		book_forget_urls(b);	/* there are more than are remembered; those that are asked for come again */
		text = keep_text(b, url);
	}
	*place_for(b, delivery, link) = (struct known_url){ .delivery = text ? delivery : 0, .link = link, .url = text };
}
