/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/core/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static void set_problem(struct library *l, const char *what, const char *name)
{
	snprintf(l->problem, sizeof(l->problem), "%s%s", what, name);
}

static void find_symbols(struct library *l)
{
	void *handle = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		const char *why = dlerror();

		set_problem(l, why ? why : "not installed", "");
		return;
	}
	for (size_t i = 0; i < l->nsymbols; i++) {
		void *found = dlsym(handle, l->symbols[i].name);

		if (!found)
			set_problem(l, "it lacks ", l->symbols[i].name);
		/* C has no cast from an object pointer to a function pointer. */
		memcpy(l->symbols[i].slot, &found, sizeof(found));
	}
}

int library_load(struct library *l, struct mlp_error *err)
{
	pthread_mutex_lock(&l->lock);
	if (!l->tried) {
		find_symbols(l);
		if (!*l->problem && l->start && !l->start())
			set_problem(l, "it cannot be started", "");
		l->tried = true;
	}
	pthread_mutex_unlock(&l->lock);
	if (!*l->problem)
		return 0;
	mlp_error_set(err, MLP_EUNSUPPORTED, "cannot load '%s': %s", l->soname, l->problem);
	mlp_error_hint(err, "%s", l->hint);
	return MLP_EUNSUPPORTED;
}
