#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp rm: to the trash, back, for ever.
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'setup' '
	mlp init &&
	mlp train -n one -- true &&
	mlp train -n two -- true &&
	mlp show one --json >one.json &&
	one=$(sed "s/.*\"id\":\"\([0-9a-f]*\)\".*/\1/;q" one.json)
'
test_expect_success 'rm moves to the trash' '
	mlp rm one 2>err &&
	test_grep "moved run ........ (one) to the trash" err &&
	test_expect_code 128 mlp show one 2>err &&
	test_grep "no run .one." err &&
	mlp show "$one" >out &&
	test_grep "in the trash" out
'
test_expect_success '--restore takes it back, by name too' '
	mlp rm --restore one &&
	mlp show one &&
	test_expect_code 128 mlp rm --restore one 2>err &&
	test_grep "not in the trash" err
'
test_expect_success 'nothing is done when one of several cannot be' '
	test_expect_code 128 mlp rm one nonsense 2>err &&
	test_grep "no run .nonsense." err &&
	mlp show one
'
test_expect_success '--force deletes for ever and says what' '
	mlp rm --force one 2>err &&
	test_grep "deleted run $(echo "$one" | tail -c 9) (one)" err &&
	test_expect_code 128 mlp show "$one"
'
test_expect_success 'the same run twice is fine' '
	mlp rm two two
'
test_expect_success 'a live run is refused, with a hint' '
	{ mlp train -n alive -- sleep 60 >/dev/null 2>&1 & } && pid=$! &&
	test_when_finished "kill $pid; wait $pid || :" &&
	test_wait_for 20 mlp show alive &&
	test_expect_code 128 mlp rm alive 2>err &&
	test_grep "still running" err &&
	test_grep "^hint: .mlp stop" err &&
	test_expect_code 128 mlp rm --force alive
'
test_expect_success 'misuse' '
	test_expect_code 129 mlp rm &&
	test_expect_code 129 mlp rm --force --restore two
'
test_done
