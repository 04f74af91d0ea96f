/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <locale.h>
#include <math.h>

#include "lib/util/text.h"
#include "t/unit/tap.h"

static void test_integers(void)
{
	static const char *const bad[] = { "",	" ", "1x", "0x10", "1.0", "9223372036854775808",
					   "-9223372036854775809", "--1", "1 ", "\n1" };
	int64_t n = 77;

	ok(text_parse_int("0", &n) && n == 0, "zero");
	ok(text_parse_int("-9223372036854775808", &n) && n == INT64_MIN, "the least");
	ok(text_parse_int("9223372036854775807", &n) && n == INT64_MAX, "the greatest");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!text_parse_int(bad[i], &n), "no integer: %zu", i);
}

static void test_sizes(void)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} good[] = { { "4096", 4096 },	  { "512k", 512 << 10 },   { "10M", 10 << 20 },
		     { "10MiB", 10 << 20 }, { "1G", 1 << 30 },	     { "0", 0 } };
	static const char *const bad[] = { "", "k", "1x", "-1", "9999999999G", "1 Mi B" };
	int64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ok(text_parse_size(good[i].text, &n) && n == good[i].bytes, "size %s", good[i].text);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!text_parse_size(bad[i], &n), "no size: '%s'", bad[i]);
}

static void is_double(double v, const char *want)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	text_add_double(&sb, v);
	is_str(sb.buf, want, "%s", want);
}

/* As many digits as printf() needs, from 15. */
static bool as_printf(double v)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
	char text[32];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	text_add_double(&sb, v);
	return !strcmp(sb.buf, text);
}

/* Of all sizes, near powers of two and of ten, with few digits and with many. */
static void test_shortest(void)
{
	int good = 0, tried = 0;

	for (int e = -45; e <= 60; e++)
		for (int i = 0; i < 200; i++) {
			double two = ldexp(1 + (i / 8) * 0x1p-52, e), ten = pow(10, e / 3);

			good += as_printf(two) + as_printf(-ldexp(1 + i / 7.0, e));
			good += as_printf(i / 7.0 * ten) + as_printf((i + 1) / 8.0 * ten);
			good += as_printf(nextafter(ten, i % 2 ? 0 : INFINITY));
			tried += 5;
		}
	is_int(good, tried, "doubles are written as printf() writes them");
}

static void test_ints(void)
{
	static const int64_t v[] = { 0, 9, 10, -99, 100, 1763000000000, INT64_MAX, INT64_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
		char text[32];

		text_add_int(&sb, v[i]);
		snprintf(text, sizeof(text), "%lld", (long long)v[i]);
		is_str(sb.buf, text, "%s", text);
	}
}

static void test_doubles(void)
{
	uint64_t bits = 88172645463325252u;
	bool same = true;
	double v;

	is_double(0.1, "0.1");
	is_double(1.0 / 3, "0.3333333333333333");
	is_double(-0.0, "-0");
	is_double(5e-324, "5e-324");
	is_double(NAN, "NaN");
	is_double(-INFINITY, "-Infinity");
	ok(text_parse_double("nan", &v) && isnan(v), "nan is read");
	ok(text_parse_double("-Infinity", &v) && v < 0 && isinf(v), "-Infinity is read");
	ok(!text_parse_double("", &v) && !text_parse_double("1,5", &v), "no number");
	ok(!text_parse_double("1.5x", &v), "all of it must be the number");
	for (int i = 0; i < 20000; i++) {
		_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
		double again = 0;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		memcpy(&v, &bits, sizeof(v));
		text_add_double(&sb, v);
		same &= text_parse_double(sb.buf, &again) &&
			(isnan(v) ? isnan(again) : !memcmp(&v, &again, sizeof(v)));
	}
	ok(same, "20,000 random bit patterns read back the same");
}

static void test_hex(void)
{
	char out[9];
	unsigned char bytes[4];

	text_hex(out, "\x00\x7f\x80\xff", 4);
	is_str(out, "007f80ff", "digits");
	ok(text_unhex(bytes, "007F80ff", 4) && !memcmp(bytes, "\x00\x7f\x80\xff", 4), "bytes");
	ok(!text_unhex(bytes, "007g80ff", 4), "no digit");
	ok(text_is_hex("0af", 3) && !text_is_hex("0Af", 3), "lower case only");
}

static void is_printable(const char *in, size_t len, const char *want, const char *name)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	text_add_printable(&sb, in, len);
	is_str(sb.buf, want, "%s", name);
}

static void test_utf8(void)
{
	static const char good[] = "größe 日本 \xf0\x9f\x98\x80";
	static const char *const bad[] = { "\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
					   "\xc3", "\xe2\x82", "\xfe" };

	ok(text_is_utf8(good, strlen(good)), "well formed");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!text_is_utf8(bad[i], strlen(bad[i])), "not well formed: %zu", i);
	is_int(text_width("größe", 7), 5, "width of two-byte characters");
	is_int(text_width("日本", 6), 4, "wide ones take two cells");
	is_int(text_width("e\xcc\x81", 3), 1, "a combining mark takes none");
	is_printable("a\x1b[31mb", 7, "a\\x1b[31mb", "escape sequences are shown");
	is_printable("a\xff", 2, "a\xef\xbf\xbd", "bad bytes are replaced");
	is_printable("日本", 6, "日本", "text stays");
}

static void test_patterns(void)
{
	ok(text_glob("*", ""), "a star takes nothing");
	ok(text_glob("a*c", "abbc") && !text_glob("a*c", "abbd"), "a star within");
	ok(text_glob("?b?", "abc") && !text_glob("?", ""), "a question mark takes one");
	ok(text_glob("*a*b*", "xxaxxbxx") && !text_glob("*a*b*", "xxbxxaxx"), "several stars");
	ok(text_glob("valid/*", "valid/auc/mean"), "slashes are not special");
	is_int(text_distance("train", "train"), 0, "equal words");
	is_int(text_distance("trian", "train"), 1, "a swap is one edit");
	is_int(text_distance("", "abc"), 3, "from nothing");
	is_int(text_distance("kitten", "sitting"), 3, "the textbook's example");
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	plan_lazy();
	test_integers();
	test_sizes();
	test_doubles();
	test_shortest();
	test_ints();
	test_hex();
	test_utf8();
	test_patterns();
	return done_testing();
}
