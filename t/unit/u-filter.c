/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "t/unit/tap.h"

#include <math.h>
#include <unistd.h>

#include "lib/track/filter.h"
#include "lib/track/metric.h"
#include "lib/track/schema.h"
#include "lib/track/search.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"

enum { DAY = 86400000 };
static const int64_t now = INT64_C(1795000000000);

static struct db *db;

static int64_t add_run(const char *name, enum run_status status, int64_t age_ms)
{
	struct run_new new_run = { .name = name, .user = "ann", .status = status,
				   .started_ms = now - age_ms };
	int64_t id = 0;

	if (!strcmp(name, "b")) {
		new_run.experiment = "credit";
		new_run.host = "node1";
	}
	ok(!run_create(db, &new_run, &id, NULL, NULL), "run %s", name);
	return id;
}

static void metric(int64_t run, const char *key, int64_t step, double value)
{
	metric_log(db, run, key, &(struct metric_point){ now, step, value }, NULL);
}

/* Four runs: a finished, b finished an hour later with a host, c failed, d running. */
static void fill(void)
{
	int64_t a = add_run("a", RUN_RUNNING, 4 * DAY), b = add_run("b", RUN_RUNNING, 3 * DAY);
	int64_t c = add_run("c", RUN_RUNNING, 2 * DAY), d = add_run("d", RUN_RUNNING, DAY);

	run_finish(db, a, &(struct run_end){ RUN_FINISHED, now - 4 * DAY + 60000, 0, 0, NULL }, NULL);
	run_finish(db, b, &(struct run_end){ RUN_FINISHED, now - 3 * DAY + 7200000, 0, 0, NULL }, NULL);
	run_finish(db, c, &(struct run_end){ RUN_FAILED, now - 2 * DAY + 1000, 1, 0, "timeout" }, NULL);
	metric(a, "auc", 1, 0.5);
	metric(a, "auc", 2, 0.7); /* the latest counts */
	metric(b, "auc", 1, 0.9);
	metric(c, "auc", 1, NAN);
	metric(b, "val/my loss", 1, INFINITY);
	metric(c, "steps", 1, 10);
	param_set(db, a, "lr", "0.01", NULL);
	param_set(db, b, "lr", "1e-1", NULL);
	param_set(db, c, "lr", "auto", NULL);
	param_set(db, a, "net", "ResNet_50*", NULL);
	param_set(db, b, "net", "resnet18", NULL);
	param_set(db, a, "batch-size", "16", NULL);
	param_set(db, b, "batch-size", "128", NULL);
	tag_set(db, b, "team.name", "it's", NULL);
	tag_set(db, d, "note", "\xc3\xa9t\xc3\xa9", NULL);
	db_exec(db, NULL, "INSERT INTO dataset VALUES(1, 0, 'loans', 'd1', 'local', '', NULL, NULL)", "");
	db_exec(db, NULL, "INSERT INTO run_input VALUES(1, ?1, 1, NULL)", "i", a);
	db_exec(db, NULL, "INSERT INTO run_input_tag VALUES(1, 'mlflow.data.context', 'train')", "");
}

/* The names of the runs that pass, in the order of their names; or the error. */
static char *search(const char *text)
{
	_release_(strbuf_release) struct strbuf names = STRBUF_INIT;
	_release_(run_order_release) struct run_order order = { 0 };
	_cleanup_(filter_free) struct filter *filter = NULL;
	_cleanup_(run_search_close) struct run_cursor *cursor = NULL;
	struct filter_options options = { FIELD_OF_RUNS, now };
	struct mlp_error err = MLP_ERROR_INIT;
	struct run_row row;
	int r = filter_parse(&filter, text, strlen(text), &options, &err);

	if (r)
		return xstrdup(err.text);
	run_order_parse(&order, "name", &err);
	r = run_search_open(&cursor, db,
			    &(struct run_search){ .filter = filter, .order = &order, .norder = 1 },
			    &err);
	while (!r && (r = run_search_next(cursor, &row, &err)) > 0) {
		strbuf_addstr(&names, row.run.name);
		run_row_release(&row);
		r = 0;
	}
	return r < 0 ? xstrdup(err.text) : strbuf_detach(&names);
}

struct example {
	const char *text, *want;
};

static void check_all(const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *got = search(examples[i].text);

		is_str(got, examples[i].want, "%s", examples[i].text);
		free(got);
	}
}

static const struct example accepted[] = {
	{ "", "abcd" },
	{ " \n\t", "abcd" },
	/* metrics */
	{ "metrics.auc > 0.6", "ab" },
	{ "metric.auc >= 0.9", "b" },
	{ "metrics.auc = 0.7", "a" },
	{ "metrics.auc != 0.7", "bc" },
	{ "metrics.auc < +7e-1", "" },
	{ "metrics.auc<=.7", "a" },
	{ "metrics.absent != 1", "" },
	{ "NOT metrics.absent = 1", "abcd" },
	{ "not metrics.auc > 0.6", "cd" },
	{ "metrics.auc IS NULL", "d" },
	{ "metrics.auc IS NOT NULL", "abc" },
	{ "metrics.auc IS NAN", "c" },
	{ "metrics.auc IS NOT NAN", "ab" },
	{ "metrics.auc IN (0.7, 0.9)", "ab" },
	{ "metrics.auc NOT IN (0.7, 3)", "bc" },
	{ "metrics.\"val/my loss\" > 1e300", "b" },
	{ "metrics.`val/my loss` = inf", "b" },
	{ "metrics.`val/my loss` = -infinity", "" },
	/* parameters */
	{ "params.lr = '0.01'", "a" },
	{ "parameters.lr != '0.01'", "bc" },
	{ "params.lr = 0.1", "b" },
	{ "params.lr > 0", "ab" },
	{ "params.lr < 0.05", "a" },
	{ "params.lr != 0.1", "a" },
	{ "NOT params.lr > 0", "cd" },
	{ "params.lr IN ('auto', 0.01)", "ac" },
	{ "params.lr IN ('auto', '0.01')", "ac" },
	{ "param.lr NOT IN ('auto')", "ab" },
	{ "params.batch-size > 16", "b" },
	{ "params.net LIKE 'ResNet%'", "a" },
	{ "params.net LIKE 'ResNet_50*'", "a" },
	{ "params.net LIKE '%*'", "a" },
	{ "params.net LIKE '[r]esnet18'", "" },
	{ "params.net ILIKE 'RESNET%'", "ab" },
	{ "params.net NOT LIKE 'ResNet%'", "b" },
	{ "params.net NOT ILIKE 'RESNET%'", "" },
	{ "NOT params.net ILIKE 'RESNET%'", "cd" },
	{ "params.lr IS NULL", "d" },
	{ "NOT params.lr IS NULL", "abc" },
	/* tags */
	{ "tags.team.name = 'it''s'", "b" },
	{ "tags.`team.name` = \"it's\"", "b" },
	{ "tag.note = '\xc3\xa9t\xc3\xa9'", "d" },
	{ "tags.note like '_t_'", "d" },
	{ "tags.mlflow.user = 'ann'", "abcd" },
	/* attributes */
	{ "name = 'a'", "a" },
	{ "attributes.run_name IN ('a', 'c')", "ac" },
	{ "attr.run_name != 'a' AND run.name != 'b'", "cd" },
	{ "`run_name` = 'a'", "a" },
	{ "status = 'FINISHED'", "ab" },
	{ "status = 'finished'", "ab" },
	{ "status != 'failed'", "abd" },
	{ "status IN ('failed', 'running')", "cd" },
	{ "status NOT IN ('failed', 'running')", "ab" },
	{ "status LIKE 'F%'", "abc" },
	{ "status ILIKE 'fin%'", "ab" },
	{ "user = 'ann' and user_id = 'ann'", "abcd" },
	{ "host = 'node1'", "b" },
	{ "host != 'node2'", "b" },
	{ "NOT host = 'node1'", "acd" },
	{ "host IS NULL", "acd" },
	{ "experiment = 'credit'", "b" },
	{ "experiment != 'credit'", "acd" },
	{ "exit_code = 1", "c" },
	{ "exit_code IN (0, 1)", "abc" },
	{ "reason = 'timeout'", "c" },
	{ "parent IS NULL", "abcd" },
	{ "started >= '3d'", "bcd" },
	{ "start_time > '2d ago'", "d" },
	{ "created < 1794827200000", "ab" },
	{ "ended IS NULL", "d" },
	{ "end_time > 0", "abc" },
	{ "NOT end_time > 0", "d" },
	{ "duration < 61", "ac" },
	{ "duration = '1m'", "a" },
	{ "duration >= '2h' AND status = 'finished'", "b" },
	/* datasets */
	{ "dataset.name = 'loans'", "a" },
	{ "datasets.digest LIKE 'd_'", "a" },
	{ "dataset.context IN ('train', 'eval')", "a" },
	{ "dataset.name != 'other'", "a" },
	{ "NOT dataset.name = 'loans'", "bcd" },
	/* logic: NOT, then AND, then OR */
	{ "name = 'a' OR name = 'b' AND status = 'failed'", "a" },
	{ "(name = 'a' OR name = 'b') AND status = 'finished'", "ab" },
	{ "NOT name = 'a' AND name = 'a'", "" },
	{ "NOT (name = 'a' AND name = 'b')", "abcd" },
	{ "NOT (name = 'a' OR name = 'b')", "cd" },
	{ "NOT NOT name = 'a'", "a" },
	{ "NOT (NOT name = 'a' OR NOT status = 'finished')", "a" },
	{ "((((name = 'a'))))", "a" },
	{ "name == 'a' or name <> 'a'", "abcd" },
	{ "metrics.auc > 0.6 AND (params.lr < 0.05 OR tags.`team.name` LIKE 'it%')", "ab" },
};

static void test_refused(void)
{
	static const struct example examples[] = {
		{ "metrics.auc", "filter: expected an operator at the end" },
		{ "metrics.auc >", "filter: expected a value at the end" },
		{ "metrics.auc > AND", "filter: expected a value at 'AND' (column 15)" },
		{ "metrics.auc > 'x'", "filter: expected a number at ''x'' (column 15)" },
		{ "metrics.auc > 1 metrics.b > 2",
		  "filter: expected AND or OR at 'metrics.b > 2' (column 17)" },
		{ "tags.\xc3\xa9 = 'x' oops", "filter: expected AND or OR at 'oops' (column 14)" },
		{ "metrics. > 1", "filter: no key after 'metrics.' at 'metrics. > 1' (column 1)" },
		{ "auc > 1", "filter: unknown attribute 'auc' at 'auc > 1' (column 1)" },
		{ "foo.bar > 1", "filter: unknown name 'foo.bar' at 'foo.bar > 1' (column 1)" },
		{ "dataset.size > 1",
		  "filter: unknown key 'size' in 'dataset.size' at 'dataset.size > 1' (column 1)" },
		{ "name = 5", "filter: expected a value in quotes at '5' (column 8)" },
		{ "name > 'a'",
		  "filter: text has no order; use = != LIKE ILIKE or IN at '> 'a'' (column 6)" },
		{ "params.lr < 'x'", "filter: expected a number at ''x'' (column 13)" },
		{ "name = 'a", "filter: a quote is not closed at ''a' (column 8)" },
		{ "tags.`a = 'b'", "filter: a quote is not closed at 'tags.`a = 'b'' (column 1)" },
		{ "metrics.auc > 1x", "filter: malformed number at '1x' (column 15)" },
		{ "metrics.auc > 0x10", "filter: malformed number at '0x10' (column 15)" },
		{ "metrics.auc > -", "filter: malformed number at '-' (column 15)" },
		{ "metrics.auc > nan", "filter: expected a value at 'nan' (column 15)" },
		{ "metrics.auc LIKE 'x'", "filter: a pattern needs text at 'LIKE 'x'' (column 13)" },
		{ "params.a LIKE 5", "filter: expected a pattern in quotes at '5' (column 15)" },
		{ "params.a IS NAN", "filter: only a metric can be NaN at 'NAN' (column 13)" },
		{ "params.a IS 5", "filter: expected NULL or NAN at '5' (column 13)" },
		{ "params.a NOT 5", "filter: expected an operator at '5' (column 14)" },
		{ "name IN 'a'", "filter: expected '(' at ''a'' (column 9)" },
		{ "name IN ()", "filter: expected a value at ')' (column 10)" },
		{ "name IN ('a' 'b')", "filter: expected ',' or ')' at ''b')' (column 14)" },
		{ "(name = 'a'", "filter: expected AND, OR or ')' at the end" },
		{ "name = 'a')", "filter: expected AND or OR at ')' (column 11)" },
		{ "status = 'great'", "filter: unknown status 'great' at ''great'' (column 10)" },
		{ "started > 'soon'",
		  "filter: expected a time such as '2026-11-22' or '3d ago' at ''soon'' (column 11)" },
		{ "duration > 'long'",
		  "filter: expected a duration such as '90s' or '1h30m' at ''long'' (column 12)" },
		{ "name = 'a' ; drop", "filter: unexpected character at '; drop' (column 12)" },
		{ "AND", "filter: unknown attribute 'AND' at 'AND' (column 1)" },
		{ "= 1", "filter: expected a name at '= 1' (column 1)" },
	};

	check_all(examples, ARRAY_SIZE(examples));
}

/* Whatever is accepted, SQLite takes. */
static void test_limits(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
	char *got;

	while (sb.len + 20 < FILTER_TEXT_MAX)
		strbuf_addf(&sb, "%sname='%c'", sb.len ? " or " : "", 'a' + (int)(sb.len / 12 % 3));
	got = search(sb.buf);
	is_str(got, "abc", "thousands of ORs");
	free(got);

	strbuf_clear(&sb);
	strbuf_addstr(&sb, "name in ('a'");
	while (sb.len + 20 < FILTER_TEXT_MAX)
		strbuf_addstr(&sb, ",''");
	strbuf_addch(&sb, ')');
	got = search(sb.buf);
	is_str(got, "a", "a list of twenty thousand");
	free(got);

	strbuf_clear(&sb);
	for (int i = 0; i < 40; i++)
		strbuf_addf(&sb, "metrics.auc > 0 %s (", i % 2 ? "or" : "and");
	strbuf_addstr(&sb, "name = 'a'");
	strbuf_addchars(&sb, ')', 40);
	got = search(sb.buf);
	is_str(got, "ab", "40 levels of AND and OR");
	free(got);

	strbuf_clear(&sb);
	strbuf_addchars(&sb, '(', 100);
	strbuf_addstr(&sb, "name = 'a'");
	strbuf_addchars(&sb, ')', 100);
	got = search(sb.buf);
	is_str(got, "a", "100 parentheses");
	free(got);

	strbuf_clear(&sb);
	strbuf_addchars(&sb, '(', 30000);
	got = search(sb.buf);
	is_str(got, "filter: more than 100 nested parentheses and NOTs at '((((((((((((((((((((((((...'"
		    " (column 101)", "30,000 parentheses");
	free(got);

	strbuf_clear(&sb);
	for (int i = 0; i < 9999; i++)
		strbuf_addstr(&sb, "not ");
	got = search(sb.buf);
	ok(!strncmp(got, "filter: more than 100 nested", 28), "9,999 NOTs");
	free(got);

	strbuf_addchars(&sb, ' ', FILTER_TEXT_MAX);
	got = search(sb.buf);
	is_str(got, "filter: longer than 65536 bytes", "a text too long");
	free(got);
}

static void test_deep(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	/* Both sides of each are deep. */
	for (int depth = 1; depth < 12; depth++) {
		char *got;

		if (depth == 1)
			strbuf_addstr(&sb, "tags.x='1'");
		else {
			char *half = strbuf_detach(&sb);

			strbuf_addf(&sb, "(%s) %s not (%s)", half, depth % 2 ? "or" : "and", half);
			free(half);
		}
		got = sb.len < FILTER_TEXT_MAX ? search(sb.buf) : xstrdup("");
		ok(*got != 'c', "a full tree of depth %d: %s", depth, got);
		free(got);
	}
}

static char *order_of(const char *text, bool reverse)
{
	_release_(strbuf_release) struct strbuf names = STRBUF_INIT;
	_release_(run_order_release) struct run_order order = { 0 };
	_cleanup_(run_search_close) struct run_cursor *cursor = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	struct run_row row;
	int r = run_order_guess(&order, db, text, &err);

	if (r)
		return xstrdup(err.text);
	r = run_search_open(&cursor, db,
			    &(struct run_search){ .order = &order, .norder = 1, .reverse = reverse },
			    &err);
	while (!r && run_search_next(cursor, &row, &err) > 0) {
		strbuf_addstr(&names, row.run.name);
		run_row_release(&row);
	}
	return r ? xstrdup(err.text) : strbuf_detach(&names);
}

static void test_order(void)
{
	static const struct {
		const char *text;
		bool reverse;
		const char *want;
	} examples[] = {
		{ "name", false, "abcd" },
		{ "-name", false, "dcba" },
		{ "-name", true, "abcd" },
		{ "metrics.auc", false, "abdc" }, /* absent and NaN last, newest first */
		{ "-metrics.auc", false, "badc" },
		{ "-metrics.auc", true, "abcd" },
		{ "auc", false, "abdc" },
		{ "metrics.`auc` DESC", false, "badc" },
		{ "params.batch-size", false, "abdc" }, /* as numbers */
		{ "-batch-size", false, "badc" },
		{ "lr", false, "abcd" }, /* text behind numbers */
		{ "started", false, "abcd" },
		{ "attributes.start_time ASC", false, "abcd" },
		{ "steps", false, "cdba" },
		{ "nothing", false, "unknown attribute 'nothing'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		char *got = order_of(examples[i].text, examples[i].reverse);

		is_str(got, examples[i].want, "sort %s%s", examples[i].text,
		       examples[i].reverse ? " reversed" : "");
		free(got);
	}
}

static int64_t count(const struct run_search *s)
{
	int64_t n = -1;

	run_search_count(db, s, 1000, &n, NULL);
	return n;
}

static void test_search(void)
{
	_cleanup_(run_search_close) struct run_cursor *cursor = NULL;
	int64_t credit = 0, both[2] = { 0 };
	struct run_row row;

	experiment_find(db, "credit", &credit, NULL);
	both[1] = credit;
	is_int(count(&(struct run_search){ 0 }), 4, "all");
	is_int(count(&(struct run_search){ .experiments = &credit, .nexperiments = 1 }), 1,
	       "of an experiment");
	is_int(count(&(struct run_search){ .experiments = both, .nexperiments = 2 }), 4, "of two");
	is_int(count(&(struct run_search){ .statuses = 1 << RUN_RUNNING }), 1, "running");
	is_int(count(&(struct run_search){ .statuses = 1 << RUN_FAILED | 1 << RUN_RUNNING }), 2,
	       "running or failed");
	is_int(count(&(struct run_search){ .since_ms = now - 3 * DAY }), 3, "since");
	is_int(count(&(struct run_search){ .until_ms = now - 3 * DAY }), 1, "until");
	is_int(count(&(struct run_search){ .view = RUN_VIEW_DELETED }), 0, "trash");
	ok(!run_search_open(&cursor, db,
			    &(struct run_search){ .limit = 1, .offset = 2,
						  .fetch = RUN_FETCH_METRICS | RUN_FETCH_PARAMS |
							   RUN_FETCH_TAGS },
			    NULL),
	   "open");
	is_int(run_search_next(cursor, &row, NULL), 1, "a row");
	is_str(row.run.name, "b", "limit and offset");
	is_int(row.metrics.len, 2, "its metrics");
	is_str(key_values_get(&row.params, "lr"), "1e-1", "its parameters");
	is_str(key_values_get(&row.tags, "team.name"), "it's", "its tags");
	is_int(count(&(struct run_search){ .after_ms = row.run.started_ms, .after_id = row.run.id }),
	       1, "behind it");
	run_row_release(&row);
	is_int(run_search_next(cursor, &row, NULL), 0, "the end");
}

int main(void)
{
	_release_(repo_release) struct repo repo = REPO_INIT;
	char *dir = tap_folder();
	bool made;

	plan_lazy();
	ok(!repo_create(dir, &made, NULL) && !repo_open_at(&repo, dir, NULL), "a project");
	ok(!track_open(&db, &repo, DB_CREATE | DB_RELAXED, NULL), "a store");
	fill();
	check_all(accepted, ARRAY_SIZE(accepted));
	test_refused();
	test_limits();
	test_deep();
	test_order();
	test_search();
	db_close(db);
	path_remove_tree(dir);
	free(dir);
	return done_testing();
}
