/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one attempt's processes: signals passed on, limits, the end.  We are the
 * reaper of all the command starts (PR_SET_CHILD_SUBREAPER), so that nothing it leaves
 * behind is missed, daemons included.  The control group (cgroup.h), which not every user
 * may make, is for --reap only.
 */
#ifndef LAUNCH_CONTROL_H
#define LAUNCH_CONTROL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lib/core/error.h"
#include "lib/core/event.h"

enum { CONTROL_DRAIN_MS = 1000 };

enum control_phase {
	CONTROL_RUNNING,
	CONTROL_ASKED,	 /* was told to end */
	CONTROL_KILLING, /* SIGKILL until nothing is left */
};

enum control_cause {
	CAUSE_NONE,
	CAUSE_INTERRUPTED, /* SIGINT or SIGQUIT to us */
	CAUSE_STOPPED,	   /* SIGTERM */
	CAUSE_HANGUP,
	CAUSE_TIMEOUT,
	CAUSE_BUDGET,
};

struct control {
	pid_t pid; /* the command; its group and session */
	int64_t grace_ms;
	const struct mlp_events *events;

	enum control_phase phase;
	enum control_cause cause;
	int64_t kill_at_ms;  /* of the monotonic clock; 0: not set */
	int64_t drain_at_ms; /* when what outlived the command is told to end */
	bool leftovers;	     /* and it was */
	bool exited;
	int wait_status;
	bool alone; /* no process is left */
	struct rusage usage; /* of everything that ended */
};

/* Blocks the signals we handle and makes us the reaper; *old is for the command and for
 * control_restore().  Returns a signalfd or negative. */
int control_signals(sigset_t *old, struct mlp_error *err);
void control_restore(int fd, const sigset_t *old);

void control_init(struct control *c, pid_t pid, int64_t grace_ms, const struct mlp_events *events);
/* A signal for mlp itself. */
void control_signal(struct control *c, int sig);
/* Tells the command to end for a reason of ours, firmly after the grace. */
void control_stop(struct control *c, enum control_cause cause);
/* Collects what ended. */
void control_reap(struct control *c);
/* Does what is due at now; returns the milliseconds to the next thing, -1 for none. */
int control_tick(struct control *c, int64_t now_ms);
/* The command and all it started are gone. */
bool control_ended(const struct control *c);
const char *control_cause_name(enum control_cause cause); /* "interrupted"; NULL for none */

#endif
