/*
 * reason_codes.c: what big providers number, they explain on a page of theirs; the number says more than the
 * words around it, which are the same for many numbers. The labels are distinct enough to be looked for
 * wherever a reply came from: mail is forwarded, and hosts are renamed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/patterns.h"
#include "base/reason.h"

/* --- labels that are words ------------------------------------------------------------------------------ */

struct label {
	const char *reason;
	struct pattern pattern;
};

static struct label labels[] = {
	/* Exchange, on premises and online: what part of it refused, and why */
	{ "userunknown", PATTERN_BYTES("RESOLVER\\.ADR\\.(?:Ex)?Recip(?:ient)?NotFound|STOREDRV\\.\\S*RecipientNotFound|\\(000C05A6\\)") },
	{ "mailboxfull", PATTERN_BYTES("STOREDRV\\.\\S*Quota\\w*Exceeded") },
	{ "suspend", PATTERN_BYTES("STOREDRV\\.\\S*(?:Account|Mailbox)Disabled") },
	{ "exceedlimit", PATTERN_BYTES("RESOLVER\\.RST\\.(?:Recip|Sender)SizeLimit") },
	{ "securityerror", PATTERN_BYTES("RESOLVER\\.RST\\.AuthRequired|\\(000B0981\\)") },
	{ "rejected", PATTERN_BYTES("RESOLVER\\.RST\\.(?:NotAuthorized|Restricted)") },
	{ "toomanyconn", PATTERN_BYTES("RESOLVER\\.ADR\\.RecipLimit|\\bAUP#CX(?:CNCT|MXRT)\\b") },
	{ "systemerror", PATTERN_BYTES("RESOLVER\\.ADR\\.(?:BadPrimary|InvalidInSmtp|Ambiguous)|RESOLVER\\.FWD\\.|"
		"\\((?:00010256|000D06B5)\\)") },
	{ "filtered", PATTERN_BYTES("\\(000C0595\\)|\\bRCP-P[23]\\b") },
	{ "hostunknown", PATTERN_BYTES("SMTPSEND\\.DNS\\.NonExistentDomain") },
	{ "networkerror", PATTERN_BYTES("SMTPSEND\\.DNS\\.MxLoopback|\\(00120270\\)|ROUTING\\.(?:NoConnector|LoopDetected)") },
	{ "expired", PATTERN_BYTES("\\bQUEUE\\.Expired\\b") },
	{ "contenterror", PATTERN_BYTES("\\((?:00050311|000502CC)\\)|\\bMSG-P2\\b") },
	/* Outlook.com, Cox, Charter, Comcast, Facebook */
	{ "blocked", PATTERN_BYTES("\\(S31[45]0\\)|\\b(?:SC|DY)-00\\d\\b|AUP#(?:CXBL|CDRBL|IPBL\\d+)|\\bBL0000\\d\\d\\b|"
		"\\bPOL-[PT][1-4]\\b") },
	{ "requireptr", PATTERN_BYTES("AUP#CXDNS\\b|\\bDNS-(?:P3|T2)\\b") },
	{ "authfailure", PATTERN_BYTES("AUP#CXSNDR\\b|\\bPOL-P7\\b") },
	{ "speeding", PATTERN_BYTES("\\bRL0\\d{5}\\b|\\bRP-00[1-3]\\b") },
	{ "spamdetected", PATTERN_BYTES("AUP#URLBL\\d+|\\bPOL-P6\\b") },
	{ "virusdetected", PATTERN_BYTES("\\bPOL-P5\\b") },
	{ "suspend", PATTERN_BYTES("\\bRCP-T4\\b") },
	{ "userunknown", PATTERN_BYTES("\\b(?:RCP-P1|INT-P[134])\\b") },
	{ "mesgtoobig", PATTERN_BYTES("\\b(?:MSG-P1|INT-P2)\\b") },
	{ "notcompliantrfc", PATTERN_BYTES("\\bMSG-P3\\b") },
	{ "toomanyconn", PATTERN_BYTES("\\b(?:CON-T[1-4]|MSG-T1)\\b") },
	{ "systemerror", PATTERN_BYTES("\\bRCP-T1\\b|\\b4\\.7\\.500 server busy") },
	{ "securityerror", PATTERN_BYTES("AUP#CX(?:THRT|MJ)\\b") },
	{ "rejected", PATTERN_BYTES("AUP#CXSMTP\\b|\\bDNS-(?:P[12]|T1)\\b") },
};

/* --- labels that are numbers ---------------------------------------------------------------------------- */

struct range {
	short from, to;
	const char *reason;
};

/* Charter and Road Runner: AUP#1010, AUP#In-1310 */
static const struct range charter[] = {
	{1000, 1000, "blocked"}, {1010, 1080, "rejected"}, {1090, 1090, "systemerror"}, {1100, 1150, "requireptr"},
	{1160, 1190, "policyviolation"}, {1200, 1250, "blocked"}, {1260, 1260, "networkerror"},
	{1300, 1340, "toomanyconn"}, {1350, 1490, "speeding"}, {1500, 1520, "rejected"}, {1530, 1530, "mesgtoobig"},
	{1540, 1550, "speeding"}, {1560, 1560, "policyviolation"}, {1580, 1580, "speeding"}, {0, 0, NULL},
};

/* La Poste, Orange, SFR: LPN000_630, OFR004_103 */
static const struct range france[] = {
	{101, 103, "blocked"}, {104, 104, "toomanyconn"}, {305, 305, "securityerror"}, {401, 401, "authfailure"},
	{402, 402, "securityerror"}, {403, 415, "rejected"}, {416, 416, "userunknown"}, {417, 417, "mailboxfull"},
	{418, 418, "userunknown"}, {420, 420, "suspend"}, {421, 421, "rejected"}, {426, 426, "suspend"},
	{505, 505, "systemerror"}, {506, 506, "spamdetected"}, {510, 510, "blocked"}, {514, 514, "mesgtoobig"},
	{517, 517, "authfailure"}, {630, 630, "policyviolation"}, {999, 999, "blocked"}, {0, 0, NULL},
};

/* GoDaddy: IB103 */
static const struct range godaddy[] = {
	{7, 7, "toomanyconn"}, {101, 101, "speeding"}, {103, 103, "badreputation"}, {104, 106, "blocked"},
	{108, 108, "requireptr"}, {110, 113, "blocked"}, {212, 212, "spamdetected"}, {401, 401, "securityerror"},
	{501, 502, "notcompliantrfc"}, {504, 504, "speeding"}, {506, 506, "rejected"}, {508, 508, "authfailure"},
	{510, 510, "speeding"}, {605, 605, "toomanyconn"}, {607, 607, "speeding"}, {705, 705, "virusdetected"},
	{0, 0, NULL},
};

/* Exchange Online's third part of 5.7.x, where the words are "Access denied" for each */
static const struct range microsoft[] = {
	{501, 503, "rejected"}, {504, 505, "suspend"}, {506, 507, "blocked"}, {508, 508, "speeding"},
	{509, 509, "authfailure"}, {510, 511, "blocked"}, {512, 512, "rejected"}, {513, 513, "blocked"},
	{515, 515, "authfailure"}, {606, 649, "blocked"}, {700, 749, "speeding"}, {750, 750, "rejected"},
	{900, 999, "policyviolation"}, {0, 0, NULL},
};

/* Outlook.com, for the time being: 4.7.x */
static const struct range outlook[] = {
	{321, 325, "failedstarttls"}, {500, 649, "blocked"}, {650, 651, "badreputation"}, {652, 652, "toomanyconn"},
	{653, 699, "blocked"}, {850, 899, "blocked"}, {0, 0, NULL},
};

struct numbered {
	struct pattern pattern;		/* its first group is the number */
	const struct range *ranges;
};

static struct numbered numbered[] = {
	{ PATTERN_BYTES("\\bAUP#(?:[a-z]{1,4}-)?(\\d{4})\\b"), charter },
	{ PATTERN_BYTES("\\b(?:LPN|OFR|OUK)[a-z]{0,3}\\d{0,3}[_-](\\d{3})\\b"), france },
	{ PATTERN_BYTES("\\bIB(\\d{3})\\b"), godaddy },
	{ PATTERN_BYTES("\\b5\\.7\\.(\\d{3})\\b"), microsoft },
	{ PATTERN_BYTES("\\b4\\.7\\.(\\d{3})\\b"), outlook },
};

static const char *by_number(struct slice digits, const struct range *r)
{
	char text[8] = "";
	int n;

	if (digits.len >= sizeof(text))
		return NULL;
	memcpy(text, digits.data, digits.len);
	n = (int)strtol(text, NULL, 10);
	for (; r->reason; r++)
		if (n >= r->from && n <= r->to)
			return r->reason;
	return NULL;
}

const char *reason_of_label(const char *text)
{
	/* most replies carry none: one look instead of thirty */
	static struct pattern any = PATTERN_BYTES("RESOLVER\\.|STOREDRV\\.|SMTPSEND\\.|QUEUE\\.E|ROUTING\\.|\\(0[0-9A-F]{7}\\)|"
		"\\(S31[45]0\\)|AUP#|(?:LPN|OFR|OUK)[a-z]{0,3}\\d{0,3}[_-]\\d{3}|\\bIB\\d{3}\\b|\\b[45]\\.7\\.\\d{3}\\b|"
		"\\b(?:SC|DY|RP)-00\\d|\\bBL0000|\\bRL0\\d{5}|\\b(?:POL|RCP|INT|MSG|CON|DNS)-[PT]\\d\\b");
	struct pattern_hit hit;

	if (!pattern_in(&any, text))
		return NULL;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (pattern_in(&labels[i].pattern, text))
			return labels[i].reason;
	for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++) {
		const char *reason = pattern_find(&numbered[i].pattern, text, strlen(text), 0, &hit)
			? by_number(hit.group[1], numbered[i].ranges) : NULL;

		if (reason)
			return reason;
	}
	return NULL;
}
