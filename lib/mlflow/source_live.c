/* SPDX-License-Identifier: Apache-2.0 */
/* A live server, page by page.  Nothing it says is believed: names of files are checked, and
 * its lists and folders have an end. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "lib/mlflow/peer.h"
#include "lib/mlflow/place.h"
#include "lib/mlflow/source.h"
#include "lib/mlflow/wire.h"
#include "lib/net/net.h"
#include "lib/util/xalloc.h"

enum {
	EXPERIMENTS_PAGE = 1000,
	RUNS_PAGE = 20, /* each may have thousands of metrics and parameters */
	MODELS_PAGE = 20,
	REGISTERED_PAGE = 100,
	VERSIONS_PAGE = 1000,
	POINTS_PAGE = 25000, /* MLflow's most */
};

/* A list that comes in pages. */
struct pages {
	const char *name; /* of the list in an answer */
	struct json *doc;
	const struct json *item; /* given last */
	char *token;		 /* of the next page, or NULL */
	bool started, done;
};

struct live {
	struct mlflow_source source;
	struct peer *peer;
	struct pages experiments, runs, models, registered, points;
	bool prompts; /* the registry's second part is being read */
	char *experiment, *run;
	const struct json *metric; /* of the current run's latest ones */
	struct strbuf key;
	VEC(struct metric_point) batch;
	struct place *place; /* of the current run's or model's artifacts, or NULL */
};

static struct live *live_of(struct mlflow_source *s)
{
	return (struct live *)s;
}

static void pages_release(struct pages *p)
{
	json_free(p->doc);
	free(p->token);
	*p = (struct pages){ .name = p->name };
}

/* Asks for the page behind p->token. */
typedef int page_fn(struct live *live, const struct pages *p, struct json **out,
		    struct mlp_error *err);

static int turn_page(struct live *live, struct pages *p, page_fn *ask, struct mlp_error *err)
{
	_cleanup_(json_free) struct json *doc = NULL;
	const char *token;
	int r = ask(live, p, &doc, err);

	if (r)
		return r;
	token = json_text(json_get(doc, "next_page_token"));
	if (token && p->token && !strcmp(token, p->token))
		return mlp_error_set(err, MLP_EFAIL, "'%s' gives the same page again and again",
				     peer_name(live->peer));
	free(p->token);
	p->token = token && *token ? xstrdup(token) : NULL;
	json_free(p->doc);
	p->doc = steal_ptr(&doc);
	p->item = NULL;
	p->started = true;
	return 0;
}

/* 1 with the next item in p->item, 0 at the end, or negative. */
static int pages_next(struct live *live, struct pages *p, page_fn *ask, struct mlp_error *err)
{
	/* MLflow gives an empty page behind a full last one, but one only. */
	for (int empty = 0; !p->done && empty < 3; empty++) {
		int r;

		p->item = json_next(json_get(p->doc, p->name), p->item);
		if (p->item)
			return 1;
		if (p->started && !p->token)
			break;
		r = turn_page(live, p, ask, err);
		if (r)
			return r;
	}
	p->done = true;
	return 0;
}

static void put_page(struct json_writer *w, const struct pages *p, int64_t most)
{
	json_put_int(w, "max_results", most);
	if (p->token)
		json_put_string(w, "page_token", p->token);
}

static void add_page(struct strbuf *target, const struct pages *p, int64_t most)
{
	strbuf_addf(target, "max_results=%" PRId64, most);
	if (!p->token)
		return;
	strbuf_addstr(target, "&page_token=");
	net_add_escaped(target, p->token);
}

static int ask_experiments(struct live *live, const struct pages *p, struct json **out,
			   struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };

	json_open(&w, '{');
	json_put_string(&w, "view_type", "ALL");
	put_page(&w, p, EXPERIMENTS_PAGE);
	json_close(&w, '}');
	return peer_search(live->peer, "mlflow/experiments/search", &body, out, err);
}

/* The body of a search in the current experiment, open for more. */
static void open_search(struct live *live, struct json_writer *w, const struct pages *p,
			int64_t most)
{
	json_open(w, '{');
	json_key(w, "experiment_ids");
	json_open(w, '[');
	json_string(w, live->experiment);
	json_close(w, ']');
	put_page(w, p, most);
}

static int ask_runs(struct live *live, const struct pages *p, struct json **out,
		    struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };

	open_search(live, &w, p, RUNS_PAGE);
	json_put_string(&w, "run_view_type", "ALL");
	/* Oldest first: what is started meanwhile comes at the end, and parents come before
	 * their children. */
	json_key(&w, "order_by");
	json_open(&w, '[');
	json_string(&w, "attributes.start_time ASC");
	json_close(&w, ']');
	json_close(&w, '}');
	return peer_search(live->peer, "mlflow/runs/search", &body, out, err);
}

static int ask_models(struct live *live, const struct pages *p, struct json **out,
		      struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };
	struct mlp_error why = MLP_ERROR_INIT;
	int r;

	open_search(live, &w, p, MODELS_PAGE);
	json_close(&w, '}');
	r = peer_search(live->peer, "mlflow/logged-models/search", &body, out, &why);
	if (r == MLP_ENOTFOUND) { /* MLflow before 3 */
		*out = json_parse("{}", 2, NULL);
		return 0;
	}
	if (r && err)
		*err = why;
	return r;
}

static int ask_registered(struct live *live, const struct pages *p, struct json **out,
			  struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;

	strbuf_addstr(&target, "mlflow/registered-models/search?");
	add_page(&target, p, REGISTERED_PAGE);
	if (live->prompts) { /* they are left out but where a filter speaks of them */
		strbuf_addstr(&target, "&filter=");
		net_add_escaped(&target, "tags.`mlflow.prompt.is_prompt` = 'true'");
	}
	return peer_get(live->peer, target.buf, out, err);
}

static int ask_points(struct live *live, const struct pages *p, struct json **out,
		      struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;

	strbuf_addstr(&target, "mlflow/metrics/get-history?run_id=");
	net_add_escaped(&target, live->run);
	strbuf_addstr(&target, "&metric_key=");
	net_add_escaped(&target, live->key.buf);
	strbuf_addch(&target, '&');
	add_page(&target, p, POINTS_PAGE);
	return peer_get(live->peer, target.buf, out, err);
}

static int experiment_next(struct mlflow_source *s, struct mlflow_experiment *out,
			   struct mlp_error *err)
{
	struct live *live = live_of(s);
	int r;

	while ((r = pages_next(live, &live->experiments, ask_experiments, err)) > 0) {
		if (!wire_read_experiment(live->experiments.item, out)) {
			mlp_warn(s->events, "left out: an experiment without a name or an id");
			mlflow_experiment_release(out);
			continue;
		}
		pages_release(&live->runs);
		pages_release(&live->models);
		free(live->experiment);
		free(live->run);
		live->experiment = xstrdup(out->id);
		live->run = NULL;
		break;
	}
	return r;
}

static int run_next(struct mlflow_source *s, struct mlflow_run *out, struct mlp_error *err)
{
	struct live *live = live_of(s);
	int r;

	pages_release(&live->points);
	strbuf_clear(&live->key);
	live->metric = NULL;
	while ((r = pages_next(live, &live->runs, ask_runs, err)) > 0) {
		if (!wire_read_run(live->runs.item, out)) {
			mlp_warn(s->events, "left out: a run without an id");
			mlflow_run_release(out);
			continue;
		}
		free(live->run);
		live->run = xstrdup(out->id);
		place_free(live->place);
		live->place = place_of_run(live->peer, out);
		out->elsewhere = !live->place;
		break;
	}
	return r;
}

/* Goes to the next key; false behind the last. */
static bool next_key(struct live *live)
{
	const struct json *list = json_get(json_get(live->runs.item, "data"), "metrics");
	const char *key;

	live->metric = json_next(list, live->metric);
	key = json_text(json_get(live->metric, "key"));
	if (!key)
		return false;
	pages_release(&live->points);
	strbuf_clear(&live->key);
	strbuf_addstr(&live->key, key);
	return true;
}

/* The rest of a page of history. */
static int take_batch(struct live *live, struct mlp_error *err)
{
	const struct json *list;
	int r = pages_next(live, &live->points, ask_points, err);

	live->batch.len = 0;
	if (r <= 0)
		return r;
	list = json_get(live->points.doc, live->points.name);
	for (const struct json *v = live->points.item; v; v = json_next(list, v)) {
		struct metric_point p;

		live->points.item = v;
		if (wire_read_point(v, &p))
			vec_push(&live->batch, p);
	}
	return 1;
}

static int points_next(struct mlflow_source *s, struct mlflow_points *out, struct mlp_error *err)
{
	struct live *live = live_of(s);

	if (!live->run || (!live->key.len && !next_key(live)))
		return 0;
	do {
		int r = take_batch(live, err);

		if (r < 0)
			return r;
		if (r && live->batch.len) {
			*out = (struct mlflow_points){ live->key.buf, live->batch.v,
						       live->batch.len };
			return 1;
		}
		if (r)
			continue;
		if (!next_key(live))
			break;
	} while (true);
	return 0;
}

static int model_next(struct mlflow_source *s, struct mlflow_model *out, struct mlp_error *err)
{
	struct live *live = live_of(s);
	int r;

	while ((r = pages_next(live, &live->models, ask_models, err)) > 0) {
		if (!wire_read_model(live->models.item, out)) {
			mlp_warn(s->events, "left out: a logged model without a name or an id");
			mlflow_model_release(out);
			continue;
		}
		place_free(live->place);
		live->place = place_of_model(live->peer, out);
		out->elsewhere = !live->place;
		break;
	}
	return r;
}

static int artifact_next(struct mlflow_source *s, struct mlflow_artifact *out,
			 struct mlp_error *err)
{
	struct live *live = live_of(s);

	return live->place ? place_next(live->place, s->events, out, err) : 0;
}

static int artifact_open(struct mlflow_source *s, const struct mlflow_artifact *a,
			 struct mlp_error *err)
{
	return place_open(live_of(s)->place, a->path, err);
}

/* In a filter a name stands in one kind of quotes; with both there is no way to say it. */
static char quote_for(const char *name)
{
	return !strchr(name, '\'') ? '\'' : !strchr(name, '"') ? '"' : '\0';
}

/* The place of the files of a version that is named by another's. */
static int read_location(struct live *live, const char *name, struct mlflow_version *v,
			 struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	_cleanup_(json_free) struct json *doc = NULL;
	int r;

	if (!v->source || strncmp(v->source, "models:", 7))
		return 0;
	strbuf_addstr(&target, "mlflow/model-versions/get-download-uri?name=");
	net_add_escaped(&target, name);
	strbuf_addf(&target, "&version=%" PRId64, v->version);
	r = peer_get(live->peer, target.buf, &doc, err);
	if (!r)
		v->location = json_as_text(json_get(doc, "artifact_uri"));
	return r == MLP_ENOTFOUND ? 0 : r;
}

static int compare_versions(const void *a, const void *b)
{
	const struct mlflow_version *x = a, *y = b;

	return (x->version > y->version) - (x->version < y->version);
}

static int read_versions_page(struct live *live, struct mlflow_registered *m,
			      const struct json *doc, struct mlp_error *err)
{
	const struct json *list = json_get(doc, "model_versions"), *item = NULL;

	while ((item = json_next(list, item))) {
		const char *name = json_text(json_get(item, "name"));
		struct mlflow_version v = { 0 };
		int r;

		/* A search compares as its store does, which may not know case. */
		if (!name || strcmp(name, m->name))
			continue;
		if (!wire_read_version(item, &v)) {
			mlflow_version_release(&v);
			continue;
		}
		r = read_location(live, m->name, &v, err);
		vec_push(&m->versions, v);
		if (r)
			return r;
	}
	return 0;
}

static int read_versions(struct live *live, struct mlflow_registered *m, struct mlp_error *err)
{
	struct pages p = { 0 };
	char quote = quote_for(m->name);
	int r = 0;

	if (!quote) {
		mlp_warn(live->source.events, "left out: versions of '%s', whose name cannot be asked for",
			 m->name);
		return 0;
	}
	do {
		_release_(strbuf_release) struct strbuf target = STRBUF_INIT, filter = STRBUF_INIT;
		_cleanup_(json_free) struct json *doc = NULL;
		const char *token;

		strbuf_addf(&filter, "name=%c%s%c", quote, m->name, quote);
		strbuf_addstr(&target, "mlflow/model-versions/search?filter=");
		net_add_escaped(&target, filter.buf);
		strbuf_addch(&target, '&');
		add_page(&target, &p, VERSIONS_PAGE);
		r = peer_get(live->peer, target.buf, &doc, err);
		if (!r)
			r = read_versions_page(live, m, doc, err);
		token = json_text(json_get(doc, "next_page_token"));
		if (!r && token && p.token && !strcmp(token, p.token))
			r = mlp_error_set(err, MLP_EFAIL, "'%s' gives the same page again and again",
					  peer_name(live->peer));
		free(p.token);
		p.token = token && *token ? xstrdup(token) : NULL;
	} while (!r && p.token);
	free(p.token);
	if (m->versions.len)
		qsort(m->versions.v, m->versions.len, sizeof(m->versions.v[0]), compare_versions);
	return r;
}

static int registered_next(struct mlflow_source *s, struct mlflow_registered *out,
			   struct mlp_error *err)
{
	struct live *live = live_of(s);
	int r = pages_next(live, &live->registered, ask_registered, err);

	if (!r && !live->prompts) {
		live->prompts = true;
		pages_release(&live->registered);
		r = pages_next(live, &live->registered, ask_registered, err);
		if (r == MLP_EINVAL) /* MLflow before prompts */
			return 0;
	}
	if (r <= 0)
		return r;
	if (!wire_read_registered(live->registered.item, out))
		return mlp_error_set(err, MLP_EFAIL, "'%s' names a registered model without a name",
				     peer_name(live->peer));
	r = read_versions(live, out, err);
	return r ? r : 1;
}

static void live_close(struct mlflow_source *s)
{
	struct live *live = live_of(s);

	pages_release(&live->experiments);
	pages_release(&live->runs);
	pages_release(&live->models);
	pages_release(&live->registered);
	pages_release(&live->points);
	place_free(live->place);
	strbuf_release(&live->key);
	vec_free(&live->batch);
	free(live->experiment);
	free(live->run);
	peer_close(live->peer);
	free(live);
}

static const struct mlflow_source_ops live_ops = {
	.experiment_next = experiment_next,
	.run_next = run_next,
	.points_next = points_next,
	.model_next = model_next,
	.artifact_next = artifact_next,
	.artifact_open = artifact_open,
	.registered_next = registered_next,
	.close = live_close,
};

int mlflow_source_live(struct mlflow_source **out, const char *where,
		       const struct mlflow_source_options *options, struct mlp_error *err)
{
	struct live *live;
	struct peer *peer = NULL;
	int r = peer_open(&peer, where, options->events, err);

	if (r)
		return r;
	live = xcalloc(1, sizeof(*live));
	live->source.ops = &live_ops;
	live->source.events = options->events;
	live->peer = peer;
	live->experiments.name = "experiments";
	live->runs.name = "runs";
	live->models.name = "models";
	live->registered.name = "registered_models";
	live->points.name = "metrics";
	strbuf_init(&live->key);
	*out = &live->source;
	return 0;
}
