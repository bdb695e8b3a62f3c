/*
 * breaker.c: see breaker.h.
 */
#include "base/clock.h"
#include "base/log.h"

#include "breaker.h"

#define ROW 5
#define WINDOW 20
#define WINDOW_MASK ((1u << WINDOW) - 1)

const char *const breaker_state_names[] = { "closed", "open", "half-open" };

void breaker_init(struct breaker *b, int64_t scale)
{
	*b = (struct breaker){ .scale = scale };
}

static void set_state(struct breaker *b, enum breaker_state state, int64_t now)
{
	if (b->state == state)
		return;
	if (state != BREAKER_HALF_OPEN)
		log_warn("relay.breaker", L_STR("from", breaker_state_names[b->state]), L_STR("to", breaker_state_names[state]),
			L_STR("fault", fault_names[b->fault]),
			L_INT("pause_ms", state == BREAKER_OPEN ? (b->until - now) / 1000 : 0));
	if (b->state == BREAKER_CLOSED)
		b->since = now;
	b->state = state;
}

static int64_t pause_of(const struct breaker *b, enum fault fault)
{
	static const int tenths[] = { 5, 10, 20, 50, 100 };	/* of a minute */
	int64_t pause = tenths[b->level < 5 ? b->level : 4] * (b->scale / 10);

	if (fault == FAULT_OPERATOR)
		return 5 * b->scale;
	if (fault == FAULT_QUOTA && pause < b->scale)
		return b->scale;
	return pause;
}

static void open_it(struct breaker *b, enum fault fault, int64_t least, int64_t now)
{
	int64_t pause = pause_of(b, fault);

	b->fault = fault;
	b->until = now + (pause < least ? least : pause);
	set_state(b, BREAKER_OPEN, now);
	b->level++;
	b->in_row = 0;
	b->history = 0;
}

static void report_good(struct breaker *b, int64_t now)
{
	b->history = b->history << 1 & WINDOW_MASK;
	b->in_row = 0;
	if (b->state != BREAKER_HALF_OPEN)
		return;
	b->level = 0;
	b->fault = FAULT_NONE;
	set_state(b, BREAKER_CLOSED, now);
}

void breaker_report(struct breaker *b, enum fault fault, int64_t least, int64_t now)
{
	if (fault != FAULT_RELAY && fault != FAULT_OPERATOR && fault != FAULT_QUOTA) {
		report_good(b, now);
		return;
	}
	if (b->state == BREAKER_OPEN)
		return;		/* what was still under way */
	b->history = (b->history << 1 | 1) & WINDOW_MASK;
	b->in_row++;
	if (fault != FAULT_RELAY || b->state == BREAKER_HALF_OPEN || b->in_row >= ROW ||
	    __builtin_popcount(b->history) >= WINDOW / 2)
		open_it(b, fault, least, now);
}

enum breaker_state breaker_look(struct breaker *b, int64_t now)
{
	if (b->state == BREAKER_OPEN && now >= b->until)
		set_state(b, BREAKER_HALF_OPEN, now);
	return b->state;
}
