#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Event files that tensorboardX and, where it is installed, PyTorch or TensorFlow write.
. "${srcdir:-.}/t/test-lib.sh"

test_require PYTHON
reader=$TEST_BUILD/t/unit/u-tensorboard
test -x "$reader" || test_skip_all "no $reader: make check-unit builds it"

python=python3
if ! python3 -c 'import tensorboardX' 2>/dev/null
then
	python3 -m venv venv >venv.log 2>&1 &&
	timeout 120 venv/bin/pip install -q tensorboardX >>venv.log 2>&1 ||
		test_skip_all 'tensorboardX is not installed and cannot be'
	python=venv/bin/python3
fi

cat >write.py <<\END
import importlib.util, sys
def write(writer):
    for step in range(1000):
        writer.add_scalar("train/loss", 1.0 / (step + 1), step, walltime=1700000000 + step)
    writer.add_scalar("nan", float("nan"), -1, walltime=1700000000)
    writer.add_text("note", "not a number", 0)
    if importlib.util.find_spec("numpy"):
        import numpy
        writer.add_histogram("weights", numpy.arange(100.0), 0)
    writer.close()
kind, folder = sys.argv[1:]
if kind == "tensorboardX":
    import tensorboardX
    write(tensorboardX.SummaryWriter(folder))
elif kind == "torch":
    from torch.utils.tensorboard import SummaryWriter
    write(SummaryWriter(folder))
elif kind == "tensorflow":
    import tensorflow as tf
    with tf.summary.create_file_writer(folder).as_default():
        for step in range(1000):
            tf.summary.scalar("train/loss", 1.0 / (step + 1), step)
END

for kind in tensorboardX torch tensorflow
do
	if ! $python -c "import $kind" 2>/dev/null
	then
		test_expect_success NEVER "$kind" 'false'
		continue
	fi
	test_expect_success "$kind" '
		$python write.py $kind "logs-$kind" >write.log 2>&1 &&
		"$reader" "logs-$kind"/*.tfevents.* >act &&
		test "$(grep -c "^train/loss@" act)" = 1000 &&
		test_grep "^train/loss@3#[0-9]*=0.25$" act &&
		test "$(grep -cv "^train/loss@" act)" -le 1
	'
done

test_done
