/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask a server before they use what not every server has. */
#include "config.h"

#include "lib/api/api.h"

static enum api_error server_info(struct api_call *call)
{
	struct json_writer *w = &call->out;

	json_open(w, '{');
	json_put_string(w, "store_type", "SqlStore");
	json_put_bool(w, "workspaces_enabled", false);
	/* Served, but a client that is not told to had better send a file as one stream. */
	json_put_bool(w, "multipart_uploads_enabled", false);
	json_put_bool(w, "multipart_downloads_enabled", false);
	json_close(w, '}');
	return API_OK;
}

const struct api_route api_info_routes[] = {
	{ "GET", "mlflow/server-info", API_READ, API_OF_NOTHING, server_info },
	{ .path = NULL },
};
