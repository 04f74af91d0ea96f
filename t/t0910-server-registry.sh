#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The model registry and the searches of mlp server, request by request.
. "${srcdir:-.}/t/test-lib.sh"

test_require PYTHON
. "$TEST_SOURCE/t/server-lib.sh"

# call METHOD PATH [JSON]: status and answer on one line, times as 0.
cat >call.py <<\END
import http.client, json, os, re, sys
method, path = sys.argv[1:3]
body = sys.argv[3] if len(sys.argv) > 3 else None
connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["port"]))
connection.request(method, "/api/2.0/mlflow/" + path.replace(" ", "%20"), body,
                   {"Content-Type": "application/json"} if body else {})
answer = connection.getresponse()
text = answer.read().decode()
if answer.headers["Content-Type"].startswith("application/json"):
    text = json.dumps(json.loads(text), separators=(",", ":"))
    text = re.sub(r'("[a-z_]*time[a-z_]*"):\d+', r"\1:0", text)
print(answer.status, text)
END
call()
{
	python3 "$TRASH/call.py" "$@"
}

# answers TEXT METHOD PATH [JSON]: exactly that.
answers()
{
	echo "$1" >expect
	shift
	call "$@" >act && test_cmp expect act
}

# fails STATUS CODE PATTERN METHOD PATH [JSON]
fails()
{
	pattern="^$1 {\"error_code\":\"$2\",\"message\":\".*$3"
	shift 3
	call "$@" >act && test_grep "$pattern" act
}

test_expect_success 'the server starts' '
	mlp init &&
	serve .
'

one='{"name":"m","creation_timestamp":0,"last_updated_timestamp":0'
test_expect_success 'a model is registered once' '
	answers "200 {\"registered_model\":$one,\"description\":\"d\",\"tags\":[{\"key\":\"a\",\"value\":\"b\"}]}}" \
		POST registered-models/create \
		"{\"name\":\"m\",\"description\":\"d\",\"tags\":[{\"key\":\"a\",\"value\":\"b\"}]}" &&
	fails 400 RESOURCE_ALREADY_EXISTS "(name=m) already exists" \
		POST registered-models/create "{\"name\":\"m\"}" &&
	fails 400 INVALID_PARAMETER_VALUE "parameter .name." POST registered-models/create "{}" &&
	fails 400 INVALID_PARAMETER_VALUE "cannot contain" \
		POST registered-models/create "{\"name\":\"a/b\"}" &&
	fails 404 RESOURCE_DOES_NOT_EXIST "name=zz not found" GET "registered-models/get?name=zz"
'

version()
{
	echo "{\"name\":\"m\",\"version\":\"$1\",\"creation_timestamp\":0,\"last_updated_timestamp\":0,\
\"current_stage\":\"$2\",\"description\":\"\",\"source\":\"s3://b/$1\",\"run_id\":\"\",\
\"status\":\"READY\",\"run_link\":\"\""
}

test_expect_success 'versions count up, also behind a deleted one' '
	answers "200 {\"model_version\":$(version 1 None)}}" \
		POST model-versions/create "{\"name\":\"m\",\"source\":\"s3://b/1\"}" &&
	call POST model-versions/create "{\"name\":\"m\",\"source\":\"s3://b/2\"}" &&
	answers "200 {}" DELETE model-versions/delete "{\"name\":\"m\",\"version\":\"2\"}" &&
	fails 404 RESOURCE_DOES_NOT_EXIST "(name=m, version=2) not found" \
		GET "model-versions/get?name=m&version=2" &&
	answers "200 {\"model_version\":$(version 3 None)}}" \
		POST model-versions/create "{\"name\":\"m\",\"source\":\"s3://b/3\"}" &&
	fails 400 INVALID_PARAMETER_VALUE "must be an integer" GET "model-versions/get?name=m&version=x"
'

test_expect_success 'a source is no longer than MLflow takes it' '
	longest=s3://$(printf %0495d 0) &&
	fails 400 INVALID_PARAMETER_VALUE "maximum length of 500" \
		POST model-versions/create "{\"name\":\"m\",\"source\":\"${longest}0\"}" &&
	call POST registered-models/create "{\"name\":\"long\"}" &&
	call POST model-versions/create "{\"name\":\"long\",\"source\":\"$longest\"}" >act &&
	test_grep ^200 act && answers "200 {}" DELETE registered-models/delete "{\"name\":\"long\"}"
'

test_expect_success 'a source must be in the run or model it is said to be of' '
	for source in /etc file:///etc s3://b/../x s3://b/%252e%252e/x runs:/abc/model \
		mlflow-artifacts:/0/abc/artifacts models:/m-0
	do
		fails 400 INVALID_PARAMETER_VALUE "Invalid model version source" \
			POST model-versions/create "{\"name\":\"m\",\"source\":\"$source\"}" || return 1
	done
'

test_expect_success 'a version of another model is followed to its files' '
	call POST registered-models/create "{\"name\":\"copy\"}" &&
	call POST model-versions/create "{\"name\":\"copy\",\"source\":\"models:/m/latest\"}" >act &&
	test_grep "\"source\":\"models:/m/3\"" act &&
	answers "200 {\"artifact_uri\":\"s3://b/3\"}" \
		GET "model-versions/get-download-uri?name=copy&version=1"
'

test_expect_success 'stages, and archiving those in the way' '
	answers "200 {\"model_version\":$(version 1 Production)}}" \
		POST model-versions/transition-stage "{\"name\":\"m\",\"version\":\"1\",\"stage\":\"production\"}" &&
	call POST model-versions/transition-stage \
		"{\"name\":\"m\",\"version\":\"3\",\"stage\":\"Production\",\"archive_existing_versions\":true}" &&
	answers "200 {\"model_version\":$(version 1 Archived)}}" GET "model-versions/get?name=m&version=1" &&
	answers "200 {\"model_versions\":[$(version 3 Production)}]}" \
		GET "registered-models/get-latest-versions?name=m&stages=production" &&
	fails 400 INVALID_PARAMETER_VALUE "Invalid Model Version stage: x" \
		POST model-versions/transition-stage "{\"name\":\"m\",\"version\":\"1\",\"stage\":\"x\"}"
'

test_expect_success 'aliases' '
	answers "200 {}" POST registered-models/alias "{\"name\":\"m\",\"alias\":\"best\",\"version\":\"1\"}" &&
	answers "200 {\"model_version\":$(version 1 Archived),\"aliases\":[\"best\"]}}" \
		GET "registered-models/alias?name=m&alias=best" &&
	for alias in latest LATEST v1 "a b"
	do
		fails 400 INVALID_PARAMETER_VALUE "" POST registered-models/alias \
			"{\"name\":\"m\",\"alias\":\"$alias\",\"version\":\"1\"}" || return 1
	done &&
	fails 404 RESOURCE_DOES_NOT_EXIST "version=9" POST registered-models/alias \
		"{\"name\":\"m\",\"alias\":\"x\",\"version\":\"9\"}" &&
	fails 400 INVALID_PARAMETER_VALUE "alias none not found" GET "registered-models/alias?name=m&alias=none"
'

test_expect_success 'a new name keeps versions, tags and aliases' '
	call POST model-versions/set-tag "{\"name\":\"m\",\"version\":\"1\",\"key\":\"k\",\"value\":\"v\"}" &&
	call POST registered-models/rename "{\"name\":\"m\",\"new_name\":\"n\"}" >act &&
	test_grep "\"aliases\":\[{\"alias\":\"best\",\"version\":\"1\"}\]" act &&
	call GET "model-versions/get?name=n&version=1" >act &&
	test_grep "\"tags\":\[{\"key\":\"k\",\"value\":\"v\"}\]" act &&
	fails 404 RESOURCE_DOES_NOT_EXIST "name=m not found" GET "registered-models/get?name=m" &&
	call POST registered-models/rename "{\"name\":\"n\",\"new_name\":\"m\"}"
'

# names: of an answer's models or versions.
names()
{
	call GET "$1" | grep -o '{"name":"[^"]*"' | cut -d'"' -f4 | tr '\n' ' '
}

test_expect_success 'searching models, in pages' '
	for i in 1 2 3 4 5
	do
		call POST registered-models/create \
			"{\"name\":\"s$i\",\"tags\":[{\"key\":\"odd\",\"value\":\"$((i % 2))\"}]}" >act || return 1
	done &&
	test "$(names "registered-models/search?filter=name LIKE %27s%25%27&max_results=2")" = "s1 s2 " &&
	call GET "registered-models/search?filter=name LIKE %27s%25%27&max_results=5" >act &&
	! grep next_page_token act &&
	test "$(names "registered-models/search?filter=name LIKE %27s%25%27&max_results=2&page_token=4")" = "s5 " &&
	test "$(names "registered-models/search?filter=tags.odd=%270%27&order_by=name DESC")" = "s4 s2 " &&
	fails 400 INVALID_PARAMETER_VALUE "unknown attribute" GET "registered-models/search?filter=x=%27y%27" &&
	fails 400 INVALID_PARAMETER_VALUE "" GET "registered-models/search?max_results=1001" &&
	fails 400 INVALID_PARAMETER_VALUE "duplicate" \
		GET "registered-models/search?order_by=name&order_by=name DESC"
'

test_expect_success 'prompts are apart from models' '
	call POST registered-models/create \
		"{\"name\":\"prompt\",\"tags\":[{\"key\":\"mlflow.prompt.is_prompt\",\"value\":\"true\"}]}" &&
	test "$(names "registered-models/search?filter=name LIKE %27p%25%27")" = "" &&
	test "$(names "registered-models/search?filter=tags.%60mlflow.prompt.is_prompt%60=%27true%27")" = "prompt " &&
	call GET "registered-models/search?filter=tags.%60mlflow.prompt.is_prompt%60!=%27true%27" >act &&
	test_grep "\"name\":\"s1\"" act &&
	! grep prompt act
'

test_expect_success 'searching versions' '
	call GET "model-versions/search?filter=name=%27m%27 AND version_number > 1" >act &&
	test_grep "\"version\":\"3\"" act &&
	! grep "\"version\":\"1\"" act &&
	call GET "model-versions/search?filter=tags.k=%27v%27 OR source_path LIKE %27%25/3%27" >act &&
	test "$(grep -o "{\"name\":\"m\"" act | wc -l)" = 2
'

test_expect_success 'searching experiments' '
	call POST experiments/create "{\"name\":\"e1\",\"tags\":[{\"key\":\"k\",\"value\":\"v\"}]}" &&
	call POST experiments/create "{\"name\":\"e2\"}" &&
	call POST experiments/delete "{\"experiment_id\":\"2\"}" &&
	call POST experiments/search "{\"filter\":\"tags.k = '"'v'"'\"}" >act &&
	test_grep "\"name\":\"e1\"" act &&
	call POST experiments/search "{\"view_type\":\"DELETED_ONLY\"}" >act &&
	test_grep "\"name\":\"e2\"" act && ! grep e1 act &&
	call GET "experiments/search?max_results=1&order_by=name ASC" >act &&
	test_grep "\"name\":\"Default\".*\"next_page_token\":" act &&
	fails 400 INVALID_PARAMETER_VALUE "positive" POST experiments/search "{\"max_results\":0}"
'

test_expect_success 'a metric can be of a logged model too, and models are found by it' '
	run=$(call POST runs/create "{\"experiment_id\":\"0\"}" |
		sed "s/.*\"run_id\":\"\([0-9a-f]*\)\".*/\1/") &&
	model=$(call POST logged-models "{\"experiment_id\":\"0\",\"name\":\"lm\"}" |
		sed "s/.*\"model_id\":\"\([^\"]*\)\".*/\1/") &&
	for step in 1 2 3
	do
		answers "200 {}" POST runs/log-metric "{\"run_id\":\"$run\",\"key\":\"acc\",\"value\":0.$step,\
\"timestamp\":5,\"step\":$step,\"model_id\":\"$model\"}" || return 1
	done &&
	call POST logged-models/search "{\"experiment_ids\":[\"0\"],\"filter\":\"metrics.acc > 0.25\"}" >act &&
	test_grep "\"model_id\":\"$model\"" act &&
	test_grep "\"key\":\"acc\",\"value\":0.3,.*\"run_id\":\"$run\"" act &&
	answers "200 {}" POST logged-models/search \
		"{\"experiment_ids\":[\"0\"],\"filter\":\"metrics.acc > 0.5\"}" &&
	fails 404 RESOURCE_DOES_NOT_EXIST "m-0" POST runs/log-metric \
		"{\"run_id\":\"$run\",\"key\":\"acc\",\"value\":1,\"timestamp\":5,\"model_id\":\"m-0\"}"
'

test_expect_success 'histories of many runs, thinned to the steps asked for' '
	answers "200 {\"metrics\":[{\"key\":\"acc\",\"value\":0.1,\"timestamp\":0,\"step\":1,\"run_id\":\"$run\"},\
{\"key\":\"acc\",\"value\":0.3,\"timestamp\":0,\"step\":3,\"run_id\":\"$run\"}]}" \
		GET "metrics/get-history-bulk-interval?run_ids=$run&metric_key=acc&max_results=1" &&
	call GET "metrics/get-history-bulk?run_id=$run&run_id=none&metric_key=acc" >act &&
	test "$(grep -o "\"step\"" act | wc -l)" = 3 &&
	fails 400 INVALID_PARAMETER_VALUE "both must be" \
		GET "metrics/get-history-bulk-interval?run_ids=$run&metric_key=acc&start_step=1"
'

test_expect_success 'a deleted model is gone with all below it' '
	answers "200 {}" DELETE registered-models/delete "{\"name\":\"m\"}" &&
	fails 404 RESOURCE_DOES_NOT_EXIST "name=m not found" DELETE registered-models/delete "{\"name\":\"m\"}" &&
	answers "200 {}" GET "model-versions/search?filter=name=%27m%27"
'

test_expect_success 'an infinity that comes back is one' '
	call POST runs/create "{\"experiment_id\":\"0\"}" >act &&
	id=$(sed "s/.*\"run_id\":\"\([0-9a-f]*\)\".*/\1/" act) &&
	for value in "\"-Infinity\"" -1.7976931348623157e308
	do
		answers "200 {}" POST runs/log-metric \
			"{\"run_id\":\"$id\",\"key\":\"k\",\"value\":$value,\"timestamp\":1,\"step\":2}" || return 1
	done &&
	mlp show --json "$id" >act &&
	test_grep "\"metrics\":{\"k\":\"-Infinity\"}" act &&
	test_grep "\"points\":1," act
'

test_expect_success 'artifacts lie where their experiment says' '
	experiment=$(call POST experiments/create \
		"{\"name\":\"far\",\"artifact_location\":\"s3://bucket/far/\"}" |
		sed "s/.*\"experiment_id\":\"\([0-9]*\)\".*/\1/") &&
	call POST runs/create "{\"experiment_id\":\"$experiment\"}" >act &&
	test_grep "\"artifact_uri\":\"s3://bucket/far/[0-9a-f]*/artifacts\"" act &&
	call POST logged-models "{\"experiment_id\":\"$experiment\",\"name\":\"n\"}" >act &&
	test_grep "\"artifact_uri\":\"s3://bucket/far/models/m-[0-9a-f]*/artifacts\"" act &&
	mlp -q train -e far -- true &&
	mlp show --json @ | test_grep "\"experiment\":\"far\"" -
'

test_expect_success 'the server ends' 'stop'

test_done
