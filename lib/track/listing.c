/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/listing.h"

#include <string.h>

void listing_release(struct listing *l)
{
	for (size_t i = 0; i < l->order.len; i++)
		run_order_release(&l->order.v[i]);
	vec_free(&l->order);
	filter_free(l->filter);
	free(l->filter_text);
	*l = (struct listing){ 0 };
}

int listing_filter(struct listing *l, const char *text, struct mlp_error *err)
{
	struct filter_options options = { .target = l->target };

	l->filter_text = xstrdup(text);
	return filter_parse(&l->filter, text, strlen(text), &options, err);
}

static bool same_field(const struct field *a, const struct field *b)
{
	return a->spec == b->spec && (!a->key || !strcmp(a->key, b->key));
}

int listing_order(struct listing *l, const char *text, struct mlp_error *err)
{
	struct run_order o;
	int r = run_order_parse_of(&o, l->target, text, err);

	if (r)
		return r;
	for (size_t i = 0; i < l->order.len; i++)
		if (same_field(&l->order.v[i].field, &o.field)) {
			run_order_release(&o);
			return mlp_error_set(err, MLP_EINVAL,
					     "`order_by` contains duplicate fields: '%s'", text);
		}
	vec_push(&l->order, o);
	return 0;
}

bool listing_mentions(const struct listing *l, const char *key)
{
	return l->filter_text && strstr(l->filter_text, key);
}

void listing_add_filter(const struct listing *l, struct query *q)
{
	if (!l->filter)
		return;
	query_add(q, " AND ");
	filter_add_sql(l->filter, q);
}

void listing_add_page(const struct listing *l, struct query *q)
{
	query_add(q, " LIMIT ");
	query_int(q, l->limit + 1);
	query_add(q, " OFFSET ");
	query_int(q, l->offset);
}

void listing_add(const struct listing *l, const char *behind, struct query *q)
{
	listing_add_filter(l, q);
	query_add(q, " ORDER BY ");
	for (size_t i = 0; i < l->order.len; i++) {
		field_add_value(&l->order.v[i].field, true, q);
		query_add(q, l->order.v[i].descending ? " DESC NULLS LAST, " : " ASC NULLS LAST, ");
	}
	query_add(q, behind);
	listing_add_page(l, q);
}
