/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <time.h>

#include "lib/util/clock.h"
#include "t/unit/tap.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static void test_durations(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "90", 90 * SECOND }, { "90s", 90 * SECOND },  { "1.5h", 90 * MINUTE },
		     { "250ms", 250 },	   { "1d12h", 36 * HOUR },  { "0", 0 },
		     { "2m30s", 150 * SECOND } };
	static const char *const bad[] = { "",	   "h",	 "-1s", "1x",	 "1h-2m",
					   "99999999999999d", "nan", "inf", "1e400s" };
	int64_t ms;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ok(clock_parse_duration(good[i].text, &ms) && ms == good[i].ms, "duration %s",
		   good[i].text);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!clock_parse_duration(bad[i], &ms), "no duration: '%s'", bad[i]);
}

static void is_duration(int64_t ms, const char *want)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	clock_add_duration(&sb, ms);
	is_str(sb.buf, want, "%s", want);
}

static void is_relative(int64_t ms, const char *want)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	clock_add_relative(&sb, ms, 0);
	is_str(sb.buf, want, "%s", want);
}

static void test_printing(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	is_duration(412, "412ms");
	is_duration(4200, "4.2s");
	is_duration(3 * MINUTE + 7 * SECOND, "3m07s");
	is_duration(2 * HOUR + 5 * MINUTE, "2h05m");
	is_duration(3 * DAY + 4 * HOUR, "3d04h");
	is_relative(-3 * MINUTE, "3 minutes ago");
	is_relative(2 * DAY, "in 2 days");
	is_relative(-1 * HOUR, "60 minutes ago");
	is_duration(INT64_MIN, "-106751991167d07h");
	is_relative(INT64_MIN, "292471208 years ago");
	is_relative(INT64_MAX, "in 292471208 years");
	is_int(clock_between(INT64_MIN, 1), INT64_MAX, "a time too long");
	is_int(clock_between(INT64_MAX, -2), INT64_MIN, "and back");
	clock_add_iso8601(&sb, INT64_MIN);
	is_str(sb.buf, "-292275055-05-16T16:47:04.192Z", "the first time there is");
	strbuf_clear(&sb);
	clock_add_iso8601(&sb, -1);
	is_str(sb.buf, "1969-12-31T23:59:59.999Z", "before 1970");
	strbuf_clear(&sb);
	clock_add_iso8601(&sb, 1795358908123);
	is_str(sb.buf, "2026-11-22T14:48:28.123Z", "ISO 8601");
	strbuf_clear(&sb);
	clock_add_iso8601(&sb, -1);
	is_str(sb.buf, "1969-12-31T23:59:59.999Z", "before 1970");
}

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "1970-01-01", 0 },
		     { "1970-01-02T00:00Z", DAY },
		     { "1970-01-01T01:00:00+01:00", 0 },
		     { "1970-01-01T00:00:00.5Z", 500 },
		     { "2026-11-22T14:48:28.123Z", 1795358908123 },
		     { "now", 5LL * DAY },
		     { "3d", 2LL * DAY },
		     { "3d ago", 2LL * DAY } };
	static const char *const bad[] = { "",		 "yesterday?", "2026-13-01", "2026-02-30",
					   "2026-01-01T", "2026-01-01T25:00", "12-1-1", "1970-01-01x" };
	int64_t ms = 0;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		bool read = clock_parse_time(good[i].text, 5LL * DAY, &ms);

		is_int(read ? ms : -1, good[i].ms, "time %s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!clock_parse_time(bad[i], 0, &ms), "no time: '%s'", bad[i]);
}

static void test_clocks(void)
{
	int64_t before = clock_mono_ns();

	ok(clock_mono_ns() >= before, "a clock that never goes back");
	ok(llabs(clock_ms() - (int64_t)time(NULL) * 1000) < 2000, "milliseconds since 1970");
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	plan_lazy();
	test_durations();
	test_printing();
	test_times();
	test_clocks();
	return done_testing();
}
