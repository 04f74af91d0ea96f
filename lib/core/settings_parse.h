/* SPDX-License-Identifier: Apache-2.0 */
/* Reads git-config syntax one entry at a time; see git-config(1), SYNTAX. */
#ifndef CORE_SETTINGS_PARSE_H
#define CORE_SETTINGS_PARSE_H

#include <stdbool.h>

#include "lib/util/strbuf.h"

struct settings_parser {
	const char *text;
	size_t len, pos;
	int line;		/* being read, from 1 */
	const char *problem;	/* after an error */
	struct strbuf section;	/* "section." or "section.sub." */

	/* The entry read last. */
	struct strbuf key, value;
	int key_line;
	size_t entry_start, entry_end; /* whole lines in text */
};

/* text must stay valid while the parser is used. */
void settings_parser_init(struct settings_parser *p, const char *text, size_t len);
void settings_parser_release(struct settings_parser *p);
/* 1 with an entry, 0 at the end, -1 with problem and line set. */
int settings_parser_next(struct settings_parser *p);

#endif
