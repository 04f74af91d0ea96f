/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/meter.h"

#include <string.h>
#include <unistd.h>

#include "lib/json/write.h"
#include "lib/track/live.h"
#include "lib/util/clock.h"

enum { BUDGET_CHECK_MS = 2000 };

static int check_price(const struct price *price, const char *what, const struct job *job,
		       struct mlp_error *err)
{
	if (!price->known) {
		mlp_error_set(err, MLP_EFAIL, "--max-cost: no price is known for %s", what);
		mlp_error_hint(err, "set one with 'mlp config', or 'mlp cost prices import'");
		return MLP_EFAIL;
	}
	if (strcmp(price->currency, job->max_cost.currency))
		return mlp_error_set(err, MLP_EFAIL, "--max-cost is in %s, the price of %s in %s",
				     job->max_cost.currency, what, price->currency);
	return 0;
}

int meter_check_prices(struct db *db, const struct repo *repo, const struct job *job,
		       struct gpus *gpus, struct mlp_error *err)
{
	size_t n = gpus->told ? gpus->index.len : gpus->nvml ? nvml_count(gpus->nvml) : 0;
	struct price price = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		struct gpu_info info;

		r = nvml_info(gpus->nvml, gpus->told ? gpus->index.v[i] : (unsigned)i, &info, err);
		if (!r)
			r = price_gpu(db, &repo->settings,
				      &(struct price_of){ live_host(), info.model, clock_ms() },
				      &price, err);
		if (!r)
			r = check_price(&price, info.model, job, err);
	}
	if (r || n)
		return r;
	r = price_cpu(db, &repo->settings, &(struct price_of){ live_host(), "", clock_ms() }, &price,
		      err);
	return r ? r : check_price(&price, "CPU time", job, err);
}

void meter_init(struct meter *meter, const struct meter_spec *spec)
{
	*meter = (struct meter){ .spec = *spec, .checked_ms = spec->started_ms };
}

static int open_ledger(struct meter *m, struct db *db, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf tags = STRBUF_INIT;
	struct json_writer w = { .out = &tags };
	const struct meter_spec *s = &m->spec;
	struct ledger_start start = {
		.run_uuid = s->uuid,
		.attempt = s->number,
		.experiment = s->job->experiment ? s->job->experiment : "Default",
		.user = s->user,
		.gpus = s->gpus->index.v,
		.ngpus = s->gpus->index.len,
		.gpus_by_use = !s->gpus->told,
		.started_ms = s->started_ms,
	};

	json_open(&w, '{');
	for (size_t i = 0; i < s->job->tags.len; i++)
		json_put_string(&w, s->job->tags.v[i].key, s->job->tags.v[i].value);
	json_close(&w, '}');
	start.tags_json = tags.buf;
	return ledger_open(&m->ledger, db, s->gpus->nvml, &start, err);
}

int meter_start(struct meter *m, struct db *db, struct mlp_error *err)
{
	return m->spec.gpus->told && m->spec.gpus->index.len ? open_ledger(m, db, err) : 0;
}

/* 1 when what the run cost so far, earlier attempts and nested runs included, is the limit
 * or more. */
static int check_budget(struct meter *m, struct db *db, struct mlp_error *err)
{
	const struct money *most = &m->spec.job->max_cost;
	struct cost_summary cost;
	int r = cost_with_nested(db, &m->spec.repo->settings, m->spec.uuid, &cost, err);

	if (r)
		return r;
	if (cost.money.known && !strcmp(cost.money.currency, most->currency))
		return cost.money.nano >= most->nano;
	if (!m->unpriced)
		mlp_warn(m->spec.events, "the budget cannot be checked: no price for '%s'",
			 cost.unpriced);
	m->unpriced = true;
	return 0;
}

static struct ledger_tree tree_of(const struct meter *m, int64_t now_ms)
{
	const struct telemetry *t = m->spec.telemetry;

	return (struct ledger_tree){ now_ms, t->cpu_ms, t->rss_bytes, t->pids.v, t->pids.len };
}

int meter_tick(struct meter *m, struct db *db, int64_t now_ms, struct mlp_error *err)
{
	struct ledger_tree tree = tree_of(m, now_ms);
	bool budget = m->spec.job->max_cost.known && now_ms - m->checked_ms >= BUDGET_CHECK_MS;
	int r = 0;

	/* The library of the driver takes long to load: a short run does without. */
	if (!m->ledger && !m->spec.gpus->told && !m->spec.gpus->nvml &&
	    nvml_open(&m->spec.gpus->nvml, NULL))
		m->spec.gpus->nvml = NULL;
	if (!m->ledger)
		r = open_ledger(m, db, err);
	if (!r)
		r = ledger_tick(m->ledger, &tree, budget, err);
	if (r || !budget)
		return r;
	m->checked_ms = now_ms;
	return check_budget(m, db, err);
}

int meter_close(struct meter *m, struct db *db, int64_t now_ms, int64_t cpu_ms,
		struct mlp_error *err)
{
	struct ledger_tree tree = tree_of(m, now_ms);
	int r = m->ledger ? 0 : open_ledger(m, db, err);

	tree.cpu_ms = MAX(cpu_ms, tree.cpu_ms);
	if (!r)
		r = ledger_close(m->ledger, &tree, err);
	m->ledger = NULL;
	return r;
}
