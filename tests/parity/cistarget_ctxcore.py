"""grn-build enrich against ctxcore (AUC, recovery curves, leading edges) and scipy (rank sums), to 1e-10.
usage: cistarget_ctxcore.py RANKS.tsv SCORES.tsv SETS.gmt ENRICHED.tsv AUC_THRESHOLD
RANKS, SCORES: motifs x names; ENRICHED: --method both, all motifs, --max-bg 0. NES as pycistarget has it: (AUC - mean) / sd over all
motifs, sd with divisor M; leading edge at the first argmax of curve - (mean + 2 sd). DEM: normal approximation corrected for ties."""
import csv
import sys

import numpy as np
import pandas as pd
from ctxcore.recovery import leading_edge, recovery
from scipy import stats

ranks, scores = (pd.read_csv(p, sep="\t", index_col=0) for p in sys.argv[1:3])
sets = {f[0]: f[2:] for f in (line.rstrip("\n").split("\t") for line in open(sys.argv[3]))}
rows = {(r["set"], r["method"], r["motif"]): r for r in csv.DictReader((x for x in open(sys.argv[4]) if x[0] != "#"), delimiter="\t")}
total, rank_threshold = ranks.shape[1], int(0.05 * ranks.shape[1])
n = [0, 0]


def close(what, got, want):
    if not abs(float(got) - want) <= 1e-10 * max(abs(want), 1):
        sys.exit(f"{what}: {got}, expected {want!r}")


for name, members in sets.items():
    rnk = ranks[members].astype(np.int64)
    rccs, aucs = recovery(rnk, total, np.ones(len(members)), rank_threshold, float(sys.argv[5]))
    nes = (aucs - aucs.mean()) / aucs.std()
    above = rccs.mean(axis=0) + 2 * rccs.std(axis=0)
    for i, motif in enumerate(ranks.index):
        r = rows[name, "cistarget", motif]
        edge, at = leading_edge(rccs[i], above, rnk.iloc[i].values, np.array(members))
        close(f"AUC of {motif} in {name}", r["auc"], aucs[i])
        close(f"NES of {motif} in {name}", r["nes"], nes[i])
        if int(r["rank_at_max"]) != at or int(r["n_hits"]) != len(edge):
            sys.exit(f"leading edge of {motif} in {name}: {r['rank_at_max']}, {r['n_hits']} hits, expected {at}, {len(edge)}")
        n[0] += 1
    others = [x for other in sets if other != name for x in sets[other] if x not in set(members)]
    others = list(dict.fromkeys(others))
    for motif in scores.index:
        r = rows.get((name, "dem", motif))
        if r is None:
            sys.exit(f"DEM row of {motif} in {name} is missing")
        fg, bg = (scores.loc[motif, x].values.astype(np.float32).astype(float) for x in (members, others))
        close(f"mean of {motif} in {name}", r["mean_fg"], fg.mean())
        if np.ptp(np.concatenate([fg, bg])) == 0:
            continue
        p = stats.mannwhitneyu(fg, bg, use_continuity=False, method="asymptotic").pvalue
        close(f"log10 p of {motif} in {name}", r["log10_p"], np.log10(p))
        n[1] += 1
print(f"{n[0]} AUC, NES and leading edges, {n[1]} rank sums agree to 1e-10")
