/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/launch/inlet.h"
#include "lib/track/attempt.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "t/unit/tap.h"

static struct mlp_error err;

struct place {
	struct db *db;
	int64_t run, attempt;
	struct inlet in;
	int fd; /* the command's */
};

static void place_init(struct place *p, struct db *db, const char *folder, const char *name)
{
	const struct attempt_new n = { .host = "here", .boot_id = "" };
	_cleanup_free_ char *path = path_join(folder, name);
	int number;

	*p = (struct place){ .db = db, .in = INLET_INIT, .fd = -1 };
	if (run_create(db, &(struct run_new){ 0 }, &p->run, NULL, &err) ||
	    attempt_start(db, p->run, &n, &p->attempt, &number, &err) ||
	    inlet_create(&p->in, path, &p->fd, &err))
		ok(false, "cannot begin: %s", err.text);
}

static void place_release(struct place *p)
{
	inlet_release(&p->in);
	close(p->fd);
}

static void say(struct place *p, const char *text)
{
	if (file_write_all(p->fd, text, strlen(text)))
		ok(false, "cannot write");
}

static int take(struct place *p, bool at_end)
{
	return inlet_take(&p->in, p->db, p->run, p->attempt, at_end, &err);
}

static int64_t number(struct place *p, const char *sql, int64_t id)
{
	int64_t n = 0;

	db_get_int(p->db, &n, NULL, sql, "i", id);
	return n;
}

static int64_t points(struct place *p)
{
	return number(p, "SELECT sum(points) FROM metric WHERE run_id = ?1", p->run);
}

static int64_t offset(struct place *p)
{
	return number(p, "SELECT metrics_offset FROM attempt WHERE id = ?1", p->attempt);
}

/* A constraint that is looked at when all else is done. */
static void fail_commits(struct db *db)
{
	if (db_exec(db, &err, "CREATE TABLE late(run INTEGER REFERENCES run(id)"
			      " DEFERRABLE INITIALLY DEFERRED)", "") ||
	    db_exec(db, &err, "CREATE TRIGGER fail AFTER UPDATE OF metrics_offset ON attempt"
			      " BEGIN INSERT INTO late VALUES(1000000); END", ""))
		ok(false, "%s", err.text);
}

static void test_failed_commit(struct db *db, const char *folder)
{
	static const char lines[] = "{\"a\": 1}\n{\"a\": 2, \"b\": 3}\n";
	struct place p;

	place_init(&p, db, folder, "commit");
	fail_commits(db);
	say(&p, lines);
	ok(take(&p, false) < 0, "the commit fails at its end: %s", err.text);
	is_int(points(&p), 0, "nothing is stored");
	is_int(offset(&p), 0, "the place neither");
	ok(take(&p, false) < 0, "nor the second time");
	db_exec(db, &err, "DROP TRIGGER fail", "");
	ok(!take(&p, false), "then it can be written");
	is_int(points(&p), 3, "and all points are there, once");
	is_int(offset(&p), (int64_t)strlen(lines), "with the place they end at");
	place_release(&p);
}

static void test_much(struct db *db, const char *folder)
{
	enum { LINES = 1000, ROUNDS = 700 }; /* ten bytes each */
	_release_(strbuf_release) struct strbuf lines = STRBUF_INIT;
	struct place p;
	int calls = 1;

	place_init(&p, db, folder, "much");
	for (int i = 0; i < LINES; i++)
		strbuf_addstr(&lines, "{\"a\": 11}\n");
	for (int i = 0; i < ROUNDS; i++)
		say(&p, lines.buf);
	ok(!take(&p, false) && p.in.more, "a large file is not read at once");
	ok(points(&p) > 0 && points(&p) < LINES * ROUNDS, "but a part of it");
	for (; p.in.more && calls < 100; calls++)
		if (take(&p, false))
			break;
	is_int(points(&p), LINES * ROUNDS, "and all of it in %d calls", calls);
	for (int i = 0; i < ROUNDS; i++)
		say(&p, lines.buf);
	ok(!take(&p, true), "at the end");
	is_int(points(&p), 2 * LINES * ROUNDS, "in one");
	place_release(&p);
}

static bool log_has(const char *path, const char *text)
{
	_release_(strbuf_release) struct strbuf log = STRBUF_INIT;

	return !file_read(path, 1 << 20, &log) && memmem(log.buf, log.len, text, strlen(text));
}

static void test_full_log(struct db *db, const char *folder)
{
	_cleanup_free_ char *path = path_join(folder, "log");
	_cleanup_(runlog_writer_close) struct runlog_writer *log = NULL;
	struct rlimit old, none = { 0 };
	struct place p;

	place_init(&p, db, folder, "odd");
	ok(!runlog_create(&log, path, 0, &err), "a log");
	p.in.log = log;
	say(&p, "an odd line\n");
	getrlimit(RLIMIT_FSIZE, &old);
	none.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &none);
	take(&p, false);
	setrlimit(RLIMIT_FSIZE, &old);
	ok(!log_has(path, "an odd line"), "that cannot be written");
	ok(!take(&p, false) && log_has(path, "an odd line"), "has the line when it can");
	place_release(&p);
}

int main(void)
{
	_cleanup_free_ char *folder = tap_folder();
	_release_(repo_release) struct repo repo = REPO_INIT;
	_cleanup_(db_close) struct db *db = NULL;
	bool made;

	plan_lazy();
	signal(SIGXFSZ, SIG_IGN);
	if (repo_create(folder, &made, &err) || repo_open_at(&repo, folder, &err) ||
	    track_open(&db, &repo, DB_CREATE | DB_RELAXED, &err)) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	test_failed_commit(db, folder);
	test_much(db, folder);
	test_full_log(db, folder);
	path_remove_tree(folder);
	return done_testing();
}
