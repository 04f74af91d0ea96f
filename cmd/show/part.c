/* SPDX-License-Identifier: Apache-2.0 */
/* RUN:part, bytes as they were stored: output, patch, environment, command, files. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/run_text.h"
#include "cmd/show/show.h"
#include "lib/store/object.h"
#include "lib/track/runlog.h"
#include "lib/util/clock.h"
#include "lib/util/file.h"

enum { LINE_MAX_SHOWN = 4096 };

static int write_out(struct cmd_ctx *ctx, const void *data, size_t len)
{
	if (fwrite(data, 1, len, ctx->out.f) == len)
		return 0;
	return mlp_error_errno(&ctx->err, errno, "cannot write to standard output");
}

static int show_object(struct cmd_ctx *ctx, const char *hex)
{
	_cleanup_close_ int fd = object_open(&ctx->repo, hex, &ctx->err);
	int r;

	if (fd < 0)
		return fd;
	fflush(ctx->out.f);
	r = file_copy_fd(fd, fileno(ctx->out.f));
	/* A reader that went away (head, a pager that was left) is no failure. */
	if (r && r != -EPIPE)
		return mlp_error_errno(&ctx->err, r, "cannot write object '%s'", hex);
	/* A damaged file is not passed on as if it were the stored one. */
	return r ? 0 : object_verify(&ctx->repo, hex, &ctx->err);
}

/* Prints "TIME S| " where a line begins. */
struct stamper {
	bool mid_line[2];
};

static int write_stamped(struct cmd_ctx *ctx, struct stamper *s, const struct runlog_record *rec)
{
	_release_(strbuf_release) struct strbuf time = STRBUF_INIT;
	const char *at = rec->data, *end = rec->data + rec->len;

	clock_add_iso8601(&time, rec->time_us / 1000);
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl ? nl + 1 : end) - at);
		int r = 0;

		/* The other stream's unfinished line stays where it is. */
		if (!s->mid_line[rec->stream]) {
			if (s->mid_line[!rec->stream])
				fputc('\n', ctx->out.f);
			s->mid_line[!rec->stream] = false;
			fprintf(ctx->out.f, "%s%s %s%s ", print_escape(&ctx->out, COLOR_DIM),
				time.buf, rec->stream == RUNLOG_STDERR ? "err" : "out",
				print_escape(&ctx->out, COLOR_NONE));
		}
		r = write_out(ctx, at, n);
		if (r)
			return r;
		s->mid_line[rec->stream] = !nl;
		at += n;
	}
	return 0;
}

/* A command that printed nothing has no log, and that is its output. */
static int without_log(struct cmd_ctx *ctx, int64_t id)
{
	int64_t started;

	return db_get_int(ctx->db, &started, NULL,
			  "SELECT started_ms FROM attempt WHERE run_id = ?1 LIMIT 1", "i", id) ?
		       MLP_ENOTFOUND : 0;
}

/* Streams wanted: bit 0 stdout, bit 1 stderr. */
static int show_log(struct cmd_ctx *ctx, int64_t id, unsigned streams, bool timestamps)
{
	struct runlog_reader *reader = NULL;
	struct runlog_record rec;
	struct stamper stamper = { 0 };
	int r = runlog_open(&reader, ctx->db, &ctx->repo, id, 0, &ctx->err);

	if (r)
		return r == MLP_ENOTFOUND ? without_log(ctx, id) : r;
	while ((r = runlog_next(reader, &rec, &ctx->err)) > 0) {
		if (!(streams & 1U << rec.stream))
			continue;
		r = timestamps ? write_stamped(ctx, &stamper, &rec) :
				 write_out(ctx, rec.data, rec.len);
		if (r)
			break;
	}
	runlog_reader_close(reader);
	return r;
}

static void keep_line(struct strvec *out, size_t max, struct strbuf *line)
{
	if (out->len == max) {
		free(out->v[0]);
		memmove(out->v, out->v + 1, (out->len - 1) * sizeof(*out->v));
		out->len--;
	}
	strvec_push(out, line->buf);
	strbuf_clear(line);
}

int show_last_stderr(struct cmd_ctx *ctx, int64_t id, size_t max, struct strvec *out)
{
	_release_(strbuf_release) struct strbuf line = STRBUF_INIT;
	struct runlog_reader *reader = NULL;
	struct runlog_record rec;
	int r = runlog_open(&reader, ctx->db, &ctx->repo, id, 0, &ctx->err);

	if (r)
		return r == MLP_ENOTFOUND ? 0 : r;
	while ((r = runlog_next(reader, &rec, &ctx->err)) > 0) {
		for (size_t i = 0; rec.stream == RUNLOG_STDERR && i < rec.len; i++) {
			/* A carriage return starts the line anew: progress bars. */
			if (rec.data[i] == '\n')
				keep_line(out, max, &line);
			else if (rec.data[i] == '\r')
				strbuf_clear(&line);
			else if (line.len < LINE_MAX_SHOWN && rec.data[i])
				strbuf_addch(&line, rec.data[i]);
		}
	}
	if (line.len)
		keep_line(out, max, &line);
	runlog_reader_close(reader);
	return r;
}

static int show_diff(struct cmd_ctx *ctx, int64_t id)
{
	_release_(run_code_release) struct run_code code = RUN_CODE_INIT;
	int r = run_code_get(ctx->db, id, &code, &ctx->err);

	return r || !code.diff ? r : show_object(ctx, code.diff);
}

/* The text of a valid document with one member a line. */
static void add_pretty(struct strbuf *out, const char *s, size_t len)
{
	bool quoted = false;
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = s[i], next = i + 1 < len ? s[i + 1] : '\0';

		if (quoted) {
			strbuf_addch(out, c);
			if (c == '\\' && next)
				strbuf_addch(out, s[++i]);
			quoted = c != '"';
			continue;
		}
		if (c == ' ' || c == '\n' || c == '\t' || c == '\r')
			continue;
		if ((c == '}' || c == ']') && depth) {
			strbuf_addch(out, '\n');
			strbuf_addchars(out, ' ', 2 * --depth);
		}
		strbuf_addch(out, c);
		quoted = c == '"';
		if ((c == '{' && next == '}') || (c == '[' && next == ']')) {
			strbuf_addch(out, s[++i]);
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		if (c == '{' || c == '[' || c == ',') {
			strbuf_addch(out, '\n');
			strbuf_addchars(out, ' ', 2 * depth);
		} else if (c == ':') {
			strbuf_addch(out, ' ');
		}
	}
	strbuf_addch(out, '\n');
}

static int show_environment(struct cmd_ctx *ctx, int64_t id)
{
	_release_(strbuf_release) struct strbuf doc = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf pretty = STRBUF_INIT;
	_cleanup_free_ char *hex = NULL;
	int r = run_environment_object(ctx, id, &hex);

	if (r)
		return r;
	if (!hex)
		return mlp_error_set(&ctx->err, MLP_ENOTFOUND, "the run has no environment recorded");
	r = object_read(&ctx->repo, hex, ENVIRONMENT_MAX, &doc, &ctx->err);
	if (r)
		return r;
	if (ctx->out.mode == PRINT_JSON) {
		strbuf_rtrim(&doc);
		print_json_line(&ctx->out, &doc);
		return 0;
	}
	add_pretty(&pretty, doc.buf, doc.len);
	return write_out(ctx, pretty.buf, pretty.len);
}

static int show_command(struct cmd_ctx *ctx, int64_t id)
{
	_release_(run_command_release) struct run_command command = RUN_COMMAND_INIT;
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct json_writer w = { .out = &text };
	int r = run_command_get(ctx->db, id, &command, &ctx->err);

	if (r)
		return r;
	if (ctx->out.mode == PRINT_NUL) {
		argv_encode(&text, &command.argv);
	} else if (ctx->out.mode == PRINT_JSON) {
		json_open(&w, '[');
		for (size_t i = 0; i < command.argv.len; i++)
			json_string(&w, command.argv.v[i]);
		json_close(&w, ']');
		strbuf_addch(&text, '\n');
	} else {
		argv_add_quoted(&text, &command.argv);
		strbuf_addch(&text, '\n');
	}
	return write_out(ctx, text.buf, text.len);
}

/* An output, artifact, input or untracked file whose bytes the store has. */
static int show_file(struct cmd_ctx *ctx, int64_t id, const char *part)
{
	_release_(run_files_release) struct run_files files = { 0 };
	const struct run_file *named = NULL;
	const char *below = !strncmp(part, "outputs/", 8) ? part + 8 : part;
	int r = run_files_get(ctx->db, id, 0, &files, &ctx->err);

	if (r)
		return r;
	for (size_t i = 0; i < files.len; i++) {
		const struct run_file *f = &files.v[i];

		if (strcmp(f->path, part) && strcmp(f->path, below))
			continue;
		/* What a run made comes before what it read. */
		if (!named || !named->stored || f->role == FILE_OUTPUT)
			named = f;
	}
	if (named && named->stored && named->sha256)
		return show_object(ctx, named->sha256);
	if (named)
		return mlp_error_set(&ctx->err, MLP_EMISSING,
				     "'%s' was recorded by name and hash only", named->path);
	mlp_error_set(&ctx->err, MLP_ENOTFOUND, "the run has no '%s'", part);
	mlp_error_hint(&ctx->err, "use stdout, stderr, log, diff, env, command or a stored file");
	return MLP_ENOTFOUND;
}

int show_part(struct cmd_ctx *ctx, int64_t id, const char *part, const struct show_opts *o)
{
	if (!strcmp(part, "stdout"))
		return show_log(ctx, id, 1, o->timestamps);
	if (!strcmp(part, "stderr"))
		return show_log(ctx, id, 2, o->timestamps);
	if (!strcmp(part, "log"))
		return show_log(ctx, id, 3, o->timestamps);
	if (!strcmp(part, "diff"))
		return show_diff(ctx, id);
	if (!strcmp(part, "env"))
		return show_environment(ctx, id);
	if (!strcmp(part, "command"))
		return show_command(ctx, id);
	return show_file(ctx, id, part);
}
