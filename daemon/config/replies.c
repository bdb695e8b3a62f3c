/*
 * replies.c: replies.yaml: which words want what, and what follows. The shipped file is in the program, put there by
 * the assembler, so that what is built in and what is shipped are one.
 *
 * Patterns are written for people: a space stands for any white space, {name} for an entry of `words`, and whole words
 * are meant. What the intake gets is plain PCRE2. Forms and vocabulary go to it as they are; here it is checked that each
 * meaning has words.
 */
#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/meaning_form.h"
#include "base/patterns.h"

#include "replies.h"

#define PATTERN_MAX (64 * 1024)
#define DEEP 8		/* words that name words */

/* the path is the compiler's working directory's: make runs at the top of the tree */
__asm__(
	".section .rodata\n"
	".global replies_shipped\n.type replies_shipped, @object\n"
	"replies_shipped:\n.incbin \"conf/replies.yaml\"\n"
	".global replies_shipped_end\n.type replies_shipped_end, @object\n"
	"replies_shipped_end:\n.byte 0\n"
	".previous\n");

extern const char replies_shipped[], replies_shipped_end[];

/* The order of enum reply_action. */
static const char *const actions[] = { "unsubscribe", "suppress", "task", "hot", "stop", "pause", "review", "go_on", NULL };
static const char *const no_yes[] = { "false", "true", NULL };

struct intent_keys {
	const char *name;
	int then, alone;
	int64_t pause;
	const struct yaml_node *over, *say, *unless, *means, *but_not;
	double weight, like, unlike;
};

static const struct key intent_keys[] = {
	{ ROW(KEY_NAME, intent_keys, name), .required = true, .help = "what conditions and templates call it: `intent == \"pricing\"`" },
	{ ROW(KEY_CHOICE, intent_keys, then), .required = true, .choices = actions,
		.help = "what follows where it leads: unsubscribe (never mailed again), suppress (the same, and a task for the owner), task (sequences stop, "
			"the owner gets a task), hot (sequences stop; `hot` of sales.yaml decides), stop (sequences stop, it is forwarded), pause (until the day "
			"that is named, else for `pause`), review (sequences pause for `pause`, it is forwarded), go_on (nothing stops)" },
	{ ROW(KEY_DURATION, intent_keys, pause), .fallback = "90 days", .least = US_DAY, .most = 730 * US_DAY,
		.help = "pause and review: for how long where no day is named" },
	{ ROW(KEY_REAL, intent_keys, weight), .fallback = "1", .least = 0, .most = 1,
		.help = "the confidence is multiplied by it" },
	{ ROW(KEY_REAL, intent_keys, like), .fallback = "9", .fallback_help = "never", .least = -9, .most = 9,
		.help = "found, too, where no form or pattern is, in a text that is so much like those of people who want no more mails. Beyond 1 and -1 it is clear "
			"whether it is like them; `nurturectl reply test` shows how much, and by which words" },
	{ ROW(KEY_REAL, intent_keys, unlike), .fallback = "-9", .fallback_help = "never", .least = -9, .most = 9,
		.help = "not found, whatever form or pattern is there, in a text that is less like them than this. What you wrote yourself, and the shipped file does not have, "
			"counts all the same" },
	{ ROW(KEY_LIST, intent_keys, over), .fallback_help = "none",
		.help = "intents further up that it leads over where both are found" },
	{ ROW(KEY_CHOICE, intent_keys, alone), .fallback = "false", .choices = no_yes, .help = "counts only where nothing above it was found" },
	{ ROW(KEY_LIST, intent_keys, means), .fallback_help = "none", .help = "forms of meanings of the `vocabulary`; one that is found is enough" },
	{ ROW(KEY_LIST, intent_keys, but_not), .fallback_help = "none", .help = "forms that take back what is found in the same clause" },
	{ ROW(KEY_LIST, intent_keys, say), .fallback_help = "none", .help = "patterns; one that matches is enough. Each intent has `say` or `means`" },
	{ ROW(KEY_LIST, intent_keys, unless), .fallback_help = "none",
		.help = "patterns that take a match back which is in the same sentence" },
	NO_KEY,
};
static const struct key_table intent_table = { "an intent", "What somebody wants who answers. The first that is found leads.", intent_keys };

struct confidence_keys {
	double line, order, word;
};

static const struct key confidence_keys[] = {
	{ ROW(KEY_REAL, confidence_keys, line), .fallback = "0.95", .least = 0, .most = 1, .help = "a whole line says it" },
	{ ROW(KEY_REAL, confidence_keys, order), .fallback = "0.85", .least = 0, .most = 1, .help = "an order, a question, or \"I\" and \"we\"" },
	{ ROW(KEY_REAL, confidence_keys, word), .fallback = "0.6", .least = 0, .most = 1, .help = "words among others" },
	NO_KEY,
};
static const struct key_table confidence_table = { "confidence", "How sure a match is, by where it stands.", confidence_keys };

struct replies_keys {
	const struct yaml_node *confidence, *words, *vocabulary, *intents;
	int64_t hold_company;
	int long_text, many;
};

static const struct key replies_keys[] = {
	{ ROW(KEY_DURATION, replies_keys, hold_company), .fallback = "0 days", .least = 0, .most = 365 * US_DAY,
		.help = "when somebody becomes hot, how long people of the same company (by their domain, free mail left out) get no mails of sequences; "
			"0 seconds: no matter" },
	{ ROW(KEY_MAP, replies_keys, confidence), .table = &confidence_table, .help = "how sure a match is" },
	{ ROW(KEY_INT, replies_keys, long_text), .fallback = "1500", .least = 100, .most = 65536,
		.help = "bytes of new text above which somebody reads it, whatever it says" },
	{ ROW(KEY_INT, replies_keys, many), .fallback = "3", .least = 1, .most = 16, .help = "more intents than that in one reply: somebody reads it" },
	{ ROW(KEY_OTHERS, replies_keys, words), .fallback_help = "none", .help = "parts of patterns by name, to be used as {name}" },
	{ ROW(KEY_OTHERS, replies_keys, vocabulary), .fallback_help = "none", .help = "for each language (or `all`) which words mean what, for the forms" },
	{ ROW(KEY_LIST, replies_keys, intents), .required = true, .table = &intent_table, .help = "from the strongest to the weakest" },
	NO_KEY,
};
const struct key_table replies_table = { "replies.yaml", "What people want who answer, and what follows. Without this file the shipped one holds.",
	replies_keys };

/* --- patterns ------------------------------------------------------------------------------------------------------ */

struct writing {
	struct load *l;
	const struct yaml_node *words, *node;
	struct buf out;
	int behind;	/* depth of ( where a look-behind began; 0: none. Their length must be fixed */
	int depth;
	bool in_class, failed;
};

static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!islower((unsigned char)s[i]) && s[i] != '_')
			return false;
	return n > 0;
}

static void write_pattern(struct writing *w, const char *s, int deep);

/* Is "{name}" at s? How long it is then; 0: no, a quantifier. */
static size_t write_word(struct writing *w, const char *s, int deep)
{
	const char *end = strchr(s, '}');
	size_t n = end ? (size_t)(end - s - 1) : 0;
	const struct yaml_node *word;
	char *name;

	if (!end || !is_name(s + 1, n))
		return 0;
	name = arena_strndup(w->l->scratch, s + 1, n);
	word = w->words ? yaml_get(w->words, name) : NULL;
	if (!word || word->kind != YAML_TEXT || deep == DEEP) {
		if (!w->failed)
			complain(w->l, w->node, "`{%s}` is no entry of `words`%s", name, deep == DEEP ? " that ends" : "; name it there, or write \\{ for the brace");
		w->failed = true;
	} else {
		write_pattern(w, word->text, deep + 1);
	}
	return n + 2;
}

static void write_pattern(struct writing *w, const char *s, int deep)
{
	while (*s && !w->failed && w->out.len < PATTERN_MAX) {
		size_t word;

		if (*s == '\\' && s[1]) {
			buf_add(&w->out, s, 2);
			s += 2;
			continue;
		}
		if (*s == '[' && !w->in_class)
			w->in_class = true;
		else if (*s == ']')
			w->in_class = false;
		if (w->in_class) {
			buf_char(&w->out, *s++);
			if (s[-1] == '[' && (*s == ']' || (*s == '^' && s[1] == ']')))	/* the first ] is a character */
				buf_char(&w->out, *s++);
			continue;
		}
		w->depth += *s == '(' ? 1 : *s == ')' ? -1 : 0;
		if (!w->behind && (!strncmp(s, "(?<!", 4) || !strncmp(s, "(?<=", 4)))
			w->behind = w->depth;
		else if (w->behind && w->depth < w->behind)
			w->behind = 0;
		word = *s == '{' ? write_word(w, s, deep) : 0;
		if (word) {
			s += word;
			continue;
		}
		if (*s == ' ')
			buf_str(&w->out, w->behind || s[1] == '?' || s[1] == '*' || s[1] == '+' ? "\\s" : "\\s+");
		else
			buf_char(&w->out, *s);
		s++;
	}
}

/* Chinese, Japanese and Korean are written without spaces. */
static bool is_spaceless(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0xe3 && (unsigned char)*s <= 0xed)
			return true;
	return false;
}

/* NULL after a complaint. */
static const char *pattern(struct load *l, const struct yaml_node *words, const struct yaml_node *node, bool check)
{
	struct writing w = { .l = l, .words = words, .node = node };
	const char *text = NULL;
	struct err err;

	if (!keys_expect(l, node, YAML_TEXT, "a pattern"))
		return NULL;
	write_pattern(&w, node->text, 0);
	if (!w.failed)
		text = is_spaceless(node->text) ? arena_strndup(l->arena, buf_cstr(&w.out), w.out.len)
						: arena_printf(l->arena, "(?<!\\w)(?:%s)(?!\\w)", buf_cstr(&w.out));
	buf_clear(&w.out);
	if (text && check && pattern_check(text, &err)) {
		complain(l, node, "this pattern does not compile: %s", err.text);
		return NULL;
	}
	return text;
}

static const char *const *patterns(struct load *l, const struct yaml_node *words, const struct yaml_node *list, bool check)
{
	size_t n = list ? list->count : 0, count = 0;
	const char **out = arena_calloc(l->arena, n + 1, sizeof(*out));

	for (size_t i = 0; i < n; i++) {
		out[count] = pattern(l, words, list->items[i], check);
		count += out[count] != NULL;
	}
	return out;
}

/* --- forms --------------------------------------------------------------------------------------------------------- */

/* Does a language have words for it? */
static bool is_meaning(const struct yaml_node *vocabulary, const char *name, size_t n)
{
	for (size_t i = 0; vocabulary && i < vocabulary->count; i++) {
		const struct yaml_node *language = vocabulary->items[i];

		for (size_t k = 0; language->kind == YAML_MAP && k < language->count; k++)
			if (slice_is((struct slice){ name, n }, language->keys[k]->text))
				return true;
	}
	return false;
}

static void check_item(struct load *l, const struct yaml_node *vocabulary, const struct yaml_node *node, struct slice names)
{
	struct slice name;

	while (form_next_meaning(&names, &name))
		if (!is_meaning(vocabulary, name.data, name.len))
			complain(l, node, "`%.*s` is no meaning of the `vocabulary`; give it words there", (int)name.len, name.data);
}

static bool check_form(struct load *l, const struct yaml_node *vocabulary, const struct yaml_node *node)
{
	struct meaning_form form;
	struct err err;

	if (meaning_form_parse(node->text, &form, &err) < 0) {
		complain(l, node, "%s", err.text);
		return false;
	}
	for (size_t i = 0; i < form.count; i++)
		for (size_t k = 0; k < form.parts[i].count; k++)
			check_item(l, vocabulary, node, form.parts[i].items[k].names);
	return true;
}

static const char *const *forms(struct load *l, const struct yaml_node *vocabulary, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0, count = 0;
	const char **out = arena_calloc(l->arena, n + 1, sizeof(*out));

	for (size_t i = 0; i < n; i++) {
		if (!keys_expect(l, list->items[i], YAML_TEXT, "a form such as `remove me`"))
			continue;
		if (check_form(l, vocabulary, list->items[i]))
			out[count++] = arena_strdup(l->arena, list->items[i]->text);
	}
	return out;
}

static size_t meanings(const struct replies *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->vocabulary_count; i++) {
		size_t k = 0;

		while (strcmp(r->vocabulary[k].meaning, r->vocabulary[i].meaning))
			k++;
		n += k == i;
	}
	return n;
}

static void load_vocabulary(struct load *l, const struct yaml_node *vocabulary)
{
	struct replies *r = &l->plan->replies;
	struct word_list *list;
	size_t n = 0;

	for (size_t i = 0; vocabulary && i < vocabulary->count; i++)
		n += keys_expect(l, vocabulary->items[i], YAML_MAP, "what words of this language mean") ? vocabulary->items[i]->count : 0;
	list = arena_calloc(l->arena, n + 1, sizeof(*list));
	r->vocabulary = list;
	for (size_t i = 0; vocabulary && i < vocabulary->count; i++) {
		const struct yaml_node *language = vocabulary->items[i];

		for (size_t k = 0; language->kind == YAML_MAP && k < language->count; k++) {
			if (!keys_expect(l, language->items[k], YAML_TEXT, "words, with spaces between them"))
				continue;
			list[r->vocabulary_count++] = (struct word_list){ arena_strdup(l->arena, vocabulary->keys[i]->text),
				arena_strdup(l->arena, language->keys[k]->text), arena_strdup(l->arena, language->items[k]->text) };
		}
	}
	if (meanings(r) > REPLIES_MEANINGS)
		complain(l, vocabulary, "there are more than %d meanings in `vocabulary`; give those that no form names to others", REPLIES_MEANINGS);
}

/* --- the file ------------------------------------------------------------------------------------------------------ */

static bool is_taken(const struct replies *r, size_t before, const char *name)
{
	for (size_t i = 0; i < before; i++)
		if (!strcmp(r->intents[i].name, name))
			return true;
	return !strcmp(name, "other");
}

/* The list of that name in the shipped intent of that name; NULL: there is none. */
static const struct yaml_node *shipped_list(const struct yaml_node *shipped, const char *intent, const char *list)
{
	const struct yaml_node *intents = shipped ? yaml_get(shipped, "intents") : NULL;

	for (size_t i = 0; intents && i < intents->count; i++) {
		const struct yaml_node *name = yaml_get(intents->items[i], "name");

		if (name && !strcmp(name->text, intent))
			return yaml_get(intents->items[i], list);
	}
	return NULL;
}

static bool has_text(const struct yaml_node *list, const char *text)
{
	for (size_t i = 0; list && i < list->count; i++)
		if (list->items[i]->kind == YAML_TEXT && !strcmp(list->items[i]->text, text))
			return true;
	return false;
}

/* Of the list, what the operator wrote: what the shipped one does not have. NULL: nothing, as all of it is shipped. */
static const struct yaml_node *own_of(struct load *l, const struct yaml_node *list, const struct yaml_node *shipped)
{
	struct yaml_node *own = arena_calloc(l->scratch, 1, sizeof(*own));

	if (!list)
		return NULL;
	*own = *list;
	own->items = arena_calloc(l->scratch, list->count + 1, sizeof(*own->items));
	own->count = 0;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->kind == YAML_TEXT && !has_text(shipped, list->items[i]->text))
			own->items[own->count++] = list->items[i];
	return own;
}

static void load_own(struct load *l, const struct replies_keys *all, const struct intent_keys *keys, const struct yaml_node *shipped,
	struct reply_intent *intent)
{
	const struct yaml_node *say = NULL, *means = NULL;

	if (shipped) {
		say = own_of(l, keys->say, shipped_list(shipped, intent->name, "say"));
		means = own_of(l, keys->means, shipped_list(shipped, intent->name, "means"));
	}
	intent->own_say = patterns(l, all->words, say, false);
	intent->own_means = forms(l, all->vocabulary, means);
}

/* `shipped`: the file that comes with the program, where this is another one; else NULL. */
static void load_intent(struct load *l, const struct replies_keys *all, size_t i, struct reply_intent *intent, const struct yaml_node *shipped)
{
	bool check = shipped != NULL;
	const struct yaml_node *map = all->intents->items[i];
	struct intent_keys keys = { 0 };
	const char **over;

	keys_read(l, map, &intent_table, &keys);
	*intent = (struct reply_intent){
		.name = keys.name ? keys.name : "", .action = (enum reply_action)keys.then, .pause = keys.pause, .weight = keys.weight, .like = keys.like, .unlike = keys.unlike, .alone = keys.alone == 1,
		.means = forms(l, all->vocabulary, keys.means), .but_not = forms(l, all->vocabulary, keys.but_not),
		.say = patterns(l, all->words, keys.say, check), .unless = patterns(l, all->words, keys.unless, check),
	};
	if (!keys.say && !keys.means)
		complain(l, map, "`say` is missing in an intent; it is patterns; one that matches is enough");
	if (is_taken(&l->plan->replies, i, intent->name))
		complain(l, yaml_get(map, "name"), !strcmp(intent->name, "other") ? "`%s` is what is none of these; give it another name"
			: "there are two intents `%s`; each has a name of its own", intent->name);
	over = arena_calloc(l->arena, keys.over ? keys.over->count + 1 : 1, sizeof(*over));
	for (size_t k = 0; keys.over && k < keys.over->count; k++)
		over[k] = keys.over->items[k]->kind == YAML_TEXT ? arena_strdup(l->arena, keys.over->items[k]->text) : "";
	intent->over = over;
	load_own(l, all, &keys, shipped, intent);
}

static void check_over(struct load *l, const struct yaml_node *intents)
{
	const struct replies *r = &l->plan->replies;

	for (size_t i = 0; i < r->intent_count; i++) {
		const struct yaml_node *list = yaml_get(intents->items[i], "over");

		for (size_t k = 0; list && list->kind == YAML_LIST && k < list->count; k++) {
			size_t n = 0;

			while (n < r->intent_count && strcmp(r->intents[n].name, r->intents[i].over[k]))
				n++;
			if (n == r->intent_count)
				complain(l, list->items[k], "there is no intent `%s`%s", r->intents[i].over[k],
					keys_hint(l, r->intents[i].over[k], r->names));
		}
	}
}

static void load_intents(struct load *l, const struct replies_keys *keys, const struct yaml_node *shipped)
{
	struct replies *r = &l->plan->replies;
	size_t n = keys->intents ? keys->intents->count : 0;
	struct reply_intent *intents = arena_calloc(l->arena, n + 1, sizeof(*intents));
	const char **names = arena_calloc(l->arena, n + 2, sizeof(*names));

	r->intents = intents;
	for (size_t i = 0; i < n; i++) {
		load_intent(l, keys, i, &intents[i], shipped);
		names[i] = intents[i].name;
		r->intent_count = i + 1;
	}
	names[n] = "other";
	r->names = names;
	if (n)
		check_over(l, keys->intents);
}

static const struct yaml_node *shipped(struct load *l)
{
	size_t n = (size_t)(replies_shipped_end - replies_shipped);

	return yaml_parse(&l->complaints, source_of(&l->complaints, "replies.yaml (built in)", replies_shipped, n));
}

/* What was shipped is checked by the tests. */
static bool is_shipped(const struct yaml_node *root)
{
	size_t n = (size_t)(replies_shipped_end - replies_shipped);

	return root->source->len == n && !memcmp(root->source->text, replies_shipped, n);
}

static void take(struct load *l, const struct yaml_node *root)
{
	struct replies *r = &l->plan->replies;
	struct replies_keys keys = { 0 };
	struct confidence_keys confidence = { 0 };

	keys_read(l, root, &replies_table, &keys);
	keys_read(l, keys.confidence, &confidence_table, &confidence);
	r->line = confidence.line;
	r->order = confidence.order;
	r->word = confidence.word;
	r->hold_company = keys.hold_company;
	r->long_text = keys.long_text;
	r->many = keys.many;
	load_vocabulary(l, keys.vocabulary);
	load_intents(l, &keys, root && !is_shipped(root) ? shipped(l) : NULL);
}

void replies_load_shipped(struct load *l)
{
	take(l, shipped(l));
}

void replies_load(struct load *l)
{
	const struct yaml_node *root = load_file(l, "replies.yaml", true);

	if (root)
		take(l, root);
	else
		replies_load_shipped(l);
}
