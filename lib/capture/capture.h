/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run was made of, recorded at its start: code, environment, hardware.
 * research: W&B and ClearML leave out untracked files and driver facts; these do not.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include <stdbool.h>

#include "lib/core/event.h"
#include "lib/core/repo.h"
#include "lib/db/db.h"
#include "lib/util/strbuf.h"

/* Commit, branch, remote, binary diff and untracked files of the work tree around dir,
 * into run_code and run_file (role FILE_UNTRACKED).  Contents of untracked files are
 * stored up to capture.untrackedMax bytes in all (10 MiB) and capture.untrackedFiles files
 * (1000), the diff up to capture.diffMax (64 MiB); beyond, names and hashes, with a warning.
 * Of files with the name of a secret only the hash is kept.  Outside git nothing is
 * recorded. */
int capture_code(struct db *db, const struct repo *repo, int64_t run, const char *dir,
		 const struct mlp_events *events, struct mlp_error *err);

/* Has the file a name that keys and passwords have?  Built-in patterns, then those of
 * capture.secret. */
bool capture_is_secret(const struct settings *settings, const char *path);

/* The environment as one JSON document (mlp-json(7), "environment"): interpreter and
 * packages of the program argv[0] would start, lock files in dir, container, CPU,
 * memory, kernel, libc, GPUs and driver, allow-listed variables and the names of the
 * others.  capture.env of the settings has patterns of more variables whose values are
 * wanted; settings may be NULL.  Appended to out. */
int capture_environment(const struct settings *settings, const char *const *argv,
			const char *dir, struct strbuf *out, struct mlp_error *err);
/* The same, stored as an object and linked to the run. */
int capture_environment_store(struct db *db, const struct repo *repo, int64_t run,
			      const char *const *argv, const char *dir, struct mlp_error *err);

enum env_class { ENV_SAME, ENV_TOLERABLE, ENV_BREAKING };
struct env_difference {
	enum env_class level;
	char *what; /* "python.packages.numpy", "gpu.driver" */
	char *was, *is; /* or NULL: absent */
};
struct env_differences {
	struct env_difference *v;
	size_t len, cap;
	size_t same; /* facts compared that do not differ */
};
/* Compares two environment documents; only what differs is listed, what breaks first.
 * Breaking is what may change results: minor version of the interpreter, major or minor
 * version or build variant of a numerical library, commit of a package from source, CUDA
 * major, GPU architecture, no GPU any more, libc major, CPU architecture, another program
 * outside the system's folders, variables that decide on determinism.  Tolerable is the
 * rest: patch levels, other packages, kernel, host name, models, limits. */
int environment_compare(const char *was, const char *is, struct env_differences *out,
			struct mlp_error *err);
void env_differences_release(struct env_differences *list);

#endif
