"""grn-build dar against scipy and a plain numpy moderated t. usage: dar_scipy.py CELLS.csv LABELS.tsv WILCOXON.tsv PSEUDOBULK.tsv
CELLS.csv: cells x regions of counts; LABELS.tsv: barcode, cell_type, donor; the tables: --all, every label against the rest.
Independent of the tool: mannwhitneyu (asymptotic, no continuity correction) on shares; pairs of donors, natural cubic spline by
lstsq, trigamma inverted by brentq. scipy 1.17.1 agrees to the six digits that are written."""
import csv, sys
import numpy as np
from scipy import optimize, special, stats

rows = list(csv.reader(open(sys.argv[1])))
regions, cells = rows[0][1:], [r[0] for r in rows[1:]]
X = np.array([[float(v) for v in r[1:]] for r in rows[1:]])
label = {r["barcode"]: (r["cell_type"], r["donor"]) for r in csv.DictReader(open(sys.argv[2]), delimiter="\t")}
kind, donor = (np.array([label[c][k] for c in cells]) for k in (0, 1))
at = {r: j for j, r in enumerate(regions)}
share = (X / X.sum(1, keepdims=True)).astype(np.float32).astype(float)


def close(what, got, want, rel=2e-5):
    if not abs(float(got) - want) <= rel * max(abs(want), 1e-3):
        sys.exit("%s: %s, expected %r" % (what, got, want))


n = 0
for d in csv.DictReader(open(sys.argv[3]), delimiter="\t"):
    a = kind == d["contrast"][: -len("_vs_rest")]
    x = share[:, at[d["region"]]]
    if np.ptp(x) == 0:
        continue
    r = stats.mannwhitneyu(x[a], x[~a], use_continuity=False, method="asymptotic")
    close("p of %(contrast)s %(region)s" % d, d["log10_p"], np.log10(r.pvalue))
    close("auroc of %(contrast)s %(region)s" % d, d["auroc"], r.statistic / a.sum() / (~a).sum())
    n += 1


def natural_basis(x, knots):  # truncated powers, linear beyond the outer knots
    cols = [np.ones_like(x), x]
    cube = lambda k: np.maximum(x - k, 0) ** 3
    d = lambda k: (cube(k) - cube(knots[-1])) / (knots[-1] - k)
    return np.stack(cols + [d(k) - d(knots[-2]) for k in knots[:-2]], 1)


m = 0
table = list(csv.DictReader(open(sys.argv[4]), delimiter="\t"))
for contrast in sorted({d["contrast"] for d in table}):
    mine = [d for d in table if d["contrast"] == contrast]
    a = kind == contrast[: -len("_vs_rest")]
    donors = sorted(set(donor))
    sums = np.array([X[(donor == q) & s].sum(0) for s in (a, ~a) for q in donors])
    size = sums.sum(1, keepdims=True)
    prior = 2 * size / size.mean()
    Y = np.log2((sums + prior) / (size + 2 * prior) * 1e6)[:, [at[d["region"]] for d in mine]]
    diff = Y[: len(donors)] - Y[len(donors):]
    df = len(donors) - 1
    s2 = diff.var(0, ddof=1) / 2
    x = Y.mean(0)
    floor = np.maximum(s2, 1e-5 * np.median(s2))
    z = np.log(floor) - special.digamma(df / 2) + np.log(df / 2)
    B = natural_basis(x, np.quantile(x, [0, 1 / 3, 2 / 3, 1]))
    fit = B @ np.linalg.lstsq(B, z, rcond=None)[0]
    spread = ((z - fit) ** 2).sum() / (len(z) - 4) - special.polygamma(1, df / 2)
    if spread > 0:
        d0 = 2 * optimize.brentq(lambda y: special.polygamma(1, y) - spread, 1e-9, 1e9)
        post = (d0 * np.exp(fit + special.digamma(d0 / 2) - np.log(d0 / 2)) + df * s2) / (d0 + df)
    else:
        d0, post = np.inf, np.exp(fit)
    t = diff.mean(0) / np.sqrt(post * 2 / len(donors))
    total = min(df + d0, df * len(z))
    p = 2 * stats.t.sf(abs(t), total)
    order = np.argsort(p)
    q = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    adj = np.empty_like(q)
    adj[order] = np.minimum(q, 1)
    for i, d in enumerate(mine):
        name = "%(contrast)s %(region)s" % d
        close("fold change of " + name, d["log2fc"], diff.mean(0)[i])
        close("t of " + name, d["statistic"], t[i])
        close("p of " + name, d["p"], p[i], 1e-4)
        close("adjusted p of " + name, d["p_adj"], adj[i], 1e-4)
        m += 1
print(n, m)
assert n > 100 and m > 100
