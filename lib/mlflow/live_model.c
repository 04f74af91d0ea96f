/* SPDX-License-Identifier: Apache-2.0 */
/* A live server as a target: logged models, and the files of models and runs. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/mlflow/live.h"
#include "lib/mlflow/place.h"
#include "lib/mlflow/wire.h"
#include "lib/net/net.h"
#include "lib/util/xalloc.h"

static struct live_target *live_of(struct mlflow_target *base)
{
	return (struct live_target *)base;
}

static int search_model(struct live_target *t, const char *id, struct json **out,
		      struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	_cleanup_free_ char *filter = xasprintf("tags.`" LIVE_MODEL_TAG "` = '%s'", id);
	struct json_writer w = { .out = &body };

	json_open(&w, '{');
	json_key(&w, "experiment_ids");
	json_open(&w, '[');
	json_string(&w, t->experiment);
	json_close(&w, ']');
	json_put_string(&w, "filter", filter);
	json_put_int(&w, "max_results", 1);
	json_close(&w, '}');
	return peer_search(t->peer, "mlflow/logged-models/search", &body, out, err);
}

static const struct json *model_there(const struct live_target *t)
{
	const struct json *models = json_get(t->there, "models");

	return models ? json_next(models, NULL) : json_get(t->there, "model");
}

/* As runs are found: by our tag, or by its id. */
static int find_model(struct live_target *t, const char *id, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	struct mlp_error why = MLP_ERROR_INIT;
	int r;

	if (t->experiment_new)
		return 0;
	r = search_model(t, id, &t->there, err);
	if (r || model_there(t))
		return r;
	json_free(t->there);
	t->there = NULL;
	strbuf_addstr(&target, "mlflow/logged-models/");
	net_add_escaped(&target, id);
	r = peer_get(t->peer, target.buf, &t->there, &why);
	if (r && r != MLP_ENOTFOUND && err)
		*err = why;
	return r == MLP_ENOTFOUND ? 0 : r;
}

static int make_model(struct live_target *t, const struct mlflow_model *m, struct json **doc,
		      struct mlp_error *err)
{
	const struct live_twin *run = m->source_run ? strmap_get(&t->runs, m->source_run) : NULL;
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };
	int r;

	json_open(&w, '{');
	json_put_string(&w, "experiment_id", t->experiment);
	json_put_string(&w, "name", m->name);
	if (m->model_type)
		json_put_string(&w, "model_type", m->model_type);
	if (run)
		json_put_string(&w, "source_run_id", run->id);
	wire_put_pairs(&w, "params", &m->params);
	wire_put_pairs_and(&w, "tags", &m->tags, LIVE_MODEL_TAG, m->id);
	json_close(&w, '}');
	r = peer_change(t->peer, PEER_POST_ONCE, "mlflow/logged-models", &body, doc, err);
	if (!r)
		t->base.counts.models++;
	return r;
}

int live_model_begin(struct mlflow_target *base, const struct mlflow_model *m,
		     struct mlp_error *err)
{
	_release_(mlflow_model_release) struct mlflow_model there = { 0 };
	_cleanup_(json_free) struct json *doc = NULL;
	struct live_target *t = live_of(base);
	const struct json *found;
	int r;

	live_close(t);
	r = find_model(t, m->id, err);
	if (r)
		return r;
	t->model = m;
	found = model_there(t);
	if (!found && t->dry) {
		base->counts.models++;
		return 0;
	}
	if (!found) {
		r = make_model(t, m, &doc, err);
		found = json_get(doc, "model");
	}
	if (r)
		return r;
	if (!wire_read_model(found, &there))
		return mlp_error_set(err, MLP_EFAIL, "'%s' has a logged model without an id",
				     peer_name(t->peer));
	t->twin = live_twin_add(&t->models, m->id, there.id, there.artifact_location);
	return 0;
}

static int send_status(struct live_target *t, const struct mlflow_model *there,
		       struct mlp_error *err)
{
	_cleanup_free_ char *target = xasprintf("mlflow/logged-models/%s", t->twin->id);
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };

	if (there->id ? there->status == t->model->status :
			t->model->status == LOGGED_MODEL_PENDING)
		return 0;
	json_open(&w, '{');
	json_put_string(&w, "model_id", t->twin->id);
	json_put_string(&w, "status", logged_model_status_name(t->model->status));
	json_close(&w, '}');
	return peer_change(t->peer, PEER_PATCH, target, &body, NULL, err);
}

static bool has_metric(const struct mlflow_model *there, const struct logged_model_metric *m,
		       const char *run)
{
	for (size_t i = 0; i < there->metrics.len; i++) {
		const struct logged_model_metric *o = &there->metrics.v[i];

		if (!strcmp(o->key, m->key) && !strcmp(o->run, run) &&
		    o->point.step == m->point.step && o->point.time_ms == m->point.time_ms)
			return true;
	}
	return false;
}

static int send_metric(struct live_target *t, const struct logged_model_metric *m,
		       const char *run, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct json_writer w = { .out = &text };

	json_open(&w, '{');
	wire_put_point(&w, m->key, &m->point);
	json_put_string(&w, "model_id", t->twin->id);
	if (m->dataset)
		json_put_string(&w, "dataset_name", m->dataset);
	if (m->digest)
		json_put_string(&w, "dataset_digest", m->digest);
	json_close(&w, '}');
	return live_send_list(t, "mlflow/runs/log-batch", run, "metrics", &text, err);
}

int live_model_end(struct mlflow_target *base, struct mlp_error *err)
{
	_release_(mlflow_model_release) struct mlflow_model there = { 0 };
	struct live_target *t = live_of(base);
	const struct mlflow_model *m = t->model;
	int r = 0;

	if (!t->dry) {
		if (model_there(t))
			wire_read_model(model_there(t), &there);
		for (size_t i = 0; !r && i < m->metrics.len; i++) {
			const struct live_twin *run = strmap_get(&t->runs, m->metrics.v[i].run);

			if (run && !has_metric(&there, &m->metrics.v[i], run->id))
				r = send_metric(t, &m->metrics.v[i], run->id, err);
		}
		if (!r)
			r = live_settle(t, m->id, t->twin->id, err);
		if (!r)
			r = send_status(t, &there, err);
	}
	live_close(t);
	return r;
}

/* --- Files --------------------------------------------------------------------- */

static int list_files(struct live_target *t, struct place *place, struct mlp_error *err)
{
	for (;;) {
		_release_(mlflow_artifact_release) struct mlflow_artifact a = { 0 };
		int r = place_next(place, t->base.events, &a, err);

		if (r <= 0)
			return r;
		strmap_set(&t->files, a.path, (void *)(intptr_t)(a.size + 2));
	}
}

/* What is there already, and whether more may go there. */
static int look_at_files(struct live_target *t, struct mlp_error *err)
{
	const struct json *known = t->model ? model_there(t) : t->there;
	struct mlflow_run run = { .id = t->twin->id, .artifact_uri = t->twin->artifacts };
	struct place *place;
	int r;

	t->files_listed = true;
	if (!place_proxied(t->peer, t->twin->artifacts)) {
		mlp_warn(t->base.events, "files of %s stay here: the server has their place at '%s'",
			 t->model ? t->model->id : t->run->id,
			 t->twin->artifacts ? t->twin->artifacts : "");
		t->files_refused = true;
		t->base.counts.elsewhere++;
		return 0;
	}
	if (!known)
		return 0;
	place = place_of_run(t->peer, &run);
	r = list_files(t, place, err);
	place_free(place);
	return r;
}

int live_artifact_wanted(struct mlflow_target *base, const struct mlflow_artifact *a,
			 struct mlp_error *err)
{
	struct live_target *t = live_of(base);
	int r = 0;

	if (!t->twin) { /* dry, and the run would be new */
		base->counts.artifacts++;
		base->counts.artifact_bytes += MAX(a->size, (int64_t)0);
		return 0;
	}
	if (!t->files_listed)
		r = look_at_files(t, err);
	if (r || t->files_refused)
		return r;
	if ((intptr_t)strmap_get(&t->files, a->path) == (intptr_t)(a->size + 2))
		return 0;
	t->grown = true;
	if (!t->dry)
		return 1;
	base->counts.artifacts++;
	base->counts.artifact_bytes += MAX(a->size, (int64_t)0);
	return 0;
}

int live_artifact(struct mlflow_target *base, const struct mlflow_artifact *a, int fd,
		  struct mlp_error *err)
{
	struct live_target *t = live_of(base);
	_cleanup_free_ char *path = xasprintf("%s/%s", place_proxied(t->peer, t->twin->artifacts),
					      a->path);
	struct stat st;
	int r;

	if (fstat(fd, &st))
		return mlp_error_errno(err, errno, "cannot read artifact '%s'", a->path);
	r = peer_upload(t->peer, path, fd, st.st_size, err);
	if (r)
		return r;
	base->counts.artifacts++;
	base->counts.artifact_bytes += st.st_size;
	return 0;
}
