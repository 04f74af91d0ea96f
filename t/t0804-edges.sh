#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# odd places and odd words
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'MLP_DIR that is no project does not become one' '
	mkdir plain &&
	test_must_fail env MLP_DIR=plain mlp log 2>err &&
	test_grep "no project at .*/plain" err &&
	test_must_fail env MLP_DIR=plain mlp train -- true &&
	test -z "$(ls -A plain)"
'
test_expect_success 'an empty MLP_DIR is none' '
	mkdir fresh && (cd fresh && MLP_DIR= mlp train -- true) &&
	test -d fresh/.mlp
'
test_expect_success 'no project in a folder that is gone, nor in none' '
	mkdir gone &&
	(cd gone && rmdir ../gone && test_expect_code 128 mlp init) 2>err &&
	test_grep "cannot make a project" err &&
	test_expect_code 129 mlp init "" 2>err &&
	test_grep "cannot make a project in" err
'
test_expect_success 'a project of a newer version is left alone' '
	mlp init new && echo "[core] version = 2" >new/.mlp/config &&
	test_expect_code 128 mlp -C new train -- true 2>err &&
	test_grep "has version 2" err
'
test_expect_success 'help, version and doctor work with a broken configuration' '
	mlp init broken && echo "[core" >broken/.mlp/config &&
	mlp -C broken version 2>err && test_grep "bad section" err &&
	mlp -C broken help &&
	mlp -C broken doctor | grep "^store" &&
	test_expect_code 128 mlp -C broken config set a.b c &&
	test_expect_code 128 mlp -C broken nonsense 2>err && test_grep "bad section" err
'
test_expect_success 'a damaged file is not shown as if it were the stored one' '
	mlp train -o f -- sh -c "echo good >f" &&
	object=$(find .mlp/objects -type f -size -6c) &&
	chmod u+w "$object" && echo evil >"$object" &&
	test_expect_code 128 mlp show @:f >out 2>err &&
	test_grep "$(basename "$object")" err
'
test_expect_success 'errors are lower case, and words of the caller do nothing to a terminal' '
	test_expect_code 128 mlp -C "$(printf "x\\033[31m")" log 2>err &&
	test_grep "no such file or directory" err &&
	test_grep ! "$(printf "\\033")" err &&
	test_expect_code 129 mlp -e 2>err "$(printf "\\033")" &&
	test_grep ! "$(printf "\\033")" err
'
test_expect_success 'empty words' '
	test_expect_code 129 mlp "" 2>err && test_grep "unknown command" err &&
	test_expect_code 129 mlp train -o "" -- true 2>err && test_grep "bad output" err
'
test_expect_success 'a note that is not UTF-8' '
	test_expect_code 129 mlp note @ "$(printf "a\\377")" 2>err &&
	test_grep "the note is not UTF-8" err
'
test_expect_success 'durations in a difference have a unit' '
	mlp train -- true && mlp train -- sleep 0.2 && mlp diff @~1 @ >out &&
	test_grep "duration .*0\\.[0-9]*s .*s" out
'
test_done
