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
 * When a person who is not interested now asks to be asked again: the start of what they name ("end of May": its
 * last day; "after the summer": September), up to 400 days ahead; 0: not said. Reads what return_date_of_absence()
 * reads, in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Danish, Norwegian, Finnish, Czech,
 * Russian, Japanese and Chinese; of several, numbers of weeks or months come before quarters, those before days.
 */
int64_t return_date_of_not_now(const char *text, int64_t now, bool month_first);

#endif
