/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "lib/yaml/read.h"
#include "t/unit/tap.h"

static struct yaml *read_text(const char *text)
{
	struct yaml *doc = NULL;

	yaml_read(&doc, text, strlen(text), NULL);
	return doc;
}

static void test_values(void)
{
	_cleanup_(yaml_free) struct yaml *doc =
		read_text("id: '0'\nn: -12\nnone: null\ntilde: ~\nempty:\nquoted: 'null'\nblank: ''\n"
			  "long: \"two\n  lines\"\ntags: {a: 1, b: [x, y]}\nid: last\n");
	const struct yaml *tags = yaml_member(doc, "tags");

	is_str(yaml_text(yaml_member(doc, "id")), "last", "the last of two keys counts");
	is_int(yaml_int(yaml_member(doc, "n"), 0), -12, "a number");
	is_int(yaml_int(yaml_member(doc, "long"), 7), 7, "what is no number");
	ok(!yaml_text(yaml_member(doc, "none")), "null");
	ok(!yaml_text(yaml_member(doc, "tilde")), "~");
	ok(!yaml_text(yaml_member(doc, "empty")), "nothing");
	is_str(yaml_text(yaml_member(doc, "quoted")), "null", "a quoted null is a word");
	is_str(yaml_text(yaml_member(doc, "blank")), "", "a quoted nothing is one, too");
	is_str(yaml_text(yaml_member(doc, "long")), "two lines", "folded lines");
	is_int((int64_t)yaml_size(tags), 2, "members of a mapping");
	is_str(yaml_key(tags, 1), "b", "in their order");
	is_int((int64_t)yaml_size(yaml_value(tags, 1)), 2, "items of a list");
	ok(!yaml_key(yaml_value(tags, 1), 0), "which have no keys");
	ok(!yaml_text(tags) && !yaml_member(doc, "absent") && !yaml_text(NULL), "what is not there");
}

static void is_refused(const char *text, size_t len, const char *message)
{
	_cleanup_(yaml_free) struct yaml *doc = NULL;
	struct mlp_error err = MLP_ERROR_INIT;

	is_int(yaml_read(&doc, text, len, &err), MLP_EINVAL, "refused: %s", message);
	is_str(err.text, message, "and why");
}

static void test_refused(void)
{
	char deep[200];

	memset(deep, '[', sizeof(deep));
	is_refused("a: &x 1\nb: *x\n", 14, "line 2: an alias, which is not read here");
	is_refused("a: 1\n---\nb: 2\n", 14, "line 3: a second document");
	is_refused(deep, sizeof(deep), "line 1: too many levels");
	is_refused("{a: 1", 5, "line 2: did not find expected ',' or '}'");
	is_refused("? [a]\n: b\n", 10, "line 1: a key that is no word");
}

int main(void)
{
	_cleanup_(yaml_free) struct yaml *nothing = NULL;
	struct mlp_error err = MLP_ERROR_INIT;

	plan_lazy();
	if (yaml_read(&nothing, "", 0, &err) == MLP_EUNSUPPORTED) {
		skip(1, err.text);
		return done_testing();
	}
	ok(nothing && !yaml_size(nothing), "an empty text");
	test_values();
	test_refused();
	return done_testing();
}
