/* SPDX-License-Identifier: Apache-2.0 */
/* Documents: what is read is written as text that reads the same. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_release_(strbuf_release) struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
	_cleanup_(json_free) struct json *doc = json_parse((const char *)data, size, NULL);
	_cleanup_(json_free) struct json *again = NULL;

	if (!doc)
		return 0;
	json_print(doc, &once);
	again = json_parse(once.buf, once.len, NULL);
	if (!again)
		abort();
	json_print(again, &twice);
	if (strcmp(once.buf, twice.buf))
		abort();
	return 0;
}
