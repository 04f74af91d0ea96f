/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of NVIDIA's management library that mlp calls, declared by us: layouts and
 * numbers are an interface of the driver and do not change under a symbol's name (a
 * change gets a new suffix, _v2, _v3).
 */
#ifndef GPU_NVML_ABI_H
#define GPU_NVML_ABI_H

enum {
	NVML_SUCCESS = 0,
	NVML_ERROR_NOT_SUPPORTED = 3,
	NVML_ERROR_NO_PERMISSION = 4,
	NVML_ERROR_NOT_FOUND = 6,
	NVML_ERROR_INSUFFICIENT_SIZE = 7,
	NVML_ERROR_DRIVER_NOT_LOADED = 9,
	NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18,
	NVML_ERROR_UNKNOWN = 999,
};

enum { NVML_CLOCK_SM = 1, NVML_CLOCK_MEM = 2 };
enum { NVML_TEMPERATURE_GPU = 0 };

typedef struct nvml_device *nvml_device_t; /* opaque */

struct nvml_utilization {
	unsigned gpu, memory; /* percent */
};

struct nvml_memory {
	unsigned long long total, free, used;
};

struct nvml_memory_v2 { /* here 'used' leaves out what the driver reserves */
	unsigned version;
	unsigned long long total, reserved, free, used;
};
#define NVML_MEMORY_V2 ((unsigned)sizeof(struct nvml_memory_v2) | 2u << 24)

struct nvml_process_v1 {
	unsigned pid;
	unsigned long long memory; /* all bits set: not known */
};

struct nvml_process_v2 { /* of the functions _v2 and _v3 */
	unsigned pid;
	unsigned long long memory;
	unsigned gpu_instance, compute_instance;
};

struct nvml_process_sample {
	unsigned pid;
	unsigned long long time_us;
	unsigned sm, memory, encoder, decoder; /* percent */
};

_Static_assert(sizeof(struct nvml_memory_v2) == 40, "layout of nvmlMemory_v2_t");
_Static_assert(sizeof(struct nvml_process_v1) == 16, "layout of nvmlProcessInfo_v1_t");
_Static_assert(sizeof(struct nvml_process_v2) == 24, "layout of nvmlProcessInfo_v2_t");
_Static_assert(sizeof(struct nvml_process_sample) == 32,
	       "layout of nvmlProcessUtilizationSample_t");

/* NVML_FUNCTION(member, names newest first separated by blanks, parameters) */
#define NVML_FUNCTIONS                                                                         \
	NVML_FUNCTION(init, "nvmlInit_v2 nvmlInit", (void))                                    \
	NVML_FUNCTION(shutdown, "nvmlShutdown", (void))                                        \
	NVML_FUNCTION(driver, "nvmlSystemGetDriverVersion", (char *, unsigned))                \
	NVML_FUNCTION(cuda, "nvmlSystemGetCudaDriverVersion_v2 nvmlSystemGetCudaDriverVersion", \
		      (int *))                                                                 \
	NVML_FUNCTION(count, "nvmlDeviceGetCount_v2 nvmlDeviceGetCount", (unsigned *))         \
	NVML_FUNCTION(handle, "nvmlDeviceGetHandleByIndex_v2 nvmlDeviceGetHandleByIndex",      \
		      (unsigned, nvml_device_t *))                                             \
	NVML_FUNCTION(uuid, "nvmlDeviceGetUUID", (nvml_device_t, char *, unsigned))            \
	NVML_FUNCTION(name, "nvmlDeviceGetName", (nvml_device_t, char *, unsigned))            \
	NVML_FUNCTION(vbios, "nvmlDeviceGetVbiosVersion", (nvml_device_t, char *, unsigned))   \
	NVML_FUNCTION(capability, "nvmlDeviceGetCudaComputeCapability",                        \
		      (nvml_device_t, int *, int *))                                           \
	NVML_FUNCTION(ecc, "nvmlDeviceGetEccMode", (nvml_device_t, unsigned *, unsigned *))    \
	NVML_FUNCTION(mig, "nvmlDeviceGetMigMode", (nvml_device_t, unsigned *, unsigned *))    \
	NVML_FUNCTION(clock_max, "nvmlDeviceGetMaxClockInfo", (nvml_device_t, int, unsigned *)) \
	NVML_FUNCTION(clock, "nvmlDeviceGetClockInfo", (nvml_device_t, int, unsigned *))       \
	NVML_FUNCTION(power_limit, "nvmlDeviceGetEnforcedPowerLimit",                          \
		      (nvml_device_t, unsigned *))                                             \
	NVML_FUNCTION(power, "nvmlDeviceGetPowerUsage", (nvml_device_t, unsigned *))           \
	NVML_FUNCTION(energy, "nvmlDeviceGetTotalEnergyConsumption",                           \
		      (nvml_device_t, unsigned long long *))                                   \
	NVML_FUNCTION(temperature, "nvmlDeviceGetTemperature", (nvml_device_t, int, unsigned *)) \
	NVML_FUNCTION(reasons,                                                                 \
		      "nvmlDeviceGetCurrentClocksEventReasons "                                \
		      "nvmlDeviceGetCurrentClocksThrottleReasons",                             \
		      (nvml_device_t, unsigned long long *))                                   \
	NVML_FUNCTION(utilization, "nvmlDeviceGetUtilizationRates",                            \
		      (nvml_device_t, struct nvml_utilization *))                              \
	NVML_FUNCTION(memory_v2, "nvmlDeviceGetMemoryInfo_v2",                                 \
		      (nvml_device_t, struct nvml_memory_v2 *))                                \
	NVML_FUNCTION(memory, "nvmlDeviceGetMemoryInfo", (nvml_device_t, struct nvml_memory *)) \
	NVML_FUNCTION(compute_v2,                                                              \
		      "nvmlDeviceGetComputeRunningProcesses_v3 "                               \
		      "nvmlDeviceGetComputeRunningProcesses_v2",                               \
		      (nvml_device_t, unsigned *, void *))                                     \
	NVML_FUNCTION(compute_v1, "nvmlDeviceGetComputeRunningProcesses",                      \
		      (nvml_device_t, unsigned *, void *))                                     \
	NVML_FUNCTION(graphics_v2,                                                             \
		      "nvmlDeviceGetGraphicsRunningProcesses_v3 "                              \
		      "nvmlDeviceGetGraphicsRunningProcesses_v2",                              \
		      (nvml_device_t, unsigned *, void *))                                     \
	NVML_FUNCTION(graphics_v1, "nvmlDeviceGetGraphicsRunningProcesses",                    \
		      (nvml_device_t, unsigned *, void *))                                     \
	NVML_FUNCTION(mps_v2,                                                                  \
		      "nvmlDeviceGetMPSComputeRunningProcesses_v3 "                            \
		      "nvmlDeviceGetMPSComputeRunningProcesses_v2",                            \
		      (nvml_device_t, unsigned *, void *))                                     \
	NVML_FUNCTION(mps_v1, "nvmlDeviceGetMPSComputeRunningProcesses",                       \
		      (nvml_device_t, unsigned *, void *))                                     \
	NVML_FUNCTION(process_use, "nvmlDeviceGetProcessUtilization",                          \
		      (nvml_device_t, struct nvml_process_sample *, unsigned *,                \
		       unsigned long long))

#endif
