/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/util/clock.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

enum { SILENCE_MS = 120000 }; /* where there is no lock to look at */

static struct utsname names; /* the same for the life of the process */

static void read_names(void)
{
	if (uname(&names))
		names.nodename[0] = '\0';
}

const char *live_host(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_names);
	return names.nodename[0] ? names.nodename : "localhost";
}

char *live_path(const struct repo *repo, const char *uuid, const char *file)
{
	return file ? xasprintf("%s/runs/%s/%s", repo->dir, uuid, file) :
		      xasprintf("%s/runs/%s", repo->dir, uuid);
}

/* The number of this process's PID namespace; 0: not known. */
static int64_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : (int64_t)st.st_ino;
}

int live_hold(const struct repo *repo, const char *uuid, struct mlp_error *err)
{
	_cleanup_free_ char *dir = live_path(repo, uuid, NULL);
	_cleanup_free_ char *path = path_join(dir, "lock");
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_close_ int fd = -1;
	char pid[48];
	int n, r = path_mkdirs(dir, 0777);

	if (r)
		return mlp_error_errno(err, r, "cannot make folder '%s'", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot open '%s'", path);
	if (fcntl(fd, F_OFD_SETLK, &lock)) {
		if (errno == EAGAIN || errno == EACCES)
			return mlp_error_set(err, MLP_EBUSY, "run '%s' is supervised already", uuid);
		return mlp_error_errno(err, errno, "cannot lock '%s'", path);
	}
	n = snprintf(pid, sizeof(pid), "%d\n%" PRId64 "\n", (int)getpid(), pid_namespace());
	if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n)
		return mlp_error_errno(err, errno, "cannot write '%s'", path);
	return steal_fd(&fd);
}

struct holder {
	bool there;	   /* the lock's file: a supervisor that has stored the end takes it
			    * away, and only then gives the lock up */
	int64_t pid;	   /* -1: not written yet; 0: nobody holds it */
	int64_t namespace; /* of that pid; 0: not known */
};

static struct holder read_lock(const struct repo *repo, const char *uuid)
{
	_cleanup_free_ char *path = live_path(repo, uuid, "lock");
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct holder holder = { .there = fd >= 0 };
	struct stat st;
	char text[48], *second;
	ssize_t n;

	if (fd < 0)
		return holder;
	if (fcntl(fd, F_OFD_GETLK, &lock) || lock.l_type == F_UNLCK) {
		holder.there = !fstat(fd, &st) && st.st_nlink > 0;
		return holder;
	}
	holder.pid = -1;
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0 || text[n - 1] != '\n')
		return holder;
	text[n - 1] = '\0';
	second = strchr(text, '\n');
	if (second)
		*second++ = '\0';
	if (!text_parse_int(text, &holder.pid) || holder.pid <= 0 || holder.pid > INT_MAX)
		holder.pid = -1;
	if (second)
		text_parse_int(second, &holder.namespace);
	return holder;
}

pid_t live_holder(const struct repo *repo, const char *uuid)
{
	return (pid_t)read_lock(repo, uuid).pid;
}

bool live_is_near(const struct repo *repo, const char *uuid)
{
	int64_t there = read_lock(repo, uuid).namespace, here = pid_namespace();

	return !there || !here || there == here;
}

void live_forget(const struct repo *repo, const char *uuid)
{
	_cleanup_free_ char *path = live_path(repo, uuid, "lock");

	unlink(path);
}

enum run_status live_status(const struct repo *repo, const struct run *run)
{
	if (run->status != RUN_RUNNING || !run->heartbeat_ms || !run->host)
		return run->status;
	if (!strcmp(run->host, live_host())) {
		struct holder holder = read_lock(repo, run->uuid);

		if (holder.pid)
			return RUN_RUNNING;
		if (holder.there)
			return RUN_LOST;
	}
	return clock_ms() - run->heartbeat_ms > SILENCE_MS ? RUN_LOST : RUN_RUNNING;
}

int64_t live_touched(const struct repo *repo, const char *uuid)
{
	_cleanup_free_ char *path = live_path(repo, uuid, NULL);
	DIR *dir = opendir(path);
	int64_t last = 0;
	struct dirent *e;
	struct stat st;

	if (!dir)
		return 0;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' &&
		    !fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			last = MAX(last, st.st_mtim.tv_sec * INT64_C(1000) +
						 st.st_mtim.tv_nsec / 1000000);
	closedir(dir);
	return MIN(last, clock_ms());
}

int64_t live_last_seen(const struct repo *repo, const struct run *run)
{
	int64_t touched = 0;

	if (run->host && !strcmp(run->host, live_host()))
		touched = live_touched(repo, run->uuid);
	return MAX(run->heartbeat_ms, touched);
}
