/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's functions, found when first used: linked, its thirty libraries would cost every
 * command its start. */
#ifndef NET_LOAD_H
#define NET_LOAD_H

/* The macros that check arguments call the functions by name. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "lib/core/error.h"

#define NET_FUNCTIONS(X)       \
	X(curl_global_init)    \
	X(curl_easy_init)      \
	X(curl_easy_cleanup)   \
	X(curl_easy_reset)     \
	X(curl_easy_setopt)    \
	X(curl_easy_perform)   \
	X(curl_easy_getinfo)   \
	X(curl_easy_strerror)  \
	X(curl_slist_append)   \
	X(curl_slist_free_all) \
	X(curl_url)            \
	X(curl_url_cleanup)    \
	X(curl_url_set)        \
	X(curl_url_get)        \
	X(curl_free)

struct net_functions {
#define X(name) __typeof__(name) *name;
	NET_FUNCTIONS(X)
#undef X
};

/* NULL with err when the library is not installed. */
const struct net_functions *net_load(struct mlp_error *err);

#endif
