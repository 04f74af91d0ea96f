/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The artifact proxy's uploads in parts: mpu/create gives a URL for each part, to which
 * the client PUTs them without its token, as it would to a cloud's storage; mpu/complete
 * makes the artifact of them, mpu/abort forgets them.
 */
#ifndef API_MULTIPART_H
#define API_MULTIPART_H

#include "lib/api/server.h"
#include "lib/http/http.h"

/* What path, below the mount, asks for: "create", "complete", "abort" with *rest the folder
 * the artifact is in, "part" with *rest the upload and the number; NULL for none of them. */
const char *api_multipart_verb(const char *path, const char **rest);
/* A part's headers are here: its body will be taken as it comes, or was refused. */
void api_multipart_head(struct api_server *server, struct http_request *req, const char *rest);
/* Answers create, complete or abort; whether the caller may write there was asked before. */
void api_multipart_request(struct api_server *server, struct http_request *req,
			   const char *verb, const char *folder);

#endif
