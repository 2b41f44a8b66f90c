#!/usr/bin/env bash
# On a host with KVM, vhost-net and ipvlan: a pod's card is carried by the host's kernel, and pods on a veth pair, on one with a macvtap over it,
# and on an ipvlan each have their address and reach their peer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
source tests/lab/bundle
runtime=$PWD/artifacts/bin/kata-runtime
[[ -x $runtime ]] || { echo "skipped: artifacts/bin/kata-runtime is not built"; exit 77; }

fail() { printf 'FAILED: %s\n' "$1" >&2; cat "$work/errors" "$work/log" >&2 || true; exit 1; }

work=$(mktemp -d)

# try_pod TITLE ADDRESS PEER MODEL EXPECTED: EXPECTED is in QEMU's command line. The network namespace 'pod' has been made ready.
try_pod() {
  local title=$1 address=$2 peer=$3 model=$4 expected=$5 arguments
  make_bundle "$work/bundle" "\"io.katacontainers.config.runtime.internetworking_model\": \"$model\""
  : > "$work/log"
  "$runtime" --log "$work/log" run --detach --bundle "$work/bundle" lab > "$work/errors" 2>&1 < /dev/null || fail "$title: the container did not start"
  arguments=$(tr '\0' ' ' < "/proc/$(pgrep -x qemu-system-x86 | head -n 1)/cmdline")
  "$runtime" --log "$work/log" exec lab /bin/busybox ip address show eth0 > "$work/output" 2>> "$work/errors" < /dev/null || fail "$title: there is no eth0 in the guest"
  "$runtime" --log "$work/log" exec lab /bin/busybox ping -c 2 -W 5 "$peer" >> "$work/output" 2>> "$work/errors" < /dev/null || fail "$title: the peer does not answer the guest: $(cat "$work/output")"
  busybox ping -c 2 -W 5 "$address" >> "$work/output" || fail "$title: the guest does not answer its peer: $(cat "$work/output")"
  "$runtime" --log "$work/log" delete --force lab || fail "$title: the container cannot be deleted"
  grep -q "inet $address/24" "$work/output" || fail "$title: the guest has another address: $(cat "$work/output")"
  grep -q "link/ether $(ip netns exec pod cat /sys/class/net/eth0/address)" "$work/output" || fail "$title: the guest has another hardware address: $(cat "$work/output")"
  [[ $arguments == *"$expected"* ]] || fail "$title: QEMU's command line has no '$expected': $arguments"
  ip netns delete pod
  echo "ok: $title"
}

# make_pair: a veth pair, one end here with 10.9.0.1 and the other in the namespace 'pod' with 10.9.0.2.
make_pair() {
  ip netns add pod
  ip link add host0 type veth peer name eth0 netns pod
  ip address add 10.9.0.1/24 dev host0
  ip link set host0 up
  ip -n pod address add 10.9.0.2/24 dev eth0
  ip -n pod link set eth0 up
}

make_pair
try_pod "a veth pair, by vhost-net" 10.9.0.2 10.9.0.1 tcfilter vhost=on
make_pair
try_pod "a macvtap over a veth pair, by vhost-net" 10.9.0.2 10.9.0.1 macvtap vhost=on

# An ipvlan does not reach what it lies on: its peer is the other end of that.
ip link add host0 type veth peer name lower
ip link set lower up
ip address add 10.9.0.1/24 dev host0
ip link set host0 up
ip netns add pod
ip link add eth0 link lower netns pod type ipvlan mode l2
ip -n pod address add 10.9.0.2/24 dev eth0
ip -n pod link set eth0 up
try_pod "an ipvlan, by vhost-net" 10.9.0.2 10.9.0.1 tcfilter vhost=on
