/* SPDX-License-Identifier: Apache-2.0 */
/* mlp cost prices: the prices known, and reading a table of them. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cost/cells.h"
#include "cmd/cost/verbs.h"
#include "lib/track/schema.h"
#include "lib/util/clock.h"

enum { TABLE_MAX = 64 << 20 };

static const struct column list_cols[] = {
	{ .key = "kind", .title = "KIND" },
	{ .key = "match", .title = "MATCH" },
	{ .key = "price", .title = "PRICE", .right = true },
	{ .key = "currency" },
	{ .key = "per", .title = "PER" },
	{ .key = "as_of", .title = "AS OF" },
	{ .key = "stale" },
	{ .key = "origin", .title = "FROM" },
	{ .key = "source", .title = "SOURCE", .max = 50 },
};

static const char *unit(const char *kind)
{
	return !strcmp(kind, "gpu") ? "GPU-hour" : !strcmp(kind, "cpu") ? "core-hour" : "kWh";
}

static int list(struct cmd_ctx *ctx)
{
	_release_(price_rows_release) struct price_rows rows = { 0 };
	struct printer *p = &ctx->out;
	int64_t now = clock_ms();
	int r = 0;

	/* Of no project, or of one that has recorded nothing: what is shipped and set. */
	if (ctx->repo.dir && !access(ctx->repo.db_path, F_OK))
		r = track_open(&ctx->db, &ctx->repo, DB_READ, &ctx->err);
	if (!r)
		r = price_list(ctx->db, &ctx->repo.settings, &rows, &ctx->err);

	if (r)
		return r;
	print_begin(p, list_cols, ARRAY_SIZE(list_cols));
	for (size_t i = 0; i < rows.len; i++) {
		const struct price_row *row = &rows.v[i];
		struct money m = { true, row->nano_per_unit, "" };
		bool stale = price_is_stale(row->as_of, now);

		memcpy(m.currency, row->currency, sizeof(m.currency));
		print_string(p, row->kind);
		print_string(p, row->match);
		print_cost(p, &m, "");
		print_string(p, unit(row->kind));
		print_color(p, stale ? COLOR_YELLOW : COLOR_NONE);
		print_string(p, *row->as_of ? row->as_of : NULL);
		print_bool(p, stale);
		print_string(p, row->origin);
		print_string(p, row->source);
		print_end_row(p);
	}
	print_end(p);
	return 0;
}

static int import(struct cmd_ctx *ctx, const char *path)
{
	static const struct column cols[] = { { .key = "added" }, { .key = "changed" },
					      { .key = "unchanged" } };
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_release_(price_rows_release) struct price_rows rows = { 0 };
	struct printer *p = &ctx->out;
	struct price_import done;
	int r = ctx->repo.dir ? 0 : repo_discover(&ctx->repo, &ctx->err);

	if (!r)
		r = cmd_read_input(ctx, path, TABLE_MAX, &text);

	if (r)
		return r;
	r = price_parse_csv(text.buf, text.len, &rows, &ctx->err);
	if (r) {
		mlp_error_prefix(&ctx->err, "cannot import '%s': ", path);
		return r;
	}
	r = track_open(&ctx->db, &ctx->repo, DB_CREATE, &ctx->err);
	if (!r)
		r = price_import(ctx->db, &rows, &done, &ctx->err);
	if (r)
		return r;
	if (p->mode == PRINT_TEXT) {
		printf("%lld added, %lld changed, %lld unchanged\n", (long long)done.added,
		       (long long)done.changed, (long long)done.same);
		return 0;
	}
	print_begin(p, cols, ARRAY_SIZE(cols));
	print_int(p, done.added);
	print_int(p, done.changed);
	print_int(p, done.same);
	print_end_row(p);
	print_end(p);
	return 0;
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	(void)opts;
	if (!argc || (argc == 1 && !strcmp(argv[0], "list")))
		return list(ctx);
	if (!strcmp(argv[0], "list"))
		return cmd_usage(ctx, "too many arguments");
	if (strcmp(argv[0], "import"))
		return cmd_usage(ctx, "'%s' is neither list nor import", argv[0]);
	if (argc == 1)
		return cmd_usage(ctx, "import needs a file");
	return import(ctx, argv[1]);
}

const struct mlp_cmd cmd_cost_prices = {
	.name = "prices",
	.group = "cost",
	.summary = "list the prices known, or import a table of them",
	.usage = "[list]\nimport CSV",
	.needs = HAS_OUTPUT,
	.max_args = 2,
	.complete = COMPLETE_WORDS,
	.words = "list import",
	.run = run,
};
