/*
 * smtp_sink.c: a development SMTP server that takes every mail and sends none on. One thread, epoll.
 *
 *	smtp_sink [-p PORT] [-m MAILDIR] [-l LOG] [-d MS] [-H MS] [-K FILE] [-r PATTERN] [-e MAILS] [-n]
 *
 * -p 0 takes any free port. The first line on standard output is "listening PORT". -m keeps each mail in a Maildir, with Return-Path and
 * Delivered-To on top. -l appends "from to message-id" to a file for each mail that was accepted, before the 250 is written. -d answers each
 * read MS later, -H holds the reply to the end of data back by MS (both constant). -K: when FILE is there as a mail comes, the process whose
 * number it holds is killed as soon as the mail is written down, its 250 unsaid, and FILE is removed. -r refuses recipients that contain PATTERN with 550 5.1.1. -n does
 * not offer PIPELINING. -e ends it after so many mails. It ends, also on SIGTERM, with one line: how many mails and bytes, the
 * seconds from the first connection to the last mail, the CPU time it took, those two moments by CLOCK_MONOTONIC, and by how many
 * milliseconds the answers to reads were delayed in truth, in the mean.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define CLIENTS 4096
#define READ_SIZE (64 * 1024)
#define MESSAGE_MAX (32 * 1024 * 1024)

struct client {
	int fd;
	unsigned generation;		/* so that a late answer does not reach the next client on this fd */
	struct buf in, out, data;
	char from[300], to[300];
	bool in_data, has_rcpt, quit;
	struct late *held;		/* the last answer that is held back: what follows goes out with it */
	size_t scanned;			/* of `in`: no end of data before this */
};

/* Answers that wait for their time; the delay is constant, so they leave in order. */
struct late {
	int64_t at;
	int fd;
	unsigned generation;
	struct buf out;
	struct late *next;
};

static struct {
	int epoll, listener, log;
	const char *maildir, *refuse, *kill_file;
	int64_t delay, hold;
	bool pipelining;
	struct client *clients[CLIENTS];
	unsigned generation;
	struct late *first[2], *last[2];	/* delayed reads; held dots */
	uint64_t mails, bytes, end_after;
	int64_t began, last_mail;
	int64_t delayed_us, delayed;		/* all of -d together, and how many */
} sink = { .log = -1, .pipelining = true };

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = 1;
}

static void drop(struct client *c)
{
	epoll_ctl(sink.epoll, EPOLL_CTL_DEL, c->fd, NULL);
	close(c->fd);
	sink.clients[c->fd] = NULL;
	buf_clear(&c->in);
	buf_clear(&c->out);
	buf_clear(&c->data);
	free(c);
}

/* --- what is kept of a mail --------------------------------------------------------------------------------------- */

static void header(const struct buf *data, const char *name, char *out, size_t size)
{
	const char *at = strcasestr(data->data, name), *end;
	size_t len;

	*out = '\0';
	if (!at)
		return;
	at += strlen(name);
	at += strspn(at, " \t\r\n");
	end = at + strcspn(at, "\r\n");
	len = (size_t)(end - at) < size ? (size_t)(end - at) : size - 1;
	memcpy(out, at, len);
	out[len] = '\0';
}

static void keep_in_maildir(const struct client *c)
{
	static unsigned long number;
	char tmp[4096], new[4096], *unstuffed;
	FILE *file;

	snprintf(tmp, sizeof(tmp), "%s/tmp/%lld.%d_%lu.sink", sink.maildir, (long long)clock_now(), (int)getpid(), ++number);
	snprintf(new, sizeof(new), "%s/new/%s", sink.maildir, strrchr(tmp, '/') + 1);
	file = fopen(tmp, "w");
	if (!file) {
		perror(tmp);
		exit(1);
	}
	fprintf(file, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", c->from, c->to);
	/* RFC 5321 4.5.2: the leading dot of a line is the transport's */
	unstuffed = c->data.data;
	while (*unstuffed) {
		char *end = strchr(unstuffed, '\n');

		if (*unstuffed == '.')
			unstuffed++;
		fwrite(unstuffed, 1, (size_t)(end - unstuffed) + 1, file);
		unstuffed = end + 1;
	}
	if (fclose(file) || rename(tmp, new))
		perror(new);
}

static void kill_sender(void)
{
	FILE *file = fopen(sink.kill_file, "r");
	char text[24] = "";
	pid_t pid;

	if (!file)
		return;
	pid = fgets(text, sizeof(text), file) ? (pid_t)strtol(text, NULL, 10) : 0;
	fclose(file);
	if (pid > 1)
		kill(pid, SIGKILL);
	if (unlink(sink.kill_file))
		perror(sink.kill_file);
}

static void accepted(struct client *c)
{
	char id[300], line[1024];
	int n;

	sink.mails++;
	sink.bytes += c->data.len;
	sink.last_mail = clock_steady();
	if (sink.log >= 0) {
		header(&c->data, "\nMessage-ID:", id, sizeof(id));
		n = snprintf(line, sizeof(line), "%s %s %s\n", c->from, c->to, id);
		if (write(sink.log, line, (size_t)n) != n)
			perror("log");
	}
	if (sink.maildir)
		keep_in_maildir(c);
	if (sink.kill_file)
		kill_sender();
}

/* --- the dialogue ------------------------------------------------------------------------------------------------- */

static void say(struct client *c, const char *text)
{
	buf_str(&c->out, text);
	buf_str(&c->out, "\r\n");
}

static void path_of(const char *line, char *out, size_t size)
{
	const char *open = strchr(line, '<'), *close = open ? strchr(open, '>') : NULL;
	size_t len = close ? (size_t)(close - open) - 1 : 0;

	if (len >= size)
		len = size - 1;
	memcpy(out, open ? open + 1 : "", len);
	out[len] = '\0';
}

static void command(struct client *c, char *line)
{
	if (strncasecmp(line, "EHLO", 4) == 0) {
		say(c, "250-sink.localhost");
		if (sink.pipelining)
			say(c, "250-PIPELINING");
		say(c, "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 33554432");
	} else if (strncasecmp(line, "HELO", 4) == 0) {
		say(c, "250 sink.localhost");
	} else if (strncasecmp(line, "MAIL FROM:", 10) == 0) {
		path_of(line, c->from, sizeof(c->from));
		c->has_rcpt = false;
		say(c, "250 2.1.0 Ok");
	} else if (strncasecmp(line, "RCPT TO:", 8) == 0) {
		path_of(line, c->to, sizeof(c->to));
		if (sink.refuse && strstr(c->to, sink.refuse)) {
			say(c, "550 5.1.1 No such user here");
		} else {
			c->has_rcpt = true;
			say(c, "250 2.1.5 Ok");
		}
	} else if (strncasecmp(line, "DATA", 4) == 0) {
		c->in_data = c->has_rcpt;
		c->scanned = 0;
		say(c, c->has_rcpt ? "354 End data with <CR><LF>.<CR><LF>" : "503 5.5.1 No recipient");
	} else if (strncasecmp(line, "RSET", 4) == 0) {
		c->has_rcpt = false;
		say(c, "250 2.0.0 Ok");
	} else if (strncasecmp(line, "NOOP", 4) == 0) {
		say(c, "250 2.0.0 Ok");
	} else if (strncasecmp(line, "QUIT", 4) == 0) {
		c->quit = true;
		say(c, "221 2.0.0 Bye");
	} else {
		say(c, "500 5.5.2 Not known here");
	}
}

static void answer(struct client *c);
static void put_late(int queue, struct client *c, int64_t delay);

/* Takes what lies in `in`; false when it waits for more bytes, or for a held dot. */
static bool consume(struct client *c)
{
	char *end;
	size_t len, from;

	if (c->in_data) {
		from = c->scanned > 4 ? c->scanned - 4 : 0;
		end = from == 0 && c->in.len >= 3 && memcmp(c->in.data, ".\r\n", 3) == 0 ? c->in.data - 2 :
			memmem(c->in.data + from, c->in.len - from, "\r\n.\r\n", 5);
		if (!end) {
			c->scanned = c->in.len;
			if (c->in.len > MESSAGE_MAX)
				c->quit = true;
			return false;
		}
		len = (size_t)(end + 2 - c->in.data);
		buf_reset(&c->data);
		buf_add(&c->data, c->in.data, len);
		c->in_data = false;
		accepted(c);
		len += 3;
		say(c, "250 2.0.0 Ok: queued as SINK");
	} else {
		end = memchr(c->in.data, '\n', c->in.len);
		if (!end)
			return false;
		len = (size_t)(end + 1 - c->in.data);
		*end = '\0';
		command(c, c->in.data);
	}
	memmove(c->in.data, c->in.data + len, c->in.len - len);
	buf_cut(&c->in, c->in.len - len);
	return c->in.len > 0;
}

static void answer(struct client *c)
{
	ssize_t n;

	while (c->out.len) {
		n = write(c->fd, c->out.data, c->out.len);
		if (n < 0) {
			if (errno == EAGAIN)	/* answers are short and the peer reads: it comes */
				continue;
			drop(c);
			return;
		}
		memmove(c->out.data, c->out.data + n, c->out.len - (size_t)n);
		buf_cut(&c->out, c->out.len - (size_t)n);
	}
	if (c->quit)
		drop(c);
}

static void put_late(int queue, struct client *c, int64_t delay)
{
	struct late *l = xcalloc(1, sizeof(*l));

	*l = (struct late){ .at = clock_steady() + delay, .fd = c->fd, .generation = c->generation, .out = c->out };
	c->out = (struct buf)BUF_INIT;
	if (queue == 1)
		c->held = l;
	if (sink.last[queue])
		sink.last[queue]->next = l;
	else
		sink.first[queue] = l;
	sink.last[queue] = l;
}

static void join_held(struct client *c)
{
	buf_add(&c->held->out, c->out.data, c->out.len);
	buf_reset(&c->out);
}

static void readable(struct client *c)
{
	uint64_t mails = sink.mails;
	ssize_t n;

	buf_reserve(&c->in, READ_SIZE);
	n = read(c->fd, c->in.data + c->in.len, READ_SIZE);
	if (n <= 0) {
		if (n < 0 && errno == EAGAIN)
			return;
		drop(c);
		return;
	}
	c->in.len += (size_t)n;
	c->in.data[c->in.len] = '\0';
	while (consume(c))
		;
	if (!c->out.len)
		return;
	if (sink.hold && sink.mails > mails)
		put_late(1, c, sink.hold);
	else if (c->held)
		join_held(c);
	else if (sink.delay)
		put_late(0, c, sink.delay);
	else
		answer(c);
}

static int64_t send_late(int queue)
{
	struct late *l;

	while ((l = sink.first[queue]) && l->at <= clock_steady()) {
		struct client *c = sink.clients[l->fd];

		if (c && c->generation == l->generation) {
			if (c->held == l)
				c->held = NULL;
			buf_add(&c->out, l->out.data, l->out.len);
			answer(c);
		}
		if (queue == 0) {
			sink.delayed_us += clock_steady() - l->at + sink.delay;
			sink.delayed++;
		}
		sink.first[queue] = l->next;
		if (!l->next)
			sink.last[queue] = NULL;
		buf_clear(&l->out);
		free(l);
	}
	return l ? l->at - clock_steady() : INT64_MAX;
}

static void accept_client(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = accept4(sink.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
	struct client *c;

	if (fd < 0)
		return;
	if (fd >= CLIENTS) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	c->generation = ++sink.generation;
	sink.clients[fd] = c;
	if (!sink.began)
		sink.began = clock_steady();
	event.data.fd = fd;
	epoll_ctl(sink.epoll, EPOLL_CTL_ADD, fd, &event);
	say(c, "220 sink.localhost ESMTP");
	answer(c);
}

/* With -e: the mails are there, and whoever sent them has gone, or had two seconds for it. */
static bool finished(void)
{
	int i;

	if (!sink.end_after || sink.mails < sink.end_after)
		return false;
	for (i = 0; i < CLIENTS && clock_steady() < sink.last_mail + 2 * US_SECOND; i++)
		if (sink.clients[i])
			return false;
	return true;
}

static void serve(void)
{
	struct epoll_event events[64];

	while (!stopped && !finished()) {
		int64_t wait = send_late(0), held = send_late(1);
		struct timespec time;
		int n, i;

		if (held < wait)
			wait = held;
		if (sink.end_after && sink.mails >= sink.end_after)
			wait = 20 * 1000;
		if (wait < 0)
			wait = 0;
		time = (struct timespec){ .tv_sec = wait / US_SECOND, .tv_nsec = wait % US_SECOND * 1000 };
		/* not by whole milliseconds: answers that are due one after the other would leave in one burst */
		n = epoll_pwait2(sink.epoll, events, 64, wait == INT64_MAX ? NULL : &time, NULL);
		for (i = 0; i < n; i++) {
			if (events[i].data.fd == sink.listener)
				accept_client();
			else if (sink.clients[events[i].data.fd])
				readable(sink.clients[events[i].data.fd]);
		}
	}
}

static void start(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN };
	socklen_t size = sizeof(address);
	int one = 1;

	sink.epoll = epoll_create1(EPOLL_CLOEXEC);
	sink.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(sink.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(sink.listener, (struct sockaddr *)&address, size) || listen(sink.listener, 512) ||
			getsockname(sink.listener, (struct sockaddr *)&address, &size)) {
		perror("listen");
		exit(1);
	}
	event.data.fd = sink.listener;
	epoll_ctl(sink.epoll, EPOLL_CTL_ADD, sink.listener, &event);
	printf("listening %d\n", ntohs(address.sin_port));
	fflush(stdout);
}

static void make_maildir(void)
{
	static const char *const parts[] = { "", "/tmp", "/new", "/cur" };
	char path[4096];
	size_t i;

	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", sink.maildir, parts[i]);
		if (mkdir(path, 0700) && errno != EEXIST) {
			perror(path);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	struct rusage used;
	int option, port = 0;

	while ((option = getopt(argc, argv, "p:m:l:d:H:K:r:e:n")) != -1) {
		switch (option) {
		case 'p': port = (int)strtol(optarg, NULL, 10); break;
		case 'm': sink.maildir = optarg; break;
		case 'l': sink.log = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644); break;
		case 'd': sink.delay = strtol(optarg, NULL, 10) * 1000; break;
		case 'H': sink.hold = strtol(optarg, NULL, 10) * 1000; break;
		case 'K': sink.kill_file = optarg; break;
		case 'r': sink.refuse = optarg; break;
		case 'e': sink.end_after = strtoul(optarg, NULL, 10); break;
		case 'n': sink.pipelining = false; break;
		default: return 64;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	if (sink.maildir)
		make_maildir();
	start(port);
	serve();
	getrusage(RUSAGE_SELF, &used);
	printf("mails %llu bytes %llu seconds %.3f cpu %.3f from %.6f to %.6f delay %.3f\n", (unsigned long long)sink.mails, (unsigned long long)sink.bytes,
			(double)(sink.last_mail - sink.began) / 1e6, (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
			(double)sink.began / 1e6, (double)sink.last_mail / 1e6, sink.delayed ? (double)sink.delayed_us / (double)sink.delayed / 1e3 : 0);
	return 0;
}
