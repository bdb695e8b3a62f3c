/*
 * filters_number.c: arithmetic. Whole numbers stay whole; decimals are computed with more digits than they
 * are printed with, so that 10.1 minus 2.2 is 7.9.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "program.h"

struct number {
	bool real;
	int64_t integer;
	long double value;	/* of reals: as they were written, not as binary has them */
};

static long double decimal(double r)
{
	struct buf b = BUF_INIT;
	long double v;

	value_to_source(&b, value_real(r));
	v = strtold(buf_cstr(&b), NULL);
	buf_clear(&b);
	return v;
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

/* Texts: a decimal as a whole, or else the digits that it begins with; 0 if there are none. */
static struct number number_of(struct value v)
{
	struct number n = { 0 };
	char copy[64];
	struct slice s;

	if (v.type == VALUE_REAL) {
		n.real = true;
		n.value = isfinite(v.real) ? decimal(v.real) : (long double)v.real;
		return n;
	}
	n.integer = liquid_integer(v);
	if (v.type != VALUE_TEXT)
		return n;
	s = slice_trim(v.text);
	if (s.len == 0 || s.len >= sizeof(copy))
		return n;
	memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	if (is_decimal(copy)) {
		n.real = true;
		n.value = strtold(copy, NULL);
	}
	return n;
}

static long double as_long(struct number n)
{
	return n.real ? n.value : (long double)n.integer;
}

static struct value whole(long double x)
{
	if (x >= -9.2e18L && x <= 9.2e18L)
		return value_int((int64_t)x);
	return value_real((double)x);
}

static struct value do_abs(struct filter_call *c)
{
	struct number n = number_of(c->in);

	if (n.real)
		return value_real((double)fabsl(n.value));
	return n.integer < 0 ? whole(-(long double)n.integer) : value_int(n.integer);
}

static struct value do_ceil(struct filter_call *c)
{
	return whole(ceill(as_long(number_of(c->in))));
}

static struct value do_floor(struct filter_call *c)
{
	return whole(floorl(as_long(number_of(c->in))));
}

static struct value do_round(struct filter_call *c)
{
	struct number n = number_of(c->in);
	int64_t digits = c->count ? liquid_integer(c->args[0]) : 0;
	long double scale;

	if (digits > 15)
		return n.real ? value_real((double)n.value) : value_int(n.integer);
	if (digits <= 0 || !n.real) {
		if (digits >= 0 || digits < -18)
			return whole(digits < -18 ? 0 : roundl(as_long(n)));
		scale = powl(10, (long double)-digits);
		return whole(roundl(as_long(n) / scale) * scale);
	}
	scale = powl(10, (long double)digits);
	return value_real((double)(roundl(n.value * scale) / scale));
}

static struct value do_plus(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);
	int64_t sum;

	if (!a.real && !b.real && !__builtin_add_overflow(a.integer, b.integer, &sum))
		return value_int(sum);
	return value_real((double)(as_long(a) + as_long(b)));
}

static struct value do_minus(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);
	int64_t difference;

	if (!a.real && !b.real && !__builtin_sub_overflow(a.integer, b.integer, &difference))
		return value_int(difference);
	return value_real((double)(as_long(a) - as_long(b)));
}

static struct value do_times(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);
	int64_t product;

	if (!a.real && !b.real && !__builtin_mul_overflow(a.integer, b.integer, &product))
		return value_int(product);
	return value_real((double)(as_long(a) * as_long(b)));
}

static struct value do_divided_by(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);
	int64_t quotient;

	if (a.real || b.real) {
		if (as_long(b) == 0 && !b.real)
			return render_fail(c->r, "divided by 0");
		return value_real((double)(as_long(a) / as_long(b)));
	}
	if (b.integer == 0)
		return render_fail(c->r, "divided by 0");
	if (b.integer == -1)
		return whole(-(long double)a.integer);
	quotient = a.integer / b.integer;
	return value_int(
		a.integer % b.integer != 0 && (a.integer < 0) != (b.integer < 0) ? quotient - 1 : quotient);
}

static struct value do_modulo(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);
	int64_t rest;
	long double r;

	if (a.real || b.real) {
		if (as_long(b) == 0)
			return render_fail(c->r, "divided by 0");
		r = fmodl(as_long(a), as_long(b));
		return value_real((double)(r != 0 && (r < 0) != (as_long(b) < 0) ? r + as_long(b) : r));
	}
	if (b.integer == 0)
		return render_fail(c->r, "divided by 0");
	if (b.integer == -1)
		return value_int(0);
	rest = a.integer % b.integer;
	return value_int(rest != 0 && (rest < 0) != (b.integer < 0) ? rest + b.integer : rest);
}

static struct value number_value(struct number n)
{
	return n.real ? value_real((double)n.value) : value_int(n.integer);
}

static struct value do_at_least(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);

	return number_value(as_long(a) < as_long(b) ? b : a);
}

static struct value do_at_most(struct filter_call *c)
{
	struct number a = number_of(c->in), b = number_of(c->args[0]);

	return number_value(as_long(a) > as_long(b) ? b : a);
}

static struct value do_sum(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct number total = { 0 };

	for (size_t i = 0; i < l.count; i++) {
		struct value v = l.items[i];
		struct number n;

		if (c->count && c->args[0].type != VALUE_NIL) {
			if (v.type != VALUE_OBJECT)
				return render_fail(c->r, "sum: an item is a %s and has no part",
					value_type_name(v.type));
			v = liquid_part(c->r, v, c->args[0], false);
		}
		n = number_of(v);
		if (n.real && !total.real)
			total = (struct number){ true, 0, (long double)total.integer };
		if (total.real)
			total.value += as_long(n);
		else if (__builtin_add_overflow(total.integer, n.integer, &total.integer))
			return render_fail(c->r, "sum: the numbers are too large");
	}
	return number_value(total);
}

const struct filter filters_number[] = {
	{ "abs", 0, 0, do_abs },
	{ "ceil", 0, 0, do_ceil },
	{ "floor", 0, 0, do_floor },
	{ "round", 0, 1, do_round },
	{ "plus", 1, 1, do_plus },
	{ "minus", 1, 1, do_minus },
	{ "times", 1, 1, do_times },
	{ "divided_by", 1, 1, do_divided_by },
	{ "modulo", 1, 1, do_modulo },
	{ "at_least", 1, 1, do_at_least },
	{ "at_most", 1, 1, do_at_most },
	{ "sum", 0, 1, do_sum },
	{ NULL, 0, 0, NULL },
};
