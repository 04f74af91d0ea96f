/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt: the main thread, which moves bytes and minds processes. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cost/owner.h"
#include "lib/launch/endpoint.h"
#include "lib/launch/environ.h"
#include "lib/launch/inlet.h"
#include "lib/launch/recorder.h"
#include "lib/launch/relay.h"
#include "lib/launch/session.h"
#include "lib/store/object.h"
#include "lib/track/attempt.h"
#include "lib/track/live.h"
#include "lib/util/clock.h"
#include "lib/util/xalloc.h"

enum { FOREGROUND_POLL_MS = 500 };

struct attempt_state {
	struct session *s;
	int64_t id;
	int number;
	int64_t started_ms;
	struct child child;
	struct control control;
	struct inlet inlet;
	int metrics_fd; /* the command's, until it runs */
	struct runlog_writer *log;
	char *log_path, *metrics_path;
	struct telemetry telemetry;
	struct recorder *recorder;
	struct endpoint *endpoint;
	struct cgroup cgroup;
};

static void attempt_release(struct attempt_state *a)
{
	endpoint_close(a->endpoint);
	child_release(&a->child);
	cgroup_release(&a->cgroup);
	inlet_release(&a->inlet);
	if (a->metrics_fd >= 0)
		close(a->metrics_fd);
	runlog_writer_close(a->log);
	free(a->log_path);
	free(a->metrics_path);
	telemetry_release(&a->telemetry);
}

static int attempt_prepare(struct attempt_state *a, struct mlp_error *err)
{
	struct session *s = a->s;
	char boot[64];
	struct attempt_new n = { live_host(), boot, getpid(), clock_ms() };
	int r;

	boot_id_read(boot);
	a->started_ms = n.started_ms;
	r = attempt_start(s->db, s->out->run, &n, &a->id, &a->number, err);
	if (r)
		return r;
	s->out->attempts = a->number;
	a->metrics_path = rundir_metrics(&s->dir, a->number);
	a->log_path = rundir_log(&s->dir, a->number);
	cgroup_make(&a->cgroup, s->out->uuid, a->number, s->dir.cgroup);
	r = runlog_create(&a->log, a->log_path, n.started_ms * 1000, err);
	a->inlet.log = a->log;
	if (!r)
		r = inlet_create(&a->inlet, a->metrics_path, &a->metrics_fd, err);
	return r ? r : inlet_open_fifo(&a->inlet, s->dir.fifo, err);
}

static int attempt_exec(struct attempt_state *a, int *exec_errno, struct mlp_error *err)
{
	struct session *s = a->s;
	_release_(key_values_release) struct key_values ours = { 0 };
	_release_(strvec_release) struct strvec envp = STRVEC_INIT;
	int number = child_free_number();
	struct environ_run run = { s->out->uuid, s->repo->dir, s->dir.fifo, s->dir.params,
				   number,	 a->number,    s->gpus.visible };
	struct child_spec spec = {
		.argv = s->job->argv.v,
		.stdin_mode = s->job->detached ? CHILD_STDIN_NULL : input_mode(&s->input),
		.stdin_terminal = s->input.kind == INPUT_TERMINAL,
		.stdout_terminal = !s->job->detached && isatty(STDOUT_FILENO),
		.stderr_terminal = !s->job->detached && isatty(STDERR_FILENO),
		.metrics_fd = a->metrics_fd,
		.metrics_number = number,
		.nice = s->job->nice,
		.mask = &s->mask,
		.cgroup = &a->cgroup,
	};

	endpoint_environ(a->endpoint, s->job, &ours);
	environ_of_job(s->job, &run, &ours);
	environ_merge(&ours, &envp);
	spec.envp = envp.v;
	return child_start(&a->child, &spec, exec_errno, err);
}

static int attempt_begin(struct attempt_state *a, int *exec_errno, struct mlp_error *err)
{
	struct session *s = a->s;
	struct recorder_spec spec = { .repo = s->repo, .db = s->db, .job = s->job,
				      .events = s->events, .run = s->out->run,
				      .uuid = s->out->uuid, .cwd = s->cwd, .user = s->user,
				      .inlet = &a->inlet, .telemetry = &a->telemetry,
				      .gpus = &s->gpus, .stop_fd = s->stop,
				      .lock_fd = s->live };
	int r = attempt_prepare(a, err);

	*exec_errno = 0;
	if (r)
		return r;
	a->endpoint = endpoint_open(s->repo, s->job, s->out->uuid, s->events);
	r = attempt_exec(a, exec_errno, err);
	if (r)
		return r;
	close(a->metrics_fd);
	a->metrics_fd = -1;
	control_init(&a->control, a->child.pid, s->job->grace_ms, s->events);
	telemetry_init(&a->telemetry, a->child.pid, &s->gpus, clock_ms());
	attempt_child(s->db, a->id, a->child.pid, NULL);
	spec.attempt = a->id;
	spec.number = a->number;
	spec.started_ms = a->started_ms;
	spec.metrics_path = a->metrics_path;
	spec.capture = a->number == 1;
	r = recorder_start(&a->recorder, &spec, err);
	/* Nothing may fail after this: the recorder uses what attempt_release() frees. */
	if (!r)
		endpoint_start(a->endpoint);
	return r;
}

static int64_t cpu_ms(const struct rusage *u)
{
	return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * INT64_C(1000) +
	       (u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1000;
}

static void handle_signals(struct attempt_state *a)
{
	struct signalfd_siginfo info;

	while (read(a->s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			child_resize(&a->child, STDOUT_FILENO);
		control_signal(&a->control, (int)info.ssi_signo);
	}
	control_reap(&a->control);
	atomic_store(&a->telemetry.reaped_cpu_ms, cpu_ms(&a->control.usage));
}

/* Milliseconds to wait, after doing what is due. */
static int due(struct attempt_state *a)
{
	const struct session *s = a->s;
	int64_t now = clock_mono_ms();
	int wait;

	if (s->deadline_ms && now >= s->deadline_ms)
		control_stop(&a->control, CAUSE_TIMEOUT);
	wait = control_tick(&a->control, now);
	if (s->deadline_ms > now && (wait < 0 || wait > s->deadline_ms - now))
		wait = (int)MIN(s->deadline_ms - now, (int64_t)3600000);
	if (s->input.kind == INPUT_TERMINAL && s->input.from >= 0 &&
	    (wait < 0 || wait > FOREGROUND_POLL_MS))
		wait = FOREGROUND_POLL_MS;
	return wait;
}

enum { POLL_SIGNALS, POLL_STOP, POLL_STREAMS, POLL_INPUT = POLL_STREAMS + RELAY_STREAMS, POLLS };

static void turn(struct attempt_state *a)
{
	struct relay *relay = &a->s->relay;
	struct pollfd fds[POLLS] = { [POLL_SIGNALS] = { a->s->signals, POLLIN, 0 },
				     [POLL_STOP] = { a->s->stop, POLLIN, 0 } };
	eventfd_t asked;
	int wait = due(a);

	relay_poll(relay, fds + POLL_STREAMS);
	fds[POLL_INPUT] = input_poll(&a->s->input);
	if (poll(fds, POLLS, wait) < 0)
		return;
	relay_handle(relay, fds + POLL_STREAMS);
	input_handle(&a->s->input, fds[POLL_INPUT].revents);
	if (fds[POLL_STOP].revents && !eventfd_read(a->s->stop, &asked))
		control_stop(&a->control, CAUSE_BUDGET);
	if (fds[POLL_SIGNALS].revents)
		handle_signals(a);
	if (a->control.phase == CONTROL_KILLING)
		relay_give_up(relay);
}

/* Until the command and all it started are gone and what they wrote was taken in.  A
 * descriptor that went to a process outside of the run is waited for only so long. */
static void attempt_loop(struct attempt_state *a)
{
	struct relay *relay = &a->s->relay;

	relay_release(relay);
	relay_init(relay, &a->child, a->log, !a->s->job->detached, a->s->events);
	if (!a->s->job->detached)
		input_attach(&a->s->input, &a->child);
	/* The command may have ended before its SIGCHLD could be waited for. */
	control_reap(&a->control);
	while (!control_ended(&a->control))
		turn(a);
	relay_take_in(relay);
	while (relay_reads(relay) && clock_mono_ms() < a->control.drain_at_ms) {
		turn(a);
		relay_take_in(relay);
	}
	a->s->out->log_lost += relay->lost;
	input_detach(&a->s->input);
	relay_detach(relay);
}

static void read_outcome(struct attempt_state *a)
{
	struct job_result *out = a->s->out;
	const struct control *c = &a->control;
	int status = c->wait_status;

	out->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	out->exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	out->reason = control_cause_name(c->cause);
	out->outcome = c->cause == CAUSE_NONE ? JOB_ENDED :
		       c->cause == CAUSE_TIMEOUT || c->cause == CAUSE_BUDGET ? JOB_LIMIT :
									       JOB_STOPPED;
	out->status = c->cause != CAUSE_NONE ? RUN_KILLED :
		      out->exit_code == 0    ? RUN_FINISHED :
					       RUN_FAILED;
	out->cpu_ms += cpu_ms(&c->usage);
}

/* Stores the log as an object; on failure its file stays where it is.  Of a command that
 * wrote nothing there is none. */
static void store_log(struct attempt_state *a, struct object_id *id)
{
	struct mlp_error err = MLP_ERROR_INIT;

	if (!runlog_bytes(a->log) || !object_put_file(a->s->repo, a->log_path, id, &err))
		return;
	mlp_warn(a->s->events, "the log stays in '%s': %s", a->log_path, err.text);
	a->s->keep_dir = true;
	id->hex[0] = '\0';
}

static int attempt_record_end(struct attempt_state *a, struct mlp_error *err)
{
	const struct job_result *out = a->s->out;
	const struct rusage *u = &a->control.usage;
	struct object_id log = { .hex = "" };
	struct attempt_end end = ATTEMPT_END_INIT;

	store_log(a, &log);
	end.ended_ms = out->ended_ms;
	end.exit_code = out->exit_code;
	end.exit_signal = out->exit_signal;
	end.reason = out->reason;
	end.log = log.hex[0] ? log.hex : NULL;
	end.log_bytes = runlog_bytes(a->log);
	end.bad_lines = inlet_bad_lines(&a->inlet);
	end.ignored_values = inlet_ignored_values(&a->inlet);
	if (a->child.pid) {
		end.user_ms = u->ru_utime.tv_sec * INT64_C(1000) + u->ru_utime.tv_usec / 1000;
		end.system_ms = u->ru_stime.tv_sec * INT64_C(1000) + u->ru_stime.tv_usec / 1000;
		end.max_rss_kib = MAX((int64_t)u->ru_maxrss, a->telemetry.peak_rss_bytes / 1024);
		end.read_bytes = MAX(u->ru_inblock * INT64_C(512), a->telemetry.read_bytes);
		end.write_bytes = MAX(u->ru_oublock * INT64_C(512), a->telemetry.write_bytes);
	}
	return attempt_end(a->s->db, a->id, &end, err);
}

static int attempt_finish(struct attempt_state *a, struct mlp_error *err)
{
	int r = 0;

	a->s->out->ended_ms = clock_ms();
	endpoint_close(steal_ptr(&a->endpoint));
	if (a->recorder)
		r = recorder_finish(a->recorder, cpu_ms(&a->control.usage), err);
	if (r) {
		mlp_warn(a->s->events, "metrics are not stored before 'mlp train --reap': %s",
			 err->text);
		a->s->keep_dir = true;
	}
	a->s->out->bad_lines += inlet_bad_lines(&a->inlet);
	a->s->out->ignored_values += inlet_ignored_values(&a->inlet);
	return attempt_record_end(a, err);
}

/* Of an attempt that mlp could not start or watch; why says what was missing. */
static void record_failure(struct attempt_state *a, const struct mlp_error *why)
{
	struct job_result *out = a->s->out;
	struct attempt_end end = ATTEMPT_END_INIT;

	out->outcome = JOB_NOT_STARTED;
	out->status = RUN_FAILED;
	out->exit_code = -1;
	out->exit_signal = 0;
	out->reason = why->text;
	out->ended_ms = end.ended_ms = clock_ms();
	end.reason = why->text;
	if (!a->id)
		return;
	if (!a->child.pid) {
		attempt_end(a->s->db, a->id, &end, NULL);
		return;
	}
	a->s->keep_dir = true; /* nobody read its metrics */
	attempt_finish(a, &(struct mlp_error){ 0 });
}

int supervise(struct session *s, struct mlp_error *err)
{
	_release_(attempt_release) struct attempt_state a = { .s = s, .child = CHILD_INIT,
							     .inlet = INLET_INIT,
							     .metrics_fd = -1,
							     .cgroup = CGROUP_INIT };
	int exec_errno, r = attempt_begin(&a, &exec_errno, err);

	if (r && exec_errno) {
		s->out->outcome = JOB_NOT_STARTED;
		s->out->status = RUN_FAILED;
		s->out->exit_code = exec_errno == ENOENT ? 127 : 126;
		s->out->reason = exec_errno == ENOENT ? "command not found" : "not executable";
		r = attempt_finish(&a, &(struct mlp_error){ 0 });
		return r;
	}
	if (r && a.child.pid) {
		/* Unwatched it may not go on. */
		control_signal(&a.control, SIGTERM);
		control_signal(&a.control, SIGTERM);
	}
	if (r && !a.child.pid) {
		record_failure(&a, err);
		return r;
	}
	if (!r && s->hooks.started)
		s->hooks.started(s->hooks.data, s->out->uuid);
	attempt_loop(&a);
	read_outcome(&a);
	if (r) {
		record_failure(&a, err);
		return r;
	}
	return attempt_finish(&a, err);
}
