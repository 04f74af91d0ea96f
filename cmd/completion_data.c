/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlp completion-data WORD...: what the last word may become, one candidate a line with
 * a tab and a description; ":file", ":dir" and ":program" ask the shell for its own.
 * It must answer within 10 ms and never print an error.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/settings_known.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/clock.h"
#include "lib/util/hashmap.h"

struct completer {
	struct cmd_ctx *ctx;
	const char *cur;    /* the word to complete */
	const char *prefix; /* of it, put before each candidate: "--sort=" */
	struct strmap seen;
};

static void offer(struct completer *c, const char *word, const char *description)
{
	if (strncmp(word, c->cur, strlen(c->cur)) || strpbrk(word, "\n\t") ||
	    strmap_get(&c->seen, word))
		return;
	strmap_set(&c->seen, word, c);
	printf("%s%s\t", c->prefix, word);
	print_printable(&c->ctx->out, description ? description : "");
	putchar('\n');
}

static bool open_db(struct completer *c)
{
	struct cmd_ctx *ctx = c->ctx;

	if (!ctx->db && ctx->repo.db_path && !access(ctx->repo.db_path, R_OK))
		track_open(&ctx->db, &ctx->repo, DB_READ, NULL);
	return ctx->db;
}

/* Candidates from the first column of a query, described by the second. */
static void offer_rows(struct completer *c, const char *sql, const char *description)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;

	if (!open_db(c))
		return;
	st = db_query(c->ctx->db, NULL, sql, "");
	while (st && db_step(st, NULL) > 0)
		offer(c, db_text(st, 0), description ? description : db_text(st, 1));
}

static void offer_runs(struct completer *c)
{
	static const char sql[] =
		"SELECT uuid, name, status, started_ms FROM run WHERE deleted_ms IS NULL"
		" ORDER BY started_ms DESC, id DESC LIMIT 50";
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int64_t now = clock_ms();

	if (!open_db(c))
		return;
	st = db_query(c->ctx->db, NULL, sql, "");
	while (st && db_step(st, NULL) > 0) {
		_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
		const char *uuid = db_text(st, 0), *name = db_text(st, 1);
		_cleanup_free_ char *by_id = NULL;
		char id[RUN_SHORT_LEN + 1];

		run_short(uuid, id);
		strbuf_addf(&text, ", %s, ", run_status_name((enum run_status)db_int(st, 2)));
		clock_add_relative(&text, db_int(st, 3), now);
		if (*c->cur) {
			_cleanup_free_ char *by_name = xasprintf("%s%s", id, text.buf);

			offer(c, name, by_name);
			offer(c, uuid, name);
		}
		by_id = xasprintf("%s%s", name, text.buf);
		offer(c, id, by_id);
	}
}

/* RUN:part for mlp show. */
static bool offer_parts(struct completer *c)
{
	static const char *const parts[][2] = {
		{ "stdout", "what it printed" },
		{ "stderr", "its messages" },
		{ "log", "both, in order" },
		{ "diff", "uncommitted changes" },
		{ "env", "environment" },
		{ "command", "command line" },
	};
	const char *colon = strchr(c->cur, ':');
	_cleanup_free_ char *ref = colon ? xmemdupz(c->cur, (size_t)(colon - c->cur)) : NULL;
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int64_t id;

	if (!colon || strcmp(c->ctx->cmd->name, "show"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *word = xasprintf("%s:%s", ref, parts[i][0]);

		offer(c, word, parts[i][1]);
	}
	if (!open_db(c) || run_resolve(c->ctx->db, *ref ? ref : "@", &id, NULL))
		return true;
	st = db_query(c->ctx->db, NULL,
		      "SELECT path FROM run_file WHERE run_id = ?1 AND stored AND role IN (2, 3)"
		      " ORDER BY path LIMIT 200", "i", id);
	while (st && db_step(st, NULL) > 0) {
		_cleanup_free_ char *word = xasprintf("%s:%s", ref, db_text(st, 0));

		offer(c, word, "stored file");
	}
	return true;
}

static void offer_words(struct completer *c, const char *words)
{
	_release_(strvec_release) struct strvec list = STRVEC_INIT;

	if (!words)
		return;
	strvec_split(&list, words, ' ');
	for (size_t i = 0; i < list.len; i++)
		offer(c, list.v[i], NULL);
}

static void offer_name(void *data, const char *name, const char *what)
{
	offer(data, name, what);
}

static void offer_settings(struct completer *c)
{
	const struct settings *s = &c->ctx->repo.settings;

	for (size_t i = 0; i < settings_known_count; i++)
		offer(c, settings_known[i].key, settings_known[i].help);
	for (size_t i = 0; i < s->len; i++)
		offer(c, s->v[i].key, s->v[i].value);
}

static void offer_kind(struct completer *c, enum complete kind, const char *words)
{
	switch (kind) {
	case COMPLETE_FILE:
		puts(":file");
		break;
	case COMPLETE_DIR:
		puts(":dir");
		break;
	case COMPLETE_PROGRAM:
		puts(":program");
		break;
	case COMPLETE_RUN:
		if (!offer_parts(c))
			offer_runs(c);
		break;
	case COMPLETE_EXPERIMENT:
		offer_rows(c, "SELECT name FROM experiment WHERE deleted_ms IS NULL"
			      " ORDER BY updated_ms DESC LIMIT 200", "experiment");
		break;
	case COMPLETE_COMMAND:
		cmd_each_name(NULL, offer_name, c);
		break;
	case COMPLETE_METRIC:
		offer_rows(c, "SELECT name FROM metric_key ORDER BY id DESC LIMIT 200", "metric");
		break;
	case COMPLETE_PARAM:
		offer_rows(c, "SELECT DISTINCT key, 'parameter' FROM param WHERE run_id IN"
			      " (SELECT id FROM run ORDER BY id DESC LIMIT 50) LIMIT 200", NULL);
		break;
	case COMPLETE_TAG:
		offer_rows(c, "SELECT DISTINCT key, 'tag' FROM tag WHERE run_id IN"
			      " (SELECT id FROM run ORDER BY id DESC LIMIT 50) LIMIT 200", NULL);
		break;
	case COMPLETE_SETTING:
		offer_settings(c);
		break;
	case COMPLETE_WORDS:
	case COMPLETE_NOTHING:
		break;
	}
	offer_words(c, words);
}

static void offer_options(struct completer *c, const struct opt *table)
{
	for (const struct opt *o = table; o && o->type != OPT_TYPE_END; o++) {
		_cleanup_free_ char *undo = NULL;
		char word[128];

		if (o->hidden)
			continue;
		if (o->name)
			snprintf(word, sizeof(word), "--%s", o->name);
		else
			snprintf(word, sizeof(word), "-%c", o->short_name);
		offer(c, word, o->help);
		/* Twice as many options are none the wiser: only when they are asked for. */
		if (!o->name || !strncmp(o->name, "no-", 3) || !strcmp(o->name, "help") ||
		    strncmp(c->cur, "--no", 4))
			continue;
		snprintf(word, sizeof(word), "--no-%s", o->name);
		undo = xasprintf("undo --%s", o->name);
		offer(c, word, undo);
	}
}

static const struct opt *find_option(const struct opt *table, const char *word, size_t len)
{
	for (const struct opt *o = table; o && o->type != OPT_TYPE_END; o++) {
		if (word[1] == '-' && o->name && strlen(o->name) == len - 2 &&
		    !strncmp(o->name, word + 2, len - 2))
			return o;
		if (word[1] != '-' && len == 2 && o->short_name == word[1])
			return o;
	}
	return NULL;
}

/* Does the option take the next word as its value? */
static const struct opt *takes_next(const struct opt *const *tables, const char *word)
{
	const struct opt *o = NULL;

	if (word[0] != '-' || !word[1] || strchr(word, '='))
		return NULL;
	for (int i = 0; !o && i < 2; i++)
		o = find_option(tables[i], word, strlen(word));
	return o && o->arg ? o : NULL;
}

/* The word to complete is "--name=start". */
static bool offer_value(struct completer *c, const struct opt *const *tables)
{
	const char *eq = strchr(c->cur, '=');
	const struct opt *o = NULL;
	_cleanup_free_ char *prefix = NULL;

	if (!eq || strncmp(c->cur, "--", 2))
		return false;
	for (int i = 0; !o && i < 2; i++)
		o = find_option(tables[i], c->cur, (size_t)(eq - c->cur));
	if (!o)
		return true;
	prefix = xmemdupz(c->cur, (size_t)(eq + 1 - c->cur));
	c->prefix = prefix;
	c->cur = eq + 1;
	offer_kind(c, o->complete, o->words);
	c->prefix = "";
	return true;
}

static void offer_arguments(struct completer *c, const struct mlp_cmd *cmd, int args)
{
	for (const struct mlp_cmd *const *v = args ? NULL : cmd->verbs; v && *v; v++)
		offer(c, (*v)->name, (*v)->summary);
	/* Verbs that are words (mlp config), then what they take. */
	if (cmd->words && cmd->complete != COMPLETE_WORDS)
		offer_kind(c, args ? cmd->complete : COMPLETE_WORDS, args ? NULL : cmd->words);
	else if (args && cmd->complete == COMPLETE_PROGRAM)
		puts(":file");
	else if (cmd->max_args < 0 || args < cmd->max_args)
		offer_kind(c, cmd->complete, cmd->words);
}

/* words[0..n) follow the command; the last one is being typed. */
static void complete_command(struct completer *c, const struct mlp_cmd *cmd, char **words, int n)
{
	const struct opt *tables[2] = { cmd->opts, cmd_common_options(cmd) };
	const struct opt *value = NULL;
	bool plain = false;
	int args = 0;

	c->ctx->cmd = cmd;
	if (n > 1 && cmd_find_verb(cmd, words[0])) {
		complete_command(c, cmd_find_verb(cmd, words[0]), words + 1, n - 1);
		return;
	}
	for (int i = 0; i < n - 1; i++) {
		if (value) {
			value = NULL;
			continue;
		}
		if (!plain && !strcmp(words[i], "--"))
			plain = true;
		else if (!plain && words[i][0] == '-' && words[i][1])
			value = takes_next(tables, words[i]);
		else {
			args++;
			plain |= (cmd->needs & TAKES_COMMAND) != 0;
		}
	}
	if (value)
		offer_kind(c, value->complete, value->words);
	else if (!plain && c->cur[0] == '-') {
		if (!offer_value(c, tables)) {
			offer_options(c, tables[0]);
			offer_options(c, tables[1]);
		}
	} else {
		offer_arguments(c, cmd, args);
	}
}

static void complete_alias(struct completer *c, char **words, int n)
{
	_cleanup_free_ char *key = xasprintf("alias.%s", words[0]);
	const char *value = settings_get_command(&c->ctx->repo.settings, key);
	_release_(strvec_release) struct strvec all = STRVEC_INIT;
	const struct mlp_cmd *cmd;

	if (!value)
		return;
	strvec_split(&all, value, ' ');
	cmd = cmd_find(all.v[0]);
	for (int i = 1; i < n; i++)
		strvec_push(&all, words[i]);
	if (cmd)
		complete_command(c, cmd, all.v + 1, (int)all.len - 1);
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	const struct opt *tables[2] = { mlp_global_options, NULL };
	struct completer c = { .ctx = ctx, .prefix = "" };
	const struct opt *value = NULL;
	int i = 0;

	(void)opts;
	c.cur = argv[argc - 1];
	for (; i < argc - 1 && (value || argv[i][0] == '-'); i++)
		value = value ? NULL : takes_next(tables, argv[i]);
	if (value)
		offer_kind(&c, value->complete, value->words);
	else if (i < argc - 1 && cmd_find(argv[i]))
		complete_command(&c, cmd_find(argv[i]), argv + i + 1, argc - i - 1);
	else if (i < argc - 1)
		complete_alias(&c, argv + i, argc - i);
	else if (c.cur[0] != '-')
		cmd_each_name(&ctx->repo.settings, offer_name, &c);
	else if (!offer_value(&c, tables))
		offer_options(&c, tables[0]);
	strmap_release(&c.seen);
	return 0;
}

const struct mlp_cmd cmd_completion_data = {
	.name = "completion-data",
	.group = "help",
	.summary = "list completions for a shell",
	.usage = "-- WORD...",
	.needs = IS_HIDDEN,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
