/*
 * languages.h: languages of people and of mails: tags as "de", "de-AT", "zh-Hant-TW" (RFC 5646), by what they are written alone.
 * Pure; any thread.
 */
#ifndef CONFIG_LANGUAGES_H
#define CONFIG_LANGUAGES_H

#include <stdbool.h>
#include <stddef.h>

/* Two or three small letters, then parts of two to eight letters and digits. */
bool languages_valid(const char *s);

/* Where the language stands in the name of a mail, a layout or a partial ("letter.de" -> 7); 0: it has none. */
size_t languages_in(const char *name);

/* The length of the tag that contains the first `n` characters of this one: one part less; 0 if there is none (RFC 4647, section 3.4). */
size_t languages_wider(const char *tag, size_t n);

/* Is `tag` the first `n` characters of `other`? "de-AT", "de_at" and "DE-at" are one. */
bool languages_same(const char *tag, const char *other, size_t n);

#endif
