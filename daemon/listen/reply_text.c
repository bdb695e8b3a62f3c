/*
 * reply_text.c: each line gets a letter for what it is, and the rules are regular expressions over the
 * string of letters: t text, e empty, q quote, b "On ... wrote:", h a mail's header, f "forwarded message",
 * d delimiter, s telephone signature, c where a mail program marked the start of the mail it answers. What
 * the rules cut is cut from both.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/patterns.h"
#include "charset.h"
#include "html_text.h"
#include "reply_marks.h"
#include "reply_text.h"

#define JOIN_LINES 6		/* an attribution may be wrapped over so many */
#define UNCUT_LINES 20
#define BELOW_LINES 7		/* that few lines below the quote are a footer, more are an answer */

struct lines {
	struct slice *line;
	char *kind;		/* a letter for each line, terminated */
	size_t count;
};

/* --- what a line is ------------------------------------------------------------------------------------- */

/* These begin with a word or a date of their own, so that blank lines inside do no harm. */
static struct pattern anchored[] = {
	PATTERN("\\A\\W{0,4}On\\b.{6,250}\\b(?:wrote|writes|said|sent)\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}At\\s\\d.{4,120}\\b(?:wrote|said|writes)\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}In\\s+message\\s.{4,200}\\bwrites\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}Posted\\s+by\\s.{2,100}\\son\\s\\d{1,2}[./]\\d{1,2}[./]\\d{4}\\s*\\z"),
	PATTERN("\\A\\W{0,4}在\\s?.{4,200}写道\\s*[:：]?\\s*\\z"),
	PATTERN("\\A\\W{0,4}Am\\s.{6,250}\\b(?:schrieben\\s+Sie|geschrieben)\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}Le\\s.{6,250}\\bnous\\s+a\\s+dit\\s*:?\\s*\\z"),
	PATTERN("\\A-{2,}\\s?.{2,250}\\b(?:wrote|writes|schrieb|escribi[óo]|escreveu|ha\\s+scritto|schreef|"
		"a\\s+[ée]crit)\\b.{0,60}-{2,}\\s*\\z"),
	PATTERN("\\A\\d{4}-\\d{2}-\\d{2}\\s\\d{1,2}:\\d{2}\\s(?:GMT|UTC)[+-]\\d{1,2}:?\\d{0,2}\\s[^<>]{2,80}\\z"),
	PATTERN("\\A\\W{0,4}Vào\\s.{6,250}đã\\s+viết\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}\\p{L}{2,12}[.,]{0,2}\\s\\d{1,2}\\s\\p{L}{3,12}\\.?,?\\s\\d{4}.{4,160}<[^<>]+@[^<>]+>\\s*:\\s*\\z"),
	PATTERN("\\A\\W{0,4}\\d{1,2}[./]\\d{1,2}[./]\\d{2,4},?\\s+\\d{1,2}:\\d{2}.{2,160}<[^<>]+@[^<>]+>\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}\\d{4}년.{6,200}(?:작성|씀|<[^<>]+@[^<>]+>)\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}(?:Am|Den|Vom)\\s.{6,250}\\bschrieb\\b.{0,120}:\\s*\\z"),
	PATTERN("\\A\\W{0,4}Le\\s.{6,250}\\ba\\s+[ée]crit\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}(?:El|En|Em|No\\s+dia|A)\\s.{6,250}\\b(?:escribi[óo]|escreveu|"
		"va\\s+escriure)\\b.{0,60}:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}(?:Il|In\\s+data)\\s.{6,250}\\bha\\s+scritto\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}(?:Op|Omstreeks)\\s.{6,250}\\b(?:schreef|geschreven)\\b.{0,120}:\\s*\\z"),
	PATTERN("\\A\\W{0,4}(?:Den|Am|På|Tirsdag|Mandag|Onsdag|Torsdag|Fredag|L[øö]rdag|S[øö]ndag|"
		"Kl)\\b.{6,250}\\b(?:skrev|skreiv)\\b.{0,120}:\\s*\\z"),
	PATTERN("\\A\\W{0,4}(?:W\\s+dniu|Dnia|Dne|\\d{1,2}\\s\\p{L}{3,4}\\s\\d{4})\\s.{6,250}\\b(?:napisa["
		"łl]|napsal)(?:\\(a\\)|a|o)?\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}\\d{4}[-./年]\\s?\\d{1,2}[-./月].{2,160}<[^<>]+@[^<>]+>\\s*:?\\s*\\z"),
	PATTERN("\\A\\W{0,4}\\d{1,2}\\s\\p{L}{3,12}\\.?,?\\s\\d{4}.{4,160}<[^<>]+@[^<>]+>\\s*:\\s*\\z"),
};

/* These may begin with anybody's name: only a paragraph of its own is taken for one. */
static struct pattern loose[] = {
	/* in any language: a name with its address, then a day and a time, and a colon */
	PATTERN("\\A[^<>.!?:]{1,60}<[^<>\\s]+@[^<>\\s]+>(?=.*\\b(?:19|20)\\d{2}\\b)(?=.*\\b\\d{1,2}[:.]\\d{2}\\b).{6,120}[:：]\\s*\\z"),
	PATTERN("\\A.{2,80}\\svia\\s.{2,80}\\b(?:wrote|schrieb|a\\s+[ée]crit|escribi[óo])\\s*:?\\s*\\z"),
	PATTERN("\\A(?!.*[.!?]\\s).{1,80}\\b[\\w.+-]+@[\\w.-]+\\.\\w{2,}\\b.{0,40}\\bwrote:?\\s*\\z"),
	PATTERN("\\A.{2,120}\\bwrote\\s+on\\b.{4,100}:\\s*\\z"),
	PATTERN("\\A.{2,160}\\bschrieb\\s+(?:am|um)\\b.{4,80}:\\s*\\z"),
	PATTERN("\\A(?!.*\\b(?:19|20)\\d\\d\\b).{1,80}<[^<>\\s]+@[^<>\\s]+>\\s+(?:wrote|writes|schrieb|a\\s+[ée]crit|escribi[óo]|escreveu|"
		"ha\\s+scritto|schreef|skrev|napisa[łl](?:\\(a\\))?)\\s*:?\\s*\\z"),
	PATTERN("\\A.{4,250}\\b(?:skrev)\\b.{0,120}<[^<>]+@[^<>]+>\\s*:\\s*\\z"),
	PATTERN("\\A.{4,250}(?:kirjoitti|yazd[ıi]|menulis|[íi]rta|a\\s+scris|пише|написав|написал|пишет|"
		"писал)(?:\\(а\\)|а)?\\s*:\\s*\\z"),
	PATTERN("\\A.{4,250}(?:写道|寫道|写了|のメール|作成|작성|書きました)\\s*[:：]\\s*\\z"),
	PATTERN("\\A.{4,250}\\b(?:napisa[łl]|napsal)(?:\\(a\\)|a|o)?\\s*:\\s*\\z"),
};

static struct pattern original = PATTERN(
	"\\A[\\s*>]*(?:[-_]{2,}\\s*)(?:original\\s+(?:message|e-?mail)|original(?:nachricht)?|urspr(?:ü|"
	"ue)ngliche\\s+nachricht|"
	"message\\s+d'origine|mensaje\\s+original|mensagem\\s+original|messaggio\\s+originale|"
	"oorspronkelijk\\s+bericht|"
	"ursprungligt\\s+meddelande|oprindelig\\s+meddelelse|opprinnelig\\s+melding|"
	"alkuper[äa]inen\\s+viesti|"
	"oryginalna\\s+wiadomo[śs][ćc]|исходное\\s+сообщение|reply\\s+message|原始邮件|"
	"元のメッセージ)\\s*(?:[-_]{2,}.*)?\\z|"
	"\\A[\\s#*-]*(?:please\\s+)?(?:reply|respond|type\\s+your\\s+reply)\\s+above\\s+this\\s+line\\b");

static struct pattern forwarded = PATTERN(
	"\\A[\\s*]*(?:-{2,}\\s*)?(?:forwarded\\s+message|begin\\s+forwarded\\s+message|"
	"weitergeleitete\\s+nachricht|"
	"message\\s+transf[ée]r[ée]|mensaje\\s+reenviado|messaggio\\s+inoltrato|"
	"doorgestuurd\\s+bericht)\\b.{0,20}\\z");

static struct pattern header_line = PATTERN(
	"\\A[\\s*]*(?:from|sent|to|cc|subject|date|reply[\\s-]to|in[\\s-]reply[\\s-]to|von|gesendet|datum|an|"
	"betreff|kopie|antwort\\s+an|"
	"de|envoy[ée](?:\\s+le)?|[àa]|objet|r[ée]pondre\\s+[àa]|da|inviato|data|oggetto|risposta|"
	"enviado(?:\\s+el|\\s+em)?|para|asunto|"
	"assunto|fecha|responder\\s+a|van|verzonden|aan|onderwerp|beantwoorden|fr[åa]n|skickat|till|[äa]mne|"
	"fra|sendt|til|emne|dato|"
	"l[äa]hett[äa]j[äa]|l[äa]hetetty|vastaanottaja|aihe|od|wys[łl]ano|do|temat|odes[íi]lateľ?|от|"
	"отправлено|кому|тема|дата|"
	"kimden|g[öo]nderildi|g[öo]nderilme\\s+tarihi|kime|konu|bilgi|odesl[áa]no|odoslan[ée]|komu|p[řr]edm[ěe]t|predmet|felad[óo]|elk[üu]ldve|c[ií]mzett|t[áa]rgy|"
	"від|надіслано|de\\s+la|trimis|c[ăa]tre|subiect|από|στάλθηκε|προς|θέμα|보낸\\s?사람|보낸\\s?날짜|받는\\s?사람|제목|מאת|נשלח|אל|נושא|من|تاريخ\\s+الإرسال|إلى|الموضوع|"
	"发件人|发送时间|收件人|主题|寄件者|寄件日期|收件者|主旨|差出人|送信日時|宛先|件名)[\\s*]*[:：]");

static struct pattern header_from = PATTERN(
	"\\A[\\s*]*(?:from|von|de|da|van|fr[åa]n|fra|l[äa]hett[äa]j[äa]|od|от|kimden|felad[óo]|від|από|보낸\\s?사람|מאת|من|发件人|寄件者|"
	"差出人)[\\s*]*[:：]\\s*\\S");

static struct pattern delimiter = PATTERN("\\A\\s*(?:[-_,=+~#*—–ᐧ]+|[-_]+\\s[-_\\s]*)\\s*\\z");

static struct pattern telephone = PATTERN(
	"\\A\\W{0,4}(?:sent|envoy[ée]e?|enviado|inviato|verzonden|verstuurd|skickat|sendt|wys[łl]an[eoy]|"
	"gesendet|отправлено|l[äa]hetetty)\\s+"
	"(?:from|via|with|by|using|on|depuis|de|desde|do|dal?|met|van(?:af)?|fr[åa]n|fra|z|von|mit|с|из|"
	"w)\\b.{1,110}\\z|"
	"\\A\\W{0,4}from\\s+my\\s+\\w.{0,40}\\z|\\A\\W{0,4}\\w+\\s+from\\s+mobile\\W{0,3}\\z|"
	"\\A\\W{0,4}von\\s+mein(?:em|er)\\s.{2,60}\\sgesendet\\W{0,3}\\z|"
	"\\A\\W{0,4}diese\\s+nachricht\\s+wurde\\s+.{2,80}\\sgesendet\\W{0,3}\\z|"
	"\\A\\W{0,4}(?:從|从)我的.{1,30}(?:傳送|发送|發送)\\W{0,3}\\z|\\A\\W{0,4}.{1,20}から送信\\W{0,3}\\z|"
	"\\A\\W{0,4}(?:get|download|holen\\s+sie\\s+sich|t[ée]l[ée]charger|obtener|scarica|"
	"download)\\s+\\[?outlook\\s+(?:for|f[üu]r|pour|para|per|voor)\\b.{1,110}\\z|"
	"\\A\\W{0,4}(?:enviado\\s+desde|envoy[ée]\\s+de|inviato\\s+da)\\s+(?:mi|mon|ma|meu|il\\s+mio|"
	"iphone)\\b.{0,60}\\z");

/* Marks that programs for tracking put there: invisible to who reads. */
static struct pattern invisible = PATTERN("\\A(?:\\x{1427}|[\\x{200b}-\\x{200f}\\x{2060}\\x{feff}])+\\z");

static struct pattern quote = PATTERN("\\A(?:>|\\|(?:\\s|\\z)|(?-i:[A-Z]{1,3})>)");

static bool hit(struct pattern *p, struct slice s)
{
	return pattern_find(p, s.data, s.len, 0, NULL);
}

static char kind_of(struct slice line, bool *in_code)
{
	struct slice s = slice_trim(line);

	if (s.len >= 3 && !strncmp(s.data, "```", 3)) {
		*in_code = !*in_code;
		return 't';
	}
	if (slice_is(line, HTML_TEXT_CUT))
		return 'c';
	if (s.len == 0)
		return 'e';
	if (*in_code)
		return 't';
	if (s.len < 20 && hit(&invisible, s))
		return 's';
	if (hit(&quote, s))
		return 'q';
	if (s.len > 200)
		return 't';
	if (hit(&original, s) || hit(&forwarded, s))
		return hit(&forwarded, s) ? 'f' : 'c';
	if (hit(&delimiter, s))
		return 'd';
	if (hit(&telephone, s))
		return 's';
	return hit(&header_line, s) ? 'h' : 't';
}

/* "> wrote:" on a line of its own ends "<a@b", it is no quote. */
static bool wrapped_angle(const struct buf *joined, struct slice line)
{
	int open = 0;

	for (size_t i = 0; i < joined->len; i++)
		open += joined->data[i] == '<' ? 1 : joined->data[i] == '>' ? -1 : 0;
	return open > 0 && line.len < 40;
}

static bool attribution_hit(const struct buf *joined, bool paragraph)
{
	for (size_t p = 0; p < sizeof(anchored) / sizeof(anchored[0]); p++)
		if (pattern_find(&anchored[p], joined->data, joined->len, 0, NULL))
			return true;
	for (size_t p = 0; paragraph && p < sizeof(loose) / sizeof(loose[0]); p++)
		if (pattern_find(&loose[p], joined->data, joined->len, 0, NULL))
			return true;
	return false;
}

/* How many lines from `i` on are one attribution; 0 if none begins here. */
static size_t attribution_at(const struct lines *l, size_t i)
{
	struct buf joined = BUF_INIT;
	bool paragraph = i == 0 || l->kind[i - 1] == 'e';
	size_t found = 0;

	for (size_t k = i; k < l->count && k < i + JOIN_LINES && !found && joined.len < 400; k++) {
		struct slice s = slice_trim(l->line[k]);

		if (l->kind[k] == 'd' || l->kind[k] == 'c' ||
			(l->kind[k] == 'q' && !wrapped_angle(&joined, s)))
			break;
		if (l->kind[k] == 'e') {
			paragraph = false;
			continue;
		}
		if (joined.len)
			buf_char(&joined, ' ');
		buf_add(&joined, s.data, s.len);
		if (joined.len > 12 && attribution_hit(&joined, paragraph))
			found = k - i + 1;
	}
	buf_clear(&joined);
	return found;
}

/* --- the lines ------------------------------------------------------------------------------------------ */

static void lines_split(struct lines *l, struct arena *arena, const char *text)
{
	size_t count = 1;
	bool in_code = false;

	for (const char *s = text; *s; s++)
		count += *s == '\n';
	if (count > REPLY_TEXT_MAX_LINES)
		count = REPLY_TEXT_MAX_LINES;
	l->line = arena_calloc(arena, count, sizeof(*l->line));
	l->kind = arena_alloc(arena, count + 1);
	for (l->count = 0; l->count < count; l->count++) {
		size_t n = strcspn(text, "\n");

		l->line[l->count] = (struct slice){ text, n };
		l->kind[l->count] = kind_of(l->line[l->count], &in_code);
		text += n + (text[n] == '\n');
	}
	l->kind[l->count] = '\0';
}

/*
 * Mail programs that write HTML put the attribution into the quote; where the answer stands below, it is at
 * the top.
 */
static void attribute_quoted_top(struct lines *l)
{
	size_t i = strspn(l->kind, "e");
	struct slice s;

	if (l->kind[i] != 'q')
		return;
	s = slice_trim(l->line[i]);
	for (size_t p = 0; p < sizeof(anchored) / sizeof(anchored[0]); p++)
		if (s.len > 2 && pattern_find(&anchored[p], s.data + 2, s.len - 2, 0, NULL))
			l->kind[i] = 'b';
}

static void lines_attribute(struct lines *l)
{
	attribute_quoted_top(l);
	for (size_t i = 0; i < l->count; i++) {
		size_t n = l->kind[i] == 't' || l->kind[i] == 'h' ? attribution_at(l, i) : 0;

		if (n) {
			memset(l->kind + i, 'b', n);
			i += n - 1;
		}
	}
}

static void lines_cut(struct lines *l, size_t count)
{
	l->count = count;
	l->kind[count] = '\0';
}

static void lines_drop_front(struct lines *l, size_t n)
{
	l->line += n;
	l->kind += n;
	l->count -= n;
}

static void lines_remove(struct lines *l, char kind)
{
	size_t to = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (l->kind[i] == kind)
			continue;
		l->kind[to] = l->kind[i];
		l->line[to++] = l->line[i];
	}
	lines_cut(l, to);
}

static bool kinds_match(struct lines *l, struct pattern *p, struct pattern_hit *h)
{
	return pattern_find(p, l->kind, l->count, 0, h);
}

static size_t count_kind(struct slice s, char kind)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.data[i] == kind;
	return n;
}

/* --- the rules ------------------------------------------------------------------------------------------ */

/* From: and another; or a date and an address. */
static bool is_pair(const struct lines *l, size_t at)
{
	static struct pattern day = PATTERN("\\A[\\s*]*(?:date|sent|datum|gesendet|fecha|data|envoy[ée])[^:]{0,12}:.*\\b(?:19|20)\\d{2}\\b");
	struct slice first = slice_trim(l->line[at]), second = slice_trim(l->line[at + 1]);

	return hit(&header_from, first) || (hit(&day, first) && memchr(second.data, '@', second.len)) ||
	       (hit(&day, second) && memchr(first.data, '@', first.len));
}

/* From:, Sent:, To: of the mail that is answered, when text precedes it. */
static void cut_header_block(struct lines *l)
{
	static struct pattern block = PATTERN("t[eqd]*(h(?:h|th|eh){2,}|h+[hte]{0,3}h{2,})");
	static struct pattern pair = PATTERN("t[eqd]*(hh)");
	struct pattern_hit h;

	if (kinds_match(l, &block, &h) ||
	    (kinds_match(l, &pair, &h) && is_pair(l, (size_t)(h.group[1].data - l->kind))))
		lines_cut(l, (size_t)(h.group[1].data - l->kind));
}

/* A forwarded mail with nothing before it: its words are what the writer sends, its header is not. */
static void drop_forward_header(struct lines *l)
{
	static struct pattern top = PATTERN("\\A[es]*(fe*h[^e]*)");
	struct pattern_hit h;

	if (kinds_match(l, &top, &h))
		lines_drop_front(l, (size_t)(h.group[1].data - l->kind) + h.group[1].len);
}

static void cut_by_marks(struct lines *l)
{
	static struct pattern cut = PATTERN("t[^cdf]*([cdf])");
	struct pattern_hit h;

	if (kinds_match(l, &cut, &h))
		lines_cut(l, (size_t)(h.group[1].data - l->kind));
	lines_remove(l, 'c');
	lines_remove(l, 's');
}

static void cut_quotes(struct lines *l)
{
	static struct pattern below = PATTERN("\\A(?:b[^t]+)*b[bqeh]+(t[et]*)\\z");
	static struct pattern unquoted = PATTERN("te*(b)[^q]*\\z");
	static struct pattern huge = PATTERN("te*(b[eqbh]*)([te]*)\\z");
	static struct pattern trailing = PATTERN("t(e*[qbe]+)\\z");
	struct pattern_hit h;

	if (kinds_match(l, &below, &h))
		lines_drop_front(l, (size_t)(h.group[1].data - l->kind));
	if (kinds_match(l, &unquoted, &h))
		lines_cut(l, (size_t)(h.group[1].data - l->kind));
	if (kinds_match(l, &huge, &h) && count_kind(h.group[2], 't') < BELOW_LINES)
		lines_cut(l, (size_t)(h.group[1].data - l->kind));
	if (kinds_match(l, &trailing, &h))
		lines_cut(l, (size_t)(h.group[1].data - l->kind));
	lines_remove(l, 'b');
}

/* --- what comes out ------------------------------------------------------------------------------------- */

static char *join(struct arena *arena, const struct lines *l, bool quotes)
{
	struct buf b = BUF_INIT;
	struct slice all;
	char *s;

	for (size_t i = 0; i < l->count; i++) {
		struct slice line = l->line[i];

		if (!quotes && l->kind[i] == 'q')
			continue;
		for (;;) {
			if (line.len && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
				line.len--;
			else if (line.len > 1 && !memcmp(line.data + line.len - 2, "\xc2\xa0", 2))
				line.len -= 2;
			else
				break;
		}
		buf_add(&b, line.data, line.len);
		buf_char(&b, '\n');
	}
	all = (struct slice){ buf_cstr(&b), b.len };
	while (all.len && strchr(" \t\n\f", all.data[all.len - 1]))
		all.len--;
	while (all.len && all.data[0] == '\n') {
		all.data++;
		all.len--;
	}
	s = arena_strndup(arena, all.data, all.len);
	buf_clear(&b);
	return s;
}

static void drop_closing(char *s)
{
	static struct pattern closing = PATTERN(
		"\\S[^\\n]*\\n+(^\\W*(?:(?:(?:kind|best|warm|many|with\\s+(?:kind|best))\\s+)*(?:regards|"
		"wishes)|cheers|sincerely(?:\\s+yours)?|"
		"yours\\s+(?:sincerely|faithfully|truly)|best|all\\s+the\\s+best|"
		"(?:many\\s+)?thanks(?:\\s+and\\s+regards|\\s+again)?|thank\\s+you|"
		"mit\\s+(?:freundlichen|besten|lieben|herzlichen)\\s+gr(?:ü|ue)(?:ß|ss)en|(?:viele|liebe|"
		"beste|freundliche|sch[öo]ne)\\s+gr(?:ü|ue)(?:ß|ss)e|"
		"mfg|lg|vg|(?:bien\\s+)?cordialement|salutations|saludos(?:\\s+cordiales)?|un\\s+saludo|"
		"atentamente|cordiali\\s+saluti|saluti|"
		"met\\s+vriendelijke\\s+groet(?:en)?|groet(?:en|jes)?|mvh|med\\s+venlig\\s+hilsen|"
		"v[äa]nliga\\s+h[äa]lsningar|atenciosamente|"
		"pozdrawiam|с\\s+уважением)\\W*$\\n?)(?:[^\\n]{0,60}\\n?){0,9}\\z");
	struct pattern_hit h;

	if (pattern_find(&closing, s, strlen(s), 0, &h) && h.group[1].data)
		s[h.group[1].data - s] = '\0';
}

static void drop_disclaimers(char *s)
{
	static struct pattern words = PATTERN(
		"\\b(?:confidential|privileged|vertraulich|confidentiel|intended\\s+(?:recipient|solely|"
		"only)|disclaimer)");
	char *from = s;

	while (*from) {
		char *end = strstr(from, "\n\n");
		size_t n = end ? (size_t)(end - from) : strlen(from);

		if (n > 300 && pattern_find(&words, from, n, 0, NULL))
			memset(from, '\n', n);
		from += n + strspn(from + n, "\n");
	}
}

/* What is left, if anything is. */
static char *without_disclaimers(struct arena *arena, char *text)
{
	char *copy = arena_strdup(arena, text);
	size_t n, start;

	drop_disclaimers(copy);
	start = strspn(copy, "\n");
	n = strlen(copy + start);
	while (n && copy[start + n - 1] == '\n')
		n--;
	return n ? arena_strndup(arena, copy + start, n) : text;
}

/* Of our own mail, where a program quotes it without any mark: links of ours, and how to leave. */
static void drop_footer_lines(char *s)
{
	static struct pattern footer = PATTERN("/[a-z]/[a-z2-7]{34}\\b|"
		"(?:unsubscribe|abmelden|abbestellen|d[ée]sinscri|d[ée]sabonn|baja|cancellati|disiscriv|uitschrijv|"
		"preferences|opt[ -]?out)[^\\n]{0,60}https?://\\S{6,}|"
		"https?://\\S{6,}[^\\n]{0,60}(?:unsubscribe|abmelden|abbestellen|d[ée]sinscri|d[ée]sabonn|uitschrijv)|"
		"(?:if\\s+you\\s+(?:no\\s+longer|do\\s+not|don't)[^\\n]{0,60}|to\\s+stop\\s+receiving[^\\n]{0,60}|"
		"you\\s+(?:are\\s+receiving|received|get)\\s+this[^\\n]{0,120})\\b(?:unsubscribe|click\\s+here)\\b");

	char *start = s;
	bool blanked = false;

	while (*s) {
		size_t n = strcspn(s, "\n");

		if (n && pattern_find(&footer, s, n, 0, NULL)) {
			memset(s, ' ', n);
			blanked = true;
		}
		s += n + (s[n] == '\n');
	}
	while (blanked && s > start && strchr(" \n", s[-1]))
		*--s = '\0';
}

/* "Yes. On Wed, Apr 4, 2012 at 3:59 PM, bob@example.com wrote:" in one line: the second half begins a new one. */
static char *split_attribution(struct arena *arena, const char *text)
{
	static struct pattern within = PATTERN("^(?!\\s*>)[^\\n]*\\S(?:\\s|-{2,}\\s?)(On\\s(?:\\w{3,9},\\s)?(?:\\w{3,9}\\s\\d{1,2}|\\d{1,2}\\s\\w{3,9}),?\\s"
		"\\d{4}[^\\n]{0,100}\\bwrote:[ ]*)$");
	struct pattern_hit h;
	size_t at, dashes;

	if (!pattern_find(&within, text, strlen(text), 0, &h) || !h.group[1].data)
		return arena_strdup(arena, text);
	at = (size_t)(h.group[1].data - text);
	for (dashes = at; dashes > 0 && strchr("- ", text[dashes - 1]); dashes--)
		;
	return arena_printf(arena, "%.*s\n\n%s", (int)dashes, text, text + at);
}

static void note(struct reply_text *out, const char *what, bool truth)
{
	if (truth && out->cut_count < REPLY_TEXT_MAX_CUTS)
		out->cut[out->cut_count++] = what;
}

/* One rule, and its name if it left lines out. */
static void apply(struct reply_text *out, struct lines *l, void (*rule)(struct lines *l), const char *what)
{
	size_t before = l->count;

	rule(l);
	note(out, what, l->count < before);
}

/* The same for what is judged: bytes instead of lines. */
static void apply_judged(struct reply_text *out, void (*rule)(char *s), const char *what)
{
	size_t before = strlen(out->judged), blank = 0, n;

	for (n = 0; n < before; n++)
		blank += strchr(" \n", out->judged[n]) != NULL;
	rule(out->judged);
	for (n = 0; out->judged[n]; n++)
		blank -= strchr(" \n", out->judged[n]) != NULL;
	note(out, what, n < before || blank != 0);
}

void reply_text_read(struct reply_text *out, struct arena *arena, const char *text)
{
	static struct pattern any_text = PATTERN("[th]");
	struct lines l, first;

	memset(out, 0, sizeof(*out));
	lines_split(&l, arena, split_attribution(arena, reply_marks_plain(arena, text)));
	lines_attribute(&l);
	first = l;
	first.kind = arena_strdup(arena, l.kind);
	first.line = arena_calloc(arena, l.count + 1, sizeof(*l.line));
	memcpy(first.line, l.line, l.count * sizeof(*l.line));
	out->quoted = strpbrk(l.kind, "qbc") != NULL;
	apply(out, &l, drop_forward_header, "the header of a forwarded mail");
	apply(out, &l, cut_by_marks, "what a mail program marks: Original Message, a line of dashes, \"sent from my\"");
	apply(out, &l, cut_header_block, "From:, Sent:, To: of what is answered, and what follows");
	apply(out, &l, cut_quotes, "\"On ... wrote:\", and what is quoted");
	if (kinds_match(&l, &any_text, NULL)) {
		out->text = without_disclaimers(arena, join(arena, &l, true));
		out->judged = charset_simplify(arena, join(arena, &l, false));
		apply_judged(out, drop_closing, "shown but not judged: the closing and the name below it");
		apply_judged(out, drop_disclaimers, "shown but not judged: a disclaimer");
		apply_judged(out, drop_footer_lines, "shown but not judged: links of ours, and how to leave");
		out->new_lines = (int)count_kind((struct slice){ l.kind, l.count }, 't');
		return;
	}
	if (first.count > UNCUT_LINES)
		lines_cut(&first, UNCUT_LINES);
	out->uncut = true;
	out->text = join(arena, &first, true);
	out->judged = arena_strdup(arena, "");
}
