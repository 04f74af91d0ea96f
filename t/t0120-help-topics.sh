#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp help, -h, --help, the list of commands.
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'help lists every command under a heading' '
	mlp help >out &&
	mlp help --list >names &&
	while read -r name
	do
		grep -q "^    $name  " out || { echo "no $name"; return 1; }
	done <names
'
test_expect_success 'hidden commands are not listed' '
	mlp help --list >names &&
	test_grep ! completion-data names
'
test_expect_success 'help of a command without a terminal is its -h' '
	mlp help show >out &&
	mlp show -h >expect &&
	test_cmp expect out
'
test_expect_success '--help does the same, also of an option' '
	mlp show --help >out &&
	test_cmp expect out
'
test_expect_success 'help of an alias says what it stands for' '
	mlp init &&
	mlp config set alias.last "show @" &&
	echo "${SQ}last${SQ} is an alias of ${SQ}show @${SQ}" >expect &&
	mlp help last >out &&
	test_cmp expect out
'
test_expect_success 'an unknown topic is an error with a hint' '
	test_expect_code 128 mlp help nonsense 2>err &&
	test_grep "no help for .nonsense." err &&
	test_grep "^hint:" err
'
test_expect_success 'a page that is no command is found by MLP_MANPATH' '
	mkdir pages bin &&
	echo page >pages/mlp-json.7 &&
	test_write_script bin/man <<-\EOS &&
	cat "$1"
	EOS
	echo page >expect &&
	PATH=$PWD/bin:$PATH MLP_MANPATH=$PWD/pages mlp help json >out &&
	test_cmp expect out
'
test_expect_success 'compressed, by man itself, and of libmlp' '
	mv pages/mlp-json.7 pages/mlp-json.7.gz &&
	PATH=$PWD/bin:$PATH MLP_MANPATH=$PWD/pages mlp help json >out &&
	test_cmp expect out &&
	echo "of libmlp" >pages/libmlp.3 &&
	PATH=$PWD/bin:$PATH MLP_MANPATH=$PWD/pages mlp help libmlp >out &&
	test_grep "^of libmlp" out &&
	mkdir knows &&
	test_write_script knows/man <<-\EOS &&
	echo "page of $1"
	EOS
	PATH=$PWD/knows:$PATH mlp help format-x >out &&
	echo "page of mlp-format-x" >expect &&
	test_cmp expect out
'
test_expect_success 'a verb has its own short help, in the page of its command' '
	mlp cost report -h >expect &&
	mlp help cost report >out &&
	test_cmp expect out &&
	mlp cost report --help >out &&
	test_cmp expect out &&
	test_expect_code 129 mlp help cost nonsense 2>err &&
	test_grep "no verb .nonsense. of .cost." err &&
	test_expect_code 129 mlp help log x
'
test_expect_success 'a program mlp-NAME is said to be one' '
	test_write_script bin/mlp-tool <<-\EOS &&
	true
	EOS
	PATH=$PWD/bin:$PATH mlp help tool >out &&
	test_grep "^.tool. is the program .*/bin/mlp-tool.$" out
'
test_expect_success 'an option of mlp itself behind the command is told where it goes' '
	for option in -q --quiet --no-pager -C
	do
		test_expect_code 129 mlp log $option 2>err || return 1
		test_grep "^mlp: option .$option. goes before the command$" err || return 1
	done &&
	test_expect_code 129 mlp config list -q 2>err && test_grep "goes before" err &&
	test_expect_code 129 mlp log -X 2>err && test_grep "unknown option .-X." err
'

test_expect_success 'no command at all is misuse, and lists' '
	test_expect_code 129 mlp >out &&
	test_grep "^usage: mlp" out
'
test_expect_success 'a mistyped command is refused with the one meant' '
	test_expect_code 129 mlp verison 2>err &&
	test_grep "unknown command .verison." err &&
	test_grep "hint: did you mean .mlp version." err &&
	test_expect_code 129 mlp qqqqqqqq 2>err &&
	test_grep ! "did you mean" err &&
	test_write_script bin/mlp-extras <<-\EOS &&
	true
	EOS
	test_expect_code 129 env PATH="$PWD/bin:$PATH" mlp extas 2>err &&
	test_grep "hint: did you mean .mlp extras." err &&
	mlp config set alias.newest "show @" &&
	test_expect_code 129 mlp newset 2>err &&
	test_grep "hint: did you mean .mlp newest." err
'

test_expect_success 'mlp-NAME on PATH is a command' '
	mkdir -p bin && test_write_script bin/mlp-hello <<-\EOF &&
	echo "hello $*"
	exit 7
	EOF
	test_expect_code 7 env PATH="$PWD/bin:$PATH" mlp hello a "b c" >out &&
	echo "hello a b c" >expect && test_cmp expect out
'

test_expect_success 'an alias takes arguments, cannot hide a command, and ends in one' '
	mlp -c alias.v="version --json" v >out && test_grep "\"name\":\"mlp\"" out &&
	mlp -c alias.version=nonsense version >out && test_grep "^mlp" out &&
	test_expect_code 129 mlp -c alias.a=b -c alias.b=a a 2>err &&
	test_grep "unknown command .b." err && test_grep ! "did you mean" err
'

test_expect_success '--color takes three words' '
	test_expect_code 129 mlp --color=bogus help 2>err &&
	test_grep "color is always, never or auto, not .bogus." err &&
	mlp --color=never help >out
'
test_expect_success FULL 'help that cannot be written is a failure' '
	test_expect_code 128 sh -c "mlp -h >/dev/full" 2>err &&
	test_grep "cannot write to standard output" err
'
test_done
