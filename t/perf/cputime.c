/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cputime N COMMAND...: runs a command N times without output, and prints the median
 * microseconds of CPU (user and system, of it and its children), the median of elapsed
 * time, and the greatest resident size in KiB.  Fails when the command does.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util/clock.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t microseconds(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static int run(char **argv, int64_t *cpu, int64_t *wall, long *rss)
{
	int64_t start = clock_mono_ns();
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (!pid) {
		int fd = open("/dev/null", O_RDWR);

		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		execvp(argv[0], argv);
		fprintf(stderr, "cannot run '%s': %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	if (wait4(pid, &status, 0, &usage) != pid)
		return -1;
	*wall = (clock_mono_ns() - start) / 1000;
	*cpu = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
	*rss = MAX(*rss, usage.ru_maxrss);
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

int main(int argc, char **argv)
{
	int64_t n, *cpu, *wall;
	long rss = 0;

	if (argc < 3 || !text_parse_int(argv[1], &n) || n < 1 || n > 1000000) {
		fputs("usage: cputime N COMMAND [ARG...]\n", stderr);
		return 129;
	}
	cpu = xcalloc((size_t)n, sizeof(*cpu));
	wall = xcalloc((size_t)n, sizeof(*wall));
	for (int64_t i = 0; i < n; i++)
		if (run(argv + 2, &cpu[i], &wall[i], &rss)) {
			fprintf(stderr, "'%s' failed\n", argv[2]);
			return 1;
		}
	qsort(cpu, (size_t)n, sizeof(*cpu), compare);
	qsort(wall, (size_t)n, sizeof(*wall), compare);
	printf("%" PRId64 " %" PRId64 " %ld\n", cpu[n / 2], wall[n / 2], rss);
	free(cpu);
	free(wall);
	return 0;
}
