# The whole line on a small simulated multiome: all outputs, restart, options, threads, shuffled cells, the other fronts.
[ -n "${SANITIZED:-}" ] && { t_skip "pipelines" "done in the plain run"; t_done; }
P=$SRC/pipelines
unset MAKEFLAGS MFLAGS MAKELEVEL
SMALL="SEEDS=1 VARIANTS='none hybrid' TRAIN_OPT='--steps 12 --dim 16 --layers 2 --heads 2 --ffn 16 --tokens 48' EMBED_OPT='--epochs 1 --dim 8' EVAL_OPT='--bootstrap 50 --ridge-draws 1'"
run() { eval make -s --no-print-directory "$SMALL" "$@" >log 2>&1; }
fails() { t__diag log; }
run -f "$P/demo.mk" OUT=a THREADS=2 SIM_OPT="'--cells 300 --genes 300 --tfs 12 --regions 700 --types 3 --targets 25'"
t__say $? "demo.mk end to end"; [ -s a/report.html ] || tail -n 20 log | sed 's/^/# /'
t_true "its report has tables and figures" "grep -q '<table>' a/report.html && [ \$(grep -c '</svg>' a/report.html) -ge 6 ]"
t_true "the summary shows baselines" "grep -q 'Pearson' log && grep -q 'random' log && grep -q 'gene mean' log && grep -q 'report:' log"
for f in a/*.zst; do t_ok "check $(basename $f)" grn-view --check -q $f; done

rerun() { eval make -n --no-print-directory "$SMALL" -f "$P/demo.mk" OUT=a THREADS=2 SIM_OPT="'--cells 300 --genes 300 --tfs 12 --regions 700 --types 3 --targets 25'" "$@" 2>&1 | grep -oE '^grn-[a-z]+( [a-z]+)?' | sort -u | tr '\n' ' '; }
t_true "nothing to do the second time" "[ -z \"$(rerun)\" ]"
touch a/auc.tensor.zst
t_true "a touched file reruns only what depends on it" "! echo '$(rerun)' | grep -qE 'grn-sim|grn-build|grn-aucell|grn-coexpr' && echo '$(rerun)' | grep -q grn-threshold"
eval make -s --no-print-directory "$SMALL" -f "$P/demo.mk" OUT=a THREADS=2 SIM_OPT="'--cells 300 --genes 300 --tfs 12 --regions 700 --types 3 --targets 25'" THRESHOLD_OPT='--by\ all' a/active.tensor.zst >log 2>&1
t_true "a threshold's option remakes the calls" "[ a/active.tensor.zst -nt a/auc.tensor.zst ]"

# the same bytes with one thread
run -f "$P/demo.mk" OUT=b PG_OPT=--no-pg THREADS=1 SIM=a/sim SIM_OPT="'--cells 300 --genes 300 --tfs 12 --regions 700 --types 3 --targets 25'" b/report.html
run -f "$P/demo.mk" OUT=c PG_OPT=--no-pg THREADS=2 SIM=a/sim SIM_OPT="'--cells 300 --genes 300 --tfs 12 --regions 700 --types 3 --targets 25'" c/report.html
for f in regulons.edges auc.tensor active.tensor coexpr.edges embedding.tensor model.none.1.tensor model.hybrid.1.tensor masked.tensor attention.tensor network.tensor; do
    t_cmp "$f: same bytes for -@ 1 and 2" b/$f.zst c/$f.zst
done

# other fronts on the same simulated files
run -f "$P/multiome.mk" OUT=m COUNTS=a/sim/counts.h5ad FRAGMENTS=a/sim/fragments.tsv.gz REGIONS=a/sim/regions.bed GENES=a/sim/genes.gtf GENOME=a/sim/genome.fa \
    MOTIFS=a/sim/motifs.jaspar MOTIF2TF=a/sim/motif2tf.tsv TFS=a/sim/tfs.txt m/report.html
t__say $? "multiome.mk"; [ -s m/report.html ] || tail -n 5 log | sed 's/^/# /'
sed 's/^>//;s/ .*//' a/sim/genome.fa.fai | cut -f1,2 >sizes
run -f "$P/multiome.mk" OUT=p COUNTS=a/sim/counts.h5ad FRAGMENTS=a/sim/fragments.tsv.gz CELLS=a/sim/cells.tsv CHROM_SIZES=sizes PEAKS_OPT="'-G 3e7'" GENES=a/sim/genes.gtf \
    GENOME=a/sim/genome.fa MOTIFS=a/sim/motifs.jaspar MOTIF2TF=a/sim/motif2tf.tsv TFS=a/sim/tfs.txt TOPICS_OPT="'-k 3,5 --sweeps 30 --average 10'" DAR_OPT="'--test wilcoxon --min-log2fc 0.1'" \
    ENRICH_OPT="'--nes 0.5 --auc-threshold 0.04 --log2fc 0.05'" p/enriched/enriched.tsv
t__say $? "multiome.mk without regions: peaks, topics, differential regions, enriched motifs"; [ -s p/enriched/enriched.tsv ] || tail -n 8 log | sed 's/^/# /'
t_true "leaves peaks per type and region sets" "[ -s p/regions.bed ] && ls p/narrowpeak/*.narrowPeak >/dev/null && [ -s p/region_sets/otsu/Topic_1.bed ] && ls p/region_sets/dar/*.bed >/dev/null"
t_true "and a page of enriched motifs with logos" "grep -q '<svg' p/enriched/enriched.html && [ ! -e p/scores.tensor.zst.parts ]"
run -f "$P/rna.mk" OUT=r COUNTS=a/sim/counts.h5 CELLS=a/sim/cells.tsv TFS=a/sim/tfs.txt r/report.html
t__say $? "rna.mk"; [ -s r/report.html ] || tail -n 5 log | sed 's/^/# /'
grn-build count -q -r a/sim/regions.bed -o atac.tensor.zst a/sim/fragments.tsv.gz
run -f "$P/sea_ad.mk" OUT=s RNA_ALL=a/sim/counts.h5ad ATAC_ALL=atac.tensor.zst GENOME=a/sim/genome.fa GENES=a/sim/genes.gtf MOTIFS=a/sim/motifs.jaspar \
    MOTIF2TF=a/sim/motif2tf.tsv TFS=a/sim/tfs.txt CELL_TYPE=cell_type DONOR=donor MULTIOME= s/report.html
t__say $? "sea_ad.mk with simulated files in place of the real ones"; [ -s s/report.html ] || tail -n 5 log | sed 's/^/# /'
t_true "make -n is readable without any file" "make -n -f $P/sea_ad.mk 2>/dev/null | grep -q 'grn-build run'"
t_true "missing variables are named" "make -f $P/rna.mk 2>&1 | grep -q 'COUNTS=counts.h5ad'"
