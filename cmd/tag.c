/* SPDX-License-Identifier: Apache-2.0 */
/* mlp tag: lists, sets and removes the tags of a run. */
#include "config.h"

#include <string.h>

#include "cmd/cmd.h"
#include "lib/track/run.h"

struct tag_opts {
	struct strvec unset;
};

static const struct opt opts_table[] = {
	OPT_LIST('u', "unset", "K", struct tag_opts, unset, "remove a tag; may be repeated",
		 .complete = COMPLETE_TAG),
	OPT_END
};

static int list(struct cmd_ctx *ctx, int64_t id)
{
	static const struct column cols[] = { { "key", "TAG" }, { "value", "VALUE" } };
	_release_(key_values_release) struct key_values tags = { 0 };
	int r = tags_get(ctx->db, id, &tags, &ctx->err);

	if (r)
		return r;
	print_begin(&ctx->out, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; i < tags.len; i++) {
		print_string(&ctx->out, tags.v[i].key);
		print_string(&ctx->out, tags.v[i].value);
		print_end_row(&ctx->out);
	}
	print_end(&ctx->out);
	return 0;
}

static int set(struct cmd_ctx *ctx, int64_t id, const char *arg)
{
	const char *eq = strchr(arg, '=');
	_cleanup_free_ char *key = xmemdupz(arg, (size_t)(eq - arg));

	/* MLflow keeps a run's name in this tag too. */
	if (!strcmp(key, "mlflow.runName"))
		return run_rename(ctx->db, id, eq + 1, &ctx->err);
	return tag_set(ctx->db, id, key, eq + 1, &ctx->err);
}

static bool only_reads(const void *opts, int argc)
{
	const struct tag_opts *o = opts;

	return argc == 1 && !o->unset.len;
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	_cleanup_txn_ struct db *txn = NULL;
	const struct tag_opts *o = opts;
	int64_t id;
	int r;

	for (int i = 1; i < argc; i++)
		if (!strchr(argv[i], '=') || argv[i][0] == '=')
			return cmd_usage(ctx, "'%s' is not K=V", argv[i]);
	r = run_resolve(ctx->db, argv[0], &id, &ctx->err);
	if (r)
		return r;
	if (only_reads(o, argc))
		return list(ctx, id);
	r = db_txn(&txn, ctx->db, &ctx->err);
	for (size_t i = 0; !r && i < o->unset.len; i++)
		r = tag_unset(ctx->db, id, o->unset.v[i], &ctx->err);
	for (int i = 1; !r && i < argc; i++)
		r = set(ctx, id, argv[i]);
	return r ? cmd_argument(ctx, r) : db_txn_commit(&txn, &ctx->err);
}

const struct mlp_cmd cmd_tag = {
	.name = "tag",
	.group = "change",
	.summary = "list, set and remove tags of a run",
	.usage = "RUN [--unset K]... [K=V...]",
	.opts = opts_table,
	.opts_size = sizeof(struct tag_opts),
	.needs = NEED_DB_WRITE | HAS_OUTPUT,
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_RUN,
	.only_reads = only_reads,
	.run = run,
};
