/*
 * esp.c: see esp.h. What proves that a report is theirs differs from service to service: each names what it needs, and nothing else.
 */
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/text.h"

#include "esp.h"

const char *const esp_names[] = {
	[ESP_SES] = "ses",
	[ESP_SENDGRID] = "sendgrid",
	[ESP_POSTMARK] = "postmark",
	[ESP_MAILGUN] = "mailgun",
	[ESP_MAILJET] = "mailjet",
	[ESP_BREVO] = "brevo",
	NULL,
};

struct esp_keys {
	struct esp_config config;
	const struct yaml_node *name;
	int service;
};

static const struct key esp_keys[] = {
	{ ROW_AS("service", KEY_CHOICE, esp_keys, service), .required = true, .choices = esp_names,
		.help = "whose reports these are: they are posted to /v1/esp/SERVICE/PATH" },
	{ ROW_AS("path", KEY_SECRET, esp_keys, config.path), .required = true,
		.help = "the last part of that address, which only the service knows: 16 or more letters and digits" },
	{ ROW_AS("topics", KEY_TEXTS, esp_keys, config.topics), .fallback_help = "none; ses needs one",
		.help = "ses: the ARNs of the SNS topics that are yours; anybody's topic is validly signed" },
	{ ROW_AS("certificate", KEY_PATH, esp_keys, config.certificate), .fallback_help = "it is fetched from SNS",
		.help = "ses: a file with the certificate that signs, where this machine may not fetch it" },
	{ ROW_AS("ca_file", KEY_PATH, esp_keys, config.ca_file), .fallback = "/etc/ssl/certs/ca-certificates.crt",
		.help = "ses: the certificates that vouch for the host it is fetched from" },
	{ ROW_AS("public_key", KEY_TEXT, esp_keys, config.public_key), .fallback_help = "none; sendgrid needs one",
		.help = "sendgrid: the verification key of its signed event webhook, as its page shows it" },
	{ ROW_AS("signing_key", KEY_SECRET, esp_keys, config.signing_key), .fallback_help = "none; mailgun needs one",
		.help = "mailgun: its HTTP webhook signing key" },
	{ ROW_AS("user", KEY_TEXT, esp_keys, config.user), .fallback_help = "none",
		.help = "postmark, mailjet and brevo: the user of the address that the service was given (https://USER:PASSWORD@...)" },
	{ ROW_AS("password", KEY_SECRET, esp_keys, config.password), .fallback_help = "none",
		.help = "the password that goes with `user`" },
	{ ROW_AS("token", KEY_SECRET, esp_keys, config.token), .fallback_help = "none",
		.help = "brevo: the bearer token that its webhook was given, in place of user and password" },
	NO_KEY,
};
const struct key_table esp_table = { "a mail service",
	"A mail service that reports by webhook what became of mail.", esp_keys };

static bool is_known(const struct yaml_node *service)
{
	size_t i = 0;

	while (service && service->kind == YAML_TEXT && esp_names[i] && strcmp(esp_names[i], service->text) != 0)
		i++;
	return service && service->kind == YAML_TEXT && esp_names[i];
}

static bool is_path(const char *s)
{
	size_t n = strlen(s);

	return n >= 16 && n <= 128 && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

/* arn:aws:sns:REGION:ACCOUNT:NAME, also of aws-cn and aws-us-gov. */
static bool is_topic(const char *s)
{
	size_t colons = 0;

	for (const char *c = s; *c; c++)
		colons += *c == ':';
	return colons == 5 && text_starts_with(s, "arn:aws") && strstr(s, ":sns:") && !text_ends_with(s, ":");
}

static void check_topics(struct load *l, const struct yaml_node *map, const struct esp_config *c)
{
	const struct yaml_node *list = yaml_get(map, "topics");

	if (!c->topics || !c->topics[0])
		complain(l, map, "`ses` needs `topics`: the ARNs of your SNS topics; without them anybody's topic would be believed");
	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count; i++)
		if (list->items[i]->kind == YAML_TEXT && !is_topic(list->items[i]->text))
			complain(l, list->items[i], "`%s` is no topic; write its ARN, like arn:aws:sns:eu-west-1:123456789012:mail",
				list->items[i]->text);
}

/* Base64 of an EC SubjectPublicKeyInfo. */
static bool is_public_key(const char *s)
{
	struct buf der = BUF_INIT;
	EVP_PKEY *key = NULL;
	const unsigned char *at;
	bool good;

	if (text_base64_decode(s, strlen(s), &der) == 0 && der.len) {
		at = (const unsigned char *)der.data;
		key = d2i_PUBKEY(NULL, &at, (long)der.len);
	}
	good = key && EVP_PKEY_base_id(key) == EVP_PKEY_EC;
	EVP_PKEY_free(key);
	buf_clear(&der);
	return good;
}

/* A key of another service would prove nothing here. */
static void refuse(struct load *l, const struct yaml_node *map, const char *service, const char *const *wrong)
{
	for (; *wrong; wrong++)
		if (yaml_get(map, *wrong))
			complain(l, yaml_get(map, *wrong), "`%s` does nothing for %s; leave it away", *wrong, service);
}

static void check_login(struct load *l, const struct yaml_node *map, const struct esp_config *c, const char *service, bool token)
{
	if (token && c->token) {
		if (c->user || c->password)
			complain(l, map, "`token` and `user` are two ways to prove the same; give one");
		return;
	}
	if (!c->user || !c->password)
		complain(l, map, "%s signs nothing, so it needs `user` and `password`%s", service, token ? ", or `token`" : "");
	else if (strchr(c->user, ':'))
		complain(l, yaml_get(map, "user"), "a user of HTTP basic authentication has no colon in it");
}

static void check(struct load *l, const struct yaml_node *map, const struct esp_config *c)
{
	static const char *const not_ses[] = { "public_key", "signing_key", "user", "password", "token", NULL };
	static const char *const not_sendgrid[] = { "topics", "certificate", "ca_file", "signing_key", "user", "password", "token", NULL };
	static const char *const not_mailgun[] = { "topics", "certificate", "ca_file", "public_key", "user", "password", "token", NULL };
	static const char *const not_login[] = { "topics", "certificate", "ca_file", "public_key", "signing_key", "token", NULL };
	static const char *const not_brevo[] = { "topics", "certificate", "ca_file", "public_key", "signing_key", NULL };

	switch (c->service) {
	case ESP_SES:
		check_topics(l, map, c);
		refuse(l, map, "ses", not_ses);
		break;
	case ESP_SENDGRID:
		if (!c->public_key)
			complain(l, map, "`sendgrid` needs `public_key`: switch on the signed event webhook, and copy its verification key here");
		else if (!is_public_key(c->public_key))
			complain(l, yaml_get(map, "public_key"), "`public_key` is no public key; copy the verification key of the signed event webhook whole");
		refuse(l, map, "sendgrid", not_sendgrid);
		break;
	case ESP_MAILGUN:
		if (!c->signing_key)
			complain(l, map, "`mailgun` needs `signing_key`: the HTTP webhook signing key, as credential:NAME or file:/path");
		refuse(l, map, "mailgun", not_mailgun);
		break;
	case ESP_POSTMARK:
	case ESP_MAILJET:
		check_login(l, map, c, esp_names[c->service], false);
		refuse(l, map, esp_names[c->service], not_login);
		break;
	case ESP_BREVO:
		check_login(l, map, c, "brevo", true);
		refuse(l, map, "brevo", not_brevo);
		break;
	}
}

void esp_load(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct esp_config *all = arena_calloc(l->arena, n + 1, sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *map = list->items[i];
		struct esp_keys keys = { 0 };

		keys_read(l, map, &esp_table, &keys);
		all[i] = keys.config;
		all[i].service = (enum esp)keys.service;
		if (map->kind != YAML_MAP)
			continue;
		if (all[i].path && !is_path(all[i].path))
			complain(l, yaml_get(map, "path"),
				"`path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one");
		if (is_known(yaml_get(map, "service")))
			check(l, map, &all[i]);
		for (size_t k = 0; k < i && !l->no_secrets && all[i].path; k++)
			if (all[k].path && all[k].service == all[i].service && strcmp(all[k].path, all[i].path) == 0)
				complain(l, yaml_get(map, "path"), "two of `esp` have this path; each has one of its own");
	}
	l->plan->operator.esps = all;
	l->plan->operator.esp_count = n;
}
