/* SPDX-License-Identifier: Apache-2.0 */
/* The artifact proxy: uploads stream into the object store, downloads out of it. */
#ifndef API_ARTIFACTS_H
#define API_ARTIFACTS_H

#include "lib/api/server.h"
#include "lib/api/writer.h"
#include "lib/http/http.h"
#include "lib/store/object.h"

/* An upload's headers are here: its body will be taken as it comes. */
void api_artifact_head(struct api_server *server, struct http_request *req, const char *path);
/* Answers a request of .../mlflow-artifacts/artifacts[/path]. */
void api_artifact_request(struct api_server *server, struct http_request *req, const char *path);
/* "GET /get-artifact?run_id=&path=" of the UI. */
void api_artifact_download(struct api_server *server, struct http_request *req);

/* An object that shall be the artifact at path; req is held and answered once that is
 * committed, "{}" or an error. */
struct api_placing {
	struct write_job job; /* first: the writer hands it back */
	struct http_request *req;
	char *path; /* freed with it */
	struct object_id id;
	/* Before the answer; may be NULL. */
	void (*then)(struct api_placing *placing, bool placed);
	void *data;
};
/* Takes the memory of placing. */
void api_artifact_place(struct api_server *server, struct api_placing *placing);

#endif
