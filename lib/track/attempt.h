/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of attempt: one each time the command of a run was started. */
#ifndef TRACK_ATTEMPT_H
#define TRACK_ATTEMPT_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/db/db.h"

struct attempt {
	int64_t id;
	int number; /* from 1 */
	char *host, *boot_id;
	int64_t supervisor_pid;
	int64_t child_pid; /* 0: not started yet */
	int64_t started_ms;
	int64_t ended_ms; /* 0: not ended */
	int exit_code;	  /* -1: none */
	int exit_signal;  /* 0: none */
	char *reason;	  /* or NULL */
	int64_t user_ms, system_ms, max_rss_kib; /* of the whole tree; -1: not known */
	int64_t read_bytes, write_bytes;	 /* -1: not known */
	char *log; /* object, or NULL */
	int64_t log_bytes;
	int64_t bad_lines; /* metric lines that were none */
	int64_t ignored_values; /* in those that were: no numbers, or their key no name */
};
struct attempts {
	struct attempt *v;
	size_t len, cap;
};

struct attempt_new {
	const char *host, *boot_id;
	pid_t supervisor_pid;
	int64_t started_ms; /* 0: now */
};

/* Adds the next attempt of the run; *id is its row, *number counts from 1. */
int attempt_start(struct db *db, int64_t run, const struct attempt_new *attempt, int64_t *id,
		  int *number, struct mlp_error *err);
int attempt_child(struct db *db, int64_t id, pid_t child, struct mlp_error *err);

struct attempt_end {
	int64_t ended_ms; /* 0: now */
	int exit_code;	  /* -1: none */
	int exit_signal;
	const char *reason; /* or NULL */
	int64_t user_ms, system_ms, max_rss_kib, read_bytes, write_bytes; /* -1: not known */
	const char *log; /* object, or NULL: none */
	int64_t log_bytes;
	int64_t bad_lines, ignored_values;
};
#define ATTEMPT_END_INIT                                                                      \
	{ .exit_code = -1, .user_ms = -1, .system_ms = -1, .max_rss_kib = -1, .read_bytes = -1, \
	  .write_bytes = -1 }

int attempt_end(struct db *db, int64_t id, const struct attempt_end *end, struct mlp_error *err);
/* All of a run, the first one first. */
int attempts_get(struct db *db, int64_t run, struct attempts *out, struct mlp_error *err);
void attempts_release(struct attempts *list);

#endif
