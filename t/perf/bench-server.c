/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests of MLflow's protocol cost a server, ours or the stock one:
 *	bench-server PORT PID CASE=N...
 * sends N requests of each case to 127.0.0.1 and prints "CASE server-cpu wall client-cpu", in
 * microseconds a request; PID's whole family counts.  Of "crowd" (16 clients that log N
 * metrics each) the line is "crowd p50 p99 errors".  "health" alone asks for /health.
 */
#include "config.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/json/read.h"
#include "lib/json/write.h"
#include "lib/util/clock.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

enum { CROWD = 16, BATCH = 1000, HISTORY = 10000, INTERVAL = 11000, RUNS = 1000, KEYS = 20 };

struct client {
	int fd;
	struct strbuf answer;
	size_t body; /* where it starts in the answer */
};

struct bench {
	struct client client;
	uint16_t port;
	pid_t pid;
	char *experiment;
	char *run, *history, *interval; /* ids, made when needed */
	bool filled;			/* the experiment has its runs */
};

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "bench-server: %s: %.400s\n", what, detail);
	exit(1);
}

static void client_open(struct client *c, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	strbuf_init(&c->answer);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)))
		fail("cannot connect", "127.0.0.1");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void client_close(struct client *c)
{
	close(c->fd);
	strbuf_release(&c->answer);
}

/* The body's length once all headers are there; -1 before. */
static int64_t answer_length(struct client *c)
{
	const char *end = strstr(c->answer.buf, "\r\n\r\n"), *field;

	if (!end)
		return -1;
	c->body = (size_t)(end - c->answer.buf) + 4;
	field = strcasestr(c->answer.buf, "\r\ncontent-length:");
	if (!field || field > end)
		fail("an answer without length", c->answer.buf);
	return strtoll(field + strlen("\r\ncontent-length:"), NULL, 10);
}

/* The answer's status; its body is at answer.buf + body. */
static int ask(struct client *c, const char *method, const char *path, const struct strbuf *body)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int64_t length;

	strbuf_addf(&text, "%s %s%s HTTP/1.1\r\nHost: localhost\r\n", method,
		    *path == '/' ? "" : "/api/2.0/mlflow/", path);
	if (body)
		strbuf_addf(&text, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			    body->len);
	strbuf_addstr(&text, "\r\n");
	if (body)
		strbuf_add(&text, body->buf, body->len);
	if (file_write_all(c->fd, text.buf, text.len))
		return 0;
	strbuf_clear(&c->answer);
	do {
		ssize_t n;

		strbuf_grow(&c->answer, 1 << 16);
		n = read(c->fd, c->answer.buf + c->answer.len, 1 << 16);
		if (n <= 0)
			return 0;
		strbuf_setlen(&c->answer, c->answer.len + (size_t)n);
		length = answer_length(c);
	} while (length < 0 || c->answer.len < c->body + (size_t)length);
	return atoi(c->answer.buf + strlen("HTTP/1.1 "));
}

static const char *must(struct bench *b, const char *method, const char *path,
			const struct strbuf *body)
{
	if (ask(&b->client, method, path, body) != 200)
		fail(path, b->client.answer.buf);
	return b->client.answer.buf + b->client.body;
}

/* A member of the answer's object, or of its member outer's member inner. */
static char *member(const char *answer, const char *outer, const char *inner, const char *name)
{
	_cleanup_(json_free) struct json *doc = json_parse(answer, strlen(answer), NULL);
	const struct json *v = outer ? json_get(json_get(doc, outer), inner) : doc;

	if (!json_text(json_get(v, name)))
		fail("an answer without member", name);
	return xstrdup(json_text(json_get(v, name)));
}

static char *create_run(struct bench *b)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;

	strbuf_addf(&body, "{\"experiment_id\": \"%s\", \"start_time\": 1}", b->experiment);
	return member(must(b, "POST", "runs/create", &body), "run", "info", "run_id");
}

static char *create_experiment(struct bench *b)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;

	strbuf_addf(&body, "{\"name\": \"bench %d\"}", (int)getpid());
	return member(must(b, "POST", "experiments/create", &body), NULL, NULL, "experiment_id");
}

static void put_metric(struct json_writer *w, const char *key, double value, int64_t step)
{
	json_put_string(w, "key", key);
	json_put_double(w, "value", value);
	json_put_int(w, "timestamp", 1763000000000 + step * 250);
	json_put_int(w, "step", step);
}

/* Points first to first + n of a run, by turns of so many keys. */
static void log_batch(struct bench *b, const char *run, int64_t first, int n, int keys)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };
	char key[16];

	json_open(&w, '{');
	json_put_string(&w, "run_id", run);
	json_key(&w, "metrics");
	json_open(&w, '[');
	for (int64_t i = first; i < first + n; i++) {
		snprintf(key, sizeof(key), "m%d", (int)(i % keys));
		json_open(&w, '{');
		put_metric(&w, key, (double)i / 7, i / keys);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
	must(b, "POST", "runs/log-batch", &body);
}

static char *long_run(struct bench *b, int points)
{
	char *run = create_run(b);

	for (int i = 0; i < points; i += BATCH)
		log_batch(b, run, i, BATCH, 1);
	return run;
}

static void add_run(struct bench *b, int i)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	_cleanup_free_ char *run = create_run(b);
	struct json_writer w = { .out = &body };
	char text[16];

	json_open(&w, '{');
	json_put_string(&w, "run_id", run);
	json_key(&w, "params");
	json_open(&w, '[');
	for (int k = 0; k < KEYS; k++) {
		json_open(&w, '{');
		snprintf(text, sizeof(text), "p%d", k);
		json_put_string(&w, "key", text);
		snprintf(text, sizeof(text), "%d", i * k);
		json_put_string(&w, "value", text);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_key(&w, "metrics");
	json_open(&w, '[');
	for (int k = 0; k < KEYS; k++) {
		json_open(&w, '{');
		snprintf(text, sizeof(text), "m%d", k);
		put_metric(&w, text, i + k / 8.0, 1);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
	must(b, "POST", "runs/log-batch", &body);
}

static void log_metric_body(const char *run, const char *key, int64_t step, struct strbuf *body)
{
	struct json_writer w = { .out = body };

	strbuf_clear(body);
	json_open(&w, '{');
	json_put_string(&w, "run_id", run);
	put_metric(&w, key, (double)step / 7, step);
	json_close(&w, '}');
}

static void log_metric(struct bench *b, int64_t i)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;

	if (!b->run)
		b->run = create_run(b);
	log_metric_body(b->run, "m", i, &body);
	must(b, "POST", "runs/log-metric", &body);
}

static void log_batch_case(struct bench *b, int64_t i)
{
	if (!b->run)
		b->run = create_run(b);
	log_batch(b, b->run, i * BATCH, BATCH, 10);
}

static void fill(struct bench *b)
{
	for (int i = 0; i < RUNS && !b->filled; i++)
		add_run(b, i);
	b->filled = true;
}

static void search(struct bench *b, int64_t i)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;

	(void)i;
	fill(b);
	strbuf_addf(&body, "{\"experiment_ids\": [\"%s\"], \"max_results\": %d}", b->experiment, RUNS);
	must(b, "POST", "runs/search", &body);
}

static void filtered(struct bench *b, int64_t i)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;

	(void)i;
	fill(b);
	strbuf_addf(&body,
		    "{\"experiment_ids\": [\"%s\"], \"max_results\": 100,"
		    " \"filter\": \"metrics.m3 > 500\", \"order_by\": [\"metrics.m5 DESC\"]}",
		    b->experiment);
	must(b, "POST", "runs/search", &body);
}

static void history(struct bench *b, int64_t i)
{
	char path[256];

	(void)i;
	if (!b->history)
		b->history = long_run(b, HISTORY);
	snprintf(path, sizeof(path), "metrics/get-history?run_id=%s&metric_key=m0&max_results=%d",
		 b->history, HISTORY);
	must(b, "GET", path, NULL);
}

static void interval(struct bench *b, int64_t i)
{
	char path[256];

	(void)i;
	if (!b->interval)
		b->interval = long_run(b, INTERVAL);
	snprintf(path, sizeof(path),
		 "metrics/get-history-bulk-interval?run_ids=%s&metric_key=m0&max_results=320",
		 b->interval);
	must(b, "GET", path, NULL);
}

/* Clock ticks of a process and of all below it. */
static int64_t family_ticks(pid_t pid)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char path[64], *at, *end;
	int64_t ticks = 0;
	long user, system;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!file_read(path, 4096, &text) && (at = strrchr(text.buf, ')')) &&
	    sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system) == 2)
		ticks = user + system;
	strbuf_clear(&text);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file_read(path, 1 << 16, &text);
	for (at = text.buf; (pid = (pid_t)strtol(at, &end, 10)) > 0; at = end)
		ticks += family_ticks(pid);
	return ticks;
}

static int64_t own_us(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 + use.ru_utime.tv_usec +
	       use.ru_stime.tv_usec;
}

static void measure(struct bench *b, const char *name, int64_t n,
		    void (*fn)(struct bench *b, int64_t i))
{
	int64_t ticks, wall, own;

	fn(b, 0); /* makes what it needs */
	ticks = family_ticks(b->pid);
	own = own_us();
	wall = clock_mono_ns();
	for (int64_t i = 1; i <= n; i++)
		fn(b, i);
	printf("%s %" PRId64 " %" PRId64 " %" PRId64 "\n", name,
	       (family_ticks(b->pid) - ticks) * 1000000 / sysconf(_SC_CLK_TCK) / n,
	       (clock_mono_ns() - wall) / 1000 / n, (own_us() - own) / n);
	fflush(stdout);
}

struct member {
	struct bench *bench;
	pthread_t thread;
	int number;
	int64_t n, errors;
	int64_t *us;
};

static void *log_alone(void *data)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct member *m = data;
	struct client client;
	char key[16];

	client_open(&client, m->bench->port);
	snprintf(key, sizeof(key), "c%d", m->number);
	for (int64_t i = 0; i < m->n; i++) {
		int64_t begin = clock_mono_ns();

		log_metric_body(m->bench->run, key, i, &body);
		m->errors += ask(&client, "POST", "runs/log-metric", &body) != 200;
		m->us[i] = (clock_mono_ns() - begin) / 1000;
	}
	client_close(&client);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void crowd(struct bench *b, int64_t n)
{
	_cleanup_free_ int64_t *us = xcalloc((size_t)n * CROWD, sizeof(*us));
	struct member members[CROWD];
	int64_t errors = 0;

	free(b->run);
	b->run = create_run(b);
	for (int i = 0; i < CROWD; i++) {
		members[i] = (struct member){ .bench = b, .number = i, .n = n, .us = us + i * n };
		if (pthread_create(&members[i].thread, NULL, log_alone, &members[i]))
			fail("cannot start", "a thread");
	}
	for (int i = 0; i < CROWD; i++) {
		pthread_join(members[i].thread, NULL);
		errors += members[i].errors;
	}
	qsort(us, (size_t)n * CROWD, sizeof(*us), compare);
	printf("crowd %" PRId64 " %" PRId64 " %" PRId64 "\n", us[n * CROWD / 2],
	       us[n * CROWD * 99 / 100], errors);
}

static void run_case(struct bench *b, const char *text)
{
	static const struct {
		const char *name;
		void (*fn)(struct bench *b, int64_t i);
	} cases[] = {
		{ "log-metric", log_metric }, { "log-batch", log_batch_case },
		{ "search", search },	      { "filtered", filtered },
		{ "history", history },	      { "interval", interval },
	};
	const char *equals = strchr(text, '=');
	int64_t n;

	if (!equals || !text_parse_int(equals + 1, &n) || n < 1 || n > 1000000)
		fail("not CASE=N", text);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (!strncmp(text, cases[i].name, (size_t)(equals - text)) &&
		    !cases[i].name[equals - text]) {
			measure(b, cases[i].name, n, cases[i].fn);
			return;
		}
	if (strncmp(text, "crowd=", 6))
		fail("no such case", text);
	crowd(b, n);
}

int main(int argc, char **argv)
{
	struct bench b = { .run = NULL };

	if (argc < 4)
		return 2;
	b.port = (uint16_t)strtol(argv[1], NULL, 10);
	b.pid = (pid_t)strtol(argv[2], NULL, 10);
	client_open(&b.client, b.port);
	if (!strcmp(argv[3], "health"))
		return ask(&b.client, "GET", "/health", NULL) != 200;
	b.experiment = create_experiment(&b);
	for (int i = 3; i < argc; i++)
		run_case(&b, argv[i]);
	client_close(&b.client);
	free(b.experiment);
	free(b.run);
	free(b.history);
	free(b.interval);
	return 0;
}
