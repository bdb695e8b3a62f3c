/*
 * intent_sets.c: what people write when they want something, by intent. Each set is a list of patterns; one
 * that matches is enough. They see charset_simplify()'d text: straight quotes, single spaces. Changing one
 * means running the tables of tests/listen/test_intents.c, hits and near misses alike.
 */
#include "intent_sets.h"

struct pattern intent_set_unsubscribe[] = {
	PATTERN("^\\W*(?:please\\s+|pls\\s+|plz\\s+)?(?:unsubscribe|unsub|opt[\\s-]?out|remove(?:\\s+"
		"me)?|stop)(?:\\s+(?:me|please|now|all|it|this|list))*\\W*$"),
	PATTERN("\\b(?:please|pls|kindly|want\\s+to|would\\s+like\\s+to|need\\s+to|wish\\s+to|how\\s+"
		"(?:do|can)\\s+i|can(?:not|'t|\\s+you)|let\\s+me)\\b[^.?!\\n]{0,40}\\b(?:unsubscribe|"
		"unsub|opt\\s?-?out)\\b"),
	PATTERN("\\b(?:remove|take|delete|drop|scrub)\\s+(?:me|us|my\\s+(?:e-?mail|address|name|detai"
		"ls|info(?:rmation)?|contact)|this\\s+(?:e-?mail|address))\\b(?!\\s+(?:through|along|"
		"back|up|to|seriously|on\\s+board|with|for|into)\\b)(?!\\s+(?:off|out\\s+of|from)\\s+"
		"(?:the|this|that|our|your|tomorrow's|today's)?\\s*(?:call|meeting|invite|thread|cc|l"
		"oop|agenda)\\b)"),
	PATTERN("\\b(?:stop|quit|cease)\\s+(?:all\\s+)?(?:(?:e-?mail|contact|messag|spamm|send|bother"
		"|harass|writ)ing|(?:these|those|this|the|your|any)\\s+(?:e-?mails?|messages?|mailing"
		"s?|spam|contact))\\b"),
	PATTERN("(?<!they\\s)(?<!people\\s)(?<!customers\\s)(?<!users\\s)(?<!leads\\s)(?<!who\\s)\\b("
		"?:do\\s+not|don't|dont|never|no\\s+longer\\s+(?:wish|want)\\s+to)\\s+(?:e-?mail|cont"
		"act|write\\s+to|send|message|receive|be\\s+(?:e-?mailed|contacted))\\b[^.?!\\n]{0,30"
		"}\\b(?:me|us|again|any\\s?more|e-?mails?|messages?)\\b"),
	PATTERN("\\bno\\s+more\\s+(?:e-?mails?|messages?|mailings?|spam)\\b"),
	PATTERN("\\b(?:d[ée]sabonne[rz]?|d[ée]sinscri(?:re|vez|ption)|ne\\s+(?:plus|me)\\s+(?:me\\s"
		"+)?(?:contacter|recevoir|envoyer|[ée]crire)|retirez?[\\s-]moi)\\b"),
	PATTERN("\\b(?:abmelden|abbestellen|austragen|keine\\s+(?:weiteren\\s+)?(?:e-?mails?|mails?|n"
		"achrichten|werbung)\\s+mehr|aus\\s+(?:dem|ihrem|eurem|der)\\s+(?:verteiler|liste|new"
		"sletter)|l[öo]schen\\s+sie\\s+(?:mich|meine))\\b"),
	PATTERN("\\b(?:darme\\s+de\\s+baja|d[aá]r?(?:me|nos)\\s+de\\s+baja|no\\s+(?:quiero|deseo)\\s"
		"+(?:recibir|m[aá]s)|elim[ií]n(?:a|e|ar)(?:me|nos)?\\s+de\\s+(?:la|su|tu)\\s+lista|"
		"cancelar\\s+(?:la\\s+)?suscripci[oó]n)\\b"),
	PATTERN("\\b(?:cancellami|disiscriv\\w+|non\\s+(?:voglio|desidero)\\s+(?:pi[uù]\\s+)?ricever"
		"e|rimuov\\w+\\s+dalla\\s+lista|cancelar\\s+(?:a\\s+)?(?:inscri[cç][aã]o|assinatura"
		")|descadastr\\w+|uitschrijven|afmelden|avregistrera|afmeld|meld\\s+meg\\s+av|wypisz|"
		"wypisa[cć]|rezygnuj[eę]|peruuta\\s+tilaus|отпис\\w+|退订|配信停止|수"
		"신거부)"),
	{ NULL, NULL },
};

struct pattern intent_set_not_interested[] = {
	PATTERN("\\b(?:not|isn't|aren't|no(?:t\\s+really|t\\s+at\\s+all|t\\s+currently|t\\s+particula"
		"rly)?)\\s+(?:currently\\s+|at\\s+all\\s+|really\\s+|very\\s+)?interested\\b|\\bno\\s"
		"+interest\\b|\\bno[,.]?\\s+(?:thanks?|thank\\s+you|thx)\\b|\\b(?:we'll|i'll|we\\s+wi"
		"ll|i\\s+will|going\\s+to|gonna)\\s+pass\\b|\\bnot\\s+(?:a\\s+(?:good\\s+)?fit|for\\s"
		"+(?:us|me)|relevant|something\\s+we)\\b|\\b(?:don't|do\\s+not|didn't)\\s+(?:need|wan"
		"t|require)\\b|\\bno\\s+need\\b|\\b(?:kein\\s+interesse|nicht\\s+interessiert|pas\\s+"
		"int[ée]ress[ée]e?s?|no\\s+(?:me|nos|estoy|estamos)\\s+interesa\\w*|non\\s+(?:sono|"
		"siamo|mi)\\s+interessa\\w*|geen\\s+interesse|inte\\s+intresserad)\\b"),
	{ NULL, NULL },
};

struct pattern intent_set_meeting[] = {
	PATTERN("\\b(?:book|schedule|arrange|set\\s?-?up|organi[sz]e|(?<!\\bi\\s)(?<!\\bwe\\s)(?:have"
		"|do)|hop\\s+on|jump\\s+on|get\\s+on|grab|find|plan|put\\s+(?:in|something\\s+in))\\b"
		"[^.?!\\n]{0,30}\\b(?:call|meeting|chat|demo|time|slot|zoom|teams|session|walk\\s?-?t"
		"hrough|conversation|coffee|diary|calendar)\\b|\\b(?:are|would)\\s+you\\s+(?:be\\s+)?"
		"(?:free|available)\\b|\\b(?:i'm|i\\s+am|we're|we\\s+are)\\s+(?:free|available)\\s+(?"
		":on|at|this|next|tomorrow|after|mon|tue|wed|thu|fri|any)|\\b(?:send|share)\\s+(?:me|"
		"us|over|through)?\\s*(?:a\\s+|an\\s+|the\\s+)?(?:invite|calendar|calendly|link\\s+to"
		"\\s+book|times|availability|slots)|\\b(?:what|which)\\s+(?:time|day|times|days)\\s+("
		"?:works?|suits?|are)\\b|\\b(?:let's|lets|happy\\s+to|love\\s+to|keen\\s+to|open\\s+t"
		"o\\s+a|would\\s+like\\s+to|i'd\\s+like\\s+to|can\\s+we|could\\s+we|shall\\s+we)\\s+("
		"?:have\\s+a\\s+|a\\s+)?(?:talk|chat|meet|speak|connect|call|discuss|quick\\s+call|de"
		"mo)\\b|\\b(?:termin\\s+vereinbaren|prendre\\s+(?:un\\s+)?rendez-vous|agendar\\s+(?:u"
		"na\\s+)?(?:llamada|reuni[oó]n|demo)|fissare\\s+(?:un\\s+)?appuntamento|afspraak\\s+"
		"(?:maken|plannen))\\b"),
	{ NULL, NULL },
};

struct pattern intent_set_call_me[] = {
	PATTERN("\\b(?:do\\s+not|don't|dont|never|stop|no\\s+need\\s+to|rather\\s+not)\\b[^.?!\\n]{0,"
		"15}\\b(?:call|phone|ring|text)(?:ing)?\\b(*SKIP)(*FAIL)|\\b(?:call|phone|ring|text|w"
		"hatsapp|reach)\\s+me\\b|\\bgive\\s+(?:me|us)\\s+a\\s+(?:call|ring|buzz|shout)\\b|\\b"
		"my\\s+(?:direct\\s+)?(?:number|mobile|cell|phone|line)\\s*(?:is|:)|\\b(?:you\\s+can|"
		"feel\\s+free\\s+to|best\\s+to)\\s+(?:call|ring|reach\\s+me)\\b|\\b(?:rufen\\s+sie|r["
		"uü]ck(?:ruf|rufen)|appelez[\\s-]moi|rappelez|ll[aá]m[ea](?:me|nos)|chiam(?:ami|ate"
		"mi|i)|bel\\s+me|ring\\s+mig)\\b"),
	{ NULL, NULL },
};

struct pattern intent_set_pricing[] = {
	PATTERN("\\b(?:pric(?:e|es|ing)|(?<!all\\s)cost(?:s|ing)?(?![-\\s]benefit)|quot(?:e|ation)|(?"
		"<!any\\s)(?<!response\\s)(?<!open\\s)(?<!click\\s)(?<!conversion\\s)rates|fees?|how"
		"\\s+much|rate\\s+card|proposal|licen[cs](?:e|ing)\\s+(?:cost|fee|model)|per\\s+(?:us"
		"er|seat|month))\\b(?![^.?!\\n]{0,20}\\b(?:too|high|expensive)\\b)|\\b(?:preis(?:e|li"
		"ste)?|angebot|koste[nt]|wie\\s?viel|combien|cu[aá]nto\\s+cuesta|tarifs?|devis|prix|"
		"precio|presupuesto|cotizaci[oó]n|prezz[oi]|preventivo|offerte|prijs|pris(?:er)?|off"
		"ert)\\b"),
	{ NULL, NULL },
};

struct pattern intent_set_demo[] = {
	PATTERN("\\b(?:demo|demonstration|free\\s+trial|trial|pilot|poc|proof\\s+of\\s+concept|sandbo"
		"x|test\\s+account|see\\s+it\\s+in\\s+action|try\\s+it\\s+out)\\b"),
	{ NULL, NULL },
};

struct pattern intent_set_not_now[] = {
	PATTERN("\\b(?:not\\s+(?:right\\s+now|now|at\\s+(?:this|the)\\s+(?:time|moment|stage|point)|a"
		"t\\s+present|yet|ready|the\\s+right\\s+time|this\\s+(?:year|quarter|month)|currently"
		")|bad\\s+timing|too\\s+(?:early|busy)|(?:maybe|perhaps|possibly)\\s+(?:later|next|in"
		")|(?:circle|check|come|get|reach|touch)\\s+(?:back|base|in|out)[^.\\n]{0,40}\\b(?:ne"
		"xt|in|after|later|q[1-4]|january|february|march|april|may|june|july|august|september"
		"|october|november|december|spring|summer|autumn|fall|winter|new\\s+year)\\b|(?:follo"
		"w|try|ping|contact|call)\\s+(?:up|me|us|again)?\\s*(?:again\\s+)?(?:in|next|after|la"
		"ter)\\s+(?:\\d+|a\\s+few|the|week|month|quarter|year|q[1-4]|spring|summer|autumn|fal"
		"l|winter|january|february|march|april|june|july|august|september|october|november|de"
		"cember)|under\\s+contract\\s+until|revisit\\s+(?:this\\s+)?(?:in|next|later)|budget"
		"\\s+(?:cycle|freeze|is\\s+(?:spent|frozen|gone))|momentan\\s+nicht|derzeit\\s+nicht|"
		"zur\\s?zeit\\s+nicht|pas\\s+pour\\s+le\\s+moment|por\\s+(?:el\\s+momento|ahora)\\s+n"
		"o|non\\s+(?:adesso|ora|in\\s+questo\\s+momento))"),
	PATTERN("\\bnot\\s+(?:until|before)\\s+(?:q[1-4]|next|the\\s+(?:new|next|end|spring|summer|au"
		"tumn|fall|winter)|after|january|february|march|april|may|june|july|august|september|"
		"october|november|december|\\d{1,2}[./-]|\\d{4})"),
	PATTERN("\\b(?:ask|write|e-?mail|contact|call|try)\\s+(?:me|us)\\s+(?:again|back)\\s+(?:in|ne"
		"xt|after|later)\\b"),
	PATTERN("\\b(?:nicht\\s+vor|erst\\s+(?:im|in|ab|nach))\\s+(?:januar|februar|m[äa]rz|april|ma"
		"i|juni|juli|august|september|oktober|november|dezember|q[1-4]|n[äa]chste[nmrs]?|dem"
		"|der)\\b"),
	{ NULL, NULL },
};

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
		"в\\s+отпуске|不在|外出|休暇)"),
	{ NULL, NULL },
};

/*
 * Neither a wish to be called nor one to leave, but nobody should be called or mailed before a person has
 * read it.
 */
struct pattern intent_set_review[] = {
	PATTERN("\\b(?:do\\s+not|don't|dont|never|stop|quit)\\s+(?:ever\\s+)?(?:call|phone|ring|text)"
		"(?:ing)?\\b"),
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
