/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run's processes use, sampled about once a second into the metrics system/...:
 * cpu_percent (100 is one core), rss_bytes (pages shared by forks count in each),
 * processes, read_bytes and write_bytes (storage, since the start), net_received_bytes and
 * net_sent_bytes (of the command's network, loopback left out), and per GPU
 * gpu_<n>_utilization, _memory_bytes, _power_watts, _energy_joules, _temperature,
 * _clock_mhz, _throttle (the driver's bits).  When a tree of processes is so large that a sample takes more
 * than a thousandth of a core, samples become rarer.
 */
#ifndef LAUNCH_TELEMETRY_H
#define LAUNCH_TELEMETRY_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/launch/gpus.h"
#include "lib/launch/proctree.h"
#include "lib/track/metric.h"

enum { TELEMETRY_GPUS = 64 };

struct telemetry {
	pid_t command;
	struct gpus *gpus; /* borrowed */
	atomic_llong reaped_cpu_ms; /* of what ended and we waited for; set by the relay */

	struct metric_batch *batch; /* points not stored yet */
	struct pids pids;	    /* of the last sample */
	int64_t start_ms, last_ms, next_ms;
	int64_t cpu_ms, rss_bytes, peak_rss_bytes;
	int64_t read_bytes, write_bytes; /* -1: not known */
	int64_t net_received, net_sent;	 /* at the start; -1: not known */
	int64_t sample;			 /* number, the points' step */
	int64_t gpu_energy[TELEMETRY_GPUS]; /* the counters at the start; -1: not read */
	bool gpu_used[TELEMETRY_GPUS];
};

void telemetry_init(struct telemetry *t, pid_t command, struct gpus *gpus, int64_t now_ms);
void telemetry_release(struct telemetry *t);
/* Takes a sample when one is due; true when it did. */
bool telemetry_tick(struct telemetry *t, int64_t now_ms);

/* Private to the sampler: a point of the current sample, and its part for GPUs. */
void telemetry_add(struct telemetry *t, const char *key, double value);
void telemetry_sample_gpus(struct telemetry *t);

#endif
