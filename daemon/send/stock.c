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
	struct work **at = s->last;

	if (w->mail->awaited)
		for (at = &s->first; *at && (*at)->mail->awaited; at = &(*at)->next_stock)
			;
	w->next_stock = *at;
	*at = w;
	if (s->last == at)
		s->last = &w->next_stock;
	s->count++;
	metric_add(&metric_stock, 1);
}

size_t stock_awaited(const struct stock *s)
{
	const struct work *w;
	size_t n = 0;

	for (w = s->first; w && w->mail->awaited; w = w->next_stock)
		n++;
	return n;
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
