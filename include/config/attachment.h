/*
 * attachment.h: files that go out inside of mails: attachments, and pictures that the HTML shows. Each is read and encoded once, when the plan
 * is loaded. Reads files: any thread but the loop's.
 */
#ifndef CONFIG_ATTACHMENT_H
#define CONFIG_ATTACHMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define ATTACHMENTS_MAX (3 * 1024 * 1024)	/* bytes of all files of one mail, before they are encoded */
#define PICTURE_MAX (512 * 1024)
#define PICTURE_HOST "inline"			/* right side of Content-ID (RFC 2392) */

struct attachment {
	const char *name;	/* of the file, UTF-8 without controls and quotes */
	const char *type;	/* media type */
	struct slice body;	/* base64 in lines of 76 that end in CRLF (RFC 2045 6.8) */
	size_t size;		/* of the file */
	uint8_t digest[32];	/* SHA-256 of the file */
};

/* A plain file of the folder, no link, at most `max` bytes; name and body lie in the arena. The error says what is wrong and what was meant. */
int attachment_read(const char *folder, const char *name, size_t max, struct arena *arena, struct attachment *out, struct err *err) MUSTCHECK;
/* The same of what <img src="NAME"> or src="cid:NAME" names: a PNG, JPEG or GIF whose name is letters, digits, '.', '-' and '_'. */
int attachment_picture(const char *folder, const char *name, struct arena *arena, struct attachment *out, struct err *err) MUSTCHECK;

#endif
