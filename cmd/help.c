/* SPDX-License-Identifier: Apache-2.0 */
/* mlp help: the commands by groups, or the manual page of a topic. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/util/path.h"

struct help_opts {
	bool list;
};

static const struct opt opts_table[] = {
	OPT_FLAG('l', "list", struct help_opts, list, "only the names of the commands"),
	OPT_END
};

static const struct {
	const char *name, *title;
} groups[] = {
	{ "start", "start a project" },
	{ "run", "run and record" },
	{ "look", "look at runs" },
	{ "change", "change what is recorded" },
	{ "serve", "serve others" },
	{ "cost", "know the cost" },
	{ "help", "help and upkeep" },
};

static void list_names(void)
{
	for (const struct mlp_cmd *const *c = mlp_commands; *c; c++)
		if (!((*c)->needs & IS_HIDDEN))
			puts((*c)->name);
}

static void list_group(const struct printer *p, const char *name, const char *title)
{
	bool any = false;

	for (const struct mlp_cmd *const *c = mlp_commands; *c; c++) {
		if ((*c)->needs & IS_HIDDEN || strcmp((*c)->group, name))
			continue;
		if (!any)
			printf("\n%s%s%s\n", print_escape(p, COLOR_BOLD), title,
			       print_escape(p, COLOR_NONE));
		any = true;
		printf("    %-12s%s\n", (*c)->name, (*c)->summary);
	}
}

static void list_commands(const struct printer *p)
{
	puts("usage: mlp [-C DIR] [-c KEY=VALUE] [-q] COMMAND [ARG...]");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		list_group(p, groups[i].name, groups[i].title);
	puts("\n'mlp help COMMAND' opens a manual page, 'mlp COMMAND -h' is short.\n"
	     "'mlp train -- COMMAND' records a first run.");
}

/* The page of a topic in a folder of pages, or below its man1, man5, man7. */
static char *page_in(const char *dir, const char *page)
{
	static const char sections[] = "157";

	for (const char *s = sections; *s; s++) {
		_cleanup_free_ char *flat = xasprintf("%s/%s.%c", dir, page, *s);
		_cleanup_free_ char *deep = xasprintf("%s/man%c/%s.%c", dir, *s, page, *s);

		if (!access(flat, R_OK))
			return steal_ptr(&flat);
		if (!access(deep, R_OK))
			return steal_ptr(&deep);
	}
	return NULL;
}

static char *find_page(const char *page)
{
	_release_(strvec_release) struct strvec dirs = STRVEC_INIT;
	const char *env = getenv("MLP_MANPATH");

	if (env && *env)
		strvec_split(&dirs, env, ':');
	strvec_push(&dirs, DATADIR "/../man");
	for (size_t i = 0; i < dirs.len; i++) {
		char *path = page_in(dirs.v[i], page);

		if (path)
			return path;
	}
	return NULL;
}

/* Exit code of "man page", or -1 when there is no man. */
static int run_man(const char *page)
{
	_cleanup_free_ char *program = path_find_program("man");
	_cleanup_free_ char *file = find_page(page);
	int status, r;
	pid_t pid;

	if (!program)
		return -1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		execl(program, "man", file ? file : page, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		return -1;
	while ((r = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	return r > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *page_name(const char *topic)
{
	if (!strcmp(topic, "mlp") || !strncmp(topic, "mlp-", 4))
		return xstrdup(topic);
	return xasprintf("mlp-%s", topic);
}

/* Pages that are no command's, shown without a terminal as they lie there. */
static int print_page(struct cmd_ctx *ctx, const char *topic, const char *page)
{
	_cleanup_free_ char *alias = xasprintf("alias.%s", topic);
	_cleanup_free_ char *file = find_page(page);
	const char *words = settings_get_command(&ctx->repo.settings, alias);
	int r;

	if (words) {
		printf("'%s' is an alias of '%s'\n", topic, words);
		return 0;
	}
	r = file ? run_man(page) : -1;
	if (r >= 0)
		return r ? EXIT_FAILED : 0;
	if (file)
		return mlp_error_set(&ctx->err, MLP_EFAIL, "cannot show '%s': there is no 'man' here",
				     file);
	mlp_error_set(&ctx->err, MLP_ENOTFOUND, "no help for '%s'", topic);
	mlp_error_hint(&ctx->err, "'mlp help' lists the commands");
	return MLP_ENOTFOUND;
}

static int help_topic(struct cmd_ctx *ctx, const char *topic)
{
	const struct mlp_cmd *cmd = cmd_find(topic);
	_cleanup_free_ char *page = page_name(topic);

	if (isatty(STDOUT_FILENO) && !run_man(page))
		return 0;
	if (!strcmp(topic, "mlp"))
		list_commands(&ctx->out);
	else if (cmd)
		cmd_print_help(cmd, stdout);
	else
		return print_page(ctx, topic, page);
	return 0;
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	const struct help_opts *o = opts;

	if (argc)
		return help_topic(ctx, argv[0]);
	if (o && o->list)
		list_names();
	else
		list_commands(&ctx->out);
	return 0;
}

const struct mlp_cmd cmd_help = {
	.name = "help",
	.group = "help",
	.summary = "list the commands, or open a manual page",
	.usage = "[--list] [TOPIC]",
	.opts = opts_table,
	.opts_size = sizeof(struct help_opts),
	.max_args = 1,
	.complete = COMPLETE_COMMAND,
	.run = run,
};
