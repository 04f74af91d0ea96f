#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files of at most 800 lines, functions of at most 100, and of at most 6 parameters.
. "${srcdir:-.}/t/lint/lint-lib.sh"

lint_empty 'no file is longer than 800 lines' '
	for f in $(lint_files "*.[ch]" "*.cu" "*.cuh" "*.sh" "*.am" "*.m4" "*.py" "*.[1-8]")
	do
		n=$(wc -l <"$f")
		test "$n" -le 800 || echo "$f: $n lines"
	done'

# In this style the brace of a function, and only that, stands at the line start.
functions()
{
	lint_files '*.[ch]' '*.cu' '*.cuh' | xargs awk '
		FNR == 1 { head = ""; open = 0 }
		/^\{/ { open = 1; start = FNR; signature = head; next }
		/^\}/ {
			if (open)
				report()
			open = 0
			head = ""
			next
		}
		open { next }
		/^[[:alpha:]_]/ { head = $0; next }
		/^[[:space:]]/ && head != "" { head = head " " $0; next }
		{ head = "" }

		function report(   list, depth, i, c, n, name)
		{
			name = signature
			sub(/^__attribute__\(\(.*\)\) /, "", name)
			if (!match(name, /[[:alnum:]_]+\(/))
				return
			list = substr(name, RSTART + RLENGTH)
			name = substr(name, RSTART, RLENGTH - 1)
			n = list ~ /^(void)?\)/ ? 0 : 1
			depth = 1
			for (i = 1; i <= length(list) && depth; i++) {
				c = substr(list, i, 1)
				depth += c == "(" ? 1 : c == ")" ? -1 : 0
				n += c == "," && depth == 1
			}
			print FILENAME, start, name, FNR - start - 1, n
		}'
}

lint_empty 'no function is longer than 100 lines' '
	functions | awk "\$4 > 100 { print \$1 \":\" \$2 \": \" \$3 \" has \" \$4 \" lines\" }"'

# Those of the tests may take more: the line they were called from, for instance.
# serve() is called by libmicrohttpd, which gives it 8.
lint_empty 'no function has more than 6 parameters' '
	functions | awk "\$5 > 6 && \$1 !~ /^t\\// && \$1 \$3 != \"lib/http/http.cserve\" {
		print \$1 \":\" \$2 \": \" \$3 \" has \" \$5 \" parameters\" }"'

lint_empty 'the functions were found' '
	test "$(functions | wc -l)" -ge "$(lint_files "*.c" | wc -l)" || echo "too few"'

lint_empty 'lines end without blanks, files with a newline' '
	for f in README HACKING NEWS bootstrap $(lint_files "*.[ch]" "*.cu" "*.sh" "*.am" "*.m4" "*.py" "*.[1-8]")
	do
		grep -nH "[ 	]\$" "$f"
		test ! -s "$f" || test -z "$(tail -c 1 "$f")" || echo "$f: no newline at the end"
	done || :'

# 100 is the aim; a string may need a little more.
lint_empty 'C lines have at most 110 columns' '
	lint_files "*.[ch]" "*.cu" "*.cuh" | while read -r f
	do
		expand "$f" | awk -v f="$f" "length > 110 { print f \":\" NR \": \" length }"
	done'

lint_empty 'README has at most 90 lines, HACKING 200' '
	test "$(wc -l <README)" -le 90 || echo README
	test "$(wc -l <HACKING)" -le 200 || echo HACKING'

test_done
