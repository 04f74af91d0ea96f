/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/crc32c.h"

#include <string.h>

/* Of four bits: 16 entries written out beat a table of 256 that must be made at run time,
 * and only processors without the instruction come here. */
static const uint32_t table[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t update_by_table(uint32_t crc, const unsigned char *p, size_t len)
{
	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t update_by_instruction(uint32_t crc,
									const unsigned char *p,
									size_t len)
{
	uint64_t wide = crc, word;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	while (len--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}

static uint32_t update(uint32_t crc, const unsigned char *p, size_t len)
{
	return __builtin_cpu_supports("sse4.2") ? update_by_instruction(crc, p, len) :
						  update_by_table(crc, p, len);
}
#else
static uint32_t update(uint32_t crc, const unsigned char *p, size_t len)
{
	return update_by_table(crc, p, len);
}
#endif

uint32_t crc32c(const void *data, size_t len)
{
	return ~update(~UINT32_C(0), data, len);
}
