/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed growing arrays.
 *
 *	VEC(struct point) points = VEC_INIT;
 *	vec_push(&points, p);
 *	for (size_t i = 0; i < points.len; i++) use(points.v[i]);
 *	vec_free(&points);
 */
#ifndef UTIL_VEC_H
#define UTIL_VEC_H

#include <stddef.h>

#include "lib/util/xalloc.h"

#define VEC(T)              \
	struct {            \
		T *v;       \
		size_t len; \
		size_t cap; \
	}
#define VEC_INIT { 0 }

/* Makes room for n more elements. */
#define vec_reserve(vec, n)                                                          \
	do {                                                                         \
		if ((vec)->len + (n) > (vec)->cap) {                                 \
			(vec)->cap = MAX((vec)->len + (n), (vec)->cap * 2);          \
			(vec)->cap = MAX((vec)->cap, (size_t)8);                     \
			(vec)->v = xreallocarray((vec)->v, (vec)->cap, sizeof(*(vec)->v)); \
		}                                                                    \
	} while (0)

#define vec_push(vec, x)                       \
	do {                                   \
		vec_reserve(vec, 1);           \
		(vec)->v[(vec)->len++] = (x);  \
	} while (0)

/* Frees the array, not what its elements own. */
#define vec_free(vec)             \
	do {                      \
		free((vec)->v);   \
		(vec)->v = NULL;  \
		(vec)->len = 0;   \
		(vec)->cap = 0;   \
	} while (0)

/* A list of owned strings, NULL terminated once something was pushed. */
struct strvec {
	char **v;
	size_t len;
	size_t cap;
};
#define STRVEC_INIT { 0 }

void strvec_push(struct strvec *vec, const char *s); /* copies */
void strvec_push_take(struct strvec *vec, char *s);  /* takes ownership */
void strvec_pushf(struct strvec *vec, const char *fmt, ...) PRINTF(2, 3);
void strvec_release(struct strvec *vec);
/* Sorts by strcmp. */
void strvec_sort(struct strvec *vec);
/* Splits s at each sep; empty pieces are kept. */
void strvec_split(struct strvec *vec, const char *s, char sep);

#endif
