/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/text.h"

/* Error texts are printed as they are; names in them may hold anything. */
static void store(char *to, size_t size, const char *text)
{
	struct strbuf sb = STRBUF_INIT;
	size_t n;

	text_add_printable(&sb, text, strlen(text));
	n = MIN(sb.len, size - 1);
	while (n && n < sb.len && ((unsigned char)sb.buf[n] & 0xc0) == 0x80)
		n--;
	memcpy(to, sb.buf, n);
	to[n] = '\0';
	strbuf_release(&sb);
}

int mlp_error_set(struct mlp_error *err, int code, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err->code = code;
	err->hint[0] = '\0';
	store(err->text, sizeof(err->text), text);
	return code;
}

static int code_of(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return MLP_ENOTFOUND;
	case EROFS:
	case EACCES:
	case EPERM:
		return MLP_EREADONLY;
	case EEXIST:
		return MLP_EEXIST;
	case ENOSPC:
	case EDQUOT:
		return MLP_EFULL;
	default:
		return MLP_ESYSTEM;
	}
}

int mlp_error_errno(struct mlp_error *err, int errnum, const char *fmt, ...)
{
	char what[400], cause[100];
	va_list ap;

	if (errnum < 0)
		errnum = -errnum;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(cause, sizeof(cause), "%s", strerrordesc_np(errnum) ? strerrordesc_np(errnum) : "?");
	cause[0] = (char)(cause[0] >= 'A' && cause[0] <= 'Z' && cause[1] > 'Z' ? cause[0] + 32 : cause[0]);
	return mlp_error_set(err, code_of(errnum), "%s: %s", what, cause);
}

void mlp_error_prefix(struct mlp_error *err, const char *fmt, ...)
{
	char text[2 * sizeof(err->text)];
	va_list ap;
	int n;

	if (!err)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(err->text), fmt, ap);
	va_end(ap);
	n = MIN(n, (int)sizeof(err->text) - 1);
	snprintf(text + n, sizeof(text) - (size_t)n, "%s", err->text);
	store(err->text, sizeof(err->text), text);
}

void mlp_error_hint(struct mlp_error *err, const char *fmt, ...)
{
	char text[sizeof(err->hint)];
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	store(err->hint, sizeof(err->hint), text);
}
