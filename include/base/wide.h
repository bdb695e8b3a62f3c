/*
 * wide.h: sixteen bytes at once, as compilers know it on every processor. Pure; any thread.
 *
 * Comparisons give bytes of which all bits are set, or none. Signed, so that what is beyond ASCII is below zero.
 */
#ifndef BASE_WIDE_H
#define BASE_WIDE_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef signed char wide __attribute__((vector_size(16)));

static inline wide wide_at(const void *p)
{
	wide w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* All bits where a byte is printable ASCII, space to '~'. */
static inline wide wide_printable(wide w)
{
	typedef unsigned char unsigned_wide __attribute__((vector_size(16)));

	return (wide)((unsigned_wide)w + 1) > ' ';	/* the sum takes DEL below zero, too */
}

/* How many of the sixteen have all bits set before one has none. */
static inline size_t wide_leading(wide w)
{
	uint64_t half[2];

	memcpy(half, &w, sizeof(half));
	if (!~(half[0] & half[1]))
		return sizeof(w);
	return (size_t)(~half[0] ? __builtin_ctzll(le64toh(~half[0])) : 64 + __builtin_ctzll(le64toh(~half[1]))) / 8;
}

#endif
