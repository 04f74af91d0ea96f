# SPDX-License-Identifier: Apache-2.0
"""Prints all that MLflow's client sees at a tracking server, but ids that servers give."""
import sys

import mlflow
import numpy
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

OURS = {"mlp.run_id", "mlp.model_id", "mlp.version", "mlflow.parentRunId",
        "mlflow.log-model.history", "mlflow.modelVersions"}
client = MlflowClient(sys.argv[1])
mlflow.set_tracking_uri(sys.argv[1])


def pairs(tags):
    return sorted((k, v) for k, v in tags.items() if k not in OURS)


def files(run, path=None):
    for f in sorted(client.list_artifacts(run, path), key=lambda f: f.path):
        if f.is_dir:
            yield from files(run, f.path)
        else:
            with open(client.download_artifacts(run, f.path), "rb") as data:
                yield f.path, data.read()


def look_at_run(run):
    parent = run.data.tags.get("mlflow.parentRunId")
    print("run", run.info.run_name, run.info.status, run.info.start_time, run.info.end_time,
          run.info.user_id, pairs(run.data.params), pairs(run.data.tags),
          client.get_run(parent).info.run_name if parent else None)
    for key in sorted(run.data.metrics):
        history = client.get_metric_history(run.info.run_id, key)
        print(" ", key, sorted({(m.step, m.timestamp, str(m.value)) for m in history}))
    print(" ", [(d.dataset.name, d.dataset.digest, d.dataset.source, d.dataset.schema,
                 [(t.key, t.value) for t in d.tags]) for d in run.inputs.dataset_inputs])
    print(" ", len(run.outputs.model_outputs) if run.outputs else 0, list(files(run.info.run_id)))


def look_at_experiment(experiment):
    print("experiment", experiment.name, pairs(experiment.tags))
    runs = client.search_runs([experiment.experiment_id])
    for run in sorted(runs, key=lambda r: (r.info.start_time, r.info.run_name)):
        look_at_run(run)
    for m in client.search_logged_models([experiment.experiment_id]):
        metrics = {(x.key, x.step, x.timestamp, x.value, x.dataset_name) for x in m.metrics or []}
        print("model", m.name, m.status, pairs(m.tags), pairs(m.params), sorted(metrics, key=str))


for e in sorted(client.search_experiments(), key=lambda e: e.name):
    if e.name != "Default":
        look_at_experiment(e)
for m in client.search_registered_models():
    print("registered", m.name, m.description, pairs(m.tags), sorted(m.aliases.items()))
    versions = client.search_model_versions(f"name='{m.name}'")
    for v in sorted(versions, key=lambda v: int(v.version)):
        print(" ", v.version, v.current_stage, v.status, pairs(v.tags),
              client.get_run(v.run_id).info.run_name)
    loaded = mlflow.pyfunc.load_model(f"models:/{m.name}@champion")
    print(" ", loaded.predict(numpy.array([[0.0], [3.0]])))
