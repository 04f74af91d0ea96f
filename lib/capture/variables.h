/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables: values of those that shape a computation, names of the others. */
#ifndef CAPTURE_VARIABLES_H
#define CAPTURE_VARIABLES_H

#include <stdbool.h>

#include "lib/core/settings.h"
#include "lib/json/write.h"

/* Writes "variables" (an object) and "variable_names" (an array), sorted.  settings (may be
 * NULL): capture.env holds more patterns of names whose values are wanted. */
void variables_describe(struct json_writer *w, char *const *environment,
			const struct settings *settings);
/* Does the name look like that of a secret?  Such values are stored for no list. */
bool variable_is_secret(const char *name);

#endif
