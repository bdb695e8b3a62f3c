/*
 * persona.c: a persona's file: see include/config/persona.h. The phrases are read in phrases.c.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/zone.h"
#include "config/persona.h"

#include "load.h"
#include "nurture.h"
#include "persona.h"
#include "phrases.h"
#include "scalar.h"

#define PERSONAS_MAX 1000
#define MINUTE_DEFAULT (9 * 60)
#define FALLBACK_ZONE "UTC"

struct start_keys {
	const char *event, *subject;
	const struct yaml_node *data;
};

static const struct key start_keys[] = {
	{ ROW(KEY_NAME, start_keys, event), .required = true, .help = "its name, as the website sends it" },
	{ ROW(KEY_TEXT, start_keys, subject), .fallback_help = "none", .help = "what it is about: the path of a page_view" },
	{ ROW(KEY_OTHERS, start_keys, data), .fallback_help = "none", .help = "its properties, which conditions see as event.NAME" },
	NO_KEY,
};
static const struct key_table start_table = { "`start`", "An event with which they begin.", start_keys };

struct persona_keys {
	const char *persona, *language, *timezone, *starts;
	const struct yaml_node *email, *fields, *form, *start, *domains, *behaviour;
	int days, share;
};

static const struct key persona_keys[] = {
	{ ROW(KEY_TEXT, persona_keys, persona), .required = true, .help = "who they are, in a few words" },
	{ ROW(KEY_NODE, persona_keys, email), .required = true,
		.help = "their address; in a population the others are made of it: eva-17@nordlicht.example" },
	{ ROW(KEY_OTHERS, persona_keys, fields), .help = "fields and their values: what they fill in, or what is known of them" },
	{ ROW(KEY_TEXT, persona_keys, language), .help = "`de`, `de-AT`" },
	{ ROW(KEY_TEXT, persona_keys, timezone), .fallback_help = "`default_timezone`", .help = "a name like Europe/Berlin" },
	{ ROW(KEY_NODE, persona_keys, form), .fallback_help = "they are known, and have consented",
		.help = "the form that they come with; they confirm if they are asked, unless `behaviour` says otherwise" },
	{ ROW(KEY_MAP, persona_keys, start), .table = &start_table, .fallback_help = "none", .help = "an event that happens when they have come" },
	{ ROW(KEY_TEXT, persona_keys, starts), .fallback_help = "today, 09:00",
		.help = "when they come, by their clock: 2026-03-02, or 2026-03-02 09:30" },
	{ ROW(KEY_INT, persona_keys, days), .fallback = "60", .least = 1, .most = 3650, .help = "how long they are watched" },
	{ ROW(KEY_INT, persona_keys, share), .fallback = "1", .least = 1, .most = 1000000, .help = "in a population: how common they are, beside others" },
	{ ROW(KEY_OTHERS, persona_keys, domains), .fallback_help = "that of `email`",
		.help = "in a population: the domains of their addresses, and how common each is: {gmail.com: 40, nordlicht.example: 60}" },
	{ ROW(KEY_LIST, persona_keys, behaviour), .fallback_help = "nothing: the mails reach them, no more",
		.help = "what they do, a phrase each" },
	NO_KEY,
};

const struct key_table persona_table = { "a persona", "An invented person for `nurturectl simulate`; one file each.", persona_keys };

/* A persona and what it owns. */
struct persona_body {
	struct persona persona;		/* first: a struct persona * is a struct persona_body * */
	struct arena *arena;
	struct plan *plan;
};

/* --- fields, form, start ---------------------------------------------------------------------------------------------- */

static bool form_takes(const struct form *form, int field)
{
	size_t i;

	for (i = 0; i < form->field_count; i++)
		if (form->fields[i] == field)
			return true;
	return false;
}

static void load_field(struct load *l, const struct yaml_node *key, const struct yaml_node *value, struct persona *p, struct persona_field *fields)
{
	struct err err;
	int field;

	if (!keys_expect(l, value, YAML_TEXT, arena_printf(l->scratch, "`%s`", key->text)))
		return;
	field = nurture_field(l, key);
	if (field < 0)
		return;
	if (nurture_check_value(&l->plan->fields[field], value->text, &err))
		complain(l, value, "%s", err.text);
	else if (p->form && !form_takes(p->form, field))
		complain(l, key, "the form `%s` does not ask for `%s`; name it in the form's `fields`, or leave it away here", p->form->name, key->text);
	fields[p->field_count++] = (struct persona_field){ field, arena_strdup(l->arena, value->text) };
}

static void load_fields(struct load *l, const struct yaml_node *map, struct persona *p)
{
	size_t n = map ? map->count : 0, i;
	struct persona_field *fields = arena_calloc(l->arena, n + 1, sizeof(*fields));

	p->fields = fields;
	for (i = 0; i < n; i++)
		load_field(l, map->keys[i], map->items[i], p, fields);
}

/* What a website would refuse. */
static void check_required(struct load *l, const struct yaml_node *root, const struct persona *p)
{
	size_t i, k;

	for (i = 0; p->form && i < p->form->field_count; i++) {
		for (k = 0; k < p->field_count && p->fields[k].field != p->form->fields[i]; k++)
			;
		if (p->form->required[i] && k == p->field_count)
			complain(l, root, "the form `%s` wants `%s`; give it in `fields`", p->form->name, l->plan->fields[p->form->fields[i]].name);
	}
}

static void load_form(struct load *l, const struct yaml_node *node, struct persona *p)
{
	const char **names = arena_calloc(l->scratch, l->plan->form_count + 1, sizeof(*names));
	size_t i;

	if (!node)
		return;
	for (i = 0; i < l->plan->form_count; i++)
		names[i] = l->plan->forms[i].name;
	p->form = plan_form(l->plan, node->text);
	if (!p->form)
		complain(l, node, "there is no form `%s`%s", node->text, keys_hint(l, node->text, names));
}

static void load_start(struct load *l, const struct yaml_node *map, struct persona *p)
{
	struct start_keys keys = { 0 };

	if (!map || keys_read(l, map, &start_table, &keys))
		return;
	if (strchr(keys.event, '-'))
		complain(l, yaml_get(map, "event"), "`%s` is no name of an event: letters, digits and _", keys.event);
	p->event = keys.event;
	p->event_subject = keys.subject ? keys.subject : "";
	p->event_data = keys.data ? phrases_data(l, keys.data) : "{}";
}

/* --- address, domains, time -------------------------------------------------------------------------------------------- */

static void load_address(struct load *l, const struct yaml_node *node, struct persona *p)
{
	struct err err;

	if (node && address_parse(node->text, &p->address, &err))
		complain(l, node, "`email`: %s", err.text);
}

static void load_domains(struct load *l, const struct yaml_node *map, struct persona *p)
{
	size_t n = map ? map->count : 0, i;
	struct persona_domain *domains = arena_calloc(l->arena, n + 1, sizeof(*domains));

	p->domains = domains;
	for (i = 0; i < n; i++) {
		const struct yaml_node *share = map->items[i];
		int64_t value;
		struct err err;

		if (!keys_expect(l, share, YAML_TEXT, arena_printf(l->scratch, "the share of `%s`", map->keys[i]->text)))
			continue;
		if (scalar_host(l->arena, map->keys[i]->text, &domains[p->domain_count].domain, &err))
			complain(l, map->keys[i], "%s", err.text);
		else if (scalar_int(share->text, &value, &err) || value < 1 || value > 1000000)
			complain(l, share, "the share of `%s` is a whole number from 1 to 1000000", map->keys[i]->text);
		else
			domains[p->domain_count++].share = (int)value;
	}
}

int persona_date_parse(const char *text, struct persona_date *out, int *minute_out, struct err *err)
{
	size_t n = strcspn(text, " T");
	char day[16] = "";
	struct err why;

	*minute_out = -1;
	if (n < sizeof(day))
		memcpy(day, text, n);
	if (!phrases_is_date(day, out) || (text[n] && (scalar_minute(text + n + 1, minute_out, &why) || *minute_out >= 24 * 60)))
		return err_set(err, "`%s` is no date; write it like 2026-03-02, or 2026-03-02 09:30", text);
	return 0;
}

static void load_starts(struct load *l, const struct yaml_node *root, const char *text, struct persona *p)
{
	struct err err;

	p->starts_minute = MINUTE_DEFAULT;
	if (!text)
		return;
	p->dated = true;
	if (persona_date_parse(text, &p->starts, &p->starts_minute, &err))
		complain(l, yaml_get(root, "starts"), "`starts`: %s", err.text);
	if (p->starts_minute < 0)
		p->starts_minute = MINUTE_DEFAULT;
}

static void load_zone(struct load *l, const struct yaml_node *root, const char *name, struct persona *p)
{
	p->timezone = name ? name : "";
	p->zone = name ? zone_find(name) : l->plan->quiet.set ? l->plan->quiet.zone : zone_find(FALLBACK_ZONE);
	if (!p->zone)
		complain(l, yaml_get(root, "timezone"), "there is no time zone `%s`; names are like Europe/Berlin", name);
}

/* --- behaviour --------------------------------------------------------------------------------------------------------- */

/* A phrase, or `does EVENT WHEN: {name: value}`. */
static void load_phrase(struct load *l, const struct yaml_node *item, struct phrases *phrases)
{
	bool is_map = item->kind == YAML_MAP;

	if (is_map && (item->count != 1 || strchr(item->keys[0]->text, '{'))) {
		complain(l, item, "YAML takes this for a mapping; put the phrase in quotes, or write it like: does purchase on day 20: {amount: 1200}");
		return;
	}
	if (is_map ? !keys_expect(l, item->items[0], YAML_MAP, "what belongs to the event") : !keys_expect(l, item, YAML_TEXT, "a phrase of `behaviour`"))
		return;
	phrases_read(phrases, is_map ? item->keys[0] : item, is_map ? item->items[0] : NULL);
}

static void load_behaviour(struct load *l, const struct yaml_node *list, struct persona *p)
{
	struct phrases phrases = { .load = l, .confirms = true, .confirm_delay = -1 };
	size_t i;

	phrases.habits = arena_calloc(l->arena, HABITS_MAX, sizeof(*phrases.habits));
	for (i = 0; list && i < list->count; i++)
		load_phrase(l, list->items[i], &phrases);
	p->habits = phrases.habits;
	p->habit_count = phrases.count;
	p->confirms = phrases.confirms;
	p->confirm_delay = phrases.confirm_delay;
	if (phrases.confirm_said && p->form && !p->form->confirm_double)
		complain(l, list, "`confirms` has no effect: the form `%s` asks for no confirmation", p->form->name);
}

/* --- the file ---------------------------------------------------------------------------------------------------------- */

static void load_persona(struct load *l, const struct yaml_node *root, struct persona *p)
{
	struct persona_keys keys = { 0 };

	keys_read(l, root, &persona_table, &keys);
	p->name = keys.persona;
	p->days = keys.days;
	p->share = keys.share;
	p->language = keys.language ? keys.language : "";
	load_address(l, keys.email, p);
	load_form(l, keys.form, p);
	load_fields(l, keys.fields, p);
	check_required(l, root, p);
	load_start(l, keys.start, p);
	load_domains(l, keys.domains, p);
	load_starts(l, root, keys.starts, p);
	load_zone(l, root, keys.timezone, p);
	load_behaviour(l, keys.behaviour, p);
}

/* What YAML says of a phrase that it took for something else is hard to read. */
static void hint_at_quotes(struct load *l, const struct source *source)
{
	const struct complaint *first = &l->complaints.items[0];

	if (strstr(first->text, "mapping values"))
		complain_at(&l->complaints, source, first->line, first->column,
				"a phrase with `: ` or `{` in it goes in quotes; or write it like: does purchase on day 20: {amount: 1200}");
}

static void persona_body_free(struct persona_body *b)
{
	plan_unref(&b->plan);
	arena_free(&b->arena);
	free(b);
}

/* `source` NULL: the file is read. */
static struct persona *load(const char *path, const char *text, size_t len, struct plan *plan, struct plan_errors *errors)
{
	struct persona_body *b = xcalloc(1, sizeof(*b));
	struct load l = { .plan = plan, .folder = ".", .operator_known = true, .nurture_known = true, .mails_known = true };
	const struct yaml_node *root = NULL;
	struct source *source;
	struct err err;
	int rc = 1;

	b->plan = plan_ref(plan);
	b->arena = l.arena = arena_new(0);
	l.scratch = arena_new(0);
	complaints_init(&l.complaints, l.scratch);
	if (text)
		source = source_of(&l.complaints, path, text, len);
	else
		rc = source_read(&l.complaints, path, &source, &err);
	if (rc <= 0)
		complain_at(&l.complaints, source, 1, 1, "%s", rc ? err.text : "there is no such file");
	else
		root = yaml_parse(&l.complaints, source);
	if (root)
		load_persona(&l, root, &b->persona);
	else if (rc > 0 && l.complaints.count)
		hint_at_quotes(&l, source);
	rc = l.complaints.count ? -1 : 0;
	errors->count += l.complaints.count;
	complaints_print(&l.complaints, &errors->text);
	complaints_clear(&l.complaints);
	arena_free(&l.scratch);
	if (!rc)
		return &b->persona;
	persona_body_free(b);
	return NULL;
}

struct persona *persona_load(const char *file, struct plan *plan, struct plan_errors *errors)
{
	return load(file, NULL, 0, plan, errors);
}

struct persona *persona_parse(const char *path, const char *text, size_t len, struct plan *plan, struct plan_errors *errors)
{
	return load(path, text, len, plan, errors);
}

void persona_free(struct persona **persona)
{
	if (*persona)
		persona_body_free((struct persona_body *)*persona);
	*persona = NULL;
}

/* --- a folder of them --------------------------------------------------------------------------------------------------- */

static int complain_plainly(struct plan_errors *errors, const char *path, const char *why)
{
	buf_printf(&errors->text, "%s:1:1: %s\n", path, why);
	errors->count++;
	return -1;
}

/* The folder's files; the names are the load's scratch. */
static int load_folder(const char *path, struct plan *plan, struct personas *out, struct plan_errors *errors)
{
	struct load l = { .scratch = arena_new(0) };
	const char *const *names;
	size_t n = 0, i;
	int rc = 0;

	complaints_init(&l.complaints, l.scratch);
	names = load_names(&l, path, ".yaml");
	errors->count += l.complaints.count;
	rc = l.complaints.count ? -1 : 0;
	complaints_print(&l.complaints, &errors->text);
	while (names[n])
		n++;
	if (!n)
		rc = complain_plainly(errors, path, "there is no persona here; each is a file that ends with .yaml");
	else if (n > PERSONAS_MAX)
		rc = complain_plainly(errors, path, "there are more than 1000 personas here");
	out->all = xcalloc(n + 1, sizeof(*out->all));
	for (i = 0; i < n && n <= PERSONAS_MAX; i++) {
		struct persona *p = persona_load(arena_printf(l.scratch, "%s/%s", path, names[i]), plan, errors);

		if (p)
			out->all[out->count++] = p;
		else
			rc = -1;
	}
	complaints_clear(&l.complaints);
	arena_free(&l.scratch);
	return rc;
}

int personas_load(const char *path, struct plan *plan, struct personas *out, struct plan_errors *errors)
{
	struct stat st;
	int rc;

	*out = (struct personas){ 0 };
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		rc = load_folder(path, plan, out, errors);
	} else {
		out->all = xcalloc(1, sizeof(*out->all));
		out->all[0] = persona_load(path, plan, errors);
		out->count = out->all[0] != NULL;
		rc = out->count ? 0 : -1;
	}
	if (rc)
		personas_clear(out);
	return rc;
}

void personas_clear(struct personas *personas)
{
	size_t i;

	for (i = 0; i < personas->count; i++)
		persona_free(&personas->all[i]);
	free(personas->all);
	*personas = (struct personas){ 0 };
}
