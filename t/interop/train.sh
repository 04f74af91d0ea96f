#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Trainings with scikit-learn and XGBoost as their users write them: the scripts know
# nothing of mlp.  MLP_MLFLOW_PYTHON names a Python that has the packages already.
python=${MLP_MLFLOW_PYTHON:-}
. "${srcdir:-.}/t/test-lib.sh"

test_require PYTHON
if test -z "$python"
then
	python3 -m venv venv >venv.log 2>&1 &&
	grep -e ^scikit-learn -e ^xgboost "$TEST_SOURCE/t/interop/requirements.txt" >needs &&
	timeout 900 venv/bin/pip install -q -r needs >>venv.log 2>&1 ||
		test_skip_all "scikit-learn and XGBoost are not installed and cannot be"
	python=$PWD/venv/bin/python3
fi
"$python" -c 'import sklearn, xgboost' 2>/dev/null ||
	test_skip_all "$python has no scikit-learn and xgboost"

cat >forest.py <<'EOT'
import argparse
import pickle

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--trees", type=int, default=100)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
X, y = load_breast_cancer(return_X_y=True)
X, Xt, y, yt = train_test_split(X, y, random_state=args.seed)
model = RandomForestClassifier(args.trees, random_state=args.seed).fit(X, y)
print("auc %.4f" % roc_auc_score(yt, model.predict_proba(Xt)[:, 1]))
with open("forest.pkl", "wb") as f:
    pickle.dump(model, f)
EOT
cat >boost.py <<'EOT'
import sys

import numpy as np
import xgboost as xgb

table = np.genfromtxt(sys.argv[1], delimiter=",", skip_header=1)
train = xgb.DMatrix(table[:, :-1], label=table[:, -1])
booster = xgb.train({"objective": "binary:logistic", "max_depth": 3, "seed": 7, "nthread": 1,
                     "eval_metric": "auc"}, train, 20, evals=[(train, "train")])
booster.save_model("boost.json")
EOT
"$python" -c '
import random
random.seed(1)
print("income,debt,default")
for _ in range(400):
    income, debt = random.gauss(3, 1), random.gauss(1, 1)
    print("%.3f,%.3f,%d" % (income, debt, debt - income / 2 + random.gauss(0, .5) > 0))
' >loans.csv

# shown EXPRESSION: holds for the JSON of the newest run
shown()
{
	mlp show --json @ | python3 -c "
import json, sys
run = json.load(sys.stdin)
assert $1, run"
}

test_expect_success 'scikit-learn: recorded' '
	mlp -q init &&
	mlp train -n forest -p trees=20 --seed 3 -o forest.pkl -- \
		"$python" forest.py --trees {trees} --seed {seed} >out 2>err &&
	test_grep "^auc 0\.9" out &&
	test_grep "^run .* finished in" err &&
	shown "run[\"status\"] == \"finished\" and run[\"params\"] == {\"trees\": \"20\"}" &&
	shown "run[\"command\"][\"seed\"] == 3 and run[\"command\"][\"argv\"][1] == \"forest.py\"" &&
	shown "[o[\"path\"] for o in run[\"outputs\"]] == [\"forest.pkl\"] and run[\"outputs\"][0][\"stored\"]" &&
	shown "run[\"attempts\"][0][\"max_rss_bytes\"] > 30e6 and run[\"usage\"][\"cpu_ms\"] > 100" &&
	mlp show @:stdout | test_grep "^auc 0\.9" -
'

test_expect_success 'its packages are known, without asking Python' '
	mlp show @:env >env.json &&
	test_grep "scikit-learn" env.json &&
	test_grep "1\.9\.1" env.json &&
	test_grep "numpy" env.json
'

test_expect_success 'XGBoost: recorded, with its input' '
	mlp train -n boost -i loans.csv -o boost.json -- "$python" boost.py loans.csv >out 2>err &&
	test_grep "train-auc:0\." out &&
	shown "[(i[\"path\"], i[\"sha256\"]) for i in run[\"inputs\"]] == [(\"loans.csv\", \"$(sha256sum loans.csv |
		cut -d" " -f1)\")]" &&
	mlp show @:boost.json | cmp - boost.json
'

test_expect_success 'both come out the same again' '
	mlp reproduce @ >table 2>err &&
	test_grep "boost.json.* same" table &&
	mlp reproduce forest >table 2>err &&
	test_grep "forest.pkl.* same" table
'

test_expect_success 'and show what differs' '
	mlp diff forest boost >out &&
	test_grep "trees" out &&
	mlp cost show boost >out &&
	test_grep "cpu" out
'

test_done
