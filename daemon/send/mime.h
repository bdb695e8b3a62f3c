/*
 * mime.h: header fields and bodies as mail wants them. Pure but for the boundary's random; any thread.
 *
 * Nothing here can be made to write a line that it should not: a value with CR, LF, NUL or another control in it is refused with
 * "header_injection", never repaired. Header lines are folded at white space that is there (RFC 5322 2.2.3), aim at 78 octets and never pass 998. What is not
 * plain ASCII becomes encoded-words (RFC 2047). Bodies leave as 7-bit: quoted-printable or base64 (RFC 2045), with CRLF line ends and
 * without a line that begins with a dot or with "From ", so that the SMTP side has nothing to stuff.
 */
#ifndef SEND_MIME_H
#define SEND_MIME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* `Name: value`, the value being words for people (Subject): encoded where needed. */
int mime_text(struct buf *out, const char *name, struct slice value, struct err *err) MUSTCHECK;
/* `Name: "Display" <address>`; display may be empty. The address is one that address_parse() took. */
int mime_mailbox(struct buf *out, const char *name, struct slice display, const char *address, struct err *err) MUSTCHECK;
/* `Date: Mon, 24 Nov 2025 09:15:00 +0000` (RFC 5322 3.3), whatever the locale. */
void mime_date(struct buf *out, int64_t us);

/* Lets only printable text and TAB through; the error says "header_injection: <what>". */
int mime_check_value(struct slice value, const char *what, struct err *err) MUSTCHECK;

/*
 * The header of a part that holds a file in base64, and the empty line behind it. A name beyond ASCII is written twice (RFC 2231, and a plain
 * one for those who do not know that). With `host` it is a picture of the HTML, cid:NAME@HOST (RFC 2392); NULL: an attachment (RFC 2183).
 */
int mime_file(struct buf *out, const char *type, const char *name, const char *host, struct err *err) MUSTCHECK;

#define MIME_BOUNDARY 28	/* "=_n_", 23 characters and the NUL: cannot occur in quoted-printable */
void mime_boundary(char out[MIME_BOUNDARY]);

/*
 * A text body: its Content-Transfer-Encoding line, an empty line, and the text in the encoding that suits it. LF and CRLF are line ends; -1 on
 * invalid UTF-8, a lone CR, NUL and other controls. Ends in CRLF.
 */
int mime_body(struct buf *out, struct slice text, struct err *err) MUSTCHECK;

/* Quoted-printable alone. */
int mime_quoted_printable(struct buf *out, struct slice text, struct err *err) MUSTCHECK;

#endif
