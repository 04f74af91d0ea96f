/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/search.h"

#include <string.h>
#include <strings.h>

#include "lib/util/text.h"

struct run_cursor {
	struct db *db;
	struct db_stmt *ids; /* in order */
	struct metric_names names;
	unsigned fetch;
};

void run_order_release(struct run_order *order)
{
	field_release(&order->field);
}

/* Without the quotes around what follows the first n bytes; *quoted tells whether there were. */
static void unquote_tail(struct strbuf *sb, size_t n, bool *quoted)
{
	_cleanup_free_ char *tail = xstrdup(sb->buf + n);
	size_t len = strlen(tail);

	*quoted = len > 2 && (*tail == '`' || *tail == '"') && tail[len - 1] == *tail;
	if (!*quoted)
		return;
	strbuf_setlen(sb, n);
	strbuf_add(sb, tail + 1, len - 2);
}

/* "name DESC" to "name", without quotes around entity and key. */
static char *strip_order(const char *text, bool *descending, bool *quoted)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
	const char *space, *dot, *end;

	strbuf_addstr(&sb, text);
	strbuf_rtrim(&sb);
	space = strrchr(sb.buf, ' ');
	if (space && (!strcasecmp(space + 1, "desc") || !strcasecmp(space + 1, "asc"))) {
		*descending = !strcasecmp(space + 1, "desc");
		strbuf_setlen(&sb, (size_t)(space - sb.buf));
		strbuf_rtrim(&sb);
	}
	end = *sb.buf == '`' ? strchr(sb.buf + 1, '`') : NULL;
	if (end && end[1] == '.') {
		_cleanup_free_ char *bare =
			xasprintf("%.*s%s", (int)(end - sb.buf - 1), sb.buf + 1, end + 1);

		strbuf_clear(&sb);
		strbuf_addstr(&sb, bare);
	}
	dot = strchr(sb.buf, '.');
	unquote_tail(&sb, dot ? (size_t)(dot + 1 - sb.buf) : 0, quoted);
	return strbuf_detach(&sb);
}

int run_order_parse_of(struct run_order *out, enum field_target target, const char *text,
		       struct mlp_error *err)
{
	_cleanup_free_ char *name = NULL;
	bool quoted;
	int r;

	out->descending = *text == '-';
	name = strip_order(text + out->descending, &out->descending, &quoted);
	r = field_parse(&out->field, target, name, err);
	if (r || quoted || !out->field.key || !strpbrk(name, " ,"))
		return r;
	field_release(&out->field);
	mlp_error_set(err, MLP_EINVAL, "'%s' is more than a name and ASC or DESC", name);
	mlp_error_hint(err, "a key is quoted with backticks: metrics.`val loss`");
	return MLP_EINVAL;
}

int run_order_parse(struct run_order *out, const char *text, struct mlp_error *err)
{
	return run_order_parse_of(out, FIELD_OF_RUNS, text, err);
}

/* Which of the keyed kinds has this key: its prefix, or NULL with a count of 0 or 2. */
static int guess_kind(struct db *db, const char *name, const char **prefix, struct mlp_error *err)
{
	static const struct {
		const char *prefix, *sql;
	} kinds[] = {
		{ "metrics", "SELECT 1 FROM metric_key WHERE name = ?1" },
		/* Keys are not indexed alone: the newest runs tell. */
		{ "params", "SELECT 1 FROM (SELECT id FROM run ORDER BY id DESC LIMIT 1000) r"
			    " JOIN param p ON p.run_id = r.id AND p.key = ?1 LIMIT 1" },
		{ "tags", "SELECT 1 FROM tag WHERE key = ?1 LIMIT 1" },
	};
	int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int64_t one;
		int r = db_get_int(db, &one, err, kinds[i].sql, "s", name);

		if (r && r != MLP_ENOTFOUND)
			return r;
		if (!r && !found++)
			*prefix = kinds[i].prefix;
	}
	return found;
}

int run_order_guess(struct run_order *out, struct db *db, const char *text, struct mlp_error *err)
{
	_cleanup_free_ char *name = NULL, *full = NULL;
	const char *prefix = NULL;
	bool quoted;
	int n, r = run_order_parse(out, text, err);

	if (!r)
		return 0;
	name = strip_order(text + (*text == '-'), &out->descending, &quoted);
	n = guess_kind(db, name, &prefix, err);
	if (n < 0)
		return n;
	if (n > 1) {
		mlp_error_set(err, MLP_EAMBIGUOUS, "'%s' is a metric, a parameter or a tag", name);
		mlp_error_hint(err, "write metrics.%s, params.%s or tags.%s", name, name, name);
		return MLP_EAMBIGUOUS;
	}
	if (!n)
		return r;
	full = xasprintf("%s.%s", prefix, name);
	return field_parse(&out->field, FIELD_OF_RUNS, full, err);
}

void run_row_release(struct run_row *row)
{
	run_release(&row->run);
	metric_latests_release(&row->metrics);
	key_values_release(&row->params);
	key_values_release(&row->tags);
}

/* Starts the next condition. */
static void add_and(struct query *q)
{
	query_add(q, strstr(q->sql.buf, " WHERE ") ? " AND " : " WHERE ");
}

static void add_int_list(const char *before, const int64_t *v, size_t n, struct query *q)
{
	query_add(q, before);
	for (size_t i = 0; i < n; i++) {
		query_add(q, i ? ", " : "");
		query_int(q, v[i]);
	}
	query_add(q, ")");
}

static void add_statuses(unsigned statuses, struct query *q)
{
	int64_t v[RUN_LOST + 1];
	size_t n = 0;

	for (int s = RUN_RUNNING; s <= RUN_LOST; s++)
		if (statuses & 1U << s)
			v[n++] = s;
	/* Few runs are not over: this form lets SQLite use their index. */
	if (!(statuses & ~(1U << RUN_RUNNING | 1U << RUN_SCHEDULED))) {
		add_and(q);
		query_add(q, "r.status < 3");
	}
	add_and(q);
	add_int_list("r.status IN (", v, n, q);
}

static void add_after(const struct run_search *s, struct query *q)
{
	add_and(q);
	query_add(q, s->reverse ? "(r.started_ms, r.id) > (" : "(r.started_ms, r.id) < (");
	query_int(q, s->after_ms);
	query_add(q, ", ");
	query_int(q, s->after_id);
	query_add(q, ")");
}

static void add_time(const char *test, int64_t ms, struct query *q)
{
	if (!ms)
		return;
	add_and(q);
	query_add(q, test);
	query_int(q, ms);
}

/* Without conditions there is no WHERE: SQLite then counts without reading. */
static void add_conditions(const struct run_search *s, struct query *q)
{
	query_add(q, " FROM run r");
	if (s->view != RUN_VIEW_ALL) {
		add_and(q);
		query_add(q, s->view == RUN_VIEW_ACTIVE ? "r.deleted_ms IS NULL" :
							  "r.deleted_ms IS NOT NULL");
	}
	if (s->nexperiments)
		add_and(q);
	/* One experiment lets SQLite read its index in order; IN does not. */
	if (s->nexperiments == 1) {
		/* The plus keeps it from that index where the trash has a smaller one. */
		query_add(q, s->view == RUN_VIEW_DELETED ? "+r.experiment_id = " :
							   "r.experiment_id = ");
		query_int(q, s->experiments[0]);
	} else if (s->nexperiments) {
		add_int_list("+r.experiment_id IN (", s->experiments, s->nexperiments, q);
	}
	if (s->statuses)
		add_statuses(s->statuses, q);
	add_time("r.started_ms >= ", s->since_ms, q);
	add_time("r.started_ms < ", s->until_ms, q);
	if (s->after_id)
		add_after(s, q);
	if (s->filter) {
		add_and(q);
		filter_add_sql(s->filter, q);
	}
}

static void add_order(const struct run_search *s, struct query *q)
{
	query_add(q, " ORDER BY ");
	for (size_t i = 0; i < s->norder; i++) {
		const struct run_order *o = &s->order[i];

		field_add_value(&o->field, s->text_order, q);
		query_add(q, o->descending != s->reverse ? " DESC" : " ASC");
		query_add(q, " NULLS LAST, ");
	}
	query_add(q, s->reverse ? "r.started_ms ASC, r.id ASC" : "r.started_ms DESC, r.id DESC");
	query_add(q, " LIMIT ");
	query_int(q, s->limit ? s->limit : -1);
	query_add(q, " OFFSET ");
	query_int(q, s->offset);
}

int run_search_open(struct run_cursor **out, struct db *db, const struct run_search *search,
		    struct mlp_error *err)
{
	_release_(query_release) struct query q = QUERY_INIT;
	struct db_stmt *ids;

	query_add(&q, "SELECT r.id");
	add_conditions(search, &q);
	add_order(search, &q);
	ids = query_run(&q, db, err);
	if (!ids)
		return MLP_EFAIL;
	*out = xcalloc(1, sizeof(**out));
	**out = (struct run_cursor){ .db = db, .ids = ids, .fetch = search->fetch };
	return 0;
}

int run_search_next(struct run_cursor *c, struct run_row *row, struct mlp_error *err)
{
	int64_t id;
	int r = db_step(c->ids, err);

	*row = (struct run_row)RUN_ROW_INIT;
	if (r <= 0)
		return r;
	id = db_int(c->ids, 0);
	r = run_get(c->db, id, &row->run, err);
	if (!r && c->fetch & RUN_FETCH_METRICS)
		r = metric_latest_named(c->db, id, &c->names, &row->metrics, err);
	if (!r && c->fetch & RUN_FETCH_PARAMS)
		r = params_get(c->db, id, &row->params, err);
	if (!r && c->fetch & RUN_FETCH_TAGS)
		r = tags_get(c->db, id, &row->tags, err);
	if (!r)
		return 1;
	run_row_release(row);
	*row = (struct run_row)RUN_ROW_INIT;
	return r;
}

void run_search_fetch(struct run_cursor *cursor, unsigned fetch)
{
	cursor->fetch = fetch;
}

void run_search_close(struct run_cursor *cursor)
{
	if (!cursor)
		return;
	db_done(cursor->ids);
	metric_names_release(&cursor->names);
	free(cursor);
}

static int count(struct db *db, const struct run_search *search, int64_t most, int64_t *out,
		 struct mlp_error *err)
{
	_release_(query_release) struct query q = QUERY_INIT;
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r;

	query_add(&q, most ? "SELECT count(*) FROM (SELECT 1" : "SELECT count(*)");
	add_conditions(search, &q);
	if (most) {
		query_add(&q, " LIMIT ");
		query_int(&q, most);
		query_add(&q, ")");
	}
	st = query_run(&q, db, err);
	r = st ? db_step(st, err) : MLP_EFAIL;
	if (r > 0)
		*out = db_int(st, 0);
	return r < 0 ? r : 0;
}

int run_search_count(struct db *db, const struct run_search *search, int64_t most, int64_t *out,
		     struct mlp_error *err)
{
	struct run_search all = *search, trash = *search;
	int64_t deleted = 0;
	int r;

	if (search->view != RUN_VIEW_ACTIVE || search->filter || search->statuses ||
	    search->since_ms || search->until_ms || search->after_id)
		return count(db, search, most, out, err);
	/* The trash is small; all runs are counted from an index alone. */
	all.view = RUN_VIEW_ALL;
	trash.view = RUN_VIEW_DELETED;
	r = count(db, &trash, 0, &deleted, err);
	if (!r)
		r = count(db, &all, most ? most + deleted : 0, out, err);
	*out -= deleted;
	return r;
}
