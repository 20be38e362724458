# The matrices our writers make, read by the public Python packages; and one matrix in every format, read by the tools.
t_ok "a small multiome" grn-sim -q -n 60 -g 120 -t 8 -r 200 --no-genome -o sim

if python3 -c 'import anndata, h5py, scipy' 2>/dev/null; then
    cat >check.py <<'PY'
import csv, sys, warnings
warnings.filterwarnings("ignore")
import anndata, h5py, numpy as np, scipy.sparse as sp
a = anndata.read_h5ad("sim/counts.h5ad")
h = h5py.File("sim/counts.h5", "r")["matrix"]
n_features, n_cells = h["shape"][:]
b = sp.csr_matrix((h["data"][:], h["indices"][:], h["indptr"][:]), shape=(n_cells, n_features))
kind = np.array([x.decode() for x in h["features/feature_type"][:]])
names = np.array([x.decode() for x in h["features/name"][:]])
genes = kind == "Gene Expression"
assert [x.decode() for x in h["barcodes"][:]] == list(a.obs_names), "barcodes"
assert list(names[genes]) == list(a.var_names), "gene names"
assert isinstance(a.X, sp.csr_matrix) and a.X.dtype == np.float32, type(a.X)
assert abs(a.X - b[:, genes]).sum() == 0 and a.X.sum() > 1000, "values"
rows = list(csv.DictReader(open("sim/cells.tsv"), delimiter="\t"))
key = list(rows[0])[0]
label = {r[key]: r for r in rows}
for column in ("cell_type", "donor"):
    assert a.obs[column].dtype.name == "category", column
    assert [label[c][column] for c in a.obs_names] == list(a.obs[column].astype(str)), column
print(a.shape[0], a.shape[1])
PY
    t_out "anndata and h5py read what the writers wrote" "60 120" python3 check.py
else
    t_skip "anndata and h5py read what the writers wrote" "Python packages anndata, h5py, scipy absent"
fi

# one matrix in every format gives the same text
v() { grn-view -q -O tsv "$@"; }
t_ok "h5ad" v sim/counts.h5ad
cp out want.tsv
t_true "60 cells, 120 genes" "[ $(wc -l <want.tsv) = 61 ] && [ $(head -n 1 want.tsv | wc -w) -ge 120 ]"
same() { # NAME ARGS...
    local n=$1
    shift
    t_ok "$n is read" v "$@"
    t_cmp "$n gives the same matrix" want.tsv out
}
same "10x HDF5" sim/counts.h5
t_ok "to a container" grn-view -q -O zst -o c.tensor.zst sim/counts.h5ad
same "container" c.tensor.zst
t_ok "to a 10x folder" grn-view -q -O mtx -o folder/ sim/counts.h5ad
same "10x folder" folder
t_ok "to h5ad" grn-view -q -O h5ad -o again.h5ad sim/counts.h5
same "h5ad of a 10x file" again.h5ad
same "its own tsv" want.tsv
awk -F'\t' '{ for (j = 1; j <= NF; j++) a[NR, j] = $j; n = NF }
    END { for (j = 1; j <= n; j++) { s = a[1, j]; for (i = 2; i <= NR; i++) s = s "\t" a[i, j]; print s } }' want.tsv >turned.tsv
same "genes as rows" --orient genes turned.tsv
tr '\t' ',' <want.tsv >c.csv
same "csv" --orient cells c.csv
gzip -nc c.csv >c.csv.gz
same "csv.gz" --orient cells c.csv.gz
zstd -qc c.csv >c.csv.zst
same "csv.zst" --orient cells c.csv.zst
if command -v bgzip >/dev/null; then
    bgzip -c c.csv >c.bgz
    same "bgzip" --orient cells c.bgz
fi
cp sim/counts.h5ad wrong.csv
same "h5ad under the name of a csv" wrong.csv
for f in sim/counts.h5ad sim/counts.h5 c.tensor.zst c.csv.gz; do
    grn-view -q -O tsv --orient cells - <$f >out 2>err
    t_cmp "stdin from the file $f" want.tsv out
    cat $f | grn-view -q -O tsv --orient cells - >out 2>err
    t_cmp "stdin from a pipe of $f" want.tsv out
    grn-view -q -O tsv --orient cells <(cat $f) >out 2>err
    t_cmp "pipe as a file, $f" want.tsv out
done
# labels from a table are those of the h5ad, whatever the format
t_ok "cells of the h5ad" grn-view -q -O cells sim/counts.h5ad
cp out cells.tsv
for f in sim/counts.h5 folder c.csv; do
    t_ok "labels by --cells for $f" grn-view -q -O cells --orient cells --cells sim/cells.tsv $f
    t_cmp "the same labels for $f" cells.tsv out
done
t_true "labels are there" "grep -q type1 cells.tsv && grep -q donor1 cells.tsv"
# what is said about policy
cut -f1-3 want.tsv | awk -v OFS='\t' 'NR == 1 { $3 = $2 } { print }' >dup.tsv
t_ok "duplicate genes" grn-view -O tsv --orient cells dup.tsv
cp err said
t_true "their number is said" "grep -q '1 columns have a gene name seen before' said"
t_true "and they are added up" "[ \"\$(sed -n 2p out | cut -f2)\" = \$((\$(sed -n 2p want.tsv | cut -f2) + \$(sed -n 2p want.tsv | cut -f3))) ]"
sed '1!s/-1\t/\t/' sim/cells.tsv >bare.tsv
t_ok "barcodes without suffix" grn-view -O cells --cells bare.tsv sim/counts.h5
cp err said
t_true "it is said" "grep -q 'compared without their' said"
t_cmp "and the labels are the same" cells.tsv out
