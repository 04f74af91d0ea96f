/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters: placeholders in the command, and typed values in JSON. */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "lib/json/write.h"
#include "lib/launch/environ.h"
#include "lib/launch/job.h"
#include "lib/track/experiment.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

int job_add_pair(struct key_values *list, const char *pair, const char *what,
		 struct mlp_error *err)
{
	const char *eq = strchr(pair, '=');
	struct key_value kv;

	if (!eq || eq == pair)
		return mlp_error_set(err, MLP_EINVAL, "bad %s '%s': KEY=VALUE is needed", what, pair);
	if (!text_is_utf8(pair, (size_t)(eq - pair)))
		return mlp_error_set(err, MLP_EINVAL, "the name of %s '%.*s' is not UTF-8", what,
				     (int)(eq - pair), pair);
	if (!key_is_valid(pair, (size_t)(eq - pair)))
		return mlp_error_set(err, MLP_EINVAL, "bad %s name '%.*s'", what, (int)(eq - pair),
				     pair);
	if (!text_is_utf8(eq + 1, strlen(eq + 1)))
		return mlp_error_set(err, MLP_EINVAL, "the value of %s '%.*s' is not UTF-8", what,
				     (int)(eq - pair), pair);
	kv.key = xmemdupz(pair, (size_t)(eq - pair));
	if (key_values_get(list, kv.key)) {
		mlp_error_set(err, MLP_EINVAL, "%s '%s' is given twice", what, kv.key);
		free(kv.key);
		return MLP_EINVAL;
	}
	kv.value = xstrdup(eq + 1);
	vec_push(list, kv);
	return 0;
}

/* Length of "{name}" or "{{name}}" at s, with the name's place; 0 when it is neither. */
static size_t placeholder(const char *s, size_t braces, const char **name, size_t *len)
{
	size_t n = braces;

	if (strncmp(s, "{{", braces) || !(isalpha((unsigned char)s[n]) || s[n] == '_'))
		return 0;
	*name = s + n;
	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("_.-/", s[n])))
		n++;
	*len = n - braces;
	return strncmp(s + n, "}}", braces) ? 0 : n + braces;
}

static int fill_name(const struct job *job, const char *name, size_t len, struct strbuf *out,
		     struct mlp_error *err)
{
	_cleanup_free_ char *key = xmemdupz(name, len);
	const char *value = key_values_get(&job->params, key);

	if (value) {
		strbuf_addstr(out, value);
		return 0;
	}
	if (job->seed >= 0 && !strcmp(key, "seed")) {
		strbuf_addf(out, "%lld", (long long)job->seed);
		return 0;
	}
	if (!job->params.len) { /* braces of the command's own, as in awk '{print}' */
		strbuf_addf(out, "{%s}", key);
		return 0;
	}
	mlp_error_set(err, MLP_EINVAL, "no parameter '%s' for '{%s}' in the command", key, key);
	mlp_error_hint(err, "give it with -p %s=VALUE, or write {{%s}} for the text itself", key,
		       key);
	return MLP_EINVAL;
}

static int fill_word(const struct job *job, const char *s, struct strbuf *out,
		     struct mlp_error *err)
{
	const char *name;
	size_t len, n;

	while (*s) {
		if ((n = placeholder(s, 2, &name, &len))) {
			strbuf_add(out, s + 1, n - 2);
		} else if ((n = placeholder(s, 1, &name, &len))) {
			int r = fill_name(job, name, len, out, err);

			if (r)
				return r;
		} else {
			strbuf_addch(out, *s);
			n = 1;
		}
		s += n;
	}
	return 0;
}

/* Two parameters must not be one variable: the command would get one of them, it
 * could not tell which. */
static int check_params(const struct job *job, struct mlp_error *err)
{
	_release_(key_values_release) struct key_values seen = { 0 };

	for (size_t i = 0; i < job->params.len; i++) {
		const char *key = job->params.v[i].key;
		char *name = environ_param_name(key);
		const char *other = key_values_get(&seen, name);
		struct key_value kv = { name, xstrdup(key) };

		vec_push(&seen, kv);
		if (other)
			return mlp_error_set(err, MLP_EINVAL, "parameters '%s' and '%s' would both "
					     "be the variable '%s'", other, key, name);
	}
	return 0;
}

/* Also a name that could not be typed to find the run again. */
static int check_names(const struct job *job, struct mlp_error *err)
{
	for (size_t i = 0; i < job->outputs.len; i++)
		if (!*job->outputs.v[i])
			return mlp_error_set(err, MLP_EINVAL, "bad output ''");
	if (job->experiment && experiment_name_check(job->experiment, err))
		return MLP_EINVAL;
	if (!job->name || (*job->name && *job->name != '@'))
		return 0;
	mlp_error_set(err, MLP_EINVAL, *job->name ? "bad name '%s'" : "a run's name is empty",
		      job->name);
	if (*job->name)
		mlp_error_hint(err, "'@' begins a run by its age, as in @ and @~1");
	return MLP_EINVAL;
}

int job_fill(struct job *job, struct mlp_error *err)
{
	bool fill = job->params.len || job->seed >= 0;
	int r = check_names(job, err);

	if (!r)
		r = check_params(job, err);
	if (r)
		return r;
	for (size_t i = 0; i < job->argv_template.len; i++) {
		_release_(strbuf_release) struct strbuf word = STRBUF_INIT;

		if (!fill) {
			strvec_push(&job->argv, job->argv_template.v[i]);
			continue;
		}
		r = fill_word(job, job->argv_template.v[i], &word, err);
		if (r)
			return r;
		strvec_push_take(&job->argv, strbuf_detach(&word));
	}
	return 0;
}

/* JSON's own grammar of numbers: what other readers would not take stays a string. */
static bool is_json_number(const char *s)
{
	const char *p = s + (*s == '-');

	if (!isdigit((unsigned char)*p) || (*p == '0' && isdigit((unsigned char)p[1])))
		return false;
	p += strspn(p, "0123456789");
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return false;
		p += strspn(p, "0123456789");
	}
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		if (!isdigit((unsigned char)*p))
			return false;
		p += strspn(p, "0123456789");
	}
	return !*p;
}

void job_params_json(const struct job *job, struct strbuf *out)
{
	struct json_writer w = { .out = out };

	json_open(&w, '{');
	for (size_t i = 0; i < job->params.len; i++) {
		const char *v = job->params.v[i].value;

		json_key(&w, job->params.v[i].key);
		if (is_json_number(v) || !strcmp(v, "true") || !strcmp(v, "false"))
			json_raw(&w, v, strlen(v));
		else
			json_string(&w, v);
	}
	json_close(&w, '}');
}

static void put_list(struct json_writer *w, const char *key, const struct strvec *list)
{
	if (!list->len)
		return;
	json_key(w, key);
	json_open(w, '[');
	for (size_t i = 0; i < list->len; i++)
		json_string(w, list->v[i]);
	json_close(w, ']');
}

void job_options_json(const struct job *job, struct strbuf *out)
{
	struct json_writer w = { .out = out };

	json_open(&w, '{');
	put_list(&w, "inputs", &job->inputs);
	put_list(&w, "outputs", &job->outputs);
	if (job->gpus)
		json_put_string(&w, "gpus", job->gpus);
	if (job->timeout_ms)
		json_put_int(&w, "timeout_ms", job->timeout_ms);
	if (job->max_cost.known) {
		json_put_int(&w, "max_cost_nano", job->max_cost.nano);
		json_put_string(&w, "max_cost_currency", job->max_cost.currency);
	}
	if (job->retries)
		json_put_int(&w, "retry", job->retries);
	if (job->grace_ms != JOB_GRACE_MS)
		json_put_int(&w, "grace_ms", job->grace_ms);
	if (job->nice)
		json_put_bool(&w, "nice", true);
	if (job->detached)
		json_put_bool(&w, "detached", true);
	json_close(&w, '}');
}

void job_release(struct job *job)
{
	key_values_release(&job->params);
	key_values_release(&job->tags);
	strvec_release(&job->inputs);
	strvec_release(&job->outputs);
	strvec_release(&job->argv_template);
	strvec_release(&job->argv);
	*job = (struct job)JOB_INIT;
}

int job_exit_code(const struct job_result *result)
{
	if (result->outcome == JOB_LIMIT)
		return 124;
	if (result->exit_signal)
		return 128 + result->exit_signal;
	return result->exit_code >= 0 ? result->exit_code : 128;
}
