/* SPDX-License-Identifier: Apache-2.0 */
/* The row of run_command: how a run was started, enough to start it again. */
#ifndef TRACK_COMMAND_H
#define TRACK_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db/db.h"
#include "lib/util/strbuf.h"
#include "lib/util/vec.h"

struct run_command {
	struct strvec argv;	     /* as run, placeholders filled in */
	struct strvec argv_template; /* as typed, with {placeholders} */
	char *cwd;		     /* absolute */
	char *project_dir;	     /* cwd below the project root, "." for it */
	char *options;		     /* JSON object: gpus, timeout_ms, retry, inputs, ... */
	bool has_seed;
	int64_t seed;
	char *stdin_kind;   /* terminal, null, file, pipe, closed */
	char *stdin_sha256; /* or NULL: not known (yet) */
	int64_t stdin_bytes; /* -1: not known */
};
#define RUN_COMMAND_INIT { .stdin_bytes = -1 }

void run_command_release(struct run_command *command);
/* Adds the row of a run, or replaces it. */
int run_command_put(struct db *db, int64_t run, const struct run_command *command,
		    struct mlp_error *err);
/* MLP_ENOTFOUND for a run that was not started by mlp train. */
int run_command_get(struct db *db, int64_t run, struct run_command *out, struct mlp_error *err);
/* What the child read from its standard input, known at its end. */
int run_command_set_stdin(struct db *db, int64_t run, const char *sha256, int64_t bytes,
			  struct mlp_error *err);

/* Arguments as one blob, each ended by NUL, and back; a blob that does not end in NUL is
 * MLP_ECORRUPT. */
void argv_encode(struct strbuf *out, const struct strvec *argv);
int argv_decode(const void *blob, size_t len, struct strvec *argv, struct mlp_error *err);
/* Arguments as a line that a POSIX shell reads back as the same arguments. */
void argv_add_quoted(struct strbuf *out, const struct strvec *argv);

#endif
