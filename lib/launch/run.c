/* SPDX-License-Identifier: Apache-2.0 */
/* job_run(): a job from its checks to its end, with its attempts. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/launch/files.h"
#include "lib/launch/meter.h"
#include "lib/launch/session.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

/* Between attempts: doubled each time up to the limit. */
enum { RETRY_WAIT_MS = 500, RETRY_WAIT_MAX_MS = 60000 };

static void session_release(struct session *s)
{
	relay_release(&s->relay);
	if (s->signals >= 0)
		control_restore(s->signals, &s->mask);
	if (s->stop >= 0)
		close(s->stop);
	if (s->live >= 0)
		close(s->live);
	input_release(&s->input);
	gpus_release(&s->gpus);
	free(s->user);
	rundir_release(&s->dir);
	free(s->cwd);
}

/* A word that names no program makes no run. */
static int check_program(const struct job *job, struct job_result *out, struct mlp_error *err)
{
	const char *name = job->argv.v[0];
	_cleanup_free_ char *program = path_find_program(name);
	bool there = strchr(name, '/') && !access(name, F_OK);

	if (program)
		return 0;
	out->outcome = JOB_NOT_STARTED;
	out->exit_code = there ? 126 : 127;
	if (there)
		return mlp_error_set(err, MLP_EFAIL, "cannot run '%s': not an executable file", name);
	return mlp_error_set(err, MLP_ENOTFOUND, "cannot run '%s': no such command", name);
}

/* A signal that came and asks for the end, or 0. */
static int asked_to_end(const struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	switch (info.ssi_signo) {
	case SIGINT:
	case SIGTERM:
	case SIGHUP:
	case SIGQUIT:
		return (int)info.ssi_signo;
	}
	return 0;
}

static void stop_for(struct session *s, int sig)
{
	s->out->outcome = JOB_STOPPED;
	s->out->status = RUN_KILLED;
	s->out->reason = sig == SIGTERM ? "stopped" : "interrupted";
}

/* True when a signal ended the wait. */
static bool interrupted(struct session *s, int64_t wait_ms)
{
	struct pollfd p = { s->signals, POLLIN, 0 };
	int64_t end = clock_mono_ms() + wait_ms, left = wait_ms;
	int sig;

	for (; left > 0; left = end - clock_mono_ms())
		if (poll(&p, 1, (int)left) > 0 && (sig = asked_to_end(s))) {
			stop_for(s, sig);
			return true;
		}
	return false;
}

/* What the command wrote last, to who reads us: however slowly, unless the command was made
 * to end.  0, or the signal that ended it. */
static int pass_on(struct session *s)
{
	int wait = s->out->outcome == JOB_ENDED ? -1 : CONTROL_DRAIN_MS;
	struct pollfd fds[RELAY_STREAMS + 1];
	int sig = 0;

	while (!sig && relay_pending(&s->relay)) {
		relay_poll(&s->relay, fds);
		fds[RELAY_STREAMS] = (struct pollfd){ s->signals, POLLIN, 0 };
		if (!poll(fds, ARRAY_SIZE(fds), wait))
			relay_give_up(&s->relay);
		relay_handle(&s->relay, fds);
		if (fds[RELAY_STREAMS].revents)
			sig = asked_to_end(s);
	}
	return sig;
}

static bool worth_retrying(const struct session *s)
{
	return s->out->outcome == JOB_ENDED && s->out->status == RUN_FAILED &&
	       s->out->attempts <= s->job->retries;
}

static int run_attempts(struct session *s, struct mlp_error *err)
{
	int64_t wait = RETRY_WAIT_MS;
	int r, sig;

	for (;;) {
		r = supervise(s, err);
		if (r || !worth_retrying(s))
			return r;
		sig = pass_on(s);
		if (sig) {
			stop_for(s, sig);
			return 0;
		}
		if (s->out->exit_signal)
			mlp_note(s->events, "attempt %d ended by signal %d, trying again",
				 s->out->attempts, s->out->exit_signal);
		else
			mlp_note(s->events, "attempt %d ended with code %d, trying again",
				 s->out->attempts, s->out->exit_code);
		if (s->deadline_ms && clock_mono_ms() + wait >= s->deadline_ms)
			return 0;
		if (interrupted(s, wait))
			return 0;
		wait = MIN(wait * 2, (int64_t)RETRY_WAIT_MAX_MS);
		if (s->input.kind == INPUT_FILE)
			lseek(STDIN_FILENO, s->input.start, SEEK_SET);
	}
}

/* A limit on the cost needs to know the price of what may be used. */
static int check_prices(struct session *s, struct mlp_error *err)
{
	if (!s->job->max_cost.known)
		return 0;
	if (!s->gpus.told && nvml_open(&s->gpus.nvml, NULL))
		s->gpus.nvml = NULL;
	return meter_check_prices(s->db, s->repo, s->job, &s->gpus, err);
}

static int session_prepare(struct session *s, struct mlp_error *err)
{
	s->cwd = getcwd(NULL, 0);
	if (!s->cwd)
		return mlp_error_errno(err, errno, "cannot read the current folder");
	if (s->job->gpus) {
		int r = gpus_take(&s->gpus, s->job->gpus, err);

		if (r)
			return r;
	}
	s->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->stop < 0)
		return mlp_error_errno(err, errno, "cannot make an event");
	input_init(&s->input);
	if (s->job->detached)
		s->input.kind = INPUT_NULL;
	return 0;
}

int job_run(const struct job_host *host, const struct job *job, struct job_result *out,
	    struct mlp_error *err)
{
	_release_(session_release) struct session s = { .repo = host->repo, .db = host->db,
							.job = job, .events = host->events,
							.hooks = host->hooks, .out = out,
							.live = -1, .signals = -1, .stop = -1 };
	int r;

	*out = (struct job_result){ .exit_code = -1 };
	r = check_program(job, out, err);
	if (!r)
		r = inputs_check(job, err);
	if (!r)
		r = session_prepare(&s, err);
	if (!r)
		r = check_prices(&s, err);
	if (!r)
		r = session_begin(&s, err);
	if (r)
		return r;
	if (job->timeout_ms)
		s.deadline_ms = clock_mono_ms() + job->timeout_ms;
	r = run_attempts(&s, err);
	if (r) {
		/* Else, or when this fails, the store does not answer: the run stays open for
		 * mlp train --reap. */
		if (out->outcome == JOB_NOT_STARTED)
			session_end(&s, &(struct mlp_error){ 0 });
		return r;
	}
	r = session_end(&s, out->outcome == JOB_NOT_STARTED ? NULL : err);
	pass_on(&s);
	return r;
}
