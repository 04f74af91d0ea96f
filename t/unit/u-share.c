/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/cost/share.h"
#include "lib/util/cleanup.h"
#include "t/unit/tap.h"

static uint64_t state = 42;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Every split adds up, and no part is a whole unit off its due. */
static bool splits_exactly(void)
{
	for (int round = 0; round < 20000; round++) {
		uint64_t weights[8], sum = 0;
		int64_t out[8], total = (int64_t)(next() >> (1 + next() % 62)), got = 0;
		size_t n = 1 + next() % 8;

		for (size_t i = 0; i < n; i++) {
			weights[i] = next() % 3 ? next() >> (8 + next() % 56) : 0;
			sum += weights[i];
		}
		if (share_split(total, weights, n, out) != (sum ? 0 : total))
			return false;
		for (size_t i = 0; i < n; i++) {
			double due = sum ? (double)total * (double)weights[i] / (double)sum : 0;

			if ((double)out[i] < due - 1 - due * 1e-12 ||
			    (double)out[i] > due + 1 + due * 1e-12 || (!weights[i] && out[i]))
				return false;
			got += out[i];
		}
		if (got != (sum ? total : 0))
			return false;
	}
	return true;
}

static bool cuts_exactly(void)
{
	for (int round = 0; round < 20000; round++) {
		int64_t total = (int64_t)(next() >> 1), whole = 1 + (int64_t)(next() >> 30), sum = 0;
		int64_t at = 0, before = 0;

		while (at < whole) {
			int64_t now;

			at += 1 + (int64_t)(next() % (uint64_t)(whole / 3 + 1));
			at = MIN(at, whole);
			now = share_until(total, at, whole);
			sum += now - before;
			before = now;
		}
		if (sum != total)
			return false;
	}
	return true;
}

int main(void)
{
	uint64_t equal[] = { 1, 1, 1 }, none[] = { 0, 0 };
	int64_t out[3];

	plan_lazy();
	is_int(share_split(10, equal, 3, out), 0, "all of 10 goes");
	ok(out[0] == 4 && out[1] == 3 && out[2] == 3, "the first of equals gets the odd unit");
	is_int(share_split(7, none, 2, out), 7, "nobody there: all is left");
	is_int(share_split(7, equal, 0, out), 7, "no parts: all is left");
	ok(splits_exactly(), "20,000 random splits add up");
	ok(cuts_exactly(), "20,000 random cuts add up");
	is_int(share_until(9, 0, 0), 9, "of nothing all is done");
	is_int(share_scale(6880000000, 1800000, 3600000), 3440000000, "half an hour");
	is_int(share_scale(1, 1, 2), 1, "half a unit rounds up");
	is_int(share_scale(INT64_MAX, INT64_MAX, 1), INT64_MAX, "too much is the most");
	return done_testing();
}
