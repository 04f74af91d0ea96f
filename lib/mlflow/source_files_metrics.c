/* SPDX-License-Identifier: Apache-2.0 */
/* mlruns/ as a source: metric files, one a series, its name their path. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "lib/mlflow/metric_line.h"
#include "lib/mlflow/source_files.h"
#include "lib/util/file.h"

enum { PIECE = 1 << 20, LINE_MAX_BYTES = 1 << 16 };

struct metric_file {
	struct local_tree *tree;
	struct mlflow_artifact file;
	int fd; /* -1: the next file is to be opened */
	struct strbuf text; /* read and not yet parsed */
	struct metric_points points;
	int64_t bad; /* lines of the file that were none */
};

void files_close_metrics(struct source_files *s)
{
	struct metric_file *m = s->metrics;

	if (!m)
		return;
	local_tree_free(m->tree);
	mlflow_artifact_release(&m->file);
	if (m->fd >= 0)
		close(m->fd);
	strbuf_release(&m->text);
	vec_free(&m->points);
	free(m);
	s->metrics = NULL;
}

/* Whole lines become points.  A line without an end is being written, or was cut. */
static void parse_lines(struct metric_file *m)
{
	char *line = m->text.buf, *stop = m->text.buf + m->text.len;
	char *end;

	while ((end = memchr(line, '\n', (size_t)(stop - line)))) {
		struct metric_line parsed;

		*end = '\0';
		if (end > line && metric_line_parse(line, false, &parsed))
			vec_push(&m->points, parsed.point);
		else
			m->bad += end > line;
		line = end + 1;
	}
	strbuf_drop(&m->text, (size_t)(line - m->text.buf));
}

/* Reads on in the open file; closes it at its end. */
static int read_piece(struct source_files *s, struct metric_file *m, struct mlp_error *err)
{
	size_t before = m->text.len;
	ssize_t n;

	strbuf_grow(&m->text, PIECE);
	n = file_read_some(m->fd, m->text.buf + before, PIECE);
	if (n < 0)
		return mlp_error_errno(err, (int)-n, "cannot read metric '%s'", m->file.path);
	strbuf_setlen(&m->text, before + (size_t)n);
	parse_lines(m);
	if (n && m->text.len <= LINE_MAX_BYTES)
		return 0;
	m->bad += m->text.len > 0;
	if (m->bad)
		mlp_warn(s->base.events, "left out: %lld lines of metric '%s' in '%s'",
			 (long long)m->bad, m->file.path, s->run);
	strbuf_clear(&m->text);
	close(steal_fd(&m->fd));
	return 0;
}

static int open_next(struct source_files *s, struct metric_file *m, struct mlp_error *err)
{
	int r;

	mlflow_artifact_release(&m->file);
	m->bad = 0;
	r = local_tree_next(m->tree, &m->file, err);
	if (r <= 0)
		return r;
	m->fd = local_tree_open(m->tree, &m->file, err);
	if (m->fd < 0)
		mlp_warn(s->base.events, "left out: %s", err ? err->text : m->file.path);
	return 1;
}

int files_points(struct mlflow_source *base, struct mlflow_points *out, struct mlp_error *err)
{
	struct source_files *s = (struct source_files *)base;
	struct metric_file *m = s->metrics;
	int r = 0;

	if (!m && !s->run)
		return 0;
	if (!m) {
		m = s->metrics = xcalloc(1, sizeof(*m));
		m->fd = -1;
		strbuf_init(&m->text);
		m->tree = files_tree(s, s->run, "metrics");
	}
	m->points.len = 0;
	while (!m->points.len) {
		r = m->fd >= 0 ? 1 : open_next(s, m, err);
		if (r > 0 && m->fd >= 0)
			r = read_piece(s, m, err) < 0 ? MLP_ESYSTEM : 1;
		if (r <= 0)
			return r;
	}
	*out = (struct mlflow_points){ m->file.path, m->points.v, m->points.len };
	return 1;
}

static void add_model_metric(struct logged_model_metrics *out, const char *key,
			     const struct metric_line *line)
{
	vec_push(out, ((struct logged_model_metric){ .key = xstrdup(key),
						     .run = xstrdup_null(line->run),
						     .dataset = xstrdup_null(line->dataset),
						     .digest = xstrdup_null(line->digest),
						     .point = line->point }));
}

void files_model_metrics(struct source_files *s, const char *dir, struct logged_model_metrics *out)
{
	struct key_values files = { 0 };

	files_pairs(s, dir, "metrics", &files);
	for (size_t i = 0; i < files.len; i++) {
		char *line = files.v[i].value, *end;

		for (; (end = strchr(line, '\n')); line = end + 1) {
			struct metric_line parsed;

			*end = '\0';
			if (metric_line_parse(line, true, &parsed))
				add_model_metric(out, files.v[i].key, &parsed);
		}
	}
	key_values_release(&files);
}
