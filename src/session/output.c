/*
 * What a connection is sent, and what becomes of a peer that does not read it.
 *
 * Replies are what the peer asked for: when too many bytes of them are unsent it is not read from.
 * Events come unasked: when too many bytes of them are unsent it is closed with 4008.  All go
 * through one queue; reply_bytes is an upper bound of the replies' share in it.
 */
#include "session/conn.h"

#include "hubbub/mem.h"

#define MIN_DEFLATED_REPLY 1024
#define STRIKES_WINDOW_MS 10000

static struct chunk *encode_compressed(struct span json)
{
	struct frame *f = frame_new_text_compressed(json);
	struct chunk *wire = chunk_ref(frame_wire(f, true, 0).chunk);

	frame_unref(f);
	return wire;
}

void conn_send_reply(struct conn *c, struct buf *json)
{
	bool compress = c->deflate && json->len >= MIN_DEFLATED_REPLY;
	struct chunk *wire =
		compress ? encode_compressed(buf_span(json)) : frame_encode_text(buf_span(json));

	buf_deinit(json);
	if (stream_unsent(&c->stream) < c->reply_bytes)
		c->reply_bytes = stream_unsent(&c->stream);
	c->reply_bytes += chunk_len(wire);
	stream_send(&c->stream, wire);
}

void conn_reply_ok(struct conn *c, const struct request *req)
{
	struct buf json = {0};

	reply_encode_ok(&json, &req->id);
	conn_send_reply(c, &json);
}

/* Whether CONN_MAX_STRIKES came within the last window, this one included. */
static bool is_struck_out(struct conn *c)
{
	uint64_t now = conn_hub(c)->worker->now_ms;

	if (c->strikes == NULL)
		c->strikes = mem_zalloc(sizeof(*c->strikes));
	struct strikes *s = c->strikes;
	uint64_t *slot = &s->at_ms[s->n % CONN_MAX_STRIKES];

	*slot = now;
	s->n++;
	/* The slot after the newest is the oldest of the last CONN_MAX_STRIKES. */
	return s->n >= CONN_MAX_STRIKES &&
	       now - s->at_ms[s->n % CONN_MAX_STRIKES] <= STRIKES_WINDOW_MS;
}

void conn_send_error(struct conn *c, const struct request_id *id, enum proto_error e,
		     const char *msg, unsigned retry_ms)
{
	struct buf json = {0};

	reply_encode_error(&json, id, e, msg != NULL ? msg : "", retry_ms);
	conn_send_reply(c, &json);
}

void conn_reply_error(struct conn *c, const struct request_id *id, enum proto_error e,
		      const char *msg, unsigned retry_ms)
{
	conn_send_error(c, id, e, msg, retry_ms);
	conn_count_refusal(c, e);
	if ((e == PROTO_E_BAD_REQUEST || e == PROTO_E_UNSUPPORTED) && is_struck_out(c))
		conn_close(c, WS_CLOSE_BREAKS_PROTOCOL, "too many bad requests");
}

void conn_reply_unavailable(struct conn *c, const struct request *req)
{
	bool stopping = atomic_load_explicit(&conn_hub(c)->env->stopping, memory_order_relaxed);

	conn_reply_error(c, &req->id, PROTO_E_UNAVAILABLE,
			 stopping ? "the server is stopping" : "the server is busy", 1000);
}

/* Bytes of events that wait for the socket. */
static size_t unsent_events(struct conn *c)
{
	size_t unsent = stream_unsent(&c->stream);

	if (unsent < c->reply_bytes)
		c->reply_bytes = unsent;
	return unsent - c->reply_bytes;
}

void conn_send_piece(struct conn *c, struct piece *p)
{
	if (c->phase != CONN_OPEN)
		return;
	size_t unsent = unsent_events(c);

	/* One turn may bring more than that.  Whoever reads has a socket that takes it. */
	if (unsent + piece_len(p) > conn_hub(c)->cfg->max_output) {
		stream_write_now(&c->stream);
		unsent = unsent_events(c);
	}
	if (unsent > 0 && unsent + piece_len(p) > conn_hub(c)->cfg->max_output)
		conn_close(c, WS_CLOSE_SLOW_READER, "reads too slowly");
	else
		stream_send_piece(&c->stream, p);
}

void conn_send_event(struct conn *c, struct frame *f, unsigned from)
{
	struct frame_wire wire = frame_wire(f, c->deflate, from);
	struct piece *p = piece_new(chunk_ref(wire.chunk), wire.offset, wire.len);

	conn_send_piece(c, p);
	piece_unref(p);
}
