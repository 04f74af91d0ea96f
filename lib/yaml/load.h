/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's functions, found when first used: few commands read YAML. */
#ifndef YAML_LOAD_H
#define YAML_LOAD_H

#include <yaml.h>

#include "lib/core/error.h"

#define YAML_FUNCTIONS(X)           \
	X(parser_initialize)        \
	X(parser_delete)            \
	X(parser_set_input_string)  \
	X(parser_parse)             \
	X(event_delete)

struct yaml_functions {
#define X(name) __typeof__(yaml_##name) *name;
	YAML_FUNCTIONS(X)
#undef X
};

/* NULL with err when the library is not installed. */
const struct yaml_functions *yaml_load(struct mlp_error *err);

#endif
