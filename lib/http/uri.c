/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/http/uri.h"

#include <string.h>

#include "lib/util/strbuf.h"
#include "lib/util/text.h"

enum { ARGUMENTS_MAX = 1000 };

/* NULL for a broken escape or an encoded NUL.  Caller frees. */
static char *decode(const char *s, size_t len, bool plus)
{
	_release_(strbuf_release) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '%') {
			if (i + 2 >= len || !text_unhex(&c, s + i + 1, 1) || !c)
				return NULL;
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		strbuf_addch(&out, c);
	}
	return strbuf_detach(&out);
}

static void add_argument(struct uri *uri, const char *s, size_t len)
{
	const char *eq = memchr(s, '=', len);
	size_t name_len = eq ? (size_t)(eq - s) : len;
	struct uri_argument a = { 0 };

	if (!len)
		return;
	a.name = decode(s, name_len, true);
	a.value = eq ? decode(eq + 1, len - name_len - 1, true) : xstrdup("");
	if (a.name && a.value) {
		vec_push(&uri->query, a);
		return;
	}
	free(a.name);
	free(a.value);
}

void uri_parse(struct uri *uri, const char *target)
{
	size_t len = strcspn(target, "?");
	const char *query = target + len;

	uri->raw_path = xmemdupz(target, len);
	uri->path = decode(target, len, false);
	while (*query && uri->query.len < ARGUMENTS_MAX) {
		size_t n = strcspn(++query, "&");

		add_argument(uri, query, n);
		query += n;
	}
	uri->cut = *query;
}

void uri_release(struct uri *uri)
{
	for (size_t i = 0; i < uri->query.len; i++) {
		free(uri->query.v[i].name);
		free(uri->query.v[i].value);
	}
	vec_free(&uri->query);
	free(uri->raw_path);
	free(uri->path);
	*uri = (struct uri){ 0 };
}

const char *uri_query(const struct uri *uri, const char *name, size_t index)
{
	for (size_t i = 0; i < uri->query.len; i++)
		if (!strcmp(uri->query.v[i].name, name) && !index--)
			return uri->query.v[i].value;
	return NULL;
}
