/*
 * moment.h: what a `wait_until` waits for. Pure; errors say what is wrong and what was meant.
 *
 *	09:00			the next time that it is nine
 *	tue 09:00		the next Tuesday's; `mon, wed 14:30` whichever is next
 *	business day 09:00	the next one that is neither quiet nor a holiday
 *	2026-12-01 [09:00]	that day
 *	webinar_at [09:00]	what the field says, or that time of its day
 */
#ifndef CONFIG_MOMENT_H
#define CONFIG_MOMENT_H

#include "base/mem.h"
#include "config/plan.h"

/*
 * `shift` of *out is 0 and `field` -1; where it begins with the name of a field, *field_out is that name, in the arena, to be
 * looked up, else NULL.
 */
int moment_parse(struct arena *arena, const char *text, struct moment *out, const char **field_out, struct err *err) MUSTCHECK;

#endif
