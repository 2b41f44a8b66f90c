#!/usr/bin/env bash
# The lab is the host that it claims to be: what the other scripts rely on is there and works.
set -euo pipefail

expect() { # TITLE COMMAND...
  local title=$1
  shift
  if "$@"; then echo "ok: $title"; else echo "FAILED: $title" >&2; exit 1; fi
}

expect "the CPU has SVM" grep -qw svm /proc/cpuinfo
for device in /dev/kvm /dev/vhost-vsock /dev/vhost-net /dev/vfio/vfio /dev/net/tun /dev/mapper/control; do
  expect "$device is a character device" test -c "$device"
done
expect "cgroup v2 is mounted" test -e /sys/fs/cgroup/cgroup.controllers
expect "the IOMMU has groups" test -n "$(ls /sys/kernel/iommu_groups)"
expect "the root can be written" touch /written-in-the-lab
expect "results come out" touch "$LAB_OUT/host"
