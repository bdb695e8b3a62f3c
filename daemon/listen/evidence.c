/* evidence.c: a list that does not overflow. */
#include "evidence.h"
#include "listen/reading.h"

bool evidence_add(struct mail_reading *r, const char *words)
{
	if (r->evidence_count < READING_MAX_EVIDENCE)
		r->evidence[r->evidence_count++] = words;
	return true;
}
