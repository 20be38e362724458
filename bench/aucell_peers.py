"""AUCell of pySCENIC and decoupler on the matrix and the sets of aucell.sh: seconds of the scoring alone, matrix and sets already in
memory. usage: aucell_peers.py COUNTS.h5ad SETS.gmt pyscenic|decoupler THREADS [CELLS]"""
import os, resource, sys, time

threads = sys.argv[4]
for v in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[v] = threads
import anndata, numpy as np, pandas as pd

a = anndata.read_h5ad(sys.argv[1])
if len(sys.argv) > 5:
    a = a[: int(sys.argv[5])].copy()
sets = {f[0]: f[2:] for f in (line.rstrip("\n").split("\t") for line in open(sys.argv[2]))}


def cpu():
    t = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(x.ru_utime + x.ru_stime for x in t)


if sys.argv[3] == "pyscenic":
    import pyscenic
    from ctxcore.genesig import GeneSignature
    from pyscenic.aucell import aucell

    what = "pyscenic " + __import__("importlib.metadata").metadata.version("pyscenic")
    signatures = [GeneSignature(name=k, gene2weight={g: 1.0 for g in v}) for k, v in sets.items()]
    ex = pd.DataFrame(a.X.toarray(), index=a.obs_names, columns=a.var_names)
    w, c = time.time(), cpu()
    out = aucell(ex, signatures, auc_threshold=0.05, noweights=True, num_workers=int(threads), seed=1)
else:
    import decoupler as dc

    what = "decoupler " + dc.__version__
    net = pd.DataFrame([(k, g) for k, v in sets.items() for g in v], columns=["source", "target"])
    top = int(round(0.05 * a.n_vars))
    dc.mt.aucell(a[:64].copy(), net, tmin=1, n_up=top)  # compiles
    w, c = time.time(), cpu()
    dc.mt.aucell(a, net, tmin=1, n_up=top)
    out = a.obsm["score_aucell"]
w, c = time.time() - w, cpu() - c
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print("%s: %d cells x %d sets, %s threads: %.2f s wall, %.2f s CPU, %.2f GB peak, mean %.5f" %
      (what, *out.shape, threads, w, c, peak, float(np.asarray(out).mean())))
