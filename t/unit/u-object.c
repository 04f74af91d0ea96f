/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "config.h"

#include "t/unit/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/store/object.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

/* Some file systems have no files without a name; this one too when the test says so. */
static bool refuse_tmpfile;

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (refuse_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static const char hello_hex[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

static struct repo make_repo(void)
{
	char *root = tap_folder();
	struct repo repo = { .root = root, .dir = path_join(root, ".mlp") };
	static const char *const folders[] = { "objects", "tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char *dir = repo_path(&repo, folders[i]);

		path_mkdirs(dir, 0777);
		free(dir);
	}
	return repo;
}

static void drop_repo(struct repo *repo)
{
	path_remove_tree(repo->root);
	repo_release(repo);
}

static int count_files(const struct repo *repo, const char *folder)
{
	char *path = repo_path(repo, folder);
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	free(path);
	return n;
}

static void fill(char *block, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		block[i] = (char)(seed >> 24);
	}
}

static void test_put(struct repo *repo)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct strbuf text = STRBUF_INIT;
	struct object_id id, again;
	char *path;
	struct stat st;

	ok(!object_exists(repo, hello_hex), "not there at first");
	is_int(object_open(repo, hello_hex, &err), MLP_ENOTFOUND, "cannot be opened");
	is_int(object_put(repo, "hello", 5, &id, &err), 0, "put: %s", err.text);
	is_str(id.hex, hello_hex, "name");
	is_int(id.size, 5, "size");
	ok(object_exists(repo, id.hex), "exists");
	is_int(object_read(repo, id.hex, 5, &text, &err), 0, "read");
	is_str(text.buf, "hello", "bytes");
	is_int(object_read(repo, id.hex, 4, &text, &err), MLP_EINVAL, "too large");
	is_int(object_verify(repo, id.hex, &err), 0, "verify");
	path = object_path(repo, id.hex);
	is_int(stat(path, &st), 0, "stat");
	is_int(st.st_mode & 07777, 0444 & ~022, "read-only");
	is_int(object_put(repo, "hello", 5, &again, &err), 0, "put again");
	is_str(again.hex, id.hex, "same name");
	is_int(count_files(repo, "tmp"), 0, "nothing left in tmp");

	/* Cut short by somebody: a put repairs it. */
	chmod(path, 0644);
	is_int(truncate(path, 2), 0, "damage");
	is_int(object_verify(repo, id.hex, &err), MLP_ECORRUPT, "seen");
	is_int(object_put(repo, "hello", 5, &again, &err), 0, "put over the damage");
	is_int(object_verify(repo, id.hex, &err), 0, "repaired");
	is_int(count_files(repo, "tmp"), 0, "nothing left in tmp");
	free(path);
	strbuf_release(&text);
}

static void test_names(struct repo *repo)
{
	static const char *const bad[] = {
		"", "..", "../../../etc/passwd", "ABCDEF",
		"2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824",
		"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b98241",
		"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b982/",
	};
	struct mlp_error err = MLP_ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		is_int(object_open(repo, bad[i], &err), MLP_EINVAL, "'%s' is refused", bad[i]);
		ok(!object_exists(repo, bad[i]), "'%s' does not exist", bad[i]);
	}
}

/* Sizes around the buffer and the block, in pieces of several lengths. */
static void test_stream(struct repo *repo)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 131072, 1000003 };
	static const size_t pieces[] = { 1, 4093, 65536, 200000 };
	char *data = xmalloc(1000003);
	struct mlp_error err = MLP_ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t k = sizes[i] > 70000; k < ARRAY_SIZE(pieces); k++) {
			struct strbuf text = STRBUF_INIT;
			struct object_writer *w;
			struct object_id id;
			int r;

			fill(data, sizes[i], (unsigned)(i * 10 + k));
			r = object_writer_open(&w, repo, &err);
			for (size_t at = 0; !r && at < sizes[i]; at += pieces[k])
				r = object_write(w, data + at, MIN(pieces[k], sizes[i] - at), &err);
			r = r ? r : object_writer_commit(w, &id, &err);
			if (!r)
				r = object_read(repo, id.hex, sizes[i], &text, &err);
			ok(!r && text.len == sizes[i] && !memcmp(text.buf, data, sizes[i]),
			   "%zu bytes in pieces of %zu: %s", sizes[i], pieces[k], err.text);
			strbuf_release(&text);
		}
	}
	free(data);
}

static void test_extract(struct repo *repo)
{
	struct mlp_error err = MLP_ERROR_INIT;
	char *path = path_join(repo->root, "copy"), *object, *missing;
	struct strbuf text = STRBUF_INIT;
	struct object_id id;
	struct stat st;
	char target[16] = "";

	object_put(repo, "hello", 5, &id, &err);
	is_int(object_extract(repo, id.hex, path, 0100755, &err), 0, "extract: %s", err.text);
	is_int(file_read(path, 10, &text), 0, "copy is there");
	is_str(text.buf, "hello", "with the bytes");
	is_int(stat(path, &st) ? 0 : st.st_mode & 07777, 0755, "and the mode");
	is_int(object_extract(repo, id.hex, path, S_IFLNK | 0777, &err), 0, "as a link");
	ok(readlink(path, target, sizeof(target) - 1) == 5 && !strcmp(target, "hello"), "target");

	object = object_path(repo, id.hex);
	chmod(object, 0644);
	is_int(file_replace(object, "hallo", 5, 0644), 0, "damage of the same size");
	is_int(object_extract(repo, id.hex, path, 0644, &err), MLP_ECORRUPT, "refused");
	ok(!lstat(path, &st) && S_ISLNK(st.st_mode), "what was there stays");
	unlink(object);

	object_put(repo, "hello", 5, &id, &err);
	missing = path_join(repo->root, "no/such/folder");
	is_int(object_extract(repo, id.hex, missing, 0644, &err), MLP_ENOTFOUND, "no folder");
	free(missing);
	free(object);
	free(path);
	strbuf_release(&text);
}

static void test_batch(struct repo *repo)
{
	struct object_batch *batch = object_batch_new(repo);
	struct mlp_error err = MLP_ERROR_INIT;
	struct object_id ids[600];
	int there = 0, r = 0;

	for (int i = 0; !r && i < 600; i++) {
		struct object_writer *w;
		char text[32];

		snprintf(text, sizeof(text), "batch %d", i % 590);
		r = object_writer_open(&w, repo, &err);
		r = r ? r : object_write(w, text, strlen(text), &err);
		r = r ? r : object_batch_add(batch, w, &ids[i], &err);
	}
	is_int(r, 0, "600 added: %s", err.text);
	is_int(object_batch_commit(batch, &err), 0, "committed: %s", err.text);
	for (int i = 0; i < 600; i++)
		there += !object_verify(repo, ids[i].hex, &err);
	is_int(there, 600, "all there");
	object_batch_free(batch);

	batch = object_batch_new(repo);
	struct object_writer *w;

	object_writer_open(&w, repo, &err);
	object_write(w, "never", 5, &err);
	object_batch_add(batch, w, &ids[0], &err);
	object_batch_free(batch);
	ok(!object_exists(repo, ids[0].hex), "a batch that is not committed leaves nothing");
	is_int(count_files(repo, "tmp"), 0, "nothing left in tmp");
}

static void test_readers(struct repo *repo)
{
	char *path = path_join(repo->root, "source"), *object;
	struct mlp_error err = MLP_ERROR_INIT;
	struct object_id id;
	struct stat st;

	static const struct {
		mode_t source, object;
	} steps[] = { { 0600, 0400 }, { 0640, 0440 }, { 0600, 0440 }, { 0644, 0444 }, { 0600, 0444 } };

	file_replace(path, "private", 7, 0600);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		chmod(path, steps[i].source);
		is_int(object_put_file(repo, path, &id, &err), 0, "put: %s", err.text);
		object = object_path(repo, id.hex);
		is_int(stat(object, &st) ? 0 : st.st_mode & 07777, steps[i].object,
		       "readers of a file of mode %o", steps[i].source);
		is_int(object_verify(repo, id.hex, &err), 0, "whole");
		free(object);
	}
	is_int(count_files(repo, "tmp"), 0, "nothing left in tmp");
	unlink(path);
	free(path);
}

/* Many processes store the same and different objects at once. */
static void test_concurrent(struct repo *repo)
{
	enum { PROCESSES = 8, OBJECTS = 40 };
	struct mlp_error err = MLP_ERROR_INIT;
	int failures = 0, bad = 0, status;
	char text[32], hex[SHA256_HEX + 1];

	for (int p = 0; p < PROCESSES; p++) {
		if (fork())
			continue;
		for (int i = 0; i < OBJECTS; i++) {
			struct object_id id;

			snprintf(text, sizeof(text), "shared %d", i);
			if (object_put(repo, text, strlen(text), &id, NULL))
				_exit(1);
			snprintf(text, sizeof(text), "own %d %d", p, i);
			if (object_put(repo, text, strlen(text), &id, NULL))
				_exit(1);
		}
		_exit(0);
	}
	for (int p = 0; p < PROCESSES; p++) {
		wait(&status);
		failures += status != 0;
	}
	is_int(failures, 0, "no writer failed");
	for (int i = 0; i < OBJECTS; i++) {
		snprintf(text, sizeof(text), "shared %d", i);
		sha256_data(text, strlen(text), hex, &err);
		bad += object_verify(repo, hex, &err) != 0;
	}
	is_int(bad, 0, "all objects are whole");
	is_int(count_files(repo, "tmp"), 0, "nothing left in tmp");
}

/* Killed with bytes on their way. */
static void test_killed(struct repo *repo)
{
	struct mlp_error err = MLP_ERROR_INIT;
	int ready[2], status, held;
	char byte, *data, *foreign, *live;
	pid_t pid;

	is_int(pipe(ready), 0, "pipe");
	pid = fork();
	if (!pid) {
		struct object_writer *w;

		data = xcalloc(1, 300000);
		if (object_writer_open(&w, repo, NULL) || object_write(w, data, 300000, NULL) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	ok(read(ready[0], &byte, 1) == 1, "a writer is at work");
	close(ready[0]);
	close(ready[1]);
	is_int(count_files(repo, "tmp"), refuse_tmpfile, "its file");
	is_int(object_tmp_clean(repo, &err), 0, "clean");
	is_int(count_files(repo, "tmp"), refuse_tmpfile, "a live writer's file stays");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);

	foreign = repo_path(repo, "tmp/other");
	live = repo_path(repo, "tmp/object-held");
	file_replace(foreign, "x", 1, 0644);
	file_replace(live, "x", 1, 0444);
	held = open(live, O_RDONLY);
	flock(held, LOCK_EX);
	is_int(object_tmp_clean(repo, &err), 0, "clean again");
	is_int(count_files(repo, "tmp"), 2, "a dead one's file goes, other files stay");
	close(held);
	object_tmp_clean(repo, &err);
	unlink(foreign);
	is_int(count_files(repo, "tmp"), 0, "unlocked: gone");
	free(foreign);
	free(live);
}

static void test_no_space(struct repo *repo)
{
	struct rlimit limit, small = { 100000, RLIM_INFINITY };
	struct mlp_error err = MLP_ERROR_INIT;
	char *data = xmalloc(300000);
	struct object_id id;

	fill(data, 300000, 77);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	ok(object_put(repo, data, 300000, &id, &err) < 0, "a write that fails: %s", err.text);
	setrlimit(RLIMIT_FSIZE, &limit);
	is_int(count_files(repo, "tmp"), 0, "leaves nothing");
	is_int(object_put(repo, data, 300000, &id, &err), 0, "and works when there is room");
	free(data);
}

static void test_files(struct repo *repo)
{
	struct mlp_error err = MLP_ERROR_INIT;
	char *path = path_join(repo->root, "file"), *tmp = repo_path(repo, "tmp");
	struct object_id id, hashed;

	file_replace(path, "hello", 5, 0644);
	is_int(object_hash_file(path, &hashed, &err), 0, "hash of a file");
	is_str(hashed.hex, hello_hex, "value");
	is_int(path_remove_tree(tmp), 0, "tmp removed by somebody");
	file_replace(path, "new one", 7, 0644);
	is_int(object_put_file(repo, path, &id, &err), 0, "put a file: %s", err.text);
	is_int(id.size, 7, "size");
	unlink(path);
	is_int(object_put_file(repo, path, &id, &err), MLP_ENOTFOUND, "no such file");
	is_int(object_hash_file(repo->root, &id, &err), MLP_ESYSTEM, "a folder: %s", err.text);
	free(path);
	free(tmp);
}

static void test_all(void)
{
	struct repo repo = make_repo();

	test_put(&repo);
	test_names(&repo);
	test_stream(&repo);
	test_extract(&repo);
	test_batch(&repo);
	test_readers(&repo);
	test_concurrent(&repo);
	test_killed(&repo);
	test_no_space(&repo);
	test_files(&repo);
	drop_repo(&repo);
}

int main(void)
{
	plan_lazy();
	umask(022);
	test_all();
	diag("the same where files cannot be without a name");
	refuse_tmpfile = true;
	test_all();
	return done_testing();
}
