/*
 * guard.c: see guard.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

#include "guard.h"

struct range {
	uint8_t prefix[16];
	uint8_t bits;
};

static const struct range refused4[] = {
	{ { 0 }, 8 },			/* this network */
	{ { 10 }, 8 },			/* private */
	{ { 100, 64 }, 10 },		/* carrier-grade NAT */
	{ { 127 }, 8 },			/* loopback */
	{ { 169, 254 }, 16 },		/* link-local: metadata services too */
	{ { 172, 16 }, 12 },		/* private */
	{ { 192, 0, 0 }, 24 },		/* protocol assignments */
	{ { 192, 0, 2 }, 24 },		/* documentation */
	{ { 192, 88, 99 }, 24 },	/* 6to4 relays */
	{ { 192, 168 }, 16 },		/* private */
	{ { 198, 18 }, 15 },		/* benchmarks */
	{ { 198, 51, 100 }, 24 },	/* documentation */
	{ { 203, 0, 113 }, 24 },	/* documentation */
	{ { 224 }, 3 },			/* multicast, reserved, broadcast */
};

static const struct range refused6[] = {
	{ { 0 }, 127 },					/* unspecified, loopback */
	{ { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48 },	/* NAT64 of a site */
	{ { 0x01 }, 8 },				/* discard-only and reserved */
	{ { 0x20, 0x01, 0x00, 0x00 }, 23 },		/* Teredo and protocol assignments */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },		/* documentation */
	{ { 0x3f, 0xff }, 20 },				/* documentation */
	{ { 0xfc }, 7 },				/* unique-local */
	{ { 0xfe, 0x80 }, 9 },				/* link-local, site-local */
	{ { 0xff }, 8 },				/* multicast */
};

/* IPv6 prefixes behind which an IPv4 address lies at `offset`. */
static const struct {
	struct range range;
	int offset;
} carriers[] = {
	{ { { 0 }, 96 }, 12 },						/* compatible: deprecated */
	{ { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 }, 12 },	/* mapped */
	{ { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },			/* NAT64 */
	{ { { 0x20, 0x02 }, 16 }, 2 },					/* 6to4 */
};

static bool within(const uint8_t *address, const struct range *range)
{
	int whole = range->bits / 8, rest = range->bits % 8;

	if (memcmp(address, range->prefix, (size_t)whole) != 0)
		return false;
	return !rest || ((address[whole] ^ range->prefix[whole]) >> (8 - rest)) == 0;
}

static bool within_any(const uint8_t *address, const struct range *ranges, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (within(address, &ranges[i]))
			return true;
	return false;
}

/* A CIDR of that family; false if it is none. */
static bool parse_cidr(const char *s, int family, struct range *out)
{
	int64_t most = family == AF_INET ? 32 : 128, bits = most;
	const char *slash = strchr(s, '/');
	char address[INET6_ADDRSTRLEN];
	size_t n = slash ? (size_t)(slash - s) : strlen(s);

	if (n >= sizeof(address) || (slash && (text_int(slash + 1, &bits) < 0 || bits < 0 || bits > most)))
		return false;
	memcpy(address, s, n);
	address[n] = '\0';
	*out = (struct range){ .bits = (uint8_t)bits };
	return inet_pton(family, address, out->prefix) == 1;
}

static bool is_named(const uint8_t *address, int family, const char *const *cidrs)
{
	struct range range;

	for (; cidrs && *cidrs; cidrs++)
		if (parse_cidr(*cidrs, family, &range) && within(address, &range))
			return true;
	return false;
}

static bool allows4(const uint8_t *address, const char *const *allow_private)
{
	return !within_any(address, refused4, sizeof(refused4) / sizeof(refused4[0]))
		|| is_named(address, AF_INET, allow_private);
}

static bool allows6(const uint8_t *address, const char *const *allow_private)
{
	size_t i;

	if (is_named(address, AF_INET6, allow_private))
		return true;
	if (within_any(address, refused6, sizeof(refused6) / sizeof(refused6[0])))
		return false;
	for (i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (within(address, &carriers[i].range))
			return allows4(address + carriers[i].offset, allow_private);
	return true;
}

bool guard_allows(const struct sockaddr *address, const char *const *allow_private)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		return allows4((const uint8_t *)&in.sin_addr, allow_private);
	}
	if (address->sa_family == AF_INET6) {
		memcpy(&in6, address, sizeof(in6));
		return allows6(in6.sin6_addr.s6_addr, allow_private);
	}
	return false;
}
