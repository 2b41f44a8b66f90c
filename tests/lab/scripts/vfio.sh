#!/usr/bin/env bash
# A card of the host behind an IOMMU: its interface leaves a pod's network namespace, is in the guest with name, hardware address and addresses,
# and comes back with its driver and all that it had, when the pod ends and when everything of the pod was killed.
# lab: --device virtio-net-pci,netdev=wire0,mac=02:00:00:00:08:02,disable-legacy=on,iommu_platform=on
# lab: --device virtio-net-pci,netdev=wire1,mac=02:00:00:00:08:01
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
source tests/lab/bundle
runtime=$PWD/artifacts/bin/kata-runtime
[[ -x $runtime ]] || { echo "skipped: artifacts/bin/kata-runtime is not built"; exit 77; }

fail() { printf 'FAILED: %s\n' "$1" >&2; cat "$work/errors" "$work/log" >&2 || true; dmesg | tail -n 20 >&2; exit 1; }

work=$(mktemp -d)
: > "$work/errors"
make_bundle "$work/bundle"

# All of the guest's memory is taken at its start: here by an emulated processor.
mkdir -p artifacts/share/defaults/kata-containers/config.d
printf '[hypervisor.qemu]\ndefault_memory = 512\n' > artifacts/share/defaults/kata-containers/config.d/lab.toml

name_of() { ip -o link | sed -n "s/^[0-9]*: \([^:@]*\).*$1.*/\1/p"; }
peer=$(name_of 02:00:00:00:08:01)
found=$(name_of 02:00:00:00:08:02)
ip link set "$found" name fast0
ip link set "$peer" name peer0
ip address add 10.8.0.1/24 dev peer0
ip link set peer0 up
device=$(basename "$(dirname "$(readlink -f /sys/class/net/fast0/device)")")
driver=$(basename "$(readlink -f "/sys/bus/pci/devices/$device/driver")")
[[ $driver == virtio-pci ]] || fail "the card '$device' has the driver '$driver'"

driver_now() { basename "$(readlink -f "/sys/bus/pci/devices/$device/driver")"; }

# give_card: moves it into the namespace 'pod', where it gets what the guest is to have.
give_card() {
  ip link set fast0 netns pod
  ip -n pod link set fast0 mtu 1400
  ip -n pod address add 10.8.0.2/24 dev fast0
  ip -n pod link set fast0 up
  ip -n pod route add default via 10.8.0.1
}

start() {
  : > "$work/log"
  "$runtime" --log "$work/log" run --detach --bundle "$work/bundle" lab > "$work/errors" 2>&1 < /dev/null || fail "$1: the container did not start"
}

in_guest() { "$runtime" --log "$work/log" exec lab /bin/busybox "$@" 2>> "$work/errors" < /dev/null; }

# expect_in_guest TITLE: the guest has the card, and it works both ways.
expect_in_guest() {
  local shown
  [[ $(driver_now) == vfio-pci ]] || fail "$1: the card has the driver '$(driver_now)' while the guest runs"
  shown=$(in_guest ip address show fast0; in_guest ip route) || fail "$1: there is no fast0 in the guest: $shown"
  for what in 'mtu 1400' 'link/ether 02:00:00:00:08:02' 'inet 10.8.0.2/24' 'default via 10.8.0.1 dev fast0'; do
    [[ $shown == *"$what"* ]] || fail "$1: the guest does not have '$what': $shown"
  done
  in_guest ping -c 2 -W 5 10.8.0.1 > "$work/output" || fail "$1: the peer does not answer the guest: $(cat "$work/output")"
  busybox ping -c 2 -W 5 10.8.0.2 > "$work/output" || fail "$1: the guest does not answer its peer: $(cat "$work/output")"
  if ip -n pod link show fast0 > /dev/null 2>&1; then fail "$1: the namespace has the interface still"; fi
}

# expect_back TITLE: the namespace has it as it was.
expect_back() {
  local shown
  [[ $(driver_now) == "$driver" ]] || fail "$1: the card has the driver '$(driver_now)' and not '$driver'"
  [[ $(< "/sys/bus/pci/devices/$device/driver_override") == "(null)" ]] || fail "$1: only one driver may take the card still"
  shown=$(ip -n pod address show fast0; ip -n pod route) || fail "$1: the namespace has no fast0: $shown"
  for what in 'mtu 1400' 'link/ether 02:00:00:00:08:02' 'inet 10.8.0.2/24' 'default via 10.8.0.1 dev fast0' 'UP'; do
    [[ $shown == *"$what"* ]] || fail "$1: the namespace does not have '$what' again: $shown"
  done
}

ip netns add pod
give_card
start "cold"
expect_in_guest "cold"
"$runtime" --log "$work/log" delete --force lab || fail "cold: the container cannot be deleted"
expect_back "cold"
echo "ok: the card went into the guest and came back"

start "killed"
expect_in_guest "killed"
pkill -9 -x kata-runtime
pkill -9 -x qemu-system-x86
"$runtime" --log "$work/log" delete --force lab || fail "killed: the container cannot be deleted"
expect_back "killed"
echo "ok: the card came back after service and machine were killed"

# Its namespace gone, it is where the kernel would have put it.
start "no namespace"
ip netns delete pod
"$runtime" --log "$work/log" delete --force lab || fail "no namespace: the container cannot be deleted"
[[ $(driver_now) == "$driver" ]] || fail "no namespace: the card has the driver '$(driver_now)'"
shown=$(ip address show fast0) || fail "no namespace: the host has no fast0: $(ip -o link)"
[[ $shown == *'link/ether 02:00:00:00:08:02'* && $shown != *inet* ]] || fail "no namespace: the host's interface is another: $shown"
echo "ok: without the pod's namespace the card came back to the host's"

ip netns add pod
start "hot"
give_card
for _ in {1..40}; do
  if in_guest ip route | grep -q 'default via'; then break; fi
  sleep 0.5
done
expect_in_guest "hot"
"$runtime" --log "$work/log" network del-iface lab > "$work/output" <<< '{"name": "fast0"}' || fail "hot: the card cannot be taken from the guest"
if in_guest ip link show fast0; then fail "hot: the guest has the card still"; fi
[[ $(driver_now) == "$driver" ]] || fail "hot: the card has the driver '$(driver_now)' and not '$driver'"
shown=$(ip -n pod address show fast0) || fail "hot: the namespace has no fast0"
[[ $shown != *inet* && $shown == *'state DOWN'* ]] || fail "hot: the interface is somebody's: $shown"
"$runtime" --log "$work/log" network add-iface lab > "$work/output" <<< '{"name": "fast0", "IPAddresses": [{"address": "10.8.0.2", "mask": "24"}]}' || fail "hot: the card cannot be given to the guest again"
in_guest ping -c 2 -W 5 10.8.0.1 > "$work/output" || fail "hot: the peer does not answer the guest: $(cat "$work/output")"
[[ $(driver_now) == vfio-pci ]] || fail "hot: the guest does not have the card itself: $(driver_now)"
"$runtime" --log "$work/log" delete --force lab || fail "hot: the container cannot be deleted"
[[ $(driver_now) == "$driver" && $(ip -n pod address show fast0) == *'inet 10.8.0.2/24'* ]] || fail "hot: the card did not come back"
echo "ok: a card that came to a pod that ran went into the guest, was taken from it and given to it again, and came back"
