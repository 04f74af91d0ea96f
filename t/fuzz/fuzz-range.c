/* SPDX-License-Identifier: Apache-2.0 */
/* The header "Range". */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/http/range.h"
#include "lib/util/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xmemdupz(data, size);

	for (int64_t n = 0; n <= 1000; n += 100) {
		struct http_range r = { -1, -1 };

		if (http_range_parse(text, n, &r) == HTTP_RANGE_PART ?
			    r.start < 0 || r.end < r.start || r.end >= n :
			    r.start != -1 || r.end != -1)
			abort();
	}
	return 0;
}
