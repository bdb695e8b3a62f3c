/*
 * forms.c: forms/NAME.yaml: what a website may post, in which words a person agrees, and what they get.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"

#include "attachments.h"
#include "forms.h"
#include "mails.h"
#include "nurture.h"
#include "scalar.h"
#include "topics.h"

static const char *const confirm_choices[] = { "double", "single", NULL };
static const char *const attach_choices[] = { "no", "yes", "false", "true", NULL };	/* the odd ones mean yes */
static const char *const yes_choices[] = { "no", "yes", NULL };
static const char *const trust_choices[] = { "fill", "overwrite", NULL };
static const char *const web_schemes[] = { "https", "http", NULL };

const char *const basis_names[] = { "express", "implied-inquiry", "implied-purchase", "contract", NULL };

struct consent_keys {
	const char *purpose, *words, *version;
	int basis;
	int tracking;
};

static const struct key consent_keys[] = {
	{ ROW(KEY_NAME, consent_keys, purpose), .required = true, .help = "what it is for: newsletter" },
	{ ROW(KEY_TEXT, consent_keys, words), .required = true,
		.help = "the very words that the person agrees to; they are kept with the consent" },
	{ ROW(KEY_TEXT, consent_keys, version), .fallback_help = "made of the words",
		.help = "which version of the words it is, as it stands in the ledger" },
	{ ROW(KEY_CHOICE, consent_keys, basis), .fallback = "express", .choices = basis_names,
		.help = "on what it rests: express, they said yes; implied-inquiry, which ends after 6 months, and implied-purchase, "
			"which ends after 2 years, both as Canada's law knows them; contract, they bought what the mails are part of" },
	{ ROW(KEY_CHOICE, consent_keys, tracking), .fallback = "yes", .choices = yes_choices,
		.help = "no: their mails have no pixel and no tracked links, whatever `track` says" },
	NO_KEY,
};
static const struct key_table consent_table = { "`consent`", "What a person agrees to.", consent_keys };

struct limit_keys {
	struct rate per_address, per_ip;
};

static const struct key limit_keys[] = {
	{ ROW(KEY_RATE, limit_keys, per_address), .fallback = "3 per hour",
		.help = "posts with one email address" },
	{ ROW(KEY_RATE, limit_keys, per_ip), .fallback = "20 per hour", .help = "posts from one IP address" },
	NO_KEY,
};
static const struct key_table limit_table = { "`limits`", "How often a form may be posted.", limit_keys };

struct form_keys {
	const struct yaml_node *form, *fields, *required, *consent, *confirm_mail, *download, *thanks,
		*limits;
	int confirm, trust, attach;
	const char *thanks_url, *honeypot;
	const char *const *allow_origin;
	const struct yaml_node *topics;
};

static const struct key form_keys[] = {
	{ ROW(KEY_NODE, form_keys, form), .required = true, .help = "its name: POST /v1/forms/NAME" },
	{ ROW(KEY_LIST, form_keys, fields), .required = true,
		.help = "the fields that it takes: email, and names of fields in nurture.yaml" },
	{ ROW(KEY_LIST, form_keys, required), .fallback_help = "only email",
		.help = "those that must be filled in" },
	{ ROW(KEY_MAP, form_keys, consent), .required = true, .table = &consent_table,
		.help = "what the person agrees to" },
	{ ROW(KEY_LIST, form_keys, topics), .fallback_help = "all, or what they chose before",
		.help = "the topics that a sign-up subscribes to" },
	{ ROW(KEY_CHOICE, form_keys, confirm), .fallback = "double", .choices = confirm_choices,
		.help = "double: nothing but the confirmation is mailed before the person has clicked in it "
			"and pressed the button" },
	{ ROW(KEY_NODE, form_keys, confirm_mail), .fallback_help = "`confirm`",
		.help = "the mail that asks for the confirmation" },
	{ ROW(KEY_NODE, form_keys, download), .fallback_help = "none",
		.help = "the file, in the folder of files, that a signed link delivers" },
	{ ROW(KEY_CHOICE, form_keys, attach), .fallback = "no", .choices = attach_choices,
		.help = "yes: the file itself goes with the mail that offers it; at most 3 MiB. Many mailboxes distrust files from strangers" },
	{ ROW_AS("thanks", KEY_URL, form_keys, thanks_url), .choices = web_schemes,
		.fallback_help = "a page of nurtured's own",
		.help = "where a browser goes afterwards; its host must stand in `allow_redirect` of the "
			"operator's file" },
	{ ROW(KEY_TEXTS, form_keys, allow_origin),
		.help = "origins (https://www.example.com) whose scripts may post" },
	{ ROW(KEY_MAP, form_keys, limits), .table = &limit_table, .help = "how often it may be posted" },
	{ ROW(KEY_CHOICE, form_keys, trust), .fallback = "fill", .choices = trust_choices,
		.help = "fill: a post fills empty fields of a known person and overwrites none" },
	{ ROW(KEY_NAME, form_keys, honeypot), .fallback = "website",
		.help = "a field that people do not see; who fills it in is a robot" },
	NO_KEY,
};
const struct key_table form_table = { "a form", "A form on a website; one file each.", form_keys };

/* Appends the field of an item of `fields`, once. */
static void load_field(struct load *l, const struct yaml_node *item, struct form *form, int *fields)
{
	int field;

	if (!keys_expect(l, item, YAML_TEXT, "an item of `fields`") || !strcmp(item->text, "email"))
		return;
	field = nurture_field(l, item);
	if (field < 0)
		return;
	for (size_t i = 0; i < form->field_count; i++) {
		if (fields[i] == field) {
			complain(l, item, "`%s` is in `fields` twice", item->text);
			return;
		}
	}
	fields[form->field_count++] = field;
}

static bool has_item(const struct yaml_node *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i]->kind == YAML_TEXT && !strcmp(list->items[i]->text, text))
			return true;
	}
	return false;
}

static void load_fields(struct load *l, const struct form_keys *keys, struct form *form)
{
	size_t n = keys->fields ? keys->fields->count : 0;
	int *fields = arena_calloc(l->arena, n + 1, sizeof(*fields));
	bool *required = arena_calloc(l->arena, n + 1, sizeof(*required));

	form->fields = fields;
	form->required = required;
	for (size_t i = 0; i < n; i++)
		load_field(l, keys->fields->items[i], form, fields);
	if (keys->fields && !has_item(keys->fields, "email"))
		complain(l, keys->fields, "`email` is missing in `fields`; without it nobody can be mailed");
	for (size_t i = 0; keys->required && i < keys->required->count; i++) {
		const struct yaml_node *item = keys->required->items[i];

		if (!keys_expect(l, item, YAML_TEXT, "an item of `required`"))
			continue;
		if (keys->fields && !has_item(keys->fields, item->text))
			complain(l, item, "`%s` is required and not in `fields`; put it there too",
				item->text);
		for (size_t k = 0; k < form->field_count; k++) {
			if (!strcmp(l->plan->fields[fields[k]].name, item->text))
				required[k] = true;
		}
	}
}

/* A confirmation that cannot be confirmed ends every sign-up. */
static void check_link(struct load *l, const struct yaml_node *node, const struct mail_template *mail)
{
	int link = vocabulary_find(l->plan->mail_names, slice_of("confirm_url"));

	if (mail->html && mail->text && (!template_uses(mail->html, link) || !template_uses(mail->text, link)))
		complain(l, node, "the mail `%s` has no link to confirm with; put {{ confirm_url }} into it%s", mail->name,
			template_uses(mail->html, link) ? "s text part" : "");
}

/* In every language. */
static void check_confirm(struct load *l, const struct yaml_node *node, const struct mail_template *mail)
{
	for (size_t i = 0; i < l->plan->mail_count; i++) {
		if (!strcmp(l->plan->mails[i].base, mail->base))
			check_link(l, node, &l->plan->mails[i]);
	}
}

static void load_confirm(
	struct load *l, const struct yaml_node *root, const struct form_keys *keys, struct form *form)
{
	form->confirm_double = keys->confirm == 0;
	if (!form->confirm_double) {
		if (keys->confirm_mail)
			complain(l, keys->confirm_mail, "`confirm_mail` has no effect: `confirm` is single");
		return;
	}
	form->confirm_mail = keys->confirm_mail ? mails_find(l, keys->confirm_mail) : mails_base(l->plan, "confirm");
	if (form->confirm_mail)
		check_confirm(l, keys->confirm_mail ? keys->confirm_mail : root, form->confirm_mail);
	else if (!keys->confirm_mail && l->mails_known)
		complain(l, root,
			"there is no mail `confirm` in templates/emails/; a form with `confirm: double` sends it");
}

static void load_download(struct load *l, const struct yaml_node *node, const struct yaml_node *attach, struct form *form)
{
	const char *folder = l->plan->operator.files;
	struct err err = { "" };
	struct stat st;
	char *path;

	if (attach && !node)
		complain(l, attach, "`attach` has no effect without `download`");
	if (!node)
		return;
	form->download = arena_strdup(l->arena, node->text);
	if (strchr(node->text, '/') || node->text[0] == '.' || text_has_control(node->text, node->len)) {
		complain(
			l, node, "`%s` is no file name; it is one in %s, without a path", node->text, folder);
		return;
	}
	path = arena_printf(l->scratch, "%s/%s", folder, node->text);
	if (l->operator_known && (stat(path, &st) || !S_ISREG(st.st_mode)))
		complain(l, node, "there is no file %s; put it there", path);
	else if (l->operator_known && attach)
		form->attachment = attachments_get(l, folder, node->text, ATTACHMENT_FILE, &err);
	if (attach && l->operator_known && !form->attachment && *err.text)
		complain(l, attach, "`attach`: %s", err.text);
}

static void check_thanks(struct load *l, const struct yaml_node *root, const char *url)
{
	const char *const *hosts = l->plan->operator.listen.allow_redirect;
	struct scalar_url parts;

	scalar_url_parts(l->scratch, url, &parts);
	for (size_t i = 0; hosts && hosts[i]; i++) {
		if (!strcmp(hosts[i], parts.host))
			return;
	}
	complain(l, yaml_get(root, "thanks"),
		"`%s` is not in `allow_redirect` of `listen` in the operator's file; add it there",
		parts.host);
}

static void check_origins(struct load *l, const struct yaml_node *list)
{
	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count; i++) {
		const struct yaml_node *item = list->items[i];
		struct scalar_url parts;
		const char *url;
		struct err err;

		if (item->kind != YAML_TEXT)
			continue;
		if (scalar_url(l->scratch, item->text, web_schemes, &url, &err)) {
			complain(l, item, "%s", err.text);
			continue;
		}
		scalar_url_parts(l->scratch, item->text, &parts);
		/* browsers send scheme, host and port, nothing behind them */
		if (strchr(strstr(item->text, "://") + 3, '/') || strchr(item->text, '?'))
			complain(l, item,
				"`%s` has a path; an origin ends with its host or port, like "
				"https://www.example.com",
				item->text);
	}
}

int64_t basis_lasts(enum basis basis)
{
	switch (basis) {
	case BASIS_EXPRESS:
	case BASIS_CONTRACT:
		break;
	case BASIS_IMPLIED_INQUIRY:
		return 6 * 30 * US_DAY;
	case BASIS_IMPLIED_PURCHASE:
		return 2 * 365 * US_DAY;
	}
	return 0;
}

static const char *words_version(struct load *l, const char *words)
{
	uint8_t digest[SHA256_SIZE];
	struct buf hex = BUF_INIT;
	const char *version;

	digest_sha256(words, strlen(words), digest);
	text_hex(&hex, digest, sizeof(digest));
	version = arena_strndup(l->arena, buf_cstr(&hex), 12);
	buf_clear(&hex);
	return version;
}

static void load_consent(struct load *l, const struct yaml_node *node, struct form *form)
{
	struct consent_keys keys = { 0 };

	keys_read(l, node, &consent_table, &keys);
	form->consent_purpose = keys.purpose;
	form->consent_words = keys.words;
	form->may_track = keys.tracking;
	form->consent_version = keys.version ? keys.version : words_version(l, keys.words ? keys.words : "");
	form->basis = (enum basis)keys.basis;
	if (basis_lasts(form->basis) && form->confirm_double)
		complain(l, yaml_get(node, "basis"), "who confirms has said yes, which is no `%s` consent; leave `basis` away, or write "
			"`confirm: single`", basis_names[form->basis]);
}

static void load_topics(struct load *l, const struct yaml_node *list, struct form *form)
{
	const char **names = arena_calloc(l->arena, list ? list->count + 1 : 1, sizeof(*names));
	size_t n = 0;

	if (!list)
		return;
	form->topics = names;
	for (size_t i = 0; i < list->count; i++) {
		const char *name = keys_expect(l, list->items[i], YAML_TEXT, "an item of `topics`") ? topics_find(l, list->items[i]) : NULL;

		if (name)
			names[n++] = name;
	}
	if (!list->count)
		complain(l, list, "`topics` is empty: a sign-up would subscribe to nothing; name one, or leave it away");
}

static void load_form(struct load *l, const char *file, struct form *form)
{
	const struct yaml_node *root = load_file(l, arena_printf(l->scratch, "forms/%s", file), false);
	struct form_keys keys = { 0 };
	struct limit_keys limits = { 0 };

	form->name = "";
	keys_read(l, root, &form_table, &keys);
	if (!root)
		return;
	if (keys.form && keys_name(l, keys.form)) {
		if (plan_form(l->plan, keys.form->text))
			complain(l, keys.form, "there are two forms `%s`; each has a name of its own",
				keys.form->text);
		form->name = arena_strdup(l->arena, keys.form->text);
	}
	load_fields(l, &keys, form);
	keys_read(l, keys.limits, &limit_table, &limits);
	form->per_address = limits.per_address;
	form->per_ip = limits.per_ip;
	load_confirm(l, root, &keys, form);
	load_consent(l, keys.consent, form);
	load_topics(l, keys.topics, form);
	load_download(l, keys.download, keys.attach % 2 ? yaml_get(root, "attach") : NULL, form);
	form->thanks = keys.thanks_url;
	if (form->thanks && l->operator_known)
		check_thanks(l, root, form->thanks);
	form->allow_origin = keys.allow_origin;
	check_origins(l, yaml_get(root, "allow_origin"));
	form->trust_overwrite = keys.trust == 1;
	form->honeypot = keys.honeypot;
	if (form->honeypot && keys.fields && has_item(keys.fields, form->honeypot))
		complain(l, keys.fields, "`%s` is a field and the honeypot too; call the honeypot otherwise",
			form->honeypot);
}

void forms_load(struct load *l)
{
	const char *const *files = load_names(l, arena_printf(l->scratch, "%s/forms", l->folder), ".yaml");
	struct form *forms;
	size_t n = 0;

	while (files[n])
		n++;
	forms = arena_calloc(l->arena, n + 1, sizeof(*forms));
	l->plan->forms = forms;
	for (size_t i = 0; i < n; i++) {
		load_form(l, files[i], &forms[i]);
		l->plan->form_count++;
	}
}
