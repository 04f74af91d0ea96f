#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp train: what becomes of a command, and what of it is recorded.
. "${srcdir:-.}/t/test-lib.sh"
test_require SQLITE3

stored()
{
	sqlite3 .mlp/mlp.db "$1"
}
# last COLUMNS: of the newest run.
last()
{
	stored "SELECT $1 FROM run ORDER BY id DESC LIMIT 1"
}

test_expect_success 'a command runs, and a project is made for it' '
	mlp train -- echo hello >out 2>err &&
	echo hello >expect &&
	test_cmp expect out &&
	test_grep "made a project" err &&
	test_grep "^run [0-9a-f]\{8\} finished in " err &&
	test "$(last "status, exit_code, source")" = "3|0|echo"
'

test_expect_success 'the -- is optional, options of the command are its own' '
	mlp -q train -n plain printf "%s|" -n -e -- x >out 2>err &&
	printf "%s" "-n|-e|--|x|" >expect &&
	test_cmp expect out &&
	test_must_be_empty err &&
	test "$(last name)" = plain
'

test_expect_success 'it exits with the code of the command' '
	test_expect_code 7 mlp -q train -- sh -c "exit 7" &&
	test "$(last "status, exit_code")" = "4|7"
'

test_expect_success 'it exits with 128+n for a signal' '
	test_expect_code 137 mlp -q train -- sh -c "kill -9 \$\$" &&
	test "$(last "status, exit_code, exit_signal")" = "4||9" &&
	test_expect_code 134 mlp -q train -- sh -c "kill -ABRT \$\$"
'

test_expect_success 'a command that is not there is 127, one that cannot be run 126' '
	before=$(stored "SELECT count(*) FROM run") &&
	test_expect_code 127 mlp train -- no-such-program 2>err &&
	echo "mlp: cannot run '\''no-such-program'\'': no such command" >expect &&
	test_cmp expect err &&
	echo x >plain &&
	test_expect_code 126 mlp train -- ./plain 2>err &&
	test_line_count = 1 err &&
	test "$(stored "SELECT count(*) FROM run")" = "$before"
'

test_expect_success 'what the kernel refuses is 126 and recorded' '
	printf "#!/no/such/interpreter -x\n" >odd && chmod +x odd &&
	test_expect_code 127 mlp train -- ./odd 2>err &&
	test_grep "cannot run '\''./odd'\'': its interpreter '\''/no/such/interpreter'\'': " err &&
	test "$(last "status, exit_code, reason")" = "4|127|command not found"
'

test_expect_success 'experiment, name, parameters, tags, seed' '
	mlp -q train -e credit -n first -p lr=0.1 -p model/depth=6 -t team=risk --seed 42 -- true &&
	test "$(stored "SELECT e.name FROM run r JOIN experiment e ON e.id = r.experiment_id
		WHERE r.name = '\''first'\''")" = credit &&
	test "$(stored "SELECT key, value FROM param ORDER BY key" | tr "\n" " ")" = \
		"lr|0.1 model/depth|6 " &&
	test "$(stored "SELECT value FROM tag WHERE key = '\''team'\''")" = risk &&
	test "$(stored "SELECT seed FROM run_command ORDER BY run_id DESC LIMIT 1")" = 42
'

test_expect_success 'parameters reach the command in three ways' '
	mlp -q train -p lr=0.1 -p n=3 -p on=true -p name="a \"b\"" -p zip=007 --seed 9 -- \
		sh -c "echo {lr} {n} {seed} {{lr}}; echo \$MLP_PARAM_LR \$MLP_PARAM_ZIP \$MLP_SEED \$PYTHONHASHSEED
			cat \$MLP_PARAMS" >out &&
	cat >expect <<-\EOF &&
	0.1 3 9 {lr}
	0.1 007 9 9
	{"lr":0.1,"n":3,"on":true,"name":"a \"b\"","zip":"007"}
	EOF
	test_cmp expect out
'

test_expect_success 'for programs: --json gives the run after the output' '
	mlp -q train --json -n prog -p lr=1 -- sh -c "echo out; echo {\"loss\":0.5} >&\$MLP_FD" >got &&
	test_line_count = 2 got &&
	mlp log -w "name = '\''prog'\''" --json >expect &&
	tail -n 1 got | test_cmp expect -
'

test_expect_success 'so does -z' '
	mlp -q train -z -- true >got &&
	tr "\0" "\n" <got | test_grep "^status=finished" -
'

test_expect_success 'and with --detach --json gives its id' '
	mlp train --json --detach -- true >got &&
	test_grep "^{\"id\":\"[0-9a-f]*\"}$" got &&
	mlp -q watch @
'

test_expect_success 'a placeholder without a parameter is an error with a hint' '
	test_expect_code 129 mlp train -p lr=1 -- echo {rl} 2>err &&
	test_grep "no parameter '\''rl'\''" err &&
	test_grep "^hint: " err
'

test_expect_success 'without parameters braces are the command'\''s own' '
	echo "a b" | mlp -q train -- awk "{print \$2}" >out &&
	echo b >expect &&
	test_cmp expect out &&
	mlp -q train -p x=1 -- echo "{\"a\":{\"b\":{x}}}" >out &&
	echo "{\"a\":{\"b\":1}}" >expect &&
	test_cmp expect out
'

test_expect_success 'bad parameters are refused' '
	test_expect_code 129 mlp train -p lr -- true 2>err &&
	test_grep "KEY=VALUE" err &&
	test_expect_code 129 mlp train -p ../x=1 -- true 2>err &&
	test_grep "bad parameter name .../x." err &&
	test_expect_code 129 mlp train -p "$(printf "a\\377")=1" -- true 2>err &&
	test_grep "the name of parameter .a.*. is not UTF-8" err &&
	test_expect_code 129 mlp train -p a=1 -p a=2 -- true 2>err &&
	test_grep "twice" err &&
	test_expect_code 129 mlp train -p "a b=1" -p a-b=2 -- true 2>err &&
	test_grep "MLP_PARAM_A_B" err &&
	test_expect_code 129 mlp train -n @ -- true 2>err &&
	test_grep "bad name" err &&
	test_expect_code 129 mlp train -e "" -- true 2>err &&
	test_grep "bad experiment name" err &&
	test_expect_code 129 mlp train -t x -- true &&
	test_expect_code 129 mlp train --seed -5 -- true &&
	test_expect_code 129 mlp train --seed -1 -- true &&
	test_expect_code 129 mlp train
'

test_expect_success 'the command is stored NUL-safe, as typed and as run' '
	mlp -q train -p x=5 -- printf "%s\n" "a b" "" "{x}" >/dev/null &&
	test "$(stored "SELECT hex(argv), hex(template) FROM run_command ORDER BY run_id DESC LIMIT 1")" = \
		"7072696E74660025735C6E0061206200003500|7072696E74660025735C6E00612062000"'"07B787D00"'
'

test_expect_success 'the environment of the command' '
	mlp -q train -e exp -- env >out &&
	for v in MLP_RUN_ID= MLP_DIR="$PWD/.mlp" MLP_EXPERIMENT=exp MLP_ATTEMPT=1 MLP_FD=3 \
		MLP_METRICS= MLP_PARAMS= PYTHONUNBUFFERED=1
	do
		grep -q "^$v" out || return 1
	done &&
	PYTHONUNBUFFERED=0 mlp -q train -- env >out &&
	test_grep "^PYTHONUNBUFFERED=0" out
'

test_write_script open-files <<'EOT'
#!/bin/sh
ls -l /proc/self/fd | sed -n 's/.* -> //p' | grep -e '\.mlp/' -e anon_inode | sort
EOT

test_expect_success 'descriptors given to mlp reach the command, ours do not' '
	echo five >five &&
	./open-files >before &&
	mlp -q train -- sh -c "cat <&5 >got; ./open-files" 5<five >after &&
	cat before after &&
	test_cmp five got &&
	test "$(comm -13 before after | wc -l)" = 1 &&
	comm -13 before after | test_grep "\.mlp/" -
'

test_expect_success 'a run started within a run is its child' '
	mlp -q train -n outer -- mlp -q train -n inner -- true &&
	test "$(stored "SELECT p.name FROM run r JOIN run p ON p.id = r.parent_id
		WHERE r.name = '\''inner'\''")" = outer
'

test_expect_success 'an input is hashed, a missing one is code 3 and no run' '
	echo data >in && mkdir -p dir/sub && echo 1 >dir/a && echo 2 >dir/sub/b &&
	mlp -q train -i in -i dir -- true &&
	test "$(stored "SELECT path, size FROM run_file WHERE role = 1 ORDER BY path" | tr "\n" " ")" = \
		"dir/a|2 dir/sub/b|2 in|5 " &&
	test "$(stored "SELECT sha256 FROM run_file WHERE path = '\''in'\''")" = \
		"$(sha256sum in | cut -d" " -f1)" &&
	test "$(stored "SELECT count(*) FROM run_input")" = 2 &&
	before=$(stored "SELECT count(*) FROM run") &&
	test_expect_code 3 mlp train -i in -i gone -- touch ran 2>err &&
	test_grep "input '\''gone'\'' is missing" err &&
	test_path_is_missing ran &&
	test "$(stored "SELECT count(*) FROM run")" = "$before"
'

test_expect_success 'outputs are stored, also of a failed run' '
	test_expect_code 4 mlp -q train -o model -- sh -c "echo weights >model; exit 4" &&
	sum=$(sha256sum model | cut -d" " -f1) &&
	test "$(stored "SELECT path, sha256, stored FROM run_file WHERE role = 2")" = "model|$sum|1" &&
	find .mlp/objects -name "${sum#??}" | grep -q .
'

test_expect_success 'an output that was not made is said' '
	mlp train -o nothing -- true 2>err &&
	test_grep "warning: the run made no output '\''nothing'\''" err &&
	test "$(last "status, reason")" = "3|output missing"
'

test_expect_success 'nothing of a run is left in .mlp/runs' '
	test -z "$(ls .mlp/runs)"
'

test_expect_success 'a dry run tells and writes nothing' '
	mkdir fresh && (
		cd fresh &&
		echo 1 >in &&
		mlp train --dry-run -p lr=0.5 -i in -e exp -- echo {lr} >../out &&
		test "$(ls -A)" = in
	) &&
	test_grep "run  *command  *echo 0.5" out &&
	test_grep "input  *in  *2 bytes" out &&
	test_grep "limit  *grace  *10.0s" out && test_grep "environment  *python" out &&
	test_grep "variable  *MLP_PARAM_LR  *0.5" out &&
	mlp train --dry-run --nice --seed 5 -- python3 -c 1 >out && test_grep "limit  *nice" out &&
	test_grep "run  *seed  *5" out &&
	mlp train --dry-run --json -- true >out &&
	test_grep "\"item\":\"run\",\"name\":\"experiment\",\"value\":\"Default\"" out &&
	test_expect_code 1 mlp train --dry-run -- no-such-program >out
'

test_expect_success 'it works in a folder below the project' '
	mkdir -p below && (cd below && mlp -q train -- pwd >../out) &&
	echo "$PWD/below" >expect &&
	test_cmp expect out &&
	test "$(stored "SELECT project_dir FROM run_command ORDER BY run_id DESC LIMIT 1")" = below
'

test_done
