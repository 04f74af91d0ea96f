/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a filter. */
#ifndef TRACK_FILTER_LEX_H
#define TRACK_FILTER_LEX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/error.h"
#include "lib/util/strbuf.h"

enum filter_token {
	TOKEN_END,
	TOKEN_WORD,   /* a name or keyword; text without its quotes */
	TOKEN_STRING, /* text */
	TOKEN_NUMBER, /* number, and integer where it is one */
	TOKEN_EQ,
	TOKEN_NE,
	TOKEN_LT,
	TOKEN_LE,
	TOKEN_GT,
	TOKEN_GE,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
};

struct filter_lexer {
	const char *text;
	size_t len, pos; /* pos is behind the token */

	enum filter_token token;
	size_t start; /* of the token in text */
	struct strbuf value;
	bool quoted; /* TOKEN_WORD: part of it was; it is no keyword */
	bool is_integer;
	double number;
	int64_t integer;
};

/* text must outlive the lexer. */
void filter_lexer_init(struct filter_lexer *lx, const char *text, size_t len);
void filter_lexer_release(struct filter_lexer *lx);
/* Reads the next token into the lexer; 0 or MLP_EINVAL. */
int filter_lexer_next(struct filter_lexer *lx, struct mlp_error *err);
/* True when the token is this keyword, in any case. */
bool filter_lexer_is(const struct filter_lexer *lx, const char *keyword);
/* "filter: " message " at 'auc > x' (column 5)", about the current token. */
int filter_lexer_error(const struct filter_lexer *lx, struct mlp_error *err, const char *fmt, ...)
	PRINTF(3, 4);

#endif
