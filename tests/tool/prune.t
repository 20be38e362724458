# grn-build prune: every module, motif and edge against SCENIC's rules written out in awk; leading edges of the right motif; cell types; bad input
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
prune() { grn-build prune --no-pg "$@"; }
tsv() { grn-view -q -O tsv "$1" | grep -v '^#'; }
mat() { grn-view -q --from counts --orient cells -O zst -o "$1" "$2"; }
data() { zstd -dcq "$1" >data.tmp; tail -c +$(($(od -An -t u8 -N 8 data.tmp) + 9)) data.tmp >"$1.data"; } # without the header

# The rules: LINKS.tsv M2T.tsv RANKS.tsv -> "E", a row per enriched motif of a module, and "R", a row per edge of a regulon. Small and slow.
cat >rules.awk <<'AWK'
function top(n_of, src, other, w, n,   s, i, k, m, best, done) { # the n strongest links of each source get way w
    for (s in n_of) {
        split("", done)
        for (k = 0; k < n && k < n_of[s]; k++) {
            best = 0
            for (m = 1; m <= n_of[s]; m++) {
                i = src[s, m]
                if (!(i in done) && (!best || v[i] > v[best] || v[i] == v[best] && other[i] < other[best])) best = i
            }
            done[best] = 1; in_module[tf[best], w, gene[best]] = 1
        }
    }
}
function sorted_values(   i, j, x) { # of all links, ascending
    for (i = 1; i <= L; i++) { x = v[i]; for (j = i - 1; j && q[j] > x; j--) q[j + 1] = q[j]; q[j + 1] = x }
}
function quantile(p,   h) { h = (L - 1) * p; return q[int(h) + 1] + (int(h) + 1 < L ? (q[int(h) + 2] - q[int(h) + 1]) * (h - int(h)) : 0) }
function even(x,   f) { f = int(x); return x - f > 0.5 || x - f == 0.5 && f % 2 ? f + 1 : f }
function do_sign(sign,   i, w, t, g, n_tf, n_gene, by_tf, by_gene) {
    split("", in_module)
    split("", n_tf); split("", n_gene); split("", by_tf); split("", by_gene)
    for (i = 1; i <= L; i++) {
        if (sign * r[i] <= 0.03) continue
        by_tf[tf[i], ++n_tf[tf[i]]] = i
        by_gene[gene[i], ++n_gene[gene[i]]] = i
        if (v[i] > quantile(0.75)) in_module[tf[i], 1, gene[i]] = 1
        if (v[i] > quantile(0.9)) in_module[tf[i], 2, gene[i]] = 1
    }
    top(n_tf, by_tf, gene, 3, 50)
    top(n_gene, by_gene, tf, 4, 5); top(n_gene, by_gene, tf, 5, 10); top(n_gene, by_gene, tf, 6, 50)
    for (t in n_tf) for (w = 1; w <= 6; w++) do_module(t, w, sign)
}
function do_module(t, w, sign,   g, n, all, k, m, x, area, s1, s2, mean, sd, c, cut, cur, at, best, hits, key, list, n_hit, a, b, d, above) {
    n = all = 0
    split("", list)
    in_module[t, w, t] = 1
    for (k = 1; k <= n_names; k++) { g = names[k]; if ((t, w, g) in in_module) { all++; if (g in col) list[++n] = g } }
    if (all < 20 || !(n == all || n / all > min_mapped)) return
    cut = even(0.05 * N); c = cut - 1
    s1 = s2 = 0
    split("", above); split("", cur)
    for (m = 1; m <= M; m++) {
        area[m] = 0
        for (k = 1; k <= n; k++) { x = rank[m, list[k]]; if (x < c) area[m] += c - x; if (x < RT) cur[m, x]++ }
        s1 += area[m] / M; s2 += area[m] * area[m] / M
    }
    sd = sqrt(s2 - s1 * s1)
    for (x = 0; x < RT; x++) { # mean + 2 sd of the recovery curves
        a = b = 0
        for (m = 1; m <= M; m++) { d = rcc[m] = (x ? rcc[m] : 0) + cur[m, x]; a += d / M; b += d * d / M; curve[m, x] = d }
        b -= a * a
        above[x] = a + 2 * sqrt(b > 1e-12 ? b : 0)
    }
    for (m = 1; m <= M; m++) {
        if (sd == 0 || (area[m] - s1) / sd < NES) continue
        if (!((motif[m], t) in stands)) { print "E", t, sign, way[w], all, n, motif[m], sprintf("%.6f %.9f", (area[m] - s1) / sd, area[m] / (cut * n)), ".", "NA", "NA", "."; continue }
        best = -1e9
        for (x = 0; x < RT; x++) if (curve[m, x] - above[x] > best + 1e-9) { best = curve[m, x] - above[x]; at = x }
        hits = ""; n_hit = 0
        for (k = 1; k <= n; k++) if (rank[m, list[k]] <= at) {
            hits = hits (n_hit++ ? "," : "") list[k]
            key = t " " sign " " list[k]
            if (!((key, w) in has_way)) { has_way[key, w] = 1; n_ways[key]++ }
            if (!((key, m) in has_motif)) { has_motif[key, m] = 1; n_motifs[key]++ }
            x = (area[m] - s1) / sd
            if (!(key in nes) || x > nes[key]) { nes[key] = x; which[key] = motif[m] }
            if (!(key in n_ways)) n_ways[key] = 0
        }
        print "E", t, sign, way[w], all, n, motif[m], sprintf("%.6f %.9f", (area[m] - s1) / sd, area[m] / (cut * n)), "direct", at, n_hit, n_hit ? hits : "."
    }
}
BEGIN { split("q0.75 q0.9 top50_targets top5_regulators top10_regulators top50_regulators", way, " ") }
FNR == 1 { file++; split("", c_) ; for (i = 1; i <= NF; i++) c_[$i] = i; n_col = NF; if (file == 3) for (i = 2; i <= NF; i++) { head[i] = $i; col[$i] = 1 } if (file < 3) next }
file == 1 { L++; tf[L] = $c_["tf"]; gene[L] = $c_["gene"]; r[L] = $c_["rho_tg"]; v[L] = r[L] < 0 ? -r[L] : r[L]; seen[tf[L]]; seen[gene[L]]; next }
file == 2 { stands[$1, $2]; next }
FNR > 1 { motif[++M] = $1; for (i = 2; i <= NF; i++) rank[M, head[i]] = $i; N = NF - 1 }
END {
    for (g in seen) { for (j = n_names++; j && names[j] > g; j--) names[j + 1] = names[j]; names[j + 1] = g }
    sorted_values()
    do_sign(1)
    if (BOTH) do_sign(-1)
    for (key in n_ways) { split(key, y, " "); print "R", y[1] (y[2] > 0 ? "(+)" : "(-)"), y[3], n_ways[key], n_motifs[key], sprintf("%.5f", nes[key]), which[key] }
}
AWK
rules() { awk -F'\t' -v OFS=' ' -v RT=80 -v NES=1.5 -v min_mapped=0.8 -v BOTH="$1" -f rules.awk "$2" "$3" "$4" | sort; }
# what prune wrote, in the same form
got() { # ENRICHED.tsv REGULONS.zst
    { grep -v '^#' "$1" | awk -F'\t' 'NR > 1 { print "E", $1, ($2 == "+" ? 1 : -1), $3, $5, $6, $7, sprintf("%.6f %.9f", $8, $9), ($10 == "." ? "." : "direct"), $11, $12, $13 }'
        zstd -dcq "$2" | tr '\n' ' ' | grep -aoE '"motifs":"[^"]*"' | sed 's/"motifs":"//; s/"$//; s/\\n/ /g' >names.txt
        tsv "$2" | awk -F'\t' 'BEGIN { getline x <"names.txt"; split(x, name, " ") } NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
            { print "R", $c["regulon"], $c["gene"], $c["n_modules"], $c["n_motifs"], sprintf("%.5f", $c["nes"]), name[$c["motif"]] }'; } | sort
}

# 3 TFs, 150 genes of which two in five follow a TF, some the other way; 400 genes in the database, 40 motifs, of which 9 favour the genes of a TF
awk 'BEGIN { srand(7); printf "cell"; for (t = 1; t <= 3; t++) printf ",TF%d", t; for (k = 1; k <= 150; k++) printf ",g%03d", k; print ""
    for (i = 1; i <= 60; i++) { printf "c%02d", i; for (t = 1; t <= 3; t++) { x[t] = int(rand() * 50); printf ",%d", x[t] }
        for (k = 1; k <= 150; k++) { t = k % 3 + 1; s = k % 5 > 2 ? 50 - x[t] : x[t]; printf ",%d", s + int(rand() * (20 + k)) } print "" } }' >rna.csv
printf 'TF1\nTF2\nTF3\n' >tfs.txt
awk 'BEGIN { srand(5); for (t = 1; t <= 3; t++) name[n++] = "TF" t; for (k = 1; k <= 150; k++) name[n++] = sprintf("g%03d", k); for (k = 1; n < 400; k++) name[n++] = "f" k
    printf "motif"; for (i = 0; i < n; i++) printf ",%s", name[i]; print ""
    for (m = 0; m < 40; m++) { printf "m%02d", m; for (i = 0; i < n; i++) { key = rand(); if (i > 2 && i < 153 && m < 9 && (i - 2) % 3 == m % 3 && rand() < 0.5) key += 0.3 + m / 30; printf ",%.6f", key } print "" } }' >scores.csv
mat scores.zst scores.csv
grn-build rank -q --no-pg --genes scores.zst -o ranks.zst
tsv ranks.zst >ranks.tsv
printf 'motif\ttf\nm00\tTF1\nm01\tTF2\nm03\tTF1\nm04\tTF2\nm05\tTF3\nm08\tTF3\nm06\tTF1\nm20\tTF1\nm21\tTF3\n' >m2t.tsv
ran "links" grn-build link -q --no-pg --expression raw -f tfs.txt -t tg.zst rna.csv
tsv tg.zst >tg.tsv
p="-t tg.zst -r ranks.zst --motif2tf m2t.tsv --rank-threshold 80 --nes 1.5"
ran "positive modules" prune $p -o reg.zst -e enr.tsv
t_true "importances are told to be |r|" "grep -q \"'tg.zst' has no importances: |Pearson| stands in\" log"
got enr.tsv reg.zst >got.txt
rules 0 tg.tsv m2t.tsv ranks.tsv >want.txt
t_cmp "modules, NES, leading edges and regulons by the rules" want.txt got.txt
t_true "of all three TFs, by several motifs and modules ($(grep -c ^E got.txt) motifs, $(grep -c ^R got.txt) edges)" \
    '[ "$(grep ^R got.txt | cut -d" " -f2 | sort -u | tr "\n" " ")" = "TF1(+) TF2(+) TF3(+) " ] && grep -q "^R .* [2-6] [2-9] " got.txt && grep -q "^E .* \. NA NA \." got.txt'
ran "repressing modules too" prune -q $p --all-modules -o both.zst -e both.tsv
got both.tsv both.zst >got.txt
rules 1 tg.tsv m2t.tsv ranks.tsv >want.txt
t_cmp "both signs by the rules" want.txt got.txt
t_true "there are some" 'grep -q "^R TF.(-)" got.txt'
t_true "signs and weights" 'tsv both.zst | awk -F"\t" "NR == 1 { for (i = 1; i <= NF; i++) c[\$i] = i; next } { s = index(\$c[\"regulon\"], \"(-)\") ? -1 : 1; if (\$c[\"sign\"] != s) bad = 1
    if (\$c[\"tf\"] == \$c[\"gene\"]) { own = \$c[\"weight\"] == 1; next } if (\$c[\"weight\"] != s * \$c[\"rho_tg\"]) bad = 1 } END { exit bad }"'

# two databases: each by itself, then the union; one with too few of the genes is not asked
awk -F, -v OFS=, 'NR == 1 { for (i = 2; i <= NF; i++) if ($i ~ /^g..[0-4]$/ || $i ~ /^f/) keep[i] = 1 } { printf "%s", NR == 1 ? $1 : "x" $1; for (i = 2; i <= NF; i++) if (i in keep) printf ",%s", $i; print "" }' scores.csv >few.csv
mat few.zst few.csv
grn-build rank -q --no-pg --genes few.zst -o few.ranks.zst
sed 's/^m\([0-9]\)/xm\1/' m2t.tsv >x2t.tsv
t_exit 3 "grn-build prune: no module has more than 0.8 of its genes in a database (*% of all are); first names: TF1, TF2, TF3*vs g001, g002*'x.zst' holds the funnel and no edge" \
    "a database of too few of the genes" prune -t tg.zst -r few.ranks.zst --motif2tf x2t.tsv --rank-threshold 80 -o x.zst
t_true "the file has the funnel" "zstd -dcq x.zst | head -c 8000 | grep -aq 'funnel.*more than 0.8 of their genes in the database.*\"kept.*:0'"
rm -f x.zst
cat m2t.tsv x2t.tsv | awk '$1 != "motif" || NR == 1' >two.tsv
ran "as a second database" prune -q -t tg.zst -r ranks.zst -r few.ranks.zst --motif2tf two.tsv --rank-threshold 80 --nes 1.5 -o two.zst
data two.zst; data reg.zst
t_cmp "it changes nothing" reg.zst.data two.zst.data
ran "with a lower bar" prune -q -t tg.zst -r ranks.zst -r few.ranks.zst --motif2tf two.tsv --rank-threshold 80 --nes 1.5 --min-mapped 0.5 -o union.zst -e union.tsv
tsv few.ranks.zst >few.tsv
awk -F'\t' -v OFS=' ' -v RT=80 -v NES=1.5 -v min_mapped=0.5 -v BOTH=0 -f rules.awk tg.tsv x2t.tsv few.tsv | sort >want_few.txt
rules 0 tg.tsv m2t.tsv ranks.tsv >want_all.txt
t_true "the second adds edges ($(grep -c ^R want_few.txt))" 'grep ^R want_few.txt | cut -d" " -f2,3 | sort >few.pairs && grep ^R want_all.txt | cut -d" " -f2,3 | sort >all.pairs && [ -n "$(comm -23 few.pairs all.pairs)" ]'
sort -u few.pairs all.pairs >want
tsv union.zst | awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } { print $c["regulon"], $c["gene"] }' | sort >got
t_cmp "regulons are the union over databases" want got

# The leading edge is that of the motif: Z9 (first in the file, best, of no TF) ranks g1..g12 first, A1 (of TF1) g13..g25, B2 (of another TF) g26..g30.
# pySCENIC >= 0.12 sorts the annotated table and takes curves by the place of motifs before it was sorted: Z9's genes.
awk 'BEGIN { srand(2); printf "cell,TF1"; for (k = 1; k <= 30; k++) printf ",g%d", k; for (k = 1; k <= 40; k++) printf ",n%d", k; print ""
    for (i = 1; i <= 40; i++) { x = int(rand() * 1000); printf "c%d,%d", i, x; for (k = 1; k <= 30; k++) printf ",%d", x + 1000 + int(rand() * 200); for (k = 1; k <= 40; k++) printf ",%d", 1 + int(rand() * 1000); print "" } }' >d.csv
grn-build link -q --no-pg --expression raw -f <(echo TF1) -t d.tg.zst d.csv
awk 'BEGIN { n = 0; name[n++] = "TF1"; for (k = 1; k <= 30; k++) name[n++] = "g" k; for (k = 1; k <= 40; k++) name[n++] = "n" k; while (n < 1000) name[n++] = "f" n
    printf "motif"; for (i = 0; i < n; i++) printf ",%s", name[i]; print ""
    for (m = 0; m < 60; m++) { printf "%s", m == 0 ? "Z9" : m == 1 ? "A1" : m == 2 ? "B2" : "m" m
        for (i = 0; i < n; i++) { own = m == 0 && i >= 1 && i <= 12 || m == 1 && i >= 13 && i <= 25 || m == 2 && i >= 26 && i <= 30
            printf ",%d", own ? 5000 - i : i <= 30 ? 100 - i : 1000 + (i * 37 + m * 11) % 929 } print "" } }' >d.scores.csv
mat d.scores.zst d.scores.csv
grn-build rank -q --no-pg --genes d.scores.zst -o d.ranks.zst
printf 'motif\ttf\nA1\tTF1\nB2\tTF7\n' >d.m2t.tsv
d="-t d.tg.zst -r d.ranks.zst --motif2tf d.m2t.tsv --quantiles= --top-regulators= --top-targets 30 --rank-threshold 100"
ran "the motif of the TF" prune -q $d -o d.zst -e d.tsv
edge() { tsv "$1" | awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } { print $c["gene"] }' | sort -V | tr '\n' ' '; }
t_true "its own leading edge: g13 to g25" '[ "$(edge d.zst)" = "$(seq -f g%.0f 13 25 | tr "\n" " ")" ]'
# 31 genes; c = 49. Areas: Z9 12 x 49 - 66 = 522, A1 13 x 49 - 78 = 559, B2 5 x 49 - 10 = 235, the other 57 none
want=$(awk 'BEGIN { m = (522 + 559 + 235) / 60; printf "%.10g", (559 - m) / sqrt((522 ^ 2 + 559 ^ 2 + 235 ^ 2) / 60 - m * m) }')
col() { grep -v '^#' d.tsv | awk -F'\t' -v m="$1" -v k="$2" 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } $c["motif"] == m { print $c[k] }'; }
t_near "NES by hand" "$(col A1 nes)" "$want" 1e-9
t_near "AUC by hand" "$(col A1 auc)" "$(awk 'BEGIN { printf "%.12g", 559 / (50 * 31) }')" 1e-11
t_true "rank at the maximum: 12" '[ "$(col A1 rank_at_max)" = 12 ] && [ "$(col A1 n_edge)" = 13 ] && [ "$(col A1 kinds)" = direct ]'
t_true "the better motif of no TF is listed, without an edge" '[ "$(col Z9 kinds)" = . ] && [ "$(col Z9 genes)" = . ] && [ -z "$(col B2 nes)" ]'
printf '#motif_id\tgene_name\tmotif_similarity_qvalue\torthologous_identity\tdescription\nA1\tTF1\t0.0005\t1\tmotif similar to M1\nZ9\tTF1\t0\t0.5\tgene is orthologous to X\n' >d.tbl
ran "similar and orthologous motifs" prune -q $d --motif2tf d.tbl -o e.zst
t_true "both count" '[ "$(edge e.zst)" = "$(seq -f g%.0f 1 25 | tr "\n" " ")" ]'
ran "similar ones alone" prune -q $d --motif2tf d.tbl --annotations similar -o e.zst
t_true "the genes of A1" '[ "$(edge e.zst)" = "$(seq -f g%.0f 13 25 | tr "\n" " ")" ]'
ran "identity of the ortholog" prune -q $d --motif2tf d.tbl --orthologous-identity 0.6 -o e.zst
t_true "the genes of A1 again" '[ "$(edge e.zst)" = "$(seq -f g%.0f 13 25 | tr "\n" " ")" ]'
ran "similarity" prune -q $d --motif2tf d.tbl --motif-similarity-fdr 0.0001 -o e.zst
t_true "the genes of Z9" '[ "$(edge e.zst)" = "$(seq -f g%.0f 1 12 | tr "\n" " ")" ]'

# threads, memory, order of genes and motifs
for n in 1 2; do prune -q -@ $n $p --all-modules -o t$n.zst -e t$n.tsv; done
t_cmp "same bytes for -@ 1 and 2" t1.zst t2.zst
t_cmp "same table for -@ 1 and 2" t1.tsv t2.tsv
ran "little memory" prune $p --all-modules --max-mem 6000 -o tm.zst -e tm.tsv
t_true "several batches" "grep -q 'modules at once' log"
t_cmp "same bytes" t1.zst tm.zst
t_cmp "same table" t1.tsv tm.tsv
awk -F'\t' -v OFS=, '{ printf "%s", $1; for (i = NF; i > 1; i--) printf ",%s", $i; print "" }' ranks.tsv | awk 'NR == 1 { print; next } { l[NR] = $0 } END { for (i = NR; i > 1; i--) print l[i] }' >turned.csv
mkdir turned
mat turned/ranks.zst turned.csv
awk -F, -v OFS=, '{ printf "%s", $1; for (i = NF; i > 1; i--) printf ",%s", $i; print "" }' rna.csv >turned/rna.csv
{ head -n 1 m2t.tsv; tail -n +2 m2t.tsv | sort -r; } >turned/m2t.tsv
(cd turned && grn-build link -q --no-pg --expression raw -f ../tfs.txt -t tg.zst rna.csv && prune -q $p --all-modules -o t.zst -e t.tsv)
data turned/t.zst; data t1.zst
t_cmp "genes and motifs in another order: same edges" t1.zst.data turned/t.zst.data
t_cmp "and the same table" t1.tsv turned/t.tsv

# cell types: TF1 is on in x alone, and half of the genes
awk -F, -v OFS=, 'NR == 1 { print; next } { if (NR > 31) { $2 = 0; for (i = 5; i <= NF; i += 2) $i = 0 } print }' rna.csv >types.csv
awk 'BEGIN { print "barcode\tcell_type"; for (i = 1; i <= 60; i++) printf "c%02d\t%s\n", i, i <= 30 ? "x" : i <= 55 ? "y" : "z" }' >cells.tsv
ran "cell types" prune $p --cells cells.tsv -o types.zst types.csv
t_true "z is too small" "grep -q \"type 'z' has 5 cells, fewer than 10: left out\" log"
of_type() { tsv types.zst | awk -F'\t' -v t="$1" 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } $c["context"] == t { print $c["regulon"], $c["gene"] }' | sort; }
of_type x >x.txt
t_cmp "x: everything" all.pairs x.txt
of_type y >y.txt
awk '$1 != "TF1(+)" && ($2 !~ /^g/ || substr($2, 2) % 2 == 0) && $2 != "TF1"' all.pairs >want
t_cmp "y: without TF1 and the genes that are off" want y.txt
ran "activity of the regulons" grn-aucell -q -r types.zst --cells cells.tsv types.csv -o auc.zst
t_true "a column per regulon" "grn-view -q -O tsv auc.zst | grep -v '^#' | head -n 1 | grep -q 'TF1(+).*TF3(+)'"
t_exit 3 "grn-build prune: no regulon passed; 'none.zst' holds the funnel and no edge" "large regulons alone" prune $p --min-targets 1000 --cells cells.tsv -o none.zst types.csv

# bad input
t_exit 2 "grn-build prune: give --output*" "no output" prune -t tg.zst -r ranks.zst --motif2tf m2t.tsv
t_exit 2 "grn-build prune: give the TF to gene links*" "no links" prune -r ranks.zst --motif2tf m2t.tsv -o x.zst
t_exit 2 "grn-build prune: give a motif database*" "no database" prune -t tg.zst --motif2tf m2t.tsv -o x.zst
t_exit 2 "grn-build prune: give the table*" "no annotation" prune -t tg.zst -r ranks.zst -o x.zst
t_exit 2 "grn-build prune: --cells gives the types of an RNA matrix*" "types without a matrix" prune $p --cells cells.tsv -o x.zst
t_exit 2 "grn-build prune: --quantiles 'high': numbers*" "a quantile that is none" prune $p --quantiles high -o x.zst
t_exit 2 "grn-build prune: --top-targets '5,5': 5 is given twice" "a number twice" prune $p --top-targets 5,5 -o x.zst
t_exit 2 "grn-build prune: *all empty*" "no way" prune $p --quantiles= --top-targets= --top-regulators= -o x.zst
t_exit 2 "grn-build prune: --ranks 'ranks.zst' is given twice" "a database twice" prune $p -r ranks.zst -o x.zst
t_exit 1 "grn-build prune: --auc-threshold 0.002 of the 400 genes of 'ranks.zst' is the first 1: at least 2*" "one rank" prune $p --auc-threshold 0.002 -o x.zst
t_exit 1 "grn-build prune: --auc-threshold 0.5 of the 400 genes*200: at least 2, and no more than the 80*" "more than the ranks" prune $p --auc-threshold 0.5 -o x.zst
t_exit 1 "grn-build prune: 'scores.zst'*" "scores where ranks belong" prune -t tg.zst -r scores.zst --motif2tf m2t.tsv -o x.zst
grn-build rank -q --no-pg --genes --regions-first scores.zst -o genes_first.zst
t_exit 1 "grn-build prune: 'genes_first.zst': rows are genes; a file of ranks has a row per motif*" "turned round" prune -t tg.zst -r genes_first.zst --motif2tf m2t.tsv -o x.zst
sed '1!s/^m/M/' m2t.tsv >upper.tsv
t_exit 3 "grn-build prune: none of the 40 motifs*first names: m00*vs M00*" "motifs of another table" prune -t tg.zst -r ranks.zst --motif2tf upper.tsv -o x.zst
sed 's/TF/Tf/' m2t.tsv >mouse.tsv
t_exit 3 "grn-build prune: no TF with a module has a motif in a database; first TFs: TF1, TF2, TF3 vs Tf1*'m.zst' holds*" "TFs of another species" prune $p --motif2tf mouse.tsv -o m.zst
sed '1s/g\([0-9]\)/G\1/g; 1s/TF/Tf/g' scores.csv >mouse.csv
mat mouse.zst mouse.csv
grn-build rank -q --no-pg --genes mouse.zst -o mouse.ranks.zst
t_exit 3 "grn-build prune: 0 of 153 genes of 'tg.zst' are among the 400 of 'mouse.ranks.zst'; first names: TF1, TF2, TF3*vs Tf1*: another species*" \
    "genes of another species" prune -t tg.zst -r mouse.ranks.zst --motif2tf m2t.tsv -o x.zst
t_exit 3 "grn-build prune: no regulon passed; 'n.zst' holds the funnel and no edge" "nothing passes" prune $p --nes 50 -o n.zst
t_true "the funnel is in the file" "zstd -dcq n.zst | head -c 8000 | grep -aq 'funnel.*NES >= 50.*\"kept.*:0'"
ran "few genes in the ranking" prune -t tg.zst -r ranks.zst --motif2tf m2t.tsv --nes 1.5 -o w.zst
t_true "leading edges among all, and it is said" "grep -q \"ranks 400 genes, fewer than --rank-threshold 5000\" log"
grn-build link -q --no-pg --expression raw -g <(printf 'chr1\t0\t100\tg001\t0\t+\n') -r rg.zst rna.csv <(printf 'cell,chr1:5-60\n'; for i in $(seq 60); do printf 'c%02d,%d\n' "$i" $((i * 7 % 9)); done)
t_exit 1 "grn-build prune: 'rg.zst' does not hold TF-gene links" "other links" prune $p -t rg.zst -o x.zst
t_exit 1 "grn-build prune: *full*" "disk full" prune $p -o /dev/full
cut -d, -f1-100 rna.csv >fewer.csv
t_exit 1 "grn-build prune: gene 'g*' of 'tg.zst' is not in 'fewer.csv': were the links made from other counts?" "another matrix" prune $p -o x.zst fewer.csv
t_true "no file is left" '[ ! -e x.zst ]'

# parity with ctxcore
if [ -n "${SANITIZED:-}" ]; then
    t_skip "prune.t: parity with ctxcore" "done in the plain run"
elif python3 -c 'import ctxcore.recovery, pandas' 2>/dev/null; then
    grn-view -q -O tsv both.zst >both.edges.tsv
    ran "modules, NES, leading edges and weights agree with pandas and ctxcore" python3 "$SRC/tests/parity/prune_ctxcore.py" tg.tsv m2t.tsv ranks.tsv both.edges.tsv both.tsv 80 1.5
    cat out
    # real rankings (mc9nr, 5 motifs) and real cells
    if t_data atac/cistarget_sample && t_data rna/pbmc3k/filtered && python3 -W ignore -c 'import pyarrow.feather as f, sys
f.read_table(sys.argv[1]).to_pandas().set_index("features").to_csv("real.csv")' "$GRN_DATA/atac/cistarget_sample/hg19-tss-centered-10kb-10species.mc9nr.feather" 2>py.err; then
        grn-view -q --from counts --orient cells -O zst -o real.zst real.csv
        sed 's/,/\t/g' real.csv >real.tsv
        printf '%s\n' SPI1 CEBPB CEBPD KLF4 PAX5 SPIB TBX21 GATA3 EOMES JUN FOS IRF8 >real.tfs
        { printf 'motif\ttf\n'; for m in $(tail -n +2 real.csv | cut -d, -f1); do sed "s/^/$m\t/" real.tfs; done; } >real.m2t.tsv
        grn-build link -q --no-pg -f real.tfs -t real.tg.zst "$GRN_DATA/rna/pbmc3k/filtered"
        ran "mc9nr rankings, PBMC 3k" prune --all-modules --nes 1 --min-mapped 0.6 -t real.tg.zst -r real.zst --motif2tf real.m2t.tsv -o real.reg.zst -e real.enr.tsv
        grn-view -q -O tsv real.tg.zst >real.tg.tsv
        grn-view -q -O tsv real.reg.zst >real.reg.tsv
        ran "agree with pandas and ctxcore" python3 "$SRC/tests/parity/prune_ctxcore.py" real.tg.tsv real.m2t.tsv real.tsv real.reg.tsv real.enr.tsv 5000 1 0.6
        cat out
    else
        t_skip "prune.t: real rankings" "data or Feather V1 of pyarrow absent"
    fi
else
    t_skip "prune.t: parity with ctxcore" "python3 with ctxcore, pandas absent"
fi
