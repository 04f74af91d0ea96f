/* SPDX-License-Identifier: Apache-2.0 */
/* Declared inputs and outputs of a run. */
#ifndef LAUNCH_FILES_H
#define LAUNCH_FILES_H

#include "lib/core/event.h"
#include "lib/core/repo.h"
#include "lib/db/db.h"
#include "lib/launch/job.h"
#include "lib/track/file.h"

struct input_set {
	const char *path;	/* as typed; borrowed */
	struct run_files files; /* all at or below it */
	char digest[65];	/* of the file, or of names and digests of a folder's files */
	int64_t bytes;
};
struct input_sets {
	struct input_set *v;
	size_t len, cap;
};
void input_sets_release(struct input_sets *sets);

/* All inputs exist: 0, or MLP_EMISSING that names the first that does not. */
int inputs_check(const struct job *job, struct mlp_error *err);
/* Hashes the inputs. */
int inputs_scan(const struct repo *repo, const struct job *job, const struct mlp_events *events,
		struct input_sets *out, struct mlp_error *err);
/* Rows of run_file, dataset and run_input. */
int inputs_record(struct db *db, int64_t run, const struct input_sets *sets,
		  struct mlp_error *err);
/* Stores the outputs that are there, with their rows, and reads TensorBoard files among
 * them into metrics.  missing gets the ones that are not there. */
int outputs_store(const struct job_host *host, int64_t run, const struct job *job,
		  struct strvec *missing, struct mlp_error *err);

#endif
