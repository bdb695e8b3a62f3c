/*
 * html_text.c: libxml2's HTML push parser, SAX only: no tree is built, so that a bomb costs its own length
 * and no more.
 *
 * Which containers hold a quote was gathered from what mail programs write; a cut that follows the markup
 * is worth more than any guess over the text, so the reply's HTML is preferred wherever it holds one of
 * them.
 */
#include <libxml/HTMLparser.h>

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/patterns.h"
#include "html_text.h"

struct state {
	struct buf out;
	int depth;
	int skip;		/* depth at which text began to be left out; 0: none */
	int quote;		/* depth at which a quote began; 0: none */
	size_t quote_start;	/* where in out */
	bool quote_gmail;
	int pre;		/* depth of <pre>; 0: none */
	bool space;		/* white space is due before the next character */
	bool quoted;
};

/* --- writing -------------------------------------------------------------------------------------------- */

static size_t trailing_newlines(const struct buf *b)
{
	size_t n = 0;

	while (n < b->len && b->data[b->len - 1 - n] == '\n')
		n++;
	return n;
}

static void new_line(struct state *st, size_t want)
{
	size_t have = trailing_newlines(&st->out);

	if (!want)	/* an element within a line: the white space before it stays */
		return;
	st->space = false;
	if (st->out.len == 0)
		return;
	while (have++ < want)
		buf_char(&st->out, '\n');
}

static void put(struct state *st, char c)
{
	bool at_start = st->out.len == 0 || st->out.data[st->out.len - 1] == '\n';

	if (st->out.len >= HTML_TEXT_MAX)
		return;
	if (at_start && st->quote)
		buf_str(&st->out, "> ");
	else if (st->space && !at_start)
		buf_char(&st->out, ' ');
	st->space = false;
	buf_char(&st->out, c);
}

static void cut_line(struct state *st)
{
	if (st->quote)
		return;
	new_line(st, 1);
	buf_str(&st->out, HTML_TEXT_CUT "\n");
	st->quoted = true;
}

static void on_characters(void *ctx, const xmlChar *text, int len)
{
	struct state *st = ctx;

	if (st->skip)
		return;
	for (int i = 0; i < len; i++) {
		char c = (char)text[i];

		if (c == '\xc2' && i + 1 < len && (char)text[i + 1] == '\xa0') {	/* &nbsp; */
			st->space = true;
			i++;
			continue;
		}
		if (st->pre && c == '\n')
			new_line(st, trailing_newlines(&st->out) + 1);
		else if (st->pre && c == ' ')
			put(st, ' ');
		else if (isspace((unsigned char)c) || c == '\f')
			st->space = true;
		else
			put(st, c);
	}
}

/* --- what an element means ------------------------------------------------------------------------------ */

static const char *attr(const xmlChar **atts, const char *name)
{
	for (; atts && atts[0]; atts += 2)
		if (!strcasecmp((const char *)atts[0], name))
			return atts[1] ? (const char *)atts[1] : "";
	return "";
}

static bool one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcasecmp(name, *names))
			return true;
	return false;
}

static bool has_class(const xmlChar **atts, const char *name)
{
	const char *s = attr(atts, "class");
	size_t n = strlen(name);

	while (*s) {
		size_t word = strcspn(s, " \t\n");

		if (word == n && !strncasecmp(s, name, n))
			return true;
		s += word;
		s += strspn(s, " \t\n");
	}
	return false;
}

static bool begins_quote(const char *name, const xmlChar **atts)
{
	static struct pattern indent = PATTERN("border\\s*:\\s*none");

	if (has_class(atts, "gmail_quote") || has_class(atts, "yahoo_quoted") ||
		has_class(atts, "moz-cite-prefix") || has_class(atts, "gmail_extra") ||
		has_class(atts, "protonmail_quote") || has_class(atts, "zmail_extra"))
		return true;
	if (!strcasecmp(attr(atts, "id"), "OLK_SRC_BODY_SECTION"))
		return true;
	return !strcasecmp(name, "blockquote") && !pattern_in(&indent, attr(atts, "style"));
}

/*
 * The rule above From:, Sent:, To: that Outlook draws as a border, and the marks of its web and mobile
 * forms.
 */
static bool begins_cut(const char *name, const xmlChar **atts)
{
	static struct pattern border = PATTERN("border\\s*:\\s*none\\s*;\\s*border-top\\s*:\\s*solid\\s+#(?:"
		"E1E1E1|B5C4DF)\\s+1\\.0pt|"
					       "border-top-color\\s*:\\s*rgb\\(229,\\s*229,\\s*229\\)");
	const char *id = attr(atts, "id");

	if (!strcasecmp(id, "divRplyFwdMsg") || !strcasecmp(id, "appendonsend") ||
		!strcasecmp(id, "mail-editor-reference-message-container"))
		return true;
	if (!strcasecmp(name, "hr"))
		return !strcmp(attr(atts, "data-marker"), "__DIVIDER__") || !strcasecmp(id, "stopSpelling");
	return !strcasecmp(name, "div") && pattern_in(&border, attr(atts, "style"));
}

static bool is_left_out(const char *name, const xmlChar **atts)
{
	static const char *const names[] = {
		"head", "style", "script", "title", "noscript", "object", "svg", "textarea", NULL};
	static struct pattern hidden = PATTERN("display\\s*:\\s*none");

	static struct pattern ours = PATTERN("/[a-z]/[a-z2-7]{34}\\b");	/* a link of our mail, with its words */

	if (!strcasecmp(name, "a") && pattern_in(&ours, attr(atts, "href")))
		return true;
	return one_of(name, names) || pattern_in(&hidden, attr(atts, "style")) ||
	       has_class(atts, "gmail_signature") || has_class(atts, "moz-signature") ||
	       !strcasecmp(attr(atts, "id"), "Signature") ||
	       !strcasecmp(attr(atts, "id"), "ms-outlook-mobile-signature");
}

static size_t breaks(const char *name)
{
	static const char *const blank[] = {
		"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "blockquote", NULL};
	static const char *const line[] = {"div", "tr", "table", "li", "dt", "dd", "section", "article",
		"header", "footer", "address", "center", "form", "body", "hr", NULL};

	return one_of(name, blank) ? 2 : one_of(name, line) ? 1 : 0;
}

static void on_start(void *ctx, const xmlChar *xname, const xmlChar **atts)
{
	struct state *st = ctx;
	const char *name = (const char *)xname;

	st->depth++;
	if (st->skip)
		return;
	if (is_left_out(name, atts)) {
		st->skip = st->depth;
		return;
	}
	new_line(st, breaks(name));
	if (begins_cut(name, atts))
		cut_line(st);
	if (!st->quote && begins_quote(name, atts)) {
		new_line(st, 1);
		st->quote = st->depth;
		st->quote_start = st->out.len;
		st->quote_gmail = has_class(atts, "gmail_quote") || has_class(atts, "gmail_extra");
		st->quoted = true;
	}
	if (!strcasecmp(name, "br"))
		new_line(st, trailing_newlines(&st->out) + 1);
	else if (!strcasecmp(name, "pre") && !st->pre)
		st->pre = st->depth;
	else if (!strcasecmp(name, "td") || !strcasecmp(name, "th"))
		st->space = true;
	else if (!strcasecmp(name, "li")) {
		put(st, '-');
		st->space = true;
	}
}

/* A mail forwarded by Gmail stands in the same container as a quoted one, but it is what the writer sends. */
static void unquote_forward(struct state *st)
{
	static struct pattern forward = PATTERN("\\A\\W*(?:forwarded\\s+message|weitergeleitete\\s+nachric"
		"ht|message\\s+transf[ée]r[ée])");
	struct buf plain = BUF_INIT;
	const char *s = buf_cstr(&st->out) + st->quote_start;

	if (!st->quote_gmail || !pattern_in(&forward, s))
		return;
	while (*s) {
		size_t n = strcspn(s, "\n");

		if (!strncmp(s, "> ", 2))
			buf_add(&plain, s + 2, n - 2);
		s += n;
		if (*s) {
			buf_char(&plain, '\n');
			s++;
		}
	}
	buf_cut(&st->out, st->quote_start);
	buf_add(&st->out, buf_cstr(&plain), plain.len);
	buf_clear(&plain);
}

static void on_end(void *ctx, const xmlChar *xname)
{
	struct state *st = ctx;

	if (st->skip == st->depth)
		st->skip = 0;
	else if (!st->skip)
		new_line(st, breaks((const char *)xname));
	if (st->pre == st->depth)
		st->pre = 0;
	if (st->quote && st->quote == st->depth) {
		new_line(st, 1);
		st->quote = 0;
		unquote_forward(st);
	}
	if (st->depth > 0)
		st->depth--;
}

/* --- in all --------------------------------------------------------------------------------------------- */

void html_text(struct html_text *out, struct arena *arena, const char *html, size_t n)
{
	struct state st = { .out = BUF_INIT };
	htmlSAXHandler sax;
	htmlParserCtxtPtr parser;

	memset(&sax, 0, sizeof(sax));
	sax.startElement = on_start;
	sax.endElement = on_end;
	sax.characters = on_characters;
	sax.ignorableWhitespace = on_characters;
	sax.cdataBlock = NULL;
	parser = htmlCreatePushParserCtxt(&sax, &st, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
	if (parser) {
		htmlCtxtUseOptions(parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
				   HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);
		for (size_t at = 0; at < n; at += 16384)
			htmlParseChunk(parser, html + at, (int)(n - at < 16384 ? n - at : 16384), 0);
		htmlParseChunk(parser, NULL, 0, 1);
		if (parser->myDoc)
			xmlFreeDoc(parser->myDoc);
		htmlFreeParserCtxt(parser);
	}
	out->quoted = st.quoted;
	out->text = arena_strndup(arena, buf_cstr(&st.out), st.out.len);
	buf_clear(&st.out);
}
