#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp show --plot
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'setup' '
	mlp init &&
	test_write_script job <<-\EOS &&
	exec 9>"$MLP_METRICS"
	i=0
	while test $i -lt 50
	do
		echo "{\"loss\": $(($1 * i)), \"flat\": 3, \"inf\": Infinity, \"step\": $i}" >&9
		i=$((i + 1))
	done
	EOS
	mlp train -n one -- ./job 1 &&
	mlp train -n two -- ./job 2
'
test_expect_success 'ASCII in the C locale, of the size asked for' '
	LC_ALL=C mlp show --plot loss --width 40 --height 10 one >out &&
	test_line_count = 10 out &&
	test_grep "^loss$" out &&
	test_grep "^ *49 +" out &&
	test_grep "0  *step  *49$" out &&
	test_grep "[*]" out &&
	LC_ALL=C test_grep ! "[^ -~]" out &&
	awk "length > 40 { exit 1 }" out
'
test_expect_success 'braille in UTF-8' '
	LC_ALL=C.UTF-8 mlp show --plot loss one >out &&
	test_line_count = 20 out &&
	LC_ALL=C test_grep "$(printf "\342\240")" out
'
test_expect_success 'several runs over one another, with a legend' '
	LC_ALL=C mlp show --plot loss one two >out &&
	test_grep "^loss  \* one  + two$" out &&
	test_grep "^ *98 +" out &&
	LC_ALL=C.UTF-8 mlp show --plot loss one two >out &&
	test_grep "^loss  \* one  + two$" out
'
test_expect_success 'flat, log, nothing that can be drawn' '
	mlp show --plot flat >out &&
	mlp show --plot loss --log >out &&
	test_grep "(log)" out &&
	mlp show --plot inf >out &&
	test_grep "no value that can be drawn" out
'
test_expect_success 'by time' '
	mlp show --plot loss --x time >out &&
	test_grep "time" out
'
test_expect_success 'the points for programs' '
	mlp show --plot loss --json one two >out &&
	test_line_count = 100 out &&
	test_grep "\"key\":\"loss\",\"step\":49,.*\"value\":98}" out
'
test_expect_success 'a metric that is not there' '
	test_expect_code 128 mlp show --plot nonsense 2>err &&
	test_grep "no points of metric .nonsense." err
'
test_expect_success 'misuse' '
	test_expect_code 129 mlp show --plot loss --x nonsense &&
	test_expect_code 129 mlp show --plot loss --width 100000 &&
	test_expect_code 129 mlp show --plot loss --height -1
'
test_expect_success 'the smallest chart' '
	mlp show --plot loss --width 1 --height 1 >out &&
	test_grep loss out
'
test_expect_success 'the largest numbers' '
	test_write_script huge <<-\EOS &&
	exec 9>"$MLP_METRICS"
	for v in 1.7e308 -1.7e308 0
	do
		echo "{\"wide\": $v, \"top\": 1.7e308, \"bottom\": -1.7e308}" >&9
		echo "{\"system/x_bytes\": 1e308}" >&9
	done
	EOS
	mlp train -n huge -- ./huge &&
	LC_ALL=C mlp show --system huge >out &&
	test_grep "^  wide .*@[.][+]$" out &&
	for m in wide top bottom
	do
		LC_ALL=C mlp show --plot $m huge >out && test_grep ! "nan" out || return 1
	done
'
test_done
