/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_EXCHANGE_H
#define API_EXCHANGE_H

#include "lib/api/server.h"
#include "lib/http/http.h"

/* Answers a request of the JSON endpoint path (below its mount), now or once its write is
 * committed. */
void api_exchange(struct api_server *server, struct http_request *req, const char *path);

#endif
