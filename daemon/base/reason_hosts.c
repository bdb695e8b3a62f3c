/*
 * reason_hosts.c: words that only one program writes, and words that mean something of their own at one provider, as
 * they explain it on their pages for senders: "mailbox unavailable" is an unknown user at Outlook.com, and anything
 * elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "base/patterns.h"
#include "base/reason.h"

struct row {
	const char *reason;
	struct pattern pattern;
};

static const char *first_row(struct row *rows, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (pattern_in(&rows[i].pattern, text))
			return rows[i].reason;
	return NULL;
}

/* --- programs --------------------------------------------------------------------------------------------- */

/* Gmail numbers the point of its dialogue; a status that says more is believed before it. */
#define UNSPECIFIC "^(?!(?:\\d{3} )?[45]\\.\\d+\\.[1-9]).*"

static struct row forms[] = {
	/* qmail and its patches */
	{ "mailboxfull", PATTERN_BYTES("disk quota exceeded|quota exceeded while writing") },
	{ "systemfull", PATTERN_BYTES("mailbox unavailable \\(not enough free space\\)|no space left to finish writing") },
	{ "userunknown", PATTERN_BYTES("no mailbox here by that name|(?:bad|valid)rcptto list|\\bdoes(?:n't| not) have an? \\S+ account|badrecipientto|"
		"cannot find system user|invalid or unknown (?:base user|virtual user)|does not refer to a virtual user|mailbox doesn't exist:|mail\\.local: \\S* ?(?:unknown|user)|"
		"(?:not listed in (?:the )?|in )(?:domino directory|public name & address|name directory)|directorio de domino|pertori\\S*.{0,6}dans l'annuaire|ディレクトリ(?:には見つかりません|のリストにありません)|invalid final delivery userid|unknown user: \\S+@|not taken: no such user here|address couldn't be found|mailbox unavailable \\(-?\\d") },
	{ "hostunknown", PATTERN_BYTES("couldn't find any host (?:named|by that)|all host address lookups failed permanently|all relevant mx records point to non-existent|unroute?able address|unknown domain name|domain mentioned in e?-?mail address|\\bno such domain\\.|account or domain may not exist|"
		"illegal host/domain name|remote domain doesn.?t exist|dns lookup failure: host|dns error: (?:domain name not found|dns server returned answer with no data)") },
	{ "notaccept", PATTERN_BYTES("indicated no smtp service|no host found for existing smtp|couldn't find a mail exchanger|no mx found for|reject all mails") },
	{ "suspend", PATTERN_BYTES("administrativ\\w* disabled|user\\(s\\) account is (?:disabled|temporarily limited)|account is locked email bounced") },
	{ "filtered", PATTERN_BYTES("cannot route mail to user|user does not exist, but will deliver to|\\b5\\d\\d:? ?: user unknown|" UNSPECIFIC "\\(state 1[578]\\)|\\b452 4\\.1\\.1 .{0,60}service refused") },
	{ "systemerror", PATTERN_BYTES("procmail.*service unavailable|unable to deliver message after multiple|(?:ldap (?:server|attribute|lookup)|homedir creat|qmail-forward)|bad interpreter: no such file|delivery to (?:file|pipe) forbidden|lmtp error after|several matches found|domain's dns violates rfc 1035") },
	{ "syntaxerror", PATTERN_BYTES("angle-brackets nested|expected word or|source-routed address|malformed address:") },
	{ "contenterror", PATTERN_BYTES("too many \"received\" headers") },
	{ "hostunknown", PATTERN_BYTES("^5.*(?:code nxdomain|domain name not found)") },
	{ "notaccept", PATTERN_BYTES("returned null mx") },
	{ "blocked", PATTERN_BYTES("but (?:greeting failed|my name was rejected)") },
	{ "expired", PATTERN_BYTES("deferred: connection (?:refused by|timed out)|retry time(?:out)? (?:exceeded|not reached)|deliver for the last|was not delivered within|envelope expired|host not reachable|(?:has been|was) frozen|could not contact dns servers|accept our requests to connect|in the queue too long") },
	{ "networkerror", PATTERN_BYTES("code nxdomain|best-preference mx|no relevant answers|exceeded maximum hop count|address family mismatch|routes to destination blocked|bad dns lookup|retrieve source address|network error on destination|no valid route to|temporary failure in mx lookup") },
	{ "networkerror", PATTERN_BYTES("establish an smtp connection") },
	{ "securityerror", PATTERN_BYTES("could not retrieve credentials") },
	{ "failedstarttls", PATTERN_BYTES("\\(state [69]\\)") },
	{ "blocked", PATTERN_BYTES(UNSPECIFIC "\\(state 13\\)|smtp error from remote (?:mail server|mailer) after (?:pipelined )?(?:ehlo|helo)\\b") },
	{ "userunknown", PATTERN_BYTES(UNSPECIFIC "\\(state 14\\)") },
	{ "rejected", PATTERN_BYTES("groups\\.google\\.com") },
	{ "systemerror", PATTERN_BYTES("mail\\.local: .*temporary file write error") },
	{ "userunknown", PATTERN_BYTES("maildrop: .*invalid user specified|vdeliver: .*(?:invalid or unknown|does not refer)") },
	{ "mailererror", PATTERN_BYTES("\\bpipe to \\||\\bprocmail: |/procmail |\\bmaildrop: |\\bvdelivermail: |\\bvdeliver: |\\bmail\\.local: ") },
};

const char *reason_of_form(const char *text, enum refused_at stage)
{
	const char *reason = first_row(forms, sizeof(forms) / sizeof(forms[0]), text);

	/* before a recipient was named, nothing is said of one */
	return reason && stage == REFUSED_CONNECT && !strcmp(reason, "userunknown") ? NULL : reason;
}

/* --- providers -------------------------------------------------------------------------------------------- */

static struct row apple[] = {
	{ "userunknown", PATTERN_BYTES("inactive e-?mail address|user does not exist|unknown or illegal alias") },
	{ "blocked", PATTERN_BYTES("spamhaus|dnsbl|not accepting connections") },
	{ "authfailure", PATTERN_BYTES("dmarc|spf and dkim") },
	{ "policyviolation", PATTERN_BYTES("local policy") },
	{ "speeding", PATTERN_BYTES("excessive volume") },
};
static struct row hotmail[] = {
	{ "userunknown", PATTERN_BYTES("mailbox unavailable(?! or)") },
	{ "hostunknown", PATTERN_BYTES("domain is not reachable") },
};
static struct row messagelabs[] = {
	{ "securityerror", PATTERN_BYTES("turn on smtp authentication") },
	{ "userunknown", PATTERN_BYTES("\\b542\\b|no such user|\\brejected$") },
};
static struct row yahoo[] = {
	{ "rejected", PATTERN_BYTES("unexpected volume or user complaints|unresolvable rfc.?5321|permanently deferred") },
	{ "suspend", PATTERN_BYTES("is no longer valid|mailbox is disabled") },
	{ "policyviolation", PATTERN_BYTES("not accepted for policy reasons") },
	{ "syntaxerror", PATTERN_BYTES("syntax error in parameters") },
	{ "authfailure", PATTERN_BYTES("senders to authenticate") },
	{ "norelaying", PATTERN_BYTES("relaying denied") },
	{ "speeding", PATTERN_BYTES("receiving mail too quickly") },
	{ "toomanyconn", PATTERN_BYTES("max message per connection") },
	{ "userunknown", PATTERN_BYTES("user doesn't have a|mailbox not found") },
};
static struct row tencent[] = {
	{ "blocked", PATTERN_BYTES("suspected (?:bounce attacks|spam ip)|connection denied") },
	{ "mesgtoobig", PATTERN_BYTES("message too large") },
	{ "rejected", PATTERN_BYTES("suspected spam|rejected by recipients") },
	{ "spamdetected", PATTERN_BYTES("spam is embedded|mail content denied") },
	{ "speeding", PATTERN_BYTES("access denin?ed") },
	{ "authfailure", PATTERN_BYTES("(?:spf|dmarc) check failed") },
	{ "toomanyconn", PATTERN_BYTES("frequency limited") },
	{ "syntaxerror", PATTERN_BYTES("bad address syntax") },
	{ "suspend", PATTERN_BYTES("deactivated mailbox") },
	{ "userunknown", PATTERN_BYTES("mailbox not found") },
};
static struct row kddi[] = {
	{ "filtered", PATTERN_BYTES("550 : user unknown") },
	{ "userunknown", PATTERN_BYTES(">: user unknown") },
};
static struct row cox[] = {
	{ "blocked", PATTERN_BYTES("too many (?:bad commands|invalid recipients)") },
	{ "requireptr", PATTERN_BYTES("dns check failure|no rdns") },
	{ "policyviolation", PATTERN_BYTES("no data before greeting|attachment extension") },
	{ "rejected", PATTERN_BYTES("sender rejected") },
	{ "systemerror", PATTERN_BYTES("server temporarily not available") },
	{ "toomanyconn", PATTERN_BYTES("too many sessions|aborted: try again later|message threshold") },
	{ "userunknown", PATTERN_BYTES("recipient rejected") },
};
static struct row aol[] = {
	{ "notaccept", PATTERN_BYTES("type=mx: malformed or unexpected") },
	{ "hostunknown", PATTERN_BYTES("host or domain name not found") },
};
static struct row godaddy[] = {
	{ "blocked", PATTERN_BYTES("rbl reject|spamhaus\\.org/query/bl") },
	{ "expired", PATTERN_BYTES("in the queue too long|delivery timeout") },
	{ "mailboxfull", PATTERN_BYTES("account storage limit") },
	{ "spamdetected", PATTERN_BYTES("rejected for spam or virus") },
	{ "suspend", PATTERN_BYTES("account disabled") },
	{ "systemerror", PATTERN_BYTES("message is looping") },
	{ "userunknown", PATTERN_BYTES("recipient not found|account does not exist") },
};
static struct row google[] = {
	{ "authfailure", PATTERN_BYTES("senders to authenticate|spf record of the sending|dmarc policy|pass authentication checks|authentication didn't pass|"
		"dkim does not pass|aligned with either|spf record with a hard fail") },
	{ "failedstarttls", PATTERN_BYTES("senders to use tls|must issue a starttls|tls required|starttls may not") },
	{ "notcompliantrfc", PATTERN_BYTES("not rfc 5322|missing a valid (?:address|message-id)|multiple addresses in from|in a disallowed header|"
		"encoded-word syntax|message is malformed|5\\.1\\.7.*not a valid rfc") },
	{ "userunknown", PATTERN_BYTES("5\\.1\\.3.*not a valid rfc") },
	{ "badreputation", PATTERN_BYTES("low reputation of the sending") },
	{ "requireptr", PATTERN_BYTES("ptr record|match the ip address of the hostname") },
	{ "blocked", PATTERN_BYTES("not in whitelist|later, closing connection|helo/ehlo argument|unusual rate of") },
	{ "exceedlimit", PATTERN_BYTES("552[ -]5\\.2\\.3|limit of limit attachments|header size|header name limit") },
	{ "expired", PATTERN_BYTES("connection expired|timeout - closing") },
	{ "norelaying", PATTERN_BYTES("mail relay denied|credentials for relay|directly to our") },
	{ "policyviolation", PATTERN_BYTES("illegal attachment|potential security issue|policy that prohibited|same message-id") },
	{ "rejected", PATTERN_BYTES("mail sending denied|unauthenticated e-?mail is not accepted") },
	{ "securityerror", PATTERN_BYTES("authentication required|too many login|password (?:required|not accepted)|log in (?:with|through|via)|identity changes|cannot decode") },
	{ "spamdetected", PATTERN_BYTES("nature of the content|likely unsolicited") },
	{ "speeding", PATTERN_BYTES("too quickly|rate that prevents|relay (?:sending )?limit|sending (?:limit|quota) exceeded|rate limited") },
	{ "syntaxerror", PATTERN_BYTES("protocol violation|syntax error|(?:unrecognized|unimplemented|unauthenticated) command|sequence of commands|argument not permitted") },
	{ "systemerror", PATTERN_BYTES("temporary system problem|server busy|temporarily rejected|per transaction") },
	{ "userunknown", PATTERN_BYTES("that you tried to reach does not exist|find the recipient domain") },
};
static struct row googlemail[] = {
	{ "hostunknown", PATTERN_BYTES("\\b5\\d\\d\\b.*nxdomain|domain name not found") },
	{ "networkerror", PATTERN_BYTES("no relevant answers|nxdomain") },
	{ "notaccept", PATTERN_BYTES("null mx") },
	{ "userunknown", PATTERN_BYTES("address couldn't be found") },
};
static struct row mimecast[] = {
	{ "authfailure", PATTERN_BYTES("(?:spf|dkim|dmarc) sender invalid") },
	{ "badreputation", PATTERN_BYTES("internal resources are temporarily|ct ip reputation") },
	{ "blocked", PATTERN_BYTES("421.*sender address blocked|recipient temporarily unavailable|ip temporarily blacklisted") },
	{ "failedstarttls", PATTERN_BYTES("route requires|for this certificate") },
	{ "mesgtoobig", PATTERN_BYTES("maximum e-?mail size") },
	{ "networkerror", PATTERN_BYTES("incorrect hostname|mail loop detected") },
	{ "norelaying", PATTERN_BYTES("open relay") },
	{ "notaccept", PATTERN_BYTES("inbounds disabled") },
	{ "onhold", PATTERN_BYTES("outbounds disabled|hostname is not authorized|past (?:the )?expiration") },
	{ "policyviolation", PATTERN_BYTES("anti-spoofing|content examination|host network") },
	{ "rejected", PATTERN_BYTES("envelope (?:blocked|rejected)|header-based") },
	{ "securityerror", PATTERN_BYTES("authentication data|submitter failed") },
	{ "systemerror", PATTERN_BYTES("unable to process|ended early") },
	{ "toomanyconn", PATTERN_BYTES("account service is temporarily|too many recipients|thread limit") },
	{ "userunknown", PATTERN_BYTES("501.*invalid address|user unknown|invalid recipient") },
	{ "virusdetected", PATTERN_BYTES("due to security policies") },
};
static struct row verizon[] = {
	{ "userunknown", PATTERN_BYTES("no valid recipients|no such user here") },
};
static struct row docomo[] = {
	{ "userunknown", PATTERN_BYTES("^(?:\\d{3} )?5\\.1\\.1 ") },
	{ "filtered", PATTERN_BYTES("^(?:\\d{3} )?5\\.2\\.0 ") },
	{ "mailboxfull", PATTERN_BYTES("552 too much mail data") },
	{ "toomanyconn", PATTERN_BYTES("552 too many recipients") },
	{ "syntaxerror", PATTERN_BYTES("bad sequence of commands|parameter not implemented") },
};
static struct row microsoft[] = {
	{ "userunknown", PATTERN_BYTES("5\\.4\\.1.*recipient address rejected: access denied|5\\.1\\.10.*recipient not found|5\\.5\\.0.*mailbox unavailable|5\\.1\\.[456]\\b.*(?:reserved by rfc|single label)|returned unknown recipient|5\\.1\\.3.*invalid recipient address|invalid x\\.400") },
	{ "suspend", PATTERN_BYTES("5\\.7\\.50[45]\\b|5\\.2\\.1.*mailbox cannot be accessed") },
	{ "authfailure", PATTERN_BYTES("must pass either spf|sender policy framework|5\\.7\\.509\\b|not pass dmarc") },
	{ "speeding", PATTERN_BYTES("thread limit exceeded|daily limit for|submission quota|per hour message|permitted limits|exceeded threshold") },
	{ "systemerror", PATTERN_BYTES("server busy|4\\.3\\.2.*service not a|failed to be replicated|suspiciousremote|temporary server error|agent busy|helo / ehlo requires|ambiguous|expansion problem|misconfigured forwarding|incorrectly configured") },
	{ "networkerror", PATTERN_BYTES("dns query failed|[45]\\.4\\.316 (?!message expired).*connection refused|routing loop detected|hop count exceeded|5\\.4\\.4\\b.*invalid arguments") },
	{ "norelaying", PATTERN_BYTES("unable to relay|relay access denied|5\\.4\\.310.*does not exist") },
	{ "blocked", PATTERN_BYTES("4\\.4\\.2.*connection dropped|reverse dns record|5\\.7\\.5(?:06|07|10|11|13)\\b|banned sending ip|block list") },
	{ "expired", PATTERN_BYTES("4\\.4\\.1.*timed out|4\\.4\\.7.*(?:message (?:delayed|expired)|queue expired)|5\\.4\\.3(?:00|16).*message expired") },
	{ "contenterror", PATTERN_BYTES("too many related errors|invalid characters|message depth exceeded|invalid message content") },
	{ "rejected", PATTERN_BYTES("5\\.1\\.0.*sender denied|bad outbound sender|sender (?:was )?not authenticated|allowed-senders|5\\.7\\.1\\b.*delivery not authorized|unregistered domains|5\\.1\\.7.*(?:invalid|unknown sender) address") },
	{ "securityerror", PATTERN_BYTES("exchange server authentication|client was not authenticated|5\\.7\\.3.*not authorized") },
	{ "spamdetected", PATTERN_BYTES("quarantined this message") },
	{ "notaccept", PATTERN_BYTES("not accepting network messages|no mail-enabled subscriptions|missing or bad storedriver") },
	{ "syntaxerror", PATTERN_BYTES("5\\.3\\.3.*unrecognized command|send hello first") },
	{ "toomanyconn", PATTERN_BYTES("too many recipients|maximum number of connections|exceeded their limit") },
	{ "systemfull", PATTERN_BYTES("insufficient system resources") },
	{ "policyviolation", PATTERN_BYTES("policy violation detected|header is too long") },
};

struct provider {
	struct pattern hosts;
	struct row *rows;
	size_t count;
};

#define PROVIDER(hosts, rows) { PATTERN_BYTES(hosts), rows, sizeof(rows) / sizeof(rows[0]) }
#define HOST(names) "(?:^|[ .@])(?:" names ")(?:$| )"

static struct provider providers[] = {
	PROVIDER(HOST("(?:mail\\.)?icloud\\.com|apple\\.com|me\\.com|mac\\.com"), apple),
	PROVIDER(HOST("(?:(?:prod|protection)\\.)?outlook\\.com|onmicrosoft\\.com|exchangelabs\\.com"), microsoft),
	PROVIDER(HOST("hotmail\\.com|olc\\.protection\\.outlook\\.com"), hotmail),
	PROVIDER(HOST("messagelabs\\.com"), messagelabs),
	PROVIDER(HOST("yahoodns\\.net"), yahoo),
	PROVIDER(HOST("qq\\.com"), tencent),
	PROVIDER(HOST("ezweb\\.ne\\.jp|au\\.com"), kddi),
	PROVIDER(HOST("cox\\.net"), cox),
	PROVIDER(HOST("(?:mail|mx)\\.aol\\.com|aol\\.com"), aol),
	PROVIDER(HOST("secureserver\\.net"), godaddy),
	PROVIDER(HOST("aspmx\\S*\\.l\\.google\\.com|gmail-smtp-in\\.l\\.google\\.com|gmail\\.com|google\\.com"), google),
	PROVIDER(HOST("googlemail\\.com"), googlemail),
	PROVIDER(HOST("mimecast\\.(?:com|co\\.\\w+)"), mimecast),
	PROVIDER(HOST("docomo\\.ne\\.jp"), docomo),
	PROVIDER(HOST("vtext\\.com|vzwpix\\.com"), verizon),
};

/* i.ua numbers them: http://mail.i.ua/err/2/ */
static const char *iua(const char *text)
{
	static const char *const by_number[] = { NULL, "norelaying", "userunknown", "suspend", "mailboxfull", "toomanyconn", "norelaying", "blocked",
		"rejected", "blocked", "filtered" };
	const char *at = strstr(text, ".i.ua/err/");
	long n = at ? strtol(at + strlen(".i.ua/err/"), NULL, 10) : 0;

	return n > 0 && n <= 10 ? by_number[n] : NULL;
}

/* docomo says "unknown user" of mail that a filter of its customer refuses, too: after DATA. */
static const char *docomo_of_stage(const struct refusal *r, const char *text)
{
	if (!strstr(r->hosts, "docomo.ne.jp") || strncmp(r->status, "5.0.0", 5) || !strstr(text, "unknown user"))
		return NULL;
	return r->stage == REFUSED_RCPT ? "userunknown" : r->stage == REFUSED_DATA ? "rejected" : NULL;
}

const char *reason_of_host(const struct refusal *r, const char *text)
{
	const char *reason = iua(text);

	if (!reason)
		reason = docomo_of_stage(r, text);

	for (size_t i = 0; !reason && i < sizeof(providers) / sizeof(providers[0]); i++)
		if (pattern_in(&providers[i].hosts, r->hosts))
			reason = first_row(providers[i].rows, providers[i].count, text);
	return reason;
}
