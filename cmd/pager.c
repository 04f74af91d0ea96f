/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/util/path.h"

static pid_t pager_pid;

#define DEFAULT_PAGER "less"

static const char *pager_command(const char *configured)
{
	const char *names[] = { getenv("MLP_PAGER"), configured, getenv("PAGER"), DEFAULT_PAGER };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i])
			return names[i];
	return NULL;
}

/* Told before there is output that would be lost.  What only the shell can read is left to
 * it. */
static bool can_start(const char *command)
{
	_cleanup_free_ char *word = xmemdupz(command, strcspn(command, " \t"));
	_cleanup_free_ char *program = path_find_program(word);

	if (program || strpbrk(word, "=$`\"'\\;&|<>(){}~*?["))
		return true;
	if (strcmp(command, DEFAULT_PAGER))
		cmd_warn("there is no pager '%s'", word);
	return false;
}

/* The pager is the user's own command line, so it goes to the shell as git does. */
static void run_pager(const char *command, int in)
{
	setenv("LESS", "FRX", 0);
	setenv("LV", "-c", 0);
	dup2(in, STDIN_FILENO);
	execlp("sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

void pager_start(const char *configured)
{
	const char *command = pager_command(configured);
	int fds[2];

	if (!isatty(STDOUT_FILENO) || !*command || !strcmp(command, "cat") || pager_pid ||
	    !can_start(command))
		return;
	if (pipe(fds))
		return;
	pager_pid = fork();
	if (!pager_pid) {
		close(fds[1]);
		run_pager(command, fds[0]);
	}
	close(fds[0]);
	if (pager_pid > 0)
		dup2(fds[1], STDOUT_FILENO);
	close(fds[1]);
}

void pager_finish(void)
{
	if (pager_pid <= 0)
		return;
	fflush(stdout);
	close(STDOUT_FILENO);
	signal(SIGINT, SIG_IGN);
	while (waitpid(pager_pid, NULL, 0) < 0 && errno == EINTR)
		;
	pager_pid = 0;
}
