/* SPDX-License-Identifier: Apache-2.0 */
/* YAML documents: meta.yaml of mlruns/ and others. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/xalloc.h"
#include "lib/yaml/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each member is found by its key, and no more text comes out than went in. */
static size_t walk(const struct yaml *node)
{
	const char *text = yaml_text(node);
	size_t n = text ? strlen(text) : 0;

	for (size_t i = 0; i < yaml_size(node); i++) {
		const char *key = yaml_key(node, i);

		if (key && !yaml_member(node, key))
			abort();
		n += walk(yaml_value(node, i));
	}
	yaml_int(node, 0);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(yaml_free) struct yaml *doc = NULL;
	struct mlp_error err = MLP_ERROR_INIT;

	if (yaml_read(&doc, (const char *)data, size, &err)) {
		if (!*err.text)
			abort();
		return 0;
	}
	/* UTF-16 grows by half when it becomes UTF-8, an escape such as "\L" by half. */
	if (walk(doc) > 2 * size)
		abort();
	return 0;
}
