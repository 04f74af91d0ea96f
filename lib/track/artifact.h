/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a run's own code or a person hands over: role FILE_ARTIFACT. */
#ifndef TRACK_ARTIFACT_H
#define TRACK_ARTIFACT_H

#include "lib/core/event.h"
#include "lib/core/repo.h"
#include "lib/db/db.h"

struct artifact_new {
	const char *path; /* a file, or a folder with all below it */
	const char *name; /* its path in the run; NULL: the last part of path */
	const struct mlp_events *events; /* may be NULL */
};

/* Stores it by content and lists it with the run, all of it or nothing.  MLP_EMISSING when
 * path does not exist, MLP_EINVAL when it is neither file nor folder; a folder without files
 * is a warning. */
int artifact_put(struct db *db, const struct repo *repo, int64_t run,
		 const struct artifact_new *artifact, struct mlp_error *err);

#endif
