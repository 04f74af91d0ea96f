/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/reap.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/cost/ledger.h"
#include "lib/cost/owner.h"
#include "lib/launch/cgroup.h"
#include "lib/launch/inlet.h"
#include "lib/launch/proctree.h"
#include "lib/launch/rundir.h"
#include "lib/store/object.h"
#include "lib/track/attempt.h"
#include "lib/track/live.h"
#include "lib/track/metric.h"
#include "lib/track/runlog.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

enum {
	LOOK_AGAIN_MS = 20,
	KILL_LIMIT_MS = 5000,
	START_SLACK_MS = 10000, /* between an attempt's start and its process's */
	INHERITED_MS = 2000,	/* a child of the dead supervisor on its way to exec() */
	FOLDER_SETTLED_S = 5,	/* from a new folder to the lock in it */
};

struct lost {
	const struct repo *repo;
	struct db *db;
	int64_t grace_ms;
	struct run run;
	int64_t seen_ms; /* the last that is known of its supervisor */
	struct attempts attempts;
	struct rundir dir;
	struct reaped report;
};

static void lost_release(struct lost *l)
{
	run_release(&l->run);
	attempts_release(&l->attempts);
	rundir_release(&l->dir);
}

static bool same_boot(const char *id)
{
	char now[64];

	boot_id_read(now);
	return *now && !strcmp(now, id);
}

/* When a process started, in milliseconds since 1970. */
static int64_t start_ms(uint64_t ticks)
{
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	return clock_ms() - (boot.tv_sec * INT64_C(1000) + boot.tv_nsec / 1000000) +
	       (int64_t)(ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void add_once(struct proc_ids *ids, struct proc_id id)
{
	for (size_t i = 0; i < ids->len; i++)
		if (ids->v[i].pid == id.pid)
			return;
	vec_push(ids, id);
}

static void add_group(const struct lost *l, struct proc_ids *out)
{
	struct cgroup_pids pids = { 0 };
	struct proc_stat st;

	cgroup_list(l->dir.cgroup, &pids);
	for (size_t i = 0; i < pids.len; i++)
		if (proc_stat_read(pids.v[i], &st))
			add_once(out, (struct proc_id){ pids.v[i], st.start });
	vec_free(&pids);
}

/* What the run left: processes of its control group, where it had one; those with its id in
 * their environment; the attempt's own process,
 * where its pid was not given to another since; and all below these. */
static void find_left(const struct lost *l, struct proc_ids *out)
{
	_cleanup_free_ char *variable = xasprintf("MLP_RUN_ID=%s", l->run.uuid);

	proc_find_by_variable(variable, out);
	add_group(l, out);
	for (size_t i = 0; i < l->attempts.len; i++) {
		const struct attempt *a = &l->attempts.v[i];
		struct proc_stat st;

		if (a->ended_ms || !a->child_pid || !same_boot(a->boot_id) ||
		    !proc_stat_read((pid_t)a->child_pid, &st) ||
		    llabs(start_ms(st.start) - a->started_ms) > START_SLACK_MS)
			continue;
		add_once(out, (struct proc_id){ (pid_t)a->child_pid, st.start });
	}
	for (size_t i = 0; i < out->len; i++) {
		struct pids below = { 0 };
		struct proc_stat st;

		proctree_list(out->v[i].pid, &below);
		for (size_t j = 0; j < below.len; j++)
			if (proc_stat_read(below.v[j], &st))
				add_once(out, (struct proc_id){ below.v[j], st.start });
		vec_free(&below);
	}
}

/* Signals those that are still the same processes; returns how many there are. */
static size_t signal_left(const struct proc_ids *ids, int sig)
{
	struct proc_stat st;
	size_t n = 0;

	for (size_t i = 0; i < ids->len; i++) {
		if (ids->v[i].pid == getpid() || !proc_stat_read(ids->v[i].pid, &st) ||
		    st.start != ids->v[i].start || st.state == 'Z')
			continue;
		n++;
		kill(ids->v[i].pid, sig);
	}
	return n;
}

static size_t end_left(const struct lost *l)
{
	const struct timespec pause = { 0, LOOK_AGAIN_MS * 1000000L };
	int64_t firm = clock_mono_ms() + l->grace_ms;
	struct proc_ids ids = { 0 };
	size_t found;
	bool killing = false;

	find_left(l, &ids);
	found = signal_left(&ids, SIGTERM);
	signal_left(&ids, SIGCONT);
	while (signal_left(&ids, 0)) {
		int64_t now = clock_mono_ms();

		if (killing && now >= firm + KILL_LIMIT_MS)
			break; /* it hangs in the kernel */
		nanosleep(&pause, NULL);
		if (!killing && now >= firm) {
			/* What the ones told to end started meanwhile, too. */
			find_left(l, &ids);
			signal_left(&ids, SIGKILL);
			killing = true;
		}
	}
	vec_free(&ids);
	return found;
}

/* log: of the attempt, or NULL. */
static int take_metrics(struct lost *l, const struct attempt *a, struct runlog_writer *log,
			struct attempt_end *end, struct mlp_error *err)
{
	_release_(inlet_release) struct inlet in = INLET_INIT;
	_cleanup_free_ char *path = rundir_metrics(&l->dir, a->number);
	int64_t offset = 0;
	int r;

	if (access(path, F_OK))
		return 0;
	r = db_get_int(l->db, &offset, err, "SELECT metrics_offset FROM attempt WHERE id = ?1", "i",
		       a->id);
	if (!r)
		r = inlet_resume(&in, path, offset, err);
	in.log = log;
	if (!r)
		r = inlet_take(&in, l->db, l->run.id, a->id, true, err);
	if (r)
		return r;
	end->bad_lines = inlet_bad_lines(&in);
	end->ignored_values = inlet_ignored_values(&in);
	return 0;
}

/* The store knows points that are in no file: those of MLflow's clients.  A time that a
 * program made up may lie ahead of us. */
static int last_point(const struct lost *l, int64_t *ms, struct mlp_error *err)
{
	return db_get_int(l->db, ms, err,
			  "SELECT coalesce(max(time_ms), 0) FROM metric WHERE run_id = ?1"
			  " AND time_ms <= ?2", "ii", l->run.id, clock_ms());
}

static int settle_attempt(struct lost *l, const struct attempt *a, struct mlp_error *err)
{
	_cleanup_(runlog_writer_close) struct runlog_writer *writer = NULL;
	_cleanup_free_ char *path = rundir_log(&l->dir, a->number);
	struct attempt_end end = ATTEMPT_END_INIT;
	struct object_id log = { .hex = "" };
	int64_t last_us = 0; /* 0: not even the start of a log */
	int64_t point_ms = 0;
	int r = 0;

	if (!access(path, F_OK))
		r = runlog_cut(path, &end.log_bytes, &last_us, err);
	if (!r && last_us)
		r = runlog_resume(&writer, path, end.log_bytes, last_us, err);
	if (!r)
		r = take_metrics(l, a, writer, &end, err);
	if (!r)
		r = last_point(l, &point_ms, err);
	if (!r && writer) {
		end.log_bytes = runlog_bytes(writer);
		r = object_put_file(l->repo, path, &log, err);
	}
	if (r)
		return r;
	end.ended_ms = MAX(MAX(l->seen_ms, last_us / 1000), MAX(point_ms, a->started_ms));
	end.reason = "lost";
	end.log = log.hex[0] ? log.hex : NULL;
	l->report.ended_ms = MAX(l->report.ended_ms, end.ended_ms);
	return attempt_end(l->db, a->id, &end, err);
}

/* What its supervisor could not store of an attempt that ended.  Odd lines are in its log. */
static int take_rest(struct lost *l, const struct attempt *a, struct mlp_error *err)
{
	_cleanup_free_ char *path = rundir_log(&l->dir, a->number);
	struct attempt_end counted = ATTEMPT_END_INIT;
	struct object_id log;
	int r = take_metrics(l, a, NULL, &counted, err);

	if (r || a->log || !a->log_bytes || access(path, F_OK))
		return r;
	r = object_put_file(l->repo, path, &log, err);
	return r ? r : db_exec(l->db, err, "UPDATE attempt SET log = ?2 WHERE id = ?1", "is", a->id,
			       log.hex);
}

/* A run that ended, whose folder is still there. */
static int settle_ended(struct lost *l, struct mlp_error *err)
{
	int r = attempts_get(l->db, l->run.id, &l->attempts, err);

	for (size_t i = 0; !r && i < l->attempts.len; i++)
		r = take_rest(l, &l->attempts.v[i], err);
	if (!r)
		r = metric_compact(l->db, l->run.id, err);
	if (!r)
		path_remove_tree(l->dir.path);
	return r;
}

static int settle(struct lost *l, struct mlp_error *err)
{
	struct run_end end = { .status = RUN_LOST, .exit_code = -1, .reason = "supervisor died" };
	int r = attempts_get(l->db, l->run.id, &l->attempts, err);

	if (r)
		return r;
	l->report = (struct reaped){ l->run.uuid, l->run.name, l->seen_ms, 0 };
	l->report.killed = end_left(l);
	for (size_t i = 0; !r && i < l->attempts.len; i++)
		r = l->attempts.v[i].ended_ms ? take_rest(l, &l->attempts.v[i], err) :
						settle_attempt(l, &l->attempts.v[i], err);
	if (!r)
		r = ledger_settle(l->db, l->run.uuid, err);
	if (!r)
		r = metric_compact(l->db, l->run.id, err);
	end.ended_ms = l->report.ended_ms;
	if (!r)
		r = run_finish(l->db, l->run.id, &end, err);
	cgroup_remove(l->dir.cgroup);
	if (!r)
		path_remove_tree(l->dir.path);
	return r;
}

static int list_running(struct db *db, struct strvec *uuids, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT uuid FROM run WHERE status = 1 AND heartbeat_ms IS NOT NULL"
			 " AND host = ?1 ORDER BY id",
			 "s", live_host());
	int r = st ? 0 : MLP_EFAIL;

	while (st && (r = db_step(st, err)) > 0)
		strvec_push(uuids, db_text(st, 0));
	return r;
}

/* Is the run supervised?  One that was killed has the lock until it is gone, and a child that
 * it forked just before until that runs its program: they are waited for. */
static bool is_held(const struct repo *repo, const char *uuid)
{
	const struct timespec pause = { 0, LOOK_AGAIN_MS * 1000000L };
	int64_t end = clock_mono_ms() + INHERITED_MS;
	pid_t holder;

	while ((holder = live_holder(repo, uuid))) {
		if (holder < 0 || !proc_is_ending(holder) || clock_mono_ms() >= end)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* 1 when it was settled; 0 when it is none of ours to settle. */
static int reap_one(struct lost *l, const char *uuid, struct mlp_error *err)
{
	_cleanup_close_ int lock = -1;
	int64_t id, touched;
	int r;

	if (is_held(l->repo, uuid))
		return 0;
	touched = live_touched(l->repo, uuid); /* before we do */
	lock = live_hold(l->repo, uuid, err);
	if (lock == MLP_EBUSY) /* another one settles it */
		return 0;
	if (lock < 0)
		return lock;
	r = run_find(l->db, uuid, &id, err);
	if (!r)
		r = run_get(l->db, id, &l->run, err);
	if (!r)
		rundir_init(&l->dir, l->repo, uuid);
	l->seen_ms = MAX(l->run.heartbeat_ms, touched);
	if (!r && l->run.status != RUN_RUNNING)
		return settle_ended(l, err);
	if (!r)
		r = settle(l, err);
	return r ? r : 1;
}

/* The folder of a supervisor that died before it had made its run. */
static bool is_abandoned(const struct repo *repo, struct db *db, const char *path,
			 const char *uuid)
{
	struct stat st;
	int64_t id;

	return !lstat(path, &st) && S_ISDIR(st.st_mode) &&
	       st.st_mtime + FOLDER_SETTLED_S <= clock_ms() / 1000 && !live_holder(repo, uuid) &&
	       run_find(db, uuid, &id, NULL) == MLP_ENOTFOUND;
}

/* The folder of a run of this host that ended: what could not be stored then is in it. */
static bool is_kept(const struct repo *repo, struct db *db, const char *uuid)
{
	_release_(run_release) struct run run = RUN_INIT;
	int64_t id;

	return !run_find(db, uuid, &id, NULL) && !run_get(db, id, &run, NULL) &&
	       run.status != RUN_RUNNING && run.host && !strcmp(run.host, live_host()) &&
	       !live_holder(repo, uuid);
}

/* One that cannot be settled does not keep the others from it. */
static int settle_folders(const struct repo *repo, struct db *db, struct mlp_error *err)
{
	_cleanup_free_ char *runs = repo_path(repo, "runs");
	DIR *dir = opendir(runs);
	struct dirent *e;
	int r = 0;

	while (dir && (e = readdir(dir))) {
		_release_(lost_release) struct lost l = { repo, db, 0, .run = RUN_INIT };
		_cleanup_free_ char *path = path_join(runs, e->d_name);
		int settled = 0;

		if (e->d_name[0] == '.')
			continue;
		if (is_abandoned(repo, db, path, e->d_name))
			path_remove_tree(path);
		else if (is_kept(repo, db, e->d_name))
			settled = reap_one(&l, e->d_name, r ? NULL : err);
		r = r ? r : settled;
	}
	if (dir)
		closedir(dir);
	return r;
}

int reap_lost(const struct repo *repo, struct db *db, int64_t grace_ms,
	      reap_fn *fn, void *data, struct mlp_error *err)
{
	_release_(strvec_release) struct strvec uuids = STRVEC_INIT;
	int r = list_running(db, &uuids, err);

	for (size_t i = 0; !r && i < uuids.len; i++) {
		_release_(lost_release) struct lost l = { repo, db, grace_ms, .run = RUN_INIT };
		int settled = reap_one(&l, uuids.v[i], err);

		if (settled < 0)
			r = settled;
		else if (settled)
			fn(data, &l.report);
	}
	if (!r)
		r = settle_folders(repo, db, err);
	return r ? r : object_tmp_clean(repo, err);
}
