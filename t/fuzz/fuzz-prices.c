/* SPDX-License-Identifier: Apache-2.0 */
/* Price tables: what is read is complete, what is not is refused with its line. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cost/price.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct price_rows rows = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	int r = price_parse_csv((const char *)data, size, &rows, &err);

	if (r && strncmp(err.text, "line ", 5))
		abort();
	for (size_t i = 0; !r && i < rows.len; i++)
		if (!*rows.v[i].kind || !*rows.v[i].match || strlen(rows.v[i].currency) != 3 ||
		    rows.v[i].nano_per_unit < 0 || strlen(rows.v[i].as_of) != 10)
			abort();
	price_rows_release(&rows);
	return 0;
}
