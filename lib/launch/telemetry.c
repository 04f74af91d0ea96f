/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/strbuf.h"

/* A sample may take a thousandth of the time to the next one. */
enum { PERIOD_MS = 1000, PERIOD_MAX_MS = 30000, SHARE = 1000 };

static int64_t thread_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

void telemetry_add(struct telemetry *t, const char *key, double value)
{
	struct metric_point point = { t->last_ms, t->sample, value };

	metric_batch_add(t->batch, key, strlen(key), &point, NULL);
}

/* Bytes through the interfaces of the command's network, loopback left out. */
static bool read_network(pid_t pid, int64_t *received, int64_t *sent)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
	if (file_read(path, 1 << 20, &text))
		return false;
	*received = *sent = 0;
	for (char *line = text.buf, *end; line && *line; line = end ? end + 1 : NULL) {
		char *colon;
		long long in, out;

		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		colon = strchr(line, ':');
		line += strspn(line, " ");
		if (!colon || !strncmp(line, "lo:", 3) ||
		    sscanf(colon + 1, "%lld %*d %*d %*d %*d %*d %*d %*d %lld", &in, &out) != 2)
			continue;
		*received += in;
		*sent += out;
	}
	return true;
}

void telemetry_init(struct telemetry *t, pid_t command, struct gpus *gpus, int64_t now_ms)
{
	*t = (struct telemetry){ .command = command, .gpus = gpus, .start_ms = now_ms, .last_ms = now_ms,
				 .next_ms = now_ms + PERIOD_MS, .read_bytes = -1,
				 .write_bytes = -1, .batch = metric_batch_new() };
	for (int i = 0; i < TELEMETRY_GPUS; i++)
		t->gpu_energy[i] = -1;
	if (!read_network(command, &t->net_received, &t->net_sent))
		t->net_received = t->net_sent = -1;
}

void telemetry_release(struct telemetry *t)
{
	metric_batch_free(t->batch);
	vec_free(&t->pids);
	t->batch = NULL;
}

struct sums {
	int64_t cpu_ms, rss_bytes, read_bytes, write_bytes;
	bool io_known;
};

static void sum_tree(struct telemetry *t, struct sums *s)
{
	*s = (struct sums){ .cpu_ms = atomic_load(&t->reaped_cpu_ms), .io_known = true };
	t->pids.len = 0;
	proctree_list(getpid(), &t->pids);
	for (size_t i = 0; i < t->pids.len; i++) {
		struct proc_stat st;
		int64_t in, out;

		if (!proc_stat_read(t->pids.v[i], &st))
			continue;
		s->cpu_ms += st.cpu_ms + st.children_ms;
		s->rss_bytes += st.rss_bytes;
		if (!s->io_known || !proc_io_read(t->pids.v[i], &in, &out)) {
			s->io_known = false;
			continue;
		}
		s->read_bytes += in;
		s->write_bytes += out;
	}
}

static void sample(struct telemetry *t, int64_t now_ms)
{
	int64_t received, sent, passed = MAX(now_ms - t->last_ms, (int64_t)1);
	struct sums s;

	sum_tree(t, &s);
	/* What ends between two samples may be missing in one of them: sums never fall. */
	s.cpu_ms = MAX(s.cpu_ms, t->cpu_ms);
	t->last_ms = now_ms;
	telemetry_add(t, "system/cpu_percent", (double)(s.cpu_ms - t->cpu_ms) * 100 / (double)passed);
	telemetry_add(t, "system/rss_bytes", (double)s.rss_bytes);
	telemetry_add(t, "system/processes", (double)t->pids.len);
	t->cpu_ms = s.cpu_ms;
	t->rss_bytes = s.rss_bytes;
	t->peak_rss_bytes = MAX(t->peak_rss_bytes, s.rss_bytes);
	if (s.io_known) {
		t->read_bytes = MAX(t->read_bytes, s.read_bytes);
		t->write_bytes = MAX(t->write_bytes, s.write_bytes);
		telemetry_add(t, "system/read_bytes", (double)t->read_bytes);
		telemetry_add(t, "system/write_bytes", (double)t->write_bytes);
	}
	if (t->net_received >= 0 && read_network(t->command, &received, &sent)) {
		telemetry_add(t, "system/net_received_bytes", (double)(received - t->net_received));
		telemetry_add(t, "system/net_sent_bytes", (double)(sent - t->net_sent));
	}
	telemetry_sample_gpus(t);
	t->sample++;
}

bool telemetry_tick(struct telemetry *t, int64_t now_ms)
{
	int64_t start, period;

	if (now_ms < t->next_ms)
		return false;
	start = thread_cpu_us();
	sample(t, now_ms);
	period = (thread_cpu_us() - start) * SHARE / 1000;
	period = MIN(MAX(period, (int64_t)PERIOD_MS), (int64_t)PERIOD_MAX_MS);
	/* In step with the clock of the start, so that 1 Hz does not drift. */
	t->next_ms += period * MAX((now_ms - t->next_ms) / period + 1, (int64_t)1);
	return true;
}
