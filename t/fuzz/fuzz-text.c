/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, sizes, durations, times, UTF-8 and patterns as people type them. */
#include "config.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/clock.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was printed must read back as the same number. */
static void check_double(double v)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
	double again;

	text_add_double(&sb, v);
	if (!text_parse_double(sb.buf, &again) || (again != v && !(isnan(again) && isnan(v))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_release_(strbuf_release) struct strbuf out = STRBUF_INIT;
	_cleanup_free_ char *s = xmemdupz(data, size);
	char *half = s + strlen(s) / 2;
	int64_t n;
	double d;

	text_parse_int(s, &n);
	if (text_parse_double(s, &d))
		check_double(d);
	if (size >= sizeof(d)) {
		memcpy(&d, data, sizeof(d));
		check_double(d);
		text_add_double_short(&out, d);
	}
	if (text_parse_size(s, &n))
		text_add_size(&out, n);
	if (clock_parse_duration(s, &n) && n < 0)
		abort();
	if (clock_parse_time(s, 1700000000000, &n)) {
		clock_add_iso8601(&out, n);
		clock_add_relative(&out, n, 1700000000000);
	}
	strbuf_clear(&out);
	text_add_printable(&out, (const char *)data, size);
	if (!text_is_utf8(out.buf, out.len))
		abort();
	text_width((const char *)data, size);
	/* Both are quadratic: the first bytes are enough. */
	if (size < 200) {
		text_glob(s, half);
		text_distance(s, half);
	}
	return 0;
}
