# grn-build enrich: cisTarget and DEM of planted sets, cistromes, annotation, coverage, threads, order of the input, bad input
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
enrich() { grn-build enrich --no-pg -q "$@"; }
mat() { grn-view -q --from counts --orient cells -O zst -o "$1" "$2"; }
row() { awk -F'\t' -v s="$2" -v m="$3" -v n="$4" '/^#/ { next } !h { h = 1; for (i = 1; i <= NF; i++) c[$i] = i; next } $1 == s && $2 == m && $3 == n' "$1"; } # FILE SET METHOD MOTIF
cell() { awk -F'\t' -v s="$2" -v m="$3" -v n="$4" -v k="$5" '/^#/ { next } !h { h = 1; for (i = 1; i <= NF; i++) c[$i] = i; next } $1 == s && $2 == m && $3 == n { print $c[k] }' "$1"; } # ... COLUMN

# 60 motifs x 1,000 regions; M7 scores high in set a, M9 in set b
awk 'BEGIN { srand(3); printf "motif"; for (i = 0; i < 1000; i++) printf ",chr1:%d-%d", 1000 * i, 1000 * i + 500; print ""
    for (m = 0; m < 60; m++) { printf "M%d", m
        for (i = 0; i < 1000; i++) { v = rand() < 0.7 ? 0 : int(rand() * 40) / 10; if (m == 7 && i < 30 || m == 9 && i >= 500 && i < 540) v = 4 + rand() * 4; printf ",%.4f", v }
        print "" } }' >s.csv
mat s.zst s.csv
mkdir sets
awk 'BEGIN { for (i = 0; i < 40; i++) printf "chr1\t%d\t%d\n", 1000 * i + 20, 1000 * i + 510 >"sets/a.bed"; for (i = 500; i < 550; i++) printf "chr1\t%d\t%d\n", 1000 * i, 1000 * i + 500 >"sets/b.bed" }' </dev/null
printf 'motif\ttf\nM7\tSPI1\nM9\tPAX5\nM9\tEBF1\nM11\tGATA1\n' >m2t.tsv
ran "both methods" grn-build enrich --no-pg -s s.zst --auc-threshold 0.02 --motif2tf m2t.tsv -o res -b beds sets
t_true "five files" '[ "$(ls res | tr "\n" " ")" = "cistromes.edges.zst enriched.html enriched.tsv sets.tsv tfs.tsv " ]'
t_true "all of the sets is in the database" "grep -q 'a: .*100.0%.*: kept 40 regions, lost 0' log && grep -q 'b: .*kept 50 regions, lost 0' log"
t_true "planted motifs come first in both" '[ "$(row res/enriched.tsv a cistarget M7 | wc -l)" = 1 ] && [ "$(row res/enriched.tsv b cistarget M9 | wc -l)" = 1 ] && [ "$(row res/enriched.tsv a dem M7 | wc -l)" = 1 ] && [ "$(row res/enriched.tsv b dem M9 | wc -l)" = 1 ]'
t_true "and no other motif in cisTarget" '[ "$(grep -c "	cistarget	" res/enriched.tsv)" = 2 ]'
# AUC and NES of M7 in a by awk: N = 1000, c = round(20) - 1 = 19; its 30 planted regions hold ranks 0 to 29
want=$(awk 'BEGIN { for (r = 0; r < 19; r++) s += 19 - r; printf "%.10g", s / (20 * 40) }')
t_near "AUC by hand" "$(cell res/enriched.tsv a cistarget M7 auc)" "$want" 1e-9
t_true "leading edge: the 30 planted ones" '[ "$(cell res/enriched.tsv a cistarget M7 n_hits)" -ge 30 ] && [ "$(cell res/enriched.tsv a cistarget M7 rank_at_max)" -ge 29 ]'
want=$(awk -F, 'NR > 1 && $1 == "M7" { for (i = 2; i <= 41; i++) s += $i; printf "%.10g", s / 40 }' s.csv)
t_near "mean score of the set" "$(cell res/enriched.tsv a dem M7 mean_fg)" "$want" 1e-5
t_true "TFs are named exactly" '[ "$(cell res/enriched.tsv b cistarget M9 tfs_direct)" = "PAX5, EBF1" ] || [ "$(cell res/enriched.tsv b cistarget M9 tfs_direct)" = "EBF1, PAX5" ]'
t_true "TFs without an enriched motif are told" "grep -q 'lost (no enriched motif): GATA1' log && grep -q '^GATA1.*no enriched motif' res/tfs.tsv"
grn-view -q -O tsv res/cistromes.edges.zst >edges.txt
t_true "edges carry set, evidence and motif" 'head -n 1 edges.txt | grep -q nes && grep -q SPI1 edges.txt && grep -q "chr1:20-510" edges.txt'
t_true "cistromes as BED" '[ "$(ls beds | grep -c SPI1)" -ge 1 ] && [ "$(cat beds/*SPI1*direct* | wc -l)" -ge 30 ]'
t_true "one page, without links to the outside" 'grep -q "<html" res/enriched.html && ! grep -Eq "(src|href)=.http" res/enriched.html'

ran "from ranks" grn-build rank --no-pg -q s.zst -o r.zst
t_ok "cisTarget alone" enrich -r r.zst --auc-threshold 0.02 --motif2tf m2t.tsv -o ranks sets
t_true "as from the scores" '[ "$(row ranks/enriched.tsv a cistarget M7)" = "$(row res/enriched.tsv a cistarget M7)" ]'
t_true "no DEM without scores" '! grep -q "	dem	" ranks/enriched.tsv'
for n in 1 3; do enrich -@ $n -s s.zst --auc-threshold 0.02 --motif2tf m2t.tsv -o t$n sets; done
for f in enriched.tsv sets.tsv tfs.tsv cistromes.edges.zst; do t_cmp "$f for -@ 1 and 3" t1/$f t3/$f; done
awk -F, -v OFS=, '{ printf "%s", $1; for (i = NF; i > 1; i--) printf ",%s", $i; print "" }' s.csv | awk 'NR == 1 { print; next } { l[NR] = $0 } END { for (i = NR; i > 1; i--) print l[i] }' >turned.csv
mat turned.zst turned.csv
t_ok "motifs and regions in another order" enrich -s turned.zst --auc-threshold 0.02 --motif2tf m2t.tsv -o turned sets
t_cmp "same table" turned/enriched.tsv t1/enriched.tsv
t_ok "every region of the background" enrich -s s.zst --method dem --max-bg 0 --motif2tf m2t.tsv -o all sets
t_ok "ten of it" enrich -s s.zst --method dem --max-bg 10 --motif2tf m2t.tsv -o ten sets
t_true "max-bg is kept to" '[ "$(awk -F"\t" "!/^#/ && h { print \$7 } !/^#/ { h = 1 }" ten/sets.tsv | sort -u)" = 10 ]'

# nothing passes; sets of another genome
t_exit 3 "grn-build*no motif is enriched in any of 2 sets*" "nothing enriched" enrich -s s.zst --auc-threshold 0.02 --nes 50 --log2fc 20 --motif2tf m2t.tsv -o none sets
t_true "tables with their header alone" '[ "$(grep -vc "^#" none/enriched.tsv)" = 1 ]'
mkdir far && printf 'chr9\t1\t100\nchr9\t500\t900\n' >far/x.bed
t_exit 3 "grn-build*" "regions of another genome" enrich -s s.zst --motif2tf m2t.tsv -o far.out far
t_exit 2 "grn-build*-o DIR*" "no output" enrich -s s.zst sets
t_exit 2 "grn-build*--ranks FILE or --scores FILE*" "no database" enrich -o x sets
t_exit 2 "grn-build*--method dem*" "DEM of ranks" enrich -r r.zst --method dem -o x sets
t_exit 2 "grn-build*--hit-threshold 'some'*" "threshold a word" enrich -s s.zst --hit-threshold some -o x sets
t_exit 1 "grn-build*absent*" "missing set" enrich -s s.zst -o x absent.bed
t_exit 1 "grn-build*absent*" "missing database" enrich -s absent -o x sets
t_exit 1 "grn-build*r.zst*" "ranks where scores belong" enrich -s r.zst -o x sets
t_true "no folder is left" '[ ! -e x ] && ! ls -d ./.x* ./x.* 2>/dev/null'

# real sequence: peaks against their own bases in random order
if t_data atac/fimo_moods_oracles; then
    d=$GRN_DATA/atac
    { awk '/^>/ { print ">ctcf" ++n; next } { print toupper($0) }' "$d/fimo_moods_oracles/Gm12878.CTCF.top500.w200.fa"
        zcat "$d/fimo_moods_oracles/TAp73alpha.fa.gz" | awk '/^>/ { print ">p73_" ++n; next } { print toupper($0) }'; } >real.fa
    awk 'BEGIN { srand(1) } /^>/ { next } { for (k = 0; k < 4; k++) { n = split($0, x, ""); for (i = n; i > 1; i--) { j = 1 + int(rand() * i); t = x[i]; x[i] = x[j]; x[j] = t }
        printf ">sh%d\n", ++m; for (i = 1; i <= n; i++) printf "%s", x[i]; print "" } }' real.fa >shuffled.fa
    cat real.fa shuffled.fa >all.fa
    for s in ctcf p73; do { printf '%s\tx' $s; grep "^>$s" real.fa | tr -d '>' | awk '{ printf "\t%s", $1 }'; echo; }; done >peaks.gmt
    grn-build scan -q --scorer cbust -m "$d/motifs/jaspar2022_vertebrates.cb.gz" -g all.fa -o real.zst
    t_ok "peaks of CTCF and TAp73" enrich -s real.zst --sets-are-genes --method cistarget --motif2tf "$d/motifs/jaspar2022_vertebrates.motif2tf.tsv" -o peaks peaks.gmt
    t_true "CTCF is first in its peaks" '[ "$(awk -F"\t" "\$1 == \"ctcf\" { print \$17; exit }" peaks/enriched.tsv)" = CTCF ]'
    t_true "the p53 family in those of TAp73" 'awk -F"\t" "\$1 == \"p73\" { print \$17 }" peaks/enriched.tsv | head -n 3 | sort | tr "\n" " " | grep -q "^TP53 TP63 TP73 $"'
fi

# parity with ctxcore and scipy: every motif of random scores with ties, in three sets
if [ -n "${SANITIZED:-}" ]; then
    t_skip "enrich.t: parity with ctxcore" "done in the plain run"
elif python3 -c 'import ctxcore.recovery, scipy, pandas' 2>/dev/null; then
    awk 'BEGIN { srand(11); printf "motif"; for (i = 0; i < 3000; i++) printf ",g%d", i; print ""
        for (m = 0; m < 80; m++) { printf "M%d", m; for (i = 0; i < 3000; i++) printf ",%.2f", rand() < 0.6 ? 0 : rand() * (m % 5 == 0 && i % 7 == 0 ? 9 : 5); print "" } }' >p.csv
    mat p.zst p.csv
    awk 'BEGIN { srand(12); for (s = 0; s < 3; s++) { printf "set%d\tx", s; for (i = 0; i < 3000; i++) if (rand() < 0.05 + 0.1 * (i % 7 == s)) printf "\tg%d", i; print "" } }' >p.gmt
    grn-build rank --no-pg -q --genes p.zst -o p.r.zst
    t_ok "all motifs of three sets" enrich -r p.r.zst -s p.zst --sets-are-genes --auc-threshold 0.02 --nes -1000 --log2fc -100 --adj-p 1 --max-bg 0 -o parity p.gmt
    grn-view -q -O tsv p.r.zst >p.r.tsv; grn-view -q -O tsv p.zst >p.tsv
    ran "AUC, NES, leading edge and DEM agree with ctxcore and scipy" python3 "$SRC/tests/parity/cistarget_ctxcore.py" p.r.tsv p.tsv p.gmt parity/enriched.tsv 0.02
    cat out
else
    t_skip "enrich.t: parity with ctxcore" "python3 with ctxcore, pandas, scipy absent"
fi
