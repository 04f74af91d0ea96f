/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd's functions, found when first used: linked, it would bring GnuTLS and 2 ms
 * to every start of mlp. */
#ifndef HTTP_LOAD_H
#define HTTP_LOAD_H

#include <microhttpd.h>

#include "lib/core/error.h"

#define HTTP_FUNCTIONS(X)                       \
	X(start_daemon)                         \
	X(stop_daemon)                          \
	X(add_connection)                       \
	X(suspend_connection)                   \
	X(resume_connection)                    \
	X(queue_response)                       \
	X(create_response_from_buffer)          \
	X(create_response_from_fd_at_offset64)  \
	X(destroy_response)                     \
	X(add_response_header)                  \
	X(lookup_connection_value)              \
	X(get_connection_info)

struct http_functions {
#define X(name) __typeof__(MHD_##name) *name;
	HTTP_FUNCTIONS(X)
#undef X
};

/* NULL with err when the library is not installed. */
const struct http_functions *http_load(struct mlp_error *err);

#endif
