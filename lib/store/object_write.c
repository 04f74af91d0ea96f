/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects being made.  The bytes go to a file without a name (O_TMPFILE), which gets
 * its name by link() once it is whole and on the disk: a writer that is killed leaves
 * nothing.  Where the file system has no such files, to a named one in .mlp/tmp
 * that is locked while its writer lives (object_tmp_clean() removes the others).
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/store/internal.h"
#include "lib/store/object.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/vec.h"

enum {
	BUFFER = 1 << 16,    /* objects up to this size need no file when they exist already */
	PENDING_MAX = 256,   /* open files of a batch */
	SYNC_EACH_MAX = 16,  /* more files or folders than this: the file system at once */
	SETTLED_SECONDS = 60 /* the kernel writes folders back within 30 */
};

#define TMP_PREFIX "object-"

struct object_writer {
	const struct repo *repo;
	struct sha256 *hash;
	char *buf; /* bytes not yet in the file */
	size_t used;
	int fd;	   /* -1: no file yet */
	char *tmp; /* its name, NULL while it has none */
	bool placed; /* bytes are written anywhere; hashed at the end */
	mode_t readers; /* who may read the source: bits of 044 */
	gid_t gid;	/* of the source */
	struct object_id id;
};

struct object_batch {
	const struct repo *repo;
	VEC(struct object_writer *) pending; /* whole, without their names yet */
	bool touched[256];		     /* folders with names that may not be durable */
	bool made_folder;
};

static int fail(const struct repo *repo, int errnum, struct mlp_error *err)
{
	return mlp_error_errno(err, errnum, "cannot write an object in '%s'", repo->dir);
}

int object_writer_open(struct object_writer **out, const struct repo *repo, struct mlp_error *err)
{
	struct sha256 *hash = sha256_new(err);
	struct object_writer *w;

	if (!hash)
		return MLP_EUNSUPPORTED;
	w = xcalloc(1, sizeof(*w));
	w->repo = repo;
	w->hash = hash;
	w->fd = -1;
	w->readers = 044;
	*out = w;
	return 0;
}

void object_writer_source(struct object_writer *w, const struct stat *source)
{
	w->readers = source->st_mode & 044;
	w->gid = source->st_gid;
}

/* The mode of an object of group gid, as far as the umask admits it.  The group of the
 * source need not be the group of the store. */
static mode_t mode_for(const struct object_writer *w, gid_t gid)
{
	return w->readers & 04 || w->gid == gid ? 0400 | w->readers : 0400;
}

void object_writer_abandon(struct object_writer *w)
{
	if (!w)
		return;
	/* Removed while still locked. */
	if (w->tmp)
		unlink(w->tmp);
	if (w->fd >= 0)
		close(w->fd);
	sha256_free(w->hash);
	free(w->tmp);
	free(w->buf);
	free(w);
}

char *store_random_name(const char *start)
{
	unsigned char random[8];
	char hex[2 * sizeof(random) + 1];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	text_hex(hex, random, sizeof(random));
	return xasprintf("%s%s", start, hex);
}

static char *tmp_name(const struct repo *repo)
{
	_cleanup_free_ char *start = xasprintf("%s/tmp/" TMP_PREFIX, repo->dir);

	return store_random_name(start);
}

/* A named, locked file. */
static int make_named(struct object_writer *w)
{
	for (;;) {
		_cleanup_free_ char *name = tmp_name(w->repo);
		_cleanup_close_ int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
					0400 | w->readers);
		struct stat st;

		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return -errno;
		/* Somebody who cleans up may have been between the two calls. */
		if (flock(fd, LOCK_EX) && errno != ENOLCK && errno != EOPNOTSUPP)
			return -errno;
		if (fstat(fd, &st) || !st.st_nlink)
			continue;
		w->fd = steal_fd(&fd);
		w->tmp = steal_ptr(&name);
		return 0;
	}
}

static int make_any(struct object_writer *w)
{
	_cleanup_free_ char *dir = repo_path(w->repo, "tmp");
	int r = 0;

	for (int try = 0; try < 2; try++) {
		w->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0400 | w->readers);
		if (w->fd >= 0)
			return 0;
		r = errno == ENOENT ? -ENOENT : make_named(w);
		if (r != -ENOENT)
			return r;
		r = path_mkdirs(dir, 0777);
		if (r)
			return r;
	}
	return make_named(w);
}

static int make_file(struct object_writer *w)
{
	int r = make_any(w);
	struct stat st;

	if (r || w->readers & 04 || !w->readers)
		return r;
	if (fstat(w->fd, &st) || fchmod(w->fd, st.st_mode & mode_for(w, st.st_gid)))
		return -errno;
	return 0;
}

static int write_out(struct object_writer *w, const void *data, size_t len, struct mlp_error *err)
{
	int r = w->fd < 0 ? make_file(w) : 0;

	if (!r)
		r = file_write_all(w->fd, data, len);
	return r ? fail(w->repo, r, err) : 0;
}

static int flush_buffer(struct object_writer *w, struct mlp_error *err)
{
	int r = write_out(w, w->buf, w->used, err);

	w->used = 0;
	return r;
}

int object_write(struct object_writer *w, const void *data, size_t len, struct mlp_error *err)
{
	int r = 0;

	if (!len)
		return 0;
	sha256_update(w->hash, data, len);
	w->id.size += (int64_t)len;
	if (w->used + len > BUFFER && w->used)
		r = flush_buffer(w, err);
	if (r || len > BUFFER)
		return r ? r : write_out(w, data, len, err);
	if (!w->buf)
		w->buf = xmalloc(BUFFER);
	memcpy(w->buf + w->used, data, len);
	w->used += len;
	return 0;
}

int object_writer_open_placed(struct object_writer **out, const struct repo *repo,
			      struct mlp_error *err)
{
	_cleanup_(object_writer_abandon) struct object_writer *w = NULL;
	int r = object_writer_open(&w, repo, err);

	if (r)
		return r;
	w->placed = true;
	r = make_file(w);
	if (r)
		return fail(repo, r, err);
	*out = steal_ptr(&w);
	return 0;
}

static int write_at(const struct object_writer *w, int64_t offset, const char *data, size_t len)
{
	while (len) {
		ssize_t n = pwrite(w->fd, data, len, (off_t)offset);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
			offset += n;
		}
	}
	return 0;
}

int object_write_at(struct object_writer *w, int64_t offset, const void *data, size_t len,
		    struct mlp_error *err)
{
	int r = write_at(w, offset, data, len);

	return r ? fail(w->repo, r, err) : 0;
}

int object_write_cut(struct object_writer *w, int64_t size, struct mlp_error *err)
{
	return ftruncate(w->fd, (off_t)size) ? fail(w->repo, errno, err) : 0;
}

/* Passes the bytes of a file to fn; 0 at its end, -errno, or what fn returned. */
static int each_block(int fd, int (*fn)(void *data, int64_t offset, const char *block, size_t len),
		      void *data)
{
	_cleanup_free_ char *block = xmalloc(STORE_BLOCK);
	int64_t offset = 0;
	int r = 0;

	while (!r) {
		ssize_t n = pread(fd, block, STORE_BLOCK, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		r = fn(data, offset, block, (size_t)n);
		offset += n;
	}
	return r;
}

struct copy {
	struct object_writer *to;
	int64_t offset;
};

static int copy_block(void *data, int64_t offset, const char *block, size_t len)
{
	const struct copy *copy = data;

	return write_at(copy->to, copy->offset + offset, block, len);
}

int object_write_copy(struct object_writer *w, int64_t offset, const struct object_writer *from,
		      struct mlp_error *err)
{
	struct copy copy = { w, offset };
	int r = each_block(from->fd, copy_block, &copy);

	return r ? fail(w->repo, r, err) : 0;
}

static int hash_block(void *data, int64_t offset, const char *block, size_t len)
{
	struct object_writer *w = data;

	sha256_update(w->hash, block, len);
	w->id.size = offset + (int64_t)len;
	return 0;
}

/* The folder of an object among the 256. */
static unsigned char folder_of(const struct object_id *id)
{
	unsigned char first = 0;

	text_unhex(&first, id->hex, 1);
	return first;
}

/* May what another process changed still be lost in a power cut? */
static bool is_young(const struct stat *st)
{
	return st->st_ctime + SETTLED_SECONDS > time(NULL);
}

/* May all read it that are to?  Whom the folder keeps out need not be asked. */
static bool readable(const struct object_writer *w, const char *path, const struct stat *st)
{
	mode_t lacking = mode_for(w, st->st_gid) & ~st->st_mode & 044;
	_cleanup_free_ char *dir = lacking ? path_dirname(path) : NULL;
	struct stat folder;

	return !lacking || stat(dir, &folder) || !(lacking & folder.st_mode);
}

/* Is it there, whole?  Another process may have linked it a moment ago and
 * not yet synced the folder, so that a young one is synced by us too. */
static bool have(struct object_batch *batch, const struct object_writer *w, const char *path)
{
	struct stat st;

	if (lstat(path, &st) || !S_ISREG(st.st_mode) || st.st_size != w->id.size ||
	    !readable(w, path, &st))
		return false;
	if (is_young(&st))
		batch->touched[folder_of(&w->id)] = true;
	return true;
}

static int make_folder(struct object_batch *batch, const char *path)
{
	_cleanup_free_ char *dir = path_dirname(path);
	int r = path_mkdirs(dir, 0777);

	batch->made_folder |= !r;
	return r;
}

/* Gives the file of w the name path; the name may have been taken meanwhile. */
static int link_file(const struct object_writer *w, const char *path)
{
	char self[32];

	if (w->tmp)
		return rename(w->tmp, path) ? -errno : 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", w->fd);
	if (!linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW))
		return 0;
	/* Without /proc: allowed to root, and to all from Linux 6.10. */
	if (errno == ENOENT && !linkat(w->fd, "", AT_FDCWD, path, AT_EMPTY_PATH))
		return 0;
	return -errno;
}

static int publish(struct object_batch *batch, struct object_writer *w)
{
	_cleanup_free_ char *path = object_path(w->repo, w->id.hex);
	int r = link_file(w, path);

	if (r == -ENOENT) {
		r = make_folder(batch, path);
		if (!r)
			r = link_file(w, path);
	}
	if (r == -EEXIST && !have(batch, w, path)) {
		/* Its size is wrong, or fewer may read it: replaced by the right one. */
		_cleanup_free_ char *name = tmp_name(w->repo);

		flock(w->fd, LOCK_EX);
		r = link_file(w, name);
		if (!r) {
			w->tmp = steal_ptr(&name);
			r = link_file(w, path);
		}
	}
	if (r && r != -EEXIST)
		return r;
	batch->touched[folder_of(&w->id)] = true;
	if (!r) {
		free(w->tmp);
		w->tmp = NULL;
	}
	return 0;
}

struct object_batch *object_batch_new(const struct repo *repo)
{
	struct object_batch *batch = xcalloc(1, sizeof(*batch));

	batch->repo = repo;
	return batch;
}

static void drop_pending(struct object_batch *batch)
{
	for (size_t i = 0; i < batch->pending.len; i++)
		object_writer_abandon(batch->pending.v[i]);
	batch->pending.len = 0;
}

void object_batch_free(struct object_batch *batch)
{
	if (!batch)
		return;
	drop_pending(batch);
	vec_free(&batch->pending);
	free(batch);
}

/* Some file systems cannot sync folders, and say EINVAL. */
static int sync_path(const char *path, bool whole_file_system)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (whole_file_system)
		return syncfs(fd) ? -errno : 0;
	return fsync(fd) && errno != EINVAL ? -errno : 0;
}

static int sync_pending(struct object_batch *batch)
{
	if (batch->pending.len > SYNC_EACH_MAX)
		return sync_path(batch->repo->dir, true);
	for (size_t i = 0; i < batch->pending.len; i++)
		if (fsync(batch->pending.v[i]->fd))
			return -errno;
	return 0;
}

static int sync_folders(struct object_batch *batch)
{
	_cleanup_free_ char *objects = repo_path(batch->repo, "objects");
	struct stat st;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(batch->touched); i++)
		n += batch->touched[i];
	if (n > SYNC_EACH_MAX) {
		r = sync_path(objects, true);
	} else {
		for (unsigned i = 0; !r && n && i < ARRAY_SIZE(batch->touched); i++) {
			_cleanup_free_ char *dir = xasprintf("%s/%02x", objects, i);

			r = batch->touched[i] ? sync_path(dir, false) : 0;
		}
		/* Or another process may have made one of them a moment ago. */
		if (!r && n && (batch->made_folder || stat(objects, &st) || is_young(&st)))
			r = sync_path(objects, false);
	}
	if (!r) {
		memset(batch->touched, 0, sizeof(batch->touched));
		batch->made_folder = false;
	}
	return r;
}

/* Names come after the bytes are on the disk, so that a name found after a power
 * cut stands for the whole object. */
static int publish_pending(struct object_batch *batch, struct mlp_error *err)
{
	int r = sync_pending(batch);

	for (size_t i = 0; !r && i < batch->pending.len; i++)
		r = publish(batch, batch->pending.v[i]);
	drop_pending(batch);
	return r ? fail(batch->repo, r, err) : 0;
}

int object_batch_add(struct object_batch *batch, struct object_writer *writer,
		     struct object_id *id, struct mlp_error *err)
{
	_cleanup_(object_writer_abandon) struct object_writer *w = writer;
	_cleanup_free_ char *path = NULL;
	int r = w->placed ? each_block(w->fd, hash_block, w) : 0;

	if (r)
		return fail(w->repo, r, err);
	sha256_finish(w->hash, w->id.hex);
	*id = w->id;
	path = object_path(w->repo, w->id.hex);
	if (have(batch, w, path))
		return 0;
	r = flush_buffer(w, err);
	if (r)
		return r;
	sha256_free(steal_ptr(&w->hash));
	free(steal_ptr(&w->buf));
	vec_push(&batch->pending, w);
	w = NULL;
	return batch->pending.len < PENDING_MAX ? 0 : publish_pending(batch, err);
}

int object_batch_commit(struct object_batch *batch, struct mlp_error *err)
{
	int r = publish_pending(batch, err);

	if (!r) {
		r = sync_folders(batch);
		r = r ? fail(batch->repo, r, err) : 0;
	}
	return r;
}

int object_writer_commit(struct object_writer *w, struct object_id *id, struct mlp_error *err)
{
	_cleanup_(object_batch_free) struct object_batch *batch = object_batch_new(w->repo);
	int r = object_batch_add(batch, w, id, err);

	return r ? r : object_batch_commit(batch, err);
}

int object_batch_put(struct object_batch *batch, const void *data, size_t len,
		     struct object_id *id, struct mlp_error *err)
{
	_cleanup_(object_writer_abandon) struct object_writer *w = NULL;
	int r = object_writer_open(&w, batch->repo, err);

	if (!r)
		r = object_write(w, data, len, err);
	return r ? r : object_batch_add(batch, steal_ptr(&w), id, err);
}

int object_batch_put_file(struct object_batch *batch, const char *path, struct object_id *id,
			  struct mlp_error *err)
{
	_cleanup_(object_writer_abandon) struct object_writer *w = NULL;
	_cleanup_free_ char *block = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t size;
	ssize_t n = 0;
	int r;

	if (fd < 0 || fstat(fd, &st))
		return mlp_error_errno(err, errno, "cannot open '%s'", path);
	size = st.st_size && st.st_size < STORE_BLOCK ? (size_t)st.st_size + 1 : STORE_BLOCK;
	block = xmalloc(size);
	r = object_writer_open(&w, batch->repo, err);
	if (!r)
		object_writer_source(w, &st);
	while (!r && (n = file_read_some(fd, block, size)) > 0)
		r = object_write(w, block, (size_t)n, err);
	if (n < 0)
		return mlp_error_errno(err, (int)n, "cannot read '%s'", path);
	return r ? r : object_batch_add(batch, steal_ptr(&w), id, err);
}

int object_put(const struct repo *repo, const void *data, size_t len, struct object_id *id,
	       struct mlp_error *err)
{
	_cleanup_(object_batch_free) struct object_batch *batch = object_batch_new(repo);
	int r = object_batch_put(batch, data, len, id, err);

	return r ? r : object_batch_commit(batch, err);
}

int object_put_file(const struct repo *repo, const char *path, struct object_id *id,
		    struct mlp_error *err)
{
	_cleanup_(object_batch_free) struct object_batch *batch = object_batch_new(repo);
	int r = object_batch_put_file(batch, path, id, err);

	return r ? r : object_batch_commit(batch, err);
}

int object_tmp_clean(const struct repo *repo, struct mlp_error *err)
{
	_cleanup_free_ char *dir = repo_path(repo, "tmp");
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return errno == ENOENT ? 0 : mlp_error_errno(err, errno, "cannot read '%s'", dir);
	while ((e = readdir(d))) {
		_cleanup_close_ int fd = -1;

		if (strncmp(e->d_name, TMP_PREFIX, strlen(TMP_PREFIX)))
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	return 0;
}
