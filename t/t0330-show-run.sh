#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp show: the page of a run, as text, JSON and fields.
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'no run yet' '
	mlp init &&
	test_expect_code 128 mlp show 2>err &&
	test_grep "no run yet" err
'
test_expect_success 'setup' '
	test_write_script job <<-\EOS &&
	exec 9>"$MLP_METRICS"
	i=0
	while test $i -lt 20
	do
		echo "{\"loss\": $((20 - i)).5, \"step\": $i}" >&9
		i=$((i + 1))
	done
	echo "{\"odd\": NaN, \"step\": 1}" >&9
	echo out
	echo err >&2
	echo model >model.bin
	exit ${1:-0}
	EOS
	echo a,b >data.csv &&
	mlp train -e credit -n good -p lr=0.1 -t team=risk -i data.csv -o model.bin --seed 7 \
		-- ./job 0 "it${SQ}s" &&
	test_expect_code 3 mlp train -n bad -- ./job 3
'
test_expect_success 'everything is there' '
	mlp show good >out &&
	test_grep "^run ........ good  finished  in credit$" out &&
	test_grep "team=risk" out &&
	test_grep "lr  0.1" out &&
	test_grep "loss  *1.5  *19  *20  *1.5  *20.5" out &&
	test_grep "odd  *NaN" out &&
	test_grep "seed  *7" out &&
	test_grep "data.csv  *4 B" out &&
	test_grep "model.bin  *6 B" out
'
test_expect_success 'the newest run is the default, and tells why it failed' '
	mlp show >out &&
	test_grep "bad  failed" out &&
	test_grep "exit  *code 3" out &&
	test_grep "last lines of stderr" out &&
	test_grep "^  err$" out
'
test_expect_success 'no escape sequences and no bars of UTF-8 in the C locale' '
	LC_ALL=C mlp show good >out &&
	LC_ALL=C test_grep ! "[^ -~]" out
'
test_expect_success '--color=always colours' '
	mlp --color=always show good >out &&
	test_grep "$(printf "\033")\[32mfinished" out
'
test_expect_success '--json is one object a run' '
	mlp show good bad --json >out &&
	test_line_count = 2 out &&
	test_grep "\"seed\":7" out &&
	test_grep "\"value\":\"NaN\"" out &&
	test_grep "\"params\":{\"lr\":\"0.1\"}" out
'
test_expect_success PYTHON '--json is JSON' '
	python3 -c "
import json, sys
runs = [json.loads(l) for l in open(\"out\")]
assert runs[0][\"command\"][\"argv\"] == [\"./job\", \"0\", \"it\x27s\"], runs[0][\"command\"]
assert runs[0][\"metrics\"][\"loss\"] == 1.5
assert runs[0][\"series\"][0] | {\"time\": 0} == {\"key\": \"loss\", \"value\": 1.5, \"step\": 19,
	\"time\": 0, \"points\": 20, \"min\": 1.5, \"max\": 20.5}
assert runs[1][\"exit_code\"] == 3 and runs[1][\"status\"] == \"failed\"
"
'
test_expect_success '-z is fields' '
	mlp show good -z | tr "\0" "\n" >out &&
	test_grep "^name=good$" out &&
	test_grep "^params.lr=0.1$" out &&
	test_grep "^metrics.loss=1.5$" out
'
test_expect_success 'a name with a colon and a part that is none' '
	mlp train -n a:b -- true &&
	mlp show a:b >out &&
	test_grep " a:b  finished" out &&
	test_expect_code 128 mlp show good:nonsense 2>err &&
	test_grep "the run has no .nonsense." err
'
test_expect_success 'what counts from the start has no mean' '
	mlp train -n counted -- sh -c "echo \"{\\\"system/read_bytes\\\": 1000}
{\\\"system/read_bytes\\\": 3000}
{\\\"system/level\\\": 1}
{\\\"system/level\\\": 3}\" >\"\$MLP_METRICS\"" &&
	mlp show -s counted >out &&
	test_grep "^  read_bytes  *-  " out &&
	test_grep "^  level  *2  *3" out
'
test_expect_success 'text from a run cannot write to the terminal' '
	mlp train -n "$(printf "x\033[31my")" -t "t=$(printf "\007")" -- true &&
	mlp show >out &&
	test_grep ! "$(printf "\033")" out &&
	test_grep ! "$(printf "\007")" out
'
test_expect_success 'one point is least and greatest at once' '
	mlp train -n point -- sh -c "echo {\\\"once\\\":0.5} >\$MLP_METRICS" && mlp show point >out &&
	test_grep "^ *once  *0.5  *[-0-9]*  *1  *0.5  *0.5" out
'

test_done
