/*
 * ses_notice.h: what Amazon SES tells by SNS, where the topic is subscribed by e-mail: JSON in the text of a mail.
 */
#ifndef LISTEN_SES_NOTICE_H
#define LISTEN_SES_NOTICE_H

#include "mail.h"

/* If the text of the mail is such a notice: fills status or feedback, and the original's fields, as a report by mail would have them. */
void ses_notice_read(struct opened_mail *m);

#endif
