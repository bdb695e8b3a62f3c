/*
 * findings.h: what was found, in order, and what of the rules of the great receivers is met. One thread.
 */
#ifndef DOCTOR_FINDINGS_H
#define DOCTOR_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "doctor/doctor.h"

/* What the rules ask for, each told by some check. Once it is not so, it stays not so. */
enum fact { FACT_SPF, FACT_DKIM, FACT_DMARC, FACT_ALIGNED, FACT_ONE_CLICK, FACT_TLS, FACT_PTR, FACTS };
enum truth { TRUTH_UNKNOWN, TRUTH_NO, TRUTH_YES };

struct finding {
	enum doctor_level level;
	const char *check;	/* static */
	char *about, *what, *next;	/* next: NULL where there is nothing to do */
};

struct findings {
	struct finding *list;
	size_t count, cap;
	enum truth facts[FACTS];
};

void findings_clear(struct findings *f);
void findings_add(struct findings *f, enum doctor_level level, const char *check, const char *about, const char *fmt, ...) PRINTF(5, 6);
/* What to do about the last one. */
void findings_next(struct findings *f, const char *fmt, ...) PRINTF(2, 3);
bool findings_has(const struct findings *f, const char *check, const char *about);
void findings_fact(struct findings *f, enum fact fact, bool holds);

/* The table of the receivers' rules. A new reference. */
json_t *rules_json(const struct findings *f);

#endif
