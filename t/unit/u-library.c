/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries loaded when first used; libm plays them. */
#include "config.h"

#include "lib/core/library.h"

#include <string.h>

#include "t/unit/tap.h"

static double (*cosine)(double);
static void (*nothing)(void);
static int starts;

static const struct library_symbol good[] = { { "cos", &cosine } };
static const struct library_symbol lacking[] = { { "cos", &cosine }, { "no_such", &nothing } };

static bool start(void)
{
	return ++starts > 0;
}

static bool refuse(void)
{
	return false;
}

static void *load(void *library)
{
	return library_load(library, NULL) ? NULL : library;
}

static void test_threads(void)
{
	static struct library library = LIBRARY_INIT("libm.so.6", "install libm", good, start);
	enum { THREADS = 8 };
	pthread_t threads[THREADS];
	int loaded = 0;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, load, &library);
	for (int i = 0; i < THREADS; i++) {
		void *got;

		pthread_join(threads[i], &got);
		loaded += got == &library;
	}
	is_int(loaded, THREADS, "all threads have it");
	is_int(starts, 1, "it was started once");
	ok(cosine && cosine(0.0) == 1.0, "its function is called");
}

static void refused(struct library *library, const char *text)
{
	for (int i = 0; i < 2; i++) {
		struct mlp_error err = MLP_ERROR_INIT;

		is_int(library_load(library, &err), MLP_EUNSUPPORTED, "refused: %s", err.text);
		ok(strstr(err.text, text), "it says '%s'", text);
		is_str(err.hint, "install it", "and what to do");
	}
}

int main(void)
{
	static struct library absent = LIBRARY_INIT("libnone.so.9", "install it", good, NULL);
	static struct library partial = LIBRARY_INIT("libm.so.6", "install it", lacking, NULL);
	static struct library broken = LIBRARY_INIT("libm.so.6", "install it", good, refuse);

	plan_lazy();
	test_threads();
	refused(&absent, "'libnone.so.9'");
	refused(&partial, "lacks no_such");
	refused(&broken, "cannot be started");
	return done_testing();
}
