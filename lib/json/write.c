/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/json/write.h"

#include <math.h>
#include <string.h>

#include "lib/util/text.h"

static void separate(struct json_writer *w)
{
	if (w->comma)
		strbuf_addch(w->out, ',');
	w->comma = true;
}

void json_open(struct json_writer *w, char bracket)
{
	separate(w);
	strbuf_addch(w->out, bracket);
	w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
	strbuf_addch(w->out, bracket);
	w->comma = true;
}

static void add_escaped(struct strbuf *out, unsigned char c)
{
	static const char names[] = "btn_fr"; /* 0x08 .. 0x0d, 0x0b has none */

	if (c == '"' || c == '\\')
		strbuf_addf(out, "\\%c", c);
	else if (c >= 0x08 && c <= 0x0d && c != 0x0b)
		strbuf_addf(out, "\\%c", names[c - 0x08]);
	else
		strbuf_addf(out, "\\u%04x", c);
}

/* Which of 8 bytes do not stand for themselves; a byte above one of them may be among what is
 * found, which does no harm. */
static uint64_t odd_of_8(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
	uint64_t quote = v ^ '"' * ones, slash = v ^ '\\' * ones, del = v ^ 0x7f * ones;

	return ((v - 0x20 * ones) | (quote - ones) | (slash - ones) | (del - ones) | v) & high;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Bytes at the start of s that stand for themselves. */
static size_t plain_length(const char *s, size_t len)
{
	size_t n = 0;
	uint64_t v;

	for (; n + sizeof(v) <= len; n += sizeof(v)) {
		memcpy(&v, s + n, sizeof(v));
		if (odd_of_8(v))
			break;
	}
	while (n < len && is_plain((unsigned char)s[n]))
		n++;
	return n;
}

static void add_odd(struct strbuf *out, const char *s, size_t len)
{
	while (len) {
		size_t plain = plain_length(s, len), n;

		strbuf_add(out, s, plain);
		s += plain;
		len -= plain;
		if (!len)
			break;
		n = text_utf8_sequence(s, len);
		if (n > 1)
			strbuf_add(out, s, n);
		else if (n == 1)
			add_escaped(out, (unsigned char)*s);
		else
			strbuf_addstr(out, "\xef\xbf\xbd");
		s += n ? n : 1;
		len -= n ? n : 1;
	}
}

/* A comma if one is due, s in quotes, and after, if that is not 0.  Nearly all strings are
 * plain: room is made once for all of it. */
static void put_quoted(struct json_writer *w, const char *s, char after)
{
	struct strbuf *out = w->out;
	size_t len = strlen(s), plain = plain_length(s, len);
	char *p;

	strbuf_grow(out, plain + 4);
	p = out->buf + out->len;
	if (w->comma)
		*p++ = ',';
	*p++ = '"';
	memcpy(p, s, plain);
	p += plain;
	if (plain < len) {
		strbuf_setlen(out, (size_t)(p - out->buf));
		add_odd(out, s + plain, len - plain);
		strbuf_grow(out, 2);
		p = out->buf + out->len;
	}
	*p++ = '"';
	if (after)
		*p++ = after;
	strbuf_setlen(out, (size_t)(p - out->buf));
	w->comma = !after;
}

void json_key(struct json_writer *w, const char *key)
{
	put_quoted(w, key, ':');
}

void json_string(struct json_writer *w, const char *s)
{
	if (s)
		put_quoted(w, s, '\0');
	else
		json_null(w);
}

void json_int(struct json_writer *w, int64_t v)
{
	separate(w);
	text_add_int(w->out, v);
}

void json_double(struct json_writer *w, double v)
{
	separate(w);
	if (!isfinite(v))
		strbuf_addch(w->out, '"');
	text_add_double(w->out, v);
	if (!isfinite(v))
		strbuf_addch(w->out, '"');
}

void json_bool(struct json_writer *w, bool v)
{
	separate(w);
	strbuf_addstr(w->out, v ? "true" : "false");
}

void json_null(struct json_writer *w)
{
	separate(w);
	strbuf_addstr(w->out, "null");
}

void json_raw(struct json_writer *w, const char *text, size_t len)
{
	separate(w);
	strbuf_add(w->out, text, len);
}

void json_put_string(struct json_writer *w, const char *key, const char *s)
{
	json_key(w, key);
	json_string(w, s);
}

void json_put_int(struct json_writer *w, const char *key, int64_t v)
{
	json_key(w, key);
	json_int(w, v);
}

void json_put_double(struct json_writer *w, const char *key, double v)
{
	json_key(w, key);
	json_double(w, v);
}

void json_put_bool(struct json_writer *w, const char *key, bool v)
{
	json_key(w, key);
	json_bool(w, v);
}
