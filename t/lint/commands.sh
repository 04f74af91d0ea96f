#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command has a file, a manual page that agrees with -h, and a test; every list
# in the makefiles is complete.
. "${srcdir:-.}/t/lint/lint-lib.sh"

commands=$(sed -n 's/^MLP_CMD(\(.*\))$/\1/p' cmd/commands.def | tr _ -)

# definition COMMAND: its struct mlp_cmd, after the name of the file.
definition()
{
	find cmd -name '*.c' -exec awk -v start="const struct mlp_cmd cmd_$(echo "$1" | tr - _) = {" '
		$0 == start { print FILENAME; on = 1 }
		on { print }
		/^};/ { on = 0 }' {} +
}

visible=
for c in $commands
do
	definition "$c" | grep -q IS_HIDDEN || visible="$visible $c"
done

lint_empty 'commands.def is sorted' '
	echo "$commands" | LC_ALL=C sort -c 2>&1'

lint_empty 'each command has its file or folder' '
	for c in $visible
	do
		test "$(definition "$c" | head -1)" = "cmd/$c.c" || echo "$c"
	done'

lint_empty 'each command has a manual page' '
	for c in $visible
	do
		test -f "man/mlp-$c.1" || echo "$c"
	done'

lint_empty 'each manual page has a command' '
	for f in man/mlp-*.1
	do
		c=${f#man/mlp-}
		test -f "$f" || continue
		echo " $visible " | grep -q " ${c%.1} " || echo "$f"
	done'

lint_empty 'each command has a test' '
	for c in $visible
	do
		ls t/t[0-9][0-9][0-9][0-9]-"$c"[-.]*sh >/dev/null 2>&1 || echo "$c"
	done'

lint_empty 'each command says what it does with -h' '
	for c in $commands
	do
		mlp "$c" -h >"$TRASH/help" 2>&1 </dev/null || echo "$c: exit code $?"
		grep -q "^usage: mlp $c" "$TRASH/help" || echo "$c: no usage line"
	done'

# verbs COMMAND: from the list between the summary and the options.
verbs()
{
	mlp "$1" -h | sed -n 's/^    \([a-z][a-z-]*\)  *.*/\1/p'
}

# usages COMMAND [VERB]: "mlp x [-f]", one a line.
usages()
{
	# shellcheck disable=SC2068 # the verb may be absent
	mlp $@ -h | sed -n 's/^usage: //p; s/^   or: //p'
}

# Words of a line joined by one blank each; "ARG ..." is mdoc for "ARG...".
squeeze()
{
	sed 's/[[:space:]][[:space:]]*/ /g; s/^ //; s/ $//; s/ \.\.\./.../g'
}

# The lines of SYNOPSIS of a page, one form each.
synopsis()
{
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$1" |
	sed '1s/.*/.Dd today\n.Dt X 1\n.Os\n.Sh NAME\n.Nm mlp\n.Nd x\n&/; $d' |
	mandoc -Tascii -Owidth=800 | sed 's/.\x08//g' |
	sed -n '/^SYNOPSIS/,/^[^ S]/p' | grep '^ ' | squeeze
}

if lint_have mandoc
then
	lint_empty 'SYNOPSIS is what -h says' '
		for c in $visible
		do
			test -f "man/mlp-$c.1" || continue
			synopsis "man/mlp-$c.1" | LC_ALL=C sort >"$TRASH/page"
			v=$(verbs "$c")
			if test -n "$v"
			then
				for verb in $v
				do
					usages "$c" "$verb"
				done
			else
				usages "$c"
			fi | squeeze | LC_ALL=C sort >"$TRASH/usage"
			# A command with verbs may also work without one.
			test -z "$v" || { usages "$c" | squeeze >"$TRASH/own" &&
				grep -vxFf "$TRASH/own" "$TRASH/page" >"$TRASH/rest"
				grep -vxFf "$TRASH/own" "$TRASH/usage" >"$TRASH/usage.rest"
				mv "$TRASH/rest" "$TRASH/page"
				mv "$TRASH/usage.rest" "$TRASH/usage"; }
			diff "$TRASH/page" "$TRASH/usage" |
				sed -n "s/^</mlp-$c.1, page:/p; s/^>/mlp-$c.1,   -h:/p"
		done'
else
	lint_skip 'SYNOPSIS is what -h says' 'no mandoc'
fi

# Options of -h, with those of the verbs: -x and --long, one a line.
help_options()
{
	{ mlp "$1" -h; for verb in $(verbs "$1"); do mlp "$1" "$verb" -h; done; } |
	sed -n 's/^    \(-[^ ].*\)/\1/p' | sed 's/   *.*//' | tr -s ', ' '\n' | grep '^-' |
	LC_ALL=C sort -u
}

# Options that a page lists, as ".It Fl e , Fl -experiment Ar NAME".
page_options()
{
	grep -E '^\.It (Fl|Xo Fl)' "$1" | sed 's/\\-/-/g' | awk '{
		for (i = 1; i < NF; i++)
			if ($i == "Fl")
				print "-" $(i + 1)
	}' | LC_ALL=C sort -u
}

lint_empty 'each setting is in mlp-config(1)' '
	sed -n "s/^	{ \"\([^\"]*\)\".*/\1/p" cmd/settings_known.c >"$TRASH/settings"
	test -s "$TRASH/settings" || echo "no settings found"
	while read -r key
	do
		grep "^\.It Ql " man/mlp-config.1 | tr -s " ," "\n" | grep -qxF "$key" || echo "$key"
	done <"$TRASH/settings"'

# What every command has is told in mlp(1).
common='^(-h|--help|--json|-z)$'

lint_empty 'each option of -h is in the manual page' '
	for c in $visible
	do
		test -f "man/mlp-$c.1" || continue
		page_options "man/mlp-$c.1" >"$TRASH/page"
		help_options "$c" | grep -vE "$common" | grep -vxFf "$TRASH/page" | sed "s/^/mlp-$c.1: /"
	done || :'

lint_empty 'each option of the manual page is in -h' '
	for c in $visible
	do
		test -f "man/mlp-$c.1" || continue
		help_options "$c" >"$TRASH/help"
		echo -h >>"$TRASH/help"
		page_options "man/mlp-$c.1" | grep -v -e "^--no-" | grep -vxFf "$TRASH/help" |
			sed "s/^/mlp-$c.1: /"
	done || :'

if echo "$commands" | grep -qx completion
then
	for shell in bash zsh fish
	do
		lint_empty "mlp completion $shell prints a script" "
			mlp completion $shell >\"\$TRASH/out\" || echo 'exit code'
			test -s \"\$TRASH/out\" || echo 'nothing'"
	done
fi

# listed VARIABLE-PATTERN FILE...: each is named in t/t.am.
lint_empty 'each test is in t/t.am' '
	for f in t/t[0-9]*.sh t/lint/*.sh t/unit/u-*.c t/fuzz/fuzz-*.c t/helper/*.c t/perf/*.c t/perf/p*.sh
	do
		case $f in *lint-lib.sh|*fuzz-main.c) continue ;; esac
		test -f "$f" || continue
		grep -qE "(^|[ 	])${f%.c}( |\$)" t/t.am || echo "$f"
	done'

lint_empty 'no line of a list is there twice' '
	for f in ./*/*.am cmd/commands.def
	do
		grep -E "^[A-Z_]+ \\+= |^MLP_CMD" "$f" | LC_ALL=C sort | uniq -d | sed "s|^|$f: |"
	done'

lint_empty 'each source is in a makefile' '
	for f in $(lint_files "*.[ch]" "*.cu" "*.cuh" "*.[1-8]")
	do
		# Of these the source is named for the program.
		case $f in t/unit/u-*.c|t/fuzz/fuzz-*.c|t/helper/*.c|t/perf/*.c) continue ;; esac
		cat Makefile.am ./*/*.am ./*/*/*.am | grep -qF "$f" || echo "$f"
	done'

test_done
