/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/cost/share.h"

#include <stdlib.h>

#include "lib/util/xalloc.h"

__extension__ typedef unsigned __int128 wide;

struct part {
	wide rest;
	size_t index;
};

static int by_rest(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->rest != y->rest)
		return x->rest > y->rest ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

int64_t share_split(int64_t total, const uint64_t *weights, size_t n, int64_t *out)
{
	_cleanup_free_ struct part *parts = xcalloc(n + 1, sizeof(*parts));
	int64_t left = total;
	wide sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	for (size_t i = 0; i < n; i++) {
		wide product = (wide)total * weights[i];

		out[i] = sum ? (int64_t)(product / sum) : 0;
		parts[i] = (struct part){ sum ? product % sum : 0, i };
		left -= out[i];
	}
	if (!sum)
		return total;
	/* Fewer units are left than there are parts with a remainder. */
	qsort(parts, n, sizeof(*parts), by_rest);
	for (size_t i = 0; left > 0; i++, left--)
		out[parts[i].index]++;
	return 0;
}

int64_t share_until(int64_t total, int64_t done, int64_t whole)
{
	return whole > 0 ? (int64_t)((wide)total * (wide)done / (wide)whole) : total;
}

int64_t share_scale(int64_t a, int64_t b, int64_t c)
{
	wide q = ((wide)a * (wide)b * 2 + (wide)c) / ((wide)c * 2);

	return q > INT64_MAX ? INT64_MAX : (int64_t)q;
}
