#pragma once
/* Layer: ws. */
#include "hubbub/chunk.h"
#include "hubbub/http.h"
#include "hubbub/span.h"
#include <stdbool.h>
#include <stdint.h>

/** Close codes: RFC 6455, 7.4.1, and the contract's own. */
enum ws_close_code {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL_ERROR = 1002,
	WS_CLOSE_UNSUPPORTED = 1003,
	WS_CLOSE_NO_STATUS = 1005, /* never on the wire: a close frame without a code */
	WS_CLOSE_BAD_DATA = 1007,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_INTERNAL = 1011, /* memory is short */
	WS_CLOSE_SIGNED_OUT = 4001,
	WS_CLOSE_BANNED = 4003,
	WS_CLOSE_SLOW_READER = 4008,
	WS_CLOSE_BREAKS_PROTOCOL = 4010,
};

/**
 * The receiving side of one WebSocket and its control frames: wslay parses (masks, fragments,
 * UTF-8); what RFC 6455 and 7692 want beyond it is checked around it.  It knows no socket.
 * One thread.  Never freed inside its own callbacks.
 */
struct ws;

struct ws_handler {
	/** A whole text message, inflated, valid UTF-8; valid during the call only. */
	void (*on_message)(void *owner, struct span text);
	/** The same for a binary message, of any bytes; NULL: those are refused with 1003. */
	void (*on_binary)(void *owner, struct span bytes);
	/** Bytes for the peer (pong, close): whole frames; takes the reference over. */
	void (*send)(void *owner, struct chunk *c);
	/**
	 * The closing handshake is under way: a close frame was queued (ours or the answer to the
	 * peer's).  Nothing is delivered after it.  @code is the one we sent (WS_CLOSE_NO_STATUS
	 * for an empty answer to an empty close); @by_peer when the
	 * peer began.  The owner shuts the stream down once drained, and closes it after a time
	 * limit.
	 */
	void (*on_closing)(void *owner, uint16_t code, bool by_peer);
};

struct ws *ws_new(const struct ws_params *params, size_t max_message,
		  const struct ws_handler *handler, void *owner);
void ws_free(struct ws *ws);
/** Feed bytes from the peer (they may be changed in place).  After closing they are ignored. */
void ws_receive(struct ws *ws, uint8_t *bytes, size_t len);
/** Begin the closing handshake; once; later calls do nothing. */
void ws_close(struct ws *ws, uint16_t code, const char *reason);
/**
 * How many frames have begun since this was last asked, less the messages that ended: control
 * frames and fragments, which cost something and ask for nothing.
 */
unsigned ws_take_extra(struct ws *ws);
/** Whether part of a message or of a frame has come and its end is awaited. */
bool ws_is_mid_message(const struct ws *ws);
bool ws_is_closing(const struct ws *ws);
/**
 * Nothing more is wanted of the peer: both close frames have passed, or it broke the protocol and
 * was told so.  The stream may be shut down for writing now (not closed: unread input would make
 * the kernel reset the connection, and the peer might never see the close frame).
 */
bool ws_is_closed(const struct ws *ws);
