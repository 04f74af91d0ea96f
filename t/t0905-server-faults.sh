#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp server: requests that are meant to break it, a full disk, a sudden end.
. "${srcdir:-.}/t/test-lib.sh"
test_require PYTHON
. "$TEST_SOURCE/t/server-lib.sh"

PYTHONPATH=$TRASH
export PYTHONPATH
cat >api.py <<'EOF'
import http.client, json, os, signal, socket, subprocess, sys, threading, time
port = int(os.environ["port"])
class Client:
    def __init__(self, token=None):
        self.c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.token = token
    def ask(self, method, path, body=None, **headers):
        if isinstance(body, dict):
            body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        self.c.request(method, "/api/2.0/" + path, body, headers)
        r = self.c.getresponse()
        text = r.read()
        try: return r.status, json.loads(text)
        except ValueError: return r.status, text
def ask(*args, **headers):
    return Client().ask(*args, **headers)
def new_run():
    return ask("POST", "mlflow/runs/create", {"experiment_id": "0"})[1]["run"]["info"]["run_id"]
def place(run, path):
    return "mlflow-artifacts/artifacts/0/%s/artifacts/%s" % (run, path)
EOF

test_expect_success 'bodies that no client sends are told so' '
	mlp init && serve . &&
	cat >bodies.py <<\EOF &&
from api import *
run = new_run()
create = "mlflow/runs/create"
def refused(body, path=create):
    status, answer = ask("POST", path, body)
    assert status == 400 and answer["message"], (body[:50], status, answer)
    return answer["message"]
for kind, want in ("application/json; charset=utf-8", 200), ("Application/JSON", 200), ("application/jsonx", 400), ("text/json", 400):
    assert ask("POST", "mlflow/runs/search", {"experiment_ids": ["0"]}, **{"Content-Type": kind})[0] == want, kind
refused(b"[" * 10000 + b"]" * 10000)
refused(b"{\"a\":" * 10000 + b"1" + b"}" * 10000)
assert "UTF-8" in refused(b"{\"experiment_id\":\"0\",\"run_name\":\"\xff\"}")
for body in (b"", b"null", b"[]", b"1", b"{\"a\":1}x", b"{\"experiment_id\":\"a\\u0000b\"}", b"\0", b"{", b"\"\""):
    refused(body)
def filtered(text):
    return ask("POST", "mlflow/runs/search", {"experiment_ids": ["0"], "filter": text})[0]
assert "too many values" in refused(b"{\"a\":[" + b"1," * 3000000 + b"1]}")
assert "too many values" in refused(json.dumps("{\"a\":[" + "1," * 3000000 + "1]}").replace(",", "\\u002c").encode())
assert filtered("(" * 5000 + "params.a = \"1\"" + ")" * 5000) == 400
assert filtered("NOT " * 5000 + "params.a = \"1\"") == 400
assert filtered(" OR ".join(["params.a = \"1\""] * 3000)) == 200
assert filtered("run_id IN (" + ", ".join(["\"a\""] * 100000) + ")") == 400
point = {"run_id": run, "key": "k", "value": 1}
for timestamp in (1e30, 2 ** 63, -2 ** 64, 1.5, "x", {}, [1]):
    assert ask("POST", "mlflow/runs/log-metric", {**point, "timestamp": timestamp})[0] == 400, timestamp
for time in (-1, -2 ** 63, "-9223372036854775808"):
    assert ask("POST", "mlflow/runs/create", {"experiment_id": "0", "start_time": time})[0] == 400, time
    assert ask("POST", "mlflow/runs/update", {"run_id": run, "end_time": time})[0] == 400, time
assert ask("GET", "mlflow/runs/get?run_id=" + run)[0] == 200
EOF
	python3 bodies.py
'

test_expect_success 'paths of artifacts do not lead out' '
	cat >paths.py <<\EOF &&
from api import *
run = new_run()
for path in ("..", "a/../b", "%2e%2e/x", "a/%2e%2e/%2e%2e/x", "a%00b", "%00", "a//b", "./a", "a/.", "%0a", "a%0d%0aX:y"):
    for method in ("PUT", "GET", "DELETE"):
        status, answer = ask(method, place(run, path), b"x")
        assert status == 400, (method, path, status, answer)
for path in ("", "/", "%ff%fe"):
    assert ask("PUT", place(run, path), b"x")[0] == 400, path
assert ask("GET", "mlflow-artifacts/artifacts?path=0/%s/artifacts/.." % run)[0] == 400
assert ask("GET", "mlflow/artifacts/list?run_id=%s&path=../.." % run)[0] == 400
assert ask("DELETE", place(run, "absent"))[0] == 404
for path in ("a%2fb", "%5c..%5cx", "c" * 300, "d/" * 1000 + "e"):
    assert ask("PUT", place(run, path), b"1") == (200, {}), path
    assert ask("GET", place(run, path)) == (200, 1), path
EOF
	python3 paths.py
'

test_expect_success '64 clients of all kinds, logs opened anew meanwhile: each is answered' '
	stop && serve . --access-log log &&
	python3 - <<\EOF
from api import *
run, errors = new_run(), []
def work(i):
    try:
        c = Client()
        for n in range(8):
            answers = [
                c.ask("POST", "mlflow/runs/log-metric", {"run_id": run, "key": "k%d" % i, "value": n, "timestamp": n, "step": n}),
                c.ask("PUT", place(run, "f/%d/%d" % (i, n)), b"%d" % (n % 3) * 100),
                c.ask("GET", "mlflow-artifacts/artifacts?path=0/%s/artifacts/f/%d" % (run, i)),
                c.ask("POST", "mlflow/runs/search", {"experiment_ids": ["0"], "filter": "metrics.k%d >= 0" % i}),
                c.ask("DELETE", place(run, "f/%d/%d" % (i, n)))]
            assert all(a[0] == 200 for a in answers), answers
    except Exception as e:
        errors.append(e)
threads = [threading.Thread(target=work, args=(i,)) for i in range(64)]
for t in threads: t.start()
while any(t.is_alive() for t in threads):
    os.kill(int(os.environ["server"]), signal.SIGHUP)
    time.sleep(0.02)
assert not errors, errors[:3]
assert len(ask("GET", "mlflow/runs/get?run_id=" + run)[1]["run"]["data"]["metrics"]) == 64
EOF
'

test_expect_success 'killed amid uploads: the store is whole, nothing is half there' '
	python3 - <<\EOF &&
from api import *
run, done = new_run(), []
def upload(i):
    try:
        if ask("PUT", place(run, "f%d" % i), bytes([i]) * 3000000) == (200, {}):
            done.append(i)
    except OSError:
        pass
s = socket.create_connection(("127.0.0.1", port))
s.send(b"PUT /api/2.0/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n" % place(run, "cut").encode() + b"x" * 1000000)
threads = [threading.Thread(target=upload, args=(i,)) for i in range(16)]
for t in threads: t.start()
while len(done) < 3: time.sleep(0.001)
os.kill(int(os.environ["server"]), signal.SIGKILL)
for t in threads: t.join()
open("done", "w").write(json.dumps([run, done]))
EOF
	{ wait $server || :; } &&
	find .mlp/tmp -type f >left && test_must_be_empty left &&
	serve . && python3 - <<\EOF && mlp doctor >doctor 2>&1
from api import *
run, done = json.load(open("done"))
status, answer = ask("GET", "mlflow-artifacts/artifacts?path=0/%s/artifacts" % run)
there = {f["path"]: f["file_size"] for f in answer["files"]}
assert set(there) >= {"f%d" % i for i in done} and "cut" not in there, there
for name in there:
    status, text = ask("GET", place(run, name))
    assert text == bytes([int(name[1:])]) * 3000000, name
EOF
'

test_expect_success 'a file that may not be that large is an answer, not the end' '
	stop &&
	ulimit -S -f 8192 && serve . && ulimit -S -f unlimited && python3 - <<\EOF &&
from api import *
run = new_run()
status, answer = ask("PUT", place(run, "large"), b"x" * 10000000)
assert status == 500 and "large" in answer["message"].lower(), answer
assert ask("PUT", place(run, "small"), b"x" * 1000000) == (200, {})
assert ask("GET", place(run, "large"))[0] == 404
EOF
	stop
'

cat >full.py <<'EOF'
from api import *
run = new_run()
folder = "0/%s/artifacts" % run
assert ask("PUT", place(run, "first"), b"1" * 2000000)[0] == 200
def full(answer):
    assert answer[0] == 507 and "space" in answer[1]["message"], answer
full(ask("PUT", place(run, "large"), b"2" * 30000000))
status, upload = ask("POST", "mlflow-artifacts/mpu/create/" + folder, {"path": "parts", "num_parts": 3})
for i, credential in enumerate(upload["credentials"][:2]):
    answer = ask("PUT", credential["url"].split("/api/2.0/")[1], b"3" * 8000000)
    if i: full(answer)
    else: assert answer[0] == 200, answer
assert ask("POST", "mlflow-artifacts/mpu/abort/" + folder, {"path": "parts", "upload_id": upload["upload_id"]}) == (200, {})
assert ask("PUT", place(run, "second"), b"4" * 2000000)[0] == 200
assert ask("POST", "mlflow/runs/log-metric", {"run_id": run, "key": "k", "value": 1, "timestamp": 1})[0] == 200
files = ask("GET", "mlflow-artifacts/artifacts?path=" + folder)[1]["files"]
assert [f["path"] for f in files] == ["first", "second"], files
EOF

test_expect_success SMALL_DISK 'a full disk: refused in words, and all is well once there is room' '
	test_with_small_disk 12m "
		mlp init && { mlp server -p 0 >url 2>err & server=\$!; } &&
		trap \"kill \$server 2>/dev/null\" EXIT &&
		i=0 && until test -s url; do i=\$((i + 1)); test \$i -lt 200 || exit 1; sleep 0.05; done &&
		port=\$(sed \"s/.*://\" url) && export port &&
		python3 $TRASH/full.py && kill \$server && wait \$server && mlp doctor"
'

test_expect_success 'a token revoked while its client is connected' '
	token=$(mlp server token add briefly --scope write 2>/dev/null) && serve . --auth &&
	test_when_finished "kill $server 2>/dev/null || :" &&
	token=$token python3 - <<\EOF
from api import *
c = Client(os.environ["token"])
search = ("POST", "mlflow/runs/search", {"experiment_ids": ["0"]})
assert c.ask(*search)[0] == 200
subprocess.run(["mlp", "server", "token", "revoke", "briefly"], check=True)
assert c.ask(*search)[0] == 401
EOF
'

test_done
