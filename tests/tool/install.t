# make install DESTDIR= PREFIX= puts everything where it belongs; the installed pipelines run from there; uninstall leaves nothing.
[ -e "$SRC/bin/grn-view" ] || { t_skip "install" "no bin/ in the source tree"; t_done; }
t_ok "install" make -C "$SRC" --no-print-directory install-files DESTDIR="$PWD/d" PREFIX=/opt/grn
t_true "every program" "[ \$(ls d/opt/grn/bin | wc -l) = \$(ls $SRC/bin/ | grep -c '^grn-') ]"
t_ok "they start" d/opt/grn/bin/grn-aucell --version
t_true "manual pages" "[ -s d/opt/grn/share/man/man1/grn-tools.1 ] && [ -s d/opt/grn/share/man/man5/grn-container.5 ]"
t_true "installed pipelines find the tools on PATH" "PATH=$PWD/d/opt/grn/bin:$PATH make -n -f d/opt/grn/share/grn-tools/pipelines/demo.mk OUT=o 2>&1 | grep -q '^grn-sim'"
t_ok "uninstall" make -C "$SRC" --no-print-directory uninstall DESTDIR="$PWD/d" PREFIX=/opt/grn
t_true "nothing is left" "[ -z \"\$(find d ! -type d)\" ]"
