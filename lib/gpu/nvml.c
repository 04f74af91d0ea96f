/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/gpu/nvml.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/gpu/nvml_abi.h"
#include "lib/util/xalloc.h"

enum {
	DEVICES_MAX = 1024,   /* more than that is a broken answer */
	PROCESSES_MAX = 65536,
	PROCESS_ROOM = 32, /* bytes; some drivers of 2023 wrote 32 where 24 are documented */
};

struct functions {
#define NVML_FUNCTION(member, names, params) int(*member) params;
	NVML_FUNCTIONS
#undef NVML_FUNCTION
};

struct symbol {
	size_t offset;
	const char *names;
};

static const struct symbol symbols[] = {
#define NVML_FUNCTION(member, names, params) { offsetof(struct functions, member), names },
	NVML_FUNCTIONS
#undef NVML_FUNCTION
};

struct nvml {
	void *library;
	struct functions call;
	bool initialized;
	unsigned count;
	nvml_device_t *devices; /* NULL where the driver gave no handle */
	char driver[80];
	char cuda[16];
};

/* A function the library lacks fails like one the device lacks. */
#define CALL(nvml, member, ...) \
	((nvml)->call.member ? (nvml)->call.member(__VA_ARGS__) : NVML_ERROR_NOT_SUPPORTED)

static void *find_symbol(void *library, const char *names)
{
	char name[80];

	for (const char *s = names; *s; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");
		void *p;

		snprintf(name, sizeof(name), "%.*s", (int)len, s);
		p = dlsym(library, name);
		if (p)
			return p;
		s += len;
	}
	return NULL;
}

static void find_symbols(struct nvml *nvml)
{
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *p = find_symbol(nvml->library, symbols[i].names);

		memcpy((char *)&nvml->call + symbols[i].offset, &p, sizeof(p));
	}
}

static const char *explain(int code)
{
	switch (code) {
	case NVML_ERROR_DRIVER_NOT_LOADED:
		return "the driver is not loaded";
	case NVML_ERROR_NO_PERMISSION:
		return "no permission to use the driver";
	case NVML_ERROR_LIB_RM_VERSION_MISMATCH:
		return "library and kernel driver are of different versions";
	case NVML_ERROR_NOT_SUPPORTED:
		return "the library lacks what is needed";
	default:
		return NULL;
	}
}

static int unusable(struct mlp_error *err, int code)
{
	const char *text = explain(code);

	if (text)
		return mlp_error_set(err, MLP_EUNSUPPORTED, "cannot use NVIDIA GPUs: %s", text);
	return mlp_error_set(err, MLP_EUNSUPPORTED, "cannot use NVIDIA GPUs: error %d of the driver",
			     code);
}

static int start(struct nvml *nvml, struct mlp_error *err)
{
	int r = CALL(nvml, init);
	int version = 0;

	if (r)
		return unusable(err, r);
	nvml->initialized = true;
	r = CALL(nvml, count, &nvml->count);
	if (r || !nvml->call.handle)
		return unusable(err, r ? r : NVML_ERROR_NOT_SUPPORTED);
	nvml->count = MIN(nvml->count, (unsigned)DEVICES_MAX);
	nvml->devices = xcalloc(nvml->count + 1, sizeof(*nvml->devices));
	for (unsigned i = 0; i < nvml->count; i++)
		if (nvml->call.handle(i, &nvml->devices[i]))
			nvml->devices[i] = NULL;
	if (CALL(nvml, driver, nvml->driver, sizeof(nvml->driver)))
		*nvml->driver = '\0';
	nvml->driver[sizeof(nvml->driver) - 1] = '\0';
	if (!CALL(nvml, cuda, &version) && version > 0)
		snprintf(nvml->cuda, sizeof(nvml->cuda), "%d.%d", version / 1000,
			 version % 1000 / 10);
	return 0;
}

/* The kernel's side: native, and in Windows' subsystem for Linux.  Where there is none,
 * looking for the library in every folder is a good part of a short run. */
static bool driver_is_loaded(void)
{
	return !access("/dev/nvidiactl", F_OK) || !access("/dev/dxg", F_OK) ||
	       !access("/proc/driver/nvidia", F_OK);
}

int nvml_open(struct nvml **out, struct mlp_error *err)
{
	const char *file = getenv("MLP_NVML_LIB");
	_cleanup_(nvml_close) struct nvml *nvml = xcalloc(1, sizeof(*nvml));
	bool named = file && *file;
	int r;

	if (!named && !driver_is_loaded())
		return mlp_error_set(err, MLP_EUNSUPPORTED, "no NVIDIA driver is loaded");
	nvml->library = dlopen(named ? file : "libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!nvml->library)
		return mlp_error_set(err, MLP_EUNSUPPORTED, "cannot load the NVIDIA library: %s",
				     dlerror());
	find_symbols(nvml);
	r = start(nvml, err);
	if (r)
		return r;
	*out = steal_ptr(&nvml);
	return 0;
}

void nvml_close(struct nvml *nvml)
{
	if (!nvml)
		return;
	if (nvml->initialized)
		(void)CALL(nvml, shutdown);
	if (nvml->library)
		dlclose(nvml->library);
	free(nvml->devices);
	free(nvml);
}

unsigned nvml_count(const struct nvml *nvml)
{
	return nvml->count;
}

const char *nvml_driver(const struct nvml *nvml)
{
	return nvml->driver;
}

const char *nvml_cuda(const struct nvml *nvml)
{
	return nvml->cuda;
}

static nvml_device_t device_at(const struct nvml *nvml, unsigned index)
{
	return index < nvml->count ? nvml->devices[index] : NULL;
}

static int no_device(const struct nvml *nvml, unsigned index, struct mlp_error *err)
{
	if (index >= nvml->count)
		return mlp_error_set(err, MLP_ENOTFOUND, "no GPU '%u': there are %u", index,
				     nvml->count);
	return mlp_error_set(err, MLP_EFAIL, "the driver does not let GPU '%u' be used", index);
}

typedef int (*get_text)(nvml_device_t, char *, unsigned);
typedef int (*get_number)(nvml_device_t, unsigned *);
typedef int (*get_kind)(nvml_device_t, int, unsigned *);

static void read_text(get_text fn, nvml_device_t d, char *out, unsigned size)
{
	if (!fn || fn(d, out, size))
		*out = '\0';
	out[size - 1] = '\0';
}

static int64_t read_number(get_number fn, nvml_device_t d)
{
	unsigned v = 0;

	return fn && !fn(d, &v) ? (int64_t)v : -1;
}

static int64_t read_kind(get_kind fn, nvml_device_t d, int kind)
{
	unsigned v = 0;

	return fn && !fn(d, kind, &v) ? (int64_t)v : -1;
}

/* ECC and MIG: what is in force now, not after the next reset. */
static int read_mode(int (*fn)(nvml_device_t, unsigned *, unsigned *), nvml_device_t d)
{
	unsigned now = 0, pending = 0;

	return fn && !fn(d, &now, &pending) ? now != 0 : -1;
}

static void read_memory(const struct nvml *nvml, nvml_device_t d, int64_t *total, int64_t *used)
{
	struct nvml_memory_v2 v2 = { .version = NVML_MEMORY_V2 };
	struct nvml_memory v1 = { 0 };

	*total = *used = -1;
	if (!CALL(nvml, memory_v2, d, &v2)) {
		*total = (int64_t)(v2.total & INT64_MAX);
		*used = (int64_t)(v2.used & INT64_MAX);
	} else if (!CALL(nvml, memory, d, &v1)) {
		*total = (int64_t)(v1.total & INT64_MAX);
		*used = (int64_t)(v1.used & INT64_MAX);
	}
}

int nvml_info(struct nvml *nvml, unsigned index, struct gpu_info *out, struct mlp_error *err)
{
	const struct functions *call = &nvml->call;
	nvml_device_t d = device_at(nvml, index);
	int64_t used;

	if (!d)
		return no_device(nvml, index, err);
	*out = (struct gpu_info){ .index = index };
	read_text(call->uuid, d, out->uuid, sizeof(out->uuid));
	read_text(call->name, d, out->model, sizeof(out->model));
	read_text(call->vbios, d, out->vbios, sizeof(out->vbios));
	read_memory(nvml, d, &out->memory_total, &used);
	if (CALL(nvml, capability, d, &out->compute_major, &out->compute_minor))
		out->compute_major = out->compute_minor = -1;
	out->ecc = read_mode(call->ecc, d);
	out->mig = read_mode(call->mig, d);
	out->clock_sm_max_mhz = read_kind(call->clock_max, d, NVML_CLOCK_SM);
	out->clock_mem_max_mhz = read_kind(call->clock_max, d, NVML_CLOCK_MEM);
	out->power_limit_mw = read_number(call->power_limit, d);
	return 0;
}

static int percent(unsigned v)
{
	return v > 100 ? 100 : (int)v;
}

void nvml_activity(struct nvml *nvml, unsigned index, int *utilization, int64_t *memory_used)
{
	nvml_device_t d = device_at(nvml, index);
	struct nvml_utilization use = { 0 };

	*utilization = d && !CALL(nvml, utilization, d, &use) ? percent(use.gpu) : -1;
	*memory_used = nvml_memory_used(nvml, index);
}

int64_t nvml_memory_used(struct nvml *nvml, unsigned index)
{
	nvml_device_t d = device_at(nvml, index);
	int64_t total, used = -1;

	if (d)
		read_memory(nvml, d, &total, &used);
	return used;
}

int64_t nvml_energy(struct nvml *nvml, unsigned index)
{
	nvml_device_t d = device_at(nvml, index);
	unsigned long long mj = 0;

	return d && !CALL(nvml, energy, d, &mj) ? (int64_t)(mj & INT64_MAX) : -1;
}

int nvml_sample(struct nvml *nvml, unsigned index, struct gpu_sample *out, struct mlp_error *err)
{
	const struct functions *call = &nvml->call;
	nvml_device_t d = device_at(nvml, index);
	struct nvml_utilization use = { 0 };
	unsigned long long reasons = 0;
	int64_t total;

	if (!d)
		return no_device(nvml, index, err);
	*out = (struct gpu_sample){ .utilization = -1, .memory_utilization = -1, .throttle = -1 };
	if (!CALL(nvml, utilization, d, &use)) {
		out->utilization = percent(use.gpu);
		out->memory_utilization = percent(use.memory);
	}
	read_memory(nvml, d, &total, &out->memory_used);
	out->power_mw = read_number(call->power, d);
	out->energy_mj = nvml_energy(nvml, index);
	out->clock_sm_mhz = read_kind(call->clock, d, NVML_CLOCK_SM);
	out->clock_mem_mhz = read_kind(call->clock, d, NVML_CLOCK_MEM);
	out->temperature = (int)read_kind(call->temperature, d, NVML_TEMPERATURE_GPU);
	if (!CALL(nvml, reasons, d, &reasons))
		out->throttle = (int64_t)(reasons & INT64_MAX);
	return 0;
}

typedef int (*get_processes)(nvml_device_t, unsigned *, void *);

/* Calls fn with a buffer that grows to what it asks for; the caller frees. */
static int list_processes(get_processes fn, nvml_device_t d, void **out, unsigned *count)
{
	unsigned room = 32;

	for (int tries = 0; tries < 4; tries++) {
		_cleanup_free_ void *buffer = xcalloc(room, PROCESS_ROOM);
		int r;

		*count = room;
		r = fn(d, count, buffer);
		if (!r) {
			*count = MIN(*count, room);
			*out = steal_ptr(&buffer);
			return 0;
		}
		if (r != NVML_ERROR_INSUFFICIENT_SIZE)
			return r;
		room = MIN(MAX(*count, room) + 16, (unsigned)PROCESSES_MAX);
	}
	return NVML_ERROR_UNKNOWN;
}

struct process_list {
	struct gpu_process *v;
	size_t len, max;
};

/* Within one list a pid stands once per MIG instance: the memory adds up.  The lists
 * overlap (a process that computes and draws is in two): the greater one counts. */
static void add_process(struct process_list *list, struct gpu_process *seen, unsigned pid,
			unsigned long long memory)
{
	int64_t bytes = memory > INT64_MAX ? -1 : (int64_t)memory;
	size_t i = 0;

	while (i < list->len && list->v[i].pid != pid)
		i++;
	if (i == list->len) {
		if (list->len == list->max)
			return;
		list->v[list->len++] = (struct gpu_process){ pid, -1 };
		seen[i] = (struct gpu_process){ pid, -1 };
	}
	if (bytes >= 0)
		seen[i].memory_used = MAX(seen[i].memory_used, 0) + bytes;
	list->v[i].memory_used = MAX(list->v[i].memory_used, seen[i].memory_used);
}

static bool add_list(struct process_list *list, get_processes v2, get_processes v1, nvml_device_t d)
{
	_cleanup_free_ void *buffer = NULL;
	_cleanup_free_ struct gpu_process *seen = xcalloc(list->max + 1, sizeof(*seen));
	get_processes fn = v2 ? v2 : v1;
	unsigned count;

	if (!fn || list_processes(fn, d, &buffer, &count))
		return false;
	for (size_t i = 0; i < list->len; i++)
		seen[i].memory_used = -1;
	for (unsigned i = 0; i < count; i++) {
		const struct nvml_process_v2 *p2 = buffer;
		const struct nvml_process_v1 *p1 = buffer;

		if (v2)
			add_process(list, seen, p2[i].pid, p2[i].memory);
		else
			add_process(list, seen, p1[i].pid, p1[i].memory);
	}
	return true;
}

int nvml_processes(struct nvml *nvml, unsigned index, struct gpu_process *out, size_t max,
		   bool *known, struct mlp_error *err)
{
	const struct functions *call = &nvml->call;
	struct process_list list = { .v = out, .max = max };
	nvml_device_t d = device_at(nvml, index);

	*known = false;
	if (!d)
		return no_device(nvml, index, err);
	*known |= add_list(&list, call->compute_v2, call->compute_v1, d);
	*known |= add_list(&list, call->graphics_v2, call->graphics_v1, d);
	*known |= add_list(&list, call->mps_v2, call->mps_v1, d);
	return (int)list.len;
}

static int by_time(const void *a, const void *b)
{
	const struct nvml_process_sample *x = a, *y = b;

	return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

int nvml_process_use(struct nvml *nvml, unsigned index, uint64_t since_us, struct gpu_use *out,
		     size_t max, struct mlp_error *err)
{
	_cleanup_free_ struct nvml_process_sample *samples = NULL;
	nvml_device_t d = device_at(nvml, index);
	unsigned count = 0, room;
	size_t n = 0;
	int r;

	if (!d)
		return no_device(nvml, index, err);
	r = CALL(nvml, process_use, d, NULL, &count, since_us);
	if (r && r != NVML_ERROR_INSUFFICIENT_SIZE)
		return r == NVML_ERROR_NOT_FOUND ? 0 : MLP_EUNSUPPORTED;
	count = room = MIN(count, (unsigned)PROCESSES_MAX) + 16;
	samples = xcalloc(room, sizeof(*samples));
	r = CALL(nvml, process_use, d, samples, &count, since_us);
	if (r)
		return r == NVML_ERROR_NOT_FOUND ? 0 : MLP_EUNSUPPORTED;
	count = MIN(count, room);
	qsort(samples, count, sizeof(*samples), by_time);
	/* Slots of the buffer without a sample come back as zeros or as old ones. */
	for (unsigned i = 0; i < count; i++)
		if (samples[i].pid && samples[i].time_us > since_us)
			samples[n++] = samples[i];
	for (size_t i = n > max ? n - max : 0, k = 0; i < n; i++, k++)
		out[k] = (struct gpu_use){ samples[i].pid, samples[i].time_us,
					   (unsigned)percent(samples[i].sm),
					   (unsigned)percent(samples[i].memory) };
	return (int)MIN(n, max);
}
