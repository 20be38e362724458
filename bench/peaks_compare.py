"""Base pairs that two sets of peaks (BED, narrowPeak) have in common, as a share of each, and how many intervals are identical."""
import sys


def load(path):
    chroms = {}
    for line in open(path):
        if line[0] != "#":
            f = line.split("\t")
            chroms.setdefault(f[0], set()).add((int(f[1]), int(f[2])))
    return chroms


def merged(intervals):
    out = []
    for a, b in sorted(intervals):
        if out and a <= out[-1][1]:
            out[-1][1] = max(out[-1][1], b)
        else:
            out.append([a, b])
    return out


def common(x, y):
    i = j = total = 0
    while i < len(x) and j < len(y):
        total += max(0, min(x[i][1], y[j][1]) - max(x[i][0], y[j][0]))
        i, j = (i + 1, j) if x[i][1] < y[j][1] else (i, j + 1)
    return total


a, b = load(sys.argv[1]), load(sys.argv[2])
bp_a = bp_b = both = same = 0
for c in sorted(set(a) | set(b)):
    x, y = merged(a.get(c, ())), merged(b.get(c, ()))
    bp_a += sum(e - s for s, e in x)
    bp_b += sum(e - s for s, e in y)
    both += common(x, y)
    same += len(a.get(c, set()) & b.get(c, set()))
n_a, n_b = (sum(map(len, d.values())) for d in (a, b))
print(f"{both / max(bp_a, 1):.4f} of the first, {both / max(bp_b, 1):.4f} of the second; {same} intervals identical of {n_a} and {n_b}")
