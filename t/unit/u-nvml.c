/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <time.h>

#include "lib/gpu/nvml.h"
#include "lib/util/clock.h"
#include "lib/util/file.h"
#include "t/unit/tap.h"

#define BUILT "t/fakenvml/.libs/"

static char control[] = "/tmp/u-nvml-XXXXXX";

static void play(const char *text)
{
	file_replace(control, text, strlen(text), 0600);
}

static struct nvml *start(const char *library)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct nvml *nvml = NULL;

	setenv("MLP_NVML_LIB", library, 1);
	if (nvml_open(&nvml, &err))
		printf("# %s\n", err.text);
	return nvml;
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void test_absent(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct nvml *nvml = NULL;
	int64_t started, once;

	setenv("MLP_NVML_LIB", "libnothing-of-that-name.so.1", 1);
	is_int(nvml_open(&nvml, &err), MLP_EUNSUPPORTED, "no library");
	ok(strstr(err.text, "libnothing-of-that-name.so.1") != NULL, "the text names it: %s",
	   err.text);
	started = cpu_ns();
	for (int i = 0; i < 100; i++)
		nvml_open(&nvml, &err);
	once = (cpu_ns() - started) / 100;
	ok(once < 2000000, "asking costs little: %" PRId64 " us", once / 1000);
	setenv("MLP_NVML_LIB", "/dev/null", 1);
	is_int(nvml_open(&nvml, &err), MLP_EUNSUPPORTED, "not a library");
	setenv("MLP_NVML_LIB", BUILT "libfakenvml.so", 1);
	play("fail nvmlInit_v2 9\n");
	is_int(nvml_open(&nvml, &err), MLP_EUNSUPPORTED, "no driver");
	ok(strstr(err.text, "not loaded") != NULL, "the text says so: %s", err.text);
	play("fail nvmlInit_v2 18\n");
	nvml_open(&nvml, &err);
	ok(strstr(err.text, "different versions") != NULL, "versions that differ: %s", err.text);
	play("fail nvmlDeviceGetCount_v2 999\n");
	is_int(nvml_open(&nvml, &err), MLP_EUNSUPPORTED, "no count");
}

static void test_values(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct gpu_info info;
	struct gpu_sample s;
	struct nvml *nvml;

	play("driver 570.1\ncuda 12080\ngpu 0 uuid=GPU-a model=\"NVIDIA H200\" memory=1000 used=10\n"
	     "gpu 1 util=70 energy=18446744073709551615 power=5000 reasons=0x40 mig=1\n");
	nvml = start(BUILT "libfakenvml.so");
	is_int(nvml_count(nvml), 2, "two GPUs");
	is_str(nvml_driver(nvml), "570.1", "driver");
	is_str(nvml_cuda(nvml), "12.8", "CUDA");
	is_int(nvml_info(nvml, 0, &info, &err), 0, "info");
	is_str(info.model, "NVIDIA H200", "model");
	is_str(info.uuid, "GPU-a", "uuid");
	is_int(info.memory_total, 1000, "memory");
	is_int(info.compute_major, 9, "compute capability");
	is_int(nvml_sample(nvml, 1, &s, &err), 0, "sample");
	is_int(s.energy_mj, INT64_MAX, "the counter is modulo 2^63");
	is_int(s.utilization, -1, "a GPU in parts has no utilisation");
	is_int(s.throttle, 0x40, "throttle reasons");
	is_int(s.power_mw, 5000, "power");
	is_int(nvml_info(nvml, 2, &info, &err), MLP_ENOTFOUND, "no third one");
	play("gpu 0 util=300\nfail nvmlDeviceGetPowerUsage 999\n"
	     "fail nvmlDeviceGetTotalEnergyConsumption 15\nfail nvmlDeviceGetMemoryInfo_v2 3\n");
	is_int(nvml_sample(nvml, 0, &s, &err), 0, "a GPU that fails in part");
	is_int(s.utilization, 100, "percent end at 100");
	is_int(s.power_mw, -1, "power unknown");
	is_int(s.energy_mj, -1, "energy unknown");
	is_int(s.memory_used, 0, "memory by the older call");
	nvml_close(nvml);
	play("gpu 0\ngpu 1\nfail nvmlDeviceGetHandleByIndex_v2 15\n");
	nvml = start(BUILT "libfakenvml.so");
	is_int(nvml_sample(nvml, 0, &s, &err), MLP_EFAIL, "a lost GPU is an error");
	is_int(nvml_energy(nvml, 0), -1, "and its energy unknown");
	nvml_close(nvml);
}

static void play_many(void)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_addstr(&sb, "gpu 0\n");
	for (int i = 0; i < 60; i++)
		strbuf_addf(&sb, "process 0 pid=%d memory=7 sm=150 time=%d\n", 1000 + i, 5000 - i);
	play(sb.buf);
	strbuf_release(&sb);
}

static void test_processes(void)
{
	struct gpu_process p[100];
	struct gpu_use u[100];
	struct mlp_error err;
	struct nvml *nvml;
	bool known;

	play("gpu 0\nprocess 0 pid=10 memory=5 sm=30 time=2000\nprocess 0 pid=10 memory=6\n"
	     "process 0 pid=10 memory=3 kind=graphics\nprocess 0 pid=11 kind=mps\n"
	     "process 0 pid=12 sm=1 time=1000\n");
	nvml = start(BUILT "libfakenvml.so");
	is_int(nvml_processes(nvml, 0, p, 100, &known, &err), 3, "three processes");
	ok(known, "known");
	ok(p[0].pid == 10 && p[0].memory_used == 11, "parts of one list add up, lists do not");
	ok(p[2].pid == 11 && p[2].memory_used == -1, "memory unknown");
	is_int(nvml_process_use(nvml, 0, 0, u, 100, &err), 2, "two samples");
	ok(u[0].pid == 12 && u[1].pid == 10 && u[1].sm == 30, "oldest first");
	is_int(nvml_process_use(nvml, 0, 2000, u, 100, &err), 0, "none newer");
	play_many();
	is_int(nvml_processes(nvml, 0, p, 100, &known, &err), 60, "more than one buffer");
	is_int(nvml_processes(nvml, 0, p, 5, &known, &err), 5, "no more than asked");
	is_int(nvml_process_use(nvml, 0, 0, u, 100, &err), 60, "60 samples");
	is_int(u[0].sm, 100, "percent end at 100");
	is_int(nvml_process_use(nvml, 0, 0, u, 5, &err), 5, "the newest of too many");
	is_int(u[4].pid, 1000, "newest last");
	play("gpu 0\nfail nvmlDeviceGetProcessUtilization 3\n");
	is_int(nvml_process_use(nvml, 0, 0, u, 5, &err), MLP_EUNSUPPORTED, "not supported");
	nvml_close(nvml);
}

static void test_old(void)
{
	struct gpu_process p[4];
	struct gpu_use u[4];
	struct gpu_sample s;
	struct mlp_error err;
	struct nvml *nvml;
	bool known;

	play("gpu 0 used=9 energy=5\nprocess 0 pid=10 memory=5 sm=3\nprocess 0 pid=11 memory=6\n");
	nvml = start(BUILT "libfakenvml-old.so");
	ok(nvml != NULL, "a driver of old");
	is_int(nvml_sample(nvml, 0, &s, &err), 0, "sample");
	is_int(s.energy_mj, -1, "no energy");
	is_int(s.memory_used, 9, "memory");
	is_int(s.throttle, 1, "throttle reasons by their old name");
	is_int(nvml_processes(nvml, 0, p, 4, &known, &err), 2, "processes in the old layout");
	ok(p[1].pid == 11 && p[1].memory_used == 6, "the second is right");
	is_int(nvml_process_use(nvml, 0, 0, u, 4, &err), MLP_EUNSUPPORTED, "no use by process");
	nvml_close(nvml);
}

int main(void)
{
	int fd = mkstemp(control);

	close(fd);
	setenv("FAKENVML", control, 1);
	plan_lazy();
	test_absent();
	test_values();
	test_processes();
	test_old();
	unlink(control);
	return done_testing();
}
