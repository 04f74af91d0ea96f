/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a JSON text into a tree, for documents of bounded size.  (Streams of metric
 * lines are read by lines.h.)  Keys are matched with regard to case; of two that are the
 * same the first counts.  Numbers are doubles, and
 * integers of 64 bits exact.  NUL in a string is refused.
 * NaN, Infinity and -Infinity are taken for the strings of that name.
 *
 *	_cleanup_(json_free) struct json *doc = json_parse(text, len, &err);
 *	const char *id = json_text(json_get(doc, "id"));
 *
 * Every getter takes NULL and a value of another type, and then returns its default.
 */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/error.h"
#include "lib/util/strbuf.h"

struct json; /* a value; the one of json_parse() owns all below it */

/* NULL with MLP_EINVAL in err when the text is not one JSON value, or is nested too deep. */
struct json *json_parse(const char *text, size_t len, struct mlp_error *err);
/* About the memory that json_parse() takes for the text, at most: a value of two bytes takes
 * sixteen times that. */
size_t json_cost(const char *text, size_t len);
void json_free(struct json *doc);
DEFINE_CLEANUP(struct json *, json_free);

/* A member of an object; of a path, json_get(json_get(doc, "a"), "b"). */
const struct json *json_get(const struct json *object, const char *key);
bool json_is_object(const struct json *v);
bool json_is_array(const struct json *v);
bool json_is_null(const struct json *v); /* of a null that stands there */
/* Iterates an object's or array's values in order; NULL starts, NULL ends. */
const struct json *json_next(const struct json *container, const struct json *after);
/* The key of a value of an object, or NULL. */
const char *json_name(const struct json *v);
size_t json_count(const struct json *container);
/* The text of a string, or NULL. */
const char *json_text(const struct json *v);
int64_t json_integer(const struct json *v, int64_t def);
double json_number(const struct json *v, double def);
bool json_truth(const struct json *v, bool def);
/* Appends the value as compact JSON text. */
void json_print(const struct json *v, struct strbuf *out);
/* Any value but an object or array as text ("1.5", "true"); NULL for null.  Caller frees. */
char *json_as_text(const struct json *v);

#endif
