/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter or a sort key may name: "metrics.auc", "params.`batch size`", "tags.team",
 * "attributes.status" or plain "status", "dataset.name"; and how each reads in SQL that
 * has the alias r for the row searched.
 */
#ifndef TRACK_FIELD_H
#define TRACK_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/core/error.h"
#include "lib/track/query.h"

/* The kind of thing searched; one table of names each. */
enum field_target {
	FIELD_OF_RUNS,
	FIELD_OF_EXPERIMENTS,
	FIELD_OF_MODELS,   /* registered ones */
	FIELD_OF_VERSIONS, /* of them */
	FIELD_OF_LOGGED_MODELS,
	FIELD_TARGETS
};

/* The tag by which MLflow keeps prompts among the registered models; for filters a model
 * without it has it with the value "false". */
#define REGISTRY_PROMPT_TAG "mlflow.prompt.is_prompt"

enum field_kind { FIELD_ATTRIBUTE, FIELD_METRIC, FIELD_PARAM, FIELD_TAG, FIELD_DATASET };

enum field_type {
	FIELD_TEXT,
	FIELD_NUMBER,
	FIELD_ANY,	/* text that may hold a number */
	FIELD_TIME,	/* ms since 1970 */
	FIELD_DURATION, /* ms */
	FIELD_STATUS,
};

/* One name; static. */
struct field_spec {
	const char *names[5]; /* unused with keys */
	enum field_type type;
	bool nullable; /* value may be NULL */
	const char *from;  /* rows of the value for one r, '?' for the key; NULL: none needed */
	const char *value; /* SQL expression */
	const char *number; /* FIELD_STATUS: the stored form */
};

struct field {
	const struct field_spec *spec;
	enum field_kind kind;
	char *key; /* of a metric, param or tag; else NULL */
};
#define FIELD_INIT { 0 }
void field_release(struct field *field);

/* Reads a name whose quotes are already gone: "entity.key" or "attribute".  On error
 * MLP_EINVAL with a message such as "unknown attribute 'x'". */
int field_parse(struct field *out, enum field_target target, const char *name,
		struct mlp_error *err);
/* The value as a scalar, NULL where absent; for ORDER BY.  Of a parameter or tag,
 * numbers come as such unless as_text. */
void field_add_value(const struct field *field, bool as_text, struct query *q);

#endif
