/*
 * mailboxes.c: where mail comes back. The scheme of `url` says what kind of mailbox it is; a key that has no use there is a complaint, so that a
 * slip is never silently without effect.
 */
#include <string.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/text.h"

#include "mailboxes.h"
#include "scalar.h"

static const char *const tls_choices[] = { "required", "none", NULL };
static const char *const server_schemes[] = { "imaps", "imap", "pop3s", "pop3", NULL };
const char *const mailbox_after_names[] = { "keep", "seen", "move", "delete", NULL };

#define POLL_POP3 (5 * US_MINUTE)	/* a login each; providers block who comes too often */

struct mailbox_keys {
	struct mailbox_config config;
	int tls, after;
	const struct yaml_node *url;
};

static const struct key mailbox_keys[] = {
	{ ROW_AS("name", KEY_NAME, mailbox_keys, config.name), .required = true,
		.help = "its name in logs, and of its watermark" },
	{ ROW(KEY_NODE, mailbox_keys, url), .required = true,
		.help = "imaps://host/INBOX, imap://host/INBOX (STARTTLS), pop3s://host, pop3://host (STARTTLS), maildir:/path, or where your mail server "
			"brings mail by LMTP: lmtp:/path of a socket, or lmtp://127.0.0.1:port" },
	{ ROW(KEY_CHOICE, mailbox_keys, tls), .fallback = "required", .choices = tls_choices,
		.help = "none is for a server on this machine only" },
	{ ROW_AS("user", KEY_TEXT, mailbox_keys, config.user), .help = "the name to log in with" },
	{ ROW_AS("password", KEY_SECRET, mailbox_keys, config.password),
		.help = "the password that goes with `user`" },
	{ ROW_AS("token_file", KEY_PATH, mailbox_keys, config.token_file), .fallback_help = "none",
		.help = "instead of a password, OAuth 2.0: the file in which another program keeps an access token fresh; it is read at each login" },
	{ ROW_AS("token_command", KEY_TEXTS, mailbox_keys, config.token_command), .fallback_help = "none",
		.help = "or the program that prints an access token, with its arguments: [/usr/bin/oama, access, replies@example.com]; it is run at each login" },
	{ ROW_AS("ca_file", KEY_PATH, mailbox_keys, config.ca_file),
		.fallback = "/etc/ssl/certs/ca-certificates.crt",
		.help = "the certificates that vouch for the server" },
	{ ROW_AS("poll", KEY_DURATION, mailbox_keys, config.poll), .fallback = "15 s",
		.least = US_SECOND / 10, .most = US_DAY, .fallback_help = "15 s; POP3: 5 minutes",
		.help = "how often to look for new mail; where the server tells of it (IDLE), it is looked every 2 to 9 minutes all the same" },
	{ ROW(KEY_CHOICE, mailbox_keys, after), .fallback = "keep", .choices = mailbox_after_names,
		.help = "what becomes of a mail that was taken: keep it as it is (IMAP: with the keyword $Nurtured), mark it as seen, move it to `move_to`, or "
			"delete it. POP3 can keep and delete. What could not be read stays" },
	{ ROW_AS("move_to", KEY_TEXT, mailbox_keys, config.move_to), .help = "the folder of `after: move`, with the separator that the server has: Done, Erledigt/Zurückgewiesen; it is made if it is not there" },
	{ ROW_AS("domains", KEY_TEXTS, mailbox_keys, config.domains), .fallback_help = "none",
		.help = "lmtp: domains whose mail is taken besides the bounce_domain and reply_domain of every sender, such as one where complaints arrive" },
	NO_KEY,
};

const struct key_table mailbox_table = { "a mailbox", "Where replies and bounces arrive.", mailbox_keys };

/* --- kinds --------------------------------------------------------------------------------------------------------- */

/* Keys that mean nothing to this kind. */
static void check_useless(struct load *l, const struct yaml_node *map, const char *kind, const char *const *keys)
{
	for (; *keys; keys++) {
		const struct yaml_node *at = yaml_get(map, *keys);

		if (at)
			complain(l, at, "%s has no use for `%s`; take it out", kind, *keys);
	}
}

static void load_maildir(struct load *l, const struct yaml_node *url, const struct yaml_node *map, struct mailbox_config *out)
{
	static const char *const useless[] = { "tls", "user", "password", "token_file", "token_command", "ca_file", "domains", "after", "move_to", NULL };

	out->kind = MAILBOX_MAILDIR;
	out->url = arena_strdup(l->arena, url->text);
	if (url->text[strlen("maildir:")] != '/' || text_has_control(url->text, url->len))
		complain(l, url, "`%s` is wrong; a Maildir has an absolute path: maildir:/var/mail/replies", url->text);
	check_useless(l, map, "a Maildir", useless);
}

/* 127.0.0.1:2003 or [::1]:2003 */
static int split_place(struct load *l, const char *place, struct mailbox_config *out)
{
	const char *colon = strrchr(place, ':');
	bool bracketed = *place == '[';
	int64_t port;

	if (!colon || text_int(colon + 1, &port) || port < 1 || port > 65535 || (bracketed && (colon == place || colon[-1] != ']')))
		return -1;
	out->port = (int)port;
	out->host = arena_strndup(l->arena, place + bracketed, (size_t)(colon - place) - 2 * (size_t)bracketed);
	return 0;
}

/* In the clear and without a password: for this machine. */
static void load_lmtp(struct load *l, const struct yaml_node *url, const struct yaml_node *map, struct mailbox_config *out)
{
	static const char *const useless[] = { "tls", "user", "password", "token_file", "token_command", "ca_file", "poll", "after", "move_to", NULL };
	const char *place = url->text + strlen("lmtp:");

	out->kind = MAILBOX_LMTP;
	out->url = arena_strdup(l->arena, url->text);
	if (text_starts_with(place, "//")) {
		if (split_place(l, place + 2, out) || (!text_starts_with(out->host, "127.") && strcmp(out->host, "::1")))
			complain(l, url, "`%s` is wrong; mail comes by LMTP from this machine only: lmtp:/run/nurtured/lmtp.sock, or lmtp://127.0.0.1:2003",
				url->text);
	} else if (*place != '/' || text_has_control(url->text, url->len) || strlen(place) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		complain(l, url, "`%s` is wrong; a socket has an absolute path of at most %zu bytes: lmtp:/run/nurtured/lmtp.sock", url->text,
			sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	} else {
		out->host = arena_strdup(l->arena, place);
	}
	check_useless(l, map, "LMTP", useless);
}

/* A password, or one of two ways to a token. */
static void check_login(struct load *l, const struct yaml_node *map, const struct mailbox_config *out)
{
	const struct yaml_node *file = yaml_get(map, "token_file"), *command = yaml_get(map, "token_command"), *password = yaml_get(map, "password");

	if (!file && !command) {
		operator_check_login(l, map, out->user, "the mailbox");
		return;
	}
	if (file && command)
		complain(l, command, "`token_file` and `token_command` are two ways to the same; give one");
	if (password)
		complain(l, password, "with a token there is no `password`; take one of them out");
	if (command && (!out->token_command[0] || out->token_command[0][0] != '/'))
		complain(l, command, "`token_command` begins with the whole path of a program: [/usr/bin/oama, access, replies@example.com]");
}

static void check_after(struct load *l, const struct yaml_node *map, struct mailbox_config *out)
{
	const struct yaml_node *after = yaml_get(map, "after"), *move_to = yaml_get(map, "move_to");
	struct buf name = BUF_INIT;
	struct err err;

	if (out->kind == MAILBOX_POP3 && (out->after == MAILBOX_SEEN || out->after == MAILBOX_MOVE))
		complain(l, after, "POP3 has no way to %s a mail; `after` is keep or delete", mailbox_after_names[out->after]);
	else if (out->after == MAILBOX_MOVE && !move_to)
		complain(l, after, "`after: move` needs `move_to`: the folder to move to");
	else if (out->after != MAILBOX_MOVE && move_to)
		complain(l, move_to, "`move_to` goes with `after: move`; take it out, or add that");
	if (out->move_to && folder_name(&name, out->move_to, &err) < 0)
		complain(l, move_to, "`move_to`: %s", err.text);
	buf_clear(&name);
}

static void load_server(struct load *l, const struct yaml_node *url, const struct yaml_node *map, struct mailbox_config *out)
{
	static const char *const useless[] = { "domains", NULL };
	struct scalar_url parts;
	struct err err;
	bool pop3;

	out->kind = MAILBOX_IMAP;
	if (scalar_url(l->arena, url->text, server_schemes, &out->url, &err)) {
		complain(l, url, "`url`: %s; or a folder: maildir:/path; or lmtp:/path of a socket", err.text);
		return;
	}
	scalar_url_parts(l->scratch, url->text, &parts);
	pop3 = text_starts_with(parts.scheme, "pop3");
	if (pop3) {
		out->kind = MAILBOX_POP3;
		out->poll = yaml_get(map, "poll") ? out->poll : POLL_POP3;
		if (parts.path[0] && parts.path[1])
			complain(l, url, "`%s` names a folder, and POP3 has none; write pop3s://host", url->text);
	} else if (!parts.path[0] || !parts.path[1]) {
		complain(l, url, "`%s` names no mailbox; write imaps://host/INBOX", url->text);
	}
	if (!out->user)
		complain(l, map, "the mailbox has no `user`; %s wants a login", pop3 ? "POP3" : "IMAP");
	check_login(l, map, out);
	operator_check_tls(l, map, url->text, out->tls);
	check_after(l, map, out);
	check_useless(l, map, pop3 ? "POP3" : "IMAP", useless);
}

static void check_domains(struct load *l, const struct yaml_node *list)
{
	struct err err;
	const char *host;

	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count; i++)
		if (list->items[i]->kind == YAML_TEXT && scalar_host(l->scratch, list->items[i]->text, &host, &err))
			complain(l, list->items[i], "`domains`: %s", err.text);
}

/* --- the list ------------------------------------------------------------------------------------------------------- */

static void load_mailbox(struct load *l, const struct yaml_node *map, struct mailbox_config *out)
{
	struct mailbox_keys keys = { 0 };
	const char *text;

	keys_read(l, map, &mailbox_table, &keys);
	*out = keys.config;
	out->tls = (enum tls)keys.tls;
	out->after = (enum mailbox_after)keys.after;
	if (!yaml_get(map, "token_command"))
		out->token_command = NULL;
	if (map->kind != YAML_MAP)
		return;
	check_domains(l, yaml_get(map, "domains"));
	if (!keys.url)
		return;
	text = keys.url->text;
	if (text_starts_with(text, "maildir:"))
		load_maildir(l, keys.url, map, out);
	else if (text_starts_with(text, "lmtp:"))
		load_lmtp(l, keys.url, map, out);
	else
		load_server(l, keys.url, map, out);
}

void mailboxes_load(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct mailbox_config *mailboxes = arena_calloc(l->arena, n + 1, sizeof(*mailboxes));

	for (size_t i = 0; i < n; i++) {
		load_mailbox(l, list->items[i], &mailboxes[i]);
		for (size_t k = 0; k < i && mailboxes[i].name; k++)
			if (mailboxes[k].name && !strcmp(mailboxes[k].name, mailboxes[i].name))
				complain(l, yaml_get(list->items[i], "name"), "there are two mailboxes `%s`; each has a name of its own", mailboxes[i].name);
		for (size_t k = 0; k < i && mailboxes[i].kind == MAILBOX_LMTP; k++)
			if (mailboxes[k].kind == MAILBOX_LMTP && mailboxes[i].url && mailboxes[k].url && !strcmp(mailboxes[i].url, mailboxes[k].url))
				complain(l, yaml_get(list->items[i], "url"), "two mailboxes listen at `%s`; each has a place of its own", mailboxes[i].url);
	}
	l->plan->operator.mailboxes = mailboxes;
	l->plan->operator.mailbox_count = n;
}
