/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/strbuf.h"
#include "t/unit/tap.h"

static void test_adding(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	is_str(sb.buf, "", "an empty one is a string");
	strbuf_addstr(&sb, "abc");
	strbuf_addch(&sb, 'd');
	strbuf_addf(&sb, "-%d-%s", 42, "x");
	is_str(sb.buf, "abcd-42-x", "add, addch, addf");
	is_int(sb.len, strlen(sb.buf), "length");
	strbuf_addchars(&sb, '!', 3);
	is_str(sb.buf, "abcd-42-x!!!", "addchars");
	strbuf_addchars(&sb, '!', 0);
	is_int(sb.len, 12, "no character added");
	strbuf_drop(&sb, 5);
	is_str(sb.buf, "42-x!!!", "drop");
	strbuf_drop(&sb, sb.len);
	is_str(sb.buf, "", "drop of everything");
}

static void test_bytes(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	strbuf_add(&sb, "a\0b", 3);
	is_int(sb.len, 3, "NUL bytes are kept");
	ok(!memcmp(sb.buf, "a\0b", 4), "and a NUL follows");
	strbuf_setlen(&sb, 1);
	is_str(sb.buf, "a", "setlen cuts");
	strbuf_clear(&sb);
	is_int(sb.len, 0, "clear");
}

static void test_rtrim(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	strbuf_addstr(&sb, " a b \t\r\n");
	strbuf_rtrim(&sb);
	is_str(sb.buf, " a b", "white space at the end goes");
	strbuf_clear(&sb);
	strbuf_addstr(&sb, " \n");
	strbuf_rtrim(&sb);
	is_str(sb.buf, "", "all of it");
	strbuf_rtrim(&sb);
	is_str(sb.buf, "", "nothing is fine");
}

static void test_detach(void)
{
	struct strbuf sb = STRBUF_INIT;
	char *s = strbuf_detach(&sb);

	is_str(s, "", "detached from nothing: an own empty string");
	free(s);
	strbuf_addstr(&sb, "text");
	s = strbuf_detach(&sb);
	is_str(s, "text", "detached");
	is_str(sb.buf, "", "what is left is empty");
	free(s);
	strbuf_release(&sb);
	strbuf_release(&sb);
	strbuf_addstr(&sb, "again");
	is_str(sb.buf, "again", "usable after release");
	strbuf_release(&sb);
}

static void test_growth(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
	bool good = true;

	for (int i = 0; i < 100000; i++)
		strbuf_addf(&sb, "%05d", i);
	is_int(sb.len, 500000, "a hundred thousand pieces");
	for (int i = 0; i < 100000; i++) {
		char piece[16];

		snprintf(piece, sizeof(piece), "%05d", i);
		good &= !memcmp(sb.buf + (size_t)i * 5, piece, 5);
	}
	ok(good, "each in its place");
	strbuf_clear(&sb);
	strbuf_addf(&sb, "%*d", 70000, 1);
	is_int(sb.len, 70000, "one long piece");
}

int main(void)
{
	plan_lazy();
	test_adding();
	test_bytes();
	test_rtrim();
	test_detach();
	test_growth();
	return done_testing();
}
