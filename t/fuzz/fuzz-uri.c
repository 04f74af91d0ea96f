/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/http/uri.h"
#include "lib/util/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *target = xmemdupz(data, size);
	struct uri u = { 0 };

	uri_parse(&u, target);
	if (u.path && strlen(u.path) > strlen(u.raw_path))
		abort();
	for (size_t i = 0; i < u.query.len; i++)
		if (!uri_query(&u, u.query.v[i].name, 0))
			abort();
	uri_release(&u);
	return 0;
}
