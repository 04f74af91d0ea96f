/* SPDX-License-Identifier: Apache-2.0 */
/* What is seen of a GPU between two writes. */
#include "config.h"

#include "lib/cost/device.h"

#include <stdio.h>
#include <string.h>

enum {
	USES_MAX = 4096,
	ACTIVITIES_MAX = 128,
	BATCH = 512,
};

void device_init(struct device *device, struct nvml *nvml, unsigned index)
{
	struct gpu_info info = { 0 };

	*device = (struct device){ .index = index, .memory_used = -1 };
	if (nvml_info(nvml, index, &info, NULL) || !*info.uuid)
		snprintf(device->id, sizeof(device->id), "gpu-%u", index);
	else
		snprintf(device->id, sizeof(device->id), "%s", info.uuid);
	snprintf(device->model, sizeof(device->model), "%s", *info.model ? info.model : "unknown GPU");
}

void device_release(struct device *device)
{
	vec_free(&device->processes);
	vec_free(&device->uses);
	vec_free(&device->activities);
}

static void take_uses(struct device *device, struct nvml *nvml)
{
	struct gpu_use uses[BATCH];
	int n = nvml_process_use(nvml, device->index, device->seen_us, uses, BATCH, NULL);

	if (n <= 0)
		return;
	/* When writing fails for long, the oldest give way. */
	if (device->uses.len + (size_t)n > USES_MAX) {
		device->uses.len -= USES_MAX / 2;
		memmove(device->uses.v, device->uses.v + USES_MAX / 2,
			device->uses.len * sizeof(*device->uses.v));
	}
	vec_reserve(&device->uses, (size_t)n);
	memcpy(device->uses.v + device->uses.len, uses, (size_t)n * sizeof(*uses));
	device->uses.len += (size_t)n;
	device->seen_us = uses[n - 1].time_us;
}

bool device_look(struct device *device, struct nvml *nvml, int64_t now_ms)
{
	int64_t before = device->memory_used;
	int utilization;

	nvml_activity(nvml, device->index, &utilization, &device->memory_used);
	if (utilization >= 0) {
		if (device->activities.len == ACTIVITIES_MAX)
			device->activities.len = 0;
		vec_push(&device->activities, ((struct device_activity){ now_ms, utilization }));
	}
	take_uses(device, nvml);
	return device->memory_used != before;
}

bool device_glance(struct device *device, struct nvml *nvml)
{
	int64_t before = device->memory_used;

	device->memory_used = nvml_memory_used(nvml, device->index);
	return device->memory_used != before;
}

void device_list_processes(struct device *device, struct nvml *nvml, int64_t now_ms)
{
	struct gpu_process processes[BATCH];
	int n = nvml_processes(nvml, device->index, processes, BATCH, &device->processes_known, NULL);

	device->listed_ms = now_ms;
	device->processes.len = 0;
	for (int i = 0; i < n; i++)
		vec_push(&device->processes, processes[i]);
}
