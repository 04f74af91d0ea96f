/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/json/read.h"

#include "lib/util/cleanup.h"
#include "t/unit/tap.h"

static void check_refused(const char *text, size_t len, const char *name)
{
	struct mlp_error err = MLP_ERROR_INIT;
	_cleanup_(json_free) struct json *doc = json_parse(text, len, &err);

	ok(!doc && err.code == MLP_EINVAL, "%s", name);
}

static void is_read_as(const char *text, const char *want)
{
	_cleanup_(json_free) struct json *doc = json_parse(text, strlen(text), NULL);
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	json_print(doc, &sb);
	is_str(sb.buf, want, "%s", text);
}

static void test_values(void)
{
	static const char *const bad[] = {
		"{\"a\" 1}", "{\"a\":1,}", "[1,]", "[1 2]", "{a:1}", "01", "+1", ".5", "1.", "-NaN", "tru",
		"\"a\nb\"", "\"\\x\"", "\"\\u12\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\"",
		"\"\\ud800\\u0041\"", "\"open", "[\"\\", "]",
	};

	is_read_as("[1, -2.50, 1e3, 1763000000000, true, false, null, {}, []]",
		   "[1,-2.5,1000,1763000000000,true,false,null,{},[]]");
	is_read_as("{\"a\": {\"b\": [{\"c\": \"d\"}]}, \"e\": \"\"}",
		   "{\"a\":{\"b\":[{\"c\":\"d\"}]},\"e\":\"\"}");
	is_read_as("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\/\\t\"", "\"Aé€😀/\\t\"");
	is_read_as("\xef\xbb\xbf 7", "7");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_refused(bad[i], strlen(bad[i]), bad[i]);
	check_refused("[1]\0", 4, "NUL behind the value");
}

/* More values than fit into one block. */
static void test_large(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
	_cleanup_(json_free) struct json *doc = NULL;
	int64_t sum = 0;

	strbuf_addch(&sb, '[');
	for (int i = 0; i < 20000; i++)
		strbuf_addf(&sb, "%s{\"i\":%d}", i ? "," : "", i);
	strbuf_addch(&sb, ']');
	doc = json_parse(sb.buf, sb.len, NULL);
	for (const struct json *v = json_next(doc, NULL); v; v = json_next(doc, v))
		sum += json_integer(json_get(v, "i"), 0);
	is_int(json_count(doc), 20000, "values are counted");
	is_int(sum, 199990000, "and all there");
}

static void test_specials(void)
{
	static const char text[] = "[NaN, -Infinity,Infinity]";
	_cleanup_(json_free) struct json *doc = json_parse(text, sizeof(text) - 1, NULL);
	const struct json *v = json_next(doc, NULL);

	is_str(json_text(v), "NaN", "NaN as Python writes it");
	v = json_next(doc, v);
	is_str(json_text(v), "-Infinity", "with a sign");
	is_str(json_text(json_next(doc, v)), "Infinity", "without");
}

static void test_integers(void)
{
	static const char text[] = "[9007199254740993, -9223372036854775808, 9223372036854775807,"
				   " 9223372036854775808, 1e18]";
	_cleanup_(json_free) struct json *doc = json_parse(text, sizeof(text) - 1, NULL);
	const struct json *v = json_next(doc, NULL);
	_release_(strbuf_release) struct strbuf out = STRBUF_INIT;

	is_int(json_integer(v, 0), 9007199254740993, "above 2^53 as it is");
	json_print(v, &out);
	is_str(out.buf, "9007199254740993", "and printed so");
	ok(json_number(v, 0) == 9007199254740992., "a double where that is wanted");
	v = json_next(doc, v);
	ok(json_integer(v, 0) == INT64_MIN, "the least");
	v = json_next(doc, v);
	ok(json_integer(v, 0) == INT64_MAX, "the greatest");
	v = json_next(doc, v);
	is_int(json_integer(v, -7), -7, "no integer");
	v = json_next(doc, v);
	is_int(json_integer(v, 0), 1000000000000000000, "of a power");
}

int main(void)
{
	static const char text[] = " {\"a\": [1, 2.5, \"x\"], \"A\": true, \"n\": null} \n";
	_cleanup_(json_free) struct json *doc = json_parse(text, sizeof(text) - 1, NULL);
	const struct json *a = json_get(doc, "a"), *v = json_next(a, NULL);
	char deep[8192];

	plan_lazy();
	ok(doc != NULL, "parses");
	is_int(json_count(a), 3, "count");
	is_int(json_integer(v, -1), 1, "integer");
	v = json_next(a, v);
	ok(json_number(v, 0) == 2.5, "number");
	v = json_next(a, v);
	is_str(json_text(v), "x", "text");
	ok(!json_next(a, v), "end");
	ok(json_truth(json_get(doc, "A"), false), "keys have case");
	is_str(json_name(json_get(doc, "n")), "n", "name");
	ok(!json_text(json_get(doc, "n")) && !json_as_text(json_get(doc, "n")), "null is no text");
	ok(!json_get(NULL, "x") && !json_next(NULL, NULL) && !json_text(NULL), "NULL is taken");
	is_int(json_integer(json_get(doc, "A"), -7), -7, "default for another type");
	test_integers();
	test_specials();
	check_refused("{} x", 4, "more after the value");
	check_refused("", 0, "nothing");
	check_refused("{\"a\":", 5, "cut off");
	memset(deep, '[', sizeof(deep));
	check_refused(deep, sizeof(deep), "nested too deep");
	test_values();
	test_large();
	return done_testing();
}
