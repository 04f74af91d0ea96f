/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/json/lines.h"

#include <math.h>
#include <string.h>

#include "lib/json/number.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/vec.h"

/* Above this a time is in milliseconds: as seconds it would be the year 5138. */
static const double seconds_max = 1e11;

struct number {
	size_t key, len; /* in keys */
	double value;
};

struct lines {
	lines_fn *fn;
	void *data;
	lines_odd_fn *odd; /* or NULL */
	void *odd_data;
	struct lines_stats stats;
	struct strbuf partial; /* a line whose end has not come yet */
	bool skipping;	       /* to the end of a line that is too long */

	/* Of the line being read; kept, so that a line costs no allocation. */
	const char *p, *end;
	const char *number;   /* where the last number began; it ends at p */
	struct strbuf prefix; /* "outer/inner/" */
	struct strbuf name;   /* a string with escapes, decoded */
	struct strbuf keys;
	VEC(struct number) numbers;
	struct lines_place place;
	int64_t ignored;
};

struct lines *lines_new(lines_fn *fn, void *data)
{
	struct lines *l = xcalloc(1, sizeof(*l));

	l->fn = fn;
	l->data = data;
	strbuf_init(&l->partial);
	strbuf_init(&l->prefix);
	strbuf_init(&l->name);
	strbuf_init(&l->keys);
	return l;
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
	strbuf_release(&l->partial);
	strbuf_release(&l->prefix);
	strbuf_release(&l->name);
	strbuf_release(&l->keys);
	vec_free(&l->numbers);
	free(l);
}

void lines_tell_odd(struct lines *l, lines_odd_fn *fn, void *data)
{
	l->odd = fn;
	l->odd_data = data;
}

struct lines_stats *lines_stats(struct lines *l)
{
	return &l->stats;
}

static void skip_blanks(struct lines *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t' || *l->p == '\r' || *l->p == '\n'))
		l->p++;
}

/* Moves over c, after blanks. */
static bool take(struct lines *l, char c)
{
	skip_blanks(l);
	if (l->p == l->end || *l->p != c)
		return false;
	l->p++;
	return true;
}

static bool read_unit(struct lines *l, unsigned *unit)
{
	unsigned char two[2];

	if (l->end - l->p < 4 || !text_unhex(two, l->p, 2))
		return false;
	l->p += 4;
	*unit = (unsigned)two[0] << 8 | two[1];
	return true;
}

static void add_utf8(struct strbuf *sb, unsigned c)
{
	if (c < 0x80) {
		strbuf_addch(sb, (int)c);
		return;
	}
	if (c < 0x800) {
		strbuf_addch(sb, (int)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			strbuf_addch(sb, (int)(0xe0 | c >> 12));
		} else {
			strbuf_addch(sb, (int)(0xf0 | c >> 18));
			strbuf_addch(sb, (int)(0x80 | (c >> 12 & 0x3f)));
		}
		strbuf_addch(sb, (int)(0x80 | (c >> 6 & 0x3f)));
	}
	strbuf_addch(sb, (int)(0x80 | (c & 0x3f)));
}

/* What follows "\u"; half a surrogate pair becomes U+FFFD. */
static bool add_unicode(struct lines *l)
{
	unsigned c, low;

	if (!read_unit(l, &c))
		return false;
	if (c >= 0xd800 && c < 0xdc00 && l->end - l->p >= 2 && l->p[0] == '\\' && l->p[1] == 'u') {
		const char *back = l->p;

		l->p += 2;
		if (!read_unit(l, &low))
			return false;
		if (low >= 0xdc00 && low < 0xe000)
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		else
			l->p = back;
	}
	add_utf8(&l->name, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	return true;
}

static bool add_escape(struct lines *l)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (l->p == l->end)
		return false;
	if (*l->p == 'u') {
		l->p++;
		return add_unicode(l);
	}
	found = *l->p ? strchr(names, *l->p) : NULL;
	if (!found)
		return false;
	strbuf_addch(&l->name, bytes[found - names]);
	l->p++;
	return true;
}

/* A string behind its opening quote; what is returned is in the line or in name. */
static bool read_string(struct lines *l, const char **s, size_t *len)
{
	const char *start = l->p;

	while (l->p < l->end && *l->p != '"' && *l->p != '\\')
		l->p++;
	if (l->p < l->end && *l->p == '"') {
		*s = start;
		*len = (size_t)(l->p++ - start);
		return true;
	}
	strbuf_clear(&l->name);
	for (;;) {
		strbuf_add(&l->name, start, (size_t)(l->p - start));
		if (l->p == l->end)
			return false;
		if (*l->p++ == '"')
			break;
		if (!add_escape(l))
			return false;
		start = l->p;
		while (l->p < l->end && *l->p != '"' && *l->p != '\\')
			l->p++;
	}
	*s = l->name.buf;
	*len = l->name.len;
	return true;
}

static bool take_word(struct lines *l, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(l->end - l->p) < n || memcmp(l->p, word, n))
		return false;
	l->p += n;
	return true;
}

static bool skip_members(struct lines *l, char close, int depth);

/* Any value; blanks before it are skipped. */
static bool skip_value(struct lines *l, int depth)
{
	const char *s;
	size_t len;
	double v;

	skip_blanks(l);
	if (l->p == l->end)
		return false;
	switch (*l->p) {
	case '{':
	case '[':
		return skip_members(l, *l->p == '{' ? '}' : ']', depth + 1);
	case '"':
		l->p++;
		return read_string(l, &s, &len);
	case 't':
		return take_word(l, "true");
	case 'f':
		return take_word(l, "false");
	default:
		return take_word(l, "null") || json_scan_number(&l->p, l->end, &v) ||
		       json_scan_special(&l->p, l->end, &v);
	}
}

static bool skip_members(struct lines *l, char close, int depth)
{
	const char *s;
	size_t len;

	l->p++;
	if (depth > LINES_DEPTH_MAX)
		return false;
	if (take(l, close))
		return true;
	do {
		if (close == '}' && !(take(l, '"') && read_string(l, &s, &len) && take(l, ':')))
			return false;
		if (!skip_value(l, depth))
			return false;
	} while (take(l, ','));
	return take(l, close);
}

/* The whole text as an integer; a double has not the digits of all of them. */
static bool scan_int(const char *p, const char *end, int64_t *out)
{
	bool negative = p < end && *p == '-';
	int64_t n = 0;

	for (p += negative; p < end; p++) {
		int digit = *p - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, negative ? -digit : digit, &n))
			return false;
	}
	*out = n;
	return true;
}

static void set_step(struct lines *l, double v)
{
	if (scan_int(l->number, l->p, &l->place.step)) {
		l->place.has_step = true;
		return;
	}
	/* "3.0", "1e6".  Both bounds are exact doubles; NaN fails the comparison. */
	if (v >= -0x1p63 && v < 0x1p63 && v == floor(v)) {
		l->place.has_step = true;
		l->place.step = (int64_t)v;
	} else {
		l->ignored++;
	}
}

static void set_time(struct lines *l, double v)
{
	double ms = v > seconds_max ? v : v * 1000;

	if (ms >= 0 && ms < 0x1p53) {
		l->place.has_time = true;
		l->place.time_ms = (int64_t)(ms + 0.5);
	} else {
		l->ignored++;
	}
}

static void add_number(struct lines *l, const char *key, size_t len, double v, int depth)
{
	struct number n = { .key = l->keys.len, .value = v };

	if (depth == 1 && len == 4 && !memcmp(key, "step", 4)) {
		set_step(l, v);
		return;
	}
	if (depth == 1 && len == 4 && !memcmp(key, "time", 4)) {
		set_time(l, v);
		return;
	}
	strbuf_add(&l->keys, l->prefix.buf, l->prefix.len);
	strbuf_add(&l->keys, key, len);
	n.len = l->keys.len - n.key;
	vec_push(&l->numbers, n);
}

static bool read_quoted(struct lines *l, const char *key, size_t key_len, int depth)
{
	/* The key may be in name, which decoding an escape would overwrite. */
	const char *start = ++l->p, *s;
	size_t len;
	double v;

	l->number = l->p;
	if (json_scan_special(&l->p, l->end, &v) && l->p < l->end && *l->p == '"') {
		l->p++;
		add_number(l, key, key_len, v, depth);
		return true;
	}
	l->p = start;
	l->ignored++;
	return read_string(l, &s, &len);
}

static bool read_object(struct lines *l, int depth);

static bool read_member(struct lines *l, const char *key, size_t len, int depth)
{
	size_t prefix = l->prefix.len;
	bool good;
	double v;

	skip_blanks(l);
	if (l->p == l->end)
		return false;
	l->number = l->p;
	if (json_scan_number(&l->p, l->end, &v) || json_scan_special(&l->p, l->end, &v)) {
		add_number(l, key, len, v, depth);
		return true;
	}
	switch (*l->p) {
	case '"':
		return read_quoted(l, key, len, depth);
	case '{':
		strbuf_add(&l->prefix, key, len);
		strbuf_addch(&l->prefix, '/');
		good = read_object(l, depth + 1);
		strbuf_setlen(&l->prefix, prefix);
		return good;
	default:
		l->ignored++;
		return skip_value(l, depth);
	}
}

static bool read_object(struct lines *l, int depth)
{
	const char *key;
	size_t len;

	if (depth > LINES_DEPTH_MAX || !take(l, '{'))
		return false;
	if (take(l, '}'))
		return true;
	do {
		if (!take(l, '"') || !read_string(l, &key, &len) || !take(l, ':') ||
		    !read_member(l, key, len, depth))
			return false;
	} while (take(l, ','));
	return take(l, '}');
}

static void note_bad(struct lines *l, const char *line, size_t len)
{
	size_t n = MIN(len, sizeof(l->stats.first_bad) - 1);

	if (!l->stats.bad_lines++) {
		memcpy(l->stats.first_bad, line, n);
		l->stats.first_bad[n] = '\0';
	}
	if (l->odd)
		l->odd(l->odd_data, line, len);
}

/* How many there were that could not be taken. */
static int64_t hand_on(struct lines *l)
{
	int64_t refused = 0;

	for (size_t i = 0; i < l->numbers.len; i++) {
		const struct number *n = &l->numbers.v[i];

		refused += !l->fn(l->data, l->keys.buf + n->key, n->len, n->value, &l->place);
	}
	l->stats.points += (int64_t)l->numbers.len - refused;
	l->stats.bad_keys += refused;
	return refused;
}

static void read_line(struct lines *l, const char *line, size_t len)
{
	int64_t refused;

	l->p = line;
	l->end = line + len;
	l->ignored = 0;
	l->place = (struct lines_place){ 0 };
	l->numbers.len = 0;
	strbuf_clear(&l->keys);
	strbuf_clear(&l->prefix);
	skip_blanks(l);
	if (l->p == l->end)
		return;
	if (!read_object(l, 1) || (skip_blanks(l), l->p != l->end)) {
		note_bad(l, line, len);
		return;
	}
	l->stats.lines++;
	l->stats.ignored += l->ignored;
	refused = hand_on(l);
	if ((l->ignored || refused) && l->odd)
		l->odd(l->odd_data, line, len);
}

/* Keeps the start of a line, unless it has grown too long. */
static void keep(struct lines *l, const char *data, size_t len)
{
	if (l->skipping)
		return;
	if (l->partial.len + len > LINES_MAX) {
		strbuf_add(&l->partial, data, MIN(len, sizeof(l->stats.first_bad)));
		note_bad(l, l->partial.buf, l->partial.len);
		strbuf_clear(&l->partial);
		l->skipping = true;
		return;
	}
	strbuf_add(&l->partial, data, len);
}

void lines_data(struct lines *l, const char *data, size_t len)
{
	const char *end = data + len, *newline;

	for (; data < end; data = newline + 1) {
		newline = memchr(data, '\n', (size_t)(end - data));
		if (!newline) {
			keep(l, data, (size_t)(end - data));
			return;
		}
		if (!l->partial.len && !l->skipping && newline - data <= LINES_MAX) {
			read_line(l, data, (size_t)(newline - data));
			continue;
		}
		keep(l, data, (size_t)(newline - data));
		lines_end(l);
	}
}

void lines_end(struct lines *l)
{
	if (!l->skipping)
		read_line(l, l->partial.buf, l->partial.len);
	strbuf_clear(&l->partial);
	l->skipping = false;
}
