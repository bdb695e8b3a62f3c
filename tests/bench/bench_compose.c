/*
 * bench_compose.c: what it costs to make a message of 10 KB (rendering, tokens, quoted-printable, headers), next to what no program can do without:
 * copying as many bytes, and to one token's HMAC. They run in turns; prints the medians.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

#include "../../daemon/send/compose.h"
#include "../../daemon/send/mime.h"

#define ROUNDS 15
#define MESSAGES 2000
#define LINKS 8

static const char *const names[] = { "first_name", "company", "subject", "preheader", "sender", "unsubscribe_url", "open_url" };
#define NAMES (sizeof(names) / sizeof(names[0]))

struct bench {
	struct plan plan;
	struct sender_config sender;
	struct token_ring *ring;
	struct compose *compose;
	struct mail_template template;
	struct template *html;
	struct value values[NAMES];
	struct address address;
	struct mail mail;
	struct envelope envelope;
	struct buf copy;
};

/* A letter with indented HTML, eight tracked links and a few substitutions in each paragraph. */
static void write_letter(struct buf *out)
{
	int i;

	buf_str(out, "---\nsubject: Three mistakes, {{ first_name }}\n---\n<!doctype html>\n<html>\n<body style=\"margin:0;padding:0\">\n");
	for (i = 0; i < LINKS; i++)
		buf_printf(out, "    <table role=\"presentation\" width=\"100%%\" cellpadding=\"0\" cellspacing=\"0\" style=\"border-collapse:collapse\">\n"
			"      <tr><td style=\"font-family:Arial,sans-serif;font-size:16px;line-height:24px;color:#222222;padding:0 24px 16px\">\n"
			"        <p>Dear {{ first_name }}, people who choose a vendor make three mistakes again and again, and {{ company }} need not. "
			"The first one is to begin with a list of features. The second one is to ask only those who sell. The third one is to wait "
			"until the old contract has been renewed, which happens by itself while everybody is busy with other things.</p>\n"
			"        <p><a href=\"https://www.example.com/articles/%d?from=mail\" style=\"color:#0b5fff\">Read on</a></p>\n"
			"      </td></tr>\n    </table>\n", i);
	buf_str(out, "<p><a href=\"{{ unsubscribe_url }}\">Stop these mails</a></p><img src=\"{{ open_url }}\" alt=\"\" width=\"1\" height=\"1\">\n"
		"</body>\n</html>\n");
}

static void prepare(struct bench *b)
{
	static const uint8_t keys[1][TOKEN_SECRET] = { { 1, 2, 3 } };
	static const uint8_t ids[1] = { 0 };
	struct template_options options = { .escape = TEMPLATE_HTML, .track_links = true };
	struct sender_config *sender = &b->sender;
	struct template_error error;
	struct buf letter = BUF_INIT;
	size_t count, i;

	b->plan.references = 1;
	b->plan.mail_names = vocabulary_new();
	for (i = 0; i < NAMES; i++)
		vocabulary_add(b->plan.mail_names, &(struct symbol){ .name = names[i], .type = VALUE_TEXT });
	if (address_parse("ana@example.com", &sender->from, NULL) < 0 || address_parse("bob@customer.example", &b->address, NULL) < 0)
		abort();
	sender->from_name = "Ana at Example";
	sender->company = "Example Ltd";
	sender->bounce_domain = "bounce.example.com";
	sender->reply_domain = "reply.example.com";
	sender->message_domain = "example.com";
	sender->separator = '+';
	sender->tracking_url = "https://mail.example.com";
	b->plan.operator.message.max_size = 9 << 20;
	b->plan.operator.senders = sender;
	b->plan.operator.sender_count = 1;
	b->ring = token_ring_new(keys, ids, 1);
	options.vocabulary = b->plan.mail_names;
	write_letter(&letter);
	b->html = template_compile("letter", letter.data, &options, &error, 1, &count);
	if (!b->html) {
		fprintf(stderr, "%d:%d: %s\n", error.line, error.column, error.text);
		exit(1);
	}
	b->template = (struct mail_template){ .name = "letter", .html = b->html, .text = template_text_part(b->html),
		.subject = template_meta(b->html, "subject") };
	b->compose = compose_new(&b->plan, b->ring, NULL);
	b->values[0] = value_text("Bob");
	b->values[1] = value_text("Customer & Sons");
	b->mail = (struct mail){ .sender = sender, .delivery = 12345678901234, .prospect = 77, .kind = DELIVERY_STEP, .template = &b->template, .address = &b->address,
		.to_name = "Bob Jones", .values = b->values, .sequence = "ebook", .step = "mistakes", .download = "", .planned = clock_now() };
	buf_clear(&letter);
}

static void run_compose(struct bench *b)
{
	struct err err;

	if (compose_mail(b->compose, &b->mail, clock_now(), &b->envelope, &err) != TEMPLATE_DONE) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
}

static void run_encode(struct bench *b)
{
	buf_reset(&b->copy);
	if (mime_quoted_printable(&b->copy, (struct slice){ b->envelope.body.data, b->envelope.body.len }, NULL) < 0)
		exit(1);
}

static void run_copy(struct bench *b)
{
	buf_reset(&b->copy);
	buf_add(&b->copy, b->envelope.body.data, b->envelope.body.len);
	__asm__ volatile("" : : "r"(b->copy.data) : "memory");
}

static void run_token(struct bench *b)
{
	char token[TOKEN_TEXT];

	token_make(b->ring, TOKEN_CLICK, b->mail.delivery, 1, b->mail.planned, token);
}

/* CPU time: what else the machine does does not count. */
static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(void)
{
	static const struct {
		const char *what;
		void (*run)(struct bench *b);
	} parts[] = {
		{ "whole message", run_compose }, { "quoted-printable of as many bytes", run_encode }, { "copy of as many bytes", run_copy }, { "one token", run_token },
	};
	enum { PARTS = sizeof(parts) / sizeof(parts[0]) };
	static double us[PARTS][ROUNDS];
	static struct bench b;
	size_t p;
	int round, i;

	prepare(&b);
	run_compose(&b);
	printf("message: %zu bytes, %d tracked links, %d tokens\n", b.envelope.body.len, LINKS, LINKS + 5);
	for (round = 0; round < ROUNDS; round++) {
		for (p = 0; p < PARTS; p++) {
			double start = cpu_us();

			for (i = 0; i < MESSAGES; i++)
				parts[p].run(&b);
			us[p][round] = (cpu_us() - start) / MESSAGES;
		}
	}
	for (p = 0; p < PARTS; p++)
		qsort(us[p], ROUNDS, sizeof(us[p][0]), by_size);
	for (p = 0; p < PARTS; p++)
		printf("%-36s %8.2f us CPU   x%.1f of the copy\n", parts[p].what, us[p][ROUNDS / 2], us[p][ROUNDS / 2] / us[2][ROUNDS / 2]);
	return 0;
}
