/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of run_command and attempt; arguments as blobs and as lines for a shell. */
#include "config.h"

#include <string.h>

#include "lib/track/attempt.h"
#include "lib/track/command.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/path.h"
#include "t/unit/tap.h"

static struct mlp_error err;

static void is_quoted(const char *arg, const char *want)
{
	struct strvec argv = STRVEC_INIT;
	struct strbuf text = STRBUF_INIT;

	strvec_push(&argv, "x");
	strvec_push(&argv, arg);
	argv_add_quoted(&text, &argv);
	is_str(text.buf + 2, want, "quoted");
	strbuf_release(&text);
	strvec_release(&argv);
}

static void test_quoting(void)
{
	struct strvec argv = STRVEC_INIT;
	struct strbuf text = STRBUF_INIT;

	is_quoted("--lr=0.1", "--lr=0.1");
	is_quoted("", "''");
	is_quoted("a b", "'a b'");
	is_quoted("it's", "'it'\\''s'");
	is_quoted("a\nb\x1b", "$'a\\nb\\033'");
	is_quoted("~", "'~'");
	is_quoted("\xc3\xa9", "'\xc3\xa9'");
	strvec_push(&argv, "a=b");
	argv_add_quoted(&text, &argv);
	is_str(text.buf, "'a=b'", "a first word is no assignment");
	strbuf_release(&text);
	strvec_release(&argv);
}

static void test_blob(void)
{
	struct strvec out = STRVEC_INIT;

	is_int(argv_decode("a\0\0b", 5, &out, &err), 0, "decoded");
	is_int((int64_t)out.len, 3, "three arguments, one of them empty");
	is_str(out.v[2], "b", "the last one");
	is_int(argv_decode("a\0b", 3, &out, &err), MLP_ECORRUPT, "one without an end");
	is_int(argv_decode("", 0, &out, &err), 0, "none");
	strvec_release(&out);
}

static void test_command(struct db *db, int64_t run)
{
	struct run_command c = RUN_COMMAND_INIT, got = RUN_COMMAND_INIT;

	is_int(run_command_get(db, run, &got, &err), MLP_ENOTFOUND, "no row yet");
	strvec_push(&c.argv, "train");
	strvec_push(&c.argv, "--lr=0.1");
	strvec_push(&c.argv_template, "train");
	strvec_push(&c.argv_template, "--lr={lr}");
	c.cwd = xstrdup("/w");
	c.project_dir = xstrdup(".");
	c.has_seed = true;
	c.seed = -7;
	is_int(run_command_put(db, run, &c, &err), 0, "put");
	c.seed = 8;
	is_int(run_command_put(db, run, &c, &err), 0, "replaced");
	is_int(run_command_set_stdin(db, run, "abc", 3, &err), 0, "stdin");
	is_int(run_command_get(db, run, &got, &err), 0, "get");
	is_str(got.argv.v[1], "--lr=0.1", "argv");
	is_str(got.argv_template.v[1], "--lr={lr}", "template");
	ok(got.has_seed && got.seed == 8, "seed");
	is_str(got.options, "{}", "options are an object");
	is_str(got.stdin_sha256, "abc", "hash of stdin");
	is_int(got.stdin_bytes, 3, "bytes of stdin");
	run_command_release(&c);
	run_command_release(&got);
}

static void test_attempts(struct db *db, int64_t run)
{
	struct attempt_new first = { "host", "boot", 10, 1000 };
	struct attempt_end end = ATTEMPT_END_INIT;
	struct attempts list = { 0 };
	int64_t id;
	int number;

	is_int(attempt_start(db, run, &first, &id, &number, &err), 0, "start");
	is_int(number, 1, "the first one");
	is_int(attempt_child(db, id, 11, &err), 0, "child");
	end.exit_code = 0;
	end.user_ms = 5;
	end.ended_ms = 2000;
	is_int(attempt_end(db, id, &end, &err), 0, "end");
	is_int(attempt_start(db, run, &first, &id, &number, &err), 0, "start again");
	is_int(number, 2, "the second one");
	is_int(attempts_get(db, run, &list, &err), 0, "get");
	is_int((int64_t)list.len, 2, "two");
	is_int(list.v[0].exit_code, 0, "code 0 is not none");
	is_int(list.v[0].user_ms, 5, "user time");
	is_int(list.v[0].system_ms, -1, "system time is not known");
	is_int(list.v[0].child_pid, 11, "pid");
	is_int(list.v[1].exit_code, -1, "the second has no code yet");
	is_int(list.v[1].ended_ms, 0, "and no end");
	attempts_release(&list);
}

int main(void)
{
	struct repo repo = REPO_INIT;
	struct run_new new_run = { .name = "r" };
	struct db *db = NULL;
	char *dir;
	int64_t run = 0;
	bool made;

	plan_lazy();
	dir = tap_folder();
	ok(!repo_create(dir, &made, &err) && !repo_open_at(&repo, dir, &err) &&
		   !track_open(&db, &repo, DB_CREATE, &err) &&
		   !run_create(db, &new_run, &run, NULL, &err),
	   "a project with a run");
	test_quoting();
	test_blob();
	test_command(db, run);
	test_attempts(db, run);
	db_close(db);
	repo_release(&repo);
	path_remove_tree(dir);
	free(dir);
	return done_testing();
}
