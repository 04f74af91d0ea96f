/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/text.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "lib/util/xalloc.h"

bool text_parse_int(const char *s, int64_t *out)
{
	char *end;
	long long v;

	if (!*s || isspace((unsigned char)*s))
		return false;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end)
		return false;
	*out = v;
	return true;
}

bool text_parse_double(const char *s, double *out)
{
	char *end;

	if (!*s || isspace((unsigned char)*s))
		return false;
	*out = strtod(s, &end);
	return !*end;
}

bool text_parse_size(const char *s, int64_t *out)
{
	static const char units[] = "kmgt";
	char *end;
	double v = strtod(s, &end);
	const char *unit;

	if (end == s || !(v >= 0))
		return false;
	if (*end && (unit = strchr(units, tolower((unsigned char)*end)))) {
		v *= pow(1024, (double)(unit - units + 1));
		end++;
		if (!strncmp(end, "iB", 2))
			end += 2;
		else if (*end == 'B' || *end == 'b')
			end++;
	} else if (!strcmp(end, "B")) {
		end++;
	}
	if (*end || v > 9e18)
		return false;
	*out = (int64_t)v;
	return true;
}

void text_add_double_short(struct strbuf *sb, double v)
{
	if (!isfinite(v))
		text_add_double(sb, v);
	else if (fabs(v) >= 1e4 && fabs(v) < 1e15 && v == floor(v))
		strbuf_addf(sb, "%.0f", v);
	else if (fabs(v) >= 1e4 && fabs(v) < 1e7)
		strbuf_addf(sb, "%.1f", v);
	else
		strbuf_addf(sb, "%.4g", v);
}

void text_add_size(struct strbuf *sb, int64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double v = (double)bytes;
	int u = -1;

	while (v >= 1024 && u + 1 < (int)ARRAY_SIZE(units)) {
		v /= 1024;
		u++;
	}
	if (u < 0)
		strbuf_addf(sb, "%" PRId64 " B", bytes);
	else
		strbuf_addf(sb, "%.*f %s", v < 10 ? 1 : 0, v, units[u]);
}

void text_hex(char *out, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_unhex(void *out, const char *hex, size_t len)
{
	unsigned char *p = out;

	for (size_t i = 0; i < len; i++) {
		int hi = hex_value(hex[2 * i]), lo = hi < 0 ? -1 : hex_value(hex[2 * i + 1]);

		if (lo < 0)
			return false;
		p[i] = (unsigned char)(hi << 4 | lo);
	}
	return true;
}

bool text_is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return true;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t text_utf8_sequence(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char lo = 0x80, hi = 0xbf;
	size_t n;

	if (!len)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (len < n)
		return 0;
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

size_t text_utf8_cut(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n <= max)
		return n;
	n = max;
	while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

bool text_is_utf8(const char *s, size_t len)
{
	while (len) {
		uint64_t eight = UINT64_MAX;
		size_t n;

		if (len >= sizeof(eight))
			memcpy(&eight, s, sizeof(eight));
		/* Most text has no other bytes than ASCII. */
		n = eight & 0x8080808080808080 ? text_utf8_sequence(s, len) : sizeof(eight);
		if (!n)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

static wchar_t decode(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	switch (n) {
	case 1:
		return p[0];
	case 2:
		return (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	case 3:
		return (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	default:
		return (p[0] & 0x07) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 |
		       (p[3] & 0x3f);
	}
}

size_t text_width(const char *s, size_t len)
{
	size_t cells = 0;

	while (len) {
		size_t n = text_utf8_sequence(s, len);
		int w = n ? wcwidth(decode(s, n)) : 1;

		if (!n)
			n = 1;
		/* In the C locale wcwidth() knows ASCII only; count 1 then. */
		cells += w < 0 ? 1 : (size_t)w;
		s += n;
		len -= n;
	}
	return cells;
}

void text_add_printable(struct strbuf *sb, const char *s, size_t len)
{
	while (len) {
		size_t n = text_utf8_sequence(s, len);
		wchar_t c = n ? decode(s, n) : 0;

		if (!n) {
			strbuf_addstr(sb, "\xef\xbf\xbd");
			n = 1;
		} else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			strbuf_addf(sb, "\\x%02x", (unsigned)c);
		} else {
			strbuf_add(sb, s, n);
		}
		s += n;
		len -= n;
	}
}

bool text_glob(const char *pattern, const char *name)
{
	return !fnmatch(pattern, name, 0);
}

size_t text_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), w = m + 1;
	_cleanup_free_ size_t *d = xcalloc((n + 1) * w, sizeof(*d));

	for (size_t i = 0; i <= n; i++)
		d[i * w] = i;
	for (size_t j = 0; j <= m; j++)
		d[j] = j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			size_t best = d[(i - 1) * w + j - 1] + (a[i - 1] != b[j - 1]);

			best = MIN(best, d[(i - 1) * w + j] + 1);
			best = MIN(best, d[i * w + j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, d[(i - 2) * w + j - 2] + 1);
			d[i * w + j] = best;
		}
	}
	return d[n * w + m];
}
