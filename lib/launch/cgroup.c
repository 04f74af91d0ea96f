/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

enum { PATH_BYTES_MAX = 4096, PROCS_BYTES_MAX = 1 << 20 };

/* Where the second version is mounted, or NULL; MLP_CGROUP_ROOT is for the tests. */
static const char *find_root(void)
{
	const char *places[] = { getenv("MLP_CGROUP_ROOT"), "/sys/fs/cgroup",
				 "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i] && !statfs(places[i], &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
			return places[i];
	return NULL;
}

/* Our own group's folder: the line "0::/path" of /proc/self/cgroup. */
static char *own_folder(const char *root)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_release_(strvec_release) struct strvec lines = STRVEC_INIT;

	if (file_read("/proc/self/cgroup", PATH_BYTES_MAX, &text))
		return NULL;
	strvec_split(&lines, text.buf, '\n');
	for (size_t i = 0; i < lines.len; i++)
		if (!strncmp(lines.v[i], "0::/", 4))
			return path_join(root, lines.v[i] + 4);
	return NULL;
}

static bool note(const char *record, const char *path)
{
	_cleanup_close_ int fd = open(record, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	return fd >= 0 && !file_write_all(fd, path, strlen(path));
}

void cgroup_make(struct cgroup *group, const char *uuid, int attempt, const char *record)
{
	const char *root = find_root();
	_cleanup_free_ char *own = root ? own_folder(root) : NULL;
	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *path = NULL;

	if (!own || access(own, W_OK))
		return;
	name = xasprintf("mlp-%s-%d", uuid, attempt);
	path = path_join(own, name);
	/* Noted before it is there, so that one of a killed supervisor is found. */
	if (!note(record, path) || mkdir(path, 0755))
		return;
	group->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	group->path = steal_ptr(&path);
}

void cgroup_release(struct cgroup *group)
{
	if (group->fd >= 0)
		close(group->fd);
	if (group->path)
		rmdir(group->path);
	free(group->path);
	*group = (struct cgroup)CGROUP_INIT;
}

pid_t cgroup_fork(const struct cgroup *group)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD,
				   .cgroup = (uint64_t)group->fd };
	long pid = group->fd >= 0 ? syscall(SYS_clone3, &args, sizeof(args)) : -1;

	/* The group may be ours to make, but not to enter (EACCES), or the kernel old. */
	return pid < 0 ? fork() : (pid_t)pid;
}

static char *read_record(const char *record)
{
	struct strbuf path = STRBUF_INIT;

	if (!file_read(record, PATH_BYTES_MAX, &path) && path.len)
		return strbuf_detach(&path);
	strbuf_release(&path);
	return NULL;
}

void cgroup_list(const char *record, struct cgroup_pids *out)
{
	_cleanup_free_ char *path = read_record(record);
	_cleanup_free_ char *procs = path ? path_join(path, "cgroup.procs") : NULL;
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_release_(strvec_release) struct strvec lines = STRVEC_INIT;

	if (!procs || file_read(procs, PROCS_BYTES_MAX, &text))
		return;
	strvec_split(&lines, text.buf, '\n');
	for (size_t i = 0; i < lines.len; i++) {
		int64_t pid;

		if (text_parse_int(lines.v[i], &pid) && pid > 1)
			vec_push(out, (pid_t)pid);
	}
}

void cgroup_remove(const char *record)
{
	_cleanup_free_ char *path = read_record(record);

	/* Only ever a group of this name, whatever the file says. */
	if (path && !strncmp(path_basename(path), "mlp-", 4))
		rmdir(path);
}
