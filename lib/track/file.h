/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of run_file: what a run read and made. */
#ifndef TRACK_FILE_H
#define TRACK_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db/db.h"

enum file_role { FILE_INPUT = 1, FILE_OUTPUT = 2, FILE_ARTIFACT = 3, FILE_UNTRACKED = 4 };

struct run_file {
	enum file_role role;
	char *path; /* inputs and outputs: as given, or below the given folder; else a safe
		     * relative path */
	int64_t size;
	unsigned mode;
	char *sha256; /* or NULL */
	bool stored;
};
struct run_files {
	struct run_file *v;
	size_t len, cap;
};

/* Adds or replaces the row (run, role, path). */
int run_file_put(struct db *db, int64_t run, const struct run_file *file, struct mlp_error *err);
/* Rows of one role (0: all), sorted by role and path. */
int run_files_get(struct db *db, int64_t run, enum file_role role, struct run_files *out,
		  struct mlp_error *err);
void run_files_release(struct run_files *files);

#endif
