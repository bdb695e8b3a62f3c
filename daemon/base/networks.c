/*
 * networks.c: see networks.h. Ranges of 128 bit numbers in order, none touching the next; IPv4 is mapped into IPv6.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/networks.h"
#include "base/text.h"

#define FILE_MAX (64 * 1024 * 1024)

struct range {
	uint8_t from[16], to[16];
};

struct networks {
	struct range *ranges;
	size_t count, cap;
};

/* The bits that the address itself has: 32 or 128; -1: it is none. */
static int to_bytes(const char *ip, uint8_t out[16])
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (inet_pton(AF_INET6, ip, out) == 1)
		return 128;
	if (inet_pton(AF_INET, ip, out + 12) != 1)
		return -1;
	memcpy(out, mapped, sizeof(mapped));
	return 32;
}

static int to_range(struct slice s, struct range *out)
{
	const char *slash = memchr(s.data, '/', s.len);
	size_t n = slash ? (size_t)(slash - s.data) : s.len;
	char ip[INET6_ADDRSTRLEN], length[8] = "";
	int64_t bits;
	int own, i;

	if (n >= sizeof(ip) || s.len - n > sizeof(length))
		return -1;
	memcpy(ip, s.data, n);
	ip[n] = '\0';
	own = to_bytes(ip, out->from);
	if (own < 0)
		return -1;
	bits = own;
	if (slash) {
		memcpy(length, slash + 1, s.len - n - 1);
		length[s.len - n - 1] = '\0';
		if (text_int(length, &bits) < 0 || bits < 0 || bits > own)
			return -1;
	}
	bits += 128 - own;
	memcpy(out->to, out->from, 16);
	for (i = (int)bits; i < 128; i++) {
		out->from[i / 8] &= (uint8_t)~(0x80 >> i % 8);
		out->to[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	return 0;
}

static int by_start(const void *a, const void *b)
{
	return memcmp(((const struct range *)a)->from, ((const struct range *)b)->from, 16);
}

static void join(struct networks *n)
{
	size_t i, last = 0;

	if (!n->count)
		return;
	qsort(n->ranges, n->count, sizeof(*n->ranges), by_start);
	for (i = 1; i < n->count; i++) {
		if (memcmp(n->ranges[i].from, n->ranges[last].to, 16) > 0)
			n->ranges[++last] = n->ranges[i];
		else if (memcmp(n->ranges[i].to, n->ranges[last].to, 16) > 0)
			memcpy(n->ranges[last].to, n->ranges[i].to, 16);
	}
	n->count = last + 1;
}

static int add_line(struct networks *n, struct slice line)
{
	size_t len = 0;

	line = slice_trim(line);
	while (len < line.len && !memchr(", \t\r#;", line.data[len], 6))
		len++;
	if (len == 0)
		return 0;
	n->ranges = xgrow(n->ranges, &n->cap, n->count + 1, sizeof(*n->ranges));
	return to_range((struct slice){ line.data, len }, &n->ranges[n->count++]);
}

int networks_parse(const char *text, size_t len, struct networks **out, struct err *err)
{
	struct networks *n = xcalloc(1, sizeof(*n));
	const char *end = text + len, *next;
	int line;

	for (line = 1; text < end; line++, text = next + 1) {
		next = memchr(text, '\n', (size_t)(end - text));
		if (!next)
			next = end;
		if (add_line(n, (struct slice){ text, (size_t)(next - text) }) < 0) {
			networks_free(&n);
			return err_set(err, "line %d is no network; write one a line, like 192.0.2.0/24", line);
		}
	}
	join(n);
	*out = n;
	return 0;
}

int networks_load(const char *file, struct networks **out, struct err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), rc = -1;
	struct stat st;
	struct buf text = BUF_INIT;
	char piece[65536];
	ssize_t got = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_set(err, "%s", strerror(errno));
		goto out;
	}
	while (text.len <= FILE_MAX && (got = read(fd, piece, sizeof(piece))) > 0)
		buf_add(&text, piece, (size_t)got);
	if (got < 0)
		err_set(err, "%s", strerror(errno));
	else if (text.len > FILE_MAX)
		err_set(err, "it is larger than 64 MiB");
	else
		rc = networks_parse(buf_cstr(&text), text.len, out, err);
out:
	if (fd >= 0)
		close(fd);
	buf_clear(&text);
	return rc;
}

void networks_free(struct networks **networks)
{
	if (!*networks)
		return;
	free((*networks)->ranges);
	free(*networks);
	*networks = NULL;
}

bool networks_have(const struct networks *n, const char *ip)
{
	size_t low = 0, high = n ? n->count : 0, mid;
	uint8_t bytes[16];

	if (!high || !ip || to_bytes(ip, bytes) < 0)
		return false;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (memcmp(n->ranges[mid].to, bytes, 16) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n->count && memcmp(n->ranges[low].from, bytes, 16) <= 0;
}
