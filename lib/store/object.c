/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that are there: names, reading, checking, copying out. */
#include "config.h"

#include "lib/store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/store/internal.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

char *object_path(const struct repo *repo, const char *hex)
{
	if (strlen(hex) != SHA256_HEX || !text_is_hex(hex, SHA256_HEX))
		return NULL;
	return xasprintf("%s/objects/%.2s/%s", repo->dir, hex, hex + 2);
}

bool object_exists(const struct repo *repo, const char *hex)
{
	_cleanup_free_ char *path = object_path(repo, hex);
	struct stat st;

	return path && !lstat(path, &st) && S_ISREG(st.st_mode);
}

int object_open(const struct repo *repo, const char *hex, struct mlp_error *err)
{
	_cleanup_free_ char *path = object_path(repo, hex);
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!path)
		return mlp_error_set(err, MLP_EINVAL, "bad object name '%s'", hex);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return mlp_error_set(err, MLP_ENOTFOUND, "object '%s' is not in the store", hex);
	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot open object '%s'", hex);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return mlp_error_set(err, MLP_ECORRUPT, "object '%s' is not a file", hex);
	return steal_fd(&fd);
}

int object_read(const struct repo *repo, const char *hex, size_t max, struct strbuf *out,
		struct mlp_error *err)
{
	_cleanup_close_ int fd = object_open(repo, hex, err);
	int r;

	if (fd < 0)
		return fd;
	r = file_read_fd(fd, max, out);
	if (r == -EFBIG)
		return mlp_error_set(err, MLP_EINVAL, "object '%s' is larger than %zu bytes", hex,
				     max);
	return r ? mlp_error_errno(err, r, "cannot read object '%s'", hex) : 0;
}

/* Hashes to the end of from, and copies to the descriptor to unless it is negative.
 * 0, or -errno. */
static int hash_fd(struct sha256 *hash, int from, int to, struct object_id *id)
{
	_cleanup_free_ char *block = xmalloc(STORE_BLOCK);
	ssize_t n;

	posix_fadvise(from, 0, 0, POSIX_FADV_SEQUENTIAL);
	id->size = 0;
	while ((n = file_read_some(from, block, STORE_BLOCK)) > 0) {
		int r = to < 0 ? 0 : file_write_all(to, block, (size_t)n);

		if (r)
			return r;
		sha256_update(hash, block, (size_t)n);
		id->size += n;
	}
	sha256_finish(hash, id->hex);
	return (int)n;
}

int object_hash_file(const char *path, struct object_id *id, struct mlp_error *err)
{
	_cleanup_(sha256_free) struct sha256 *hash = sha256_new(err);
	_cleanup_close_ int fd = -1;
	int r;

	if (!hash)
		return MLP_EUNSUPPORTED;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : hash_fd(hash, fd, -1, id);
	return r ? mlp_error_errno(err, r, "cannot read '%s'", path) : 0;
}

static int corrupt(const char *hex, struct mlp_error *err)
{
	return mlp_error_set(err, MLP_ECORRUPT, "object '%s' is damaged: its bytes have changed",
			     hex);
}

int object_verify(const struct repo *repo, const char *hex, struct mlp_error *err)
{
	_cleanup_(sha256_free) struct sha256 *hash = sha256_new(err);
	_cleanup_close_ int fd = -1;
	struct object_id id;
	int r;

	if (!hash)
		return MLP_EUNSUPPORTED;
	fd = object_open(repo, hex, err);
	if (fd < 0)
		return fd;
	r = hash_fd(hash, fd, -1, &id);
	if (r)
		return mlp_error_errno(err, r, "cannot read object '%s'", hex);
	return strcmp(id.hex, hex) ? corrupt(hex, err) : 0;
}

static int extract_file(int from, const char *hex, const char *tmp, unsigned mode,
			struct mlp_error *err)
{
	_cleanup_(sha256_free) struct sha256 *hash = sha256_new(err);
	_cleanup_close_ int to = -1;
	struct object_id id;
	int r;

	if (!hash)
		return MLP_EUNSUPPORTED;
	to = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return mlp_error_errno(err, errno, "cannot write '%s'", tmp);
	r = hash_fd(hash, from, to, &id);
	if (!r && fchmod(to, mode & 0777))
		r = -errno;
	if (r)
		return mlp_error_errno(err, r, "cannot copy object '%s' to '%s'", hex, tmp);
	return strcmp(id.hex, hex) ? corrupt(hex, err) : 0;
}

static int extract_link(const struct repo *repo, const char *hex, const char *tmp,
			struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	int r = object_read(repo, hex, PATH_MAX, &target, err);

	if (r)
		return r;
	if (strlen(target.buf) != target.len)
		return mlp_error_set(err, MLP_EINVAL, "object '%s' is not the target of a link", hex);
	return symlink(target.buf, tmp) ? mlp_error_errno(err, errno, "cannot make link '%s'", tmp) :
					  0;
}

int object_extract(const struct repo *repo, const char *hex, const char *path, unsigned mode,
		   struct mlp_error *err)
{
	_cleanup_free_ char *start = xasprintf("%s.tmp-", path), *tmp = store_random_name(start);
	_cleanup_close_ int from = object_open(repo, hex, err);
	int r;

	if (from < 0)
		return from;
	r = S_ISLNK(mode) ? extract_link(repo, hex, tmp, err) :
			    extract_file(from, hex, tmp, mode, err);
	if (!r && rename(tmp, path))
		r = mlp_error_errno(err, errno, "cannot write '%s'", path);
	if (r)
		unlink(tmp);
	return r;
}
