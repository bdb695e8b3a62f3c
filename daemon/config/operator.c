/*
 * operator.c: nurtured.yaml, the operator's file: where things are kept, who sends, over which relay, what is read.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#include "esp.h"
#include "keys.h"
#include "mailboxes.h"
#include "operator.h"
#include "scalar.h"
#include "shape.h"
#include "targets.h"

#define HEADER_NAME "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
#define HEADER_NAME_MAX 60
#define HEADER_VALUE_MAX 900	/* of one word, too: what the line of a header holds */

static const char *const tls_choices[] = { "required", "none", NULL };
static const char *const level_choices[] = { "error", "warn", "info", "debug", NULL };
static const char *const format_choices[] = { "logfmt", "json", NULL };
static const char *const separator_choices[] = { "+", "-", "=", NULL };
static const char *const precedence_choices[] = { "never", "mailings", "always", NULL };
static const char *const no_yes_choices[] = { "no", "yes", NULL };
static const char *const web_schemes[] = { "https", "http", NULL };
static const char *const smtp_schemes[] = { "smtp", "smtps", NULL };

/* --- tables ----------------------------------------------------------------------------------------------------- */

static const struct key listen_keys[] = {
	{ ROW(KEY_TEXT, listen_config, address), .fallback = "127.0.0.1",
		.help = "the IP address to listen on; nginx or Caddy stands in front for TLS" },
	{ ROW(KEY_INT, listen_config, port), .fallback = "8025", .least = 0, .most = 65535,
		.help = "the TCP port; 0 takes any that is free" },
	{ ROW(KEY_URL, listen_config, public_url), .required = true, .choices = web_schemes,
		.help = "how the world reaches it: links in mail begin with this" },
	{ ROW(KEY_TEXTS, listen_config, trusted_proxies),
		.help = "addresses whose X-Forwarded-For is believed" },
	{ ROW(KEY_INT, listen_config, max_connections), .fallback = "1024", .least = 16, .most = 65536,
		.help = "connections open at one time" },
	{ ROW(KEY_SIZE, listen_config, max_body), .fallback = "256 KiB", .least = 1024,
		.most = 16 * 1024 * 1024, .help = "the largest request body" },
	{ ROW(KEY_DURATION, listen_config, request_timeout), .fallback = "10 s", .least = US_SECOND,
		.most = 5 * US_MINUTE, .help = "from the first byte of a request to its last" },
	{ ROW(KEY_TEXTS, listen_config, allow_redirect),
		.help = "hosts that `thanks` of a form and redirects may name" },
	{ ROW(KEY_SECRET, listen_config, api_key), .fallback_help = "none: they answer 403",
		.help = "the key of the website's server, for /v1/track, page, identify, batch and outcomes" },
	{ ROW(KEY_SECRET, listen_config, api_secret), .fallback_help = "none: nothing is signed",
		.help = "the secret (whsec_...) that it signs its requests with instead, as Standard Webhooks has it" },
	NO_KEY,
};
static const struct key_table listen_table = { "`listen`",
	"Where it listens for the website and for prospects.", listen_keys };

struct sender_keys {
	const struct yaml_node *from;
	const char *name, *company, *postal_address, *bounce_domain, *reply_domain, *tracking_url, *relay;
	const char *const *dkim_selectors;
	int separator;
};

static const struct key sender_keys[] = {
	{ ROW(KEY_NODE, sender_keys, from), .required = true,
		.help = "who writes: `Ana at Example <ana@example.com>`; name and domain may have any letters, what stands before the @ ASCII's alone" },
	{ ROW(KEY_TEXT, sender_keys, company), .required = true,
		.help = "the company's name, for the foot of mails and pages" },
	{ ROW(KEY_TEXT, sender_keys, postal_address), .required = true,
		.help = "the company's postal address: the law of most countries wants it in every marketing "
			"mail" },
	{ ROW(KEY_HOST, sender_keys, bounce_domain), .fallback_help = "the domain of `from`",
		.help = "the domain of return paths" },
	{ ROW(KEY_HOST, sender_keys, reply_domain), .fallback_help = "the domain of `from`",
		.help = "the domain of Reply-To" },
	{ ROW(KEY_CHOICE, sender_keys, separator), .fallback = "+", .choices = separator_choices,
		.help = "what stands between the letter and the token in these addresses" },
	{ ROW(KEY_URL, sender_keys, tracking_url), .choices = web_schemes, .fallback_help = "`listen.public_url`",
		.help = "what links in its mails begin with: a host of the same domain as `from`, which leads here too" },
	{ ROW(KEY_NAME, sender_keys, relay), .fallback_help = "any of them",
		.help = "the only one of `relays` that its mails go over; they wait while it does not work" },
	{ ROW(KEY_TEXTS, sender_keys, dkim_selectors), .fallback_help = "not told",
		.help = "the selectors of the DKIM keys by which the relay signs, for `nurturectl doctor`" },
	NO_KEY,
};
static const struct key_table sender_table = { "`sender`", "Who the mail is from.", sender_keys };

#define OF_SENDER .fallback_help = "that of `sender`"
static const struct key other_sender_keys[] = {
	{ ROW(KEY_NAME, sender_keys, name), .required = true, .help = "what `from` in the front matter of a mail calls it" },
	{ ROW(KEY_NODE, sender_keys, from), .required = true, .help = "who writes: `Ben at Example <ben@example.org>`" },
	{ ROW(KEY_TEXT, sender_keys, company), OF_SENDER, .help = "the company's name, for the foot of its mails" },
	{ ROW(KEY_TEXT, sender_keys, postal_address), OF_SENDER, .help = "the company's postal address" },
	{ ROW(KEY_HOST, sender_keys, bounce_domain), OF_SENDER, .help = "the domain of return paths" },
	{ ROW(KEY_HOST, sender_keys, reply_domain), OF_SENDER, .help = "the domain of Reply-To" },
	{ ROW(KEY_CHOICE, sender_keys, separator), OF_SENDER, .choices = separator_choices,
		.help = "what stands between the letter and the token in these addresses" },
	{ ROW(KEY_URL, sender_keys, tracking_url), OF_SENDER, .choices = web_schemes, .help = "what links in its mails begin with" },
	{ ROW(KEY_NAME, sender_keys, relay), OF_SENDER, .help = "the only one of `relays` that its mails go over" },
	{ ROW(KEY_TEXTS, sender_keys, dkim_selectors), OF_SENDER, .help = "the selectors of the DKIM keys by which the relay signs" },
	NO_KEY,
};
static const struct key_table other_sender_table = { "a sender",
	"One more identity: a mail is from it whose front matter says `from: NAME`.", other_sender_keys };

struct message_keys {
	const struct yaml_node *headers;
	int precedence, suppress_auto_replies;
	int64_t max_size;
};

static const struct key message_keys[] = {
	{ ROW(KEY_OTHERS, message_keys, headers), .fallback_help = "none",
		.help = "headers of your own in every mail, such as X-Company: Example" },
	{ ROW(KEY_CHOICE, message_keys, precedence), .fallback = "mailings", .choices = precedence_choices,
		.help = "which mails say `Precedence: bulk`: never; mailings, those of sequences that are entered by hand; always. Mails in "
			"one-to-one mode never do" },
	{ ROW(KEY_CHOICE, message_keys, suppress_auto_replies), .fallback = "no", .choices = no_yes_choices,
		.help = "asks Exchange for no out-of-office answers; without them nobody knows when people are back" },
	{ ROW(KEY_SIZE, message_keys, max_size), .fallback = "9 MiB", .least = 100 * 1024, .most = 50 * 1024 * 1024,
		.help = "the largest message, attachments and all; relays take 10 MB as a rule" },
	NO_KEY,
};
static const struct key_table message_table = { "`message`", "What all mails have.", message_keys };

struct relay_keys {
	struct relay_config config;
	int tls, backup;
};

static const struct key relay_keys[] = {
	{ ROW_AS("name", KEY_NAME, relay_keys, config.name), .required = true,
		.help = "its name in logs and metrics" },
	{ ROW_AS("url", KEY_URL, relay_keys, config.url), .required = true, .choices = smtp_schemes,
		.help = "smtp://host:587 (STARTTLS) or smtps://host:465" },
	{ ROW(KEY_CHOICE, relay_keys, tls), .fallback = "required", .choices = tls_choices,
		.help = "none is for a relay on this machine only" },
	{ ROW_AS("user", KEY_TEXT, relay_keys, config.user), .fallback_help = "none: no login",
		.help = "the name to log in with; a relay that then offers no login gets nothing" },
	{ ROW_AS("password", KEY_SECRET, relay_keys, config.password),
		.help = "the password that goes with `user`" },
	{ ROW_AS("ca_file", KEY_PATH, relay_keys, config.ca_file),
		.fallback = "/etc/ssl/certs/ca-certificates.crt",
		.help = "the certificates that vouch for the relay" },
	{ ROW_AS("ehlo", KEY_HOST, relay_keys, config.ehlo), .fallback_help = "the name of this machine",
		.help = "how it introduces itself" },
	{ ROW_AS("connections", KEY_INT, relay_keys, config.connections), .fallback = "10", .least = 1,
		.most = 50, .help = "connections open at one time" },
	{ ROW_AS("messages", KEY_INT, relay_keys, config.messages), .fallback = "100", .least = 1, .most = 100000,
		.help = "messages that one connection takes before it is closed and another is opened; receivers of others let pass 20 to 100, "
			"a mail server of your own any number" },
	{ ROW_AS("weight", KEY_INT, relay_keys, config.weight), .fallback = "1", .least = 1, .most = 100,
		.help = "its share of the mail: one of weight 3 takes three mails where one of weight 1 takes "
			"one, as long as both keep up" },
	{ ROW(KEY_CHOICE, relay_keys, backup), .fallback = "no", .choices = no_yes_choices,
		.help = "yes: it is used only while none of the others works" },
	{ ROW_AS("rate", KEY_RATE, relay_keys, config.rate), .fallback_help = "as fast as the relay takes it",
		.help = "the most it is given: `10 per second`, `2000 per hour`; less for a while if the relay says "
			"that it is too much" },
	NO_KEY,
};
static const struct key_table relay_table = { "a relay",
	"A mail server that takes the mail. If one fails, what is not on its way yet goes over another.", relay_keys };

static const struct key keep_keys[] = {
	{ ROW_AS("events", KEY_DURATION, operator_config, keep_events), .fallback = "3 years",
		.least = US_DAY, .most = 100 * 365 * US_DAY,
		.help = "how long to remember what prospects did" },
	{ ROW_AS("raw_mail", KEY_DURATION, operator_config, keep_raw_mail), .fallback = "30 days",
		.least = US_DAY, .most = 100 * 365 * US_DAY,
		.help = "how long to keep the mail that came in as it came" },
	{ ROW_AS("raw_mail_size", KEY_SIZE, operator_config, keep_raw_mail_size), .fallback = "4 GiB",
		.least = 100 * 1024 * 1024, .most = INT64_C(1) << 50,
		.help = "how much of it in all: the oldest goes first" },
	NO_KEY,
};
static const struct key_table keep_table = { "`keep`", "How long things are kept.", keep_keys };

struct log_keys {
	int level, format;
};

static const struct key log_keys[] = {
	{ ROW(KEY_CHOICE, log_keys, level), .fallback = "info", .choices = level_choices,
		.help = "the least that is logged" },
	{ ROW(KEY_CHOICE, log_keys, format), .fallback = "logfmt", .choices = format_choices,
		.help = "how a line looks" },
	NO_KEY,
};
static const struct key_table log_table = { "`log`", "What goes to the journal.", log_keys };

struct tracking_keys {
	const char *egress, *scanners;
	int honeypot;
};

static const struct key tracking_keys[] = {
	{ ROW(KEY_PATH, tracking_keys, egress), .fallback_help = "none",
		.help = "a file of networks, one a line, whose opens are Apple's mail privacy: "
			"https://mask-api.icloud.com/egress-ip-ranges.csv" },
	{ ROW(KEY_PATH, tracking_keys, scanners), .fallback_help = "none",
		.help = "a file of networks, one a line, from which mail scanners follow links; never those of a whole cloud" },
	{ ROW(KEY_CHOICE, tracking_keys, honeypot), .fallback = "no", .choices = no_yes_choices,
		.help = "puts a link into mails that nobody can see or reach: who follows it is a machine; but some filters dislike hidden links" },
	NO_KEY,
};
static const struct key_table tracking_table = { "`tracking`", "Who opens and clicks without being a person.", tracking_keys };

struct operator_keys {
	struct operator_config config;
	const struct yaml_node *listen, *sender, *senders, *message, *relays, *mailboxes, *esp, *keep, *log, *tracking, *shape;
};

static const struct key operator_keys[] = {
	{ ROW_AS("state", KEY_PATH, operator_keys, config.state), .fallback = "/var/lib/nurtured",
		.help = "the folder of the database and of raw mail" },
	{ ROW_AS("files", KEY_PATH, operator_keys, config.files),
		.fallback_help = "`files` in the state folder", .help = "the folder of the downloads" },
	{ ROW_AS("templates", KEY_PATH, operator_keys, config.templates), .fallback = "../templates",
		.help = "the folder of emails/, pages/ and alerts/" },
	{ ROW_AS("control", KEY_PATH, operator_keys, config.control),
		.fallback = "/run/nurtured/control.sock",
		.help = "the Unix socket that nurturectl speaks to" },
	{ ROW(KEY_MAP, operator_keys, listen), .required = true, .table = &listen_table,
		.help = "where it listens" },
	{ ROW(KEY_MAP, operator_keys, sender), .required = true, .table = &sender_table,
		.help = "who the mail is from, with its postal address" },
	{ ROW(KEY_LIST, operator_keys, senders), .table = &other_sender_table,
		.help = "who else mail is from; what one leaves out is that of `sender`" },
	{ ROW(KEY_MAP, operator_keys, message), .table = &message_table, .help = "what all mails have" },
	{ ROW(KEY_LIST, operator_keys, relays), .required = true, .table = &relay_table,
		.help = "the mail server that takes the mail" },
	{ ROW(KEY_LIST, operator_keys, mailboxes), .table = &mailbox_table,
		.help = "where replies and bounces arrive" },
	{ ROW(KEY_LIST, operator_keys, esp), .table = &esp_table,
		.help = "mail services that report by webhook what became of mail" },
	{ ROW(KEY_MAP, operator_keys, keep), .table = &keep_table, .help = "how long things are kept" },
	{ ROW(KEY_MAP, operator_keys, log), .table = &log_table, .help = "what goes to the journal" },
	{ ROW(KEY_MAP, operator_keys, tracking), .fallback_help = "no lists", .table = &tracking_table,
		.help = "who opens and clicks without being a person" },
	{ ROW(KEY_MAP, operator_keys, shape), .table = &shape_table, .help = "how fast mail goes out, and to whom" },
	{ ROW_AS("click_hold", KEY_DURATION, operator_keys, config.click_hold), .fallback = "90 s",
		.least = 0, .most = US_DAY,
		.help = "how long a click's effect is held back, until it is clear whether a scanner made "
			"it" },
	{ ROW_AS("retry_first", KEY_DURATION, operator_keys, config.retry_first), .fallback = "1 minute",
		.least = US_SECOND / 10, .most = US_DAY,
		.help = "when a mail that the relay put off is tried again for the first time" },
	{ ROW_AS("allow_private", KEY_TEXTS, operator_keys, config.allow_private),
		.help = "networks (10.0.0.0/8) that alerts may reach although they are private" },
	NO_KEY,
};
const struct key_table operator_table = { "the operator's file",
	"The operator's file: it lies in the folder of all the others.", operator_keys };

/* --- what the tables cannot say --------------------------------------------------------------------------------- */

static bool is_address(const char *s)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, s, bytes) == 1 || inet_pton(AF_INET6, s, bytes) == 1;
}

static bool is_network(const char *s)
{
	const char *slash = strchr(s, '/');
	unsigned char bytes[16];
	char address[64];
	int64_t bits;

	if (!slash)
		return is_address(s);
	if ((size_t)(slash - s) >= sizeof(address) || text_int(slash + 1, &bits) || bits < 0)
		return false;
	memcpy(address, s, (size_t)(slash - s));
	address[slash - s] = 0;
	if (inet_pton(AF_INET, address, bytes) == 1)
		return bits <= 32;
	return inet_pton(AF_INET6, address, bytes) == 1 && bits <= 128;
}

/* What stands before ._domainkey. (RFC 6376 3.1): labels. */
static bool is_selector(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return n && n <= 63 && !s[n] && s[0] != '.' && s[n - 1] != '.';
}

/* As it stands in a URL, but without a port. */
static bool is_host(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")];
}

/* `tls: none` sends passwords and mail in the clear: only where nobody can listen. */
static bool is_local(const char *host)
{
	return !strcmp(host, "localhost") || !strcmp(host, "[::1]") ||
		(text_starts_with(host, "127.") && is_address(host));
}

static void check_items(struct load *l, const struct yaml_node *map, const char *key,
	bool (*good)(const char *), const char *meant)
{
	const struct yaml_node *list = map ? yaml_get(map, key) : NULL;

	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count; i++) {
		const struct yaml_node *item = list->items[i];

		if (item->kind == YAML_TEXT && !good(item->text))
			complain(l, item, "`%s` in `%s` is wrong; %s", item->text, key, meant);
	}
}

/* A URL that links are made of by adding to it, without its last slash. */
static const char *load_base(struct load *l, const struct yaml_node *map, const char *key, const char *url)
{
	size_t n = url ? strlen(url) : 0;

	if (url && strchr(url, '?'))
		complain(l, yaml_get(map, key), "there is a ? in `%s`; links are made by adding to it", key);
	while (n && url[n - 1] == '/')
		n--;
	return arena_strndup(l->arena, url ? url : "", n);
}

static void load_listen(struct load *l, const struct yaml_node *map)
{
	struct listen_config *c = &l->plan->operator.listen;
	struct err err;

	keys_read(l, map, &listen_table, c);
	if (!map)
		return;
	if (!is_address(c->address))
		complain(l, yaml_get(map, "address"), "`%s` is no IP address; write it like 127.0.0.1 or ::1",
			c->address);
	if (c->api_secret && targets_check_secret(c->api_secret, &err))
		complain(l, yaml_get(map, "api_secret"), "`api_secret`: %s", err.text);
	check_items(
		l, map, "trusted_proxies", is_network, "write an IP address or a network like 10.0.0.0/8");
	check_items(l, map, "allow_redirect", is_host, "write a host alone, like www.example.com");
	c->public_url = load_base(l, map, "public_url", c->public_url);
}

static void load_sender(struct load *l, const struct yaml_node *map, const struct sender_keys *keys, struct sender_config *c)
{
	char name[256] = "";
	struct err err;

	if (keys->from && address_parse_mailbox(keys->from->text, &c->from, name, sizeof(name), &err))
		complain(
			l, keys->from, "`from`: %s; write it like Ana at Example <ana@example.com>", err.text);
	else if (keys->from && address_has_letters(&c->from))
		complain(l, keys->from, "`from`: the part before the @ must be ASCII, or few could take mail from it; the name may have any letters");
	c->from_name = arena_strdup(l->arena, name);
	/* it pointed into an address that has been copied */
	c->message_domain = c->from.domain ? arena_strdup(l->arena, c->from.domain) : "";
	c->company = keys->company;
	c->postal_address = keys->postal_address;
	c->bounce_domain = keys->bounce_domain;
	c->reply_domain = keys->reply_domain;
	c->dkim_selectors = keys->dkim_selectors;
	c->separator = separator_choices[keys->separator][0];
	c->relay = keys->relay;
	check_items(l, map, "dkim_selectors", is_selector, "write what stands before ._domainkey. in its name, like s1");
	c->tracking_url = keys->tracking_url ? load_base(l, map, "tracking_url", keys->tracking_url) : NULL;
}

/* What one leaves out is that of `sender`. */
static void inherit(const struct yaml_node *map, const struct sender_config *of, struct sender_config *c)
{
	if (!c->company)
		c->company = of->company;
	if (!c->postal_address)
		c->postal_address = of->postal_address;
	if (!c->bounce_domain)
		c->bounce_domain = of->bounce_domain;
	if (!c->reply_domain)
		c->reply_domain = of->reply_domain;
	if (!c->tracking_url)
		c->tracking_url = of->tracking_url;
	if (!c->relay)
		c->relay = of->relay;
	if (map->kind != YAML_MAP || !yaml_get(map, "dkim_selectors"))
		c->dkim_selectors = of->dkim_selectors;
	if (map->kind != YAML_MAP || !yaml_get(map, "separator"))
		c->separator = of->separator;
}

static void check_sender_name(struct load *l, const struct yaml_node *map, struct sender_config *senders, size_t count)
{
	const char *name = senders[count].name;
	size_t i;

	for (i = 0; name && i < count; i++)
		if (!strcmp(senders[i].name, name))
			break;
	if (name && i < count)
		complain(l, yaml_get(map, "name"), i ? "there are two senders `%s`; each has a name of its own"
			: "`%s` is the name of `sender` itself; give this one another", name);
	if (!name)
		senders[count].name = "";
}

static void load_senders(struct load *l, const struct yaml_node *map, const struct yaml_node *list)
{
	struct operator_config *o = &l->plan->operator;
	size_t n = list ? list->count : 0;
	struct sender_config *senders = arena_calloc(l->arena, n + 1, sizeof(*senders));
	struct sender_keys keys = { 0 };

	keys_read(l, map, &sender_table, &keys);
	load_sender(l, map, &keys, &senders[0]);
	senders[0].name = "default";
	if (!senders[0].bounce_domain)
		senders[0].bounce_domain = senders[0].message_domain;
	if (!senders[0].reply_domain)
		senders[0].reply_domain = senders[0].message_domain;
	if (!senders[0].tracking_url)
		senders[0].tracking_url = o->listen.public_url;
	for (size_t i = 1; i <= n; i++) {
		map = list->items[i - 1];
		keys = (struct sender_keys){ 0 };
		keys_read(l, map, &other_sender_table, &keys);
		load_sender(l, map, &keys, &senders[i]);
		senders[i].name = keys.name;
		check_sender_name(l, map, senders, i);
		inherit(map, &senders[0], &senders[i]);
	}
	o->senders = senders;
	o->sender_count = n + 1;
}

/* Those that are ours, or the relay's, or that would make two of what there may be one of. */
static bool is_taken(const char *name)
{
	static const char *const names[] = {
		"Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Message-ID", "In-Reply-To", "References", "List-Id", "List-Unsubscribe",
		"List-Unsubscribe-Post", "Feedback-ID", "Precedence", "Auto-Submitted", "X-Auto-Response-Suppress", "X-Nurtured-ID", "MIME-Version",
		"Return-Path", "Received", "DKIM-Signature", NULL,
	};

	for (size_t i = 0; names[i]; i++) {
		if (!strcasecmp(name, names[i]))
			return true;
	}
	return !strncasecmp(name, "Content-", 8) || !strncasecmp(name, "Resent-", 7);
}

static void check_header(struct load *l, const struct yaml_node *map, size_t at)
{
	const struct yaml_node *key = map->keys[at], *value = map->items[at];

	if (!key->len || key->len > HEADER_NAME_MAX || key->text[strspn(key->text, HEADER_NAME)])
		complain(l, key, "`%s` is no name of a header; it is letters, digits and -, at most %d of them", key->text, HEADER_NAME_MAX);
	else if (is_taken(key->text))
		complain(l, key, "the header %s is made by nurtured or by the relay; choose another name, such as X-%s", key->text, key->text);
	for (size_t i = 0; i < at; i++) {
		if (!strcasecmp(map->keys[i]->text, key->text))
			complain(l, key, "the header %s is there twice", key->text);
	}
	if (keys_expect(l, value, YAML_TEXT, "a header") && (value->len > HEADER_VALUE_MAX || text_has_control(value->text, value->len) || strchr(value->text, '\n')))
		complain(l, value, "a header is one line of at most %d bytes, without control characters", HEADER_VALUE_MAX);
}

static void load_message(struct load *l, const struct yaml_node *map)
{
	struct message_config *c = &l->plan->operator.message;
	struct message_keys keys = { 0 };
	struct header *headers;
	size_t n;

	keys_read(l, map, &message_table, &keys);
	n = keys.headers ? keys.headers->count : 0;
	headers = arena_calloc(l->arena, n + 1, sizeof(*headers));
	for (size_t i = 0; i < n; i++) {
		check_header(l, keys.headers, i);
		headers[i].name = arena_strdup(l->arena, keys.headers->keys[i]->text);
		headers[i].value = arena_strdup(l->arena, keys.headers->items[i]->text ? keys.headers->items[i]->text : "");
	}
	*c = (struct message_config){
		.headers = headers, .header_count = n, .precedence = (enum precedence)keys.precedence,
		.suppress_auto_replies = keys.suppress_auto_replies == 1, .max_size = keys.max_size,
	};
}

void operator_check_login(struct load *l, const struct yaml_node *map, const char *user, const char *what)
{
	const struct yaml_node *password = yaml_get(map, "password");

	if (user && !password)
		complain(l, map,
			"%s has a `user` and no `password`; it names a secret: credential:NAME or file:/path",
			what);
	if (!user && password)
		complain(l, password, "%s has a `password` and no `user`; give both, or neither", what);
}

void operator_check_tls(struct load *l, const struct yaml_node *map, const char *url, int tls)
{
	struct scalar_url parts;

	scalar_url_parts(l->scratch, url, &parts);
	if (tls == TLS_NONE && text_ends_with(parts.scheme, "s"))
		complain(l, yaml_get(map, "tls"),
			"%s:// is TLS already; `tls: none` goes with the scheme without the s", parts.scheme);
	else if (tls == TLS_NONE && !is_local(parts.host))
		complain(l, yaml_get(map, "tls"),
			"`tls: none` would send everything in the clear to %s; it is for this machine only",
			parts.host);
}

static void check_relay_name(struct load *l, const struct yaml_node *map, const struct relay_config *relays, size_t count)
{
	size_t i;

	for (i = 0; relays[count].name && i < count; i++)
		if (relays[i].name && !strcmp(relays[i].name, relays[count].name))
			complain(l, yaml_get(map, "name"), "there are two relays `%s`; each has a name of its own", relays[i].name);
}

/* Which sender names which. */
static void check_sender_relay(struct load *l, const struct yaml_node *map)
{
	const struct yaml_node *node = map && map->kind == YAML_MAP ? yaml_get(map, "relay") : NULL;
	const struct operator_config *o = &l->plan->operator;
	const char **names = arena_calloc(l->scratch, o->relay_count + 1, sizeof(*names));
	size_t i, n = 0;

	if (!node || node->kind != YAML_TEXT)
		return;
	for (i = 0; i < o->relay_count; i++) {
		if (o->relays[i].name && !strcmp(o->relays[i].name, node->text))
			return;
		if (o->relays[i].name)
			names[n++] = o->relays[i].name;
	}
	complain(l, node, "`relay`: `%s` is none of `relays`%s", node->text, keys_hint(l, node->text, names));
}

static void load_relays(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct relay_config *relays = arena_calloc(l->arena, n + 1, sizeof(*relays));
	size_t backups = 0;

	if (list && n == 0)
		complain(l, list, "`relays` is empty; name the one that takes the mail");
	for (size_t i = 0; i < n; i++) {
		struct relay_keys keys = { 0 };
		const struct yaml_node *map = list->items[i];

		keys_read(l, map, &relay_table, &keys);
		relays[i] = keys.config;
		relays[i].tls = (enum tls)keys.tls;
		relays[i].backup = keys.backup;
		backups += keys.backup;
		if (map->kind != YAML_MAP)
			continue;
		check_relay_name(l, map, relays, i);
		operator_check_login(l, map, keys.config.user, "the relay");
		if (keys.config.url)
			operator_check_tls(l, map, keys.config.url, keys.tls);
		if (!relays[i].ehlo) {
			char host[256] = "localhost";

			gethostname(host, sizeof(host) - 1);
			relays[i].ehlo = arena_strdup(l->arena, host);
		}
	}
	if (n > 0 && backups == n)
		complain(l, list, "every relay is a `backup`; there must be one that is not");
	l->plan->operator.relays = relays;
	l->plan->operator.relay_count = n;
}

/* Who only looks may have the marketer's files alone. */
static const struct networks *load_networks(struct load *l, const struct yaml_node *map, const char *key, const char *path)
{
	struct networks *networks = NULL;
	struct err err;

	if (path && !l->no_secrets && networks_load(path, &networks, &err) < 0)
		complain(l, yaml_get(map, key), "`%s`: %s: %s", key, path, err.text);
	return networks;
}

static void load_tracking(struct load *l, const struct yaml_node *map)
{
	struct tracking_config *c = &l->plan->operator.tracking;
	struct tracking_keys keys = { 0 };

	keys_read(l, map, &tracking_table, &keys);
	c->egress = load_networks(l, map, "egress", keys.egress);
	c->scanners = load_networks(l, map, "scanners", keys.scanners);
	c->honeypot = keys.honeypot == 1;
}

void operator_load(struct load *l, const char *file)
{
	struct operator_config *c = &l->plan->operator;
	struct operator_keys keys = { 0 };
	struct log_keys log = { 0 };
	const struct yaml_node *root = load_file(l, file, false);

	l->operator_known = root && root->kind == YAML_MAP;
	keys_read(l, root, &operator_table, &keys);
	*c = keys.config;
	if (!c->files)
		c->files = arena_printf(l->arena, "%s/files", c->state);
	load_listen(l, keys.listen);
	load_senders(l, keys.sender, keys.senders);
	load_message(l, keys.message);
	load_relays(l, keys.relays);
	check_sender_relay(l, keys.sender);
	for (size_t i = 0; keys.senders && i < keys.senders->count; i++)
		check_sender_relay(l, keys.senders->items[i]);
	mailboxes_load(l, keys.mailboxes);
	load_tracking(l, keys.tracking);
	esp_load(l, keys.esp);
	shape_load(l, keys.shape);
	keys_read(l, keys.keep, &keep_table, c);
	keys_read(l, keys.log, &log_table, &log);
	c->log_level = (enum log_level)log.level;
	c->log_json = log.format == 1;
	if (root && strlen(c->control) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		complain(l, yaml_get(root, "control"), "the path of a socket has at most %zu bytes; this one has %zu: %s",
			sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1, strlen(c->control), c->control);
	check_items(l, root, "allow_private", is_network, "write a network like 10.0.0.0/8");
}
