/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/capture/variables.h"

#include <ctype.h>
#include <string.h>

#include "lib/util/text.h"
#include "lib/util/vec.h"
#include "lib/vcs/git.h"

enum { VALUE_MAX = 16384 };

/* What a URL begins with, and the NAME= that one may have before it. */
static const char scheme_chars[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._=";

static const char *const wanted[] = {
	"CUDA_*",     "NCCL_*",	   "NVIDIA_*",	 "CUBLAS_*",	"CUDNN_*",    "GOMP_*",
	"KMP_*",      "OMP_*",	   "MKL_*",	 "OPENBLAS_*",	"BLIS_*",     "VECLIB_*",
	"NUMEXPR_*",  "PYTHON*",   "PYTORCH_*",	 "TORCH_*",	"TF_*",	      "XLA_*",
	"JAX_*",      "HIP_*",	   "ROCR_*",	 "HSA_*",	"MIOPEN_*",   "SLURM_*",
	"UCX_*",      "OMPI_*",	   "PMI_*",	 "MASTER_*",	"WORLD_SIZE", "RANK",
	"LOCAL_RANK", "LANG",	   "LC_*",	 "TZ",		"VIRTUAL_ENV", "CONDA_PREFIX",
	"CONDA_DEFAULT_ENV", "UV_*", "LD_*",	 "PATH",	"MALLOC_*",   "GLIBC_TUNABLES",
	"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE",
};

bool variable_is_secret(const char *name)
{
	/* NCCL_NVLS_KEY, SLURM_JWT, UV_INDEX_X_PASSWORD: whole words are not asked for, as
	 * a value too few is better than a secret stored. */
	static const char *const marks[] = { "TOKEN",  "SECRET",     "KEY",  "PASSWORD",
					     "PASSWD", "PASSPHRASE", "AUTH", "CREDENTIAL",
					     "JWT",    "COOKIE",     "SESSION", "SIGNATURE" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strcasestr(name, marks[i]))
			return true;
	return false;
}

static bool matches_setting(const char *name, const struct settings *settings)
{
	for (size_t i = 0; settings && i < settings->len; i++) {
		_release_(strvec_release) struct strvec patterns = STRVEC_INIT;

		_cleanup_free_ char *list = xstrdup(settings->v[i].value);

		if (strcmp(settings->v[i].key, "capture.env"))
			continue;
		for (char *p = list; (p = strpbrk(p, ",\t")); )
			*p = ' ';
		strvec_split(&patterns, list, ' ');
		for (size_t j = 0; j < patterns.len; j++)
			if (*patterns.v[j] && text_glob(patterns.v[j], name))
				return true;
	}
	return false;
}

static bool is_wanted(const char *name, const struct settings *settings)
{
	if (variable_is_secret(name))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (text_glob(wanted[i], name))
			return true;
	return matches_setting(name, settings);
}

/* Functions that bash exports, and what is no name. */
static bool is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return len > 0;
}

/* The length of the word that a list begins with: up to a blank, or to a ',' or ';' behind
 * which another URL begins, as a password may hold those. */
static size_t word_length(const char *list)
{
	size_t n = strcspn(list, " ,;");

	while (list[n] && list[n] != ' ' &&
	       strncmp(list + n + 1 + strspn(list + n + 1, scheme_chars), "://", 3) != 0)
		n += 1 + strcspn(list + n + 1, " ,;");
	return n;
}

/* A list of URLs, each without its credentials. */
static char *cleaned(const char *value)
{
	struct strbuf sb = STRBUF_INIT;

	if (!strstr(value, "://"))
		return xmemdupz(value, strnlen(value, VALUE_MAX));
	for (;;) {
		size_t n = word_length(value);
		_cleanup_free_ char *word = xmemdupz(value, n), *clean = vcs_clean_url(word);

		strbuf_addstr(&sb, clean);
		value += n;
		if (!*value)
			return strbuf_detach(&sb);
		strbuf_addch(&sb, *value++);
	}
}

void variables_describe(struct json_writer *w, char *const *environment,
			const struct settings *settings)
{
	_release_(strvec_release) struct strvec names = STRVEC_INIT, pairs = STRVEC_INIT;

	for (char *const *e = environment; e && *e; e++) {
		size_t n = strcspn(*e, "=");
		_cleanup_free_ char *name = xmemdupz(*e, n);

		if (!is_name(name, n) || !(*e)[n])
			continue;
		if (is_wanted(name, settings))
			strvec_push(&pairs, *e);
		else
			strvec_push(&names, name);
	}
	if (pairs.len)
		strvec_sort(&pairs);
	if (names.len)
		strvec_sort(&names);
	json_key(w, "variables");
	json_open(w, '{');
	for (size_t i = 0; i < pairs.len; i++) {
		char *eq = strchr(pairs.v[i], '=');
		_cleanup_free_ char *value = cleaned(eq + 1);

		*eq = '\0';
		json_put_string(w, pairs.v[i], value);
	}
	json_close(w, '}');
	json_key(w, "variable_names");
	json_open(w, '[');
	for (size_t i = 0; i < names.len; i++)
		json_string(w, names.v[i]);
	json_close(w, ']');
}
