/* SPDX-License-Identifier: Apache-2.0 */
/* git-config syntax: any text is read or refused, and what is read has sound keys. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/core/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s = SETTINGS_INIT;
	struct mlp_error err;

	settings_parse(&s, (const char *)data, size, "input", SETTINGS_USER, &err);
	for (size_t i = 0; i < s.len && i < 50; i++) {
		char *key = settings_key(s.v[i].key);

		if (!key || !settings_get(&s, key))
			abort();
		free(key);
	}
	settings_release(&s);
	return 0;
}
