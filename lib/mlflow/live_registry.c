/* SPDX-License-Identifier: Apache-2.0 */
/* A live server as a target: the registry. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/mlflow/live.h"
#include "lib/mlflow/wire.h"
#include "lib/net/net.h"
#include "lib/registry/version.h"
#include "lib/util/xalloc.h"

enum { GAP_MAX = 1000, SEARCH_MAX = 10000 };

static struct live_target *live_of(struct mlflow_target *base)
{
	return (struct live_target *)base;
}

static int read_versions(struct live_target *t, struct mlflow_registered *there,
			 struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT, filter = STRBUF_INIT;
	_cleanup_(json_free) struct json *doc = NULL;
	const struct json *item = NULL;
	char quote = strchr(there->name, '\'') ? '"' : '\'';
	int r;

	strbuf_addf(&filter, "name=%c%s%c", quote, there->name, quote);
	strbuf_addf(&target, "mlflow/model-versions/search?max_results=%d&filter=", SEARCH_MAX);
	net_add_escaped(&target, filter.buf);
	r = peer_get(t->peer, target.buf, &doc, err);
	while (!r && (item = json_next(json_get(doc, "model_versions"), item))) {
		struct mlflow_version v = { 0 };

		wire_read_version(item, &v);
		vec_push(&there->versions, v);
	}
	return r;
}

static int find_registered(struct live_target *t, const char *name, struct mlflow_registered *out,
			   struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	_cleanup_(json_free) struct json *doc = NULL;
	struct mlp_error why = MLP_ERROR_INIT;
	int r;

	strbuf_addstr(&target, "mlflow/registered-models/get?name=");
	net_add_escaped(&target, name);
	r = peer_get(t->peer, target.buf, &doc, &why);
	if (r == MLP_ENOTFOUND)
		return 0;
	if (r) {
		if (err)
			*err = why;
		return r;
	}
	if (!wire_read_registered(json_get(doc, "registered_model"), out))
		return mlp_error_set(err, MLP_EFAIL, "'%s' has a registered model without a name",
				     peer_name(t->peer));
	return read_versions(t, out, err);
}

static int make_registered(struct live_target *t, const struct mlflow_registered *m,
			   struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };

	t->base.counts.registered_models++;
	if (t->dry)
		return 0;
	json_open(&w, '{');
	json_put_string(&w, "name", m->name);
	if (m->description)
		json_put_string(&w, "description", m->description);
	wire_put_pairs(&w, "tags", &m->tags);
	json_close(&w, '}');
	return peer_change(t->peer, PEER_POST_ONCE, "mlflow/registered-models/create", &body, NULL,
			   err);
}

/* "mlflow-artifacts:/0/<run>/artifacts/model" and the like with the ids of the server. */
static char *source_there(const struct live_target *t, const char *source)
{
	for (int models = 0; models < 2; models++) {
		const struct strmap *map = models ? &t->models : &t->runs;

		for (size_t i = 0; i < map->len; i++) {
			const struct live_twin *twin = map->entries[i].value;
			const char *ours = map->entries[i].key, *at = strstr(source, ours), *inside;

			if (!at)
				continue;
			if (strncmp(source, "mlflow-artifacts:", 17) != 0)
				return xasprintf("%.*s%s%s", (int)(at - source), source, twin->id,
						 at + strlen(ours));
			inside = strstr(at, "/artifacts");
			if (twin->artifacts && inside)
				return xasprintf("%s%s", twin->artifacts, inside + 10);
		}
	}
	return xstrdup(source);
}

static int create_version(struct live_target *t, const char *name, const struct mlflow_version *v,
			  int64_t *number, struct mlp_error *err)
{
	const struct live_twin *run = v->run ? strmap_get(&t->runs, v->run) : NULL;
	const struct live_twin *model = v->model ? strmap_get(&t->models, v->model) : NULL;
	_cleanup_free_ char *source = source_there(t, v->source ? v->source : "");
	_cleanup_free_ char *ours = xasprintf("%" PRId64, v->version);
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	_cleanup_(json_free) struct json *doc = NULL;
	struct json_writer w = { .out = &body };
	int r;

	json_open(&w, '{');
	json_put_string(&w, "name", name);
	json_put_string(&w, "source", source);
	if (run)
		json_put_string(&w, "run_id", run->id);
	if (model)
		json_put_string(&w, "model_id", model->id);
	if (v->run_link)
		json_put_string(&w, "run_link", v->run_link);
	if (v->description)
		json_put_string(&w, "description", v->description);
	wire_put_pairs_and(&w, "tags", &v->tags, LIVE_VERSION_TAG, ours);
	json_close(&w, '}');
	r = peer_change(t->peer, PEER_POST_ONCE, "mlflow/model-versions/create", &body, &doc, err);
	*number = wire_integer(json_get(json_get(doc, "model_version"), "version"), 0);
	if (!r && *number <= 0)
		return mlp_error_set(err, MLP_EFAIL, "'%s' makes a version without a number",
				     peer_name(t->peer));
	return r;
}

/* One request about a version: {"name":..., "version":..., and one member more}. */
struct change {
	enum peer_method method;
	const char *target;
	const char *key, *value; /* or NULL */
};

static int change_version(struct live_target *t, const char *name, int64_t number,
			  const struct change *change, struct mlp_error *err)
{
	_cleanup_free_ char *version = xasprintf("%" PRId64, number);
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };

	json_open(&w, '{');
	json_put_string(&w, "name", name);
	json_put_string(&w, "version", version);
	if (change->key)
		json_put_string(&w, change->key, change->value);
	json_close(&w, '}');
	return peer_change(t->peer, change->method, change->target, &body, NULL, err);
}

/* Numbers are given one after the other, so one that was deleted here is taken and deleted
 * there: versions keep their numbers. */
static int add_version(struct live_target *t, const char *name, const struct mlflow_version *v,
		       int64_t *number, struct mlp_error *err)
{
	static const struct change drop = { PEER_DELETE, "mlflow/model-versions/delete" };
	int r = create_version(t, name, v, number, err);

	for (int gap = 0; !r && *number < v->version && gap < GAP_MAX; gap++) {
		r = change_version(t, name, *number, &drop, err);
		if (!r)
			r = create_version(t, name, v, number, err);
	}
	if (!r && *number != v->version)
		mlp_note(t->base.events, "version %" PRId64 " of '%s' is number %" PRId64 " there",
			 v->version, name, *number);
	return r;
}

static const struct mlflow_version *version_there(const struct mlflow_registered *there,
						  int64_t ours)
{
	_cleanup_free_ char *text = xasprintf("%" PRId64, ours);

	for (size_t i = 0; i < there->versions.len; i++) {
		const char *tag = key_values_get(&there->versions.v[i].tags, LIVE_VERSION_TAG);

		if (tag && !strcmp(tag, text))
			return &there->versions.v[i];
	}
	return NULL;
}

/* Whether a copy from that server is what we have. */
static bool is_same(const struct live_target *t, const struct mlflow_version *there,
		    const struct mlflow_version *v)
{
	const struct live_twin *run = v->run ? strmap_get(&t->runs, v->run) : NULL;

	return run && there->run && !strcmp(run->id, there->run) && there->version == v->version;
}

static int send_version(struct live_target *t, const struct mlflow_registered *m,
			const struct mlflow_version *v, const struct mlflow_registered *there,
			struct key_value *numbers, struct mlp_error *err)
{
	const struct mlflow_version *known = version_there(there, v->version);
	const char *stage = MODEL_STAGE_NONE;
	int64_t number = 0;
	int r = 0;

	for (size_t i = 0; !known && i < there->versions.len; i++)
		if (is_same(t, &there->versions.v[i], v))
			known = &there->versions.v[i];
	if (known) {
		number = known->version;
		stage = known->stage;
	} else {
		t->base.counts.versions++;
		r = t->dry ? 0 : add_version(t, m->name, v, &number, err);
	}
	numbers->key = xasprintf("%" PRId64, v->version);
	numbers->value = xasprintf("%" PRId64, number);
	if (r || t->dry || !strcmp(stage, v->stage))
		return r;
	return change_version(t, m->name, number,
			      &(struct change){ PEER_POST, "mlflow/model-versions/transition-stage",
						"stage", v->stage }, err);
}

static int send_aliases(struct live_target *t, const struct mlflow_registered *m,
			const struct mlflow_registered *there, const struct key_values *numbers,
			struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < m->aliases.len; i++) {
		const char *number = key_values_get(numbers, m->aliases.v[i].value);
		const char *known = key_values_get(&there->aliases, m->aliases.v[i].key);

		if (!number || (known && !strcmp(known, number)))
			continue;
		r = change_version(t, m->name, strtoll(number, NULL, 10),
				   &(struct change){ PEER_POST, "mlflow/registered-models/alias",
						     "alias", m->aliases.v[i].key }, err);
	}
	return r;
}

int live_registered(struct mlflow_target *base, const struct mlflow_registered *m,
		    struct mlp_error *err)
{
	_release_(mlflow_registered_release) struct mlflow_registered there = { 0 };
	_release_(key_values_release) struct key_values numbers = { 0 }; /* ours -> theirs */
	struct live_target *t = live_of(base);
	int r = 0;

	if (strchr(m->name, '\'') && strchr(m->name, '"')) {
		mlflow_left_out(&t->base, "registered model '%s', whose name cannot be asked for", m->name);
		return 0;
	}
	r = find_registered(t, m->name, &there, err);
	if (!r && !there.name)
		r = make_registered(t, m, err);
	for (size_t i = 0; !r && i < m->versions.len; i++) {
		struct key_value number = { 0 };

		if (!strcmp(m->versions.v[i].stage, MODEL_STAGE_DELETED))
			continue;
		r = send_version(t, m, &m->versions.v[i], &there, &number, err);
		if (number.key)
			vec_push(&numbers, number);
	}
	return r || t->dry ? r : send_aliases(t, m, &there, &numbers, err);
}
