/*
 * nurture.h: fields, stages, lists and scores by name while a plan is loaded, and the table of nurture.yaml.
 */
#ifndef CONFIG_NURTURE_H
#define CONFIG_NURTURE_H

#include "keys.h"

extern const struct key_table nurture_table;
/* `utm`, into a struct utm; and what `track` may be, by enum tracking. */
extern const struct key_table nurture_utm_table;
extern const char *const nurture_tracks[];

/* Index in plan->fields; -1 after a complaint at the node. */
int nurture_field(struct load *l, const struct yaml_node *node);
/* Index in plan->lists; -1 after a complaint at the node. */
int nurture_list(struct load *l, const struct yaml_node *node);

/* Is it a value of the field's type? */
int nurture_check_value(const struct field *field, const char *text, struct err *err) MUSTCHECK;

#endif
