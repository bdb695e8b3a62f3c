/*
 * forms.h: the table of a form's file, for the reference page.
 */
#ifndef CONFIG_FORMS_H
#define CONFIG_FORMS_H

#include "keys.h"

extern const struct key_table form_table;

#endif
