/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/column.h"

#include "lib/util/cleanup.h"

enum {
	BLOCK = 64,
	HAS_OUTLIERS = 0x80, /* in the width byte */
};

/* The first byte of a column. */
enum kind {
	KIND_LINEAR = 0, /* first, step: all there is */
	KIND_VALUES = 1,
	KIND_DELTA = 2,
	KIND_DELTA2 = 3,
};

static unsigned bits(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

static uint64_t low_mask(unsigned width)
{
	return width < 64 ? (UINT64_C(1) << width) - 1 : ~UINT64_C(0);
}

struct plan {
	uint64_t base;
	unsigned width;
	size_t size; /* bytes of the block without its base */
};

/* The cheapest width above a base: values below the base, and values that need more bits,
 * cost a place and a varint each. */
static struct plan plan_width(const uint64_t *v, size_t n, uint64_t base)
{
	unsigned short count[65] = { 0 }, behind[65] = { 0 }, lengths[65];
	struct plan best = { .base = base, .size = SIZE_MAX };
	size_t kinds = 0, outliers = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned len = bits(v[i] - base);

		count[len]++;
		behind[len] += (unsigned short)(1 + varint_size(zigzag(v[i] - base)));
	}
	for (unsigned short len = 0; len <= 64; len++)
		if (count[len])
			lengths[kinds++] = len;
	for (size_t k = kinds; k-- > 0;) {
		size_t size = 1 + (n * lengths[k] + 7) / 8 + (outliers ? 1 + outliers : 0);

		if (size < best.size) {
			best.width = lengths[k];
			best.size = size;
		}
		outliers += behind[lengths[k]];
	}
	return best;
}

enum { LOW = 5 };

/* The smallest LOW values, as signed numbers, sorted. */
static void lowest(const uint64_t *v, size_t n, int64_t low[LOW])
{
	for (size_t i = 0; i < LOW; i++)
		low[i] = INT64_MAX;
	for (size_t i = 0; i < n; i++) {
		int64_t x = (int64_t)v[i];
		size_t j = LOW - 1;

		if (x >= low[j])
			continue;
		for (; j && low[j - 1] > x; j--)
			low[j] = low[j - 1];
		low[j] = x;
	}
}

/* The base is the smallest value, unless a few far below the rest would make the block
 * wide: then the smallest of the rest. */
static struct plan plan_block(const uint64_t *v, size_t n)
{
	int64_t low[LOW];
	struct plan best, other;

	lowest(v, n, low);
	best = plan_width(v, n, (uint64_t)low[0]);
	for (size_t j = LOW - 1; n >= 2 * LOW && j > 0; j--) {
		uint64_t gap = (uint64_t)low[j] - (uint64_t)low[j - 1];
		uint64_t rest = (uint64_t)low[LOW - 1] - (uint64_t)low[j];

		if (bits(gap) <= bits(rest) + 1 || bits(gap) < 3)
			continue;
		other = plan_width(v, n, (uint64_t)low[j]);
		return other.size < best.size ? other : best;
	}
	return best;
}

static unsigned char *pack(unsigned char *p, const uint64_t *v, size_t n, uint64_t base,
			   unsigned width)
{
	unsigned char *end = p + (n * width + 7) / 8;
	uint64_t mask = low_mask(width), word = 0;
	unsigned used = 0;

	if (!width)
		return p;
	for (size_t i = 0; i < n; i++) {
		uint64_t x = (v[i] - base) & mask, le;

		word |= x << used;
		used += width;
		if (used < 64)
			continue;
		le = htole64(word);
		memcpy(p, &le, 8);
		p += 8;
		used -= 64;
		word = used ? x >> (width - used) : 0;
	}
	for (; p < end; word >>= 8)
		*p++ = (unsigned char)word;
	return end;
}

static void unpack(const unsigned char *p, uint64_t *v, size_t n, unsigned width)
{
	/* Room to load a whole word at the last bit, and the word behind it. */
	unsigned char padded[BLOCK * 8 + 16] = { 0 };
	uint64_t mask = low_mask(width);

	memcpy(padded, p, (n * width + 7) / 8);
	for (size_t i = 0, at = 0; i < n; i++, at += width) {
		unsigned shift = at & 7;
		uint64_t word;

		memcpy(&word, padded + at / 8, 8);
		word = le64toh(word) >> shift;
		if (shift + width > 64)
			word |= (uint64_t)padded[at / 8 + 8] << (64 - shift);
		v[i] = word & mask;
	}
}

static void encode_block(const uint64_t *v, size_t n, const struct plan *plan, struct strbuf *out)
{
	/* A place and a varint for each at worst, beside the packed bits. */
	unsigned char bytes[2 + BLOCK * (8 + 1 + VARINT_MAX)], *p = bytes;
	unsigned char outliers = 0;

	for (size_t i = 0; i < n; i++)
		outliers += bits(v[i] - plan->base) > plan->width;
	*p++ = (unsigned char)(plan->width | (outliers ? HAS_OUTLIERS : 0));
	p = pack(p, v, n, plan->base, plan->width);
	if (outliers)
		*p++ = outliers;
	for (size_t i = 0; i < n && outliers; i++) {
		if (bits(v[i] - plan->base) <= plan->width)
			continue;
		*p++ = (unsigned char)i;
		p = put_varint(p, zigzag(v[i] - plan->base));
	}
	strbuf_add(out, bytes, (size_t)(p - bytes));
}

static void decode_block(struct bytes *in, uint64_t *v, size_t n, uint64_t base)
{
	unsigned head = get_byte(in), width = head & ~(unsigned)HAS_OUTLIERS, outliers;
	size_t size = (n * width + 7) / 8;

	if (width > 64 || (size_t)(in->end - in->p) < size) {
		in->bad = true;
		return;
	}
	unpack(in->p, v, n, width);
	in->p += size;
	outliers = head & HAS_OUTLIERS ? get_byte(in) : 0;
	for (; outliers && !in->bad; outliers--) {
		unsigned place = get_byte(in);
		uint64_t x = unzigzag(get_varint(in));

		if (place >= n)
			in->bad = true;
		else
			v[place] = x;
	}
	for (size_t i = 0; i < n; i++)
		v[i] += base;
}

static size_t cost(const uint64_t *v, size_t n)
{
	uint64_t before = 0;
	size_t size = 0;

	for (size_t i = 0; i < n; i += BLOCK) {
		struct plan plan = plan_block(v + i, MIN(n - i, (size_t)BLOCK));

		size += varint_size(zigzag(plan.base - before)) + plan.size;
		before = plan.base;
	}
	return size;
}

/* v[i] - v[i - 1], with v[-1] = 0. */
static void differences(const uint64_t *v, size_t n, uint64_t *out)
{
	out[0] = v[0];
	for (size_t i = 1; i < n; i++)
		out[i] = v[i] - v[i - 1];
}

static void sums(uint64_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		v[i] += v[i - 1];
}

static bool is_linear(const uint64_t *delta, size_t n)
{
	for (size_t i = 2; i < n; i++)
		if (delta[i] != delta[1])
			return false;
	return true;
}

void column_encode(const uint64_t *v, size_t n, struct strbuf *out)
{
	uint64_t row[3][COLUMN_MAX], before = 0;
	size_t best = 0, best_cost = SIZE_MAX;

	row[0][0] = 0;
	for (size_t i = 1; i < n; i++)
		row[0][i] = v[i] - v[0];
	differences(row[0], n, row[1]);
	if (is_linear(row[1], n)) {
		strbuf_addch(out, KIND_LINEAR);
		add_varint(out, zigzag(v[0]));
		add_varint(out, zigzag(n > 1 ? row[1][1] : 0));
		return;
	}
	differences(row[1], n, row[2]);
	for (size_t k = 0; k < ARRAY_SIZE(row); k++) {
		size_t c = cost(row[k], n);

		if (c < best_cost) {
			best = k;
			best_cost = c;
		}
	}
	strbuf_addch(out, KIND_VALUES + (int)best);
	add_varint(out, zigzag(v[0]));
	for (size_t i = 0; i < n; i += BLOCK) {
		size_t m = MIN(n - i, (size_t)BLOCK);
		struct plan plan = plan_block(row[best] + i, m);

		add_varint(out, zigzag(plan.base - before));
		encode_block(row[best] + i, m, &plan, out);
		before = plan.base;
	}
}

static void decode_linear(struct bytes *in, uint64_t *v, size_t n)
{
	uint64_t first = unzigzag(get_varint(in)), step = unzigzag(get_varint(in));

	for (size_t i = 0; i < n; i++)
		v[i] = first + step * i;
}

void column_decode(struct bytes *in, uint64_t *v, size_t n)
{
	unsigned kind = get_byte(in);
	uint64_t base = 0, first;

	if (kind == KIND_LINEAR) {
		decode_linear(in, v, n);
		return;
	}
	if (kind > KIND_DELTA2)
		in->bad = true;
	first = unzigzag(get_varint(in));
	for (size_t i = 0; i < n && !in->bad; i += BLOCK) {
		size_t m = MIN(n - i, (size_t)BLOCK);

		base += unzigzag(get_varint(in));
		decode_block(in, v + i, m, base);
	}
	if (in->bad)
		return;
	for (unsigned k = KIND_VALUES; k < kind; k++)
		sums(v, n);
	for (size_t i = 0; i < n; i++)
		v[i] += first;
}
