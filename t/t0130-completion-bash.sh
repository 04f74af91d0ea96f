#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp completion-data, and bash really completing with it.
. "${srcdir:-.}/t/test-lib.sh"

# words WORD...: the candidates alone.
words()
{
	mlp completion-data -- "$@" | cut -f1
}

test_expect_success 'outside a project: commands' '
	words "" >out &&
	test_grep "^train$" out &&
	test_grep ! "completion-data" out &&
	words sho >out &&
	echo show >expect &&
	test_cmp expect out
'
test_expect_success 'setup' '
	mlp init &&
	mlp config set alias.last "show --plot" &&
	mlp train -n calm-fox -e credit -p lr=1 -- \
		sh -c "echo \"{\\\"loss\\\": 1}\" >\"\$MLP_METRICS\"; echo x >made" &&
	id=$(mlp show --json | sed "s/.*\"short\":\"\([0-9a-f]*\)\".*/\1/")
'
test_expect_success 'runs by id and by name, with a description' '
	mlp completion-data -- show "" >out &&
	test_grep "^$id	calm-fox, finished, " out &&
	words show cal >out &&
	echo calm-fox >expect &&
	test_cmp expect out
'
test_expect_success 'parts of a run' '
	words show calm-fox:st >out &&
	test_write_lines calm-fox:stdout calm-fox:stderr >expect &&
	test_cmp expect out
'
test_expect_success 'options, with their values' '
	words show --pl >out && echo --plot >expect && test_cmp expect out &&
	words show --plot "" >out && test_grep "^loss$" out &&
	words show --plot=lo >out && echo --plot=loss >expect && test_cmp expect out &&
	words train --no-n >out && test_write_lines --no-name --no-nice >expect && test_cmp expect out &&
	words train --n >out && test_write_lines --name --nice >expect && test_cmp expect out &&
	words show --x "" >out && test_write_lines step time >expect && test_cmp expect out &&
	words --color "" >out && test_write_lines always never auto >expect && test_cmp expect out &&
	words --color=a >out && test_write_lines --color=always --color=auto >expect &&
	test_cmp expect out
'
test_expect_success 'verbs, settings, aliases' '
	words config "" >out && test_grep "^unset$" out &&
	words config get core.p >out && echo core.pager >expect && test_cmp expect out &&
	words la >out && echo last >expect && test_cmp expect out &&
	words last "" >out && test_grep "^loss$" out
'
test_expect_success 'experiments and commands to run' '
	words train -e "" >out && test_grep "^credit$" out &&
	words train -- py >out && echo :program >expect && test_cmp expect out &&
	words train -- python3 tr >out && echo :file >expect && test_cmp expect out
'
test_expect_success 'an external command on PATH' '
	mkdir bin && test_write_script bin/mlp-frob <<-\EOS &&
	exit 0
	EOS
	PATH=$PWD/bin:$PATH words fro >out && echo frob >expect && test_cmp expect out
'
test_expect_success 'never an error, whatever the store' '
	echo garbage >bad && mkdir broken broken/.mlp && cp bad broken/.mlp/mlp.db &&
	(cd broken && mlp completion-data -- show "") >out 2>err &&
	test_must_be_empty out &&
	test_must_be_empty err
'

test_lazy_prereq BASH 'bash -c "mapfile -t a </dev/null"'
test_lazy_prereq ZSH 'command -v zsh'
test_lazy_prereq FISH 'command -v fish'

# complete_bash LINE: what readline would be given.
test_expect_success BASH 'setup of bash' '
	cat >complete.bash <<-\EOS
	eval "$(mlp completion bash)"
	COMP_LINE=$1 COMP_POINT=${#1}
	compopt() { :; }
	_mlp
	printf "%s\n" "${COMPREPLY[@]}"
	EOS
'
test_expect_success BASH 'bash: commands, runs, what stands after a colon or equals sign' '
	bash complete.bash "mlp sho" >out && echo show >expect && test_cmp expect out &&
	bash complete.bash "mlp show cal" >out && echo calm-fox >expect && test_cmp expect out &&
	bash complete.bash "mlp show calm-fox:stdo" >out && echo stdout >expect &&
	test_cmp expect out &&
	bash complete.bash "mlp show --plot=lo" >out && echo loss >expect && test_cmp expect out &&
	touch traced.py &&
	bash complete.bash "mlp train -- python3 trac" >out && echo traced.py >expect &&
	test_cmp expect out
'
test_expect_success ZSH 'zsh takes the script' '
	mlp completion zsh >_mlp && zsh -n _mlp
'
test_expect_success FISH 'fish completes' '
	mlp completion fish >mlp.fish &&
	fish --no-config -c "source mlp.fish; complete -C \"mlp sho\"" >out &&
	test_grep "^show	" out &&
	fish --no-config -c "source mlp.fish; complete -C \"mlp show cal\"" >out &&
	test_grep "^calm-fox	" out
'
test_expect_success 'an unknown shell' '
	test_expect_code 129 mlp completion tcsh
'
test_done
