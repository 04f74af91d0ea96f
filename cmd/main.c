/* SPDX-License-Identifier: Apache-2.0 */
/* mlp: global options, aliases, dispatch, exit codes. */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/track/schema.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

#define MLP_CMD(name) extern const struct mlp_cmd cmd_##name;
#include "cmd/commands.def"
#undef MLP_CMD

const struct mlp_cmd *const mlp_commands[] = {
#define MLP_CMD(name) &cmd_##name,
#include "cmd/commands.def"
#undef MLP_CMD
	NULL
};

struct global_opts {
	const char *dir;
	struct strvec settings;
	const char *color;
	bool no_pager;
	bool quiet;
	bool version;
	bool help;
};

const struct opt mlp_global_options[] = {
	OPT_STRING('C', NULL, "DIR", struct global_opts, dir, "run as if started in DIR",
		   .complete = COMPLETE_DIR),
	OPT_LIST('c', NULL, "KEY=VALUE", struct global_opts, settings, "set a setting for this call",
		 .complete = COMPLETE_SETTING),
	OPT_STRING(0, "color", "WHEN", struct global_opts, color, "always, never or auto",
		   .complete = COMPLETE_WORDS, .words = "always never auto"),
	OPT_FLAG(0, "no-pager", struct global_opts, no_pager, "do not send output through a pager"),
	OPT_FLAG('q', "quiet", struct global_opts, quiet, "no notes and no progress on stderr"),
	OPT_FLAG(0, "version", struct global_opts, version, "print the version"),
	OPT_FLAG('h', "help", struct global_opts, help, "print the commands"),
	OPT_END
};

struct common_opts {
	bool help;
	bool short_help;
	bool json;
	bool nul;
};

static const struct opt plain_options[] = {
	OPT_FLAG('h', NULL, struct common_opts, short_help, "print this help"),
	OPT_FLAG(0, "help", struct common_opts, help, "open the manual page"),
	OPT_END
};

static const struct opt output_options[] = {
	OPT_FLAG(0, "json", struct common_opts, json, "one JSON object a line, see mlp-json(7)"),
	OPT_FLAG('z', NULL, struct common_opts, nul, "key=value fields ended by NUL"),
	OPT_FLAG('h', NULL, struct common_opts, short_help, "print this help"),
	OPT_FLAG(0, "help", struct common_opts, help, "open the manual page"),
	OPT_END
};

const struct opt *cmd_common_options(const struct mlp_cmd *cmd)
{
	return cmd->needs & HAS_OUTPUT ? output_options : plain_options;
}

const struct mlp_cmd *cmd_find(const char *name)
{
	for (const struct mlp_cmd *const *c = mlp_commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

const struct mlp_cmd *cmd_find_verb(const struct mlp_cmd *cmd, const char *name)
{
	for (const struct mlp_cmd *const *v = cmd->verbs; v && *v; v++)
		if (!strcmp((*v)->name, name))
			return *v;
	return NULL;
}

/* "mlp cost report" for a verb; caller frees. */
static char *full_name(const struct mlp_cmd *cmd)
{
	for (const struct mlp_cmd *const *c = mlp_commands; *c; c++)
		for (const struct mlp_cmd *const *v = (*c)->verbs; v && *v; v++)
			if (*v == cmd)
				return xasprintf("mlp %s %s", (*c)->name, cmd->name);
	return xasprintf("mlp %s", cmd->name);
}

static void print_usage(const struct mlp_cmd *cmd, FILE *f)
{
	_cleanup_free_ char *name = full_name(cmd);
	_release_(strvec_release) struct strvec forms = STRVEC_INIT;

	strvec_split(&forms, cmd->usage, '\n');
	for (size_t i = 0; i < forms.len; i++)
		fprintf(f, "%s %s%s%s\n", i ? "   or:" : "usage:", name, *forms.v[i] ? " " : "",
			forms.v[i]);
}

void cmd_print_help(const struct mlp_cmd *cmd, FILE *f)
{
	print_usage(cmd, f);
	fprintf(f, "\n%s\n", cmd->summary);
	if (cmd->verbs) {
		fputc('\n', f);
		for (const struct mlp_cmd *const *v = cmd->verbs; *v; v++)
			fprintf(f, "    %-24s%s\n", (*v)->name, (*v)->summary);
	}
	fputc('\n', f);
	opt_print_help(cmd->opts, f);
	opt_print_help(cmd_common_options(cmd), f);
}

void cmd_warn(const char *fmt, ...)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	fputs("mlp: warning: ", stderr);
	print_printable(&(struct printer){ .f = stderr }, text.buf);
	fputc('\n', stderr);
}

int cmd_usage(struct cmd_ctx *ctx, const char *fmt, ...)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	fputs("mlp: ", stderr);
	print_printable(&(struct printer){ .f = stderr }, text.buf);
	fputc('\n', stderr);
	print_usage(ctx->cmd, stderr);
	return EXIT_USAGE;
}

static void print_error(const struct mlp_error *err)
{
	fflush(stdout);
	fprintf(stderr, "mlp: %s\n", *err->text ? err->text : "failed for an unknown reason");
	if (*err->hint)
		fprintf(stderr, "hint: %s\n", err->hint);
}

int cmd_argument(struct cmd_ctx *ctx, int code)
{
	if (code != MLP_EINVAL)
		return code;
	print_error(&ctx->err);
	print_usage(ctx->cmd, stderr);
	return EXIT_USAGE;
}

int cmd_read_input(struct cmd_ctx *ctx, const char *path, size_t max, struct strbuf *out)
{
	bool is_stdin = !strcmp(path, "-");
	int r = is_stdin ? file_read_fd(STDIN_FILENO, max, out) : file_read(path, max, out);

	if (!r)
		return 0;
	r = mlp_error_errno(&ctx->err, r, "cannot read '%s'", is_stdin ? "standard input" : path);
	return r == MLP_ENOTFOUND ? MLP_EMISSING : r;
}

int cmd_report(struct cmd_ctx *ctx, int code)
{
	print_error(&ctx->err);
	switch (code) {
	case MLP_EMISSING:
		return EXIT_MISSING;
	case MLP_EBUSY:
		return EXIT_TRY_AGAIN;
	default:
		return EXIT_FAILED;
	}
}

static void render_event(void *data, const struct mlp_event *event)
{
	const struct cmd_ctx *ctx = data;

	if (event->type == MLP_EVENT_WARNING)
		fprintf(stderr, "mlp: warning: %s\n", event->text);
	else if (ctx->quiet)
		return;
	else if (event->type == MLP_EVENT_NOTE)
		fprintf(stderr, "mlp: %s\n", event->text);
	else if (isatty(STDERR_FILENO) && event->total > 0)
		fprintf(stderr, "\r%s: %3d%%%s", event->text,
			(int)(event->done * 100 / event->total),
			event->done >= event->total ? "\n" : "");
}

/* Settings given with -c, after all the others. */
static int add_command_settings(struct settings *settings, const struct strvec *given,
				struct mlp_error *err)
{
	for (size_t i = 0; i < given->len; i++) {
		char *eq = strchr(given->v[i], '=');
		_cleanup_free_ char *key = eq ? xmemdupz(given->v[i], (size_t)(eq - given->v[i])) :
						xstrdup(given->v[i]);
		int r = settings_add(settings, key, eq ? eq + 1 : "true", SETTINGS_COMMAND,
				     "command line", err);

		if (r)
			return r;
	}
	return 0;
}

static int open_project(struct cmd_ctx *ctx, const struct global_opts *global)
{
	int needs = ctx->cmd->needs, r;
	const char *env = getenv("MLP_DIR");
	bool made;

	if (!(needs & (NEED_REPO | NEED_DB_READ | NEED_DB_WRITE))) {
		/* Settings of a project count also where one is not needed. */
		r = repo_discover(&ctx->repo, &ctx->err);
		if (r == MLP_ENOTFOUND) {
			repo_release(&ctx->repo);
			ctx->err = (struct mlp_error)MLP_ERROR_INIT; /* no project is no fault */
			r = repo_read_settings(&ctx->repo.settings, NULL, &ctx->err);
		}
		/* What helps with a broken project has to work in one. */
		if (r && !strcmp(ctx->cmd->group, "help")) {
			if (!(needs & CHECKS_SETTINGS))
				cmd_warn("%s", ctx->err.text);
			r = 0;
		}
		return r ? r : add_command_settings(&ctx->repo.settings, &global->settings, &ctx->err);
	}
	r = repo_discover(&ctx->repo, &ctx->err);
	if (r == MLP_ENOTFOUND && needs & NEED_AUTO_INIT && !(env && *env)) {
		repo_release(&ctx->repo);
		r = repo_create(".", &made, &ctx->err);
		if (!r)
			r = repo_discover(&ctx->repo, &ctx->err);
		if (!r)
			mlp_note(&ctx->events, "made a project in '%s'", ctx->repo.root);
	}
	if (!r)
		r = add_command_settings(&ctx->repo.settings, &global->settings, &ctx->err);
	return r;
}

static int open_store(struct cmd_ctx *ctx, const void *opts, int argc)
{
	const struct mlp_cmd *cmd = ctx->cmd;
	bool writes = cmd->needs & NEED_DB_WRITE && !(cmd->only_reads && cmd->only_reads(opts, argc));

	if (!(cmd->needs & (NEED_DB_READ | NEED_DB_WRITE)))
		return 0;
	/* A reader of a project that has recorded nothing yet sees an empty store. */
	return track_open(&ctx->db, &ctx->repo,
			  writes || access(ctx->repo.db_path, F_OK) ? DB_CREATE : DB_READ,
			  &ctx->err);
}

static int check_args(struct cmd_ctx *ctx, int argc)
{
	const struct mlp_cmd *cmd = ctx->cmd;

	if (argc < cmd->min_args)
		return cmd_usage(ctx, "too few arguments");
	if (cmd->max_args >= 0 && argc > cmd->max_args)
		return cmd_usage(ctx, "too many arguments");
	return 0;
}

static int help_requested(const struct mlp_cmd *cmd, const struct common_opts *common)
{
	const struct mlp_cmd *help = cmd_find("help");

	if (common->help && help) {
		/* A verb is described in the page of its command. */
		_cleanup_free_ char *full = full_name(cmd);
		char *name = full + strlen("mlp "), *verb = strchr(name, ' ');
		char *argv[] = { name, verb ? verb + 1 : NULL, NULL };
		struct cmd_ctx ctx = { .cmd = help };

		if (verb)
			*verb = '\0';
		return help->run(&ctx, NULL, verb ? 2 : 1, argv);
	}
	cmd_print_help(cmd, stdout);
	return 0;
}

static int run_opened(struct cmd_ctx *ctx, const struct global_opts *global, void *opts, int argc,
		      char **argv)
{
	int r = open_project(ctx, global);

	if (!r)
		r = open_store(ctx, opts, argc);
	if (r)
		return cmd_report(ctx, r);
	if (ctx->cmd->needs & USES_PAGER && !global->no_pager && ctx->out.mode == PRINT_TEXT)
		pager_start(settings_get_command(&ctx->repo.settings, "core.pager"));
	r = ctx->cmd->run(ctx, opts, argc, argv);
	if (r < 0)
		r = cmd_report(ctx, r);
	if (fflush(stdout) && errno != EPIPE) {
		mlp_error_errno(&ctx->err, errno, "cannot write to standard output");
		r = cmd_report(ctx, MLP_ESYSTEM);
	}
	pager_finish();
	return r;
}

/* argv[0] is the command's name. */
static int run_command(const struct mlp_cmd *cmd, const struct global_opts *global, int argc,
		       char **argv)
{
	struct common_opts common = { 0 };
	_cleanup_free_ char *opts = xcalloc(1, cmd->opts_size);
	struct cmd_ctx ctx = { .cmd = cmd, .quiet = global->quiet };
	struct opt_set sets[] = { { cmd->opts, opts }, { cmd_common_options(cmd), &common } };
	struct opt_args args = { argv, argc, -1, cmd->needs & TAKES_COMMAND,
				 mlp_global_options };
	int r;

	ctx.events = (struct mlp_events){ render_event, &ctx };
	if (cmd->defaults)
		memcpy(opts, cmd->defaults, cmd->opts_size);
	r = opt_parse(sets, ARRAY_SIZE(sets), &args, &ctx.err);
	ctx.dashdash = args.dashdash;
	if (common.help || common.short_help)
		r = help_requested(cmd, &common);
	else if (r)
		r = cmd_usage(&ctx, "%s", ctx.err.text);
	else if (!(r = check_args(&ctx, args.argc))) {
		print_init(&ctx.out, common.json ? PRINT_JSON : common.nul ? PRINT_NUL : PRINT_TEXT,
			   global->color);
		r = run_opened(&ctx, global, opts, args.argc, argv);
		print_release(&ctx.out);
	}
	opt_release(cmd->opts, opts);
	db_close(ctx.db);
	repo_release(&ctx.repo);
	return r;
}

static int dispatch(const struct mlp_cmd *cmd, const struct global_opts *global, int argc,
		    char **argv)
{
	const struct mlp_cmd *verb = argc > 1 ? cmd_find_verb(cmd, argv[1]) : NULL;
	struct cmd_ctx ctx = { .cmd = cmd };

	if (verb)
		return run_command(verb, global, argc - 1, argv + 1);
	if (cmd->run || argc == 1 || argv[1][0] == '-') {
		if (cmd->run || argc > 1)
			return run_command(cmd, global, argc, argv);
		return cmd_usage(&ctx, "'mlp %s' needs a verb", cmd->name);
	}
	return cmd_usage(&ctx, "unknown verb '%s'", argv[1]);
}

/* mlp-foo on PATH is "mlp foo". */
static void try_external(int argc, char **argv)
{
	_cleanup_free_ char *name = xasprintf("mlp-%s", argv[0]);
	_cleanup_free_ char *program = strchr(argv[0], '/') ? NULL : path_find_program(name);
	struct cmd_ctx ctx = { 0 };

	(void)argc;
	if (!program)
		return;
	execv(program, argv);
	mlp_error_errno(&ctx.err, errno, "cannot run '%s'", program);
	exit(cmd_report(&ctx, MLP_ESYSTEM));
}

struct guess {
	const char *typed;
	size_t distance; /* less than this is near enough */
	char *name;
};

static void consider(void *data, const char *name, const char *what)
{
	struct guess *guess = data;
	size_t d = text_distance(guess->typed, name);

	(void)what;
	/* An alias that led here is no help. */
	if (!d || d >= guess->distance)
		return;
	guess->distance = d;
	free(guess->name);
	guess->name = xstrdup(name);
}

static int unknown_command(const struct global_opts *global, const char *name)
{
	struct cmd_ctx ctx = { .cmd = &(struct mlp_cmd){ .name = name, .group = "" } };
	/* Three edits, or as many as it has letters, make a different word. */
	struct guess guess = { name, MIN(strlen(name), (size_t)3), NULL };

	open_project(&ctx, global);
	cmd_each_name(&ctx.repo.settings, consider, &guess);
	mlp_error_set(&ctx.err, MLP_EINVAL, "unknown command '%s'", name);
	if (guess.name)
		mlp_error_hint(&ctx.err, "did you mean 'mlp %s'?", guess.name);
	else
		mlp_error_hint(&ctx.err, "'mlp help' lists the commands");
	print_error(&ctx.err);
	free(guess.name);
	repo_release(&ctx.repo);
	return EXIT_USAGE;
}

/* The words of alias.NAME, or false.  Words are separated by blanks; quotes and
 * backslash work as in the shell. */
static bool split_alias(const char *s, struct strvec *words)
{
	struct strbuf word = STRBUF_INIT;
	bool open = false;
	char quote = 0;

	for (; *s; s++) {
		if (!quote && (*s == ' ' || *s == '\t')) {
			if (open)
				strvec_push_take(words, strbuf_detach(&word));
			open = false;
		} else if (*s == '\\' && s[1] && quote != '\'') {
			strbuf_addch(&word, *++s);
			open = true;
		} else if ((quote && *s == quote) || (!quote && (*s == '\'' || *s == '"'))) {
			quote = quote ? 0 : *s;
			open = true;
		} else {
			strbuf_addch(&word, *s);
			open = true;
		}
	}
	if (open)
		strvec_push_take(words, strbuf_detach(&word));
	strbuf_release(&word);
	return !quote && words->len;
}

/* Replaces argv[0] by the words of its alias.  0 when there is none, 1 when
 * replaced (words owns the new arguments), negative on error. */
static int expand_alias(const struct global_opts *global, int argc, char **argv,
			struct strvec *words, struct mlp_error *err)
{
	struct cmd_ctx ctx = { .cmd = &(struct mlp_cmd){ .name = argv[0], .group = "" } };
	_cleanup_free_ char *key = xasprintf("alias.%s", argv[0]);
	const char *value = NULL;
	int r = open_project(&ctx, global);

	if (!r) {
		value = settings_get_command(&ctx.repo.settings, key);
		r = value ? 1 : 0;
	}
	if (r < 0)
		*err = ctx.err;
	if (r > 0 && !split_alias(value, words))
		r = mlp_error_set(err, MLP_EINVAL, "bad alias '%s': '%s'", argv[0], value);
	for (int i = 1; r > 0 && i < argc; i++)
		strvec_push(words, argv[i]);
	repo_release(&ctx.repo);
	return r;
}

static int run_named(const struct global_opts *global, int argc, char **argv)
{
	_release_(strvec_release) struct strvec words = STRVEC_INIT;
	const struct mlp_cmd *cmd = cmd_find(argv[0]);
	struct cmd_ctx ctx = { 0 };
	int r;

	if (cmd)
		return dispatch(cmd, global, argc, argv);
	r = expand_alias(global, argc, argv, &words, &ctx.err);
	if (r < 0)
		return cmd_report(&ctx, r);
	if (r > 0) {
		_cleanup_free_ char **copy = xcalloc(words.len + 1, sizeof(*copy));

		memcpy(copy, words.v, words.len * sizeof(*copy));
		cmd = cmd_find(words.v[0]);
		if (cmd)
			return dispatch(cmd, global, (int)words.len, copy);
		try_external((int)words.len, copy);
		return unknown_command(global, words.v[0]);
	}
	try_external(argc, argv);
	return unknown_command(global, argv[0]);
}

static int wrong_call(const struct mlp_error *err)
{
	print_error(err);
	fputs("usage: mlp [-C DIR] [-c KEY=VALUE] [-q] COMMAND [ARG...]\n", stderr);
	return EXIT_USAGE;
}

static int check_global(const struct global_opts *global, struct mlp_error *err)
{
	_release_(settings_release) struct settings settings = SETTINGS_INIT;

	if (global->color && strcmp(global->color, "always") && strcmp(global->color, "never") &&
	    strcmp(global->color, "auto"))
		return mlp_error_set(err, MLP_EINVAL, "--color is always, never or auto, not '%s'",
				     global->color);
	return add_command_settings(&settings, &global->settings, err);
}

static int run_global(const struct global_opts *global, int argc, char **argv)
{
	char help[] = "help", version[] = "version";
	char *help_argv[] = { help, NULL }, *version_argv[] = { version, NULL };
	struct cmd_ctx ctx = { 0 };
	int r;

	if (global->dir && chdir(global->dir)) {
		mlp_error_errno(&ctx.err, errno, "cannot change to '%s'", global->dir);
		return cmd_report(&ctx, MLP_ESYSTEM);
	}
	if (global->version)
		return run_named(global, 1, version_argv);
	if (argc)
		return run_named(global, argc, argv);
	r = run_named(global, 1, help_argv);
	return r || global->help ? r : EXIT_USAGE;
}

/* Help and usage, too, are lost on a full disk. */
static int check_output(int r)
{
	struct cmd_ctx ctx = { 0 };

	if (!fflush(stdout) || errno == EPIPE || r)
		return r;
	mlp_error_errno(&ctx.err, errno, "cannot write to standard output");
	return cmd_report(&ctx, MLP_ESYSTEM);
}

static void go_on(int sig)
{
	(void)sig;
}

/* A file that would outgrow the user's limit is an error to report, not our end.  With a
 * handler, other than ignored, the signal is again what it was in what we execute. */
static void outlive_file_limit(void)
{
	struct sigaction was, action = { .sa_handler = go_on, .sa_flags = SA_RESTART };

	if (!sigaction(SIGXFSZ, NULL, &was) && was.sa_handler == SIG_DFL)
		sigaction(SIGXFSZ, &action, NULL);
}

int main(int argc, char **argv)
{
	struct global_opts global = { 0 };
	struct opt_set set = { mlp_global_options, &global };
	struct mlp_error err = MLP_ERROR_INIT;
	struct opt_args args = { argv, argc, -1, true };
	int r;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL); /* whoever started us may ignore it */
	outlive_file_limit();
	r = opt_parse(&set, 1, &args, &err);
	if (!r)
		r = check_global(&global, &err);
	r = r ? wrong_call(&err) : run_global(&global, args.argc, argv);
	opt_release(mlp_global_options, &global);
	return check_output(r);
}
