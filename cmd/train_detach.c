/* SPDX-License-Identifier: Apache-2.0 */
/* mlp train --detach: the supervisor goes to the background. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/train.h"
#include "lib/util/file.h"

struct daemon {
	int report; /* a pipe to the process that waits for the id */
};

/* The command runs: from here on errors have only the store to go to. */
static void started(void *data, const char *uuid)
{
	struct daemon *daemon = data;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	file_write_all(daemon->report, uuid, strlen(uuid));
	close(daemon->report);
	daemon->report = -1;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

static int run_daemon(struct cmd_ctx *ctx, const struct job *job, train_fn *run, int report)
{
	struct daemon daemon = { report };
	struct job_hooks hooks = { started, &daemon };

	setsid();
	ctx->quiet = true;
	return run(ctx, job, &hooks);
}

static void print_id(struct printer *p, const char *id)
{
	static const struct column columns[] = { { "id", "RUN" } };

	if (p->mode == PRINT_TEXT) {
		puts(id);
		return;
	}
	print_begin(p, columns, ARRAY_SIZE(columns));
	print_string(p, id);
	print_end_row(p);
	print_end(p);
}

int train_detach(struct cmd_ctx *ctx, const struct job *job, train_fn *run)
{
	_release_(strbuf_release) struct strbuf id = STRBUF_INIT;
	int report[2], status;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		return mlp_error_errno(&ctx->err, errno, "cannot make a pipe");
	pid = fork();
	if (pid < 0)
		return mlp_error_errno(&ctx->err, errno, "cannot go to the background");
	if (!pid) {
		close(report[0]);
		return run_daemon(ctx, job, run, report[1]);
	}
	close(report[1]);
	file_read_fd(report[0], RUN_KEY_MAX, &id);
	close(report[0]);
	if (id.len) {
		print_id(&ctx->out, id.buf);
		return 0;
	}
	/* It ended before the command ran, and has said why. */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}
