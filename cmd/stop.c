/* SPDX-License-Identifier: Apache-2.0 */
/* mlp stop: ends live runs by asking their supervisors. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/track/live.h"
#include "lib/util/clock.h"

/* How long a supervisor may take to end what was killed and to store what is left. */
enum { PATIENCE_MS = 60000 };
/* Two signals that come at once are one to who is slow: the second is repeated. */
enum { REPEAT_MS = 50 };

struct stop_opts {
	int64_t grace; /* -1: the run's own */
	bool force;
};

#define OPTS struct stop_opts
static const struct opt opts[] = {
	OPT_DURATION(0, "grace", "TIME", OPTS, grace, "kill after this time (default: the run's own)"),
	OPT_FLAG('f', "force", OPTS, force, "kill at once"),
	OPT_END
};
static const struct stop_opts defaults = { .grace = -1 };

struct target {
	struct run run;
	int supervisor; /* pidfd; -1: none to wait for */
};
struct targets {
	struct target *v;
	size_t len, cap;
};

static void targets_release(struct targets *list)
{
	for (size_t i = 0; i < list->len; i++) {
		run_release(&list->v[i].run);
		if (list->v[i].supervisor >= 0)
			close(list->v[i].supervisor);
	}
	vec_free(list);
}

static int send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* The supervisor as a descriptor: the pid that held the lock before and after it was
 * opened is the right process, whatever is given that pid later. */
static int open_supervisor(struct cmd_ctx *ctx, const struct run *run)
{
	pid_t pid = live_holder(&ctx->repo, run->uuid);
	int fd;

	for (int tries = 0; pid < 0 && tries < 100; tries++) {
		usleep(10000); /* it is just writing its pid */
		pid = live_holder(&ctx->repo, run->uuid);
	}
	if (pid <= 0)
		return mlp_error_set(&ctx->err, MLP_EFAIL, "run '%s' has no supervisor", run->name);
	if (!live_is_near(&ctx->repo, run->uuid))
		return mlp_error_set(&ctx->err, MLP_EFAIL,
				     "run '%s' runs in another container: stop it there", run->name);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return mlp_error_errno(&ctx->err, errno, "cannot find the supervisor of run '%s'",
				       run->name);
	if (live_holder(&ctx->repo, run->uuid) == pid)
		return fd;
	close(fd);
	return mlp_error_set(&ctx->err, MLP_EFAIL, "run '%s' has just ended", run->name);
}

static int ask(struct cmd_ctx *ctx, struct target *t)
{
	enum run_status status = live_status(&ctx->repo, &t->run);

	if (status == RUN_LOST) {
		mlp_error_set(&ctx->err, MLP_EFAIL, "run '%s' is lost: its supervisor died",
			      t->run.name);
		mlp_error_hint(&ctx->err, "'mlp train --reap' settles it and ends what it left");
		return MLP_EFAIL;
	}
	if (status != RUN_RUNNING)
		return mlp_error_set(&ctx->err, MLP_EFAIL, "run '%s' is not running: it is %s",
				     t->run.name, run_status_name(status));
	if (!t->run.heartbeat_ms)
		return mlp_error_set(&ctx->err, MLP_EFAIL, "run '%s' is not supervised by mlp",
				     t->run.name);
	if (t->run.host && strcmp(t->run.host, live_host()))
		return mlp_error_set(&ctx->err, MLP_EFAIL, "run '%s' runs on host '%s'", t->run.name,
				     t->run.host);
	t->supervisor = open_supervisor(ctx, &t->run);
	if (t->supervisor < 0)
		return t->supervisor;
	if (send_signal(t->supervisor, SIGTERM))
		return mlp_error_errno(&ctx->err, errno, "cannot stop run '%s'", t->run.name);
	return 0;
}

/* True when the supervisor ended in time. */
static bool wait_for(const struct target *t, int64_t until_ms)
{
	struct pollfd p = { t->supervisor, POLLIN, 0 };
	int64_t now;

	do {
		now = clock_mono_ms();
		if (poll(&p, 1, (int)MIN(MAX(until_ms - now, (int64_t)0), (int64_t)60000)) > 0)
			return true;
	} while (now < until_ms);
	return false;
}

/* A supervisor that is asked again kills. */
static bool end_firmly(const struct target *t, int64_t until_ms)
{
	int64_t now;

	do {
		send_signal(t->supervisor, SIGTERM);
		now = clock_mono_ms();
		if (wait_for(t, now + REPEAT_MS))
			return true;
	} while (now < until_ms);
	return false;
}

static int wait_all(struct cmd_ctx *ctx, const struct targets *list, int64_t grace)
{
	int64_t start = clock_mono_ms();
	int code = 0;

	for (size_t i = 0; i < list->len; i++) {
		const struct target *t = &list->v[i];
		bool ended = t->supervisor < 0;

		if (!ended)
			ended = wait_for(t, grace >= 0 ? start + grace : INT64_MAX);
		if (!ended)
			ended = end_firmly(t, start + grace + PATIENCE_MS);
		if (ended)
			continue;
		mlp_error_set(&ctx->err, MLP_EFAIL, "run '%s' does not end", t->run.name);
		code = cmd_report(ctx, MLP_EFAIL);
	}
	return code;
}

static int run(struct cmd_ctx *ctx, const void *data, int argc, char **argv)
{
	const struct stop_opts *o = data;
	_release_(targets_release) struct targets list = { 0 };
	int code = 0, waited;

	for (int i = 0; i < argc; i++) {
		struct target t = { RUN_INIT, -1 };
		int64_t id;
		int r = run_resolve(ctx->db, argv[i], &id, &ctx->err);

		if (!r)
			r = run_get(ctx->db, id, &t.run, &ctx->err);
		if (!r)
			r = ask(ctx, &t);
		if (r)
			code = cmd_report(ctx, r);
		vec_push(&list, t);
	}
	waited = wait_all(ctx, &list, o->force ? 0 : o->grace);
	return code ? code : waited;
}

const struct mlp_cmd cmd_stop = {
	.name = "stop",
	.group = "run",
	.summary = "end live runs, gently, then firmly",
	.usage = "[--grace TIME] [-f] RUN...",
	.opts = opts,
	.opts_size = sizeof(struct stop_opts),
	.defaults = &defaults,
	.needs = NEED_DB_READ,
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_RUN,
	.run = run,
};
