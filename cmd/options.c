/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/options.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util/clock.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

struct found {
	const struct opt *opt;
	void *member;
	bool negated;
};

static const struct opt *find_in(const struct opt *table, const char *name)
{
	for (const struct opt *o = table; o && o->type != OPT_TYPE_END; o++)
		if (o->name && !strcmp(o->name, name))
			return o;
	return NULL;
}

static bool find_long(const struct opt_set *sets, size_t nsets, const char *name, size_t len,
		      struct found *found)
{
	_cleanup_free_ char *key = xmemdupz(name, len);

	for (int negated = 0; negated < 2; negated++) {
		const char *look = key;

		if (negated && strncmp(key, "no-", 3))
			return false;
		look += negated ? 3 : 0;
		for (size_t i = 0; i < nsets; i++) {
			const struct opt *o = find_in(sets[i].table, look);

			if (!o)
				continue;
			*found = (struct found){ o, (char *)sets[i].values + o->offset, negated };
			return true;
		}
	}
	return false;
}

static const struct opt *find_short_in(const struct opt *table, char c)
{
	for (const struct opt *o = table; o && o->type != OPT_TYPE_END; o++)
		if (o->short_name == c)
			return o;
	return NULL;
}

static bool find_short(const struct opt_set *sets, size_t nsets, char c, struct found *found)
{
	for (size_t i = 0; i < nsets; i++) {
		const struct opt *o = find_short_in(sets[i].table, c);

		if (!o)
			continue;
		*found = (struct found){ o, (char *)sets[i].values + o->offset, false };
		return true;
	}
	return false;
}

static void name_of(const struct found *f, char *out, size_t size)
{
	if (f->opt->name)
		snprintf(out, size, "--%s%s", f->negated ? "no-" : "", f->opt->name);
	else
		snprintf(out, size, "-%c", f->opt->short_name);
}

static int store(const struct found *f, const char *value, struct mlp_error *err)
{
	char name[64];

	name_of(f, name, sizeof(name));
	switch (f->opt->type) {
	case OPT_TYPE_INT:
		if (!text_parse_int(value, f->member))
			return mlp_error_set(err, MLP_EINVAL, "option '%s' needs a number, not '%s'",
					     name, value);
		return 0;
	case OPT_TYPE_DURATION:
		if (!clock_parse_duration(value, f->member))
			return mlp_error_set(err, MLP_EINVAL,
					     "option '%s' needs a duration such as 90s, 10m or 1.5h, "
					     "not '%s'", name, value);
		return 0;
	case OPT_TYPE_TIME:
		if (!clock_parse_time(value, clock_ms(), f->member))
			return mlp_error_set(err, MLP_EINVAL,
					     "option '%s' needs a time such as 2026-11-22, "
					     "2026-11-22T10:30 or 3d, not '%s'", name, value);
		return 0;
	case OPT_TYPE_LIST:
		strvec_push(f->member, value);
		return 0;
	default:
		*(const char **)f->member = value;
		return 0;
	}
}

/* Sets a flag, or undoes an option given as --no-x. */
static void set_plain(const struct found *f)
{
	switch (f->opt->type) {
	case OPT_TYPE_FLAG:
		*(bool *)f->member = !f->negated;
		break;
	case OPT_TYPE_INT:
	case OPT_TYPE_DURATION:
	case OPT_TYPE_TIME:
		*(int64_t *)f->member = 0;
		break;
	case OPT_TYPE_LIST:
		strvec_release(f->member);
		break;
	default:
		*(const char **)f->member = NULL;
	}
}

struct parser {
	const struct opt_set *sets;
	size_t nsets;
	char **argv;
	int argc;
	int i; /* the argument being read */
	struct mlp_error *err;
	const struct opt *before;
};

/* option: as it was typed. */
static int unknown(const struct parser *p, const char *option, bool goes_before)
{
	if (goes_before)
		return mlp_error_set(p->err, MLP_EINVAL, "option '%s' goes before the command",
				     option);
	return mlp_error_set(p->err, MLP_EINVAL, "unknown option '%s'", option);
}

static int unknown_long(const struct parser *p, const char *name, size_t len)
{
	_cleanup_free_ char *key = xmemdupz(name, len), *option = xasprintf("--%s", key);

	return unknown(p, option, find_in(p->before, key) != NULL);
}

static int unknown_short(const struct parser *p, char c)
{
	const char option[] = { '-', c, '\0' };

	return unknown(p, option, find_short_in(p->before, c) != NULL);
}

static int parse_long(struct parser *p)
{
	const char *name = p->argv[p->i] + 2, *eq = strchr(name, '=');
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	struct found f;

	if (!len || !find_long(p->sets, p->nsets, name, len, &f))
		return unknown_long(p, name, len);
	if (f.negated || f.opt->type == OPT_TYPE_FLAG) {
		if (eq)
			return mlp_error_set(p->err, MLP_EINVAL, "option '--%.*s' takes no value",
					     (int)len, name);
		set_plain(&f);
		return 0;
	}
	if (eq)
		return store(&f, eq + 1, p->err);
	if (p->i + 1 >= p->argc)
		return mlp_error_set(p->err, MLP_EINVAL, "option '--%s' needs a value", name);
	return store(&f, p->argv[++p->i], p->err);
}

static int parse_short(struct parser *p)
{
	for (const char *c = p->argv[p->i] + 1; *c; c++) {
		struct found f;

		if (!find_short(p->sets, p->nsets, *c, &f))
			return unknown_short(p, *c);
		if (f.opt->type == OPT_TYPE_FLAG) {
			set_plain(&f);
			continue;
		}
		if (c[1])
			return store(&f, c + 1, p->err);
		if (p->i + 1 >= p->argc)
			return mlp_error_set(p->err, MLP_EINVAL, "option '-%c' needs a value", *c);
		return store(&f, p->argv[++p->i], p->err);
	}
	return 0;
}

int opt_parse(const struct opt_set *sets, size_t nsets, struct opt_args *args,
	      struct mlp_error *err)
{
	struct parser p = { sets, nsets, args->argv, args->argc, 1, err, args->before };
	bool plain = false;
	int n = 0;

	args->dashdash = -1;
	for (; p.i < p.argc; p.i++) {
		char *arg = p.argv[p.i];
		int r;

		if (!plain && !strcmp(arg, "--")) {
			plain = true;
			args->dashdash = n;
			continue;
		}
		if (plain || arg[0] != '-' || !arg[1]) {
			p.argv[n++] = arg;
			plain |= args->stop_at_argument;
			continue;
		}
		r = arg[1] == '-' ? parse_long(&p) : parse_short(&p);
		if (r)
			return r;
	}
	p.argv[n] = NULL;
	args->argc = n;
	return 0;
}

void opt_release(const struct opt *table, void *values)
{
	for (const struct opt *o = table; o && o->type != OPT_TYPE_END; o++)
		if (o->type == OPT_TYPE_LIST)
			strvec_release((void *)((char *)values + o->offset));
}

void opt_print_help(const struct opt *table, FILE *f)
{
	enum { INDENT = 28 };

	for (const struct opt *o = table; o && o->type != OPT_TYPE_END; o++) {
		char head[128];
		int n;

		if (o->hidden)
			continue;
		n = snprintf(head, sizeof(head), "    %.0s", "");
		if (o->short_name)
			n += snprintf(head + n, sizeof(head) - (size_t)n, "-%c%s", o->short_name,
				      o->name ? ", " : "");
		if (o->name)
			n += snprintf(head + n, sizeof(head) - (size_t)n, "--%s", o->name);
		if (o->arg)
			n += snprintf(head + n, sizeof(head) - (size_t)n, " %s", o->arg);
		if (n >= INDENT)
			fprintf(f, "%s\n%*s%s\n", head, INDENT, "", o->help);
		else
			fprintf(f, "%-*s%s\n", INDENT, head, o->help);
	}
}
