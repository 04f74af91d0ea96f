# SPDX-License-Identifier: Apache-2.0
# For tests of import and export: projects with a bit of everything, served and compared.
# shellcheck shell=sh disable=SC2034 # variables here are for the tests
. "$TEST_SOURCE/t/server-lib.sh"
test_require CURL
for name in $(env | sed -n 's/^\(MLFLOW_[A-Za-z0-9_]*\)=.*/\1/p') http_proxy all_proxy ALL_PROXY
do
	unset "$name"
done

# ask METHOD TARGET [JSON] at $url
ask()
{
	"$TEST_BUILD/t/helper/ask" "$url" "$@"
}

# post TARGET JSON: the answer goes to the file answer.
post()
{
	ask POST "/api/2.0/mlflow/$1" "$2" >answer || { cat answer; return 1; }
}

# member NAME: of the answer, a string.
member()
{
	sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" answer | head -1
}

# fill DIR: two experiments, a run with a child, metrics, files, a model and its versions.
fill()
{
	mkdir "$1" && mlp -C "$1" init >/dev/null && serve "$1" &&
	post runs/create '{"experiment_id":"0","run_name":"odd","start_time":1000}' &&
	post experiments/create '{"name":"one","tags":[{"key":"team","value":"x"}]}' &&
	experiment=$(member experiment_id) &&
	post runs/create "{\"experiment_id\":\"$experiment\",\"run_name\":\"first\",\"user_id\":\"me\",
		\"start_time\":1700000000000}" && first=$(member run_id) &&
	points=$(awk 'BEGIN { for (i = 0; i < 1000; i++)
		printf "%s{\"key\":\"loss\",\"value\":%.17g,\"timestamp\":%d,\"step\":%d}",
			i ? "," : "", 1 / (i + 1), 1700000000000 + i, i }') &&
	post runs/log-batch "{\"run_id\":\"$first\",\"metrics\":[$points]}" &&
	post runs/log-batch "{\"run_id\":\"$first\",\"metrics\":[$(echo "$points" | sed 's/loss/acc/g')]}" &&
	post runs/set-tag "{\"run_id\":\"$first\",\"key\":\"note\",\"value\":\"ü \\\" \\n\"}" &&
	post runs/log-batch "{\"run_id\":\"$first\",\"metrics\":[
		{\"key\":\"a/b c\",\"value\":\"NaN\",\"timestamp\":1,\"step\":-1},
		{\"key\":\"a/b c\",\"value\":\"-Infinity\",\"timestamp\":1,\"step\":2}],
		\"params\":[{\"key\":\"lr\",\"value\":\"0.1\"},{\"key\":\"empty\",\"value\":\"\"}]}" &&
	post runs/log-inputs "{\"run_id\":\"$first\",\"datasets\":[{\"tags\":[{\"key\":\"mlflow.data.context\",
		\"value\":\"training\"}],\"dataset\":{\"name\":\"d\",\"digest\":\"123\",\"source_type\":\"local\",
		\"source\":\"{}\",\"schema\":\"{}\"}}]}" &&
	post runs/create "{\"experiment_id\":\"$experiment\",\"run_name\":\"child\",
		\"start_time\":1700000001000,\"tags\":[{\"key\":\"mlflow.parentRunId\",\"value\":\"$first\"}]}" &&
	child=$(member run_id) &&
	post runs/update "{\"run_id\":\"$child\",\"status\":\"FAILED\",\"end_time\":1700000002000}" &&
	post logged-models "{\"experiment_id\":\"$experiment\",\"name\":\"net\",\"source_run_id\":\"$first\",
		\"params\":[{\"key\":\"p\",\"value\":\"1\"}],\"tags\":[{\"key\":\"t\",\"value\":\"2\"}]}" &&
	model=$(member model_id) &&
	ask PUT "/api/2.0/mlflow-artifacts/artifacts/$experiment/models/$model/artifacts/MLmodel" \
		'{"a":1}' >/dev/null &&
	ask PATCH "/api/2.0/mlflow/logged-models/$model" \
		"{\"model_id\":\"$model\",\"status\":\"LOGGED_MODEL_READY\"}" >/dev/null &&
	post runs/outputs "{\"run_id\":\"$first\",\"models\":[{\"model_id\":\"$model\",\"step\":3}]}" &&
	post registered-models/create '{"name":"mine","description":"best","tags":[{"key":"k","value":"v"}]}' &&
	for _ in 1 2 3
	do
		post model-versions/create "{\"name\":\"mine\",\"source\":\"models:/$model\",
			\"run_id\":\"$first\",\"model_id\":\"$model\"}" || return 1
	done &&
	ask DELETE /api/2.0/mlflow/model-versions/delete '{"name":"mine","version":"2"}' >/dev/null &&
	post model-versions/transition-stage '{"name":"mine","version":"1","stage":"Staging",
		"archive_existing_versions":false}' &&
	post registered-models/alias '{"name":"mine","alias":"champion","version":"3"}' &&
	mkdir -p files/deep/er && echo hello >'files/deep/er/ä b#?%.txt' && : >files/empty &&
	head -c 300000 /dev/zero >files/large &&
	mlp -C "$1" record artifact --run first "$PWD/files" &&
	post runs/update "{\"run_id\":\"$first\",\"status\":\"FINISHED\",\"end_time\":1700000009000}" &&
	stop
}

# described DIR: all that a client sees of its runs, without ids and where they came from.
described()
{
	mlp -C "$1" log -n 0 --json |
	sed -E 's/"mlp\.run_id":"[^"]*",?//; s/"(short|parent|mlflow.parentRunId)":"[^"]*"/"\1":"ID"/g
		s/[0-9a-f]{32}/ID/g; s/,\}/}/g' | LC_ALL=C sort
}

same_runs()
{
	described "$1" >described.1 && described "$2" >described.2 && test_cmp described.1 described.2
}
