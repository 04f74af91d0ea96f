/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever happens, runs and idle add up to what the device counted. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/cost/device.h"
#include "lib/cost/ledger.h"
#include "lib/cost/owner.h"
#include "lib/cost/price.h"
#include "lib/track/live.h"
#include "lib/track/schema.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"
#include "t/unit/tap.h"

#define T0 INT64_C(1790000000000)
#define BUILT "t/fakenvml/.libs/"

enum { GHOST = 90000000 }; /* pids above what the kernel gives */

static char dir[] = "/tmp/u-ledger-XXXXXX";
static struct mlp_error err;

/* ---- the stage: GPUs, a store, attempts ---- */

struct gpu {
	uint64_t energy;
	int util;
	struct { int pid, sm; int64_t memory; } p[4];
};

static void play(const struct gpu *gpus, int n, int64_t now_ms)
{
	_cleanup_free_ char *path = path_join(dir, "control");
	_cleanup_free_ char *next = path_join(dir, "control.next");
	FILE *f = fopen(next, "we");

	for (int i = 0; i < n; i++) {
		int64_t used = 0;

		for (int k = 0; k < 4; k++) {
			if (!gpus[i].p[k].pid)
				continue;
			used += gpus[i].p[k].memory;
			fprintf(f, "process %d pid=%d memory=%" PRId64 " sm=%d time=%" PRId64 "\n", i,
				gpus[i].p[k].pid, gpus[i].p[k].memory, gpus[i].p[k].sm, now_ms * 1000);
		}
		fprintf(f, "gpu %d util=%d energy=%" PRIu64 " used=%" PRId64 "\n", i, gpus[i].util,
			gpus[i].energy, used);
	}
	fclose(f);
	rename(next, path);
}

static struct db *store(const char *name)
{
	_cleanup_free_ char *path = path_join(dir, name);
	struct repo repo = { .db_path = path };
	struct db *db = NULL;

	if (track_open(&db, &repo, DB_CREATE | DB_RELAXED, &err))
		printf("# %s\n", err.text);
	return db;
}

static struct nvml *library(const char *file)
{
	struct nvml *nvml = NULL;

	setenv("MLP_NVML_LIB", file, 1);
	if (nvml_open(&nvml, &err))
		printf("# %s\n", err.text);
	return nvml;
}

static struct ledger *open_attempt(struct db *db, struct nvml *nvml, const char *uuid,
				   const char *gpus, int64_t now)
{
	unsigned index[4];
	struct ledger_start start = { .run_uuid = uuid, .attempt = 1, .experiment = "e", .user = "u",
				      .tags_json = "{}", .gpus = index, .started_ms = now,
				      .gpus_by_use = !gpus };
	struct ledger *ledger = NULL;

	for (; gpus && *gpus; gpus++)
		index[start.ngpus++] = (unsigned)(*gpus - '0');
	if (ledger_open(&ledger, db, nvml, &start, &err))
		printf("# %s\n", err.text);
	return ledger;
}

static int tick(struct ledger *ledger, int pid, int64_t now, bool force)
{
	pid_t pids[] = { pid };

	return ledger_tick(ledger,
			   &(struct ledger_tree){ .now_ms = now, .cpu_ms = now - T0, .pids = pids,
						  .npids = pid ? 1 : 0 }, force, &err);
}

static int finish(struct ledger *ledger, int pid, int64_t now)
{
	pid_t pids[] = { pid };

	return ledger_close(ledger,
			    &(struct ledger_tree){ .now_ms = now, .pids = pids, .npids = pid ? 1 : 0 },
			    &err);
}

static int64_t ask(struct db *db, const char *sql)
{
	struct db_stmt *st = db_query_once(db, &err, sql);
	int64_t v = -2;

	if (st && db_step(st, &err) > 0)
		v = db_is_null(st, 0) ? -1 : db_int(st, 0);
	db_done(st);
	return v;
}

#define OF(uuid, column) \
	"SELECT u." column " FROM usage u JOIN usage_attempt a ON a.id = u.attempt_id" \
	" WHERE device <> 'cpu' AND run_uuid = '" uuid "'"
#define UNBALANCED                                                                         \
	"SELECT count(*) FROM usage_device d WHERE counted_mj <> idle_mj +"                \
	" (SELECT coalesce(sum(energy_mj), 0) FROM usage u WHERE u.device = d.device)"

/* ---- one thing at a time ---- */

static void test_sharing(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("sharing.db");
	struct gpu g = { .energy = 5000000, .util = 80 };
	struct ledger *a, *b;

	play(&g, 1, T0);
	a = open_attempt(db, nvml, "a", "0", T0);
	is_int(ask(db, OF("a", "energy_mj")), -1, "no energy is known at first");
	is_int(ask(db, "SELECT counted_mj FROM usage_device"), 0, "nor counted");
	g.p[0].pid = GHOST + 1;
	g.p[0].sm = 60;
	g.p[0].memory = 100;
	play(&g, 1, T0 + 100);
	tick(a, GHOST + 1, T0 + 100, false);
	is_int(ask(db, "SELECT count(*) FROM usage_process"), 1, "a process is claimed at once");
	g.energy += 700;
	play(&g, 1, T0 + 900);
	is_int(tick(a, GHOST + 1, T0 + 1000, false), 0, "a tick before its time");
	is_int(ask(db, "SELECT counted_mj FROM usage_device"), 0, "writes nothing");
	b = open_attempt(db, nvml, "b", "0", T0 + 2000);
	is_int(ask(db, "SELECT counted_mj FROM usage_device"), 700, "to open is to account");
	is_int(ask(db, OF("a", "device_ms")), 2000, "alone until then");
	g.p[1].pid = GHOST + 2;
	g.p[1].sm = 20;
	g.p[1].memory = 300;
	play(&g, 1, T0 + 2500);
	tick(b, GHOST + 2, T0 + 3000, false);
	tick(a, GHOST + 1, T0 + 3000, true);
	g.energy += 1001;
	play(&g, 1, T0 + 4000);
	tick(a, GHOST + 1, T0 + 5000, true);
	is_int(ask(db, OF("b", "energy_mj")), 250, "a quarter by use, to b");
	is_int(ask(db, OF("b", "device_ms")), 1500, "time in equal shares");
	ok(ask(db, OF("a", "busy_ms")) <= ask(db, OF("a", "device_ms")), "busy within the time held");
	g.p[0].sm = g.p[1].sm = 0;
	g.energy += 4000;
	play(&g, 1, T0 + 6000);
	tick(b, GHOST + 2, T0 + 7000, true);
	is_int(ask(db, OF("b", "energy_mj")), 3250, "nobody computes: by memory");
	g = (struct gpu){ .energy = g.energy + 50 };
	play(&g, 1, T0 + 8000);
	tick(b, GHOST + 2, T0 + 9000, true);
	ok(ask(db, "SELECT idle_mj FROM usage_device") >= 50, "no process: to idle");
	is_int(finish(a, GHOST + 1, T0 + 10000), 0, "close a");
	is_int(finish(b, GHOST + 2, T0 + 10000), 0, "close b");
	is_int(ask(db, UNBALANCED), 0, "in balance");
	is_int(ask(db, "SELECT sum(device_ms) FROM usage WHERE device <> 'cpu'"), 10000,
	       "all time is somebody's");
	is_int(ask(db, "SELECT count(*) FROM usage_process"), 0, "no claims left");
}

/* A command that is on the GPU before its ledger is open. */
static void test_early(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("early.db");
	struct gpu g = { .energy = 1000, .p = { { GHOST + 1, 50, 1 } } };
	struct ledger *a;

	play(&g, 1, T0);
	a = open_attempt(db, nvml, "a", "0", T0);
	tick(a, GHOST + 1, T0 + 1000, false);
	is_int(ask(db, "SELECT count(*) FROM usage_process"), 1, "an early one is claimed");
	finish(a, GHOST + 1, T0 + 2000);
}

static void test_idle_first(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("idle.db");
	struct gpu g = { .energy = 1000, .p = { { GHOST + 1, 50, 1 } } };
	struct ledger *a;

	play(&g, 1, T0);
	finish(open_attempt(db, nvml, "a", "0", T0), 0, T0 + 10);
	g.energy += 9000;
	play(&g, 1, T0 + 3600000);
	a = open_attempt(db, nvml, "b", "0", T0 + 3600000);
	is_int(ask(db, "SELECT idle_mj FROM usage_device"), 9000, "the hour before is idle");
	is_int(ask(db, "SELECT idle_ms FROM usage_device"), 3599990, "its time too");
	finish(a, GHOST + 1, T0 + 3600001);
	is_int(ask(db, OF("b", "energy_mj")), 0, "none of it is the run's");
}

static void test_by_use(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("use.db");
	struct gpu g[2] = { { .energy = 100 }, { .energy = 100 } };
	struct ledger *a;

	play(g, 2, T0);
	a = open_attempt(db, nvml, "a", NULL, T0);
	tick(a, GHOST + 1, T0 + 1000, true);
	is_int(ask(db, "SELECT count(*) FROM usage WHERE device <> 'cpu'"), 0, "on no GPU yet");
	g[1].p[0].pid = GHOST + 1;
	g[1].p[0].memory = 4096;
	g[1].p[0].sm = 10;
	play(g, 2, T0 + 2000);
	tick(a, GHOST + 1, T0 + 2000, false);
	is_int(ask(db, "SELECT count(*) FROM usage WHERE device = 'GPU-fake-1' AND held_ms > 0"), 1,
	       "seen within a tick");
	g[1].energy += 333;
	play(g, 2, T0 + 3000);
	tick(a, GHOST + 1, T0 + 12000, false);
	is_int(ask(db, OF("a", "energy_mj")), 333, "its energy");
	is_int(ask(db, OF("a", "device_ms")), 10000, "its time");
	is_int(ask(db, OF("a", "memory_peak")), 4096, "its memory");
	g[1] = (struct gpu){ .energy = 433 };
	play(g, 2, T0 + 13000);
	tick(a, GHOST + 1, T0 + 13000, false);
	is_int(ask(db, OF("a", "held_ms")), 0, "and let go within a tick");
	finish(a, GHOST + 1, T0 + 90000);
	is_int(ask(db, OF("a", "device_ms")), 11000, "no time after that");
	is_int(ask(db, UNBALANCED), 0, "in balance");
}

static void test_counter(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("counter.db");
	struct gpu g = { .energy = UINT64_MAX - 99, .p = { { GHOST + 1, 50, 1 } } };
	struct ledger *a;

	play(&g, 1, T0);
	a = open_attempt(db, nvml, "a", "0", T0);
	tick(a, GHOST + 1, T0 + 500, true);
	g.energy += 300; /* wraps */
	play(&g, 1, T0 + 1000);
	tick(a, GHOST + 1, T0 + 1000, true);
	is_int(ask(db, OF("a", "energy_mj")), 300, "a counter that wraps");
	g.energy = 40;
	play(&g, 1, T0 + 2000);
	tick(a, GHOST + 1, T0 + 2000, true);
	is_int(ask(db, OF("a", "energy_mj")), 340, "a counter that starts anew");
	is_int(ask(db, "SELECT resets FROM usage_device"), 1, "is noted");
	db_exec(db, &err, "UPDATE usage_device SET boot_id = 'before'", "");
	g.energy = 1000;
	play(&g, 1, T0 + 3000);
	tick(a, GHOST + 1, T0 + 3000, true);
	is_int(ask(db, OF("a", "energy_mj")), 1340, "after a boot all of it is new");
	g.energy = 1000 + 700000000;
	play(&g, 1, T0 + 3001);
	tick(a, GHOST + 1, T0 + 3001, true);
	is_int(ask(db, OF("a", "energy_mj")), 1340, "a jump beyond 10 kW is charged to no run");
	is_int(ask(db, "SELECT idle_mj FROM usage_device"), 700000000, "but counted");
	tick(a, GHOST + 1, T0 - 50000, true);
	is_int(ask(db, OF("a", "device_ms")), 3001, "a clock set back takes no time away");
	finish(a, GHOST + 1, T0 - 49000);
	is_int(ask(db, OF("a", "device_ms")), 4001, "and none is lost after it");
	is_int(ask(db, UNBALANCED), 0, "in balance");
}

static void test_differences(void)
{
	bool reset;

	is_int(device_counter_difference(-1, 5, true, 0, &reset), 0, "first reading");
	is_int(device_counter_difference(5, -1, true, 0, &reset), -1, "no reading");
	is_int(device_counter_difference(INT64_MAX, 0, true, 0, &reset), 1, "wrap by one");
	ok(!reset, "is no reset");
	is_int(device_counter_difference(INT64_MAX, INT64_MAX, true, 0, &reset), 0, "no change");
	is_int(device_counter_difference(INT64_MAX, 7, false, 0, &reset), 7, "another boot");
	ok(reset, "is a reset");
	is_int(device_counter_difference(100, 99, true, 1000, &reset), 99, "a step back is a reset");
}

static void test_reused_pid(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("pid.db");
	struct gpu g = { .energy = 10, .p = { { getpid(), 50, 1 } } };
	char boot[64];
	struct ledger *a;

	boot_id_read(boot);
	play(&g, 1, T0);
	a = open_attempt(db, nvml, "a", "0", T0);
	tick(a, getpid(), T0 + 100, true);
	g.energy += 100;
	play(&g, 1, T0 + 1000);
	tick(a, getpid(), T0 + 1000, true);
	is_int(ask(db, OF("a", "energy_mj")), 100, "our process");
	is_int(db_exec(db, &err, "UPDATE usage_process SET started = started - 1", ""), 0,
	       "as if it had ended and its pid been given away");
	g.energy += 100;
	play(&g, 1, T0 + 2000);
	tick(a, 0, T0 + 2000, true);
	is_int(ask(db, OF("a", "energy_mj")), 100, "what has its pid now is not ours");
	is_int(ask(db, "SELECT idle_mj FROM usage_device"), 100, "but idle");
	finish(a, 0, T0 + 3000);
	is_int(ask(db, UNBALANCED), 0, "in balance");
}

static void test_failed_commit(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("commit.db");
	struct gpu g = { .p = { { getpid(), 50, 10 } } };
	struct ledger *a;

	play(&g, 1, T0);
	a = open_attempt(db, nvml, "a", "0", T0);
	g.energy += 100;
	play(&g, 1, T0 + 1000);
	/* A constraint that is looked at when all else is done. */
	if (db_exec(db, &err, "CREATE TABLE late(id INTEGER REFERENCES usage(id)"
			      " DEFERRABLE INITIALLY DEFERRED)", "") ||
	    db_exec(db, &err, "CREATE TRIGGER fail AFTER UPDATE ON usage_device"
			      " BEGIN INSERT INTO late VALUES(1000000); END", ""))
		ok(false, "%s", err.text);
	ok(tick(a, getpid(), T0 + 1000, true) < 0, "the commit fails at its end: %s", err.text);
	db_exec(db, &err, "DROP TRIGGER fail", "");
	g.p[0].pid = 0;
	play(&g, 1, T0 + 2000);
	ok(!tick(a, 0, T0 + 2000, true), "the next one does not");
	is_int(ask(db, OF("a", "energy_mj")), 100, "and knows who used the device before");
	finish(a, 0, T0 + 3000);
	is_int(ask(db, UNBALANCED), 0, "in balance");
}

/* Returns when it has its environment. */
static pid_t spawn(char **argv, char **env)
{
	int report[2] = { -1, -1 };
	char c;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		execve("/bin/sleep", argv, env);
		_exit(1);
	}
	close(report[1]);
	while (read(report[0], &c, 1) < 0 && errno == EINTR)
		;
	close(report[0]);
	return pid;
}

static void test_environment(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("environ.db");
	struct gpu g = { .energy = 10 };
	char *argv[] = { (char[]){ "sleep" }, (char[]){ "60" }, NULL };
	char *env[] = { (char[]){ "MLP_RUN_ID=a" }, (char[]){ "MLP_ATTEMPT=1" }, NULL };
	struct ledger *a, *b;
	pid_t pid = spawn(argv, env);

	play(&g, 1, T0);
	a = open_attempt(db, nvml, "a", "0", T0);
	b = open_attempt(db, nvml, "b", "0", T0);
	g.energy += 100;
	g.p[0].pid = pid;
	g.p[0].sm = 10;
	g.p[0].memory = 1;
	play(&g, 1, T0 + 1000);
	tick(b, 0, T0 + 1000, true);
	is_int(ask(db, OF("a", "energy_mj")), 100, "another's process is known by its environment");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	finish(a, 0, T0 + 2000);
	finish(b, 0, T0 + 2000);
}

static void make_run(struct db *db, const char *uuid, int64_t parent, int64_t *id)
{
	struct run_new n = { .uuid = uuid, .parent_id = parent, .host = live_host(),
			     .supervised = true };

	if (run_create(db, &n, id, NULL, &err))
		ok(false, "%s", err.text);
}

#define CPU(uuid)                                                                       \
	"SELECT u.device_ms FROM usage u JOIN usage_attempt a ON a.id = u.attempt_id"    \
	" WHERE device = 'cpu' AND run_uuid = '" uuid "'"

static void test_nested(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("nested.db");
	struct gpu g = { .energy = 10 };
	char *argv[] = { (char[]){ "sleep" }, (char[]){ "60" }, NULL };
	char *env[] = { (char[]){ "MLP_RUN_ID=inner" }, (char[]){ "MLP_ATTEMPT=1" }, NULL };
	struct ledger *outer, *inner;
	int64_t outer_id, inner_id;
	pid_t pid;

	make_run(db, "outer", 0, &outer_id);
	make_run(db, "inner", outer_id, &inner_id);
	play(&g, 1, T0);
	outer = open_attempt(db, nvml, "outer", NULL, T0);
	inner = open_attempt(db, nvml, "inner", NULL, T0);
	pid = spawn(argv, env);
	g.p[0].pid = pid;
	g.p[0].sm = 10;
	g.p[0].memory = 1;
	play(&g, 1, T0 + 1000);
	tick(inner, pid, T0 + 1000, true);
	tick(outer, pid, T0 + 1000, true);
	is_int(ask(db, CPU("outer")), 0, "of the outer nothing is entered while the inner is on");
	g.energy += 100;
	play(&g, 1, T0 + 2000);
	tick(outer, pid, T0 + 2000, true);
	tick(inner, pid, T0 + 2000, true);
	is_int(ask(db, OF("inner", "energy_mj")), 100, "the GPU is the inner one's");
	is_int(ask(db, OF("outer", "device_ms")), -2, "and not the outer one's");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	finish(inner, 0, T0 + 3000);
	db_exec(db, &err, "UPDATE run SET status = 3 WHERE uuid = 'inner'", "");
	tick(outer, 0, T0 + 5000, true);
	is_int(ask(db, CPU("inner")), 2000, "the inner one's CPU time");
	is_int(ask(db, CPU("outer")), 3000, "and what the outer used beside it");
	finish(outer, 0, T0 + 6000);
}

static void test_unknowns(void)
{
	_cleanup_(db_close) struct db *db = store("unknown.db");
	struct gpu g = { .energy = 10, .util = 50, .p = { { GHOST, 0, 5 } } };
	struct nvml *old = library(BUILT "libfakenvml-old.so");
	struct ledger *a;

	play(&g, 1, T0);
	a = open_attempt(db, old, "a", "0", T0);
	tick(a, GHOST, T0 + 1000, true);
	finish(a, GHOST, T0 + 2000);
	is_int(ask(db, OF("a", "energy_mj")), -1, "no counter: unknown, not 0");
	is_int(ask(db, OF("a", "device_ms")), 2000, "time is known");
	is_int(ask(db, OF("a", "busy_ms")), 1000, "busy half of it");
	nvml_close(old);
	a = open_attempt(db, NULL, "c", "0", T0);
	tick(a, 0, T0 + 1500, true);
	is_int(finish(a, 0, T0 + 2000), 0, "without a library");
	is_int(ask(db, OF("c", "id")), -2, "no GPU in the books");
	is_int(ask(db, "SELECT device_ms FROM usage JOIN usage_attempt a ON a.id = attempt_id"
		       " WHERE run_uuid = 'c'"), 1500, "but CPU time");
	is_int(ask(db, "SELECT count(*) FROM usage WHERE device = 'cpu' AND energy_mj IS NULL"), 2,
	       "of unknown energy");
}

static void test_kept(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("kept.db");
	static const char *const forbidden[] = {
		"DELETE FROM usage", "DELETE FROM usage_attempt", "UPDATE usage_attempt SET user = 'x'",
		"UPDATE usage SET device_ms = device_ms + 1", "UPDATE usage SET closed = 0",
		"UPDATE usage SET energy_mj = 0", "UPDATE usage SET start_ms = 0",
		"UPDATE usage SET model = 'x'",
	};
	struct gpu g = { .energy = 10, .p = { { GHOST, 9, 5 } } };
	struct ledger *a, *b;

	play(&g, 1, T0);
	a = open_attempt(db, nvml, "a", "0", T0);
	tick(a, GHOST, T0 + 1000, true);
	ok(db_exec(db, &err, "UPDATE usage SET device_ms = device_ms - 1 WHERE device <> 'cpu'", ""),
	   "an open row only grows");
	is_int(ledger_settle(db, "a", &err), 0, "settle a run whose supervisor died");
	is_int(ask(db, OF("a", "closed")), 1, "its rows are closed");
	is_int(ask(db, OF("a", "device_ms")), 1000, "as last written");
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
		ok(db_exec(db, &err, forbidden[i], "") < 0, "refused: %s", forbidden[i]);
	is_int(ledger_settle(db, "a", &err), 0, "settling twice is fine");
	g.energy += 77;
	play(&g, 1, T0 + 2000);
	b = open_attempt(db, nvml, "b", "0", T0 + 2000);
	is_int(ask(db, "SELECT idle_mj FROM usage_device"), 77, "what the dead left running is idle");
	ok(finish(a, GHOST, T0 + 3000) < 0, "a supervisor that comes back is refused: %s", err.text);
	finish(b, 0, T0 + 3000);
	ok(open_attempt(db, nvml, "b", "0", T0 + 4000) == NULL, "an attempt is entered once");
}

static void test_silent(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("silent.db");
	struct gpu g = { .energy = 10 };
	struct ledger *a, *b;

	play(&g, 1, T0);
	a = open_attempt(db, nvml, "a", "0", T0);
	b = open_attempt(db, nvml, "b", "0", T0);
	for (int64_t s = 1; s <= 100; s++) /* a is killed at once */
		tick(b, 0, T0 + s * 1000, false);
	finish(b, 0, T0 + 100000);
	ok(ask(db, OF("a", "device_ms")) <= 10000, "who died is charged for 20 s of sharing at most");
	is_int(ask(db, OF("a", "device_ms")) + ask(db, OF("b", "device_ms")), 100000,
	       "the others have the rest");
	ledger_settle(db, "a", &err);
	finish(a, 0, T0 + 100000);
}

static void test_cost(struct nvml *nvml)
{
	_cleanup_(db_close) struct db *db = store("cost.db");
	struct settings settings = SETTINGS_INIT;
	struct gpu g = { .energy = 10, .util = 50, .p = { { GHOST, 10, 5 } } };
	struct cost_summary sum;
	struct ledger *a;

	play(&g, 1, T0);
	a = open_attempt(db, nvml, "a", "0", T0);
	tick(a, GHOST, T0 + 1000, true);
	g.energy += 3600000;
	play(&g, 1, T0 + 1800000);
	finish(a, GHOST, T0 + 3600000);
	finish(open_attempt(db, NULL, "b", "", T0), 0, T0 + 1000);
	is_int(cost_of_run(db, &settings, "a", &sum, &err), 0, "cost of a run");
	is_int(sum.gpu_ms, 3600000, "an hour of an L4");
	is_int(sum.money.nano, 804800000, "at the price shipped");
	is_int(sum.energy_mj, 3600000, "a watt-hour");
	is_int(sum.wall_ms, 3600000, "wall time");
	settings_add(&settings, "cost.energy.price", "0.25", SETTINGS_COMMAND, "test", &err);
	cost_of_run(db, &settings, "a", &sum, &err);
	is_int(sum.money.nano, 805050000, "an owner pays for power as well");
	settings_add(&settings, "cost.gpu.NVIDIA L*.price", "1 EUR", SETTINGS_COMMAND, "test", &err);
	cost_of_run(db, &settings, "a", &sum, &err);
	ok(!sum.money.known, "a sum of two currencies is none: %s", sum.unpriced);
	settings_add(&settings, "cost.gpu.NVIDIA L4.price", "1 USD", SETTINGS_COMMAND, "test", &err);
	cost_of_run(db, &settings, "a", &sum, &err);
	is_int(sum.money.nano, 1000250000, "the exact model comes before a pattern");
	cost_of_run(db, &settings, "b", &sum, &err);
	ok(!sum.money.known && *sum.unpriced, "no price of the CPU: %s", sum.unpriced);
	settings_add(&settings, "cost.cpu.price", "nonsense", SETTINGS_COMMAND, "test", &err);
	is_int(cost_of_run(db, &settings, "b", &sum, &err), MLP_EINVAL, "said: %s", err.text);
	settings_release(&settings);
}

/* ---- all at once ---- */

static uint64_t state = 88172645463325252u;

static int rnd(int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int)(state % (uint64_t)n);
}

enum { ATTEMPTS = 5, STEPS = 250, ROUNDS = 6 };

struct world {
	struct db *db;
	struct nvml *nvml;
	struct gpu gpus[2];
	struct ledger *live[ATTEMPTS];
	int64_t now, total[2];
	int opened;
};

static void change_gpus(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		int mj = rnd(4) ? rnd(1000000) : 0;

		w->gpus[i].energy += (uint64_t)mj;
		w->total[i] += mj;
		w->gpus[i].util = rnd(101);
		for (int k = 0; k < 4; k++) {
			w->gpus[i].p[k].pid = rnd(3) ? k == 3 ? 1 : GHOST + rnd(ATTEMPTS) : 0;
			w->gpus[i].p[k].sm = rnd(3) ? rnd(101) : 0;
			w->gpus[i].p[k].memory = rnd(100000);
		}
	}
	w->now += rnd(15000);
	play(w->gpus, 2, w->now);
}

static void step(struct world *w)
{
	static const char *const gpus[] = { "0", "1", "01", NULL };
	int i = rnd(ATTEMPTS);
	char uuid[32];

	if (!w->live[i]) {
		snprintf(uuid, sizeof(uuid), "run-%d", w->opened++);
		w->live[i] = open_attempt(w->db, w->nvml, uuid, gpus[rnd(4)], w->now);
	} else if (rnd(10)) {
		tick(w->live[i], GHOST + i, w->now, rnd(2));
	} else {
		finish(w->live[i], GHOST + i, w->now);
		w->live[i] = NULL;
	}
}

static void test_random(struct nvml *nvml, int round)
{
	char name[32];
	struct world w = { .nvml = nvml, .now = T0 };
	struct ledger *all;
	int64_t unbalanced = 0;

	snprintf(name, sizeof(name), "random%d.db", round);
	w.db = store(name);
	w.gpus[0].energy = round % 2 ? UINT64_MAX - 50000000 : 1000;
	play(w.gpus, 2, w.now);
	finish(open_attempt(w.db, nvml, "first", "01", w.now), 0, w.now);
	for (int i = 0; i < STEPS; i++) {
		change_gpus(&w);
		step(&w);
		if (i % 10 == 0)
			unbalanced += ask(w.db, UNBALANCED);
	}
	for (int i = 0; i < ATTEMPTS; i++)
		if (w.live[i])
			finish(w.live[i], GHOST + i, w.now);
	all = open_attempt(w.db, nvml, "last", "01", w.now);
	finish(all, 0, w.now);
	is_int(unbalanced + ask(w.db, UNBALANCED), 0, "round %d: in balance at all times", round);
	is_int(ask(w.db, "SELECT sum(counted_mj) FROM usage_device"), w.total[0] + w.total[1],
	       "round %d: as the devices counted", round);
	is_int(ask(w.db, "SELECT (SELECT sum(idle_ms) FROM usage_device) +"
			 " (SELECT sum(device_ms) FROM usage WHERE device <> 'cpu')"),
	       2 * (w.now - T0), "round %d: all time is somebody's", round);
	is_int(ask(w.db, "SELECT count(*) FROM usage WHERE busy_ms > device_ms OR end_ms < start_ms"),
	       0, "round %d: no row is odd", round);
	ok(ask(w.db, "SELECT sum(energy_mj) FROM usage") > 0, "round %d: runs have used some", round);
	db_close(w.db);
}

/* Supervisors are processes of their own, and the counter runs meanwhile. */
static void compete(int n)
{
	struct db *db = store("compete.db");
	struct nvml *nvml = library(BUILT "libfakenvml.so");
	char uuid[16];
	struct ledger *ledger;

	snprintf(uuid, sizeof(uuid), "p%d", n);
	ledger = open_attempt(db, nvml, uuid, "0", clock_ms());
	for (int i = 0; ledger && i < 25; i++) {
		if (tick(ledger, getpid(), clock_ms(), true))
			_exit(2);
		usleep(2000);
	}
	_exit(ledger && !finish(ledger, getpid(), clock_ms()) ? 0 : 1);
}

static void test_processes(void)
{
	_cleanup_free_ char *path = path_join(dir, "control");
	struct db *db = store("compete.db");
	FILE *f = fopen(path, "we");
	pid_t pids[4];
	int bad = 0, status;

	fprintf(f, "gpu 0 watts=300 util=90 used=5\n");
	fflush(f);
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (!pids[i])
			compete(i);
		fprintf(f, "process 0 pid=%d memory=5 sm=%d\n", (int)pids[i], 10 + i);
	}
	fclose(f);
	for (int i = 0; i < 4; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			bad++;
	is_int(bad, 0, "four supervisors at once, none is turned away");
	is_int(ask(db, UNBALANCED), 0, "in balance");
	is_int(ask(db, "SELECT count(*) FROM usage WHERE closed = 0"), 0, "all closed");
	ok(ask(db, "SELECT counted_mj FROM usage_device") > 0, "something was counted");
	db_close(db);
}

int main(void)
{
	_cleanup_free_ char *control = NULL;
	struct nvml *nvml;

	plan_lazy();
	if (!mkdtemp(dir))
		return 1;
	control = path_join(dir, "control");
	setenv("FAKENVML", control, 1);
	play(&(struct gpu){ 0 }, 1, T0);
	play((struct gpu[2]){ 0 }, 2, T0);
	nvml = library(BUILT "libfakenvml.so");
	test_differences();
	test_sharing(nvml);
	test_early(nvml);
	test_idle_first(nvml);
	test_by_use(nvml);
	test_counter(nvml);
	test_reused_pid(nvml);
	test_failed_commit(nvml);
	test_environment(nvml);
	test_nested(nvml);
	test_unknowns();
	test_kept(nvml);
	test_silent(nvml);
	test_cost(nvml);
	play((struct gpu[2]){ 0 }, 2, T0);
	for (int round = 0; round < ROUNDS; round++)
		test_random(nvml, round);
	nvml_close(nvml);
	test_processes();
	path_remove_tree(dir);
	return done_testing();
}
