/*
 * persona.h: the table of a persona's file, for the reference page.
 */
#ifndef CONFIG_PERSONA_TABLE_H
#define CONFIG_PERSONA_TABLE_H

#include "keys.h"

extern const struct key_table persona_table;

#endif
