/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/cleanup.h"

int stdio_reopen(int fd)
{
	char path[32];
	struct stat st;
	int mode = fcntl(fd, F_GETFL), copy;

	if (mode < 0 || fstat(fd, &st) || (!S_ISFIFO(st.st_mode) && !isatty(fd)))
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, (mode & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return copy >= 0 ? copy : fd;
}

ssize_t stdio_write(int fd, const void *data, size_t len)
{
	struct pollfd ready = { fd, POLLOUT, 0 };
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0)
		return -1;
	if (flags & O_NONBLOCK)
		return write(fd, data, len);
	if (fstat(fd, &st))
		return -1;
	if (S_ISSOCK(st.st_mode))
		return send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (S_ISREG(st.st_mode))
		return write(fd, data, len);
	/* A pipe of another user could not be opened anew: what it has room for goes through. */
	if (!poll(&ready, 1, 0)) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, data, MIN(len, (size_t)PIPE_BUF));
}
