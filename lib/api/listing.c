/* SPDX-License-Identifier: Apache-2.0 */
/* What searches have in common. */
#include "config.h"

#include <inttypes.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/util/text.h"

enum api_error api_get_strings(struct api_call *call, const char *name, struct strvec *out)
{
	const struct json *v = json_get(call->args, name), *list = NULL, *item = NULL;
	enum api_error r;

	if (json_text(v)) {
		strvec_push(out, json_text(v));
		return API_OK;
	}
	r = api_get_array(call, name, &list);
	while (!r && (item = json_next(list, item))) {
		if (!json_text(item))
			return api_fail(call, API_INVALID_PARAMETER_VALUE,
					"Invalid value for parameter '%s' supplied: expected a list of "
					"strings. See the API docs for more information about request "
					"parameters.", name);
		strvec_push(out, json_text(item));
	}
	return r;
}

enum api_error api_read_page(struct api_call *call, int64_t most, struct listing *out)
{
	const char *token = NULL;
	enum api_error r = api_get_int(call, "max_results", &out->limit);

	if (!r)
		r = api_get_string(call, "page_token", &token);
	if (r)
		return r;
	if (out->limit < 1)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Invalid value %" PRId64 " for parameter 'max_results' supplied. It must "
				"be a positive integer", out->limit);
	if (out->limit > most)
		return api_bad_value(call, "max_results");
	if (token && *token && (!text_parse_int(token, &out->offset) || out->offset < 0))
		return api_fail(call, API_INVALID_PARAMETER_VALUE, "Invalid page token '%s'", token);
	return API_OK;
}

enum api_error api_read_listing(struct api_call *call, int64_t most, struct listing *out)
{
	_release_(strvec_release) struct strvec order = STRVEC_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	const char *filter = NULL;
	enum api_error r = api_read_page(call, most, out);

	if (!r)
		r = api_get_string(call, "filter", &filter);
	if (!r)
		r = api_get_strings(call, "order_by", &order);
	if (r)
		return r;
	if (filter && listing_filter(out, filter, &err))
		return api_fail_error(call, &err);
	for (size_t i = 0; i < order.len; i++)
		if (listing_order(out, order.v[i], &err))
			return api_fail(call, API_INVALID_PARAMETER_VALUE, "Invalid order_by clause: %s",
					err.text);
	return API_OK;
}

void api_put_next_page(struct json_writer *w, const struct listing *l, size_t found)
{
	if ((int64_t)found > l->limit)
		api_put_id(w, "next_page_token", l->offset + l->limit);
}
