/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of .mlp/mlp.db, by version; documented in mlp-format-db(5). */
#ifndef TRACK_SCHEMA_H
#define TRACK_SCHEMA_H

#include "lib/core/repo.h"
#include "lib/db/db.h"

/* Opens the project's store (enum db_flags), upgraded to this program's schema.
 * A store of an older schema is upgraded also when only reading is asked for,
 * where the file may be written. */
int track_open(struct db **out, const struct repo *repo, int flags, struct mlp_error *err);

#endif
