/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/filter_lex.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "lib/util/text.h"

enum { EXCERPT = 24 }; /* bytes of the text quoted in a message */

void filter_lexer_init(struct filter_lexer *lx, const char *text, size_t len)
{
	*lx = (struct filter_lexer){ .text = text, .len = len, .value = STRBUF_INIT };
}

void filter_lexer_release(struct filter_lexer *lx)
{
	strbuf_release(&lx->value);
}

bool filter_lexer_is(const struct filter_lexer *lx, const char *keyword)
{
	return lx->token == TOKEN_WORD && !lx->quoted && !strcasecmp(lx->value.buf, keyword);
}

static size_t column(const struct filter_lexer *lx)
{
	size_t n = 1;

	for (size_t i = 0; i < lx->start; i++)
		n += ((unsigned char)lx->text[i] & 0xc0) != 0x80;
	return n;
}

int filter_lexer_error(const struct filter_lexer *lx, struct mlp_error *err, const char *fmt, ...)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
	size_t left = lx->len - lx->start, n = MIN(left, (size_t)EXCERPT);
	va_list ap;

	/* Not in the middle of a character. */
	while (n < left && n && ((unsigned char)lx->text[lx->start + n] & 0xc0) == 0x80)
		n--;
	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	if (!left)
		return mlp_error_set(err, MLP_EINVAL, "filter: %s at the end", sb.buf);
	return mlp_error_set(err, MLP_EINVAL, "filter: %s at '%.*s%s' (column %zu)", sb.buf, (int)n,
			     lx->text + lx->start, n < left ? "..." : "", column(lx));
}

/* The byte at an offset from pos; 0 behind the end. */
static unsigned char peek(const struct filter_lexer *lx, size_t offset)
{
	return lx->pos + offset < lx->len ? (unsigned char)lx->text[lx->pos + offset] : 0;
}

static bool starts_word(unsigned char c)
{
	return isalpha(c) || c == '_' || c == '`' || c >= 0x80;
}

/* MLflow wants keys quoted that hold more than letters, digits, '_' and '.'. */
static bool continues_word(unsigned char c)
{
	return isalnum(c) || c >= 0x80 || (c && strchr("_./:-", c));
}

/* The quoted text at pos, whose quote written twice stands for itself. */
static int read_quoted(struct filter_lexer *lx, struct mlp_error *err)
{
	unsigned char quote = peek(lx, 0);

	lx->pos++;
	for (;; lx->pos++) {
		if (lx->pos == lx->len)
			return filter_lexer_error(lx, err, "a quote is not closed");
		if (peek(lx, 0) == quote && peek(lx, 1) != quote)
			break;
		if (peek(lx, 0) == quote)
			lx->pos++;
		strbuf_addch(&lx->value, peek(lx, 0));
	}
	lx->pos++;
	return 0;
}

/* name, `name`, entity.name, entity.`name`, entity."name"; the entity may be in backticks. */
static int read_word(struct filter_lexer *lx, struct mlp_error *err)
{
	int r = 0;

	lx->token = TOKEN_WORD;
	if (peek(lx, 0) == '`') {
		r = read_quoted(lx, err);
		lx->quoted = true;
		if (r || peek(lx, 0) != '.')
			return r || !continues_word(peek(lx, 0)) ?
				       r :
				       filter_lexer_error(lx, err, "a name goes on behind its quote");
	}
	while (continues_word(peek(lx, 0)))
		strbuf_addch(&lx->value, lx->text[lx->pos++]);
	if (peek(lx, 0) != '`' &&
	    (peek(lx, 0) != '"' || !lx->value.len || lx->value.buf[lx->value.len - 1] != '.'))
		return 0;
	lx->quoted = true;
	r = read_quoted(lx, err);
	if (!r && (continues_word(peek(lx, 0)) || peek(lx, 0) == '`'))
		return filter_lexer_error(lx, err, "a name goes on behind its quote");
	return r;
}

static size_t count_digits(const struct filter_lexer *lx, size_t at)
{
	size_t n = 0;

	while (isdigit(peek(lx, at + n)))
		n++;
	return n;
}

/* Bytes of [+-]digits[.digits][e[+-]digits] or [+-]inf at pos, or 0. */
static size_t number_length(const struct filter_lexer *lx)
{
	size_t n = peek(lx, 0) == '-' || peek(lx, 0) == '+', whole, part = 0, e;

	if (lx->pos + n + 3 <= lx->len && !strncasecmp(lx->text + lx->pos + n, "inf", 3)) {
		bool full = lx->pos + n + 8 <= lx->len &&
			    !strncasecmp(lx->text + lx->pos + n, "infinity", 8);

		return n + (full ? 8 : 3);
	}
	whole = count_digits(lx, n);
	n += whole;
	if (peek(lx, n) == '.') {
		part = count_digits(lx, n + 1);
		n += 1 + part;
	}
	if (!whole && !part)
		return 0;
	if (peek(lx, n) == 'e' || peek(lx, n) == 'E') {
		e = 1 + (peek(lx, n + 1) == '-' || peek(lx, n + 1) == '+');
		n += count_digits(lx, n + e) ? e + count_digits(lx, n + e) : 0;
	}
	return n;
}

static int read_number(struct filter_lexer *lx, struct mlp_error *err)
{
	size_t n = number_length(lx);

	if (!n || starts_word(peek(lx, n)) || continues_word(peek(lx, n)))
		return filter_lexer_error(lx, err, "malformed number");
	strbuf_add(&lx->value, lx->text + lx->pos, n);
	lx->pos += n;
	lx->token = TOKEN_NUMBER;
	text_parse_double(lx->value.buf, &lx->number);
	lx->is_integer = text_parse_int(lx->value.buf, &lx->integer);
	return 0;
}

static int read_operator(struct filter_lexer *lx, struct mlp_error *err)
{
	static const struct {
		const char *text;
		enum filter_token token;
	} operators[] = {
		{ "!=", TOKEN_NE },  { "<=", TOKEN_LE },   { ">=", TOKEN_GE }, { "==", TOKEN_EQ },
		{ "<>", TOKEN_NE },  { "=", TOKEN_EQ },	   { "<", TOKEN_LT },  { ">", TOKEN_GT },
		{ "(", TOKEN_OPEN }, { ")", TOKEN_CLOSE }, { ",", TOKEN_COMMA },
	};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		size_t n = strlen(operators[i].text);

		if (lx->len - lx->pos < n || memcmp(lx->text + lx->pos, operators[i].text, n))
			continue;
		lx->token = operators[i].token;
		lx->pos += n;
		return 0;
	}
	return filter_lexer_error(lx, err, "unexpected character");
}

/* "inf" is a number only where it stands alone. */
static bool is_infinity(const struct filter_lexer *lx)
{
	size_t n = number_length(lx);

	return n && !continues_word(peek(lx, n)) && peek(lx, n) != '`';
}

int filter_lexer_next(struct filter_lexer *lx, struct mlp_error *err)
{
	unsigned char c;

	while (peek(lx, 0) && strchr(" \t\r\n\f\v", peek(lx, 0)))
		lx->pos++;
	lx->start = lx->pos;
	strbuf_clear(&lx->value);
	lx->quoted = false;
	lx->token = TOKEN_END;
	if (lx->pos == lx->len)
		return 0;
	c = peek(lx, 0);
	if (c == '\'' || c == '"') {
		lx->token = TOKEN_STRING;
		return read_quoted(lx, err);
	}
	if (starts_word(c) && !is_infinity(lx))
		return read_word(lx, err);
	if (isalnum(c) || (c && strchr("+-.", c)))
		return read_number(lx, err);
	return read_operator(lx, err);
}
