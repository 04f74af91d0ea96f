/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/run_record.h"

#include <inttypes.h>

#include "lib/track/live.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

struct output {
	struct json_writer *w; /* NULL: fields, into text */
	struct strbuf *text;
	const char *group; /* "params", or NULL */
};

/* value NULL: none. */
static void put(struct output *rec, const char *key, const char *value)
{
	if (rec->w) {
		json_put_string(rec->w, key, value);
		return;
	}
	if (rec->group)
		strbuf_addf(rec->text, "%s.", rec->group);
	strbuf_addf(rec->text, "%s=%s", key, value ? value : "");
	strbuf_addch(rec->text, '\0');
}

static void put_int(struct output *rec, const char *key, bool known, int64_t v)
{
	char text[32];

	if (rec->w && known) {
		json_put_int(rec->w, key, v);
		return;
	}
	snprintf(text, sizeof(text), "%" PRId64, v);
	put(rec, key, known ? text : NULL);
}

static void put_double(struct output *rec, const char *key, double v)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (rec->w) {
		json_put_double(rec->w, key, v);
		return;
	}
	text_add_double(&text, v);
	put(rec, key, text.buf);
}

static void put_time(struct output *rec, const char *key, int64_t ms)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	clock_add_iso8601(&text, ms);
	put(rec, key, ms ? text.buf : NULL);
}

static void put_run(struct output *rec, const struct run_record *record)
{
	const struct run *run = record->run;
	char name[RUN_SHORT_LEN + 1];

	run_short(run->uuid, name);
	put(rec, "id", run->uuid);
	put(rec, "short", name);
	put(rec, "name", run->name);
	put(rec, "status", run_status_name(record->status));
	put(rec, "experiment", run->experiment);
	put(rec, "parent", record->parent);
	put(rec, "user", run->user);
	put(rec, "host", run->host);
	put(rec, "source", run->source);
	put_time(rec, "started", run->started_ms);
	put_time(rec, "ended", run->ended_ms);
	put_int(rec, "duration_ms", run->ended_ms, clock_between(run->started_ms, run->ended_ms));
	put_time(rec, "heartbeat", run->heartbeat_ms);
	put_time(rec, "deleted", run->deleted_ms);
	put_int(rec, "exit_code", run->exit_code >= 0, run->exit_code);
	put_int(rec, "exit_signal", run->exit_signal > 0, run->exit_signal);
	put(rec, "reason", run->reason);
}

static void open_group(struct output *rec, const char *name)
{
	rec->group = name;
	if (!rec->w)
		return;
	json_key(rec->w, name);
	json_open(rec->w, '{');
}

static void close_group(struct output *rec)
{
	rec->group = NULL;
	if (rec->w)
		json_close(rec->w, '}');
}

static void put_group(struct output *rec, const char *name, const struct key_values *list)
{
	open_group(rec, name);
	for (size_t i = 0; i < list->len; i++)
		put(rec, list->v[i].key, list->v[i].value);
	close_group(rec);
}

static void put_all(struct output *rec, const struct run_record *record)
{
	put_run(rec, record);
	put_group(rec, "params", record->params);
	open_group(rec, "metrics");
	for (size_t i = 0; i < record->metrics->len; i++)
		put_double(rec, record->metrics->v[i].key, record->metrics->v[i].last.value);
	close_group(rec);
	put_group(rec, "tags", record->tags);
}

void run_record_json(const struct run_record *record, struct json_writer *w)
{
	put_all(&(struct output){ .w = w }, record);
}

void run_record_print(struct printer *p, const struct run_record *record)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (p->mode == PRINT_JSON) {
		struct json_writer w = { .out = &text };

		json_open(&w, '{');
		run_record_json(record, &w);
		json_close(&w, '}');
		print_json_line(p, &text);
		return;
	}
	put_all(&(struct output){ .text = &text }, record);
	strbuf_addch(&text, '\0');
	fwrite(text.buf, 1, text.len, p->f);
}

int run_record_print_row(struct cmd_ctx *ctx, const struct run_row *row)
{
	_release_(run_release) struct run parent = RUN_INIT;
	struct run_record record = { &row->run, live_status(&ctx->repo, &row->run), NULL,
				     &row->metrics, &row->params, &row->tags };
	int r = row->run.parent_id ?
			run_get(ctx->db, row->run.parent_id, &parent, &ctx->err) : 0;

	if (r)
		return r;
	record.parent = parent.uuid;
	run_record_print(&ctx->out, &record);
	return 0;
}
