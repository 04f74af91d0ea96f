/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA GPUs through libnvidia-ml.so.1, loaded at run time (MLP_NVML_LIB names
 * another file; the tests load a fake one).  Declarations are our own: the header is
 * not packaged.  Every value may be unknown: -1 for numbers, "" for names.
 */
#ifndef GPU_NVML_H
#define GPU_NVML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/error.h"

struct gpu_info {
	unsigned index; /* of the driver */
	char uuid[96];
	char model[96];
	char vbios[32];
	int64_t memory_total; /* bytes */
	int compute_major, compute_minor;
	int ecc; /* 1 on, 0 off */
	int mig; /* 1 on, 0 off */
	int64_t clock_sm_max_mhz, clock_mem_max_mhz;
	int64_t power_limit_mw;
};

struct gpu_sample {
	int utilization;   /* percent of time with a kernel running */
	int memory_utilization;
	int64_t memory_used; /* bytes */
	int64_t power_mw;
	int64_t energy_mj; /* see nvml_energy() */
	int64_t clock_sm_mhz, clock_mem_mhz;
	int temperature;   /* C */
	int64_t throttle;  /* bits of nvmlDeviceGetCurrentClocksEventReasons */
};

struct gpu_process {
	int64_t pid;	     /* as the driver says: host pid */
	int64_t memory_used; /* bytes or -1 */
};

struct gpu_use {
	int64_t pid;
	uint64_t time_us; /* driver's time stamp of the sample */
	unsigned sm, memory; /* percent */
};

struct nvml; /* the loaded library */

/* MLP_EUNSUPPORTED when there is no library or no driver; the text says which. */
int nvml_open(struct nvml **out, struct mlp_error *err);
void nvml_close(struct nvml *nvml);
DEFINE_CLEANUP(struct nvml *, nvml_close);
unsigned nvml_count(const struct nvml *nvml);
/* "560.35.03"; "12.6" */
const char *nvml_driver(const struct nvml *nvml);
const char *nvml_cuda(const struct nvml *nvml);
int nvml_info(struct nvml *nvml, unsigned index, struct gpu_info *out, struct mlp_error *err);
int nvml_sample(struct nvml *nvml, unsigned index, struct gpu_sample *out, struct mlp_error *err);
/* What a 1 Hz look needs, and no more calls than that; -1 for what is not known. */
void nvml_activity(struct nvml *nvml, unsigned index, int *utilization, int64_t *memory_used);
int64_t nvml_memory_used(struct nvml *nvml, unsigned index);
/* The energy counter: millijoules since the driver was loaded, modulo 2^63 (the driver's
 * own is modulo 2^64), or -1. */
int64_t nvml_energy(struct nvml *nvml, unsigned index);
/* Up to max processes with a compute or graphics context; returns their number or
 * negative.  *known = false when the driver does not tell. */
int nvml_processes(struct nvml *nvml, unsigned index, struct gpu_process *out, size_t max,
		   bool *known, struct mlp_error *err);
/* Samples of per-process use after since_us, oldest first; returns their number, or
 * MLP_EUNSUPPORTED (message not set) when the driver does not tell. */
int nvml_process_use(struct nvml *nvml, unsigned index, uint64_t since_us, struct gpu_use *out,
		     size_t max, struct mlp_error *err);

#endif
