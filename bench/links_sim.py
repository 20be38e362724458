"""Networks against the planted one of grn-sim. Needs Python alone, and grn-view on PATH.
usage: links_sim.py table TRUTH NAME=EDGES...        average precision of TF -> gene, TF -> region, and per cell type, the mean over types
       links_sim.py calibration TRUTH NAME=EDGES...  precision of the edges at and below each q
       links_sim.py overlap A B                      edges of A that are in B, all and by weight and q"""
import subprocess
import sys

KEY = ("context", "tf", "region", "gene")


def read(path):
    lines = subprocess.run(["grn-view", "-q", "-O", "tsv", path], check=True, capture_output=True, text=True).stdout.split("\n")
    head = lines[0].split("\t")
    return [dict(zip(head, line.split("\t"))) for line in lines[1:] if line]


def average_precision(rows, key, truth):
    """Of the distinct keys of the rows, each by its largest weight; equal weights count as drawn in random order."""
    best = {}
    for r in rows:
        k = tuple(r[c] for c in key)
        best[k] = max(best.get(k, 0), float(r["weight"]))
    ranked = {}
    for k, w in best.items():
        n = ranked.setdefault(w, [0, 0])
        n[0] += 1
        n[1] += k in truth
    seen = hits = total = 0
    for w in sorted(ranked, reverse=True):
        n, k = ranked[w]
        for i in range(1, n + 1): # the expected precision at the i-th of n equals, where k / n of a hit is expected
            total += k / n * (hits + (1 + (i - 1) * (k - 1) / (n - 1) if n > 1 else 1)) / (seen + i)
        seen += n
        hits += k
    return total / len(truth), seen, hits


def keys(rows, key):
    return {tuple(r[c] for c in key) for r in rows}


def table(truth, names):
    types = sorted({r["context"] for r in truth})
    print("| network | edges | TF -> gene | TF -> region | TF -> gene per type | triplets per type |\n|---|---|---|---|---|---|")
    for name, path in names:
        rows = read(path)
        cells = [name, str(len(rows))]
        for key in (("tf", "gene"), ("tf", "region")):
            cells.append("%.3f" % average_precision(rows, key, keys(truth, key))[0] if rows and key[1] in rows[0] else "-")
        for key in (("tf", "gene"), ("tf", "region", "gene")):
            if not rows or any(c not in rows[0] for c in key):
                cells.append("-")
                continue
            ap = []
            for t in types: # edges without a type are those of every type
                mine = [r for r in rows if r.get("context", t) == t]
                ap.append(average_precision(mine, key, keys([r for r in truth if r["context"] == t], key))[0])
            cells.append("%.3f" % (sum(ap) / len(ap)))
        print("| " + " | ".join(cells) + " |")


def calibration(truth, names):
    cuts = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
    in_type, anywhere = keys(truth, KEY), keys(truth, KEY[1:])
    print("| network | " + " | ".join("q <= %g" % c for c in cuts) + " |\n|---" + "|---" * len(cuts) + "|")
    for name, path in names:
        rows = read(path)
        cells = [name]
        for c in cuts:
            k = [r for r in rows if float(r["q"]) <= c]
            n = max(1, len(k))
            cells.append("%.3f / %.3f of %d" % (sum(tuple(r[x] for x in KEY) in in_type for r in k) / n,
                                                sum(tuple(r[x] for x in KEY[1:]) in anywhere for r in k) / n, len(k)))
        print("| " + " | ".join(cells) + " |")


def overlap(a, b):
    a, b = read(a), read(b)
    key = [k for k in KEY if k in a[0]]
    def chosen(rows, keep):
        return {tuple(r[k] for k in key) for r in rows if keep(r)}
    def say(what, x, y):
        print("| %s | %d | %d | %.3f |" % (what, len(x), len(y), len(x & y) / max(1, min(len(x), len(y)))))
    print("| edges | in A | in B | overlap |\n|---|---|---|---|")
    say("all", chosen(a, lambda r: True), chosen(b, lambda r: True))
    for n in (500, 1000, 5000):
        top = [sorted(rows, key=lambda r: -float(r["weight"]))[:n] for rows in (a, b)]
        say("the %d strongest" % n, *({tuple(r[k] for k in key) for r in t} for t in top))
    if "q" in a[0]:
        for q in (0.1, 0.3):
            say("q <= %g" % q, chosen(a, lambda r: float(r["q"]) <= q), chosen(b, lambda r: float(r["q"]) <= q))


def main(argv):
    if len(argv) > 2 and argv[0] in ("table", "calibration"):
        names = [a.split("=", 1) for a in argv[2:]]
        {"table": table, "calibration": calibration}[argv[0]](read(argv[1]), names)
    elif len(argv) == 3 and argv[0] == "overlap":
        overlap(*argv[1:])
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
