/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A libnvidia-ml.so for tests: what it answers stands in the file that FAKENVML names,
 * read again whenever it has changed, so that one process can play the GPUs of another.
 * t/README describes the file.  Built with FAKENVML_OLD it has the symbols of a driver of
 * 2018: no _v2 and _v3 of most, no energy, no use by process.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/gpu/nvml_abi.h"

enum { GPUS = 16, PROCESSES = 64, FAILURES = 16, TEXT = 96 };

struct nvml_device {
	char uuid[TEXT], model[TEXT];
	unsigned long long memory, used, energy, reasons;
	unsigned utilization, watts, milliwatts, mig, ecc, clock, temperature;
	bool present;
};

struct process {
	unsigned gpu, pid, sm;
	unsigned long long memory, time_us;
	char kind[TEXT];
	bool living; /* is there only while its pid is */
};

struct failure {
	char function[TEXT];
	int code;
};

/* One GPU box a process: what a driver is. */
static struct {
	struct stat seen;
	char driver[TEXT];
	int cuda;
	struct nvml_device gpus[GPUS];
	unsigned ngpus;
	struct process processes[PROCESSES];
	unsigned nprocesses;
	struct failure failures[FAILURES];
	unsigned nfailures;
} box;

/* The value of key=value or key="va lue" in a line. */
static bool get_text(const char *line, const char *key, char out[TEXT])
{
	char find[TEXT];
	const char *p;

	snprintf(find, sizeof(find), " %s=", key);
	p = strstr(line, find);
	if (!p)
		return false;
	p += strlen(find);
	if (*p == '"')
		snprintf(out, TEXT, "%.*s", (int)strcspn(p + 1, "\""), p + 1);
	else
		snprintf(out, TEXT, "%.*s", (int)strcspn(p, " \n"), p);
	return true;
}

static unsigned long long get_number(const char *line, const char *key, unsigned long long def)
{
	char text[TEXT];

	return get_text(line, key, text) ? strtoull(text, NULL, 0) : def;
}

static void read_gpu(const char *line, unsigned index)
{
	struct nvml_device *d = &box.gpus[index % GPUS];

	*d = (struct nvml_device){ .present = true };
	if (!get_text(line, "uuid", d->uuid))
		snprintf(d->uuid, sizeof(d->uuid), "GPU-fake-%u", index % GPUS);
	if (!get_text(line, "model", d->model))
		snprintf(d->model, sizeof(d->model), "NVIDIA L4");
	d->memory = get_number(line, "memory", 24ull << 30);
	d->used = get_number(line, "used", 0);
	d->utilization = (unsigned)get_number(line, "util", 0);
	d->energy = get_number(line, "energy", 0);
	d->watts = (unsigned)get_number(line, "watts", 0);
	d->milliwatts = (unsigned)get_number(line, "power", d->watts * 1000ull);
	d->reasons = get_number(line, "reasons", 1);
	d->mig = (unsigned)get_number(line, "mig", 0);
	d->ecc = (unsigned)get_number(line, "ecc", 1);
	d->clock = (unsigned)get_number(line, "clock", 1500);
	d->temperature = (unsigned)get_number(line, "temperature", 40);
	if (index % GPUS >= box.ngpus)
		box.ngpus = index % GPUS + 1;
}

static void read_process(const char *line, unsigned gpu)
{
	struct process *p = &box.processes[box.nprocesses];

	if (box.nprocesses == PROCESSES)
		return;
	box.nprocesses++;
	*p = (struct process){ .gpu = gpu };
	p->pid = (unsigned)get_number(line, "pid", 0);
	p->memory = get_number(line, "memory", ~0ull);
	p->sm = (unsigned)get_number(line, "sm", 0);
	p->time_us = get_number(line, "time", 0);
	p->living = get_number(line, "living", 0) != 0;
	if (!get_text(line, "kind", p->kind))
		snprintf(p->kind, sizeof(p->kind), "compute");
}

static void read_line(const char *line)
{
	char word[TEXT] = "", second[TEXT] = "";
	int code = 0;

	if (sscanf(line, "%95s %95s %d", word, second, &code) < 2)
		return;
	if (!strcmp(word, "driver")) {
		snprintf(box.driver, sizeof(box.driver), "%s", second);
	} else if (!strcmp(word, "cuda")) {
		box.cuda = (int)strtol(second, NULL, 10);
	} else if (!strcmp(word, "gpu")) {
		read_gpu(line, (unsigned)strtol(second, NULL, 10));
	} else if (!strcmp(word, "process")) {
		read_process(line, (unsigned)strtol(second, NULL, 10));
	} else if (!strcmp(word, "fail") && box.nfailures < FAILURES) {
		snprintf(box.failures[box.nfailures].function, TEXT, "%s", second);
		box.failures[box.nfailures++].code = code;
	}
}

static void read_control(void)
{
	const char *path = getenv("FAKENVML");
	struct stat st;
	char line[512];
	FILE *f;

	if (!path || stat(path, &st))
		return;
	if (st.st_ino == box.seen.st_ino && st.st_size == box.seen.st_size &&
	    !memcmp(&st.st_mtim, &box.seen.st_mtim, sizeof(st.st_mtim)))
		return;
	f = fopen(path, "re");
	if (!f)
		return;
	memset(&box, 0, sizeof(box));
	box.seen = st;
	snprintf(box.driver, sizeof(box.driver), "560.35.03");
	box.cuda = 12060;
	while (fgets(line, sizeof(line), f))
		read_line(line);
	fclose(f);
}

static int check(const char *function)
{
	read_control();
	for (unsigned i = 0; i < box.nfailures; i++)
		if (!strcmp(box.failures[i].function, function))
			return box.failures[i].code;
	return NVML_SUCCESS;
}

static int put_text(char *out, unsigned size, const char *text)
{
	if (strlen(text) >= size)
		return NVML_ERROR_INSUFFICIENT_SIZE;
	snprintf(out, size, "%s", text);
	return NVML_SUCCESS;
}

static bool shown(const struct process *p, nvml_device_t d)
{
	return &box.gpus[p->gpu % GPUS] == d &&
	       !(p->living && kill((pid_t)p->pid, 0) && errno == ESRCH);
}

#define EXPORT __attribute__((visibility("default")))
/* Each function of the library begins by asking whether it is to fail. */
#define API(name, ...)                                        \
	EXPORT int name(__VA_ARGS__);                         \
	EXPORT int name(__VA_ARGS__)
#define ENTER                                                 \
	do {                                                  \
		int code_ = check(__func__);                  \
		if (code_)                                    \
			return code_;                         \
	} while (0)

#ifdef FAKENVML_OLD
#define nvmlInit_v2 nvmlInit
#define nvmlSystemGetCudaDriverVersion_v2 nvmlSystemGetCudaDriverVersion
#define nvmlDeviceGetCount_v2 nvmlDeviceGetCount
#define nvmlDeviceGetHandleByIndex_v2 nvmlDeviceGetHandleByIndex
#define nvmlDeviceGetCurrentClocksEventReasons nvmlDeviceGetCurrentClocksThrottleReasons
#endif

API(nvmlInit_v2, void)
{
	ENTER;
	return NVML_SUCCESS;
}

API(nvmlShutdown, void)
{
	return NVML_SUCCESS;
}

API(nvmlSystemGetDriverVersion, char *out, unsigned size)
{
	ENTER;
	return put_text(out, size, box.driver);
}

API(nvmlSystemGetCudaDriverVersion_v2, int *out)
{
	ENTER;
	*out = box.cuda;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetCount_v2, unsigned *out)
{
	ENTER;
	*out = box.ngpus;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetHandleByIndex_v2, unsigned index, nvml_device_t *out)
{
	ENTER;
	if (index >= box.ngpus || !box.gpus[index].present)
		return NVML_ERROR_NOT_FOUND;
	*out = &box.gpus[index];
	return NVML_SUCCESS;
}

API(nvmlDeviceGetUUID, nvml_device_t d, char *out, unsigned size)
{
	ENTER;
	return put_text(out, size, d->uuid);
}

API(nvmlDeviceGetName, nvml_device_t d, char *out, unsigned size)
{
	ENTER;
	return put_text(out, size, d->model);
}

API(nvmlDeviceGetVbiosVersion, nvml_device_t d, char *out, unsigned size)
{
	ENTER;
	(void)d;
	return put_text(out, size, "96.00.89.00.01");
}

API(nvmlDeviceGetCudaComputeCapability, nvml_device_t d, int *major, int *minor)
{
	ENTER;
	(void)d;
	*major = 9;
	*minor = 0;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetEccMode, nvml_device_t d, unsigned *now, unsigned *pending)
{
	ENTER;
	*now = *pending = d->ecc;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetClockInfo, nvml_device_t d, int type, unsigned *out)
{
	ENTER;
	*out = type == NVML_CLOCK_SM ? d->clock : 2619;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetMaxClockInfo, nvml_device_t d, int type, unsigned *out)
{
	ENTER;
	(void)d;
	*out = type == NVML_CLOCK_SM ? 1980 : 2619;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetEnforcedPowerLimit, nvml_device_t d, unsigned *out)
{
	ENTER;
	(void)d;
	*out = 700000;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetPowerUsage, nvml_device_t d, unsigned *out)
{
	ENTER;
	*out = d->milliwatts;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetTemperature, nvml_device_t d, int sensor, unsigned *out)
{
	ENTER;
	(void)sensor;
	*out = d->temperature;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetCurrentClocksEventReasons, nvml_device_t d, unsigned long long *out)
{
	ENTER;
	*out = d->reasons;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetUtilizationRates, nvml_device_t d, struct nvml_utilization *out)
{
	ENTER;
	if (d->mig)
		return NVML_ERROR_NOT_SUPPORTED;
	*out = (struct nvml_utilization){ d->utilization, d->utilization / 2 };
	return NVML_SUCCESS;
}

API(nvmlDeviceGetMemoryInfo, nvml_device_t d, struct nvml_memory *out)
{
	ENTER;
	*out = (struct nvml_memory){ d->memory, d->memory - d->used, d->used };
	return NVML_SUCCESS;
}

#ifdef FAKENVML_OLD
typedef struct nvml_process_v1 process_info;
#define INFO(p) { (p)->pid, (p)->memory }
#else
typedef struct nvml_process_v2 process_info;
#define INFO(p) { (p)->pid, (p)->memory, ~0u, ~0u }
#endif

static int list(nvml_device_t d, const char *kind, unsigned *count, void *out)
{
	process_info *info = out;
	unsigned n = 0;

	for (unsigned i = 0; i < box.nprocesses; i++) {
		const struct process *p = &box.processes[i];

		if (!shown(p, d) || strcmp(p->kind, kind))
			continue;
		if (n < *count && out)
			info[n] = (process_info)INFO(p);
		n++;
	}
	if (n > *count) {
		*count = n;
		return NVML_ERROR_INSUFFICIENT_SIZE;
	}
	*count = n;
	return NVML_SUCCESS;
}

#ifdef FAKENVML_OLD
#define nvmlDeviceGetComputeRunningProcesses_v3 nvmlDeviceGetComputeRunningProcesses
#define nvmlDeviceGetGraphicsRunningProcesses_v3 nvmlDeviceGetGraphicsRunningProcesses
#endif

API(nvmlDeviceGetComputeRunningProcesses_v3, nvml_device_t d, unsigned *count, void *out)
{
	ENTER;
	return list(d, "compute", count, out);
}

API(nvmlDeviceGetGraphicsRunningProcesses_v3, nvml_device_t d, unsigned *count, void *out)
{
	ENTER;
	return list(d, "graphics", count, out);
}

#ifndef FAKENVML_OLD
API(nvmlDeviceGetMPSComputeRunningProcesses_v3, nvml_device_t d, unsigned *count, void *out)
{
	ENTER;
	return list(d, "mps", count, out);
}

API(nvmlDeviceGetMigMode, nvml_device_t d, unsigned *now, unsigned *pending)
{
	ENTER;
	*now = *pending = d->mig;
	return NVML_SUCCESS;
}

API(nvmlDeviceGetMemoryInfo_v2, nvml_device_t d, struct nvml_memory_v2 *out)
{
	ENTER;
	if (out->version != NVML_MEMORY_V2)
		return NVML_ERROR_UNKNOWN;
	out->total = d->memory;
	out->reserved = 0;
	out->free = d->memory - d->used;
	out->used = d->used;
	return NVML_SUCCESS;
}

static unsigned long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (unsigned long long)ts.tv_sec * 1000 + (unsigned long long)ts.tv_nsec / 1000000;
}

API(nvmlDeviceGetTotalEnergyConsumption, nvml_device_t d, unsigned long long *out)
{
	ENTER;
	*out = d->energy + d->watts * now_ms();
	return NVML_SUCCESS;
}

API(nvmlDeviceGetProcessUtilization, nvml_device_t d, struct nvml_process_sample *out,
    unsigned *count, unsigned long long since_us)
{
	unsigned n = 0;

	ENTER;
	if (d->mig)
		return NVML_ERROR_NOT_SUPPORTED;
	for (unsigned i = 0; i < box.nprocesses; i++) {
		const struct process *p = &box.processes[i];
		/* A driver takes samples some times a second. */
		unsigned long long us = p->time_us ? p->time_us : now_ms() / 200 * 200000;

		if (!shown(p, d) || !p->sm || us <= since_us)
			continue;
		if (out && n < *count)
			out[n] = (struct nvml_process_sample){ p->pid, us, p->sm, 0, 0, 0 };
		n++;
	}
	if (!n)
		return NVML_ERROR_NOT_FOUND;
	if (!out || n > *count) {
		*count = n;
		return NVML_ERROR_INSUFFICIENT_SIZE;
	}
	*count = n;
	return NVML_SUCCESS;
}
#endif
