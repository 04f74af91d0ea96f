/* SPDX-License-Identifier: Apache-2.0 */
/* mlp note: the note of a run, Markdown by convention, kept in the tag that MLflow's
 * pages show as the description. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/track/run.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

#define NOTE_TAG "mlflow.note.content"
/* Not '#' alone, as in git: that is a heading in Markdown. */
#define SCISSORS "# ------------------------ >8 ------------------------\n"

enum { NOTE_MAX = 1 << 20 };

struct note_opts {
	const char *message;
	const char *file;
	bool edit;
};

static const struct opt opts_table[] = {
	OPT_STRING('m', "message", "TEXT", struct note_opts, message, "the note"),
	OPT_STRING('F', "file", "FILE", struct note_opts, file, "the note from a file, - for stdin",
		   .complete = COMPLETE_FILE),
	OPT_FLAG('e', "edit", struct note_opts, edit, "open the editor also when not on a terminal"),
	OPT_END
};

static const char *editor_command(const struct cmd_ctx *ctx)
{
	const char *names[] = { getenv("MLP_EDITOR"),
				settings_get_command(&ctx->repo.settings, "core.editor"),
				getenv("VISUAL"), getenv("EDITOR") };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] && *names[i])
			return names[i];
	return "vi";
}

/* The editor is the user's own command line, so it goes to the shell as git does. */
static int run_editor(struct cmd_ctx *ctx, const char *path)
{
	const char *editor = editor_command(ctx);
	_cleanup_free_ char *script = xasprintf("%s \"$@\"", editor);
	int status, r;
	pid_t pid = fork();

	if (!pid) {
		execlp("sh", "sh", "-c", script, editor, path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		return mlp_error_errno(&ctx->err, errno, "cannot start the editor '%s'", editor);
	signal(SIGINT, SIG_IGN); /* it is the editor's */
	while ((r = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	signal(SIGINT, SIG_DFL);
	if (r < 0)
		return mlp_error_errno(&ctx->err, errno, "cannot wait for the editor '%s'", editor);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return mlp_error_set(&ctx->err, MLP_EFAIL, "the editor '%s' failed", editor);
	return 0;
}

static int write_template(struct cmd_ctx *ctx, int fd, const struct run *run, const char *old)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int r;

	strbuf_addstr(&text, old ? old : "");
	strbuf_addf(&text,
		    "\n" SCISSORS "# Note of run %s (%s).\n"
		    "# Do not change the line above; what is below it is left out.\n"
		    "# An empty note removes the old one.\n",
		    run->uuid, run->name);
	r = file_write_all(fd, text.buf, text.len);
	return r ? mlp_error_errno(&ctx->err, r, "cannot write the note for the editor") : 0;
}

static int save(struct cmd_ctx *ctx, int64_t id, const char *old, struct strbuf *text)
{
	strbuf_rtrim(text);
	if (text->len && strlen(text->buf) == text->len && !text_is_utf8(text->buf, text->len))
		return mlp_error_set(&ctx->err, MLP_EINVAL, "the note is not UTF-8");
	if (text->len && strlen(text->buf) == text->len)
		return tag_set(ctx->db, id, NOTE_TAG, text->buf, &ctx->err);
	if (text->len)
		return mlp_error_set(&ctx->err, MLP_EINVAL, "the note holds a NUL byte");
	return old ? tag_unset(ctx->db, id, NOTE_TAG, &ctx->err) : 0;
}

static int save_edited(struct cmd_ctx *ctx, const struct run *run, const char *old,
		       const char *path)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int r = cmd_read_input(ctx, path, NOTE_MAX, &text);
	char *cut = strstr(text.buf, SCISSORS);

	if (cut)
		strbuf_setlen(&text, (size_t)(cut - text.buf));
	if (!r)
		r = save(ctx, run->id, old, &text);
	/* What somebody typed is not thrown away. */
	if (r)
		mlp_error_hint(&ctx->err, "the text is kept in '%s'", path);
	else
		unlink(path);
	return r;
}

static int edit(struct cmd_ctx *ctx, const struct run *run, const char *old)
{
	_cleanup_free_ char *dir = repo_path(&ctx->repo, "tmp");
	_cleanup_free_ char *path = xasprintf("%s/note-XXXXXX.md", dir);
	_cleanup_close_ int fd = mkostemps(path, 3, O_CLOEXEC);
	int r;

	if (fd < 0)
		return mlp_error_errno(&ctx->err, errno, "cannot make a file in '%s'", dir);
	r = write_template(ctx, fd, run, old);
	if (!r)
		r = run_editor(ctx, path);
	if (!r)
		return save_edited(ctx, run, old, path);
	unlink(path);
	return r;
}

static bool only_reads(const void *opts, int argc)
{
	const struct note_opts *o = opts;

	return argc == 1 && !o->message && !o->file && !o->edit &&
	       !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	_release_(key_values_release) struct key_values tags = { 0 };
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_release_(run_release) struct run run = RUN_INIT;
	const struct note_opts *o = opts;
	const char *given = o->message ? o->message : argc > 1 ? argv[1] : NULL, *old;
	int64_t id;
	int r = run_resolve(ctx->db, argv[0], &id, &ctx->err);

	if ((o->message != NULL) + (o->file != NULL) + (argc > 1) > 1)
		return cmd_usage(ctx, "give the note once: as TEXT, with -m or with -F");
	if (!r)
		r = run_get(ctx->db, id, &run, &ctx->err);
	if (!r)
		r = tags_get(ctx->db, id, &tags, &ctx->err);
	if (r)
		return r;
	old = key_values_get(&tags, NOTE_TAG);
	if (only_reads(o, argc))
		return old ? (puts(old), 0) : EXIT_NO;
	if (given)
		strbuf_addstr(&text, given);
	else if (o->file)
		r = cmd_read_input(ctx, o->file, NOTE_MAX, &text);
	else
		return edit(ctx, &run, old);
	if (!r)
		r = save(ctx, id, old, &text);
	return given ? cmd_argument(ctx, r) : r;
}

const struct mlp_cmd cmd_note = {
	.name = "note",
	.group = "change",
	.summary = "write the note of a run",
	.usage = "[-e] [-m TEXT | -F FILE] RUN [TEXT]",
	.opts = opts_table,
	.opts_size = sizeof(struct note_opts),
	.needs = NEED_DB_WRITE,
	.min_args = 1,
	.max_args = 2,
	.complete = COMPLETE_RUN,
	.only_reads = only_reads,
	.run = run,
};
