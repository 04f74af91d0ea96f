/* SPDX-License-Identifier: Apache-2.0 */
/* Our own standard descriptors, used without blocking. */
#ifndef LAUNCH_STDIO_H
#define LAUNCH_STDIO_H

#include <stddef.h>
#include <sys/types.h>

/* The terminal or pipe behind fd opened anew, non-blocking and close-on-exec.  O_NONBLOCK
 * on fd itself would be seen by all that share it, and stay when we are killed.  fd
 * itself where that cannot be done. */
int stdio_reopen(int fd);
/* write() to what stdio_reopen() gave, in pieces that do not block: EAGAIN without room. */
ssize_t stdio_write(int fd, const void *data, size_t len);

#endif
