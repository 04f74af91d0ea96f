#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ledger as people see it: what a run cost, sums by group, prices.
. "${srcdir:-.}/t/test-lib.sh"
test_require SQLITE3

unset FAKENVML
MLP_NVML_LIB=/nonexistent/libnvidia-ml.so
TZ=UTC0
export MLP_NVML_LIB TZ

sql() { sqlite3 .mlp/mlp.db "$@"; }

# attempt UUID NUMBER EXPERIMENT USER TAGS
attempt() {
	sql "INSERT INTO usage_attempt(run_uuid, attempt, experiment, user, tags)
		VALUES('$1', $2, '$3', '$4', '$5')"
}
# device MODEL START END MS BUSY MJ: of the newest attempt; times as in '2026-11-20 10:00'
device() {
	case $1 in
	cpu) name=cpu model='Fake CPU' ;;
	*) name=GPU-1 model=$1 ;;
	esac
	sql "INSERT INTO usage(attempt_id, host, device, model, start_ms, end_ms, device_ms, busy_ms,
			energy_mj, held_ms, closed)
		VALUES((SELECT max(id) FROM usage_attempt), 'box', '$name', '$model',
			unixepoch('$2') * 1000, unixepoch('$3') * 1000, $4, $5, $6, 0, 1)"
}
# field NAME FILE: of each line of --json
field() { sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^,\"}]*\\).*/\\1/p" "$2"; }

a=0123456789abcdef0123456789abcde1
b=0123456789abcdef0123456789abcde2
c=0123456789abcdef0123456789abcde3

test_expect_success 'an empty project has cost nothing' '
	mlp init &&
	mlp cost report >out &&
	test_grep "^total" out &&
	test_must_fail mlp cost show "$a"
'

test_expect_success 'a ledger of three runs' '
	attempt $a 1 vision ada "{\"team\":\"red\"}" &&
	device cpu "2026-11-20 22:00" "2026-11-21 02:00" 3600000 NULL NULL &&
	device "NVIDIA H100 80GB HBM3" "2026-11-20 22:00" "2026-11-21 02:00" 14400000 7200001 3600000001 &&
	attempt $a 2 vision ada "{\"team\":\"red\"}" &&
	device cpu "2026-11-21 03:00" "2026-11-21 04:00" 1000 NULL NULL &&
	attempt $b 1 text bob "{\"team\":\"blue\"}" &&
	device cpu "2026-11-21 10:00" "2026-11-21 11:00" 7200000 NULL NULL &&
	attempt $c 1 text ada "{}" &&
	device cpu "2026-11-22 10:00" "2026-11-22 11:00" 1 NULL NULL &&
	device "NVIDIA L4" "2026-11-22 10:00" "2026-11-22 11:00" 3600000 NULL NULL
'

test_expect_success 'show says what was used, and at which price' '
	mlp cost show $a >out &&
	test_grep "NVIDIA H100 80GB HBM3 .*4h00m.*50.*27.52 USD.*6.88 USD.*2026-11-09.*AWS p5" out &&
	test_grep "Fake CPU .*included" out &&
	test_grep "Fake CPU .*no price" out &&
	test_grep "total .*27.52 USD" out
'

test_expect_success 'a run is found by the end of its id, when it is gone too' '
	mlp cost show abcde3 >out &&
	test_grep "NVIDIA L4" out &&
	test_must_fail mlp cost show abcde &&
	test_must_fail mlp cost show 0123
'

test_expect_success '--json is exact, unknown is null' '
	mlp cost show --json $a >out &&
	test_line_count = 4 out &&
	grep GPU-1 out >gpu &&
	test_grep "\"gpu_ms\":14400000,\"busy_ms\":7200001,\"idle_percent\":50," gpu &&
	test_grep "\"energy_mj\":3600000001,\"joules\":3600000.001," gpu &&
	test_grep "\"cost\":\"27.52\",\"currency\":\"USD\",\"price\":\"6.88\"" gpu &&
	grep "\"cpu\"" out >cpu &&
	test_grep "\"energy_mj\":null,\"joules\":null" cpu &&
	test_grep "\"cost\":null" cpu &&
	mlp cost show --json $c >out &&
	test_grep "\"gpu_ms\":3600000,\"busy_ms\":null,\"idle_percent\":null" out
'

test_expect_success 'report by experiment, with the total at the bottom' '
	mlp cost report >out 2>err &&
	test_grep "^text  *2 " out &&
	test_grep "^vision  *1 .*27.52 USD" out &&
	tail -1 out >last &&
	test_grep "^total  *3 .*28.32 USD" last &&
	test_grep "leaves out 2 rows" err
'

test_expect_success 'a group without any price says so, never 0' '
	mlp cost report --by user >out 2>/dev/null &&
	test_grep "^bob .*no price" out &&
	mlp cost report --by user --json 2>/dev/null | grep bob >out &&
	test_grep "\"unpriced\":1,\"cost\":null" out
'

test_expect_success 'by tag, by model' '
	mlp cost report --by tag:team --json >out 2>/dev/null &&
	field group out >groups &&
	test_write_lines blue red "" "" >expected &&
	test_cmp expected groups &&
	mlp cost report --by model >out 2>/dev/null &&
	test_grep "^NVIDIA L4 .*0.805 USD" out &&
	test_expect_code 129 mlp cost report --by tag: &&
	test_expect_code 129 mlp cost report --by moon
'

test_expect_success 'days cut a run in parts that add up' '
	mlp cost report --by day >out 2>/dev/null &&
	test_grep "^2026-11-20 .*2h00m.*13.76 USD" out &&
	test_grep "^2026-11-21 .*2h00m.*13.76 USD" out &&
	mlp cost report --by day --json 2>/dev/null |
		sed -n "s/.*\"total\":\(true\|false\).*\"energy_mj\":\([0-9]*\).*/\1 \2/p" >mj &&
	awk "\$1 == \"true\" { t = \$2 } \$1 == \"false\" { s += \$2; n++ }
		END { exit !(n == 3 && s == t && t == 3600000001) }" mj
'

test_expect_success 'a day is one of local time' '
	TZ=UTC-1 mlp cost report --by day --json >out 2>/dev/null &&
	grep 2026-11-20 out >day &&
	test_grep "\"gpu_ms\":3600000," day
'

test_expect_success '--since and --until cut too, and meet exactly' '
	mlp cost report --json --until 2026-11-20T23:11:07Z 2>/dev/null | tail -1 >one &&
	mlp cost report --json --since 2026-11-20T23:11:07Z 2>/dev/null | tail -1 >two &&
	sum=$(($(field energy_mj one) + $(field energy_mj two))) &&
	test "$sum" = 3600000001 &&
	test_expect_code 129 mlp cost report --since whenever
'

test_expect_success 'prices of config: host before model before all' '
	mlp config set cost.cpu.price "0.05 USD" &&
	mlp cost report >out 2>err &&
	test_must_be_empty err &&
	test_grep "^text .*0.905 USD" out &&
	mlp -c "cost.cpu.Fake*.price=1 EUR" cost show $b >out &&
	test_grep "total .*2.00 EUR" out &&
	mlp -c "cost.host.box.cpu=3 USD" -c "cost.cpu.Fake*.price=1 EUR" cost show $b >out &&
	test_grep "total .*6.00 USD" out &&
	test_expect_code 128 mlp -c cost.cpu.price=cheap cost show $b 2>err &&
	test_grep "bad price .cheap. for setting .cost.cpu.price." err
'

test_expect_success 'currencies are not mixed' '
	mlp -c "cost.cpu.price=1 EUR" cost report --json >out &&
	grep "\"total\":true" out >total &&
	test_line_count = 2 total &&
	test_grep "\"gpu_ms\":18000000.*\"cost\":\"3.000278056\",\"currency\":\"EUR\"" total &&
	test_grep "\"gpu_ms\":null.*\"cost\":\"28.3248\",\"currency\":\"USD\"" total
'

test_expect_success 'who pays for power pays for measured joules' '
	mlp -c "cost.energy.price=0.30" cost show --json $a >out &&
	grep GPU-1 out >gpu &&
	test_grep "\"cost\":\"27.82\"" gpu
'

test_expect_success 'import a table, twice' '
	cat >prices.csv <<-\EOT &&
	kind,match,price,currency,as_of,source
	gpu,"NVIDIA H100*",1.00,USD,2026-01-05,"a ""deal"", ours"
	gpu,NVIDIA L4,0.50,USD,2026-11-22,list
	gpu,NVIDIA L4,0.60,USD,2026-11-23,list
	EOT
	mlp cost prices import prices.csv >out &&
	test_grep "3 added, 0 changed, 0 unchanged" out &&
	mlp cost prices import - --json <prices.csv >out &&
	test_grep "{\"added\":0,\"changed\":0,\"unchanged\":3}" out &&
	mlp cost prices list >out &&
	test_grep "imported .*a \"deal\", ours" out &&
	mlp cost prices --json >out &&
	test_grep "\"match\":\"NVIDIA H100\\*\",\"price\":\"1\",\"currency\":\"USD\",\"per\":\"GPU-hour\"" out
'

test_expect_success 'the price in force when it was used counts; an old one warns' '
	mlp cost show --json $c >out 2>err &&
	grep GPU-1 out >gpu &&
	test_grep "\"price\":\"0.5\"" gpu &&
	test_must_be_empty err &&
	mlp cost show $a >out 2>err &&
	test_grep "total .*4.05 USD" out &&
	test_grep "price of .NVIDIA H100 80GB HBM3. is of 2026-01-05, over 180 days" err &&
	mlp cost report 2>err >/dev/null &&
	test_grep "over 180 days" err
'

bad() {
	printf 'kind,match,price,currency,as_of,source\ngpu,x,1,USD,2026-01-01,ok\n%b' "$1" >bad.csv
	test_expect_code 3 mlp cost prices import nosuch.csv &&
	test_expect_code 128 mlp cost prices import bad.csv 2>err &&
	test_grep "$2" err
}

test_expect_success 'a bad table is refused whole, with the line' '
	bad "gpu,y,-1,USD,2026-01-01,a\n" "line 3: bad price" &&
	bad "gpu,y,1,US,2026-01-01,a\n" "line 3: bad currency" &&
	bad "gpu,y,1 EUR,USD,2026-01-01,a\n" "line 3: bad price" &&
	bad "tpu,y,1,USD,2026-01-01,a\n" "line 3: kind is not" &&
	bad "gpu,,1,USD,2026-01-01,a\n" "line 3: nothing to match" &&
	bad "gpu,y,1,USD,2026-02-30,a\n" "line 3: as_of is not a date" &&
	bad "gpu,y,1,USD,2026-01-01\n" "line 3: 5 fields" &&
	bad "\n\ngpu,y\"z,1,USD,2026-01-01,a\n" "line 5: a quote inside" &&
	bad "gpu,\"y,1,USD,2026-01-01,a\n" "line 3: a quoted field does not end" &&
	bad "gpu,\"y\"x,1,USD,2026-01-01,a\n" "line 3: text after" &&
	bad "gpu,\"y\nz\",1,USD,2026-01-01,\0377\n" "line 3: column .source. is not UTF-8" &&
	printf "kind,match\n" | test_must_fail mlp cost prices import - 2>err &&
	test_grep "lacks the column" err &&
	test_must_fail mlp cost prices import - </dev/null &&
	test_must_fail mlp cost prices import missing.csv &&
	mlp cost prices list >out &&
	test_grep ! "2026-01-01" out
'

test_expect_success 'usage errors' '
	test_expect_code 129 mlp cost &&
	test_expect_code 129 mlp cost show &&
	(cd "$TEST_ROOT" && mkdir none && cd none && mlp cost prices) >out &&
	test_grep shipped out && test_grep ! imported out &&
	(cd "$TEST_ROOT/none" && test_expect_code 128 mlp cost prices import -) 2>err </dev/null &&
	test_grep "not a project" err &&
	test_expect_code 129 mlp cost prices import &&
	test_expect_code 129 mlp cost prices export
'

test_expect_success 'the ledger refuses to be changed' '
	test_must_fail sql "DELETE FROM usage" &&
	test_must_fail sql "UPDATE usage SET device_ms = device_ms + 1" &&
	test_must_fail sql "DELETE FROM usage_attempt"
'

test_done
