/*
 * A backtrace in the log when the process dies of a fault or an assertion.
 *
 * The handler keeps to what signal-safety(7) allows: write(2), and glibc's backtrace(), which was
 * called once before, so that what it loads is there.  Functions that other files can call appear
 * by name, since the program exports them; others as offsets, for addr2line(1).
 */
#include "hubbub/crash.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

enum {
	MAX_FRAMES = 64,
	STACK_BYTES = 64 * 1024,
	TELLING_LIMIT_S = 10,
};

static const struct {
	int number;
	const char *name;
} signals[] = {
	{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},
	{SIGFPE, "SIGFPE"},   {SIGABRT, "SIGABRT"},
};

/* The first thread that crashes tells; the process ends with it.  0: none does. */
static atomic_int telling;

static void say(const char *text)
{
	ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

	(void)ignored;
}

static const char *signal_name(int number)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (signals[i].number == number)
			return signals[i].name;
	}
	return "a signal";
}

static void on_crash(int number)
{
	void *frames[MAX_FRAMES];
	char thread[16] = "?";

	int nobody = 0, self = gettid();

	if (!atomic_compare_exchange_strong(&telling, &nobody, self)) {
		while (nobody != self)
			pause();
		/* What tells of a crash has crashed. */
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	alarm(TELLING_LIMIT_S); /* what waits for a lock that this thread holds never ends */
	pthread_getname_np(pthread_self(), thread, sizeof(thread));
	say("hubbub " HUBBUB_VERSION " crashed: ");
	say(signal_name(number));
	say(" in thread ");
	say(thread);
	say("; the calls that led there, the newest first:\n");
	backtrace_symbols_fd(frames, backtrace(frames, MAX_FRAMES), STDERR_FILENO);
	say("hubbub: please report these lines\n");
	/* SA_RESETHAND has restored the default action; the signal is let through on return. */
	raise(number);
}

void crash_init(void)
{
	struct sigaction action = {
		.sa_handler = on_crash,
		.sa_flags = SA_ONSTACK | (int)SA_RESETHAND,
	};
	void *frame;

	if (HAS_SANITIZER)
		return;
	backtrace(&frame, 1);
	crash_watch_thread();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i].number, &action, NULL);
}

void crash_watch_thread(void)
{
	static _Thread_local unsigned char stack[STACK_BYTES];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

	if (!HAS_SANITIZER)
		sigaltstack(&alternate, NULL);
}
