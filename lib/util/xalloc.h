/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that cannot fail: it aborts with one line on stderr. */
#ifndef UTIL_XALLOC_H
#define UTIL_XALLOC_H

#include <stddef.h>

#include "lib/util/cleanup.h"

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
/* Room for n elements of size bytes; aborts when the product overflows. */
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
/* xstrdup() that passes NULL through. */
char *xstrdup_null(const char *s);
/* Copies len bytes and adds a NUL. */
char *xmemdupz(const void *p, size_t len);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);

#endif
