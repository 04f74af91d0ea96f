/* SPDX-License-Identifier: Apache-2.0 */
/* The processes below one, from /proc. */
#ifndef LAUNCH_PROCTREE_H
#define LAUNCH_PROCTREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/util/vec.h"

struct pids {
	pid_t *v;
	size_t len, cap;
};

/* Appends every descendant of root, root itself left out. */
void proctree_list(pid_t root, struct pids *out);
/* Sends sig to every descendant of root; returns how many there were.  root must be the reaper
 * of its descendants: one whose parent has ended meanwhile is known by root being it now. */
size_t proctree_signal(pid_t root, int sig);

struct proc_stat {
	pid_t parent;
	uint64_t start;	       /* clock ticks since boot: with the pid names a process for good */
	int64_t cpu_ms;	       /* its own, user and system */
	int64_t children_ms;   /* of its children that ended and were waited for */
	int64_t rss_bytes;
	char state;
};
/* False when there is no such process. */
bool proc_stat_read(pid_t pid, struct proc_stat *out);
/* It has ended, or got SIGKILL and will at once. */
bool proc_is_ending(pid_t pid);
/* Parses the text of /proc/<pid>/stat. */
bool proc_stat_parse(const char *text, struct proc_stat *out);
/* Bytes moved to and from storage; false where it may not be known. */
bool proc_io_read(pid_t pid, int64_t *read_bytes, int64_t *write_bytes);
/* Every process of this user whose environment has NAME=value, with its start. */
struct proc_id {
	pid_t pid;
	uint64_t start;
};
struct proc_ids {
	struct proc_id *v;
	size_t len, cap;
};
void proc_find_by_variable(const char *assignment, struct proc_ids *out);

#endif
