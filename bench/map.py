#!/usr/bin/env python3
"""Points for bench/map.sh, and other exact searches of the same points.
usage: map.py make REFERENCE QUERY DIMS DIR      ref.csv, query.csv (float32, 20 clusters), ref.tsv
       map.py check DIR mapped.tsv K              neighbours of grn-map against scikit-learn and faiss, with their CPU and wall times"""
import resource
import sys
import time

import numpy as np


def make(n_ref, n_query, dims, folder):
    rng = np.random.default_rng(1)
    centre = 3 * rng.standard_normal((20, dims))
    scale = np.linspace(2, 0.3, dims)
    for name, n in (("ref", n_ref), ("query", n_query)):
        kind = rng.integers(0, 20, n)
        x = ((centre[kind] + rng.standard_normal((n, dims))) * scale).astype(np.float32)
        np.save(f"{folder}/{name}.npy", x)
        with open(f"{folder}/{name}.csv", "w") as f:
            f.write("cell," + ",".join(f"d{j}" for j in range(dims)) + "\n")
            for i in range(n):
                f.write(f"{name}{i:07d}," + ",".join(np.format_float_positional(v, trim="-") for v in x[i]) + "\n")
        if name == "ref":
            with open(f"{folder}/ref.tsv", "w") as f:
                f.write("barcode\tcell_type\n" + "".join(f"ref{i:07d}\ttype{k}\n" for i, k in enumerate(kind)))


def timed(name, run):
    before, t = resource.getrusage(resource.RUSAGE_SELF), time.time()
    out = run()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name}: {cpu:.1f} s CPU, {time.time() - t:.1f} s wall, {after.ru_maxrss // 1024} MB peak so far")
    return out


def recall(mine, theirs):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(mine, theirs)])


def check(folder, mapped, k):
    ref, query = np.load(f"{folder}/ref.npy"), np.load(f"{folder}/query.npy")
    with open(mapped) as f:
        column = next(f).rstrip("\n").split("\t").index("neighbours")
        mine = np.array([[int(c[3:]) for c in line.rstrip("\n").split("\t")[column].split(",")] for line in f])
    import faiss
    import sklearn
    from sklearn.neighbors import NearestNeighbors

    faiss.omp_set_num_threads(2)
    index = faiss.IndexFlatL2(ref.shape[1])
    index.add(ref)
    theirs = {f"faiss {faiss.__version__} IndexFlatL2": timed(f"faiss {faiss.__version__} IndexFlatL2", lambda: index.search(query, k))[1]}
    nn = NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=2).fit(ref)
    name = f"scikit-learn {sklearn.__version__} brute"
    theirs[name] = timed(name, lambda: nn.kneighbors(query, return_distance=False))
    # exact in double for a sample: no point may be nearer than the k-th neighbour
    sample = range(0, len(query), max(1, len(query) // 2000))
    exact = []
    for i in sample:
        d = ((ref.astype(np.float64) - query[i].astype(np.float64)) ** 2).sum(1)
        exact.append(np.argsort(d, kind="stable")[:k])
    print(f"grn-map: recall {recall(mine[list(sample)], exact):.6f} of a search in double ({len(sample)} cells), order the same for "
          f"{np.mean([list(a) == list(b) for a, b in zip(mine[list(sample)], exact)]):.6f}")
    for name, ids in theirs.items():
        print(f"grn-map against {name}: {recall(mine, ids):.6f}; {name} against double: {recall(ids[list(sample)], exact):.6f}")


if sys.argv[1] == "make":
    make(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
else:
    check(sys.argv[2], sys.argv[3], int(sys.argv[4]))
