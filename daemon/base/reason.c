/*
 * reason.c: an ordered list of what mail systems say. The order carries meaning: a full mailbox is told
 * with "user unknown" numbers, a policy with "access denied", so what is narrower stands first.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/patterns.h"
#include "base/reason.h"

struct rule {
	const char *reason;
	struct pattern pattern;
};

static struct rule rules[] = {
	{ "mailererror", PATTERN_BYTES("mailer\\s+error|"
		"command\\s+output:|"
		"(?:procmail|maildrop|command\\s+(?:failed|died)|\\|\\|\\s*exit\\b|pipe\\s+to|"
		"returned\\s+(?:non-zero\\s+)?(?:exit\\s+)?(?:status|code)|exit\\s+(?:code|status)|"
		"x-unix;\\s+(?:temporary|7[1-5]))") },
	{ "suppressed", PATTERN_BYTES("suppression\\s+list|address\\s+is\\s+suppressed") },
	{ "networkerror", PATTERN_BYTES("host\\s+name\\s+lookup\\s+failure|unrouteable\\s+mail\\s+domain|forwarding\\s+loop|message\\s+looping|could\\s+not\\s+connect\\s+and\\s+send|incorrect\\s+hostname|"
		"no\\s+(?:valid\\s+)?route\\s+to|all\\s+routes\\s+to\\s+destination|address\\s+family\\s+mismatch|"
		"dns\\s+query\\s+failed|host\\s+is\\s+unreachable|unable\\s+to\\s+resolve\\s+route|temporary\\s+failure\\s+in\\s+mx|"
		"could\\s+not\\s+retrieve\\s+source|message\\s+exceeded\\s+\\d+\\s+hops|dns\\s+records\\s+for\\s+the\\s+destination|"
		"dns\\s+error:(?!.*null\\s+mx)|host\\s+not\\s+found,\\s+try\\s+again|"
		"network\\s+error|lost\\s+connection\\s+with|name\\s+server\\s+reply") },
	{ "authfailure", PATTERN_BYTES(
		"fails\\s+to\\s+pass\\s+authentication|spf/dns|"
		"spf\\.pobox\\.com|sender\\s+policy\\s+framework|inspect\\s+your\\s+spf|per\\s+it.?s\\s+spf|(?:spf|dkim|dmarc)\\s+sender\\s+invalid|"
		"authenticate\\s+(?:their\\s+e?-?mail\\s+)?with\\s+(?:either\\s+)?(?:spf|dkim)|failing\\s+both\\s+spf|aligned\\s+with\\s+either|"
		"\\bdmarc\\b|\\bspf\\b(?!\\s+records\\s+for\\s+your)[^.]{0,60}\\b(?:fail|hard|check|record|"
		"not\\s+pass|reject|invalid|mismatch)|bad\\s+spf|"
		"\\bdkim\\b[^.]{0,60}\\b(?:fail|did\\s+not\\s+pass|invalid)|"
		"multiple\\s+authentication\\s+checks\\s+failed|"
		"unauthenticated\\s+e?-?mail\\s+from|sender\\s+id\\s+\\(pra\\)|"
		"is\\s+not\\s+allowed\\s+to\\s+send\\s+mail|"
		"5\\.7\\.26\\b|authentication[-\\s]results?\\s+fail|domain\\s+does\\s+not\\s+pass|"
		"spf:\\s*fail") },
	{ "failedstarttls", PATTERN_BYTES("certificate-expired|certificate-host-mismatch|(?:dnssec|tlsa)-invalid|restrictdomainsto|starttls\\s+may\\s+not|invalid\\s+for\\s+this\\s+certificate|"
		"mta-sts\\s+validation|starttls-not-supported|requires?\\s+(?:encryption|tls\\s+version|high-strength)|dane\\s+validation|senders\\s+to\\s+use\\s+tls|tls\\s+required|"
		"must\\s+issue\\s+a\\s+starttls|tls\\s+(?:is\\s+)?required|"
		"starttls\\s+(?:is\\s+)?required|certificate\\s+verify\\s+failed") },
	{ "virusdetected", PATTERN_BYTES(
		"potentially\\s+executable\\s+attach|recent\\s+viruses|virus\\s+or\\s+spam\\s+content|"
		"\\bvirus\\s+(?:detected|found|infected|phishing|signature)|infected\\s+(?:with|message)|"
		"\\bmalware\\b|virus\\s+protection|"
		"contains?\\s+(?:a\\s+)?virus|mcspamsignature|has\\s+a\\s+virus") },
	{ "badreputation", PATTERN_BYTES(
		"due\\s+to\\s+ip\\s+reputation|"
		"none/bad\\s+reputation|reputation\\s+(?:score|problems)|poor\\s+e?-?mail\\s+reputation|ct\\s+ip\\s+reputation|"
		"(?:low|poor|bad|very\\s+low)\\s+reputation|reputation\\s+of\\s+the\\s+sending|"
		"unexpected\\s+volume\\s+or\\s+user\\s+complaints|"
		"due\\s+to\\s+(?:poor|bad)\\s+\\w+\\s+reputation|reputation\\s+(?:is\\s+)?(?:too\\s+low|"
		"based)|senderbase|dynamic/zombied") },
	{ "requireptr", PATTERN_BYTES(
		"unverifyable\\s+sending\\s+ip|generic\\s+dns|forward\\s+dns\\s+entry|no\\s+rdns|dns\\s+check\\s+failure|your\\s+hostname|"
		"reverse\\s+(?:dns|lookup|hostname)|\\bptr\\b|\\brdns\\b|ip\\s+name\\s+lookup\\s+failed|"
		"cannot\\s+(?:find|resolve)\\s+your\\s+(?:reverse|hostname|ip)|"
		"no\\s+(?:ptr|reverse)|mismatches\\s+client\\s+ip|unresolvable\\s+(?:relay|client)|"
		"client\\s+host\\s+rejected:\\s*cannot\\s+find|"
		"cannot\\s+resolve\\s+(?:ptr|your)|does\\s+not\\s+resolve\\s+to\\s+a\\s+host|"
		"fix\\s+reverse") },
	{ "notcompliantrfc", PATTERN_BYTES(
		"missing\\s+a\\s+valid|encoded-word\\s+syntax|disallowed\\s+header|rfcmessagenoncompliant|valid\\s+rfc\\s*5321|message\\s+is\\s+malformed|multiple\\s+\\S+\\s+headers?\\b|"
		"not\\s+rfc\\s*\\d*\\s*\\d*\\s+compliant|rfc\\s*(?:2822|5322|5321)\\s+(?:compl|violat)|"
		"multiple\\s+(?:from|subject|addresses\\s+in\\s+from|"
		"\\d+[ -][\\d.]+\\s+addresses\\s+in\\s+from)|duplicate\\s+header|"
		"messages\\s+with\\s+multiple|bare\\s+(?:lf|newline)|missing\\s+required\\s+header|"
		"malformed\\s+(?:header|mime)") },
	{ "mailboxfull", PATTERN_BYTES("too\\s+many\\s+messages\\s+on\\s+the\\s+server|e?-?mail\\s+quota\\s+exceeded|over\\s+the\\s+(?:allowed\\s+)?quota|dis[ck]\\s?space\\s+quota|full\\s+mailbox|"
		"(?:not\\s+sufficient|insufficient)\\s+disk|too\\s+much\\s+mail\\s+data|no\\s+space\\s+left\\s+on\\s+device") },
	{ "toomanyconn", PATTERN_BYTES(
		"smtp\\s+sessions|thread\\s+limit(?!\\s+exceeded)|message\\s+threshold|account\\s+service\\s+is\\s+temporarily|"
		"(?:daily\\s+message\\s+quota|maximum\\s+sending\\s+rate)\\s+exceeded|max\\s+e?-?mails\\s+per\\s+hour|(?:ip|domain|sender|connection)\\s+frequency\\s+limited|"
		"max\\s+messages?\\s+per\\s+connection|per-domain\\s+connection\\s+limit|trop\\s+de\\s+connexions|already\\s+made\\s+numerous\\s+attempts|recipient\\s+has\\s+exceeded\\s+their\\s+limit|"
		"too\\s+many\\s+(?:concurrent|connections?|recipients|sessions|simultaneous|errors\\s+from)|"
		"connection\\s+(?:rate|frequency|limit)\\s*(?:limit(?:ed)?\\s+)?(?:exceeded|limited)?|"
		"(?:ip|connection)\\s+frequency\\s+limited|max(?:imum)?\\s+(?:number\\s+of\\s+)?connections|"
		"all\\s+available\\s+ips|AUP#(?:In-)?13\\d\\d|aup#i-13\\d\\d|"
		"exceeded\\s+the\\s+(?:maximum\\s+)?(?:number\\s+of\\s+)?connections") },
	{ "speeding", PATTERN_BYTES(
		"relay\\s+limit\\s+exceeded|rate\\s+that\\s+prevents|daily\\s+limit\\s+for|"
		"try\\s+again\\s+slower|receiving\\s+mail\\s+too\\s+quickly|excessive\\s+volume|per\\s+hour\\s+message\\s+receive|exceeded\\s+(?:permitted\\s+limits|threshold)|recipient\\s+thread\\s+limit|submission\\s+quota|"
		"(?:message|mail|e?-?mail|sending|receiving|delivery|rate)\\s+(?:rate|limit|"
		"quota)\\s+(?:limit(?:ed)?\\s+)?(?:has\\s+been\\s+)?exceeded|"
		"receiving\\s+mail\\s+at\\s+a\\s+rate|"
		"throttl|rate[-\\s]limit(?:ed|ing)|sending\\s+too\\s+(?:fast|quickly)|"
		"too\\s+many\\s+(?:messages|mails?|emails?)|try\\s+again\\s+(?:later|"
		"in\\s+\\d+)[^.]{0,20}rate|maximum\\s+sending\\s+rate") },
	{ "mailboxfull", PATTERN_BYTES(
		"space\\s+has\\s+been\\s+used\\s+up|exceeded\\s+storage\\s+allocation(?<!aborted: exceeded storage allocation)|(?:has|have)\\s+enough\\s+space|reached\\s+disk\\s+quota|"
		"user\\s+has\\s+too\\s+many\\s+messages|account\\s+storage\\s+limit|exceeding\\s+(?:receiving|its|their)|file\\s+size\\s+exceeds\\s+the\\s+maximum\\s+size\\s+allowed\\s+for\\s+mail\\s+delivery|mailbox\\s+would\\s+exceed|"
		"exceeded\\s+the\\s+local\\s+limit|casella\\s+(?:e-?mail\\s+)?piena|buz(?:o|ó)n\\s+(?:\\S+\\s+){0,3}lleno|caixa\\s+(?:\\S+\\s+){0,4}cheia|(?:ящик|mailbox)\\s+переполнен|переполнен|邮箱已满|メールボックスが|"
		"mailbox\\s+(?:is\\s+)?(?:full|over|exceed|size|quota|for\\s+user\\s+is\\s+full|"
		"has\\s+(?:exceeded|reached))|(?:over|exceed(?:s|ed|ing)?|full|out\\s+of)\\s+(?:the\\s+|"
		"its\\s+|his\\s+|their\\s+|her\\s+|storage\\s+|disk\\s+|mailbox\\s+|mail\\s+|e-?mail\\s+|"
		"account\\s+)*(?:quota|storage|space)|"
		"quota\\s+(?:is\\s+)?(?:full|exceed|violation|limit)|quotaexceeded|storage\\s+(?:space|"
		"quota)\\s+(?:full|exceed)|(?:user|account|mailbox|recipient|inbox)\\s+(?:is\\s+|has\\s+|"
		"are\\s+)?(?:full|over\\s*quota|exceeded)|"
		"insufficient\\s+(?:disk\\s+)?(?:storage|space|system\\s+storage)?\\s*(?:space)?\\s+(?:avail"
		"able\\s+)?(?:in|for)\\s+(?:mailbox|user|recipient)|disk\\s+quota|"
		"not\\s+enough\\s+(?:storage|disk)\\s+space|maildir\\s+(?:delivery\\s+failed|over\\s+quota)|"
		"too\\s+(?:many|much)\\s+(?:messages|mail|data)\\s+(?:in|on)\\s+(?:this|the)?\\s*(?:mailbox|"
		"inbox|disk|account)|bo(?:i|î)te\\s+(?:aux\\s+lettres|du\\s+destinataire)\\s+pleine|"
		"postfach\\s+(?:ist\\s+)?voll|no\\s+space\\s+left\\s+for|user\\s+is\\s+over|"
		"out\\s+of\\s+storage|mailfolder\\s+is\\s+full|"
		"would\\s+(?:be\\s+over|exceed)\\s+(?:the\\s+)?quota|delivery\\s+failed:\\s*over\\s+quota") },
	{ "exceedlimit", PATTERN_BYTES("individual\\s+header\\s+size|header\\s+name\\s+limit|limit\\s+of\\s+limit\\s+attachments|"
		"\\bmessage\\s+too\\s+large(?!\\s+for\\s+th)|header\\s+size\\s+exceeds(?!\\s+maximum)|"
		"message\\s+header\\s+size\\s+limit") },
	{ "mesgtoobig", PATTERN_BYTES(
		"length\\s+exceeds\\s+administrative|"
		"(?:incoming|e-?mail)\\s+(?:message\\s+)?size\\s+exceeded|maximum\\s+(?:incoming\\s+)?message\\s+size|mail\\s+size\\s+limit|\\bsize\\s+limit\\b|taille\\s+limite|"
		"(?:message|mail|e-?mail|body)\\s+(?:is\\s+|size\\s+|was\\s+|file\\s+)*(?:too\\s+(?:big|"
		"large|long)|exceeds\\s+(?:the\\s+)?(?:fixed\\s+|maximum\\s+|max\\s+)?(?:limit|size|maximum|"
		"message)|larger\\s+than|bigger\\s+than|exceeded)|"
		"line\\s+limit\\s+exceeded|size\\s+(?:limit\\s+exceeded|exceeds)|"
		"max(?:imum)?\\s+message\\s+size|exceeds?\\s+max(?:imum)?\\s+(?:message\\s+)?size|"
		"exceeded\\s+maximum\\s+inbound|message\\s+length\\s+exceeded") },
	{ "exceedlimit", PATTERN_BYTES("message\\s+too\\s+large\\s+for\\s+(?:this|the)\\s+recipient") },
	{ "hasmoved", PATTERN_BYTES(
		"recipient\\s+no\\s+longer\\s+on|"
		"has\\s+moved|not\\s+our\\s+user|no\\s+longer\\s+on\\s+server|"
		"has\\s+been\\s+replaced\\s+by|user\\s+not\\s+local;\\s+please\\s+try|"
		"no\\s+forwarding\\s+address|new\\s+address\\s+is") },
	{ "notaccept", PATTERN_BYTES(
		"type=mx:\\s+malformed|protocol\\s+returned\\s+a\\s+permanent|"
		"nullmx|seem\\s+to\\s+reject\\s+all|no\\s+mx\\s+found\\s+for|mail\\s+receiving\\s+disabled|no\\s+route\\s+for\\s+current\\s+request|not\\s+accepting\\s+network\\s+messages|no\\s+mail-enabled\\s+subscriptions|"
		"null\\s+mx|does(?:n't|\\s+not)\\s+(?:accept|receive)\\s+(?:any\\s+)?(?:mail|e-?mail)|"
		"host/domain\\s+does\\s+not\\s+accept|no\\s+mx\\s+(?:record\\s+)?found\\s+for\\s+domain|"
		"never\\s+receives?\\s+mail|"
		"domain\\s+(?:does\\s+not|doesn't)\\s+accept|name\\s+server\\s+loop|"
		"smtp\\s+protocol\\s+returned\\s+a\\s+permanent\\s+error:\\s+no\\s+mx") },
	{ "norelaying", PATTERN_BYTES(
		"\\bas\\s+a\\s+relay|\\bno\\s+relaying|not\\s+a\\s+gateway|handle\\s+mail\\s+for|specified\\s+domain\\s+is\\s+not\\s+allowed|open\\s+relay|relaying\\s+mail\\s+to|credentials\\s+for\\s+relay|not\\s+an\\s+open\\s+relay|send\\s+email\\s+directly\\s+to\\s+our|"
		"relay(?:ing)?\\s+(?:access\\s+)?(?:denied|prohibited|not\\s+(?:permitted|allowed)|"
		"mail\\s+rejected|is\\s+(?:disabled|denied))|not\\s+(?:permitted|allowed)\\s+to\\s+relay|"
		"unable\\s+to\\s+relay|we\\s+do\\s+not\\s+relay|relay\\s+not\\s+permitted|"
		"insecure\\s+mail\\s+relay|not\\s+local\\s+host|send\\s+to\\s+a\\s+non-local|"
		"that\\s+domain\\s+isn't\\s+in\\s+my\\s+list|email\\s+address\\s+is\\s+not\\s+verified|"
		"mail\\s+server\\s+requires\\s+authentication|"
		"this\\s+system\\s+is\\s+not\\s+configured\\s+to\\s+relay") },
	{ "suspend", PATTERN_BYTES(
		"(?<!delivery\\s)\\b(?:currently|been|temporarily)\\s+suspended|is\\s+no\\s+longer\\s+valid\\b|"
		"archived\\s+recipient|destinataire\\s+archiv|temporar(?:y|ily)\\s+(?:locked|limited|inactive)|user\\s+is\\s+terminated|user\\s+or\\s+domain\\s+is\\s+disabled|suspend\\s+the\\s+service|invalid/inactive|mailbox\\s+cannot\\s+be\\s+accessed|account\\s+is\\s+(?:disabled|temporarily\\s+limited)|"
		"(?:account|mailbox|user|recipient|box|address|email)\\s+(?:\\S+\\s+){0,3}(?:is|has\\s+been|"
		"was|currently|temporarily)?\\s*(?:\\w+\\s+)?(?:disabled|suspended|inactive|deactivated|"
		"frozen|blocked|locked|discontinued|not\\s+active|expired)\\b(?!\\s+(?:using|by|"
		"for|your))|"
		"reach\\s+is\\s+(?:disabled|inactive)|(?:disabled|suspended|inactive|locked|"
		"closed)\\s+(?:account|mailbox|user|recipient)|compte\\s+du\\s+destinataire\\s+est\\s+bloqu|"
		"5\\.7\\.13\\b|"
		"is\\s+a\\s+deactivated\\s+mailbox|mailbox\\s+(?:currently\\s+)?(?:unavailable\\s+or\\s+"
		"access|disabled)|permanently\\s+closed|sorry.{0,20}suspended|"
		"vdelivermail:\\s+account\\s+is\\s+locked|no\\s+longer\\s+active") },
	{ "rejected", PATTERN_BYTES(
		"bogus\\s+mail\\s+from|bouncedeny|\\bmx\\s+records\\s+for|returned\\s+mail\\s+not\\s+accepted|spam\\s+reporting\\s+address|header-based|envelope\\s+rejected|e-mail\\s+system\\s+has\\s+been\\s+rejected|"
		"sender\\s+blacklisted|sender\\s+address\\s+has\\s+been\\s+blacklisted|sending\\s+to/from\\s+an\\s+address|administrative\\s+prohibition|bad\\s+outbound\\s+sender|allowed-senders|unauthenticated\\s+e?-?mail\\s+is\\s+not|valid\\s+sender\\s+domain|empty\\s+e?-?mail\\s+address|banned\\s+sender(?!\\S)|invalid\\s+domain,\\s+see|access\\s+denied\\s+\\(in\\s+reply\\s+to\\s+mail|"
		"sender\\s+was\\s+rejected|mail\\s+from\\s+not\\s+owned|batv\\s|denied\\s+by\\s+secumail|fully\\s+qualified\\s+e?-?mail\\s+address|registered\\s+gateway\\s+user|on\\s+(?:\\S+\\s+)?senderfilterconfig|envelope\\s+blocked|no\\s+third-party\\s+dsns|emetteur\\s+invalide|"
		"\\bunroutable\\s+sender|sender\\s+(?:domain\\s+is\\s+empty|is\\s+(?:in\\s+my\\s+black|spammer))|sender\\s+not\\s+(?:pre-approved|authenticated)|sender\\s+was\\s+not\\s+authenticated|recursive\\s+cname|rule\\s+imposed\\s+mailbox|sending\\s+this\\s+from\\s+a\\s+different|sender.s\\s+(?:isn.t\\s+on|on\\s+the)|because\\s+the\\s+sender\\s+isn.t|"
		"unsigned\\s+dsn|post\\s+to\\s+this\\s+mailing\\s+list|e-?mail\\s+address\\s+has\\s+been\\s+blacklisted|mail\\s+sending\\s+denied|rejected\\s+by\\s+recipients|unresolvable\\s+rfc|permanently\\s+deferred|not\\s+(?:a\\s+)?member\\s+(?:of|article)|are\\s+not\\s+member|"
		"sender\\s+(?:address\\s+|domain\\s+|verify\\s+|email\\s+)?(?:is\\s+|was\\s+)?(?:rejected|"
		"failed|denied|refused|not\\s+(?:exist|accepted|allowed|valid|verified)|blocked|unknown|"
		"could\\s+not)|(?:invalid|bad|unknown|unresolvable|empty)\\s+(?:sender|envelope\\s+(?:sender|"
		"from)|mail\\s+from|return[-\\s]path)|"
		"domain\\s+of\\s+sender|provide\\s+a\\s+valid\\s+from|unrouteable\\s+sender|"
		"purported\\s+responsible\\s+address|verif(?:y|ication)\\s+failed\\s+for\\s+<|"
		"(?:mail\\s+from|from\\s+address|return\\s+path)\\s+\\S*\\s*(?:rejected|refused|denied|"
		"not\\s+allowed|does\\s+not\\s+exist)|backscatter|null\\s+sender|"
		"groups\\.google\\.com|(?:group|groupe|grupo|gruppe|"
		"gruppo)\\s+you\\s+tried\\s+to\\s+contact|may\\s+not\\s+have\\s+permission\\s+to\\s+post|"
		"senders?\\s+not\\s+(?:listed|permitted)|not\\s+accept(?:ing)?\\s+(?:mail|"
		"messages)\\s+from\\s+(?:you|this|your)|only\\s+(?:members|subscribers)") },
	{ "hostunknown", PATTERN_BYTES("unroutable\\s+address|host\\s+unreachable|"
		"\\b553\\s+[\\w-]+(?:\\.[\\w-]+)+\\s+does\\s+not\\s+exist|"
		"mail\\s+domain\\s+mentioned|all\\s+host\\s+address\\s+lookups\\s+failed\\s+permanently|remote\\s+domain\\s+does\\s*n.?t\\s+exist|illegal\\s+host/domain|dns\\s+domain\\s+\\S+\\s+does\\s+not|domaine\\s+inconnu|dominio\\s+(?:desconocido|inexistente|no\\s+existe)|domain\\s+nicht\\s+gefunden|"
		"(?:host|domain)(?:\\s+or\\s+domain)?(?:\\s+name)?(?:\\s+\\S+){0,2}\\s+(?:not\\s+(?:found|"
		"exist|valid)|unknown|does\\s+not\\s+exist|is\\s+(?:invalid|unknown)|lookup\\s+fail|"
		"may\\s+not\\s+exist)|(?:unknown|no\\s+such|invalid|illegal|non[-\\s]?exist\\w+|"
		"bad)\\s+(?:host|domain|destination\\s+system)|"
		"nxdomain(?!\\s+domain\\s+name\\s+not\\s+found)|unrouteable\\s+(?:mail\\s+)?(?:domain|"
		"address)|name\\s+or\\s+service\\s+not\\s+known|host\\s+unknown|"
		"couldn't\\s+find\\s+any\\s+host|cannot\\s+(?:find|"
		"resolve)\\s+(?:the\\s+)?(?:recipient\\s+)?(?:domain|host)|"
		"all\\s+relevant\\s+mx\\s+records\\s+point\\s+to\\s+non-existent|"
		"account\\s+or\\s+domain\\s+may\\s+not\\s+exist|no\\s+such\\s+domain|"
		"domain\\s+must\\s+(?:exist|resolve)|dns\\s+server\\s+returned\\s+answer\\s+with\\s+no\\s+da"
		"ta|"
		"domain\\s+is\\s+not\\s+reachable|host\\s+\\S+\\s+not\\s+found|"
		"verify\\s+that\\s+the\\s+domain") },
	{ "blocked", PATTERN_BYTES("(?:blocked|refused)\\s+-\\s+see|said:\\s+550\\s+blocked|:blocked\\)|black\\s+list|accepting\\s+mail\\s+from\\s+your\\s+ip|access\\s+ip\\b|invalid\\s+ip\\s+for|nameserver\\s+query|bounce\\s+attacks|connection\\s+denied|after\\s+initial\\s+connection|mail\\s+from\\s+\\S+\\s+refused|ip\\s+address\\s+\\S+\\s+blocked|deferred\\s+due\\s+to\\s+user\\s+complaints|refused,\\s+please\\s+try\\s+later|"
		"unusual\\s+rate\\s+of|you\\s+are\\s+sending\\s+spam|currently\\s+sending\\s+spam|too\\s+many\\s+spams?\\s+from|spamhaus|spamcop|dynamic/zombied") },
	{ "spamdetected", PATTERN_BYTES(
		"system\\s+has\\s+detected\\s+that\\s+this\\s+message|\\bspam\\b(?!\\s+(?:ip|reporting))(?<!sending\\sspam)|spamming|spamprofiler|unsolicited(?!\\s+mail\\b.*\\brate)|bulk\\.advertising|uribl|sender\\s+domain\\s+listed|rejecting\\s+mail\\s+content|your\\s+mail\\s+score|mail\\s+score\\s+\\(|"
		"spam\\s+(?:check|blocked|not\\s+accepted|points|or\\s+virus|abuse)|probabl[ey]\\s+(?:spam|of\\s+being)|probability\\s+(?:of\\s+)?(?:being\\s+)?spam|mail\\s+content\\s+denied|unacceptable\\s+content|banned\\s+content|content\\s+filter\\s+rejection|recurrent\\s+pattern|uribl|bulk\\s+mail|reject(?:ed)?\\s*-\\s*bulk|5\\.7\\.0\\s+reject,\\s+id=|anti-?spam|dont\\s+accept\\s+spam|too\\s+(?:much|many)\\s+spam\\s+compl|temporarily\\s+blocked\\s+by\\s+our\\s+filter|quarantined\\s+this\\s+message|nature\\s+of\\s+the\\s+content|likely\\s+(?:unsolicited|suspicious)|"
		"\\bspam\\s+(?:detected|message|content|email|mail|score|classification|rejected|refused|"
		"filter)|(?:looks?\\s+like|identified|classified|detected|rejected|considered|"
		"appears?\\s+to\\s+be|tagged|marked|blocked)\\s+(?:as\\s+|to\\s+be\\s+|"
		"by\\s+)?(?:possible\\s+|potential\\s+|a\\s+)?(?:spam|junk|ube|uce|bulk)|"
		"content\\s+rejected|(?:unsolicited|bulk)\\s+(?:bulk\\s+)?(?:e?-?mail|messages?)|"
		"\\bube\\b|spamassassin|blacklisted\\s+url|dspam|spam-?like|is\\s+spam\\b|high\\s+spam|"
		"advertisement|considered\\s+spam|ofr_?506|ofr004_?506|offensive\\s+content|"
		"message\\s+contained\\s+spam") },
	{ "blocked", PATTERN_BYTES(
		"\\bgo\\s+away\\b|bad\\s+helo|(?:helo|ehlo)\\s+command\\s+rejected|helo/ehlo\\s+argument|unusual\\s+rate\\s+of|ip\\s+not\\s+in\\s+whitelist|not\\s+accepting\\s+connections|try\\s+again\\s+later,\\s+closing\\s+connection|confirm\\s+this\\s+mail\\s+server|are\\s+(?:currently\\s+)?sending\\s+spam|reset\\s+by\\s+peer|connection\\s+(?:was\\s+)?dropped|open\\s+proxy|dynamic\\s+ip|spam\\s+ip\\b|bad\\s+ip\\s+profile|host\\s+network,?\\s+not\\s+allowed|forbidden\\s+by\\s+your\\s+ip|requires\\s+confirmation|server\\s+at\\s+\\S+\\s+is\\s+blocked|too\\s+many\\s+(?:spams|unwanted\\s+messages|invalid\\s+recipients|bad\\s+commands)|may\\s+not\\s+be\\s+mail\\s+exchanger|abus\\s+d(?:e|é)tect|smtp\\s+server\\s+of\\s+your\\s+isp|suspiciously\\s+like\\s+spammer|block\\s+list|"
		"blocked\\s+(?:using|by|for|due|because(?!\\s+its\\s+content)|ip|at)|\\bSC-00\\d\\b|\\(BL\\)|"
		"messages\\s+from\\s+\\S+\\s+weren't\\s+sent|black-?list(?:ed)?|block-?list(?:ed)?|spamhaus|"
		"sorbs|barracuda\\s*central|spamcop|\\brbl\\b|dnsbl|banned\\s+(?:sending\\s+)?ip|"
		"access\\s+(?:has\\s+been\\s+)?(?:denied|from\\s+ip\\s+address)(?=.*\\bip\\b)|"
		"client\\s+host\\s+(?:rejected|blocked|\\S+\\s+blocked)(?!:\\s+(?:cannot\\s+find|#\\d))|"
		"(?:your|source|sending|client)\\s+(?:ip|host|server|network|"
		"mail\\s+server)(?:\\s+address)?\\s+(?:\\S+\\s+)?(?:is\\s+|has\\s+been\\s+|"
		"was\\s+)?(?:\\w+\\s+)?(?:blocked|banned|rejected|listed|refused|denied|not\\s+allowed|"
		"on\\s+a)|"
		"aup#cdrbl|connection\\s+(?:refused|dropped|denied|rejected)\\s+by\\s+(?:policy|security)|"
		"(?:ip|host)\\s+\\S*\\s*(?:is\\s+)?(?:listed|blocked|rejected|refused)|"
		"service\\s+unavailable;\\s+client|no\\s+access\\s+from\\s+mail\\s+server|"
		"rejected\\s+because\\s+the\\s+sending\\s+mta|"
		"you\\s+are\\s+not\\s+allowed\\s+to\\s+connect|e-?mail\\s+is\\s+redundant|"
		"connections?\\s+(?:from|not\\s+accepted)|refused\\s+to\\s+talk|bad\\s+sender\\s+ip") },
	{ "filtered", PATTERN_BYTES("refuses?\\s+to\\s+receive|user\\s+reject|recipient(?:'s)?\\s+preferences|user\\s+rules|"
		"only\\s+accepting\\s+mail\\s+from\\s+specific|restricted\\s+sms|not\\s+accepting\\s+any\\s+mail|"
		"account\\s+is\\s+protected\\s+by|blocked\\s+by\\s+the\\s+recipient|extended\\s+inactivity|message\\s+filtered|"
		"\\(state\\s+1[578]\\)|bounced\\s+address|cannot\\s+route\\s+mail\\s+to\\s+user|privacy\\s+settings\\s+blocked") },
	{ "userunknown", PATTERN_BYTES(
		"mailbox\\s+(?:not\\s+present|unavaiable)|recipient\\s+(?:is\\s+not\\s+(?:accepted|local)|rejected)|not\\s+email\\s+addresses|badrecipientto|user.s\\s+email\\s+name|>\\s+not\\s+found|single\\s+label\\s+domains|reserved\\s+by\\s+rfc|invalid\\s+x\\.400|recipients?\\s+was\\s+undeliverable|domain\\s+or\\s+user\\s+isn|"
		"not\\s+present\\s+in\\s+directory|can.t\\s+accept\\s+user|addresses\\s+were\\s+unknown|rejected\\s+recipients|not\\s+an\\s+active\\s+address|no\\s+mail\\s*box\\s+(?:available|by)|no\\s+valid\\s+recipients,\\s+bye|not\\s+a\\s+(?:local|valid|known)|nessun\\s+utente|utente\\s+(?:sconosciuto|inesistente)|no\\s+existe\\s+(?:dicha|ese)|"
		"badrcptto|validrcptto|recipient\\s+not\\s+ok|refuses\\s+to\\s+accept\\s+your\\s+mail|missing\\s+home|user\\s+not\\s+active|recipient\\s+has\\s+been\\s+denied|no\\s+longer\\s+accepts\\s+mail|in\\s+name\\s+directory|domino\\s+directory|pertori(?:é|e)?.{0,4}dans|directorio\\s+de\\s+domino|ディレクトリ(?:には見つかりません|のリストにありません)|name\\s+&\\s+address\\s+book|"
		"kein\\s+solcher|empf(?:a|ä)nger\\s+(?:\\S+\\s+){0,3}unbekannt|usu(?:a|á)rio\\s+(?:desconhecido|inexistente)|destinat(?:a|á)rio\\s+(?:desconhecido|desconocido|inexistente)|пользователь\\s+не\\s+(?:найден|существует)|несуществующ|(?:用户|收件人|邮箱)(?:不存在|未找到)|final\\s+delivery\\s+userid|spectator|(?:is|are)\\s+wrong\\s+or\\s+no\\s+longer\\s+valid|unknown\\s+e-?mail\\s+address|"
		"(?:user|recipient|mailbox|account|address|alias|addressee)s?\\s+(?:\\S+\\s+){0,3}?(?:is\\s+|"
		"are\\s+|was\\s+|name\\s+is\\s+)?(?:unknown|not\\s+(?:found|known|exist\\w*|recognized|"
		"listed|a\\s+(?:known|valid))|does(?:\\s+not|n't)\\s+(?:exist|have)|doesn't\\s+have|"
		"couldn't\\s+be\\s+found|could\\s+not\\s+be\\s+found|(?<!temporarily\\s)unavailable|invalid)|"
		"(?:unknown|no\\s+such|invalid|illegal|non-?exist\\w*|bad|"
		"unrecognized)\\s+(?:or\\s+illegal\\s+|local\\s+|destination\\s+)?(?:user|recipient|mailbox|"
		"account|address|alias|person|email|local|virtual)|user\\s*unknown|"
		"no\\s+(?:mailbox\\s+(?:here|found|by)|account\\s+by)|(?:doesn't|does\\s+not|"
		"not)\\s+(?:have\\s+(?:a|an)\\s+\\S+\\s+account|exist)|not\\s+listed\\s+in|recipnotfound|"
		"recipient\\s+not\\s+found|address\\s+(?:not\\s+found\\b|rejected\\b(?!:\\s*\\w))|"
		"that\\s+you\\s+tried\\s+to\\s+reach\\s+(?:does\\s+not|doesn't)|destinataire\\s+invalide|"
		"nosuchuser|inactive\\s+email\\s+address|undeliverable\\s+address|"
		"delivery\\s+to\\s+the\\s+following\\s+recipients?\\s+failed\\s+permanently:\\s+unknown|"
		"5\\.1\\.1\\b(?=.*answer=6596)|unbekannter?\\s+(?:empf|nutzer|user)|"
		"utilisateur\\s+inconnu|usuario\\s+desconocido|no\\s+existe|there\\s+is\\s+no\\s+(?:user|"
		"one|such)|this\\s+user\\s+(?:doesn't|does\\s+not)|5\\.4\\.1\\b.{0,60}access\\s+denied|"
		"unknown\\s+to\\s+address") },
	{ "policyviolation", PATTERN_BYTES(
		"illegal\\s+attachment|members-only|closed\\s+mailing\\s+list|headers?\\s+(?:are\\s+)?not\\s+accepted|mass\\s+mailer|organi[sz]ation(?:al)?\\s+(?:settings|policy)|images\\s+or\\s+other\\s+attachments|given\\s+low\\s+priority|same\\s+message-id|policy\\s+that\\s+prohibited|anti-spoofing|content\\s+examination|attachment\\s+extension|no\\s+data\\s+before\\s+greeting|not\\s+accepting\\s+mail\\s+with|without\\s+solving\\s+a\\s+captcha|security\\s+policies|not\\s+subscribed\\s+to\\s+this\\s+group|"
		"(?:policy|policies)\\s+(?:reasons?|violation|restrict)|denied\\s+by\\s+policy|(?:local|"
		"security|message|administrative)\\s+polic|protocol\\s+violation|"
		"content\\s+presents\\s+a\\s+potential|message\\s+not\\s+allowed|"
		"not\\s+accepted\\s+for\\s+policy|prohibited\\s+(?:by|attachment)|"
		"disallowed|blocked\\s+because\\s+its\\s+content|client\\s+host\\s+rejected:\\s+#|"
		"attachment\\s+(?:type|name)\\s+(?:is\\s+)?not\\s+allowed|"
		"administrative(?:ly)?\\s+prohibit") },
	{ "contenterror", PATTERN_BYTES("too\\s+many\\s+related\\s+errors|"
		"size\\s+exceeds\\s+maximum\\s+permitted|mime\\s+complexity|invalid\\s+mime\\s+headers|improperly-formatted|unnecessary\\s+base64|message\\s+depth\\s+exceeded|invalid\\s+(?:characters|message\\s+content)|recipient\\s+list,\\s+exceeds|"
		"media\\s+error|content[-\\s](?:format|transfer)\\s+(?:is\\s+)?(?:not|"
		"error)|improper\\s+use\\s+of\\s+8-?bit|charset\\s+not\\s+allowed|"
		"unsupported\\s+(?:charset|encoding)") },
	{ "syntaxerror", PATTERN_BYTES("bad\\s+address\\s+syntax|unrecognized\\s+(?:command|authentication)|parameter\\s+not\\s+implemented|unauthenticated\\s+commands|argument\\s+not\\s+permitted|"
		"(?:improper|bad)\\s+sequence\\s+of\\s+commands|"
		"command\\s+(?:not\\s+recognized|unrecognized|not\\s+implemented)|syntax\\s+error|"
		"\\b503\\s+5\\.5\\.1") },
	{ "systemfull", PATTERN_BYTES("aborted:\\s+exceeded\\s+storage\\s+allocation|"
		"insufficient\\s+system\\s+(?:storage|resources)|"
		"(?:mail\\s+)?system\\s+(?:storage\\s+)?full|no\\s+space\\s+left\\s+on\\s+device|"
		"disk\\s+full") },
	{ "systemerror", PATTERN_BYTES(
		"local\\s+configuration\\s+error|temporary\\s+system\\s+problem|unable\\s+to\\s+process|message\\s+ended\\s+early|loop\\s+was\\s+found|is\\s+looping|temporarily\\s+not\\s+available|closing\\s+transmission(?=.*\\b451)|"
		"file\\s+write\\s+error|(?:system|mail)\\s+config|loops?\\s+back\\s+to|create\\s+a\\s+mail\\s+loop|misconfigured|is\\s+no\\s+mdb|timeout\\s+waiting\\s+for\\s+input|temporary\\s+local\\s+problem|could\\s+not\\s+load|violates\\s+rfc\\s+1035|loop\\s+(?:alert|back\\s+warning|broken)|several\\s+matches\\s+found|suspiciousremoteserver|error\\s+while\\s+being\\s+processed|failed\\s+to\\s+be\\s+replicated|internal\\s+error|"
		"(?:service|system)\\s+(?:currently\\s+|temporarily\\s+|is\\s+)*(?:unavailable(?!;)|"
		"not\\s+available|refused?|config)|ldap|transaction\\s+failed|"
		"internal\\s+(?:server\\s+)?error|can't\\s+create|server\\s+(?:error|configuration)|"
		"local\\s+error|duplicated\\s+message-id|unable\\s+to\\s+(?:contact|open)|"
		"interrupted\\s+system|"
		"requested\\s+action\\s+aborted|mail\\s+system\\s+problem|"
		"unable\\s+to\\s+deliver\\s+message\\s+after\\s+multiple") },
	{ "expired", PATTERN_BYTES(
		"attempts\\s+will\\s+continue|delivered\\s+for\\s+\\S+\\s+days|past\\s+(?:the\\s+)?expiration|"
		"giving\\s+up\\s+on|failing\\s+for\\s+a\\s+long|has\\s+not\\s+been\\s+collected|allowed\\s+queue\\s+period|could\\s+not\\s+find\\s+a\\s+gateway|failed\\s+to\\s+deliver\\s+to\\s+domain|host\\s+not\\s+reachable|delivery\\s+(?:time\\s*out|failed\\s+\\d)|connection\\s+expired|last\\s+\\d+\\s+seconds|"
		"(?:message|delivery|queue|mail|envelope)(?:\\.|\\s+(?:time\\s+)?)(?:has\\s+)?(?:expired|"
		"timed?\\s*-?out)|retry\\s+time(?:out)?\\s+(?:not\\s+reached|exceeded)|"
		"connection\\s+(?:timed?\\s*-?out|was\\s+dropped|refused|reset)|(?:operation|"
		"session)\\s+timed\\s+out|could\\s+not\\s+(?:deliver|"
		"be\\s+delivered)\\s+for\\s+(?:the\\s+last|more)|"
		"too\\s+long\\s+in\\s+(?:the\\s+)?queue|in\\s+the\\s+queue\\s+(?:too\\s+long|for)|(?:has|"
		"not)\\s+(?:not\\s+)?yet\\s+(?:been\\s+)?delivered|deferred|"
		"not\\s+(?:able\\s+to\\s+)?(?:establish|accept\\s+our\\s+requests?)|"
		"did\\s+not\\s+(?:accept\\s+our|respond)|unable\\s+to\\s+connect|"
		"host\\s+(?:is\\s+)?(?:not\\s+(?:reachable|responding)|unreachable)|"
		"failed\\s+\\d+\\s+attempts|not\\s+delivered\\s+within|no\\s+route\\s+to\\s+host|"
		"(?:has\\s+been|was|is)\\s+delayed|delayed\\s+for\\s+more|cannot\\s+connect|"
		"aborted\\s+after|warning\\s+(?:message\\s+)?only|will\\s+(?:be\\s+retried|"
		"continue\\s+(?:trying|to\\s+try))") },
	{ "networkerror", PATTERN_BYTES(
		"dns\\s+(?:error|lookup|failure)|mail\\s+(?:for\\s+\\S+\\s+)?loops?|too\\s+many\\s+hops|"
		"hop\\s*count|routing\\s+loop|network\\s+(?:error|unreachable|is\\s+unreachable)|"
		"malformed\\s+or\\s+unexpected\\s+name\\s+server\\s+reply|name\\s+service\\s+error|"
		"host\\s+not\\s+found,\\s+try\\s+again|"
		"loop\\s+detected|no\\s+relevant\\s+answers|lookup\\s+(?:error|failure)|maximum\\s+hop") },
	{ "securityerror", PATTERN_BYTES(
		"incorrect\\s+authentication|submitter\\s+failed|don.t\\s+authenticate|cannot\\s+decode\\s+response|"
		"verification\\s+failure|not\\s+subscribed\\s+to\\s+ses|perform\\s+ses:|is\\s+a\\s+dead\\s+domain|authentifi?cation\\s+(?:invalide|requise|failure)|authentication\\s+(?:failure|turned\\s+on)|credentials\\s+invalid|executable\\s+files|could\\s+not\\s+retrieve\\s+credentials|log\\s+in\\s+(?:with|through|via)\\s+your|password\\s+(?:not\\s+accepted|required)|smtp\\s+authentication|client\\s+was\\s+not\\s+authenticated|"
		"access\\s+denied|not\\s+authorized|unauthenticated\\s+senders?|"
		"authentication\\s+(?:failed|required)|authorization\\s+(?:failed|required)|"
		"5\\.7\\.0\\s+must|security\\s+(?:policy|violation)|you\\s+are\\s+not\\s+authori|"
		"permission\\s+denied|5\\.7\\.9\\s+rejected") },
	{ "onhold", PATTERN_BYTES("\\bon\\s+hold\\b|temporary\\s+failure|recipient\\s+error") },
};

const char *reason_of_text(const char *text)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (pattern_in(&rules[i].pattern, text))
			return rules[i].reason;
	return NULL;
}

enum bounce_kind reason_kind(const char *reason, bool permanent)
{
	static const char *const hard[] = { "userunknown", "hostunknown", "hasmoved", "suppressed", NULL };
	static const char *const soft[] = {"mailboxfull", "suspend", "filtered", "expired", "exceedlimit",
		"systemfull", "systemerror", "networkerror", "mailererror", "onhold", "undefined", NULL};

	if (!strcmp(reason, "delivered"))
		return BOUNCE_NONE;
	if (!strcmp(reason, "notaccept"))
		return permanent ? BOUNCE_HARD : BOUNCE_SOFT;
	for (size_t i = 0; hard[i]; i++)
		if (!strcmp(reason, hard[i]))
			return BOUNCE_HARD;
	for (size_t i = 0; soft[i]; i++)
		if (!strcmp(reason, soft[i]))
			return BOUNCE_SOFT;
	return BOUNCE_SENDER;
}
