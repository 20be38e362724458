# House rules, and: every tool answers --help and --version, refuses rubbish, and matches its man page and the README.
[ -n "${SANITIZED:-}" ] && { t_skip "lint" "done in the plain run"; t_done; }
t_ok "house rules (tests/lint.sh)" "$SRC/tests/lint.sh"
cat out
commands() { # every program and subcommand, one a line
    local t
    for t in "$BIN"/grn-*; do
        t=$(basename "$t")
        if $t --help 2>/dev/null | grep -q '^Commands:'; then
            $t --help | sed -n '/^Commands:/,/^$/p' | awk -v t="$t" '/^  [a-z]/ { print t, $1 }'
        else
            echo "$t"
            $t --help | sed -n '/^Other commands:/,$p' | awk -v t="$t" '$1 == t { print t, $2 }'
        fi
    done
}
commands >commands.txt
while read -r cmd; do
    tool=${cmd%% *}
    t_ok "$cmd --help" $cmd --help
    cp out help
    t_true "$cmd --help names itself" "grep -q '^Usage: $cmd' help"
    t_exit 2 "$tool*unknown option*" "$cmd: unknown option" $cmd --no-such-option
    t_exit 2 "$tool*threads*" "$cmd: bad number" $cmd -@ abc x x x
    # every option of --help is in the man page, and the other way round
    page=$SRC/man/$tool.1
    t_true "$cmd has a man page" "[ -f $page ]"
    sed 's/\\-/-/g' "$page" 2>/dev/null >page.txt
    sed '/^Common:/,$d' help | grep -oE '^ +(-., )?--[a-z0-9-]+' | grep -oE '\-\-[a-z0-9-]+' | sort -u >opts
    missing=$(while read -r o; do grep -qE -e "$o([^a-z0-9-]|\$)" page.txt || echo "$o"; done <opts)
    t_true "$cmd: options in the man page ($(echo $missing))" "[ -z '$(echo $missing)' ]"
done <commands.txt
for tool in $(cut -d' ' -f1 commands.txt | sort -u); do
    t_ok "$tool --version" $tool --version
    t_true "$tool --version names itself" "head -n1 out | grep -q '^$tool '"
    page=$SRC/man/$tool.1
    for c in $(grep "^$tool" commands.txt | tr ' ' '_'); do $(echo $c | tr '_' ' ') --help; done 2>/dev/null | grep -oE '\-\-[a-z0-9-]+' | sort -u >opts
    extra=$(sed 's/\\-/-/g' "$page" 2>/dev/null | grep -oE '^(\.[A-Z]+ .*)?\\fB--[a-z0-9-]+' | grep -oE '\-\-[a-z0-9-]+' | sort -u | grep -vxF -f opts | grep -vxE -e '--(no-.*|help|version)')
    t_true "$tool: the man page has no unknown option ($(echo $extra))" "[ -z '$(echo $extra)' ]"
    t_true "$tool is in the README" "grep -q $tool $SRC/README.md"
done
