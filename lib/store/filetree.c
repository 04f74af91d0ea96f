/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk keeps one folder open however deep it is (going up by "..", checked to be the
 * folder it came from) and the names of the folders it is inside.
 */
#include "config.h"

#include "lib/store/filetree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/store/internal.h"
#include "lib/store/object.h"
#include "lib/util/file.h"
#include "lib/util/strbuf.h"
#include "lib/util/vec.h"
#include "lib/util/xalloc.h"

enum {
	DEPTH_MAX = 1000,
	TRIES = 3,
	/* Files that say they are empty (as in /proc) are read up to here. */
	UNKNOWN_SIZE_MAX = 64 << 20,
};

struct name {
	char *name;
	bool is_dir;
};

/* A folder being walked. */
struct level {
	VEC(struct name) names; /* sorted */
	size_t next;
	size_t path_len; /* of the folder's own path */
	dev_t dev;
	ino_t ino;
};

struct scan {
	const struct repo *repo;
	const struct filetree_visitor *visitor;
	struct object_batch *batch; /* NULL: only hash */
	struct sha256 *hash;
	char *block;
	struct strbuf path; /* of what is looked at now */
	int dir;	    /* the innermost folder */
	VEC(struct level) levels;
	dev_t store_dev; /* the .mlp folder, which may have another name (MLP_DIR) */
	ino_t store_ino;
	int read_error; /* why the outcome was READ_FAILED */
};

static void warn_errno(const struct scan *s, const char *what, int errnum)
{
	struct mlp_error err = MLP_ERROR_INIT;

	mlp_error_errno(&err, errnum, "%s '%s'", what, s->path.buf);
	mlp_warn(s->visitor->events, "%s", err.text);
}

/* What a try to read a file came to. */
enum outcome { READ_DONE, READ_CHANGED, READ_FAILED };

static bool same_state(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Reads no further than the size at the start, so that a file that grows as fast as
 * it is read (a log) comes to an end. */
static int read_file(struct scan *s, int fd, int64_t max, struct object_writer *w,
		     int64_t *size, struct mlp_error *err)
{
	*size = 0;
	while (*size < max) {
		ssize_t n = file_read_some(fd, s->block, (size_t)MIN(max - *size, (int64_t)STORE_BLOCK));
		int r = 0;

		if (n <= 0)
			return (int)n;
		if (w)
			r = object_write(w, s->block, (size_t)n, err);
		else
			sha256_update(s->hash, s->block, (size_t)n);
		if (r)
			return r;
		*size += n;
	}
	return 0;
}

/* One try.  Fills id; an error is one of the store. */
static int try_file(struct scan *s, int fd, int try, struct object_id *id,
		    enum outcome *outcome, struct mlp_error *err)
{
	_cleanup_(object_writer_abandon) struct object_writer *w = NULL;
	struct stat before, after;
	int64_t max;
	int r;

	if ((try > 1 && lseek(fd, 0, SEEK_SET) < 0) || fstat(fd, &before)) {
		*outcome = READ_FAILED;
		s->read_error = errno;
		return 0;
	}
	r = s->batch ? object_writer_open(&w, s->repo, err) : 0;
	if (r)
		return r;
	if (w)
		object_writer_source(w, &before);
	max = before.st_size ? before.st_size : UNKNOWN_SIZE_MAX;
	err->code = 0;
	r = read_file(s, fd, max, w, &id->size, err);
	if (r < 0 && err->code)
		return r;
	if (!w)
		sha256_finish(s->hash, id->hex);
	*outcome = r < 0 ? READ_FAILED : READ_DONE;
	s->read_error = r;
	if (r < 0)
		return 0;
	if (fstat(fd, &after) || !same_state(&before, &after) || id->size < before.st_size)
		*outcome = READ_CHANGED;
	if (w && (*outcome == READ_DONE || try == TRIES))
		return object_batch_add(s->batch, steal_ptr(&w), id, err);
	return 0;
}

static int emit(struct scan *s, const struct stat *st, const struct object_id *id,
		struct mlp_error *err)
{
	struct filetree_entry entry = {
		.path = s->path.buf,
		.mode = st->st_mode,
		.size = id ? id->size : st->st_size,
		.sha256 = id ? id->hex : NULL,
		.stored = id && s->batch,
	};

	return s->visitor->fn(s->visitor->data, &entry, err);
}

static int scan_open_file(struct scan *s, int fd, const struct stat *st, struct mlp_error *err)
{
	enum outcome outcome = READ_CHANGED;
	struct object_id id;

	if (st->st_size > STORE_BLOCK)
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	for (int i = 1; outcome == READ_CHANGED && i <= TRIES; i++) {
		int r = try_file(s, fd, i, &id, &outcome, err);

		if (r)
			return r;
	}
	if (outcome == READ_FAILED) {
		warn_errno(s, "cannot read", s->read_error);
		return emit(s, st, NULL, err);
	}
	if (outcome == READ_CHANGED)
		mlp_warn(s->visitor->events, "'%s' kept changing while it was read", s->path.buf);
	return emit(s, st, &id, err);
}

static int scan_file(struct scan *s, const char *name, int flags, struct mlp_error *err)
{
	_cleanup_close_ int fd = openat(s->dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
							      flags);
	struct stat st;

	if (fd < 0) {
		int errnum = errno;

		if (errnum == ENOENT) {
			mlp_warn(s->visitor->events, "'%s' is gone", s->path.buf);
			return 0;
		}
		warn_errno(s, "cannot read", errnum);
		return fstatat(s->dir, name, &st, flags ? AT_SYMLINK_NOFOLLOW : 0) ? 0 :
										      emit(s, &st, NULL, err);
	}
	if (fstat(fd, &st)) {
		warn_errno(s, "cannot read", errno);
		return 0;
	}
	if (!S_ISREG(st.st_mode)) {
		mlp_warn(s->visitor->events, "'%s' is no longer a file", s->path.buf);
		return 0;
	}
	return scan_open_file(s, fd, &st, err);
}

static int scan_link(struct scan *s, const char *name, const struct stat *st,
		     struct mlp_error *err)
{
	char target[PATH_MAX];
	struct object_writer *w;
	struct object_id id;
	ssize_t n = readlinkat(s->dir, name, target, sizeof(target));
	int r;

	if (n < 0 || n == (ssize_t)sizeof(target)) {
		warn_errno(s, "cannot read link", n < 0 ? errno : ENAMETOOLONG);
		return emit(s, st, NULL, err);
	}
	if (!s->batch) {
		sha256_update(s->hash, target, (size_t)n);
		sha256_finish(s->hash, id.hex);
		id.size = n;
		return emit(s, st, &id, err);
	}
	r = object_writer_open(&w, s->repo, err);
	if (r)
		return r;
	r = object_write(w, target, (size_t)n, err);
	if (r)
		object_writer_abandon(w);
	else
		r = object_batch_add(s->batch, w, &id, err);
	return r ? r : emit(s, st, &id, err);
}

static void level_release(struct level *level)
{
	for (size_t i = 0; i < level->names.len; i++)
		free(level->names.v[i].name);
	vec_free(&level->names);
}

/* By the path that comes out: a folder's name counts with its slash. */
static int compare_names(const void *pa, const void *pb)
{
	const struct name *a = pa, *b = pb;
	size_t la = strlen(a->name), lb = strlen(b->name), n = MIN(la, lb);
	int d = memcmp(a->name, b->name, n), ca, cb;

	if (d)
		return d;
	ca = la > n ? (unsigned char)a->name[n] : a->is_dir ? '/' : 0;
	cb = lb > n ? (unsigned char)b->name[n] : b->is_dir ? '/' : 0;
	return ca - cb;
}

static bool is_dir_at(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return !fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

static bool left_out(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, ".mlp") ||
	       !strcmp(name, ".git");
}

/* 0, or -errno. */
static int read_names(int dir, struct level *level)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r;

	if (!d) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (errno = 0, (e = readdir(d))) {
		struct name name = { NULL, is_dir_at(dir, e) };

		if (left_out(e->d_name))
			continue;
		name.name = xstrdup(e->d_name);
		vec_push(&level->names, name);
	}
	r = -errno;
	closedir(d);
	if (level->names.len)
		qsort(level->names.v, level->names.len, sizeof(*level->names.v), compare_names);
	return r;
}

/* Makes the folder dir, which is taken, the innermost one. */
static int push_level(struct scan *s, int dir, struct mlp_error *err)
{
	_cleanup_close_ int fd = dir;
	struct level level = { .path_len = s->path.len };
	struct stat st;
	int r;

	if (s->levels.len >= DEPTH_MAX)
		return mlp_error_set(err, MLP_EINVAL, "folders more than %d deep in '%.200s...'",
				     DEPTH_MAX, s->path.buf);
	if (fstat(fd, &st)) {
		warn_errno(s, "cannot read", errno);
		return 0;
	}
	if (s->repo && st.st_dev == s->store_dev && st.st_ino == s->store_ino)
		return 0;
	level.dev = st.st_dev;
	level.ino = st.st_ino;
	r = read_names(fd, &level);
	if (r)
		warn_errno(s, "cannot read", r);
	vec_push(&s->levels, level);
	if (s->dir >= 0)
		close(s->dir);
	s->dir = steal_fd(&fd);
	return 0;
}

/* Back to the folder above. */
static int pop_level(struct scan *s, struct mlp_error *err)
{
	const struct level *up;
	struct stat st;
	int fd;

	level_release(&s->levels.v[--s->levels.len]);
	if (!s->levels.len)
		return 0;
	up = &s->levels.v[s->levels.len - 1];
	strbuf_setlen(&s->path, up->path_len);
	fd = openat(s->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot go back to '%s'", s->path.buf);
	close(s->dir);
	s->dir = fd;
	if (fstat(fd, &st) || st.st_dev != up->dev || st.st_ino != up->ino)
		return mlp_error_set(err, MLP_EFAIL, "'%s' was moved while it was read",
				     s->path.buf);
	return 0;
}

static int scan_dir(struct scan *s, const char *name, struct mlp_error *err)
{
	int fd = openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		return push_level(s, fd, err);
	warn_errno(s, "cannot read", errno);
	return 0;
}

static int scan_name(struct scan *s, const char *name, struct mlp_error *err)
{
	struct stat st;

	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT)
			mlp_warn(s->visitor->events, "'%s' is gone", s->path.buf);
		else
			warn_errno(s, "cannot read", errno);
		return 0;
	}
	if (S_ISREG(st.st_mode))
		return scan_file(s, name, O_NOFOLLOW, err);
	if (S_ISLNK(st.st_mode))
		return scan_link(s, name, &st, err);
	if (S_ISDIR(st.st_mode))
		return scan_dir(s, name, err);
	mlp_warn(s->visitor->events, "'%s' is left out: not a file", s->path.buf);
	return 0;
}

static int walk(struct scan *s, struct mlp_error *err)
{
	int r = 0;

	while (!r && s->levels.len) {
		struct level *level = &s->levels.v[s->levels.len - 1];
		const char *name;

		if (level->next == level->names.len) {
			r = pop_level(s, err);
			continue;
		}
		name = level->names.v[level->next++].name;
		strbuf_setlen(&s->path, level->path_len);
		if (s->path.len && s->path.buf[s->path.len - 1] != '/')
			strbuf_addch(&s->path, '/');
		strbuf_addstr(&s->path, name);
		r = scan_name(s, name, err);
	}
	return r;
}

static int scan_root(struct scan *s, const char *path, struct mlp_error *err)
{
	struct stat st;
	int fd, r;

	strbuf_addstr(&s->path, path);
	if (stat(path, &st)) {
		if (errno != ENOENT && errno != ENOTDIR)
			return mlp_error_errno(err, errno, "cannot read '%s'", path);
		return mlp_error_set(err, MLP_EMISSING, "cannot find '%s': no such file or folder",
				     path);
	}
	s->dir = AT_FDCWD;
	if (S_ISREG(st.st_mode))
		return scan_file(s, path, 0, err);
	s->dir = -1;
	if (!S_ISDIR(st.st_mode)) {
		mlp_warn(s->visitor->events, "'%s' is left out: not a file", path);
		return 0;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot read '%s'", path);
	r = push_level(s, fd, err);
	return r ? r : walk(s, err);
}

static void scan_release(struct scan *s)
{
	for (size_t i = 0; i < s->levels.len; i++)
		level_release(&s->levels.v[i]);
	vec_free(&s->levels);
	if (s->dir >= 0)
		close(s->dir);
	strbuf_release(&s->path);
	free(s->block);
	sha256_free(s->hash);
	object_batch_free(s->batch);
}

int filetree_scan(const struct repo *repo, const char *path, enum filetree_mode mode,
		  const struct filetree_visitor *visitor, struct mlp_error *err)
{
	_release_(scan_release) struct scan s = {
		.repo = repo, .visitor = visitor, .path = STRBUF_INIT, .dir = -1,
	};
	struct mlp_error local;
	struct stat st;
	int r;

	if (!err)
		err = &local;
	s.hash = sha256_new(err);
	if (!s.hash)
		return MLP_EUNSUPPORTED;
	if (mode == FILETREE_STORE)
		s.batch = object_batch_new(repo);
	if (repo && !stat(repo->dir, &st)) {
		s.store_dev = st.st_dev;
		s.store_ino = st.st_ino;
	}
	s.block = xmalloc(STORE_BLOCK);
	r = scan_root(&s, path, err);
	return !r && s.batch ? object_batch_commit(s.batch, err) : r;
}
