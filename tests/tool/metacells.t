# grn-build metacells: sums by hand, joined and unpaired cells, small types, --by, threads, order of the input, memory, bad input
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
meta() { grn-build metacells --no-pg "$@"; }
tsv() { grn-view -q -O tsv "$1" | grep -v '^#' >"$2"; }
# 70 cells: 34 of type A, 25 of B, 7 of C, 2 of D, 2 of none; 6 genes, 5 regions, whole numbers made of the cell's number
awk 'BEGIN { printf "cell,G1,G2,G3,G4,G5,G6\n"; for (i = 1; i <= 70; i++) printf "c%02d-1,%d,%d,%d,%d,%d,%d\n", i, i % 5, i * 7 % 4, i % 3 == 0, i == 40, i % 11, 1 }' >rna.csv
awk 'BEGIN { printf "cell,chr1:0-500,chr1:1000-1500,chr2:0-500,chr2:900-1400,chrX:5-9\n"; for (i = 70; i >= 1; i--) printf "c%02d,%d,%d,%d,%d,%d\n", i, i % 2, i % 3, i % 7, i == 3, 2 }' >atac.csv
awk 'BEGIN { print "barcode\tcell_type\tdonor"; for (i = 1; i <= 68; i++) printf "c%02d-1\t%s\td%d\n", i, i <= 34 ? "A" : i <= 59 ? "B" : i <= 66 ? "C" : "D", i % 2 }' >cells.tsv
ran "one matrix" meta --cells cells.tsv --members m.tsv -o r.zst rna.csv
t_true "types that are left out or small are named" "grep -q \"'D' has 2 cells, fewer than 5 (--min-cells): left out\" log && grep -q \"'C' has 7 cells, no more than the 10 of a metacell: one metacell of all of them\" log"
t_true "cells without a type are counted" "grep -q 'RNA cells with a cell type: kept 68 cells, lost 2' log && grep -q 'with at least 5 cells: kept 3 types, lost 1' log"
tsv r.zst r.tsv
# 2 round(34 / 10) = 6 of A; 2 round(2.5) = 4 of B, half to even; 1 of C
t_true "as many as the cells of the type over the size, twice" '[ "$(cut -f1 r.tsv | sed 1d | cut -d_ -f1 | uniq -c | tr -s " " | tr "\n" ";")" = " 6 A; 4 B; 1 C;" ] || { head r.tsv; false; }'
t_true "10 cells each, each once, 7 of C" '[ "$(sed 1d m.tsv | grep -v ^# | cut -f1,4 | sort -u | cut -f1 | uniq -c | awk "{ print \$1 }" | sort -n | uniq -c | tr -s " " | tr "\n" ";")" = " 1 7; 10 10;" ]'
by_hand() { # MEMBERS ASSAY CSV FUNCTION: the rows in the order of the members' file
    awk -v a="$2" -v f="$4" 'FNR == 1 { file++ } file == 1 { n = split($0, x, ","); if (FNR == 1) { for (j = 2; j <= n; j++) name[j] = x[j]; cols = n } else for (j = 2; j <= n; j++) v[x[1], j] = x[j]; next }
        /^#/ || /^metacell\t/ { next } { split($0, y, "\t") } y[3] == a { if (!(y[1] in of)) { of[y[1]] = 1; list[++k] = y[1] } cells[y[1]]++; for (j = 2; j <= cols; j++) s[y[1], j] += v[y[4], j] }
        END { printf "cell"; for (j = 2; j <= cols; j++) printf "\t%s", name[j]; print ""
            for (i = 1; i <= k; i++) { printf "%s", list[i]; for (j = 2; j <= cols; j++) printf "\t%.6g", s[list[i], j] / (f == "mean" ? cells[list[i]] : 1); print "" } }' "$3" "$1"
}
by_hand m.tsv rna rna.csv sum >want
t_cmp "sums by hand" want r.tsv
t_true "labels and number of cells are kept" 'zstd -dcq r.zst | head -c 3000 | grep -aq "row.n_cells" && zstd -dcq r.zst | head -c 3000 | grep -aq "row.cell_type"'
ran "means" meta -q --cells cells.tsv --combine mean -o mean.zst rna.csv
tsv mean.zst mean.tsv
by_hand m.tsv rna rna.csv mean >want
awk -F'\t' 'NR == FNR { w[FNR] = $0; next } { split(w[FNR], x, "\t"); for (j = 2; FNR > 1 && j <= NF; j++) if (($j - x[j]) ^ 2 > 1e-10) bad = 1 } END { exit bad || FNR != 12 }' want mean.tsv
t__say $? "means by hand, of the same cells"

# joined cells: the same cells in both assays, whatever the suffix
ran "both assays of the same cells" meta --cells cells.tsv --members mp.tsv -o rp.zst -a ap.zst rna.csv atac.csv
t_true "joined without the suffix" "grep -q 'cells: 70 in both of 70 RNA and 70 ATAC cells (0 by exact barcode, 70 without the -N suffix' log"
t_true "no word of chance" "! grep -q 'at random' log"
tsv rp.zst rp.tsv; tsv ap.zst ap.tsv
t_cmp "the RNA as without ATAC" r.tsv rp.tsv
by_hand mp.tsv atac atac.csv sum >want
t_cmp "ATAC sums by hand" want ap.tsv
t_true "the same cells" '[ "$(awk -F"\t" "\$3 == \"rna\" { print \$1, substr(\$4, 1, 3) }" mp.tsv)" = "$(awk -F"\t" "\$3 == \"atac\" { print \$1, \$4 }" mp.tsv)" ]'

# different cells of the same types; B has 5 ATAC cells, A more in ATAC than in RNA
awk 'BEGIN { print "barcode\tcell_type"; for (i = 1; i <= 70; i++) printf "c%02d\t%s\n", i, i <= 50 ? "A" : i <= 55 ? "B" : "E" }' >atac_cells.tsv
u="--pair types --cells cells.tsv --atac-cells atac_cells.tsv"
ran "different cells" meta $u --members mu.tsv -o ru.zst -a au.zst rna.csv atac.csv
t_true "chance is told" "grep -q 'different cells: within a type their metacells are paired at random' log"
t_true "types of one assay are told" "grep -q \"'C' has 7 RNA and 0 ATAC cells, fewer than 5\" log && grep -q \"'E' has 0 RNA and 15 ATAC cells, fewer\" log && grep -q \"'B' has 25 RNA and 5 ATAC cells, no more than the 10\" log"
tsv ru.zst ru.tsv; tsv au.zst au.tsv
t_true "the same rows" '[ "$(cut -f1 ru.tsv | sed 1d | tr "\n" " ")" = "A_0 A_1 A_2 A_3 A_4 A_5 B_0 " ] && [ "$(cut -f1 ru.tsv)" = "$(cut -f1 au.tsv)" ]'
by_hand mu.tsv rna rna.csv sum >want
t_cmp "RNA by hand" want ru.tsv
by_hand mu.tsv atac atac.csv sum >want
t_cmp "ATAC by hand" want au.tsv
t_true "10 cells of RNA, the 5 of ATAC" '[ "$(grep -c "^B_0.*rna" mu.tsv)" = 10 ] && [ "$(grep -c "^B_0.*atac" mu.tsv)" = 5 ]'
t_true "not the same cells" '[ "$(awk -F"\t" "\$1 == \"A_0\" && \$3 == \"rna\" { print substr(\$4, 1, 3) }" mu.tsv)" != "$(awk -F"\t" "\$1 == \"A_0\" && \$3 == \"atac\" { print \$4 }" mu.tsv)" ]'

# donors
ran "by donor" meta --cells cells.tsv --by donor --per-type 3 --size 4 --members md.tsv -o rd.zst rna.csv
t_true "metacells of one donor" '[ "$(grep -v "^#" md.tsv | sed 1d | awk -F"\t" "{ n = substr(\$5, 2, 2) + 0; if (\$1 !~ \"^\" \$2 \"_d\" n % 2 \"_\" || \$3 != \"d\" n % 2) print }" | wc -l)" = 0 ] && grep -q ^A_d0_2 md.tsv && ! grep -q ^A_d0_3 md.tsv'
t_true "4 of C are 1 metacell" 'grep -q "^C_d0_0" md.tsv && ! grep -q "^C_d0_1" md.tsv'

# order of the input, threads, memory, seeds
for n in 1 2; do meta -q -@ $n $u -o r$n.zst -a a$n.zst --members m$n.tsv rna.csv atac.csv; done
t_cmp "RNA: same bytes for -@ 1 and 2" r1.zst r2.zst
t_cmp "ATAC: same bytes for -@ 1 and 2" a1.zst a2.zst
meta -q --max-mem 400 $u -o rm.zst -a am.zst rna.csv atac.csv
t_cmp "RNA: same bytes with little memory" r1.zst rm.zst
t_cmp "ATAC: same bytes with little memory" a1.zst am.zst
for f in rna atac; do { head -n 1 $f.csv; tail -n +2 $f.csv | sort -t, -k3,3n -k2,2r; } >s_$f.csv; done
for f in cells atac_cells; do { head -n 1 $f.tsv; tail -n +2 $f.tsv | sort -r; } >s_$f.tsv; done
ran "shuffled cells" meta -q --pair types --cells s_cells.tsv --atac-cells s_atac_cells.tsv -o rs.zst -a as.zst --members ms.tsv s_rna.csv s_atac.csv
data() { zstd -dcq "$1" >data.tmp; tail -c +$(($(od -An -t u8 -N 8 data.tmp) + 9)) data.tmp >"$1.data"; } # without the header
for f in r1 rs a1 as; do data $f.zst; done
t_cmp "RNA: same values" r1.zst.data rs.zst.data
t_cmp "ATAC: same values" a1.zst.data as.zst.data
t_cmp "same members" m1.tsv ms.tsv
grn-view -q --from counts --orient cells -O zst -o rna.zst rna.csv
ran "a container, read in blocks" meta -q --cells cells.tsv -o rc.zst rna.zst
tsv rc.zst rc.tsv
t_cmp "as from the csv" r.tsv rc.tsv
awk -F'\t' 'NR == 1 || $2 == "A"' cells.tsv >only_a.tsv
ran "fewer types" meta -q --cells only_a.tsv -o ra.zst rna.csv
tsv ra.zst ra.tsv
t_true "do not change the metacells of the others" '[ "$(grep ^A_ ra.tsv)" = "$(grep ^A_ r.tsv)" ]'
ran "another seed" meta -q --seed 9 --cells cells.tsv -o r9.zst rna.csv
tsv r9.zst r9.tsv
t_true "draws others" '[ "$(grep ^A_ r9.tsv)" != "$(grep ^A_ r.tsv)" ] && [ "$(grep ^C_ r9.tsv)" = "$(grep ^C_ r.tsv)" ]'
# values that are no counts: sums in the order of names, so that the order of the file does not matter
awk 'BEGIN { srand(4); print "cell,G1,G2,G3"; for (i = 1; i <= 60; i++) printf "c%02d-1,%.7f,%.4f,%.9f\n", i, rand() * 100, rand() / 1000, rand() - 0.5 }' >f.csv
{ head -n 1 f.csv; tail -n +2 f.csv | sort -t, -k2,2; } >fs.csv
meta -q --cells cells.tsv -o f1.zst f.csv; meta -q --cells cells.tsv -o f2.zst fs.csv
data f1.zst; data f2.zst
t_cmp "normalised values in another order: same bytes" f1.zst.data f2.zst.data
ran "links of metacells" grn-build link -q --expression raw --accessibility raw -f <(printf 'G1\nG2\n') -t tg.zst ru.zst au.zst

# bad input
t_exit 2 "grn-build metacells: give a file for the ATAC*" "no ATAC output" meta -o x.zst rna.csv atac.csv
t_exit 2 "grn-build metacells: --atac-output needs*" "no ATAC" meta -o x.zst -a y.zst rna.csv
t_exit 2 "grn-build metacells: --pair types needs*" "types of one matrix" meta --pair types -o x.zst rna.csv
t_exit 2 "grn-build metacells: --atac-cells is for*" "labels of joined ATAC cells" meta --atac-cells cells.tsv -o x.zst -a y.zst rna.csv atac.csv
t_exit 2 "grn-build metacells: --output, --atac-output*twice*" "one file for two" meta -o x.zst -a x.zst rna.csv atac.csv
t_exit 1 "grn-build metacells: 'rna.csv' has no labels 'cell_type' of its cells; it has: none*" "unpaired without types" meta --pair types -o x.zst -a y.zst rna.csv atac.csv
t_exit 1 "grn-build metacells: 'rna.csv' has no labels 'batch'*cell_type, donor*" "no such column" meta --cells cells.tsv --by batch -o x.zst rna.csv
sed '1!s/^c/d/' atac.csv >far.csv
t_exit 3 "grn-build metacells: 0 of 70 barcodes*first names: c01-1 vs d70; for different cells*--pair types" "no cell in both" meta --cells cells.tsv -o x.zst -a y.zst rna.csv far.csv
sed 's/\tA$/\tX/; s/\tB$/\tY/' atac_cells.tsv >xy.tsv
t_exit 3 "grn-build metacells: no cell type has 5 cells in both assays*A, B, C, *ATAC: E, X, Y*" "no type in both" meta --pair types --cells cells.tsv --atac-cells xy.tsv -o x.zst -a y.zst rna.csv atac.csv
awk -F, 'NR == 1 || /^c0/ { if (NR > 1) $2 = 9000000; print $1 "," $2 }' rna.csv >big.csv
t_exit 1 "grn-build metacells: 'big.csv': the sum of G1 in metacell 'all_0' is 81000000*" "sums beyond float32" meta -o x.zst big.csv
t_ok "their mean" meta -q --combine mean -o big.zst big.csv
t_exit 1 "grn-build metacells: *full*" "disk full" meta -q --cells cells.tsv -o /dev/full rna.csv
t_true "no file is left" '[ ! -e x.zst ] && [ ! -e y.zst ]'
ran "without types" meta -o all.zst rna.csv
t_true "it is said" "grep -q 'no cell types: metacells are drawn from all cells' log"

# ArchR's PBMC: RNA and ATAC of different cells that carry the same barcodes
if t_data atac/archr_pbsmall; then
    archr=$GRN_DATA/atac/archr_pbsmall
    mkdir rna
    cp "$archr/rna.mtx.gz" rna/matrix.mtx.gz
    cut -f1 "$archr/rna_barcodes.tsv" | gzip >rna/barcodes.tsv.gz
    awk '{ print $4 "\t" $4 }' "$archr/rna_genes.bed" | gzip >rna/genes.tsv.gz
    { printf 'barcode\tcell_type\n'; cut -f1,2 "$archr/rna_barcodes.tsv"; } >types.tsv
    { printf 'barcode\tcell_type\n'; cut -f1,2 "$archr/atac_barcodes_celltype.tsv"; } >atypes.tsv
    cut -f1-3 "$archr/peakset.tsv" >peaks.bed
    grn-build count -q -r peaks.bed "$archr/fragments.tsv.gz" -o pbmc.atac.zst
    ran "ArchR PBMC" meta --pair types --cells types.tsv --atac-cells atypes.tsv -o pbmc.r.zst -a pbmc.a.zst rna pbmc.atac.zst
    t_true "30 metacells of 3 types" "grep -q '30 metacells of up to 10 cells' log"
    printf 'PAX5\nEBF1\nTCF7\nETS1\n' >some.txt
    ran "are linked" grn-build link -f some.txt -g "$archr/rna_genes.bed" -t pbmc.tg.zst -r pbmc.rg.zst pbmc.r.zst pbmc.a.zst
    t_true "30 of 30 pairs" "grep -q 'cells: 30 in both of 30 RNA and 30 ATAC cells (30 by exact barcode' log"
    grn-view -q -O tsv pbmc.rg.zst >pbmc.rg.tsv
    # the MS4A1 promoter is open in B cells alone, which alone express it (README of the data)
    t_true "MS4A1 goes with a region near it" 'awk -F"\t" "/^#/ { next } !h { h = 1; for (i = 1; i <= NF; i++) c[\$i] = i; next } \$c[\"gene\"] == \"MS4A1\" && \$c[\"rho_rg\"] > 0.8 { n++ } END { exit !n }" pbmc.rg.tsv'
fi
