/* SPDX-License-Identifier: Apache-2.0 */
/* What the store knows of the runs that mlp diff compares. */
#include "config.h"

#include <string.h>

#include "cmd/diff_rows.h"
#include "cmd/run_text.h"
#include "lib/store/object.h"
#include "lib/track/code.h"
#include "lib/track/command.h"
#include "lib/track/file.h"
#include "lib/track/live.h"
#include "lib/track/metric.h"
#include "lib/util/clock.h"

enum {
	PATCH_MAX = 64 << 20,
	HASH_SHOWN = 12,
};

struct collect {
	struct cmd_ctx *ctx;
	struct diff *diff;
	size_t i; /* the run being read */
};

static void put(struct collect *c, enum diff_section section, const char *key, const char *value)
{
	diff_set(diff_cell(c->diff, section, key, c->i), value, NULL);
}

static void put_hash(struct collect *c, enum diff_section section, const char *key,
		     const char *hash)
{
	_cleanup_free_ char *shown = hash ? xasprintf("%.*s", HASH_SHOWN, hash) : NULL;

	diff_set(diff_cell(c->diff, section, key, c->i), hash, shown);
}

static void put_duration(struct collect *c, const struct run *run)
{
	_release_(strbuf_release) struct strbuf shown = STRBUF_INIT;
	struct diff_cell *cell = diff_cell(c->diff, DIFF_RUN, "duration", c->i);
	int64_t ms = clock_between(run->started_ms, run->ended_ms);

	if (!run->ended_ms)
		return;
	diff_set_number(cell, (double)ms);
	/* Two that differ are not to look the same. */
	if (ms < 60 * 1000)
		strbuf_addf(&shown, "%.3fs", (double)ms / 1000);
	else
		clock_add_duration(&shown, ms);
	free(cell->shown);
	cell->shown = strbuf_detach(&shown);
}

static void put_exit(struct collect *c, const struct run *run)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	exit_add(&text, run->exit_code, run->exit_signal);
	put(c, DIFF_RUN, "exit", text.len ? text.buf : NULL);
}

static void put_run(struct collect *c)
{
	const struct diff_run *d = &c->diff->runs[c->i];

	put(c, DIFF_RUN, "name", d->run.name);
	put(c, DIFF_RUN, "experiment", d->run.experiment);
	put(c, DIFF_RUN, "status", run_status_name(d->status));
	put_duration(c, &d->run);
	put_exit(c, &d->run);
	put(c, DIFF_RUN, "reason", d->run.reason);
	put(c, DIFF_RUN, "user", d->run.user);
	put(c, DIFF_RUN, "host", d->run.host);
}

static int put_command(struct collect *c)
{
	_release_(run_command_release) struct run_command command = RUN_COMMAND_INIT;
	_release_(strbuf_release) struct strbuf line = STRBUF_INIT, seed = STRBUF_INIT;
	int r = run_command_get(c->ctx->db, c->diff->runs[c->i].run.id, &command, &c->ctx->err);

	if (r)
		return r == MLP_ENOTFOUND ? 0 : r;
	for (size_t i = 0; i < command.argv.len; i++)
		strbuf_addf(&line, "%s%s", i ? " " : "", command.argv.v[i]);
	strbuf_addf(&seed, "%lld", (long long)command.seed);
	put(c, DIFF_RUN, "command", line.buf);
	put(c, DIFF_RUN, "seed", command.has_seed ? seed.buf : NULL);
	put(c, DIFF_RUN, "folder", command.project_dir);
	return 0;
}

static int put_params(struct collect *c)
{
	_release_(key_values_release) struct key_values list = { 0 };
	int r = params_get(c->ctx->db, c->diff->runs[c->i].run.id, &list, &c->ctx->err);

	for (size_t i = 0; i < list.len; i++)
		put(c, DIFF_PARAMS, list.v[i].key, list.v[i].value);
	return r;
}

/* What programs note for themselves says nothing new. */
static bool is_internal(const char *key)
{
	return !strncmp(key, "mlflow.", 7) || !strncmp(key, "mlp.", 4);
}

static int put_tags(struct collect *c)
{
	_release_(key_values_release) struct key_values list = { 0 };
	int r = tags_get(c->ctx->db, c->diff->runs[c->i].run.id, &list, &c->ctx->err);

	for (size_t i = 0; i < list.len; i++)
		if (!is_internal(list.v[i].key))
			put(c, DIFF_TAGS, list.v[i].key, list.v[i].value);
	return r;
}

static int put_metrics(struct collect *c)
{
	_release_(metric_latests_release) struct metric_latests list = { 0 };
	int r = metric_latest(c->ctx->db, c->diff->runs[c->i].run.id, &list, &c->ctx->err);

	/* Of the machine, not of the model: never the same. */
	for (size_t i = 0; i < list.len; i++)
		if (!metric_is_system(list.v[i].key))
			diff_set_number(diff_cell(c->diff, DIFF_METRICS, list.v[i].key, c->i),
					list.v[i].last.value);
	return r;
}

/* Text at s up to the end of its line. */
static size_t line_length(const char *s, const char *end)
{
	const char *newline = memchr(s, '\n', (size_t)(end - s));

	return newline ? (size_t)(newline - s) : (size_t)(end - s);
}

/* One file of a patch: its text is compared, how many lines changed is shown. */
static void put_patch_file(struct collect *c, const char *text, size_t len)
{
	const char *end = text + len, *name;
	size_t head = line_length(text, end), added = 0, removed = 0;
	_cleanup_free_ char *line = xmemdupz(text, head), *whole = xmemdupz(text, len);
	_cleanup_free_ char *shown = NULL;
	bool hunk = false;

	name = strstr(line, " b/");
	for (const char *s = text; s < end; s += line_length(s, end) + 1) {
		hunk |= *s == '@';
		added += hunk && *s == '+';
		removed += hunk && *s == '-';
	}
	shown = hunk ? xasprintf("+%zu -%zu", added, removed) : xstrdup("changed");
	diff_set(diff_cell(c->diff, DIFF_CODE, name ? name + 3 : line, c->i), whole, shown);
}

static void put_patch(struct collect *c, const struct strbuf *patch)
{
	static const char mark[] = "\ndiff --git ";
	const char *s = patch->buf, *end = patch->buf + patch->len;

	while (s < end) {
		const char *next = memmem(s, (size_t)(end - s), mark, sizeof(mark) - 1);

		next = next ? next + 1 : end;
		if (!strncmp(s, mark + 1, sizeof(mark) - 2))
			put_patch_file(c, s, (size_t)(next - s));
		s = next;
	}
}

static int put_code(struct collect *c)
{
	_release_(run_code_release) struct run_code code = RUN_CODE_INIT;
	struct diff_run *d = &c->diff->runs[c->i];
	int r = run_code_get(c->ctx->db, d->run.id, &code, &c->ctx->err);

	if (r)
		return r == MLP_ENOTFOUND ? 0 : r;
	put_hash(c, DIFF_CODE, "commit", code.commit);
	put(c, DIFF_CODE, "branch", code.branch);
	put(c, DIFF_CODE, "remote", code.remote);
	put(c, DIFF_CODE, "uncommitted changes", code.dirty ? "yes" : "no");
	if (!code.diff)
		return 0;
	r = object_read(&c->ctx->repo, code.diff, PATCH_MAX, &d->patch, &c->ctx->err);
	if (r == MLP_ENOTFOUND) {
		put_hash(c, DIFF_CODE, "patch", code.diff);
		return 0;
	}
	put_patch(c, &d->patch);
	return r;
}

static int put_files(struct collect *c)
{
	static const struct {
		enum diff_section section;
		const char *suffix;
	} of_role[] = {
		[FILE_INPUT] = { DIFF_INPUTS, "" },
		[FILE_OUTPUT] = { DIFF_OUTPUTS, "" },
		[FILE_ARTIFACT] = { DIFF_OUTPUTS, " (artifact)" },
		[FILE_UNTRACKED] = { DIFF_CODE, " (untracked)" },
	};
	_release_(run_files_release) struct run_files files = { 0 };
	int r = run_files_get(c->ctx->db, c->diff->runs[c->i].run.id, 0, &files, &c->ctx->err);

	for (size_t i = 0; i < files.len; i++) {
		const struct run_file *f = &files.v[i];
		_cleanup_free_ char *key = xasprintf("%s%s", f->path, of_role[f->role].suffix);

		put_hash(c, of_role[f->role].section, key, f->sha256 ? f->sha256 : "not read");
	}
	return r;
}

static int read_environment(struct collect *c)
{
	struct diff_run *d = &c->diff->runs[c->i];
	_cleanup_free_ char *hex = NULL;
	int r = run_environment_object(c->ctx, d->run.id, &hex);

	if (r || !hex)
		return r;
	r = object_read(&c->ctx->repo, hex, ENVIRONMENT_MAX, &d->environment, &c->ctx->err);
	if (r == MLP_ENOTFOUND) {
		cmd_warn("the environment of run %s is not in the object store", d->name);
		return 0;
	}
	return r;
}

/* Only what differs from the first run was listed: the others have its value. */
static void complete_environment(struct diff *diff)
{
	for (size_t i = 0; i < diff->rows.len; i++) {
		struct diff_row *row = diff->rows.v[i];

		for (size_t j = 1; row->section == DIFF_ENVIRONMENT && j < diff->nruns; j++)
			if (!row->cells[j].set && diff->runs[j].environment.len)
				diff_set(&row->cells[j], row->cells[0].value, NULL);
	}
}

static int compare_environments(struct collect *c)
{
	struct diff *diff = c->diff;
	const struct strbuf *first = &diff->runs[0].environment;

	for (size_t i = 1; i < diff->nruns; i++) {
		_release_(env_differences_release) struct env_differences list = { 0 };
		const struct strbuf *other = &diff->runs[i].environment;
		int r;

		/* An absent one differs in everything: that is one row. */
		if (!first->len || !other->len) {
			if (first->len != other->len) {
				diff_set(diff_cell(diff, DIFF_ENVIRONMENT, "recorded", 0),
					 first->len ? "yes" : "no", NULL);
				diff_set(diff_cell(diff, DIFF_ENVIRONMENT, "recorded", i),
					 other->len ? "yes" : "no", NULL);
			}
			continue;
		}
		r = environment_compare(first->buf, other->buf, &list, &c->ctx->err);
		if (r)
			return r;
		for (size_t j = 0; j < list.len; j++) {
			struct diff_row *row = diff_row(diff, DIFF_ENVIRONMENT, list.v[j].what);

			row->level = MAX(row->level, list.v[j].level);
			diff_set(&row->cells[0], list.v[j].was, NULL);
			diff_set(&row->cells[i], list.v[j].is, NULL);
		}
	}
	complete_environment(diff);
	return 0;
}

static int collect_run(struct collect *c, int64_t id)
{
	static int (*const parts[])(struct collect *) = {
		put_command, put_params, put_metrics, put_tags, put_code, put_files,
		read_environment,
	};
	struct diff_run *d = &c->diff->runs[c->i];
	int r = run_get(c->ctx->db, id, &d->run, &c->ctx->err);

	if (r)
		return r;
	run_short(d->run.uuid, d->name);
	d->status = live_status(&c->ctx->repo, &d->run);
	put_run(c);
	for (size_t i = 0; i < ARRAY_SIZE(parts) && !r; i++)
		r = parts[i](c);
	return r;
}

int diff_collect(struct cmd_ctx *ctx, const int64_t *ids, size_t n, struct diff *diff)
{
	struct collect c = { ctx, diff, 0 };
	int r = 0;

	diff->runs = xcalloc(n, sizeof(*diff->runs));
	diff->nruns = n;
	for (size_t i = 0; i < n; i++) {
		strbuf_init(&diff->runs[i].patch);
		strbuf_init(&diff->runs[i].environment);
	}
	for (c.i = 0; c.i < n && !r; c.i++)
		r = collect_run(&c, ids[c.i]);
	if (!r)
		r = compare_environments(&c);
	diff_sort(diff);
	return r;
}
