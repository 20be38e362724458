"""The Python package lda (PyPI), which pycisTopic's collapsed Gibbs models are made with, on a grn.matrix/1 file: tokens per second of CPU of its
sampling loop and the joint log-likelihood by the formula that grn-build uses. usage: topics_lda.py FILE K SWEEPS"""
import json
import math
import subprocess
import sys
import time

import numpy as np
from lda import _lda

raw = subprocess.run(["zstd", "-dcq", sys.argv[1]], stdout=subprocess.PIPE, check=True).stdout
n_head = int.from_bytes(raw[:8], "little")
head = json.loads(raw[8 : 8 + n_head])
K, sweeps, alpha, eta = int(sys.argv[2]), int(sys.argv[3]), 50.0, 0.1


def tensor(name):
    kind = {"U16": np.uint16, "U32": np.uint32, "U64": np.uint64}[head[name]["dtype"]]
    a, b = head[name]["data_offsets"]
    return np.frombuffer(raw[8 + n_head + a : 8 + n_head + b], kind)


indptr, words = tensor("X.indptr").astype(np.int64), tensor("X.indices").astype(np.intc)
C, R, N = len(indptr) - 1, int(head["__metadata__"]["n_cols"]), len(words)
docs = np.repeat(np.arange(C), np.diff(indptr)).astype(np.intc)
topics = (np.arange(N) % K).astype(np.intc)  # as the package starts
nzw = np.zeros((K, R), dtype=np.intc, order="F")
ndz = np.zeros((C, K), dtype=np.intc, order="C")
nz = np.zeros(K, dtype=np.intc)
np.add.at(nzw, (topics, words), 1)
np.add.at(ndz, (docs, topics), 1)
np.add.at(nz, topics, 1)
rng = np.random.RandomState(1)
rands = rng.random_sample(1024**2 // 8)
lg = np.vectorize(math.lgamma)
table_eta, table_alpha = lg(np.arange(C + 1) + eta) - math.lgamma(eta), lg(np.arange(ndz.sum(1).max() + 1) + alpha / K)


def loglik():
    ll = K * math.lgamma(R * eta) + C * (math.lgamma(alpha) - K * math.lgamma(alpha / K))
    return ll + table_eta[nzw].sum() - lg(nz + R * eta).sum() + table_alpha[ndz].sum() - lg(ndz.sum(1) + alpha).sum()


cpu = 0.0
for s in range(1, sweeps + 1):
    start = time.process_time()
    rng.shuffle(rands)
    _lda._sample_topics(words, docs, topics, nzw, ndz, nz, np.repeat(alpha / K, K), np.repeat(eta, R), rands)
    cpu += time.process_time() - start
    if s in (1, 2, 5) or s % 10 == 0 or s == sweeps:
        print(f"lda\t{s}\t{loglik():.8g}\t{cpu:.2f} s CPU", flush=True)
print(f"lda: {N} tokens x {sweeps} sweeps, K {K}: {cpu:.2f} s CPU, {N * sweeps / cpu / 1e6:.1f} M tokens/s of CPU")
