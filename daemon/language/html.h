/*
 * html.h: where in an HTML document a byte stands: in text, in a tag, in which attribute. Fed byte by byte
 * while a template is compiled, so that outputs are escaped for the place where they stand. Pure.
 *
 * It follows the tokenizer of the HTML standard (13.2.5) as far as escaping needs it. The content of
 * conditional comments (`<!--[if mso]>`) is read as HTML, since Outlook does.
 */
#ifndef LANGUAGE_HTML_H
#define LANGUAGE_HTML_H

#include <stdbool.h>

#include "base/buf.h"

enum html_where {
	HTML_TEXT,
	HTML_RAW_TEXT,		/* inside script, style, textarea, title: `tag` says which */
	HTML_TAG_OPEN,		/* behind < */
	HTML_TAG_NAME,
	HTML_IN_TAG,		/* between attributes */
	HTML_ATTRIBUTE_NAME,
	HTML_BEFORE_VALUE,	/* behind = */
	HTML_VALUE_QUOTED,	/* `quote` says which */
	HTML_VALUE_BARE,
	HTML_MARKUP,		/* <!doctype ...>, <![endif]--> */
	HTML_COMMENT,
};

enum html_event {
	HTML_NOTHING,
	HTML_TAG_BEGINS,   /* the byte is the < of a tag */
	HTML_VALUE_BEGINS, /* the value of `attribute` begins behind this byte (quoted) or with it (bare) */
	HTML_VALUE_ENDS,   /* this byte is the one behind the value */
	HTML_TAG_ENDS,	   /* the byte is the > of a tag; `tag` and `closing` say of which */
};

struct html {
	enum html_where where;
	char tag[16];		/* lower case, cut */
	char attribute[24];
	char quote;
	bool closing;		/* </tag */
	bool value_empty;	/* nothing of the value has been seen */
	bool unsure;		/* the ways that met here differ in the name of the attribute at hand */
	bool maybe_url;		/* so its value may be a URL, whatever the name says */
	bool outlook;		/* inside <!--[if mso]> and its like */
	char tail[8];		/* the last bytes, for the ends of comments and raw text */
	char raw_tag[16];
};

void html_init(struct html *h);
enum html_event html_feed(struct html *h, char c);
/* Something unknown is written here: an output. */
void html_output(struct html *h);
/* May two ways through a template meet here? Merges what differs harmlessly into a. */
bool html_meet(struct html *a, const struct html *b);
/* Is the value at hand a URL? */
bool html_is_url(const struct html *h);
/* Entities become characters; unknown ones stay. */
void html_decode(struct buf *out, struct slice s);
/* Words for "here", for messages. */
const char *html_place(const struct html *h);

#endif
