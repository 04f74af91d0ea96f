/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/cost/price.h"

#include <stdio.h>
#include <string.h>

#include "lib/util/clock.h"
#include "lib/util/text.h"

enum { STALE_DAYS = 180, DATE_LEN = 10 };
#define DAY_MS INT64_C(86400000)

struct shipped {
	const char *kind, *match;
	int64_t nano;
	const char *currency, *as_of, *source;
};

static const struct shipped shipped[] = {
#define PRICE_ROW(kind, match, nano, currency, as_of, source) \
	{ kind, match, nano, currency, as_of, source },
#include "lib/cost/prices.def"
#undef PRICE_ROW
};

bool price_is_stale(const char *as_of, int64_t then_ms)
{
	char utc[32];
	int64_t ms;

	snprintf(utc, sizeof(utc), "%.10sT00:00Z", as_of);
	return *as_of && clock_parse_time(utc, then_ms, &ms) &&
	       then_ms - ms > STALE_DAYS * DAY_MS;
}

static const char *default_currency(const struct settings *settings)
{
	const char *s = settings_get(settings, "cost.currency");

	return s ? s : "USD";
}

static int from_setting(const struct settings *settings, const struct setting *s,
			struct price *out, struct mlp_error *err)
{
	struct money m;

	if (!s)
		return 0;
	if (!money_parse(s->value, default_currency(settings), &m))
		return mlp_error_set(err, MLP_EINVAL,
				     "bad price '%s' for setting '%s' in %s", s->value, s->key,
				     s->origin);
	*out = (struct price){ .known = true, .nano_per_hour = m.nano };
	snprintf(out->currency, sizeof(out->currency), "%s", m.currency);
	snprintf(out->source, sizeof(out->source), "setting %s", s->key);
	return 0;
}

/* The middle of a key "cost.<kind>.<pattern>.price"; NULL for another.  Caller frees. */
static char *key_pattern(const char *key, const char *kind)
{
	size_t len = strlen(key), before = strlen("cost..") + strlen(kind);

	if (strncmp(key, "cost.", 5) || strncmp(key + 5, kind, strlen(kind)) ||
	    len <= before + strlen(".price") || key[before - 1] != '.' ||
	    strcmp(key + len - strlen(".price"), ".price"))
		return NULL;
	return xmemdupz(key + before, len - before - strlen(".price"));
}

/* How well a pattern fits: 0 not at all, more for more of it said. */
static size_t fitness(const char *pattern, const char *name)
{
	if (!strcmp(pattern, name))
		return SIZE_MAX;
	return text_glob(pattern, name) ? strlen(pattern) + 1 : 0;
}

static const struct setting *find_pattern(const struct settings *settings, const char *kind,
					  const char *model)
{
	const struct setting *best = NULL;
	size_t best_fit = 0;

	for (size_t i = 0; i < settings->len; i++) {
		_cleanup_free_ char *pattern = key_pattern(settings->v[i].key, kind);
		size_t fit = pattern ? fitness(pattern, model) : 0;

		if (!fit || fit < best_fit)
			continue;
		best = &settings->v[i];
		best_fit = fit;
	}
	return best;
}

static int from_config(const struct settings *settings, const char *kind, const char *host,
		       const char *model, struct price *out, struct mlp_error *err)
{
	_cleanup_free_ char *host_key = xasprintf("cost.host.%s.%s", host, kind);
	_cleanup_free_ char *plain_key = xasprintf("cost.%s.price", kind);
	const struct setting *s = settings_find(settings, host_key);

	if (!s && model)
		s = find_pattern(settings, kind, model);
	if (!s)
		s = settings_find(settings, plain_key);
	return from_setting(settings, s, out, err);
}

/* A row of a table as a candidate for a name on a day. */
struct candidate {
	size_t fit;
	const char *day;
	struct price price;
};

static bool is_better(const struct candidate *best, size_t fit, const char *as_of)
{
	bool now = strcmp(as_of, best->day) <= 0, before;

	if (!best->price.known || fit != best->fit)
		return fit > best->fit;
	before = strcmp(best->price.as_of, best->day) <= 0;
	if (now != before)
		return now;
	return now ? strcmp(as_of, best->price.as_of) > 0 : strcmp(as_of, best->price.as_of) < 0;
}

static void consider(struct candidate *best, size_t fit, const struct shipped *row)
{
	if (!fit || !is_better(best, fit, row->as_of))
		return;
	best->fit = fit;
	best->price = (struct price){ .known = true, .nano_per_hour = row->nano };
	snprintf(best->price.currency, sizeof(best->price.currency), "%s", row->currency);
	snprintf(best->price.as_of, sizeof(best->price.as_of), "%.10s", row->as_of);
	snprintf(best->price.source, sizeof(best->price.source), "%s", row->source);
}

static int from_tables(struct db *db, const char *kind, const char *name, int64_t then_ms,
		       struct price *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		"SELECT match, nano_per_unit, currency, as_of, source FROM price WHERE kind = ?1",
		"s", kind);
	_release_(strbuf_release) struct strbuf day = STRBUF_INIT;
	struct candidate best = { 0 };
	int r = st ? 0 : MLP_EFAIL;

	clock_add_iso8601(&day, then_ms);
	strbuf_setlen(&day, MIN(day.len, (size_t)DATE_LEN));
	best.day = day.buf;
	while (st && (r = db_step(st, err)) > 0) {
		struct shipped row = { kind, db_text(st, 0), db_int(st, 1), db_text(st, 2),
				       db_text(st, 3), db_text(st, 4) };

		consider(&best, fitness(row.match, name), &row);
	}
	for (size_t i = 0; !r && !best.price.known && i < ARRAY_SIZE(shipped); i++)
		if (!strcmp(shipped[i].kind, kind))
			consider(&best, fitness(shipped[i].match, name), &shipped[i]);
	if (!r && best.price.known) {
		*out = best.price;
		out->stale = price_is_stale(out->as_of, then_ms);
	}
	return r;
}

int price_gpu(struct db *db, const struct settings *settings, const struct price_of *what,
	      struct price *out, struct mlp_error *err)
{
	int r;

	*out = (struct price){ 0 };
	r = from_config(settings, "gpu", what->host, what->model, out, err);
	return r || out->known ? r : from_tables(db, "gpu", what->model, what->time_ms, out, err);
}

int price_cpu(struct db *db, const struct settings *settings, const struct price_of *what,
	      struct price *out, struct mlp_error *err)
{
	int r;

	*out = (struct price){ 0 };
	r = from_config(settings, "cpu", what->host, what->model, out, err);
	return r || out->known ? r : from_tables(db, "cpu", what->model, what->time_ms, out, err);
}

int price_energy(struct db *db, const struct settings *settings, const struct price_of *what,
		 struct price *out, struct mlp_error *err)
{
	int r;

	*out = (struct price){ 0 };
	r = from_config(settings, "energy", what->host, NULL, out, err);
	return r || out->known ? r : from_tables(db, "energy", what->host, what->time_ms, out, err);
}

void price_rows_release(struct price_rows *rows)
{
	for (size_t i = 0; i < rows->len; i++) {
		free(rows->v[i].kind);
		free(rows->v[i].match);
		free(rows->v[i].as_of);
		free(rows->v[i].source);
	}
	vec_free(rows);
}

static void push_row(struct price_rows *rows, const struct shipped *row, const char *origin)
{
	struct price_row copy = { .kind = xstrdup(row->kind), .match = xstrdup(row->match),
				  .nano_per_unit = row->nano, .as_of = xstrdup(row->as_of),
				  .source = xstrdup(row->source), .origin = origin };

	snprintf(copy.currency, sizeof(copy.currency), "%s", row->currency);
	vec_push(rows, copy);
}

/* What a setting prices: kind and match of its row, or false. */
static bool setting_row(const struct setting *s, char **kind, char **match)
{
	static const char *const kinds[] = { "gpu", "cpu", "energy" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_free_ char *plain = xasprintf("cost.%s.price", kinds[i]);
		_cleanup_free_ char *suffix = xasprintf(".%s", kinds[i]);
		size_t len = strlen(s->key), n = strlen(suffix), head = strlen("cost.host.");

		*match = strcmp(s->key, plain) ? key_pattern(s->key, kinds[i]) : xstrdup("*");
		if (!*match && !strncmp(s->key, "cost.host.", head) && len > head + n &&
		    !strcmp(s->key + len - n, suffix))
			*match = xasprintf("host %.*s", (int)(len - n - head), s->key + head);
		if (*match) {
			*kind = xstrdup(kinds[i]);
			return true;
		}
	}
	return false;
}

static int list_settings(const struct settings *settings, struct price_rows *out,
			 struct mlp_error *err)
{
	for (size_t i = 0; i < settings->len; i++) {
		const struct setting *s = &settings->v[i];
		_cleanup_free_ char *kind = NULL, *match = NULL;
		struct price price;
		int r;

		if (settings_find(settings, s->key) != s || !setting_row(s, &kind, &match))
			continue;
		r = from_setting(settings, s, &price, err);
		if (r)
			return r;
		push_row(out, &(struct shipped){ kind, match, price.nano_per_hour, price.currency,
						 "", s->origin }, "config");
	}
	return 0;
}

int price_list(struct db *db, const struct settings *settings, struct price_rows *out,
	       struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r = list_settings(settings, out, err);

	if (r)
		return r;
	if (db) {
		st = db_query(db, err,
			      "SELECT kind, match, nano_per_unit, currency, as_of, source FROM price"
			      " ORDER BY kind DESC, match, as_of DESC", "");
		r = st ? 0 : MLP_EFAIL;
	}
	while (st && (r = db_step(st, err)) > 0)
		push_row(out, &(struct shipped){ db_text(st, 0), db_text(st, 1), db_int(st, 2),
						 db_text(st, 3), db_text(st, 4), db_text(st, 5) },
			 "imported");
	for (size_t i = 0; !r && i < ARRAY_SIZE(shipped); i++)
		push_row(out, &shipped[i], "shipped");
	return r;
}
