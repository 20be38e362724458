# Sourced by tests/tool/*.t: TAP over exact exit codes. Each script runs in its own empty directory with the tools on PATH.
# Environment: BIN (tools), SRC (source tree), GRN_DATA (real data, may be absent).
T_N=0 T_BAD=0
t__say() { T_N=$((T_N + 1)); if [ "$1" = 0 ]; then echo "ok $T_N - $2"; else T_BAD=1; echo "not ok $T_N - $2"; fi; }
t__diag() { sed 's/^/# /' "$@" | head -n 20; }
# t_ok NAME CMD...: exits 0; stdout in ./out, stderr in ./err
t_ok() { local n=$1; shift; "$@" >out 2>err </dev/null; local r=$?; t__say $((r != 0)) "$n"; [ $r = 0 ] || { echo "# exit $r: $*"; t__diag err; }; }
# t_exit CODE GLOB NAME CMD...: exits with exactly CODE and the last stderr line that begins with "grn-" matches GLOB
t_exit() {
    local want=$1 glob=$2 n=$3; shift 3; "$@" >out 2>err </dev/null; local r=$? line
    line=$(grep '^grn-' err | tail -n 1)
    # shellcheck disable=SC2254
    case "$line" in $glob) local m=0 ;; *) local m=1 ;; esac
    t__say $((r != want || m != 0)) "$n"
    [ $r = "$want" ] && [ $m = 0 ] || { echo "# exit $r (want $want), stderr (want $glob): $*"; t__diag err; }
}
# t_cmp NAME A B: same bytes
t_cmp() { cmp "$2" "$3" >err 2>&1; local r=$?; t__say $r "$1"; [ $r = 0 ] || t__diag err; }
# t_out NAME EXPECTED CMD...: exit 0 and exactly this stdout (EXPECTED without its last newline)
t_out() { local n=$1 want=$2; shift 2; local got; got=$("$@" 2>err </dev/null); local r=$?; [ $r = 0 ] && [ "$got" = "$want" ]; t__say $? "$n"
    [ "$got" = "$want" ] || { echo "# exit $r, got:"; printf '%s\n' "$got" | t__diag; t__diag err; }; }
# t_true NAME SHELL-CONDITION: evaluates a test in this shell
t_true() { eval "$2" >err 2>&1; local r=$?; t__say $((r != 0)) "$1"; [ $r = 0 ] || { echo "# false: $2"; t__diag err; }; }
# t_near NAME GOT WANT TOLERANCE
t_near() { awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a == a + 0 && d <= t) }'; t__say $? "$1 ($2 vs $3)"; }
# t_killed NAME SIGNAL GLOB CMD...: SIGNAL is sent as soon as a path matches GLOB (before the command ends), and the command dies of it
t_killed() {
    local n=$1 sig=$2 glob=$3; shift 3
    env --default-signal=INT "$@" >out 2>err </dev/null & # bash ignores SIGINT in background jobs
    local pid=$! r
    until compgen -G "$glob" >/dev/null; do kill -0 $pid 2>/dev/null || break; sleep 0.005; done
    kill -s "$sig" $pid 2>/dev/null
    { wait $pid; r=$?; } 2>/dev/null
    [ $r = $((128 + $(kill -l "$sig"))) ]; r=$?
    t__say $r "$n"; [ $r = 0 ] || { echo "# not killed by $sig at $glob: $*"; t__diag err; }
}
t_skip() { T_N=$((T_N + 1)); echo "ok $T_N - $1 # SKIP $2"; }
# t_data DIR: 0 if $GRN_DATA/DIR exists; else records one skip named after the script and DIR
t_data() { [ -e "$GRN_DATA/$1" ] && return 0; t_skip "$(basename "$0"): $1" "real data absent"; return 1; }
t_done() { echo "1..$T_N"; exit $T_BAD; }
