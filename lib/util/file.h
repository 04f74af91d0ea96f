/* SPDX-License-Identifier: Apache-2.0 */
/* Whole-file reading, and writing that is never seen half done. */
#ifndef UTIL_FILE_H
#define UTIL_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/util/strbuf.h"

/* Appends the whole file; -EFBIG when it is larger than max bytes.  Works on
 * files of /proc, whose size is not known before.  0, or -errno. */
int file_read(const char *path, size_t max, struct strbuf *out);
/* The same from an open descriptor, from its current position. */
int file_read_fd(int fd, size_t max, struct strbuf *out);
/* read() over EINTR: bytes read, 0 at the end, or -errno. */
ssize_t file_read_some(int fd, void *buf, size_t len);
/* Writes all bytes, over short writes and EINTR.  0, or -errno. */
int file_write_all(int fd, const void *data, size_t len);
/* Replaces path by data: temporary file beside it, fsync, rename, fsync of the
 * folder.  After a crash path holds the old or the new bytes.  0, or -errno. */
int file_replace(const char *path, const void *data, size_t len, mode_t mode);
/* Bounded memory copy of fd to fd, by reflink where the file system can. */
int file_copy_fd(int from, int to);

#endif
