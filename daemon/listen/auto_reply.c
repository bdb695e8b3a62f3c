/*
 * auto_reply.c: the standard field (Auto-Submitted, RFC 3834) is missing in half of all automatic replies,
 * so many fields of single programs count, and the subject, and what the text says.
 */
#include <string.h>
#include <strings.h>

#include "auto_reply.h"
#include "base/mem.h"
#include "base/patterns.h"
#include "charset.h"
#include "evidence.h"
#include "intents.h"

static struct pattern subject_start = PATTERN(
	"\\A(?:(?:re|aw|fwd?|wg|sv|tr|rv|vs|antw?)\\s*:\\s*)*\\W*(?:auto(?:matic(?:a|o)?|matisch\\w*|"
	"mated|matisk[ta]?)?[\\s:-]*(?:reply|response|antwort|antwoord|"
	"svar|risposta|odpowied[zź])|auto\\s*:|automaattinen\\s+vastaus|automatick[áa]\\s+odpov[ěe][ďd]|automatikus\\s+v[áa]lasz|otomatik\\s+yan[ıi]t|"
	"odpowied[zź]\\s+automatyczna|автоматическ\\w+\\s+ответ|автоматична\\s+відповідь|message\\s+d'absence|absence\\s*:|abwesend|"
	"(?:mutterschutz|elternzeit)\\s*:|ausência\\s*:|fuori\\s+ufficio|ikke\\s+til\\s?stede|ausente\\s*:|távollét\\w*|r[ée]ponse\\s+automatique|respuesta\\s+autom[aá]tica|"
	"resposta\\s+autom[aá]tica|risposta\\s+automatica|abwesen\\w*|"
	"out\\s+of\\s+(?:the\\s+)?office|ooo\\b|absence\\s+du\\s+bureau|fuera\\s+de\\s+(?:la\\s+)?oficina|"
	"fuori\\s+sede|afwezig\\w*|fr[åa]nvar\\w*|"
	"frav[æa]r\\w*|poissaolo\\w*|automatyczna\\s+odpowied[zź]|nieobecno\\w*|автоответ\\w*|自動(?:応答|返信)|"
	"自动(?:回复|答复)|자동\\s*(?:회신|응답))");

static struct pattern subject_anywhere = PATTERN("\\bis\\s+out\\s+of\\s+the\\s+office\\b|"
	"\\bautomatic\\s+(?:reply|response)\\b|\\bvacation\\s+(?:reply|response|message)\\b|\\bis\\s+(?:away|on\\s+(?:leave|vacation|holiday))\\s+re\\s*:|"
	"\\A\\W*(?:urlaub\\s*:|i'm\\s+away\\b|automatisch\\s+bericht|fora\\s+do\\s+escrit[óo]rio)");

/* As programs begin it, before the subject of what they answer; who answers *that* writes Re: before it. */
static struct pattern subject_sure = PATTERN(
	"\\A\\W*(?:automatic\\s+(?:reply|response)|auto-?reply|auto(?=\\s*:\\s*(?:re|aw|sv|antw|tr|rv)\\s*:)|automatische\\s+antwort|r[ée]ponse\\s+automatique|respuesta\\s+autom[aá]tica|"
	"risposta\\s+automatica|resposta\\s+autom[aá]tica|automatisch\\s+antwoord|automatyczna\\s+odpowied[zź]|autosvar|automatisk[ta]?\\s+svar|"
	"odpowied[zź]\\s+automatyczna|autoodpowied[zź]|automaattinen\\s+vastaus|automatická\\s+odpověď|automatikus\\s+válasz|otomatik\\s+yan[ıi]t|автоответ\\w*|"
	"автоматическ\\w+\\s+ответ|автоматична\\s+відповідь|自動(?:応答|返信)|自动(?:回复|答复)|자동\\s*(?:회신|응답)|"
	"out\\s+of\\s+(?:the\\s+)?office|abwesenheitsnotiz|abwesend|absence(?:\\s+du\\s+bureau)?|fuera\\s+de\\s+(?:la\\s+)?oficina|fuori\\s+(?:sede|ufficio)|afwezig|ausência|ikke\\s+til\\s?stede|mutterschutz|"
	"fr[åa]nvarande|frav[æa]rende|poissaolo|nieobecność)"
	"\\s*(?:[:：]|\\Z)");

static struct pattern ticket = PATTERN(
	"\\b(?:ticket|case|request|enquiry|inquiry|support)\\s*(?:id|no\\.?|number|"
	"reference)?\\s*[:#\\[(]*\\s*#?\\s*[a-z]{0,4}-?\\d{3,}|"
	"we\\s+have\\s+received\\s+your\\s+(?:message|e-?mail|request|enquiry|inquiry)|"
	"thank\\s+you\\s+for\\s+(?:contacting|your\\s+(?:message|e-?mail|enquiry|"
	"inquiry)).{0,80}(?:we\\s+will|shortly|within|soon)");

#define AUTOMATIC "(?:auto-?(?:mated|matic\\w*|generated)|autom[aá]t\\w*|автомат\\w*)"
#define MESSAGE "(?:message|e-?mail|mail|reply|response|notification|nachricht|antwort|benachrichtigung|courriel|r[ée]ponse|mensaje|respuesta|correo|messaggio|risposta|" \
	"mensagem|resposta|bericht|antwoord|meddelande|svar|besked|melding|wiadomo[śs][ćc]|odpowied[zź]|сообщени\\w|ответ|письмо)"

/* The text says it of itself; people speak of "my automatic reply" and of other programs' mails. */
static struct pattern says_so = PATTERN(
	"\\b(?:this|das|dies(?:e[sr]?)?|ceci|c'|ce(?:tte)?|il|est[eao]|esto|se|quest[oa]|si|isto|dit|deze|det|detta|dette|denne|to|ta|это|данное)\\s*"
	"(?:is|ist|wurde|s'agit|est|es|trata-?(?:se)?|tratta|[èé]|h[äa]r\\s+[äa]r|[äa]r|er|jest|betreft)?\\s+(?:de|di)?\\s*(?:an?|eine?|une?|d'une?|una?|uma?|een|ett|et|en|um)?\\s*"
	"(?:" AUTOMATIC "(?:\\s+\\w+)?\\s+" MESSAGE "|" MESSAGE "(?:\\s+\\w+){0,2}\\s+" AUTOMATIC ")\\b|"
	"(?:^|\\n)\\W*(?:" AUTOMATIC "(?:\\s+\\w+)?\\s+" MESSAGE "|" MESSAGE "(?:\\s+\\w+)?\\s+" AUTOMATIC ")\\W*(?:$|\\n|[:.!])|"
	"\\bdo\\s+not\\s+reply\\s+to\\s+this\\s+(?:message|e-?mail|mail|notification)\\b|"
	"(?:wurde|ist|is|werd)\\s+(?:\\w+\\s+)?automatisch\\s+(?:erzeugt|generiert|erstellt|versendet|verschickt|gegenereerd|verzonden|verstuurd)|\\beine\\s+automatisch\\s+\\w+te\\s+" MESSAGE "|"
	"generad[oa]\\s+autom[áa]ticamente|generat[oa]\\s+automaticamente|gerad[oa]\\s+automaticamente|wygenerowana\\s+automatycznie|"
	"(?:письмо|сообщение)\\s+(?:сформировано|создано|отправлено)\\s+автоматически|"
	"自動(?:送信|返信|配信|応答)|自动(?:发送|回复|生成)|자동\\s*(?:발송|응답|회신)");

/* What notices of absence go on with: when they are back, who stands in, that nobody reads it. */
static struct pattern goes_on = PATTERN(
	"\\b(?:will\\s+(?:return|be\\s+back)|(?:back|return(?:ing)?)\\s+(?:in\\s+the\\s+office\\s+)?(?:on|in|at)\\b|urgent|emergenc\\w+|in\\s+my\\s+absence|not\\s+(?:be\\s+)?(?:forwarded|monitored)|"
	"no\\s+longer\\s+monitored)|"
	"\\bdringend\\w*|nicht\\s+(?:automatisch\\s+)?weitergeleitet|wieder\\s+(?:erreichbar|im\\s+(?:büro|haus))|wenden\\s+sie\\s+sich[^.]{0,40}vertretung|meine\\s+vertretung\\s+ist|nicht\\s+gelesen|(?:not|n't)\\s+be\\s+read|"
	"\\burgence|de\\s+retour|[àa]\\s+mon\\s+retour|(?:ne\\s+sera\\s+pas|n'est\\s+pas)\\s+(?:transf[ée]r[ée]|lu)|\\burgen(?:te|cia)s?\\b|sin\\s+acceso|mi\\s+(?:regreso|vuelta)|"
	"\\burgenz\\w+|al\\s+mio\\s+rientro|niet\\s+doorgestuurd|\\bdringende?\\b|\\bbrådskande|åter\\s+(?:på|den)|tilbage\\s+(?:på|den)|tilbake\\s+(?:på|den)|\\bpiln\\w+|"
	"срочн\\w+|вернусь|не\\s+пересылается");

static struct pattern receipt = PATTERN("\\b(?:received|erhalten|eingegangen|(?:bien\\s+)?reçu|recibido|ricevut[oa]|recebid[oa]|recebemos|ontvangen|mottagit|modtaget|mottatt|otrzyma\\w+|получ\\w+)");

/* "We have your message and answer within two working days." */
static struct pattern promises = PATTERN(
	"(?:respond|reply|answer|get\\s+back|contact\\s+you|antworten|melden|r[ée]pondrons|responderemos|contestaremos|risponderemo|antwoorden|svarar|svarer|odpowiemy|ответим)"
	"[^.!]{0,60}(?:\\d+|one|two|three|einem|eines|zwei|deux|dos|due|twee|två|to|dwóch)\\s+(?:business|working|hours?|werktage\\w*|stunden|heures|jours|d[íi]as|horas|giorni|ore|werkdagen|uur|arbetsdagar|dni|рабочих)");

/* Somebody is gone, and nobody reads what comes. */
static struct pattern gone = PATTERN(
	"(?:retired|no\\s+longer\\s+(?:works?|with|employed|at)|has\\s+left|nicht\\s+mehr\\s+(?:bei|im)|plus\\s+partie|ya\\s+no\\s+trabaja|non\\s+lavora\\s+pi[ùu]|werkt\\s+niet\\s+meer)"
	".{0,120}?(?:not|no\\s+longer|nicht(?:\\s+mehr)?)\\s+(?:being\\s+)?(?:monitored|read|checked|in\\s+use|gelesen)");

static struct pattern asks = PATTERN("[?？؟]");

struct field_sign {
	const char *name;
	struct pattern value;	/* any if its text is NULL */
	int weight;
};

static struct field_sign fields[] = {
	{ "x-autoreply", { NULL, NULL }, 3 },
	{ "x-auto-reply", { NULL, NULL }, 3 },
	{ "x-autorespond", { NULL, NULL }, 3 },
	{ "x-autoresponder", { NULL, NULL }, 3 },
	{ "x-autoreply-from", { NULL, NULL }, 3 },
	{ "x-mail-autoreply", { NULL, NULL }, 3 },
	{ "x-ms-exchange-inbox-rules-loop", { NULL, NULL }, 3 },
	{ "auto-submitted", PATTERN("\\A\\s*(?!no\\b)\\w"), 3 },
	{ "precedence", PATTERN("\\Aauto_?reply"), 3 },
	{ "x-precedence", PATTERN("\\Aauto_?reply"), 3 },
	{ "x-autogenerated", PATTERN("\\A(?:reply|forward|group)"), 3 },
	{ "x-fc-machinegenerated", PATTERN("\\Atrue"), 3 },
	{ "x-post-messageclass", PATTERN("autoresponder"), 3 },
	{ "delivered-to", PATTERN("\\Aautoresponder"), 3 },
	{ "x-apple-action", PATTERN("\\Avacation"), 3 },
	{ "x-auto-response-suppress", { NULL, NULL }, 1 },	/* Exchange and newsletters set it in mails of people too */
	{ "precedence", PATTERN("\\A(?:bulk|junk)"), 1 },
	{ "from", PATTERN("no-?reply|do-?not-?reply"), 1 },
};

/* "x-mailer, -2"; gives the points back. */
static int points(struct mail_reading *r, const char *what, int n)
{
	evidence_add(r, arena_printf(r->arena, "%s, %+d", what, n));
	return n;
}

static int field_score(const struct opened_mail *m, struct mail_reading *r)
{
	int score = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *value;

		for (size_t k = 0; (value = headers_nth(&m->headers, fields[i].name, k)); k++) {
			if (fields[i].value.text && !pattern_in(&fields[i].value, value))
				continue;
			score += points(r, fields[i].name, fields[i].weight);
			break;
		}
	}
	return score;
}

static bool null_sender(const struct opened_mail *m)
{
	const char *path = headers_get(&m->headers, "return-path");

	return path && !strncmp(path, "<>", 2);
}

/* Who writes it themselves asks something, or speaks of what comes behind. */
static int text_score(const char *head, struct mail_reading *r)
{
	bool away = intents_ooo(head), asking = pattern_in(&asks, head);
	int score = 0;

	if (away)
		score += points(r, "speaks of absence", 1);
	if (away && !asking && pattern_in(&goes_on, head))
		score += points(r, "says it as notices do", 2);
	if (!asking && pattern_in(&says_so, head))
		score += points(r, "says that it is automatic", AUTO_REPLY_SCORE);
	if (!asking && pattern_in(&receipt, head) && pattern_in(&promises, head))
		score += points(r, "has it, and promises an answer in so many days", AUTO_REPLY_SCORE);
	if (!asking && pattern_in(&gone, head))
		score += points(r, "somebody is gone, and nobody reads it", AUTO_REPLY_SCORE);
	return score;
}

int auto_reply_score(const struct opened_mail *m, const struct reply_text *reply, bool to_bounce_address,
	struct mail_reading *r)
{
	const char *subject = headers_decode(m->arena, headers_get(&m->headers, "subject"));
	const char *client = headers_get(&m->headers, "user-agent");
	const char *head =
		charset_simplify(m->arena, arena_strndup(m->arena, reply->text, strnlen(reply->text, 600)));
	int score = field_score(m, r);
	bool sure = score >= AUTO_REPLY_SCORE;

	if (pattern_in(&subject_start, subject) || pattern_in(&subject_anywhere, subject))
		score += points(r, "subject of an automatic reply", 2);
	if (pattern_in(&subject_sure, subject))
		score += points(r, "subject that begins as programs begin it", 1);
	if (null_sender(m) && headers_get(&m->headers, "x-auto-response-suppress"))
		score += points(r, "null return path and x-auto-response-suppress", 2);
	if (null_sender(m) && headers_get(&m->headers, "in-reply-to"))
		score += points(r, "null return path", 2);
	if (to_bounce_address)
		score += points(r, "to the return path", 2);
	score += text_score(head, r);
	if (!sure && pattern_in(&asks, head))
		score += points(r, "asks something", -1);
	if (!sure && reply->quoted && !reply->uncut && reply->new_lines >= 2)
		score += points(r, "new words above what we wrote", -2);
	if (!sure && (client || headers_get(&m->headers, "x-mailer")))
		score += points(r, "sent by a mail program of people", -2);
	return score;
}

const char *auto_reply_kind(const struct opened_mail *m, const struct reply_text *reply)
{
	const char *subject = headers_decode(m->arena, headers_get(&m->headers, "subject"));
	const char *text = charset_simplify(m->arena, reply->text);

	if (intents_left(text))
		return "left_company";
	if (intents_ooo(text) || (subject && intents_ooo(charset_simplify(m->arena, subject))))
		return "ooo";
	if (pattern_in(&ticket, text) || pattern_in(&ticket, subject))
		return "auto_ack";
	return "auto";
}
