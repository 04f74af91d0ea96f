/* SPDX-License-Identifier: Apache-2.0 */
/* mlp version: this program's version, and those of the libraries it finds. */
#include "config.h"

#include "cmd/cmd.h"
#include "cmd/libraries.h"
#include "lib/api/server.h"
#include "lib/gpu/nvml.h"

struct version_opts {
	bool verbose;
};

static const struct opt opts_table[] = {
	OPT_FLAG('v', "verbose", struct version_opts, verbose, "also the libraries found"),
	OPT_END
};

static void row(struct printer *p, const char *name, const char *version)
{
	print_string(p, name);
	print_string(p, version);
	print_end_row(p);
}

static void list(struct printer *p, bool verbose)
{
	static const struct column cols[] = { { "name", "NAME" }, { "version", "VERSION" } };
	_cleanup_(nvml_close) struct nvml *nvml = NULL;

	print_begin(p, cols, ARRAY_SIZE(cols));
	row(p, "mlp", PACKAGE_VERSION);
	for (size_t i = 0; verbose && i < mlp_libraries_count; i++) {
		_cleanup_free_ char *version = library_version(&mlp_libraries[i]);

		row(p, mlp_libraries[i].name, version);
	}
	if (verbose)
		row(p, "mlflow client tested", MLFLOW_VERSION);
	if (verbose)
		row(p, "nvidia driver", nvml_open(&nvml, NULL) ? NULL : nvml_driver(nvml));
	print_end(p);
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	const struct version_opts *o = opts;

	(void)argc;
	(void)argv;
	if (ctx->out.mode == PRINT_TEXT && !o->verbose)
		puts("mlp " PACKAGE_VERSION " (tested with MLflow's client " MLFLOW_VERSION ")");
	else
		list(&ctx->out, o->verbose);
	return 0;
}

const struct mlp_cmd cmd_version = {
	.name = "version",
	.group = "help",
	.summary = "print the version",
	.usage = "[-v]",
	.opts = opts_table,
	.opts_size = sizeof(struct version_opts),
	.needs = HAS_OUTPUT,
	.run = run,
};
