#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file includes only from its own folder and from the floors below (HACKING), and
# a foreign library's header only in its home.
. "${srcdir:-.}/t/lint/lint-lib.sh"

# Every #include as grep prints it; the completion scripts are made in the build.
includes()
{
	lint_files '*.[ch]' '*.cu' '*.cuh' |
	xargs grep -nE '^[ 	]*#[ 	]*include' /dev/null |
	grep -vE '"completions/[a-z_.]*\.inc"'
}

lint_empty 'includes of ours are written from the top: "lib/x/y.h"' '
	includes | grep "\"" |
	grep -vE "\"(lib|cmd|cuda|t)/[^\"]*\"|\"config\\.h\"" || :'

lint_empty 'included files of ours exist' '
	includes | sed -n "s/^\\([^:]*:[0-9]*\\):.*\"\\(.*\\)\".*/\\1 \\2/p" |
	while read -r where file
	do
		test "$file" = config.h || test -f "$file" || echo "$where: $file"
	done'

lint_empty 'nothing includes from its own floor or above' '
	includes | awk -v floors="util=1 core=2 db=3 json=3 crypto=3 vcs=3 gpu=3 archive=3 net=3 \
http=3 yaml=3 track=4 store=4 predict=4 columnar=4 capture=5 cost=5 registry=5 eval=5 features=5 \
api=6 mlflow=6 serve=6 launch=7" '\''
		BEGIN {
			n = split(floors, list, " ")
			for (i = 1; i <= n; i++) {
				split(list[i], pair, "=")
				floor["lib/" pair[1]] = pair[2]
			}
			floor["cmd"] = 8
			floor["lib"] = 7.5 # the public API stands on all of the library
			floor["t"] = floor["cuda"] = 9
		}
		function folder(path,   part) {
			split(path, part, "/")
			if (part[1] != "lib")
				return part[1]
			return path ~ /^lib\/[^\/]*$/ ? "lib" : "lib/" part[2]
		}
		/"/ && !/"config\.h"/ {
			split($0, field, ":")
			from = folder(field[1])
			file = $0
			sub(/^[^"]*"/, "", file)
			sub(/".*/, "", file)
			to = folder(file)
			if (file == "lib/mlp.h" || from == to)
				next
			if (!(from in floor) || !(to in floor))
				print field[1] ":" field[2] ": a folder without a floor: " from ", " to
			else if (floor[to] > floor[from])
				print field[1] ":" field[2] ": includes " file " from above"
			else if (floor[to] == floor[from] && from " " to != "lib/track lib/store" &&
				 from " " to != "lib/store lib/track")
				print field[1] ":" field[2] ": includes " file " from its own floor"
		}'\'''

# home HEADER-PATTERN FOLDER
home()
{
	lint_empty "<$1> only in $2" "
		includes | grep -E '[<\"]($1)[>\"]' | grep -vE '^($2)' || :"
}
home 'sqlite3[^>]*\.h' lib/db/
home 'git2[./][^>]*' lib/vcs/
home 'openssl/[^>]*' lib/crypto/
home 'archive[^>/]*\.h' lib/archive/
home 'curl/[^>]*' lib/net/
home 'yaml\.h' lib/yaml/
home 'microhttpd\.h' lib/http/
home 'nvml\.h' lib/gpu/
home 'cuda[^>]*\.h|cub/[^>]*|nccl\.h|cublas[^>]*' cuda/
# Libraries opened at run time: by the homes, by the loader they share, by tests.
home 'dlfcn\.h' 'lib/(core/library.c|gpu/)|cmd/libraries.c|t/(unit|interop|fixtures)/'

lint_empty 'config.h comes first in each .c file' '
	for f in $(lint_files "*.c")
	do
		case $f in t/fixtures/*|t/interop/*|demo/*) continue ;; esac
		first=$(grep -m1 "^#[ 	]*include" "$f")
		test -z "$first" || test "$first" = "#include \"config.h\"" || echo "$f: $first"
	done'

test_done
