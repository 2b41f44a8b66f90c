#!/usr/bin/env bash
# Kata.Netlink against Debian's kernel, which has what a container host's may lack: dummy, VLAN, ipvlan, bond, VRF, matchall. None is skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
tests=$PWD/artifacts/dotnet/bin/Kata.Netlink.Tests/debug/Kata.Netlink.Tests
[[ -x $tests ]] || { echo "skipped: Kata.Netlink.Tests is not built"; exit 77; }

"$tests" -noColor -noLogo -namespace Kata.Netlink.Tests.Live | tee "$LAB_OUT/netlink.log"
grep -q 'Total: [1-9][0-9]*, Errors: 0, Failed: 0, Skipped: 0,' "$LAB_OUT/netlink.log" || { echo "FAILED: tests were skipped" >&2; exit 1; }
