/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TAP for unit tests: one header, one test program a noun.
 *
 *	int main(void)
 *	{
 *		plan_lazy();
 *		is_int(strlen("ab"), 2, "length");
 *		return done_testing();
 *	}
 */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failures;

static inline void plan_lazy(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

__attribute__((format(printf, 4, 0))) static inline bool
tap_report(bool good, const char *file, int line, const char *fmt, va_list ap)
{
	printf("%s %d - ", good ? "ok" : "not ok", ++tap_count);
	vprintf(fmt, ap);
	putchar('\n');
	if (!good) {
		tap_failures++;
		printf("# at %s:%d\n", file, line);
	}
	return good;
}

__attribute__((format(printf, 4, 5))) static inline bool
tap_ok(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_report(good, file, line, fmt, ap);
	va_end(ap);
	return good;
}

__attribute__((format(printf, 5, 6))) static inline bool
tap_is_int(int64_t got, int64_t want, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_report(got == want, file, line, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("#  got %" PRId64 ", should be %" PRId64 "\n", got, want);
	return got == want;
}

static inline void tap_print(const char *label, const char *s)
{
	printf("# %s: ", label);
	for (; s && *s; s++)
		if (*s == '\n')
			fputs("\n#     ", stdout);
		else
			putchar(*s);
	puts(s ? "" : "(null)");
}

__attribute__((format(printf, 5, 6))) static inline bool
tap_is_str(const char *got, const char *want, const char *file, int line, const char *fmt, ...)
{
	bool good = got && want ? !strcmp(got, want) : got == want;
	va_list ap;

	va_start(ap, fmt);
	tap_report(good, file, line, fmt, ap);
	va_end(ap);
	if (!good) {
		tap_print("      got", got);
		tap_print("should be", want);
	}
	return good;
}

/* The name may be a format with arguments. */
#define ok(cond, ...) tap_ok((cond), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, ...) \
	tap_is_int((int64_t)(got), (int64_t)(want), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)

static inline void diag(const char *text)
{
	printf("# %s\n", text);
}

static inline void skip(int n, const char *why)
{
	while (n-- > 0)
		printf("ok %d # SKIP %s\n", ++tap_count, why);
}

static inline int done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures != 0;
}

/* A fresh folder for files, removed by the caller with path_remove_tree(). */
static inline char *tap_folder(void)
{
	const char *base = getenv("TMPDIR");
	char template[4096];

	snprintf(template, sizeof(template), "%s/mlp-unit.XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(template)) {
		puts("Bail out! cannot make a temporary folder");
		exit(1);
	}
	return strdup(template);
}

#endif
