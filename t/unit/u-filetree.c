/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "config.h"

#include "t/unit/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/store/filetree.h"
#include "lib/store/object.h"
#include "lib/util/path.h"
#include "lib/util/vec.h"
#include "lib/util/xalloc.h"

struct seen {
	struct strvec lines; /* "path size first-digits-of-hash [stored]" */
	struct strvec warnings;
	size_t stop_after;
};

static int see(void *data, const struct filetree_entry *e, struct mlp_error *err)
{
	struct seen *seen = data;

	strvec_pushf(&seen->lines, "%s %lld %.8s%s", e->path, (long long)e->size,
		     e->sha256 ? e->sha256 : "-", e->stored ? " stored" : "");
	if (seen->stop_after && seen->lines.len == seen->stop_after)
		return mlp_error_set(err, MLP_EFAIL, "enough");
	return 0;
}

static void hear(void *data, const struct mlp_event *event)
{
	struct seen *seen = data;

	strvec_push(&seen->warnings, event->text);
}

static void seen_release(struct seen *seen)
{
	strvec_release(&seen->lines);
	strvec_release(&seen->warnings);
}

static int scan(const struct repo *repo, const char *path, enum filetree_mode mode,
		struct seen *seen, struct mlp_error *err)
{
	struct mlp_events events = { hear, seen };
	struct filetree_visitor visitor = { see, seen, &events };

	return filetree_scan(repo, path, mode, &visitor, err);
}

static void put(const char *path, const char *text)
{
	_cleanup_free_ char *dir = path_dirname(path);
	FILE *f;

	path_mkdirs(dir, 0755);
	f = fopen(path, "w");
	if (f && (fputs(text, f) < 0 || fclose(f)))
		diag("cannot write a file");
}

static const char *line(const struct seen *seen, size_t i)
{
	return i < seen->lines.len ? seen->lines.v[i] : "(none)";
}

static const char *warning(const struct seen *seen, size_t i)
{
	return i < seen->warnings.len ? seen->warnings.v[i] : "(none)";
}

static void test_order(const struct repo *repo)
{
	static const char *const names[] = { "d/b.txt", "d/b/x", "d/b-c", "d/b/.hidden", "d/a/z/y",
					     "d/.git/config", "d/.mlp/mlp.db", "d/sub/.git",
					     "d/other/store/object" };
	static const char *const want[] = {
		"d/a/z/y 1 2d711642",	  "d/b-c 1 2d711642",	    "d/b.txt 1 2d711642",
		"d/b/.hidden 1 2d711642", "d/b/x 1 2d711642",	    "d/dangling 7 ",
		"d/link 1 ",		  "d/loop 1 ",
	};
	struct repo elsewhere = { .dir = path_absolute("d/other/store") };
	struct mlp_error err = MLP_ERROR_INIT;
	struct seen seen = { 0 }, through_link = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(names[i], "x");
	is_int(symlink("b", "d/link") | symlink("nowhere", "d/dangling") | symlink(".", "d/loop"), 0,
	       "links");
	is_int(scan(&elsewhere, "d", FILETREE_HASH, &seen, &err), 0, "scan: %s", err.text);
	is_int(seen.lines.len, ARRAY_SIZE(want), "files and links");
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		ok(!strncmp(line(&seen, i), want[i], strlen(want[i])), "%s", line(&seen, i));
	is_int(seen.warnings.len, 0, "no warnings");
	is_int(symlink("d", "alias"), 0, "a link to the folder");
	is_int(scan(repo, "alias", FILETREE_HASH, &through_link, &err), 0, "is followed");
	ok(!strncmp(line(&through_link, 0), "alias/a/z/y ", 12), "%s", line(&through_link, 0));
	is_int(through_link.lines.len, ARRAY_SIZE(want) + 1, "the same files and the other store's");
	seen_release(&seen);
	seen_release(&through_link);
	free(elsewhere.dir);
	path_remove_tree("d");
	unlink("alias");
}

static void test_roots(const struct repo *repo)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct seen seen = { 0 };
	struct filetree_visitor quiet = { see, &seen, NULL };

	put("one", "x");
	put("t/two", "x");
	is_int(scan(repo, "one", FILETREE_HASH, &seen, &err), 0, "a file");
	is_str(line(&seen, 0), "one 1 2d711642", "as given");
	is_int(scan(repo, "t/", FILETREE_HASH, &seen, &err), 0, "a slash at the end");
	is_str(line(&seen, 1), "t/two 1 2d711642", "is not doubled");
	is_int(symlink("one", "to-one"), 0, "a link to a file");
	is_int(scan(repo, "to-one", FILETREE_HASH, &seen, &err), 0, "is followed");
	is_str(line(&seen, 2), "to-one 1 2d711642", "to the file's bytes");
	is_int(scan(repo, "none", FILETREE_HASH, &seen, &err), MLP_EMISSING, "nothing there");
	is_str(err.text, "cannot find 'none': no such file or folder", "message");
	is_int(scan(repo, "one/x", FILETREE_HASH, &seen, &err), MLP_EMISSING, "below a file");
	is_int(scan(NULL, "t", FILETREE_HASH, &seen, &err), 0, "no project needed for hashes");
	is_int(filetree_scan(repo, "t", FILETREE_HASH, &quiet, NULL), 0, "no events, no error");
	seen.stop_after = seen.lines.len + 1;
	is_int(scan(repo, "t", FILETREE_HASH, &seen, &err), MLP_EFAIL, "the callback's error ends it");
	seen_release(&seen);
	unlink("one");
	unlink("to-one");
	path_remove_tree("t");
}

static void test_odd_files(const struct repo *repo)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "odd/c-socket" };
	struct mlp_error err = MLP_ERROR_INIT;
	struct seen seen = { 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	put("odd/a\n\x1b[31m\xff", "x");
	put("odd/d", "x");
	is_int(mkfifo("odd/b-pipe", 0600), 0, "a pipe");
	is_int(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0, "a socket");
	is_int(scan(repo, "odd", FILETREE_HASH, &seen, &err), 0, "scan does not hang");
	is_int(seen.lines.len, 2, "files");
	is_str(line(&seen, 0), "odd/a\n\x1b[31m\xff 1 2d711642", "any name");
	is_str(warning(&seen, 0), "'odd/b-pipe' is left out: not a file", "pipe");
	is_str(warning(&seen, 1), "'odd/c-socket' is left out: not a file", "socket");
	is_int(scan(repo, "odd/b-pipe", FILETREE_HASH, &seen, &err), 0, "a pipe by itself");
	is_int(seen.warnings.len, 3, "is said");
	close(fd);
	seen_release(&seen);
	path_remove_tree("odd");
}

static void test_unreadable(const struct repo *repo)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct seen seen = { 0 };

	put("u/a", "x");
	put("u/b/c", "x");
	put("u/d", "x");
	chmod("u/a", 0);
	chmod("u/b", 0);
	if (!geteuid() && seteuid(65534))
		diag("cannot change user");
	is_int(scan(repo, "u", FILETREE_HASH, &seen, &err), 0, "goes on: %s", err.text);
	is_str(line(&seen, 0), "u/a 1 -", "a file without a hash");
	is_str(line(&seen, 1), "u/d 1 2d711642", "the next one");
	is_str(warning(&seen, 0), "cannot read 'u/a': permission denied", "said");
	is_str(warning(&seen, 1), "cannot read 'u/b': permission denied", "said of a folder");
	ok(scan(repo, "u/b", FILETREE_HASH, &seen, &err) < 0, "the root itself: %s", err.text);
	if (!getuid() && seteuid(0))
		diag("cannot change back");
	chmod("u/b", 0755);
	seen_release(&seen);
	path_remove_tree("u");
}

static void test_store(const struct repo *repo)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct strbuf text = STRBUF_INIT;
	struct seen seen = { 0 };
	char hex[SHA256_HEX + 1], name[64];
	int there = 0;

	for (int i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "s/%03d/file", i);
		put(name, name);
	}
	is_int(symlink("target", "s/link"), 0, "link");
	is_int(scan(repo, "s", FILETREE_STORE, &seen, &err), 0, "store: %s", err.text);
	is_int(seen.lines.len, 701, "files");
	for (int i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "s/%03d/file", i);
		sha256_data(name, strlen(name), hex, &err);
		there += !object_verify(repo, hex, &err) && strstr(line(&seen, (size_t)i), " stored");
	}
	is_int(there, 700, "all stored");
	sha256_data("target", 6, hex, &err);
	is_int(object_read(repo, hex, 100, &text, &err), 0, "the link's target is an object");
	is_str(text.buf, "target", "as it is");
	strbuf_release(&text);
	seen_release(&seen);
	path_remove_tree("s");
}

/* Deeper than descriptors and path names go. */
static void test_deep(const struct repo *repo)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct seen seen = { 0 };
	int depth = 0, here = open(".", O_RDONLY | O_DIRECTORY);

	while (depth < 990 && !mkdir("a-rather-long-name", 0755) && !chdir("a-rather-long-name"))
		depth++;
	put("leaf", "x");
	is_int(fchdir(here), 0, "back");
	is_int(depth, 990, "990 folders");
	is_int(scan(repo, "a-rather-long-name", FILETREE_HASH, &seen, &err), 0, "walked: %s", err.text);
	is_int(seen.lines.len, 1, "the leaf is found");
	ok(strlen(line(&seen, 0)) > 4096, "its path is longer than the kernel takes");

	while (!chdir("a-rather-long-name"))
		;
	for (int i = 0; i < 20; i++)
		if (mkdir("a-rather-long-name", 0755) || chdir("a-rather-long-name"))
			diag("cannot go deeper");
	is_int(fchdir(here), 0, "back");
	is_int(scan(repo, "a-rather-long-name", FILETREE_HASH, &seen, &err), MLP_EINVAL, "too deep");
	ok(!strncmp(err.text, "folders more than 1000 deep in ", 31), "%s", err.text);
	close(here);
	seen_release(&seen);
	is_int(path_remove_tree("a-rather-long-name"), 0, "and such a tree can be removed");
}

/* A file that a process writes to all the time: an end, a warning, and in the
 * store what the hash says. */
static void test_changing(const struct repo *repo)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct seen seen = { 0 };
	char *size_at;
	pid_t writer;
	int r = 0;

	put("log", "");
	is_int(truncate("log", 20 << 20), 0, "a large file");
	writer = fork();
	if (!writer) {
		int fd = open("log", O_WRONLY | O_APPEND);

		while (write(fd, "more", 4) == 4)
			;
		_exit(0);
	}
	/* Where the writer had no processor meanwhile, once more. */
	for (int i = 0; i < 20 && !r && !seen.warnings.len; i++) {
		seen_release(&seen);
		r = scan(repo, "log", FILETREE_STORE, &seen, &err);
	}
	is_int(r, 0, "an end: %s", err.text);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	is_str(warning(&seen, 0), "'log' kept changing while it was read", "said");
	is_int(seen.lines.len, 1, "once");
	size_at = strchr(line(&seen, 0), ' ');
	ok(size_at && atoll(size_at) > 20 << 20, "%s", line(&seen, 0));
	seen_release(&seen);
	unlink("log");
}

int main(void)
{
	struct repo repo = { .root = tap_folder() };

	plan_lazy();
	umask(022);
	chmod(repo.root, 0755);
	if (chdir(repo.root))
		return 1;
	repo.dir = path_join(repo.root, ".mlp");
	path_mkdirs(".mlp/tmp", 0755);
	test_order(&repo);
	test_roots(&repo);
	test_odd_files(&repo);
	test_unreadable(&repo);
	test_store(&repo);
	test_deep(&repo);
	test_changing(&repo);
	path_remove_tree(repo.root);
	repo_release(&repo);
	return done_testing();
}
