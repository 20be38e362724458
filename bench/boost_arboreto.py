"""Importances of TFs for genes by arboreto (GRNBoost2, GENIE3), by |Pearson| or at random: what grn-build link is measured beside.
usage: boost_arboreto.py EXPRESSION.csv TFS.txt METHOD SEED OUT.tsv
EXPRESSION: genes x cells, comma or tab, .gz or not. TFS: names, one a line; those that are genes are used. METHOD:
  grnboost2        arboreto.core as pySCENIC's arboreto_with_multiprocessing calls it, target by target; scikit-learn before 1.3
  grnboost2_sk13   the same with scikit-learn 1.3 or later, whose oob_improvement_ compares each tree's out-of-bag cells with those of
                   the tree before; arboreto stops on its mean, so far earlier
  genie3           arboreto.core with 1,000 trees of a random forest
  pearson, random  need only numpy
OUT: TF, target, importance, with a header. Stderr gets one line: versions, targets, trees, CPU."""
import gzip
import os
import sys
import time
import types

import numpy as np


def open_text(path):
    return gzip.open(path, "rt") if path.endswith(".gz") else open(path)


def read_csv(path):
    """Genes, X (cells x genes, F64)."""
    with open_text(path) as f:
        sep = "\t" if "\t" in f.readline() else ","
        rows = [line.rstrip("\n").split(sep) for line in f]
    return [r[0].strip('"') for r in rows], np.ascontiguousarray(np.array([r[1:] for r in rows], dtype=np.float64).T)


def arboreto_core():
    """arboreto.core without dask, which only its whole-matrix functions need."""
    pandas = __import__("pandas")
    dask, frame, utils = (types.ModuleType(n) for n in ("dask", "dask.dataframe", "dask.dataframe.utils"))
    dask.delayed = frame.from_delayed = None
    utils.make_meta = lambda columns: pandas.DataFrame({k: [] for k in columns})
    sys.modules.update({m.__name__: m for m in (dask, frame, utils)})
    import arboreto.core

    return arboreto.core


def sklearn_version():
    import sklearn

    return sklearn.__version__, tuple(int(v) for v in sklearn.__version__.split(".")[:2])


def fit(core, method, X, genes, tfs, targets, seed, n_estimators=None):
    """Links (TF, target, importance) and trees of each target, in the order given."""
    kind, kwargs = ("RF", core.RF_KWARGS) if method == "genie3" else ("GBM", core.SGBM_KWARGS)
    if n_estimators:
        kwargs = dict(kwargs, n_estimators=n_estimators)
    tf_matrix, tf_names = core.to_tf_matrix(X, genes, set(tfs))
    at = {g: i for i, g in enumerate(genes)}
    for target in targets:
        y = X[:, at[target]]
        links, meta = core.infer_partial_network(kind, kwargs, tf_matrix, tf_names, target, y, include_meta=True, seed=seed)
        if not len(meta):
            sys.exit(f"arboreto gave up on {target}")
        yield list(zip(links["TF"], links["target"], links["importance"])), int(meta["n_estimators"].iloc[0])


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    expression, tf_file, method, seed, out = sys.argv[1:4] + [int(sys.argv[4]), sys.argv[5]]
    if method not in ("grnboost2", "grnboost2_sk13", "genie3", "pearson", "random"):
        sys.exit(__doc__)
    genes, X = read_csv(expression)
    listed = {line.strip() for line in open(tf_file)}
    tfs = [g for g in genes if g in listed]
    start, trees, versions = time.process_time(), 0, "numpy " + np.__version__
    if method in ("pearson", "random"):
        if method == "random":
            score = np.random.default_rng(seed).random((len(genes), len(genes)))
        else:
            z = X - X.mean(axis=0)
            norm = np.sqrt((z * z).sum(axis=0))
            z /= np.where(norm > 0, norm, 1)
            score = np.abs(z.T @ z)
        at = {g: i for i, g in enumerate(genes)}
        found = ([(t, g, score[at[t], at[g]]) for t in tfs if t != g] for g in genes)
    else:
        core = arboreto_core()
        text, version = sklearn_version()
        versions += ", scikit-learn " + text
        if method != "genie3" and (version >= (1, 3)) != (method == "grnboost2_sk13"):
            sys.exit(f"{method} with scikit-learn {text}: the stopping rule differs from 1.3 on, see above\n\n{__doc__}")

        def each():
            nonlocal trees
            for links, n in fit(core, method, X, genes, tfs, genes, seed):
                trees += n
                yield links

        found = each()
    with open(out + ".part", "w") as f:
        f.write("TF\ttarget\timportance\n")
        for links in found:
            f.writelines("%s\t%s\t%.9g\n" % link for link in links)
    os.rename(out + ".part", out)
    cpu = time.process_time() - start
    per = f", {trees} trees ({trees / len(genes):.1f} a target, {1e3 * cpu / trees:.3f} ms each)" if trees else ""
    sizes = f"{X.shape[0]} cells, {len(tfs)} TFs, {len(genes)} targets"
    print(f"{method} seed {seed}: {sizes}{per}, {cpu:.1f} s CPU; {versions}", file=sys.stderr)


if __name__ == "__main__":
    main()
