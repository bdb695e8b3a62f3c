/*
 * posts.c: see posts.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#include "posts.h"

#define AWAITED_MOST 16
#define CLAIM_LEAST 32		/* mails of one claim: dots and sign-ups wait behind it, 1 ms or so */
#define CLAIM_MOST 256
#define FAILED_MOST 512		/* of which it is known where they failed: the latest */
#define FAILED_FOR (10 * US_MINUTE)	/* nobody is looked for when nothing has failed for so long */

/* A relay that failed a mail is not asked again before the others were. */
struct failed {
	int64_t delivery;
	unsigned at;		/* the bits of the posts */
};

/* --- life --------------------------------------------------------------------------------------------------------- */

static struct post *post_new(struct posts *p, struct plan *plan, const struct relay_config *config)
{
	struct relay_times times = relay_times_default;
	struct post *post = xcalloc(1, sizeof(*post));

	times.scale = plan->operator.retry_first;
	post->plan = plan_ref(plan);
	post->config = config;
	post->bit = 1u << (p->made++ % 32);
	post->relay = relay_new(p->loop, config, &times, &p->owner);
	stock_init(&post->stock);
	return post;
}

static void post_free(struct post **post)
{
	relay_free(&(*post)->relay);
	plan_unref(&(*post)->plan);
	free(*post);
	*post = NULL;
}

void posts_init(struct posts *p, struct loop *loop, const struct relay_owner *owner)
{
	*p = (struct posts){ .loop = loop, .owner = *owner };
	p->failed = xcalloc(FAILED_MOST, sizeof(*p->failed));
}

static void free_list(struct post **list)
{
	struct post *post;

	while ((post = *list)) {
		/* what ends by it may ask which post it was on */
		relay_cut(post->relay);
		*list = post->next;
		post_free(&post);
	}
}

void posts_clear(struct posts *p)
{
	free_list(&p->first);
	free_list(&p->retired);
	free(p->failed);
	p->failed = NULL;
}

static struct post *find(struct post *list, const struct relay *relay)
{
	while (list && list->relay != relay)
		list = list->next;
	return list;
}

struct post *posts_of(const struct posts *p, const struct relay *relay)
{
	struct post *post = find(p->first, relay);

	return post ? post : find(p->retired, relay);
}

/* --- the plan's ----------------------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_relay(const struct post *post, const struct plan *plan, const struct relay_config *y)
{
	const struct relay_config *x = post->config;

	return same_text(x->name, y->name) && same_text(x->url, y->url) && x->tls == y->tls && same_text(x->user, y->user) &&
		same_text(x->password, y->password) && same_text(x->ca_file, y->ca_file) && same_text(x->ehlo, y->ehlo) &&
		x->connections == y->connections && x->messages == y->messages && x->weight == y->weight && x->backup == y->backup && x->rate.count == y->rate.count &&
		x->rate.within == y->rate.within && post->plan->operator.retry_first == plan->operator.retry_first;
}

void posts_load(struct posts *p, struct plan *plan)
{
	struct post *before = p->first, **end = &p->first, **at, *post;
	size_t i;

	for (i = 0; i < plan->operator.relay_count; i++) {
		const struct relay_config *config = &plan->operator.relays[i];

		for (at = &before; *at && !same_relay(*at, plan, config); at = &(*at)->next)
			;
		post = *at;
		if (post)
			*at = post->next;
		else
			post = post_new(p, plan, config);
		post->turn = 0;
		*end = post;
		end = &post->next;
	}
	*end = NULL;
	while ((post = before)) {
		before = post->next;
		post->retired = true;
		relay_drain(post->relay);
		post->next = p->retired;
		p->retired = post;
	}
}

void posts_sweep(struct posts *p)
{
	struct post **at = &p->retired, *post;

	while ((post = *at)) {
		if (relay_busy(post->relay) || post->stock.count > 0) {
			at = &post->next;
			continue;
		}
		*at = post->next;
		post_free(&post);
	}
}

void posts_drain(struct posts *p)
{
	struct post *post;

	for (post = p->first; post; post = post->next)
		relay_drain(post->relay);
}

void posts_cut(struct posts *p)
{
	struct post *post;

	for (post = p->first; post; post = post->next)
		relay_cut(post->relay);
	for (post = p->retired; post; post = post->next)
		relay_cut(post->relay);
}

/* --- the choice ------------------------------------------------------------------------------------------------------- */

static struct failed *failed_of(struct posts *p, int64_t delivery)
{
	size_t i;

	if (p->next_failed == 0 || clock_steady() - p->failed_at > FAILED_FOR)
		return NULL;
	for (i = 0; i < FAILED_MOST; i++)
		if (p->failed[i].delivery == delivery)
			return &p->failed[i];
	return NULL;
}

bool posts_full(const struct post *post)
{
	return post->stock.count >= 2 * relay_appetite(post->relay);
}

static bool fits(const struct post *post, const struct errand *e)
{
	return (!e->only || strcmp(post->config->name, e->only) == 0) && (!e->needs || !relay_lacks(post->relay, e->needs));
}

/* The one that had least of its share; if they are not all full, one that is not. */
static struct post *next_turn(struct posts *p, const struct errand *e, unsigned not, bool backup)
{
	struct post *best = NULL, *post;

	for (post = p->first; post; post = post->next) {
		if (!fits(post, e) || (!e->only && post->config->backup != backup) || (post->bit & not) || relay_appetite(post->relay) == 0)
			continue;
		if (!best || posts_full(best) > posts_full(post) || (posts_full(best) == posts_full(post) && post->turn < best->turn))
			best = post;
	}
	return best;
}

static struct post *best_without(struct posts *p, const struct errand *e, unsigned not)
{
	struct post *best = next_turn(p, e, not, false);

	return best || e->only ? best : next_turn(p, e, not, true);
}

/* Who comes to it later, or again, begins with the others' share. */
static void took(struct posts *p, struct post *best)
{
	struct post *post;
	double least = best->turn;

	best->turn += 1.0 / best->config->weight;
	for (post = p->first; post; post = post->next)
		if (post->turn < least - 1)
			post->turn = least - 1;
}

bool posts_none_can(const struct posts *p, const struct errand *e)
{
	struct post *post;

	for (post = p->first; post; post = post->next)
		if (fits(post, e))
			return false;
	return e->needs != 0;
}

int64_t posts_pause(const struct posts *p, const struct errand *e)
{
	int64_t least = 0, pause;
	struct post *post;

	for (post = p->first; post; post = post->next) {
		if (!fits(post, e))
			continue;
		pause = relay_pause(post->relay);
		if (pause == 0)
			return 0;
		if (!least || pause < least)
			least = pause;
	}
	return least;
}

struct post *posts_choose(struct posts *p, const struct errand *e)
{
	struct failed *failed = failed_of(p, e->delivery);
	struct post *best = best_without(p, e, failed ? failed->at : 0);

	if (!best && failed)
		best = best_without(p, e, 0);
	if (best)
		took(p, best);
	return best;
}

bool posts_failed(struct posts *p, const struct errand *e, const struct post *post)
{
	struct failed *failed = failed_of(p, e->delivery);

	if (!failed) {
		failed = &p->failed[p->next_failed++ % FAILED_MOST];
		*failed = (struct failed){ .delivery = e->delivery };
	}
	p->failed_at = clock_steady();
	failed->at |= post->bit;
	if (best_without(p, e, failed->at))
		return true;
	failed->delivery = 0;	/* the next round begins with all of them */
	return false;
}

int64_t posts_slot(struct post *post)
{
	int64_t each = (int64_t)(US_SECOND / relay_rate(post->relay)), from = clock_now() + (int64_t)post->stock.count * each;

	post->slot = (post->slot > from ? post->slot : from) + each;
	return post->slot;
}

static size_t room(const struct post *post)
{
	size_t most = relay_appetite(post->relay), have = post->stock.count;

	if (most == 1)		/* half open, or slow: what is under way counts */
		have += post->taken;
	return most > have ? most - have : 0;
}

size_t posts_wanted_awaited(const struct posts *p)
{
	size_t have = 0;
	bool open = false;
	struct post *post;

	for (post = p->first; post; post = post->next) {
		open |= relay_appetite(post->relay) > 0;
		have += stock_awaited(&post->stock);
	}
	return open && have < AWAITED_MOST ? AWAITED_MOST - have : 0;
}

size_t posts_wanted(const struct posts *p)
{
	size_t most = 0, have = 0, step = 0, left;
	struct post *post;

	for (post = p->first; post; post = post->next) {
		size_t appetite = relay_appetite(post->relay);

		left = room(post);
		most += appetite;
		have += appetite - left;
		step += appetite ? (size_t)post->config->connections : 0;
	}
	step = step < CLAIM_LEAST ? CLAIM_LEAST : step > CLAIM_MOST ? CLAIM_MOST : step;
	left = most - have;
	if (left < step && have > most / 2)
		return 0;
	return left < step ? left : step;
}
