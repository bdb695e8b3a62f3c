/*
 * names.h: the names that expressions and templates may use.
 */
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

#include <stdbool.h>

#include "load.h"

/* Builds the plan's vocabularies from its fields, stages and lists. */
void names_build(struct load *l);

/* Has the name a meaning in expressions or mails already, so that no field may have it? */
bool names_taken(const char *name);

#endif
