/*
 * media.h: the media type of a file by the ending of its name. Pure; any thread.
 */
#ifndef BASE_MEDIA_H
#define BASE_MEDIA_H

/* "application/pdf" of book.pdf (RFC 6838), whatever the case; "application/octet-stream" of what is not known. Static text. */
const char *media_type(const char *file);

#endif
