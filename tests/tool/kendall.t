# The published Kendall's tau-b of 16,441 peak-gene pairs from the matrix of `grn-build count` (tests/unit/test_kendall.c does the rest)
if t_data atac/k562_multiome && [ -x "${UNIT:-}/test_kendall" ]; then
    p=$GRN_DATA/atac/k562_multiome
    zcat "$p/rna_count_matrix.cluster1.csv.gz" | sed -n '1s/^[^,]*,//p;1q' | tr -d '"\r' | tr ',' '\n' >cells.txt
    zcat "$p/expected/Pairs.Kendall.cluster1_chr22p.tsv.gz" | tail -n +2 | cut -f 1-3 | sort -u >peaks.bed
    t_ok "count of 500 cells" grn-build count -r peaks.bed -b cells.txt "$p/atac_fragments.chr22p.tsv.gz" -o atac.zst
    cp err log
    t_true "500 rows" "grep -q 'written: 500 cells' log"
    t_ok "tau within 1e-12" env GRN_KENDALL_ATAC=atac.zst "$UNIT/test_kendall"
    t_true "all pairs" "grep -q '16441 pairs, 0 differ' out err"
    t_ok "link --region-method kendall" grn-build link -q --accessibility binary --min-cells 1 --min-rho 0 --upstream 1000000000 --downstream 1000000000 \
        --region-method kendall -g "$p/genes.hg38.chr22.bed" -r k.zst "$p/rna_count_matrix.cluster1.csv.gz" atac.zst
    zcat "$p/expected/Pairs.Kendall.cluster1_chr22p.tsv.gz" | awk -F'\t' 'NR > 1 && $10 != "" { print $1 ":" $2 "-" $3 "\t" $4 "\t" $10 }' >want.txt
    grn-view -q k.zst | awk -F'\t' 'NR == FNR { want[$1, $2] = $3; next } FNR > 1 && (($1, $2) in want) { n++; d = want[$1, $2] - $NF; k += d * d < 1e-13 } END { print n, k }' want.txt - >same.txt
    t_true "the same to the precision of the file, but for 6 pairs of chr22:12622272-12622612" "grep -qx '16447 16441' same.txt"
fi
