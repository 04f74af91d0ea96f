/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options as static tables.  One table gives parsing, -h, --no-x, completion and
 * what t/lint compares with the man page.
 *
 *	struct rm_opts { bool force; const char *why; struct strvec tags; };
 *	static const struct opt opts[] = {
 *		OPT_FLAG('f', "force", struct rm_opts, force, "delete for ever"),
 *		OPT_STRING('m', "message", "TEXT", struct rm_opts, why, "the reason"),
 *		OPT_LIST('t', "tag", "K=V", struct rm_opts, tags, "set a tag"),
 *		OPT_END
 *	};
 *
 * A member of the wrong type does not compile.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/core/error.h"
#include "lib/util/vec.h"

enum opt_type { OPT_TYPE_END, OPT_TYPE_FLAG, OPT_TYPE_INT, OPT_TYPE_STRING, OPT_TYPE_LIST,
		OPT_TYPE_DURATION, OPT_TYPE_TIME, OPT_TYPE_GROUP };

/* What an argument is, for completion. */
enum complete {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_DIR,
	COMPLETE_RUN,
	COMPLETE_EXPERIMENT,
	COMPLETE_COMMAND, /* a command of mlp */
	COMPLETE_PROGRAM, /* a program to run, then its own arguments */
	COMPLETE_METRIC,
	COMPLETE_PARAM,
	COMPLETE_TAG,
	COMPLETE_SETTING, /* a configuration key */
	COMPLETE_WORDS,	  /* the table's words */
};

struct opt {
	enum opt_type type;
	char short_name; /* 0: none */
	const char *name;
	const char *arg; /* "N", "K=V", "bash|zsh|fish"; NULL for flags */
	const char *help;
	size_t offset;
	enum complete complete;
	const char *words; /* COMPLETE_WORDS: separated by blanks */
	bool hidden;
};

#define OPT_OFFSET(S, m, T) \
	(offsetof(S, m) + 0 * sizeof(char[_Generic(((S *)0)->m, T: 1, default: -1)]))
#define OPT_FLAG(sh, n, S, m, h) \
	{ .type = OPT_TYPE_FLAG, .short_name = (sh), .name = (n), .help = (h), \
	  .offset = OPT_OFFSET(S, m, bool) }
#define OPT_INT(sh, n, a, S, m, h) \
	{ .type = OPT_TYPE_INT, .short_name = (sh), .name = (n), .arg = (a), .help = (h), \
	  .offset = OPT_OFFSET(S, m, int64_t) }
#define OPT_DURATION(sh, n, a, S, m, h) /* int64_t milliseconds */ \
	{ .type = OPT_TYPE_DURATION, .short_name = (sh), .name = (n), .arg = (a), .help = (h), \
	  .offset = OPT_OFFSET(S, m, int64_t) }
#define OPT_TIME(sh, n, a, S, m, h) /* int64_t milliseconds since 1970 */ \
	{ .type = OPT_TYPE_TIME, .short_name = (sh), .name = (n), .arg = (a), .help = (h), \
	  .offset = OPT_OFFSET(S, m, int64_t) }
#define OPT_STRING(sh, n, a, S, m, h, ...) /* may end with .complete = ... */ \
	{ .type = OPT_TYPE_STRING, .short_name = (sh), .name = (n), .arg = (a), .help = (h), \
	  .offset = OPT_OFFSET(S, m, const char *), __VA_ARGS__ }
#define OPT_LIST(sh, n, a, S, m, h, ...) \
	{ .type = OPT_TYPE_LIST, .short_name = (sh), .name = (n), .arg = (a), .help = (h), \
	  .offset = OPT_OFFSET(S, m, struct strvec), __VA_ARGS__ }
#define OPT_END { .type = OPT_TYPE_END }

struct opt_set {
	const struct opt *table; /* may be NULL */
	void *values;
};

struct opt_args {
	char **argv; /* in: with the name in argv[0]; out: the arguments that are no options */
	int argc;
	int dashdash; /* out: index in argv of the first argument after "--", or -1 */
	bool stop_at_argument; /* options end at the first argument: it names a command to run */
	const struct opt *before; /* those that go before the command, to say so; or NULL */
};

/* Parses options into the sets, in order of look-up.  MLP_EINVAL with a message.
 * Long options may not be abbreviated. */
int opt_parse(const struct opt_set *sets, size_t nsets, struct opt_args *args,
	      struct mlp_error *err);
/* Releases the lists among the values. */
void opt_release(const struct opt *table, void *values);
/* The option lines of -h. */
void opt_print_help(const struct opt *table, FILE *f);

#endif
