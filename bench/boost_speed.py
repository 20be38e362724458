"""Milliseconds per tree of arboreto's GRNBoost2 and of grn-build link on the same simulated counts. Needs numpy; arboreto needs what
boost_accuracy.sh says, scikit-learn of any version (a tree costs the same, there are fewer of them from 1.3 on).
usage: boost_speed.py make FOLDER CELLS [TFS=600] [TARGETS=20] [SEED=1]
       boost_speed.py arboreto FOLDER [TARGETS=0: all] [raw|lognorm] [MAX_TREES=5000]
       boost_speed.py ours FOLDER [LINK OPTIONS...]
make: a 10x folder FOLDER (matrix.mtx, features.tsv, barcodes.tsv) and the names FOLDER.tfs and FOLDER.targets, one a line.
arboreto: the first TARGETS of FOLDER.targets on one thread; time of the fits alone.
ours: CPU of grn-build link -@1 less that with --max-trees 1 (reading, setting up, writing); every gene is a target; --shard 1/N takes
fewer, but several are fitted at once, so that fewer than about 30 cost more each.
Counts: negative binomial (size 1.5) around exp(gene + cell type + programmes + depth of the cell), 12 types, 20 programmes; a TF has
2 programmes, a target 3; genes' means are spread log-normally, and shifted together until 83 % of the TFs' counts are 0. Trees of ours:
a target's importances add up to its trees."""
import os
import resource
import subprocess
import sys
import tempfile
import time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np

ZEROS, TYPES, PROGRAMMES, SIZE = 0.83, 12, 20, 1.5


def means(rng, cells, tfs, genes):
    """log mean without the common shift, cells x genes."""
    kind = rng.integers(0, TYPES, cells)
    state = rng.normal(0, 1, (cells, PROGRAMMES))
    load = np.zeros((PROGRAMMES, genes))
    for g in range(genes):
        n = 2 if g < tfs else 3
        load[rng.choice(PROGRAMMES, n, replace=False), g] = rng.normal(0, 0.6, n)
    return rng.normal(0, 1.2, genes) + rng.normal(0, 0.5, (TYPES, genes))[kind] + state @ load + rng.normal(0, 0.3, (cells, 1))


def cmd_make(folder, cells, tfs=600, targets=20, seed=1):
    cells, tfs, targets = int(cells), int(tfs), int(targets)
    rng = np.random.default_rng(int(seed))
    mu = means(rng, cells, tfs, tfs + targets)
    part = mu[: min(cells, 2000), :tfs]
    lo, hi = -20.0, 10.0
    for _ in range(40):
        shift = (lo + hi) / 2
        lo, hi = (lo, shift) if ((1 + np.exp(part + shift) / SIZE) ** -SIZE).mean() < ZEROS else (shift, hi)
    os.makedirs(folder, exist_ok=True)
    nnz = 0
    with tempfile.TemporaryFile("w+") as body, open(f"{folder}/matrix.mtx", "w") as out:
        for begin in range(0, cells, 1000):
            rate = rng.gamma(SIZE, np.exp(mu[begin : begin + 1000] + shift) / SIZE)
            x = rng.poisson(rate)
            row, col = np.nonzero(x)
            nnz += len(row)
            body.writelines("%d %d %d\n" % t for t in zip(col + 1, row + 1 + begin, x[row, col]))
        out.write(f"%%MatrixMarket matrix coordinate integer general\n{tfs + targets} {cells} {nnz}\n")
        body.seek(0)
        while block := body.read(1 << 24):
            out.write(block)
    names = [f"TF{i + 1}" for i in range(tfs)] + [f"G{i + 1}" for i in range(targets)]
    with open(f"{folder}/features.tsv", "w") as f:
        f.writelines(f"{n}\t{n}\tGene Expression\n" for n in names)
    with open(f"{folder}/barcodes.tsv", "w") as f:
        f.writelines(f"c{i + 1}\n" for i in range(cells))
    for what, part in (("tfs", names[:tfs]), ("targets", names[tfs:])):
        with open(f"{folder}.{what}", "w") as f:
            f.writelines(n + "\n" for n in part)
    zeros = 1 - nnz / cells / (tfs + targets)
    print(f"{folder}: {cells} cells x {tfs} TFs and {targets} targets, {zeros:.3f} zeros, seed {seed}")


def lines(path):
    return [line.rstrip("\n").split("\t")[0] for line in open(path)]


def cmd_arboreto(folder, targets=0, scale="raw", max_trees=0):
    from boost_arboreto import arboreto_core, fit, sklearn_version

    genes, tfs = lines(f"{folder}/features.tsv"), lines(f"{folder}.tfs")
    chosen = lines(f"{folder}.targets")[: int(targets) or None]
    with open(f"{folder}/matrix.mtx") as f:
        f.readline()
        shape = [int(v) for v in f.readline().split()]
        gene, cell, count = np.loadtxt(f, dtype=np.int64).T
    X = np.zeros((shape[1], shape[0]))
    X[cell - 1, gene - 1] = count
    if scale == "lognorm":
        X = np.log1p(1e4 * X / np.maximum(X.sum(axis=1, keepdims=True), 1))
    elif scale != "raw":
        sys.exit(__doc__)
    core, trees, start = arboreto_core(), [], time.process_time()
    for _, n in fit(core, "grnboost2", X, genes, tfs, chosen, 666, int(max_trees)):
        trees.append(n)
    cpu, (version, _) = time.process_time() - start, sklearn_version()
    report(f"arboreto, scikit-learn {version}, {scale}", shape[1], len(tfs), trees, cpu)


def report(who, cells, tfs, trees, cpu):
    n = len(trees)
    peak = resource.getrusage(resource.RUSAGE_SELF if who.startswith("arboreto") else resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"| {who} | {cells} x {tfs} | {n} | {sum(trees) / n:.1f} | {1e3 * cpu / sum(trees):.3f} | {cpu / n:.3f} | {peak} |")


def link(folder, options):
    """CPU seconds of grn-build link, trees of each target."""
    with tempfile.TemporaryDirectory() as tmp:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["grn-build", "link", "-q", "-@1", *options, "-f", f"{folder}.tfs", "-t", f"{tmp}/e.zst", folder], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        text = subprocess.run(["grn-view", "-q", "-O", "adj", f"{tmp}/e.zst"], check=True, stdout=subprocess.PIPE, text=True).stdout
    trees = {}
    for line in text.splitlines()[1:]:
        _, target, importance = line.split("\t")
        trees[target] = trees.get(target, 0) + float(importance)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, list(trees.values())


def cmd_ours(folder, *options):
    options = ("--method", "grnboost", "--min-cells", "1", *options)
    setup, _ = link(folder, options + ("--max-trees", "1"))
    cpu, trees = link(folder, options)
    who = " ".join(("grn-build link",) + options[4:])
    report(f"{who} (+ {setup:.2f} s)", len(lines(f"{folder}/barcodes.tsv")), len(lines(f"{folder}.tfs")), trees, cpu - setup)


def main():
    commands = {"make": (cmd_make, 2, 5), "arboreto": (cmd_arboreto, 1, 4), "ours": (cmd_ours, 1, 99)}
    command, least, most = commands.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0, 0))
    if not command or not least <= len(sys.argv) - 2 <= most:
        sys.exit(__doc__)
    if command != cmd_make:
        print("| | cells x TFs | targets | trees a target | ms a tree | CPU s a target | peak MB |\n|---|---|---|---|---|---|---|")
    command(*sys.argv[2:])


if __name__ == "__main__":
    main()
