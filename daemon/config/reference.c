/*
 * reference.c: which file each table describes.
 */
#include "forms.h"
#include "nurture.h"
#include "operator.h"
#include "persona.h"
#include "replies.h"
#include "sales.h"
#include "sequences.h"

const struct key_file key_files[] = {
	{ "nurtured.yaml", &operator_table },
	{ "nurture.yaml", &nurture_table },
	{ "sales.yaml", &sales_table },
	{ "replies.yaml", &replies_table },
	{ "forms/NAME.yaml", &form_table },
	{ "sequences/NAME.yaml", &sequence_table },
	{ "personas/NAME.yaml", &persona_table },
	{ .file = NULL },
};
