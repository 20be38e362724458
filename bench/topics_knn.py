"""Label accuracy of k nearest neighbours (leave one out) in a table of cells x dimensions: by cosine, and for shares by the cosine of centred
log-ratios, the geometry of compositions (Aitchison 1986). usage: topics_knn.py TABLE.tsv LABELS.tsv [K=15]
TABLE: header, cell and numbers a row (grn-view of a topic or LSI model). LABELS: cell and label. Needs numpy."""
import sys

import numpy as np

rows = [line.rstrip("\n").split("\t") for line in open(sys.argv[1]) if line[0] != "#"][1:]
label = dict(line.rstrip("\n").split("\t")[:2] for line in open(sys.argv[2]))
rows = [r for r in rows if r[0] in label]
x = np.array([[float(v) for v in r[1:]] for r in rows])
y = np.array([label[r[0]] for r in rows])
k = int(sys.argv[3]) if len(sys.argv) > 3 else 15
names, code = np.unique(y, return_inverse=True)


def accuracy(x):
    x = x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-30)
    s = x @ x.T
    np.fill_diagonal(s, -np.inf)
    near = code[np.argsort(-s, axis=1, kind="stable")[:, :k]]
    votes = np.stack([(near == c).sum(axis=1) for c in range(len(names))], axis=1)
    return (votes.argmax(axis=1) == code).mean()


a = accuracy(x)
text = f"{a:.3f}"
if (x > 0).all():
    ratio = np.log(x) - np.log(x).mean(axis=1, keepdims=True)
    text += f", by log-ratios {accuracy(ratio - ratio.mean(axis=0)):.3f}"
print(f"{text} (se {np.sqrt(a * (1 - a) / len(y)):.3f}; the largest label is {np.bincount(code).max() / len(code):.3f})")
