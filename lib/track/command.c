/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/command.h"

#include <string.h>

void run_command_release(struct run_command *command)
{
	strvec_release(&command->argv);
	strvec_release(&command->argv_template);
	free(command->cwd);
	free(command->project_dir);
	free(command->options);
	free(command->stdin_kind);
	free(command->stdin_sha256);
	*command = (struct run_command)RUN_COMMAND_INIT;
}

void argv_encode(struct strbuf *out, const struct strvec *argv)
{
	for (size_t i = 0; i < argv->len; i++)
		strbuf_add(out, argv->v[i], strlen(argv->v[i]) + 1);
}

int argv_decode(const void *blob, size_t len, struct strvec *argv, struct mlp_error *err)
{
	const char *p = blob, *end = p + len;

	if (len && end[-1])
		return mlp_error_set(err, MLP_ECORRUPT, "a stored command line has no end");
	for (; p < end; p += strlen(p) + 1)
		strvec_push(argv, p);
	return 0;
}

static bool is_plain(const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	return *s && !s[strspn(s, plain)];
}

/* A control byte inside '...' would be lost on a terminal: $'...' names it.  All shells
 * of POSIX.1-2024 read that form, and bash, ksh and zsh did before. */
static void add_escaped(struct strbuf *out, const char *s)
{
	strbuf_addstr(out, "$'");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '\n')
			strbuf_addstr(out, "\\n");
		else if (c == '\t')
			strbuf_addstr(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			strbuf_addf(out, "\\%03o", c);
		else if (c == '\'' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else
			strbuf_addch(out, (char)c);
	}
	strbuf_addch(out, '\'');
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static void add_quoted(struct strbuf *out, const char *s)
{
	if (is_plain(s)) {
		strbuf_addstr(out, s);
		return;
	}
	if (has_control(s)) {
		add_escaped(out, s);
		return;
	}
	strbuf_addch(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			strbuf_addstr(out, "'\\''");
		else
			strbuf_addch(out, *s);
	}
	strbuf_addch(out, '\'');
}

void argv_add_quoted(struct strbuf *out, const struct strvec *argv)
{
	for (size_t i = 0; i < argv->len; i++) {
		const char *eq = strchr(argv->v[i], '=');
		bool assignment = !i && eq && is_plain(argv->v[i]);

		if (i)
			strbuf_addch(out, ' ');
		/* As the first word, a=b would be a variable. */
		if (assignment)
			strbuf_addf(out, "'%s'", argv->v[i]);
		else
			add_quoted(out, argv->v[i]);
	}
}

int run_command_put(struct db *db, int64_t run, const struct run_command *c,
		    struct mlp_error *err)
{
	static const char sql[] =
		"INSERT INTO run_command(run_id, argv, template, cwd, project_dir, options, seed,"
		" stdin_kind, stdin_sha256, stdin_bytes)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, iif(?7, ?8, NULL), ?9, ?10, iif(?11 < 0, NULL, ?11))"
		" ON CONFLICT(run_id) DO UPDATE SET argv = excluded.argv,"
		" template = excluded.template, cwd = excluded.cwd,"
		" project_dir = excluded.project_dir, options = excluded.options,"
		" seed = excluded.seed, stdin_kind = excluded.stdin_kind,"
		" stdin_sha256 = excluded.stdin_sha256, stdin_bytes = excluded.stdin_bytes";
	_release_(strbuf_release) struct strbuf argv = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf typed = STRBUF_INIT;

	argv_encode(&argv, &c->argv);
	argv_encode(&typed, c->argv_template.len ? &c->argv_template : &c->argv);
	return db_exec(db, err, sql, "ibbsssiissi", run, (const void *)argv.buf, argv.len,
		       (const void *)typed.buf, typed.len, c->cwd, c->project_dir,
		       c->options ? c->options : "{}", (int64_t)c->has_seed, c->seed,
		       c->stdin_kind ? c->stdin_kind : "closed", c->stdin_sha256, c->stdin_bytes);
}

static int read_argv(struct db_stmt *st, int col, struct strvec *out, struct mlp_error *err)
{
	size_t len;
	const void *blob = db_blob(st, col, &len);

	return argv_decode(blob, len, out, err);
}

int run_command_get(struct db *db, int64_t run, struct run_command *out, struct mlp_error *err)
{
	static const char sql[] =
		"SELECT argv, template, cwd, project_dir, options, seed, stdin_kind, stdin_sha256,"
		" stdin_bytes FROM run_command WHERE run_id = ?1";
	_cleanup_stmt_ struct db_stmt *st = db_query(db, err, sql, "i", run);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	if (!r)
		return mlp_error_set(err, MLP_ENOTFOUND, "the run has no command line");
	*out = (struct run_command)RUN_COMMAND_INIT;
	r = read_argv(st, 0, &out->argv, err);
	if (!r)
		r = read_argv(st, 1, &out->argv_template, err);
	out->cwd = xstrdup(db_text(st, 2));
	out->project_dir = xstrdup(db_text(st, 3));
	out->options = xstrdup(db_text(st, 4));
	out->has_seed = !db_is_null(st, 5);
	out->seed = db_int(st, 5);
	out->stdin_kind = xstrdup(db_text(st, 6));
	out->stdin_sha256 = xstrdup_null(db_text(st, 7));
	out->stdin_bytes = db_is_null(st, 8) ? -1 : db_int(st, 8);
	if (r)
		run_command_release(out);
	return r;
}

int run_command_set_stdin(struct db *db, int64_t run, const char *sha256, int64_t bytes,
			  struct mlp_error *err)
{
	return db_exec(db, err,
		       "UPDATE run_command SET stdin_sha256 = ?2, stdin_bytes = ?3 WHERE run_id = ?1",
		       "isi", run, sha256, bytes);
}
