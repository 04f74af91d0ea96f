/* SPDX-License-Identifier: Apache-2.0 */
/* mlp rm: runs to the trash, back from it, or gone for ever. */
#include "config.h"

#include <stdlib.h>

#include "cmd/cmd.h"
#include "lib/track/live.h"
#include "lib/track/run.h"
#include "lib/util/path.h"

struct rm_opts {
	bool restore, force;
};

static const struct opt opts_table[] = {
	OPT_FLAG(0, "restore", struct rm_opts, restore, "take runs back out of the trash"),
	OPT_FLAG('f', "force", struct rm_opts, force, "delete for ever; the usage ledger stays"),
	OPT_END
};

static int check(struct cmd_ctx *ctx, const struct run *run, const struct rm_opts *o)
{
	const char *ref = run->name;
	char id[RUN_SHORT_LEN + 1];

	if (o->restore && !run->deleted_ms)
		return mlp_error_set(&ctx->err, MLP_EINVAL, "run '%s' is not in the trash", ref);
	if (o->restore || (live_status(&ctx->repo, run) != RUN_RUNNING &&
			   live_status(&ctx->repo, run) != RUN_SCHEDULED))
		return 0;
	/* Only a supervised run is known to be alive; others are rows that nobody ended. */
	if (!run->heartbeat_ms && !live_holder(&ctx->repo, run->uuid))
		return 0;
	run_short(run->uuid, id);
	mlp_error_set(&ctx->err, MLP_EBUSY, "run '%s' is still running", ref);
	mlp_error_hint(&ctx->err, "'mlp stop %s' ends it", id);
	return MLP_EFAIL;
}

static int64_t count(struct cmd_ctx *ctx, const char *sql, int64_t id)
{
	int64_t n = 0;

	return db_get_int(ctx->db, &n, NULL, sql, "i", id) ? 0 : n;
}

static int delete(struct cmd_ctx *ctx, const struct run *run)
{
	_cleanup_free_ char *dir = live_path(&ctx->repo, run->uuid, NULL);
	int64_t keys = count(ctx, "SELECT count(*) FROM metric WHERE run_id = ?1", run->id);
	int64_t points = count(ctx, "SELECT coalesce(sum(points), 0) FROM metric WHERE run_id = ?1",
			       run->id);
	int64_t files = count(ctx, "SELECT count(*) FROM run_file WHERE run_id = ?1", run->id);
	char name[RUN_SHORT_LEN + 1];
	int r = run_delete(ctx->db, run->id, &ctx->err);

	if (r)
		return r;
	run_short(run->uuid, name);
	if (path_remove_tree(dir))
		cmd_warn("cannot remove '%s'", dir);
	mlp_note(&ctx->events,
		 "deleted run %s (%s): %lld point%s of %lld metric%s, names of %lld file%s", name,
		 run->name, (long long)points, PLURAL(points), (long long)keys, PLURAL(keys),
		 (long long)files, PLURAL(files));
	return 0;
}

static int remove_one(struct cmd_ctx *ctx, int64_t id, const struct rm_opts *o)
{
	_release_(run_release) struct run run = RUN_INIT;
	char name[RUN_SHORT_LEN + 1];
	int r = run_get(ctx->db, id, &run, &ctx->err);

	/* The same run named twice. */
	if (r == MLP_ENOTFOUND && o->force)
		return 0;
	if (!r && o->force)
		return delete(ctx, &run);
	if (!r)
		r = run_trash(ctx->db, id, !o->restore, &ctx->err);
	if (r)
		return r;
	run_short(run.uuid, name);
	if (o->restore)
		mlp_note(&ctx->events, "took run %s (%s) out of the trash", name, run.name);
	else
		mlp_note(&ctx->events, "moved run %s (%s) to the trash", name, run.name);
	return 0;
}

/* run_resolve() does not see names in the trash. */
static int resolve(struct cmd_ctx *ctx, const struct rm_opts *o, const char *ref, int64_t *id)
{
	static const char newest_in_trash[] =
		"SELECT id FROM run WHERE name = ?1 AND deleted_ms IS NOT NULL"
		" ORDER BY deleted_ms DESC, id DESC LIMIT 1";

	if (o->restore && !db_get_int(ctx->db, id, &ctx->err, newest_in_trash, "s", ref))
		return 0;
	return run_resolve(ctx->db, ref, id, &ctx->err);
}

/* All runs are named and checked before anything is done to the first of them. */
static int resolve_all(struct cmd_ctx *ctx, const struct rm_opts *o, int argc, char **argv,
		       int64_t *out)
{
	for (int i = 0; i < argc; i++) {
		_release_(run_release) struct run run = RUN_INIT;
		int r = resolve(ctx, o, argv[i], &out[i]);

		if (!r)
			r = run_get(ctx->db, out[i], &run, &ctx->err);
		if (!r)
			r = check(ctx, &run, o);
		if (r)
			return r;
	}
	return 0;
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	_cleanup_free_ int64_t *ids = xcalloc((size_t)argc, sizeof(*ids));
	const struct rm_opts *o = opts;
	int r;

	if (o->restore && o->force)
		return cmd_usage(ctx, "--restore and --force exclude each other");
	r = resolve_all(ctx, o, argc, argv, ids);
	for (int i = 0; !r && i < argc; i++)
		r = remove_one(ctx, ids[i], o);
	return r;
}

const struct mlp_cmd cmd_rm = {
	.name = "rm",
	.group = "change",
	.summary = "move runs to the trash, or delete them",
	.usage = "[--restore | --force] RUN...",
	.opts = opts_table,
	.opts_size = sizeof(struct rm_opts),
	.needs = NEED_DB_WRITE,
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_RUN,
	.run = run,
};
