/* SPDX-License-Identifier: Apache-2.0 */
/* What endpoints use: errors and arguments, in MLflow's words. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/util/text.h"

static const struct {
	const char *name;
	int status;
} errors[] = {
	[API_OK] = { "OK", 200 },
	[API_INVALID_PARAMETER_VALUE] = { "INVALID_PARAMETER_VALUE", 400 },
	[API_BAD_REQUEST] = { "BAD_REQUEST", 400 },
	[API_RESOURCE_ALREADY_EXISTS] = { "RESOURCE_ALREADY_EXISTS", 400 },
	[API_RESOURCE_DOES_NOT_EXIST] = { "RESOURCE_DOES_NOT_EXIST", 404 },
	[API_ENDPOINT_NOT_FOUND] = { "ENDPOINT_NOT_FOUND", 404 },
	[API_UNAUTHENTICATED] = { "UNAUTHENTICATED", 401 },
	[API_PERMISSION_DENIED] = { "PERMISSION_DENIED", 403 },
	[API_RESOURCE_CONFLICT] = { "RESOURCE_CONFLICT", 409 },
	[API_INVALID_STATE] = { "INVALID_STATE", 500 },
	[API_TEMPORARILY_UNAVAILABLE] = { "TEMPORARILY_UNAVAILABLE", 503 },
	[API_INTERNAL_ERROR] = { "INTERNAL_ERROR", 500 },
	[API_NO_SPACE] = { "INTERNAL_ERROR", 507 },
};

const char *api_error_name(enum api_error code)
{
	return errors[code].name;
}

int api_error_status(enum api_error code)
{
	return errors[code].status;
}

enum api_error api_fail(struct api_call *call, enum api_error code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(call->message, sizeof(call->message), fmt, ap);
	va_end(ap);
	return code;
}

enum api_error api_fail_error(struct api_call *call, const struct mlp_error *err)
{
	static const struct {
		int code;
		enum api_error api;
	} map[] = {
		{ MLP_EINVAL, API_INVALID_PARAMETER_VALUE },
		{ MLP_ECONFLICT, API_INVALID_PARAMETER_VALUE },
		{ MLP_ENOTFOUND, API_RESOURCE_DOES_NOT_EXIST },
		{ MLP_EEXIST, API_RESOURCE_ALREADY_EXISTS },
		{ MLP_EBUSY, API_TEMPORARILY_UNAVAILABLE },
		{ MLP_EFULL, API_NO_SPACE },
	};
	enum api_error code = API_INTERNAL_ERROR;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].code == err->code)
			code = map[i].api;
	return api_fail(call, code, "%s", err->text);
}

/* As Python calls it. */
static const char *type_name(const struct json *v)
{
	double d = json_number(v, NAN);

	if (json_text(v))
		return "str";
	if (json_is_array(v))
		return "list";
	if (json_is_object(v))
		return "dict";
	if (isnan(d))
		return "bool";
	return d == floor(d) ? "int" : "float";
}

enum api_error api_bad_value(struct api_call *call, const char *name)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct json *v = json_get(call->args, name);

	json_print(v, &text);
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"Invalid value %.300s for parameter '%s' supplied:  Hint: Value was of type '%s'. "
			"See the API docs for more information about request parameters.", text.buf, name,
			type_name(v));
}

enum api_error api_get_string(struct api_call *call, const char *name, const char **out)
{
	const struct json *v = json_get(call->args, name);

	if (!v || json_is_null(v))
		return API_OK;
	if (!json_text(v))
		return api_bad_value(call, name);
	*out = json_text(v);
	return API_OK;
}

enum api_error api_need_string(struct api_call *call, const char *name, const char **out)
{
	enum api_error r;

	*out = NULL;
	r = api_get_string(call, name, out);
	if (r || (*out && **out))
		return r;
	return api_missing(call, name);
}

/* "metrics[3].key" in a list, else the name alone. */
static void name_argument(const struct api_call *call, const char *name, char *out, size_t size)
{
	if (call->list)
		snprintf(out, size, "%s[%zu].%s", call->list, call->item, name);
	else
		snprintf(out, size, "%s", name);
}

enum api_error api_missing(struct api_call *call, const char *name)
{
	char path[64];

	name_argument(call, name, path, sizeof(path));
	return api_fail(call, API_INVALID_PARAMETER_VALUE,
			"Missing value for required parameter '%s'. See the API docs for more "
			"information about request parameters.", path);
}

enum api_error api_check_key(struct api_call *call, const char *name, const char *title,
			     const char *key)
{
	struct mlp_error err = MLP_ERROR_INIT;
	char path[64];

	if (key_is_valid(key, strlen(key)))
		return API_OK;
	name_argument(call, name, path, sizeof(path));
	key_check(path, title ? title : path, key, &err);
	return api_fail_error(call, &err);
}

/* int64 arrives as a number or as a string of digits (protobuf's JSON form). */
enum api_error api_get_int(struct api_call *call, const char *name, int64_t *out)
{
	const struct json *v = json_get(call->args, name);
	double d = json_number(v, NAN);

	if (!v || json_is_null(v))
		return API_OK;
	if (json_text(v) ? text_parse_int(json_text(v), out) :
			   d == floor(d) && json_integer(v, 0) == json_integer(v, 1)) {
		if (!json_text(v))
			*out = json_integer(v, 0);
		return API_OK;
	}
	return api_bad_value(call, name);
}

enum api_error api_get_time(struct api_call *call, const char *name, int64_t *out)
{
	int64_t ms = 0;
	enum api_error r = api_get_int(call, name, &ms);

	if (r || !json_get(call->args, name) || json_is_null(json_get(call->args, name)))
		return r;
	if (ms < 0)
		return api_fail(call, API_INVALID_PARAMETER_VALUE,
				"Invalid value %" PRId64 " for parameter '%s' supplied: it must be a "
				"nonnegative long (64-bit integer)", ms, name);
	*out = ms;
	return API_OK;
}

enum api_error api_get_double(struct api_call *call, const char *name, double *out)
{
	const struct json *v = json_get(call->args, name);

	if (!v || json_is_null(v))
		return API_OK;
	return api_number(v, out) ? API_OK : api_bad_value(call, name);
}

bool api_number(const struct json *v, double *out)
{
	if (json_text(v))
		return text_parse_double(json_text(v), out);
	*out = json_number(v, NAN);
	return !isnan(*out);
}

enum api_error api_get_bool(struct api_call *call, const char *name, bool *out)
{
	const struct json *v = json_get(call->args, name);
	const char *text = json_text(v);

	if (!v || json_is_null(v))
		return API_OK;
	if (text && (!strcmp(text, "true") || !strcmp(text, "false")))
		*out = *text == 't';
	else if (!text && json_truth(v, true) == json_truth(v, false))
		*out = json_truth(v, false);
	else
		return api_bad_value(call, name);
	return API_OK;
}

enum api_error api_get_array(struct api_call *call, const char *name, const struct json **out)
{
	const struct json *v = json_get(call->args, name);

	if (!v || json_is_null(v))
		return API_OK;
	if (!json_is_array(v))
		return api_bad_value(call, name);
	*out = v;
	return API_OK;
}
