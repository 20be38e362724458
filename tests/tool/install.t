# make install DESTDIR= PREFIX= puts everything where it belongs; the installed pipelines run from there; uninstall leaves nothing.
[ -e "$SRC/bin/grn-view" ] || { t_skip "install" "no bin/ in the source tree"; t_done; }
t_ok "install" make -C "$SRC" --no-print-directory install-files DESTDIR="$PWD/d" PREFIX=/opt/grn
t_true "every program" "[ \$(ls d/opt/grn/bin | wc -l) = \$(ls $SRC/bin/ | grep -c '^grn-') ]"
t_ok "they start" d/opt/grn/bin/grn-aucell --version
t_true "manual pages" "[ -s d/opt/grn/share/man/man1/grn-tools.1 ] && [ -s d/opt/grn/share/man/man5/grn-container.5 ]"
t_true "installed pipelines find the tools on PATH" "PATH=$PWD/d/opt/grn/bin:$PATH make -n -f d/opt/grn/share/grn-tools/pipelines/demo.mk OUT=o 2>&1 | grep -q '^grn-sim'"
t_ok "uninstall" make -C "$SRC" --no-print-directory uninstall DESTDIR="$PWD/d" PREFIX=/opt/grn
t_true "nothing is left" "[ -z \"\$(find d ! -type d)\" ]"
# what mk/setup.sh says where packages are missing and nothing may be installed
setup() { AUTO_DEPS=0 bash "$SRC/mk/setup.sh" htslib zlib 2>&1; }
mkdir path && for c in bash id cc gcc pkg-config zstd gnuplot; do ln -s "$(command -v $c)" path/$c 2>/dev/null; done
t_true "what only tests and figures need is named, and the build goes on" '(PATH=$PWD/path; setup) >got && grep -q "^missing packages; run.*apt-get install.* tabix$" got'
t_true "what the build needs is named, and it stops" '! (export PKG_CONFIG_LIBDIR=/nowhere; setup) >got && grep -q "^missing packages; run.*apt-get install.* libhts-dev zlib1g-dev libcmocka-dev$" got'
t_true "every library of the Makefile has a package" 'for p in $(sed -n "s/^PKGS := //p" "$SRC/Makefile"); do grep -q "\[$p\]=" "$SRC/mk/setup.sh" || exit 1; done'
