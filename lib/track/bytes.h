/* SPDX-License-Identifier: Apache-2.0 */
/* Integers in stored metrics: LEB128 varints, zigzag for signed ones, and a reader that
 * cannot leave its buffer. */
#ifndef TRACK_BYTES_H
#define TRACK_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/util/strbuf.h"

enum { VARINT_MAX = 10 };

static inline uint64_t zigzag(uint64_t v)
{
	return v << 1 ^ (0 - (v >> 63));
}

static inline uint64_t unzigzag(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

/* Writes at most VARINT_MAX bytes; returns the end. */
static inline unsigned char *put_varint(unsigned char *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (unsigned char)(v | 0x80);
	*p++ = (unsigned char)v;
	return p;
}

static inline size_t varint_size(uint64_t v)
{
	return (size_t)(64 - __builtin_clzll(v | 1) + 6) / 7;
}

static inline void add_varint(struct strbuf *sb, uint64_t v)
{
	unsigned char bytes[VARINT_MAX];

	strbuf_add(sb, bytes, (size_t)(put_varint(bytes, v) - bytes));
}

struct bytes {
	const unsigned char *p, *end;
	bool bad; /* something did not fit; what was read since is 0 */
};

static inline uint64_t get_varint(struct bytes *b)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && b->p < b->end; shift += 7) {
		unsigned char c = *b->p++;

		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return v;
	}
	b->bad = true;
	return 0;
}

static inline unsigned get_byte(struct bytes *b)
{
	if (b->p < b->end)
		return *b->p++;
	b->bad = true;
	return 0;
}

static inline uint64_t get_u64(struct bytes *b)
{
	uint64_t v;

	if (b->end - b->p < 8) {
		b->bad = true;
		return 0;
	}
	memcpy(&v, b->p, 8);
	b->p += 8;
	return le64toh(v);
}

#endif
