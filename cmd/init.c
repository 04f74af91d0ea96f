/* SPDX-License-Identifier: Apache-2.0 */
/* mlp init: makes the folder .mlp, in which a project keeps all its state. */
#include "config.h"

#include "cmd/cmd.h"
#include "lib/track/schema.h"

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	_release_(repo_release) struct repo repo = REPO_INIT;
	bool made;
	int r = repo_create(argc ? argv[0] : ".", &made, &ctx->err);

	(void)opts;
	if (r)
		return cmd_argument(ctx, r);
	r = repo_open_at(&repo, argc ? argv[0] : ".", &ctx->err);
	if (!r)
		r = track_open(&ctx->db, &repo, DB_CREATE, &ctx->err);
	if (r)
		return r;
	if (!ctx->quiet)
		printf("%s project in %s\n", made ? "made an empty" : "found an existing", repo.dir);
	return 0;
}

const struct mlp_cmd cmd_init = {
	.name = "init",
	.group = "start",
	.summary = "make a project in a folder",
	.usage = "[DIR]",
	.max_args = 1,
	.complete = COMPLETE_DIR,
	.run = run,
};
