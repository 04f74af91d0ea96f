/* SPDX-License-Identifier: Apache-2.0 */
/* mlp help: the commands by groups, or the manual page of a topic. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
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

/* The page of a topic in a folder of pages, or below its man1, man3, man5, man7; packagers
 * compress them. */
static char *page_in(const char *dir, const char *page)
{
	static const char sections[] = "1357";

	for (const char *s = sections; *s; s++)
		for (int i = 0; i < 4; i++) {
			const char *end = i & 1 ? ".gz" : "";
			_cleanup_free_ char *path =
				i & 2 ? xasprintf("%s/man%c/%s.%c%s", dir, *s, page, *s, end) :
					xasprintf("%s/%s.%c%s", dir, page, *s, end);

			if (!access(path, R_OK))
				return steal_ptr(&path);
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
		/* That it knows no such page is for us to say. */
		if (!file)
			dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
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
	if (!strcmp(topic, "mlp") || !strncmp(topic, "mlp-", 4) || !strcmp(topic, "libmlp"))
		return xstrdup(topic);
	return xasprintf("mlp-%s", topic);
}

/* Pages that are no command's, shown without a terminal as they lie there. */
static int print_page(struct cmd_ctx *ctx, const char *topic, const char *page)
{
	_cleanup_free_ char *alias = xasprintf("alias.%s", topic);
	_cleanup_free_ char *file = find_page(page), *program = path_find_program(page);
	const char *words = settings_get_command(&ctx->repo.settings, alias);
	int r;

	if (words) {
		printf("'%s' is an alias of '%s'\n", topic, words);
		return 0;
	}
	r = run_man(page);
	if (!r || (r > 0 && file))
		return r ? EXIT_FAILED : 0;
	if (program && !strncmp(page, "mlp-", 4)) {
		printf("'%s' is the program '%s'\n", topic, program);
		return 0;
	}
	if (file)
		return mlp_error_set(&ctx->err, MLP_EFAIL, "cannot show '%s': there is no 'man' here",
				     file);
	mlp_error_set(&ctx->err, MLP_ENOTFOUND, "no help for '%s'", topic);
	mlp_error_hint(&ctx->err, "'mlp help' lists the commands");
	return MLP_ENOTFOUND;
}

/* verb: of a command that has some, described in its page; or NULL. */
static int help_topic(struct cmd_ctx *ctx, const char *topic, const char *verb)
{
	const struct mlp_cmd *cmd = cmd_find(topic);
	_cleanup_free_ char *page = page_name(topic);

	if (verb) {
		cmd = cmd ? cmd_find_verb(cmd, verb) : NULL;
		if (!cmd)
			return cmd_usage(ctx, "no verb '%s' of '%s'", verb, topic);
	}
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
		return help_topic(ctx, argv[0], argc > 1 ? argv[1] : NULL);
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
	.usage = "[--list] [TOPIC [VERB]]",
	.opts = opts_table,
	.opts_size = sizeof(struct help_opts),
	.max_args = 2,
	.complete = COMPLETE_COMMAND,
	.run = run,
};
