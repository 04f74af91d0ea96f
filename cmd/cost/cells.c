/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/cost/cells.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "lib/cost/share.h"

void print_idle(struct printer *p, int64_t busy_ms, int64_t ms)
{
	if (ms <= 0 || busy_ms < 0) {
		print_null(p);
		return;
	}
	print_double(p, (double)share_scale(ms - busy_ms, 10000, ms) / 100);
}

void print_energy(struct printer *p, int64_t mj)
{
	if (mj < 0) {
		print_null(p);
		print_null(p);
		print_null(p);
		return;
	}
	print_int(p, mj);
	print_double(p, (double)mj / 1e3);
	print_double(p, (double)mj / 3.6e9);
}

void print_cost(struct printer *p, const struct money *m, const char *without)
{
	_release_(strbuf_release) struct strbuf shown = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf exact = STRBUF_INIT;

	if (m && m->known) {
		money_add_text(&shown, m);
		money_add_exact(&exact, m);
		print_shown(p, shown.buf, exact.buf);
		print_string(p, m->currency);
		return;
	}
	if (p->mode == PRINT_TEXT && *without)
		print_string(p, without);
	else
		print_null(p);
	print_null(p);
}

const struct money *group_money(const struct cost_group *group, size_t i)
{
	return i < group->money.len ? &group->money.v[i] : NULL;
}

const char *group_without(const struct cost_group *group)
{
	return group->unpriced ? "no price" : "";
}

void warn_stale(const struct strmap *stale)
{
	for (size_t i = 0; i < stale->len; i++)
		cmd_warn("the price of '%s' is of %s, over 180 days before its use",
			 stale->entries[i].key, (const char *)stale->entries[i].value);
	if (stale->len)
		fputs("hint: 'mlp cost prices import' takes newer ones\n", stderr);
}
