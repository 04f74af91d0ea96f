/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers to decimal text, by integers where libc takes many digits: a page of metrics
 * is mostly numbers. */
#include "config.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/text.h"

typedef unsigned __int128 uint128;

enum {
	DIGITS = 17,	/* of a scaled number; always enough */
	SCALE_MAX = 27, /* 5^27 < 2^63 */
	BUFFER = 32,
};

static const uint64_t fives[SCALE_MAX + 1] = {
	1u, 5u, 25u, 125u, 625u, 3125u, 15625u, 78125u, 390625u, 1953125u, 9765625u, 48828125u,
	244140625u, 1220703125u, 6103515625u, 30517578125u, 152587890625u, 762939453125u,
	3814697265625u, 19073486328125u, 95367431640625u, 476837158203125u, 2384185791015625u,
	11920928955078125u, 59604644775390625u, 298023223876953125u, 1490116119384765625u,
	7450580596923828125u,
};

/* Writes digits that end at end; returns where they start. */
static char *put_digits(char *end, uint64_t v)
{
	static const char pairs[] =
		"0001020304050607080910111213141516171819202122232425262728293031323334353637383940"
		"4142434445464748495051525354555657585960616263646566676869707172737475767778798081"
		"828384858687888990919293949596979899";

	for (; v >= 100; v /= 100) {
		end -= 2;
		memcpy(end, pairs + 2 * (v % 100), 2);
	}
	if (v < 10) {
		*--end = (char)('0' + v);
		return end;
	}
	end -= 2;
	memcpy(end, pairs + 2 * v, 2);
	return end;
}

void text_add_int(struct strbuf *sb, int64_t v)
{
	char text[BUFFER], *end = text + sizeof(text), *p;

	p = put_digits(end, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
	if (v < 0)
		*--p = '-';
	strbuf_add(sb, p, (size_t)(end - p));
}

/* v = digits * 10^-scale exactly enough to be read back as v. */
struct decimal {
	uint64_t digits;
	int scale;
	int precision; /* digits that were asked for: 15, 16 or 17 */
};

/* The multiple of unit nearest to n / 2^shift, if it is nearer to that than to any other
 * double: within half of five, less below a power of two. */
static bool round_to(uint128 n, int shift, uint64_t five, unsigned unit, uint64_t *out)
{
	uint64_t whole = (uint64_t)(n >> shift), down = whole - whole % unit;
	uint128 twice = n << 1, middle = (((uint128)down << 1) + unit) << shift, to, off;

	*out = twice > middle || (twice == middle && down / unit % 2) ? down + unit : down;
	to = (uint128)*out << (shift + 1);
	off = to > twice ? to - twice : twice - to;
	return off < five;
}

/* v is positive; false where it does not fit, or is better left to printf. */
static bool shortest(double v, struct decimal *out)
{
	static const unsigned units[] = { 100, 10, 1 };
	int exponent, scale, shift;
	uint64_t mantissa, five;
	uint128 n;

	mantissa = (uint64_t)(frexp(v, &exponent) * 0x1p53);
	exponent -= 53;
	/* 1233 / 4096 is log10(2), a bit less. */
	scale = DIGITS - 1 - ((exponent + 52) * 1233 >> 12);
	for (;; scale--) {
		shift = -(exponent + scale);
		if (scale < 1 || scale > SCALE_MAX || shift < 1)
			return false;
		five = fives[scale];
		n = (uint128)mantissa * five;
		if (n >> shift < 100000000000000000u)
			break;
	}
	out->scale = scale;
	out->precision = DIGITS - 2;
	/* The double below a power of two is nearer than the one above. */
	if (mantissa == UINT64_C(1) << 52)
		return round_to(n, shift, five / 2, units[0], &out->digits);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++, out->precision++)
		if (round_to(n, shift, five, units[i], &out->digits))
			return true;
	return false;
}

/* As printf writes %.*g with that precision. */
static char *put_decimal(char *out, const struct decimal *d)
{
	char text[BUFFER], *end = text + sizeof(text), *p = put_digits(end, d->digits);
	int len = (int)(end - p), exponent = len - 1 - d->scale;
	bool scientific = exponent < -4 || exponent >= d->precision;
	int whole = scientific ? 1 : exponent + 1; /* digits before the point */

	while (len > MAX(whole, 1) && p[len - 1] == '0')
		len--;
	if (whole <= 0) {
		for (int i = 0; i < 2 - whole; i++)
			*out++ = "0.000"[i];
		whole = len;
	}
	memcpy(out, p, (size_t)whole);
	out += whole;
	if (len > whole) {
		*out++ = '.';
		memcpy(out, p + whole, (size_t)(len - whole));
		out += len - whole;
	}
	if (scientific)
		out += snprintf(out, 8, "e%+03d", exponent);
	return out;
}

/* The first precision from which reading gives v back. */
static void add_slowly(struct strbuf *sb, double v)
{
	char text[BUFFER];

	/* 15 digits always survive, but where fewer bits are left. */
	for (int digits = fabs(v) < DBL_MIN ? 1 : DIGITS - 2; digits <= DIGITS; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (digits == DIGITS || strtod(text, NULL) == v)
			break;
	}
	strbuf_addstr(sb, text);
}

void text_add_double(struct strbuf *sb, double v)
{
	char text[2 * BUFFER], *p = text;
	struct decimal d;

	if (isnan(v)) {
		strbuf_addstr(sb, "NaN");
	} else if (isinf(v)) {
		strbuf_addstr(sb, v < 0 ? "-Infinity" : "Infinity");
	} else if (v != 0 && fabs(v) < 1e15 && v == (double)(int64_t)v) {
		text_add_int(sb, (int64_t)v);
	} else if (v != 0 && shortest(fabs(v), &d)) {
		*p = '-';
		p = put_decimal(p + (v < 0), &d);
		strbuf_add(sb, text, (size_t)(p - text));
	} else {
		add_slowly(sb, v);
	}
}
