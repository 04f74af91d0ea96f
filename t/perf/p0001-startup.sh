#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How long it takes to say anything: 2 ms of CPU, about what git takes.
. "$(dirname "$0")/lib.sh"

mlp init -q 2>/dev/null || mlp -q init
cpu 101 git --version
rival=$cpu_us
cpu 101 mlp --version
budget 'mlp --version' "$cpu_us" 2000 'git --version' "$rival"
cpu 101 mlp init -h
budget 'mlp init -h' "$cpu_us" 2000 'git --version' "$rival"
cpu 101 mlp config get core.version
budget 'mlp config get' "$cpu_us" 2000 'git --version' "$rival"
git init -q .
cpu 101 git log -1 --all
rival=$cpu_us
cpu 101 mlp log
budget 'mlp log of nothing' "$cpu_us" 10000 'git log' "$rival"

perf_done
