/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "lib/registry/version.h"
#include "lib/track/schema.h"
#include "t/unit/tap.h"

static struct mlp_error err;

static char *repeat(char c, size_t n)
{
	char *s = xmalloc(n + 1);

	memset(s, c, n);
	s[n] = '\0';
	return s;
}

static int64_t add_version(struct db *db, const char *name)
{
	int64_t version = 0;

	if (model_version_create(db, &(struct model_version_new){ .name = name, .source = "s3://b/x",
								  .run = "r", .user = "u" },
				 &version, &err))
		diag(err.text);
	return version;
}

static void test_names(struct db *db)
{
	static const char *const bad[] = { "", " \t", "a/b", "a:b", ".", "..", "\xff" };
	static const char *const good[] = { "a", "with space", "\xc3\xa9\xe4\xb8\xad", "...", "a.b-c_d" };
	_cleanup_free_ char *longest = repeat('n', REGISTRY_NAME_MAX);
	_cleanup_free_ char *longer = repeat('n', REGISTRY_NAME_MAX + 1);
	_release_(registered_model_release) struct registered_model m = REGISTERED_MODEL_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		is_int(registered_model_create(db, bad[i], NULL, &err), MLP_EINVAL, "no name: '%s'",
		       bad[i]);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		is_int(registered_model_create(db, good[i], NULL, &err), 0, "a name: '%s'", good[i]);
	is_int(registered_model_create(db, longest, NULL, &err), 0, "the longest name");
	is_int(registered_model_create(db, longer, NULL, &err), MLP_EINVAL, "a longer one");
	is_int(registered_model_create(db, "a", NULL, &err), MLP_EEXIST, "a name is taken once");
	is_str(err.text, "Registered Model (name=a) already exists.", "in MLflow's words");
	is_int(registered_model_get(db, "absent", &m, &err), MLP_ENOTFOUND, "no such model");
	is_int(registered_model_rename(db, "a", "with space", &err), MLP_EEXIST, "to a taken name");
	is_int(registered_model_rename(db, "a", "x/y", &err), MLP_EINVAL, "to a bad name");
	is_int(registered_model_rename(db, "absent", "y", &err), MLP_ENOTFOUND, "of no model");
	is_int(registered_model_rename(db, "a", "a", &err), 0, "to its own name");
	is_int(registered_model_delete(db, "absent", &err), MLP_ENOTFOUND, "deletion of no model");
}

static void test_versions(struct db *db)
{
	_release_(model_version_release) struct model_version v = MODEL_VERSION_INIT;
	int64_t version;

	is_int(model_version_create(db, &(struct model_version_new){ .name = "absent", .source = "s" },
				    &version, &err), MLP_ENOTFOUND, "a version of no model");
	is_int(add_version(db, "a"), 1, "the first version");
	is_int(add_version(db, "a"), 2, "the second");
	is_int(add_version(db, "with space"), 1, "each model counts for itself");
	is_int(model_version_delete(db, "a", 2, &err), 0, "the last version is deleted");
	is_int(model_version_delete(db, "a", 2, &err), MLP_ENOTFOUND, "once");
	is_int(model_version_get(db, "a", 2, &v, &err), MLP_ENOTFOUND, "it is gone");
	is_str(err.text, "Model Version (name=a, version=2) not found", "in MLflow's words");
	is_int(add_version(db, "a"), 3, "its number is not given again");
	is_int(db_get_int(db, &version, &err,
			  "SELECT count(*) FROM model_version WHERE name = 'a' AND version = 2 AND"
			  " coalesce(source, run_uuid, user, description, storage_location) IS NULL", ""),
	       0, "what it was made of");
	is_int(version, 1, "is forgotten");
	is_int(model_version_describe(db, "a", 2, "x", &err), MLP_ENOTFOUND, "no description of it");
	is_int(model_version_describe(db, "a", 3, "x", &err), 0, "one of another");
	is_int(model_version_get(db, "a", 3, &v, &err), 0, "which is there");
	is_str(v.description, "x", "as given");
	is_str(v.stage, MODEL_STAGE_NONE, "in no stage");
}

static void test_aliases(struct db *db)
{
	static const char *const bad[] = { "latest", "LaTeST", "v1", "V27", "a b", "a.b", "\xff" };
	static const char *const good[] = { "v", "v1a", "best-1", "_", "\xc3\xa9" };
	_release_(key_values_release) struct key_values names = { 0 };
	_cleanup_free_ char *longer = repeat('n', REGISTRY_ALIAS_MAX + 1);
	int64_t version = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		is_int(model_alias_set(db, "a", bad[i], 1, &err), MLP_EINVAL, "no alias: '%s'", bad[i]);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		is_int(model_alias_set(db, "a", good[i], 1, &err), 0, "an alias: '%s'", good[i]);
	is_int(model_alias_set(db, "a", longer, 1, &err), MLP_EINVAL, "one that is too long");
	is_int(model_alias_set(db, "a", "best", 2, &err), MLP_ENOTFOUND, "one of a deleted version");
	is_int(model_alias_set(db, "a", "best", 1, &err), 0, "one of a version");
	is_int(model_alias_set(db, "a", "best", 3, &err), 0, "moves to another");
	is_int(model_alias_resolve(db, "a", "best", &version, &err), 0, "and is found");
	is_int(version, 3, "there");
	is_int(model_aliases_get(db, "a", 3, &names, &err), 0, "the aliases of a version");
	ok(names.len == 1 && !strcmp(names.v[0].key, "best"), "are its own");
	is_int(model_alias_resolve(db, "a", "Latest", &version, &err), 0, "'latest' is the last");
	is_int(version, 3, "version");
	is_int(model_alias_resolve(db, "a", "none", &version, &err), MLP_EINVAL, "no such alias");
	is_int(model_alias_resolve(db, "...", "latest", &version, &err), MLP_ENOTFOUND,
	       "no latest of no version");
	is_int(model_alias_unset(db, "a", "none", &err), 0, "an absent alias may be removed");
	is_int(model_version_delete(db, "a", 3, &err), 0, "a version is deleted");
	is_int(model_alias_resolve(db, "a", "best", &version, &err), MLP_EINVAL, "with its aliases");
}

/* Versions 4, 5 and 6 of "a" in the stages named. */
static bool in_stages(struct db *db, const char *four, const char *five, const char *six)
{
	const char *const stages[] = { four, five, six };
	bool good = true;

	for (int i = 0; i < 3; i++) {
		_release_(model_version_release) struct model_version v = MODEL_VERSION_INIT;

		good = good && !model_version_get(db, "a", 4 + i, &v, &err) &&
		       !strcmp(v.stage, stages[i]);
	}
	return good;
}

static void test_stages(struct db *db)
{
	_release_(model_versions_release) struct model_versions latest = VEC_INIT;
	_release_(strvec_release) struct strvec stages = STRVEC_INIT;

	for (int i = 0; i < 3; i++)
		add_version(db, "a");
	is_str(model_stage_parse("production"), "Production", "stages in any case");
	ok(!model_stage_parse("Deleted_Internal") && !model_stage_parse("x"), "and no others");
	is_int(model_version_move(db, "a", 2, "Staging", false, &err), MLP_ENOTFOUND,
	       "a deleted version stays deleted");
	is_int(model_version_move(db, "a", 4, "Staging", false, &err), 0, "to a stage");
	is_int(model_version_move(db, "a", 5, "Staging", false, &err), 0, "another beside it");
	ok(in_stages(db, "Staging", "Staging", "None"), "both are there");
	is_int(model_version_move(db, "a", 6, "Staging", true, &err), 0, "a third in their place");
	ok(in_stages(db, "Archived", "Archived", "Staging"), "archives them");
	is_int(model_version_move(db, "a", 6, "Staging", true, &err), 0, "once more");
	ok(in_stages(db, "Archived", "Archived", "Staging"), "does not archive itself");
	is_int(model_versions_latest(db, "a", &stages, &latest, &err), 0, "the latest of each stage");
	ok(latest.len == 3 && latest.v[0].version == 1 && latest.v[1].version == 5 &&
		   latest.v[2].version == 6, "the greatest numbers of those not deleted");
	model_versions_release(&latest);
	strvec_push(&stages, "Staging");
	is_int(model_versions_latest(db, "a", &stages, &latest, &err), 0, "of one stage");
	ok(latest.len == 1 && latest.v[0].version == 6, "one");
	is_int(model_versions_latest(db, "absent", &stages, &latest, &err), MLP_ENOTFOUND,
	       "of no model");
}

static void test_tags(struct db *db)
{
	_cleanup_free_ char *longest = repeat('k', RUN_KEY_MAX);
	_cleanup_free_ char *longer = repeat('k', RUN_KEY_MAX + 1);
	_cleanup_free_ char *value = repeat('v', REGISTRY_VALUE_MAX);
	_cleanup_free_ char *large = repeat('v', REGISTRY_VALUE_MAX + 1);
	_release_(key_values_release) struct key_values tags = { 0 };
	char key[] = "k", one[] = "1";
	const struct key_value tag = { key, one };

	is_int(registered_model_tag_set(db, "a", longest, value, &err), 0, "the longest tag");
	is_int(registered_model_tag_set(db, "a", longer, "", &err), MLP_EINVAL, "a longer name");
	is_int(registered_model_tag_set(db, "a", "k", large, &err), MLP_EINVAL, "a larger value");
	is_int(registered_model_tag_set(db, "a", "../k", "", &err), MLP_EINVAL, "a bad name");
	is_int(registered_model_tag_set(db, "absent", "k", "", &err), MLP_ENOTFOUND, "of no model");
	is_int(registered_model_tag_set(db, "a", "k", "1", &err), 0, "a tag");
	is_int(registered_model_tag_set(db, "a", "k", "2", &err), 0, "is changed");
	is_int(registered_model_tag_unset(db, "a", longest, &err), 0, "is removed");
	is_int(registered_model_tag_unset(db, "a", longest, &err), 0, "may be absent then");
	is_int(registered_model_tags_get(db, "a", &tags, &err), 0, "the tags");
	ok(tags.len == 1 && !strcmp(tags.v[0].value, "2"), "are those left");
	is_int(model_version_tag_set(db, "a", 2, &tag, &err), MLP_ENOTFOUND, "none of a deleted version");
	is_int(model_version_tag_set(db, "a", 1, &tag, &err), 0, "one of a version");
	is_int(model_version_tag_unset(db, "a", 1, "k", &err), 0, "is removed");
	is_int(model_version_tag_unset(db, "a", 9, "k", &err), MLP_ENOTFOUND, "not of no version");
}

static void test_rename(struct db *db)
{
	_release_(model_version_release) struct model_version v = MODEL_VERSION_INIT;
	_release_(key_values_release) struct key_values tags = { 0 };
	int64_t version = 0;

	model_alias_set(db, "a", "best", 1, &err);
	is_int(registered_model_rename(db, "a", "b", &err), 0, "a model is renamed");
	is_int(model_version_get(db, "b", 1, &v, &err), 0, "with its versions");
	is_int(registered_model_tags_get(db, "b", &tags, &err) || tags.len != 1, 0, "its tags");
	is_int(model_alias_resolve(db, "b", "best", &version, &err), 0, "its aliases");
	is_int(add_version(db, "b"), 7, "and its numbers");
	is_int(registered_model_delete(db, "b", &err), 0, "it is deleted");
	is_int(db_get_int(db, &version, &err,
			  "SELECT (SELECT count(*) FROM model_version WHERE name IN ('a', 'b')) +"
			  " (SELECT count(*) FROM model_alias) +"
			  " (SELECT count(*) FROM registered_model_tag)", ""), 0, "with all of them");
	is_int(version, 0, "nothing is left");
	registered_model_create(db, "b", "", &err);
	is_int(add_version(db, "b"), 1, "a new model of that name begins anew");
}

int main(void)
{
	char memory[] = ":memory:";
	struct repo repo = { .db_path = memory };
	_cleanup_(db_close) struct db *db = NULL;

	plan_lazy();
	if (track_open(&db, &repo, DB_CREATE, &err)) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	test_names(db);
	test_versions(db);
	test_aliases(db);
	test_stages(db);
	test_tags(db);
	test_rename(db);
	return done_testing();
}
