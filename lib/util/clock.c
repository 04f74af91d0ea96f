/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/clock.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/util/xalloc.h"

int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000;
}

int64_t clock_between(int64_t from, int64_t to)
{
	int64_t ms;

	if (__builtin_sub_overflow(to, from, &ms))
		return to > from ? INT64_MAX : INT64_MIN;
	return ms;
}

void clock_add_iso8601(struct strbuf *sb, int64_t ms)
{
	int64_t frac = ((ms % 1000) + 1000) % 1000;
	time_t sec = (time_t)(ms / 1000 - (ms % 1000 < 0));
	struct tm tm;
	char text[32];

	if (!gmtime_r(&sec, &tm)) {
		strbuf_addf(sb, "%" PRId64, ms);
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	strbuf_addf(sb, "%s.%03dZ", text, (int)frac);
}

void clock_add_relative(struct strbuf *sb, int64_t ms, int64_t now)
{
	static const struct {
		int64_t sec;
		const char *name;
	} units[] = {
		{ 365 * 86400, "year" }, { 30 * 86400, "month" }, { 7 * 86400, "week" },
		{ 86400, "day" },	 { 3600, "hour" },	  { 60, "minute" },
		{ 1, "second" },
	};
	bool future = ms > now;
	int64_t sec = (future ? clock_between(now, ms) : clock_between(ms, now)) / 1000;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		int64_t n = sec / units[i].sec;

		/* Two of a unit before it is used: 90 minutes, not 1 hour. */
		if (n < 2 && !(units[i].sec == 1 && n))
			continue;
		strbuf_addf(sb, "%s%" PRId64 " %s%s%s", future ? "in " : "", n, units[i].name,
			    n == 1 ? "" : "s", future ? "" : " ago");
		return;
	}
	strbuf_addstr(sb, "now");
}

void clock_add_duration(struct strbuf *sb, int64_t ms)
{
	int64_t s;

	if (ms < 0) {
		strbuf_addch(sb, '-');
		ms = ms == INT64_MIN ? INT64_MAX : -ms;
	}
	s = ms / 1000;
	if (ms < 1000)
		strbuf_addf(sb, "%" PRId64 "ms", ms);
	else if (s < 60)
		strbuf_addf(sb, "%" PRId64 ".%" PRId64 "s", s, ms % 1000 / 100);
	else if (s < 3600)
		strbuf_addf(sb, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
	else if (s < 86400)
		strbuf_addf(sb, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
	else
		strbuf_addf(sb, "%" PRId64 "d%02" PRId64 "h", s / 86400, s / 3600 % 24);
}

static double unit_ms(const char *s, size_t len)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {
		{ "ms", 1 },	   { "s", 1e3 },      { "sec", 1e3 },	  { "m", 60e3 },
		{ "min", 60e3 },   { "h", 3600e3 },   { "hour", 3600e3 }, { "hours", 3600e3 },
		{ "d", 86400e3 },  { "day", 86400e3 }, { "days", 86400e3 }, { "w", 604800e3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == len && !strncmp(units[i].name, s, len))
			return units[i].ms;
	return 0;
}

bool clock_parse_duration(const char *s, int64_t *ms)
{
	double total = 0;
	bool first = true;

	while (*s || first) {
		char *end;
		double n, unit;
		size_t len = 0;

		if (!isdigit((unsigned char)*s) && *s != '.')
			return false;
		n = strtod(s, &end);
		if (end == s)
			return false;
		while (isalpha((unsigned char)end[len]))
			len++;
		unit = len ? unit_ms(end, len) : (first && !*end ? 1e3 : 0);
		if (unit == 0)
			return false;
		total += n * unit;
		s = end + len;
		first = false;
	}
	if (!(total <= 9.2e15))
		return false;
	*ms = (int64_t)llround(total);
	return true;
}

/* "Z", "+01:00", "-0530" into minutes east of UTC. */
static bool parse_zone(const char *s, int *minutes)
{
	int h, m, n = 0;

	if (!strcmp(s, "Z") || !strcmp(s, "z")) {
		*minutes = 0;
		return true;
	}
	if (*s != '+' && *s != '-')
		return false;
	if ((sscanf(s + 1, "%2d:%2d%n", &h, &m, &n) != 2 || s[1 + n]) &&
	    (sscanf(s + 1, "%2d%2d%n", &h, &m, &n) != 2 || s[1 + n]))
		return false;
	*minutes = (*s == '-' ? -1 : 1) * (h * 60 + m);
	return h >= 0 && h < 24 && m >= 0 && m < 60;
}

static bool parse_date(const char *s, int64_t *ms)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					       "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d" };
	struct tm tm;
	const char *end = NULL;
	double frac = 0;
	int zone, day;

	if (strspn(s, "0123456789") != 4)
		return false;
	for (size_t i = 0; !end && i < ARRAY_SIZE(formats); i++) {
		memset(&tm, 0, sizeof(tm));
		tm.tm_isdst = -1;
		end = strptime(s, formats[i], &tm);
	}
	if (!end)
		return false;
	day = tm.tm_mday;
	if (*end == '.') {
		char *after;

		frac = strtod(end, &after);
		end = after;
	}
	if (!*end) {
		*ms = (int64_t)mktime(&tm) * 1000 + (int64_t)(frac * 1000);
		return tm.tm_mday == day;
	}
	if (!parse_zone(end, &zone))
		return false;
	*ms = ((int64_t)timegm(&tm) - zone * 60) * 1000 + (int64_t)(frac * 1000);
	/* The 30th of February would have become a day of March. */
	return tm.tm_mday == day;
}

bool clock_parse_time(const char *s, int64_t now, int64_t *ms)
{
	size_t n = strlen(s);
	int64_t ago;

	if (!strcmp(s, "now")) {
		*ms = now;
		return true;
	}
	if (parse_date(s, ms))
		return true;
	if (n > 4 && !strcmp(s + n - 4, " ago"))
		n -= 4;
	{
		_cleanup_free_ char *duration = xmemdupz(s, n);

		if (!clock_parse_duration(duration, &ago))
			return false;
	}
	*ms = now - ago;
	return true;
}
