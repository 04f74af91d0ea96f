/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "t/unit/tap.h"

#include "lib/launch/environ.h"
#include "lib/launch/job.h"

/* The word with the parameters lr=0.1, a/b=x y and --seed 7 filled in, or the error. */
static void is_filled(const char *word, const char *want)
{
	struct job job = JOB_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	int r;

	job.seed = 7;
	job_add_pair(&job.params, "lr=0.1", "parameter", NULL);
	job_add_pair(&job.params, "a/b=x y", "parameter", NULL);
	strvec_push(&job.argv_template, word);
	r = job_fill(&job, &err);
	is_str(r ? err.text : job.argv.v[0], want, "%s", word);
	job_release(&job);
}

static void test_placeholders(void)
{
	is_filled("{lr}", "0.1");
	is_filled("--lr={lr},{lr}", "--lr=0.1,0.1");
	is_filled("{a/b}", "x y");
	is_filled("{seed}", "7");
	is_filled("{{lr}}", "{lr}");
	is_filled("{{{lr}}}", "{{lr}}");
	is_filled("{{other}}", "{other}");
	is_filled("{\"a\":{\"b\":{lr}}}", "{\"a\":{\"b\":0.1}}");
	is_filled("{}", "{}");
	is_filled("{ lr }", "{ lr }");
	is_filled("{1}", "{1}");
	is_filled("${lr", "${lr");
	is_filled("lr}", "lr}");
	is_filled("{", "{");
	is_filled("{{", "{{");
	is_filled("", "");
	is_filled("{rl}", "no parameter 'rl' for '{rl}' in the command");
}

static void is_typed(const char *value, const char *want)
{
	struct job job = JOB_INIT;
	struct strbuf json = STRBUF_INIT, pair = STRBUF_INIT;

	strbuf_addf(&pair, "k=%s", value);
	is_int(job_add_pair(&job.params, pair.buf, "parameter", NULL), 0, "k=%s", value);
	job_params_json(&job, &json);
	is_str(json.buf, want, "'%s' in JSON", value);
	strbuf_release(&json);
	strbuf_release(&pair);
	job_release(&job);
}

static void test_types(void)
{
	is_typed("1", "{\"k\":1}");
	is_typed("-0.5e-3", "{\"k\":-0.5e-3}");
	is_typed("0", "{\"k\":0}");
	is_typed("true", "{\"k\":true}");
	is_typed("", "{\"k\":\"\"}");
	is_typed("007", "{\"k\":\"007\"}");
	is_typed("1.", "{\"k\":\"1.\"}");
	is_typed(".5", "{\"k\":\".5\"}");
	is_typed("1e", "{\"k\":\"1e\"}");
	is_typed("+1", "{\"k\":\"+1\"}");
	is_typed("nan", "{\"k\":\"nan\"}");
	is_typed("True", "{\"k\":\"True\"}");
	is_typed("0x10", "{\"k\":\"0x10\"}");
	is_typed("1 ", "{\"k\":\"1 \"}");
}

static void test_pairs(void)
{
	struct key_values list = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;

	is_int(job_add_pair(&list, "a=b=c", "tag", &err), 0, "only the first = counts");
	is_str(key_values_get(&list, "a"), "b=c", "the value");
	is_int(job_add_pair(&list, "a=2", "tag", &err), MLP_EINVAL, "twice");
	is_str(err.text, "tag 'a' is given twice", "and that is said");
	is_int(job_add_pair(&list, "=2", "tag", &err), MLP_EINVAL, "no key");
	is_int(job_add_pair(&list, "x", "tag", &err), MLP_EINVAL, "no value");
	is_int(job_add_pair(&list, "a\n=1", "tag", &err), MLP_EINVAL, "a bad key");
	is_int(job_add_pair(&list, "y=\xff", "tag", &err), MLP_EINVAL, "bad UTF-8");
	key_values_release(&list);
}

static void test_environment(void)
{
	struct environ_run run = { "id", "/p/.mlp", "/fifo", "/params", 3, 2, "GPU-1" };
	struct key_values ours = { 0 };
	struct strvec all = STRVEC_INIT;
	struct job job = JOB_INIT;
	int runs = 0, stale = 0;

	setenv("MLP_RUN_ID", "outer", 1);
	setenv("MLP_PARAM_OLD", "1", 1);
	job_add_pair(&job.params, "model/max-depth=6", "parameter", NULL);
	environ_of_job(&job, &run, &ours);
	is_str(key_values_get(&ours, "MLP_PARAM_MODEL_MAX_DEPTH"), "6", "a parameter's name");
	is_str(key_values_get(&ours, "MLP_EXPERIMENT"), "Default", "the default experiment");
	is_str(key_values_get(&ours, "CUDA_VISIBLE_DEVICES"), "GPU-1", "GPUs");
	ok(!key_values_get(&ours, "MLP_SEED"), "no seed");
	environ_merge(&ours, &all);
	for (size_t i = 0; i < all.len; i++) {
		runs += !strncmp(all.v[i], "MLP_RUN_ID=", 11);
		stale += !strncmp(all.v[i], "MLP_PARAM_OLD=", 14);
	}
	is_int(runs, 1, "one run id");
	is_int(stale, 0, "nothing of an outer run");
	strvec_release(&all);
	key_values_release(&ours);
	job_release(&job);
}

int main(void)
{
	plan_lazy();
	test_placeholders();
	test_types();
	test_pairs();
	test_environment();
	return done_testing();
}
