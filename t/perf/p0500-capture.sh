#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What recording code and environment adds to a command: 50 ms of CPU in a repository of
# 10,000 files, most of it git's, and 8 ms where there is none.
# shellcheck disable=SC2154 # set by cpu
. "$(dirname "$0")/lib.sh"

GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_CONFIG_NOSYSTEM=1
GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_CONFIG_NOSYSTEM

mlp -q init
cpu 11 mlp -q train -- true
budget 'mlp train -- true, no repository' "$cpu_us" 8000
plain=$cpu_us

mkdir ../tree
cd ../tree || exit
seq 10000 | awk '{ d = "d" int($1 / 100); if (d != last) system("mkdir -p " d); last = d
	f = d "/f" $1 ".py"; print "x = " $1 > f; close(f) }'
git init -q . && git add . && git commit -q -m all && mlp -q init
cpu 11 git status --porcelain
rival=$cpu_us
cpu 11 mlp -q train -- true
budget 'mlp train -- true, 10,000 files' "$cpu_us" 50000 'git status' "$rival"
row '  of it for the repository' "$(ms $((cpu_us - plain)))"
echo y >>d1/f100.py
echo z >new.txt
cpu 11 mlp -q train -- true
budget 'the same with a change and an untracked file' "$cpu_us" 50000 'git status' "$rival"

perf_done
