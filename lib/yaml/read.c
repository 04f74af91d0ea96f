/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/yaml/read.h"

#include <string.h>

#include "lib/util/text.h"
#include "lib/util/vec.h"
#include "lib/yaml/load.h"

enum { DEPTH_MAX = 64 };
enum kind { KIND_NULL, KIND_SCALAR, KIND_LIST, KIND_MAP };

struct yaml {
	enum kind kind;
	char *text;	     /* of a scalar */
	struct strvec keys;  /* of a mapping */
	VEC(struct yaml *) values;
};

struct reader {
	const struct yaml_functions *lib;
	yaml_parser_t parser;
};

void yaml_free(struct yaml *doc)
{
	if (!doc)
		return;
	for (size_t i = 0; i < doc->values.len; i++)
		yaml_free(doc->values.v[i]);
	vec_free(&doc->values);
	strvec_release(&doc->keys);
	free(doc->text);
	free(doc);
}

static int bad(const yaml_mark_t *at, const char *why, struct mlp_error *err)
{
	return mlp_error_set(err, MLP_EINVAL, "line %zu: %s", at->line + 1, why);
}

static int next_event(struct reader *reader, yaml_event_t *event, struct mlp_error *err)
{
	const char *problem;

	if (reader->lib->parser_parse(&reader->parser, event))
		return 0;
	problem = reader->parser.problem;
	return bad(&reader->parser.problem_mark, problem ? problem : "not YAML", err);
}

/* Unquoted words that stand for nothing. */
static bool is_null(const yaml_event_t *event)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };
	const char *text = (const char *)event->data.scalar.value;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp(text, words[i]))
			return true;
	return false;
}

static int read_node(struct reader *reader, yaml_event_t *event, int depth, struct yaml **out,
		     struct mlp_error *err);

/* 1 with an item, 0 at the end of the list or mapping. */
static int read_item(struct reader *reader, struct yaml *into, int depth, struct mlp_error *err)
{
	struct yaml *value = NULL;
	yaml_event_t event;
	int r = next_event(reader, &event, err);

	if (r)
		return r;
	if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
		reader->lib->event_delete(&event);
		return 0;
	}
	if (into->kind == KIND_MAP) {
		if (event.type != YAML_SCALAR_EVENT)
			r = bad(&event.start_mark, "a key that is no word", err);
		else
			strvec_push(&into->keys, (const char *)event.data.scalar.value);
		reader->lib->event_delete(&event);
		if (!r)
			r = next_event(reader, &event, err);
		if (r)
			return r;
	}
	r = read_node(reader, &event, depth, &value, err);
	if (r)
		return r;
	vec_push(&into->values, value);
	return 1;
}

static int read_items(struct reader *reader, struct yaml *into, int depth, struct mlp_error *err)
{
	int r = 1;

	while (r > 0)
		r = read_item(reader, into, depth, err);
	return r;
}

/* Takes the event over. */
static int read_node(struct reader *reader, yaml_event_t *event, int depth, struct yaml **out,
		     struct mlp_error *err)
{
	_cleanup_(yaml_free) struct yaml *node = xcalloc(1, sizeof(*node));
	yaml_event_type_t type = event->type;
	yaml_mark_t at = event->start_mark;
	int r = 0;

	if (type == YAML_SCALAR_EVENT && !is_null(event)) {
		node->kind = KIND_SCALAR;
		node->text = xstrdup((const char *)event->data.scalar.value);
	}
	reader->lib->event_delete(event);
	if (type == YAML_ALIAS_EVENT)
		return bad(&at, "an alias, which is not read here", err);
	if (type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT) {
		node->kind = type == YAML_MAPPING_START_EVENT ? KIND_MAP : KIND_LIST;
		r = depth == DEPTH_MAX ? bad(&at, "too many levels", err) :
					 read_items(reader, node, depth + 1, err);
	}
	if (!r)
		*out = steal_ptr(&node);
	return r;
}

/* Up to the end of the stream; a second document is refused. */
static int read_stream(struct reader *reader, struct yaml **out, struct mlp_error *err)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	int r = 0;

	while (!r && type != YAML_STREAM_END_EVENT) {
		yaml_event_t event;

		r = next_event(reader, &event, err);
		if (r)
			return r;
		type = event.type;
		if (type == YAML_STREAM_START_EVENT || type == YAML_STREAM_END_EVENT ||
		    type == YAML_DOCUMENT_START_EVENT || type == YAML_DOCUMENT_END_EVENT) {
			reader->lib->event_delete(&event);
		} else if (*out) {
			r = bad(&event.start_mark, "a second document", err);
			reader->lib->event_delete(&event);
		} else {
			r = read_node(reader, &event, 0, out, err);
		}
	}
	return r;
}

int yaml_read(struct yaml **out, const char *text, size_t len, struct mlp_error *err)
{
	_cleanup_(yaml_free) struct yaml *doc = NULL;
	struct reader reader = { .lib = yaml_load(err) };
	int r;

	if (!reader.lib)
		return MLP_EUNSUPPORTED;
	if (!reader.lib->parser_initialize(&reader.parser))
		return mlp_error_set(err, MLP_EFAIL, "cannot start reading YAML");
	reader.lib->parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	r = read_stream(&reader, &doc, err);
	reader.lib->parser_delete(&reader.parser);
	if (r)
		return r;
	*out = doc ? steal_ptr(&doc) : xcalloc(1, sizeof(*doc));
	return 0;
}

const struct yaml *yaml_member(const struct yaml *node, const char *key)
{
	for (size_t i = node && node->kind == KIND_MAP ? node->keys.len : 0; i-- > 0;)
		if (!strcmp(node->keys.v[i], key))
			return node->values.v[i];
	return NULL;
}

size_t yaml_size(const struct yaml *node)
{
	return node ? node->values.len : 0;
}

const char *yaml_key(const struct yaml *node, size_t i)
{
	return node->kind == KIND_MAP ? node->keys.v[i] : NULL;
}

const struct yaml *yaml_value(const struct yaml *node, size_t i)
{
	return node->values.v[i];
}

const char *yaml_text(const struct yaml *node)
{
	return node && node->kind == KIND_SCALAR ? node->text : NULL;
}

int64_t yaml_int(const struct yaml *node, int64_t otherwise)
{
	const char *text = yaml_text(node);
	int64_t v;

	return text && text_parse_int(text, &v) ? v : otherwise;
}
