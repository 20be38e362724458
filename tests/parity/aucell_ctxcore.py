"""grn-aucell against ctxcore, and against pySCENIC where that can be imported. usage: aucell_ctxcore.py CELLS.csv SETS.gmt EDGES.tsv
PLAIN.tsv WEIGHTED.tsv COMPAT.tsv
CELLS.csv: cells x genes whose values differ wherever they count, so that there is one ranking; SETS.gmt; EDGES.tsv: tf, gene, weight.
PLAIN.tsv: scores of SETS.gmt; WEIGHTED.tsv: of the edges with --weights; COMPAT.tsv: of SETS.gmt with
--compat. ctxcore computes in double; a score must be that number rounded to float32. ctxcore 0.2.0 and pyscenic 0.12.1 agree."""
import sys
import numpy as np, pandas as pd
from ctxcore.genesig import GeneSignature
from ctxcore.recovery import enrichment4cells

x = pd.read_csv(sys.argv[1], index_col=0)
gmt = {f[0]: {g: 1.0 for g in f[2:]} for f in (line.rstrip("\n").split("\t") for line in open(sys.argv[2]))}
edges = pd.read_csv(sys.argv[3], sep="\t", comment="#").groupby(["tf", "gene"])["weight"].max()
edges = edges.astype(np.float32).astype(float)  # as they are stored
weighted = {k: edges[k].to_dict() for k in edges.index.levels[0]}
scores = [pd.read_csv(f, sep="\t", index_col=0, comment="#") for f in sys.argv[4:7]]
rank = (x.rank(axis=1, ascending=False, method="first") - 1).astype(np.uint32)
n = 0


def check(what, sets, got, zeros):
    global n
    present = {k: np.mean([g in x.columns for g in v]) >= 0.8 for k, v in sets.items()}
    want_columns = sorted(k for k in sets if zeros or present[k])
    if list(got.columns) != want_columns:
        sys.exit("%s: columns %s, expected %s" % (what, list(got.columns), want_columns))
    for k in want_columns:
        s = GeneSignature(name=k, gene2weight=sets[k])
        want = enrichment4cells(rank, s, 0.05)["AUC"].droplevel("Regulon").astype(np.float32)
        if not (got[k].astype(np.float32) == want[got.index]).all():
            sys.exit("%s, %s:\n%s" % (what, k, pd.DataFrame({"got": got[k], "want": want})[got[k].astype(np.float32) != want]))
        n += len(want)


check("plain", gmt, scores[0], False)
check("weighted", weighted, scores[1], False)
check("compat", gmt, scores[2], True)
print("%d scores agree with ctxcore" % n)
try:
    from pyscenic.aucell import aucell
except ImportError:
    sys.exit(0)
signatures = [GeneSignature(name=k, gene2weight=v) for k, v in gmt.items()]
want = aucell(x, signatures, auc_threshold=0.05, noweights=True, num_workers=1, seed=1)
got = scores[2]
if list(want.columns) != list(got.columns) or not (want.loc[got.index].astype(np.float32) == got.astype(np.float32)).all(axis=None):
    sys.exit("pySCENIC differs")
print("%d scores agree with pySCENIC" % got.size)
