# SPDX-License-Identifier: Apache-2.0
"""Records a bit of everything by MLflow's client: what export and import are to carry."""
import math

import mlflow
import numpy
import pandas
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
experiment = mlflow.set_experiment("one é")
client.set_experiment_tag(experiment.experiment_id, "team", "x")
with mlflow.start_run(run_name="parent") as run:
    mlflow.log_params({f"p{i}": str(i) for i in range(120)})
    for start in (0, 1000):
        client.log_batch(run.info.run_id, [Metric("loss", 1 / (i + 1), 1700000000000 + i, i)
                                           for i in range(start, start + 1000)])
    mlflow.log_metric("odd", math.nan, step=1)
    mlflow.log_metric("odd", math.inf, step=2)
    mlflow.log_text("hello", "dir/sub dir/ü.txt")
    mlflow.log_text("", "empty.txt")
    data = mlflow.data.from_pandas(pandas.DataFrame({"a": [1, 2]}), name="d1")
    mlflow.log_input(data, context="training")
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.set_tag("t", "v")
    model = LogisticRegression().fit(numpy.array([[0.0], [1.0]]), [0, 1])
    info = mlflow.sklearn.log_model(model, name="model", registered_model_name="iris")
    mlflow.log_metric("acc", 0.5, model_id=info.model_id, dataset=data)
for _ in range(2):
    client.create_model_version("iris", source=info.model_uri, run_id=run.info.run_id,
                                model_id=info.model_id)
client.delete_model_version("iris", "2")
client.set_registered_model_alias("iris", "champion", "3")
client.set_model_version_tag("iris", "3", "k", "v")
client.transition_model_version_stage("iris", "1", "Staging")
client.set_registered_model_tag("iris", "team", "z")
client.update_registered_model("iris", "a description")
