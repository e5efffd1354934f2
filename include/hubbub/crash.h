#pragma once
/* Layer: base. */

/**
 * What a crash leaves behind: the signal, the thread and a backtrace on standard error, before the
 * signal's default action ends the process (with a core, where those are on).
 *
 * A build with a sanitizer leaves that to the sanitizer; both functions do nothing there.
 */

/** Watch for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT.  Main thread, before others start. */
void crash_init(void);
/**
 * Let this thread tell of a crash also when its stack is used up.  First thing in each thread;
 * crash_init() does it for the main one.
 */
void crash_watch_thread(void);
