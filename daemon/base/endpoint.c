/* endpoint.c: see endpoint.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/endpoint.h"

static int give_up(int fd)
{
	if (fd >= 0)
		close(fd);
	return -1;
}

int endpoint_tcp(const char *address, int port, struct err *err)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
	int fd, one = 1;

	if (!is_six && inet_pton(AF_INET, address, &four.sin_addr) != 1)
		return err_set(err, "not an IP address: %s", address);
	fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if ((is_six ? bind(fd, (struct sockaddr *)&six, sizeof(six)) : bind(fd, (struct sockaddr *)&four, sizeof(four))) == 0)
			return fd;
	}
	err_set(err, "cannot listen on %s port %d: %s", address, port, strerror(errno));
	return give_up(fd);
}

/* Does somebody listen there? What a killed daemon left behind refuses. EAGAIN: their queue is full. */
static bool is_taken(const struct sockaddr_un *where)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool taken = fd >= 0 && (connect(fd, (const struct sockaddr *)where, sizeof(*where)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return taken;
}

int endpoint_unix(const char *path, unsigned mode, struct err *err)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(where.sun_path))
		return err_set(err, "path of a socket longer than %zu bytes: %s", sizeof(where.sun_path) - 1, path);
	memcpy(where.sun_path, path, strlen(path) + 1);
	if (is_taken(&where))
		return err_set(err, "another daemon listens on %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		(void)unlink(path);
		/* nobody connects before listen(2), which comes behind the chmod */
		if (bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0 && chmod(path, mode) == 0)
			return fd;
	}
	err_set(err, "cannot listen on %s: %s", path, strerror(errno));
	return give_up(fd);
}
