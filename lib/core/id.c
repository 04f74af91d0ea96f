/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/core/id.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/util/clock.h"
#include "lib/util/text.h"

/* Milliseconds and a 12-bit counter in one number that only grows. */
static uint64_t next_tick(void)
{
	static atomic_uint_fast64_t last;
	uint64_t now = (uint64_t)clock_ms() << 12, old = atomic_load(&last), tick;

	do
		tick = now > old ? now : old + 1;
	while (!atomic_compare_exchange_weak(&last, &old, tick));
	return tick;
}

void mlp_id_new(char out[MLP_ID_LEN + 1])
{
	uint64_t tick = next_tick();
	unsigned char id[16];

	for (int i = 0; i < 6; i++)
		id[i] = (unsigned char)(tick >> (12 + 40 - 8 * i));
	if (getrandom(id + 8, 8, 0) != 8)
		abort();
	id[6] = (unsigned char)(0x70 | ((tick >> 8) & 0x0f));
	id[7] = (unsigned char)tick;
	id[8] = (unsigned char)(0x80 | (id[8] & 0x3f));
	text_hex(out, id, sizeof(id));
}

bool mlp_id_valid(const char *id)
{
	size_t n = strlen(id);

	if (!n || n > 256 || !isalnum((unsigned char)id[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)id[i]) && id[i] != '_' && id[i] != '-')
			return false;
	return true;
}
