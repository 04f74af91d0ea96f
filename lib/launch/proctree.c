/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/proctree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

enum { ENVIRON_MAX = 4 << 20 };

/* A short file of /proc into buf as a string; its length or -1. */
static ssize_t read_small(const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return (ssize_t)len;
}

/* The pid that a folder of /proc is named after, or 0. */
static pid_t pid_of(const struct dirent *d)
{
	int64_t pid;

	return text_parse_int(d->d_name, &pid) && pid > 0 ? (pid_t)pid : 0;
}

static void add_numbers(const char *s, struct pids *out)
{
	char *end;

	for (long v; (v = strtol(s, &end, 10)) > 0 && end != s; s = end)
		vec_push(out, (pid_t)v);
}

/* Appends the children of all threads of pid; false where the kernel does not list them. */
static bool add_children(pid_t pid, struct pids *out)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char path[64];
	struct dirent *d;
	bool listed = true;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT || errno == ESRCH;
	while ((d = readdir(dir))) {
		int r;

		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.11s/children", (int)pid, d->d_name);
		strbuf_clear(&text);
		r = file_read(path, 1 << 20, &text);
		if (r == -ENOENT && pid == getpid())
			listed = false;
		if (!r)
			add_numbers(text.buf, out);
	}
	closedir(dir);
	return listed;
}

bool proc_is_ending(pid_t pid)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const char *state, *pending;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read(path, 1 << 16, &text))
		return true;
	state = strstr(text.buf, "\nState:\t");
	pending = strstr(text.buf, "\nShdPnd:\t");
	return (state && strchr("ZX", state[8])) ||
	       (pending && strtoull(pending + 9, NULL, 16) >> (SIGKILL - 1) & 1);
}

struct parentage {
	pid_t pid, parent;
};

/* The same by reading every process there is. */
static void list_by_scan(pid_t root, struct pids *out)
{
	VEC(struct parentage) all = VEC_INIT;
	size_t first = out->len;
	DIR *dir = opendir("/proc");
	struct dirent *d;
	pid_t parent = root;

	while (dir && (d = readdir(dir))) {
		struct parentage p = { pid_of(d), 0 };
		struct proc_stat st;

		if (p.pid <= 0 || !proc_stat_read(p.pid, &st))
			continue;
		p.parent = st.parent;
		vec_push(&all, p);
	}
	if (dir)
		closedir(dir);
	for (size_t next = first;; parent = out->v[next++]) {
		for (size_t i = 0; i < all.len; i++)
			if (all.v[i].parent == parent)
				vec_push(out, all.v[i].pid);
		if (next >= out->len)
			break;
	}
	vec_free(&all);
}

void proctree_list(pid_t root, struct pids *out)
{
	size_t first = out->len;

	if (!add_children(root, out)) {
		out->len = first;
		list_by_scan(root, out);
		return;
	}
	for (size_t i = first; i < out->len; i++)
		add_children(out->v[i], out);
}

static int by_number(const void *a, const void *b)
{
	return *(const pid_t *)a < *(const pid_t *)b ? -1 : *(const pid_t *)a > *(const pid_t *)b;
}

/* A process that its parent waited for since the list was made may have left its pid to
 * another: the one that is held now must have its parent among the sorted ones. */
static void signal_one(pid_t pid, pid_t root, const struct pids *sorted, int sig)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct proc_stat st;

	if (fd < 0 && errno == ESRCH)
		return;
	if (!proc_stat_read(pid, &st) ||
	    (st.parent != root &&
	     !bsearch(&st.parent, sorted->v, sorted->len, sizeof(*sorted->v), by_number)))
		return;
	if (fd >= 0)
		syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	else
		kill(pid, sig); /* an old kernel, or no descriptor left */
}

size_t proctree_signal(pid_t root, int sig)
{
	struct pids pids = { 0 }, sorted = { 0 };
	size_t n;

	proctree_list(root, &pids);
	for (size_t i = 0; i < pids.len; i++)
		vec_push(&sorted, pids.v[i]);
	if (sorted.len)
		qsort(sorted.v, sorted.len, sizeof(*sorted.v), by_number);
	for (size_t i = 0; i < pids.len; i++)
		signal_one(pids.v[i], root, &sorted, sig);
	n = pids.len;
	vec_free(&pids);
	vec_free(&sorted);
	return n;
}

bool proc_stat_parse(const char *text, struct proc_stat *out)
{
	/* The name in the second field may hold blanks and brackets. */
	const char *p = strrchr(text, ')');
	unsigned long long field[22] = { 0 }; /* of 4 (parent) to 24 (rss) */
	long tick = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
	char *end;

	if (!p || p[1] != ' ' || !p[2] || p[3] != ' ')
		return false;
	out->state = p[2];
	p += 4;
	for (int i = 4; i <= 24; i++, p = end) {
		field[i - 4] = strtoull(p, &end, 10);
		if (end == p)
			return false;
	}
	out->parent = (pid_t)field[0];
	out->cpu_ms = (int64_t)((field[10] + field[11]) * 1000 / (unsigned long)tick);
	out->children_ms = (int64_t)((field[12] + field[13]) * 1000 / (unsigned long)tick);
	out->start = field[18];
	out->rss_bytes = (int64_t)field[20] * page;
	return true;
}

bool proc_stat_read(pid_t pid, struct proc_stat *out)
{
	char path[32], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return read_small(path, text, sizeof(text)) > 0 && proc_stat_parse(text, out);
}

bool proc_io_read(pid_t pid, int64_t *read_bytes, int64_t *write_bytes)
{
	char path[32], text[512];
	const char *r, *w;

	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	if (read_small(path, text, sizeof(text)) <= 0)
		return false;
	r = strstr(text, "\nread_bytes: ");
	w = strstr(text, "\nwrite_bytes: ");
	if (!r || !w)
		return false;
	*read_bytes = strtoll(r + 13, NULL, 10);
	*write_bytes = strtoll(w + 14, NULL, 10);
	return true;
}

/* True when one of the NUL-separated strings is the assignment. */
static bool has_assignment(const struct strbuf *env, const char *assignment)
{
	for (const char *p = env->buf, *end = p + env->len; p < end; p += strlen(p) + 1)
		if (!strcmp(p, assignment))
			return true;
	return false;
}

void proc_find_by_variable(const char *assignment, struct proc_ids *out)
{
	_release_(strbuf_release) struct strbuf env = STRBUF_INIT;
	DIR *dir = opendir("/proc");
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		struct proc_id id = { pid_of(d), 0 };
		struct proc_stat before, after;
		struct stat st;
		char path[32];

		snprintf(path, sizeof(path), "/proc/%d/environ", (int)id.pid);
		if (id.pid <= 0 || stat(path, &st) || st.st_uid != geteuid() ||
		    !proc_stat_read(id.pid, &before))
			continue;
		strbuf_clear(&env);
		if (file_read(path, ENVIRON_MAX, &env) || !has_assignment(&env, assignment))
			continue;
		/* The same process before and after, so it is the one that was read. */
		if (!proc_stat_read(id.pid, &after) || after.start != before.start ||
		    after.state == 'Z')
			continue;
		id.start = after.start;
		vec_push(out, id);
	}
	if (dir)
		closedir(dir);
}
