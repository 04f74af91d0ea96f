#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A control group of its own finds what a run left, whatever that did to hide.
. "${srcdir:-.}/t/test-lib.sh"

# Where version 2 is not mounted, root mounts it for itself.
test_lazy_prereq GROUPS_OF_OURS '
	mkdir -p cg && unshare -m sh -c "mount -t cgroup2 none cg && mkdir cg/mlp-probe && rmdir cg/mlp-probe"
'

test_expect_success 'a project' '
	mkdir -p cg &&
	mlp -q init
'

test_expect_success GROUPS_OF_OURS 'the group is there while the command runs, and gone afterwards' '
	unshare -m sh -ec "mount -t cgroup2 none cg; export MLP_CGROUP_ROOT=\$PWD/cg
		mlp -q train -- cat /proc/self/cgroup
		group=\$(sed -n \"s,^0::.*/mlp-,mlp-,p\" out)
		find cg -name \"\$group\" || : groups of others vanish meanwhile" >out &&
	test_grep "^0::.*/mlp-[0-9a-f]*-1$" out &&
	test_must_fail grep "^cg/" out
'

test_expect_success GROUPS_OF_OURS 'reaping ends a process without parents and environment' '
	hidden=$((100000 + $$)) &&
	test_write_script hide <<-EOF &&
	env -i setsid sleep $hidden &
	echo \$\$ >ready
	exec sleep 1248
	EOF
	unshare -m sh -ec "mount -t cgroup2 none cg; export MLP_CGROUP_ROOT=\$PWD/cg
		mlp -q train -- ./hide & supervisor=\$!
		while ! test -s ready; do sleep 0.05; done
		kill -9 \$supervisor; wait \$supervisor || :
		while grep -qs \"^State:.[^Z]\" /proc/\$(cat ready)/status; do sleep 0.05; done
		mlp train --reap --grace 0.2" >out &&
	test_grep " 1$" out &&
	test_must_fail pgrep -f "^sleep $hidden"
'

test_done
