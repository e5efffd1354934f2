#include "support.h"

/* Decode what must be right. */
static struct request *decode(struct span text)
{
	struct request *r;
	const char *why;
	enum proto_error e = request_decode(&r, text, &test_config, &why);

	if (e != PROTO_OK)
		fail_msg("%.*s: %s", (int)text.len, text.p, why);
	return r;
}

/* Decode what must be refused with @want; the request returned has its id alone. */
static struct request *refuse(struct span text, enum proto_error want)
{
	struct request *r;
	const char *why = NULL;
	enum proto_error e = request_decode(&r, text, &test_config, &why);

	if (e != want)
		fail_msg("%.*s: got %s, want %s", (int)text.len, text.p, proto_error_name(e),
			 proto_error_name(want));
	assert_non_null(why);
	assert_null(r->room.p);
	assert_null(r->text.p);
	return r;
}

static void every_field_of_a_send_arrives(void **state)
{
	(void)state;
	struct request *r =
		decode(SPAN("{\"id\":7,\"op\":\"send\",\"room\":\"Café.Bar\",\"key\":\"k-1\","
			    "\"text\":\"a\\u0000b \\ud83d\\ude42\",\"thread\":3,\"quote\":4,"
			    "\"mentions\":[\"u9\",\"u2\",\"u9\"],\"files\":[]}"));

	assert_int_equal(r->op, OP_SEND);
	assert_int_equal(r->id.kind, REQUEST_ID_INT);
	assert_int_equal(r->id.n, 7);
	assert_span(r->room, "café.bar");
	assert_span(r->title, "Café.Bar");
	assert_null(r->rid.p);
	assert_span(r->key, "k-1");
	assert_span(r->text, "a\0b 🙂");
	assert_int_equal(r->thread, 3);
	assert_int_equal(r->quote, 4);
	assert_int_equal(r->n_mentions, 2);
	assert_int_equal(r->mentions[0], 9);
	assert_int_equal(r->mentions[1], 2);
	request_free(r);
}

static void absent_fields_have_their_defaults(void **state)
{
	(void)state;
	struct request *r = decode(
		SPAN("{\"id\":0,\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"t\"}"));
	assert_int_equal(r->thread, 0);
	assert_int_equal(r->quote, 0);
	assert_int_equal(r->n_mentions, 0);
	request_free(r);

	r = decode(SPAN("{\"id\":0,\"op\":\"join\",\"room\":\"a\"}"));
	assert_false(r->has_since);
	assert_false(r->has_epoch);
	assert_null(r->epoch.p);
	assert_int_equal(r->limit, 50);
	request_free(r);

	r = decode(SPAN("{\"id\":0,\"op\":\"history\",\"room\":\"a\"}"));
	assert_int_equal(r->from, HISTORY_NEWEST);
	assert_int_equal(r->limit, 50);
	assert_false(r->fold);
	request_free(r);

	r = decode(SPAN("{\"id\":0,\"op\":\"leave\",\"room\":\"a\"}"));
	assert_false(r->forget);
	request_free(r);

	r = decode(SPAN("{\"id\":0,\"op\":\"rooms\"}"));
	assert_null(r->query.p);
	assert_null(r->room.p);
	assert_int_equal(r->limit, 50);
	request_free(r);
}

static void fields_of_the_other_ops_arrive(void **state)
{
	(void)state;
	struct request *r = decode(SPAN("{\"id\":\"x\",\"op\":\"hello\",\"name\":\" Ada Ⅷ \","
					"\"token\":\"t\",\"caps\":{}}"));
	assert_int_equal(r->op, OP_HELLO);
	assert_int_equal(r->id.kind, REQUEST_ID_STRING);
	assert_span(r->id.s, "x");
	assert_span(r->name, "Ada Ⅷ");
	assert_span(r->name_key, "ada viii");
	assert_span(r->token, "t");
	request_free(r);

	r = decode(SPAN("{\"id\":1,\"op\":\"join\",\"room\":\"~0aZ9\",\"since\":0,\"epoch\":\"e\","
			"\"limit\":7}"));
	assert_int_equal(r->op, OP_JOIN);
	assert_span(r->rid, "0aZ9");
	assert_null(r->room.p);
	assert_null(r->title.p);
	assert_true(r->has_since);
	assert_int_equal(r->since, 0);
	assert_true(r->has_epoch);
	assert_span(r->epoch, "e");
	assert_int_equal(r->limit, 7);
	request_free(r);

	r = decode(SPAN("{\"id\":1,\"op\":\"leave\",\"room\":\"a\",\"forget\":true}"));
	assert_int_equal(r->op, OP_LEAVE);
	assert_true(r->forget);
	request_free(r);

	r = decode(SPAN("{\"id\":1,\"op\":\"edit\",\"room\":\"a\",\"target\":5,\"text\":\"t\","
			"\"key\":\"k\"}"));
	assert_int_equal(r->op, OP_EDIT);
	assert_int_equal(r->target, 5);
	assert_span(r->text, "t");
	request_free(r);

	r = decode(SPAN("{\"id\":1,\"op\":\"delete\",\"room\":\"a\",\"target\":9007199254740991,"
			"\"key\":\"k\"}"));
	assert_int_equal(r->op, OP_DELETE);
	assert_int_equal(r->target, REQUEST_MAX_SEQ);
	request_free(r);

	r = decode(SPAN("{\"id\":1,\"op\":\"react\",\"room\":\"a\",\"target\":5,\"emoji\":\"👍\","
			"\"on\":true,\"key\":\"k\"}"));
	assert_int_equal(r->op, OP_REACT);
	assert_span(r->emoji, "👍");
	assert_true(r->on);
	request_free(r);

	r = decode(SPAN("{\"id\":1,\"op\":\"read\",\"room\":\"a\",\"seq\":12}"));
	assert_int_equal(r->op, OP_READ);
	assert_int_equal(r->seq, 12);
	request_free(r);

	r = decode(SPAN("{\"id\":1,\"op\":\"typing\",\"room\":\"a\"}"));
	assert_int_equal(r->op, OP_TYPING);
	request_free(r);

	r = decode(SPAN("{\"id\":1,\"op\":\"rooms\",\"query\":\"GENER\",\"limit\":3}"));
	assert_int_equal(r->op, OP_ROOMS);
	assert_span(r->query, "gener");
	assert_int_equal(r->limit, 3);
	request_free(r);

	r = decode(SPAN("{\"op\":\"pong\"}"));
	assert_int_equal(r->op, OP_PONG);
	assert_int_equal(r->id.kind, REQUEST_ID_NONE);
	request_free(r);
}

static void history_takes_one_bound(void **state)
{
	(void)state;
	static const struct {
		const char *fields;
		enum history_from from;
		uint64_t bound;
	} rows[] = {
		{"\"before\":9", HISTORY_BEFORE, 9}, {"\"before\":0", HISTORY_BEFORE, 0},
		{"\"after\":9", HISTORY_AFTER, 9},   {"\"after\":0", HISTORY_AFTER, 0},
		{"\"around\":9", HISTORY_AROUND, 9}, {"\"fold\":false", HISTORY_NEWEST, 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = {0};
		buf_printf(&b, "{\"id\":1,\"op\":\"history\",\"room\":\"a\",%s}", rows[i].fields);
		struct request *r = decode(buf_span(&b));

		assert_int_equal(r->from, rows[i].from);
		assert_int_equal(r->bound, rows[i].bound);
		request_free(r);
		buf_deinit(&b);
	}
}

static void a_limit_above_the_maximum_is_cut(void **state)
{
	(void)state;
	static const struct {
		const char *limit;
		unsigned want;
	} rows[] = {
		{"1", 1},
		{"199", 199},
		{"200", 200},
		{"201", 200},
		{"4294967297", 200},
		{"9223372036854775807", 200},
		{"99999999999999999999999999", 200},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = {0};
		buf_printf(&b, "{\"id\":1,\"op\":\"rooms\",\"limit\":%s}", rows[i].limit);
		struct request *r = decode(buf_span(&b));

		assert_int_equal(r->limit, rows[i].want);
		request_free(r);
		buf_deinit(&b);
	}
}

static void a_refusal_names_the_request_where_it_can(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum proto_error error;
		const char *id; /* NULL: none */
	} rows[] = {
		{"", PROTO_E_BAD_REQUEST, NULL},
		{"7", PROTO_E_BAD_REQUEST, NULL},
		{"[{\"id\":7}]", PROTO_E_BAD_REQUEST, NULL},
		{"{\"id\":7", PROTO_E_BAD_REQUEST, NULL},
		{"{\"id\":7,}", PROTO_E_BAD_REQUEST, NULL},
		{"{\"id\":7}{}", PROTO_E_BAD_REQUEST, NULL},
		{"{\"id\":7,\"x\":01}", PROTO_E_BAD_REQUEST, NULL},
		{"{\"id\":7,\"x\":1e}", PROTO_E_BAD_REQUEST, NULL},
		{"{\"op\":\"typing\",\"room\":\"a\"}", PROTO_E_BAD_REQUEST, NULL},
		{"{\"op\":\"nonsense\"}", PROTO_E_BAD_REQUEST, NULL},
		{"{\"id\":1e3,\"op\":\"typing\",\"room\":\"a\"}", PROTO_E_BAD_REQUEST, NULL},
		{"{\"id\":99999999999999999999,\"op\":\"typing\"}", PROTO_E_BAD_REQUEST, NULL},
		{"{\"id\":1,\"id\":7,\"op\":\"typing\"}", PROTO_E_BAD_REQUEST, NULL},
		{"{\"id\":7}", PROTO_E_BAD_REQUEST, "7"},
		{"{\"id\":7,\"op\":null}", PROTO_E_BAD_REQUEST, "7"},
		{"{\"id\":7,\"op\":\"nonsense\"}", PROTO_E_UNSUPPORTED, "7"},
		{"{\"id\":\"x-\\u00e9\",\"op\":\"nonsense\"}", PROTO_E_UNSUPPORTED, "x-é"},
		{"{\"id\":7,\"op\":\"typing\"}", PROTO_E_BAD_REQUEST, "7"},
		{"{\"id\":7,\"op\":\"typing\",\"op\":\"typing\"}", PROTO_E_BAD_REQUEST, "7"},
		{"{\"id\":7,\"op\":\"x\",\"text\":\"\\ud83d\"}", PROTO_E_BAD_REQUEST, "7"},
		{"{\"id\":7,\"x\":\"\\udfff\",\"y\":1e999}", PROTO_E_BAD_REQUEST, "7"},
		{"{\"id\":7,\"op\":\"join\",\"room\":\"a\",\"since\":-99999999999999999999}",
		 PROTO_E_BAD_REQUEST, "7"},
		{"{\"id\":7,\"op\":\"x\",\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"
		 "]]]]"
		 "]]]]]]]]}",
		 PROTO_E_BAD_REQUEST, "7"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct request *r = refuse(span_of(rows[i].text), rows[i].error);

		if (rows[i].id == NULL)
			assert_int_equal(r->id.kind, REQUEST_ID_NONE);
		else if (r->id.kind == REQUEST_ID_INT)
			assert_int_equal(r->id.n, 7);
		else
			assert_string_equal(r->id.s.p, rows[i].id);
		if (rows[i].id != NULL)
			assert_int_not_equal(r->id.kind, REQUEST_ID_NONE);
		request_free(r);
	}
}

static void what_nobody_reads_does_not_matter(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"\"x\":1e999",
		"\"x\":-1E+999",
		"\"x\":[123456789012345678901234567890,1.5,-0,{}]",
		"\"x\":99999999999999999999999999999999.25",
		"\"room\\u0000\":1",
		"\"a\\u0000\\\\\" : \"\\u0000\",\"b\":\"\\\\u0000:\"",
		"\"text\":5,\"key\":null,\"thread\":\"x\",\"limit\":0",
		"\"\":\"\"",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = {0};
		buf_printf(&b, "{\"id\":1,\"op\":\"typing\",\"room\":\"a\",%s}", rows[i]);
		request_free(decode(buf_span(&b)));
		buf_deinit(&b);
	}
}

static void a_mended_frame_keeps_its_values(void **state)
{
	(void)state;
	struct request *r =
		decode(SPAN("{\"x\":99999999999999999999,\"id\":7,\"op\":\"send\","
			    "\"room\":\"a\",\"key\":\"1e99\","
			    "\"text\":\"99999999999999999999 \\u0000\\\\ud83d\\\" 1e5\"}"));

	assert_int_equal(r->id.n, 7);
	assert_span(r->key, "1e99");
	assert_span(r->text, "99999999999999999999 \0\\ud83d\" 1e5");
	request_free(r);
}

static void only_fields_of_the_right_kind_pass(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"t\",\"thread\":0",
		"\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"t\",\"thread\":null",
		"\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"t\",\"quote\":1.0",
		"\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"t\",\"mentions\":[\"4\"]",
		"\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"t\",\"mentions\":{}",
		"\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"t\",\"files\":[null]",
		"\"op\":\"edit\",\"room\":\"a\",\"key\":\"k\",\"text\":\"t\",\"target\":0",
		"\"op\":\"react\",\"room\":\"a\",\"key\":\"k\",\"target\":1,\"emoji\":\"e\"",
		"\"op\":\"history\",\"room\":\"a\",\"around\":0",
		"\"op\":\"history\",\"room\":\"a\",\"before\":null",
		"\"op\":\"history\",\"room\":\"a\",\"before\":1,\"after\":1",
		"\"op\":\"history\",\"room\":\"a\",\"fold\":\"yes\"",
		"\"op\":\"join\",\"room\":\"~\"",
		"\"op\":\"join\",\"room\":\"~a-b\"",
		"\"op\":\"join\",\"room\":\"~~a\"",
		"\"op\":\"join\",\"room\":\"~\\u00e9\"",
		"\"op\":\"join\",\"room\":\"a\",\"limit\":-99999999999999999999",
		"\"op\":\"join\",\"room\":\"a\",\"limit\":1e400",
		"\"op\":\"hello\"",
		"\"op\":\"hello\",\"caps\":{}",
		"\"op\":\"hello\",\"name\":\"Ada\",\"caps\":\"all\"",
		"\"op\":\"hello\",\"name\":null,\"token\":\"t\"",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = {0};
		buf_printf(&b, "{\"id\":7,%s}", rows[i]);
		struct request *r = refuse(buf_span(&b), PROTO_E_BAD_REQUEST);

		assert_int_equal(r->id.n, 7);
		request_free(r);
		buf_deinit(&b);
	}
}

static void the_bound_on_texts_is_the_configured_one(void **state)
{
	(void)state;
	const struct config cfg = {.open = true, .max_text = 3};
	static const struct {
		struct span text;
		enum proto_error want;
	} rows[] = {
		{SPAN("{\"id\":1,\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"abc\"}"),
		 PROTO_OK},
		{SPAN("{\"id\":1,\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"abcd\"}"),
		 PROTO_E_TOO_LARGE},
		{SPAN("{\"id\":1,\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"éé\"}"),
		 PROTO_E_TOO_LARGE},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct request *r;
		const char *why;

		assert_int_equal(request_decode(&r, rows[i].text, &cfg, &why), rows[i].want);
		request_free(r);
	}
}

static void a_request_outlives_its_frame(void **state)
{
	(void)state;
	char frame[] =
		"{\"id\":\"abc\",\"op\":\"send\",\"room\":\"a\",\"key\":\"k\",\"text\":\"hi\"}";
	struct request *r = decode(span_of(frame));

	memset(frame, 'X', sizeof(frame));
	assert_span(r->id.s, "abc");
	assert_span(r->room, "a");
	assert_span(r->text, "hi");
	request_free(r);
	request_free(NULL);
}

static void without_open_mode_hello_needs_nothing(void **state)
{
	(void)state;
	const struct config cfg = {.max_text = 8000};
	struct request *r;
	const char *why;

	assert_int_equal(request_decode(&r, SPAN("{\"id\":1,\"op\":\"hello\"}"), &cfg, &why),
			 PROTO_OK);
	request_free(r);
}

static void writes_are_the_ops_with_a_key(void **state)
{
	(void)state;
	static const bool writes[N_OPS] = {
		[OP_SEND] = true,   [OP_EDIT] = true,   [OP_DELETE] = true, [OP_REACT] = true,
		[OP_CREATE] = true, [OP_INVITE] = true, [OP_REMOVE] = true, [OP_ROLE] = true,
		[OP_MUTE] = true,   [OP_TOPIC] = true,  [OP_RENAME] = true, [OP_ARCHIVE] = true,
		[OP_KEEP] = true,
	};

	for (int op = 0; op < N_OPS; op++)
		assert_int_equal(op_is_write((enum op)op), writes[op]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_send_arrives),
		cmocka_unit_test(absent_fields_have_their_defaults),
		cmocka_unit_test(fields_of_the_other_ops_arrive),
		cmocka_unit_test(history_takes_one_bound),
		cmocka_unit_test(a_limit_above_the_maximum_is_cut),
		cmocka_unit_test(a_refusal_names_the_request_where_it_can),
		cmocka_unit_test(what_nobody_reads_does_not_matter),
		cmocka_unit_test(a_mended_frame_keeps_its_values),
		cmocka_unit_test(only_fields_of_the_right_kind_pass),
		cmocka_unit_test(the_bound_on_texts_is_the_configured_one),
		cmocka_unit_test(a_request_outlives_its_frame),
		cmocka_unit_test(without_open_mode_hello_needs_nothing),
		cmocka_unit_test(writes_are_the_ops_with_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
