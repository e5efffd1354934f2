/* Readers of header values. */
#include "http/text.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool text_is_token_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool text_is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!text_is_token_char((unsigned char)s.p[i]))
			return false;
	}
	return s.len > 0;
}

bool text_equal_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span text_trim(struct span s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool text_next(struct span *rest, char separator, struct span *element)
{
	bool is_quoted = false;
	size_t i = 0;

	if (rest->p == NULL)
		return false;
	for (; i < rest->len; i++) {
		char c = rest->p[i];
		if (is_quoted && c == '\\')
			i++;
		else if (c == '"')
			is_quoted = !is_quoted;
		else if (c == separator && !is_quoted)
			break;
	}
	if (i > rest->len)
		i = rest->len; /* a backslash came last */
	*element = text_trim((struct span){.p = rest->p, .len = i});
	if (i < rest->len)
		*rest = (struct span){.p = rest->p + i + 1, .len = rest->len - i - 1};
	else
		*rest = (struct span){0};
	return true;
}

bool text_list_has(struct span list, struct span token)
{
	struct span element;

	while (text_next(&list, ',', &element)) {
		if (text_equal_nocase(element, token))
			return true;
	}
	return false;
}
