/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "cmd/status/status.h"
#include "lib/cost/owner.h"
#include "lib/track/live.h"
#include "lib/util/clock.h"

enum { PROCESSES_MAX = 256 };

static void add_once(struct strvec *list, const char *s)
{
	for (size_t i = 0; i < list->len; i++)
		if (!strcmp(list->v[i], s))
			return;
	strvec_push(list, s);
}

/* Who uses it: runs by the owner of each process. */
static int load_holders(struct cmd_ctx *ctx, struct nvml *nvml, struct status_gpu *gpu)
{
	struct gpu_process processes[PROCESSES_MAX];
	char boot[64];
	bool known;
	int n = nvml_processes(nvml, gpu->info.index, processes, PROCESSES_MAX, &known, NULL);

	boot_id_read(boot);
	for (int i = 0; i < n; i++) {
		char id[RUN_SHORT_LEN + 1];
		struct owner owner;
		int r = owner_find(ctx->db, live_host(), boot, processes[i].pid, &owner, &ctx->err);

		if (r)
			return r;
		run_short(owner.run_uuid, id);
		add_once(&gpu->holders, owner.kind == OWNER_ATTEMPT ? id : "other");
	}
	return 0;
}

static int load_gpu(struct cmd_ctx *ctx, struct nvml *nvml, unsigned index, struct status *s)
{
	struct status_gpu gpu = { 0 };
	int r = nvml_info(nvml, index, &gpu.info, &ctx->err);

	if (!r)
		r = nvml_sample(nvml, index, &gpu.sample, &ctx->err);
	if (!r)
		r = price_gpu(ctx->db, &ctx->repo.settings,
			      &(struct price_of){ live_host(), gpu.info.model, clock_ms() },
			      &gpu.price, &ctx->err);
	if (!r)
		r = load_holders(ctx, nvml, &gpu);
	vec_push(&s->gpus, gpu);
	return r;
}

int status_load_gpus(struct cmd_ctx *ctx, struct status *s)
{
	_cleanup_(nvml_close) struct nvml *nvml = NULL;

	if (nvml_open(&nvml, NULL))
		return 0;
	for (unsigned i = 0; i < nvml_count(nvml); i++) {
		int r = load_gpu(ctx, nvml, i, s);

		/* One that fell off the bus must not hide the others. */
		if (r)
			cmd_warn("GPU %u: %s", i, ctx->err.text);
	}
	return 0;
}
