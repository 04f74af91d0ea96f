/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/copied.h"

#include <inttypes.h>

#include "lib/util/text.h"

enum { WARNINGS_SHOWN = 50 };

static const struct {
	const char *key, *one, *many;
	size_t offset;
} kinds[] = {
#define KIND(name, one, many) { #name, one, many, offsetof(struct mlflow_counts, name) }
	KIND(experiments, "experiment", "experiments"),
	KIND(runs, "run", "runs"),
	KIND(runs_grown, "run that grew", "runs that grew"),
	KIND(points, "metric point", "metric points"),
	KIND(artifacts, "artifact", "artifacts"),
	KIND(models, "logged model", "logged models"),
	KIND(registered_models, "registered model", "registered models"),
	KIND(versions, "model version", "model versions"),
#undef KIND
};

static int64_t count_of(const struct mlflow_counts *counts, size_t kind)
{
	return *(const int64_t *)((const char *)counts + kinds[kind].offset);
}

static void relay(void *data, const struct mlp_event *event)
{
	struct copy_log *log = data;

	log->warnings += event->type == MLP_EVENT_WARNING;
	if (event->type != MLP_EVENT_WARNING || log->warnings <= WARNINGS_SHOWN)
		log->to->fn(log->to->data, event);
}

void copy_log_init(struct copy_log *log, const struct mlp_events *to)
{
	*log = (struct copy_log){ .events = { relay, log }, .to = to };
}

static void print_json(struct printer *p, const struct mlflow_counts *counts, int64_t warnings)
{
	struct column cols[ARRAY_SIZE(kinds) + 4] = { { 0 } };
	size_t n = ARRAY_SIZE(kinds);

	for (size_t i = 0; i < n; i++)
		cols[i].key = kinds[i].key;
	cols[n].key = "artifact_bytes";
	cols[n + 1].key = "runs_known";
	cols[n + 2].key = "elsewhere";
	cols[n + 3].key = "warnings";
	print_begin(p, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; i < n; i++)
		print_int(p, count_of(counts, i));
	print_int(p, counts->artifact_bytes);
	print_int(p, counts->runs_known);
	print_int(p, counts->elsewhere);
	print_int(p, warnings);
	print_end_row(p);
	print_end(p);
}

static void print_kinds(FILE *f, const char *done, const struct mlflow_counts *counts)
{
	_release_(strbuf_release) struct strbuf size = STRBUF_INIT;
	bool any = false;

	text_add_size(&size, counts->artifact_bytes);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int64_t n = count_of(counts, i);

		if (!n)
			continue;
		fprintf(f, "%s%" PRId64 " %s", any ? ", " : "", n,
			n == 1 ? kinds[i].one : kinds[i].many);
		if (kinds[i].offset == offsetof(struct mlflow_counts, artifacts))
			fprintf(f, " (%s)", size.buf);
		any = true;
	}
	fprintf(f, any ? " %s\n" : "nothing new %s\n", done);
}

void print_copied(struct cmd_ctx *ctx, const char *done, const struct mlflow_counts *counts,
		  const struct copy_log *log)
{
	FILE *f = ctx->out.f;

	if (log->warnings > WARNINGS_SHOWN)
		cmd_warn("%" PRId64 " more warnings are not shown", log->warnings - WARNINGS_SHOWN);
	if (ctx->out.mode != PRINT_TEXT) {
		print_json(&ctx->out, counts, log->warnings);
		return;
	}
	print_kinds(f, done, counts);
	if (counts->runs_known)
		fprintf(f, "%" PRId64 " %s there already\n", counts->runs_known,
			counts->runs_known == 1 ? "run was" : "runs were");
	if (counts->elsewhere)
		fprintf(f, "the artifacts of %" PRId64 " %s stay where they are: only the URI is kept\n",
			counts->elsewhere,
			counts->elsewhere == 1 ? "run or model" : "runs and models");
}
