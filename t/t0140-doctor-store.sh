#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp doctor: what is wrong is found, and only that.
. "${srcdir:-.}/t/test-lib.sh"

MLP_NVML_LIB=/nonexistent
export MLP_NVML_LIB

test_expect_success 'without a project' '
	mlp doctor >out &&
	test_grep "^mlp  *ok" out &&
	test_grep "^project  *absent" out
'
test_expect_success 'a sound project' '
	mlp init &&
	mlp doctor &&
	echo model >m &&
	test_write_script job <<-\EOS &&
	echo out
	echo "$1" >model.bin
	EOS
	mlp train -o model.bin -- ./job x &&
	mlp doctor --deep >out &&
	test_grep "^store  *ok" out &&
	test_grep "^objects  *ok" out &&
	test_grep "^contents  *ok" out &&
	test_grep "^leftovers  *ok" out
'
test_expect_success '--json' '
	mlp doctor --json >out &&
	test_grep "{\"check\":\"store\",\"state\":\"ok\"" out
'
test_expect_success 'settings that stop other commands are found' '
	test_when_finished "mv sound .mlp/config" &&
	cp .mlp/config sound &&
	mlp doctor >out &&
	test_grep "^config  *ok" out &&
	echo "[core" >.mlp/config &&
	test_expect_code 1 mlp doctor >out 2>err &&
	test_grep "^config  *wrong  *bad setting in .*config at line" out &&
	test_grep "^store  *ok" out &&
	test_must_be_empty err &&
	printf "[core]\n\tversion = 99\n" >.mlp/config &&
	test_expect_code 1 mlp doctor --json >out &&
	test_grep "{\"check\":\"config\",\"state\":\"wrong\".*version 99" out
'
test_expect_success 'changed bytes are found by --deep' '
	cp -r .mlp good &&
	f=$(find .mlp/objects -type f | head -1) &&
	chmod u+w "$f" && echo bad >>"$f" &&
	mlp doctor &&
	test_expect_code 1 mlp doctor --deep >out &&
	test_grep "^contents  *wrong" out
'
test_expect_success 'a lost object is found' '
	rm -f "$f" &&
	test_expect_code 1 mlp doctor >out &&
	test_grep "^objects  *wrong  *1 of .* missing" out &&
	rm -rf .mlp && mv good .mlp
'
test_expect_success 'leftovers are named, and are no fault' '
	touch -t 202001010000 .mlp/tmp/old &&
	mkdir -p .mlp/runs/0123456789abcdef0123456789abcdef &&
	mlp doctor >out &&
	test_grep "^tmp  *warning  *1 left behind.*old" out &&
	test_grep "^runs  *warning  *1 folder of" out
'
test_expect_success 'a damaged database is found' '
	rm -f .mlp/mlp.db-wal .mlp/mlp.db-shm &&
	dd if=/dev/urandom of=.mlp/mlp.db bs=1 seek=5000 count=8000 conv=notrunc 2>/dev/null &&
	test_expect_code 1 mlp doctor >out &&
	test_grep "^store  *wrong" out
'
test_expect_success 'a file that is no database is found' '
	echo "this is not a database, it is long enough to look at" >.mlp/mlp.db &&
	test_expect_code 1 mlp doctor >out &&
	test_grep "^store  *wrong" out
'
test_done
