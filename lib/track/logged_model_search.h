/* SPDX-License-Identifier: Apache-2.0 */
/* Searching logged models: their metrics count on the datasets named only. */
#ifndef TRACK_LOGGED_MODEL_SEARCH_H
#define TRACK_LOGGED_MODEL_SEARCH_H

#include "lib/track/listing.h"

struct dataset_name {
	const char *name, *digest; /* digest: NULL for any */
};

struct logged_model_order {
	struct run_order by;
	struct dataset_name dataset; /* of a metric; without a name: any */
};

struct logged_model_search {
	struct listing page; /* of FIELD_OF_LOGGED_MODELS; its order is not used */
	VEC(int64_t) experiments;
	VEC(struct dataset_name) datasets; /* none: any */
	VEC(struct logged_model_order) order; /* behind these: the newest first */
};
void logged_model_search_release(struct logged_model_search *s);
/* Appends their ids, one more than the limit where there are as many. */
int logged_model_search(struct db *db, const struct logged_model_search *s, struct strvec *ids,
			struct mlp_error *err);

#endif
