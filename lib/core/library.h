/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries loaded when first used: linked, they would cost every command its start.  The
 * home of a foreign library has a table of the functions it calls, a struct of pointers to
 * them, and one function that returns the struct:
 *
 *	static struct foo_functions functions;
 *	static const struct library_symbol symbols[] = { { "foo_open", &functions.open }, ... };
 *	static struct library library = LIBRARY_INIT(FOO_SONAME, "install libfoo", symbols);
 *
 *	return library_load(&library, err) ? NULL : &functions;
 */
#ifndef CORE_LIBRARY_H
#define CORE_LIBRARY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/core/error.h"

struct library_symbol {
	const char *name;
	void *slot; /* of the pointer */
};

struct library {
	const char *soname, *hint;
	const struct library_symbol *symbols;
	size_t nsymbols;
	/* Called once, when all functions were found; false: it cannot be used.  May be NULL. */
	bool (*start)(void);
	pthread_mutex_t lock;
	bool tried;
	char problem[256]; /* "": none */
};
#define LIBRARY_INIT(soname_, hint_, symbols_, start_)                                \
	{                                                                             \
		.soname = (soname_), .hint = (hint_), .symbols = (symbols_),          \
		.nsymbols = ARRAY_SIZE(symbols_), .start = (start_),                  \
		.lock = PTHREAD_MUTEX_INITIALIZER                                     \
	}

/* From any thread; the library stays for the rest of the process.  MLP_EUNSUPPORTED, with
 * what to install, when it is not there or lacks a function. */
int library_load(struct library *library, struct mlp_error *err);

#endif
