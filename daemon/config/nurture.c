/*
 * nurture.c: nurture.yaml: what is known of a prospect, the stages, the lists, the scores, the quiet hours.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/zone.h"
#include "config/languages.h"

#include "holidays.h"
#include "names.h"
#include "nurture.h"
#include "scalar.h"
#include "topics.h"

static const char *const type_choices[] = { "text", "number", "bool", "time", NULL };
static const enum value_type field_types[] = { VALUE_TEXT, VALUE_REAL, VALUE_BOOL, VALUE_TIME };
static const char *const day_choices[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };

/* --- tables ----------------------------------------------------------------------------------------------------- */

struct field_keys {
	int type;
	const struct yaml_node *fallback;
};

static const struct key field_keys[] = {
	{ ROW(KEY_CHOICE, field_keys, type), .fallback = "text", .choices = type_choices,
		.help = "what it holds" },
	{ ROW_AS("default", KEY_NODE, field_keys, fallback), .fallback_help = "none",
		.help = "what mails say where it is empty" },
	NO_KEY,
};
static const struct key_table field_table = { "a field", "What is known of a prospect, by name.",
	field_keys };

struct stage_keys {
	const struct yaml_node *name, *when, *until;
};

static const struct key stage_keys[] = {
	{ ROW(KEY_NODE, stage_keys, name), .required = true, .help = "its name" },
	{ ROW(KEY_EXPRESSION, stage_keys, when),
		.help = "when a prospect reaches it; the last stage whose `when` holds counts" },
	{ ROW(KEY_EXPRESSION, stage_keys, until), .fallback_help = "as soon as `when` holds no more",
		.help = "when a stage once reached is lost again" },
	NO_KEY,
};
static const struct key_table stage_table = { "a stage", "How ready to buy, from the least to the most.",
	stage_keys };

struct list_keys {
	const struct yaml_node *name, *when;
	struct rate at_most;
	const char *tone;
};

static const struct key list_keys[] = {
	{ ROW(KEY_NODE, list_keys, name), .required = true, .help = "its name" },
	{ ROW(KEY_EXPRESSION, list_keys, when),
		.help = "who is on it; the first list whose `when` holds; the last has none and takes who is "
			"left" },
	{ ROW(KEY_RATE, list_keys, at_most), .fallback_help = "no limit",
		.help = "how many mails a person on it gets" },
	{ ROW(KEY_TEXT, list_keys, tone), .fallback_help = "none",
		.help = "a word that templates can ask for" },
	NO_KEY,
};
static const struct key_table list_table = { "a list", "Where a prospect is: on exactly one.", list_keys };

struct fit_keys {
	const char *name;
	double points;
	const struct yaml_node *when;
};

static const struct key fit_keys[] = {
	{ ROW(KEY_TEXT, fit_keys, name), .fallback_help = "fit-1, fit-2, ...",
		.help = "what sales reads as the reason" },
	{ ROW(KEY_REAL, fit_keys, points), .required = true, .least = -1000, .most = 1000,
		.help = "how many points, or fewer" },
	{ ROW(KEY_EXPRESSION, fit_keys, when), .required = true, .help = "for whom" },
	NO_KEY,
};
static const struct key_table fit_table = { "a fit rule", "Points for who a prospect is.", fit_keys };

struct interest_keys {
	const char *name, *on;
	double points;
	struct rate at_most;
	const struct yaml_node *when;
};

static const struct key interest_keys[] = {
	{ ROW(KEY_TEXT, interest_keys, name), .fallback_help = "the event's",
		.help = "what sales reads as the reason" },
	{ ROW(KEY_TEXT, interest_keys, on), .required = true,
		.help = "the event that gives them: signup, open, click, page_view, download, "
			"reply, or any name that the website sends" },
	{ ROW(KEY_REAL, interest_keys, points), .required = true, .least = -1000, .most = 1000,
		.help = "how many points each time" },
	{ ROW(KEY_RATE, interest_keys, at_most), .fallback_help = "no cap",
		.help = "how many points in a rolling window" },
	{ ROW(KEY_EXPRESSION, interest_keys, when), .fallback_help = "always",
		.help = "only if; `event.x` is what the event carries" },
	NO_KEY,
};
static const struct key_table interest_table = { "an interest rule", "Points for what a prospect does.",
	interest_keys };

struct grade_keys {
	const struct yaml_node *fit, *interest;
};

static const struct key grade_keys[] = {
	{ ROW(KEY_LIST, grade_keys, fit), .required = true,
		.help = "from how much fit on the letter is A, B and C, like [40, 20, 0]; below it is D" },
	{ ROW(KEY_LIST, grade_keys, interest), .required = true,
		.help = "from how much interest on the figure is 1, 2 and 3, like [60, 30, 10]; below it is 4" },
	NO_KEY,
};
static const struct key_table grade_table = { "`grades`", "A letter for fit and a figure for interest: `grade` is A1 to D4.",
	grade_keys };

struct score_keys {
	int64_t half_life;
	const struct yaml_node *fit, *interest, *grades;
};

static const struct key score_keys[] = {
	{ ROW(KEY_DURATION, score_keys, half_life), .fallback = "30 days", .least = US_MINUTE,
		.most = 3650 * US_DAY, .help = "after which points for interest count half" },
	{ ROW(KEY_LIST, score_keys, fit), .table = &fit_table, .help = "points for who a prospect is" },
	{ ROW(KEY_LIST, score_keys, interest), .table = &interest_table,
		.help = "points for what a prospect does" },
	{ ROW(KEY_MAP, score_keys, grades), .table = &grade_table, .fallback_help = "there is no `grade`",
		.help = "a grade made of both: A1 to D4" },
	NO_KEY,
};
static const struct key_table score_table = { "`score`", "`fit` and `interest`; their sum is `score`.",
	score_keys };

struct quiet_keys {
	const struct yaml_node *days, *timezone, *default_timezone;
	const char *const *day_names;
	int before, after;
};

static const struct key quiet_keys[] = {
	{ ROW_AS("days", KEY_TEXTS, quiet_keys, day_names), .choices = day_choices,
		.help = "days on which no mail goes out" },
	{ ROW(KEY_MINUTE, quiet_keys, before), .fallback = "00:00",
		.help = "no mail before this time of day" },
	{ ROW(KEY_MINUTE, quiet_keys, after), .fallback = "24:00",
		.help = "no mail from this time of day on" },
	{ ROW(KEY_NODE, quiet_keys, timezone), .fallback_help = "prospect",
		.help = "`prospect`: each one's own; or a name like Europe/Berlin for everybody" },
	{ ROW(KEY_NODE, quiet_keys, default_timezone), .fallback_help = "UTC",
		.help = "for prospects whose zone is not known" },
	NO_KEY,
};
static const struct key_table quiet_table = { "`quiet`", "When no mail goes out.", quiet_keys };

const char *const nurture_tracks[] = { "all", "clicks", "none", NULL };

static const struct key utm_keys[] = {
	{ ROW(KEY_TEXT, utm, source), .help = "utm_source, like newsletter" },
	{ ROW(KEY_TEXT, utm, medium), .help = "utm_medium, like email" },
	{ ROW(KEY_TEXT, utm, campaign), .help = "utm_campaign" },
	NO_KEY,
};
const struct key_table nurture_utm_table = { "`utm`",
	"Where visitors come from, for web analytics: joined to where links of mails lead, unless it stands there already.", utm_keys };

struct nurture_keys {
	const struct yaml_node *fields, *stages, *lists, *topics, *score, *quiet, *holidays, *utm;
	const char *language;
	int track;
};

static const struct key nurture_keys[] = {
	{ ROW(KEY_OTHERS, nurture_keys, fields), .table = &field_table,
		.help = "what is known of a prospect beside the email address" },
	{ ROW(KEY_LIST, nurture_keys, stages), .required = true, .table = &stage_table,
		.help = "how ready to buy, from the least to the most" },
	{ ROW(KEY_LIST, nurture_keys, lists), .required = true, .table = &list_table,
		.help = "the nurture lists, the first that fits counts" },
	{ ROW(KEY_LIST, nurture_keys, topics), .table = &topic_table, .fallback_help = "none",
		.help = "what people may subscribe to and leave, one by one" },
	{ ROW(KEY_TEXT, nurture_keys, language), .fallback = "en",
		.help = "the language of mails and pages that are written for none" },
	{ ROW(KEY_MAP, nurture_keys, score), .table = &score_table,
		.help = "points and what they are given for" },
	{ ROW(KEY_MAP, nurture_keys, quiet), .fallback_help = "mail goes out at any time",
		.table = &quiet_table, .help = "when no mail goes out" },
	{ ROW(KEY_CHOICE, nurture_keys, track), .fallback = "all", .choices = nurture_tracks,
		.help = "what mails tell of who reads them: all, that they were opened and which links were clicked; clicks, links alone; none. "
			"Sequences, the front matter of mails (`track:`) and consents may say less" },
	{ ROW(KEY_MAP, nurture_keys, utm), .fallback_help = "nothing is joined", .table = &nurture_utm_table,
		.help = "what is joined to the links of mails" },
	{ ROW(KEY_LIST, nurture_keys, holidays), .table = &holiday_table,
		.help = "days on which no mail goes out either" },
	NO_KEY,
};
const struct key_table nurture_table = { "nurture.yaml",
	"What is known of a prospect, the stages, the lists, the scores.", nurture_keys };

/* --- fields ----------------------------------------------------------------------------------------------------- */

int nurture_check_value(const struct field *field, const char *text, struct err *err)
{
	double number;
	int64_t time;

	if (field->type == VALUE_REAL && text_double(text, &number))
		return err_set(err, "`%s` is no number; `%s` holds numbers", text, field->name);
	if (field->type == VALUE_TIME && text_time_parse(text, &time))
		return err_set(err, "`%s` is no time; write it like 2026-11-22T03:21:35Z", text);
	if (field->type == VALUE_BOOL && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return err_set(
			err, "`%s` is neither true nor false; `%s` holds only these", text, field->name);
	return 0;
}

static void load_field(
	struct load *l, const struct yaml_node *key, const struct yaml_node *value, struct field *field)
{
	struct field_keys keys = { 0 };
	struct err err;

	field->name = arena_strdup(l->arena, key->text);
	if (keys_name(l, key) && names_taken(key->text))
		complain(l, key,
			"`%s` is a name that nurtured has given something already; call the field otherwise",
			key->text);
	else if (strchr(key->text, '-'))
		complain(l, key, "`%s` could not be told from a subtraction; use _ in names of fields",
			key->text);
	/* a type that was mistyped might be any: nobody else is to blame for it */
	if (keys_read(l, yaml_empty(value) ? NULL : value, &field_table, &keys)) {
		field->type = VALUE_NIL;
		return;
	}
	field->type = field_types[keys.type];
	if (keys.fallback) {
		if (nurture_check_value(field, keys.fallback->text, &err))
			complain(l, keys.fallback, "%s", err.text);
		field->default_text = arena_strdup(l->arena, keys.fallback->text);
	}
}

static void load_fields(struct load *l, const struct yaml_node *map)
{
	size_t n = map ? map->count : 0;
	struct field *fields = arena_calloc(l->arena, n + 1, sizeof(*fields));

	for (size_t i = 0; i < n; i++) {
		load_field(l, map->keys[i], map->items[i], &fields[i]);
		fields[i].symbol = (int)i;
	}
	l->plan->fields = fields;
	l->plan->field_count = n;
}

/* --- stages and lists ------------------------------------------------------------------------------------------- */

/* The name as a text of the plan; complains if it is no name, or one of the `n` before it has it. */
static const char *take_name(
	struct load *l, const struct yaml_node *node, const char *before, const char *what)
{
	if (!node)
		return "";
	if (keys_name(l, node) && before)
		complain(l, node, "there are two %s `%s`; each has a name of its own", what, before);
	return arena_strdup(l->arena, node->text);
}

static void load_stages(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct stage *stages = arena_calloc(l->arena, n + 1, sizeof(*stages));

	l->plan->stages = stages;
	if (list && !n)
		complain(l, list, "`stages` is empty; name at least one");
	for (size_t i = 0; i < n; i++) {
		struct stage_keys keys = { 0 };

		keys_read(l, list->items[i], &stage_table, &keys);
		int twin = keys.name ? plan_stage(l->plan, keys.name->text) : -1;

		stages[i].name = take_name(l, keys.name, twin < 0 ? NULL : keys.name->text, "stages");
		l->plan->stage_count++;
		if (i == 0 && (keys.when || keys.until))
			complain(l, keys.when ? keys.when : keys.until,
				"the first stage is where everybody begins; it has neither `when` nor "
				"`until`");
		else if (i > 0 && !keys.when && list->items[i]->kind == YAML_MAP)
			complain(l, list->items[i], "`when` is missing: nobody would ever reach this stage");
		load_decision(l, keys.when, DECIDES_STAGE, &stages[i].when);
		load_decision(l, keys.until, DECIDES_STAGE, &stages[i].until);
	}
}

static void load_lists(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct list *lists = arena_calloc(l->arena, n + 1, sizeof(*lists));

	l->plan->lists = lists;
	if (list && !n)
		complain(l, list, "`lists` is empty; name at least one");
	for (size_t i = 0; i < n; i++) {
		struct list_keys keys = { 0 };

		keys_read(l, list->items[i], &list_table, &keys);
		int twin = keys.name ? plan_list(l->plan, keys.name->text) : -1;

		lists[i].name = take_name(l, keys.name, twin < 0 ? NULL : keys.name->text, "lists");
		l->plan->list_count++;
		lists[i].at_most = keys.at_most;
		lists[i].tone = keys.tone ? keys.tone : "";
		if (i + 1 == n && keys.when)
			complain(l, keys.when, "the last list takes everybody who is left; it has no `when`");
		else if (i + 1 < n && !keys.when && list->items[i]->kind == YAML_MAP)
			complain(l, list->items[i],
				"`when` is missing: this list would take everybody, and none be left for "
				"those below");
		load_decision(l, keys.when, DECIDES_LIST, &lists[i].when);
	}
}

/* --- scores ----------------------------------------------------------------------------------------------------- */

static void check_event(struct load *l, const struct yaml_node *node)
{
	if (node->len > EVENT_MAX)
		complain(l, node, "the name of an event has at most %d characters", EVENT_MAX);
	else if (text_ends_with(node->text, "_machine"))
		complain(l, node, "`%s`: what machines do is never scored; name the event without _machine",
			node->text);
}

static void load_fit(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct score_rule *rules = arena_calloc(l->arena, n + 1, sizeof(*rules));

	for (size_t i = 0; i < n; i++) {
		struct fit_keys keys = { 0 };

		keys_read(l, list->items[i], &fit_table, &keys);
		rules[i].name = keys.name ? keys.name : arena_printf(l->arena, "fit-%zu", i + 1);
		rules[i].points = keys.points;
		load_decision(l, keys.when, DECIDES_FIT, &rules[i].when);
	}
	l->plan->fit = rules;
	l->plan->fit_count = n;
}

/* "click", and "click-2" for the second rule on it. */
static const char *interest_name(struct load *l, const struct score_rule *before, size_t n, const char *on)
{
	size_t same = 0;

	for (size_t i = 0; i < n; i++)
		same += before[i].on && !strcmp(before[i].on, on);
	return same ? arena_printf(l->arena, "%s-%zu", on, same + 1) : on;
}

static void load_interest(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct score_rule *rules = arena_calloc(l->arena, n + 1, sizeof(*rules));

	for (size_t i = 0; i < n; i++) {
		struct interest_keys keys = { 0 };

		keys_read(l, list->items[i], &interest_table, &keys);
		rules[i] = (struct score_rule){
			.name = keys.name, .points = keys.points, .on = keys.on, .at_most = keys.at_most
		};
		if (keys.on) {
			check_event(l, yaml_get(list->items[i], "on"));
			if (!keys.name)
				rules[i].name = interest_name(l, rules, i, keys.on);
		}
		load_decision(l, keys.when, DECIDES_INTEREST, &rules[i].when);
	}
	l->plan->interest = rules;
	l->plan->interest_count = n;
}

static void check_score_names(struct load *l, const struct yaml_node *score)
{
	const struct plan *plan = l->plan;

	for (size_t i = 0; i < plan->fit_count + plan->interest_count; i++) {
		const char *name =
			i < plan->fit_count ? plan->fit[i].name : plan->interest[i - plan->fit_count].name;

		for (size_t k = 0; k < i && name; k++) {
			const char *other = k < plan->fit_count ? plan->fit[k].name
								: plan->interest[k - plan->fit_count].name;

			if (other && !strcmp(name, other))
				complain(l, score, "two score rules are called `%s`; give one another `name`",
					name);
		}
	}
}

/* Three numbers, each lower than the one before it. */
static void load_bounds(struct load *l, const struct yaml_node *list, const char *what, double bounds[3])
{
	if (!list)
		return;
	if (list->count != 3) {
		complain(l, list, "`%s` has %zu number%s; a grade has three bounds, like [40, 20, 0]", what, list->count,
			list->count == 1 ? "" : "s");
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		const struct yaml_node *item = list->items[i];

		if (!keys_expect(l, item, YAML_TEXT, "a bound of a grade"))
			return;
		if (text_double(item->text, &bounds[i])) {
			complain(l, item, "`%s` is no number; write it like 15 or 2.5", item->text);
			return;
		}
		if (i && bounds[i] >= bounds[i - 1]) {
			complain(l, item, "the bounds of a grade fall: %s is not below %s", item->text, list->items[i - 1]->text);
			return;
		}
	}
}

static void load_grades(struct load *l, const struct yaml_node *map)
{
	struct grade_keys keys = { 0 };

	if (!map)
		return;
	l->plan->graded = true;
	keys_read(l, map, &grade_table, &keys);
	load_bounds(l, keys.fit, "fit", l->plan->grade_fit);
	load_bounds(l, keys.interest, "interest", l->plan->grade_interest);
}

/* --- quiet hours ------------------------------------------------------------------------------------------------ */

static const struct zone *find_zone(struct load *l, const struct yaml_node *node)
{
	const struct zone *zone = zone_find(node->text);

	if (!zone)
		complain(l, node, "there is no time zone `%s`; write it like Europe/Berlin", node->text);
	return zone;
}

static void load_quiet(struct load *l, const struct yaml_node *map)
{
	struct quiet *quiet = &l->plan->quiet;
	struct quiet_keys keys = { 0 };
	int days = 0;

	quiet->zone = zone_find("UTC");
	quiet->after = 24 * 60;
	quiet->by_prospect = true;
	if (!map)
		return;
	quiet->set = true;
	keys_read(l, map, &quiet_table, &keys);
	for (size_t i = 0; keys.day_names && keys.day_names[i]; i++) {
		for (int day = 0; day < 7; day++)
			quiet->day[day] = quiet->day[day] || !strcmp(keys.day_names[i], day_choices[day]);
	}
	for (int day = 0; day < 7; day++)
		days += quiet->day[day];
	if (days == 7)
		complain(l, yaml_get(map, "days"), "all seven days are quiet; no mail would ever go out");
	quiet->before = keys.before;
	quiet->after = keys.after;
	if (keys.before >= keys.after)
		complain(l, map,
			"`before` is not earlier than `after`; mail goes out between the two, so nothing "
			"ever would");
	if (keys.default_timezone)
		quiet->zone = find_zone(l, keys.default_timezone);
	if (keys.timezone && strcmp(keys.timezone->text, "prospect") != 0) {
		quiet->by_prospect = false;
		quiet->zone = find_zone(l, keys.timezone);
		if (keys.default_timezone)
			complain(l, keys.default_timezone,
				"`default_timezone` has no effect: `timezone` is the same for everybody");
	}
}

/* ---------------------------------------------------------------------------------------------------------------- */

void nurture_load(struct load *l)
{
	const struct yaml_node *root = load_file(l, "nurture.yaml", false);
	struct nurture_keys keys = { 0 };
	struct score_keys score = { 0 };

	keys_read(l, root, &nurture_table, &keys);
	load_fields(l, keys.fields);
	load_stages(l, keys.stages);
	load_lists(l, keys.lists);
	topics_load(l, keys.topics);
	l->plan->language = keys.language ? keys.language : "en";
	if (!languages_valid(l->plan->language))
		complain(l, yaml_get(root, "language"), "`%s` is no language; write it like en or de-AT", l->plan->language);
	keys_read(l, keys.score, &score_table, &score);
	l->plan->half_life = score.half_life;
	load_fit(l, score.fit);
	load_interest(l, score.interest);
	load_grades(l, score.grades);
	if (keys.score)
		check_score_names(l, keys.score);
	load_quiet(l, keys.quiet);
	l->plan->track = (enum tracking)keys.track;
	keys_read(l, keys.utm, &nurture_utm_table, &l->plan->utm);
	holidays_load(l, keys.holidays);
	l->nurture_known = root && l->plan->stage_count && l->plan->list_count;
	names_build(l);
}

static int find_one(struct load *l, const struct yaml_node *node, const char *const *names, const char *what)
{
	for (int i = 0; names[i]; i++) {
		if (!strcmp(names[i], node->text))
			return i;
	}
	if (l->nurture_known)
		complain(l, node, "there is no %s `%s` in nurture.yaml%s", what, node->text,
			keys_hint(l, node->text, names));
	return -1;
}

int nurture_field(struct load *l, const struct yaml_node *node)
{
	const struct plan *plan = l->plan;
	const char **names = arena_calloc(l->scratch, plan->field_count + 1, sizeof(*names));

	for (size_t i = 0; i < plan->field_count; i++)
		names[i] = plan->fields[i].name;
	return find_one(l, node, names, "field");
}

int nurture_list(struct load *l, const struct yaml_node *node)
{
	const struct plan *plan = l->plan;
	const char **names = arena_calloc(l->scratch, plan->list_count + 1, sizeof(*names));

	for (size_t i = 0; i < plan->list_count; i++)
		names[i] = plan->lists[i].name;
	return find_one(l, node, names, "list");
}
