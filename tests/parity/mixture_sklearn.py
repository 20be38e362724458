"""Two-component mixtures of grn-threshold against sklearn.mixture.GaussianMixture (any version; written with 1.9).

Columns of many shapes; ours: one deterministic run; theirs: from k-means (their default start), their variance floor set to ours.
The mean log-likelihood per value of our parameters (read from the TSV, six digits) must not be below theirs by more than 1e-5."""
import os
import subprocess
import sys
import warnings

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

warnings.simplefilter("ignore", ConvergenceWarning)
rng = np.random.default_rng(1)


def pair(n, w, m, s):
    return np.where(rng.random(n) < w, rng.normal(m, s, n), rng.normal(0, 1, n))


shapes = {
    "normal": lambda n: rng.normal(size=n), "gamma2": lambda n: rng.gamma(2, size=n), "lognormal": lambda n: rng.lognormal(0, .5, n),
    "beta28": lambda n: rng.beta(2, 8, n), "t5": lambda n: rng.standard_t(5, n), "uniform": lambda n: rng.random(n),
    "even3": lambda n: pair(n, .5, 3, 1), "few3": lambda n: pair(n, .2, 3, 1), "near": lambda n: pair(n, .3, 2.5, 1),
    "rare4": lambda n: pair(n, .05, 4, 1), "narrow": lambda n: pair(n, .2, 4, .5), "wide": lambda n: pair(n, .2, 5, 2),
    "skewtail": lambda n: np.where(rng.random(n) < .2, rng.normal(8, 1, n), rng.gamma(2, size=n)),
}
worst, better, n_fit = 0.0, 0, 0
for n in (200, 1000, 1500):
    cols = {f"{k}_{i}": f(n) * s + a for k, f in shapes.items() for i, (s, a) in enumerate([(1, 0), (1e-3, 1e-4)][:1 if n > 1000 else 2])}
    names = list(cols)
    x = np.array([cols[k] for k in names]).T.astype(np.float32)
    with open("sk.csv", "w") as o:
        o.write("cell," + ",".join(names) + "\n")
        for i in range(n):
            o.write(f"c{i}," + ",".join(repr(float(v)) for v in x[i]) + "\n")
    subprocess.run(["grn-threshold", "-q", "--by", "all", "-o", "sk.zst", "--tsv", "sk.tsv", "sk.csv"], check=True)
    head, *rows = [r.rstrip("\n").split("\t") for r in open("sk.tsv")]
    for row in rows:
        r = dict(zip(head, row))
        v = x[:, names.index(r["regulon"])].astype(float)
        ours = np.log(sum(float(r[f"weight{k}"]) / float(r[f"sd{k}"]) * np.exp(-0.5 * ((v - float(r[f"mean{k}"])) / float(r[f"sd{k}"])) ** 2)
                          for k in (1, 2)) / np.sqrt(2 * np.pi)).mean()
        z = (v - v.mean()) / v.std()
        theirs = GaussianMixture(2, tol=1e-6, max_iter=500, reg_covar=1e-3, random_state=0).fit(z[:, None]).score(z[:, None]) - np.log(v.std())
        worst = min(worst, ours - theirs)
        better += ours > theirs + 1e-5
        n_fit += 1
print(f"# {n_fit} fits: log-likelihood per value at worst {worst:.2e} below scikit-learn's, better in {better}")
sys.exit(int(worst < -1e-5))
