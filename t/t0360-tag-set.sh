#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp tag
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'setup' '
	mlp init &&
	mlp train -n one -t team=risk -- true
'
test_expect_success 'tags of the start are listed' '
	mlp tag one >out &&
	test_grep "^team  *risk" out
'
test_expect_success 'set, change, list as JSON' '
	mlp tag one stage=new "text=a = b" &&
	mlp tag one stage=old &&
	mlp tag one --json >out &&
	test_grep "{\"key\":\"stage\",\"value\":\"old\"}" out &&
	test_grep "{\"key\":\"text\",\"value\":\"a = b\"}" out
'
test_expect_success '--unset' '
	mlp tag one --unset stage -u text &&
	mlp tag one >out &&
	test_grep ! stage out
'
test_expect_success 'all or nothing' '
	test_expect_code 128 mlp tag one a=1 --unset nonsense 2>err &&
	test_grep "no tag .nonsense." err &&
	mlp tag one >out &&
	test_grep ! "^a " out
'
test_expect_success 'a bad key is refused' '
	test_expect_code 129 mlp tag one "a/../b=1" &&
	test_expect_code 129 mlp tag one novalue &&
	test_expect_code 129 mlp tag one =x
'
test_expect_success 'the name is a tag of MLflow' '
	mlp tag one mlflow.runName=uno &&
	mlp show uno >out &&
	test_grep "uno" out
'
test_expect_success 'a value too long is refused' '
	long=$(printf "%08001d" 0) &&
	test_expect_code 129 mlp tag uno "long=$long"
'
test_done
