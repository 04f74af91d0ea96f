#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "${srcdir:-.}/t/lint/lint-lib.sh"

pages=$(lint_files '*.[1-8]' | grep ^man/)
test -n "$pages" || test_skip_all 'no manual pages'
lint_have mandoc || test_skip_all 'no mandoc'

# References to other pages are checked below; the rest of what lint says counts.
lint_empty 'mandoc -Tlint has nothing to say' '
	mandoc -Tlint -W warning $pages 2>&1 || :'

lint_empty 'a referenced page of ours exists' '
	grep -nE "^\\.Xr (mlp|mlp-[a-z-]+) [0-9]" $pages /dev/null |
	while read -r line
	do
		# shellcheck disable=SC2086 # to be split
		set -- ${line#*:.Xr}
		test -f "man/$1.$2" || echo "${line%%:*}: $1($2)"
	done | sort -u'

lint_empty 'the name in the title is the name of the file' '
	for f in $pages
	do
		base=${f##*/}
		want="$(echo "${base%.*}" | tr a-z A-Z) ${base##*.}"
		test "$(sed -n "s/^\\.Dt //p" "$f")" = "$want" || echo "$f: .Dt should be $want"
	done'

test_done
