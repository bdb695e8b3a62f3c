/*
 * look_why.c: why a person got what they got, and what comes next. Reader thread.
 */
#include "look.h"

int look_why(const struct plan *plan, struct db *db, const char *id_or_address, struct buf *out, struct err *err)
{
	return look_prospect(plan, db, id_or_address, out, err);
}
