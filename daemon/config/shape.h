/*
 * shape.h: `shape` of the operator's file.
 */
#ifndef CONFIG_SHAPE_H
#define CONFIG_SHAPE_H

#include "keys.h"

extern const struct key_table shape_table;

/* `map` may be NULL: the defaults. */
void shape_load(struct load *l, const struct yaml_node *map);

#endif
