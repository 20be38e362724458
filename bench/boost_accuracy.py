"""How well importances of TFs for genes find the edges of a known network, and how far lists of importances agree. Needs numpy.
usage: boost_accuracy.py score SET GENES TFS NET=TRUTH... METHOD.SEED=ADJACENCY... >>SCORES.tsv
       boost_accuracy.py table SCORES.tsv
       boost_accuracy.py agree GENES TFS METHOD.SEED=ADJACENCY...
GENES: names in the first column after a header (the expression csv will do); TFS: names, one a line.
TRUTH: Gene1 (TF), Gene2; a third column, DREAM's 0 or 1, says whether it is one. ADJACENCY: a header and columns tf, target or gene,
and importance (or importance_tg, or |weight|): arboreto's, or grn-view's text with or without -O adj. An argument is a truth where its
name has no dot. METHOD/share.SEED: importances divided by their sum over each target.
Universes, self pairs excluded:
  A  TFs of the list that are genes x all genes; edges outside are left out
  B  as BEELINE: sources of the network x genes of the network
A pair that an adjacency lacks has importance 0. All measures are expectations over the orders of tied pairs: AUPRC (average precision;
its ratio is to the density of edges), AUROC, and EPR, the precision among the k highest over the density, k = number of edges.
table: means, and +- the range, over seeds; sets named X_1, X_2, ... are averaged first."""
import gzip
import itertools
import re
import sys

import numpy as np


def open_text(path):
    return gzip.open(path, "rt") if path.endswith(".gz") else open(path)


def cells(line):
    return [v.strip().strip('"') for v in line.rstrip("\n").split("\t" if "\t" in line else ",")]


def read_genes(path):
    with open_text(path) as f:
        next(f)
        return [re.split("[\t,\n]", line, maxsplit=1)[0].strip('"') for line in f]


def read_truth(path):
    edges = set()
    with open_text(path) as f:
        for row in map(cells, f):
            if row[:2] != ["Gene1", "Gene2"] and row[0] != row[1] and (len(row) < 3 or row[2] != "0"):
                edges.add((row[0], row[1]))
    return edges


def read_adjacency(path, at):
    """Importance of every pair of genes, G x G (TF, target)."""
    score = np.zeros((len(at), len(at)))
    with open_text(path) as f:
        head = [h.lower() for h in cells(next(f))]
        tf, target = head.index("tf"), head.index("target" if "target" in head else "gene")
        value = next(head.index(h) for h in ("importance", "importance_tg", "weight") if h in head)
        for line in f:
            row = line.rstrip("\n").split("\t")
            if row[tf] not in at or row[target] not in at:
                sys.exit(f"{path}: {row[tf]} or {row[target]} is not among the genes")
            score[at[row[tf]], at[row[target]]] = abs(float(row[value]))
    return score


def read_method(label, path, at):
    """Method, seed, importances."""
    method, seed = label.rsplit(".", 1)
    score = read_adjacency(path, at)
    if method.endswith("/share"):
        total = score.sum(axis=0)
        score /= np.where(total > 0, total, 1)
    return method, seed, score


def measure(score, true):
    """AUPRC, AUROC, precision among the sum(true) highest: expectations over the orders of ties."""
    order = np.argsort(-score, kind="stable")
    s, y = score[order], true[order]
    n, k = len(y), int(y.sum())
    end = np.append(np.flatnonzero(s[1:] != s[:-1]) + 1, n)  # of each group of ties
    begin = np.append(0, end[:-1])
    upto = np.append(0, np.cumsum(y))
    t, p, m = upto[begin], upto[end] - upto[begin], end - begin
    harmonic = np.append(0, np.cumsum(1 / np.arange(1, n + 1)))
    h = harmonic[end] - harmonic[begin]
    # place j of a group holds an edge with probability p/m, after t + (j-1)(p-1)/(m-1) others, at rank begin + j
    ap = (p / m * ((t + 1) * h + (p - 1) / np.maximum(m - 1, 1) * (m - (begin + 1) * h))).sum() / k
    auc = ((m - p) * (t + p / 2)).sum() / (k * (n - k))
    g = np.searchsorted(end, k)  # the group in which rank k lies
    early = (t[g] + p[g] * (k - begin[g]) / m[g]) / k
    return ap, auc, early


def named(args):
    out = []
    for a in args:
        name, path = a.split("=", 1)
        out.append((name, path))
    return out


def universe_a(genes, tf_file):
    listed = {line.strip() for line in open(tf_file)}
    mask = np.zeros((len(genes), len(genes)), dtype=bool)
    mask[[i for i, g in enumerate(genes) if g in listed]] = True
    np.fill_diagonal(mask, False)
    return mask


def cmd_score(args):
    name, gene_file, tf_file = args[:3]
    genes = read_genes(gene_file)
    at = {g: i for i, g in enumerate(genes)}
    a = universe_a(genes, tf_file)
    work = []
    truths = [(n, p) for n, p in named(args[3:]) if "." not in n]
    for net, path in truths:
        edges = read_truth(path)
        true = np.zeros_like(a)
        for u, v in edges:
            if u not in at or v not in at:
                sys.exit(f"{path}: {u} or {v} is not among the genes")
            true[at[u], at[v]] = True
        b = np.zeros_like(a)
        nodes = sorted({at[x] for e in edges for x in e})
        b[np.ix_(sorted({at[u] for u, _ in edges}), nodes)] = True
        np.fill_diagonal(b, False)
        work += [(net, "A", a, true), (net, "B", b, true)]
    for label, path in named(args[3:]):
        if "." not in label:
            continue
        method, seed, score = read_method(label, path, at)
        for net, universe, mask, true in work:
            ap, auc, early = measure(score[mask], true[mask])
            n, k = mask.sum(), (true & mask).sum()
            print(*[name, net, universe, n, k, method, seed] + ["%.6g" % v for v in (ap, ap * n / k, auc, early * n / k)], sep="\t")


def cmd_table(args):
    rows = [line.rstrip("\n").split("\t") for line in open(args[0])]
    sets = list(dict.fromkeys(re.sub(r"_\d+$", "", r[0]) for r in rows))
    for s in sets:
        mine = [r for r in rows if re.sub(r"_\d+$", "", r[0]) == s]
        for net in dict.fromkeys(r[1] for r in mine):
            parts = sorted({r[0] for r in mine if r[1] == net})
            print(f"\n{s}, {net}" + (f": means of {len(parts)} networks" if len(parts) > 1 else ""))
            sizes = {r[2]: r[3:5] for r in mine if r[1] == net}
            if len(parts) == 1:
                print("; ".join(f"{u}: {n} pairs, {k} edges, density {int(k) / int(n):.4f}" for u, (n, k) in sizes.items()))
            print("\n| method | seeds | A: AUPRC | ratio | AUROC | EPR | B: AUPRC | ratio | AUROC | EPR |\n|---" + "|---" * 9 + "|")
            for method in dict.fromkeys(r[5] for r in mine if r[1] == net):
                line, seeds = [], []
                for u in "AB":
                    hit = [r for r in mine if r[1] == net and r[2] == u and r[5] == method]
                    seeds = sorted({r[6] for r in hit})
                    by_seed = np.array([[np.mean([float(r[7 + c]) for r in hit if r[6] == q]) for c in range(4)] for q in seeds])
                    for q in seeds:
                        if sorted(r[0] for r in hit if r[6] == q) != parts:
                            sys.exit(f"{s}, {net}, {method}, seed {q}: not one row for each of {' '.join(parts)}")
                    for c, form in enumerate(("%.4f", "%.2f", "%.3f", "%.2f")):
                        text = form % by_seed[:, c].mean()
                        line.append(text + (" +- " + form % np.ptp(by_seed[:, c]) if len(seeds) > 1 else ""))
                print(f"| {method} | {len(seeds)} | " + " | ".join(line) + " |")


def ranks(x):
    order = np.argsort(x, kind="stable")
    s = x[order]
    edge = np.append(np.flatnonzero(s[1:] != s[:-1]) + 1, len(s))
    begin = np.append(0, edge[:-1])
    r = np.empty(len(x))
    r[order] = np.repeat((begin + edge - 1) / 2, edge - begin)
    return r


def top(x, k):
    """Probability of each pair to be among the k highest, ties in any order."""
    cut = np.partition(x, len(x) - k)[len(x) - k]
    above, level = x > cut, x == cut
    return above + level * ((k - above.sum()) / level.sum())


def cmd_agree(args):
    genes = read_genes(args[0])
    at = {g: i for i, g in enumerate(genes)}
    mask = universe_a(genes, args[1])
    sizes = [k for k in (1000, 20000) if k < mask.sum() / 2]
    data = []
    for label, path in named(args[2:]):
        method, _, score = read_method(label, path, at)
        x = score[mask]
        data.append((method, x, ranks(x), [top(x, k) for k in sizes]))
    found = {}
    for (ma, xa, ra, ta), (mb, xb, rb, tb) in itertools.combinations(data, 2):
        overlap = [(u * v).sum() / k for u, v, k in zip(ta, tb, sizes)]
        found.setdefault((ma, mb), []).append([np.corrcoef(xa, xb)[0, 1], np.corrcoef(ra, rb)[0, 1], *overlap])
    print("| | pairs of lists | Pearson | Spearman |" + "".join(f" top {k:,} in common |" for k in sizes))
    print("|---|---|---|---|" + "---|" * len(sizes))
    for (ma, mb), v in found.items():
        cols = [f"{c.mean():.3f}" + (f" ({c.min():.3f}-{c.max():.3f})" if len(v) > 1 else "") for c in np.array(v).T]
        print(f"| {ma}, {'seeds' if ma == mb else mb} | {len(v)} | " + " | ".join(cols) + " |")


if __name__ == "__main__":
    commands = {"score": (cmd_score, 5), "table": (cmd_table, 1), "agree": (cmd_agree, 4)}
    if len(sys.argv) < 2 or sys.argv[1] not in commands or len(sys.argv) - 2 < commands[sys.argv[1]][1]:
        sys.exit(__doc__)
    commands[sys.argv[1]][0](sys.argv[2:])
