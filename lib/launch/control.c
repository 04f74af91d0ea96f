/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/launch/proctree.h"
#include "lib/util/clock.h"

/* How often SIGKILL is repeated, for processes made meanwhile; when one that does not
 * die (it hangs in the kernel) is given up. */
enum { KILL_AGAIN_MS = 50, KILL_LIMIT_MS = 10000, LEFTOVER_POLL_MS = 50 };

static bool is_ignored(int sig)
{
	struct sigaction now;

	return !sigaction(sig, NULL, &now) && now.sa_handler == SIG_IGN;
}

int control_signals(sigset_t *old, struct mlp_error *err)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	static const int others[] = { SIGCHLD, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	/* What nohup or a shell's "&" had ignored is not for us: blocked, it would come. */
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		if (!is_ignored(ending[i]))
			sigaddset(&set, ending[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		sigaddset(&set, others[i]);
	if (pthread_sigmask(SIG_BLOCK, &set, old))
		return mlp_error_set(err, MLP_ESYSTEM, "cannot block signals");
	/* Where it is ignored the kernel buries children, and there is no end to wait for. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN); /* output from the background goes through */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd : mlp_error_errno(err, errno, "cannot wait for signals");
}

void control_restore(int fd, const sigset_t *old)
{
	if (fd >= 0)
		close(fd);
	signal(SIGTTOU, SIG_DFL);
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

void control_init(struct control *c, pid_t pid, int64_t grace_ms, const struct mlp_events *events)
{
	*c = (struct control){ .pid = pid, .grace_ms = grace_ms, .events = events };
}

const char *control_cause_name(enum control_cause cause)
{
	static const char *const names[] = { NULL,     "interrupted", "stopped",
					     "hangup", "timeout",     "budget" };

	return names[cause];
}

/* To the command's group; when the command is gone, to whatever it left. */
static void pass_on(const struct control *c, int sig)
{
	if (c->exited || kill(-c->pid, sig))
		proctree_signal(getpid(), sig);
}

static void kill_all(struct control *c)
{
	if (c->phase != CONTROL_KILLING)
		c->kill_at_ms = clock_mono_ms();
	c->phase = CONTROL_KILLING;
	if (!c->exited)
		kill(-c->pid, SIGKILL);
	proctree_signal(getpid(), SIGKILL);
}

static void ask(struct control *c, enum control_cause cause, int sig, bool firmly)
{
	if (c->phase == CONTROL_RUNNING && c->cause == CAUSE_NONE && !c->leftovers)
		c->cause = cause;
	c->phase = CONTROL_ASKED;
	pass_on(c, sig);
	/* A stopped process cannot act on what it is told. */
	pass_on(c, SIGCONT);
	if (firmly)
		c->kill_at_ms = clock_mono_ms() + c->grace_ms;
}

/* Our own job control: the command, in another session, does not see the terminal's. */
static void suspend(const struct control *c)
{
	sigset_t stop;

	pass_on(c, SIGSTOP);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &stop, NULL); /* stops here */
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	pass_on(c, SIGCONT);
}

void control_signal(struct control *c, int sig)
{
	enum control_cause cause = sig == SIGTERM ? CAUSE_STOPPED :
				   sig == SIGHUP  ? CAUSE_HANGUP :
						    CAUSE_INTERRUPTED;

	switch (sig) {
	case SIGCHLD:
	case SIGWINCH:
		return;
	case SIGUSR1:
	case SIGUSR2:
	case SIGCONT:
		pass_on(c, sig);
		return;
	case SIGTSTP:
		suspend(c);
		return;
	default:
		break;
	}
	if (c->phase == CONTROL_RUNNING) {
		/* Who presses Ctrl-C may wait for a checkpoint, and press it again if not. */
		ask(c, cause, sig, sig != SIGINT);
		return;
	}
	if (c->cause == CAUSE_NONE)
		c->cause = cause;
	kill_all(c);
}

void control_stop(struct control *c, enum control_cause cause)
{
	if (c->phase == CONTROL_RUNNING && !c->exited)
		ask(c, cause, SIGTERM, true);
}

static void add_usage(struct rusage *sum, const struct rusage *u)
{
	timeradd(&sum->ru_utime, &u->ru_utime, &sum->ru_utime);
	timeradd(&sum->ru_stime, &u->ru_stime, &sum->ru_stime);
	sum->ru_maxrss = MAX(sum->ru_maxrss, u->ru_maxrss);
	sum->ru_inblock += u->ru_inblock;
	sum->ru_oublock += u->ru_oublock;
}

void control_reap(struct control *c)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		add_usage(&c->usage, &usage);
		if (pid != c->pid)
			continue;
		c->exited = true;
		c->wait_status = status;
		c->drain_at_ms = clock_mono_ms() + CONTROL_DRAIN_MS;
	}
	c->alone = pid < 0 && errno == ECHILD;
}

static void end_leftovers(struct control *c)
{
	size_t n;

	c->leftovers = true;
	n = proctree_signal(getpid(), SIGTERM);
	proctree_signal(getpid(), SIGCONT);
	if (n)
		mlp_note(c->events, "ending %zu process%s that outlived the command", n,
			 n == 1 ? "" : "es");
	if (c->phase != CONTROL_KILLING) {
		c->phase = CONTROL_ASKED;
		c->kill_at_ms = clock_mono_ms() + c->grace_ms;
	}
}

static int until(int64_t at_ms, int64_t now_ms, int most)
{
	int64_t left = at_ms > now_ms ? at_ms - now_ms : 0;

	return most >= 0 && left > most ? most : (int)MIN(left, (int64_t)3600000);
}

int control_tick(struct control *c, int64_t now_ms)
{
	if (c->phase == CONTROL_KILLING && !c->alone) {
		if (now_ms - c->kill_at_ms > KILL_LIMIT_MS) {
			mlp_warn(c->events, "a process of the run does not die");
			if (!c->exited)
				c->wait_status = SIGKILL;
			c->exited = c->alone = true;
			return 0;
		}
		kill_all(c);
		return KILL_AGAIN_MS;
	}
	if (c->exited && c->alone)
		return until(c->drain_at_ms, now_ms, -1);
	if (c->phase == CONTROL_ASKED && c->kill_at_ms && now_ms >= c->kill_at_ms) {
		kill_all(c);
		return KILL_AGAIN_MS;
	}
	if (!c->exited)
		return c->phase == CONTROL_ASKED && c->kill_at_ms ?
			       until(c->kill_at_ms, now_ms, -1) :
			       -1;
	if (!c->leftovers && now_ms >= c->drain_at_ms)
		end_leftovers(c);
	return until(c->leftovers ? c->kill_at_ms : c->drain_at_ms, now_ms, LEFTOVER_POLL_MS);
}

bool control_ended(const struct control *c)
{
	return c->exited && c->alone;
}
