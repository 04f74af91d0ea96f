/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/api/observe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json/write.h"
#include "lib/util/clock.h"
#include "lib/util/hashmap.h"
#include "lib/util/xalloc.h"

/* Upper ends of the histogram's buckets. */
static const int64_t bucket_us[] = { 250,    500,    1000,   2500,    5000,    10000,	25000,
				     50000,  100000, 250000, 500000, 1000000, 5000000, 30000000 };
enum { BUCKETS = sizeof(bucket_us) / sizeof(bucket_us[0]) };

struct durations {
	int64_t bucket[BUCKETS + 1], count, sum_us;
};

struct observe {
	pthread_mutex_t lock; /* of what follows */
	struct strmap requests;  /* labels -> int64_t */
	struct strmap durations; /* labels -> struct durations */

	char *log_path; /* NULL: none */
	pthread_mutex_t log_lock; /* of what follows: a log that is slow holds up no counter */
	int log;
	struct strbuf rest; /* of a line that was written in part */
	int64_t dropped;    /* lines */
};

/* Standard output is opened anew where it can be: not to wait is a property of what is open,
 * which others share.  A socket, which cannot, is told at each write. */
static int open_stdout(void)
{
	struct stat st;
	int fd = -1;

	if (!fstat(STDOUT_FILENO, &st) && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
}

static int open_log(const char *path, struct mlp_error *err)
{
	int fd = !strcmp(path, "-") ? open_stdout() :
				      open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK |
						 O_NOCTTY | O_CLOEXEC, 0640);

	return fd >= 0 ? fd : mlp_error_errno(err, errno, "cannot open '%s'", path);
}

int observe_new(struct observe **out, const char *access_log, struct mlp_error *err)
{
	struct observe *o;
	int log = access_log ? open_log(access_log, err) : -1;

	if (access_log && log < 0)
		return log;
	o = xcalloc(1, sizeof(*o));
	pthread_mutex_init(&o->lock, NULL);
	pthread_mutex_init(&o->log_lock, NULL);
	strbuf_init(&o->rest);
	o->log_path = access_log ? xstrdup(access_log) : NULL;
	o->log = log;
	*out = o;
	return 0;
}

static void free_values(struct strmap *map)
{
	for (size_t i = 0; i < map->len; i++)
		free(map->entries[i].value);
	strmap_release(map);
}

void observe_free(struct observe *o)
{
	if (!o)
		return;
	free_values(&o->requests);
	free_values(&o->durations);
	free(o->log_path);
	if (o->log >= 0)
		close(o->log);
	strbuf_release(&o->rest);
	pthread_mutex_destroy(&o->lock);
	pthread_mutex_destroy(&o->log_lock);
	free(o);
}

int observe_reopen(struct observe *o, struct mlp_error *err)
{
	int log, old;

	if (!o->log_path)
		return 0;
	log = open_log(o->log_path, err);
	if (log < 0)
		return log;
	pthread_mutex_lock(&o->log_lock);
	old = o->log;
	o->log = log;
	strbuf_clear(&o->rest);
	pthread_mutex_unlock(&o->log_lock);
	close(old);
	return 0;
}

/* The value of a key, made with size zero bytes. */
static void *value(struct strmap *map, const struct strbuf *key, size_t size)
{
	struct strmap_entry *e = strmap_put(map, key->buf, key->len);

	if (!e->value)
		e->value = xcalloc(1, size);
	return e->value;
}

/* A name of few: it comes from outside, also without a token, and becomes a label. */
static const char *method_label(const struct observed *what)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };

	for (size_t i = 0; what->route && i < ARRAY_SIZE(known); i++)
		if (!strcmp(what->method, known[i]))
			return known[i];
	return "other";
}

static void count(struct observe *o, const struct observed *what)
{
	_release_(strbuf_release) struct strbuf labels = STRBUF_INIT;
	struct durations *d;
	int64_t *n;
	int i = 0;

	strbuf_addf(&labels, "method=\"%s\",route=\"%s\"", method_label(what),
		    what->route ? what->route : "other");
	d = value(&o->durations, &labels, sizeof(*d));
	while (i < BUCKETS && what->duration_us > bucket_us[i])
		i++;
	d->bucket[i]++;
	d->count++;
	d->sum_us += what->duration_us;
	strbuf_addf(&labels, ",status=\"%d\"", what->status);
	n = value(&o->requests, &labels, sizeof(*n));
	++*n;
}

/* Bytes written, without waiting; 0 when none can be. */
static size_t put(int fd, const char *text, size_t len)
{
	ssize_t n = send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(fd, text, len);
	return n > 0 ? (size_t)n : 0;
}

/* A reader that is stuck and a disk that is full must not stop the server. */
static void put_line(struct observe *o, const struct strbuf *line)
{
	size_t n;

	pthread_mutex_lock(&o->log_lock);
	if (o->rest.len) {
		n = put(o->log, o->rest.buf, o->rest.len);
		memmove(o->rest.buf, o->rest.buf + n, o->rest.len - n);
		strbuf_setlen(&o->rest, o->rest.len - n);
	}
	n = o->rest.len ? 0 : put(o->log, line->buf, line->len);
	if (n && n < line->len)
		strbuf_add(&o->rest, line->buf + n, line->len - n);
	else if (!n)
		o->dropped++;
	pthread_mutex_unlock(&o->log_lock);
}

static void log_request(struct observe *o, const struct observed *what)
{
	_release_(strbuf_release) struct strbuf line = STRBUF_INIT, time = STRBUF_INIT;
	struct json_writer w = { .out = &line };

	clock_add_iso8601(&time, clock_ms());
	json_open(&w, '{');
	json_put_string(&w, "time", time.buf);
	json_put_string(&w, "peer", what->peer);
	json_put_string(&w, "token", what->user);
	json_put_string(&w, "method", what->method);
	json_put_string(&w, "path", what->path);
	json_put_int(&w, "status", what->status);
	json_put_int(&w, "bytes", what->bytes);
	json_put_int(&w, "duration_us", what->duration_us);
	json_close(&w, '}');
	strbuf_addch(&line, '\n');
	put_line(o, &line);
}

void observe_request(struct observe *o, const struct observed *what)
{
	pthread_mutex_lock(&o->lock);
	count(o, what);
	pthread_mutex_unlock(&o->lock);
	if (o->log_path)
		log_request(o, what);
}

static void print_durations(const struct strmap_entry *e, struct strbuf *out)
{
	const struct durations *d = e->value;
	int64_t below = 0;

	for (int i = 0; i < BUCKETS; i++) {
		below += d->bucket[i];
		strbuf_addf(out,
			    "mlp_http_request_duration_seconds_bucket{%s,le=\"%g\"} %" PRId64 "\n",
			    e->key, (double)bucket_us[i] / 1e6, below);
	}
	strbuf_addf(out, "mlp_http_request_duration_seconds_bucket{%s,le=\"+Inf\"} %" PRId64 "\n",
		    e->key, d->count);
	strbuf_addf(out, "mlp_http_request_duration_seconds_sum{%s} %.6f\n", e->key,
		    (double)d->sum_us / 1e6);
	strbuf_addf(out, "mlp_http_request_duration_seconds_count{%s} %" PRId64 "\n", e->key,
		    d->count);
}

void observe_print(struct observe *o, struct strbuf *out)
{
	pthread_mutex_lock(&o->lock);
	strbuf_addstr(out, "# HELP mlp_http_requests_total Requests answered.\n"
			   "# TYPE mlp_http_requests_total counter\n");
	for (size_t i = 0; i < o->requests.len; i++)
		strbuf_addf(out, "mlp_http_requests_total{%s} %" PRId64 "\n",
			    o->requests.entries[i].key,
			    *(const int64_t *)o->requests.entries[i].value);
	strbuf_addstr(out, "# HELP mlp_http_request_duration_seconds Time to answer.\n"
			   "# TYPE mlp_http_request_duration_seconds histogram\n");
	for (size_t i = 0; i < o->durations.len; i++)
		print_durations(&o->durations.entries[i], out);
	pthread_mutex_unlock(&o->lock);
	pthread_mutex_lock(&o->log_lock);
	observe_print_value(out, "mlp_access_log_dropped_total", "counter",
			    "Lines of the access log that could not be written.", o->dropped);
	pthread_mutex_unlock(&o->log_lock);
}

void observe_print_value(struct strbuf *out, const char *name, const char *type,
			 const char *help, int64_t v)
{
	strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name, help, name, type, name,
		    v);
}
