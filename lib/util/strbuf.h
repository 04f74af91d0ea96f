/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte string.  buf is never NULL and always NUL terminated at
 * buf[len], so it can be passed as a C string; it may also hold NUL bytes.
 *
 *	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
 *	strbuf_addf(&sb, "%d", 3);
 */
#ifndef UTIL_STRBUF_H
#define UTIL_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/util/cleanup.h"

struct strbuf {
	char *buf;
	size_t len;
	size_t alloc; /* 0 while buf points at the shared empty string */
};

extern char strbuf_empty[];
#define STRBUF_INIT { .buf = strbuf_empty }

void strbuf_init(struct strbuf *sb);
/* Frees the memory; sb is empty and usable again. */
void strbuf_release(struct strbuf *sb);
/* Takes the string (caller frees, never NULL) and empties sb. */
char *strbuf_detach(struct strbuf *sb);
/* Makes room for extra more bytes beyond len. */
void strbuf_grow(struct strbuf *sb, size_t extra);
/* Cuts to len bytes; len must not exceed sb->len. */
void strbuf_setlen(struct strbuf *sb, size_t len);
#define strbuf_clear(sb) strbuf_setlen(sb, 0)

void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap) PRINTF(2, 0);
/* n times the byte c. */
void strbuf_addchars(struct strbuf *sb, int c, size_t n);
/* Removes len bytes at the front. */
void strbuf_drop(struct strbuf *sb, size_t len);
/* Removes white space at the end. */
void strbuf_rtrim(struct strbuf *sb);

static inline void strbuf_addch(struct strbuf *sb, int c)
{
	if (sb->alloc < sb->len + 2)
		strbuf_grow(sb, 1);
	sb->buf[sb->len++] = (char)c;
	sb->buf[sb->len] = '\0';
}

#endif
