/*
 * scalar.h: what a text in config means as a number, a size, a rate, a host, a URL. Pure; errors say what is wrong and what
 * was meant.
 */
#ifndef CONFIG_SCALAR_H
#define CONFIG_SCALAR_H

#include "base/buf.h"
#include "base/mem.h"
#include "config/plan.h"

#include "keys.h"

/* A letter, then letters, digits, - and _; at most 64. */
int scalar_name(const char *s, struct err *err) MUSTCHECK;
int scalar_int(const char *s, int64_t *out, struct err *err) MUSTCHECK;
/* "300", "256 KiB", "1 MiB" */
int scalar_size(const char *s, int64_t *out, struct err *err) MUSTCHECK;
/* "3 per hour", "2 per 30 days" */
int scalar_rate(const char *s, struct rate *out, struct err *err) MUSTCHECK;
/* "10%", "99.5 %": a part of 1 */
int scalar_percent(const char *s, double *out, struct err *err) MUSTCHECK;
/* "08:00", up to "24:00" */
int scalar_minute(const char *s, int *out, struct err *err) MUSTCHECK;
/* "2026-12-01", a day that there is; "12-01" too, with year 0, if `yearly`. */
int scalar_date(const char *s, bool yearly, int *year, int *month, int *day, struct err *err) MUSTCHECK;
/* A domain name of at least two labels, in lower case and A-labels. */
int scalar_host(struct arena *arena, const char *s, const char **out, struct err *err) MUSTCHECK;
/* Relative paths start at `folder`. */
int scalar_path(struct arena *arena, const char *folder, const char *s, const char **out, struct err *err) MUSTCHECK;
/* Whole and well formed, of one of the schemes, without user, password and fragment; its host as A-labels. */
int scalar_url(struct arena *arena, const char *s, const char *const *schemes, const char **out, struct err *err) MUSTCHECK;

/* Parts of a URL that scalar_url() has let pass: in the arena; "" where there is none. */
struct scalar_url {
	const char *scheme, *host, *path;
};
void scalar_url_parts(struct arena *arena, const char *url, struct scalar_url *out);

/* The number behind a key of that type, as it would be written. */
void scalar_print(enum key_type type, int64_t value, struct buf *out);

#endif
