/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/cleanup.h"
#include "lib/util/xalloc.h"

enum { PAUSE_MS = 10 };

struct listener {
	struct listener_user user;
	int fd, stop_fd;
	uint16_t port;
	pthread_t thread;
	bool running;
};

static int parse_address(const char *address, uint16_t port, struct sockaddr_storage *out,
			 struct mlp_error *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return 0;
	}
	return mlp_error_set(err, MLP_EINVAL, "bad address '%s': a numeric one is needed", address);
}

/* A listening socket of our own, so that a taken port is said in plain words. */
static int listen_on(const struct http_options *o, struct mlp_error *err)
{
	struct sockaddr_storage address;
	_cleanup_close_ int fd = -1;
	int on = 1, r = parse_address(o->address, o->port, &address, err);

	if (r)
		return r;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address,
		 address.ss_family == AF_INET ? sizeof(struct sockaddr_in) :
						sizeof(struct sockaddr_in6)) ||
	    listen(fd, 1024))
		return mlp_error_errno(err, errno, "cannot listen on '%s' port %u", o->address,
				       o->port);
	return steal_fd(&fd);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len))
		return 0;
	return ntohs(address.ss_family == AF_INET6 ?
			     ((struct sockaddr_in6 *)(void *)&address)->sin6_port :
			     ((struct sockaddr_in *)(void *)&address)->sin_port);
}

int listener_open(struct listener **out, const struct http_options *o,
		  const struct listener_user *user, struct mlp_error *err)
{
	int fd = o->listen_fd >= 0 ? o->listen_fd : listen_on(o, err);
	struct listener *l;

	if (fd < 0)
		return fd;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	l = xcalloc(1, sizeof(*l));
	*l = (struct listener){ .user = *user, .fd = fd, .port = port_of(fd),
				.stop_fd = eventfd(0, EFD_CLOEXEC) };
	if (l->stop_fd < 0) {
		listener_stop(l);
		return mlp_error_errno(err, errno, "cannot make an event");
	}
	*out = l;
	return 0;
}

uint16_t listener_port(const struct listener *l)
{
	return l->port;
}

/* True when listener_stop() was called meanwhile. */
static bool pause_accepting(const struct listener *l)
{
	return poll(&(struct pollfd){ l->stop_fd, POLLIN, 0 }, 1, PAUSE_MS) > 0;
}

static void *accept_all(void *data)
{
	struct listener *l = data;
	struct pollfd fds[] = { { l->fd, POLLIN, 0 }, { l->stop_fd, POLLIN, 0 } };

	for (;;) {
		struct sockaddr_storage address;
		socklen_t len = sizeof(address);
		int fd;

		if (!l->user.room(l->user.data)) {
			if (pause_accepting(l))
				break;
			continue;
		}
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			break;
		fd = accept4(l->fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			l->user.take(l->user.data, fd, (struct sockaddr *)&address, len);
		/* Out of descriptors or memory: those that are served will give some back. */
		else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
			 pause_accepting(l))
			break;
	}
	return NULL;
}

int listener_start(struct listener *l, struct mlp_error *err)
{
	int r = pthread_create(&l->thread, NULL, accept_all, l);

	if (r)
		return mlp_error_errno(err, r, "cannot start a thread");
	l->running = true;
	return 0;
}

void listener_stop(struct listener *l)
{
	if (!l)
		return;
	if (l->running) {
		eventfd_write(l->stop_fd, 1);
		pthread_join(l->thread, NULL);
	}
	if (l->stop_fd >= 0)
		close(l->stop_fd);
	close(l->fd);
	free(l);
}
