/* SPDX-License-Identifier: Apache-2.0 */
/* The header "Range": which part of a body a client asks for. */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include <stdint.h>

struct http_range {
	int64_t start, end; /* the first and the last byte */
};

enum http_range_kind {
	HTTP_RANGE_WHOLE,   /* no range, or none that is understood: all */
	HTTP_RANGE_PART,    /* *out is set, and within size bytes */
	HTTP_RANGE_OUTSIDE, /* answer 416 */
};

/* Reads "bytes=a-b", "bytes=a-" and "bytes=-n"; text may be NULL.  Several ranges are more
 * than is served in parts. */
enum http_range_kind http_range_parse(const char *text, int64_t size, struct http_range *out);

#endif
