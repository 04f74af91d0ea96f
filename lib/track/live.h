/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is alive.  The supervisor of a run holds a lock (of its open file description, not
 * of the process) on .mlp/runs/<uuid>/lock, which contains its pid and, in a second line,
 * the number of the PID namespace that the pid is of; the kernel gives the lock up when
 * the supervisor dies, however it dies.
 */
#ifndef TRACK_LIVE_H
#define TRACK_LIVE_H

#include <sys/types.h>

#include "lib/core/repo.h"
#include "lib/track/run.h"

/* Takes the lock of a run and returns the descriptor that holds it (close-on-exec), or
 * negative; MLP_EBUSY when somebody else holds it. */
int live_hold(const struct repo *repo, const char *uuid, struct mlp_error *err);
/* The pid of the supervisor, -1 when it is alive but its pid not known yet, 0 when none
 * holds the lock. */
pid_t live_holder(const struct repo *repo, const char *uuid);
/* Does that pid name the supervisor here?  In another PID namespace than its own, as
 * between containers, it is somebody else's. */
bool live_is_near(const struct repo *repo, const char *uuid);
/* Takes the lock's file away, as is done, with all of the folder or alone, once the end is
 * stored and before the lock is given up. */
void live_forget(const struct repo *repo, const char *uuid);
/* The state to show: RUN_LOST for a supervised run stored as running whose lock nobody
 * holds, or, where no lock can be seen, whose heartbeat is over 2 minutes old: a run of
 * another host, or one that ended since its row was read. */
enum run_status live_status(const struct repo *repo, const struct run *run);
/* When a file of the run's folder on this host was last written to, in ms since 1970; 0 when
 * there is none.  A supervisor touches the lock each second. */
int64_t live_touched(const struct repo *repo, const char *uuid);
/* When a run that is RUN_LOST was last heard of. */
int64_t live_last_seen(const struct repo *repo, const struct run *run);
/* .mlp/runs/<uuid>, or a file in it; caller frees. */
char *live_path(const struct repo *repo, const char *uuid, const char *file);
/* This machine's name as recorded in runs; borrowed, never NULL. */
const char *live_host(void);

#endif
