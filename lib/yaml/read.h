/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML documents read whole and small: mappings, lists and scalars.  Aliases are refused, so
 * that a document is never larger than its text.
 */
#ifndef YAML_READ_H
#define YAML_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/error.h"

struct yaml;

/* The one document of text[0..len); MLP_EINVAL with the line for what is none, or deeper than
 * 64 levels.  An empty text is a null. */
int yaml_read(struct yaml **out, const char *text, size_t len, struct mlp_error *err);
void yaml_free(struct yaml *doc);
DEFINE_CLEANUP(struct yaml *, yaml_free);

/* The value of a key of a mapping (the last, where it stands twice); NULL without one, of
 * anything else and of NULL. */
const struct yaml *yaml_member(const struct yaml *node, const char *key);
/* The members of a mapping or the items of a list; 0 of anything else. */
size_t yaml_size(const struct yaml *node);
const char *yaml_key(const struct yaml *node, size_t i); /* of a mapping; else NULL */
const struct yaml *yaml_value(const struct yaml *node, size_t i);

/* A scalar's text up to a NUL in it; NULL of null ("null", "~" and nothing, unquoted), of
 * anything else and of NULL. */
const char *yaml_text(const struct yaml *node);
/* A scalar that is a whole number; otherwise is returned for everything else. */
int64_t yaml_int(const struct yaml *node, int64_t otherwise);

#endif
