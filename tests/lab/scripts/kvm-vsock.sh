#!/usr/bin/env bash
# On a host with KVM and vhost-vsock the runtime chooses both by itself, says so, and a container runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
runtime=$PWD/artifacts/bin/kata-runtime
[[ -x $runtime ]] || { echo "skipped: artifacts/bin/kata-runtime is not built"; exit 77; }

fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }

environment=$("$runtime" kata-env)
echo "$environment"
grep -qi 'kvm' <<< "$environment" || fail "kata-env does not name KVM"
grep -qi 'vsock' <<< "$environment" || fail "kata-env does not name vsock"

work=$(mktemp -d)
mkdir -p "$work"/bundle/rootfs/{bin,proc,dev}
cp /bin/busybox "$work/bundle/rootfs/bin/busybox"
ln -s busybox "$work/bundle/rootfs/bin/sh"
cat > "$work/bundle/config.json" << 'END'
{
  "ociVersion": "1.0.2",
  "process": { "cwd": "/", "args": [ "/bin/sh", "-c", "busybox uname -r; exit 42" ], "env": [ "PATH=/bin" ], "user": { "uid": 0, "gid": 0 } },
  "root": { "path": "rootfs" },
  "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" } ],
  "linux": { "namespaces": [ { "type": "pid" }, { "type": "mount" } ] }
}
END

# Looks at QEMU's command line while the container lives: what kata-env promises must be what happens.
status=0
"$runtime" --log "$work/log" run --bundle "$work/bundle" lab > "$work/output" 2> "$work/errors" &
container=$!
arguments=
while [[ -z $arguments ]] && kill -0 "$container" 2> /dev/null; do
  pid=$(pgrep -f '^[^ ]*qemu-system' | head -n 1 || true)
  if [[ -n $pid ]]; then arguments=$(tr '\0' ' ' < "/proc/$pid/cmdline"); fi
done
wait "$container" || status=$?
cat "$work/errors" >&2
[[ $status -eq 42 ]] || { cat "$work/log" >&2; fail "the container ended with $status and not with 42"; }
grep -q 'cloud-amd64' "$work/output" || fail "the container shows the kernel '$(<"$work/output")', which is not the guest's"
[[ $arguments == *kvm* ]] || fail "QEMU runs without KVM: $arguments"
[[ $arguments == *vhost-vsock* ]] || fail "QEMU runs without vhost-vsock: $arguments"
if grep -qi 'emulation' "$work/errors" "$work/log"; then fail "there is a warning about emulation, though KVM was used"; fi
echo "ok: KVM and vhost-vsock were chosen and the container ran"
