#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Functions nobody may call, words that may not be in the tree, and licence lines.
. "${srcdir:-.}/t/lint/lint-lib.sh"

# banned FUNCTION REASON
banned()
{
	lint_empty "nobody calls $1: $2" "
		lint_files '*.[ch]' '*.cu' | xargs grep -nE '(^|[^[:alnum:]_.>\"])$1[ ]?\\(' /dev/null |
		grep -vE ':[0-9]+:[[:space:]]*(/?\\*|//)' || :"
}
for f in strcpy strcat strncat stpcpy sprintf vsprintf gets
do
	banned $f 'it does not know the size'
done
banned strncpy 'it may leave no NUL'
banned strtok 'it keeps state'
for f in tmpnam tempnam mktemp
do
	banned $f 'another may take the name'
done
for f in system popen
do
	banned $f 'a shell reads its argument'
done
banned alloca 'the stack is small'
banned readdir_r 'it cannot be used safely'

# On what a test wrote itself it does no harm.
lint_empty 'nobody calls atoi: it takes anything for a number' '
	lint_files "*.[ch]" | grep -v ^t/ | xargs grep -nE "[^[:alnum:]_]atoi\(" || :'

lint_empty 'handlers are set with sigaction(), which says what it does' '
	lint_files "*.[ch]" | xargs grep -nE "[^[:alnum:]_]signal\(SIG[A-Z0-9]+, [a-z]" || :'

lint_empty 'the library does not print, exit or read the terminal' '
	lint_files "*.c" | grep "^lib/" |
	xargs grep -nE "(^|[^[:alnum:]_])(printf|puts|putchar|perror|exit|getopt|getopt_long)[ ]?\\(" |
	grep -v "lib/util/xalloc.c" || :'

lint_empty 'no host of a package registry, no path of somebody'\''s machine' '
	{ lint_files "*" && ls README HACKING NEWS bootstrap configure.ac Makefile.am; } |
	grep -v -e "^t/lint/banned.sh" -e "^demo/.*\\.csv" |
	xargs grep -nIE "(pypi|pythonhosted|npmjs|crates\\.io|conda\\.anaconda|deb\\.debian)[./]|/(home|Users)/[a-z][a-z]+|/work/|/root/" || :'

lint_empty 'nothing is left to do' '
	lint_files "*" | grep -v -e "^t/lint/" -e "^t/test-lib.sh" -e "^t/t0000-" -e "\\.csv$" |
	xargs grep -nIwE "(TO)(DO)|FIX(ME)|XX(X)" || :'

lint_empty 'every file has its licence line' '
	{ lint_files "*.[ch]" "*.cu" "*.cuh" "*.sh" "*.py" "*.[1-8]" "*.fish" "*.bash" "_mlp" "run" &&
	  ls bootstrap; } |
	grep -v "^t/fixtures/" |
	while read -r f
	do
		head -4 "$f" | grep -q "SPDX-License-Identifier: Apache-2.0" || echo "$f"
	done'

test_done
