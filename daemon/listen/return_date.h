/*
 * return_date.h: "back on 12 March", "until 03.05.", "try again in Q3": dates that people name. Pure.
 */
#ifndef LISTEN_RETURN_DATE_H
#define LISTEN_RETURN_DATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The latest date that an automatic reply names in its first 1,500 characters as the end of an absence;
 * between `now` and 180 days later, at 00:00 UTC of that day; 0: none. `month_first`: 3/5 is 5 March
 * (American), unless a part is above 12.
 */
int64_t return_date_of_absence(const char *text, int64_t now, bool month_first);

/*
 * When a person who is not interested now asks to be asked again: the earliest start of what they name; up
 * to 2 years; 0: not said.
 */
int64_t return_date_of_not_now(const char *text, int64_t now, bool month_first);

#endif
