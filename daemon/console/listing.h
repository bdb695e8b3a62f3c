/*
 * listing.h: the list of suppressed addresses as a whole: pages of it, and rows of another list that are put on it. Loop thread.
 */
#ifndef CONSOLE_LISTING_H
#define CONSOLE_LISTING_H

struct decide;
struct http_request;

/* GET: a page of 500; the members `rows`, and `next`: the path of the next page, or null. Query: `bucket`, `after`, as `next` has them. */
void listing_page(struct decide *decide, struct http_request *r);
/*
 * POST {"rows": [{"email", "hash", "reason", "at", "source"}, ...], "dry": false}: at most 500, each with an email or a hash; the rest may be
 * left out. Answers how many are new and known, and which are wrong and why, by their place from 0. Honoured when it answers.
 */
void listing_import(struct decide *decide, struct http_request *r);

#endif
