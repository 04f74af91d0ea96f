/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of mlp reproduce. */
#ifndef CMD_REPRODUCE_REPRODUCE_H
#define CMD_REPRODUCE_REPRODUCE_H

#include "cmd/cmd.h"
#include "lib/json/read.h"
#include "lib/launch/job.h"
#include "lib/track/code.h"
#include "lib/track/command.h"
#include "lib/track/file.h"
#include "lib/track/run.h"

struct reproduce_opts {
	bool check, keep;
	const char *dir, *tolerance;
	struct strvec ignore;
};

struct reproduction {
	struct cmd_ctx *ctx;
	const struct reproduce_opts *opts;
	double tolerance;

	struct run run;
	struct run_command command;
	struct json *options; /* of the command */
	bool has_code;
	struct run_code code;
	struct json *detail; /* of the code */

	char *origin; /* the folder the command ran in, where it is now */
	char *tree;   /* the work tree; NULL: in place */
	char *cwd;    /* the folder to run in */
	bool remove;  /* the work tree, at the end */

	bool begun;	 /* the table */
	size_t missing;	 /* inputs */
	size_t breaking; /* what keeps the run from being the same */
	size_t differs;	 /* results */
	size_t compared;
};

void reproduction_release(struct reproduction *re);

/* One row: what kind of thing, its name, what it was and is. */
void reproduce_row(struct reproduction *re, const char *kind, const char *name, const char *was,
		   const char *is, const char *result);

/* A row that counts as a result. */
void reproduce_result(struct reproduction *re, const char *kind, const char *name,
		      const char *was, const char *is, bool same);
/* Does --ignore name it? */
bool reproduce_ignores(struct reproduction *re, const char *name);

/* Makes the work tree as it was: commit, changes, untracked files.  Something that is not
 * there any more is a row. */
int reproduce_code(struct reproduction *re);
/* Makes the folders above a file of the work tree.  MLP_EINVAL for a link among them: it
 * leads to what is the user's. */
int reproduce_parents(struct reproduction *re, const char *to);
/* Verifies the inputs by hash and puts those of the project into the work tree. */
int reproduce_inputs(struct reproduction *re);
/* Is there the standard input that the run read?  As far as that can be known before. */
void reproduce_stdin(struct reproduction *re);
/* Tells who is at the terminal that the command waits for it. */
void reproduce_stdin_warn(struct reproduction *re);
int reproduce_compare_stdin(struct reproduction *re, int64_t run);
/* Rows for what differs between the environments. */
int reproduce_environment(struct reproduction *re);
/* Rows for the results of the two runs. */
int reproduce_compare(struct reproduction *re, const struct job_result *result);

#endif
