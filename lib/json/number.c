/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/json/number.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "lib/util/xalloc.h"

enum {
	DIGITS_MAX = 19, /* any number of that many digits is below 2^64 */
	POWER_MAX = 19,	 /* 10^19 < 2^64 */
};

static const uint64_t powers[POWER_MAX + 1] = {
	1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u,
	10000000000u, 100000000000u, 1000000000000u, 10000000000000u, 100000000000000u,
	1000000000000000u, 10000000000000000u, 100000000000000000u, 1000000000000000000u,
	10000000000000000000u,
};

struct decimal {
	uint64_t digits; /* valid up to DIGITS_MAX digits */
	unsigned count;	 /* significant digits */
	int exponent;	 /* of ten */
	bool negative;
};

static bool is_digit(const char *p, const char *end)
{
	return p < end && (unsigned)(*p - '0') < 10;
}

static const char *read_digits(const char *p, const char *end, struct decimal *d)
{
	for (; is_digit(p, end); p++) {
		d->digits = d->digits * 10 + (unsigned)(*p - '0');
		d->count += d->count || *p != '0';
	}
	return p;
}

static const char *read_exponent(const char *p, const char *end, struct decimal *d)
{
	bool negative = false;
	int e = 0;

	if (p < end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	if (!is_digit(p, end))
		return NULL;
	for (; is_digit(p, end); p++)
		e = MIN(e * 10 + (*p - '0'), 100000);
	d->exponent += negative ? -e : e;
	return p;
}

/* The end of the number, or NULL. */
static const char *scan(const char *p, const char *end, struct decimal *d)
{
	const char *start;

	if (p < end && *p == '-') {
		d->negative = true;
		p++;
	}
	if (!is_digit(p, end) || (*p == '0' && is_digit(p + 1, end)))
		return NULL;
	p = read_digits(p, end, d);
	if (p < end && *p == '.') {
		start = ++p;
		p = read_digits(p, end, d);
		if (p == start)
			return NULL;
		d->exponent = (int)MAX(start - p, -100000);
	}
	if (p < end && (*p | 0x20) == 'e')
		p = read_exponent(p + 1, end, d);
	return p;
}

/* digits / 10^power to 62 bits and more, what is left over folded into the last bit, so that
 * the one rounding to 53 bits at the end is right. */
static double divide(uint64_t digits, unsigned power)
{
	uint64_t by = powers[power];
	int up = __builtin_clzll(digits), down = __builtin_clzll(by);
	unsigned __int128 n = (unsigned __int128)(digits << up) << 63;
	uint64_t q, bits = (uint64_t)(1023 - 63 - up + down) << 52;
	double scale;

	by <<= down;
	q = (uint64_t)(n / by);
	q |= n != (unsigned __int128)q * by;
	memcpy(&scale, &bits, sizeof(scale));
	return (double)q * scale;
}

static bool convert(const struct decimal *d, double *out)
{
	if (d->count > DIGITS_MAX || d->exponent < -POWER_MAX || d->exponent > POWER_MAX)
		return false;
	if (!d->digits || !d->exponent)
		*out = (double)d->digits;
	else if (d->exponent < 0)
		*out = divide(d->digits, (unsigned)-d->exponent);
	else
		*out = (double)((unsigned __int128)d->digits * powers[d->exponent]);
	return true;
}

/* LC_NUMERIC is "C" in mlp, which sets LC_CTYPE only. */
static double convert_any(const char *p, size_t len)
{
	char text[128];
	_cleanup_free_ char *big = NULL;

	if (len >= sizeof(text)) {
		big = xmemdupz(p, len);
		return strtod(big, NULL);
	}
	memcpy(text, p, len);
	text[len] = '\0';
	return strtod(text, NULL);
}

bool json_scan_number(const char **p, const char *end, double *out)
{
	struct decimal d = { 0 };
	const char *stop = scan(*p, end, &d);

	if (!stop)
		return false;
	if (!convert(&d, out))
		*out = convert_any(*p, (size_t)(stop - *p));
	else if (d.negative)
		*out = -*out;
	*p = stop;
	return true;
}

static bool starts_with(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && !memcmp(p, word, n);
}

bool json_scan_special(const char **p, const char *end, double *out)
{
	static const char *const words[] = { "Infinity", "infinity", "inf", "NaN", "nan" };
	const char *s = *p;
	bool negative = s < end && *s == '-';

	s += negative;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!starts_with(s, end, words[i]))
			continue;
		*out = i >= 3 ? (double)NAN : negative ? -(double)INFINITY : (double)INFINITY;
		*p = s + strlen(words[i]);
		return true;
	}
	return false;
}
