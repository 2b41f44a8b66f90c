#!/usr/bin/env bash
# On a host with version 2 of control groups alone, sandbox_cgroup_only = false limits a machine's processors, each a thread of its own
# with KVM, in a threaded group below that of its process, and leaves the process without limits.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
runtime=$PWD/artifacts/bin/kata-runtime
[[ -x $runtime ]] || { echo "skipped: artifacts/bin/kata-runtime is not built"; exit 77; }

fail() { printf 'FAILED: %s\n' "$1" >&2; cat "$work/log" >&2 || true; exit 1; }

work=$(mktemp -d)
mkdir -p "$work"/bundle/rootfs/{bin,proc,dev}
cp /bin/busybox "$work/bundle/rootfs/bin/busybox"
cat > "$work/bundle/config.json" << 'END'
{
  "ociVersion": "1.0.2",
  "process": { "cwd": "/", "args": [ "/bin/busybox", "sleep", "600" ], "env": [ "PATH=/bin" ], "user": { "uid": 0, "gid": 0 }, "oomScoreAdj": -500 },
  "root": { "path": "rootfs" },
  "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" } ],
  "annotations": { "io.katacontainers.config.runtime.sandbox_cgroup_only": "false" },
  "linux": {
    "cgroupsPath": "/engine/lab", "namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "network" } ],
    "resources": { "memory": { "limit": 67108864 }, "cpu": { "quota": 50000, "period": 100000, "cpus": "0" } }
  }
}
END

"$runtime" --log "$work/log" run --detach --bundle "$work/bundle" lab > "$work/errors" 2>&1 < /dev/null || { cat "$work/errors" >&2; fail "the container did not start"; }
machine=$(pgrep -x qemu-system-x86 | head -n 1)
group=/sys/fs/cgroup/kata_overhead/engine/lab/kata_lab
type=$(cat "$group/vcpus/cgroup.type" || true)
limits=$(head "$group"/vcpus/{cpu.max,cpuset.cpus} 2>&1 || true)
names=$(while read -r thread; do cat "/proc/$machine/task/$thread/comm"; done < "$group/vcpus/cgroup.threads" || true)
members=$(cat "$group/cgroup.procs" 2>&1 || true)
memory=$(cat "$group/memory.max" || true)
score=$(cat "/proc/$machine/oom_score_adj")
named=$(ls -d /sys/fs/cgroup/engine 2>&1 || true)
"$runtime" --log "$work/log" delete --force lab

[[ $type == threaded ]] || fail "the group of the processors is of the type '$type'"
for limit in '^150000 100000$' '^0$'; do
  grep -Eq "$limit" <<< "$limits" || fail "no limit of the processors is like $limit: $limits"
done
# The pod asks for two processors; a host of one gives it one.
processors=$(($(nproc) < 2 ? 1 : 2))
[[ $(grep -Ec '^CPU [0-9]+/KVM$' <<< "$names") -eq $processors && $(wc -l <<< "$names") -eq $processors ]] || fail "the threads in the group are not the $processors processors: $names"
[[ $(wc -l <<< "$members") -ge 4 && $memory == max ]] || fail "the pod's group holds not all of its processes, or limits memory to $memory: $members"
[[ $score == -500 ]] || fail "the machine's out-of-memory score is $score"
[[ $named == *"No such file"* ]] || fail "there is a group where the engine's limits are, though nothing is in it: $named"
[[ ! -e /sys/fs/cgroup/kata_overhead ]] || fail "the control groups are left: $(find /sys/fs/cgroup/kata_overhead -type d)"
if grep -qi 'limits the processors' "$work/log"; then fail "there is a warning about the processors"; fi
echo "ok: the processors are limited in a threaded group, and their process is not"
