/*
 * log.c: see log.h. Hand-written instead of sd_journal: a priority prefix on standard error is all that journald needs,
 * and the line is as good on a terminal or in a container.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

#define VALUE_MAX 1000
#define LINE_USUAL 300

static const struct {
	const char *name, *prefix;	/* sd-daemon(3) */
} levels[] = {
	[LOG_ERROR] = { "error", "<3>" },
	[LOG_WARN] = { "warn", "<4>" },
	[LOG_INFO] = { "info", "<6>" },
	[LOG_DEBUG] = { "debug", "<7>" },
};

/* What waits on the thread that gathers. Few bytes: a pipe keeps them together, between the lines of other threads. */
static _Thread_local struct {
	void (*soon)(void *arg);	/* NULL: lines do not wait */
	void *arg;
	char text[PIPE_BUF];
	size_t len;
	struct buf line;		/* the one in the making */
} gathered;

static _Atomic int threshold = LOG_INFO;
static _Atomic bool as_json, to_terminal;

void log_setup(enum log_level level, bool json)
{
	atomic_store(&threshold, (int)level);
	atomic_store(&as_json, json);
	atomic_store(&to_terminal, isatty(STDERR_FILENO) == 1);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&threshold, memory_order_relaxed);
}

/* VALUE_MAX bytes at most, never half a character. */
static size_t cut(const char *s)
{
	size_t n = strnlen(s, VALUE_MAX + 1);

	if (n <= VALUE_MAX)
		return n;
	for (n = VALUE_MAX; n > VALUE_MAX - 4 && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

static bool is_plain(const char *s, size_t n)
{
	enum { QUOTED = 1, BEYOND_ASCII = 2 };
	static const uint8_t kinds[256] = {
		[0 ... ' '] = QUOTED, ['"'] = QUOTED, ['='] = QUOTED, ['\\'] = QUOTED, [0x7f] = QUOTED, [0x80 ... 0xff] = BEYOND_ASCII,
	};
	unsigned seen = 0;
	size_t i;

	for (i = 0; i < n; i++)
		seen |= kinds[(unsigned char)s[i]];
	if (seen & QUOTED)
		return false;
	if (!seen)
		return n > 0;
	/* C1 controls move a terminal's cursor too: only whole UTF-8 text goes out bare, and JSON's way mends the rest */
	return text_utf8_valid(s, n) && !memmem(s, n, "\xc2", 1);
}

static void add_text(struct buf *line, const char *s, bool json)
{
	size_t n = cut(s);

	if (!json && is_plain(s, n))
		buf_add(line, s, n);
	else
		text_json(line, s, n);
}

static void add_key(struct buf *line, const char *key, bool json)
{
	if (json) {
		buf_join(line, line->data[line->len - 1] == '{' ? "\"" : ",\"", key, "\":");
		return;
	}
	buf_char(line, ' ');
	buf_str(line, key);
	buf_char(line, '=');
}

static void add_field(struct buf *line, const struct log_field *field, bool json)
{
	char id[ID_TEXT];

	add_key(line, field->key, json);
	if (field->text)
		add_text(line, field->text, json);
	else if (field->id_prefix && field->number >= 0)
		add_text(line, id_text(field->id_prefix, field->number, id), json);
	else
		text_decimal(line, field->number);
}

/* RFC 3339 with milliseconds. Of thousands of lines the second is the same. */
static void add_time(struct buf *line, int64_t now)
{
	static _Thread_local char text[32];
	static _Thread_local size_t len;
	static _Thread_local int64_t second = INT64_MIN;
	int ms = now > 0 ? (int)(now % US_SECOND / 1000) : 0;
	size_t start = line->len;

	if (second != now / US_SECOND) {
		text_time(line, now);
		buf_cut(line, line->len - 1);
		second = now / US_SECOND;
		len = line->len - start;
		memcpy(text, line->data + start, len);
	} else {
		buf_add(line, text, len);
	}
	buf_add(line, (char[]){ '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z' }, 5);
}

static void start_line(struct buf *line, enum log_level level, bool json)
{
	if (!atomic_load_explicit(&to_terminal, memory_order_relaxed))
		buf_str(line, levels[level].prefix);
	buf_str(line, json ? "{\"ts\":\"" : "ts=");
	add_time(line, clock_now());
	if (json)
		buf_char(line, '"');
	add_key(line, "level", json);
	add_text(line, levels[level].name, json);
}

/* What standard error does not take is lost: a log must not stop the mail. */
static void write_out(const char *text, size_t len)
{
	while (write(STDERR_FILENO, text, len) < 0 && errno == EINTR)
		;
}

void log_flush(void)
{
	int saved = errno;

	if (gathered.len)
		write_out(gathered.text, gathered.len);
	gathered.len = 0;
	errno = saved;
}

void log_gather(void (*soon)(void *arg), void *arg)
{
	log_flush();
	buf_clear(&gathered.line);
	gathered.soon = soon;
	gathered.arg = arg;
}

/* Whether the line waits for those that come with it. */
static bool gather(enum log_level level, const struct buf *line)
{
	if (!gathered.soon)
		return false;
	if (gathered.len + line->len > sizeof(gathered.text) || level <= LOG_WARN)
		log_flush();
	if (line->len > sizeof(gathered.text) || level <= LOG_WARN)
		return false;
	if (!gathered.len)
		gathered.soon(gathered.arg);
	memcpy(gathered.text + gathered.len, line->data, line->len);
	gathered.len += line->len;
	return true;
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	bool json = atomic_load_explicit(&as_json, memory_order_relaxed);
	struct buf own = BUF_INIT, *line = gathered.soon ? &gathered.line : &own;
	int saved = errno;

	if (!log_enabled(level))
		return;
	buf_reset(line);
	buf_reserve(line, LINE_USUAL);
	start_line(line, level, json);
	add_key(line, "event", json);
	add_text(line, event, json);
	for (; fields && fields->key; fields++)
		add_field(line, fields, json);
	buf_str(line, json ? "}\n" : "\n");
	if (!gather(level, line))
		write_out(line->data, line->len);
	buf_clear(&own);
	errno = saved;
}
