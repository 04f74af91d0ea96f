/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/core/settings.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/vec.h"
#include "lib/util/xalloc.h"
#include "t/unit/tap.h"

static int parse(struct settings *s, const char *text, struct mlp_error *err)
{
	return settings_parse(s, text, strlen(text), "file:x", SETTINGS_USER, err);
}

static void test_syntax(void)
{
	_release_(settings_release) struct settings s = SETTINGS_INIT;
	struct mlp_error err = MLP_ERROR_INIT;

	is_int(parse(&s,
		     "# c\n[Core]\n\tVersion = 1 ; x\n\tbare\n"
		     "[a \"B.c\\\"d\"] Key = \" q # \" tail \\\n  more\\n\n"
		     "[x.Y]\r\nz=1\r\nz = 2\r\n",
		     &err),
	       0, "a file is read");
	is_str(settings_get(&s, "core.version"), "1", "section and name without case");
	is_str(settings_get(&s, "CORE.Version"), "1", "also in the question");
	is_str(settings_get(&s, "core.bare"), "true", "a bare name is true");
	is_str(settings_get(&s, "a.B.c\"d.key"), " q #  tail   more\n", "quotes, continuation");
	is_str(settings_get(&s, "a.b.c\"d.key"), NULL, "subsections keep their case");
	is_str(settings_get(&s, "x.y.z"), "2", "the last one wins; CR LF");
	is_int(settings_find(&s, "core.version")->line, 3, "its line");
}

static void test_errors(void)
{
	static const char *const bad[] = { "a = 1\n",	   "[a\n",	"[]\n",	     "[a \"b]\n",
					   "[a]\nb = \"x\n", "[a]\nb = \\q\n", "[a]\n1x = 2\n",
					   "[.]\na = 1\n",   "[ \"x\"]\na = 1\n" };
	struct mlp_error err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_release_(settings_release) struct settings s = SETTINGS_INIT;

		err = (struct mlp_error)MLP_ERROR_INIT;
		is_int(parse(&s, bad[i], &err), MLP_EINVAL, "refused: %zu", i);
		ok(strstr(err.text, "line ") != NULL, "with its line");
	}
}

static void test_values(void)
{
	_release_(settings_release) struct settings s = SETTINGS_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	int64_t n;

	parse(&s, "[v]\nsize = 10MiB\nodd = maybe\n", &err);
	ok(!settings_get_size(&s, "v.size", 0, &n, &err) && n == 10 << 20, "a size");
	ok(!settings_get_size(&s, "v.absent", 7, &n, &err) && n == 7, "the default");
	is_int(settings_get_size(&s, "v.odd", 7, &n, &err), MLP_EINVAL, "no size");
	ok(strstr(err.text, "v.odd") && strstr(err.text, "maybe"), "the error names both");
}

static void is_file(const char *path, const char *want, const char *name)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	is_int(file_read(path, 1 << 20, &sb), 0, "%s: read", name);
	is_str(sb.buf, want, "%s", name);
}

static void test_write(void)
{
	_cleanup_free_ char *dir = tap_folder(), *path = path_join(dir, "sub/config");
	struct mlp_error err = MLP_ERROR_INIT;

	is_int(settings_write(path, "a.b", "1", &err), 0, "a file is made");
	is_file(path, "[a]\n\tb = 1\n", "with its section");
	settings_write(path, "a.c", "x # y", &err);
	settings_write(path, "D.Sub.E", "tab\t\"q\"", &err);
	settings_write(path, "a.b", "2", &err);
	is_file(path, "[a]\n\tb = 2\n\tc = \"x # y\"\n[d \"Sub\"]\n\te = tab\\t\\\"q\\\"\n",
		"replaced in place, added to its section, quoted");
	is_int(settings_write(path, "a.b", NULL, &err), 0, "removed");
	is_int(settings_write(path, "a.b", NULL, &err), MLP_ENOTFOUND, "once only");
	is_int(settings_write(path, "nodot", "1", &err), MLP_EINVAL, "a name without a section");
	path_remove_tree(dir);
}

static void test_write_link(void)
{
	_cleanup_free_ char *dir = tap_folder(), *path = path_join(dir, "config");
	_cleanup_free_ char *sub = path_join(dir, "sub"), *file = path_join(dir, "sub/real");
	_cleanup_free_ char *second = path_join(dir, "sub/link"), *round = path_join(dir, "round");
	struct mlp_error err = MLP_ERROR_INIT;
	struct stat st;

	mkdir(sub, 0777);
	ok(!symlink("sub/link", path), "a link");
	ok(!symlink("real", second), "to a link to what is not there yet");
	is_int(settings_write(path, "a.b", "1", &err), 0, "written");
	is_file(file, "[a]\n\tb = 1\n", "there");
	is_int(settings_write(path, "a.b", "2", &err), 0, "and again");
	is_file(file, "[a]\n\tb = 2\n", "there");
	ok(!lstat(path, &st) && S_ISLNK(st.st_mode), "the link stays one");
	ok(!symlink("round", round), "a link to itself");
	ok(settings_write(round, "a.b", "1", &err) < 0, "is none to write to");
	path_remove_tree(dir);
}

static int lock_new(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	return fd >= 0 && !lockf(fd, F_LOCK, 0) ? fd : -1;
}

/* Waits until the process waits for this lock; false when it ends instead. */
static bool is_waiting(pid_t pid, int fd)
{
	_cleanup_free_ char *who = NULL, *what = NULL;
	struct stat st;

	fstat(fd, &st);
	who = xasprintf(" %d ", (int)pid);
	what = xasprintf(":%lu ", (unsigned long)st.st_ino);
	while (!waitpid(pid, NULL, WNOHANG)) {
		_release_(strbuf_release) struct strbuf locks = STRBUF_INIT;
		_release_(strvec_release) struct strvec lines = STRVEC_INIT;

		file_read("/proc/locks", 1 << 20, &locks);
		strvec_split(&lines, locks.buf, '\n');
		for (size_t i = 0; i < lines.len; i++)
			if (strstr(lines.v[i], "->") && strstr(lines.v[i], who) &&
			    strstr(lines.v[i], what))
				return true;
		usleep(1000);
	}
	return false;
}

/* A writer waits for another, which takes the lock file away, whose name a third has
 * before the first is woken. */
static void test_write_third(void)
{
	_cleanup_free_ char *dir = tap_folder(), *path = path_join(dir, "config");
	_cleanup_free_ char *lock = path_join(dir, "config.lock");
	int second = lock_new(lock), third, status = -1;
	pid_t first = fork();

	if (!first)
		_exit(settings_write(path, "a.b", "1", NULL) ? 1 : 0);
	ok(is_waiting(first, second), "a writer waits for another");
	unlink(lock);
	third = lock_new(lock);
	close(second);
	ok(is_waiting(first, third), "and for the one that came between");
	file_replace(path, "[a]\n\tc = 2\n", 11, 0600);
	unlink(lock);
	close(third);
	ok(waitpid(first, &status, 0) == first && !status, "it writes in the end");
	is_file(path, "[a]\n\tc = 2\n\tb = 1\n", "nothing is lost");
	path_remove_tree(dir);
}

static void test_comments_stay(void)
{
	_cleanup_free_ char *dir = tap_folder(), *path = path_join(dir, "config");
	struct mlp_error err = MLP_ERROR_INIT;
	static const char text[] = "; top\n[a]\n\t# one\n\tb = 1\n\n[c]\n\td = 2";

	file_replace(path, text, sizeof(text) - 1, 0600);
	is_int(settings_write(path, "c.e", "3", &err), 0, "the last line had no end");
	is_file(path, "; top\n[a]\n\t# one\n\tb = 1\n\n[c]\n\td = 2\n\te = 3\n",
		"comments and order stay");
	path_remove_tree(dir);
}

static void test_keys(void)
{
	_cleanup_free_ char *key = settings_key("Core.Sub.X.Name");

	is_str(key, "core.Sub.X.name", "canonical");
	ok(!settings_key("core") && !settings_key(".a") && !settings_key("a.") &&
		   !settings_key("a.1b") && !settings_key("a.b\n.c"),
	   "malformed ones");
}

int main(void)
{
	plan_lazy();
	test_syntax();
	test_errors();
	test_values();
	test_write();
	test_write_link();
	test_write_third();
	test_comments_stay();
	test_keys();
	return done_testing();
}
