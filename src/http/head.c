/*
 * The line guard: lines, sizes and the request line, judged before llhttp sees a byte.  Trailers go
 * through it too, and never reach llhttp: nothing of ours may be in one.
 *
 * llhttp lets through folded lines, bare line feeds, any size, any version and a request line
 * without one.  A proxy in front may read such a head otherwise than we do, which is how requests
 * are smuggled (RFC 9112, 11.2), so none of them is guessed at: all are refused.
 */
#include "http/http_internal.h"
#include "http/text.h"

/** Longer than any method; what comes without a space in as many bytes is not HTTP. */
#define MAX_METHOD 32
/** Bytes of a request line beside its target: method, two spaces, version. */
#define MAX_LINE_EXTRA (MAX_METHOD + 2 + 8)
/** RFC 9112, 2.2: an empty line or so before the request line is forgiven. */
#define MAX_EMPTY_LINES 4

#define HEAD_IS_WHOLE 1

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/** method SP target SP HTTP/d.d (RFC 9112, 3). */
static int judge_request_line(struct http *h, struct span line)
{
	const char *end = line.p + line.len;
	const char *sp1 = memchr(line.p, ' ', line.len);
	if (sp1 == NULL)
		return 400;
	const char *target = sp1 + 1;
	const char *sp2 = memchr(target, ' ', (size_t)(end - target));
	if (sp2 == NULL || sp2 == target)
		return 400;
	struct span method = {.p = line.p, .len = (size_t)(sp1 - line.p)};
	struct span version = {.p = sp2 + 1, .len = (size_t)(end - sp2 - 1)};

	if (!text_is_token(method))
		return 400;
	if ((size_t)(sp2 - target) > h->limits.max_target)
		return 414;
	if (version.len != 8 || memcmp(version.p, "HTTP/", 5) != 0 || !is_digit(version.p[5]) ||
	    version.p[6] != '.' || !is_digit(version.p[7]))
		return 400;
	if (version.p[5] != '1' || version.p[7] > '1')
		return 505;
	h->is_http_1_0 = version.p[7] == '0';
	return 0;
}

/** token ":" value (RFC 9112, 5.1): llhttp passes over a field without a name. */
static int judge_field(struct span line)
{
	const char *colon = memchr(line.p, ':', line.len);

	if (colon == NULL)
		return 400;
	return text_is_token((struct span){.p = line.p, .len = (size_t)(colon - line.p)}) ? 0 : 400;
}

/** White space is no part of a value (RFC 9112, 5.1), but llhttp minds a tab at the end of some. */
static void blank_end(char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\t' || line[len - 1] == ' '))
		line[--len] = ' ';
}

static bool is_in_request_line(const struct http_head_scan *scan)
{
	return !scan->is_trailer && scan->request_line_len == 0;
}

/** A line is whole: it begins at scan.line_start and its CRLF is in @lines. */
static int end_line(struct http *h, struct buf *lines)
{
	struct http_head_scan *scan = &h->scan;
	struct span line = {
		.p = lines->p + scan->line_start,
		.len = lines->len - 2 - scan->line_start,
	};

	if (is_in_request_line(scan)) {
		if (line.len == 0) {
			lines->len = 0;
			return ++scan->n_empty > MAX_EMPTY_LINES ? 400 : 0;
		}
		scan->request_line_len = line.len;
		scan->line_start = lines->len;
		return judge_request_line(h, line);
	}
	blank_end(lines->p + scan->line_start, line.len);
	scan->line_start = lines->len;
	return line.len == 0 ? HEAD_IS_WHOLE : judge_field(line);
}

static int judge_size(const struct http *h, const struct buf *lines)
{
	const struct http_head_scan *scan = &h->scan;

	if (is_in_request_line(scan)) {
		if (lines->len > MAX_METHOD && memchr(lines->p, ' ', MAX_METHOD) == NULL)
			return 400;
		return lines->len > h->limits.max_target + MAX_LINE_EXTRA + 2 ? 414 : 0;
	}
	/* The header's bytes without the request line and the empty line that ends it. */
	size_t n_header = lines->len - (scan->is_trailer ? 0 : scan->request_line_len + 2);
	return n_header > h->limits.max_header + 2 ? 431 : 0;
}

static int take_byte(struct http *h, struct buf *lines, char c)
{
	struct http_head_scan *scan = &h->scan;
	bool is_line_start = lines->len == scan->line_start;
	unsigned char byte = (unsigned char)c;

	if (scan->saw_cr != (c == '\n'))
		return 400; /* a CR alone, or an LF alone */
	if ((byte < ' ' && c != '\t' && c != '\r' && c != '\n') || byte == 0x7f)
		return 400;
	if (is_in_request_line(scan) && c == '\t')
		return 400;
	if (is_line_start && (c == ' ' || c == '\t'))
		return 400; /* a folded line (RFC 9112, 5.2), or a space before the first */
	buf_append_char(lines, c);
	scan->saw_cr = c == '\r';

	int status = judge_size(h, lines);
	if (status == 0 && c == '\n')
		status = end_line(h, lines);
	return status;
}

size_t http_scan_head(struct http *h, const char *bytes, size_t len, int *status)
{
	struct buf *lines = h->scan.is_trailer ? &h->trailer : &h->head;

	*status = 0;
	for (size_t i = 0; i < len; i++) {
		*status = take_byte(h, lines, bytes[i]);
		if (*status != 0)
			return i + 1;
	}
	return len;
}
