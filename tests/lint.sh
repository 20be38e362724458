#!/usr/bin/env bash
# House rules that a compiler does not check. Prints each violation; exit 1 if there is one.
cd "$(dirname "$0")/.." || exit 1
bad=0
complain() { bad=1; echo "$*"; }
sources=$(find lib tools tests/unit -name '*.[ch]')

# every source file is listed, and every listed file exists
listed=$(sed -n 's/^[^#]*+= *//p' sources.mk | tr ' ' '\n' | grep '\.c$' | sort -u)
for f in $(find lib tools -name '*.c'); do grep -qxF "$f" <<<"$listed" || complain "$f is not in sources.mk"; done
for f in $listed; do [ -f "$f" ] || complain "sources.mk lists $f, which does not exist"; done
dup=$(sed -n '/+=/p' sources.mk | sort | uniq -d)
[ -z "$dup" ] || complain "sources.mk lists twice: $dup"

# dependency order: a file includes only from its own room or rooms to the left
declare -A may=([base]="base" [io]="base io" [stat]="base stat" [boost]="base stat boost" [graph]="base io stat graph" [nn]="base io stat graph nn"
    [cuda]="base io stat graph nn cuda" [model]="base io stat graph nn model")
for f in $(find lib -name '*.[ch]'); do
    room=$(cut -d/ -f2 <<<"$f")
    for inc in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$f" | sort -u); do
        grep -qw "$inc" <<<"${may[$room]}" || complain "$f includes from $inc/"
    done
    ! grep -qE '^#include "(grn-|\.\./)' "$f" || complain "$f includes from tools or by a relative path"
done
for d in tools/grn-*/; do
    t=$(basename "$d")
    o=$(grep -lE '^#include "(\.\./)?grn-' "$d"*.[ch] 2>/dev/null | xargs -r grep -hE '^#include "(\.\./)?grn-' | grep -v "\"$t/" | sort -u)
    [ -z "$o" ] || complain "$t includes from another tool: $o"
done

# banned calls, tabs, long lines, long files, left-overs
for f in $sources; do
    grep -nE '(^|[^_[:alnum:]])(atoi|atol|atof|strcpy|strcat|sprintf|gets|strtok|rand|srand)\(' "$f" | while read -r l; do echo "$f:$l: banned call"; done | grep . && bad=1
    ! grep -qP '\t' "$f" || complain "$f: tabs"
    awk -v f="$f" 'length($0) > 140 { print f ":" NR ": line of " length($0); bad = 1 } END { exit bad }' "$f" || bad=1
    n=$(wc -l <"$f"); [ "$n" -le 1000 ] || complain "$f: $n lines"
    ! grep -nE '\b(TODO|FIXME|XXX)\b' "$f" || complain "$f: left undone"
done
# printing, exiting and reading the environment are for base and the tools
for f in $(find lib -name '*.c' ! -path 'lib/base/*'); do
    ! grep -nE '(^|[^_[:alnum:]])(exit|abort|printf|puts|perror|getenv)\(' "$f" || complain "$f: the library prints, exits or reads the environment"
done
# every header compiles alone
for h in $(find lib -name '*.h' ! -name '*_impl.h' ! -name '*_priv.h'); do
    ${CC:-gcc} -std=c11 -D_GNU_SOURCE -fsyntax-only -Ilib $(pkg-config --cflags htslib hdf5 openblas jansson) -x c "$h" 2>/dev/null || complain "$h does not compile alone"
done
# sources only: nothing binary, nothing large
while read -r a d f; do [ "$a$d" != -- ] || complain "$f is binary"; done < <(git diff --numstat "$(git hash-object -t tree /dev/null)" HEAD --)
for f in $(git ls-files); do [ "$(stat -c %s "$f" 2>/dev/null || echo 0)" -lt 1000000 ] || complain "$f is larger than 1 MB"; done
# a machine's own paths do not belong here
! git grep -nIE '/(wor[k]|roo[t])/|[.]librar[y]/' -- . || complain "paths of a machine"
exit $bad
