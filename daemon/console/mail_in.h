/*
 * mail_in.h: a mail that is brought through the control socket. Loop thread.
 */
#ifndef CONSOLE_MAIL_IN_H
#define CONSOLE_MAIL_IN_H

struct console_options;
struct http_request;

#define MAIL_IN_MOST (25 * 1024 * 1024)	/* of a body */

/*
 * POST ?size=N&sender=S&recipient=R, the mail as the body: 200 when it is committed, 503 when it shall come again, 4xx never. sender= (or
 * MAILER-DAEMON, as Postfix's pipe(8) writes it) is the null sender; what is left out is not known.
 */
void mail_in_post(const struct console_options *options, struct http_request *r);

#endif
