#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp init
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'makes a project, here or there' '
	mlp init >out &&
	test_grep "made an empty project in $TRASH/.mlp" out &&
	test_path_is_dir .mlp/objects &&
	test_path_is_file .mlp/mlp.db &&
	mlp init deep/er/there &&
	test_path_is_dir deep/er/there/.mlp
'
test_expect_success 'twice is fine, and completes' '
	rm -r .mlp/tmp &&
	mlp config set a.b c &&
	mlp init >out &&
	test_grep "found an existing project" out &&
	test_path_is_dir .mlp/tmp &&
	test "$(mlp config get a.b)" = c
'
test_expect_success 'it is found from below, with -C, and by MLP_DIR' '
	mkdir -p below/it &&
	test "$(cd below/it && mlp config get a.b)" = c &&
	test "$(mlp -C below/it config get a.b)" = c &&
	test "$(cd / && MLP_DIR=$TRASH/.mlp mlp config get a.b)" = c
'
test_expect_success GIT 'git does not see it' '
	git init -q repo && (
		cd repo && mlp init &&
		test -z "$(git status --porcelain)"
	)
'
test_expect_success BOUND 'a folder that cannot be written' '
	mkdir closed && chmod 500 closed &&
	test_expect_code 128 test_bound mlp init closed 2>err &&
	test_grep "cannot make folder" err
'
test_expect_success 'a file in the way' '
	echo >file &&
	test_expect_code 128 mlp init file 2>err &&
	test_grep "cannot make folder .$TRASH/file/.mlp." err
'
test_expect_success 'outside a project commands say what to do' '
	rm -rf .mlp &&
	test_expect_code 128 mlp show 2>err &&
	test_grep "^mlp: not a project" err &&
	test_grep "^hint: .mlp init. makes one" err
'
test_done
