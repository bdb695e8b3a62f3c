/*
 * lint_look.c: see lint_look.h. Declarations are read one by one; what is not understood leaves a value UNKNOWN, so that
 * nothing is found where nothing can be told.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lint_look.h"

const struct look look_plain = { .size = 16 };

/* --- colors ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	unsigned rgb;
} names[] = {
	{ "black", 0x000000 }, { "white", 0xffffff }, { "gray", 0x808080 }, { "grey", 0x808080 }, { "silver", 0xc0c0c0 },
	{ "red", 0xff0000 }, { "maroon", 0x800000 }, { "yellow", 0xffff00 }, { "olive", 0x808000 }, { "lime", 0x00ff00 },
	{ "green", 0x008000 }, { "aqua", 0x00ffff }, { "cyan", 0x00ffff }, { "teal", 0x008080 }, { "blue", 0x0000ff },
	{ "navy", 0x000080 }, { "fuchsia", 0xff00ff }, { "magenta", 0xff00ff }, { "purple", 0x800080 }, { "orange", 0xffa500 },
	{ "pink", 0xffc0cb }, { "brown", 0xa52a2a }, { "gold", 0xffd700 }, { "tomato", 0xff6347 }, { "crimson", 0xdc143c },
	{ "whitesmoke", 0xf5f5f5 }, { "lightgray", 0xd3d3d3 }, { "lightgrey", 0xd3d3d3 }, { "darkgray", 0xa9a9a9 },
	{ "darkgrey", 0xa9a9a9 }, { "dimgray", 0x696969 }, { "dimgrey", 0x696969 },
};

static struct color of_rgb(unsigned long rgb)
{
	return (struct color){ KNOWN, (int)(rgb >> 16 & 255), (int)(rgb >> 8 & 255), (int)(rgb & 255) };
}

/* #abc, #aabbcc */
static bool hex_color(struct slice s, struct color *out)
{
	char text[7] = { 0 };
	size_t n = s.len - 1;

	if (n != 3 && n != 6)
		return false;
	for (size_t i = 0; i < 6; i++) {
		text[i] = s.data[1 + (n == 3 ? i / 2 : i)];
		if (!strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	}
	*out = of_rgb(strtoul(text, NULL, 16));
	return true;
}

/* rgb(1, 2, 3) */
static bool rgb_color(struct slice s, struct color *out)
{
	char text[48], *p = text + 4, *end;
	long parts[3];

	if (s.len >= sizeof(text) || s.len < 10 || strncasecmp(s.data, "rgb(", 4) != 0)
		return false;
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	for (int i = 0; i < 3; i++) {
		parts[i] = strtol(p, &end, 10);
		if (end == p || parts[i] < 0 || parts[i] > 255)
			return false;
		p = end + strspn(end, " ,");
	}
	if (*p != ')')
		return false;
	*out = (struct color){ KNOWN, (int)parts[0], (int)parts[1], (int)parts[2] };
	return true;
}

static bool one_color(struct slice s, struct color *out)
{
	if (s.len && s.data[0] == '#')
		return hex_color(s, out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is_nocase(s, names[i].name)) {
			*out = of_rgb(names[i].rgb);
			return true;
		}
	return rgb_color(s, out);
}

void look_color(struct color *c, struct slice value)
{
	struct color found = { .known = UNKNOWN };

	value = slice_trim(value);
	if (slice_is_nocase(value, "inherit") || slice_is_nocase(value, "transparent") || value.len == 0)
		return;
	one_color(value, &found);
	*c = found;
}

/* `background`: a color among other things, as long as none of them is a picture. */
static void ground_of(struct color *ground, struct slice value)
{
	struct color found = { .known = UNKNOWN };
	size_t i = 0;

	if (slice_is_nocase(value, "none") || slice_is_nocase(value, "transparent") || slice_is_nocase(value, "inherit"))
		return;
	*ground = found;
	if (memchr(value.data, '(', value.len) && strncasecmp(value.data, "rgb(", 4) != 0)
		return;
	while (i < value.len) {
		size_t start = i;
		int open = 0;

		while (i < value.len && (value.data[i] != ' ' || open)) {
			open += (value.data[i] == '(') - (value.data[i] == ')');
			i++;
		}
		if (one_color((struct slice){ value.data + start, i - start }, &found)) {
			*ground = found;
			return;
		}
		i++;
	}
}

/* --- declarations ------------------------------------------------------------------------------------------------ */

struct declaration {
	struct slice property, value;
};

/* The next one; false at the end. */
static bool next_declaration(struct slice *style, struct declaration *out)
{
	while (style->len) {
		const char *end = memchr(style->data, ';', style->len);
		size_t n = end ? (size_t)(end - style->data) : style->len;
		struct slice one = slice_trim((struct slice){ style->data, n });
		const char *colon = one.len ? memchr(one.data, ':', one.len) : NULL, *mark;

		n += end != NULL;
		*style = (struct slice){ style->data + n, style->len - n };
		if (!colon)
			continue;
		out->property = slice_trim((struct slice){ one.data, (size_t)(colon - one.data) });
		out->value = slice_trim((struct slice){ colon + 1, one.len - (size_t)(colon + 1 - one.data) });
		mark = out->value.len ? memchr(out->value.data, '!', out->value.len) : NULL;
		if (mark)	/* !important */
			out->value = slice_trim((struct slice){ out->value.data, (size_t)(mark - out->value.data) });
		return true;
	}
	return false;
}

/* Pixels; 0 if it cannot be told. `whole` is what 100% is. */
static double length_of(struct slice value, double whole)
{
	char text[32], *unit;
	double n;

	if (value.len == 0 || value.len >= sizeof(text))
		return 0;
	memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	n = strtod(text, &unit);
	if (unit == text)
		return 0;
	if (strcasecmp(unit, "px") == 0)
		return n;
	if (strcasecmp(unit, "pt") == 0)
		return n * 4 / 3;
	if (strcasecmp(unit, "em") == 0)
		return n * whole;
	if (strcasecmp(unit, "rem") == 0)
		return n * 16;
	return *unit == '%' ? n / 100 * whole : 0;
}

static bool is_zero(struct slice value)
{
	return value.len && value.data[0] == '0' && (value.len == 1 || strchr("pe%", value.data[1]));
}

static void apply(struct look *l, const struct declaration *d)
{
	struct slice p = d->property, v = d->value;

	if (slice_is_nocase(p, "color")) {
		look_color(&l->text, v);
	} else if (slice_is_nocase(p, "background-color")) {
		look_color(&l->ground, v);
	} else if (slice_is_nocase(p, "background")) {
		ground_of(&l->ground, v);
	} else if (slice_is_nocase(p, "background-image") && !slice_is_nocase(v, "none")) {
		l->ground.known = UNKNOWN;
	} else if (slice_is_nocase(p, "font-size")) {
		l->hidden = l->hidden || is_zero(v);
		l->size = length_of(v, l->size);
	} else if (slice_is_nocase(p, "font")) {
		l->size = 0;
	} else if (slice_is_nocase(p, "font-weight")) {
		l->bold = slice_is_nocase(v, "bold") || slice_is_nocase(v, "bolder") || (v.len && v.data[0] >= '7' && v.data[0] <= '9');
	} else if (slice_is_nocase(p, "display") || slice_is_nocase(p, "visibility")) {
		l->hidden = l->hidden || slice_is_nocase(v, "none") || slice_is_nocase(v, "hidden");
	} else if (slice_is_nocase(p, "max-height") || slice_is_nocase(p, "opacity")) {
		l->hidden = l->hidden || is_zero(v);
	}
}

void look_style(struct look *l, struct slice style)
{
	struct declaration d;

	while (next_declaration(&style, &d))
		apply(l, &d);
}

bool look_has(struct slice style, const char *property)
{
	struct declaration d;

	while (next_declaration(&style, &d))
		if (slice_is_nocase(d.property, property))
			return true;
	return false;
}

void look_tag(struct look *l, const char *tag)
{
	static const double headings[] = { 32, 24, 18.72, 16, 13.28, 10.72 };

	if (tag[0] == 'h' && tag[1] >= '1' && tag[1] <= '6' && !tag[2]) {
		l->size = headings[tag[1] - '1'];
		l->bold = true;
	} else if (strcmp(tag, "b") == 0 || strcmp(tag, "strong") == 0 || strcmp(tag, "th") == 0) {
		l->bold = true;
	} else if (strcmp(tag, "a") == 0) {
		l->text.known = UNKNOWN;
	}
}

/* --- contrast ---------------------------------------------------------------------------------------------------- */

static double linear(int channel)
{
	double c = channel / 255.0;

	return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(const struct color *c)
{
	return 0.2126 * linear(c->r) + 0.7152 * linear(c->g) + 0.0722 * linear(c->b);
}

double look_contrast(const struct color *a, const struct color *b)
{
	double x = luminance(a), y = luminance(b);

	return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

bool look_is_large(const struct look *l)
{
	return l->size >= 24 || (l->bold && l->size >= 18.66);
}
