/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input, which is not stored: it is given again, and must be what it was. */
#include "config.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "cmd/reproduce/reproduce.h"
#include "lib/crypto/sha256.h"

enum { BLOCK = 1 << 16 };

#define STDIN_NAME "standard input"

/* The next len bytes of a file that is our standard input, which stays where it is. */
static bool hash_ahead(int64_t len, char hex[SHA256_HEX + 1])
{
	_cleanup_(sha256_free) struct sha256 *hash = sha256_new(NULL);
	_cleanup_free_ char *block = xmalloc(BLOCK);
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR), end = at + (off_t)len;

	while (hash && at >= 0 && at < end) {
		ssize_t n = pread(STDIN_FILENO, block, (size_t)MIN((off_t)BLOCK, end - at), at);

		if (n <= 0)
			break;
		sha256_update(hash, block, (size_t)n);
		at += n;
	}
	if (hash)
		sha256_finish(hash, hex);
	return hash != NULL;
}

static bool is_typed(const struct run_command *c)
{
	return c->stdin_bytes <= 0 || !strcmp(c->stdin_kind, "terminal");
}

/* A pipe cannot be looked at before the command reads it, and a terminal is typed at
 * then: those are compared afterwards. */
void reproduce_stdin(struct reproduction *re)
{
	const struct run_command *c = &re->command;
	char hex[SHA256_HEX + 1] = "";
	bool file, later;
	struct stat st;

	if (c->stdin_bytes <= 0 || !c->stdin_sha256 || reproduce_ignores(re, STDIN_NAME))
		return;
	if (fstat(STDIN_FILENO, &st))
		st.st_mode = 0;
	file = S_ISREG(st.st_mode) && hash_ahead(c->stdin_bytes, hex);
	later = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
		(isatty(STDIN_FILENO) && (!re->opts->check || is_typed(c)));
	if (later || (file && !strcmp(hex, c->stdin_sha256)))
		return;
	if (is_typed(c)) {
		cmd_warn("what was typed at the run's standard input is not stored");
		return;
	}
	reproduce_row(re, "input", STDIN_NAME, c->stdin_sha256, *hex ? hex : NULL,
		      *hex ? "changed" : "missing");
	re->missing++;
}

void reproduce_stdin_warn(struct reproduction *re)
{
	if (re->command.stdin_bytes > 0 && isatty(STDIN_FILENO))
		cmd_warn("the run read %lld bytes from its standard input, which are not stored: "
			 "give them again", (long long)re->command.stdin_bytes);
}

/* Of what was typed an Enter more or less is no other result. */
int reproduce_compare_stdin(struct reproduction *re, int64_t run)
{
	_release_(run_command_release) struct run_command again = RUN_COMMAND_INIT;
	const struct run_command *was = &re->command;
	const char *a, *b;
	int r = run_command_get(re->ctx->db, run, &again, &re->ctx->err);

	if (r || (was->stdin_bytes <= 0 && again.stdin_bytes <= 0))
		return r;
	a = was->stdin_bytes > 0 ? was->stdin_sha256 : NULL;
	b = again.stdin_bytes > 0 ? again.stdin_sha256 : NULL;
	if (reproduce_ignores(re, STDIN_NAME))
		return 0;
	if ((!a || !b || strcmp(a, b)) && is_typed(was) && is_typed(&again))
		reproduce_row(re, "input", STDIN_NAME, a, b, "tolerable");
	else
		reproduce_result(re, "input", STDIN_NAME, a, b, a && b && !strcmp(a, b));
	return 0;
}
