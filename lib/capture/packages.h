/* SPDX-License-Identifier: Apache-2.0 */
/* Installed packages, read from the names of their records. */
#ifndef CAPTURE_PACKAGES_H
#define CAPTURE_PACKAGES_H

#include <stdbool.h>

#include "lib/util/hashmap.h"
#include "lib/util/vec.h"

struct package {
	char *version; /* or NULL: not told */
	/* Where it came from, when not from an index (direct_url.json, links). */
	char *url;    /* credentials removed; or NULL */
	char *commit; /* or NULL */
	bool editable;
};

struct packages {
	struct strmap by_name; /* struct package; names as PEP 503 normalizes them */
	struct strvec names;   /* sorted, once packages_sort() was called */
};
#define PACKAGES_INIT { 0 }

void packages_release(struct packages *p);
void packages_sort(struct packages *p);
struct package *packages_get(const struct packages *p, const char *name);

/* Adds what is installed in a folder of sys.path; a name that is there stays.  Opens no
 * file but those of packages installed from elsewhere than an index. */
void packages_scan_site(struct packages *p, const char *site);
/* Adds the packages of a conda environment: version and build. */
void packages_scan_conda(struct packages *p, const char *prefix);

/* Name and version of "numpy-1.26.4.dist-info", "six-1.16.0-py3.11.egg-info"; version is
 * NULL for a name without one.  False for anything else.  Caller frees both. */
bool package_parse_record(const char *entry, char **name, char **version);
/* The same of "numpy-1.26.4-py311h64a7726_0.json"; the version is "1.26.4 py311h64a7726_0". */
bool package_parse_conda(const char *entry, char **name, char **version);
/* What a direct_url.json says. */
void package_parse_direct_url(const char *text, size_t len, struct package *out);

#endif
