/* SPDX-License-Identifier: Apache-2.0 */
/* The libraries mlp uses, and the versions found on this machine. */
#ifndef CMD_LIBRARIES_H
#define CMD_LIBRARIES_H

#include <stddef.h>

struct mlp_library {
	const char *name;
	const char *feature; /* what it gives, for people */
	const char *soname;  /* NULL: linked, always there */
};

extern const struct mlp_library mlp_libraries[];
extern const size_t mlp_libraries_count;

/* Its version, or NULL when it cannot be loaded.  Caller frees. */
char *library_version(const struct mlp_library *library);

#endif
