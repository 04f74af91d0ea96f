# SPDX-License-Identifier: Apache-2.0
# Sourced by what needs MLflow's own client or server: sets $python to a Python that has it,
# of a virtual environment made here unless the caller set it (from $MLP_MLFLOW_PYTHON, which
# test-lib.sh would take away).
# shellcheck shell=sh
test_require PYTHON
for name in $(env | sed -n 's/^\(MLFLOW_[A-Za-z0-9_]*\)=.*/\1/p')
do
	unset "$name"
done
if test -z "$python"
then
	python3 -m venv venv >venv.log 2>&1 &&
	timeout 900 venv/bin/pip install -q -r "$TEST_SOURCE/t/interop/requirements.txt" >>venv.log 2>&1 ||
		test_skip_all "MLflow is not installed and its packages cannot be had"
	python=$PWD/venv/bin/python3
fi
"$python" -c 'import mlflow, sklearn, xgboost' 2>/dev/null ||
	test_skip_all "$python has no mlflow, scikit-learn and xgboost"

# A missing thing must not look like a slow one.
MLFLOW_HTTP_REQUEST_MAX_RETRIES=1 MLFLOW_DISABLE_TELEMETRY=true GIT_PYTHON_REFRESH=quiet
export MLFLOW_HTTP_REQUEST_MAX_RETRIES MLFLOW_DISABLE_TELEMETRY GIT_PYTHON_REFRESH
