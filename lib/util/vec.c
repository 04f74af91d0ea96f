/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/vec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void strvec_push_take(struct strvec *vec, char *s)
{
	vec_reserve(vec, 2);
	vec->v[vec->len++] = s;
	vec->v[vec->len] = NULL;
}

void strvec_push(struct strvec *vec, const char *s)
{
	strvec_push_take(vec, xstrdup(s));
}

void strvec_pushf(struct strvec *vec, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = xmalloc((size_t)-1); /* aborts */
	va_end(ap);
	strvec_push_take(vec, s);
}

void strvec_release(struct strvec *vec)
{
	for (size_t i = 0; i < vec->len; i++)
		free(vec->v[i]);
	vec_free(vec);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strvec_sort(struct strvec *vec)
{
	if (vec->len > 1)
		qsort(vec->v, vec->len, sizeof(*vec->v), compare);
}

void strvec_split(struct strvec *vec, const char *s, char sep)
{
	for (;;) {
		const char *end = strchr(s, sep);

		if (!end) {
			strvec_push(vec, s);
			return;
		}
		strvec_push_take(vec, xmemdupz(s, (size_t)(end - s)));
		s = end + 1;
	}
}
