/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/series.h"

#include <math.h>

#include "lib/track/column.h"

enum { FORMAT = 1 };

/* How the column of values is kept.  Both kinds end in a column of integers, so that
 * what is constant, smooth or within a small range takes few bits. */
enum kind {
	KIND_BITS = 0,	  /* shift; the doubles as ordered integers >> shift.  Values that are
			   * exact as float, bfloat16 or integer end in many zero bits */
	KIND_DECIMAL = 1, /* exponent e, exceptions; integers n with value n / 10^e */
};

enum { EXPONENT_MAX = 17 };

/* Exact, so that n / powers[e] is the double nearest to the decimal n * 10^-e: what
 * reading that decimal as text gives. */
static const double powers[EXPONENT_MAX + 1] = { 1e0, 1e1, 1e2,	 1e3,  1e4,  1e5,
						 1e6, 1e7, 1e8,	 1e9,  1e10, 1e11,
						 1e12, 1e13, 1e14, 1e15, 1e16, 1e17 };

static uint64_t bits_of(double v)
{
	uint64_t b;

	if (isnan(v))
		return UINT64_C(0xfff8000000000000);
	memcpy(&b, &v, sizeof(b));
	return b;
}

static double double_of(uint64_t b)
{
	double v;

	memcpy(&v, &b, sizeof(v));
	return isnan(v) ? (double)NAN : v;
}

/* Maps the sign-magnitude bits of doubles to two's complement and back. */
static uint64_t flip(uint64_t b)
{
	return b ^ (0 - (b >> 63)) >> 1;
}

int64_t series_value_order(double v)
{
	return (int64_t)flip(bits_of(v));
}

int series_compare(const struct metric_point *a, const struct metric_point *b)
{
	int64_t x, y;

	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms ? -1 : 1;
	if (a->step != b->step)
		return a->step < b->step ? -1 : 1;
	x = series_value_order(a->value);
	y = series_value_order(b->value);
	return (x > y) - (x < y);
}

/* n with n / 10^e == v exactly, if there is one. */
static bool decimal(double v, unsigned e, int64_t *n)
{
	double scaled = v * powers[e];

	if (!(fabs(scaled) < 0x1p53))
		return false;
	*n = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
	return bits_of((double)*n / powers[e]) == bits_of(v);
}

struct decimals {
	unsigned exponent;
	size_t exceptions;
	uint16_t place[SERIES_CHUNK_MAX / 16];
	uint64_t n[SERIES_CHUNK_MAX];
};

/* Finds the exponent that fits all values but a few; false when there is none. */
static bool find_decimals(const struct metric_point *p, size_t n, struct decimals *d)
{
	size_t allowed = n / 16, misfits = 0;
	int64_t x;

	d->exponent = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned e = d->exponent;

		while (e <= EXPONENT_MAX && !decimal(p[i].value, e, &x))
			e++;
		if (e <= EXPONENT_MAX)
			d->exponent = e;
		else if (++misfits > allowed)
			return false;
	}
	d->exceptions = 0;
	for (size_t i = 0; i < n; i++) {
		if (decimal(p[i].value, d->exponent, &x)) {
			d->n[i] = (uint64_t)x;
			continue;
		}
		if (d->exceptions == allowed)
			return false;
		d->place[d->exceptions++] = (uint16_t)i;
		d->n[i] = i ? d->n[i - 1] : 0;
	}
	return true;
}

static void encode_decimals(const struct metric_point *p, size_t n, const struct decimals *d,
			    struct strbuf *out)
{
	strbuf_addch(out, KIND_DECIMAL);
	strbuf_addch(out, (int)d->exponent);
	add_varint(out, d->exceptions);
	for (size_t i = 0; i < d->exceptions; i++) {
		uint64_t b = htole64(bits_of(p[d->place[i]].value));

		add_varint(out, d->place[i]);
		strbuf_add(out, &b, sizeof(b));
	}
	column_encode(d->n, n, out);
}

static void encode_bits(const struct metric_point *p, size_t n, struct strbuf *out)
{
	uint64_t v[SERIES_CHUNK_MAX], all = 0;
	unsigned shift;

	/* Flipped bits of negative values are ones where the value has zeros: the shift is
	 * taken before the flip, and what it cuts is known from the sign. */
	for (size_t i = 0; i < n; i++)
		all |= bits_of(p[i].value);
	shift = all ? (unsigned)__builtin_ctzll(all) : 0;
	shift = MIN(shift, 63u);
	for (size_t i = 0; i < n; i++) {
		uint64_t b = bits_of(p[i].value);

		v[i] = (uint64_t)((int64_t)flip(b) >> shift);
	}
	strbuf_addch(out, KIND_BITS);
	strbuf_addch(out, (int)shift);
	column_encode(v, n, out);
}

static void encode_values(const struct metric_point *p, size_t n, struct strbuf *out)
{
	struct decimals d;
	size_t start = out->len, bits_end;

	encode_bits(p, n, out);
	bits_end = out->len;
	if (!find_decimals(p, n, &d))
		return;
	encode_decimals(p, n, &d, out);
	if (out->len - bits_end < bits_end - start) {
		memmove(out->buf + start, out->buf + bits_end, out->len - bits_end);
		strbuf_setlen(out, start + out->len - bits_end);
	} else {
		strbuf_setlen(out, bits_end);
	}
}

void series_encode(const struct metric_point *points, size_t n, struct strbuf *out)
{
	uint64_t v[SERIES_CHUNK_MAX];

	strbuf_addch(out, FORMAT);
	add_varint(out, n);
	for (size_t i = 0; i < n; i++)
		v[i] = (uint64_t)points[i].time_ms;
	column_encode(v, n, out);
	for (size_t i = 0; i < n; i++)
		v[i] = (uint64_t)points[i].step;
	column_encode(v, n, out);
	encode_values(points, n, out);
}

static void decode_bits(struct bytes *in, struct metric_point *p, size_t n)
{
	uint64_t v[SERIES_CHUNK_MAX];
	unsigned shift = get_byte(in);

	if (shift > 63)
		in->bad = true;
	column_decode(in, v, n);
	for (size_t i = 0; i < n && !in->bad; i++) {
		uint64_t low = (int64_t)v[i] < 0 ? (UINT64_C(1) << shift) - 1 : 0;

		p[i].value = double_of(flip(v[i] << shift | low));
	}
}

static void decode_decimals(struct bytes *in, struct metric_point *p, size_t n)
{
	uint64_t v[SERIES_CHUNK_MAX], exceptions;
	unsigned e = get_byte(in);
	struct bytes list;

	exceptions = get_varint(in);
	if (e > EXPONENT_MAX || exceptions > n)
		in->bad = true;
	list = *in;
	for (uint64_t i = 0; i < exceptions && !in->bad; i++) {
		if (get_varint(in) >= n)
			in->bad = true;
		get_u64(in);
	}
	column_decode(in, v, n);
	if (in->bad)
		return;
	for (size_t i = 0; i < n; i++)
		p[i].value = (double)(int64_t)v[i] / powers[e];
	for (uint64_t i = 0; i < exceptions; i++) {
		uint64_t place = get_varint(&list);

		p[place].value = double_of(get_u64(&list));
	}
}

static void decode_columns(struct bytes *in, struct metric_point *p, size_t n)
{
	uint64_t v[SERIES_CHUNK_MAX];

	column_decode(in, v, n);
	for (size_t i = 0; i < n && !in->bad; i++)
		p[i].time_ms = (int64_t)v[i];
	column_decode(in, v, n);
	for (size_t i = 0; i < n && !in->bad; i++)
		p[i].step = (int64_t)v[i];
	switch (get_byte(in)) {
	case KIND_BITS:
		decode_bits(in, p, n);
		break;
	case KIND_DECIMAL:
		decode_decimals(in, p, n);
		break;
	default:
		in->bad = true;
	}
}

int series_decode(const void *data, size_t len, struct metric_points *out, struct mlp_error *err)
{
	struct bytes in = { .p = data, .end = (const unsigned char *)data + len };
	unsigned version = get_byte(&in);
	uint64_t n = get_varint(&in);

	if (!in.bad && version > FORMAT)
		return mlp_error_set(err, MLP_EVERSION,
				     "a chunk of metrics has version %u, this mlp knows version %d",
				     version, FORMAT);
	if (in.bad || version != FORMAT || n < 1 || n > SERIES_CHUNK_MAX)
		return mlp_error_set(err, MLP_ECORRUPT, "a chunk of metrics is damaged");
	vec_reserve(out, n);
	decode_columns(&in, out->v + out->len, n);
	if (in.bad || in.p != in.end)
		return mlp_error_set(err, MLP_ECORRUPT, "a chunk of metrics is damaged");
	out->len += n;
	return 0;
}
