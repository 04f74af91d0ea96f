# SPDX-License-Identifier: Apache-2.0
"""What mlflow.sh does with MLflow's own client: one check a call, by name.

usage: mlflow_client.py CHECK [ARGUMENT], with the server in MLFLOW_TRACKING_URI
"""
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

CHECKS = {}


def check(fn):
    CHECKS[fn.__name__.replace("_", "-")] = fn
    return fn


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, expected {want!r}")


def fails(code, fn, *args, **kwargs):
    """The call fails with that error code."""
    try:
        fn(*args, **kwargs)
    except MlflowException as e:
        same(e.error_code, code)
        return str(e)
    raise AssertionError(f"{fn.__name__} did not fail")


def train_model(registered_model_name=None):
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    x, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=200).fit(x, y)
    info = mlflow.sklearn.log_model(
        model, name="model", registered_model_name=registered_model_name,
        input_example=x[:2], pip_requirements=[])
    return model, info, x


@check
def fluent():
    mlflow.set_experiment("fluent")
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"batch": 32, "empty": ""})
        for step in range(5):
            mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
        mlflow.log_metrics({"auc": 0.9, "nan": math.nan, "inf": math.inf})
        mlflow.set_tags({"team": "a", "mlflow.note.content": "note"})
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_dict({"a": 1}, "b.json")
    got = mlflow.get_run(run.info.run_id)
    same(got.info.status, "FINISHED")
    same(got.info.run_name, "first")
    same(got.data.params, {"lr": "0.1", "batch": "32", "empty": ""})
    same(got.data.metrics["loss"], 0.2)
    same(math.isnan(got.data.metrics["nan"]), True)
    same(got.data.metrics["inf"], sys.float_info.max)
    same(got.data.tags["team"], "a")
    client = MlflowClient()
    same([m.step for m in client.get_metric_history(run.info.run_id, "loss")], list(range(5)))
    same(sorted(f.path for f in client.list_artifacts(run.info.run_id)), ["b.json", "notes"])
    same(mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/a.txt"), "hello")
    fails("INVALID_PARAMETER_VALUE", client.log_param, run.info.run_id, "lr", 0.2)
    client.log_batch(run.info.run_id, [Metric("k", i, i, i) for i in range(1000)],
                     [Param(f"p{i}", str(i)) for i in range(100)], [RunTag("t", "v")])
    same(len(client.get_metric_history(run.info.run_id, "k")), 1000)
    client.delete_tag(run.info.run_id, "t")
    client.set_terminated(run.info.run_id, "FAILED")
    same(client.get_run(run.info.run_id).info.status, "FAILED")
    client.delete_run(run.info.run_id)
    fails("INVALID_PARAMETER_VALUE", client.log_metric, run.info.run_id, "loss", 1)
    client.restore_run(run.info.run_id)
    fails("RESOURCE_DOES_NOT_EXIST", client.get_run, "0" * 32)


@check
def nested_runs():
    mlflow.set_experiment("nested")
    with mlflow.start_run() as parent:
        children = []
        for i in range(3):
            with mlflow.start_run(nested=True) as child:
                mlflow.log_metric("score", i)
                children.append(child.info.run_id)
    found = mlflow.search_runs(
        filter_string=f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'",
        order_by=["metrics.score DESC"])
    same(list(found["run_id"]), children[::-1])
    same(list(found["metrics.score"]), [2.0, 1.0, 0.0])


@check
def datasets():
    import numpy

    mlflow.set_experiment("datasets")
    data = mlflow.data.from_numpy(numpy.arange(12.0).reshape(4, 3), name="grid")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="training")
    inputs = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    same([(i.dataset.name, i.dataset.digest) for i in inputs], [("grid", data.digest)])
    same([(t.key, t.value) for t in inputs[0].tags], [("mlflow.data.context", "training")])
    found = mlflow.search_runs(filter_string="dataset.name = 'grid' AND dataset.context = 'training'")
    same(list(found["run_id"]), [run.info.run_id])


@check
def sklearn_autolog():
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    mlflow.set_experiment("sklearn")
    mlflow.sklearn.autolog()
    with mlflow.start_run() as run:
        x, y = load_iris(return_X_y=True)
        model = LogisticRegression(C=0.5, max_iter=200).fit(x, y)
        model.score(x, y)
    mlflow.sklearn.autolog(disable=True)
    got = mlflow.get_run(run.info.run_id)
    same(got.data.params["C"], "0.5")
    same("training_accuracy_score" in got.data.metrics, True)
    same("LogisticRegression_score_X" in " ".join(got.data.metrics) or
         "LogisticRegression_score" in " ".join(got.data.metrics), True)
    models = mlflow.search_logged_models([run.info.experiment_id], output_format="list")
    same(len(models), 1)
    same(models[0].source_run_id, run.info.run_id)
    same(any(m.key == "training_accuracy_score" for m in models[0].metrics), True)
    loaded = mlflow.sklearn.load_model(f"models:/{models[0].model_id}")
    same(list(loaded.predict(x)), list(model.predict(x)))
    same(len(got.outputs.model_outputs), 1)


@check
def xgboost_autolog():
    import numpy
    import xgboost

    mlflow.set_experiment("xgboost")
    mlflow.xgboost.autolog()
    rng = numpy.random.default_rng(1)
    x = rng.normal(size=(200, 4))
    train = xgboost.DMatrix(x, label=(x[:, 0] > 0).astype(int))
    with mlflow.start_run() as run:
        xgboost.train({"objective": "binary:logistic", "max_depth": 2}, train, 20,
                      evals=[(train, "train")], verbose_eval=False)
    mlflow.xgboost.autolog(disable=True)
    got = mlflow.get_run(run.info.run_id)
    same(got.data.params["max_depth"], "2")
    history = MlflowClient().get_metric_history(run.info.run_id, "train-logloss")
    same([m.step for m in history], list(range(20)))
    names = [f.path for f in MlflowClient().list_artifacts(run.info.run_id)]
    same("feature_importance_weight.json" in names, True)


@check
def lightgbm_autolog():
    import lightgbm
    import numpy

    mlflow.set_experiment("lightgbm")
    mlflow.lightgbm.autolog()
    rng = numpy.random.default_rng(1)
    x = rng.normal(size=(200, 4))
    train = lightgbm.Dataset(x, label=(x[:, 0] > 0).astype(int))
    with mlflow.start_run() as run:
        lightgbm.train({"objective": "binary", "num_leaves": 4, "verbose": -1}, train, 10,
                       valid_sets=[train], valid_names=["train"])
    mlflow.lightgbm.autolog(disable=True)
    got = mlflow.get_run(run.info.run_id)
    same(got.data.params["num_leaves"], "4")
    history = MlflowClient().get_metric_history(run.info.run_id, "train-binary_logloss")
    same([m.step for m in history], list(range(10)))


@check
def lightning_autolog():
    import lightning
    import torch

    class Line(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch, _):
            x, y = batch
            loss = torch.nn.functional.mse_loss(self.layer(x), y)
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    mlflow.set_experiment("lightning")
    mlflow.pytorch.autolog(log_models=True)
    x = torch.arange(64, dtype=torch.float32).reshape(32, 2) / 64
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True)), 8)
    with mlflow.start_run() as run:
        lightning.Trainer(max_epochs=3, logger=False, enable_checkpointing=False,
                          enable_progress_bar=False, accelerator="cpu").fit(Line(), data)
    mlflow.pytorch.autolog(disable=True)
    client = mlflow.MlflowClient()
    got = client.get_run(run.info.run_id)
    same(got.data.params["epochs"], "3")
    same(got.data.params["optimizer_name"], "SGD")
    history = client.get_metric_history(run.info.run_id, "train_loss")
    same(len(history), 3)
    same(history[-1].value < history[0].value, True)
    loaded = mlflow.pytorch.load_model(f"runs:/{run.info.run_id}/model")
    same(tuple(loaded.layer(x).shape), (32, 1))


@check
def load_by_alias():
    mlflow.set_experiment("alias")
    with mlflow.start_run() as run:
        model, info, x = train_model("iris")
    client = MlflowClient()
    version = client.get_latest_versions("iris")[0]
    same((version.version, version.run_id, version.status), ("1", run.info.run_id, "READY"))
    client.set_registered_model_alias("iris", "champion", version.version)
    loaded = mlflow.pyfunc.load_model("models:/iris@champion")
    same(list(loaded.predict(x)), list(model.predict(x)))
    for uri in ("models:/iris/1", "models:/iris/latest", f"runs:/{run.info.run_id}/model",
                info.model_uri):
        same(list(mlflow.pyfunc.load_model(uri).predict(x)), list(model.predict(x)))
    tags = client.get_logged_model(info.model_id).tags
    same(json.loads(tags["mlflow.modelVersions"])[0], {"name": "iris", "version": 1})
    same(client.get_model_version_by_alias("iris", "champion").aliases, ["champion"])
    fails("INVALID_PARAMETER_VALUE", mlflow.pyfunc.load_model, "models:/iris@nobody")
    second = mlflow.register_model(f"runs:/{run.info.run_id}/model", "iris")
    same(second.version, "2")
    copy = client.copy_model_version("models:/iris@champion", "iris-prod")
    same((copy.name, copy.version, copy.source), ("iris-prod", "1", "models:/iris/1"))
    loaded = mlflow.pyfunc.load_model("models:/iris-prod/1")
    same(list(loaded.predict(x)), list(model.predict(x)))


@check
def registry_cycle():
    client = MlflowClient()
    name = "cycle"
    client.create_registered_model(name, tags={"team": "a"}, description="first")
    fails("RESOURCE_ALREADY_EXISTS", client.create_registered_model, name)
    fails("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, "nothing")
    with mlflow.start_run() as run:
        mlflow.log_text("x", "model/MLmodel")
    source = run.info.artifact_uri + "/model"
    one = client.create_model_version(name, source, run.info.run_id, tags={"k": "v"})
    two = client.create_model_version(name, source, run.info.run_id, description="d")
    same((one.version, two.version, one.current_stage), ("1", "2", "None"))
    fails("INVALID_PARAMETER_VALUE", client.create_model_version, name, "/etc")
    same(client.get_model_version_download_uri(name, "1"), source)
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "2", "production", archive_existing_versions=True)
    same([client.get_model_version(name, v).current_stage for v in "12"],
         ["Archived", "Production"])
    same([v.version for v in client.get_latest_versions(name, ["Production"])], ["2"])
    client.update_model_version(name, "1", description="one")
    client.update_registered_model(name, description="second")
    client.set_model_version_tag(name, "1", "quality", "good")
    client.set_model_version_tag(name, "1", "gone", "soon")
    client.delete_model_version_tag(name, "1", "gone")
    same(client.get_model_version(name, "1").tags, {"k": "v", "quality": "good"})
    client.set_registered_model_tag(name, "x", "y")
    client.delete_registered_model_tag(name, "team")
    client.set_registered_model_alias(name, "best", "1")
    client.set_registered_model_alias(name, "best", "2")
    got = client.get_registered_model(name)
    same((got.description, got.tags, got.aliases), ("second", {"x": "y"}, {"best": "2"}))
    fails("INVALID_PARAMETER_VALUE", client.set_registered_model_alias, name, "v3", "1")
    client.rename_registered_model(name, "cycle-2")
    fails("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, name)
    name = "cycle-2"
    same(client.get_model_version_by_alias(name, "best").version, "2")
    client.delete_registered_model_alias(name, "best")
    client.delete_model_version(name, "2")
    fails("RESOURCE_DOES_NOT_EXIST", client.get_model_version, name, "2")
    same(client.create_model_version(name, source, run.info.run_id).version, "3")
    client.delete_registered_model(name)
    fails("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, name)
    same(client.search_model_versions(f"name = '{name}'"), [])


@check
def registry_search():
    client = MlflowClient()
    names = [f"search-{i:02d}" for i in range(25)]
    for i, name in enumerate(names):
        client.create_registered_model(name, tags={"parity": "odd" if i % 2 else "even"})
    found, token = [], None
    while True:
        page = client.search_registered_models("name LIKE 'search-%'", max_results=10,
                                               page_token=token)
        found += [m.name for m in page]
        token = page.token
        if not token:
            break
    same(found, names)
    same([m.name for m in client.search_registered_models(
        "name ILIKE 'SEARCH-%' AND tags.parity = 'odd'", order_by=["name DESC"], max_results=2)],
        ["search-23", "search-21"])
    for i in range(3):
        client.create_model_version("search-00", f"s3://bucket/{i}", tags={"i": str(i)})
    same([v.version for v in client.search_model_versions(
        "name = 'search-00'", order_by=["version_number ASC"])], ["1", "2", "3"])
    same([v.version for v in client.search_model_versions(
        "name = 'search-00' AND tags.i != '1'", order_by=["version_number DESC"])], ["3", "1"])
    same([v.source for v in client.search_model_versions("source_path = 's3://bucket/2'")],
         ["s3://bucket/2"])
    page = client.search_model_versions("name = 'search-00'", max_results=2)
    same((len(page), len(client.search_model_versions(
        "name = 'search-00'", max_results=2, page_token=page.token))), (2, 1))
    fails("INVALID_PARAMETER_VALUE", client.search_registered_models, "nothing = 'x'")
    fails("INVALID_PARAMETER_VALUE", client.search_model_versions, "name = ")


@check
def search():
    client = MlflowClient()
    experiment = client.create_experiment("search", tags={"kind": "test"})
    client.create_experiment("search-other")
    same([e.name for e in client.search_experiments(
        filter_string="name LIKE 'search%'", order_by=["name DESC"])], ["search-other", "search"])
    same([e.name for e in client.search_experiments(filter_string="tags.kind = 'test'")], ["search"])
    page = client.search_experiments(max_results=1)
    same((len(page), bool(page.token)), (1, True))
    gone = client.create_experiment("search-gone")
    client.delete_experiment(gone)
    same([e.name for e in client.search_experiments(ViewType.DELETED_ONLY)], ["search-gone"])
    client.restore_experiment(gone)
    client.rename_experiment(gone, "search-back")
    ids = []
    for i in range(25):
        run = client.create_run(experiment, tags={"i": str(i)}, start_time=1000 + i)
        client.log_metric(run.info.run_id, "m", i / 10)
        client.log_param(run.info.run_id, "p", "abc"[i % 3])
        ids.append(run.info.run_id)
    found, token = [], None
    while True:
        page = client.search_runs([experiment], max_results=10, page_token=token)
        found += [r.info.run_id for r in page]
        token = page.token
        if not token:
            break
    same(found, ids[::-1])
    same([r.data.tags["i"] for r in client.search_runs(
        [experiment], "metrics.m >= 2.2 AND params.p = 'b'", order_by=["metrics.m ASC"])], ["22"])
    same(len(client.search_runs([experiment], "params.p IN ('a', 'b')")), 17)
    same(len(client.search_runs([experiment], "metrics.m < 0.3 OR tags.i = '9'")), 4)
    fails("INVALID_PARAMETER_VALUE", client.search_runs, [experiment], "metrics.m > 'x'")


@check
def logged_models():
    mlflow.set_experiment("logged-models")
    data = Dataset("grid", "abc", "local", "here")
    made = []
    with mlflow.start_run() as run:
        client = MlflowClient()
        client.log_inputs(run.info.run_id, [DatasetInput(data, [InputTag("mlflow.data.context", "eval")])])
        for i in range(3):
            model = mlflow.create_external_model(name=f"m{i}", params={"depth": str(i)},
                                                 tags={"t": "x"}, model_type="agent")
            client.log_metric(run.info.run_id, "acc", i / 10, model_id=model.model_id,
                              dataset_name="grid", dataset_digest="abc")
            client.log_metric(run.info.run_id, "acc", (i + 1) / 10, step=1, model_id=model.model_id)
            made.append(model.model_id)
    experiment = run.info.experiment_id

    def names(**kwargs):
        return [m.name for m in mlflow.search_logged_models([experiment], output_format="list",
                                                            **kwargs)]
    same(names(order_by=[{"field_name": "metrics.acc", "ascending": False}]), ["m2", "m1", "m0"])
    same(names(filter_string="metrics.acc > 0.15 AND params.depth != '2'",
               order_by=[{"field_name": "name"}]), ["m1"])
    same(names(filter_string="metrics.acc > 0.15", datasets=[{"dataset_name": "grid"}]), ["m2"])
    same(names(filter_string="name IN ('m0', 'm1') AND tags.t = 'x'",
               order_by=[{"field_name": "name", "ascending": False}]), ["m1", "m0"])
    same(len(names(max_results=2)), 2)
    metrics = client.get_logged_model(made[2]).metrics
    same(sorted((m.value, m.step, m.dataset_name) for m in metrics),
         [(0.2, 0, "grid"), (0.3, 1, None)])
    client.set_logged_model_tags(made[0], {"new": "tag"})
    client.delete_logged_model_tag(made[0], "t")
    same(client.get_logged_model(made[0]).tags["new"], "tag")
    client.delete_logged_model(made[0])
    fails("RESOURCE_DOES_NOT_EXIST", client.get_logged_model, made[0])


@check
def missing_artifact():
    mlflow.set_experiment("missing")
    with mlflow.start_run() as run:
        mlflow.log_text("x", "there.txt")
    start = time.monotonic()
    for uri in (f"runs:/{run.info.run_id}/model", run.info.artifact_uri + "/nothing"):
        try:
            mlflow.artifacts.download_artifacts(uri)
        except Exception:
            continue
        raise AssertionError(f"{uri} was found")
    took = time.monotonic() - start
    if took > 2:
        raise AssertionError(f"a missing artifact took {took:.1f} s")


@check
def artifacts():
    mlflow.set_experiment("artifacts")
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as run:
        content = {"empty": b"", "a b+c&=1.txt": b"odd", "sub/\u00e9\u4e2d.bin": os.urandom(100000),
                   "deep/er/.hidden": b".", "quote'\"(1)[2]{3}~!@$,;.txt": b"q"}
        for name, data in content.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(data)
        mlflow.log_artifacts(folder, "files")
    with tempfile.TemporaryDirectory() as folder:
        got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="files",
                                                  dst_path=folder)
        for name, data in content.items():
            with open(os.path.join(got, name), "rb") as f:
                same(f.read(), data)
    client = MlflowClient()
    same([(f.path, f.file_size) for f in client.list_artifacts(run.info.run_id, "files/sub")],
         [("files/sub/\u00e9\u4e2d.bin", 100000)])


@check
def artifact_in_parts():
    os.environ.update(MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD="true",
                      MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE="1000000",
                      MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE="300000")
    data = os.urandom(5000001)
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as run:
        path = os.path.join(folder, "large file.bin")
        with open(path, "wb") as f:
            f.write(data)
        mlflow.log_artifact(path, "weights")
        got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=folder,
                                                  artifact_path="weights/large file.bin")
        with open(got, "rb") as f:
            same(f.read(), data)


@check
def large_artifact(server, bound_kb):
    """A file of 1 GB goes up and comes down; the server, a process, grows by bound_kb at most."""
    def memory(name):
        with open(f"/proc/{server}/status", encoding="ascii") as f:
            return int(next(line for line in f if line.startswith(name)).split()[1])

    def digest(path):
        with open(path, "rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()

    mlflow.set_experiment("large")
    block = os.urandom(1 << 20)
    with open(f"/proc/{server}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")  # the peak starts anew
    idle = memory("VmRSS")
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as run:
        path = os.path.join(folder, "large.bin")
        with open(path, "wb") as f:
            for i in range(1024):
                f.write(i.to_bytes(8, "big") + block[8:])
        want = digest(path)
        mlflow.log_artifact(path)
        os.unlink(path)
        got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=folder,
                                                  artifact_path="large.bin")
        same(digest(got), want)
    grown = memory("VmHWM") - idle
    print(f"idle {idle} kB, at most {grown} kB more")
    if grown > int(bound_kb):
        raise AssertionError(f"the server grew by {grown} kB")


@check
def log_many(run, key):
    client = MlflowClient()
    for step in range(100):
        client.log_metric(run, key, step, timestamp=step, step=step)
    client.log_batch(run, [Metric("both", float(key[-1]), 1, i) for i in range(100)],
                     [Param(key, "p")], [RunTag(key, "t")])


@check
def two_clients():
    client = MlflowClient()
    run = client.create_run("0").info.run_id
    keys = ["client1", "client2"]
    others = [subprocess.Popen([sys.executable, __file__, "log-many", run, key]) for key in keys]
    same([other.wait(120) for other in others], [0, 0])
    for key in keys:
        same([m.step for m in client.get_metric_history(run, key)], list(range(100)))
    same(len(client.get_metric_history(run, "both")), 200)
    same(client.get_run(run).data.params, {key: "p" for key in keys})


@check
def score(url):
    """The model served at the URL answers as the one that was trained."""
    from sklearn.datasets import load_iris

    x = load_iris(return_X_y=True)[0][::25]
    request = urllib.request.Request(url + "/invocations",
                                     json.dumps({"inputs": x.tolist()}).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        got = json.load(answer)["predictions"]
    same(got, list(mlflow.sklearn.load_model("models:/iris@champion").predict(x)))


@check
def in_train():
    """The command of mlp train: its run is joined, nested ones are its children."""
    joined = os.environ["MLP_RUN_ID"]
    with mlflow.start_run() as run:
        same(run.info.run_id, joined)
        mlflow.log_param("lr", 0.1)
        mlflow.log_metric("loss", 0.5, step=3)
        mlflow.log_text("hello", "note.txt")
        with mlflow.start_run(nested=True, run_name="inner") as child:
            mlflow.log_metric("score", 1)
    same(child.data.tags["mlflow.parentRunId"], run.info.run_id)
    same(mlflow.get_run(run.info.run_id).data.metrics["loss"], 0.5)


@check
def in_train_own_experiment(lr):
    """A script that sets its experiment, in which its processes record, too."""
    mlflow.set_experiment("my-exp")
    with mlflow.start_run(run_name="theirs") as run:
        same(run.info.run_id, os.environ["MLP_RUN_ID"])
        same(run.info.experiment_id, mlflow.get_experiment_by_name("my-exp").experiment_id)
        mlflow.log_param("lr", float(lr))
    with mlflow.start_run() as second:
        same(second.info.experiment_id, run.info.experiment_id)
        same(second.info.run_id == run.info.run_id, False)
    subprocess.run([sys.executable, "-c", "import mlflow; mlflow.start_run()"], check=True)


@check
def in_train_own_store(lr):
    """A script that records elsewhere."""
    mlflow.set_tracking_uri("sqlite:///own.db")
    with mlflow.start_run() as run:
        mlflow.log_param("lr", lr)
    same(run.info.run_id == os.environ["MLP_RUN_ID"], False)


@check
def in_train_again(lr):
    """Runs after one another, and within one another."""
    for again in range(2):
        with mlflow.start_run(), mlflow.start_run(nested=True) as inner:
            mlflow.log_metric("again", again)
            mlflow.log_param("lr", lr)
        same(inner.info.experiment_id, "0")


@check
def each(passed, *names):
    """Many checks in one process, which takes seconds to start; passed gets those that pass."""
    with open(passed, "w", encoding="ascii") as f:
        for name in names:
            print("-", name, flush=True)
            try:
                CHECKS[name]()
            except Exception:
                traceback.print_exc()
            else:
                print(name, file=f, flush=True)


@check
def keep_logging(progress):
    """Logs, while somebody restarts the server; all that was answered must be there."""
    client = MlflowClient()
    run = client.create_run("0").info.run_id
    points = 200
    for step in range(points):
        client.log_metric(run, "step", step, timestamp=step, step=step)
        if step == 20:
            with open(progress, "w", encoding="ascii") as f:
                f.write("on the way")
        time.sleep(0.01)
    same([m.value for m in client.get_metric_history(run, "step")], list(range(points)))


if __name__ == "__main__":
    CHECKS[sys.argv[1]](*sys.argv[2:])
