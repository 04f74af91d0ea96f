/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to its endpoint. */
#include "config.h"

#include <string.h>

#include "lib/api/internal.h"
#include "lib/util/xalloc.h"

static const struct api_route *const tables[] = {
	api_experiment_routes,
	api_run_routes,
	api_metric_routes,
	api_search_routes,
	api_input_routes,
	api_info_routes,
	api_logged_model_search_routes, /* before {id}, which would take "search" */
	api_logged_model_routes,
	api_registry_routes,
	api_registry_version_routes,
	api_experiment_search_routes,
	api_history_routes,
	api_beyond_routes,
};

void api_free_words(char *words[API_WORDS_MAX])
{
	for (int i = 0; i < API_WORDS_MAX; i++) {
		free(words[i]);
		words[i] = NULL;
	}
}

bool api_match(const char *pattern, const char *path, char *words[API_WORDS_MAX])
{
	int n = 0;

	while (*pattern) {
		if (pattern[0] == '{' && pattern[1] == '}' && n < API_WORDS_MAX) {
			size_t len = strcspn(path, "/");

			if (!len)
				break;
			words[n++] = xmemdupz(path, len);
			path += len;
			pattern += 2;
		} else if (*pattern++ != *path++) {
			api_free_words(words);
			return false;
		}
	}
	if (!*pattern && !*path)
		return true;
	api_free_words(words);
	return false;
}

static bool takes(const struct api_route *route, const char *method)
{
	if (!strcmp(route->method, "*"))
		return !strcmp(method, "GET") || !strcmp(method, "POST");
	return !strcmp(route->method, method);
}

const struct api_route *api_find_route(const char *method, const char *path,
				       char *words[API_WORDS_MAX], bool *other_method)
{
	*other_method = false;
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (const struct api_route *r = tables[t]; r->path; r++) {
			if (!api_match(r->path, path, words))
				continue;
			if (takes(r, method))
				return r;
			api_free_words(words);
			*other_method = true;
		}
	}
	return NULL;
}
