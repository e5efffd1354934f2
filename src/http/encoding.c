/* Accept-Encoding: which of the encodings that we have does the client want most? */
#include "http/http_internal.h"
#include "http/text.h"

/** Weights in thousandths (RFC 9110, 12.4.2). */
#define Q_MAX 1000
#define Q_UNSET (-1)

/** "0", "1", "0.5", "1.000"; what is no weight counts as 0: it is not wanted for sure. */
static int read_weight(struct span s)
{
	int q = 0;
	int unit = Q_MAX;

	if (s.len == 0 || s.len > 5 || (s.p[0] != '0' && s.p[0] != '1'))
		return 0;
	q = (s.p[0] - '0') * unit;
	if (s.len > 1 && s.p[1] != '.')
		return 0;
	for (size_t i = 2; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		unit /= 10;
		q += (s.p[i] - '0') * unit;
	}
	return q > Q_MAX ? 0 : q;
}

static int element_weight(struct span params)
{
	struct span param;

	while (text_next(&params, ';', &param)) {
		if (param.len >= 2 && (param.p[0] == 'q' || param.p[0] == 'Q') && param.p[1] == '=')
			return read_weight((struct span){.p = param.p + 2, .len = param.len - 2});
	}
	return Q_MAX;
}

enum http_encoding http_choose_encoding(struct span accept, bool has_gzip, bool has_brotli)
{
	int identity = Q_UNSET;
	int gzip = Q_UNSET;
	int brotli = Q_UNSET;
	int any = Q_UNSET;
	struct span element;

	while (text_next(&accept, ',', &element)) {
		struct span coding;
		if (!text_next(&element, ';', &coding))
			continue;
		int q = element_weight(element);
		if (text_equal_nocase(coding, SPAN("br")))
			brotli = q;
		else if (text_equal_nocase(coding, SPAN("gzip")) ||
			 text_equal_nocase(coding, SPAN("x-gzip")))
			gzip = q;
		else if (text_equal_nocase(coding, SPAN("identity")))
			identity = q;
		else if (span_equal(coding, SPAN("*")))
			any = q;
	}
	/* "*" stands for what is not named; nothing named is wanted unless it is identity. */
	if (brotli == Q_UNSET)
		brotli = any == Q_UNSET ? 0 : any;
	if (gzip == Q_UNSET)
		gzip = any == Q_UNSET ? 0 : any;
	/* Identity is acceptable unless ruled out, but less welcome than what was asked for. */
	if (identity == Q_UNSET)
		identity = any == 0 ? 0 : 1;

	if (has_brotli && brotli > 0 && brotli >= gzip && brotli >= identity)
		return HTTP_BROTLI;
	if (has_gzip && gzip > 0 && gzip >= identity)
		return HTTP_GZIP;
	if (identity > 0)
		return HTTP_IDENTITY;
	return has_brotli && brotli > 0 ? HTTP_BROTLI : HTTP_NOT_ACCEPTABLE;
}
