#!/usr/bin/env bash
# Finds the packages the build needs; installs what is missing when that is possible without asking, else says what to run.
# usage: mk/setup.sh PKGCONFIG_NAME...   (AUTO_DEPS=0: never install)
set -u
declare -A deb=([htslib]=libhts-dev [hdf5]=libhdf5-dev [openblas]=libopenblas-dev [gsl]=libgsl-dev [libzstd]=libzstd-dev
    [jansson]=libjansson-dev [libxxhash]=libxxhash-dev [zlib]=zlib1g-dev [libdeflate]=libdeflate-dev [cmocka]=libcmocka-dev)
missing=() # all of them
must=0     # how many the build cannot do without; the rest serve figures and tests
lack() {
    missing+=("$1")
    case $1 in gnuplot-nox | tabix | zstd | libcmocka-dev) ;; *) must=$((must + 1)) ;; esac
}
need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || lack "$2"
}
need cc gcc
[ -e /usr/include/stdio.h ] || lack libc6-dev # gcc only recommends it
need pkg-config pkg-config
need gnuplot gnuplot-nox
need tabix tabix
need zstd zstd
for p in "$@" cmocka; do
    pkg-config --exists "$p" 2>/dev/null || lack "${deb[$p]}"
done
[ -e /usr/include/Random123/philox.h ] || [ -e /usr/local/include/Random123/philox.h ] || lack librandom123-dev
[ ${#missing[@]} -eq 0 ] && exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo -n"
if [ "${AUTO_DEPS:-1}" = 1 ] && command -v apt-get >/dev/null && { [ -z "$sudo" ] || sudo -n true 2>/dev/null; }; then
    echo "installing: ${missing[*]}" >&2
    if { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive $install -qq; } >build-deps.log 2>&1 </dev/null; then
        rm -f build-deps.log
        exit 0
    fi
    tail -n 3 build-deps.log >&2
fi
as_root="" do_sudo="sudo "
if [ "$(id -u)" -eq 0 ]; then do_sudo=""; elif ! command -v sudo >/dev/null; then as_root=" as root" do_sudo=""; fi
echo "missing packages; run$as_root: ${do_sudo}apt-get update && $do_sudo$install" >&2
[ "$must" -eq 0 ] # figures and tests can wait
