#pragma once
/* Layer: base. */

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG
};

/**
 * One line an event on standard error: `2026-01-31T12:00:00.123Z info text`.  Control characters
 * and bytes that are no UTF-8 are escaped, so that no input can forge a line.  Never log message
 * texts, tokens or keys.  Any thread; a line is written whole.
 */
void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_set_level(enum log_level level);

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
