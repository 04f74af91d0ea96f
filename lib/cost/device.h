/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GPU in the ledger: what was seen of it since it was last written, and the
 * transaction that shares out its energy and time.  Inside lib/cost only.
 */
#ifndef COST_DEVICE_H
#define COST_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db/db.h"
#include "lib/gpu/nvml.h"
#include "lib/util/vec.h"

/* Whose ledger it is, and where. */
struct device_context {
	struct db *db;
	struct nvml *nvml;
	const char *host;
	const char *boot_id;
	int64_t attempt_id; /* of usage_attempt */
};

struct device_activity {
	int64_t time_ms;
	int utilization;
};

struct device {
	unsigned index;
	char id[96];	/* UUID */
	char model[96];
	bool held;	/* the attempt holds it now */
	int64_t memory_used; /* when last looked at */
	int64_t memory_peak; /* of the attempt's own processes */
	int64_t listed_ms;   /* when the processes were last listed */
	bool processes_known;
	uint64_t seen_us; /* newest sample taken from the driver */
	uint64_t accounted_us; /* newest one that device_account() shared out */
	VEC(struct gpu_process) processes;
	VEC(struct gpu_use) uses; /* not yet shared out, as far as we know */
	VEC(struct device_activity) activities;
};

void device_init(struct device *device, struct nvml *nvml, unsigned index);
void device_release(struct device *device);
/* Takes the samples since the last look; true when memory in use has changed, which is
 * when processes have come or gone. */
bool device_look(struct device *device, struct nvml *nvml, int64_t now_ms);
/* Only the memory, for a device that is not held. */
bool device_glance(struct device *device, struct nvml *nvml);
void device_list_processes(struct device *device, struct nvml *nvml, int64_t now_ms);

/* Inside a transaction: shares out what the device used since anybody last did, then sets
 * whether the attempt holds it from now on. */
int device_account(struct device *device, const struct device_context *ctx, int64_t now_ms,
		   bool hold, struct mlp_error *err);
/* After the commit: drops what was shared out. */
void device_accounted(struct device *device, bool hold);

/* Millijoules between two readings of a counter that may wrap (modulo 2^63) or begin
 * anew: after a boot, or when it went back and did not wrap. */
int64_t device_counter_difference(int64_t last, int64_t now, bool same_boot, int64_t elapsed_ms,
				  bool *reset);

#endif
