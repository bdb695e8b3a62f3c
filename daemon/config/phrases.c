/*
 * phrases.c: reading a persona's behaviour, word by word. A phrase that is wrong is complained about once, at the word, with what was meant.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/languages.h"

#include "keys.h"
#include "mails.h"
#include "phrases.h"
#include "scalar.h"

#define TEXT_MAX 4000
#define DELAY_MAX (3650 * US_DAY)
#define DAY_MAX 3650
#define MAILS_MAX 1000
#define LINKS_MAX 255

/* Where in the text the reading stands. */
struct reader {
	struct phrases *out;
	struct load *l;
	const struct yaml_node *node, *data;
	const char *text;
	size_t at;
	const char *form;	/* how the phrase at hand is written, for complaints */
	bool failed;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static void skip_blanks(struct reader *r)
{
	while (is_blank(r->text[r->at]))
		r->at++;
}

/* Up to a blank, a comma or a brace; empty at the end. */
static struct slice peek(struct reader *r)
{
	skip_blanks(r);
	return (struct slice){ r->text + r->at, strcspn(r->text + r->at, " \t\n,{") };
}

/* Once a phrase: what follows from the first mistake is none. */
static int wrong(struct reader *r, size_t at, const char *why)
{
	if (!r->failed)
		complain_inside(r->l, r->node, at, "%s; write it like: %s", why, r->form);
	r->failed = true;
	return -1;
}

static int wrong_word(struct reader *r)
{
	struct slice word = peek(r);
	size_t at = r->at;

	if (!word.len && *word.data)
		word.len = 1;	/* a comma or a brace */
	if (word.len)
		return wrong(r, at, arena_printf(r->l->scratch, "`%.*s` is not understood here", (int)word.len, word.data));
	while (at && is_blank(r->text[at - 1]))
		at--;
	return wrong(r, at ? at - 1 : 0, "the phrase ends too early");
}

static bool accept(struct reader *r, const char *word)
{
	struct slice next = peek(r);

	if (!slice_is_nocase(next, word))
		return false;
	r->at += next.len;
	return true;
}

static int expect(struct reader *r, const char *word)
{
	return accept(r, word) ? 0 : wrong_word(r);
}

/* --- words with a meaning ------------------------------------------------------------------------------------------- */

static bool at_quote(struct reader *r)
{
	skip_blanks(r);
	return r->text[r->at] == '"' || r->text[r->at] == '\'';
}

/* "..." or '...'; no escapes. */
static int read_text(struct reader *r, const char **out)
{
	const char *start, *end;

	if (!at_quote(r))
		return wrong_word(r);
	start = r->text + r->at + 1;
	end = strchr(start, start[-1]);
	if (!end)
		return wrong(r, r->at, "this quote is not closed");
	if (end - start > TEXT_MAX)
		return wrong(r, r->at, arena_printf(r->l->scratch, "this text has more than %d bytes", TEXT_MAX));
	*out = arena_strndup(r->l->arena, start, (size_t)(end - start));
	r->at = (size_t)(end - r->text) + 1;
	return 0;
}

static int read_number(struct reader *r, int least, int most, int *out)
{
	struct slice word = peek(r);
	int64_t n;
	struct err err;

	if (scalar_int(arena_strndup(r->l->scratch, word.data, word.len), &n, &err))
		return wrong_word(r);
	if (n < least || n > most)
		return wrong(r, r->at, arena_printf(r->l->scratch, "%lld is out of bounds; %d to %d are allowed", (long long)n, least, most));
	*out = (int)n;
	r->at += word.len;
	return 0;
}

/* "2h30m", or a number and its unit: "3 hours". */
static int read_duration(struct reader *r, int64_t *out)
{
	struct slice first = peek(r), second;
	size_t start = r->at;
	struct err err;
	char *text = arena_strndup(r->l->scratch, first.data, first.len);

	if (!first.len)
		return wrong_word(r);
	r->at += first.len;
	if (text_duration(text, out, &err)) {
		second = peek(r);
		text = arena_printf(r->l->scratch, "%s%s%.*s", text, second.len ? " " : "", (int)second.len, second.data);
		r->at += second.len;
		if (text_duration(text, out, &err))
			return wrong(r, start, arena_printf(r->l->scratch, "`%s` is no duration", text));
	}
	return *out > DELAY_MAX ? wrong(r, start, "that is more than ten years") : 0;
}

static int read_delay(struct reader *r, int64_t *out)
{
	*out = -1;
	return accept(r, "after") ? read_duration(r, out) : 0;
}

static int read_minute(struct reader *r, int *out)
{
	struct slice word = peek(r);
	struct err err;

	if (scalar_minute(arena_strndup(r->l->scratch, word.data, word.len), out, &err) || *out >= 24 * 60)
		return wrong_word(r);
	r->at += word.len;
	return 0;
}

/* --- dates ---------------------------------------------------------------------------------------------------------- */

/* Without a year, 29 February is one: some year has it. */
static bool is_date(const struct persona_date *d)
{
	char text[40];
	int64_t us;

	if (d->month < 1 || d->month > 12 || d->day < 1 || d->day > 31)
		return false;
	snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00Z", d->year ? d->year : 2000, d->month, d->day);
	return text_time_parse(text, &us) == 0;
}

bool phrases_is_date(const char *text, struct persona_date *out)
{
	struct persona_date d = { 0 };
	int n = 0;

	if (strspn(text, "0123456789-") != strlen(text) || sscanf(text, "%4d-%2d-%2d%n", &d.year, &d.month, &d.day, &n) != 3 || n != 10 || text[n] ||
			!d.year || !is_date(&d))
		return false;
	*out = d;
	return true;
}

static int month_of(struct slice word)
{
	static const char *const months[] = { "january", "february", "march", "april", "may", "june", "july", "august", "september",
		"october", "november", "december" };
	int i;

	for (i = 0; i < 12; i++)
		if (slice_is_nocase(word, months[i]) || (word.len == 3 && strncasecmp(word.data, months[i], 3) == 0))
			return i + 1;
	return 0;
}

/* "2", "2nd": a day of the month; 0 if it is none. */
static int day_of(struct slice word)
{
	static const char *const endings[] = { "", ".", "st", "nd", "rd", "th" };
	size_t n = 0, i;
	int day = 0;

	while (n < word.len && n < 2 && word.data[n] >= '0' && word.data[n] <= '9')
		day = day * 10 + (word.data[n++] - '0');
	for (i = 0; n && i < sizeof(endings) / sizeof(*endings); i++)
		if (slice_is_nocase((struct slice){ word.data + n, word.len - n }, endings[i]))
			return day;
	return 0;
}

/* A year may follow: four digits, and no time of day. */
static void read_year(struct reader *r, struct persona_date *out)
{
	struct slice word = peek(r);
	int64_t year;
	struct err err;

	if (word.len != 4 || scalar_int(arena_strndup(r->l->scratch, word.data, word.len), &year, &err) || year < 1970)
		return;
	out->year = (int)year;
	r->at += word.len;
}

static int read_date(struct reader *r, struct persona_date *out)
{
	struct slice word = peek(r), second;
	struct persona_date d = { 0 };
	size_t start = r->at;

	if (phrases_is_date(arena_strndup(r->l->scratch, word.data, word.len), out)) {
		r->at += word.len;
		return 0;
	}
	d.month = month_of(word);
	d.day = day_of(word);
	if (!d.month && !d.day)
		return wrong_word(r);
	r->at += word.len;
	second = peek(r);
	if (d.month)
		d.day = day_of(second);
	else
		d.month = month_of(second);
	if (!d.month || !d.day)
		return wrong_word(r);
	r->at += second.len;
	read_year(r, &d);
	if (!is_date(&d))
		return wrong(r, start, "there is no such day");
	*out = d;
	return 0;
}

/* --- which mails ------------------------------------------------------------------------------------------------------ */

static int ordinal(struct slice word)
{
	static const char *const names[] = { "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth" };
	size_t digits = 0, i;
	int n = 0;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_is_nocase(word, names[i]))
			return (int)i + 1;
	while (digits < word.len && digits < 4 && word.data[digits] >= '0' && word.data[digits] <= '9')
		n = n * 10 + (word.data[digits++] - '0');
	word = (struct slice){ word.data + digits, word.len - digits };
	return digits && n <= MAILS_MAX && (slice_is_nocase(word, "st") || slice_is_nocase(word, "nd") || slice_is_nocase(word, "rd") ||
			slice_is_nocase(word, "th")) ? n : 0;
}

static int read_counted(struct reader *r, struct which_mails *out)
{
	struct slice word = peek(r);

	out->number = ordinal(word);
	if (!out->number)
		return wrong_word(r);
	r->at += word.len;
	accept(r, "mail");
	return 0;
}

static int read_chance(struct reader *r, struct slice word, struct which_mails *out)
{
	if (text_double(arena_strndup(r->l->scratch, word.data, word.len - 1), &out->chance))
		return wrong_word(r);
	if (out->chance < 0 || out->chance > 100)
		return wrong(r, r->at, "a chance is 0% to 100%");
	out->chance /= 100;
	r->at += word.len;
	return 0;
}

/* By what steps call it: the versions of other languages go by that too. */
static int read_name(struct reader *r, struct slice word, struct which_mails *out)
{
	const char *name = arena_strndup(r->l->arena, word.data, word.len);
	const struct mail_template *mail = plan_mail(r->l->plan, name);
	struct err err;

	if (scalar_name(name, &err))
		return wrong_word(r);
	if (!mail) {
		complain_inside(r->l, r->node, r->at, "there is no mail `%s` in templates/emails/%s", name,
				keys_hint(r->l, name, mails_names(r->l)));
		r->failed = true;
		return -1;
	}
	out->name = name;
	r->at += word.len;
	return 0;
}

static int read_mails(struct reader *r, struct which_mails *out)
{
	struct slice word;

	if (accept(r, "the"))
		return read_counted(r, out);
	if (accept(r, "all")) {
		out->all = true;
		accept(r, "mails");
		return 0;
	}
	word = peek(r);
	if (word.len > 1 && word.data[word.len - 1] == '%')
		return read_chance(r, word, out);
	return word.len ? read_name(r, word, out) : wrong_word(r);
}

/* --- the phrases ------------------------------------------------------------------------------------------------------ */

/* on day 5 [at 09:30] | on DATE [at 09:30] | after MAILS [by 2 hours] */
static int read_when(struct reader *r, struct habit *h)
{
	h->minute = -1;
	if (accept(r, "after")) {
		h->when = WHEN_MAIL;
		if (read_mails(r, &h->mails))
			return -1;
		h->delay = -1;
		return accept(r, "by") ? read_duration(r, &h->delay) : 0;
	}
	if (expect(r, "on"))
		return -1;
	if (accept(r, "day")) {
		h->when = WHEN_DAY;
		if (read_number(r, 0, DAY_MAX, &h->day))
			return -1;
	} else {
		h->when = WHEN_DATE;
		if (read_date(r, &h->date))
			return -1;
	}
	return accept(r, "at") ? read_minute(r, &h->minute) : 0;
}

static int read_opens(struct reader *r, struct habit *h)
{
	return read_mails(r, &h->mails) || read_delay(r, &h->delay) ? -1 : 0;
}

static int read_clicks(struct reader *r, struct habit *h)
{
	h->link = 1;
	if (accept(r, "link") && (read_number(r, 1, LINKS_MAX, &h->link) || expect(r, "of")))
		return -1;
	return read_mails(r, &h->mails) || read_delay(r, &h->delay) ? -1 : 0;
}

static int read_replies(struct reader *r, struct habit *h)
{
	if (read_text(r, &h->text))
		return -1;
	accept(r, "to");
	return read_mails(r, &h->mails) || read_delay(r, &h->delay) ? -1 : 0;
}

static int read_unsubscribes(struct reader *r, struct habit *h)
{
	accept(r, "from");
	return read_mails(r, &h->mails) || read_delay(r, &h->delay) ? -1 : 0;
}

static int read_complains(struct reader *r, struct habit *h)
{
	accept(r, "about");
	return read_mails(r, &h->mails) || read_delay(r, &h->delay) ? -1 : 0;
}

static int read_bounces(struct reader *r, struct habit *h)
{
	h->soft = accept(r, "softly");
	accept(r, "on");
	h->delay = -1;
	return read_mails(r, &h->mails);
}

static int read_visits(struct reader *r, struct habit *h)
{
	struct slice path = peek(r);

	if (!path.len || path.data[0] != '/')
		return path.len ? wrong(r, r->at, arena_printf(r->l->scratch, "`%.*s` is no path, which begins with /", (int)path.len,
				path.data)) : wrong_word(r);
	h->text = arena_strndup(r->l->arena, path.data, path.len);
	r->at += path.len;
	return read_when(r, h);
}

/* Behind the phrase, in braces: what of the text is left, as YAML of its own. */
static int read_braces(struct reader *r, struct habit *h)
{
	const char *open = r->text + r->at, *end = strchr(open, '}');
	struct complaints unseen;
	const struct yaml_node *map;

	if (!end)
		return wrong(r, r->at, "this brace is not closed");
	complaints_init(&unseen, r->l->scratch);
	map = yaml_parse(&unseen, source_of(&unseen, "", arena_strndup(r->l->scratch, open, (size_t)(end - open) + 1), (size_t)(end - open) + 1));
	complaints_clear(&unseen);
	if (!map || map->kind != YAML_MAP)
		return wrong(r, r->at, "what stands in the braces is no list of `name: value`");
	h->data = phrases_data(r->l, map);
	r->at += (size_t)(end - open) + 1;
	return 0;
}

static int read_does(struct reader *r, struct habit *h)
{
	struct slice word = peek(r);
	struct err err;

	h->text = arena_strndup(r->l->arena, word.data, word.len);
	if (!word.len)
		return wrong_word(r);
	if (scalar_name(h->text, &err) || strchr(h->text, '-') || word.len > 64)
		return wrong(r, r->at, arena_printf(r->l->scratch, "`%s` is no name of an event: letters, digits and _", h->text));
	r->at += word.len;
	if (at_quote(r) && read_text(r, &h->subject))
		return -1;
	if (read_when(r, h))
		return -1;
	skip_blanks(r);
	return r->text[r->at] == '{' ? read_braces(r, h) : 0;
}

static int read_topic(struct reader *r, const char **out)
{
	struct slice word = peek(r);
	const char *name = arena_strndup(r->l->arena, word.data, word.len);
	const char **names = arena_calloc(r->l->scratch, r->l->plan->topic_count + 1, sizeof(*names));
	size_t i;

	if (!word.len)
		return wrong_word(r);
	for (i = 0; i < r->l->plan->topic_count; i++)
		names[i] = r->l->plan->topics[i].name;
	if (!plan_topic(r->l->plan, name)) {
		complain_inside(r->l, r->node, r->at, "there is no topic `%s` in nurture.yaml%s", name, keys_hint(r->l, name, names));
		r->failed = true;
		return -1;
	}
	*out = name;
	r->at += word.len;
	return 0;
}

static int read_topics(struct reader *r, struct habit_preference *p)
{
	size_t n = 0;

	p->topics = arena_calloc(r->l->arena, r->l->plan->topic_count + 1, sizeof(*p->topics));
	do {
		if (n == r->l->plan->topic_count)
			return wrong(r, r->at, "there are not so many topics");
		if (read_topic(r, &p->topics[n++]))
			return -1;
	} while (accept(r, "and"));
	return 0;
}

static int read_limit(struct reader *r, struct habit_preference *p)
{
	return expect(r, "most") || read_number(r, 1, 1000, &p->count) || expect(r, "per") || read_duration(r, &p->within) ? -1 : 0;
}

static int read_language(struct reader *r, struct habit_preference *p)
{
	struct slice word = peek(r);

	p->language = arena_strndup(r->l->arena, word.data, word.len);
	if (!languages_valid(p->language))
		return wrong_word(r);
	r->at += word.len;
	return 0;
}

static int read_preference(struct reader *r, struct habit_preference *p)
{
	if (accept(r, "only") || accept(r, "without")) {
		p->kind = r->text[r->at - 1] == 'y' || r->text[r->at - 1] == 'Y' ? PREFER_ONLY : PREFER_WITHOUT;
		return read_topics(r, p);
	}
	if (accept(r, "at")) {
		p->kind = PREFER_AT_MOST;
		return read_limit(r, p);
	}
	if (accept(r, "language")) {
		p->kind = PREFER_LANGUAGE;
		return read_language(r, p);
	}
	p->kind = PREFER_PAUSE;
	return expect(r, "a") || expect(r, "pause") || expect(r, "of") || read_duration(r, &p->within) ? -1 : 0;
}

static int read_prefers(struct reader *r, struct habit *h)
{
	size_t start, end;

	skip_blanks(r);
	start = r->at;
	if (read_preference(r, &h->preference))
		return -1;
	end = r->at;
	while (end > start && is_blank(r->text[end - 1]))
		end--;
	h->text = arena_strndup(r->l->arena, r->text + start, end - start);
	return read_when(r, h);
}

static int read_away(struct reader *r, struct habit *h)
{
	if (expect(r, "of") || expect(r, "office"))
		return -1;
	if (accept(r, "from") && read_date(r, &h->from))
		return -1;
	if (!accept(r, "till") && !accept(r, "until"))
		return wrong_word(r);
	return read_date(r, &h->date);
}

static int read_confirms(struct reader *r, struct habit *h)
{
	struct phrases *p = r->out;

	p->confirm_said = true;
	p->confirms = !accept(r, "never");
	return p->confirms ? expect(r, "after") || read_duration(r, &p->confirm_delay) ? -1 : 0 : 0;
}

static int read_sales(struct reader *r, struct habit *h)
{
	struct slice word;

	if (accept(r, "accepts")) {
		h->verb = HABIT_SALES_ACCEPTS;
	} else if (accept(r, "rejects") || accept(r, "loses")) {
		h->verb = r->text[r->at - 2] == 't' ? HABIT_SALES_REJECTS : HABIT_SALES_LOSES;
		if (at_quote(r) && read_text(r, &h->text))
			return -1;
	} else if (accept(r, "wins")) {
		h->verb = HABIT_SALES_WINS;
		word = peek(r);
		if (word.len && text_double(arena_strndup(r->l->scratch, word.data, word.len), &h->amount) == 0)
			r->at += word.len;
	} else {
		return wrong_word(r);
	}
	return read_delay(r, &h->delay);
}

static const struct phrase_form {
	const char *word;
	enum habit_verb verb;
	int (*read)(struct reader *r, struct habit *h);
	const char *form;
} forms[] = {
	{ "opens", HABIT_OPENS, read_opens, "opens all after 2 hours (all, the second, a mail's name, or 40%)" },
	{ "clicks", HABIT_CLICKS, read_clicks, "clicks the second after 3 hours (all, the second, a mail's name, or 10%)" },
	{ "replies", HABIT_REPLIES, read_replies, "replies \"not now\" to the second after 3 days" },
	{ "unsubscribes", HABIT_UNSUBSCRIBES, read_unsubscribes, "unsubscribes from the fifth after 1 hour" },
	{ "complains", HABIT_COMPLAINS, read_complains, "complains about the second after 1 hour" },
	{ "bounces", HABIT_BOUNCES, read_bounces, "bounces on the first (or: bounces softly on the first)" },
	{ "visits", HABIT_VISITS, read_visits, "visits /pricing on day 5 (or: on 2 June at 14:30; or: after the second by 2 hours)" },
	{ "does", HABIT_DOES, read_does, "does purchase on day 20 {amount: 1200} (or: on 2 June at 14:30; or: after the second by 2 hours)" },
	{ "prefers", HABIT_PREFERS, read_prefers, "prefers only guides and offers on day 5 (or: without guides; at most 1 per 7 days; a pause of 30 days; language de)" },
	{ "out", HABIT_AWAY, read_away, "out of office till 2 June (or: from 20 May till 2 June)" },
	{ "confirms", HABIT_OPENS, read_confirms, "confirms never (or: confirms after 2 days)" },
	{ "sales", HABIT_SALES_ACCEPTS, read_sales, "sales accepts after 1 hour (or: rejects \"no budget\"; wins 12000; loses \"too dear\")" },
};

#define FORMS (sizeof(forms) / sizeof(*forms))

static const struct phrase_form *find_form(struct reader *r)
{
	const char *names[FORMS + 1] = { NULL };
	struct slice word = peek(r);
	size_t i;

	for (i = 0; i < FORMS; i++) {
		names[i] = forms[i].word;
		if (accept(r, forms[i].word))
			return &forms[i];
	}
	complain_inside(r->l, r->node, r->at, "no phrase begins with `%.*s`%s", (int)word.len, word.data,
			keys_hint(r->l, arena_strndup(r->l->scratch, word.data, word.len), names));
	r->failed = true;
	return NULL;
}

static void read_phrase(struct reader *r)
{
	const struct phrase_form *form = find_form(r);
	struct phrases *p = r->out;
	struct habit h = { .text = "", .subject = "", .data = "{}", .delay = -1, .minute = -1 };

	if (!form)
		return;
	r->form = form->form;
	h.verb = form->verb;
	if (form->read(r, &h))
		return;
	if (!peek(r).len && r->text[r->at] != '{') {	/* a comma, or the end */
		if (form->read == read_confirms)
			return;
		if (p->count < HABITS_MAX)
			p->habits[p->count++] = h;
		return;
	}
	wrong_word(r);
}

/* The mapping behind `does EVENT WHEN:` */
static void take_data(struct reader *r)
{
	struct phrases *p = r->out;

	if (!p->count || p->habits[p->count - 1].verb != HABIT_DOES)
		complain(r->l, r->data, "only `does EVENT on day N` has data behind it");
	else
		p->habits[p->count - 1].data = phrases_data(r->l, r->data);
}

void phrases_read(struct phrases *p, const struct yaml_node *node, const struct yaml_node *data)
{
	struct reader r = { .out = p, .l = p->load, .node = node, .data = data, .text = node->text };

	if (strlen(node->text) != node->len) {
		complain(p->load, node, "there is a NUL in it; take it out");
		return;
	}
	do {
		if (p->count == HABITS_MAX) {
			complain_inside(p->load, node, r.at, "more than %d phrases; a person of fewer habits will do", HABITS_MAX);
			return;
		}
		read_phrase(&r);
		skip_blanks(&r);
	} while (!r.failed && r.text[r.at] == ',' && r.at++ < node->len);
	if (data && !r.failed)
		take_data(&r);
}

/* --- data --------------------------------------------------------------------------------------------------------------- */

static void data_json(const struct yaml_node *n, struct buf *out)
{
	double number;
	size_t i;

	switch (n->kind) {
	case YAML_TEXT:
		if (n->quoting == YAML_BARE && text_double(n->text, &number) == 0)
			buf_printf(out, "%.15g", number);
		else if (n->quoting == YAML_BARE && (strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0 || strcmp(n->text, "null") == 0))
			buf_str(out, n->text);
		else
			text_json(out, n->text, n->len);
		return;
	case YAML_LIST:
	case YAML_MAP:
		buf_char(out, n->kind == YAML_MAP ? '{' : '[');
		for (i = 0; i < n->count; i++) {
			if (i)
				buf_char(out, ',');
			if (n->kind == YAML_MAP) {
				text_json(out, n->keys[i]->text, n->keys[i]->len);
				buf_char(out, ':');
			}
			data_json(n->items[i], out);
		}
		buf_char(out, n->kind == YAML_MAP ? '}' : ']');
		return;
	}
}

const char *phrases_data(struct load *l, const struct yaml_node *map)
{
	struct buf out = BUF_INIT;
	const char *text;

	data_json(map, &out);
	text = arena_strdup(l->arena, buf_cstr(&out));
	buf_clear(&out);
	return text;
}
