/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "lib/util/path.h"

enum { IOPRIO_WHO_PROCESS_ = 1, IOPRIO_IDLE = 3 << 13, NICE = 10 };

/* Descriptors of both sides while the child is being made. */
struct ends {
	struct child ours;
	int in, out, err; /* the child's */
	int report[2];	  /* errno of a failed start; closes on exec */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void child_release(struct child *child)
{
	/* One pseudo-terminal may be both input and output. */
	if (child->in == child->out)
		child->in = -1;
	close_fd(&child->in);
	close_fd(&child->out);
	close_fd(&child->err);
}

static void ends_release(struct ends *e)
{
	child_release(&e->ours);
	if (e->in == e->out)
		e->in = -1;
	close_fd(&e->in);
	close_fd(&e->out);
	close_fd(&e->err);
	close_fd(&e->report[0]);
	close_fd(&e->report[1]);
}

void child_resize(const struct child *child, int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size))
		return;
	if (child->out_is_terminal)
		ioctl(child->out, TIOCSWINSZ, &size);
	if (child->err_is_terminal)
		ioctl(child->err, TIOCSWINSZ, &size);
}

/* A pseudo-terminal like the terminal fd, but without echo and output processing.
 * False where none can be made (no /dev/pts): pipes do then. */
static bool open_terminal(int fd, int *master, int *slave)
{
	struct termios modes;
	struct winsize size;
	bool sized = !ioctl(fd, TIOCGWINSZ, &size);

	if (tcgetattr(fd, &modes))
		return false;
	modes.c_oflag &= ~(tcflag_t)OPOST;
	modes.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (openpty(master, slave, NULL, &modes, sized ? &size : NULL))
		return false;
	fcntl(*master, F_SETFD, FD_CLOEXEC);
	fcntl(*slave, F_SETFD, FD_CLOEXEC);
	return true;
}

static int open_pipe(int *read_end, int *write_end)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	*read_end = fds[0];
	*write_end = fds[1];
	return 0;
}

static int open_ends(struct ends *e, const struct child_spec *spec)
{
	int r = open_pipe(&e->report[0], &e->report[1]);

	if (!r && spec->stdout_terminal)
		e->ours.out_is_terminal = open_terminal(STDOUT_FILENO, &e->ours.out, &e->out);
	if (!r && !e->ours.out_is_terminal)
		r = open_pipe(&e->ours.out, &e->out);
	if (!r && spec->stderr_terminal)
		e->ours.err_is_terminal = open_terminal(STDERR_FILENO, &e->ours.err, &e->err);
	if (!r && !e->ours.err_is_terminal)
		r = open_pipe(&e->ours.err, &e->err);
	if (r || spec->stdin_mode == CHILD_STDIN_PASS)
		return r;
	if (spec->stdin_mode == CHILD_STDIN_NULL) {
		e->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return e->in < 0 ? -errno : 0;
	}
	if (spec->stdin_terminal && e->ours.out_is_terminal) {
		e->ours.in_is_terminal = true;
		e->ours.in = e->ours.out;
		e->in = e->out;
		return 0;
	}
	r = open_pipe(&e->in, &e->ours.in);
	if (!r)
		fcntl(e->ours.in, F_SETFL, O_NONBLOCK);
	return r;
}

int child_free_number(void)
{
	for (int fd = STDERR_FILENO + 1;; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0 || flags & FD_CLOEXEC)
			return fd;
	}
}

static void be_nice(void)
{
	struct sched_param none = { 0 };

	/* Best effort: what the system does not allow stays as it is. */
	errno = 0;
	if (nice(NICE) == -1 && errno)
		return;
	sched_setscheduler(0, SCHED_BATCH, &none);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS_, 0, IOPRIO_IDLE);
}

/* Puts fd at number; descriptors above 2 close on exec by themselves. */
static int place(int fd, int number)
{
	if (fd == number)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, number) < 0 ? -1 : 0;
}

/* The numbers to be taken may themselves be among the ends: all are moved out of the way
 * first. */
static int place_all(struct ends *e, const struct child_spec *spec)
{
	int *fds[] = { &e->in, &e->out, &e->err, &e->report[1] };
	int above = MAX(spec->metrics_number, STDERR_FILENO);

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (*fds[i] >= 0 && *fds[i] <= above) {
			*fds[i] = fcntl(*fds[i], F_DUPFD_CLOEXEC, above + 1);
			if (*fds[i] < 0)
				return -1;
		}
	if (e->in >= 0 && place(e->in, STDIN_FILENO))
		return -1;
	if (place(e->out, STDOUT_FILENO) || place(e->err, STDERR_FILENO))
		return -1;
	return place(spec->metrics_fd, spec->metrics_number);
}

/* In the child: only calls that are safe after fork(), no memory is allocated. */
static void run_child(struct ends *e, const struct child_spec *spec, pid_t parent)
{
	int error;

	setsid();
	if (e->ours.out_is_terminal)
		ioctl(e->out, TIOCSCTTY, 0);
	/* A run whose supervisor was killed would go on unrecorded. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	if (spec->nice)
		be_nice();
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	if (!place_all(e, spec)) {
		sigprocmask(SIG_SETMASK, spec->mask, NULL);
		execvpe(spec->argv[0], spec->argv, spec->envp);
	}
	error = errno;
	if (write(e->report[1], &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* The kernel says "no such file" also of a script whose "#!" names none. */
static int exec_error(const char *name, int error, struct mlp_error *err)
{
	_cleanup_free_ char *path = error == ENOENT ? path_find_program(name) : NULL;
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char line[256] = "";
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
	char *program = line + 2 + strspn(line + 2, " \t");

	if (n < 3 || memcmp(line, "#!", 2))
		return mlp_error_errno(err, error, "cannot run '%s'", name);
	program[strcspn(program, " \t\r\n")] = '\0';
	return mlp_error_errno(err, error, "cannot run '%s': its interpreter '%s'", name, program);
}

int child_start(struct child *child, const struct child_spec *spec, int *exec_errno,
		struct mlp_error *err)
{
	_release_(ends_release) struct ends e = { .ours = CHILD_INIT, .in = -1, .out = -1,
						  .err = -1, .report = { -1, -1 } };
	pid_t parent = getpid();
	ssize_t n;
	int r = open_ends(&e, spec);

	*exec_errno = 0;
	if (r)
		return mlp_error_errno(err, r, "cannot start '%s'", spec->argv[0]);
	e.ours.pid = cgroup_fork(spec->cgroup);
	if (e.ours.pid < 0)
		return mlp_error_errno(err, errno, "cannot start '%s'", spec->argv[0]);
	if (!e.ours.pid)
		run_child(&e, spec, parent);
	close_fd(&e.report[1]);
	do
		n = read(e.report[0], exec_errno, sizeof(*exec_errno));
	while (n < 0 && errno == EINTR);
	fcntl(e.ours.out, F_SETFL, O_RDWR | O_NONBLOCK);
	fcntl(e.ours.err, F_SETFL, O_RDWR | O_NONBLOCK);
	*child = e.ours;
	e.ours = (struct child)CHILD_INIT;
	if (n != sizeof(*exec_errno)) {
		*exec_errno = 0;
		return 0;
	}
	child_release(child);
	return exec_error(spec->argv[0], *exec_errno, err);
}
