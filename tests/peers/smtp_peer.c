/*
 * smtp_peer: an SMTP server that plays failures, on loopback. Prints the port, then a line for each message it took; ends at end of input.
 *
 *	smtp_peer --at rcpt --say "450 4.2.1 later" --only 2
 *	smtp_peer --drop dot        smtp_peer --hang-dot 3000     smtp_peer --cert c.pem --key k.pem --user u --password p
 */
#include <getopt.h>

#include "smtp_script.h"

static const char *const points[] = { "nowhere", "greet", "ehlo", "mail", "rcpt", "data", "body", "dot", NULL };

static enum smtp_point point_of(const char *name)
{
	int i;

	for (i = 0; points[i]; i++)
		if (strcmp(points[i], name) == 0)
			return (enum smtp_point)i;
	fprintf(stderr, "smtp_peer: no such point: %s (greet ehlo mail rcpt data body dot)\n", name);
	exit(64);
}

static void print_message(void *ctx, const char *from, const char *to, const char *data, size_t n)
{
	const char *id = memmem(data, n, "\r\nMessage-ID: ", 14);

	printf("message from=%s to=%s bytes=%zu id=%.*s\n", from, to, n, id ? (int)strcspn(id + 14, "\r\n") : 0, id ? id + 14 : "");
	fflush(stdout);
}

enum option_name { AT = 1, SAY, DROP, GARBAGE, PARTIAL, EARLY, LOWER_CASE, ONLY, NO_PIPELINING, NO_DSN, UTF8, SIZE, GO_ANYWAY, HANG_DOT, MESSAGES, CERT, KEY, SMTPS, USER, PASSWORD, PORT };

static const struct option options[] = {
	{ "at", 1, NULL, AT }, { "say", 1, NULL, SAY }, { "drop", 1, NULL, DROP }, { "garbage", 1, NULL, GARBAGE },
	{ "partial", 1, NULL, PARTIAL }, { "early", 1, NULL, EARLY }, { "lower-case", 0, NULL, LOWER_CASE }, { "only", 1, NULL, ONLY }, { "no-pipelining", 0, NULL, NO_PIPELINING }, { "no-dsn", 0, NULL, NO_DSN }, { "utf8", 0, NULL, UTF8 }, { "size", 1, NULL, SIZE },
	{ "go-anyway", 0, NULL, GO_ANYWAY }, { "hang-dot", 1, NULL, HANG_DOT }, { "messages", 1, NULL, MESSAGES },
	{ "cert", 1, NULL, CERT }, { "key", 1, NULL, KEY }, { "smtps", 0, NULL, SMTPS }, { "user", 1, NULL, USER },
	{ "password", 1, NULL, PASSWORD }, { "port", 1, NULL, PORT }, { NULL, 0, NULL, 0 },
};

static int number(const char *s)
{
	int64_t n;

	if (text_int(s, &n) < 0 || n < -1 || n > 1000000000) {
		fprintf(stderr, "smtp_peer: not a number: %s\n", s);
		exit(64);
	}
	return (int)n;
}

static void take_option(struct smtp_script *k, enum smtp_point *at, int *port, int name)
{
	switch ((enum option_name)name) {
	case AT: *at = point_of(optarg); return;
	case SAY: k->say[*at] = optarg; return;
	case DROP: k->drop = point_of(optarg); return;
	case GARBAGE: k->garbage = point_of(optarg); return;
	case PARTIAL: k->partial = point_of(optarg); return;
	case EARLY: k->early = point_of(optarg); return;
	case LOWER_CASE: k->lower_case = true; return;
	case ONLY: k->only = number(optarg); return;
	case NO_PIPELINING: k->no_pipelining = true; return;
	case NO_DSN: k->no_dsn = true; return;
	case UTF8: k->utf8 = true; return;
	case SIZE: k->size = number(optarg); return;
	case GO_ANYWAY: k->go_anyway = true; return;
	case HANG_DOT: k->hang_dot = number(optarg); return;
	case MESSAGES: k->messages = number(optarg); return;
	case CERT: k->certificate = optarg; return;
	case KEY: k->key = optarg; return;
	case SMTPS: k->tls_first = true; return;
	case USER: k->user = optarg; return;
	case PASSWORD: k->password = optarg; return;
	case PORT: *port = number(optarg); return;
	}
}

int main(int argc, char **argv)
{
	struct smtp_script script = { .got = print_message };
	enum smtp_point at = AT_NOWHERE;
	struct smtp_peer *peer;
	int port = 0, name;
	char c;

	while ((name = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (name == '?')
			return 64;
		take_option(&script, &at, &port, name);
	}
	if (!!script.certificate != !!script.key || !!script.user != !!script.password || (script.tls_first && !script.certificate)) {
		fprintf(stderr, "smtp_peer: --cert goes with --key, --user with --password, --smtps with both of the first\n");
		return 64;
	}
	peer = smtp_peer_start(&script, port);
	printf("port %d\n", peer->port);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	smtp_peer_stop(&peer);
	return 0;
}
