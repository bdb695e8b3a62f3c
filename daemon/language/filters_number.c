/*
 * filters_number.c: arithmetic. Whole numbers stay whole. Decimals are computed as they are written, digit by
 * digit, and rounded once, when they become a value again: 10.1 minus 2.2 is 7.9.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "program.h"

#define DIGITS_MAX 36	/* of a text that are looked at */
#define BEYOND 400	/* places from the point where no double has a digit */

typedef __int128 wide;

/* digits * 10^-scale */
struct number {
	bool real;	/* written with a point */
	wide digits;
	int scale;
};

/* --- values to numbers and back ------------------------------------------------------------------------- */

static bool shift(wide *digits, int places)
{
	while (places-- > 0)
		if (__builtin_mul_overflow(*digits, 10, digits))
			return false;
	return true;
}

/* Ten to the power of n, which is less than DIGITS_MAX. */
static wide power(int n)
{
	wide p = 1;

	shift(&p, n);
	return p;
}

/* "-12.5", "1.0e+20", nothing else. */
static struct number decimal(const char *s)
{
	struct number n = { .real = true };
	bool negative = *s == '-', behind = false;
	int count = 0;

	for (s += negative; *s && *s != 'e'; s++) {
		if (*s == '.') {
			behind = true;
			continue;
		}
		if (count >= DIGITS_MAX) {
			n.scale -= !behind;
			continue;
		}
		n.digits = n.digits * 10 + (*s - '0');
		n.scale += behind;
		count += n.digits != 0;
	}
	if (*s == 'e')
		n.scale -= (int)strtol(s + 1, NULL, 10);
	n.digits = negative ? -n.digits : n.digits;
	return n;
}

/* -12.5, and nothing else */
static bool is_decimal(const char *s)
{
	size_t digits;

	s += *s == '-';
	digits = strspn(s, "0123456789");
	if (digits == 0 || s[digits] != '.')
		return false;
	s += digits + 1;
	digits = strspn(s, "0123456789");
	return digits > 0 && s[digits] == '\0';
}

static struct number whole_number(int64_t i)
{
	return (struct number){ .digits = i };
}

/* The digits that a text begins with, behind a sign, with single underscores between them, as Ruby's to_i has it. */
static struct number leading(const char *s)
{
	struct number n = { 0 };
	bool negative = *s == '-';

	s += *s == '-' || *s == '+';
	for (const char *p = s; *p; p++) {
		if (*p == '_' && p > s && p[-1] != '_')
			continue;
		if (*p < '0' || *p > '9')
			break;
		if (n.digits < power(DIGITS_MAX))
			n.digits = n.digits * 10 + (*p - '0');
		else
			n.scale--;
	}
	n.digits = negative ? -n.digits : n.digits;
	return n;
}

/* Texts: a decimal as a whole, or else the digits that it begins with; 0 if there are none. */
static struct number number_of(struct value v)
{
	char copy[400];
	struct buf b = BUF_INIT;
	struct number n;
	struct slice s;

	if (v.type == VALUE_REAL && isfinite(v.real)) {
		value_to_text(&b, v);
		n = decimal(buf_cstr(&b));
		buf_clear(&b);
		return n;
	}
	if (v.type != VALUE_TEXT)
		return whole_number(liquid_integer(v));
	s = slice_trim(v.text);
	if (s.len == 0 || s.len >= sizeof(copy))
		return whole_number(liquid_integer(v));
	memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	return is_decimal(copy) ? decimal(copy) : leading(copy);
}

/* The nearest double: the C library rounds once, from all the digits. `more`: something follows behind them. */
static double nearest(wide digits, int scale, bool more)
{
	char text[80], *p = text + 48;
	bool negative = digits < 0;
	unsigned __int128 u = negative ? -(unsigned __int128)digits : (unsigned __int128)digits;

	*p = '\0';
	do
		*--p = (char)('0' + (int)(u % 10));
	while (u /= 10);
	if (negative)
		*--p = '-';
	snprintf(text + 48, 32, "%se%d", more ? "1" : "", -scale - more);
	return strtod(p, NULL);
}

static struct value real_value(wide digits, int scale)
{
	return value_real(nearest(digits, scale, false));
}

/* A number without digits behind the point; the decimal next to it where 64 bits do not hold it. */
static struct value as_whole(struct number n)
{
	wide digits = n.digits;

	if (!shift(&digits, -n.scale) || digits < INT64_MIN || digits > INT64_MAX)
		return real_value(n.digits, n.scale);
	return value_int((int64_t)digits);
}

static struct value number_value(struct number n)
{
	return n.real ? real_value(n.digits, n.scale) : as_whole(n);
}

/* --- exact arithmetic ----------------------------------------------------------------------------------- */

/* To one scale; false if one of them does not fit then. */
static bool align(struct number *a, struct number *b)
{
	int scale = a->scale > b->scale ? a->scale : b->scale;

	if (a->digits == 0)
		a->scale = scale;
	if (b->digits == 0)
		b->scale = scale;
	if (!shift(&a->digits, scale - a->scale) || !shift(&b->digits, scale - b->scale))
		return false;
	a->scale = b->scale = scale;
	return true;
}

static double approximate(struct number n)
{
	return nearest(n.digits, n.scale, false);
}

static wide floor_quotient(wide a, wide b)
{
	wide q = a / b;

	return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

/* -1, 0, 1 */
static int compare(struct number a, struct number b)
{
	struct number x = a, y = b;

	if (align(&x, &y))
		return (x.digits > y.digits) - (x.digits < y.digits);
	return (approximate(a) > approximate(b)) - (approximate(a) < approximate(b));
}

static struct number of_real(double r)
{
	return number_of(value_real(r));
}

static struct number added(struct number a, struct number b)
{
	struct number x = a, y = b;
	wide sum;

	if (!align(&x, &y) || __builtin_add_overflow(x.digits, y.digits, &sum))
		return of_real(approximate(a) + approximate(b));
	return (struct number){ a.real || b.real, sum, x.scale };
}

/* --- rounding ------------------------------------------------------------------------------------------- */

enum rounding { ROUND_DOWN, ROUND_UP, ROUND_HALF };

/* To `places` behind the point (before it, if negative). */
static struct number rounded(struct number n, int places, enum rounding how)
{
	int cut = n.scale - places;
	wide unit, rest;

	if (cut <= 0)
		return n;
	if (cut >= DIGITS_MAX)	/* smaller than any digit that is kept */
		return (struct number){ n.real, how == ROUND_UP   ? n.digits > 0
						: how == ROUND_DOWN ? -(n.digits < 0)
								    : 0,
			places };
	unit = power(cut);
	rest = n.digits - floor_quotient(n.digits, unit) * unit;
	n.digits = floor_quotient(n.digits, unit);
	n.scale = places;
	if (how == ROUND_UP)
		n.digits += rest != 0;
	else if (how == ROUND_HALF)	/* halves go away from zero */
		n.digits += rest > unit - rest || (rest == unit - rest && n.digits >= 0);
	return n;
}

static struct value do_ceil(struct filter_call *c)
{
	return as_whole(rounded(number_of(c->in), 0, ROUND_UP));
}

static struct value do_floor(struct filter_call *c)
{
	return as_whole(rounded(number_of(c->in), 0, ROUND_DOWN));
}

static struct value do_round(struct filter_call *c)
{
	struct number n = number_of(c->in), places;
	int64_t at = 0;

	if (c->count) {
		places = number_of(c->args[0]);
		if (compare(places, whole_number(INT32_MAX)) > 0 || compare(places, whole_number(INT32_MIN)) < 0)
			return render_fail(c->r, "round: so many digits are never there");
		places = rounded(places, 0, places.digits < 0 ? ROUND_UP : ROUND_DOWN);
		at = places.digits > BEYOND ? BEYOND : places.digits < -BEYOND ? -BEYOND : (int64_t)places.digits;
	}
	n = rounded(n, (int)at, ROUND_HALF);
	return at > 0 ? number_value(n) : as_whole(n);
}

/* --- filters -------------------------------------------------------------------------------------------- */

static struct value do_abs(struct filter_call *c)
{
	struct number n = number_of(c->in);

	n.digits = n.digits < 0 ? -n.digits : n.digits;
	return number_value(n);
}

static struct value do_plus(struct filter_call *c)
{
	return number_value(added(number_of(c->in), number_of(c->args[0])));
}

static struct value do_minus(struct filter_call *c)
{
	struct number b = number_of(c->args[0]);

	b.digits = -b.digits;
	return number_value(added(number_of(c->in), b));
}

static struct value do_times(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);
	wide product;

	if (__builtin_mul_overflow(a.digits, b.digits, &product))
		return value_real(approximate(a) * approximate(b));
	return number_value((struct number){ a.real || b.real, product, a.scale + b.scale });
}

/* Of whole numbers; as near as doubles come where they have too many digits. */
static struct number floored(struct number a, struct number b)
{
	if (!align(&a, &b))
		return of_real(floor(approximate(a) / approximate(b)));
	return (struct number){ .digits = floor_quotient(a.digits, b.digits) };
}

static struct value do_divided_by(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);
	wide more;

	if (b.digits == 0)
		return render_fail(c->r, "divided by 0");
	if (!a.real && !b.real)
		return as_whole(floored(a, b));
	for (more = a.digits; a.digits && !__builtin_mul_overflow(a.digits, 10, &more); a.scale++)
		a.digits = more;
	return value_real(nearest(a.digits / b.digits, a.scale - b.scale, a.digits % b.digits != 0));
}

/* With the sign of the second, as Ruby has it; exact however far the two are apart. */
static struct value do_modulo(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]), whole = b;
	wide rest;

	if (b.digits == 0)
		return render_fail(c->r, "divided by 0");
	a.real = whole.real = a.real || b.real;
	if (!shift(&b.digits, a.scale - b.scale))	/* so large that it does not go into the first */
		return number_value((a.digits < 0) == (whole.digits < 0) || a.digits == 0 ? a : whole);
	b.scale = b.scale > a.scale ? b.scale : a.scale;
	rest = a.digits % b.digits;
	for (int i = a.scale; i < b.scale && rest; i++)
		rest = rest * 10 % b.digits;
	if (rest && (rest < 0) != (b.digits < 0))
		rest += b.digits;
	return number_value((struct number){ a.real, rest, b.scale });
}

static struct value do_at_least(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);

	return number_value(compare(a, b) < 0 ? b : a);
}

static struct value do_at_most(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);

	return number_value(compare(a, b) > 0 ? b : a);
}

static struct value do_sum(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct number total = whole_number(0);

	for (size_t i = 0; i < l.count; i++) {
		struct value v = l.items[i];

		if (c->count && c->args[0].type != VALUE_NIL) {
			if (v.type != VALUE_OBJECT)
				return render_fail(c->r, "sum: an item is a %s and has no part",
					value_type_name(v.type));
			v = liquid_part(c->r, v, c->args[0], false);
		}
		total = added(total, number_of(v));
	}
	return number_value(total);
}

const struct filter filters_number[] = {
	{ "abs", 0, 0, do_abs, false },
	{ "ceil", 0, 0, do_ceil, false },
	{ "floor", 0, 0, do_floor, false },
	{ "round", 0, 1, do_round, false },
	{ "plus", 1, 1, do_plus, false },
	{ "minus", 1, 1, do_minus, false },
	{ "times", 1, 1, do_times, false },
	{ "divided_by", 1, 1, do_divided_by, false },
	{ "modulo", 1, 1, do_modulo, false },
	{ "at_least", 1, 1, do_at_least, false },
	{ "at_most", 1, 1, do_at_most, false },
	{ "sum", 0, 1, do_sum, false },
	{ NULL, 0, 0, NULL, false },
};
