/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets: path and query arguments, percent-decoded. */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/vec.h"

struct uri_argument {
	char *name, *value;
};

struct uri {
	char *raw_path; /* as sent, without the query */
	char *path;	/* decoded; NULL when it has %00 or a broken escape */
	VEC(struct uri_argument) query;
	bool cut; /* there are more arguments */
};

/* Reads "path?query"; arguments beyond 1,000 are cut.  uri starts zeroed. */
void uri_parse(struct uri *uri, const char *target);
void uri_release(struct uri *uri);
/* The index-th argument of that name, or NULL. */
const char *uri_query(const struct uri *uri, const char *name, size_t index);

#endif
