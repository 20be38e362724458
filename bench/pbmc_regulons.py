"""How many edges of TF -> gene networks a curated one knows, beside the same with the network rewired (TFs and genes keep their numbers
of edges). Needs Python alone, and grn-view on PATH.
usage: pbmc_regulons.py KNOWN NAME=EDGES... [--swaps N=100]   (KNOWN: a table with a header; columns source or tf, and target)
Only TFs and targets the curated network has somewhere count. A null network: ten edge exchanges per edge, seeded; z over N of them."""
import gzip
import random
import subprocess
import sys


def known(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as f:
        head = f.readline().rstrip("\n").replace(",", "\t").split("\t")
        s, t = head.index("source" if "source" in head else "tf"), head.index("target")
        rows = (line.rstrip("\n").replace(",", "\t").split("\t") for line in f)
        return {(r[s], r[t]) for r in rows}


def edges(path):
    lines = subprocess.run(["grn-view", "-q", "-O", "tsv", path], check=True, capture_output=True, text=True).stdout.split("\n")
    head = lines[0].split("\t")
    tf, gene = head.index("tf"), head.index("gene")
    return sorted({(r[tf], r[gene]) for r in (line.split("\t") for line in lines[1:] if line)})


def rewired(pairs, rng):
    a, have = list(pairs), set(pairs)
    for _ in range(10 * len(a)):
        i, j = rng.randrange(len(a)), rng.randrange(len(a))
        (t, g), (u, h) = a[i], a[j]
        if (t, h) in have or (u, g) in have or t == h or u == g:
            continue
        have -= {a[i], a[j]}
        a[i], a[j] = (t, h), (u, g)
        have |= {a[i], a[j]}
    return a


def main(argv):
    swaps = 100
    if "--swaps" in argv:
        k = argv.index("--swaps")
        swaps, argv = int(argv[k + 1]), argv[:k] + argv[k + 2:]
    if len(argv) < 2:
        sys.exit(__doc__)
    truth = known(argv[0])
    tfs, targets = {t for t, _ in truth}, {g for _, g in truth}
    print("| network | edges among its TFs and genes | known | rewired: mean (sd) | ratio | z |\n|---|---|---|---|---|---|")
    for name, path in (a.split("=", 1) for a in argv[1:]):
        mine = [p for p in edges(path) if p[0] in tfs and p[1] in targets]
        hits = sum(p in truth for p in mine)
        rng = random.Random(1)
        null = [sum(p in truth for p in rewired(mine, rng)) for _ in range(swaps)]
        mean = sum(null) / swaps
        sd = (sum((x - mean) ** 2 for x in null) / (swaps - 1)) ** 0.5
        print("| %s | %d | %d | %.1f (%.1f) | %.2f | %.1f |" % (name, len(mine), hits, mean, sd, hits / mean if mean else 0, (hits - mean) / sd if sd else 0))


main(sys.argv[1:])
