# grn-view why: every filter of grn-build regulon as the one that ended an edge, by hand; the tables; what was not given; bad input
printf 'cell\tTF1\tTF2\tG1\tG2\tG3\nc1\t0\t0\t1\t5\t1\nc2\t1\t0\t0\t4\t1\nc3\t2\t0\t2\t3\t1\nc4\t3\t1\t3\t2\t1\nc5\t4\t1\t5\t1\t1\nc6\t5\t1\t4\t0\t1\n' >rna.tsv
printf 'cell\tchr1:900-1100\tchr1:5000-5200\nc1\t0\t1\nc2\t1\t1\nc3\t1\t1\nc4\t2\t0\nc5\t2\t0\nc6\t2\t0\n' >atac.tsv
printf 'chr1\t1000\t2000\tG1\t0\t+\nchr1\t6000\t7000\tG2\t0\t-\n' >genes.bed
printf 'TF1\nTF2\n' >tfs.txt
printf 'barcode\tcell_type\nc1\tx\nc2\tx\nc3\tx\nc4\ty\nc5\ty\nc6\ty\n' >cells.tsv
printf 'chr1\t1000\t1010\tM1\t8\t+\nchr1\t5000\t5010\tM1\t4\t+\nchr1\t5100\t5110\tM2\t7\t-\nchr1\t9000\t9010\tM2\t7\t-\n' >hits.bed
head -n 1 hits.bed >a.bed # the motif of TF1 in the first region alone
printf 'motif\ttf\nM1\tTF1\nM2\tTF2\nM3\tTF3\n' >m2t.tsv
t_ok "links" grn-build link -q --expression raw --accessibility raw -f tfs.txt -g genes.bed -t tg.zst -r rg.zst rna.tsv atac.tsv
pass="--min-type-cells 1 --min-targets 1 --min-tf-frac 0.5 --min-gene-frac 0.5 --min-region-frac 0.5 --cells cells.tsv"
# make OUT [options]: the regulons, empty ones too
make() { local o=$1; shift; grn-build regulon -q -t tg.zst -r rg.zst --motif-hits hits.bed --motif2tf m2t.tsv $pass -o "$o" "$@" rna.tsv atac.tsv; [ -s "$o" ]; }
t_ok "regulons" make reg.zst
cells_rna="--rna rna.tsv --cells cells.tsv"
cells="--rna rna.tsv --atac atac.tsv --cells cells.tsv"
verdict() { sed -n 's/^Verdict: //p' out; }
# is VERDICT NAME [options] FILE TF GENE: exit 0 and this last line
is() { local want=$1 n=$2; shift 2; t_ok "$n" grn-view why -q "$@"; t_true "$n: the verdict" '[ "$(verdict)" = "$want" ]'; verdict | sed 's/^/# /'; }

# the regulons tell how they were made
t_true "thresholds are in the metadata" "grn-view -q -H reg.zst | grep -q '^options.*\"min-rho\":0.03,.*\"min-tf-frac\":0.5,'"
t_true "and the files" "grn-view -q -H reg.zst | grep -q '^files.*\"tf-gene\":\"tg.zst\",\"region-gene\":\"rg.zst\",\"motif-hits\":\"hits.bed\"'"
t_ok "without provenance" grn-build regulon -q --no-pg -t tg.zst -r rg.zst --motif-hits hits.bed --motif2tf m2t.tsv $pass -o nopg.zst rna.tsv atac.tsv
t_true "thresholds stay, files go" "grn-view -q -H nopg.zst | grep -q '^options' && ! grep -q '^files' <(grn-view -q -H nopg.zst)"

# ---- verdicts; r of TF1 and G1: 1 - 6 x 4 / (6 x 35) = 0.8857 by ranks ----
is "kept in x (TF1_+/+: 1 region), y (TF1_+/+: 1 region)" "kept" reg.zst TF1 G1
t_true "ranks: 2nd target after G2 (r = -1), 1st regulator before TF2 (0.8783)" "grep -q '0.8857  2nd of 3 targets of TF1, 1st of 2 regulators of G1 by |rho|' out"
t_true "its region: weight 0.8857 x 0.8332 x 8/8 = 0.738" "grep -qE '^  chr1:900-1100 +0 +0 +- +2/2 +0.8332  direct M1 +- +8 +0.738  kept in x, y$' out"
is "kept in x (TF1_-/+: 1 region)" "kept in one type" $cells reg.zst TF1 G2
t_true "closed in the other" "grep -qE '^  y +3 +100 % +66.7 %  chr1:5000-5200 is open in 0 % of the cells of type y, min-region-frac 50 %' out"
is "not kept: chr1:5000-5200 is open in 0 % of the cells of type y, min-region-frac 50 %" "region-frac" $cells --context y reg.zst TF1 G2
is "not kept: TF2 is seen in 0 % of the cells of type x, min-tf-frac 50 %" "tf-frac" $cells --context x reg.zst TF2 G2
is "not kept: TF1 has no link to G3 in 'tg.zst'" "tf-gene-link" $cells reg.zst TF1 G3
t_true "in every type" "grep -qE \"^  y +3 +100 % +100 %  TF1 has no link to G3 in 'tg.zst'$\" out"
is "not kept: TF1 has no linked region in 'rg.zst'" "region" reg.zst TF2 TF1
is "not kept: chr1:5000-5200, which comes furthest: rho_sp_rg -0.8783 is negative: such regions are kept with --all-signs only" "sign-rg" reg.zst TF2 G1
make rho.zst --min-rho 0.88
is "not kept: rho_tg 0.8783 is not above min-rho 0.88" "rho-tg" rho.zst TF2 G1
is "not kept: rho_tg -0.8783 is not above min-rho 0.88 in size" "rho-tg, negative" rho.zst TF2 G2
make fdr.zst --max-fdr 0.02
is "not kept: fdr_tg 0.02842 is above max-fdr 0.02" "fdr-tg" fdr.zst TF1 G1
make one.zst --motif-hits a.bed
is "not kept: no region of G2 has a motif of TF2" "motif" one.zst TF2 G2
make rg85.zst --motif-hits a.bed --min-rho 0.85
is "not kept: chr1:900-1100, which comes furthest: rho_sp_rg 0.8332 is not above min-rho 0.85" "rho-rg" rg85.zst TF1 G1
make fdrrg.zst --motif-hits a.bed --max-fdr 0.03
is "not kept: chr1:900-1100, which comes furthest: fdr_rg 0.0394 is above max-fdr 0.03" "fdr-rg" fdrrg.zst TF1 G1
make cells4.zst --min-type-cells 4
is "not kept: type x has 3 cells, min-type-cells 4" "type-cells" $cells --context x cells4.zst TF1 G1
make gene7.zst --min-gene-frac 0.7 --min-region-frac 0
is "not kept: G2 is seen in 66.7 % of the cells of type y, min-gene-frac 70 %" "gene-frac" $cells --context y gene7.zst TF1 G2
make two.zst --min-targets 2
is "not kept: regulon TF1_+/+ had 1 gene in type x, min-targets 2" "min-targets" $cells --context x two.zst TF1 G1
is "not kept: regulon TF1_+/+ had at most 1 gene in any type, min-targets 2" "min-targets, without the matrices" two.zst TF1 G1
make alltypes.zst --types all --min-targets 2
is "not kept: regulon TF1_+/+ had 1 gene, min-targets 2" "min-targets of one network" alltypes.zst TF1 G1
make gsea.zst --method gsea --min-targets 3
is "not kept: chr1:900-1100, which comes furthest: only 2 targets of this sign are in the ranking of TF1, min-targets 3" "gene-set: the ranking" gsea.zst TF1 G1
make edge.zst --method gsea --min-targets 1 --types all --gsea-fdr 0
is "not kept: chr1:900-1100, which comes furthest: it is in no leading edge of a gene set of TF1 that passed (NES > 0, adjusted p < 0, 1 genes)" \
    "gene-set: the leading edge" edge.zst TF1 G1
is "not kept: chr1:5000-5200, which comes furthest: passes every filter with these files and is not in 'one.zst': are they what it was made from?" \
    "other motifs than it was made from" $cells --context x --motif-hits hits.bed one.zst TF1 G2

# ---- RNA only ----
t_ok "modules" grn-build regulon -q --rna-only -t tg.zst $pass --top-targets 1 -o m.zst rna.tsv
is "kept in x (TF1(+)), y (TF1(+))" "kept, RNA only" m.zst TF1 G1
is "not kept: TF2 is target 2 of TF1 by strength, top-targets 1" "top-targets" m.zst TF1 TF2
is "not kept: rho_tg -1 is negative: such targets are kept with --all-signs only" "sign-tg" m.zst TF1 G2
t_ok "modules of the first regulator" grn-build regulon -q --rna-only -t tg.zst $pass --top-regulators 1 -o m1.zst rna.tsv
is "not kept: TF2 is regulator 2 of G1 by strength, top-regulators 1" "top-regulators" m1.zst TF2 G1
printf 'source\ttarget\tweight\nTF1\tG1\t1\n' >prior.tsv
t_ok "modules of the prior" grn-build regulon -q --rna-only -t tg.zst $pass --prior prior.tsv --prior-mode only -o prior.zst rna.tsv
is "cannot be told apart: top-regulators; what the prior knows is not in the files" "the prior" $cells_rna --context y prior.zst TF1 TF2

# ---- cistromes of grn-build enrich: M7 is of TF1 and scores high in a, M8 is of TF1 by similarity and scores high in c ----
awk 'BEGIN { srand(3); printf "motif,chr1:900-1100,chr1:5000-5200,chr3:900-1100"; for (i = 3; i < 1000; i++) printf ",chr2:%d-%d", 1000 * i, 1000 * i + 500; print ""
    for (m = 0; m < 60; m++) { printf "M%d", m
        for (i = 0; i < 1000; i++) { v = rand() < 0.7 ? 0 : int(rand() * 40) / 10; if (m == 7 && (i == 0 || i > 2 && i < 30) || m == 8 && (i == 2 || i >= 500 && i < 540)) v = 4 + rand() * 4; printf ",%.4f", v }
        print "" } }' >s.csv
t_ok "scores" grn-view -q --from counts --orient cells -O zst -o s.zst s.csv
mkdir sets
awk 'BEGIN { print "chr1\t900\t1100\nchr1\t5000\t5200" >"sets/a.bed"; for (i = 3; i < 40; i++) printf "chr2\t%d\t%d\n", 1000 * i, 1000 * i + 500 >"sets/a.bed"
    print "chr3\t900\t1100" >"sets/c.bed"; for (i = 500; i < 550; i++) printf "chr2\t%d\t%d\n", 1000 * i, 1000 * i + 500 >"sets/c.bed" }' </dev/null
printf '#motif_id\tmotif_name\tgene_name\tmotif_similarity_qvalue\torthologous_identity\tdescription\nM7\tM7\tTF1\t0\t1\tgene is directly annotated\nM8\tM8\tTF1\t0.0001\t1\tgene is annotated for similar motif m (q-value = 1)\n' >m.tbl
t_ok "cistromes" grn-build enrich -q -s s.zst --auc-threshold 0.02 --method cistarget --annotations direct,similar --motif2tf m.tbl -o cis sets
awk -F'\t' -v OFS='\t' '{ print $0, NR == 1 ? "G4" : $4 }' rna.tsv >rna4.tsv # G4 as G1, far from it
awk -F'\t' -v OFS='\t' '{ print $0, NR == 1 ? "chr3:900-1100" : $2 }' atac.tsv >atac4.tsv
{ cat genes.bed; printf 'chr3\t1000\t2000\tG4\t0\t+\n'; } >genes4.bed
t_ok "links" grn-build link -q --expression raw --accessibility raw -f tfs.txt -g genes4.bed -t tg4.zst -r rg4.zst rna4.tsv atac4.tsv
cis="-t tg4.zst -r rg4.zst --cistromes cis/cistromes.edges.zst $pass"
t_ok "regulons of cistromes" grn-build regulon -q $cis -o cis.zst rna4.tsv atac4.tsv
is "kept in x (TF1_+/+: 1 region), y (TF1_+/+: 1 region)" "kept, by a cistrome" cis.zst TF1 G1
nes=$(awk -F'\t' '/^#/ { next } !h { h = 1; for (i = 1; i <= NF; i++) c[$i] = i; next } $c["motif"] == "M7" { printf "%.4g", $c["nes"] }' cis/enriched.tsv)
t_true "with the NES of enrich ($nes) and the motif" "[ -n '$nes' ] && grep -q \"direct M7 *$nes \" out"
is "not kept: chr3:900-1100: of the extended cistrome alone: the regulon of the direct one takes its place (--extended fill)" "filled" cis.zst TF1 G4
t_ok "extended ones, too" grn-build regulon -q $cis --extended all -o all.zst rna4.tsv atac4.tsv
is "kept in x (TF1_extended_+/+: 1 region), y (TF1_extended_+/+: 1 region)" "kept, extended" all.zst TF1 G4
t_ok "none extended" grn-build regulon -q $cis --extended none -o none.zst rna4.tsv atac4.tsv
is "not kept: no region of G4 has a motif of TF1" "motif: extended cistromes are left out" none.zst TF1 G4
t_ok "one network with the names of SCENIC+" grn-build regulon -q $cis --types all --names scenicplus -o ereg.zst rna4.tsv
is "kept in all (TF1_direct_+/+: 1 region)" "kept, names of SCENIC+" ereg.zst TF1 G1
is "not kept: chr3:900-1100: of the extended cistrome alone: the regulon of the direct one takes its place (--extended fill)" "filled, one network" \
    ereg.zst TF1 G4

# ---- a TF that the RNA lacks: of the open regions the one with its motif makes 3 of 5 in x and 0 of 3 in y, 0.3 in the mean ----
cut -f 1,2,4- rna.tsv >without.tsv
motifs="--motif-hits hits.bed --motif2tf m2t.tsv"
t_ok "links" grn-build link -q --expression raw --accessibility raw -f tfs.txt -g genes.bed $motifs -t tga.zst -r rga.zst without.tsv atac.tsv
t_ok "regulons" grn-build regulon -q -t tga.zst -r rga.zst $motifs $pass -o absent.zst without.tsv atac.tsv
absent="--rna without.tsv --atac atac.tsv --cells cells.tsv"
is "kept in x (TF2_+/+: 1 region)" "kept, TF by accessibility" $absent absent.zst TF2 G2
is "not kept: the RNA has no TF2, and the regions with its motif are 0 times as open in type y as in the mean of the types" "tf-frac, TF by accessibility" \
    $absent --context y absent.zst TF2 G2

# ---- what is not given ----
is "kept in x (TF1_+/+: 1 region), y (TF1_+/+: 1 region)" "no files: kept is known" nopg.zst TF1 G1
t_true "and the rest is said to be missing" "grep -q 'TF -> gene links: not given (--tf-gene FILE); from the regulons:' out && grep -q 'motifs not given' out"
is "cannot be told apart: tf-gene-link, rho-tg, rho-rg; give --tf-gene FILE and --region-gene FILE" "no files" nopg.zst TF1 TF1
is "cannot be told apart: gene-frac, region-frac; give --rna FILE and --atac FILE" "no files, kept in another type" --context y nopg.zst TF1 G2
is "cannot be told apart: tf-frac; give --rna rna.tsv and --cells cells.tsv" "no matrices" --context x reg.zst TF2 G2
is "cannot be told apart: motif, tf-frac; give --cistromes, --scan or --motif-hits FILE and --rna FILE" "no motifs" \
    -t tg.zst -r rg.zst --context x nopg.zst TF2 G2
t_ok "a scan made of the hits" grn-build scan -q --motif-hits hits.bed -r <(printf 'chr1\t900\t1100\nchr1\t5000\t5200\n') -o scan.zst
t_ok "by hits" grn-view why -q -O tsv $cells reg.zst TF1 G2
cp out hits.out
t_ok "by the scan" grn-view why -q -O tsv $cells -s scan.zst reg.zst TF1 G2
t_cmp "the same" hits.out out

# ---- TSV ----
# seen: TF1 in 2 of 3 and 3 of 3 cells, G2 in 3 and 2; open: the first region in 2 and 3, the second in 3 and none. r of the first and G2:
# -7 / sqrt(10/3 x 17.5); of the second 4.5 / sqrt(1.5 x 17.5); weight of the second: 1 x 0.8783 x 4/8 x exp(-900/50000) x 2/3 (TF1 is seen in 2 of 3 cells of x) = 0.2875
tr '|' '\t' >want.tsv <<'X'
what|of|context|key|value
tf-gene|G2||fdr_tg|0
tf-gene|G2||rho_sp_tg|-1
tf-gene|G2||rho_tg|-1
tf-gene|G2||rank_of_targets|1
tf-gene|G2||n_targets|3
tf-gene|G2||rank_of_regulators|1
tf-gene|G2||n_regulators|2
tf-gene|G2||filter|passes
region|chr1:900-1100||distance|-5000
region|chr1:900-1100||distance_tss|-5999
region|chr1:900-1100||fdr_rg|0.028415512
region|chr1:900-1100||rho_rg|-0.9165151
region|chr1:900-1100||rho_sp_rg|-0.9258201
region|chr1:900-1100||rank|1
region|chr1:900-1100||in_direct|1
region|chr1:900-1100||motif|M1
region|chr1:900-1100||motif_score|8
region|chr1:900-1100|x|region_frac|0.6666666666666666
region|chr1:900-1100|x|filter|sign-rg
region|chr1:900-1100|y|region_frac|1
region|chr1:900-1100|y|filter|sign-rg
region|chr1:900-1100||filter|sign-rg
region|chr1:5000-5200||distance|-900
region|chr1:5000-5200||distance_tss|-1899
region|chr1:5000-5200||fdr_rg|0.028415512
region|chr1:5000-5200||rho_rg|0.8783101
region|chr1:5000-5200||rho_sp_rg|0.8783101
region|chr1:5000-5200||rank|2
region|chr1:5000-5200||in_direct|1
region|chr1:5000-5200||motif|M1
region|chr1:5000-5200||motif_score|4
region|chr1:5000-5200||weight|0.28754732
region|chr1:5000-5200|x|region_frac|1
region|chr1:5000-5200|x|filter|kept
region|chr1:5000-5200|y|region_frac|0
region|chr1:5000-5200|y|filter|region-frac
region|chr1:5000-5200||filter|kept
context|G2|x|cells|3
context|G2|x|tf_frac|0.6666666666666666
context|G2|x|gene_frac|1
context|G2|x|filter|kept
context|G2|y|cells|3
context|G2|y|tf_frac|1
context|G2|y|gene_frac|0.6666666666666666
context|G2|y|filter|region-frac
verdict|G2||filter|kept
verdict|G2||text|kept in x (TF1_-/+: 1 region)
X
t_cmp "rows" want.tsv hits.out
t_ok "one thread" grn-view why -q -@ 1 -O tsv $cells -o one.tsv reg.zst TF1 G2
t_cmp "into a file, with one thread" want.tsv one.tsv
for f in rna atac; do { head -n 1 $f.tsv; tail -n +2 $f.tsv | tac; } >$f.turned.tsv; done
t_ok "cells in another order" grn-view why -q -O tsv --rna rna.turned.tsv --atac atac.turned.tsv --cells cells.tsv reg.zst TF1 G2
t_cmp "the same" want.tsv out
tr '|' '\t' >want.tsv <<'X'
what|of|context|key|value
regulon|TF1_+/+|x|targets|1
regulon|TF1_+/+|x|regions|1
regulon|TF1_+/+|x|edges|1
regulon|TF1_+/+|x|motifs|1
regulon|TF1_+/+|x|weight|0.32800484
regulon|TF1_-/+|x|targets|1
regulon|TF1_-/+|x|regions|1
regulon|TF1_-/+|x|edges|1
regulon|TF1_-/+|x|motifs|1
regulon|TF1_-/+|x|weight|0.28754732
regulon|TF1_+/+|y|targets|1
regulon|TF1_+/+|y|regions|1
regulon|TF1_+/+|y|edges|1
regulon|TF1_+/+|y|motifs|1
regulon|TF1_+/+|y|weight|0.7380109
filter|TF1||tf-gene-link.kept|3
filter|TF1||tf-gene-link.lost|0
filter|TF1||rho-tg.kept|3
filter|TF1||rho-tg.lost|0
filter|TF1||motif.kept|2
filter|TF1||motif.lost|0
filter|TF1||region.kept|4
filter|TF1||region.lost|0
filter|TF1||rho-rg.kept|4
filter|TF1||rho-rg.lost|0
filter|TF1||triplet.kept|4
filter|TF1||triplet.lost|0
filter|TF1||sign-rg.kept|2
filter|TF1||sign-rg.lost|2
filter|TF1||type-cells.kept|4
filter|TF1||type-cells.lost|0
filter|TF1||tf-frac.kept|4
filter|TF1||tf-frac.lost|0
filter|TF1||gene-frac.kept|4
filter|TF1||gene-frac.lost|0
filter|TF1||region-frac.kept|3
filter|TF1||region-frac.lost|1
filter|TF1||min-targets.kept|3
filter|TF1||min-targets.lost|0
filter|TF1||kept.kept|3
filter|TF1||kept.lost|0
X
t_ok "a TF alone" grn-view why -q -O tsv $cells reg.zst TF1
t_cmp "its regulons and filters" want.tsv out
t_ok "as text" grn-view why -q reg.zst TF1
t_true "a regulon a line" "grep -qE '^  x +TF1_-/[+] +1 +1 +1 +1 +- +G2 0.2875$' out"
t_true "what the matrices would tell" "grep -qE '^ +not given +- +region open in at least 50 %' out"
t_ok "one context" grn-view why -q --context y reg.zst TF1
t_true "is the only one" "grep -q '^  y  ' out && ! grep -q '^  x  ' out"
t_ok "a TF without regulons" grn-view why -q $cells reg.zst TF2
t_true "says so" "grep -q '^No regulon.' out"
t_ok "modules of a TF" grn-view why -q m.zst TF1
t_true "top-targets lost one" "grep -qE '^ +1 +1  among the 1 strongest of the TF' out"

# the filters of all TFs together are the funnel of the regulons
for tf in TF1 TF2; do grn-view why -q -O tsv $cells reg.zst $tf; done | awk -F'\t' '$4 == "sign-rg.kept" { s += $5 } $4 == "region-frac.kept" { r += $5 } END { print s + 0, r + 0 }' >sums
t_true "sums over TFs are the funnel" "grn-view -q -H reg.zst | grep '^funnel' | sed 's/.*rise together[^}]*kept.:\([0-9]*\).*region accessible[^}]*kept.:\([0-9]*\).*/\1 \2/' | cmp - sums"

# ---- learned links: ranks by importance ----
t_ok "ridge" grn-build link -q --method ridge --expression raw --accessibility raw -f tfs.txt -g genes.bed -t tgl.zst -r rgl.zst rna.tsv atac.tsv
t_ok "its regulons" grn-build regulon -q -t tgl.zst -r rgl.zst --motif-hits hits.bed --motif2tf m2t.tsv $pass -o learned.zst rna.tsv atac.tsv
t_ok "why" grn-view why -q -O tsv learned.zst TF1 G1
want=$(grn-view -q tgl.zst | awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } $1 == "TF1" { v[$2] = $c["importance_tg"] } END { for (g in v) n += v[g] > v["G1"]; print n + 1 }')
t_true "rank by importance" '[ "$(awk -F"\t" "\$4 == \"rank_of_targets\" { print \$5 }" out)" = "$want" ] && grep -q importance_tg out'

# ---- bad input ----
t_exit 3 "grn-view why: gene 'G9' is in none of the files; near it: 'G1', 'G2'" "gene of no file" grn-view why reg.zst TF1 G9 --rna rna.tsv
t_exit 3 "grn-view why: 'tf1' is a TF of none of the files; near it: 'TF1', 'TF2'" "TF of no file" grn-view why reg.zst tf1 G1
t_exit 3 "grn-view why: 'G1' is a gene, but a TF of none of the files*" "gene as TF" grn-view why reg.zst G1 G2
t_exit 3 "grn-view why: context 'z' is in none of the files; there are x, y*" "unknown context" grn-view why --context z reg.zst TF1 G1
t_exit 1 "grn-view why: 'tg.zst' does not tell the thresholds it was made with*" "links as regulons" grn-view why tg.zst TF1 G1
t_ok "a part of the regulons" grn-view subset -q --tf TF1 -o part.zst reg.zst
t_exit 1 "grn-view why: 'part.zst' does not tell the thresholds*" "a subset" grn-view why part.zst TF1 G1
t_exit 1 "grn-view why: 'rg.zst' does not hold TF-gene links" "links swapped" grn-view why -t rg.zst reg.zst TF1 G1
t_exit 1 "grn-view why: 'tg.zst' does not hold cistromes*" "links as cistromes" grn-view why --cistromes tg.zst reg.zst TF1 G1
t_exit 2 "grn-view why: give one of --cistromes, --scan and --motif-hits" "two kinds of motifs" grn-view why --cistromes c -s s reg.zst TF1 G1
t_exit 2 "grn-view why: --atac needs --rna*" "ATAC alone" grn-view why --atac atac.tsv reg.zst TF1 G1
t_exit 2 "grn-view why: 'm.zst' was made with --rna-only*" "regions of modules" grn-view why -r rg.zst m.zst TF1 G1
t_exit 2 "grn-view why: why reads the regulons from a file*" "standard input" grn-view why - TF1 G1
t_exit 2 "grn-view why: 1 operand*" "no TF" grn-view why reg.zst
for k in 20 200; do
    head -c $k reg.zst >cut.zst
    t_exit 1 "grn-view why: *cut.zst*" "regulons cut after $k bytes" grn-view why cut.zst TF1 G1
done

# ---- eRegulons of a simulated multiome: what is kept is what is in the file, for every target of a TF ----
t_ok "a small multiome" grn-sim -q -x small --no-pg -o sim
t_ok "its counts" grn-build count -q -r sim/regions.bed sim/fragments.tsv.gz -o open.zst
t_ok "its links" grn-build link -q -f sim/tfs.txt -g sim/genes.gtf -t stg.zst -r srg.zst sim/counts.h5ad open.zst
t_ok "its motifs" grn-build scan -q -m sim/motifs.jaspar -g sim/genome.fa -r sim/regions.bed -p 2e-5 -o sscan.zst
for x in scenicplus grnformer; do
    t_ok "eRegulons, $x" grn-build regulon -q -x $x -t stg.zst -r srg.zst -s sscan.zst --motif2tf sim/motif2tf.tsv -o e.zst sim/counts.h5ad open.zst
    grn-view -q e.zst | awk -F'\t' '$3 == "TF15" { print $5 }' | sort -u >edges.txt
    { echo TF15; grn-view -q stg.zst | awk -F'\t' '$1 == "TF15" { print $2 }' | head -n 50; } | sort -u >some.txt
    while read -r gene; do
        grn-view why -q -O tsv --rna sim/counts.h5ad --atac open.zst e.zst TF15 "$gene" | awk -F'\t' -v g="$gene" '$1 == "verdict" && $4 == "filter" { print g, $5 }'
    done <some.txt >verdicts.txt
    t_true "$x: kept or not, $(grep -c ' kept$' verdicts.txt) of $(wc -l <verdicts.txt), as in the file" \
        "grep ' kept\$' verdicts.txt | cut -d' ' -f1 | cmp - <(comm -12 some.txt edges.txt) && [ \$(grep -c ' kept\$' verdicts.txt) -ge 5 ]"
    t_true "$x: and nothing is left open" "! grep -E ' (unknown|unexplained)\$' verdicts.txt"
done

# ArchR's PBMC: the filters of all TFs, two of them seen by accessibility alone, add up to the funnel of the regulons
archr=$GRN_DATA/atac/archr_pbsmall
if t_data atac/archr_pbsmall; then
    mkdir pbmc
    cp "$archr/rna.mtx.gz" pbmc/matrix.mtx.gz
    cut -f1 "$archr/rna_barcodes.tsv" | gzip >pbmc/barcodes.tsv.gz
    awk '{ print $4 "\t" $4 }' "$archr/rna_genes.bed" | gzip >pbmc/genes.tsv.gz
    { printf 'barcode\tcell_type\n'; cut -f1,2 "$archr/rna_barcodes.tsv"; } >types.tsv
    sed 's/_[0-9]*$//' "$archr/motif_names.txt" >six.txt
    t_ok "ArchR PBMC" grn-build run -q -F "$archr/fragments.tsv.gz" -R "$archr/peakset.tsv" --motif-hits "$archr/motif_positions.bed.gz" \
        -g "$archr/rna_genes.bed" -f six.txt --cells types.tsv --keep kept -o archr.zst pbmc
    : >all.tsv
    for tf in $(cat six.txt); do grn-view why -q -O tsv --rna pbmc --atac kept/atac.tensor.zst --cells types.tsv archr.zst "$tf" >>all.tsv; done
    for k in rho-tg:'TF-gene links with' triplet:'triplets with a TF-gene' sign-rg:'rise together' tf-frac:'TF expressed' gene-frac:'gene expressed' \
        region-frac:'region accessible' min-targets:'edges of regulons'; do
        mine=$(awk -F'\t' -v k="${k%%:*}" '$4 == k ".kept" { n += $5 } $4 == k ".lost" { l += $5 } END { print n "," l }' all.tsv)
        funnel=$(grn-view -q -H archr.zst | grep '^funnel' | sed "s/.*${k#*:}[^}]*kept.:\([0-9]*\),.lost.:\([0-9]*\)}.*/\1,\2/")
        t_true "${k%%:*}: $mine as in the funnel" "[ '$mine' = '$funnel' ]"
    done
    t_ok "CEBPA and CD14" grn-view why -q archr.zst CEBPA CD14
    t_true "kept in monocytes" "grep -qF 'Verdict: kept in M (CEBPA_+/+: 2 regions)' out"
fi
