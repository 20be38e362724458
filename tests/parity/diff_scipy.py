"""grn-view diff against scipy. usage: diff_scipy.py ACTIVE.tsv EDGES.tsv LABELS.tsv GROUP_COLUMN VALUE_A TABLE.tsv [DONOR_COLUMN t|permutation]
ACTIVE: cells x regulons of 0 and 1 with the contexts (grn-view -O tsv); EDGES: of several contexts; TABLE: all edges (--max-q 1).
Independent of the tool: Fisher and chi-square from scipy, the exact test over strata by convolving scipy's hypergeometrics, intervals
solved from the score equation, Benjamini-Hochberg over edges from scipy; donors by ttest_ind and ttest_1samp where the binomial floor of the
variance is not at work, by the t distribution where it is, and by all permutations. scipy 1.17.1 agrees to the six digits written."""
import csv, itertools, sys
import numpy as np
from scipy import optimize, stats

active, edges, labels, column, value, table = sys.argv[1:7]
donor_column, donor_test = sys.argv[7:9] if len(sys.argv) > 7 else (None, None)
cells = list(csv.DictReader(open(active), delimiter="\t"))
label = {r["barcode"]: r for r in csv.DictReader(open(labels), delimiter="\t")}
context = np.array([c["context"] for c in cells])
is_a = np.array([label[c["cell"]][column] == value for c in cells])
kinds = sorted(set(context))
on = {}  # regulon -> cells
of = {}  # edge -> contexts
for e in csv.DictReader(open(edges), delimiter="\t"):
    of.setdefault((e["regulon"], e["tf"], e["region"], e["gene"]), set()).add(e["context"])


def close(what, got, want, rel=1e-5, tiny=1e-12):
    if not abs(float(got) - want) <= rel * abs(want) + tiny:
        sys.exit("%s: %s, expected %r" % (what, got, want))


def score_interval(k, n):  # (p - k/n)^2 = z^2 p (1 - p) / n
    z2, f = stats.norm.ppf(0.975) ** 2, k / n
    g = lambda p: (p - f) ** 2 - z2 * p * (1 - p) / n
    return (0.0 if k == 0 else optimize.brentq(g, 0, f, xtol=1e-14), 1.0 if k == n else optimize.brentq(g, f, 1, xtol=1e-14))


def strata_test(tables):
    free = [t for t in tables if max(0, t[0] + t[2] - t[3]) < min(t[0] + t[2], t[1])]  # a, n_a, b, n_b
    if not free:
        return float("nan")
    spans = [min(a + b, n) - max(0, a + b - m) for a, n, b, m in free]
    if len(free) == 1 or sum(spans) <= 2000:
        dist, seen = np.ones(1), 0
        for (a, n, b, m), span in zip(free, spans):
            lo = max(0, a + b - m)
            dist = np.convolve(dist, stats.hypergeom(n + m, n, a + b).pmf(lo + np.arange(span + 1)))
            seen += a - lo
        return min(1.0, dist[dist <= dist[seen] * (1 + 1e-7)].sum())
    h = [stats.hypergeom(n + m, n, a + b) for a, n, b, m in free]
    excess = sum(t[0] for t in free) - sum(x.mean() for x in h)
    return stats.chi2.sf(excess**2 / sum(x.var() for x in h), 1)


def donor_values(bits, strata):
    size = {k: (context == k).sum() for k in strata}
    share = {k: bits[context == k].mean() for k in strata}
    donor = np.array([label[c["cell"]][donor_column] for c in cells])
    out = {}
    for d in sorted(set(donor)):
        for side in (True, False):
            mine = [(k, (donor == d) & (is_a == side) & (context == k)) for k in strata]
            mine = [(k, m) for k, m in mine if m.any()]
            if sum(m.sum() for _, m in mine) < 10:
                continue
            w = sum(size[k] for k, _ in mine)
            f = sum(size[k] * bits[m].mean() for k, m in mine) / w
            noise = sum(size[k] ** 2 * share[k] * (1 - share[k]) / m.sum() for k, m in mine) / w**2
            out[d, side] = f, noise
    return out


def mean_and_variance(values):  # of a mean; not below the binomial noise of its values
    f, noise = (np.array(x) for x in zip(*values))
    return f.mean(), max(f.var(ddof=1), noise.mean()) / len(f), f.var(ddof=1) >= noise.mean()


def check_donors(row, bits, strata):
    v = donor_values(bits, strata)
    both = [d for d, s in v if s and (d, False) in v]
    if both:
        a = [(v[d, True][0] - v[d, False][0], v[d, True][1] + v[d, False][1]) for d in both]
        x = np.array([f for f, _ in a])
        want, var, is_plain = mean_and_variance(a)
        df, plain = len(x) - 1, stats.ttest_1samp(x, 0).pvalue
        sums = [abs(np.dot(s, x)) for s in itertools.product((1, -1), repeat=len(x))]
        permuted = np.mean(np.array(sums) >= abs(x.sum()) * (1 - 1e-9))
    else:
        a, b = ([v[k] for k in v if k[1] == s] for s in (True, False))
        x, y = np.array([f for f, _ in a]), np.array([f for f, _ in b])
        (m, s, p), (n, t, q) = mean_and_variance(a), mean_and_variance(b)
        want, var, is_plain = m - n, s + t, p and q
        df, plain = (s + t) ** 2 / (s**2 / (len(x) - 1) + t**2 / (len(y) - 1)), stats.ttest_ind(x, y, equal_var=False).pvalue
        z = np.concatenate([x, y])
        sums = [z[list(c)].mean() - np.delete(z, c).mean() for c in itertools.combinations(range(len(z)), len(x))]
        permuted = np.mean(np.abs(sums) >= abs(want) * (1 - 1e-9))
    close("donor_diff of %s" % row["regulon"], row["donor_diff"], want, 1e-5, 1e-9)
    by_t = 2 * stats.t.sf(abs(want) / np.sqrt(var), df)
    if is_plain:
        close("t test", by_t, plain, 1e-9)
    close("donor_p of %s" % row["regulon"], row["donor_p"], permuted if donor_test == "permutation" else by_t)
    return 1


rows = list(csv.DictReader(open(table), delimiter="\t"))
pvalue, seen, n_donor, n_chi = {"p": [], "context_p": []}, {}, 0, 0
for e, contexts in sorted(of.items()):
    key = e[0], tuple(sorted(contexts & set(kinds)))
    if key not in seen:
        bits = np.array([int(c[e[0]]) for c in cells])
        has = bits * np.isin(context, key[1])
        crude = (int(has[is_a].sum()), int(is_a.sum()), int(has[~is_a].sum()), int((~is_a).sum()))
        tables = [tuple(int(x) for k in (is_a, ~is_a) for x in (bits[k & (context == c)].sum(), (k & (context == c)).sum())) for c in key[1]]
        p = stats.fisher_exact([[crude[0], crude[1] - crude[0]], [crude[2], crude[3] - crude[2]]]).pvalue
        seen[key] = bits, crude, tables, p if 0 < has.sum() < len(has) else float("nan"), strata_test(tables)
    pvalue["p"].append(seen[key][3])
    pvalue["context_p"].append(seen[key][4])
adjusted = {}
for k, p in pvalue.items():
    p = np.array(p)
    q = np.full(len(p), np.nan)
    q[~np.isnan(p)] = stats.false_discovery_control(p[~np.isnan(p)])
    adjusted[k] = dict(zip(sorted(of), q))

done = set()
for row in rows:
    e = row["regulon"], row["tf"], row["region"], row["gene"]
    key = e[0], tuple(sorted(of[e] & set(kinds)))
    if row["contexts"] != ",".join(key[1]):
        sys.exit("contexts of %s: %s, expected %s" % (e, row["contexts"], ",".join(key[1])))
    bits, crude, tables, p, context_p = seen[key]
    if not np.isnan(adjusted["p"][e]):
        close("q of %s" % (e,), row["q"], adjusted["p"][e], 2e-5)
    if not np.isnan(adjusted["context_p"][e]):
        close("context_q of %s" % (e,), row["context_q"], adjusted["context_p"][e], 2e-5)
    if key in done:
        continue
    done.add(key)
    for name, want in zip(("with_a", "n_a", "with_b", "n_b"), crude):
        close(name, row[name], want)
    a, n_a, b, n_b = crude
    (la, ua), (lb, ub) = score_interval(a, n_a), score_interval(b, n_b)
    close("diff", row["diff"], a / n_a - b / n_b)
    close("diff_lo", row["diff_lo"], a / n_a - b / n_b - np.hypot(a / n_a - la, ub - b / n_b), 1e-5, 1e-9)
    close("diff_hi", row["diff_hi"], a / n_a - b / n_b + np.hypot(ua - a / n_a, b / n_b - lb), 1e-5, 1e-9)
    close("log2_or", row["log2_or"], np.log2((a + 0.5) * (n_b - b + 0.5) / ((n_a - a + 0.5) * (b + 0.5))), 1e-5, 1e-9)
    if not np.isnan(p):
        close("p of %s" % (e,), row["p"], p)
    if not np.isnan(context_p):
        close("context_p of %s" % (e,), row["context_p"], context_p)
        n_chi += sum(min(x + y, n) - max(0, x + y - m) for x, n, y, m in tables) > 2000
    w = [n * m / (n + m) for _, n, _, m in tables if n and m]
    if w:
        close("context_diff", row["context_diff"], np.average([x / n - y / m for x, n, y, m in tables if n and m], weights=w), 1e-5, 1e-9)
    if donor_column and row["donor_p"]:
        n_donor += check_donors(row, bits, key[1])
print("%d edges, %d distinct tests, %d by chi-square, %d by donors" % (len(rows), len(done), n_chi, n_donor))
if not done or (donor_column and not n_donor):
    sys.exit("nothing was compared")
