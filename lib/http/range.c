/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/http/range.h"

#include <stdbool.h>
#include <string.h>

#include "lib/util/text.h"
#include "lib/util/xalloc.h"

/* Digits only, and one at least. */
static bool parse_position(const char *text, size_t len, int64_t *out)
{
	_cleanup_free_ char *digits = xmemdupz(text, len);

	return strspn(digits, "0123456789") == len && text_parse_int(digits, out);
}

enum http_range_kind http_range_parse(const char *text, int64_t size, struct http_range *out)
{
	static const char unit[] = "bytes=";
	struct http_range range = { 0, size - 1 };
	int64_t last;
	size_t len;

	if (!text || strncmp(text, unit, sizeof(unit) - 1))
		return HTTP_RANGE_WHOLE;
	text += sizeof(unit) - 1;
	len = strcspn(text, "-");
	if (!text[len])
		return HTTP_RANGE_WHOLE;
	if (!len) {
		if (!parse_position(text + 1, strlen(text + 1), &last))
			return HTTP_RANGE_WHOLE;
		range.start = MAX(size - last, (int64_t)0);
	} else {
		if (!parse_position(text, len, &range.start))
			return HTTP_RANGE_WHOLE;
		if (text[len + 1]) {
			if (!parse_position(text + len + 1, strlen(text + len + 1), &last) ||
			    last < range.start)
				return HTTP_RANGE_WHOLE;
			range.end = MIN(range.end, last);
		}
	}
	if (range.start >= size)
		return HTTP_RANGE_OUTSIDE;
	*out = range;
	return HTTP_RANGE_PART;
}
