/*
 * The log: one line an event on standard error.
 *
 * A line is built whole and goes out with one write(2), which keeps lines of several threads
 * apart without a lock.  What came from a peer is escaped, so that no name or header can start a
 * line of its own or speak to the terminal.
 */
#include "hubbub/log.h"

#include "hubbub/buf.h"
#include "hubbub/utf8.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static _Atomic(enum log_level) max_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

static void append_time(struct buf *line)
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	buf_printf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000);
}

/* Whether a well-formed sequence is a control character (C0, DEL, C1) or ends a line (U+2028/9). */
static bool is_control(const unsigned char *p, size_t n)
{
	if (n == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	return n == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9);
}

static void append_escaped(struct buf *line, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence_len(p + i, len - i);

		if (n != 0 && !is_control(p + i, n)) {
			buf_append(line, p + i, n);
			i += n;
			continue;
		}
		if (n == 0)
			n = 1;
		for (; n > 0; n--, i++)
			buf_printf(line, "\\x%02x", p[i]);
	}
}

static void write_all(const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody is left to be told */
		p += n;
		len -= (size_t)n;
	}
}

void log_at(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {
		[LOG_ERROR] = "error",
		[LOG_WARN] = "warn",
		[LOG_INFO] = "info",
		[LOG_DEBUG] = "debug",
	};
	int saved_errno = errno; /* so that logging a failure does not change it */
	struct buf line = {0};
	char text[1024];
	va_list args;
	int len;

	if (level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len < 0)
		return;

	append_time(&line);
	buf_printf(&line, " %s ", names[level]);
	if ((size_t)len < sizeof(text)) {
		append_escaped(&line, text, (size_t)len);
	} else {
		/* Cut where no character is cut in two. */
		size_t end = sizeof(text) - 1;
		size_t last = end - 1;

		while (last > 0 && ((unsigned char)text[last] & 0xc0) == 0x80)
			last--;
		if (utf8_sequence_len(text + last, end - last) == 0)
			end = last;
		append_escaped(&line, text, end);
		buf_append_str(&line, "...");
	}
	buf_append_char(&line, '\n');
	write_all(line.p, line.len);
	buf_deinit(&line);
	errno = saved_errno;
}
