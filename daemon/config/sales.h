/*
 * sales.h: the table of sales.yaml, for the reference page.
 */
#ifndef CONFIG_SALES_H
#define CONFIG_SALES_H

#include "keys.h"

extern const struct key_table sales_table;

#endif
