#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp show RUN:PART: bytes as stored.
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'setup' '
	mlp init &&
	test_write_script job <<-\EOS &&
	echo one
	sleep 0.1
	echo two >&2
	sleep 0.1
	printf "three\0\377"
	head -c 100000 /dev/urandom >model.bin
	EOS
	mlp train -n r -o model.bin -- ./job "a b" ""
'
test_expect_success 'stdout and stderr, byte by byte' '
	printf "one\nthree\0\377" >expect &&
	mlp show r:stdout >out &&
	cmp expect out &&
	echo two >expect &&
	mlp show r:stderr >out &&
	test_cmp expect out
'
test_expect_success 'log keeps the order' '
	printf "one\ntwo\nthree\0\377" >expect &&
	mlp show r:log >out &&
	cmp expect out
'
test_expect_success '--timestamps begins lines' '
	mlp show -t r:log >out &&
	test_grep "^20..-..-..T..:..:..\....Z out one$" out &&
	test_grep "^20.* err two$" out
'
test_expect_success 'command, quoted, in JSON and by NUL' '
	echo "./job ${SQ}a b${SQ} ${SQ}${SQ}" >expect &&
	mlp show r:command >out &&
	test_cmp expect out &&
	echo "[\"./job\",\"a b\",\"\"]" >expect &&
	mlp show r:command --json >out &&
	test_cmp expect out &&
	printf "./job\0a b\0\0" >expect &&
	mlp show r:command -z >out &&
	cmp expect out
'
test_expect_success 'a stored output, by both names' '
	mlp show r:model.bin >out &&
	cmp model.bin out &&
	mlp show r:outputs/model.bin >out &&
	cmp model.bin out
'
test_expect_success 'an empty run is the newest' '
	mlp show :stderr >out &&
	test_grep two out
'
test_expect_success 'a reader that leaves early is no failure' '
	mlp show r:model.bin | head -c 1 >out &&
	test "$(wc -c <out)" -eq 1
'
test_expect_success FULL 'a full disk is told' '
	test_expect_code 128 sh -c "mlp show r:model.bin >/dev/full" 2>err &&
	test_grep "No space left\|no space left" err
'
test_expect_success GIT 'diff is what git apply takes' '
	git init -q repo && (
		cd repo &&
		mlp init &&
		echo a >file && git add file &&
		git -c user.name=a -c user.email=a@b commit -q -m x &&
		echo b >>file &&
		mlp train -- true &&
		git checkout -q file &&
		mlp show :diff | git apply &&
		test "$(tail -1 file)" = b
	)
'
test_expect_success 'an environment as JSON is one line' '
	mlp show r:env --json >out &&
	test_line_count = 1 out
'
test_expect_success 'what was never there is an error' '
	mlp train -n plain -- true &&
	test_expect_code 128 mlp show plain:diff 2>err &&
	test_grep "no code recorded" err &&
	mlp show plain:stdout >out &&
	test_must_be_empty out
'
test_done
