/* SPDX-License-Identifier: Apache-2.0 */
/* mlp completion: the script that teaches a shell to ask mlp for completions. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static const struct {
	const char *shell, *script;
} scripts[] = {
	{ "bash",
#include "completions/mlp.bash.inc"
	},
	{ "zsh",
#include "completions/_mlp.inc"
	},
	{ "fish",
#include "completions/mlp.fish.inc"
	},
};

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	(void)opts;
	(void)argc;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		if (strcmp(argv[0], scripts[i].shell))
			continue;
		fputs(scripts[i].script, stdout);
		return 0;
	}
	return cmd_usage(ctx, "no completion for '%s'", argv[0]);
}

const struct mlp_cmd cmd_completion = {
	.name = "completion",
	.group = "help",
	.summary = "print the completion script of a shell",
	.usage = "bash | zsh | fish",
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_WORDS,
	.words = "bash zsh fish",
	.run = run,
};
