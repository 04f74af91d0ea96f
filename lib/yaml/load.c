/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/yaml/load.h"

#include "lib/core/library.h"

static struct yaml_functions functions;
static const struct library_symbol symbols[] = {
#define X(name) { "yaml_" #name, &functions.name },
	YAML_FUNCTIONS(X)
#undef X
};
static struct library library =
	LIBRARY_INIT(YAML_SONAME, "install libyaml (libyaml-0-2 on Debian)", symbols, NULL);

const struct yaml_functions *yaml_load(struct mlp_error *err)
{
	return library_load(&library, err) ? NULL : &functions;
}
