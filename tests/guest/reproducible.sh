#!/usr/bin/env bash
# Two builds of the guest image, made in different directories, time zones and umasks, have the same bytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! scripts/dependencies guest; then
  echo "skipped: the packages named above are missing"
  exit 77
fi
guest/build --verify
