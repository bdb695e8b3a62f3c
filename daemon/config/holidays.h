/*
 * holidays.h: days of the calendar on which no mail goes out, and that are no business days.
 */
#ifndef CONFIG_HOLIDAYS_H
#define CONFIG_HOLIDAYS_H

#include "keys.h"

extern const struct key_table holiday_table;

/* `list` may be NULL. */
void holidays_load(struct load *l, const struct yaml_node *list);

#endif
