# SPDX-License-Identifier: Apache-2.0
# The test harness for shell tests; t/README tells how to write one.
# shellcheck shell=sh disable=SC2034 # variables here are for the tests

die()
{
	echo "Bail out! $*"
	exit 1
}

# Where things are: srcdir comes from make; by hand, from the top of the source.
TEST_SOURCE=$(cd "${srcdir:-.}" && pwd) || die "no source folder '${srcdir:-.}'"
if test -n "${MLP_BUILD:-}"
then
	TEST_BUILD=$(cd "$MLP_BUILD" && pwd)
elif test -x ./mlp && test -f ./Makefile
then
	TEST_BUILD=$(pwd)
else
	TEST_BUILD=$TEST_SOURCE/build
fi
test -x "$TEST_BUILD/mlp" || die "no program '$TEST_BUILD/mlp': build first, or set MLP_BUILD"

TEST_NAME=${0##*/}
TEST_NAME=${TEST_NAME%.sh}

test_verbose=${MLP_TEST_VERBOSE:-} test_immediate=${MLP_TEST_IMMEDIATE:-}
test_trace=${MLP_TEST_TRACE:-} test_keep=${MLP_TEST_KEEP:-} test_only=${MLP_TEST_ONLY:-}
test_long=${MLP_TEST_LONG:-}
for test_arg
do
	case $test_arg in
	-v) test_verbose=1 ;;
	-i) test_immediate=1 ;;
	-x) test_verbose=1 test_trace=1 ;;
	-d) test_keep=1 ;;
	--long) test_long=1 ;;
	--run=*) test_only=${test_arg#--run=} ;;
	*) die "unknown option '$test_arg': -v -i -x -d --long --run=N,M" ;;
	esac
done

# Nothing of the caller's environment decides how a test ends.
for test_arg in $(env | sed -n 's/^\(\(MLP\|GIT\|XDG\|PYTHON\|CUDA\|NVIDIA\)_[A-Za-z0-9_]*\)=.*/\1/p')
do
	unset "$test_arg"
done
unset NO_COLOR CLICOLOR CLICOLOR_FORCE PAGER LESS LV COLUMNS LINES EDITOR VISUAL CDPATH GREP_OPTIONS
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX LANGUAGE BASH_ENV ENV MAKEFLAGS MFLAGS MAKELEVEL
unset SOURCE_DATE_EPOCH test_arg
LC_ALL=C.UTF-8 TZ=UTC TERM=dumb
GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME='A U Thor' GIT_AUTHOR_EMAIL=author@example.com
GIT_COMMITTER_NAME='C O Mitter' GIT_COMMITTER_EMAIL=committer@example.com
GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=init.defaultBranch GIT_CONFIG_VALUE_0=main
MLP_CONFIG_SYSTEM=/dev/null
# A sanitizer's finding is a crash, which no test takes for a plain failure.
ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:strict_string_checks=1:detect_stack_use_after_return=1
UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1
TSAN_OPTIONS=halt_on_error=1:abort_on_error=1:second_deadlock_stack=1
LSAN_OPTIONS=print_suppressions=0:suppressions=$TEST_SOURCE/t/lsan.supp
export LC_ALL TZ TERM MLP_CONFIG_SYSTEM ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS LSAN_OPTIONS
export GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME
export GIT_COMMITTER_EMAIL GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
umask 022

# Outside of any git repository or project, and with a short path for sockets.
TEST_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/mlp-$TEST_NAME.XXXXXX") || die "cannot make a folder"
TEST_ROOT=$(cd "$TEST_ROOT" && pwd -P)
TRASH=$TEST_ROOT/trash
HOME=$TRASH
mkdir "$TRASH" "$TEST_ROOT/bin"
ln -s "$TEST_BUILD/mlp" "$TEST_ROOT/bin/mlp"
PATH=$TEST_ROOT/bin:$PATH
export HOME PATH
cd "$TRASH" || exit 1

test_count=0 test_failures=0 test_finished="" test_prereqs=' ' test_missing=' ' test_cleanup=:
LF='
'
HT='	'
SQ="'"

# fd 5: TAP; fd 6: what tests print.  make keeps it in the .log file.
# What make and its drivers left open is no business of the tests.
exec 3>&- 4>&- 7>&- 8>&- 9>&- 5>&1
if test -n "$test_verbose" || test -n "${test_under_make:=${TEST_UNDER_MAKE:-}}"
then
	exec 6>&2
else
	exec 6>/dev/null
fi
exec </dev/null

test_exit()
{
	test_code=$?
	trap - EXIT
	if test -z "$test_finished"
	then
		echo "Bail out! $TEST_NAME ended before test_done" >&5
		test_failures=1
	fi
	test_remove_trash
	test "$test_failures" = 0 || test_code=1
	exit "$test_code"
}

test_remove_trash()
{
	cd / || exit 1
	if test "$test_failures" != 0 || test -n "$test_keep"
	then
		echo "# files kept in $TEST_ROOT" >&5
	else
		chmod -R u+rwx "$TEST_ROOT" 2>/dev/null
		rm -rf "$TEST_ROOT"
	fi
}
trap test_exit EXIT
trap 'exit 130' INT TERM HUP

# --- Prerequisites ---------------------------------------------------------

# test_set_prereq NAME
test_set_prereq()
{
	test_prereqs="$test_prereqs$1 "
}

# test_lazy_prereq NAME 'code': decided when first asked for.
test_lazy_prereq()
{
	eval "test_lazy_$1=\$2"
}

test_have_one_prereq()
{
	case $test_prereqs in *" $1 "*) return 0 ;; esac
	case $test_missing in *" $1 "*) return 1 ;; esac
	eval "test_code=\${test_lazy_$1:-}"
	if test -z "$test_code"
	then
		return 1
	fi
	mkdir -p "$TEST_ROOT/prereq"
	if (cd "$TEST_ROOT/prereq" && eval "$test_code") >&6 2>&1
	then
		test_set_prereq "$1"
	else
		test_missing="$test_missing$1 "
		return 1
	fi
}

# test_have_prereq A,!B: true when A is there and B is not.
test_have_prereq()
{
	test_ifs=$IFS
	IFS=,
	# shellcheck disable=SC2086 # to be split
	set -- $1
	IFS=$test_ifs
	for test_prereq
	do
		case $test_prereq in
		!*) ! test_have_one_prereq "${test_prereq#!}" || return 1 ;;
		*) test_have_one_prereq "$test_prereq" || return 1 ;;
		esac
	done
}

test_lazy_prereq ROOT 'test "$(id -u)" = 0'
test_lazy_prereq GIT 'git --version'
test_lazy_prereq PYTHON 'python3 -c "import http.client, json, os, socket, sys"'
test_lazy_prereq PTY 'python3 -c "import pty"'
test_lazy_prereq SQLITE3 'sqlite3 --version'
test_lazy_prereq FULL 'test -c /dev/full'
test_lazy_prereq LONG 'test -n "$test_long"'
test_lazy_prereq SANITIZERS 'grep -q "^SANITIZE_FLAGS = -f" "$TEST_BUILD/Makefile"'
test_lazy_prereq CGROUP2 'test -w /sys/fs/cgroup/cgroup.procs'
test_lazy_prereq GPU 'nvidia-smi -L'
# test_bound COMMAND...: by somebody whom permissions bind, also where root runs the tests.
test_bound()
{
	if test "$(id -u)" = 0
	then
		setpriv --bounding-set -dac_override,-dac_read_search "$@"
	else
		"$@"
	fi
}
test_lazy_prereq BOUND 'mkdir d && chmod 500 d && test_bound true && ! test_bound touch d/x'
# Libraries that mlp loads when it first uses them.
test_has_library()
{
	mlp version -v -z | tr '\0' '\n' | grep -A1 "^name=$1$" | grep -q 'version=[0-9]'
}
test_lazy_prereq MICROHTTPD 'test_has_library libmicrohttpd'
test_lazy_prereq CURL 'test_has_library libcurl'
test_lazy_prereq YAML 'test_has_library libyaml'
# A small file system of one's own: test_with_small_disk below.
test_lazy_prereq SMALL_DISK 'mkdir -p m && unshare -m sh -c "mount -t tmpfs -o size=64k none m"'

# --- Tests -----------------------------------------------------------------

test_selected()
{
	case ",$test_only," in ,,|*",$test_count,"*) return 0 ;; esac
	return 1
}

test_result()
{
	# $1: "ok" or "not ok", $2: title and directive
	echo "$1 $test_count - $2" >&5
}

# Runs in this shell, so that variables stay for later tests.
test_eval()
{
	test -z "$test_trace" || set -x
	eval "$1"
	{ test_code=$?; test -z "$test_trace" || set +x; } 2>/dev/null
	return $test_code
}

# True when the commands of the test are joined with && all the way: otherwise a
# failure in the middle would be lost.
test_is_chained()
{
	test "$(eval "(exit 117) && $1${LF}echo 117-\$?" 2>/dev/null 5>&1 6>&1)" = 117-117
}

# What a failed test wrote last: most often what it compared.
test_show_files()
{
	# shellcheck disable=SC2012 # by time
	ls -t | head -n 6 |
	while read -r test_file
	do
		test -f "$test_file" || continue
		echo "--- $test_file"
		tail -n 8 "$test_file" | cut -c-300
	done
}

test_report()
{
	# $1 expectation, $2 outcome, $3 title, $4 code
	case $1-$2 in
	success-0) test_result ok "$3" ;;
	failure-0) test_result ok "$3 # TODO known problem is gone" ;;
	failure-*) test_result 'not ok' "$3 # TODO known problem" ;;
	*)
		test_result 'not ok' "$3"
		printf '%s\n' "$4" | sed 's/^/# /' >&5
		test_show_files | sed 's/^/# /' >&5
		test_failures=$((test_failures + 1))
		if test -n "$test_immediate"
		then
			test_finished=1
			echo "1..$test_count" >&5
			exit 1
		fi ;;
	esac
}

test_run()
{
	# $1 expectation, then as for test_expect_success
	test_expected=$1
	shift
	test $# != 3 || test_needs=$1
	test $# = 3 || test_needs=
	case $test_needs in *[!A-Z0-9_,!]*) die "bad prerequisite '$test_needs': a quote too many?" ;; esac
	test $# != 3 || shift
	test $# = 2 || die "test_expect_$test_expected takes [PREREQ] TITLE CODE"
	test_count=$((test_count + 1))
	if ! test_selected
	then
		test_result ok "$1 # SKIP not selected"
		return 0
	fi
	if test -n "$test_needs" && ! test_have_prereq "$test_needs"
	then
		test_result ok "$1 # SKIP needs $test_needs"
		return 0
	fi
	echo "$LF--- $test_count: $1" >&6
	if ! test_is_chained "$2"
	then
		test_report success 1 "$1" "commands must be joined with && (see t/README):$LF$2"
		return 0
	fi
	test_cleanup=:
	# Without the TAP pipe: a process left behind would keep its reader waiting.
	test_eval "$2" >&6 2>&1 5>&-
	test_outcome=$?
	if ! eval "$test_cleanup" >&6 2>&1 5>&-
	then
		test_outcome=1
	fi
	cd "$TRASH" || die "the trash folder is gone"
	test_report "$test_expected" "$test_outcome" "$1" "$2"
}

# test_expect_success [PREREQ] TITLE CODE
test_expect_success()
{
	test_run success "$@"
}

# A known problem, kept until it is solved.
test_expect_failure()
{
	test_run failure "$@"
}

# test_skip_all REASON: ends a script that cannot run here.
test_skip_all()
{
	echo "1..0 # SKIP $*" >&5
	test_finished=1
	exit 0
}

# test_require PREREQ: all of the script needs it.
test_require()
{
	test_have_prereq "$1" || test_skip_all "needs $1"
}

test_done()
{
	echo "1..$test_count" >&5
	test_finished=1
	exit 0
}

# --- Helpers: each returns non-zero and says why on failure -----------------

# test_when_finished CODE: runs at the end of the test, whatever its outcome.
test_when_finished()
{
	test_cleanup="{ $*$LF} && $test_cleanup"
}

# test_must_fail COMMAND: it fails of its own will; no success, crash or signal.
test_must_fail()
{
	"$@"
	test_code=$?
	case $test_code in
	0) echo "succeeded, but should fail: $*" >&2 ;;
	126 | 127) echo "not run ($test_code): $*" >&2 ;;
	*) test "$test_code" -gt 129 || return 0
		echo "crashed ($test_code): $*" >&2 ;;
	esac
	return 1
}

# test_expect_code N COMMAND
test_expect_code()
{
	test_wanted=$1
	shift
	"$@"
	test_code=$?
	test "$test_code" = "$test_wanted" && return 0
	echo "exit code $test_code, should be $test_wanted: $*" >&2
	return 1
}

test_cmp()
{
	diff -u "$1" "$2"
}

# test_grep [!] [-OPTION]... PATTERN FILE
test_grep()
{
	if test "$1" = '!'
	then
		shift
		! grep "$@" || { echo "should not be there: grep $*" >&2; return 1; }
	elif ! grep "$@"
	then
		echo "not found: grep $*" >&2
		for test_arg
		do
			:
		done
		head -c 4000 "$test_arg" >&2
		return 1
	fi
}

test_must_be_empty()
{
	test -f "$1" || { echo "no file '$1'" >&2; return 1; }
	test ! -s "$1" || { echo "not empty: '$1'" >&2; head -c 4000 "$1" >&2; return 1; }
}

# test_line_count OP N FILE, for instance test_line_count = 3 out
test_line_count()
{
	test_code=$(wc -l <"$3") || return 1
	test "$test_code" "$1" "$2" && return 0
	echo "'$3' has $test_code lines, should be $1 $2" >&2
	head -c 4000 "$3" >&2
	return 1
}

test_path_is_file()
{
	test -f "$1" || { echo "no file '$1'" >&2; return 1; }
}

test_path_is_dir()
{
	test -d "$1" || { echo "no folder '$1'" >&2; return 1; }
}

test_path_is_missing()
{
	! test -e "$1" && ! test -L "$1" || { echo "should not exist: '$1'" >&2; return 1; }
}

# test_write_lines LINE...
test_write_lines()
{
	printf '%s\n' "$@"
}

# test_write_script NAME [SHELL] <text
test_write_script()
{
	{ echo "#!${2:-/bin/sh}" && cat; } >"$1" && chmod +x "$1"
}

# test_repeat N COMMAND: runs it until one run fails.
test_repeat()
{
	test_left=$1
	shift
	while test "$test_left" -gt 0
	do
		"$@" || return 1
		test_left=$((test_left - 1))
	done
}

# test_wait_for SECONDS COMMAND: tries until it succeeds.
test_wait_for()
{
	test_left=$(($1 * 20))
	shift
	until "$@"
	do
		test_left=$((test_left - 1))
		test "$test_left" -gt 0 || { echo "waited in vain for: $*" >&2; return 1; }
		sleep 0.05
	done
}

# test_is_gone PID: it has ended; who should bury it may be slow, or nobody.
test_is_gone()
{
	! grep -qs "^State:.[^ZX]" "/proc/$1/status"
}

# test_commit MESSAGE [FILE [TEXT]]: in the git repository here.
test_commit()
{
	printf '%s\n' "${3:-$1}" >"${2:-$1.txt}" &&
	git add "${2:-$1.txt}" &&
	git commit -q -m "$1"
}

# test_json FILE PYTHON-EXPRESSION: true for every line's object o (needs PYTHON).
test_json()
{
	python3 - "$@" <<\END
import json, sys
for n, line in enumerate(open(sys.argv[1], encoding="utf-8"), 1):
    o = json.loads(line)
    if not eval(sys.argv[2]):
        sys.exit(f"line {n}: not {sys.argv[2]}: {line}")
END
}

# test_with_small_disk SIZE CODE: CODE runs in a fresh folder on a file system of
# SIZE (needs SMALL_DISK), as a script: functions of this file are not there.
test_with_small_disk()
{
	mkdir -p "$TEST_ROOT/small" &&
	unshare -m sh -c "mount -t tmpfs -o size=$1 none '$TEST_ROOT/small' &&
		cd '$TEST_ROOT/small' && $2"
}
