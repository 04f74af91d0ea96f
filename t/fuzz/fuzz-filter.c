/* SPDX-License-Identifier: Apache-2.0 */
/* Filters: whatever the parser accepts, SQLite must take, and NOT must turn round. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/track/schema.h"
#include "lib/track/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct db *open_store(void)
{
	static struct db *db;
	char path[] = ":memory:";
	struct repo repo = { .db_path = path };
	int64_t id;

	if (db)
		return db;
	if (track_open(&db, &repo, DB_CREATE, NULL) ||
	    run_create(db, &(struct run_new){ .name = "a", .user = "u" }, &id, NULL, NULL))
		abort();
	param_set(db, id, "p", "1e3", NULL);
	return db;
}

static int64_t count(struct db *db, const char *text, size_t size)
{
	struct filter_options options = { FIELD_OF_RUNS, 1 };
	_cleanup_(filter_free) struct filter *filter = NULL;
	struct mlp_error err = MLP_ERROR_INIT;
	int64_t n = 0;

	if (filter_parse(&filter, text, size, &options, &err)) {
		if (!*err.text)
			abort();
		return -1;
	}
	if (run_search_count(db, &(struct run_search){ .filter = filter }, 10, &n, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct db *db = open_store();
	int64_t n = count(db, (const char *)data, size), other;
	_release_(strbuf_release) struct strbuf inverse = STRBUF_INIT;

	strbuf_addstr(&inverse, "not (");
	strbuf_add(&inverse, data, size);
	strbuf_addch(&inverse, ')');
	other = count(db, inverse.buf, inverse.len);
	if (n >= 0 && other >= 0 && n + other != 1)
		abort();
	return 0;
}
