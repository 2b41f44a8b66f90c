#!/usr/bin/env bash
# Debian 13, from nothing: makes its smallest system in a temporary folder, and in it, as on a machine of that release, lets the scripts
# install what they name, makes the guest (kernel 6.12, crun 1.21) and runs containers with QEMU 10 and the Rust virtiofsd. The executables
# and the tests are those that were built here, unless --build says otherwise. The last line counts the steps and the tests together.
#
# usage: tests/release/debian-13.sh [--build] [--keep] [TEST...]
#   --build  compile in there too, with that release's compiler: some minutes more
#   --keep   leave the system where it is and say where
#   TEST     methods of Kata.Integration.Tests, for example '*.MountTests.*' (default: a core of them)
# needs: root; debootstrap; a network or a mirror in KATA_DEBIAN_MIRROR; what 'make' and the build of the tests leave in artifacts/
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/environment"

mirror=${KATA_DEBIAN_MIRROR:-http://deb.debian.org/debian}
tests=(
  '*.RunTests.*' '*.PodTests.*' '*.MountTests.*' '*.RustVolumeTests.*' '*.PlaceTests.*' '*.DyingHelperTests.*' '*.JailAuditTests.*'
  '*.ShimTests.Run_*' '*.ShimTests.Events_*' '*.ShimTests.Exec_*' '*.PodmanTests.Container_LifeCycle_*' '*.PodmanTests.Pod_*'
  '*.PodmanTests.Run_Program_*' '*.PodmanTests.Run_Kernel_*' '*.PodmanTests.Run_UnknownProgram_*' '*.PodmanTests.Run_Limits_*'
  '*.PodmanTests.Run_Privileges_*' '*.PodmanTests.Run_Volume_*' # podman 5 has other defaults, of open files for one
)
compile='' keep='' inside='' options=()

# step TITLE COMMAND...: says how long it took; ends everything when it fails.
steps=0
step() {
  local title=$1 start
  shift
  start=$(milliseconds)
  if ! "$@"; then
    echo "$title: failed"
    echo "$steps passed, 1 failed, 0 skipped"
    exit 1
  fi
  steps=$((steps + 1))
  printf 'ok     %s (%d s)\n' "$title" "$((($(milliseconds) - start) / 1000))"
}

# Packages are checked against the lists that the keys of this machine's own release have signed.
bootstrap() {
  DPKG_FORCE=unsafe-io debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg trixie "$system" "$mirror" /usr/share/debootstrap/scripts/sid > "$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log"; return 1; }
  echo force-unsafe-io > "$system/etc/dpkg/dpkg.cfg.d/unsafe-io" # nobody needs it after a power failure
  cp /etc/resolv.conf /etc/hosts "$system/etc/"
}

# The project as a clone has it, and what is not compiled again.
copy_project() {
  local file
  mkdir -p "$system/kata/artifacts/dotnet/bin"
  git -C "$root" ls-files -co --exclude-standard -z | (cd "$root" && tar --null --files-from=- --ignore-failed-read -cf -) | tar -xf - -C "$system/kata"
  cp -a "$artifacts/dotnet/bin/Kata.Integration.Tests" "$system/kata/artifacts/dotnet/bin/"
  if [[ -n $compile ]]; then return; fi
  for file in bin/kata-runtime guest/kata-agent; do install -D "$artifacts/$file" "$system/kata/artifacts/$file"; done
}

# enter COMMAND...: in the system, with the .NET of this machine. As its root by pivot_root(2), since paths are those of a mount namespace.
enter() {
  # podman 5 warns of every control group but version 2, which this machine may not have.
  # shellcheck disable=SC2016 # expanded in there
  unshare --mount --propagation private /bin/sh -c \
    'cd "$1" && shift && pivot_root . mnt && cd /kata && umount -l /mnt && exec /usr/bin/env -i "$@"' sh "$system" \
    HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin CI="${CI:-}" PODMAN_IGNORE_CGROUPSV1_WARNING=1 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false "$@"
}

dependencies() {
  enter scripts/dependencies build guest demo test || return
  # Nothing is missing now: each name brought what it was looked for.
  [[ -z $(enter scripts/dependencies build guest demo test) ]] || { echo "scripts/dependencies: packages are still missing after they were installed"; return 1; }
}

guest() {
  enter guest/build --kernel packaged || return # which proves that one too, and takes no time to compile
  enter scripts/virtiofsd --needed || return
  [[ ! -e $system/kata/artifacts/libexec ]] || { echo "scripts/virtiofsd: Debian 13 has the Rust virtiofsd itself, and it was fetched"; return 1; }
}

# What is chosen in there is that release's own.
environment() {
  local said what
  said=$(enter artifacts/bin/kata-runtime kata-env) || return
  for what in '  Version = "6.12.' '  Daemon = "Rust ' '  VirtioFSDaemon = "/usr/libexec/virtiofsd"'; do
    if [[ $said != *"$what"* ]]; then echo "$said"; return 1; fi
  done
}

# NuGet's packages are those that were restored here.
build() {
  mkdir -p "$system/root/.nuget/packages"
  mount --bind "$HOME/.nuget/packages" "$system/root/.nuget/packages"
  enter scripts/build
}

# Everything in its own mount and process namespaces: nothing of it outlives this script, however it ends.
main() {
  local log=$work/tests.log total errors failed skipped test arguments=()
  mkdir "$system"
  mount --bind "$system" "$system"
  step "Debian 13's smallest system" bootstrap
  mount -t proc proc "$system/proc"
  mount --rbind /sys "$system/sys"
  mount --rbind /dev "$system/dev"
  mount -t tmpfs tmpfs "$system/run"
  mkdir -p "$system/usr/share/dotnet"
  mount --bind -o ro "$DOTNET_ROOT" "$system/usr/share/dotnet"
  step "The project in it" copy_project
  step "Packages by scripts/dependencies" dependencies
  if [[ -n $compile ]]; then step "Executables" build; fi
  step "The guest, kernel 6.12" guest
  step "kata-env" environment

  for test in "${tests[@]}"; do arguments+=(-method "$test"); done
  enter artifacts/dotnet/bin/Kata.Integration.Tests/debug/Kata.Integration.Tests -noColor -noLogo -longRunning 60 "${arguments[@]}" > "$log" 2>&1 < /dev/null || true
  read -r total errors failed skipped < <(sed -n 's/^ *Kata.Integration.Tests  Total: \([0-9]*\), Errors: \([0-9]*\), Failed: \([0-9]*\), Skipped: \([0-9]*\),.*/\1 \2 \3 \4/p' "$log" | tail -n 1) ||
    { cat "$log"; total=1 errors=1 failed=0 skipped=0; }
  failed=$((failed + errors))
  if [[ $failed -gt 0 || $total -eq 0 ]]; then cat "$log"; fi
  if [[ $total -eq 0 ]]; then total=1 failed=1; fi
  grep 'SKIP' "$log" || true
  echo "$((steps + total - failed - skipped)) passed, $failed failed, $skipped skipped"
  [[ $failed -eq 0 ]]
}

while [[ ${1:-} == --* ]]; do
  case $1 in
    --build) compile=1; options+=(--build) ;;
    --keep) keep=1 ;;
    --inside) inside=1 work=$2; shift ;;
    --help) sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) fail "Cannot read the option '$1': it is unknown. See tests/release/debian-13.sh --help" ;;
  esac
  shift
done
if [[ $# -gt 0 ]]; then tests=("$@"); fi

if [[ -n $inside ]]; then
  system=$work/system
  main
  exit
fi

[[ $EUID -eq 0 ]] || { echo "skipped: making a system needs root"; exit 77; }
command -v debootstrap > /dev/null || { echo "skipped: debootstrap is missing (Debian: apt-get install debootstrap)"; exit 77; }
for file in bin/kata-runtime guest/kata-agent dotnet/bin/Kata.Integration.Tests/debug/Kata.Integration.Tests; do
  [[ -e $artifacts/$file ]] || fail "Cannot test on Debian 13: artifacts/$file is not built. Run 'make' and 'dotnet build tests/Kata.Integration.Tests'"
done
work=$(mktemp -d /var/tmp/debian-13.XXXXXX)
if [[ -n $keep ]]; then echo "The system stays in $work/system"; else trap 'rm -rf --one-file-system "$work"' EXIT; fi
unshare --mount --pid --fork --kill-child --propagation private "${BASH_SOURCE[0]}" "${options[@]}" --inside "$work" "${tests[@]}"
