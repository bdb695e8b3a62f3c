/*
 * attachments.h: files of mails while a plan is loaded: each is read once, however many mails have it.
 */
#ifndef CONFIG_ATTACHMENTS_H
#define CONFIG_ATTACHMENTS_H

#include "config/attachment.h"

#include "load.h"

enum attachment_kind { ATTACHMENT_FILE, ATTACHMENT_PICTURE };

/* As attachment_read() and attachment_picture(); the plan owns it. NULL with what is wrong. */
const struct attachment *attachments_get(struct load *l, const char *folder, const char *name, enum attachment_kind kind, struct err *err);

#endif
