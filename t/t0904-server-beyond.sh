#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp server: what it takes beyond MLflow: filters with OR, NOT and parentheses, chosen
# keys, moving runs, deleting for ever; and that every write names its token.
. "${srcdir:-.}/t/test-lib.sh"
test_require PYTHON
. "$TEST_SOURCE/t/server-lib.sh"

cat >api.py <<'EOF'
import http.client, json, os, sqlite3
port = int(os.environ["port"])
def ask(method, path, value=None, mount="/api/2.0/", token=os.environ.get("token")):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json"}
    if token: headers["Authorization"] = "Bearer " + token
    c.request(method, mount + path, None if value is None else json.dumps(value), headers)
    r = c.getresponse()
    text = r.read()
    try: return r.status, json.loads(text)
    except ValueError: return r.status, text
def post(path, **value):
    status, answer = ask("POST", "mlflow/" + path, value)
    assert status == 200, (path, value, answer)
    return answer
def create_run(name, experiment="0", **more):
    return post("runs/create", experiment_id=experiment, run_name=name, **more)["run"]["info"]["run_id"]
def runs(filter="", experiment="0", **more):
    return post("runs/search", experiment_ids=[experiment], filter=filter, **more)["runs"]
def names(*args):
    return sorted(r["info"]["run_name"] for r in runs(*args))
EOF

test_expect_success 'a server' '
	mlp init &&
	serve .
'

test_expect_success 'OR, NOT and parentheses in every search' '
	cat >filters.py <<\EOF &&
from api import *
for i, name in enumerate("abcd"):
    run = create_run(name, tags=[{"key": "odd", "value": str(i % 2)}])
    post("runs/log-batch", run_id=run, params=[{"key": "p", "value": name}, {"key": "q", "value": "1"}],
         metrics=[{"key": k, "value": i, "timestamp": 1, "step": s} for k in ("m", "n", "o") for s in (0, 1)])
assert names("params.p = \"a\" OR metrics.m > 2") == ["a", "d"]
assert names("NOT (params.p = \"a\" OR metrics.m > 2)") == ["b", "c"]
assert names("NOT params.p = \"a\" AND (tags.odd = \"1\" OR NOT metrics.m < 3)") == ["b", "d"]
assert names("status = \"RUNNING\" AND (run_name IN (\"a\", \"b\") OR params.absent IS NOT NULL)") == ["a", "b"]
for name in "efg":
    post("experiments/create", name=name, tags=[{"key": "k", "value": name}])
    post("registered-models/create", name=name, tags=[{"key": "k", "value": name}])
    post("model-versions/create", name=name, source="s3://b/" + name, tags=[{"key": "k", "value": name}])
    post("logged-models", experiment_id="0", name=name, params=[{"key": "k", "value": name}])
def found(method, path, member, name, filter, **more):
    status, answer = ask(method, path, {"filter": filter, "max_results": 10, **more})
    assert status == 200, answer
    return sorted(name(x) for x in answer.get(member, []))
for key, search in (
        ("tags.k", lambda f: found("POST", "mlflow/experiments/search", "experiments", lambda e: e["name"], f)),
        ("params.k", lambda f: found("POST", "mlflow/logged-models/search", "models", lambda m: m["info"]["name"], f, experiment_ids=["0"]))):
    assert search("%s = \"e\" OR %s = \"g\"" % (key, key)) == ["e", "g"], key
    assert search("%s LIKE \"%%\" AND NOT (%s = \"e\" OR %s = \"g\")" % (key, key, key)) == ["f"], key
import urllib.parse
for path, member in (("registered-models", "registered_models"), ("model-versions", "model_versions")):
    def search(f):
        status, answer = ask("GET", "mlflow/%s/search?filter=%s" % (path, urllib.parse.quote(f)))
        assert status == 200, answer
        return sorted(m["name"] for m in answer.get(member, []))
    assert search("name = \"e\" OR tags.k = \"g\"") == ["e", "g"], path
    assert search("NOT (name = \"e\" OR tags.k = \"g\")") == ["f"], path
EOF
	python3 filters.py
'

test_expect_success 'only the keys asked for' '
	cat >keys.py <<\EOF &&
from api import *
def data(**more):
    d = runs("params.p = \"b\"", **more)[0]["data"]
    return [[x["key"] for x in d.get(kind, [])] for kind in ("metrics", "params", "tags")]
every = data()
assert every[0] == ["m", "n", "o"] and every[1] == ["p", "q"] and "odd" in every[2]
assert data(metric_keys=["o", "m", "o", "none"]) == [["m", "o"], *every[1:]]
assert data(metric_keys=[], param_keys=["q"], tag_keys=["odd"]) == [[], ["q"], ["odd"]]
assert data(metric_keys=None, param_keys=[], tag_keys=[]) == [every[0], [], []]
assert runs("params.p = \"b\"", metric_keys=["n"])[0]["data"]["metrics"] == [{"key": "n", "value": 1, "timestamp": 1, "step": 1}]
for wrong in ({"a": 1}, 1, [1], [["m"]]):
    status, answer = ask("POST", "mlflow/runs/search", {"experiment_ids": ["0"], "metric_keys": wrong})
    assert status == 400, answer
EOF
	python3 keys.py
'

test_expect_success 'a run moves with its models and datasets' '
	cat >move.py <<\EOF &&
from api import *
there = post("experiments/create", name="there")["experiment_id"]
gone = post("experiments/create", name="gone")["experiment_id"]
post("experiments/delete", experiment_id=gone)
run = create_run("wanderer")
data = {"name": "d", "digest": "1", "source_type": "local", "source": "x"}
post("runs/log-inputs", run_id=run, datasets=[{"dataset": data, "tags": []}])
model = post("logged-models", experiment_id="0", name="made", source_run_id=run)["model"]["info"]["model_id"]
def move(run, experiment):
    return ask("POST", "mlp/runs/move", {"run_id": run, "experiment_id": experiment})
assert move(run, "999")[0] == 404
assert move(run, gone)[0] == 400
assert move("0" * 32, there)[0] == 404
assert move(run, there) == (200, {})
assert move(run, there) == (200, {})
info = ask("GET", "mlflow/runs/get?run_id=" + run)[1]["run"]
assert info["info"]["experiment_id"] == there
assert info["inputs"]["dataset_inputs"][0]["dataset"]["digest"] == "1"
assert names("name = \"wanderer\"") == [] and names("", there) == ["wanderer"]
assert ask("GET", "mlflow/logged-models/" + model)[1]["model"]["info"]["experiment_id"] == there
assert ask("POST", "mlp/experiments/delete-permanently", {"experiment_id": "0"})[0] == 400
# The first experiment keeps its dataset, the second has one of its own.
assert ask("POST", "mlp/experiments/delete-permanently", {"experiment_id": there}) == (200, {})
assert ask("GET", "mlflow/runs/get?run_id=" + run)[0] == 404
assert ask("GET", "mlflow/logged-models/" + model)[0] == 404
assert ask("GET", "mlflow/experiments/get?experiment_id=" + there)[0] == 404
post("experiments/create", name="there")
rows = sqlite3.connect(".mlp/mlp.db").execute("SELECT experiment_id, name FROM dataset").fetchall()
assert rows == [(0, "d")], rows
EOF
	python3 move.py
'

test_expect_success 'a run is deleted for ever, also from the trash; not while it lives' '
	cat >delete.py <<\EOF &&
from api import *
def delete(run):
    return ask("POST", "mlp/runs/delete-permanently", {"run_id": run})
one, two = create_run("one"), create_run("two", tags=[{"key": "mlflow.parentRunId", "value": "x"}])
post("runs/delete", run_id=two)
assert delete(one) == (200, {}) and delete(two) == (200, {})
assert delete(one)[0] == 404 and delete("")[0] == 400
assert ask("GET", "mlflow/runs/get?run_id=" + one)[0] == 404
live = runs("name = \"live\"")[0]["info"]["run_id"]
status, answer = delete(live)
assert status == 409 and "still running" in answer["message"], answer
EOF
	mlp train -d --name live -- sleep 100 &&
	test_wait_for 10 sh -c "mlp log --json | grep -q live" &&
	python3 delete.py && mlp stop live
'

test_expect_success 'the tag that names the parent makes and unmakes one' '
	cat >parent.py <<\EOF &&
from api import *
import json, subprocess
def parent(name):
    text = subprocess.run(["mlp", "show", "--json", name], check=True, capture_output=True, text=True).stdout
    return json.loads(text.splitlines()[0]).get("parent")
def tag(run, of):
    post("runs/set-tag", run_id=run, key="mlflow.parentRunId", value=of)
above, below = create_run("above"), create_run("below")
assert not parent("below")
tag(below, above)
assert parent("below") == above, parent("below")
tag(above, below)
tag(above, above)
assert not parent("above")
tag(below, "nothing")
assert not parent("below")
post("runs/log-batch", run_id=below, tags=[{"key": "mlflow.parentRunId", "value": above}])
assert parent("below") == above
post("runs/delete-tag", run_id=below, key="mlflow.parentRunId")
assert not parent("below")
EOF
	python3 parent.py
'

test_expect_success 'the first use of a dataset says what for, an end stays, a name is never empty' '
	cat >first.py <<\EOF &&
from api import *
run = create_run("first")
for context in "training", "validation":
    post("runs/log-inputs", run_id=run, datasets=[{"dataset": {"name": "f", "digest": "1", "source_type": "l", "source": "x"},
         "tags": [{"key": "mlflow.data.context", "value": context}]}])
post("runs/update", run_id=run, status="FINISHED", end_time=5000)
post("runs/update", run_id=run, status="RUNNING")
post("runs/set-tag", run_id=run, key="mlflow.runName", value="")
post("runs/log-metric", run_id=run, key="bare", value=float("nan"), timestamp=1)
run = ask("GET", "mlflow/runs/get?run_id=" + run)[1]["run"]
assert run["inputs"]["dataset_inputs"][0]["tags"] == [{"key": "mlflow.data.context", "value": "training"}], run
assert run["info"]["end_time"] == 5000 and run["info"]["run_name"] == "first", run
assert run["data"]["metrics"][0]["value"] == "NaN", run
EOF
	python3 first.py
'

test_expect_success 'no name is that of a file and of a folder' '
	cat >names.py <<\EOF &&
from api import *
run = create_run("twice")
model = post("logged-models", experiment_id="0", name="twice")["model"]["info"]["model_id"]
for root in "0/" + run, "0/models/" + model:
    def put(path):
        return ask("PUT", "mlflow-artifacts/artifacts/" + root + "/artifacts/" + path, path)[0]
    assert put("d/e") == put("d/f/g") == put("d-") == put("x") == put("x") == put("d/e") == 200
    assert put("d") == put("d/f") == put("x/y") == put("d/e/f/g") == 400
db = sqlite3.connect(".mlp/mlp.db")
db.execute("INSERT INTO run_file(run_id, role, path, size, mode, sha256, stored) SELECT run_id, role, \"d\", size,"
           " mode, sha256, stored FROM run_file WHERE path = \"x\"")
db.commit()
EOF
	python3 names.py && mlp export mlflow twice.db 2>err >out &&
	test_grep "left out: artifact .d/e.: .d. is a file" err &&
	echo y >y && mlp record artifact --run twice y && mkdir x && echo z >x/z &&
	test_must_fail mlp record artifact --run twice x 2>err && test_grep "file, not a folder" err
'

test_expect_success 'a dataset used from elsewhere does not hold its experiment' '
	cat >shared.py <<\EOF &&
from api import *
e = post("experiments/create", name="lender")["experiment_id"]
run = create_run("lent", e)
post("runs/log-inputs", run_id=run, datasets=[{"dataset": {"name": "d", "digest": "2", "source_type": "l", "source": "x"}}])
other = create_run("borrower")
model = post("logged-models", experiment_id="0", name="evaluated")["model"]["info"]["model_id"]
post("runs/log-metric", run_id=run, key="acc", value=1, timestamp=1, model_id=model, dataset_name="d", dataset_digest="2")
assert ask("POST", "mlp/experiments/delete-permanently", {"experiment_id": e}) == (200, {})
assert ask("GET", "mlflow/logged-models/" + model)[0] == 200
EOF
	python3 shared.py && stop && mlp doctor >out 2>&1
'

test_expect_success 'with tokens: for ever needs admin, moving needs both experiments' '
	writer=$(mlp server token add writer --scope write 2>/dev/null) &&
	admin=$(mlp server token add admin --scope admin 2>/dev/null) &&
	limited=$(mlp server token add limited --scope write --experiment Default 2>/dev/null) &&
	export writer admin limited &&
	serve . --auth &&
	cat >scopes.py <<\EOF &&
import os
os.environ["token"] = os.environ["writer"]
from api import *
run = create_run("guarded")
e = post("experiments/create", name="other")["experiment_id"]
body = {"run_id": run, "experiment_id": e}
assert ask("POST", "mlp/runs/delete-permanently", body)[0] == 403
assert ask("POST", "mlp/experiments/delete-permanently", body)[0] == 403
assert ask("POST", "mlp/runs/move", body, token=os.environ["limited"])[0] == 403
assert ask("POST", "mlp/runs/move", body)[0] == 200
assert ask("POST", "mlp/runs/delete-permanently", {"run_id": run}, token=os.environ["admin"])[0] == 200
assert ask("POST", "mlp/experiments/delete-permanently", {"experiment_id": e}, token=os.environ["admin"])[0] == 200
EOF
	python3 scopes.py
'

test_expect_success 'an experiment goes when its tokens are revoked' '
	cat >bound.py <<\EOF &&
from api import *
import subprocess
os.environ["token"] = token = os.environ["admin"]
e = ask("POST", "mlflow/experiments/create", {"name": "bound"}, token=token)[1]["experiment_id"]
for name in "one", "two":
    subprocess.run(["mlp", "server", "token", "add", name, "--scope", "write", "--experiment", "bound"], check=True, capture_output=True)
subprocess.run(["mlp", "server", "token", "revoke", "one"], check=True)
status, answer = ask("POST", "mlp/experiments/delete-permanently", {"experiment_id": e}, token=token)
assert status == 400 and "must be revoked" in answer["message"], answer
rows = sqlite3.connect(".mlp/mlp.db").execute("SELECT experiment_id FROM token WHERE name IN (\"one\", \"two\")").fetchall()
assert rows == [(int(e),)] * 2, rows
subprocess.run(["mlp", "server", "token", "revoke", "two"], check=True)
assert ask("POST", "mlp/experiments/delete-permanently", {"experiment_id": e}, token=token) == (200, {})
EOF
	python3 bound.py && mlp server token list --json >list && test_grep ! bound list
'

test_expect_success 'every write of the registry names its token, no refused one does' '
	cat >audit.py <<\EOF &&
import os
os.environ["token"] = os.environ["writer"]
from api import *
def rows():
    return sqlite3.connect(".mlp/mlp.db").execute("SELECT token, method, path FROM audit ORDER BY rowid").fetchall()
before = len(rows())
m, v = {"name": "audited"}, {"name": "audited", "version": "1"}
writes = [
    ("POST", "registered-models/create", m), ("PATCH", "registered-models/update", {**m, "description": "d"}),
    ("POST", "registered-models/set-tag", {**m, "key": "k", "value": "v"}), ("DELETE", "registered-models/delete-tag", {**m, "key": "k"}),
    ("POST", "model-versions/create", {**m, "source": "s3://b/x"}), ("PATCH", "model-versions/update", {**v, "description": "d"}),
    ("POST", "model-versions/set-tag", {**v, "key": "k", "value": "v"}), ("DELETE", "model-versions/delete-tag", {**v, "key": "k"}),
    ("POST", "model-versions/transition-stage", {**v, "stage": "Staging"}),
    ("POST", "registered-models/alias", {**v, "alias": "best"}), ("DELETE", "registered-models/alias", {**m, "alias": "best"}),
    ("DELETE", "model-versions/delete", v), ("POST", "registered-models/rename", {**m, "new_name": "renamed"}),
    ("DELETE", "registered-models/delete", {"name": "renamed"})]
for method, path, body in writes:
    status, answer = ask(method, "mlflow/" + path, body)
    assert status == 200, (path, answer)
    assert ask(method, "mlflow/" + path, {})[0] == 400
    assert ask(method, "mlflow/" + path, body, token=os.environ["limited"])[0] == 403
subjects = [s for (s,) in sqlite3.connect(".mlp/mlp.db").execute("SELECT subject FROM audit ORDER BY rowid")][before:]
assert subjects == ["audited"] * 4 + ["audited/1"] * 5 + ["audited/1@best", "audited@best", "audited/1", "audited to renamed", "renamed"], subjects
assert rows()[before:] == [("writer", method, "/api/2.0/mlflow/" + path) for method, path, body in writes], rows()[before:]
EOF
	python3 audit.py
'

test_expect_success 'points of one run share a row of the audit for a minute' '
	cat >points.py <<\EOF &&
import os
os.environ["token"] = os.environ["writer"]
from api import *
runs = [ask("POST", "mlflow/runs/create", {"experiment_id": "0"})[1]["run"]["info"]["run_id"] for i in range(2)]
for i in range(50):
    for run in runs:
        assert ask("POST", "mlflow/runs/log-metric", {"run_id": run, "key": "k", "value": i, "timestamp": i})[0] == 200
for run in runs:
    counts = [n for (n,) in sqlite3.connect(".mlp/mlp.db").execute("SELECT writes FROM audit WHERE run = ? AND last_ms >= time_ms", (run,))]
    assert sum(counts) == 50 and len(counts) < 10, counts
EOF
	python3 points.py && stop
'

test_done
