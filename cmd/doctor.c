/* SPDX-License-Identifier: Apache-2.0 */
/* mlp doctor: what is installed and what that gives, what GPUs are seen, and whether the
 * store is sound. */
#include "config.h"

#include <stdarg.h>

#include "cmd/doctor/doctor.h"

static const struct opt opts_table[] = {
	OPT_FLAG(0, "deep", struct doctor_opts, deep, "read and hash every stored object"),
	OPT_END
};

void doctor_say(struct doctor *d, const char *what, enum finding finding, const char *fmt, ...)
{
	static const struct {
		const char *name;
		enum color color;
	} states[] = {
		[FINDING_OK] = { "ok", COLOR_GREEN },
		[FINDING_ABSENT] = { "absent", COLOR_DIM },
		[FINDING_WARNING] = { "warning", COLOR_YELLOW },
		[FINDING_WRONG] = { "wrong", COLOR_RED },
	};
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct printer *p = &d->ctx->out;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	d->wrong |= finding == FINDING_WRONG;
	print_string(p, what);
	print_color(p, states[finding].color);
	print_string(p, states[finding].name);
	print_string(p, text.buf);
	print_end_row(p);
}

/* Settings that cannot be read stop every other command. */
static void check_settings(struct doctor *d)
{
	const struct mlp_error *err = &d->ctx->err;
	_cleanup_free_ char *system = repo_system_settings_path();

	if (err->code)
		doctor_say(d, "config", FINDING_WRONG, "%s", err->text);
	else
		doctor_say(d, "config", FINDING_OK, "%zu set; the machine's are in '%s'",
			   d->ctx->repo.settings.len, system);
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	static const struct column cols[] = { { "check", "CHECK" }, { "state", "STATE" },
					      { "detail", "DETAIL" } };
	struct doctor d = { .ctx = ctx, .opts = opts };

	(void)argc;
	(void)argv;
	print_begin(&ctx->out, cols, ARRAY_SIZE(cols));
	doctor_say(&d, "mlp", FINDING_OK, PACKAGE_VERSION);
	check_settings(&d);
	doctor_machine(&d);
	doctor_store(&d);
	print_end(&ctx->out);
	return d.wrong ? EXIT_NO : 0;
}

const struct mlp_cmd cmd_doctor = {
	.name = "doctor",
	.group = "help",
	.summary = "check this machine and the project's store",
	.usage = "[--deep]",
	.opts = opts_table,
	.opts_size = sizeof(struct doctor_opts),
	.needs = HAS_OUTPUT | CHECKS_SETTINGS,
	.run = run,
};
