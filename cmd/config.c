/* SPDX-License-Identifier: Apache-2.0 */
/* mlp config: reads and writes settings. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/util/path.h"

struct config_opts {
	bool global, local, system, show_origin;
};

static const struct opt opts_table[] = {
	OPT_FLAG(0, "global", struct config_opts, global, "the user's settings"),
	OPT_FLAG(0, "local", struct config_opts, local, "the project's settings, .mlp/config"),
	OPT_FLAG(0, "system", struct config_opts, system, "the machine's settings"),
	OPT_FLAG(0, "show-origin", struct config_opts, show_origin,
		 "say where a value comes from; list: also values that others override"),
	OPT_END
};

static const char *level_name(enum settings_level level)
{
	static const char *const names[] = {
		[SETTINGS_SYSTEM] = "system",	     [SETTINGS_USER] = "global",
		[SETTINGS_PROJECT] = "local",	     [SETTINGS_ENVIRONMENT] = "environment",
		[SETTINGS_COMMAND] = "command",
	};

	return names[level];
}

/* Is this layer asked for?  All are when none is named. */
static bool wanted(const struct config_opts *o, const struct setting *s)
{
	if (!o->global && !o->local && !o->system)
		return true;
	return (o->global && s->level == SETTINGS_USER) ||
	       (o->local && s->level == SETTINGS_PROJECT) ||
	       (o->system && s->level == SETTINGS_SYSTEM);
}

static char *origin_text(const struct setting *s)
{
	return s->line ? xasprintf("%s:%d", s->origin, s->line) : xstrdup(s->origin);
}

static int get(struct cmd_ctx *ctx, const struct config_opts *o, const char *key)
{
	const struct settings *all = &ctx->repo.settings;

	for (size_t i = all->len; i-- > 0;) {
		_cleanup_free_ char *origin = NULL;

		if (strcmp(all->v[i].key, key) || !wanted(o, &all->v[i]))
			continue;
		origin = origin_text(&all->v[i]);
		if (o->show_origin)
			printf("%s\t", origin);
		puts(all->v[i].value);
		return 0;
	}
	return EXIT_NO;
}

/* A later value of the same key wins among those asked for. */
static bool overridden(const struct settings *all, const struct config_opts *o, size_t i)
{
	for (size_t j = i + 1; j < all->len; j++)
		if (wanted(o, &all->v[j]) && !strcmp(all->v[j].key, all->v[i].key))
			return true;
	return false;
}

static void list_row(struct printer *p, const struct setting *s, bool lost)
{
	_cleanup_free_ char *origin = origin_text(s);
	enum color color = lost ? COLOR_DIM : COLOR_NONE;

	print_color(p, color);
	print_string(p, s->key);
	print_color(p, color);
	print_string(p, s->value);
	print_string(p, level_name(s->level));
	print_color(p, COLOR_DIM);
	print_string(p, origin);
	print_bool(p, lost);
	print_end_row(p);
}

static int list(struct cmd_ctx *ctx, const struct config_opts *o)
{
	struct column cols[] = { { "key", "SETTING" }, { "value", "VALUE" }, { "level", NULL },
				 { "origin", NULL }, { "overridden", NULL } };
	const struct settings *all = &ctx->repo.settings;

	if (o->show_origin)
		cols[3].title = "ORIGIN";
	print_begin(&ctx->out, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; i < all->len; i++) {
		bool lost = overridden(all, o, i);

		if (wanted(o, &all->v[i]) && (!lost || o->show_origin))
			list_row(&ctx->out, &all->v[i], lost);
	}
	print_end(&ctx->out);
	return 0;
}

/* The file that set and unset change; the project's by default. */
static int file_of(struct cmd_ctx *ctx, const struct config_opts *o, char **out)
{
	if (o->system)
		*out = repo_system_settings_path();
	else if (o->global)
		*out = repo_user_settings_path();
	else if (ctx->repo.dir)
		*out = repo_path(&ctx->repo, "config");
	else {
		mlp_error_set(&ctx->err, MLP_ENOTFOUND, "not a project: no '.mlp' here or above");
		mlp_error_hint(&ctx->err, "'mlp config --global' changes your own settings");
		return MLP_ENOTFOUND;
	}
	if (!*out)
		return mlp_error_set(&ctx->err, MLP_EFAIL, "no place for settings: HOME is not set");
	return 0;
}

static int change(struct cmd_ctx *ctx, const struct config_opts *o, const char *key,
		  const char *value)
{
	_cleanup_free_ char *path = NULL;
	int r = file_of(ctx, o, &path);

	return r ? r : settings_write(path, key, value, &ctx->err);
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
	} verbs[] = { { "list", 1 }, { "get", 2 }, { "unset", 2 }, { "set", 3 } };
	_cleanup_free_ char *key = argc > 1 ? settings_key(argv[1]) : NULL;
	const struct config_opts *o = opts;
	const char *verb = argc ? argv[0] : "list";

	if (o->global + o->local + o->system > 1)
		return cmd_usage(ctx, "--global, --local and --system exclude each other");
	if (!argc)
		return list(ctx, o);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verb, verbs[i].name))
			continue;
		if (argc != verbs[i].args)
			return cmd_usage(ctx, "'config %s' takes %d argument%s", verb,
					 verbs[i].args - 1, PLURAL(verbs[i].args - 1));
		if (argc > 1 && !key)
			return cmd_usage(ctx, "bad setting name '%s'", argv[1]);
		return i == 0 ? list(ctx, o) : i == 1 ? get(ctx, o, key) :
						change(ctx, o, key, i == 3 ? argv[2] : NULL);
	}
	return cmd_usage(ctx, "unknown verb '%s'", verb);
}

const struct mlp_cmd cmd_config = {
	.name = "config",
	.group = "start",
	.summary = "read and write settings",
	.usage = "[--global | --local | --system] [--show-origin] [list]\n"
		 "[--global | --local | --system] [--show-origin] get KEY\n"
		 "[--global | --local | --system] set KEY VALUE\n"
		 "[--global | --local | --system] unset KEY",
	.opts = opts_table,
	.opts_size = sizeof(struct config_opts),
	.needs = HAS_OUTPUT,
	.max_args = 3,
	.complete = COMPLETE_SETTING,
	.words = "get set unset list",
	.run = run,
};
