/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/path.h"
#include "t/unit/tap.h"

/* is_str() of a string to be freed. */
static void is_own(char *got, const char *want, const char *name)
{
	is_str(got, want, "%s", name);
	free(got);
}

static void test_join(void)
{
	is_own(path_join("a", "b"), "a/b", "join");
	is_own(path_join("a/", "b"), "a/b", "join after a slash");
	is_own(path_join("a", "/b"), "/b", "an absolute path stays alone");
	is_own(path_join("/", "b"), "/b", "join to the root");
}

static void test_absolute(void)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0), *want = path_join(cwd, "x");

	is_own(path_absolute("/a/./b/../c//d/"), "/a/c/d", "dots and slashes fold");
	is_own(path_absolute("/.."), "/", "nothing is above the root");
	is_own(path_absolute("x"), want, "relative to the current folder");
	is_own(path_absolute("."), cwd, "the current folder");
	is_own(path_normal("a/./b/../c//d/"), "a/c/d", "a relative path folds");
	is_own(path_normal("../../a/../b"), "../../b", "parents that cannot be folded stay");
	is_own(path_normal("a/.."), ".", "nothing is left");
	is_own(path_normal("/../a"), "/a", "an absolute one stays absolute");
}

static void test_parts(void)
{
	is_str(path_basename("/a/b"), "b", "basename");
	is_str(path_basename("b"), "b", "basename without a folder");
	is_own(path_dirname("/a/b"), "/a", "dirname");
	is_own(path_dirname("b"), ".", "dirname without a folder");
	is_own(path_dirname("/b"), "/", "dirname below the root");
	is_str(path_below("/a/b/c", "/a"), "b/c", "below");
	is_str(path_below("/a", "/a"), "", "equal");
	is_str(path_below("/ab", "/a"), NULL, "a longer name is not below");
	is_str(path_below("/a", "/"), "a", "below the root");
}

static void test_safe(void)
{
	static const char *const good[] = { "a", "a/b", "..a", "a..", "...", "a/.b", "größe" };
	static const char *const bad[] = { "",	   "/a",  "a//b", "a/",	   ".",	 "..",
					   "a/..", "../a", "a/./b", "a\nb", "a/../b" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ok(path_is_safe(good[i]), "safe: '%s'", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!path_is_safe(bad[i]), "not safe: %zu", i);
}

static void test_folders(void)
{
	_cleanup_free_ char *base = tap_folder();
	_cleanup_free_ char *deep = path_join(base, "a/b/c"), *file = path_join(base, "a/f");
	_cleanup_free_ char *a = path_join(base, "a"), *kept = path_join(base, "kept");
	_cleanup_free_ char *link = path_join(base, "a/link"), *under = path_join(file, "x");
	struct stat st;

	is_int(path_mkdirs(deep, 0777), 0, "folders with their parents");
	is_int(path_mkdirs(deep, 0777), 0, "again");
	is_int(file_replace(file, "x", 1, 0644), 0, "a file");
	is_int(path_mkdirs(under, 0777), -ENOTDIR, "no folder below a file");
	is_int(path_mkdirs(kept, 0777), 0, "another folder");
	is_int(symlink(kept, link), 0, "a link to it");
	is_int(path_remove_tree(a), 0, "the tree is removed");
	ok(stat(a, &st) && errno == ENOENT, "it is gone");
	ok(!stat(kept, &st), "links are not followed");
	is_int(path_remove_tree(a), 0, "what is absent can be removed");
	is_int(path_remove_tree(base), 0, "all is removed");
}

static void test_program(void)
{
	_cleanup_free_ char *sh = path_find_program("sh");
	_cleanup_free_ char *none = path_find_program("no-such-program-here");
	_cleanup_free_ char *direct = path_find_program("/bin/sh");

	ok(sh && sh[0] == '/', "a program on PATH");
	is_str(none, NULL, "none such");
	is_str(direct, "/bin/sh", "a path is taken as it is");
}

int main(void)
{
	plan_lazy();
	test_join();
	test_absolute();
	test_parts();
	test_safe();
	test_folders();
	test_program();
	return done_testing();
}
