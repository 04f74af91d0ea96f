/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/http/load.h"

#include "lib/core/library.h"

static struct http_functions functions;
static const struct library_symbol symbols[] = {
#define X(name) { "MHD_" #name, &functions.name },
	HTTP_FUNCTIONS(X)
#undef X
};
static struct library library =
	LIBRARY_INIT(MICROHTTPD_SONAME, "install libmicrohttpd (libmicrohttpd12 on Debian)",
		     symbols, NULL);

const struct http_functions *http_load(struct mlp_error *err)
{
	return library_load(&library, err) ? NULL : &functions;
}
