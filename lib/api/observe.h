/* SPDX-License-Identifier: Apache-2.0 */
/* What the server tells of itself: counters in Prometheus' text form, an access log. */
#ifndef API_OBSERVE_H
#define API_OBSERVE_H

#include <stdint.h>

#include "lib/core/error.h"
#include "lib/util/strbuf.h"

struct observed {
	const char *method, *path, *peer;
	const char *route; /* a constant; NULL: none */
	const char *user;  /* or NULL */
	int status;
	int64_t bytes, duration_us;
};

struct observe;

/* access_log: a file to append to, "-" for standard output, NULL for none. */
/* A line that cannot be written without waiting is dropped, and counted. */
int observe_new(struct observe **out, const char *access_log, struct mlp_error *err);
void observe_free(struct observe *o);
/* Opens the access log anew, after it was renamed. */
int observe_reopen(struct observe *o, struct mlp_error *err);
void observe_request(struct observe *o, const struct observed *what);
/* Counters and histograms of requests. */
void observe_print(struct observe *o, struct strbuf *out);
/* One more metric without labels. */
void observe_print_value(struct strbuf *out, const char *name, const char *type,
			 const char *help, int64_t value);

#endif
