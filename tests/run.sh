#!/usr/bin/env bash
# Runs unit tests (cmocka, TAP) and tool tests (tests/tool/*.t, TAP), two at a time, and closes with "N passed, N failed, N skipped".
# usage: BIN=.. UNIT=.. tests/run.sh [PATTERN]   only scripts and programs whose name matches PATTERN
set -u
SRC=$(cd "$(dirname "$0")/.." && pwd)
case ${GRN_DATA:=../shared/data} in /*) ;; *) GRN_DATA=$SRC/$GRN_DATA ;; esac
export SRC BIN GRN_DATA
export PATH="$BIN:$PATH" LC_ALL=C CMOCKA_MESSAGE_OUTPUT=TAP OPENBLAS_NUM_THREADS=1
export OPENBLAS_MAIN_FREE=1 HDF5_USE_FILE_LOCKING=FALSE
pattern=${1:-}
[ -n "$pattern" ] || pattern=.
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
one() { # PATH LOGDIR
    name=$(basename "$1")
    dir=$(mktemp -d)
    start=$(date +%s)
    case $1 in
        *.t) (cd "$dir" && timeout "${T_LIMIT:-600}" bash -c '. "$SRC/tests/lib.sh"; . "$0"; t_done' "$1") >"$2/$name.tap" 2>"$2/$name.err" ;;
        *) (cd "$dir" && timeout "${T_LIMIT:-600}" "$1") >"$2/$name.tap" 2>"$2/$name.err" ;;
    esac
    rc=$?
    rm -rf "$dir"
    sed -i 's/^not ok \([0-9]*\) # SKIP \(.*\)/ok \1 - \2 # SKIP real data absent/' "$2/$name.tap" # cmocka's way to say it
    bad=$(grep -c '^not ok' "$2/$name.tap")
    if ! grep -q '^1\.\.' "$2/$name.tap" || { [ $rc -ne 0 ] && [ "$bad" -eq 0 ]; }; then echo "not ok - $name ended with status $rc before its plan" >>"$2/$name.tap"; fi
    echo "$name: $(grep -c '^ok' "$2/$name.tap") ok, $(grep -c '^not ok' "$2/$name.tap") not ok, $(($(date +%s) - start)) s"
    grep -A 8 '^not ok' "$2/$name.tap"
    if grep -q '^not ok' "$2/$name.tap"; then tail -n 20 "$2/$name.err"; fi
}
export -f one
{ [ -d "$UNIT" ] && find "$UNIT" -type f -perm -u+x; find "$SRC/tests/tool" -name '*.t'; } | sort | grep -E "$pattern" |
    xargs -P "${JOBS:-2}" -I{} bash -c 'one "$1" "$2"' _ {} "$log"
cat "$log"/*.tap 2>/dev/null | grep '# SKIP' | sed 's/^ok [0-9]* - /skipped: /; s/# SKIP/:/'
count() { cat "$log"/*.tap 2>/dev/null | grep -ciE "$1"; }
skipped=$(count '^ok.*# SKIP')
passed=$(($(count '^ok') - skipped))
failed=$(count '^not ok')
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
