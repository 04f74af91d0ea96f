/* SPDX-License-Identifier: Apache-2.0 */
/* GPUs in the telemetry: those the job was told, or on which its processes are seen. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/launch/telemetry.h"

enum { LOOK_EVERY = 10, PROCESSES_MAX = 256 };

static bool uses(const struct telemetry *t, unsigned index)
{
	struct gpu_process procs[PROCESSES_MAX];
	bool known;
	int n = nvml_processes(t->gpus->nvml, index, procs, PROCESSES_MAX, &known, NULL);

	for (int i = 0; i < n; i++)
		for (size_t j = 0; j < t->pids.len; j++)
			if (procs[i].pid == t->pids.v[j])
				return true;
	return false;
}

static void add(struct telemetry *t, unsigned index, const char *what, double value)
{
	char key[64];

	snprintf(key, sizeof(key), "system/gpu_%u_%s", index, what);
	telemetry_add(t, key, value);
}

static void sample_gpu(struct telemetry *t, unsigned index)
{
	struct gpu_sample s;

	if (nvml_sample(t->gpus->nvml, index, &s, NULL))
		return;
	if (s.utilization >= 0)
		add(t, index, "utilization", s.utilization);
	if (s.memory_used >= 0)
		add(t, index, "memory_bytes", (double)s.memory_used);
	if (s.power_mw >= 0)
		add(t, index, "power_watts", (double)s.power_mw / 1000);
	if (s.temperature >= 0)
		add(t, index, "temperature", s.temperature);
	if (s.clock_sm_mhz >= 0)
		add(t, index, "clock_mhz", (double)s.clock_sm_mhz);
	if (s.throttle >= 0)
		add(t, index, "throttle", (double)s.throttle);
	if (s.energy_mj < 0)
		return;
	if (t->gpu_energy[index] < 0 || s.energy_mj < t->gpu_energy[index])
		t->gpu_energy[index] = s.energy_mj;
	add(t, index, "energy_joules", (double)(s.energy_mj - t->gpu_energy[index]) / 1000);
}

void telemetry_sample_gpus(struct telemetry *t)
{
	const struct gpus *g = t->gpus;
	unsigned count = g->nvml ? MIN(nvml_count(g->nvml), (unsigned)TELEMETRY_GPUS) : 0;

	for (size_t i = 0; g->told && i < g->index.len; i++)
		if (g->index.v[i] < count)
			sample_gpu(t, g->index.v[i]);
	for (unsigned i = 0; !g->told && i < count; i++) {
		if (t->sample % LOOK_EVERY == 1)
			t->gpu_used[i] = uses(t, i);
		if (t->gpu_used[i])
			sample_gpu(t, i);
	}
}
