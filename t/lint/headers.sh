#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone; the public one in every language it is for.
. "${srcdir:-.}/t/lint/lint-lib.sh"

make_variable()
{
	sed -n "s/^$1 = //p" "$TEST_BUILD/Makefile"
}
CC=$(make_variable CC)
FLAGS="-I$TEST_SOURCE -I$TEST_BUILD $(make_variable SQLITE_CFLAGS)
	$(make_variable LIBGIT2_CFLAGS) $(make_variable CRYPTO_CFLAGS)
	$(make_variable MICROHTTPD_CFLAGS) $(make_variable CURL_CFLAGS)
	$(make_variable YAML_CFLAGS)"

# A header must not need what stands before it in some file, nor be harmed by a
# second inclusion.
lint_empty 'each header compiles alone' '
	for h in $(lint_files "*.h" | grep -v ^lib/mlp.h)
	do
		printf "#include \"config.h\"\n#include \"%s\"\n#include \"%s\"\n" "$h" "$h" |
		$CC $FLAGS -std=gnu11 -Wall -fsyntax-only -x c - 2>&1 | sed "s|^|$h: |"
	done'

lint_empty 'each header has a guard named for it' '
	for h in $(lint_files "*.h")
	do
		guard=$(echo "${h#lib/}" | sed "s/^t\\///" | tr "a-z/.-" "A-Z___")
		grep -q "^#ifndef $guard\$" "$h" && grep -q "^#define $guard\$" "$h" ||
			echo "$h: no $guard"
	done'

if test -f lib/mlp.h
then
	lint_empty 'lib/mlp.h is C99 and needs nothing' '
		echo "#include \"mlp.h\"" |
		$CC -I"$TEST_SOURCE/lib" -std=c99 -pedantic -Wall -Wextra -fsyntax-only -x c - 2>&1'
	if echo 'int x;' | $CC -fsyntax-only -x c++ - 2>/dev/null
	then
		lint_empty 'lib/mlp.h is C++' '
			echo "#include \"mlp.h\"" |
			$CC -I"$TEST_SOURCE/lib" -std=c++11 -pedantic -Wall -fsyntax-only -x c++ - 2>&1'
	else
		lint_skip 'lib/mlp.h is C++' 'no C++ compiler'
	fi
fi

test_done
