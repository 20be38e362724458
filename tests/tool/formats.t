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
