/* SPDX-License-Identifier: Apache-2.0 */
/* Small conversions between text and values: numbers, sizes, hex, UTF-8. */
#ifndef UTIL_TEXT_H
#define UTIL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/strbuf.h"

/* The whole of s as a number; false on anything else, overflow included. */
bool text_parse_int(const char *s, int64_t *out);
/* The whole of s as a double; accepts "nan", "inf", "-Infinity" as strtod does. */
bool text_parse_double(const char *s, double *out);
/* "10MiB", "10M", "512k", "4096" into bytes (powers of 1024). */
bool text_parse_size(const char *s, int64_t *out);

/* The shortest decimal form that reads back as the same double; "NaN",
 * "Infinity", "-Infinity". */
void text_add_double(struct strbuf *sb, double v);
void text_add_int(struct strbuf *sb, int64_t v);
/* For people: 4 significant digits, "0.9132", "1.234e-05", "12340". */
void text_add_double_short(struct strbuf *sb, double v);
/* "1.4 GiB" */
void text_add_size(struct strbuf *sb, int64_t bytes);

/* 2 * len lower-case digits and a NUL into out. */
void text_hex(char *out, const void *data, size_t len);
/* len bytes from 2 * len digits of either case; false on anything else. */
bool text_unhex(void *out, const char *hex, size_t len);
/* True when s[0..len) is lower-case hex digits only. */
bool text_is_hex(const char *s, size_t len);

/* Length in bytes of the well-formed UTF-8 sequence at s (1..4), or 0. */
size_t text_utf8_sequence(const char *s, size_t len);
/* Bytes of s, at most max, that end between characters. */
size_t text_utf8_cut(const char *s, size_t max);
bool text_is_utf8(const char *s, size_t len);
/* Cells that s takes on a terminal (counts wide and combining characters). */
size_t text_width(const char *s, size_t len);
/* Appends s for a terminal: control bytes as \xNN, malformed UTF-8 as U+FFFD. */
void text_add_printable(struct strbuf *sb, const char *s, size_t len);

/* True when name matches the shell pattern with * and ? (no folders meant). */
bool text_glob(const char *pattern, const char *name);
/* Edits (insert, delete, change, swap) that turn a into b; for suggestions. */
size_t text_distance(const char *a, const char *b);

#endif
