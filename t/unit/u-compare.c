/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of environment_compare() once. */
#include "config.h"

#include "lib/capture/capture.h"
#include "lib/util/xalloc.h"
#include "t/unit/tap.h"

static const struct {
	const char *was, *is, *what;
	enum env_class level; /* ENV_SAME: nothing differs */
} cases[] = {
	{ "{}", "{}", "nothing known", ENV_SAME },
	{ "{'python':{'version':'3.11.2'}}", "{'python':{'version':'3.11.9'}}", "python.version",
	  ENV_TOLERABLE },
	{ "{'python':{'version':'3.11.2'}}", "{'python':{'version':'3.12.2'}}", "python.version",
	  ENV_BREAKING },
	{ "{'python':{'version':'3.11'}}", "{}", "python.version", ENV_BREAKING },
	{ "{}", "{'python':{'version':'3.11','guessed_by':'VIRTUAL_ENV'}}", "python.version",
	  ENV_TOLERABLE },
	{ "{'python':{'version':'3.11','guessed_by':'PATH'}}",
	  "{'python':{'version':'3.12','guessed_by':'PATH'}}", "python.version", ENV_TOLERABLE },
	{ "{'python':{'version':'3.11','guessed_by':'VIRTUAL_ENV'}}",
	  "{'python':{'version':'3.12','guessed_by':'VIRTUAL_ENV'}}", "python.version",
	  ENV_BREAKING },
	{ "{'program':{'path':'/a','build_id':'1'},'python':{'guessed_by':'VIRTUAL_ENV'}}",
	  "{'program':{'path':'/a','build_id':'2'},'python':{'guessed_by':'VIRTUAL_ENV'}}",
	  "program.build_id", ENV_BREAKING },
	{ "{'python':{'implementation':'cpython'}}", "{'python':{'implementation':'pypy'}}",
	  "python.implementation", ENV_BREAKING },
	{ "{'python':{'path':'/a/python'}}", "{'python':{'path':'/b/python'}}", "paths",
	  ENV_SAME },
	{ "{'python':{'packages':{'numpy':'1.26.4'}}}", "{'python':{'packages':{'numpy':'1.26.5'}}}",
	  "python.packages.numpy", ENV_TOLERABLE },
	{ "{'python':{'packages':{'numpy':'1.26.4'}}}", "{'python':{'packages':{'numpy':'1.27.4'}}}",
	  "python.packages.numpy", ENV_BREAKING },
	{ "{'python':{'packages':{'numpy':'1.26.4'}}}", "{'python':{'packages':{'numpy':'2.26.4'}}}",
	  "python.packages.numpy", ENV_BREAKING },
	{ "{'python':{'packages':{'numpy':'1.26.4'}}}", "{'python':{'packages':{}}}",
	  "python.packages.numpy", ENV_BREAKING },
	{ "{'python':{'packages':{}}}", "{'python':{'packages':{'numpy':'1.26.4'}}}",
	  "python.packages.numpy", ENV_TOLERABLE },
	{ "{'python':{'packages':{'torch':'2.3.0+cu121'}}}",
	  "{'python':{'packages':{'torch':'2.3.0+cpu'}}}", "python.packages.torch", ENV_BREAKING },
	{ "{'python':{'packages':{'nvidia-cudnn-cu12':'9.1'}}}",
	  "{'python':{'packages':{'nvidia-cudnn-cu12':'9.2'}}}",
	  "python.packages.nvidia-cudnn-cu12", ENV_BREAKING },
	{ "{'python':{'packages':{'requests':'2.0'}}}", "{'python':{'packages':{'requests':'3.0'}}}",
	  "python.packages.requests", ENV_TOLERABLE },
	{ "{'python':{'sources':{'mine':{'url':'u','commit':'a'}}}}",
	  "{'python':{'sources':{'mine':{'url':'u','commit':'b'}}}}", "python.sources.mine.commit",
	  ENV_BREAKING },
	{ "{'conda':{'packages':{'mkl':'2024.0 h1'}}}", "{'conda':{'packages':{'mkl':'2025.0 h1'}}}",
	  "conda.packages.mkl", ENV_BREAKING },
	{ "{'conda':{'packages':{'xz':'5.4 h1'}}}", "{'conda':{'packages':{'xz':'5.4 h2'}}}",
	  "conda.packages.xz", ENV_TOLERABLE },
	{ "{'os':{'architecture':'x86_64'}}", "{'os':{'architecture':'aarch64'}}",
	  "os.architecture", ENV_BREAKING },
	{ "{'os':{'libc_version':'2.36'}}", "{'os':{'libc_version':'2.39'}}", "os.libc_version",
	  ENV_TOLERABLE },
	{ "{'os':{'libc_version':'2.36'}}", "{'os':{'libc_version':'3.0'}}", "os.libc_version",
	  ENV_BREAKING },
	{ "{'os':{'kernel':'6.1'}}", "{'os':{'kernel':'6.8'}}", "os.kernel", ENV_TOLERABLE },
	{ "{'host':{'name':'a'}}", "{'host':{'name':'b'}}", "host.name", ENV_TOLERABLE },
	{ "{'gpu':{'driver':'550.1'}}", "{'gpu':{'driver':'560.2'}}", "gpu.driver",
	  ENV_TOLERABLE },
	{ "{'gpu':{'cuda':'12.4'}}", "{'gpu':{'cuda':'12.6'}}", "gpu.cuda", ENV_TOLERABLE },
	{ "{'gpu':{'cuda':'12.4'}}", "{'gpu':{'cuda':'13.0'}}", "gpu.cuda", ENV_BREAKING },
	{ "{'gpu':{'devices':[{'compute':'8.0'}]}}", "{'gpu':{'devices':[{'compute':'9.0'}]}}",
	  "gpu.0.compute", ENV_BREAKING },
	{ "{'gpu':{'devices':[{'model':'A'}]}}", "{'gpu':{'devices':[{'model':'B'}]}}",
	  "gpu.0.model", ENV_TOLERABLE },
	{ "{'gpu':{'devices':[{'model':'A'}]}}", "{'gpu':{'devices':[]}}", "gpu.count",
	  ENV_BREAKING },
	{ "{'gpu':{'devices':[]}}", "{'gpu':{'devices':[{'model':'A'}]}}", "gpu.count",
	  ENV_TOLERABLE },
	{ "{'cpu':{'flags':'fpu avx2 aes'}}", "{'cpu':{'flags':'fpu avx2 rdrand'}}",
	  "flags without numbers", ENV_SAME },
	{ "{'cpu':{'flags':'avx2 avx512f'}}", "{'cpu':{'flags':'avx2'}}", "cpu.flags",
	  ENV_TOLERABLE },
	{ "{'memory':{'bytes':1000000}}", "{'memory':{'bytes':1000100}}", "nearly as much memory",
	  ENV_SAME },
	{ "{'memory':{'bytes':1000000}}", "{'memory':{'bytes':2000000}}", "memory.bytes",
	  ENV_TOLERABLE },
	{ "{'program':{'path':'/w/train','build_id':'a'}}",
	  "{'program':{'path':'/w/train','build_id':'b'}}", "program.build_id", ENV_BREAKING },
	{ "{'program':{'path':'/usr/bin/x','build_id':'a'}}",
	  "{'program':{'path':'/usr/bin/x','build_id':'b'}}", "program.build_id", ENV_TOLERABLE },
	{ "{'container':{'id':'a'}}", "{'container':{'id':'b'}}", "container ids", ENV_SAME },
	{ "{'container':{'digest':'a'}}", "{'container':{'digest':'b'}}", "container.digest",
	  ENV_TOLERABLE },
	{ "{'locks':{'uv.lock':'a'}}", "{'locks':{'uv.lock':'b'}}", "locks.uv.lock",
	  ENV_TOLERABLE },
	{ "{'variables':{'OMP_NUM_THREADS':'4'}}", "{'variables':{}}", "variables.OMP_NUM_THREADS",
	  ENV_TOLERABLE },
	{ "{'variables':{}}", "{'variables':{'PYTHONHASHSEED':'0'}}", "variables.PYTHONHASHSEED",
	  ENV_BREAKING },
	{ "{'variables':{'SLURM_JOB_ID':'1'}}", "{'variables':{'SLURM_JOB_ID':'2'}}",
	  "numbers of jobs", ENV_SAME },
};

static char *quoted(const char *s)
{
	char *text = xstrdup(s);

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return text;
}

static void check(size_t i)
{
	_cleanup_free_ char *was = quoted(cases[i].was), *is = quoted(cases[i].is);
	_release_(env_differences_release) struct env_differences d = { 0 };

	is_int(environment_compare(was, is, &d, NULL), 0, "%zu: compared", i);
	if (cases[i].level == ENV_SAME) {
		is_int(d.len, 0, "%zu: %s: same", i, cases[i].what);
		return;
	}
	is_int(d.len, 1, "%zu: one difference", i);
	is_str(d.len ? d.v[0].what : NULL, cases[i].what, "%zu: what", i);
	is_int(d.len ? (int)d.v[0].level : -1, cases[i].level, "%zu: level", i);
}

static void check_order(void)
{
	_release_(env_differences_release) struct env_differences d = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;

	environment_compare("{\"host\":{\"name\":\"a\"},\"gpu\":{\"cuda\":\"12.0\"}}",
			    "{\"host\":{\"name\":\"b\"},\"gpu\":{\"cuda\":\"13.0\"}}", &d, NULL);
	is_int(d.len, 2, "two differences");
	is_str(d.v[0].what, "gpu.cuda", "what breaks comes first");
	is_str(d.v[0].was, "12.0", "what it was");
	is_str(d.v[0].is, "13.0", "what it is");
	is_int(environment_compare("{", "{}", &d, &err), MLP_ECORRUPT, "half a document");
}

int main(void)
{
	plan_lazy();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(i);
	check_order();
	return done_testing();
}
