#pragma once
/* Private to server/. */
#include <stdbool.h>
#include <stdint.h>

/**
 * Tell the service manager how the server is (sd_notify(3)); nothing where there is none.
 * @state: lines "READY=1".  Main thread.
 */
void notify_send(const char *state);
/** How often the manager's watchdog wants to hear of us, in microseconds; 0: it has none. */
uint64_t notify_watchdog_us(void);
