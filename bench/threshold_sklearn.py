#!/usr/bin/env python3
"""Mixtures of grn-threshold against sklearn.mixture.GaussianMixture: CPU time of a fit, log-likelihood of the same values.

usage: threshold_sklearn.py AUC ROUNDS [COLUMNS=100]      AUC: cells x regulons (grn.matrix/1)

Ours: the whole command on one thread (reading, every class, writing), divided by the regulons. Theirs: .fit() of standardised columns that
are in memory, one thread, (a) as it comes (tol 1e-3), (b) once, to convergence (tol 1e-8, 2,000 iterations). Rounds alternate. Where our fit set a
point mass aside (more than a fifth of the values), both see the rest.
"""
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

warnings.simplefilter("ignore", ConvergenceWarning)
auc, rounds = sys.argv[1], int(sys.argv[2])
n_columns = int(sys.argv[3]) if len(sys.argv) > 3 else 100
tmp = tempfile.mkdtemp()


def ours():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["grn-threshold", "-q", "-@", "1", "--by", "all", "-o", tmp + "/a.zst", "--tsv", tmp + "/a.tsv", auc], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


ours()
head, *rows = [r.rstrip("\n").split("\t") for r in open(tmp + "/a.tsv")]
fits = [dict(zip(head, r)) for r in rows]
chosen = [f for f in fits[:: max(1, len(fits) // n_columns)] if f["mean1"] != "NA"]
text = subprocess.run(["grn-view", "-q", "--gene", ",".join(f["regulon"] for f in chosen), "-O", "tsv", auc], check=True, capture_output=True,
                      text=True).stdout.splitlines()
names = text[0].split("\t")[1:]
x = np.array([r.split("\t")[1:] for r in text[1:]], dtype=np.float32).T.astype(float)
values = []
for f in chosen:
    v = x[names.index(f["regulon"])]
    if int(f["n_atom"]):
        level, count = np.unique(v, return_counts=True)
        v = v[v != level[count.argmax()]]
    values.append(v)

seconds = {"ours": [], "as it comes": [], "to convergence": []}
settings = {"as it comes": {}, "to convergence": {"tol": 1e-8, "max_iter": 2000}}
best = {}
for _ in range(rounds):
    seconds["ours"].append(ours() / len(fits))
    for name, setting in settings.items():
        if name == "to convergence" and best.get(name):
            continue
        begin = time.process_time()
        models = [GaussianMixture(2, random_state=0, **setting).fit((v - v.mean())[:, None] / v.std()) for v in values]
        seconds[name].append((time.process_time() - begin) / len(values))
        best[name] = models
print(f"scikit-learn {sklearn.__version__}, {len(values)} of {len(fits)} regulons, {len(x[0])} cells, {rounds} rounds")
print(f"ours: {1e3 * np.median(seconds['ours']):.3f} ms a regulon, all included")
for name in settings:
    ratio = np.array(seconds[name]) / np.array(seconds["ours"][: len(seconds[name])])
    gap, per_value, spikes = [], [], 0
    for f, v, m in zip(chosen, values, best[name]):
        w, mu, sd = (np.array([float(f[k + i]) for i in "12"]) for k in ("weight", "mean", "sd"))
        density = (w / sd * np.exp(-0.5 * ((v[:, None] - mu) / sd) ** 2)).sum(1) / np.sqrt(2 * np.pi)
        theirs = (m.score((v - v.mean())[:, None] / v.std()) - np.log(v.std())) * len(v)
        gap.append(np.log(density).sum() - theirs)
        per_value.append(gap[-1] / len(v))
        spikes += gap[-1] < -1e-3 and m.covariances_.min() < 1e-3
    q = np.quantile(gap, [0, 0.05, 0.5, 0.95, 1])
    print(f"theirs {name}: {1e3 * np.median(seconds[name]):.2f} ms a fit; times ours {np.median(ratio):.1f} ({ratio.min():.1f} to {ratio.max():.1f})")
    print(f"  log-likelihood ours - theirs: min {q[0]:.3g}, 5 % {q[1]:.3g}, median {q[2]:.3g}, 95 % {q[3]:.3g}, max {q[4]:.3g}; per value at worst "
          f"{min(per_value):.2g}; below by more than 0.001: {sum(g < -1e-3 for g in gap)}, of them {spikes} where theirs lies below our floor")
