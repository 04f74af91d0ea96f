/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command of mlp: one file, one const struct mlp_cmd at its end, one line in
 * commands.def.  The dispatcher (main.c) parses the options, finds the project,
 * opens the store as .needs says, calls .run, prints the error and closes.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "cmd/options.h"
#include "cmd/print.h"
#include "lib/core/error.h"
#include "lib/core/event.h"
#include "lib/core/repo.h"
#include "lib/db/db.h"

enum mlp_exit {
	EXIT_NO = 1,	      /* the answer is no */
	EXIT_MISSING = 3,     /* an input is missing */
	EXIT_TRY_AGAIN = 75,
	EXIT_FAILED = 128,
	EXIT_USAGE = 129,
};

enum cmd_needs {
	NEED_REPO = 1 << 0,	/* ctx->repo; without it only user and system settings */
	NEED_DB_READ = 1 << 1,	/* ctx->db; implies NEED_REPO */
	NEED_DB_WRITE = 1 << 2,
	NEED_AUTO_INIT = 1 << 3, /* make .mlp here when there is none */
	TAKES_COMMAND = 1 << 4, /* options end at the first argument */
	HAS_OUTPUT = 1 << 5,	/* takes --json and -z */
	USES_PAGER = 1 << 6,
	IS_HIDDEN = 1 << 7,	/* left out of help and completion */
	CHECKS_SETTINGS = 1 << 8, /* runs with ctx->err set where the settings are wrong */
};

struct cmd_ctx {
	const struct mlp_cmd *cmd;
	struct repo repo;
	struct db *db;
	struct mlp_events events; /* renders warnings, notes and progress on stderr */
	struct mlp_error err;
	struct printer out;
	int dashdash; /* index in argv of what followed "--", or -1 */
	bool quiet;
};

struct mlp_cmd {
	const char *name;    /* "train"; of a verb its own name only: "show" */
	const char *group;   /* a heading of mlp help: see cmd_groups in help.c */
	const char *summary; /* one line, lower case, no full stop */
	const char *usage;   /* "[-f] RUN..."; several forms separated by '\n' */
	const struct opt *opts;
	size_t opts_size; /* of the struct the table points into */
	const void *defaults; /* of that struct; NULL: all zero */
	int needs;	      /* enum cmd_needs */
	int min_args, max_args; /* -1: any number */
	enum complete complete; /* what the arguments are */
	const char *words;
	/* Of one with NEED_DB_WRITE: does this call only read?  NULL: none does. */
	bool (*only_reads)(const void *opts, int argc);
	/* Returns an exit code, or a negative MLP_E* with ctx->err set. */
	int (*run)(struct cmd_ctx *ctx, const void *opts, int argc, char **argv);
	const struct mlp_cmd *const *verbs; /* NULL-terminated; then .run may be NULL */
};

/* The table made from commands.def, NULL-terminated, sorted by name. */
extern const struct mlp_cmd *const mlp_commands[];
const struct mlp_cmd *cmd_find(const char *name);
const struct mlp_cmd *cmd_find_verb(const struct mlp_cmd *cmd, const char *name);
/* Calls fn for all that may follow mlp, with what it is: the commands that are not hidden and,
 * with settings, aliases and programs mlp-NAME on PATH. */
void cmd_each_name(const struct settings *settings,
		   void (*fn)(void *data, const char *name, const char *what), void *data);
/* The help of -h. */
void cmd_print_help(const struct mlp_cmd *cmd, FILE *f);
/* Options of every command: --help, and --json and -z where it has output. */
const struct opt *cmd_common_options(const struct mlp_cmd *cmd);
/* Options before the command: -C, -c, --no-pager, ... */
extern const struct opt mlp_global_options[];

/* For .run: "mlp: text" and the usage lines on stderr, exit code 129. */
int cmd_usage(struct cmd_ctx *ctx, const char *fmt, ...) PRINTF(2, 3);
/* For .run: what came of reading an argument, or the value of an option.  MLP_EINVAL is a
 * wrong call, told as by cmd_usage() with ctx->err and its hint; others are returned. */
int cmd_argument(struct cmd_ctx *ctx, int code);
/* Reads a file that an argument names, "-" for standard input.  MLP_EMISSING without it. */
int cmd_read_input(struct cmd_ctx *ctx, const char *path, size_t max, struct strbuf *out);
/* For .run: prints ctx->err now and returns its exit code; for commands that go
 * on after an error with one of several things. */
int cmd_report(struct cmd_ctx *ctx, int code);
/* "mlp: warning: text" */
void cmd_warn(const char *fmt, ...) PRINTF(1, 2);

#endif
