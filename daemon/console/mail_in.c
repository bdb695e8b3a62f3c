/* mail_in.c: see mail_in.h. */
#include <string.h>
#include <strings.h>

#include "base/http.h"
#include "base/text.h"
#include "console/console.h"

#include "mail_in.h"

#define ADDRESS_MOST 512

static void done(void *arg, bool committed, const char *why)
{
	struct http_request *r = arg;

	if (committed)
		http_reply(r, 200, "application/json", "{\"taken\":true}", strlen("{\"taken\":true}"));
	else
		http_problem(r, 503, why, NULL);
}

static bool is_address(const char *s)
{
	return !s || (strlen(s) <= ADDRESS_MOST && !s[strcspn(s, "\r\n<>")] && !text_has_control(s, strlen(s)));
}

void mail_in_post(const struct console_options *options, struct http_request *r)
{
	struct slice body = http_body(r);
	struct console_mail mail = {
		.sender = http_query(r, "sender"), .recipient = http_query(r, "recipient"), .data = body.data, .len = body.len, .size = (int64_t)body.len,
	};
	const char *size = http_query(r, "size");

	if (size && (text_int(size, &mail.size) || mail.size < (int64_t)body.len))
		http_problem(r, 400, "`size` is that of the whole mail, in bytes", NULL);
	else if (!body.len)
		http_problem(r, 422, "there is no mail in it", NULL);
	else if (!is_address(mail.sender) || !is_address(mail.recipient) || (mail.recipient && !*mail.recipient))
		http_problem(r, 422, "that is no address; write it like b+TOKEN@bounce.example.com, without < >", NULL);
	else {
		if (mail.sender && !strcasecmp(mail.sender, "MAILER-DAEMON"))
			mail.sender = "";
		if (options->take(options->take_arg, &mail, done, r) < 0)
			http_problem(r, 503, "too many mails wait here", NULL);
	}
}
