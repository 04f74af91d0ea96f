/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the command: in a session of its own (so that it can be signalled as a group
 * and never touches our terminal), with pipes or pseudo-terminals for its output.
 *
 * Where our output is a terminal the command gets a pseudo-terminal, stdout and stderr
 * one each, so that programs draw progress bars and flush lines as without us while the
 * two stay apart.  Its output processing and echo are off: what the command writes arrives
 * unchanged, and the real terminal, whose modes are never touched, does the rest.
 */
#ifndef LAUNCH_CHILD_H
#define LAUNCH_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/core/error.h"
#include "lib/launch/cgroup.h"

enum child_stdin {
	CHILD_STDIN_PASS, /* our descriptor 0 as it is (file, /dev/null, closed) */
	CHILD_STDIN_PUMP, /* a pipe, or the pseudo-terminal, that the relay feeds */
	CHILD_STDIN_NULL,
};

struct child_spec {
	char *const *argv;
	char *const *envp;
	enum child_stdin stdin_mode;
	bool stdin_terminal; /* our stdin is one: the pseudo-terminal is fed when there is one */
	bool stdout_terminal, stderr_terminal;
	int metrics_fd;	    /* for the command, as descriptor metrics_number */
	int metrics_number; /* from child_free_number() */
	bool nice;
	const sigset_t *mask; /* of the command */
	const struct cgroup *cgroup; /* may be none */
};

struct child {
	pid_t pid; /* also its process group and session */
	int in, out, err; /* our ends, close-on-exec; in is -1 when nothing is fed */
	bool in_is_terminal, out_is_terminal, err_is_terminal; /* pseudo-terminals */
};
#define CHILD_INIT { 0, -1, -1, -1, false, false, false }

/* MLP_ENOTFOUND or MLP_ESYSTEM with exec_errno set when the command cannot be executed;
 * exec_errno 0: the failure was ours. */
int child_start(struct child *child, const struct child_spec *spec, int *exec_errno,
		struct mlp_error *err);
/* The lowest descriptor from 3 on that the command would not inherit from whoever started
 * us.  Low, because POSIX shells know descriptors of one digit only. */
int child_free_number(void);
/* Closes our ends. */
void child_release(struct child *child);
/* Gives the pseudo-terminals the size of the terminal fd. */
void child_resize(const struct child *child, int fd);

#endif
