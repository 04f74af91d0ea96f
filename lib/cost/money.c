/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "lib/cost/price.h"
#include "lib/util/text.h"

enum { NANO = 1000000000, DECIMALS = 9, SHOWN_MIN = 2, SHOWN_DIGITS = 3 };

static void add_decimal(struct strbuf *sb, uint64_t nano, bool negative)
{
	strbuf_addf(sb, "%s%" PRIu64 ".%09" PRIu64, negative ? "-" : "", nano / NANO, nano % NANO);
}

static uint64_t magnitude(int64_t nano)
{
	return nano < 0 ? -(uint64_t)nano : (uint64_t)nano;
}

void money_add_exact(struct strbuf *sb, const struct money *m)
{
	if (!m->known)
		return;
	add_decimal(sb, magnitude(m->nano), m->nano < 0);
	while (sb->buf[sb->len - 1] == '0')
		strbuf_setlen(sb, sb->len - 1);
	if (sb->buf[sb->len - 1] == '.')
		strbuf_setlen(sb, sb->len - 1);
}

/* Decimals that show three significant digits of an amount below 1, two otherwise. */
static int shown_decimals(uint64_t nano)
{
	int decimals = SHOWN_MIN;
	uint64_t unit = NANO / 10; /* of the first decimal */

	if (!nano || nano >= NANO)
		return decimals;
	for (decimals = SHOWN_DIGITS; nano < unit; unit /= 10)
		decimals++;
	return MIN(decimals, (int)DECIMALS);
}

void money_add_text(struct strbuf *sb, const struct money *m)
{
	uint64_t nano = magnitude(m->nano), step = NANO;
	int decimals = shown_decimals(nano);
	size_t point;

	if (!m->known) {
		strbuf_addstr(sb, "no price");
		return;
	}
	for (int i = 0; i < decimals; i++)
		step /= 10;
	add_decimal(sb, (nano + step / 2) / step * step, m->nano < 0);
	point = sb->len - DECIMALS;
	strbuf_setlen(sb, point + (size_t)decimals);
	while (sb->len > point + SHOWN_MIN && sb->buf[sb->len - 1] == '0')
		strbuf_setlen(sb, sb->len - 1);
	strbuf_addf(sb, " %s", m->currency);
}

/* Digits and at most nine decimals at *s; leaves *s behind them. */
static bool parse_nano(const char **s, int64_t *out)
{
	const char *p = *s;
	uint64_t whole = 0, part = 0;
	int digits = 0;

	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		whole = whole * 10 + (uint64_t)(*p - '0');
		if (whole > INT64_MAX / NANO)
			return false;
	}
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return false;
		for (; isdigit((unsigned char)*p); p++, digits++) {
			if (digits < DECIMALS)
				part = part * 10 + (uint64_t)(*p - '0');
			else if (*p != '0')
				return false; /* finer than a nano-unit */
		}
	}
	for (; digits < DECIMALS; digits++)
		part *= 10;
	if (whole * NANO + part > INT64_MAX)
		return false;
	*out = (int64_t)(whole * NANO + part);
	*s = p;
	return true;
}

static bool parse_currency(const char *s, char out[8])
{
	for (int i = 0; i < 3; i++) {
		if (!isascii((unsigned char)s[i]) || !isalpha((unsigned char)s[i]))
			return false;
		out[i] = (char)toupper((unsigned char)s[i]);
	}
	out[3] = '\0';
	return !s[3];
}

bool money_parse(const char *s, const char *default_currency, struct money *out)
{
	struct money m = { .known = true };

	if (!parse_nano(&s, &m.nano))
		return false;
	while (*s == ' ')
		s++;
	if (!parse_currency(*s ? s : default_currency, m.currency))
		return false;
	*out = m;
	return true;
}

bool money_sum(struct money *sum, const struct money *m)
{
	int64_t total;

	if (!m->known)
		return true;
	if (!sum->known) {
		*sum = *m;
		return true;
	}
	if (strcmp(sum->currency, m->currency) ||
	    __builtin_add_overflow(sum->nano, m->nano, &total))
		return false;
	sum->nano = total;
	return true;
}
