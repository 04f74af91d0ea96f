/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/xalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *p)
{
	static const char text[] = "mlp: out of memory\n";

	if (!p) {
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			_exit(128);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		checked(NULL);
	size *= n;
	return checked(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xstrdup_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

char *xmemdupz(const void *p, size_t len)
{
	char *r = xmalloc(len + 1);

	if (len)
		memcpy(r, p, len);
	r[len] = '\0';
	return r;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *r;

	va_start(ap, fmt);
	if (vasprintf(&r, fmt, ap) < 0)
		r = checked(NULL);
	va_end(ap);
	return r;
}
