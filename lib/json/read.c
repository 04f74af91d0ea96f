/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/json/read.h"

#include <math.h>
#include <string.h>

#include "lib/json/number.h"
#include "lib/json/write.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

enum { DEPTH_MAX = 1000, BLOCK_MIN = 16, BLOCK_MAX = 4096 };

/* INTEGER: a number that a double has not exactly. */
enum type { NULL_VALUE, BOOL, NUMBER, INTEGER, STRING, ARRAY, OBJECT };

struct json {
	struct json *next;
	const char *name; /* in an object */
	union {
		const char *text;
		double number;
		int64_t integer;
		bool truth;
		struct json *first;
	};
	uint32_t count; /* of a container */
	enum type type;
};

/* Values come from blocks, strings stand in a copy of the text: a document takes few
 * allocations however many values it has. */
struct block {
	struct block *older;
	struct json values[];
};

struct document {
	struct json root; /* first: json_parse() gives it out */
	struct block *blocks;
	size_t used, size; /* values of the newest block */
	char text[];
};

struct parser {
	struct document *doc;
	char *start, *p, *end; /* of the copy, which ends in NUL */
	int depth;
};

static struct json *new_value(struct document *doc)
{
	struct block *block;

	if (doc->used == doc->size) {
		doc->size = MIN(MAX(doc->size * 2, (size_t)BLOCK_MIN), (size_t)BLOCK_MAX);
		block = xmalloc(sizeof(*block) + doc->size * sizeof(block->values[0]));
		block->older = doc->blocks;
		doc->blocks = block;
		doc->used = 0;
	}
	return &doc->blocks->values[doc->used++];
}

static void skip_space(struct parser *in)
{
	while (*in->p == ' ' || *in->p == '\n' || *in->p == '\r' || *in->p == '\t')
		in->p++;
}

/* Takes the character c after white space. */
static bool take(struct parser *in, char c)
{
	skip_space(in);
	if (*in->p != c)
		return false;
	in->p++;
	return true;
}

static bool read_hex(struct parser *in, unsigned *out)
{
	unsigned char bytes[2];

	if (in->end - in->p < 4 || !text_unhex(bytes, in->p, 2))
		return false;
	*out = (unsigned)bytes[0] << 8 | bytes[1];
	in->p += 4;
	return true;
}

static char *put_utf8(char *out, unsigned c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*out++ = (char)(0xe0 | c >> 12);
		} else {
			*out++ = (char)(0xf0 | c >> 18);
			*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

/* Behind "\u"; NULL for half a pair, and for NUL, at which our strings would end. */
static char *read_unicode(struct parser *in, char *out)
{
	unsigned c, low;

	if (!read_hex(in, &c) || !c || (c & 0xfc00) == 0xdc00)
		return NULL;
	if ((c & 0xfc00) != 0xd800)
		return put_utf8(out, c);
	if (in->p[0] != '\\' || in->p[1] != 'u')
		return NULL;
	in->p += 2;
	if (!read_hex(in, &low) || (low & 0xfc00) != 0xdc00)
		return NULL;
	return put_utf8(out, 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff)));
}

/* Behind a backslash. */
static char *read_escape(struct parser *in, char *out)
{
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *at = *in->p ? strchr(names, *in->p) : NULL;

	if (at) {
		in->p++;
		*out++ = meanings[at - names];
		return out;
	}
	if (*in->p != 'u')
		return NULL;
	in->p++;
	return read_unicode(in, out);
}

/* Decodes a string where it stands, which never makes it longer; NULL if it is none. */
static const char *read_string(struct parser *in)
{
	char *start, *out;

	if (!take(in, '"'))
		return NULL;
	start = out = in->p;
	for (;;) {
		unsigned char c = (unsigned char)*in->p;

		/* The NUL at the end included. */
		if (c < 0x20)
			return NULL;
		in->p++;
		if (c == '"')
			break;
		if (c != '\\')
			*out++ = (char)c;
		else if (!(out = read_escape(in, out)))
			return NULL;
	}
	*out = '\0';
	return start;
}

static bool read_word(struct parser *in, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(in->p, word, len))
		return false;
	in->p += len;
	return true;
}

/* NaN and infinities, which Python writes bare, are read as the texts that the protocol of
 * MLflow has for them. */
static bool read_special(struct parser *in, struct json *v)
{
	static const char *const words[] = { "NaN", "Infinity", "-Infinity" };

	v->type = STRING;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		v->text = words[i];
		if (read_word(in, words[i]))
			return true;
	}
	return false;
}

static bool read_value(struct parser *in, struct json *v);

static bool read_members(struct parser *in, struct json *container, char close)
{
	struct json **last = &container->first;

	do {
		struct json *v = new_value(in->doc);

		*v = (struct json){ .name = NULL };
		if (close == '}' && (!(v->name = read_string(in)) || !take(in, ':')))
			return false;
		if (!read_value(in, v))
			return false;
		*last = v;
		last = &v->next;
		container->count++;
	} while (take(in, ','));
	return take(in, close);
}

static bool read_container(struct parser *in, struct json *v, enum type type, char close)
{
	bool good;

	in->p++;
	v->type = type;
	if (take(in, close))
		return true;
	if (in->depth == DEPTH_MAX)
		return false;
	in->depth++;
	good = read_members(in, v, close);
	in->depth--;
	return good;
}

static bool read_number(struct parser *in, struct json *v)
{
	const char *p = in->p;
	int64_t integer;

	v->type = NUMBER;
	if (!json_scan_number(&p, in->end, &v->number))
		return read_special(in, v);
	if (fabs(v->number) >= 0x1p53 && fabs(v->number) <= 0x1p63) {
		_cleanup_free_ char *digits = xmemdupz(in->p, (size_t)(p - in->p));

		if (text_parse_int(digits, &integer)) {
			v->type = INTEGER;
			v->integer = integer;
		}
	}
	in->p += p - in->p;
	return true;
}

/* What v keeps but for its name. */
static bool read_value(struct parser *in, struct json *v)
{
	skip_space(in);
	switch (*in->p) {
	case '{':
		return read_container(in, v, OBJECT, '}');
	case '[':
		return read_container(in, v, ARRAY, ']');
	case '"':
		v->type = STRING;
		v->text = read_string(in);
		return v->text;
	case 't':
	case 'f':
		v->type = BOOL;
		v->truth = *in->p == 't';
		return read_word(in, v->truth ? "true" : "false");
	case 'n':
		v->type = NULL_VALUE;
		return read_word(in, "null");
	default:
		return read_number(in, v);
	}
}

size_t json_cost(const char *text, size_t len)
{
	size_t values = 1;

	/* In strings, too: which these are is known only when all is read. */
	for (size_t i = 0; i < len; i++)
		values += text[i] == ',' || text[i] == '[' || text[i] == '{';
	return sizeof(struct document) + len + values * sizeof(struct json);
}

struct json *json_parse(const char *text, size_t len, struct mlp_error *err)
{
	struct document *doc = xmalloc(sizeof(*doc) + len + 1);
	struct parser in = { .doc = doc, .start = doc->text, .p = doc->text,
			     .end = doc->text + len };

	*doc = (struct document){ .blocks = NULL };
	memcpy(doc->text, text, len);
	doc->text[len] = '\0';
	read_word(&in, "\xef\xbb\xbf"); /* a byte order mark */
	if (read_value(&in, &doc->root)) {
		skip_space(&in);
		if (in.p == in.end)
			return &doc->root;
	}
	mlp_error_set(err, MLP_EINVAL, "malformed JSON at byte %zu", (size_t)(in.p - in.start));
	json_free(&doc->root);
	return NULL;
}

void json_free(struct json *root)
{
	struct document *doc = (struct document *)root;

	while (doc && doc->blocks) {
		struct block *block = doc->blocks;

		doc->blocks = block->older;
		free(block);
	}
	free(doc);
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!json_is_object(object))
		return NULL;
	for (const struct json *v = object->first; v; v = v->next)
		if (!strcmp(v->name, key))
			return v;
	return NULL;
}

static bool is(const struct json *v, enum type type)
{
	return v && v->type == type;
}

bool json_is_object(const struct json *v)
{
	return is(v, OBJECT);
}

bool json_is_array(const struct json *v)
{
	return is(v, ARRAY);
}

bool json_is_null(const struct json *v)
{
	return is(v, NULL_VALUE);
}

static void print(const struct json *v, struct json_writer *w)
{
	switch (v->type) {
	case NULL_VALUE:
		json_null(w);
		return;
	case BOOL:
		json_bool(w, v->truth);
		return;
	case NUMBER:
		json_double(w, v->number);
		return;
	case INTEGER:
		json_int(w, v->integer);
		return;
	case STRING:
		json_string(w, v->text);
		return;
	default:
		break;
	}
	json_open(w, v->type == OBJECT ? '{' : '[');
	for (const struct json *m = v->first; m; m = m->next) {
		if (v->type == OBJECT)
			json_key(w, m->name);
		print(m, w);
	}
	json_close(w, v->type == OBJECT ? '}' : ']');
}

void json_print(const struct json *v, struct strbuf *out)
{
	struct json_writer w = { .out = out };

	if (v)
		print(v, &w);
	else
		json_null(&w);
}

const struct json *json_next(const struct json *container, const struct json *after)
{
	if (after)
		return after->next;
	return json_count(container) ? container->first : NULL;
}

const char *json_name(const struct json *v)
{
	return v ? v->name : NULL;
}

size_t json_count(const struct json *container)
{
	return json_is_object(container) || json_is_array(container) ? container->count : 0;
}

const char *json_text(const struct json *v)
{
	return is(v, STRING) ? v->text : NULL;
}

int64_t json_integer(const struct json *v, int64_t def)
{
	double d = json_number(v, NAN);

	if (is(v, INTEGER))
		return v->integer;
	/* The greatest doubles below 2^63 in size; others have no integer. */
	return d >= -0x1p63 && d < 0x1p63 ? (int64_t)d : def;
}

double json_number(const struct json *v, double def)
{
	return is(v, NUMBER) ? v->number : is(v, INTEGER) ? (double)v->integer : def;
}

bool json_truth(const struct json *v, bool def)
{
	return is(v, BOOL) ? v->truth : def;
}

char *json_as_text(const struct json *v)
{
	struct strbuf sb = STRBUF_INIT;

	if (!v || json_is_null(v) || json_is_object(v) || json_is_array(v))
		return NULL;
	if (json_text(v))
		return xstrdup(json_text(v));
	json_print(v, &sb);
	return strbuf_detach(&sb);
}
