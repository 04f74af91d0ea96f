/* SPDX-License-Identifier: Apache-2.0 */
/* Environments and results of the two runs. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "cmd/reproduce/reproduce.h"
#include "cmd/run_text.h"
#include "lib/capture/capture.h"
#include "lib/store/object.h"
#include "lib/track/metric.h"
#include "lib/util/text.h"

static int read_recorded(struct reproduction *re, struct strbuf *out)
{
	_cleanup_free_ char *hex = NULL;
	int r = run_environment_object(re->ctx, re->run.id, &hex);

	if (r || !hex)
		return r ? r : MLP_ENOTFOUND;
	return object_read(&re->ctx->repo, hex, ENVIRONMENT_MAX, out, &re->ctx->err);
}

int reproduce_environment(struct reproduction *re)
{
	_release_(strbuf_release) struct strbuf was = STRBUF_INIT, is = STRBUF_INIT;
	_release_(env_differences_release) struct env_differences d = { 0 };
	struct mlp_error *err = &re->ctx->err;
	size_t breaking = 0;
	int r = read_recorded(re, &was);

	if (r == MLP_ENOTFOUND) {
		cmd_warn("the environment of the run is not recorded, so it is not compared");
		return 0;
	}
	if (!r)
		r = capture_environment(&re->ctx->repo.settings,
					(const char *const *)re->command.argv.v, re->cwd, &is, err);
	if (!r)
		r = environment_compare(was.buf, is.buf, &d, err);
	for (size_t i = 0; !r && i < d.len; i++) {
		bool breaks = d.v[i].level == ENV_BREAKING;

		reproduce_row(re, "environment", d.v[i].what, d.v[i].was, d.v[i].is,
			      breaks ? "breaking" : "tolerable");
		breaking += breaks;
	}
	re->breaking += breaking;
	if (!r)
		mlp_note(&re->ctx->events, "environment: %zu same, %zu tolerable, %zu breaking",
			 d.same, d.len - breaking, breaking);
	return r;
}

bool reproduce_ignores(struct reproduction *re, const char *name)
{
	for (size_t i = 0; i < re->opts->ignore.len; i++)
		if (text_glob(re->opts->ignore.v[i], name))
			return true;
	return false;
}

void reproduce_result(struct reproduction *re, const char *kind, const char *name,
		      const char *was, const char *is, bool same)
{
	re->compared++;
	re->differs += !same;
	reproduce_row(re, kind, name, was, is,
		      same ? "same" : !is ? "missing" : !was ? "new" : "differs");
}

/* Both lists are sorted by path. */
static int compare_files(struct reproduction *re, int64_t run, enum file_role role,
			 const char *kind)
{
	_release_(run_files_release) struct run_files was = { 0 }, is = { 0 };
	struct mlp_error *err = &re->ctx->err;
	int r = run_files_get(re->ctx->db, re->run.id, role, &was, err);

	if (!r)
		r = run_files_get(re->ctx->db, run, role, &is, err);
	for (size_t i = 0, j = 0; !r && (i < was.len || j < is.len);) {
		const struct run_file *a = i < was.len ? &was.v[i] : NULL;
		const struct run_file *b = j < is.len ? &is.v[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
		const char *path = order <= 0 ? a->path : b->path;

		a = order <= 0 ? a : NULL;
		b = order >= 0 ? b : NULL;
		i += a != NULL;
		j += b != NULL;
		if (!reproduce_ignores(re, path))
			reproduce_result(re, kind, path, a ? a->sha256 : NULL,
					 b ? b->sha256 : NULL,
					 a && b && a->sha256 && b->sha256 &&
						 !strcmp(a->sha256, b->sha256));
	}
	return r;
}

static bool values_agree(double a, double b, double tolerance)
{
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b);
	if (a == b)
		return true;
	return isfinite(a) && isfinite(b) && fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b));
}

static char *value_text(const struct metric_latest *m)
{
	struct strbuf sb = STRBUF_INIT;

	if (!m)
		return NULL;
	text_add_double(&sb, m->last.value);
	return strbuf_detach(&sb);
}

/* What mlp itself measured (system/...) is of the machine, not of the result. */
static int compare_metrics(struct reproduction *re, int64_t run)
{
	_release_(metric_latests_release) struct metric_latests was = { 0 }, is = { 0 };
	struct mlp_error *err = &re->ctx->err;
	int r = metric_latest(re->ctx->db, re->run.id, &was, err);

	if (!r)
		r = metric_latest(re->ctx->db, run, &is, err);
	for (size_t i = 0, j = 0; !r && (i < was.len || j < is.len);) {
		const struct metric_latest *a = i < was.len ? &was.v[i] : NULL;
		const struct metric_latest *b = j < is.len ? &is.v[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->key, b->key);
		const char *key = order <= 0 ? a->key : b->key;
		_cleanup_free_ char *x = value_text(order <= 0 ? a : NULL);
		_cleanup_free_ char *y = value_text(order >= 0 ? b : NULL);

		i += order <= 0;
		j += order >= 0;
		if (!metric_is_system(key) && !reproduce_ignores(re, key))
			reproduce_result(re, "metric", key, x, y,
					 order == 0 && values_agree(a->last.value,
								    b->last.value,
								    re->tolerance));
	}
	return r;
}

static char *end_text(int exit_code, int exit_signal)
{
	struct strbuf sb = STRBUF_INIT;

	exit_add(&sb, exit_code, exit_signal);
	return sb.len ? strbuf_detach(&sb) : NULL;
}

int reproduce_compare(struct reproduction *re, const struct job_result *result)
{
	_cleanup_free_ char *was = end_text(re->run.exit_code, re->run.exit_signal);
	_cleanup_free_ char *is = end_text(result->exit_code, result->exit_signal);
	int r = compare_files(re, result->run, FILE_OUTPUT, "output");

	if (!r)
		r = compare_files(re, result->run, FILE_ARTIFACT, "artifact");
	if (!r)
		r = compare_metrics(re, result->run);
	if (r)
		return r;
	if (!re->compared)
		mlp_note(&re->ctx->events,
			 "the run has neither outputs nor metrics: only its end is compared");
	r = reproduce_compare_stdin(re, result->run);
	if (r)
		return r;
	reproduce_result(re, "exit", "code", was, is, was && is && !strcmp(was, is));
	return 0;
}
