/* SPDX-License-Identifier: Apache-2.0 */
/* mlp train --reap: settles runs whose supervisor died. */
#include "config.h"

#include "cmd/train.h"
#include "lib/launch/reap.h"
#include "lib/track/schema.h"

static void print_reaped(void *data, const struct reaped *reaped)
{
	struct printer *p = data;
	char id[RUN_SHORT_LEN + 1];

	run_short(reaped->uuid, id);
	print_shown(p, id, reaped->uuid);
	print_string(p, reaped->name);
	print_time(p, reaped->ended_ms);
	print_int(p, (int64_t)reaped->killed);
	print_end_row(p);
}

int train_reap(struct cmd_ctx *ctx, int64_t grace_ms)
{
	static const struct column cols[] = { { "id", "RUN" },
					      { "name", "NAME" },
					      { "ended", "LAST KNOWN" },
					      { "killed", "PROCESSES ENDED", .right = true } };
	int r = 0;

	if (!ctx->repo.dir)
		r = repo_discover(&ctx->repo, &ctx->err);
	if (!r)
		r = track_open(&ctx->db, &ctx->repo, DB_CREATE, &ctx->err);
	if (r)
		return r;
	print_begin(&ctx->out, cols, ARRAY_SIZE(cols));
	r = reap_lost(&ctx->repo, ctx->db, grace_ms, print_reaped, &ctx->out, &ctx->err);
	print_end(&ctx->out);
	return r;
}
