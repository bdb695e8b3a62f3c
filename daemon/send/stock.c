/*
 * stock.c: see stock.h.
 */
#include "base/metrics.h"

#include "stock.h"

METRIC(stock, GAUGE, "nurtured_send_stock", "", "Mails claimed and waiting for a connection.");

void stock_init(struct stock *s)
{
	s->first = NULL;
	s->last = &s->first;
	s->count = 0;
}

void stock_put(struct stock *s, struct work *w)
{
	w->next_stock = NULL;
	*s->last = w;
	s->last = &w->next_stock;
	s->count++;
	metric_add(&metric_stock, 1);
}

struct work *stock_get(struct stock *s)
{
	struct work *w = s->first;

	if (w)
		stock_remove(s, w);
	return w;
}

void stock_remove(struct stock *s, struct work *w)
{
	struct work **at = &s->first;

	while (*at != w)
		at = &(*at)->next_stock;
	*at = w->next_stock;
	if (s->last == &w->next_stock)
		s->last = at;
	s->count--;
	metric_add(&metric_stock, -1);
}
