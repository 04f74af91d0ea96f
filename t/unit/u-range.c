/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/http/range.h"
#include "lib/util/cleanup.h"
#include "t/unit/tap.h"

/* Of ten bytes. */
static void is_part(const char *text, int64_t start, int64_t end)
{
	struct http_range r = { -1, -1 };

	ok(http_range_parse(text, 10, &r) == HTTP_RANGE_PART, "%s is a part", text);
	is_int(r.start, start, "its first byte");
	is_int(r.end, end, "its last byte");
}

static void is_kind(const char *text, int64_t size, enum http_range_kind kind)
{
	struct http_range r = { -1, -1 };

	ok(http_range_parse(text, size, &r) == kind, "%s of %d bytes", text ? text : "none", (int)size);
	ok(r.start == -1 && r.end == -1, "and nothing is set");
}

int main(void)
{
	static const char *const bad[] = { NULL, "", "bytes", "bytes=", "bytes=5", "bytes=-", "bytes=5-2",
		"bytes=3-x", "bytes=3-4x", "bytes=7-99999999999999999999", "bytes=99999999999999999999-",
		"bytes=--2", "bytes=1--2", "bytes=+1-2", "bytes= 1-2", "bytes=0-1,3-4", "lines=1-2" };

	plan_lazy();
	is_part("bytes=0-0", 0, 0);
	is_part("bytes=2-5", 2, 5);
	is_part("bytes=2-50", 2, 9);
	is_part("bytes=9-", 9, 9);
	is_part("bytes=-3", 7, 9);
	is_part("bytes=-30", 0, 9);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		is_kind(bad[i], 10, HTTP_RANGE_WHOLE);
	is_kind("bytes=10-", 10, HTTP_RANGE_OUTSIDE);
	is_kind("bytes=10-20", 10, HTTP_RANGE_OUTSIDE);
	is_kind("bytes=-0", 10, HTTP_RANGE_OUTSIDE);
	is_kind("bytes=0-", 0, HTTP_RANGE_OUTSIDE);
	return done_testing();
}
