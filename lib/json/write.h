/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON text into a strbuf, adding commas where needed.
 *
 *	struct json_writer w = { .out = &sb };
 *	json_open(&w, '{');  json_key(&w, "id");  json_string(&w, id);  json_close(&w, '}');
 *
 * Malformed UTF-8 in strings becomes U+FFFD, so that the text is always valid.
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/strbuf.h"

struct json_writer {
	struct strbuf *out;
	bool comma; /* a value stands before this place */
};

void json_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void json_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_key(struct json_writer *w, const char *key);
void json_string(struct json_writer *w, const char *s); /* NULL writes null */
void json_int(struct json_writer *w, int64_t v);
void json_double(struct json_writer *w, double v); /* NaN, Infinity as strings */
void json_bool(struct json_writer *w, bool v);
void json_null(struct json_writer *w);
/* Text that is JSON already. */
void json_raw(struct json_writer *w, const char *text, size_t len);

/* Key and value in one call. */
void json_put_string(struct json_writer *w, const char *key, const char *s);
void json_put_int(struct json_writer *w, const char *key, int64_t v);
void json_put_double(struct json_writer *w, const char *key, double v);
void json_put_bool(struct json_writer *w, const char *key, bool v);

#endif
