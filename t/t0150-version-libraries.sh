#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp version
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'version is one line' '
	mlp version >out &&
	test_line_count = 1 out &&
	test_grep "^mlp [0-9][0-9.]* (tested with MLflow.s client [0-9.]*)$" out
'
test_expect_success '--version is the same' '
	mlp --version >other &&
	test_cmp out other
'
test_expect_success '-v names the libraries' '
	mlp version -v >out &&
	test_grep "^sqlite  *[0-9]" out &&
	test_grep "^libgit2" out &&
	test_grep "^libcrypto" out
'
test_expect_success '--json and -z' '
	mlp version -v --json | head -1 >out &&
	test_grep "^{\"name\":\"mlp\",\"version\":\"[0-9]" out &&
	mlp version -z | tr "\0" "\n" >out &&
	test_grep "^name=mlp$" out
'
test_expect_success 'a driver library that is named is asked' '
	MLP_NVML_LIB=/nonexistent mlp version -v >out &&
	test_grep "^nvidia driver  *-$" out
'
test_done
