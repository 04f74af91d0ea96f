#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp server killed under load: what it answered for is there; and what a large upload takes.
. "${srcdir:-.}/t/test-lib.sh"
test_require PYTHON
test_require MICROHTTPD

points=200 mebibytes=64
test -z "$test_long" || points=1000 mebibytes=1024
export points mebibytes

cat >common.py <<'EOT'
import hashlib, http.client, json, os, re, subprocess, sys, threading, time
def start():
    global port
    server = subprocess.Popen(["mlp", "-q", "server", "-p", "0"], stdout=subprocess.PIPE, text=True)
    port = int(re.search(r":(\d+)$", server.stdout.readline()).group(1))
    server.port = port
    return server
class Client:
    def __init__(self):
        self.c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    def ask(self, method, path, body=None):
        self.c.request(method, "/api/2.0/" + path, body and json.dumps(body), {"Content-Type": "application/json"})
        r = self.c.getresponse()
        text = r.read()
        assert r.status == 200, text
        return json.loads(text)
    def history(self, run, key):
        found, token = [], ""
        while True:
            path = "mlflow/metrics/get-history?run_id=%s&metric_key=%s&max_results=1000" % (run, key)
            answer = self.ask("GET", path + ("&page_token=" + token if token else ""))
            found += answer.get("metrics", [])
            token = answer.get("next_page_token")
            if not token:
                return found
EOT

cat >load.py <<'EOT'
from common import *
# 16 clients, each with a key; the server is killed in the middle when told so.
kill = sys.argv[1] == "kill"
points = int(os.environ["points"])
server = start()
run = Client().ask("POST", "mlflow/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
acked, times, errors = [0] * 16, [], []
def client(i):
    c = Client()
    try:
        for step in range(points):
            begin = time.time()
            c.ask("POST", "mlflow/runs/log-metric", {"run_id": run, "key": "k%d" % i, "value": step, "timestamp": step + 1, "step": step})
            times.append(time.time() - begin)
            acked[i] += 1
    except Exception as e:
        errors.append(e)
threads = [threading.Thread(target=client, args=(i,)) for i in range(16)]
for t in threads: t.start()
if kill:
    while sum(acked) < 16 * points // 2: time.sleep(0.005)
    server.kill()
for t in threads: t.join()
if kill:
    server.wait()
    server = start()
elif errors:
    raise errors[0]
c = Client()
for i in range(16):
    steps = {m["step"] for m in c.history(run, "k%d" % i)}
    assert steps >= set(range(acked[i])), (i, acked[i], len(steps))
times.sort()
print("# %d points, p50 %.1f ms, p99 %.1f ms" % (sum(acked), times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3))
server.terminate()
assert server.wait() == 0
EOT

cat >upload.py <<'EOT'
from common import *
server = start()
run = Client().ask("POST", "mlflow/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
piece, n = os.urandom(1 << 20), int(os.environ["mebibytes"])
path = "/api/2.0/mlflow-artifacts/artifacts/0/%s/artifacts/large" % run
c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
c.putrequest("PUT", path)
c.putheader("Content-Length", str(n << 20))
c.endheaders()
want = hashlib.sha256()
for i in range(n):
    part = i.to_bytes(8, "little") + piece[8:]
    want.update(part)
    c.send(part)
assert c.getresponse().read() == b"{}"
c.request("GET", path)
r, got = c.getresponse(), hashlib.sha256()
while True:
    part = r.read(1 << 20)
    if not part: break
    got.update(part)
assert got.digest() == want.digest()
high = next(int(l.split()[1]) for l in open("/proc/%d/status" % server.pid) if l.startswith("VmHWM"))
print("# %d MiB through %d KiB" % (n, high))
sanitized = "libasan" in open("/proc/%d/maps" % server.pid).read() or "libtsan" in open("/proc/%d/maps" % server.pid).read()
assert high < 32 << 10 or sanitized, high
server.terminate()
assert server.wait() == 0
EOT

test_expect_success '16 clients: no error, all there' '
	mlp init >/dev/null && python3 load.py whole
'

test_expect_success 'killed under load: nothing that was answered is lost' '
	python3 load.py kill && mlp doctor >/dev/null
'

test_expect_success 'a large artifact does not pass through memory' '
	python3 upload.py
'

test_done
