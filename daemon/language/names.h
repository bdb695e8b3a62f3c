/*
 * names.h: the names of a vocabulary as an array, to look for the one that was meant. Pure.
 */
#ifndef LANGUAGE_NAMES_H
#define LANGUAGE_NAMES_H

struct vocabulary;

/* NULL-terminated; the caller frees the array, the names are the vocabulary's. */
const char **vocabulary_names(const struct vocabulary *v);

#endif
