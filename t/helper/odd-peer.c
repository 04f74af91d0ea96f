/* SPDX-License-Identifier: Apache-2.0 */
/*
 * odd-peer DIR: a server that answers as the files of DIR say.  The path of a request, without
 * "/api/2.0/" and its query and with '_' for '/', names the file: NAME holds the body of the
 * answer; with NAME.stall half of it is sent and no more, with NAME.die the connection ends
 * there.  Without a file the answer is 404.  Its address goes to standard output, the
 * requests to standard error.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/xalloc.h"

static const char *dir;

static bool say(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool marked(const char *name, const char *mark)
{
	_cleanup_free_ char *path = xasprintf("%s/%s.%s", dir, name, mark);

	return !access(path, F_OK);
}

static char *name_of(const char *target)
{
	char *name;

	if (!strncmp(target, "/api/2.0/", 9))
		target += 9;
	name = xmemdupz(target, strcspn(target, "? "));
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '_';
	return name;
}

/* False when the connection is to end. */
static bool answer(int fd, const char *target)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT, head = STRBUF_INIT;
	_cleanup_free_ char *name = name_of(target);
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	bool found = !file_read(path, 1 << 26, &body);

	fprintf(stderr, "%s\n", name);
	strbuf_addf(&head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
		    found ? "200 OK" : "404 Not Found", body.len);
	if (!say(fd, head.buf, head.len))
		return false;
	if (!marked(name, "stall") && !marked(name, "die"))
		return say(fd, body.buf, body.len);
	say(fd, body.buf, body.len / 2);
	while (marked(name, "stall"))
		sleep(1);
	return false;
}

/* Reads one request; what it says after its headers is passed over. */
static bool hear(int fd, struct strbuf *request)
{
	char buf[4096];
	size_t wanted;
	ssize_t n;

	for (;;) {
		char *end = strstr(request->buf, "\r\n\r\n");
		char *length = strcasestr(request->buf, "Content-Length: ");

		if (end) {
			wanted = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
			if (request->len >= (size_t)(end + 4 - request->buf) + wanted)
				return true;
		}
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			return false;
		strbuf_add(request, buf, (size_t)n);
	}
}

static void serve(int fd)
{
	_release_(strbuf_release) struct strbuf request = STRBUF_INIT;

	while (hear(fd, &request)) {
		const char *target = strchr(request.buf, ' ');

		if (!target || !answer(fd, target + 1))
			break;
		strbuf_clear(&request);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 2)
		return 129;
	dir = argv[1];
	if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 8) ||
	    getsockname(listener, (struct sockaddr *)&address, &len))
		return 1;
	printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
	fflush(stdout);
	setvbuf(stderr, NULL, _IOLBF, 0);
	for (;;)
		serve(accept(listener, NULL, NULL));
}
