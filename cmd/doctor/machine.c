/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "cmd/doctor/doctor.h"
#include "cmd/libraries.h"
#include "lib/gpu/nvml.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

static void check_libraries(struct doctor *d)
{
	for (size_t i = 0; i < mlp_libraries_count; i++) {
		const struct mlp_library *lib = &mlp_libraries[i];
		_cleanup_free_ char *version = library_version(lib);

		if (version)
			doctor_say(d, lib->name, FINDING_OK, "%s: %s", version, lib->feature);
		else if (!strcmp(lib->name, "libgit2"))
			doctor_say(d, lib->name, FINDING_WARNING,
				   "%s cannot be loaded: runs are recorded without %s", lib->soname,
				   lib->feature);
		else
			doctor_say(d, lib->name, FINDING_WRONG, "%s cannot be loaded: no %s",
				   lib->soname, lib->feature);
	}
}

static void check_programs(struct doctor *d)
{
	static const struct {
		const char *name, *feature;
	} programs[] = {
		{ "git", "not needed by mlp; for your own work" },
		{ "python3", "packages of a run are read without starting it" },
		{ "ssh", "not needed by mlp; for remotes of git" },
		{ "man", "manual pages by 'mlp help'" },
		{ "less", "a pager for long output" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		_cleanup_free_ char *path = path_find_program(programs[i].name);

		doctor_say(d, programs[i].name, path ? FINDING_OK : FINDING_ABSENT, "%s%s%s",
			   path ? path : "", path ? ": " : "", programs[i].feature);
	}
}

static void check_gpu(struct doctor *d, struct nvml *nvml, unsigned index)
{
	_release_(strbuf_release) struct strbuf memory = STRBUF_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	struct gpu_sample sample;
	struct gpu_info info;
	char name[32];

	snprintf(name, sizeof(name), "gpu %u", index);
	if (nvml_info(nvml, index, &info, &err) || nvml_sample(nvml, index, &sample, &err)) {
		doctor_say(d, name, FINDING_WRONG, "%s", err.text);
		return;
	}
	text_add_size(&memory, info.memory_total);
	doctor_say(d, name, FINDING_OK, "%s, %s, %s%s%s", info.model,
		   info.memory_total < 0 ? "memory not known" : memory.buf,
		   sample.energy_mj >= 0 ? "energy counter" : "no energy counter",
		   sample.power_mw >= 0 ? ", power" : ", no power", info.mig == 1 ? ", MIG" : "");
}

static void check_gpus(struct doctor *d)
{
	_cleanup_(nvml_close) struct nvml *nvml = NULL;
	struct mlp_error err = MLP_ERROR_INIT;

	if (nvml_open(&nvml, &err)) {
		doctor_say(d, "nvidia", FINDING_ABSENT, "%s: no figures of GPUs", err.text);
		return;
	}
	doctor_say(d, "nvidia", FINDING_OK, "driver %s, CUDA %s, %u GPU%s", nvml_driver(nvml),
		   nvml_cuda(nvml), nvml_count(nvml), PLURAL(nvml_count(nvml)));
	for (unsigned i = 0; i < nvml_count(nvml); i++)
		check_gpu(d, nvml, i);
}

void doctor_machine(struct doctor *d)
{
	check_libraries(d);
	check_programs(d);
	check_gpus(d);
}
