/* SPDX-License-Identifier: Apache-2.0 */
/* mlp server token: who may use the server. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/server/server.h"
#include "lib/api/auth.h"
#include "lib/track/experiment.h"
#include "lib/util/text.h"

struct token_opts {
	const char *scope, *experiment;
};

static const struct opt opts_table[] = {
	OPT_STRING(0, "scope", "SCOPE", struct token_opts, scope, "read, write or admin",
		   .complete = COMPLETE_WORDS, .words = "read write admin"),
	OPT_STRING(0, "experiment", "E", struct token_opts, experiment,
		   "only this experiment and its runs", .complete = COMPLETE_EXPERIMENT),
	OPT_END
};

static int add(struct cmd_ctx *ctx, const struct token_opts *o, const char *name)
{
	static const struct column cols[] = { { "name", NULL }, { "scope", NULL },
					      { "token", "TOKEN" } };
	enum token_scope scope = o->scope ? token_scope_parse(o->scope) : 0;
	char text[TOKEN_TEXT_MAX];
	int64_t experiment = -1;
	int r = 0;

	if (!scope)
		return cmd_usage(ctx, "--scope must be read, write or admin");
	if (o->experiment)
		r = experiment_find(ctx->db, o->experiment, &experiment, &ctx->err);
	if (!r)
		r = token_add(ctx->db, name, scope, experiment, text, &ctx->err);
	if (r)
		return r;
	if (ctx->out.mode == PRINT_TEXT) {
		puts(text);
		mlp_note(&ctx->events, "this is the only time that the token is shown");
		return 0;
	}
	print_begin(&ctx->out, cols, ARRAY_SIZE(cols));
	print_string(&ctx->out, name);
	print_string(&ctx->out, o->scope);
	print_string(&ctx->out, text);
	print_end_row(&ctx->out);
	print_end(&ctx->out);
	return 0;
}

static int row(struct cmd_ctx *ctx, const struct token *t)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	struct printer *p = &ctx->out;

	if (t->experiment >= 0) {
		int r = experiment_get(ctx->db, t->experiment, &e, &ctx->err);

		if (r)
			return r;
	}
	print_string(p, t->name);
	print_string(p, token_scope_name(t->scope));
	print_string(p, e.name);
	print_time(p, t->created_ms);
	if (t->revoked_ms)
		print_time(p, t->revoked_ms);
	else
		print_null(p);
	print_end_row(p);
	return 0;
}

static int list(struct cmd_ctx *ctx)
{
	static const struct column cols[] = { { "name", "TOKEN" },
					      { "scope", "SCOPE" },
					      { "experiment", "EXPERIMENT", .max = 40 },
					      { "created", "CREATED" },
					      { "revoked", "REVOKED" } };
	struct tokens tokens = { 0 };
	int r = token_list(ctx->db, &tokens, &ctx->err);

	print_begin(&ctx->out, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; i < tokens.len && !r; i++)
		r = row(ctx, &tokens.v[i]);
	print_end(&ctx->out);
	free(tokens.v);
	return r;
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	const struct token_opts *o = opts;
	bool adds = !strcmp(argv[0], "add");

	if (!adds && (o->scope || o->experiment))
		return cmd_usage(ctx, "--scope and --experiment are for 'add'");
	if (!strcmp(argv[0], "list") && argc == 1)
		return list(ctx);
	if (adds && argc == 2)
		return add(ctx, o, argv[1]);
	if (!strcmp(argv[0], "revoke") && argc == 2)
		return token_revoke(ctx->db, argv[1], &ctx->err);
	return cmd_usage(ctx, "'add NAME', 'list' or 'revoke NAME' is needed");
}

const struct mlp_cmd cmd_server_token = {
	.name = "token",
	.summary = "give, list and revoke tokens for the server",
	.usage = "add NAME --scope SCOPE [--experiment E]\n"
		 "list\n"
		 "revoke NAME",
	.opts = opts_table,
	.opts_size = sizeof(struct token_opts),
	.needs = NEED_DB_WRITE | NEED_AUTO_INIT | HAS_OUTPUT,
	.min_args = 1,
	.max_args = 2,
	.words = "add list revoke",
	.run = run,
};
