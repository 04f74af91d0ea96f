/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/http/http.h"
#include "t/unit/tap.h"

enum { CLIENTS = 4, ROUNDS = 20, ANSWERS = 100, LARGE = 32 };

static atomic_int answers;
static int to_answer[2]; /* a pipe of requests that are held */

/* As the writer of mlp server: answers from a thread of its own. */
static void *answer_held(void *data)
{
	struct http_request *req;

	(void)data;
	while (read(to_answer[0], &req, sizeof(req)) == sizeof(req) && req)
		http_answer(req, 200, "text/plain", NULL);
	return NULL;
}

static void hold(void *data, struct http_request *req)
{
	(void)data;
	http_hold(req);
	if (write(to_answer[1], &req, sizeof(req)) != sizeof(req))
		abort();
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* One request after the other on one connection, until the server ends it. */
static void *ask(void *data)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int fd = connect_to(*(const uint16_t *)data);
	char answer[4096];

	while (fd >= 0 && send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0 &&
	       recv(fd, answer, sizeof(answer), 0) > 0)
		atomic_fetch_add(&answers, 1);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int start(struct http_server **out, struct mlp_error *err)
{
	static const struct http_handlers handlers = { .request = hold };
	struct http_options o = { .address = "127.0.0.1", .listen_fd = -1, .body_max = 1000,
				  .bodies_max = 1000, .header_max = 8192, .connection_max = 100,
				  .idle_seconds = 60, .header_seconds = 60 };

	return http_server_start(out, &o, &handlers, err);
}

/* A connection with a request that is held may not be there when the daemon is stopped, and
 * clients that keep asking begin such requests until its end. */
static bool stop_while_asked(void)
{
	pthread_t threads[CLIENTS], answering;
	struct http_request *none = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	struct http_server *s;
	uint16_t port;

	if (pipe(to_answer) || start(&s, &err))
		return false;
	port = http_server_port(s);
	atomic_store(&answers, 0);
	pthread_create(&answering, NULL, answer_held, NULL);
	for (int i = 0; i < CLIENTS; i++)
		pthread_create(&threads[i], NULL, ask, &port);
	while (atomic_load(&answers) < ANSWERS)
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	http_server_stop(s, 0);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	if (write(to_answer[1], &none, sizeof(none)) != sizeof(none))
		return false;
	pthread_join(answering, NULL);
	close(to_answer[0]);
	close(to_answer[1]);
	return true;
}

static void answer_large(void *data, struct http_request *req)
{
	static const char block[1 << 20];
	struct strbuf body = STRBUF_INIT;

	(void)data;
	for (int i = 0; i < LARGE; i++)
		strbuf_add(&body, block, sizeof(block));
	http_answer(req, 200, "text/plain", &body);
}

/* A connection on which the answer has begun, and its status. */
static int ask_large(uint16_t port, int *status)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char text[13] = "";
	int fd = connect_to(port);

	*status = 0;
	if (fd >= 0 && send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0 &&
	    recv(fd, text, sizeof(text) - 1, MSG_WAITALL) == sizeof(text) - 1)
		*status = atoi(text + strlen("HTTP/1.1 "));
	return fd;
}

/* More than sockets hold, so that one who does not read leaves it with the server. */
static void test_answers_not_taken(void)
{
	static const struct http_handlers handlers = { .request = answer_large };
	struct http_options o = { .address = "127.0.0.1", .listen_fd = -1, .body_max = 1000,
				  .answers_max = (LARGE + 1) << 20, .header_max = 8192,
				  .connection_max = 100, .idle_seconds = 60, .header_seconds = 60 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct http_server *s;
	int first, status;

	if (http_server_start(&s, &o, &handlers, &err)) {
		ok(false, "%s", err.text);
		return;
	}
	first = ask_large(http_server_port(s), &status);
	is_int(status, 200, "a large answer begins");
	close(ask_large(http_server_port(s), &status));
	is_int(status, 503, "a second one is too much");
	close(first);
	while (status == 503)
		close(ask_large(http_server_port(s), &status));
	is_int(status, 200, "until the first one is gone");
	http_server_stop(s, 0);
}

int main(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct http_server *s;
	int stopped = 0, r = start(&s, &err);

	plan_lazy();
	if (r == MLP_EUNSUPPORTED) {
		printf("ok 1 # SKIP %s\n1..1\n", err.text);
		return 0;
	}
	http_server_stop(s, 0);
	for (int i = 0; i < ROUNDS; i++)
		stopped += stop_while_asked();
	is_int(stopped, ROUNDS, "stopped while clients go on asking");
	test_answers_not_taken();
	return done_testing();
}
