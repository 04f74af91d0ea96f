/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's protocols for services, which are small enough to need no library. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd/server/server.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

enum { FIRST_PASSED_FD = 3 };

int service_listen_fd(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int64_t p, n;

	if (!pid || !count || !text_parse_int(pid, &p) || p != getpid() ||
	    !text_parse_int(count, &n) || n < 1)
		return -1;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	fcntl(FIRST_PASSED_FD, F_SETFD, FD_CLOEXEC);
	fcntl(FIRST_PASSED_FD, F_SETFL, fcntl(FIRST_PASSED_FD, F_GETFL) | O_NONBLOCK);
	return FIRST_PASSED_FD;
}

bool service_is_local(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	const struct sockaddr_in *v4 = (const void *)&address;
	const struct sockaddr_in6 *v6 = (const void *)&address;

	if (getsockname(fd, (struct sockaddr *)&address, &len))
		return false;
	if (address.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return address.ss_family == AF_UNIX ||
	       (address.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr));
}

void service_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	_cleanup_close_ int fd = -1;

	if (len < 2 || len >= sizeof(address.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		cmd_warn("cannot tell '%s' that the server is ready", path);
}

void service_notify_reload(void)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_ns() / 1000);
	service_notify(text);
}
