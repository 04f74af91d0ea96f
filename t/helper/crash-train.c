/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kills mlp train at random moments and checks what is left, see t0800-crash-train.sh:
 *	crash-train ROUNDS [SEED]	in a project; mlp is taken from PATH
 * It runs itself as the trainer: crash-train --trainer ACK-FILE MILLISECONDS.
 *
 * The trainer says in its file what it was promised: a point written to MLP_FD when write()
 * has returned, a point of mlp record when it has exited with 0.
 */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/core/repo.h"
#include "lib/store/object.h"
#include "lib/track/metric.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/clock.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

enum { WAIT_SECONDS = 30 };

static int number(const char *s)
{
	return (int)strtol(s, NULL, 10);
}

/* ---- the trainer ---- */

static void acknowledge(int fd, char what, int step)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "%c%d\n", what, step);

	if (write(fd, line, (size_t)n) != n)
		_exit(1);
}

static bool record(int step)
{
	char point[32], at[32];
	int status;
	pid_t pid;

	snprintf(point, sizeof(point), "recorded=%d", step);
	snprintf(at, sizeof(at), "%d", step);
	pid = fork();
	if (!pid) {
		execlp("mlp", "mlp", "record", "metric", "--step", at, point, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* Something that would outlive the trainer; every other time in a session of its own. */
static void leave_child(bool session)
{
	if (fork())
		return;
	if (session)
		setsid();
	execlp("sleep", "sleep", "600", (char *)NULL);
	_exit(127);
}

static void write_output(void)
{
	FILE *f = fopen("model.bin", "w");

	for (int i = 0; f && i < 200000; i++)
		fprintf(f, "%d %d\n", i, (int)getpid());
	if (f)
		fclose(f);
}

static int train(const char *ack_path, int ms)
{
	int ack = open(ack_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	const char *fd = getenv("MLP_FD");
	int64_t end = clock_ms() + ms;

	if (ack < 0 || !fd)
		return 1;
	dprintf(ack, "p%d\n", (int)getpid());
	if (ms % 3 == 0)
		leave_child(ms % 2);
	for (int step = 0; clock_ms() < end; step++) {
		char line[64];
		int n = snprintf(line, sizeof(line), "{\"loss\": 0.5, \"step\": %d}\n", step);

		if (write(number(fd), line, (size_t)n) != n)
			return 1;
		acknowledge(ack, 'l', step);
		printf("step %d\n", step);
		fflush(stdout);
		if (step % 40 == 20 && record(step))
			acknowledge(ack, 'r', step);
		usleep(500);
	}
	write_output();
	return 0;
}

/* ---- the killer ---- */

struct round {
	int number;
	int train_ms, kill_us;
	unsigned whom; /* 1 the supervisor, 2 the child, 3 both */
	char name[32], ack[32];
	int problems;
};

static void problem(struct round *round, const char *what, const char *detail)
{
	round->problems++;
	printf("# round %d (train %d ms, kill %s after %d us): %s %s\n", round->number,
	       round->train_ms,
	       round->whom == 1 ? "supervisor" : round->whom == 2 ? "child" : "both",
	       round->kill_us, what, detail);
}

/* A third each: while it starts, somewhere in a training that goes on, and when it has
 * ended and its output is stored. */
static void choose_times(struct round *round)
{
	switch (rand() % 3) {
	case 0:
		round->train_ms = 1000;
		round->kill_us = rand() % 20000;
		break;
	case 1:
		round->train_ms = 1000 + rand() % 10;
		round->kill_us = rand() % 400000;
		break;
	default:
		round->train_ms = rand() % 200;
		round->kill_us = round->train_ms * 1000 + rand() % 60000;
	}
}

static pid_t start(const struct round *round, const char *self)
{
	char ms[16];
	pid_t pid;
	int null;

	snprintf(ms, sizeof(ms), "%d", round->train_ms);
	pid = fork();
	if (pid)
		return pid;
	null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	null = open("train.err", O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(null, 2);
	execlp("mlp", "mlp", "train", "-n", round->name, "-o", "model.bin", "--", self,
	       "--trainer", round->ack, ms, (char *)NULL);
	_exit(127);
}

/* The pid that the trainer wrote, or 0. */
static pid_t trainer_pid(const struct round *round)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (file_read(round->ack, 1 << 26, &text) || text.buf[0] != 'p' || !strchr(text.buf, '\n'))
		return 0;
	return number(text.buf + 1);
}

static void kill_some(const struct round *round, pid_t supervisor)
{
	pid_t child = round->whom & 2 ? trainer_pid(round) : 0;
	bool child_first = round->number % 2;

	if (child && child_first)
		kill(child, SIGKILL);
	if (round->whom & 1)
		kill(supervisor, SIGKILL);
	if (child && !child_first)
		kill(child, SIGKILL);
}

static void wait_for(struct round *round, pid_t supervisor)
{
	int64_t end = clock_ms() + WAIT_SECONDS * 1000;
	int status;

	while (!waitpid(supervisor, &status, WNOHANG)) {
		if (clock_ms() > end) {
			problem(round, "mlp train does not end", "");
			kill(supervisor, SIGKILL);
			waitpid(supervisor, &status, 0);
			return;
		}
		usleep(2000);
	}
}

static void reap(struct round *round)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		int out = open("reap.out", O_WRONLY | O_CREAT | O_APPEND, 0644);

		dup2(out, 1);
		dup2(out, 2);
		execlp("mlp", "mlp", "train", "--reap", (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		problem(round, "mlp train --reap failed:", "see reap.out");
}

/* Is there a process of the run? */
static pid_t find_orphan(const char *uuid)
{
	_cleanup_free_ char *wanted = xasprintf("MLP_RUN_ID=%s", uuid);
	DIR *proc = opendir("/proc");
	struct dirent *e;
	pid_t found = 0;

	while (!found && (e = readdir(proc))) {
		_release_(strbuf_release) struct strbuf env = STRBUF_INIT;
		_cleanup_free_ char *path = NULL;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		path = xasprintf("/proc/%s/environ", e->d_name);
		if (!file_read(path, 1 << 22, &env) &&
		    memmem(env.buf, env.len, wanted, strlen(wanted)))
			found = number(e->d_name);
	}
	closedir(proc);
	return found;
}

static void check_orphans(struct round *round, const char *uuid)
{
	int64_t end = clock_ms() + 3000;
	char detail[32];
	pid_t pid;

	/* The kernel may take a moment to bury what was killed. */
	while ((pid = find_orphan(uuid)) && clock_ms() < end)
		usleep(20000);
	if (!pid)
		return;
	snprintf(detail, sizeof(detail), "pid %d", (int)pid);
	problem(round, "a process is left:", detail);
	kill(pid, SIGKILL);
}

static bool has_step(const struct metric_points *points, int64_t step)
{
	for (size_t i = 0; i < points->len; i++)
		if (points->v[i].step == step)
			return true;
	return false;
}

/* Every promised point of one kind. */
static void check_points(struct round *round, struct db *db, int64_t run, char kind,
			 const char *key)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct metric_points points = VEC_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	char detail[64];
	int lost = 0, promised = 0;

	file_read(round->ack, 1 << 26, &text);
	if (metric_read(db, run, key, &points, &err))
		problem(round, "cannot read the points:", err.text);
	for (const char *p = text.buf; *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : "") {
		if (*p != kind || !strchr(p, '\n'))
			continue;
		promised++;
		lost += !has_step(&points, number(p + 1));
	}
	snprintf(detail, sizeof(detail), "%s: %d of %d", key, lost, promised);
	if (lost)
		problem(round, "points lost,", detail);
	vec_free(&points);
}

static void check_run(struct round *round, struct db *db)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct run run = RUN_INIT;
	int64_t id;
	int r = run_resolve(db, round->name, &id, &err);

	if (r == MLP_ENOTFOUND) {
		if (!access(round->ack, F_OK))
			problem(round, "the command was started without a run", "");
		return;
	}
	if (r || run_get(db, id, &run, &err)) {
		problem(round, "cannot read the run:", err.text);
		return;
	}
	if (!run_status_ended(run.status))
		problem(round, "the run is still", run_status_name(run.status));
	check_points(round, db, id, 'l', "loss");
	check_points(round, db, id, 'r', "recorded");
	check_orphans(round, run.uuid);
	run_release(&run);
}

static int one_round(struct round *round, const struct repo *repo, const char *self)
{
	_cleanup_(db_close) struct db *db = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	pid_t supervisor = start(round, self);

	usleep((unsigned)round->kill_us);
	kill_some(round, supervisor);
	wait_for(round, supervisor);
	reap(round);
	if (track_open(&db, repo, DB_READ, &err))
		problem(round, "cannot open the store:", err.text);
	else
		check_run(round, db);
	unlink(round->ack);
	return round->problems;
}

/* ---- at the end ---- */

static int check_empty(const struct repo *repo, const char *folder)
{
	_cleanup_free_ char *path = repo_path(repo, folder);
	DIR *dir = opendir(path);
	struct dirent *e;
	int n = 0;

	while (dir && (e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		printf("# left in %s: %s\n", folder, e->d_name);
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

static int check_objects(const struct repo *repo)
{
	_cleanup_free_ char *path = repo_path(repo, "objects");
	DIR *top = opendir(path);
	struct dirent *e, *f;
	int bad = 0;

	while (top && (e = readdir(top))) {
		_cleanup_free_ char *sub = xasprintf("%s/%s", path, e->d_name);
		DIR *dir = text_is_hex(e->d_name, strlen(e->d_name)) ? opendir(sub) : NULL;

		while (dir && (f = readdir(dir))) {
			_cleanup_free_ char *hex = xasprintf("%s%s", e->d_name, f->d_name);
			struct mlp_error err = MLP_ERROR_INIT;

			if (f->d_name[0] != '.' && object_verify(repo, hex, &err)) {
				printf("# %s\n", err.text);
				bad++;
			}
		}
		if (dir)
			closedir(dir);
	}
	if (top)
		closedir(top);
	return bad;
}

static int check_store(const struct repo *repo)
{
	_cleanup_(db_close) struct db *db = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	int64_t live = 0, runs = 0;
	int bad = 0;

	if (track_open(&db, repo, DB_READ, &err) || db_check(db, &err)) {
		printf("# %s\n", err.text);
		return 1;
	}
	db_get_int(db, &live, &err, "SELECT count(*) FROM run WHERE status < 3", "");
	db_get_int(db, &runs, &err, "SELECT count(*) FROM run", "");
	printf("# %d runs, %d not settled\n", (int)runs, (int)live);
	bad += live != 0;
	bad += check_objects(repo);
	bad += check_empty(repo, "tmp");
	bad += check_empty(repo, "runs");
	return bad;
}

int main(int argc, char **argv)
{
	_release_(repo_release) struct repo repo = REPO_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	struct round last = { .number = -1 };
	int rounds, problems = 0;
	unsigned seed;

	if (argc == 4 && !strcmp(argv[1], "--trainer"))
		return train(argv[2], number(argv[3]));
	if (argc < 2 || repo_open_at(&repo, ".", &err)) {
		fprintf(stderr, "usage: crash-train ROUNDS [SEED]\n");
		return 129;
	}
	rounds = number(argv[1]);
	seed = argc > 2 ? (unsigned)number(argv[2]) : (unsigned)clock_mono_ns();
	printf("# seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < rounds; i++) {
		struct round round = { .number = i, .whom = 1 + (unsigned)rand() % 3 };

		choose_times(&round);
		snprintf(round.name, sizeof(round.name), "round-%d", i);
		snprintf(round.ack, sizeof(round.ack), "ack-%d", i);
		problems += one_round(&round, &repo, argv[0]);
	}
	/* Folders without a run go when they cannot be those of one that is starting. */
	sleep(6);
	reap(&last);
	problems += last.problems + check_store(&repo);
	return problems != 0;
}
