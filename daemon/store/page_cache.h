/*
 * page_cache.h: SQLite's own page cache, less one walk through all of it that a commit does for nothing: see page_cache.c.
 */
#ifndef STORE_PAGE_CACHE_H
#define STORE_PAGE_CACHE_H

/* Before anything else of SQLite; once. In a program that has used SQLite already it changes nothing. */
void page_cache_set_up(void);

#endif
