/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/core/event.h"

#include <stdarg.h>
#include <string.h>

#include "lib/util/strbuf.h"
#include "lib/util/text.h"

PRINTF(3, 0)
static void say(const struct mlp_events *events, enum mlp_event_type type, const char *fmt,
		va_list ap)
{
	_release_(strbuf_release) struct strbuf raw = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct mlp_event event = { .type = type };

	if (!events || !events->fn)
		return;
	strbuf_vaddf(&raw, fmt, ap);
	text_add_printable(&text, raw.buf, raw.len);
	event.text = text.buf;
	events->fn(events->data, &event);
}

void mlp_warn(const struct mlp_events *events, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(events, MLP_EVENT_WARNING, fmt, ap);
	va_end(ap);
}

void mlp_note(const struct mlp_events *events, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(events, MLP_EVENT_NOTE, fmt, ap);
	va_end(ap);
}

void mlp_progress(const struct mlp_events *events, const char *what, int64_t done, int64_t total)
{
	struct mlp_event event = { MLP_EVENT_PROGRESS, what, done, total };

	if (events && events->fn)
		events->fn(events->data, &event);
}
