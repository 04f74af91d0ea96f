/* SPDX-License-Identifier: Apache-2.0 */
/* Two environments side by side. */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/capture/capture.h"
#include "lib/json/read.h"
#include "lib/util/text.h"
#include "lib/util/vec.h"

/* How much of a version counts as breaking. */
enum rule { TOLERATE, BREAK, BREAK_MAJOR, BREAK_MINOR };

static const struct {
	const char *path;
	enum rule rule;
} facts[] = {
	{ "python.implementation", BREAK },
	{ "python.version", BREAK_MINOR },
	{ "os.architecture", BREAK },
	{ "os.libc", BREAK },
	{ "os.libc_version", BREAK_MAJOR },
	{ "os.id", TOLERATE },
	{ "os.version", TOLERATE },
	{ "os.kernel", TOLERATE },
	{ "os.kernel_build", TOLERATE },
	{ "os.boot_parameters", TOLERATE },
	{ "host.name", TOLERATE },
	{ "container.kind", TOLERATE },
	{ "container.image", TOLERATE },
	{ "container.digest", TOLERATE },
	{ "cpu.model", TOLERATE },
	{ "cpu.vendor", TOLERATE },
	{ "cpu.microcode", TOLERATE },
	{ "cpu.threads", TOLERATE },
	{ "cpu.usable", TOLERATE },
	{ "cpu.numa_nodes", TOLERATE },
	{ "gpu.driver", TOLERATE },
	{ "gpu.cuda", BREAK_MAJOR },
	{ "gpu.toolkit", BREAK_MAJOR },
	{ "limits.open_files", TOLERATE },
	{ "limits.processes", TOLERATE },
	{ "limits.locked_memory", TOLERATE },
	{ "limits.address_space", TOLERATE },
	{ "limits.stack", TOLERATE },
	{ "limits.shared_memory", TOLERATE },
	{ "limits.cgroup_cpu", TOLERATE },
	{ "limits.cgroup_memory", TOLERATE },
};

static const struct {
	const char *name;
	enum rule rule;
} device_facts[] = {
	{ "compute", BREAK },	{ "model", TOLERATE },	      { "uuid", TOLERATE },
	{ "vbios", TOLERATE },	{ "memory_bytes", TOLERATE }, { "ecc", TOLERATE },
	{ "mig", TOLERATE },	{ "power_limit_mw", TOLERATE },
	{ "clock_sm_max_mhz", TOLERATE }, { "clock_memory_max_mhz", TOLERATE },
};

/* Packages whose results are numbers. */
static const char *const numerical[] = {
	"numpy",	"scipy",       "pandas",       "polars",     "pyarrow",	 "numba",
	"numexpr",	"bottleneck",  "torch",	       "torch-*",    "torchaudio", "torchvision",
	"pytorch",	"pytorch-*",   "libtorch",     "triton",     "triton-*", "tensorflow",
	"tensorflow-*", "tf-nightly*", "keras",	       "jax",	     "jaxlib",	 "jax-*",
	"flax",		"optax",       "mxnet*",       "paddlepaddle*", "scikit-*", "xgboost",
	"libxgboost",	"lightgbm",    "catboost",     "statsmodels", "cupy*",	 "cudf*",
	"cuml*",	"rmm*",	       "nvidia-*",     "cuda-*",     "cudatoolkit", "cudnn",
	"nccl",		"libcublas*",  "mkl*",	       "intel-openmp", "onednn", "openblas",
	"libopenblas",	"libblas",     "liblapack",    "blas",	     "onnx*",	 "transformers",
	"tokenizers",	"accelerate",  "deepspeed",    "flash-attn*", "xformers", "apex",
	"bitsandbytes", "peft",	       "vllm",	       "sentence-transformers", "opencv-*",
	"pillow",	"r-base",      "h5py",	       "einops",     "lightning", "faiss-*",
};

/* Variables that decide whether the same input gives the same output. */
static const char *const deterministic[] = {
	"PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "MKL_CBWR",
	"TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS",
	"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
};

/* Variables that differ from start to start and say nothing about results. */
static const char *const passing[] = { "SLURM_*", "PMI_*", "OMPI_*", "MASTER_*" };

static bool is_among(const char *name, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_glob(patterns[i], name))
			return true;
	return false;
}
#define IS_AMONG(name, list) is_among(name, list, ARRAY_SIZE(list))

void env_differences_release(struct env_differences *list)
{
	for (size_t i = 0; i < list->len; i++) {
		free(list->v[i].what);
		free(list->v[i].was);
		free(list->v[i].is);
	}
	free(list->v);
	*list = (struct env_differences){ 0 };
}

static void add(struct env_differences *out, bool breaking, const char *what, const char *was,
		const char *is)
{
	struct env_difference d = { breaking ? ENV_BREAKING : ENV_TOLERABLE, xstrdup(what),
				    xstrdup_null(was), xstrdup_null(is) };

	vec_push(out, d);
}

/* Do the first parts components of two versions, and what follows a '+', agree? */
static bool versions_agree(const char *a, const char *b, int parts)
{
	const char *la = strchr(a, '+'), *lb = strchr(b, '+');

	if (strcmp(la ? la : "", lb ? lb : ""))
		return false;
	for (; parts > 0; parts--) {
		size_t na = strcspn(a, ".+ "), nb = strcspn(b, ".+ ");

		if (na != nb || strncmp(a, b, na))
			return false;
		a += na + (a[na] == '.');
		b += nb + (b[nb] == '.');
	}
	return true;
}

static bool breaks(enum rule rule, const char *was, const char *is)
{
	if (rule == TOLERATE || rule == BREAK)
		return rule == BREAK;
	return !was || !is || !versions_agree(was, is, rule == BREAK_MAJOR ? 1 : 2);
}

static void compare_text(struct env_differences *out, const char *what, const char *was,
			 const char *is, enum rule rule)
{
	if (!was && !is)
		return;
	if (was && is && !strcmp(was, is))
		out->same++;
	else
		add(out, breaks(rule, was, is), what, was, is);
}

static void compare_values(struct env_differences *out, const char *what, const struct json *was,
			   const struct json *is, enum rule rule)
{
	_cleanup_free_ char *a = json_as_text(was), *b = json_as_text(is);

	compare_text(out, what, a, b, rule);
}

static const struct json *find(const struct json *doc, const char *path)
{
	const char *dot = strchr(path, '.');
	_cleanup_free_ char *first = dot ? xmemdupz(path, (size_t)(dot - path)) : NULL;

	return json_get(first ? json_get(doc, first) : doc, dot ? dot + 1 : path);
}

/* Calls fn for each key of either object. */
static void compare_members(struct env_differences *out, const char *prefix,
			    const struct json *was, const struct json *is,
			    void (*fn)(struct env_differences *out, const char *what,
				       const struct json *was, const struct json *is))
{
	for (const struct json *v = NULL; (v = json_next(was, v));) {
		_cleanup_free_ char *what = xasprintf("%s.%s", prefix, json_name(v));

		fn(out, what, v, json_get(is, json_name(v)));
	}
	for (const struct json *v = NULL; (v = json_next(is, v));) {
		_cleanup_free_ char *what = xasprintf("%s.%s", prefix, json_name(v));

		if (!json_get(was, json_name(v)))
			fn(out, what, NULL, v);
	}
}

static const char *last_part(const char *what)
{
	return strstr(what, "packages.") + strlen("packages.");
}

/* One that is new cannot have been used. */
static void compare_package(struct env_differences *out, const char *what, const struct json *was,
			    const struct json *is)
{
	bool counts = was && IS_AMONG(last_part(what), numerical);

	compare_values(out, what, was, is, counts ? BREAK_MINOR : TOLERATE);
}

static void compare_source(struct env_differences *out, const char *what, const struct json *was,
			   const struct json *is)
{
	_cleanup_free_ char *commit = xasprintf("%s.commit", what);
	_cleanup_free_ char *url = xasprintf("%s.url", what);

	compare_values(out, commit, json_get(was, "commit"), json_get(is, "commit"),
		       was ? BREAK : TOLERATE);
	compare_values(out, url, json_get(was, "url"), json_get(is, "url"), TOLERATE);
}

static void compare_lock(struct env_differences *out, const char *what, const struct json *was,
			 const struct json *is)
{
	compare_values(out, what, was, is, TOLERATE);
}

static void compare_variable(struct env_differences *out, const char *what,
			     const struct json *was, const struct json *is)
{
	const char *name = strchr(what, '.') + 1;

	if (!IS_AMONG(name, passing))
		compare_values(out, what, was, is,
			       IS_AMONG(name, deterministic) ? BREAK : TOLERATE);
}

/* Is it known that the command runs in this Python? */
static bool is_sure(const struct json *python)
{
	return python && !json_text(json_get(python, "guessed_by"));
}

/* A Python that may not have been used at all: found on PATH, or seen by one of the two
 * only, which the other may just be too old to guess. */
static bool may_be_unused(const struct json *was, const struct json *is)
{
	const char *a = json_text(json_get(was, "guessed_by"));
	const char *b = json_text(json_get(is, "guessed_by"));

	return (a && (!is || !strcmp(a, "PATH"))) || (b && (!was || !strcmp(b, "PATH")));
}

static void tolerate_python(struct env_differences *out)
{
	for (size_t i = 0; i < out->len; i++)
		if (!strncmp(out->v[i].what, "python.", strlen("python.")))
			out->v[i].level = ENV_TOLERABLE;
}

/* The identity of a program that is no Python: that one is compared by its version. */
static void compare_program(struct env_differences *out, const struct json *was,
			    const struct json *is)
{
	const struct json *a = json_get(was, "program"), *b = json_get(is, "program");
	const char *path = json_text(json_get(a, "path"));
	bool system = path && (!strncmp(path, "/usr/", 5) || !strncmp(path, "/bin/", 5));
	enum rule rule = system ? TOLERATE : BREAK;

	if (is_sure(json_get(was, "python")) && is_sure(json_get(is, "python")))
		return;
	if (json_get(a, "build_id"))
		compare_values(out, "program.build_id", json_get(a, "build_id"),
			       json_get(b, "build_id"), rule);
	else
		compare_values(out, "program.sha256", json_get(a, "sha256"),
			       json_get(b, "sha256"), rule);
}

static void compare_devices(struct env_differences *out, const struct json *was,
			    const struct json *is)
{
	const struct json *a = find(was, "gpu.devices"), *b = find(is, "gpu.devices");
	_cleanup_free_ char *na = xasprintf("%zu", json_count(a)),
			    *nb = xasprintf("%zu", json_count(b));
	const struct json *x = json_next(a, NULL), *y = json_next(b, NULL);

	compare_text(out, "gpu.count", na, nb, x && !y ? BREAK : TOLERATE);
	for (size_t i = 0; x && y; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(device_facts); j++) {
			_cleanup_free_ char *what =
				xasprintf("gpu.%zu.%s", i, device_facts[j].name);

			compare_values(out, what, json_get(x, device_facts[j].name),
				       json_get(y, device_facts[j].name), device_facts[j].rule);
		}
		x = json_next(a, x);
		y = json_next(b, y);
	}
}

/* Flags that choose between kernels of numerical libraries. */
static char *vector_flags(const struct json *flags)
{
	static const char *const patterns[] = { "avx*", "fma*", "amx*", "sse4*", "f16c",
						"sve*", "asimd*", "bf16",  "i8mm" };
	_release_(strvec_release) struct strvec words = STRVEC_INIT;
	struct strbuf out = STRBUF_INIT;

	if (!json_text(flags))
		return NULL;
	strvec_split(&words, json_text(flags), ' ');
	strvec_sort(&words);
	for (size_t i = 0; i < words.len; i++)
		if (IS_AMONG(words.v[i], patterns))
			strbuf_addf(&out, "%s%s", out.len ? " " : "", words.v[i]);
	return strbuf_detach(&out);
}

static void compare_cpu(struct env_differences *out, const struct json *was,
			const struct json *is)
{
	_cleanup_free_ char *a = vector_flags(find(was, "cpu.flags"));
	_cleanup_free_ char *b = vector_flags(find(is, "cpu.flags"));
	double had = json_number(find(was, "memory.bytes"), 0);
	double has = json_number(find(is, "memory.bytes"), 0);

	compare_text(out, "cpu.flags", a, b, TOLERATE);
	/* Kernels keep a little more or less for themselves. */
	if (had - has > had / 100 || has - had > had / 100)
		compare_values(out, "memory.bytes", find(was, "memory.bytes"),
			       find(is, "memory.bytes"), TOLERATE);
	else
		out->same++;
}

static int by_level(const void *a, const void *b)
{
	const struct env_difference *x = a, *y = b;

	return x->level != y->level ? (int)y->level - (int)x->level : strcmp(x->what, y->what);
}

int environment_compare(const char *was, const char *is, struct env_differences *out,
			struct mlp_error *err)
{
	_cleanup_(json_free) struct json *a = json_parse(was, strlen(was), err);
	_cleanup_(json_free) struct json *b = a ? json_parse(is, strlen(is), err) : NULL;

	if (!a || !b) {
		mlp_error_prefix(err, "cannot read a recorded environment: ");
		return MLP_ECORRUPT;
	}
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		compare_values(out, facts[i].path, find(a, facts[i].path), find(b, facts[i].path),
			       facts[i].rule);
	compare_program(out, a, b);
	compare_members(out, "python.packages", find(a, "python.packages"),
			find(b, "python.packages"), compare_package);
	compare_members(out, "python.sources", find(a, "python.sources"),
			find(b, "python.sources"), compare_source);
	compare_members(out, "conda.packages", find(a, "conda.packages"),
			find(b, "conda.packages"), compare_package);
	compare_members(out, "locks", json_get(a, "locks"), json_get(b, "locks"), compare_lock);
	if (may_be_unused(json_get(a, "python"), json_get(b, "python")))
		tolerate_python(out);
	compare_cpu(out, a, b);
	compare_devices(out, a, b);
	compare_members(out, "variables", json_get(a, "variables"), json_get(b, "variables"),
			compare_variable);
	if (out->len)
		qsort(out->v, out->len, sizeof(*out->v), by_level);
	return 0;
}
