/*
 * range.h: the Range header of a request for a file (RFC 9110 section 14.2). Pure.
 */
#ifndef INGEST_RANGE_H
#define INGEST_RANGE_H

#include <stdint.h>

enum range { RANGE_WHOLE, RANGE_PART, RANGE_OUTSIDE };

/*
 * One range of bytes of a file of `size`; what is malformed, or more than one, is answered with the whole.
 * header may be NULL.
 */
enum range range_parse(const char *header, int64_t size, int64_t *from_out, int64_t *length_out);

#endif
