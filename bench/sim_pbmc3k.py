#!/usr/bin/env python3
"""Counts of grn-sim beside those of 10x PBMC 3k: gene means, variance and zero fraction by mean, UMIs and genes per cell.

usage: sim_pbmc3k.py REAL_MTX_DIR SIM_H5 OUT_PREFIX
  REAL_MTX_DIR  folder with matrix.mtx.gz (genes x cells)
  SIM_H5        counts.h5 of `grn-sim -x pbmc3k --no-atac`
Writes OUT_PREFIX.tsv (the curves) and OUT_PREFIX.svg (gnuplot), and prints the table of docs/simulator.md. Needs numpy, scipy, h5py, gnuplot.
"""
import gzip
import subprocess
import sys

import h5py
import numpy as np
import scipy.io
import scipy.sparse as sp


def load_mtx(folder):
    with gzip.open(folder + "/matrix.mtx.gz") as f:
        return scipy.io.mmread(f).T.tocsr().astype(float)


def load_10x(path):
    with h5py.File(path) as f:
        m = f["matrix"]
        n_genes, n_cells = m["shape"][:]
        return sp.csr_matrix((m["data"][:].astype(float), m["indices"][:], m["indptr"][:]), shape=(n_cells, n_genes))


def genes(x):
    """Mean, variance and share of zeros of the genes seen in at least 3 cells (the filter PBMC 3k went through)."""
    seen = np.asarray((x > 0).sum(0)).ravel()
    x = x[:, seen >= 3]
    mean = np.asarray(x.mean(0)).ravel()
    var = np.asarray(x.multiply(x).mean(0)).ravel() - mean ** 2
    zero = 1 - np.asarray((x > 0).sum(0)).ravel() / x.shape[0]
    return mean, var, zero


def curve(x, edges):
    """Rows (mean, n, quartiles of variance/mean, quartiles of zero share, Poisson zeros) per bin of the mean."""
    mean, var, zero = genes(x)
    rows = []
    for lo, hi in zip(edges[:-1], edges[1:]):
        k = (mean >= lo) & (mean < hi)
        if k.sum() < 5:
            rows.append(None)
            continue
        rows.append([np.median(mean[k]), k.sum(), *np.percentile(var[k] / mean[k], [25, 50, 75]), *np.percentile(zero[k], [25, 50, 75]), np.exp(-np.median(mean[k]))])
    return rows


PLOT = """
set terminal svg size 900,380 font 'sans,11' background '#ffffff'
set output '{0}.svg'
set multiplot layout 1,2
set logscale x; set xlabel 'mean count of the gene'; set key top left; set grid lc '#dddddd'
set format x '10^{{%T}}'
set logscale y; set yrange [0.7:50]; set ylabel 'variance / mean'
plot '{0}.tsv' index 0 u 1:4:3:5 w yerrorlines lw 1.5 pt 7 ps 0.4 lc '#222222' t 'PBMC 3k', '' index 1 u 1:4:3:5 w yerrorlines lw 1.5 pt 6 ps 0.5 lc '#c0392b' t 'grn-sim', 1 dt 2 lc '#888888' t 'Poisson'
unset logscale y; set yrange [0:1]; set ylabel 'share of cells with 0'; set key top right
plot '{0}.tsv' index 0 u 1:7:6:8 w yerrorlines lw 1.5 pt 7 ps 0.4 lc '#222222' t 'PBMC 3k', '' index 1 u 1:7:6:8 w yerrorlines lw 1.5 pt 6 ps 0.5 lc '#c0392b' t 'grn-sim', exp(-x) dt 2 lc '#888888' t 'Poisson'
"""


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    real, sim, out = load_mtx(sys.argv[1]), load_10x(sys.argv[2]), sys.argv[3]
    edges = 10 ** np.arange(-3, 2.01, 0.25)
    curves = [curve(real, edges), curve(sim, edges)]
    with open(out + ".tsv", "w") as f:
        for name, rows in zip(["PBMC 3k", "grn-sim"], curves):
            f.write("# %s: mean, genes, variance/mean quartiles, zero share quartiles, exp(-mean)\n" % name)
            for r in rows:
                if r:
                    f.write("\t".join("%.5g" % v for v in r) + "\n")
            f.write("\n\n")
    subprocess.run(["gnuplot"], input=PLOT.format(out).encode(), check=True)
    print("| mean of the bin | genes real / sim | variance/mean real / sim | zeros real / sim | zeros Poisson |\n|---|---|---|---|---|")
    for (lo, hi), a, b in zip(zip(edges[:-1], edges[1:]), *curves):
        if a and b:
            print("| %.3g-%.3g | %d / %d | %.2f / %.2f | %.4f / %.4f | %.4f |" % (lo, hi, a[1], b[1], a[3], b[3], a[6], b[6], np.exp(-(a[0] + b[0]) / 2)))
    print("\n| quantile | 5 % | 25 % | 50 % | 75 % | 95 % | 99 % |\n|---|---|---|---|---|---|---|")
    q = [5, 25, 50, 75, 95, 99]
    for name, x in (("PBMC 3k", real), ("grn-sim", sim)):
        umi, det = np.asarray(x.sum(1)).ravel(), np.diff(x.indptr)
        print("| UMIs per cell, %s | " % name + " | ".join("%.0f" % v for v in np.percentile(umi, q)) + " |")
        print("| genes per cell, %s | " % name + " | ".join("%.0f" % v for v in np.percentile(det, q)) + " |")
        print("| gene mean, %s | " % name + " | ".join("%.4f" % v for v in np.percentile(genes(x)[0], q)) + " |")


if __name__ == "__main__":
    main()
