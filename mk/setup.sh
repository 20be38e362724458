#!/usr/bin/env bash
# Finds the packages the build needs; installs what is missing when that is possible without asking, else says what to run.
# usage: mk/setup.sh PKGCONFIG_NAME...   (AUTO_DEPS=0: never install)
set -u
declare -A deb=([htslib]=libhts-dev [hdf5]=libhdf5-dev [openblas]=libopenblas-dev [gsl]=libgsl-dev [libzstd]=libzstd-dev
    [jansson]=libjansson-dev [libxxhash]=libxxhash-dev [zlib]=zlib1g-dev [libdeflate]=libdeflate-dev [cmocka]=libcmocka-dev)
missing=()
need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}
need cc gcc
need pkg-config pkg-config
need gnuplot gnuplot-nox
need tabix tabix
need zstd zstd
for p in "$@" cmocka; do
    pkg-config --exists "$p" 2>/dev/null || missing+=("${deb[$p]}")
done
[ -e /usr/include/Random123/philox.h ] || [ -e /usr/local/include/Random123/philox.h ] || missing+=(librandom123-dev)
[ ${#missing[@]} -eq 0 ] && exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo -n"
if [ "${AUTO_DEPS:-1}" = 1 ] && command -v apt-get >/dev/null && { [ -z "$sudo" ] || sudo -n true 2>/dev/null; }; then
    echo "installing: ${missing[*]}" >&2
    if { $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo $install -qq; } >build-deps.log 2>&1; then
        rm -f build-deps.log
        exit 0
    fi
    tail -n 3 build-deps.log >&2
fi
echo "missing packages; run: sudo $install" >&2
exit 1
