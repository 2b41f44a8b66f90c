#!/usr/bin/env bash
# A kubelet's hierarchy of control groups, on a host with version 2 alone and then on one with version 1 alone: the pod's group has the
# containers' own limits, and so nothing over for the machine. The pod runs all the same, and one warning says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
runtime=$PWD/artifacts/bin/kata-runtime
[[ -x $runtime ]] || { echo "skipped: artifacts/bin/kata-runtime is not built"; exit 77; }

fail() { printf 'FAILED: version %s: %s\n' "$version" "$1" >&2; cat "$work/log" >&2 || true; exit 1; }

work=$(mktemp -d)
mkdir -p "$work"/bundle/rootfs/{bin,proc,dev}
cp /bin/busybox "$work/bundle/rootfs/bin/busybox"
cat > "$work/bundle/config.json" << 'END'
{
  "ociVersion": "1.0.2",
  "process": { "cwd": "/", "args": [ "/bin/busybox", "sleep", "600" ], "env": [ "PATH=/bin" ], "user": { "uid": 0, "gid": 0 } },
  "root": { "path": "rootfs" },
  "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" } ],
  "linux": {
    "cgroupsPath": "/kubepods/burstable/pod1/lab", "namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "network" } ],
    "resources": { "memory": { "limit": 67108864 }, "cpu": { "quota": 50000, "period": 100000 } }
  }
}
END

# run_pod CPU_FILE: CPU_FILE of the pod's own group, below that which the engine names, is left open.
run_pod() {
  local warnings open
  : > "$work/log"
  "$runtime" --log "$work/log" run --detach --bundle "$work/bundle" lab > "$work/errors" 2>&1 < /dev/null || { cat "$work/errors" >&2; fail "the container did not start"; }
  "$runtime" --log "$work/log" exec lab /bin/busybox true || fail "no command runs in the container"
  "$runtime" --log "$work/log" update --cpu-quota 40000 lab || fail "the container cannot be updated"
  open=$(cat "$1" 2>&1 || true)
  "$runtime" --log "$work/log" delete --force lab || fail "the container cannot be deleted"
  warnings=$(grep -c 'control groups above' "$work/log" || true)
  [[ $warnings -eq 1 ]] || fail "$warnings warnings, and not one, say that the groups above allow less"
  [[ $open == max* || $open == -1 ]] || fail "the pod's own group has the limit '$open'"
}

version=2
cd /sys/fs/cgroup
echo '+cpu +memory' > cgroup.subtree_control
mkdir -p kubepods/burstable
echo '+cpu +memory' > kubepods/cgroup.subtree_control
echo '+cpu +memory' > kubepods/burstable/cgroup.subtree_control
mkdir kubepods/burstable/pod1
echo '50000 100000' > kubepods/burstable/pod1/cpu.max
echo $((640 << 20)) > kubepods/burstable/pod1/memory.max
run_pod /sys/fs/cgroup/kubepods/burstable/pod1/lab/kata_lab/cpu.max
echo "ok: version 2"

version=1
rmdir kubepods/burstable/{pod1,} kubepods
sed 's/\([a-z]*\)/-\1/g' cgroup.subtree_control > "$work/none" && cat "$work/none" > cgroup.subtree_control
cd /
umount /sys/fs/cgroup
mount -t tmpfs cgroup /sys/fs/cgroup
# A controller leaves version 2 when the last of its groups has gone, which what they had read into the page cache delays.
attach() {
  local attempt
  mkdir "/sys/fs/cgroup/$1"
  for attempt in {1..40}; do
    if mount -t cgroup -o "$1" cgroup "/sys/fs/cgroup/$1" 2> "$work/errors"; then return; fi
    echo 3 > /proc/sys/vm/drop_caches
    sleep 0.5
  done
  fail "the controller '$1' cannot be mounted after $attempt attempts: $(cat "$work/errors")"
}
for controller in cpu cpuacct cpuset memory pids freezer devices blkio; do
  attach "$controller"
  mkdir -p "/sys/fs/cgroup/$controller/kubepods/burstable/pod1"
done
echo 50000 > /sys/fs/cgroup/cpu/kubepods/burstable/pod1/cpu.cfs_quota_us
echo $((640 << 20)) > /sys/fs/cgroup/memory/kubepods/burstable/pod1/memory.limit_in_bytes
run_pod /sys/fs/cgroup/cpu/kubepods/burstable/pod1/lab/kata_lab/cpu.cfs_quota_us
echo "ok: version 1"
