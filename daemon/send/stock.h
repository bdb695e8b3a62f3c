/*
 * stock.h: mails that are claimed and wait for a connection: those that somebody waits for first, else in the order of their claims. Loop thread.
 */
#ifndef SEND_STOCK_H
#define SEND_STOCK_H

#include <stddef.h>

#include "work.h"

struct stock {
	struct work *first, **last;
	size_t count;
};

void stock_init(struct stock *s);
void stock_put(struct stock *s, struct work *w);
struct work *stock_get(struct stock *s);	/* the first; NULL: empty */
size_t stock_awaited(const struct stock *s);		/* how many of them somebody waits for */
void stock_remove(struct stock *s, struct work *w);	/* that is in it */

#endif
