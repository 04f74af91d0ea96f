/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client against a peer that answers as its paths say. */
#include "config.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/net/net.h"
#include "t/unit/tap.h"

static int listener;
static char base[64];

static void say(int fd, const char *text)
{
	ssize_t n = write(fd, text, strlen(text));

	(void)n;
}

static void say_ok(int fd, const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
		 body);
	say(fd, text);
}

/* Reads headers and a body of the length they say; all in request. */
static bool hear(int fd, char *request, size_t size)
{
	size_t len = 0, wanted = 0;

	for (;;) {
		ssize_t n = read(fd, request + len, size - 1 - len);
		char *end, *length;

		if (n <= 0)
			return false;
		len += (size_t)n;
		request[len] = '\0';
		end = strstr(request, "\r\n\r\n");
		if (!end)
			continue;
		length = strcasestr(request, "Content-Length: ");
		wanted = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
		if (len >= (size_t)(end + 4 - request) + wanted)
			return true;
	}
}

/* False: closes the connection. */
static bool answer(int fd, const char *request, unsigned *count)
{
	const char *path = strchr(request, ' ') + 1;

	++*count;
	if (!strncmp(path, "/count ", 7)) {
		char text[32];

		snprintf(text, sizeof(text), "%u", *count);
		*count = 0;
		say_ok(fd, text);
	} else if (!strncmp(path, "/echo ", 6)) {
		say_ok(fd, request);
	} else if (!strncmp(path, "/busy ", 6) && *count < 3) {
		say(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
	} else if (!strncmp(path, "/gone ", 6)) {
		say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nlost");
	} else if (!strncmp(path, "/away ", 6)) {
		say(fd, "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
	} else if (!strncmp(path, "/short ", 7) && *count < 3) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nabc");
		return false;
	} else if (!strncmp(path, "/stall ", 7)) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nabc");
		pause();
	} else if (!strncmp(path, "/empty ", 7)) {
		say_ok(fd, "");
	} else {
		say_ok(fd, "abcdefgh");
	}
	return true;
}

static void serve(void)
{
	static char request[1 << 16];
	unsigned count = 0;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		while (hear(fd, request, sizeof(request)) && answer(fd, request, &count))
			;
		close(fd);
	}
}

static pid_t start_peer(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	pid_t pid;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 8) ||
	    getsockname(listener, (struct sockaddr *)&address, &len))
		return -1;
	snprintf(base, sizeof(base), "http://127.0.0.1:%d", ntohs(address.sin_port));
	pid = fork();
	if (!pid)
		serve();
	close(listener);
	return pid;
}

static struct net *open_net(const struct net_options *options)
{
	struct net_options o = *options;
	struct net *net = NULL;

	o.base = base;
	is_int(net_open(&net, &o, NULL), 0, "opened");
	return net;
}

static void check_plain(struct net *net)
{
	_release_(net_answer_release) struct net_answer a = NET_ANSWER_INIT;

	is_int(net_send(net, &(struct net_request){ .method = "GET", .path = "/x" }, &a, NULL), 0,
	       "an answer");
	is_str(a.body.buf, "abcdefgh", "its body");
	is_int(net_send(net, &(struct net_request){ .method = "GET", .path = "/gone" }, &a, NULL), 0,
	       "an error's status is an answer");
	is_int(a.status, 404, "404");
	is_int(net_send(net, &(struct net_request){ .method = "GET", .path = "/away" }, &a, NULL), 0,
	       "a redirection");
	is_int(a.status, 302, "is not followed");
	is_int(net_send(net, &(struct net_request){ .method = "PATCH", .path = "/echo",
						     .type = "application/json", .body = "{\"a\":1}",
						     .len = 7 }, &a, NULL), 0, "a body is sent");
	ok(strstr(a.body.buf, "PATCH /echo ") && strstr(a.body.buf, "\r\n\r\n{\"a\":1}"),
	   "as it was given");
	ok(strstr(a.body.buf, "Content-Type: application/json\r\n") &&
	   !strstr(a.body.buf, "Authorization"), "with its type, without credentials");
}

static void check_again(struct net *net)
{
	_release_(net_answer_release) struct net_answer a = NET_ANSWER_INIT;
	struct net_request busy = { .method = "GET", .path = "/busy", .repeatable = true };

	net_send(net, &(struct net_request){ .method = "GET", .path = "/count" }, &a, NULL);
	is_int(net_send(net, &busy, &a, NULL), 0, "a busy server is asked again");
	is_int(a.status, 200, "until it answers");
	net_send(net, &(struct net_request){ .method = "GET", .path = "/count" }, &a, NULL);
	is_str(a.body.buf, "4", "three times");
	busy.repeatable = false;
	net_send(net, &busy, &a, NULL);
	is_int(a.status, 503, "what must not be sent twice is not");
	net_send(net, &(struct net_request){ .method = "GET", .path = "/count" }, &a, NULL);
}

static struct strbuf taken = STRBUF_INIT;

static int take_begin(void *data, struct mlp_error *err)
{
	(void)err;
	++*(int *)data;
	strbuf_clear(&taken);
	return 0;
}

static int take_piece(void *data, const void *piece, size_t len, struct mlp_error *err)
{
	(void)data;
	(void)err;
	strbuf_add(&taken, piece, len);
	return 0;
}

static void check_sink(struct net *net)
{
	_release_(net_answer_release) struct net_answer a = NET_ANSWER_INIT;
	int begun = 0;
	struct net_sink sink = { take_begin, take_piece, &begun };
	struct net_request request = { .method = "GET", .path = "/short", .repeatable = true,
				       .sink = &sink };

	is_int(net_send(net, &request, &a, NULL), 0, "a broken transfer starts over");
	is_str(taken.buf, "abcdefgh", "and is whole");
	ok(begun >= 2, "the sink was told");
	request.path = "/gone";
	strbuf_clear(&taken);
	is_int(net_send(net, &request, &a, NULL), 0, "an error instead");
	is_str(taken.buf, "", "does not go to the sink");
	is_str(a.body.buf, "lost", "but to the answer");
	request.path = "/empty";
	begun = 0;
	is_int(net_send(net, &request, &a, NULL), 0, "no byte");
	is_int(begun, 1, "is a body too");
	strbuf_release(&taken);
}

static void check_bounds(struct net *net)
{
	_release_(net_answer_release) struct net_answer a = NET_ANSWER_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	struct net_request request = { .method = "GET", .path = "/x", .answer_max = 4 };

	is_int(net_send(net, &request, &a, &err), MLP_EFAIL, "too large an answer is refused");
	ok(strstr(err.text, "more than 4 bytes"), "and said");
	request = (struct net_request){ .method = "GET", .path = "/stall", .repeatable = true };
	is_int(net_send(net, &request, &a, &err), MLP_EFAIL, "a peer that stalls is left");
	ok(strstr(err.text, base), "and named");
}

static void check_credentials(void)
{
	_cleanup_(net_close) struct net *token = open_net(&(struct net_options){ .token = "t0ken" });
	_cleanup_(net_close) struct net *basic =
		open_net(&(struct net_options){ .user = "me", .password = "pw" });
	_release_(net_answer_release) struct net_answer a = NET_ANSWER_INIT;
	struct net_request request = { .method = "GET", .path = "/echo" };
	struct mlp_error err = MLP_ERROR_INIT;
	struct net *none = NULL;

	net_send(token, &request, &a, NULL);
	ok(strstr(a.body.buf, "Authorization: Bearer t0ken\r\n"), "a token is sent");
	net_close(steal_ptr(&token)); /* the peer serves one connection at a time */
	net_send(basic, &request, &a, NULL);
	ok(strstr(a.body.buf, "Authorization: Basic bWU6cHc=\r\n"), "a name and password are sent");
	is_int(net_open(&none, &(struct net_options){ .base = "http://me:s3cret@host" }, &err),
	       MLP_EINVAL, "an address with a password is refused");
	ok(!strstr(err.text, "s3cret"), "without telling it");
	is_int(net_open(&none, &(struct net_options){ .base = "file:///etc/passwd" }, &err), MLP_EINVAL,
	       "other protocols are refused");
	is_int(net_open(&none, &(struct net_options){ .base = "http://host/?a=b" }, &err), MLP_EINVAL,
	       "and queries");
}

static void check_file(struct net *net)
{
	_release_(net_answer_release) struct net_answer a = NET_ANSWER_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	FILE *f = tmpfile();
	struct net_request request = { .method = "PUT", .path = "/echo", .file = true };

	fputs("contents", f);
	fflush(f);
	request.fd = fileno(f);
	request.file_size = 8;
	is_int(net_send(net, &request, &a, &err), 0, "a file is sent");
	ok(strstr(a.body.buf, "PUT /echo ") && strstr(a.body.buf, "\r\n\r\ncontents"), "whole");
	request.file_size = 9;
	is_int(net_send(net, &request, &a, &err), MLP_ECORRUPT, "one that became shorter is not");
	fclose(f);
}

static void check_escapes(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	net_add_path(&sb, "a b/ü?");
	strbuf_addch(&sb, ' ');
	net_add_escaped(&sb, "a/b&c");
	is_str(sb.buf, "a%20b/%C3%BC%3F a%2Fb%26c", "escapes");
}

int main(void)
{
	struct net *net = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	struct net_answer a = NET_ANSWER_INIT;
	pid_t peer;

	plan_lazy();
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	peer = start_peer();
	if (peer < 0 || net_open(&net, &(struct net_options){ .base = base }, &err)) {
		skip(1, peer < 0 ? "cannot listen" : err.text);
		return done_testing();
	}
	check_plain(net);
	check_again(net);
	check_sink(net);
	check_file(net);
	net_close(net);
	check_credentials();
	net = open_net(&(struct net_options){ .stall_seconds = 1, .tries = 2 });
	check_bounds(net);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	is_int(net_send(net, &(struct net_request){ .method = "GET", .path = "/x" }, &a, &err),
	       MLP_EFAIL, "nobody there");
	net_answer_release(&a);
	net_close(net);
	check_escapes();
	return done_testing();
}
