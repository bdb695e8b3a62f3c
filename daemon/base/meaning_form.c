/* meaning_form.c: see meaning_form.h. */
#include <string.h>

#include "base/meaning_form.h"

#define MARKS "!=~|>,."

/* Takes the next word; false: there is none. */
static bool next_word(const char **s, struct slice *word)
{
	*s += strspn(*s, " ");
	*word = (struct slice){ *s, strcspn(*s, " ") };
	*s += word->len;
	return word->len > 0;
}

static bool take_order(struct slice word, enum form_order *order)
{
	if (slice_is(word, ">"))
		*order = FORM_BEHIND;
	else if (slice_is(word, ">>"))
		*order = FORM_CLOSE;
	else if (slice_is(word, ","))
		*order = FORM_NEXT_CLAUSE;
	else
		return false;
	return true;
}

static int check_names(struct slice word, struct slice names, struct err *err)
{
	for (size_t i = 0; i < names.len; i++) {
		if (!strchr(MARKS, names.data[i]))
			continue;
		if (strchr(">,.", names.data[i]))
			return err_set(err, "`%.*s`: put a space on both sides of `%c`", (int)word.len, word.data, names.data[i]);
		if (names.data[i] == '!')
			return err_set(err, "`%.*s`: one `!` stands before the first of its meanings, and is for all of them", (int)word.len, word.data);
		return err_set(err, "`%.*s`: `%c` stands at the start of a form, or behind its full stop", (int)word.len, word.data, names.data[i]);
	}
	for (size_t i = 0; i <= names.len; i++)
		if ((i == 0 || names.data[i - 1] == '/') && (i == names.len || names.data[i] == '/'))
			return err_set(err, "`%.*s`: a meaning is missing; `/` stands between two, `!` before one", (int)word.len, word.data);
	return 0;
}

static int add_item(struct form_part *p, struct slice word, enum form_order order, struct err *err)
{
	bool absent = word.data[0] == '!';
	struct slice names = { word.data + absent, word.len - absent };

	if (check_names(word, names, err) < 0)
		return -1;
	if (absent && order != FORM_ANY)
		return err_set(err, "`%.*s` may be nowhere in the clause; put no `>` and no `,` before it", (int)word.len, word.data);
	if (p->count == FORM_ITEMS)
		return err_set(err, "`%.*s`: more than %d words of a form are not looked for; make two forms of it", (int)word.len, word.data, FORM_ITEMS);
	p->items[p->count++] = (struct form_item){ names, order, absent };
	return 0;
}

static enum form_extent take_extent(const char **s)
{
	enum form_extent extent = FORM_AMONG;

	*s += strspn(*s, " ");
	if ((*s)[0] == '=' && (*s)[1] == '=')
		extent = FORM_TEXT;
	else if (**s == '=')
		extent = FORM_SENTENCE;
	else if (**s == '~')
		extent = FORM_LOOSE;
	else if (**s == '|')
		extent = FORM_CLAUSE;
	*s += (extent != FORM_AMONG) + (extent == FORM_TEXT);
	return extent;
}

/* Is there a meaning that must be there? Else it would be found in each text. */
static bool has_word(const struct form_part *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->items[i].absent)
			return true;
	return false;
}

/* Up to the full stop that ends it; stop_out: there was one. */
static int read_part(const char **s, struct form_part *p, bool *stop_out, struct err *err)
{
	enum form_order order = FORM_ANY;
	struct slice word;

	*p = (struct form_part){ .extent = take_extent(s) };
	*stop_out = false;
	while (!*stop_out && next_word(s, &word)) {
		enum form_order before = order;

		if (slice_is(word, ".")) {
			*stop_out = true;
		} else if (!take_order(word, &order)) {
			if (add_item(p, word, order, err) < 0)
				return -1;
			order = FORM_ANY;
		} else if (!has_word(p) || before != FORM_ANY) {
			return err_set(err, "`%.*s` stands between two meanings; write `a %.*s b`", (int)word.len, word.data, (int)word.len, word.data);
		}
	}
	if (order != FORM_ANY)
		return err_set(err, "a meaning is missing behind the last `>` or `,`; write `a > b`");
	if (!has_word(p))
		return err_set(err, p->count ? "only what may not be there is named; put a meaning that must be before it, as in `remove !thing`"
					     : "a meaning is missing; a form is meanings, as in `remove me`, and `.` stands between two of them");
	return 0;
}

int meaning_form_parse(const char *text, struct meaning_form *out, struct err *err)
{
	struct meaning_form f = { .count = 0 };
	bool stop = true;

	while (stop) {
		if (f.count == FORM_PARTS)
			return err_set(err, "`.` may be once in a form; make two forms of it");
		if (read_part(&text, &f.parts[f.count++], &stop, err) < 0)
			return -1;
	}
	*out = f;
	return 0;
}

bool form_next_meaning(struct slice *names, struct slice *name_out)
{
	const char *slash = names->len ? memchr(names->data, '/', names->len) : NULL;

	*name_out = slash ? (struct slice){ names->data, (size_t)(slash - names->data) } : *names;
	names->data += name_out->len + (slash != NULL);
	names->len -= name_out->len + (slash != NULL);
	return name_out->len > 0;
}
