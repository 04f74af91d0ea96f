/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/http/uri.h"
#include "lib/util/strbuf.h"
#include "t/unit/tap.h"

static void test_path(void)
{
	struct uri u = { 0 };

	uri_parse(&u, "/a%20b/c+d?x=1");
	is_str(u.raw_path, "/a%20b/c+d", "the path as sent");
	is_str(u.path, "/a b/c+d", "the path decoded, where a plus is a plus");
	uri_release(&u);
	uri_parse(&u, "/a%00b");
	ok(!u.path, "an encoded NUL is refused");
	uri_release(&u);
	uri_parse(&u, "/a%2");
	ok(!u.path, "an escape cut off is refused");
	uri_release(&u);
	uri_parse(&u, "/a%zz");
	ok(!u.path, "an escape that is none is refused");
	uri_release(&u);
	uri_parse(&u, "");
	is_str(u.path, "", "nothing");
	uri_release(&u);
}

static void test_query(void)
{
	struct uri u = { 0 };

	uri_parse(&u, "/p?a=1&b=x%3Dy+z&a=2&&c&d=%00&=e");
	is_str(uri_query(&u, "a", 0), "1", "the first of a name");
	is_str(uri_query(&u, "a", 1), "2", "the second of it");
	ok(!uri_query(&u, "a", 2), "no third");
	is_str(uri_query(&u, "b", 0), "x=y z", "a value decoded, where a plus is a blank");
	is_str(uri_query(&u, "c", 0), "", "a name alone");
	ok(!uri_query(&u, "d", 0), "a value with an encoded NUL is left out");
	is_str(uri_query(&u, "", 0), "e", "a value alone");
	is_int(u.query.len, 5, "arguments in all");
	uri_release(&u);
}

static void test_many(void)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	struct uri u = { 0 };

	strbuf_addstr(&target, "/p?");
	for (int i = 0; i < 5000; i++)
		strbuf_addstr(&target, "a=1&");
	uri_parse(&u, target.buf);
	is_int(u.query.len, 1000, "more than a thousand are cut");
	ok(u.cut, "and it is known");
	uri_release(&u);
	strbuf_setlen(&target, strlen("/p?") + 1000 * strlen("a=1&") - 1);
	uri_parse(&u, target.buf);
	is_int(u.query.len, 1000, "a thousand are not");
	ok(!u.cut, "and it is known");
	uri_release(&u);
}

int main(void)
{
	plan_lazy();
	test_path();
	test_query();
	test_many();
	return done_testing();
}
