# grn-build regulon --method gsea and presets on a simulated multiome: order of the input, threads, presets, cistromes, rankings, bad input
# (by hand: tests/unit/test_eregulons.c)
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
data() { zstd -dcq "$1" | sed '1s/.*}} *//' >"$1.data"; }
triplets() { grn-view -q -O tsv "$1" | awk -F'\t' 'NR > 1 { print $3 "\t" $4 "\t" $5 }' | sort -u; }
column() { grn-view -q -O tsv "$1" | awk -F'\t' -v k="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == k) c = i; next } { print $c }'; }
t_ok "a small multiome" grn-sim -q -x small --no-pg -o sim
t_ok "its counts" grn-build count -q -r sim/regions.bed sim/fragments.tsv.gz -o atac.zst
t_ok "its links" grn-build link -q -f sim/tfs.txt -g sim/genes.gtf -t tg.zst -r rg.zst sim/counts.h5ad atac.zst
t_ok "its motifs" grn-build scan -q -m sim/motifs.jaspar -g sim/genome.fa -r sim/regions.bed -p 2e-5 -o scan.zst
t_ok "their scores" grn-build scan -q --scorer max -m sim/motifs.jaspar -g sim/genome.fa -r sim/regions.bed -o scores.zst
t_ok "their rankings" grn-build rank -q scores.zst -o ranks.zst
m2t="--motif2tf sim/motif2tf.tsv"
links="-t tg.zst -r rg.zst"
r="grn-build regulon --no-pg $links -s scan.zst $m2t"

ran "as SCENIC+" $r -x scenicplus -o e.zst sim/counts.h5ad
t_true "importances are missed" "grep -q \"'tg.zst' has no column 'importance_tg': the size of the correlation\" log && grep -q \"'rg.zst' has no column 'importance_rg'\" log"
t_true "the funnel tells every step" "for s in 'with |Pearson| > 0.05' 'in one of 7 binarisations' 'at least 10 genes: kept 32 rankings' 'some but not all genes' 'NES > 0' 'adjusted p < 1' 'in the leading edge' 'merged over binarisations'; do grep -qF \"\$s\" log || exit 1; done"
t_true "names as SCENIC+ has them" "grn-view -q -O tsv e.zst | cut -f2 | tail -n +2 | sort -u | grep -vqE '^TF[0-9]+_direct_[+-]/[+]\$'; [ \$? = 1 ]"
t_true "one context" "[ \"\$(grn-view -q -O tsv e.zst | cut -f1 | tail -n +2 | sort -u)\" = all ]"
t_true "a TF may be its own target" "grn-view -q -O tsv e.zst | awk -F'\t' '\$3 == \$5' | grep -q ."
column e.zst triplet_rank | sort -n | uniq >ranks.txt
t_true "triplet ranks are 0, 1, 2 ..." "[ \$(wc -l <ranks.txt) -gt 100 ] && seq 0 \$((\$(wc -l <ranks.txt) - 1)) | cmp - ranks.txt"
column e.zst n_contexts | sort -n >contexts.txt
t_true "contexts are 1 to 7" "[ \$(head -n 1 contexts.txt) -ge 1 ] && [ \$(tail -n 1 contexts.txt) = 7 ]"
t_true "NES above 0, adjusted p below 1" "! column e.zst gsea_nes | awk '\$1 <= 0' | grep -q . && ! column e.zst gsea_fdr | awk '\$1 >= 1' | grep -q ."
t_true "ten genes a regulon" "! grn-view -q -O tsv e.zst | tail -n +2 | cut -f2,5 | sort -u | cut -f1 | uniq -c | awk '\$1 < 10' | grep -q ."

# the network is better than the plain join at the same thresholds, and its best triplets better still
triplets sim/truth.edges.zst >truth.txt
right() { grep -cxFf truth.txt "$1"; }
ran "the join" $r -q --min-rho 0.05 --types all -o j.zst sim/counts.h5ad
triplets e.zst >e.txt
triplets j.zst >j.txt
grn-view -q -O tsv e.zst | awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "triplet_rank") c = i; next } $c < 100 { print $3 "\t" $4 "\t" $5 }' >best.txt
t_true "a subset of the join, but for autoregulation" "! awk -F'\t' '\$1 != \$3' e.txt | sort | comm -23 - j.txt | grep -q ."
t_true "precision: join $(right j.txt)/$(wc -l <j.txt) < eRegulons $(right e.txt)/$(wc -l <e.txt) < best hundred $(right best.txt)" \
    "awk -v a=$(right j.txt) -v b=$(wc -l <j.txt) -v c=$(right e.txt) -v d=$(wc -l <e.txt) -v e=$(right best.txt) 'BEGIN { exit !(a / b * 1.2 < c / d && c / d * 1.2 < e / 100) }'"

# presets and explicit options
ran "explicit first" $r -q --top-regions 3,7 --no-basc -x scenicplus -o p1.zst sim/counts.h5ad
ran "explicit last" $r -q -x scenicplus --no-basc --top-regions 3,7 -o p2.zst sim/counts.h5ad
t_cmp "the same bytes" p1.zst p2.zst
t_true "and others than the preset alone" "! cmp -s p1.zst e.zst"
ran "the preset spelt out" $r -q --method gsea --min-rho 0.05 --quantiles 0.85,0.9,0.95 --top-regions 5,10,15 --top-genes none --basc --min-regions 0 \
    --permutations 1000 --gsea-fdr 1 --min-targets 10 --extended fill --types all --names scenicplus --autoregulation -o p3.zst sim/counts.h5ad
t_cmp "the same bytes" e.zst p3.zst
ran "in cell types" $r -q -x grnformer --cells sim/cells.tsv -o g.zst sim/counts.h5ad atac.zst
ran "the same spelt out" $r -q --method gsea --min-rho 0.05 --quantiles 0.85,0.9,0.95 --top-regions 5,10,15 --top-genes none --basc --min-regions 0 \
    --permutations 1000 --gsea-fdr 1 --min-targets 10 --extended fill --types each --names plain --no-autoregulation --cells sim/cells.tsv -o g2.zst sim/counts.h5ad atac.zst
t_cmp "the same bytes" g.zst g2.zst
ran "without types" $r -q -x grnformer --types all -o g3.zst sim/counts.h5ad
triplets g.zst >g.txt
triplets g3.zst >g3.txt
t_true "in types: fewer triplets, no others, plain names, three types" "[ -s g.txt ] && ! comm -23 g.txt g3.txt | grep -q . && [ \$(wc -l <g.txt) -le \$(wc -l <g3.txt) ] && grn-view -q -O tsv g.zst | cut -f2 | grep -q '^TF[0-9]*_[+]/[+]' && [ \$(grn-view -q -O tsv g.zst | cut -f1 | tail -n +2 | sort -u | wc -l) = 3 ]"
t_true "no TF has an edge to itself" "! awk -F'\t' '\$1 == \$3' g.txt | grep -q ."
ran "all steps in one" grn-build run --no-pg -q -x scenicplus -F sim/fragments.tsv.gz -R sim/regions.bed -m sim/motifs.jaspar -G sim/genome.fa -p 2e-5 \
    $m2t -g sim/genes.gtf -f sim/tfs.txt -o run.zst sim/counts.h5ad
data run.zst
ran "step by step, links written above 0.05" grn-build link -q --min-rho 0.05 -f sim/tfs.txt -g sim/genes.gtf -t tg5.zst -r rg5.zst sim/counts.h5ad atac.zst
ran "and the regulons" grn-build regulon --no-pg -q -t tg5.zst -r rg5.zst -s scan.zst $m2t -x scenicplus -o e5.zst sim/counts.h5ad
data e5.zst
t_cmp "the same edges" e5.zst.data run.zst.data

# order and threads
ran "one thread" $r -q -x grnformer --cells sim/cells.tsv -@ 1 -o t1.zst sim/counts.h5ad atac.zst
t_cmp "same bytes for -@ 1 and all" t1.zst g.zst
ran "another seed" $r -q -x scenicplus --seed 2 -o s2.zst sim/counts.h5ad
t_true "other random sets, almost the same triplets" "! cmp -s s2.zst e.zst && [ \$(comm -12 e.txt <(triplets s2.zst) | wc -l) -gt \$((\$(wc -l <e.txt) * 9 / 10)) ]"
turned() { awk -F'\t' '{ printf "%s", $1; for (i = NF; i > 1; i--) printf "\t%s", $i; print "" }' | { IFS= read -r head; printf '%s\n' "$head"; sort -r; }; }
grn-view -q -O tsv sim/counts.h5ad | turned >rna.tsv
grn-view -q -O tsv atac.zst | turned >atac.tsv
grn-view -q -O tsv scan.zst | turned >scan.tsv
t_ok "motifs turned round" grn-view import -q -o scan2.zst --from counts --orient cells scan.tsv
ran "links of turned matrices" grn-build link -q --no-pg -f sim/tfs.txt -g sim/genes.gtf -t tg2.zst -r rg2.zst rna.tsv atac.tsv
ran "regulons of turned matrices" grn-build regulon -q --no-pg -t tg2.zst -r rg2.zst -s scan2.zst $m2t -x grnformer --cells sim/cells.tsv -o turned.zst rna.tsv atac.tsv
data turned.zst
data g.zst
t_cmp "same edges for genes, regions, motifs and cells in reverse" g.zst.data turned.zst.data

# cistromes and rankings
awk -F'\t' '{ print $1 "\t" $2 "\t" $3 }' sim/regions.bed >set.bed
head -n 300 set.bed >half.bed
ran "cistromes" grn-build enrich -q -r ranks.zst --nes -9 --auc-threshold 0.1 --rank-threshold 0.5 $m2t -o enr set.bed half.bed
c="grn-build regulon --no-pg $links --cistromes enr/cistromes.edges.zst"
ran "eRegulons of cistromes" $c -x scenicplus --rankings ranks.zst -o c.zst sim/counts.h5ad
t_true "rankings are used" "grep -q \"linked regions overlap one of 'ranks.zst'\" log"
t_true "extended ones give way" "grep -q 'direct one of the same signs: kept' log && ! column c.zst regulon | grep -q extended"
t_true "NES and motif of the cistromes" "[ -n \"\$(column c.zst nes | grep -v '^\$' | head -n 1)\" ] && ! column c.zst motif | awk '\$1 < 1' | grep -q ."
t_true "the motif names go along" "zstd -dcq c.zst | head -c 20000 | grep -aq 'motifs.*MS0001.1'"
ran "both kinds" $c -q -x scenicplus --extended all -o both.zst sim/counts.h5ad
t_true "direct and extended have the same triplets here" "cmp <(column both.zst regulon | grep _direct_ | sed s/direct/x/) <(column both.zst regulon | grep _extended_ | sed s/extended/x/)"
grn-view -q -O eregulon both.zst >er.tsv
t_true "grn-view tells them apart" "[ \"\$(cut -f 8,9 er.tsv | grep -c 'True.*_extended_')\" = \"\$(cut -f 9 er.tsv | grep -c _extended_)\" ] && [ \"\$(cut -f 8,9 er.tsv | grep -c 'False.*_direct_')\" = \"\$(cut -f 9 er.tsv | grep -c _direct_)\" ]"
ran "ranked by NES" $c -q -x scenicplus -o nes.zst sim/counts.h5ad
t_true "the same triplets in another order" "cmp <(triplets c.zst) <(triplets nes.zst) && ! cmp -s <(column c.zst triplet_rank) <(column nes.zst triplet_rank)"

# q by exchanged motifs, of links that were learned
ran "learned links" grn-build link -q -M grnboost --region-method grnboost -f sim/tfs.txt -g sim/genes.gtf -t tgb.zst -r rgb.zst sim/counts.h5ad atac.zst
b="grn-build regulon --no-pg -t tgb.zst -r rgb.zst -s scan.zst $m2t --cells sim/cells.tsv --min-targets 5"
ran "q of the join" $b --null 10 -o q.zst sim/counts.h5ad atac.zst
t_true "says what chance gives" "grep -q 'null: TFs with the motifs of others give [0-9]* edges a run, beside [0-9]*; q <= 0.05:' log"
t_true "q falls with the weight" "paste <(column q.zst weight) <(column q.zst q) | sort -k1,1g | awk 'NR > 1 && \$2 > q + 1e-6 { exit 1 } { q = \$2 } END { exit !(NR > 100) }'"
triplets q.zst >called.txt; paste <(grn-view -q -O tsv q.zst | tail -n +2 | cut -f 3-5) <(column q.zst q) | awk -F'\t' '$NF <= 0.3' | cut -f 1-3 | sort -u >sure.txt
t_true "at most 0.3 of the triplets of q <= 0.3 are wrong, give or take, and most of the others" \
    "[ \$(wc -l <sure.txt) -ge 10 ] && awk 'NR == FNR { t[\$0]; next } { n++; k += \$0 in t } END { exit !(k >= 0.6 * n) }' truth.txt sure.txt && awk 'NR == FNR { t[\$0]; next } { n++; k += \$0 in t } END { exit !(k < 0.5 * n) }' truth.txt <(sort -u called.txt)"
ran "calibration of q" grn-eval calibration -q -t sim/truth.edges.zst --curve curve.zst mine=q.zst
t_true "precision is the share of right edges at and below q" "want=\$(paste <(grn-view -q -O tsv q.zst | tail -n +2 | cut -f 1,3-5) <(column q.zst q) | awk -F'\t' -v OFS='\t' '\$5 <= 0.3 { print \$1, \$2, \$3, \$4 }' | sort -u | awk 'NR == FNR { t[\$0]; next } { n++; k += \$0 in t } END { printf \"%d %.4f\", n, k / n }' <(grn-view -q -O tsv sim/truth.edges.zst | tail -n +2 | cut -f 1,3-5 | sort -u) -); [ \"\$(awk -F'\t' '\$2 == 0.3 { printf \"%d %.4f\", \$3, \$4 }' out)\" = \"\$want\" ]"
ran "drawn" grn-plot curve -q --x q --y precision -o curve.svg curve.zst
t_true "with what is promised" "grep -q 'promised' curve.svg"
t_exit 1 "grn-eval calibration: 'tgb.zst' has no TF to gene edges with a column 'q'*" "edges without q" grn-eval calibration -t sim/truth.edges.zst tgb.zst
t_exit 2 "grn-eval calibration: give the known network*" "no truth" grn-eval calibration q.zst
ran "one thread" $b -q --null 10 -@ 1 -o q1.zst sim/counts.h5ad atac.zst
ran "three threads" $b -q --null 10 -@ 3 -o q3.zst sim/counts.h5ad atac.zst
t_cmp "same bytes for -@ 1 and 3, with q" q1.zst q3.zst
ran "without q" $b -q -o q0.zst sim/counts.h5ad atac.zst
t_true "the edges stay" "cmp <(triplets q.zst) <(triplets q0.zst) && cmp <(column q.zst weight) <(column q0.zst weight)"
ran "q of eRegulons" $b -q -x grnformer --null 3 -o qg.zst sim/counts.h5ad atac.zst
t_true "is there, the edges stay" "column qg.zst q | awk '\$1 < 0 || \$1 > 1 { exit 1 } END { exit !(NR > 10) }'"
t_exit 2 "grn-build regulon: --null exchanges motifs*" "no motifs to exchange" grn-build regulon --rna-only --null 3 -t tgb.zst -o x.zst sim/counts.h5ad

# nothing passes, and bad input
t_exit 3 "grn-build regulon: no regulon passed; 'x.zst' holds the funnel and no edge" "an impossible FDR" $r -x scenicplus --gsea-fdr 0.0001 -o x.zst sim/counts.h5ad
t_true "the empty file has the funnel" "zstd -dcq x.zst | head -c 9000 | grep -aq 'funnel.*adjusted p < 0.0001.*\"kept.*:0'"
t_true "and a header" "grn-view -q -O tsv x.zst | head -n 1 | grep -q gsea_nes"
t_exit 3 "grn-build regulon: no regulon passed*" "no ranking is long enough" $r -x scenicplus --min-targets 1000 -o x.zst sim/counts.h5ad
rm -f x.zst
for bad in "--quantiles 0.9,x" "--quantiles 1.5" "--top-regions 5,,10" "--top-regions 2.5" "--top-genes 0" "--quantiles none --top-regions none --no-basc"; do
    t_exit 2 "grn-build regulon: *" "bad list: $bad" $r -x scenicplus $bad -o x.zst sim/counts.h5ad
done
t_exit 2 "grn-build run: --quantiles*" "a bad list is seen before any step" grn-build run -x scenicplus --quantiles x -F sim/fragments.tsv.gz -o x.zst sim/counts.h5ad
t_exit 2 "grn-build regulon: --preset must be one of*" "unknown preset" $r -x scenic -o x.zst sim/counts.h5ad
t_exit 2 "grn-build regulon: give one of --scan FILE*" "scan and cistromes" $r --cistromes enr/cistromes.edges.zst -o x.zst sim/counts.h5ad atac.zst
t_exit 2 "grn-build regulon: --motif2tf belongs to*" "a motif table for cistromes" $c $m2t -o x.zst sim/counts.h5ad atac.zst
t_exit 2 "grn-build regulon: needs an ATAC matrix*" "types without ATAC" $r -x grnformer -o x.zst sim/counts.h5ad
t_exit 2 "grn-build regulon: --rna-only has modules*" "rna only with a preset" grn-build regulon --rna-only -x scenicplus -t tg.zst -o x.zst sim/counts.h5ad
t_exit 1 "grn-build regulon: 'scores.zst' holds values of kind*" "scores as rankings" $r --rankings scores.zst -x scenicplus -o x.zst sim/counts.h5ad
head -c 3000 enr/cistromes.edges.zst >cut.zst
t_exit 1 "grn-build regulon: 'cut.zst' is truncated*" "cistromes cut short" grn-build regulon $links --cistromes cut.zst -x scenicplus -o x.zst sim/counts.h5ad
t_true "no file is left" "[ ! -e x.zst ]"
