/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/path.h"
#include "lib/util/xalloc.h"

ssize_t file_read_some(int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = read(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int file_read_fd(int fd, size_t max, struct strbuf *out)
{
	size_t start = out->len;
	struct stat st;
	size_t block = 16384;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
		if ((uint64_t)st.st_size > max)
			return -EFBIG;
		block = (size_t)st.st_size + 1;
	}
	for (;;) {
		ssize_t n;

		strbuf_grow(out, block);
		n = file_read_some(fd, out->buf + out->len, out->alloc - out->len - 1);
		if (n <= 0)
			return (int)n;
		strbuf_setlen(out, out->len + (size_t)n);
		if (out->len - start > max)
			return -EFBIG;
		block = 16384;
	}
}

int file_read(const char *path, size_t max, struct strbuf *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return file_read_fd(fd, max, out);
}

int file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* So that a rename in the folder that holds path is durable. */
static int sync_parent(const char *path)
{
	_cleanup_free_ char *dir = path_dirname(path);
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fsync(fd) && errno != EINVAL ? -errno : 0;
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode)
{
	_cleanup_free_ char *tmp = xasprintf("%s.XXXXXX", path);
	_cleanup_close_ int fd = mkostemp(tmp, O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = file_write_all(fd, data, len);
	if (!r && (fchmod(fd, mode) || fsync(fd) || rename(tmp, path)))
		r = -errno;
	if (r) {
		unlink(tmp);
		return r;
	}
	return sync_parent(path);
}

int file_copy_fd(int from, int to)
{
	_cleanup_free_ char *block = NULL;
	const size_t size = 1 << 17;

	if (!ioctl(to, FICLONE, from))
		return 0;
	block = xmalloc(size);
	for (;;) {
		ssize_t n = file_read_some(from, block, size);
		int r;

		if (n <= 0)
			return (int)n;
		r = file_write_all(to, block, (size_t)n);
		if (r)
			return r;
	}
}
