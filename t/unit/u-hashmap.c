/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/hashmap.h"
#include "t/unit/tap.h"

static void test_basics(void)
{
	_release_(strmap_release) struct strmap map = STRMAP_INIT;
	int one = 1, two = 2;

	ok(!strmap_get(&map, "a"), "nothing in an empty map");
	ok(!strmap_set(&map, "a", &one), "a new key replaces nothing");
	ok(strmap_get(&map, "a") == &one, "its value");
	ok(strmap_set(&map, "a", &two) == &one, "replaced, the old value comes back");
	is_int(map.len, 1, "still one key");
	ok(!strmap_find(&map, "ab", 2), "a longer key is another");
	ok(strmap_find(&map, "abc", 1) != NULL, "keys need no NUL");
	ok(strmap_set(&map, "", &one) == NULL && strmap_get(&map, "") == &one, "the empty key");
}

static void test_nul(void)
{
	_release_(strmap_release) struct strmap map = STRMAP_INIT;

	strmap_put(&map, "a\0b", 3);
	strmap_put(&map, "a\0c", 3);
	is_int(map.len, 2, "NUL bytes count");
	ok(!strmap_find(&map, "a", 1), "and are no end");
}

static void test_many(void)
{
	enum { N = 50000 };
	_release_(strmap_release) struct strmap map = STRMAP_INIT;
	static char values[N];
	bool found = true, ordered = true;

	for (int i = 0; i < N; i++) {
		char key[16];

		snprintf(key, sizeof(key), "key%d", i);
		strmap_set(&map, key, &values[i]);
	}
	for (int i = 0; i < N; i++) {
		char key[16];

		snprintf(key, sizeof(key), "key%d", i);
		found &= strmap_get(&map, key) == &values[i];
		ordered &= !strcmp(map.entries[i].key, key);
	}
	is_int(map.len, N, "many keys");
	ok(found, "each is found");
	ok(ordered, "in the order they came");
	ok(!strmap_get(&map, "key50000"), "what was not put is not there");
}

int main(void)
{
	plan_lazy();
	test_basics();
	test_nul();
	test_many();
	return done_testing();
}
