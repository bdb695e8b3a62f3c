/*
 * intent_sets.c: what machines write for people who are away or gone; what people write is the operator's, in
 * replies.yaml. One that matches is enough. They see charset_simplify()'d text: straight quotes, single spaces.
 */
#include "intent_sets.h"

struct pattern intent_set_left_company[] = {
	PATTERN("\\b(?:i|he|she|they|who|(?!It\\b|This\\b|That\\b)(?-i:[A-Z]\\p{Ll}+))\\s*(?:'m|'s|'r"
		"e|am|is|are|do|does|has|have)?\\s*no\\s+longer\\s+(?:works?\\b|working|(?:be(?:en)?"
		"\\s+)?employed|with\\b|at\\b|part\\s+of)|\\b(?:has|have|i've)\\s+(?:now\\s+)?left\\s"
		"+(?:(?:the|our|this)\\s+)?(?:company|organi[sz]ation|firm|business|role|position|tea"
		"m|(?-i:[A-Z]\\w+))|\\b(?:retired|moved\\s+on)\\s+from\\b|\\bthis\\s+(?:mailbox|e-?ma"
		"il\\s+(?:address|account)|account)\\s+is\\s+(?:no\\s+longer|not)\\s+(?:monitored|in"
		"\\s+use|active|checked|valid)\\b|\\b(?:nicht\\s+mehr\\s+(?:im\\s+unternehmen|bei|f[u"
		"ü]r)|ne\\s+(?:fait|travaille)\\s+plus|ya\\s+no\\s+(?:trabaj|form)\\w+|non\\s+(?:lav"
		"ora|fa)\\s+pi[uù]|werkt\\s+niet\\s+meer)\\b"),
	{ NULL, NULL },
};

struct pattern intent_set_ooo[] = {
	PATTERN("\\b(?:(?:i\\s+am|i'm|i\\s+will\\s+be|i'll\\s+be|currently|am|is|be)\\s+(?:currently"
		"\\s+)?(?:out\\s+of\\s+(?:the\\s+)?office|ooo|away|on\\s+(?:annual\\s+|parental\\s+|m"
		"aternity\\s+|paternity\\s+|sick\\s+|medical\\s+)?(?:leave|vacation|holiday|holidays|"
		"pto))|out\\s+of\\s+(?:the\\s+)?office|annual\\s+leave|limited\\s+access\\s+to\\s+(?:"
		"my\\s+)?e-?mails?|automatic\\s+(?:reply|response)|auto-?reply|nicht\\s+im\\s+(?:b[u"
		"ü]ro|haus)|abwesend|abwesenheits?\\w*|im\\s+urlaub|bin\\s+(?:ich\\s+)?(?:erst\\s+)?"
		"(?:wieder|ab)|absent(?:e)?\\s+(?:du|jusqu|du\\s+bureau)|en\\s+cong[ée]s?|actuelleme"
		"nt\\s+absente?|fuera\\s+de\\s+(?:la\\s+)?oficina|de\\s+vacaciones|fuori\\s+(?:uffici"
		"o|sede)|in\\s+ferie|afwezig|niet\\s+op\\s+kantoor|met\\s+(?:vakantie|verlof)|fora\\s"
		"+d[oa]\\s+escrit[oó]rio|de\\s+f[eé]rias|p[aå]\\s+semester|frånvarande|ikke\\s+p["
		"aå]\\s+kontoret|p[aå]\\s+ferie|poissa|poza\\s+biurem|urlopie|вне\\s+офиса|"
		"в\\s+отпуске|не\\s+будет\\s+в\\s+офисе|in\\s+elternzeit|mutterschutz|(?:derzeit|erst)\\s+[^.]{0,40}wieder\\s+erreichbar|izindeyim|mimo\\s+kancel[áa]ř|szabads[áa]gon|"
	"åter\\s+på\\s+kontoret|tilbage\\s+på\\s+kontoret|tilbake\\s+på\\s+kontoret|不在|外出|休暇|休假|휴가)"),
	{ NULL, NULL },
};

struct pattern intent_absence_end = PATTERN("\\b(?:until|till|til|through|thru|"
	"back(?:\\s+in(?:\\s+the\\s+office)?)?(?:\\s+on)?|r"
	"eturn(?:ing|s)?(?:\\s+to(?:\\s+the)?\\s+(?:office|work))?(?:\\s+on)?|from\\s+[\\w\\s"
	",./]{3,30}?\\s+(?:to|until|-)|bis(?:\\s+zum)?|ab(?:\\s+dem)?|wieder\\s+(?:ab|am)|zur"
	"[uü]ck\\s+(?:am|ab)|jusqu'?(?:au|à)|de\\s+retour\\s+le|hasta\\s+(?:el)?|regreso\\s"
	"+el|fino\\s+al?|rientr\\w+\\s+(?:il|al)?|tot(?:\\s+en\\s+met)?|terug\\s+op|até|till"
	"\\s+och\\s+med)\\s*:?\\s*(?:(?:mon|tues?|wednes|thurs?|fri|satur|sun)(?:day)?,?\\s+("
	"?:the\\s+)?)?(?<date>\\d{4}-\\d{2}-\\d{2}|\\d{1,2}[.\\/-]\\s?\\d{1,2}(?:[.\\/-]\\s?("
	"?:\\d{4}|\\d{2})(?!\\d))?|\\d{1,2}(?:st|nd|rd|th|er|\\.)?\\s+(?:of\\s+|de\\s+)?(?:ja"
	"n|feb|f[ée]v|mar|m[aä]r|apr|avr|abr|may|mai|mag|jun|juin|giu|jul|juil|lug|aug|ao[u"
	"û]|ago|sep|set|oct|okt|ott|out|nov|dec|d[ée]c|dez|dic|ene|gen)\\p{L}*\\.?(?:,?\\s+"
	"(?:de\\s+)?\\d{4})?|(?:jan|feb|f[ée]v|mar|m[aä]r|apr|avr|abr|may|mai|mag|jun|juin|"
	"giu|jul|juil|lug|aug|ao[uû]|ago|sep|set|oct|okt|ott|out|nov|dec|d[ée]c|dez|dic|ene"
	"|gen)\\p{L}*\\.?\\s+\\d{4}|(?:jan|feb|f[ée]v|mar|m[aä]r|apr|avr|abr|may|mai|mag|ju"
	"n|juin|giu|jul|juil|lug|aug|ao[uû]|ago|sep|set|oct|okt|ott|out|nov|dec|d[ée]c|dez|"
	"dic|ene|gen)\\p{L}*\\.?\\s+\\d{1,2}(?!\\d)(?:st|nd|rd|th)?(?:,?\\s+\\d{4})?|(?:next"
	"\\s+)?(?:monday|tuesday|wednesday|thursday|friday)|tomorrow|next\\s+week)");
