/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound ownership.  An owned local carries one of these attributes and is
 * released on every way out of its scope; steal_*() hands it on.
 *
 *	_cleanup_free_ char *path = path_join(dir, "x");
 *	*out = steal_ptr(&path);
 */
#ifndef UTIL_CLEANUP_H
#define UTIL_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Defines name##_cleanup(T *p), which calls fn(*p) unless *p is NULL. */
#define DEFINE_CLEANUP(T, fn)                         \
	static inline void fn##_cleanup(T *p)         \
	{                                             \
		if (*p)                               \
			fn(*p);                       \
	}                                             \
	struct fn##_semicolon

/* A local of pointer type, released with fn(); see DEFINE_CLEANUP. */
#define _cleanup_(fn) __attribute__((cleanup(fn##_cleanup)))
/* A local struct, released with fn(&local). */
#define _release_(fn) __attribute__((cleanup(fn)))

static inline void free_cleanup(void *p)
{
	free(*(void **)p);
}

static inline void close_cleanup(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_free_ _cleanup_(free)
#define _cleanup_close_ _cleanup_(close)

#define steal_ptr(pp)                         \
	({                                    \
		__typeof__(*(pp)) steal_ = *(pp); \
		*(pp) = NULL;                 \
		steal_;                       \
	})

static inline int steal_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
