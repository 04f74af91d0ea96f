#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp note
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'setup' '
	mlp init &&
	mlp train -n one -- true
'
test_expect_success 'no note is exit code 1' '
	test_expect_code 1 mlp note one >out </dev/null &&
	test_must_be_empty out
'
test_expect_success 'as an argument, with -m, from a file, from stdin' '
	echo first >expect && mlp note one first && mlp note one >out && test_cmp expect out &&
	mlp note -m second one && mlp note one >out && test_grep second out &&
	echo third >file && mlp note one -F file && mlp note one >out && test_grep third out &&
	echo fourth | mlp note one -F - && mlp note one >out && test_grep fourth out
'
test_expect_success 'it is the tag that MLflow shows' '
	mlp tag one >out &&
	test_grep "^mlflow.note.content  *fourth" out
'
test_expect_success 'the editor gets the old note, and headings survive' '
	test_write_script editor <<-\EOS &&
	grep -q fourth "$1" || exit 1
	sed "1s/.*/# heading/" "$1" >"$1.new" && mv "$1.new" "$1"
	EOS
	EDITOR=./editor mlp note -e one &&
	echo "# heading" >expect &&
	mlp note one >out &&
	test_cmp expect out
'
test_expect_success 'an editor that fails changes nothing and leaves nothing' '
	test_expect_code 128 env EDITOR=false mlp note -e one 2>err &&
	test_grep "the editor .false. failed" err &&
	mlp note one >out &&
	test_cmp expect out &&
	test "$(ls .mlp/tmp)" = ""
'
test_expect_success 'what was typed is kept when it cannot be stored' '
	test_write_script bad <<-\EOS &&
	printf "typed \\377\n" >"$1"
	EOS
	test_expect_code 128 env EDITOR=./bad mlp note -e one 2>err &&
	test_grep "not UTF-8" err &&
	test_grep "^hint: the text is kept in .$TRASH/.mlp/tmp/note-" err &&
	test_grep -a "^typed" .mlp/tmp/note-*.md &&
	rm .mlp/tmp/note-*.md &&
	mlp note one >out && test_cmp expect out
'
test_expect_success 'a setting names the editor' '
	mlp config set core.editor "sed -i 1s/.*/edited/" &&
	EDITOR=false mlp note -e one &&
	test "$(mlp note one)" = edited
'
test_expect_success 'a parent that ignores the end of children does not make it spin' '
	{ timeout 60 env --ignore-signal=CHLD mlp -c core.editor=true note -e one ||
		test $? = 128; } &&
	test "$(mlp note one)" = edited
'
test_expect_success 'an empty note removes it, twice is fine' '
	mlp note one "" &&
	mlp note one "" &&
	test_expect_code 1 mlp note one
'
test_expect_success 'misuse' '
	test_expect_code 129 mlp note one a -m b &&
	test_expect_code 3 mlp note one -F /nonexistent
'
test_done
