#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The environment of a run: read without starting the interpreter, and without secrets.
. "${srcdir:-.}/t/test-lib.sh"

# member KEY...: of the newest run's environment, as JSON.
member()
{
	mlp show @:env >env.json && python3 -c "
import json, sys
v = json.load(open('env.json'))
for k in sys.argv[1:]:
    v = v and v.get(k)
print(json.dumps(v))" "$@"
}

if ! test_have_prereq PYTHON
then
	test_expect_success PYTHON 'python3' ':'
	test_done
fi
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')
version=$(python3 -c 'import platform; print(platform.python_version())')

test_expect_success 'the version of python is what it says itself' '
	mlp -q train -- "$python" -c pass && member python version >v && echo "\"$version\"" >want &&
	test_cmp want v
'

test_expect_success 'the packages are those that it finds itself' '
	mlp -q train -- "$python" -c pass && member python packages >got && "$python" - >want <<-\PY &&
	import importlib.metadata as m, json, re
	d = {}
	for p in m.distributions():
	    if p.metadata["Name"]:
	        d.setdefault(re.sub(r"[-_.]+", "-", p.metadata["Name"]).lower(), p.version)
	print(json.dumps(dict(sorted(d.items()))))
	PY
	python3 - <<-\PY
	import json
	got, want = json.load(open("got")), json.load(open("want"))
	wrong = {k: (want[k], got.get(k)) for k in want if got.get(k) != want[k]}
	assert not wrong, wrong
	PY
'

test_expect_success 'a script is followed to its interpreter, and what is none leads to no python' '
	printf "#!%s\n" "$python" >tool && chmod +x tool && mlp -q train -- ./tool &&
	member python version >v && echo "\"$version\"" >want && test_cmp want v &&
	member python guessed_by >v && echo null >want && test_cmp want v &&
	mlp -q train -- true && member python >v && test_cmp want v
'

test_expect_success 'a shell may start any python: that of the active environment, or on PATH' '
	printf "#!/bin/sh\n" >tool && mlp -q train -- ./tool && member python guessed_by >v && echo "\"PATH\"" >want &&
	test_cmp want v && mlp show @ >shown && test_grep "packages, perhaps: found by PATH" shown &&
	python3 -m venv --without-pip active && site=$(echo active/lib/python*/site-packages) && mkdir "$site/own-1.0.dist-info" &&
	printf "Metadata-Version: 2.1\nName: own\nVersion: 1.0\n" >"$site/own-1.0.dist-info/METADATA" &&
	for command in "sh -c :" "nice sh -c :" true
	do
		VIRTUAL_ENV=$PWD/active mlp -q train -- $command && member python guessed_by >v &&
		echo "\"VIRTUAL_ENV\"" >want && test_cmp want v && member python packages >v &&
		test_grep "\"own\": \"1.0\"" v || return 1
	done
'

test_expect_success 'behind env and nice' '
	mlp -q train -- env X=1 nice -n 1 "$python" -c pass && member python version >v &&
	echo "\"$version\"" >want && test_cmp want v
'

test_expect_success 'a program has a build id, a script a hash' '
	mlp -q train -- /bin/true && member program build_id >v && test_grep "^\"[0-9a-f]*\"$" v &&
	mlp -q train -- ./tool && member program sha256 >v &&
	echo "\"$(sha256sum <tool | cut -d" " -f1)\"" >want && test_cmp want v
'

test_expect_success 'lock files by their digests' '
	echo numpy==1 >requirements-dev.txt && mlp -q train -- true &&
	member locks requirements-dev.txt >v &&
	echo "\"$(sha256sum <requirements-dev.txt | cut -d" " -f1)\"" >want && test_cmp want v
'

test_expect_success 'variables: values of some, names of the others, no secrets at all' '
	OMP_NUM_THREADS=3 NCCL_API_KEY=hush MY_TOKEN=hush OTHER=hush MINE=1 \
		mlp -q -c capture.env="MINE MY_*" train -- true &&
	member variables >v && test_grep "\"OMP_NUM_THREADS\": \"3\"" v && test_grep "\"MINE\": \"1\"" v &&
	member variable_names >n && test_grep NCCL_API_KEY n && test_grep MY_TOKEN n && test_grep OTHER n &&
	! grep -q hush env.json
'

test_expect_success 'the image of a container by its digest, where it is told' '
	APPTAINER_CONTAINER=/images/a.sif MLP_IMAGE_DIGEST=sha256:abc mlp -q train -- true &&
	member container >v && test_grep "\"kind\": \"apptainer\"" v && test_grep "sha256:abc" v &&
	test_grep /images/a.sif v
'

test_expect_success 'machine and limits' '
	member os kernel >v && echo "\"$(uname -r)\"" >want && test_cmp want v &&
	member limits open_files >v && ulimit -n >want && test_cmp want v &&
	member cpu flags >v && ! grep -q null v
'

test_done
