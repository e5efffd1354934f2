/* A stream with TLS on it, and a client of OpenSSL's own on the other end of the socket. */
#include "net/tls.h"
#include "stream_side.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static char cert_path[] = "/tmp/hubbub-test-cert-XXXXXX";
static char key_path[] = "/tmp/hubbub-test-key-XXXXXX";
static struct tls_context *context;
static SSL_CTX *client_ctx;

/* A certificate that vouches for itself, into the two files. */
static void make_files(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *cert_file = fdopen(mkstemp(cert_path), "w");
	FILE *key_file = fdopen(mkstemp(key_path), "w");

	assert_non_null(key);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	PEM_write_X509(cert_file, cert);
	PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL);
	fclose(cert_file);
	fclose(key_file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static int set_up_all(void **state)
{
	struct buf why = {0};
	(void)state;

	make_files();
	assert_int_equal(tls_context_load(&context, cert_path, key_path, &why), 0);
	assert_int_equal(why.len, 0);
	client_ctx = SSL_CTX_new(TLS_client_method());
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	SSL_CTX_free(client_ctx);
	tls_context_unref(context);
	unlink(cert_path);
	unlink(key_path);
	return 0;
}

static int tear_down_tls(void **state)
{
	int err = tear_down(state);

	tls_forget_worker(&worker);
	return err;
}

static SSL *client;

static void open_tls_tcp(struct side *side)
{
	int fd;

	open_tcp(side);
	fd = dup(side->s.fd);
	stream_close(&side->s);
	turn_until(side->n_closed == 1);
	*side = (struct side){.peer = side->peer};
	if (worker.tls_context == NULL)
		worker.tls_context = tls_context_ref(context);
	assert_int_equal(stream_open_tls(&side->s, &worker, fd, &events), 0);
	assert_true(stream_is_tls(&side->s));
	client = SSL_new(client_ctx);
	SSL_set_fd(client, side->peer);
	SSL_set_connect_state(client);
}

static void shake_hands(void)
{
	for (int i = 0; !SSL_is_init_finished(client) && i < 100; i++) {
		SSL_do_handshake(client);
		turn();
	}
	assert_true(SSL_is_init_finished(client));
	ERR_clear_error();
	for (int i = 0; i < 5; i++)
		turn(); /* the client's last bytes, and the tickets */
}

static void close_tls(struct side *side)
{
	SSL_free(client);
	client = NULL;
	ERR_clear_error();
	close_side(side);
}

/* What the client can read now, at most @size bytes. */
static size_t client_read(char *bytes, size_t size)
{
	size_t got = 0, n;

	while (got < size && SSL_read_ex(client, bytes + got, size - got, &n) == 1)
		got += n;
	ERR_clear_error();
	return got;
}

/* Read so many bytes, in as many calls as that takes. */
static void client_reads(char *bytes, size_t len)
{
	size_t got = 0;

	while (got < len && !gave_up) {
		got += client_read(bytes + got, len - got);
		turn();
	}
	assert_int_equal(got, len);
}

static void bytes_come_and_go_inside_it(void **state)
{
	struct side a;
	char text[16];
	(void)state;

	open_tls_tcp(&a);
	shake_hands();
	assert_int_equal(SSL_write(client, "hello", 5), 5);
	turn_until(a.got.len == 5);
	assert_memory_equal(a.got.p, "hello", 5);
	send_text(&a, "good ");
	send_text(&a, "bye");
	assert_int_equal(stream_unsent(&a.s), 8);
	turn_until(a.n_drained > 0 && stream_unsent(&a.s) == 0);
	assert_int_equal(a.s.written, 8);
	client_reads(text, 8);
	assert_memory_equal(text, "good bye", 8);
	close_tls(&a);
}

static void what_is_queued_before_the_handshake_waits_for_it(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_tls_tcp(&a);
	send_text(&a, "early");
	for (int i = 0; i < 5; i++)
		turn();
	assert_int_equal(stream_unsent(&a.s), 5);
	assert_int_equal(a.n_drained, 0);
	assert_int_equal(a.s.is_dirty, false); /* the loop does not turn for it */
	shake_hands();
	turn_until(stream_unsent(&a.s) == 0);
	client_reads(text, 5);
	close_tls(&a);
}

static void many_pieces_share_a_record(void **state)
{
	struct side a;
	char text[4096];
	uint64_t n_before;
	(void)state;

	open_tls_tcp(&a);
	shake_hands();
	n_before = BIO_number_read(SSL_get_rbio(client));
	for (int i = 0; i < 200; i++)
		send_text(&a, "0123456789");
	turn_until(stream_unsent(&a.s) == 0);
	client_reads(text, 2000);
	/* The tickets are among it. */
	assert_true(BIO_number_read(SSL_get_rbio(client)) - n_before < 2000 + 1000);
	close_tls(&a);
}

/* A stream with so much to send that its socket is full. */
static void open_full(struct side *side, size_t size)
{
	struct chunk *c = chunk_new(size);

	memset(chunk_fill(c), 'x', size);
	open_tls_tcp(side);
	shake_hands();
	stream_send(&side->s, c);
	turn_until(side->s.writing);
}

static void a_full_socket_leaves_the_rest_queued_and_counted(void **state)
{
	static char bytes[1 << 16];
	size_t size = 16 << 20, got = 0, n;
	struct side a;
	(void)state;

	open_full(&a, size);
	assert_true(stream_unsent(&a.s) > 0);
	assert_int_equal(a.s.written + stream_unsent(&a.s), size);
	assert_int_equal(atomic_load(&worker.unsent), stream_unsent(&a.s));
	while (got < size) {
		n = client_read(bytes, sizeof(bytes));
		got += n;
		turn();
		assert_int_equal(a.s.written + stream_unsent(&a.s), size);
		assert_false(gave_up);
	}
	turn_until(stream_unsent(&a.s) == 0);
	assert_int_equal(atomic_load(&worker.unsent), 0);
	assert_int_equal(got, size);
	close_tls(&a);
}

static void dropping_keeps_the_end_of_what_was_begun(void **state)
{
	static char bytes[1 << 16];
	size_t size = 16 << 20, got = 0, unsent;
	struct side a;
	(void)state;

	open_full(&a, size);
	unsent = stream_unsent(&a.s);
	send_text(&a, "never begun");
	stream_drop_queued(&a.s);
	assert_int_equal(stream_unsent(&a.s), unsent);
	send_text(&a, "last");
	while (got < size + 4) {
		got += client_read(bytes, sizeof(bytes));
		turn();
		assert_false(gave_up);
	}
	turn_until(stream_unsent(&a.s) == 0);
	assert_int_equal(client_read(bytes, sizeof(bytes)), 0);
	close_tls(&a);
}

static void shutdown_says_the_end_behind_what_is_queued(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_tls_tcp(&a);
	shake_hands();
	send_text(&a, "end");
	stream_shutdown(&a.s);
	send_text(&a, "dropped");
	for (int i = 0; i < 5; i++)
		turn();
	client_reads(text, 3);
	assert_int_equal(client_read(text, sizeof(text)), 0);
	assert_true(SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN);
	assert_int_equal(recv(a.peer, text, sizeof(text), 0), 0);
	/* The other direction stays open. */
	assert_int_equal(SSL_write(client, "more", 4), 4);
	turn_until(a.got.len == 4);
	close_tls(&a);
}

static void the_clients_end_is_told_once_and_output_still_goes(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_tls_tcp(&a);
	shake_hands();
	assert_int_equal(SSL_shutdown(client), 0);
	turn_until(a.n_ends == 1);
	assert_int_equal(a.ends[0], 0);
	send_text(&a, "bye");
	for (int i = 0; i < 5; i++)
		turn();
	client_reads(text, 3);
	assert_int_equal(a.n_ends, 1);
	close_tls(&a);
}

static void closing_says_the_end_where_nothing_was_left_unsaid(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_tls_tcp(&a);
	shake_hands();
	stream_close(&a.s);
	turn_until(a.n_closed == 1);
	assert_int_equal(client_read(text, sizeof(text)), 0);
	assert_true(SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN);
	SSL_free(client);
	close(a.peer);

	open_tls_tcp(&a);
	shake_hands();
	send_text(&a, "unsaid");
	stream_close(&a.s);
	turn_until(a.n_closed == 1);
	assert_int_equal(client_read(text, sizeof(text)), 0);
	assert_false(SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN);
	SSL_free(client);
	close(a.peer);
}

static void bytes_that_are_no_tls_fail_the_stream_once(void **state)
{
	char answer[64] = {0};
	struct side a;
	(void)state;

	open_tls_tcp(&a);
	a.close_on_end = true;
	assert_int_equal(write(a.peer, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	turn_until(a.n_ends == 1);
	assert_int_equal(a.ends[0], -EPROTO);
	turn_until(a.n_closed == 1);
	assert_int_equal(a.n_data, 0);
	assert_int_equal(recv(a.peer, answer, sizeof(answer), 0), sizeof(answer));
	assert_memory_equal(answer, "HTTP/1.1 400 ", 13);
	SSL_free(client);
	close(a.peer);
}

static void update_key(int kind)
{
	assert_int_equal(SSL_key_update(client, kind), 1);
	assert_int_equal(SSL_do_handshake(client), 1);
}

static void keys_may_be_renewed_but_not_without_end(void **state)
{
	struct side a;
	char text[8];
	(void)state;

	open_tls_tcp(&a);
	shake_hands();
	for (int i = 0; i < 40; i++) {
		update_key(SSL_KEY_UPDATE_REQUESTED);
		assert_int_equal(SSL_write(client, "x", 1), 1);
		send_text(&a, "y");
		client_reads(text, 1);
	}
	turn_until(a.got.len == 40);
	assert_int_equal(a.n_ends, 0);
	a.close_on_end = true;
	for (int i = 0; i < 40; i++)
		update_key(SSL_KEY_UPDATE_NOT_REQUESTED);
	turn_until(a.n_closed == 1);
	assert_int_equal(a.ends[0], -EPROTO);
	SSL_free(client);
	close(a.peer);
	buf_deinit(&a.got);
}

static void a_stream_may_close_itself_in_each_callback(void **state)
{
	struct side a;
	(void)state;

	open_tls_tcp(&a);
	a.close_on_data = true;
	shake_hands();
	send_text(&a, "dropped");
	assert_int_equal(SSL_write(client, "x", 1), 1);
	turn_until(a.n_closed == 1);
	SSL_free(client);
	close(a.peer);
	buf_deinit(&a.got);

	open_tls_tcp(&a);
	shake_hands();
	a.close_on_drained = true;
	send_text(&a, "x");
	turn_until(a.n_closed == 1);
	SSL_free(client);
	close(a.peer);
}

static void another_context_is_for_the_next_streams(void **state)
{
	struct side a;
	struct buf why = {0};
	struct tls_context *next;
	SSL *first;
	(void)state;

	open_tls_tcp(&a);
	first = client;
	assert_int_equal(tls_context_load(&next, cert_path, key_path, &why), 0);
	tls_context_unref(worker.tls_context);
	worker.tls_context = next;
	shake_hands();
	assert_ptr_equal(client, first);
	assert_int_equal(SSL_write(client, "x", 1), 1);
	turn_until(a.got.len == 1);
	close_tls(&a);
}

#define TLS_CLAIM(name)                                                           \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down_tls),             \
	{                                                                         \
#name "_with_a_ring", name, set_up_with_ring, tear_down_tls, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TLS_CLAIM(bytes_come_and_go_inside_it),
		TLS_CLAIM(what_is_queued_before_the_handshake_waits_for_it),
		TLS_CLAIM(many_pieces_share_a_record),
		TLS_CLAIM(a_full_socket_leaves_the_rest_queued_and_counted),
		TLS_CLAIM(dropping_keeps_the_end_of_what_was_begun),
		TLS_CLAIM(shutdown_says_the_end_behind_what_is_queued),
		TLS_CLAIM(the_clients_end_is_told_once_and_output_still_goes),
		TLS_CLAIM(closing_says_the_end_where_nothing_was_left_unsaid),
		TLS_CLAIM(bytes_that_are_no_tls_fail_the_stream_once),
		TLS_CLAIM(keys_may_be_renewed_but_not_without_end),
		TLS_CLAIM(a_stream_may_close_itself_in_each_callback),
		TLS_CLAIM(another_context_is_for_the_next_streams),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
