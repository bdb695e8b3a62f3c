/*
 * book.h: opens and clicks that have been answered and are still to be recorded; and where links lead, of those that were asked for lately. Loop thread.
 *
 * One job is with the store at a time; what comes meanwhile goes with the next. It writes them as they are, many a row (on_hits_come()); what follows from
 * them is worked out later. Hits that differ in nothing but the moment are one with a count.
 * Its size is bounded: when the store falls behind, book_take() says no, and the caller answers when the store has taken the hit, or 503. What is in
 * the book is tried again until it is committed: only a crash loses it, or an end of the daemon while the store takes nothing.
 */
#ifndef INGEST_BOOK_H
#define INGEST_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "decide/facts.h"

struct book;
struct loop;

struct book *book_new(struct loop *loop, struct decide *decide);
/* Gives all that is left to the store, before store_stop(); frees itself when the last of it has come back. */
void book_close(struct book **book);
/* Copies. False: there is no room. */
bool book_take(struct book *book, const struct hit_fact *hit);

/* Where the link of that mail leads, as our own rows said lately; NULL: they are to be asked. Valid until the next book_note_url(). */
const char *book_url(const struct book *book, int64_t delivery, int link);
/* All are asked for anew. */
void book_forget_urls(struct book *book);
void book_note_url(struct book *book, int64_t delivery, int link, const char *url);

#endif
