/*
 * reason_status.c: what an enhanced status (RFC 3463 and the registry of RFC 5248) says by itself, in sisimai's
 * words. Asked last: systems that have one number for everything use 5.0.0, 5.1.1 and 5.7.1.
 */
#include <string.h>

#include "base/reason.h"

static const struct {
	const char *status, *reason;	/* "x.1.6" holds for 4 and 5 */
} table[] = {
	{"5.1.0", "userunknown"}, {"5.1.1", "userunknown"}, {"5.1.2", "hostunknown"}, {"5.1.3", "userunknown"}, {"5.1.4", "filtered"},
	{"x.1.6", "hasmoved"}, {"x.1.7", "rejected"}, {"x.1.8", "rejected"}, {"x.1.9", "systemerror"}, {"5.1.10", "notaccept"},
	{"4.2.1", "blocked"}, {"5.2.0", "filtered"}, {"5.2.1", "filtered"}, {"x.2.2", "mailboxfull"}, {"x.2.3", "exceedlimit"},
	{"x.2.4", "filtered"},
	{"5.3.0", "systemerror"}, {"x.3.1", "systemfull"}, {"x.3.2", "notaccept"}, {"x.3.3", "systemerror"}, {"x.3.4", "mesgtoobig"},
	{"x.3.5", "systemerror"},
	{"5.4.0", "networkerror"}, {"4.4.1", "expired"}, {"4.4.2", "networkerror"}, {"x.4.3", "systemerror"}, {"4.4.4", "networkerror"},
	{"5.4.4", "hostunknown"}, {"4.4.5", "systemfull"}, {"x.4.6", "networkerror"}, {"x.4.7", "expired"}, {"4.4.8", "networkerror"},
	{"x.4.14", "networkerror"},
	{"4.5.3", "systemerror"}, {"5.5.2", "syntaxerror"}, {"5.5.3", "toomanyconn"}, {"5.5.4", "systemerror"}, {"x.5.5", "systemerror"},
	{"5.5.6", "syntaxerror"},
	{"x.6.", "contenterror"},
	{"4.7.1", "blocked"}, {"4.7.2", "blocked"}, {"x.7.13", "suspend"}, {"x.7.16", "mesgtoobig"}, {"x.7.17", "hasmoved"},
	{"x.7.18", "hasmoved"}, {"x.7.20", "authfailure"}, {"x.7.21", "authfailure"}, {"x.7.22", "authfailure"}, {"x.7.23", "authfailure"},
	{"x.7.24", "authfailure"}, {"x.7.25", "requireptr"}, {"x.7.26", "authfailure"}, {"x.7.27", "notaccept"}, {"x.7.28", "spamdetected"},
	{"x.7.29", "authfailure"}, {"x.7.30", "failedstarttls"}, {"x.7.32", "authfailure"}, {"x.7.", "securityerror"},
};

static bool same(const char *row, const char *status)
{
	size_t n = strlen(row);

	if (row[0] != 'x' && row[0] != status[0])
		return false;
	return row[n - 1] == '.' ? !strncmp(row + 1, status + 1, n - 1) : !strcmp(row + 1, status + 1);
}

const char *reason_of_status(const char *status, int code)
{
	if (!strncmp(status, "2.", 2))
		return "delivered";
	for (size_t i = 0; *status && i < sizeof(table) / sizeof(table[0]); i++)
		if (same(table[i].status, status))
			return table[i].reason;
	switch (code) {
	case 421:
		return "expired";
	case 452:
	case 552:
		return "mailboxfull";
	case 551:
		return "hasmoved";
	case 521:
	case 556:
		return "notaccept";		/* RFC 7504 */
	case 523:
	case 524:
	case 538:
		return "failedstarttls";
	case 525:
		return "suspend";
	default:
		return "undefined";
	}
}
