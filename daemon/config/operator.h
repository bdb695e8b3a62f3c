/*
 * operator.h: the table of the operator's file, for the reference page.
 */
#ifndef CONFIG_OPERATOR_H
#define CONFIG_OPERATOR_H

#include "keys.h"

extern const struct key_table operator_table;

#endif
