/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>

#include "lib/json/lines.h"
#include "lib/json/number.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "t/unit/tap.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static bool as_strtod(const char *text)
{
	const char *p = text, *end = text + strlen(text);
	double want = strtod(text, NULL), got = 0;

	return json_scan_number(&p, end, &got) && p == end && !memcmp(&got, &want, sizeof(got));
}

static void test_numbers(void)
{
	static const char *const good[] = {
		"0", "-0", "1", "-1", "0.1", "123456789012345678", "9007199254740993",
		"18446744073709551615", "18446744073709551616", "99999999999999999999999",
		"1e22", "1e23", "8.5e-19", "1e-320", "4.9e-324", "1e400", "-1e400", "1E+2",
		"0.00000000000000000000000001", "2.2250738585072011e-308", "1e19", "1.5e19",
		"9007199254740992.5", "9007199254740991.5", "0.30000000000000004",
		"1e99999999999999999999", "0e99999999999999999",
	};
	static const char *const bad[] = { "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x10",
					   "-01", "1.e5", "--1", "1_000" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (as_strtod(good[i]))
			n++;
		else
			diag(good[i]);
	}
	is_int(n, ARRAY_SIZE(good), "numbers read as strtod() reads them");
	n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *p = bad[i], *end = p + strlen(p);
		double v;

		n += !json_scan_number(&p, end, &v) || p != end;
	}
	is_int(n, ARRAY_SIZE(bad), "what JSON has not is refused");
}

static void test_random_numbers(void)
{
	static const int digits[] = { 17, 4, 16, 9, 19, 21 };
	int good = 0, tried = 0;
	char text[512];

	for (int i = 0; i < 30000; i++) {
		uint64_t b = random_bits();
		double v = (double)(b >> 11) * 0x1p-53 * pow(10, (double)(b % 40) - 20);

		for (size_t f = 0; f < ARRAY_SIZE(digits); f++) {
			snprintf(text, sizeof(text), i & 1 ? "%.*g" : "%.*f", digits[f], v);
			tried++;
			good += as_strtod(text);
		}
		memcpy(&v, &b, sizeof(v));
		if (!isfinite(v))
			continue;
		snprintf(text, sizeof(text), "%.17g", v);
		tried++;
		good += as_strtod(text);
	}
	is_int(good, tried, "random numbers read as strtod() reads them");
	good = tried = 0;
	/* The hardest: halfway between two doubles, one digit above and below. */
	for (int i = 0; i < 2000; i++) {
		uint64_t m = (random_bits() >> 11 | 1ull << 52) & ((1ull << 53) - 1);

		for (int digit = 4; digit <= 6; digit++) {
			snprintf(text, sizeof(text), "%" PRIu64 ".%d", m, digit);
			tried++;
			good += as_strtod(text);
		}
		snprintf(text, sizeof(text), "%" PRIu64 "e1", m * 2 + 1);
		tried++;
		good += as_strtod(text);
	}
	is_int(good, tried, "and those next to a half");
}

/* Writes what it is called with as text: "key=value@step#time ". */
static bool log_point(void *data, const char *key, size_t len, double value,
		      const struct lines_place *place)
{
	struct strbuf *sb = data;

	strbuf_add(sb, key, len);
	strbuf_addch(sb, '=');
	text_add_double(sb, value);
	if (place->has_step)
		strbuf_addf(sb, "@%" PRId64, place->step);
	if (place->has_time)
		strbuf_addf(sb, "#%" PRId64, place->time_ms);
	strbuf_addch(sb, ' ');
	return true;
}

static void read_text(const char *text, size_t piece, struct strbuf *out, struct lines_stats *stats)
{
	_cleanup_(lines_free) struct lines *l = lines_new(log_point, out);
	size_t len = strlen(text);

	strbuf_clear(out);
	for (size_t i = 0; i < len; i += piece)
		lines_data(l, text + i, MIN(piece, len - i));
	lines_end(l);
	*stats = *lines_stats(l);
}

static void test_line(const char *line, const char *want, const char *name)
{
	_release_(strbuf_release) struct strbuf out = STRBUF_INIT;
	struct lines_stats stats;

	read_text(line, 1 << 20, &out, &stats);
	is_str(out.buf, want, "%s", name);
}

static void test_lines(void)
{
	test_line("{\"loss\": 0.25, \"step\": 3}", "loss=0.25@3 ", "a number, the step behind it");
	test_line("{\"step\":3,\"time\":1763000000.5,\"a\":1}", "a=1@3#1763000000500 ",
		  "time in seconds");
	test_line("{\"time\":1763000000500,\"a\":1}", "a=1#1763000000500 ", "time in milliseconds");
	test_line("{\"t\":{\"loss\":1,\"in\":{\"x\":2}},\"b\":3}", "t/loss=1 t/in/x=2 b=3 ", "nested");
	test_line("{\"t\":{\"step\":1,\"time\":2}}", "t/step=1 t/time=2 ",
		  "step and time of an inner object are numbers like others");
	test_line("{\"a\":NaN,\"b\":-Infinity,\"c\":\"Infinity\",\"d\":\"NaN\",\"e\":nan,\"f\":-inf}",
		  "a=NaN b=-Infinity c=Infinity d=NaN e=NaN f=-Infinity ", "what is not finite");
	test_line("{\"a\":\"x\",\"b\":[1,{\"c\":[]}],\"d\":null,\"e\":true,\"f\":1}", "f=1 ",
		  "what is no number is left out");
	test_line("{\"a\\u00e9\\n\\ud83d\\ude00\\ud800\":1, \"\\\"\":\"\\\\\"}",
		  "a\xc3\xa9\n\xf0\x9f\x98\x80\xef\xbf\xbd=1 ", "escapes");
	test_line("{\"a\":1,\"a\":2}", "a=1 a=2 ", "a key twice");
	test_line(" { } \n\n\t\r\n{\"a\" : 1 }\r\n", "a=1 ", "blanks, empty lines and objects");
	test_line("{\"a\":1,\"step\":1.5,\"time\":-1}\n{\"a\":1,\"step\":null}", "a=1 a=1 ",
		  "a step or time that is none");
	test_line("{\"a\":1,\"step\":9007199254740993}\n{\"a\":2,\"step\":9223372036854775807}\n"
		  "{\"step\":-9223372036854775808,\"a\":3}",
		  "a=1@9007199254740993 a=2@9223372036854775807 a=3@-9223372036854775808 ",
		  "a step to the last digit");
	test_line("{\"a\":1,\"step\":9223372036854775808}\n{\"a\":2,\"step\":\"NaN\"}\n"
		  "{\"a\":3,\"step\":1e3}\n{\"a\":4,\"step\":-5.0}",
		  "a=1 a=2 a=3@1000 a=4@-5 ", "one too large, and other ways to write one");
	test_line("{\"a\":1,\"step\":-3}{\n[1]\n1\n{\"a\":1\n{\"a\":1,}\n{a:1}\n{\"a\":01}\n{\"b\":2}",
		  "b=2 ", "bad lines give nothing and stop nothing");
}

static void test_stats(void)
{
	static const char text[] = "{\"a\":1,\"b\":\"x\",\"c\":[1,2]}\nnot json\n{\"a\":2}\n{\"a\":";
	_release_(strbuf_release) struct strbuf out = STRBUF_INIT;
	struct lines_stats stats;

	for (size_t piece = 1; piece < sizeof(text); piece++) {
		read_text(text, piece, &out, &stats);
		if (strcmp(out.buf, "a=1 a=2 ") || stats.lines != 2 || stats.points != 2 ||
		    stats.bad_lines != 2 || stats.ignored != 2)
			ok(false, "cut every %zu bytes", piece);
	}
	ok(true, "cut anywhere it reads the same");
	is_str(stats.first_bad, "not json", "the first bad line");
}

static void test_bounds(void)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	struct lines_stats stats;

	strbuf_addstr(&text, "{\"a\":\"");
	strbuf_addchars(&text, 'x', LINES_MAX);
	strbuf_addstr(&text, "\"}\n{\"b\":1}\n");
	read_text(text.buf, 4096, &out, &stats);
	ok(stats.bad_lines == 1 && !strcmp(out.buf, "b=1 "), "a line that is too long, in pieces");
	is_int(strlen(stats.first_bad), 120, "its start is kept");
	read_text(text.buf, text.len, &out, &stats);
	ok(stats.bad_lines == 1 && !strcmp(out.buf, "b=1 "), "and at once");
	for (int depth = LINES_DEPTH_MAX; depth <= LINES_DEPTH_MAX + 1; depth++) {
		strbuf_clear(&text);
		for (int i = 1; i < depth; i++)
			strbuf_addstr(&text, "{\"a\":");
		strbuf_addstr(&text, "{\"a\":1");
		strbuf_addchars(&text, '}', (size_t)depth);
		read_text(text.buf, 100, &out, &stats);
		is_int(stats.points, depth == LINES_DEPTH_MAX, "an object %d deep", depth);
	}
	strbuf_clear(&text);
	strbuf_addstr(&text, "{\"a\":");
	strbuf_addchars(&text, '[', 1 << 19);
	read_text(text.buf, 1 << 16, &out, &stats);
	is_int(stats.bad_lines, 1, "half a million brackets");
}

int main(void)
{
	plan_lazy();
	test_numbers();
	test_random_numbers();
	test_lines();
	test_stats();
	test_bounds();
	return done_testing();
}
