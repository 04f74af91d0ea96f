#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "${srcdir:-.}/t/lint/lint-lib.sh"

lint_have shellcheck || test_skip_all 'no shellcheck'

# In tests: a string is code (2016), variables come from the harness (2154, 2034), it
# is sourced by a path made at run time (1090, 1091), "a && b || :" is meant (2015),
# "! cmd" counts as the end of a chain (2251), functions are called from strings (2317).
lint_empty 'tests are clean of warnings' '
	lint_files "*.sh" | grep ^t/ |
	xargs shellcheck -S warning -s sh -f gcc -e 1090,1091,2015,2016,2034,2154,2251,2317 || :'

lint_empty 'scripts are clean' '
	for f in bootstrap .ci/run completions/mlp.bash demo/tour $(lint_files "*.sh" | grep -v ^t/)
	do
		test ! -f "$f" || shellcheck -f gcc -e 1090,1091 "$f" || :
	done'

for shell in dash bash
do
	if lint_have $shell
	then
		lint_empty "$shell reads all scripts" '
			for f in bootstrap demo/tour $(lint_files "*.sh")
			do
				test ! -f "$f" || "$shell" -n "$f" 2>&1
			done'
	fi
done

test_done
