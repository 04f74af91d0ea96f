/* SPDX-License-Identifier: Apache-2.0 */
/* Price tables as CSV, and into the store. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cost/price.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

enum { KIND, MATCH, PRICE, CURRENCY, AS_OF, SOURCE, FIELDS };
enum { FIELD_MAX = 1024 };

static const char *const field_names[FIELDS] = { "kind",     "match", "price",
						 "currency", "as_of", "source" };

struct csv {
	const char *p, *end;
	int line;     /* of the record being read, from 1 */
	int next_line;
	const char *problem;
};

/* One field; returns what ended it: ',', '\n', or 0 at the end of the text. */
static int read_field(struct csv *csv, struct strbuf *out)
{
	bool quoted = csv->p < csv->end && *csv->p == '"';

	csv->p += quoted;
	for (;; csv->p++) {
		if (csv->p == csv->end) {
			if (quoted)
				csv->problem = "a quoted field does not end";
			return 0;
		}
		if (quoted && *csv->p == '"') {
			if (++csv->p < csv->end && *csv->p == '"') {
				strbuf_addch(out, '"');
				continue;
			}
			break;
		}
		if (!quoted && (*csv->p == ',' || *csv->p == '\n' || *csv->p == '\r'))
			break;
		if (!quoted && *csv->p == '"') {
			csv->problem = "a quote inside a field that does not start with one";
			return 0;
		}
		if (out->len == FIELD_MAX) {
			csv->problem = "a field is longer than 1024 bytes";
			return 0;
		}
		csv->next_line += *csv->p == '\n';
		strbuf_addch(out, *csv->p);
	}
	if (csv->p == csv->end)
		return 0;
	if (*csv->p == ',')
		return *csv->p++;
	if (*csv->p == '\r' && csv->p + 1 < csv->end && csv->p[1] == '\n')
		csv->p++;
	if (*csv->p != '\n') {
		csv->problem = quoted ? "text after the end of a quoted field" :
					"a line ends with CR alone";
		return 0;
	}
	csv->p++;
	csv->next_line++;
	return '\n';
}

/* The fields of the next record that is not an empty line; 1, 0 at the end, negative. */
static int read_record(struct csv *csv, struct strvec *fields)
{
	int ended;

	do {
		strvec_release(fields);
		if (csv->p == csv->end)
			return 0;
		csv->line = csv->next_line;
		do {
			struct strbuf field = STRBUF_INIT;

			ended = read_field(csv, &field);
			if (strlen(field.buf) != field.len)
				csv->problem = "a NUL byte";
			strvec_push_take(fields, strbuf_detach(&field));
			if (fields->len > FIELDS)
				csv->problem = "too many fields";
		} while (ended == ',' && !csv->problem);
		if (csv->problem)
			return MLP_EINVAL;
	} while (fields->len == 1 && !*fields->v[0]);
	return 1;
}

static int bad_line(const struct csv *csv, struct mlp_error *err, const char *what,
		    const char *value)
{
	return mlp_error_set(err, MLP_EINVAL, "line %d: %s '%.64s'", csv->line, what, value);
}

/* columns[field] = position in a record. */
static int read_header(struct csv *csv, int columns[FIELDS], struct mlp_error *err)
{
	_release_(strvec_release) struct strvec header = STRVEC_INIT;
	int r = read_record(csv, &header);

	if (r < 0)
		return mlp_error_set(err, MLP_EINVAL, "line %d: %s", csv->line, csv->problem);
	if (!r)
		return mlp_error_set(err, MLP_EINVAL, "line 1: no header row");
	for (int f = 0; f < FIELDS; f++)
		columns[f] = -1;
	for (size_t i = 0; i < header.len; i++) {
		int f = 0;

		while (f < FIELDS && strcmp(header.v[i], field_names[f]))
			f++;
		if (f == FIELDS)
			return bad_line(csv, err, "unknown column", header.v[i]);
		if (columns[f] >= 0)
			return bad_line(csv, err, "the header has twice", header.v[i]);
		columns[f] = (int)i;
	}
	for (int f = 0; f < FIELDS; f++)
		if (columns[f] < 0)
			return bad_line(csv, err, "the header lacks the column", field_names[f]);
	return 0;
}

static bool is_kind(const char *s)
{
	return !strcmp(s, "gpu") || !strcmp(s, "cpu") || !strcmp(s, "energy");
}

static bool is_date(const char *s)
{
	_release_(strbuf_release) struct strbuf back = STRBUF_INIT;
	char utc[32];
	int64_t ms;

	if (strlen(s) != 10)
		return false;
	snprintf(utc, sizeof(utc), "%sT00:00Z", s);
	if (!clock_parse_time(utc, 0, &ms))
		return false;
	clock_add_iso8601(&back, ms);
	return !strncmp(back.buf, s, 10);
}

static int add_row(const struct csv *csv, const struct strvec *record, const int columns[FIELDS],
		   struct price_rows *out, struct mlp_error *err)
{
	const char *f[FIELDS];
	struct price_row row = { .origin = "imported" };
	struct money m;

	if (record->len != FIELDS)
		return mlp_error_set(err, MLP_EINVAL, "line %d: %zu fields instead of %d",
				     csv->line, record->len, FIELDS);
	for (int i = 0; i < FIELDS; i++) {
		f[i] = record->v[columns[i]];
		if (!text_is_utf8(f[i], strlen(f[i])))
			return mlp_error_set(err, MLP_EINVAL, "line %d: column '%s' is not UTF-8",
					     csv->line, field_names[i]);
	}
	if (!is_kind(f[KIND]))
		return bad_line(csv, err, "kind is not gpu, cpu or energy:", f[KIND]);
	if (!*f[MATCH])
		return bad_line(csv, err, "nothing to match:", f[MATCH]);
	if (strlen(f[CURRENCY]) != 3 || !money_parse("0", f[CURRENCY], &m))
		return bad_line(csv, err, "bad currency", f[CURRENCY]);
	snprintf(row.currency, sizeof(row.currency), "%s", m.currency);
	if (strchr(f[PRICE], ' ') || !money_parse(f[PRICE], f[CURRENCY], &m) ||
	    strcmp(m.currency, row.currency) || strspn(f[PRICE], "0123456789.") != strlen(f[PRICE]))
		return bad_line(csv, err, "bad price", f[PRICE]);
	if (!is_date(f[AS_OF]))
		return bad_line(csv, err, "as_of is not a date as 2026-11-22:", f[AS_OF]);
	row.nano_per_unit = m.nano;
	row.kind = xstrdup(f[KIND]);
	row.match = xstrdup(f[MATCH]);
	row.as_of = xstrdup(f[AS_OF]);
	row.source = xstrdup(f[SOURCE]);
	vec_push(out, row);
	return 0;
}

int price_parse_csv(const char *text, size_t len, struct price_rows *out, struct mlp_error *err)
{
	_release_(strvec_release) struct strvec record = STRVEC_INIT;
	struct csv csv = { .p = text, .end = text + len, .next_line = 1 };
	int columns[FIELDS], r;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		csv.p += 3;
	r = read_header(&csv, columns, err);
	while (!r && (r = read_record(&csv, &record)) > 0)
		r = add_row(&csv, &record, columns, out, err);
	if (csv.problem && r)
		r = mlp_error_set(err, MLP_EINVAL, "line %d: %s", csv.line, csv.problem);
	return r;
}

static int import_row(struct db *db, const struct price_row *row, struct price_import *out,
		      struct mlp_error *err)
{
	int64_t same = 0;
	int r = db_get_int(db, &same, err,
			   "SELECT nano_per_unit = ?4 AND currency = ?5 AND source = ?6 FROM price"
			   " WHERE kind = ?1 AND match = ?2 AND as_of = ?3", "sssiss", row->kind,
			   row->match, row->as_of, row->nano_per_unit, row->currency, row->source);

	if (r && r != MLP_ENOTFOUND)
		return r;
	if (r)
		out->added++;
	else if (same)
		out->same++;
	else
		out->changed++;
	if (!r && same)
		return 0;
	return db_exec(db, err,
		       "INSERT INTO price(kind, match, nano_per_unit, currency, as_of, source)"
		       " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(kind, match, as_of) DO UPDATE SET"
		       " nano_per_unit = excluded.nano_per_unit, currency = excluded.currency,"
		       " source = excluded.source", "ssisss", row->kind, row->match,
		       row->nano_per_unit, row->currency, row->as_of, row->source);
}

int price_import(struct db *db, const struct price_rows *rows, struct price_import *out,
		 struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, db, err);

	*out = (struct price_import){ 0 };
	for (size_t i = 0; !r && i < rows->len; i++)
		r = import_row(db, &rows->v[i], out, err);
	return r ? r : db_txn_commit(&txn, err);
}
