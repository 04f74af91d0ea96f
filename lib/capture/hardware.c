/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "lib/capture/machine.h"
#include "lib/gpu/nvml.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

enum { CPUINFO_LEN = 8192, TEXT_MAX = 1 << 16 };

static void put_number(struct json_writer *w, const char *key, int64_t v)
{
	json_key(w, key);
	if (v < 0)
		json_null(w);
	else
		json_int(w, v);
}

/* The first processor only: the whole file costs the kernel a call to each core. */
static void read_cpuinfo(char out[CPUINFO_LEN + 1])
{
	_cleanup_close_ int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, CPUINFO_LEN);
	char *end;

	out[MAX(n, 0)] = '\0';
	end = strstr(out, "\n\n");
	if (end)
		end[1] = '\0';
}

static void put_field(struct json_writer *w, const char *as, const char *text, const char *const *keys)
{
	_cleanup_free_ char *value = NULL;

	for (; *keys && !value; keys++)
		value = machine_field(text, *keys, ':');
	json_put_string(w, as, value);
}

static int64_t field_number(const char *text, const char *key)
{
	_cleanup_free_ char *value = machine_field(text, key, ':');
	int64_t v;

	return value && text_parse_int(value, &v) ? v : -1;
}

static int64_t count_numa_nodes(void)
{
	DIR *dir = opendir("/sys/devices/system/node");
	struct dirent *e;
	int64_t n = 0;

	while (dir && (e = readdir(dir)))
		n += !strncmp(e->d_name, "node", 4) && e->d_name[4] >= '0' && e->d_name[4] <= '9';
	if (dir)
		closedir(dir);
	return n ? n : -1;
}

static int64_t count_usable(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? -1 : CPU_COUNT(&set);
}

void machine_describe_cpu(struct json_writer *w)
{
	static const char *const model[] = { "model name", "Processor", "CPU part", "cpu", NULL };
	static const char *const vendor[] = { "vendor_id", "CPU implementer", NULL };
	static const char *const flags[] = { "flags", "Features", NULL };
	static const char *const microcode[] = { "microcode", "CPU revision", NULL };
	char info[CPUINFO_LEN + 1];
	int64_t threads = sysconf(_SC_NPROCESSORS_ONLN), siblings, cores;
	struct sysinfo memory;

	read_cpuinfo(info);
	siblings = field_number(info, "siblings");
	cores = field_number(info, "cpu cores");
	json_key(w, "cpu");
	json_open(w, '{');
	put_field(w, "model", info, model);
	put_field(w, "vendor", info, vendor);
	put_field(w, "microcode", info, microcode);
	put_field(w, "flags", info, flags);
	put_number(w, "threads", threads);
	put_number(w, "cores", siblings > 0 && cores > 0 ? threads * cores / siblings : -1);
	put_number(w, "usable", count_usable());
	put_number(w, "numa_nodes", count_numa_nodes());
	json_close(w, '}');
	json_key(w, "memory");
	json_open(w, '{');
	put_number(w, "bytes", sysinfo(&memory) ? -1 :
						  (int64_t)memory.totalram * memory.mem_unit);
	json_close(w, '}');
}

static char *first_line(const char *path)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (file_read(path, TEXT_MAX, &text))
		return NULL;
	return xmemdupz(text.buf, strcspn(text.buf, "\n"));
}

/* A limit of the control group of this process or the nearest one above that sets it. */
static char *cgroup_limit(const char *group, const char *file, const char *none)
{
	_cleanup_free_ char *at = xstrdup(group);

	for (;;) {
		_cleanup_free_ char *path = xasprintf("/sys/fs/cgroup%s/%s", at, file);
		char *value = first_line(path), *slash = strrchr(at, '/');

		if (value && strncmp(value, none, strlen(none)))
			return value;
		free(value);
		if (!slash)
			return NULL;
		*slash = '\0';
	}
}

/* Version 1 says "no limit" as -1, or as the greatest number of whole pages. */
static char *limit_of_v1(const char *path)
{
	char *value = first_line(path);
	int64_t n;

	if (value && text_parse_int(value, &n) && n > 0 && n < INT64_MAX - (1 << 20))
		return value;
	free(value);
	return NULL;
}

static void put_cgroup_limits(struct json_writer *w)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *group = NULL, *cpu = NULL, *memory = NULL;
	const char *line;

	if (!file_read("/proc/self/cgroup", TEXT_MAX, &text)) {
		line = !strncmp(text.buf, "0::", 3) ? text.buf : strstr(text.buf, "\n0::");
		if (line) {
			line = strstr(line, "::") + 2;
			group = xmemdupz(line, strcspn(line, "\n"));
		}
	}
	cpu = cgroup_limit(group ? group : "", "cpu.max", "max");
	memory = cgroup_limit(group ? group : "", "memory.max", "max");
	if (!memory)
		memory = limit_of_v1("/sys/fs/cgroup/memory/memory.limit_in_bytes");
	if (!cpu)
		cpu = limit_of_v1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
	json_put_string(w, "cgroup_cpu", cpu);
	json_put_string(w, "cgroup_memory", memory);
}

static int64_t limit_of(int resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) || limit.rlim_cur >= INT64_MAX ?
		       -1 :
		       (int64_t)limit.rlim_cur;
}

void machine_describe_limits(struct json_writer *w)
{
	struct statvfs shm;

	json_key(w, "limits");
	json_open(w, '{');
	put_number(w, "open_files", limit_of(RLIMIT_NOFILE));
	put_number(w, "processes", limit_of(RLIMIT_NPROC));
	put_number(w, "locked_memory", limit_of(RLIMIT_MEMLOCK));
	put_number(w, "address_space", limit_of(RLIMIT_AS));
	put_number(w, "stack", limit_of(RLIMIT_STACK));
	put_number(w, "shared_memory", statvfs("/dev/shm", &shm) ?
					       -1 :
					       (int64_t)(shm.f_blocks * shm.f_frsize));
	put_cgroup_limits(w);
	json_close(w, '}');
}

static void describe_device(struct json_writer *w, const struct gpu_info *gpu)
{
	_cleanup_free_ char *compute = gpu->compute_major < 0 ?
					       NULL :
					       xasprintf("%d.%d", gpu->compute_major,
							 gpu->compute_minor);

	json_open(w, '{');
	json_put_int(w, "index", gpu->index);
	json_put_string(w, "uuid", gpu->uuid);
	json_put_string(w, "model", gpu->model);
	json_put_string(w, "vbios", *gpu->vbios ? gpu->vbios : NULL);
	json_put_string(w, "compute", compute);
	put_number(w, "memory_bytes", gpu->memory_total);
	put_number(w, "ecc", gpu->ecc);
	put_number(w, "mig", gpu->mig);
	put_number(w, "clock_sm_max_mhz", gpu->clock_sm_max_mhz);
	put_number(w, "clock_memory_max_mhz", gpu->clock_mem_max_mhz);
	put_number(w, "power_limit_mw", gpu->power_limit_mw);
	json_close(w, '}');
}

/* "NVRM version: NVIDIA UNIX x86_64 Kernel Module  560.35.03  ..." */
static char *driver_of_kernel(void)
{
	_cleanup_free_ char *line = first_line("/proc/driver/nvidia/version");
	const char *s = line ? strstr(line, "Kernel Module") : NULL;

	if (!s)
		return NULL;
	s += strcspn(s, "0123456789");
	return xmemdupz(s, strspn(s, "0123456789."));
}

/* "cuda-12.4" behind the link that the toolkit's packages make. */
static char *toolkit_version(void)
{
	char path[PATH_MAX];
	char *real = realpath("/usr/local/cuda", path);
	const char *dash = real ? strrchr(real, '-') : NULL;

	return dash && dash > strrchr(real, '/') ? xstrdup(dash + 1) : NULL;
}

void machine_describe_gpu(struct json_writer *w)
{
	_cleanup_(nvml_close) struct nvml *nvml = NULL;
	_cleanup_free_ char *kernel = driver_of_kernel(), *toolkit = toolkit_version();
	bool open = !nvml_open(&nvml, NULL);

	json_key(w, "gpu");
	json_open(w, '{');
	json_put_string(w, "driver", open ? nvml_driver(nvml) : kernel);
	json_put_string(w, "cuda", open ? nvml_cuda(nvml) : NULL);
	json_put_string(w, "toolkit", toolkit);
	json_key(w, "devices");
	json_open(w, '[');
	for (unsigned i = 0; open && i < nvml_count(nvml); i++) {
		struct gpu_info gpu;

		if (!nvml_info(nvml, i, &gpu, NULL))
			describe_device(w, &gpu);
	}
	json_close(w, ']');
	json_close(w, '}');
}
