/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings in git-config syntax, in layers: system, user, project (.mlp/config),
 * environment (MLP_CONFIG_COUNT/_KEY_n/_VALUE_n), command line (-c key=value).  A later
 * value of the same key wins.  Keys are "section.name" or "section.sub.name",
 * section and name without regard to case.
 *
 * The reader is our own: libgit2 needs 8 ms to start, four times what a whole
 * command may take; t/t0101-config-syntax.sh compares it with git itself.
 */
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/error.h"

enum settings_level {
	SETTINGS_SYSTEM,      /* $sysconfdir/mlpconfig, or MLP_CONFIG_SYSTEM */
	SETTINGS_USER,	      /* $XDG_CONFIG_HOME/mlp/config, or MLP_CONFIG_GLOBAL */
	SETTINGS_PROJECT,     /* .mlp/config */
	SETTINGS_ENVIRONMENT,
	SETTINGS_COMMAND,
};

struct setting {
	char *key;   /* canonical: section and name in lower case */
	char *value; /* never NULL; a bare key reads "true" */
	enum settings_level level;
	char *origin; /* "file:/home/u/.config/mlp/config", "environment", "command line" */
	int line;     /* in the file, from 1; 0 elsewhere */
	bool foreign; /* of somebody else's project: nothing to execute */
};

struct settings {
	struct setting *v; /* in the order read: the last of a key wins */
	size_t len;
	size_t cap;
};
#define SETTINGS_INIT { 0 }

void settings_release(struct settings *s);
/* Appends the settings of one file; an absent file is an empty one.  A syntax
 * error names file and line.  Includes are not followed. */
int settings_read_file(struct settings *s, const char *path, enum settings_level level,
		       struct mlp_error *err);
/* Appends settings parsed from text; origin is copied. */
int settings_parse(struct settings *s, const char *text, size_t len, const char *origin,
		   enum settings_level level, struct mlp_error *err);
/* Appends one setting ("key=value" split by the caller). */
int settings_add(struct settings *s, const char *key, const char *value,
		 enum settings_level level, const char *origin, struct mlp_error *err);

/* The winning value, or NULL; borrowed. */
const char *settings_get(const struct settings *s, const char *key);
const struct setting *settings_find(const struct settings *s, const char *key);
/* The same of a setting whose value is executed: a pager, an editor, an alias.  Foreign
 * ones are passed over, for any folder above the current one may hold a project. */
const char *settings_get_command(const struct settings *s, const char *key);
/* A size such as 10MiB, or def where the key is absent; a malformed one is an error that
 * names key and origin. */
int settings_get_size(const struct settings *s, const char *key, int64_t def, int64_t *out,
		      struct mlp_error *err);

/* Canonical form of a key, or NULL when it is malformed.  Caller frees. */
char *settings_key(const char *key);
/* Writes key = value into a file, replacing its last value and keeping comments and
 * order; value NULL removes every value of the key (MLP_ENOTFOUND when there is
 * none).  The file is replaced atomically under a lock file, and made if absent; links to
 * it are followed. */
int settings_write(const char *name, const char *key, const char *value, struct mlp_error *err);

#endif
