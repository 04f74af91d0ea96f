/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/xalloc.h"
#include "t/unit/tap.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/launch/proctree.h"

static void test_parse(void)
{
	static const char text[] =
		"4242 (a) b (c) S 17 4242 4242 0 -1 4194304 100 0 0 0 150 50 30 20 20 0 1 0 987654 "
		"1000000 250 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n";
	long tick = sysconf(_SC_CLK_TCK);
	struct proc_stat st;

	ok(proc_stat_parse(text, &st), "a name with brackets and blanks");
	is_int(st.parent, 17, "parent");
	is_int(st.state, 'S', "state");
	is_int(st.cpu_ms, 200 * 1000 / tick, "processor time");
	is_int(st.children_ms, 50 * 1000 / tick, "of ended children");
	is_int((int64_t)st.start, 987654, "start");
	is_int(st.rss_bytes, 250 * sysconf(_SC_PAGESIZE), "memory");
	ok(!proc_stat_parse("", &st), "nothing");
	ok(!proc_stat_parse("1 (x) S 1 2", &st), "cut off");
	ok(!proc_stat_parse("1 (x", &st), "no end of the name");
}

static bool has(const struct pids *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->len; i++)
		if (pids->v[i] == pid)
			return true;
	return false;
}

/* A child with a child of its own, whose pid comes by the pipe. */
static pid_t start_two(pid_t *below)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		pid_t inner = fork();

		if (inner && write(fds[1], &inner, sizeof(inner)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	ok(read(fds[0], below, sizeof(*below)) == sizeof(*below), "two processes");
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void test_tree(void)
{
	struct pids pids = { 0 };
	struct proc_stat st;
	pid_t below = 0, pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = start_two(&below);
	proctree_list(getpid(), &pids);
	is_int((int64_t)pids.len, 2, "both are found");
	ok(has(&pids, pid) && has(&pids, below), "they are these");
	pids.len = 0;
	proctree_list(pid, &pids);
	ok(pids.len == 1 && pids.v[0] == below, "below the child, its own");
	ok(proc_stat_read(below, &st) && st.parent == pid, "its parent");
	is_int((int64_t)proctree_signal(getpid(), SIGKILL), 2, "both are signalled");
	waitpid(pid, NULL, 0);
	waitpid(below, NULL, 0);
	ok(!proc_stat_read(pid, &st) && !proc_stat_read(below, &st), "gone");
	vec_free(&pids);
}

static void test_variable(void)
{
	struct proc_ids ids = { 0 };
	_cleanup_free_ char *value = xasprintf("this one %d", (int)getpid());
	_cleanup_free_ char *assignment = xasprintf("U_PROCTREE=%s", value);
	pid_t pid = fork();

	if (!pid) {
		setenv("U_PROCTREE", value, 1);
		execlp("sleep", "sleep", "60", (char *)NULL);
		_exit(1);
	}
	for (int i = 0; i < 500 && !ids.len; i++) {
		usleep(10000);
		proc_find_by_variable(assignment, &ids);
	}
	ok(ids.len == 1 && ids.v[0].pid == pid && ids.v[0].start, "found by its environment");
	ids.len = 0;
	proc_find_by_variable("U_PROCTREE=this", &ids);
	is_int((int64_t)ids.len, 0, "the whole value counts");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	vec_free(&ids);
}

int main(void)
{
	plan_lazy();
	test_parse();
	test_tree();
	test_variable();
	return done_testing();
}
