#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The training of train.py, recorded with MLflow's client; it knows nothing of mlp."""
import mlflow

import train

args = train.arguments()
with mlflow.start_run():
    mlflow.log_params(vars(args))
    train.fit(args, lambda epoch, metrics: mlflow.log_metrics(metrics, step=epoch))
    mlflow.log_artifact(args.model)
