/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/core/settings_parse.h"

#include <ctype.h>
#include <string.h>

void settings_parser_init(struct settings_parser *p, const char *text, size_t len)
{
	*p = (struct settings_parser){ .text = text, .len = len, .line = 1 };
	strbuf_init(&p->section);
	strbuf_init(&p->key);
	strbuf_init(&p->value);
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		p->pos = 3;
}

void settings_parser_release(struct settings_parser *p)
{
	strbuf_release(&p->section);
	strbuf_release(&p->key);
	strbuf_release(&p->value);
}

/* The next character with CR LF read as LF, -1 at the end. */
static int peek(const struct settings_parser *p)
{
	if (p->pos >= p->len)
		return -1;
	if (p->text[p->pos] == '\r' && p->pos + 1 < p->len && p->text[p->pos + 1] == '\n')
		return '\n';
	return (unsigned char)p->text[p->pos];
}

static int take(struct settings_parser *p)
{
	int c = peek(p);

	if (c < 0)
		return c;
	p->pos += 1 + (c == '\n' && p->text[p->pos] == '\r');
	if (c == '\n')
		p->line++;
	return c;
}

static int fail(struct settings_parser *p, const char *problem)
{
	p->problem = problem;
	return -1;
}

static void skip_blanks(struct settings_parser *p)
{
	while (peek(p) == ' ' || peek(p) == '\t')
		take(p);
}

static void skip_line(struct settings_parser *p)
{
	int c;

	while ((c = peek(p)) >= 0 && c != '\n')
		take(p);
}

static int read_subsection(struct settings_parser *p)
{
	int c;

	skip_blanks(p);
	if (take(p) != '"')
		return fail(p, "a subsection needs quotes");
	for (;;) {
		c = take(p);
		if (c == '\\')
			c = take(p);
		else if (c == '"')
			break;
		if (c < 0 || c == '\n' || !c)
			return fail(p, "unfinished subsection");
		strbuf_addch(&p->section, c);
	}
	strbuf_addch(&p->section, '.');
	return take(p) == ']' ? 0 : fail(p, "a section ends with ']'");
}

static int read_section(struct settings_parser *p)
{
	int c;

	take(p); /* [ */
	strbuf_clear(&p->section);
	for (;;) {
		c = take(p);
		if (c == ']')
			break;
		if (!p->section.len && !isalnum(c) && c != '-')
			return fail(p, "bad section name");
		if (c == ' ' || c == '\t') {
			strbuf_addch(&p->section, '.');
			return read_subsection(p);
		}
		if (c < 0 || (!isalnum(c) && c != '-' && c != '.'))
			return fail(p, "bad section name");
		strbuf_addch(&p->section, tolower(c));
	}
	if (!p->section.len)
		return fail(p, "empty section name");
	strbuf_addch(&p->section, '.');
	return 0;
}

static int read_escape(struct settings_parser *p)
{
	int c = take(p);

	switch (c) {
	case '\n':
		return 0;
	case 'n':
		strbuf_addch(&p->value, '\n');
		return 0;
	case 't':
		strbuf_addch(&p->value, '\t');
		return 0;
	case 'b':
		strbuf_addch(&p->value, '\b');
		return 0;
	case '"':
	case '\\':
		strbuf_addch(&p->value, c);
		return 0;
	default:
		return fail(p, "unknown escape in a value");
	}
}

static int read_value(struct settings_parser *p)
{
	bool quoted = false;
	size_t keep = 0; /* blanks up to here were quoted or stand before text */

	skip_blanks(p);
	for (;;) {
		int c = peek(p);

		if (c == '\n' || c < 0) {
			if (quoted)
				return fail(p, "unfinished quote");
			break;
		}
		if (!quoted && (c == '#' || c == ';')) {
			skip_line(p);
			break;
		}
		take(p);
		if (!c)
			return fail(p, "NUL byte in a value");
		if (c == '"') {
			quoted = !quoted;
			keep = p->value.len;
			continue;
		}
		if (c == '\\') {
			if (read_escape(p))
				return -1;
			keep = p->value.len;
			continue;
		}
		strbuf_addch(&p->value, c);
		if (quoted || (c != ' ' && c != '\t'))
			keep = p->value.len;
	}
	strbuf_setlen(&p->value, keep);
	return 0;
}

static int read_entry(struct settings_parser *p)
{
	int c;

	if (!p->section.len)
		return fail(p, "a setting before any section");
	strbuf_clear(&p->key);
	strbuf_clear(&p->value);
	strbuf_add(&p->key, p->section.buf, p->section.len);
	p->key_line = p->line;
	while ((c = peek(p)) >= 0 && (isalnum(c) || c == '-'))
		strbuf_addch(&p->key, tolower(take(p)));
	skip_blanks(p);
	c = peek(p);
	if (c == '=') {
		take(p);
		if (read_value(p))
			return -1;
	} else if (c == '\n' || c < 0 || c == '#' || c == ';') {
		skip_line(p);
		strbuf_addstr(&p->value, "true");
	} else {
		return fail(p, "bad setting name");
	}
	if (peek(p) == '\n')
		take(p);
	p->entry_end = p->pos;
	return 1;
}

int settings_parser_next(struct settings_parser *p)
{
	size_t line_start = p->pos;

	for (;;) {
		int c = peek(p);

		if (c < 0)
			return 0;
		if (c == '\n') {
			take(p);
			line_start = p->pos;
		} else if (isspace(c)) {
			take(p);
		} else if (c == '#' || c == ';') {
			skip_line(p);
		} else if (c == '[') {
			if (read_section(p))
				return -1;
			line_start = p->pos;
		} else if (isalpha(c)) {
			p->entry_start = line_start;
			return read_entry(p);
		} else {
			return fail(p, "bad line");
		}
	}
}
