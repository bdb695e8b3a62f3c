/*
 * page_cache.c: at the end of each transaction SQLite tells its cache to forget the pages behind the end of the file. The cache knows the highest
 * number that it ever held, and looks at nothing when that is below. But a page that is split goes through the number of the page at 1 GiB, which no
 * file uses, for a moment (balance_nonroot() and sqlite3PagerRekey()): from then on the cache looks through all its pages, at nearly every commit.
 * With some thousand pages that was a sixth of all that the store does for a mail.
 *
 * So the numbers are watched here, and the cache is not asked when it holds nothing of what it shall forget. A number that a page got by such a move
 * counts only until it is moved again.
 */
#include <stdlib.h>

#include <sqlite3.h>

#include "base/mem.h"

#include "page_cache.h"

struct sqlite3_pcache {
	sqlite3_pcache *real;
	unsigned highest;	/* no page has a higher number, */
	unsigned above;		/* but for so many, that were moved there */
};

static sqlite3_pcache_methods2 real;

static sqlite3_pcache *cache_create(int page_size, int extra, int purgeable)
{
	sqlite3_pcache *inner = real.xCreate(page_size, extra, purgeable), *c;

	if (!inner)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->real = inner;
	return c;
}

static void cache_size(sqlite3_pcache *c, int pages)
{
	real.xCachesize(c->real, pages);
}

static int cache_pages(sqlite3_pcache *c)
{
	return real.xPagecount(c->real);
}

static sqlite3_pcache_page *cache_fetch(sqlite3_pcache *c, unsigned number, int create)
{
	sqlite3_pcache_page *page = real.xFetch(c->real, number, create);

	if (page && number > c->highest)
		c->highest = number;
	return page;
}

static void cache_unpin(sqlite3_pcache *c, sqlite3_pcache_page *page, int discard)
{
	real.xUnpin(c->real, page, discard);
}

static void cache_rekey(sqlite3_pcache *c, sqlite3_pcache_page *page, unsigned from, unsigned to)
{
	real.xRekey(c->real, page, from, to);
	if (from > c->highest && c->above > 0)
		c->above--;
	c->above += to > c->highest;
}

static void cache_truncate(sqlite3_pcache *c, unsigned limit)
{
	if (limit > c->highest && c->above == 0)
		return;
	real.xTruncate(c->real, limit);
	c->above = 0;
	c->highest = limit > 0 ? limit - 1 : 0;
}

static void cache_destroy(sqlite3_pcache *c)
{
	real.xDestroy(c->real);
	free(c);
}

static void cache_shrink(sqlite3_pcache *c)
{
	real.xShrink(c->real);
}

void page_cache_set_up(void)
{
	sqlite3_pcache_methods2 watched;

	if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &real) != SQLITE_OK)
		return;
	watched = real;		/* version, argument, start and end are its own */
	watched.xCreate = cache_create;
	watched.xCachesize = cache_size;
	watched.xPagecount = cache_pages;
	watched.xFetch = cache_fetch;
	watched.xUnpin = cache_unpin;
	watched.xRekey = cache_rekey;
	watched.xTruncate = cache_truncate;
	watched.xDestroy = cache_destroy;
	watched.xShrink = cache_shrink;
	sqlite3_config(SQLITE_CONFIG_PCACHE2, &watched);
}
