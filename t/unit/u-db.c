/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "t/unit/tap.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/db/db.h"
#include "lib/util/clock.h"
#include "lib/util/file.h"
#include "lib/util/path.h"

static const struct db_migration steps[] = {
	{ 1, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, d REAL, b BLOB) STRICT" },
	{ 2, "ALTER TABLE t ADD COLUMN n INTEGER NOT NULL DEFAULT 7;"
	     "CREATE TABLE u(id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t(id)) STRICT" },
};
static const struct db_migration bad_steps[] = {
	{ 1, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, d REAL, b BLOB) STRICT" },
	{ 2, "CREATE TABLE half(x INTEGER) STRICT; CREATE TABLE nonsense(" },
};

static struct db *open_with(const char *path, int flags, size_t nsteps, struct mlp_error *err)
{
	struct db *db = NULL;

	if (db_open(&db, path, flags, err))
		return NULL;
	if (!db_migrate(db, steps, nsteps, err))
		return db;
	db_close(db);
	return NULL;
}

static int64_t count(struct db *db)
{
	int64_t n = -1;

	db_get_int(db, &n, NULL, "SELECT count(*) FROM t", "");
	return n;
}

static int insert(struct db *db, const char *v)
{
	return db_exec(db, NULL, "INSERT INTO t(v) VALUES(?1)", "s", v);
}

static void test_migration(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = NULL;
	int64_t n = 0;

	ok(!open_with("m.db", DB_WRITE, 1, &err) && err.code == MLP_ENOTFOUND, "absent: %s", err.text);
	db = open_with("m.db", DB_CREATE, 1, &err);
	is_int(db ? db_version(db) : -1, 1, "made at version 1");
	is_int(insert(db, "old row"), 0, "a row");
	db_close(db);

	is_int(db_open(&db, "m.db", DB_READ, &err), 0, "a reader");
	is_int(db_migrate(db, steps, 2, &err), MLP_EVERSION, "cannot upgrade: %s", err.text);
	db_close(db);
	is_int(db_open(&db, "m.db", DB_WRITE, &err), 0, "a writer");
	ok(db_migrate(db, bad_steps, 2, &err) < 0, "a step that fails: %s", err.text);
	is_int(db_version(db), 1, "leaves the version");
	is_int(db_get_int(db, &n, &err, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'", ""),
	       0, "schema is readable");
	is_int(n, 0, "and nothing of the step");
	is_int(db_migrate(db, steps, 2, &err), 0, "upgrade");
	is_int(db_get_int(db, &n, &err, "SELECT n FROM t WHERE v = 'old row'", ""), 0, "old row");
	is_int(n, 7, "upgraded");
	db_close(db);

	ok(!open_with("m.db", DB_CREATE, 1, &err) && err.code == MLP_EVERSION, "newer: %s", err.text);
	ok(!open_with("m.db", DB_READ, 1, &err) && err.code == MLP_EVERSION, "also for readers");
	ok(*err.hint, "with a hint");
}

static void test_other_files(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = NULL;
	char junk[8192];

	memset(junk, 'j', sizeof(junk));
	file_replace("junk.db", junk, sizeof(junk), 0644);
	is_int(db_open(&db, "junk.db", DB_CREATE, &err), MLP_ECORRUPT, "junk: %s", err.text);
	/* An SQLite file of another program: a header with its own application_id. */
	db = open_with("other.db", DB_CREATE, 1, &err);
	db_close(db);
	int fd = open("other.db", O_RDWR | O_CLOEXEC);

	ok(pwrite(fd, "GPKG", 4, 68) == 4, "another program's mark");
	close(fd);
	is_int(db_open(&db, "other.db", DB_WRITE, &err), MLP_ECORRUPT, "other: %s", err.text);
	is_int(db_open(&db, ".", DB_CREATE, &err), MLP_ESYSTEM, "a folder: %s", err.text);
	file_replace("empty.db", "", 0, 0644);
	db = open_with("empty.db", DB_WRITE, 1, &err);
	ok(db, "an empty file is a new store");
	db_close(db);
}

static void test_nesting(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = open_with("n.db", DB_CREATE, 2, &err);

	is_int(db_begin(db, &err), 0, "begin");
	insert(db, "outer");
	is_int(db_begin(db, &err), 0, "begin inside");
	insert(db, "inner");
	db_rollback(db);
	is_int(count(db), 1, "the inner one is undone");
	is_int(db_begin(db, &err), 0, "begin inside");
	insert(db, "inner");
	is_int(db_begin(db, &err), 0, "deeper");
	insert(db, "innermost");
	is_int(db_commit(db, &err), 0, "commit the innermost");
	db_rollback(db);
	is_int(count(db), 1, "goes with the one around it");
	is_int(db_commit(db, &err), 0, "commit");
	is_int(count(db), 1, "the outer row stays");
	{
		_cleanup_txn_ struct db *txn = NULL;

		is_int(db_txn(&txn, db, &err), 0, "transaction of a scope");
		insert(db, "lost");
	}
	is_int(count(db), 1, "undone on the way out");
	db_rollback(db);
	is_int(count(db), 1, "a rollback without a transaction is nothing");
	is_int(db_exec(db, &err, "INSERT INTO u(t_id) VALUES(99)", ""), MLP_ECONFLICT,
	       "foreign keys are on: %s", err.text);
	is_int(db_exec(db, &err, "SELECT nonsense", ""), MLP_EFAIL, "bad SQL: %s", err.text);
	db_close(db);
}

static void test_values(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = open_with("v.db", DB_CREATE, 2, &err);
	struct db_stmt *st, *again;
	size_t len = 0;

	is_int(db_exec(db, &err, "INSERT INTO t(id, v, d, b) VALUES(?1, ?2, ?3, ?4)", "itdb",
		       INT64_MIN, "a\0b", (size_t)3, NAN, "\0\1", (size_t)2), 0, "insert");
	st = db_query(db, &err, "SELECT id, v, d, b FROM t", "");
	is_int(db_step(st, &err), 1, "a row");
	ok(db_int(st, 0) == INT64_MIN, "the least integer");
	ok(!memcmp(db_blob(st, 1, &len), "a\0b", 3) && len == 3, "NUL inside a text");
	ok(db_is_null(st, 2) && isnan(db_double(st, 2)), "NaN goes as NULL and comes back");
	ok(!memcmp(db_blob(st, 3, &len), "\0\1", 2) && len == 2, "blob");
	again = db_query(db, &err, "SELECT id, v, d, b FROM t", "");
	ok(again && again != st, "a statement in use is not shared");
	is_int(db_step(again, &err), 1, "and works");
	db_done(again);
	is_int(db_step(st, &err), 0, "the end");
	db_done(st);
	db_close(db);
}

/* A process holds the write lock for a while: the other waits and succeeds. */
static void test_busy(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = open_with("b.db", DB_CREATE, 2, &err);
	int ready[2], go[2], status;
	int64_t start;
	char byte;
	pid_t pid;

	db_close(db);
	is_int(pipe(ready) | pipe(go), 0, "pipes");
	pid = fork();
	if (!pid) {
		db = open_with("b.db", DB_WRITE, 2, NULL);
		if (!db || db_begin(db, NULL) || insert(db, "slow") ||
		    write(ready[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		usleep(300000);
		_exit(db_commit(db, NULL) != 0);
	}
	ok(read(ready[0], &byte, 1) == 1, "another process writes");
	db = open_with("b.db", DB_WRITE, 2, &err);
	is_int(count(db), 0, "a reader does not wait, and sees the state before");
	start = clock_ms();
	ok(write(go[1], "x", 1) == 1, "it goes on for a while");
	is_int(insert(db, "waiting"), 0, "a writer waits");
	ok(clock_ms() - start >= 100, "until the other has committed");
	is_int(count(db), 2, "both rows");
	waitpid(pid, &status, 0);
	is_int(status, 0, "the other did well");
	db_close(db);
}

/* A store is whole for all who open it while one makes it. */
static void test_creation(void)
{
	enum { ROUNDS = 40, PROCESSES = 6 };
	int failures = 0, status;

	for (int round = 0; round < ROUNDS; round++) {
		char name[32];
		int start[2];

		snprintf(name, sizeof(name), "new%d.db", round);
		if (pipe(start))
			break;
		for (int p = 0; p < PROCESSES; p++) {
			struct mlp_error err = MLP_ERROR_INIT;
			char byte;

			if (fork())
				continue;
			close(start[1]);
			if (read(start[0], &byte, 1) == 0 &&
			    open_with(name, DB_CREATE | DB_RELAXED, 2, &err))
				_exit(0);
			fprintf(stderr, "# %s\n", err.text);
			_exit(1);
		}
		close(start[0]);
		close(start[1]);
		for (int p = 0; p < PROCESSES; p++) {
			wait(&status);
			failures += status != 0;
		}
	}
	is_int(failures, 0, "made by several at once");
}

/* All make the store at once, and write. */
static void test_many(void)
{
	enum { PROCESSES = 24, ROWS = 20 };
	struct mlp_error err = MLP_ERROR_INIT;
	int failures = 0, status;
	struct db *db;

	for (int p = 0; p < PROCESSES; p++) {
		if (fork())
			continue;
		db = open_with("many.db", DB_CREATE | DB_RELAXED, 2, &err);
		if (!db)
			fprintf(stderr, "# %s\n", err.text);
		for (int i = 0; db && i < ROWS; i++)
			if (db_exec(db, &err, "INSERT INTO t(v) VALUES('x')", "")) {
				fprintf(stderr, "# %s\n", err.text);
				_exit(1);
			}
		_exit(!db);
	}
	for (int p = 0; p < PROCESSES; p++) {
		wait(&status);
		failures += status != 0;
	}
	is_int(failures, 0, "no process failed");
	db = open_with("many.db", DB_READ, 2, &err);
	is_int(db ? count(db) : -1, PROCESSES * ROWS, "all rows");
	is_int(db_check(db, &err), 0, "sound");
	is_int(db_exec(db, &err, "INSERT INTO t(v) VALUES('x')", ""), MLP_EREADONLY,
	       "a reader cannot write: %s", err.text);
	db_close(db);
}

/* Killed in the middle of transactions: what was committed is there. */
static void test_killed(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = open_with("k.db", DB_CREATE, 2, &err);
	int acknowledged = 0;

	db_close(db);
	for (int round = 0; round < 5; round++) {
		int ready[2], status;
		char bytes[4096];
		ssize_t n;
		pid_t pid;

		if (pipe(ready))
			return;
		pid = fork();
		if (!pid) {
			close(ready[0]);
			db = open_with("k.db", DB_WRITE | DB_RELAXED, 2, NULL);
			while (db && !insert(db, "k") && write(ready[1], "x", 1) == 1)
				;
			_exit(1);
		}
		close(ready[1]);
		ok(read(ready[0], bytes, 1) == 1, "round %d", round);
		usleep(3000 + 1700 * (unsigned)round);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		acknowledged++;
		while ((n = read(ready[0], bytes, sizeof(bytes))) > 0)
			acknowledged += (int)n;
		close(ready[0]);
	}
	db = open_with("k.db", DB_READ, 2, &err);
	ok(count(db) >= acknowledged && count(db) <= acknowledged + 5, "%d acknowledged, %d there",
	   acknowledged, (int)count(db));
	is_int(db_check(db, &err), 0, "sound");
	db_close(db);
}

/* Writes that the system refuses: the transaction is gone, the store stays. */
static void test_full(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = open_with("f.db", DB_CREATE, 2, &err);
	struct rlimit limit, small;
	int r = 0;

	insert(db, "before");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small = limit;
	small.rlim_cur = 200000;
	setrlimit(RLIMIT_FSIZE, &small);
	is_int(db_begin(db, &err), 0, "begin");
	for (int i = 0; !r && i < 10000; i++)
		r = db_exec(db, &err, "INSERT INTO t(b) VALUES(randomblob(4000))", "");
	if (!r)
		r = db_commit(db, &err);
	else
		db_rollback(db);
	setrlimit(RLIMIT_FSIZE, &limit);
	is_int(r, MLP_ESYSTEM, "refused: %s", err.text);
	is_int(count(db), 1, "the row before is there");
	is_int(insert(db, "after"), 0, "the handle can go on");
	is_int(db_check(db, &err), 0, "sound");
	db_close(db);
}

/* An error that undoes all levels: nothing may be begun before the outermost one has ended. */
static void test_lost(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = open_with("l.db", DB_CREATE, 2, &err);
	int64_t pages = 0;

	db_get_int(db, &pages, &err, "PRAGMA max_page_count(50)", "");
	is_int(db_begin(db, &err), 0, "begin");
	is_int(insert(db, "lost"), 0, "a row");
	is_int(db_begin(db, &err), 0, "begin inside");
	ok(!db_txn_lost(db), "the transaction is there");
	is_int(db_exec(db, &err, "INSERT INTO t(b) VALUES(zeroblob(1000000))", ""), MLP_EFULL,
	       "there is no room");
	db_rollback(db);
	ok(db_txn_lost(db), "the transaction is gone");
	ok(db_begin(db, &err) != 0, "nothing is begun inside");
	ok(db_commit(db, &err) != 0, "nor committed");
	is_int(count(db), 0, "the row is not there");
	ok(!db_txn_lost(db), "the handle can go on");
	is_int(insert(db, "after"), 0, "so it does");
	db_close(db);
}

/* A process that may only read the store and its folder, and counts rows when told to. */
struct reader {
	int to, from;
	pid_t pid;
};

static void reader_run(int in, int out)
{
	struct db *db = NULL;
	char byte;

	if (!geteuid() && setuid(65534))
		_exit(1);
	if (db_open(&db, "r/r.db", DB_READ, NULL))
		_exit(1);
	while (read(in, &byte, 1) == 1) {
		int64_t n = count(db);

		if (write(out, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
	_exit(0);
}

static struct reader reader_start(void)
{
	int to[2], from[2];
	struct reader r = { -1, -1, -1 };

	if (pipe(to) || pipe(from))
		return r;
	r = (struct reader){ to[1], from[0], fork() };
	if (!r.pid) {
		close(to[1]);
		reader_run(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	return r;
}

static int64_t reader_count(const struct reader *r)
{
	int64_t n = -1;

	if (write(r->to, "x", 1) != 1 || read(r->from, &n, sizeof(n)) != sizeof(n))
		return -1;
	return n;
}

static void reader_stop(const struct reader *r)
{
	close(r->to);
	close(r->from);
	waitpid(r->pid, NULL, 0);
}

/* With an empty WAL the file alone is the store, but not for long while its owner writes. */
static void test_read_only(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct reader reader;
	struct db *db;
	int64_t n;

	signal(SIGPIPE, SIG_IGN);
	ok(!mkdir("r", 0755) && !chmod(".", 0755), "a folder");
	db = open_with("r/r.db", DB_CREATE, 2, &err);
	is_int(insert(db, "one"), 0, "a row");
	is_int(db_get_int(db, &n, &err, "PRAGMA wal_checkpoint(TRUNCATE)", ""), 0, "an empty WAL");
	chmod("r", 0555);
	reader = reader_start();
	is_int(reader_count(&reader), 1, "read by who may not write");
	is_int(insert(db, "two"), 0, "another row");
	is_int(reader_count(&reader), 2, "is seen by it");
	reader_stop(&reader);
	is_int(db_get_int(db, &n, &err, "PRAGMA wal_checkpoint(TRUNCATE)", ""), 0, "all in the file");
	chmod("r", 0755);
	db_close(db);
	unlink("r/r.db-wal");
	unlink("r/r.db-shm");
	chmod("r", 0555);
	reader = reader_start();
	is_int(reader_count(&reader), 2, "read where nobody writes, without a WAL");
	reader_stop(&reader);
	chmod("r", 0755);
}

/* Errors keep their code on the way out, also those of statements that cannot be made. */
static void test_codes(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db;
	int64_t n;
	FILE *f = fopen("x.db", "w");

	for (int i = 0; i < 4096; i++)
		fputc('x', f);
	fclose(f);
	is_int(db_open(&db, "x.db", DB_FOREIGN, &err), 0, "opened, not read");
	is_int(db_exec(db, &err, "SELECT * FROM sqlite_schema", ""), MLP_ECORRUPT, "no database");
	is_int(db_get_int(db, &n, &err, "SELECT 1 FROM sqlite_schema", ""), MLP_ECORRUPT, "nor here");
	db_close(db);
}

int main(void)
{
	char *folder = tap_folder();

	plan_lazy();
	if (chdir(folder))
		return 1;
	test_migration();
	test_other_files();
	test_nesting();
	test_values();
	test_busy();
	test_creation();
	test_many();
	test_killed();
	test_full();
	test_lost();
	test_read_only();
	test_codes();
	path_remove_tree(folder);
	free(folder);
	return done_testing();
}
