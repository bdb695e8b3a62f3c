/*
 * html_text.h: an HTML part as text, with what it quotes marked as quoted. Pure.
 */
#ifndef LISTEN_HTML_TEXT_H
#define LISTEN_HTML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

#define HTML_TEXT_MAX (256 * 1024)	/* of text that comes out */

/* A line of this alone stands where a mail program began the mail that it answers. */
#define HTML_TEXT_CUT "\f"

struct html_text {
	char *text;		/* UTF-8, LF */
	bool quoted;		/* a quote container that we know was found */
};

/*
 * UTF-8 in. Quote containers (blockquote, .gmail_quote, .yahoo_quoted, .moz-cite-prefix, ...) become lines
 * that begin with "> "; the marks of Outlook and Zimbra become HTML_TEXT_CUT. Signature containers, styles,
 * scripts and hidden elements are left out. A forwarded mail in .gmail_quote is not a quote.
 */
void html_text(struct html_text *out, struct arena *arena, const char *html, size_t n);

#endif
