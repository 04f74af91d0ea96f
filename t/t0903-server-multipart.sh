#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp server: artifacts uploaded in parts, as MLflow's client does with large files.
. "${srcdir:-.}/t/test-lib.sh"
test_require PYTHON
. "$TEST_SOURCE/t/server-lib.sh"

cat >parts.py <<'EOF'
import hashlib, http.client, json, os, random, threading, urllib.parse
port = int(os.environ["port"])
def ask(method, path, body=None, headers={}):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request(method, path, body, headers)
    r = c.getresponse()
    return r.status, r.read(), r.headers
def post(path, value, mount="/api/2.0/", headers={}):
    status, text, _ = ask("POST", mount + path, json.dumps(value), {"Content-Type": "application/json", **headers})
    return status, json.loads(text)
def create(folder, name, parts, **more):
    status, answer = post("mlflow-artifacts/mpu/create/" + folder, {"path": "/data/" + name, "num_parts": parts}, **more)
    assert status == 200, answer
    assert [c["part_number"] for c in answer["credentials"]] == list(range(1, parts + 1))
    return answer["upload_id"], [c["url"].split(str(port), 1)[1] for c in answer["credentials"]]
def tag(data):
    return '"%s"' % hashlib.sha256(data).hexdigest()
def put(url, data):
    status, text, headers = ask("PUT", url, data)
    assert status == 200, text
    assert headers["ETag"] == tag(data)
    return headers["ETag"]
def end(verb, folder, name, upload, etags=None, **more):
    parts = [{"part_number": i + 1, "etag": e} for i, e in enumerate(etags or [])]
    return post("mlflow-artifacts/mpu/%s/%s" % (verb, folder), {"path": name, "upload_id": upload, "parts": parts}, **more)
def get(path):
    return ask("GET", "/api/2.0/mlflow-artifacts/artifacts/" + path)
def refused(url, data, want):
    status, text, _ = ask("PUT", url, data)
    assert status == want, (status, text)
if os.path.exists("run"):
    run = open("run").read()
    root = "0/%s/artifacts" % run
EOF

test_expect_success 'a server and a run; what a killed one left is removed' '
	mlp init && mkdir -p .mlp/tmp && echo left >.mlp/tmp/object-0123456789abcdef &&
	serve . &&
	test_path_is_missing .mlp/tmp/object-0123456789abcdef &&
	python3 -c "
from parts import *
open(\"run\", \"w\").write(post(\"mlflow/runs/create\", {\"experiment_id\": \"0\"})[1][\"run\"][\"info\"][\"run_id\"])"
'

test_expect_success 'parts at once and in any order become the file' '
	cat >upload.py <<\EOF &&
from parts import *
size, last = 300000, 12345
data = random.Random(1).randbytes(size * 6 + last)
upload, urls = create(root + "/sub", "model.bin", 7)
etags = [None] * 7
def send(i): etags[i] = put(urls[i], data[i * size:(i + 1) * size])
put(urls[6], b"an earlier try that was longer" * 1000)
send(6)
threads = [threading.Thread(target=send, args=(i,)) for i in (5, 3, 4, 1, 0)]
for t in threads: t.start()
for t in threads: t.join()
status, answer = end("complete", root + "/sub", "model.bin", upload, [e or "" for e in etags])
assert status == 400 and "part 3 is not here" in answer["message"], answer
send(2)
status, answer = end("complete", root + "/sub", "model.bin", upload, etags[:2] + etags[3:])
assert status == 400 and "6 parts of 7" in answer["message"], answer
status, answer = end("complete", root + "/sub", "model.bin", upload, etags[::-1])
assert status == 400 and "is not the one received" in answer["message"], answer
assert get(root + "/sub/model.bin")[0] == 404
assert end("complete", root + "/sub", "model.bin", upload, etags) == (200, {})
status, text, headers = get(root + "/sub/model.bin")
assert status == 200 and text == data
assert headers["ETag"] == tag(data)
def part(method, **headers):
    return ask(method, "/api/2.0/mlflow-artifacts/artifacts/" + root + "/sub/model.bin", None, {k.replace("_", "-"): v for k, v in headers.items()})
status, text, headers = part("HEAD")
assert (status, text, int(headers["Content-Length"])) == (200, b"", len(data))
assert part("GET", Range="bytes=10-19")[:2] == (206, data[10:20])
assert part("GET", Range="bytes=-5", If_Range=tag(data))[:2] == (206, data[-5:])
assert part("GET", Range="bytes=-5", If_Range=tag(b"other"))[:2] == (200, data)
assert part("GET", Range="bytes=%d-" % len(data))[0] == 416
for bad in ("5-2", "3-x", "3-4x", "7-99999999999999999999", "--2"):
    assert part("GET", Range="bytes=" + bad)[:2] == (200, data), bad
assert part("GET", If_None_Match=tag(data))[:2] == (304, b"")
# A client that missed the answer asks again.
assert end("complete", root + "/sub", "model.bin", upload, etags) == (200, {})
refused(urls[0], b"x" * size, 404)
EOF
	python3 upload.py
'

test_expect_success 'one part, an empty last part, the other mount' '
	cat >small.py <<\EOF &&
from parts import *
upload, urls = create(root, "one", 1, mount="/ajax-api/2.0/")
put(urls[0], b"an earlier try")
assert end("complete", root, "one", upload, [put(urls[0], b"only")], mount="/ajax-api/2.0/") == (200, {})
assert get(root + "/one")[1] == b"only"
upload, urls = create(root, "two", 2)
assert end("complete", root, "/elsewhere/two", upload, [put(urls[0], b"first"), put(urls[1], b"")]) == (200, {})
assert get(root + "/two")[1] == b"first"
EOF
	python3 small.py
'

test_expect_success 'what does not fit is refused, what is given up is gone' '
	cat >refused.py <<\EOF &&
from parts import *
upload, urls = create(root, "f", 3)
put(urls[0], b"12345")
refused(urls[1], b"1234", 400)
refused(urls[0].replace("signature=", "signature=0"), b"12345", 403)
refused(urls[0].split("?")[0], b"12345", 403)
refused(urls[0][:-1] + ("0" if urls[0][-1] != "0" else "1"), b"12345", 404)
refused(urls[0].replace("/1?", "/4?"), b"12345", 400)
refused(urls[0].replace("/1?", "/0?"), b"12345", 400)
assert ask("GET", urls[0])[0] == 405
assert end("abort", root, "other", upload) == (200, {})
put(urls[0], b"12345")
assert end("abort", root, "f", upload) == (200, {})
assert end("abort", root, "f", upload) == (200, {})
refused(urls[1], b"12345", 404)
assert end("complete", root, "f", upload, ["", "", ""])[0] == 404
for parts in (0, -1, 10001, "x", 1.5):
    status, answer = post("mlflow-artifacts/mpu/create/" + root, {"path": "f", "num_parts": parts})
    assert status == 400, (parts, answer)
for folder in ("0/%s/artifacts" % ("0" * 32), "nonsense", root + "/../x", root + "/%2e%2e"):
    status, answer = post("mlflow-artifacts/mpu/create/" + folder, {"path": "f"})
    assert status in (400, 404), (folder, answer)
for path in ("..", "a/", ".", ""):
    assert post("mlflow-artifacts/mpu/create/" + root, {"path": path})[0] == 400, path
assert ask("GET", "/api/2.0/mlflow-artifacts/mpu/create/" + root)[0] == 405
assert ask("POST", "/api/2.0/mlflow-artifacts/mpu/copy/" + root)[0] == 404
uploads = [create(root, "many", 1)[0] for i in range(128)]
status, answer = post("mlflow-artifacts/mpu/create/" + root, {"path": "f"})
assert status == 503 and answer["error_code"] == "TEMPORARILY_UNAVAILABLE", answer
for upload in uploads: end("abort", root, "many", upload)
create(root, "f", 1)
EOF
	python3 refused.py
'

test_expect_success 'a part that breaks off is sent again; the connection of another holds it' '
	cat >broken.py <<\EOF &&
from parts import *
import socket, time
upload, urls = create(root, "g", 2)
s = socket.create_connection(("127.0.0.1", port))
s.send(b"PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345" % urls[0].encode())
for i in range(1000):
    if ask("PUT", urls[0], b"1234567890")[0] == 400: break
    time.sleep(0.01)
else:
    raise AssertionError
s.close()
for i in range(1000):
    if ask("PUT", urls[0], b"abcdefghij")[0] == 200: break
    time.sleep(0.01)
etags = [tag(b"abcdefghij"), put(urls[1], b"k")]
assert end("complete", root, "g", upload, etags) == (200, {})
assert get(root + "/g")[1] == b"abcdefghijk"
EOF
	python3 broken.py
'

test_expect_success 'the server ends with uploads begun, and leaves nothing' '
	python3 -c "
from parts import *
upload, urls = create(root, \"h\", 2)
put(urls[0], b\"x\" * 1000)" &&
	stop &&
	find .mlp/tmp -type f >left && test_must_be_empty left
'

test_expect_success 'with tokens, the addresses of parts need none; the rest does' '
	token=$(mlp server token add writer --scope write 2>/dev/null) &&
	reader=$(mlp server token add reader --scope read 2>/dev/null) &&
	export token reader &&
	serve . --auth &&
	cat >tokens.py <<\EOF &&
from parts import *
mine = {"Authorization": "Bearer " + os.environ["token"]}
other = {"Authorization": "Bearer " + os.environ["reader"]}
for verb in ("create", "complete", "abort"):
    assert post("mlflow-artifacts/mpu/%s/%s" % (verb, root), {})[0] == 401
    assert post("mlflow-artifacts/mpu/%s/%s" % (verb, root), {}, headers=other)[0] == 403
status, answer = post("mlflow-artifacts/mpu/create/" + root, {"path": "t"}, headers={**mine, "X-Forwarded-Proto": "https"})
assert answer["credentials"][0]["url"].startswith("https://127.0.0.1:%d/" % port), answer
upload, urls = create(root, "t", 2, headers=mine)
etags = [put(urls[0], b"abc"), put(urls[1], b"d")]
assert end("complete", root, "t", upload, etags)[0] == 401
assert end("complete", root, "t", upload, etags, headers=mine) == (200, {})
EOF
	python3 tokens.py &&
	stop &&
	python3 -c "
import sqlite3
rows = sqlite3.connect(\".mlp/mlp.db\").execute(\"SELECT token, path FROM audit\").fetchall()
assert len(rows) == 1 and rows[0][0] == \"writer\" and \"mpu/complete\" in rows[0][1], rows"
'

test_done
