/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/net/load.h"

#include "lib/core/library.h"

/* The header has macros of the same names that take their arguments only. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

static struct net_functions functions;
static const struct library_symbol symbols[] = {
#define X(name) { #name, &functions.name },
	NET_FUNCTIONS(X)
#undef X
};

static bool start(void)
{
	return functions.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static struct library library =
	LIBRARY_INIT(CURL_SONAME, "install libcurl (libcurl4 on Debian)", symbols, start);

const struct net_functions *net_load(struct mlp_error *err)
{
	return library_load(&library, err) ? NULL : &functions;
}
