#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The endpoint that mlp train gives its command for MLflow clients, without such a client:
# t/interop has the real one.
. "${srcdir:-.}/t/test-lib.sh"

unset MLFLOW_TRACKING_URI MLFLOW_RUN_ID MLFLOW_EXPERIMENT_NAME MLFLOW_EXPERIMENT_ID MLP_ENDPOINT
unset MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD MLFLOW_TRACKING_TOKEN

cat >client.py <<'EOT'
import base64, http.client, json, os, sys, urllib.parse
def basic(user, password):
    return "Basic " + base64.b64encode((user + ":" + password).encode()).decode()
user, secret = os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]
assert user and len(secret) == 64 and secret == os.environ["MLFLOW_TRACKING_TOKEN"]
print(secret, file=open("secret", "w"))
host = urllib.parse.urlparse(os.environ["MLFLOW_TRACKING_URI"]).netloc
def ask(method, path, args):
    c = http.client.HTTPConnection(host, timeout=20)
    if method == "GET":
        c.request("GET", "/api/2.0/mlflow/" + path + "?" + urllib.parse.urlencode(args), headers={"Authorization": basic(user, secret)})
    else:
        c.request(method, "/api/2.0/mlflow/" + path, json.dumps(args), {"Content-Type": "application/json", "Authorization": "Bearer " + secret})
    r = c.getresponse()
    assert r.status == 200, r.read()
    return json.loads(r.read())
def status(headers):
    c = http.client.HTTPConnection(host, timeout=20)
    c.request("POST", "/api/2.0/mlflow/experiments/search", "{}", {"Content-Type": "application/json", **headers})
    return c.getresponse().status
assert status({}) == 401
for given in "Bearer ", "Bearer " + secret[:-1], "Bearer " + "0" * 64, basic(user, "0" * 64), basic(secret, user):
    assert status({"Authorization": given}) == 401, given
assert status({"Authorization": "Bearer " + secret}) == 200
assert status({"Authorization": basic("", secret)}) == 200
assert status({"Authorization": "Bearer " + secret, "Host": "example.org"}) == 403
assert "MLFLOW_RUN_ID" not in os.environ
some = ask("GET", "experiments/get-by-name", {"experiment_name": "some"})["experiment"]["experiment_id"]
run = ask("POST", "runs/create", {"experiment_id": some, "run_name": "theirs"})["run"]["info"]["run_id"]
assert run == os.environ["MLP_RUN_ID"]
info = ask("GET", "runs/get", {"run_id": run})["run"]["info"]
name = ask("GET", "experiments/get", {"experiment_id": info["experiment_id"]})["experiment"]["name"]
assert name == os.environ["MLFLOW_EXPERIMENT_NAME"] == "some"
ask("POST", "runs/log-metric", {"run_id": run, "key": "loss", "value": 0.5, "timestamp": 1, "step": 1})
child = ask("POST", "runs/create", {"experiment_id": info["experiment_id"], "run_name": "inner",
            "tags": [{"key": "mlflow.parentRunId", "value": run}]})["run"]["info"]["run_id"]
ask("POST", "runs/update", {"run_id": child, "status": "FINISHED", "end_time": 2})
assert ask("POST", "runs/update", {"run_id": run, "status": "FINISHED", "end_time": 2})["run_info"]["status"] == "RUNNING"
sys.exit(3)
EOT

test_expect_success PYTHON,MICROHTTPD 'the run is joined, and ends as its command does' '
	mlp init >/dev/null &&
	test_expect_code 3 mlp -c train.mlflow=always train -e some -n outer -- python3 client.py &&
	mlp show --json outer >out && test_grep "\"loss\"" out &&
	test_grep "\"status\":\"failed\"" out &&
	mlp show --json inner >out && test_grep "\"status\":\"finished\"" out &&
	mlp show inner >out && test_grep "parent.*outer" out
'

cat >script.py <<'EOT'
import http.client, json, os, sys, urllib.parse
host = urllib.parse.urlparse(os.environ["MLFLOW_TRACKING_URI"]).netloc
secret = os.environ["MLFLOW_TRACKING_TOKEN"]
def ask(path, args):
    c = http.client.HTTPConnection(host, timeout=20)
    c.request("POST", "/api/2.0/mlflow/" + path, json.dumps(args), {"Content-Type": "application/json", "Authorization": "Bearer " + secret})
    r = c.getresponse()
    return r.status, json.loads(r.read())
own = ask("experiments/create", {"name": sys.argv[1]})[1]["experiment_id"]
tags = [{"key": "mlflow.runName", "value": "theirs"}, {"key": "color", "value": "red"}]
run = ask("runs/create", {"experiment_id": own, "run_name": "theirs", "tags": tags})[1]["run"]["info"]
print(run["run_id"] == os.environ["MLP_RUN_ID"], run["experiment_id"] == own, run["run_name"])
print(ask("runs/create", {"experiment_id": own})[1]["run"]["info"]["run_id"] == run["run_id"])
run = run["run_id"]
ask("runs/update", {"run_id": run, "run_name": "theirs"})
for key, value in ("lr", "0.001"), ("on", "True"), ("lr", "0.01"), ("on", "1"):
    print(ask("runs/log-parameter", {"run_id": run, "key": key, "value": value})[0],
          ask("runs/log-batch", {"run_id": run, "params": [{"key": key, "value": value}]})[0])
print(ask("runs/log-parameter", {"run_id": run, "key": "x", "value": "1e-3"})[0],
      ask("runs/log-parameter", {"run_id": run, "key": "x", "value": "0.001"})[0])
EOT

params='200 200
200 200
400 400
400 400
200 400'

test_expect_success PYTHON,MICROHTTPD 'the first run of a script is this one, in the experiment of the script' '
	MLFLOW_RUN_ID=0123456789abcdef0123456789abcdef MLFLOW_EXPERIMENT_ID=77 \
		mlp -c train.mlflow=always train -p lr=1e-3 -p on=true -- \
		sh -c "env >seen && exec python3 script.py mine" >out &&
	test_grep ! MLFLOW_EXPERIMENT_ seen && test_grep ! MLFLOW_RUN_ID seen &&
	printf "True True theirs\nFalse\n%s\n" "$params" >exp && test_cmp exp out &&
	mlp show --json theirs >out &&
	test_grep "\"experiment\":\"mine\"" out && test_grep "\"lr\":\"1e-3\"" out &&
	test_grep "\"color\":\"red\"" out &&
	mlp cost report --by experiment --json >out && test_grep mine out && test_grep ! Default out
'

test_expect_success PYTHON,MICROHTTPD 'but the name and the experiment of the user stay' '
	mlp -c train.mlflow=always train -e ours -n called -p lr=1e-3 -p on=true -- \
		python3 script.py other >out &&
	printf "True False called\nFalse\n%s\n" "$params" >exp && test_cmp exp out &&
	mlp show --json called >out && test_grep "\"experiment\":\"ours\"" out &&
	test_grep ! theirs out
'

test_expect_success PYTHON,MICROHTTPD 'the secret is written nowhere' '
	test_expect_code 3 mlp -c train.mlflow=always -c "capture.env=MLFLOW_*" \
		train -e some -n hidden -- python3 client.py &&
	mlp show hidden:env >out &&
	test_expect_code 1 grep -raFf secret .mlp out
'

cat >users.py <<'EOT'
import base64, http.client, os, sys, urllib.parse
host = urllib.parse.urlparse(os.environ["MLFLOW_TRACKING_URI"]).netloc
print(*(os.environ.get("MLFLOW_TRACKING_" + name) for name in ("USERNAME", "PASSWORD", "TOKEN")))
basic = lambda s: "Basic " + base64.b64encode(s.encode()).decode()
for given in basic("me:mine"), "Bearer mine", "Bearer also", basic("me:min"), basic("me:"), "Bearer ", "":
    c = http.client.HTTPConnection(host, timeout=20)
    c.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"Authorization": given})
    print(c.getresponse().status)
EOT

test_expect_success PYTHON,MICROHTTPD 'credentials of the user are good for it too, and stay' '
	MLFLOW_TRACKING_USERNAME=me MLFLOW_TRACKING_PASSWORD=mine MLFLOW_TRACKING_TOKEN=also \
		mlp -c train.mlflow=always -c "capture.env=MLFLOW_*" train -n own -- \
		python3 users.py >out &&
	test_write_lines "me mine also" 200 200 401 401 401 401 401 >exp && test_cmp exp out &&
	mlp show own:env >out && test_grep ! mine out &&
	MLFLOW_TRACKING_TOKEN=also mlp -c train.mlflow=always train -- python3 users.py >out &&
	test_write_lines "None None also" 401 401 200 401 401 401 401 >exp && test_cmp exp out
'

seen='env | grep "^MLFLOW_" >seen || :'
test_expect_success 'never means never' '
	mlp -c train.mlflow=never train -- sh -c "$seen" && test_line_count = 0 seen
'

test_expect_success 'a server that the user named is left alone' '
	MLFLOW_TRACKING_URI=http://there mlp -c train.mlflow=always train -- sh -c "$seen" &&
	echo MLFLOW_TRACKING_URI=http://there >exp && test_cmp exp seen
'

test_expect_success 'auto: only where a client is installed' '
	mkdir -p env/bin env/lib/python3.11/site-packages home &&
	test_write_script env/bin/python <<-\EOT &&
	env | grep "^MLFLOW_" >seen || :
	EOT
	HOME=$PWD/home mlp train -- env/bin/python && test_line_count = 0 seen &&
	mkdir env/lib/python3.11/site-packages/mlflow_skinny-3.17.2.dist-info &&
	HOME=$PWD/home mlp train -- env/bin/python && test_line_count = 5 seen
'

test_expect_success 'a run within a run has an endpoint of its own' '
	mlp -c train.mlflow=always train -n o -- sh -c "env | grep ^MLFLOW_ >outer;
		exec mlp -c train.mlflow=always train -n i -- sh -c \"env | grep ^MLFLOW_ >inner\"" &&
	test_line_count = 5 inner && ! test_cmp outer inner >/dev/null 2>&1 &&
	test_grep "^MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT=true$" inner &&
	mlp -c train.mlflow=always train -e o -- mlp -c train.mlflow=always train -- sh -c "$seen" &&
	test_grep ! MLFLOW_EXPERIMENT_NAME seen
'

# A network of its own with one port, which the endpoint of the run around has.
one_port='echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range'
test_lazy_prereq ONE_PORT 'unshare -rn sh -c "$one_port"'
test_expect_success ONE_PORT 'without an endpoint the command runs and is recorded' '
	unshare -rn sh -c "$one_port && exec mlp -c train.mlflow=always train -n around -- \
		mlp -c train.mlflow=always train -n within -- sh -c \"echo \\\$MLP_ATTEMPT >ran\"" 2>err &&
	test_grep "MLflow clients of the command are not recorded: .*in use" err &&
	echo 1 >exp && test_cmp exp ran &&
	mlp show --json within >out && test_grep "\"status\":\"finished\"" out
'

test_done
