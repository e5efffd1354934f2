/* What the bytes of an input say: each command becomes text frames. */
#include "history_run.h"

#include "hubbub/buf.h"
#include <string.h>

static uint8_t take(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

static void append_text(struct buf *b, struct input *in)
{
	static const char *const letters[] = {"x", "\x01", "\xc3\xa9", "\"\\"};
	uint8_t how = take(in);
	struct span letter = span_of(letters[how % 4]);
	size_t n = how / 4 + 1;
	struct buf text = {0};

	if (how >= 248)
		n = (how - 247U) * history_cfg.max_text / 8;
	for (size_t i = 0; i < n && text.len + letter.len <= history_cfg.max_text; i++)
		buf_append_span(&text, letter);
	buf_append_str(b, ",\"text\":");
	buf_append_json(b, buf_span(&text));
	buf_deinit(&text);
}

static void begin_frame(struct run *run, struct buf *b, const char *op, uint8_t who)
{
	buf_printf(b, "{\"id\":1,\"op\":\"%s\",\"room\":", op);
	buf_append_json(b, span_of(run->model.rooms[who >> 2 & 1].name));
	if (who & 0x80)
		buf_printf(b, ",\"key\":\"again%u\"", who >> 5 & 3);
	else
		buf_printf(b, ",\"key\":\"k%u\"", run->n_keys++);
}

static void end_frame(struct run *run, struct buf *b, int64_t user)
{
	buf_append_char(b, '}');
	history_frame(run, user, buf_span(b));
	buf_deinit(b);
}

/* The low bits: which user, which room; the highest: under a key that others use as well. */
static int64_t user_of(uint8_t who)
{
	return 1 + (who & 3) % MODEL_N_USERS;
}

static void run_send(struct run *run)
{
	uint8_t who = take(&run->in);
	struct buf b = {0};

	begin_frame(run, &b, "send", who);
	append_text(&b, &run->in);
	if (who & 8)
		buf_printf(&b, ",\"thread\":%u", take(&run->in) + 1U);
	if (who & 16) {
		uint8_t more = take(&run->in);

		if (more & 0x80)
			buf_printf(&b, ",\"quote\":%u", (more & 0x7fU) + 1);
		else
			buf_printf(&b, ",\"mentions\":[\"u%d\",\"u%d\"]", 1 + (more & 7),
				   1 + (more >> 3 & 7));
	}
	end_frame(run, &b, user_of(who));
}

static void run_change(struct run *run, const char *op)
{
	uint8_t who = take(&run->in);
	struct buf b = {0};

	begin_frame(run, &b, op, who);
	buf_printf(&b, ",\"target\":%u", take(&run->in) + 1U);
	if (strcmp(op, "edit") == 0) {
		append_text(&b, &run->in);
	} else if (strcmp(op, "react") == 0) {
		uint8_t emoji = take(&run->in);

		buf_printf(&b, ",\"emoji\":\"e%u\",\"on\":%s", emoji >> 1,
			   emoji & 1 ? "false" : "true");
	}
	end_frame(run, &b, user_of(who));
}

/* Many kinds of reactions to one message. */
static void run_burst(struct run *run)
{
	uint8_t who = take(&run->in), target = take(&run->in), n = take(&run->in);

	for (unsigned i = 0; i < n; i++) {
		struct buf b = {0};

		begin_frame(run, &b, "react", who & 0x7f);
		buf_printf(&b, ",\"target\":%u,\"emoji\":\"e%u\",\"on\":true", target + 1U, i);
		end_frame(run, &b, user_of(who));
	}
}

static void run_history(struct run *run)
{
	static const char *const froms[] = {"", "before", "after", "around"};
	uint8_t who = take(&run->in), how = take(&run->in);
	struct buf b = {0};

	begin_frame(run, &b, "history", who & 0x7f);
	if (how & 3)
		buf_printf(&b, ",\"%s\":%u", froms[how & 3], take(&run->in));
	if (how & 4)
		buf_printf(&b, ",\"limit\":%u", take(&run->in));
	if (how & 8)
		buf_append_str(&b, ",\"fold\":true");
	run->with_upto = (how & 16) != 0;
	if (run->with_upto)
		run->upto = take(&run->in);
	end_frame(run, &b, user_of(who));
	run->with_upto = false;
}

static void run_mark(struct run *run)
{
	uint8_t who = take(&run->in);
	struct buf b = {0};

	begin_frame(run, &b, "read", who & 0x7f);
	buf_printf(&b, ",\"seq\":%u", take(&run->in));
	end_frame(run, &b, user_of(who));
}

/* Where the user belongs, and the same by a token. */
static void run_belong(struct run *run)
{
	uint8_t who = take(&run->in);
	struct buf b = {0};

	if ((who & 8) == 0) {
		history_read_now(run, STORE_READ_BELONG, user_of(who), 0, NULL);
		return;
	}
	buf_printf(&b, "{\"id\":1,\"op\":\"hello\",\"token\":\"%s\"",
		   history_tokens[user_of(who) - 1]);
	end_frame(run, &b, 0);
}

static void run_raw(struct run *run)
{
	uint8_t who = take(&run->in);
	size_t len = take(&run->in);

	if (len > run->in.left)
		len = run->in.left;
	struct span text = {.p = (const char *)run->in.p, .len = len};
	run->in.p += len;
	run->in.left -= len;
	history_frame(run, user_of(who), text);
}

void history_command(struct run *run)
{
	switch (take(&run->in) & 15) {
	case 0:
	case 1:
	case 2:
		run_send(run);
		break;
	case 3:
	case 4:
		run_change(run, "edit");
		break;
	case 5:
		run_change(run, "delete");
		break;
	case 6:
	case 7:
		run_change(run, "react");
		break;
	case 8:
		run_burst(run);
		break;
	case 9:
		run_mark(run);
		break;
	case 10:
		history_commit(run);
		break;
	case 11:
		run_belong(run);
		break;
	case 12:
		run_raw(run);
		break;
	default:
		run_history(run);
		break;
	}
}
