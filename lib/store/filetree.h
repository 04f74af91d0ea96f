/* SPDX-License-Identifier: Apache-2.0 */
/* A file or a folder with all below it, hashed or stored. */
#ifndef STORE_FILETREE_H
#define STORE_FILETREE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/event.h"
#include "lib/core/repo.h"

struct filetree_entry {
	const char *path; /* the root as given, joined with the path below it */
	unsigned mode;	  /* st_mode */
	int64_t size;
	const char *sha256; /* of the content, of the target for a symbolic link; NULL:
			     * could not be read (a warning was sent) */
	bool stored;
};
struct filetree_visitor {
	int (*fn)(void *data, const struct filetree_entry *entry, struct mlp_error *err);
	void *data;
	const struct mlp_events *events; /* may be NULL */
};

enum filetree_mode { FILETREE_HASH, FILETREE_STORE };

/* Calls fn for each regular file and symbolic link at or below path, sorted by path.
 * Links are not followed, except that path itself may be one; .mlp and .git folders
 * are left out; sockets, pipes and devices are left out with a warning.  A file that
 * changes while it is read is read again, and said with a warning if it goes on.
 * What is stored is there for others and durable when this returns 0, not yet in fn:
 * rows that refer to it are to be committed afterwards.
 * MLP_EMISSING when path does not exist. */
int filetree_scan(const struct repo *repo, const char *path, enum filetree_mode mode,
		  const struct filetree_visitor *visitor, struct mlp_error *err);

#endif
