"""grn-build prune --all-modules against pandas (modules as pySCENIC's modules_from_adjacencies makes them) and ctxcore (recovery, AUC,
leading edges), with the leading edge of a motif taken from its own curve.
usage: prune_ctxcore.py LINKS.tsv MOTIF2TF.tsv RANKS.tsv REGULONS.tsv ENRICHED.tsv RANK_THRESHOLD NES [MIN_MAPPED]
LINKS: importance_tg where there is one, else |rho_tg|; MOTIF2TF: two columns; RANKS: motifs x genes."""
import csv
import sys

import numpy as np
import pandas as pd
from ctxcore.recovery import leading_edge, recovery

links = pd.read_csv(sys.argv[1], sep="\t")
links["importance"] = links["importance_tg"] if "importance_tg" in links else links["rho_tg"].abs()
links = links[links["importance"] > 0]
stands = set(map(tuple, pd.read_csv(sys.argv[2], sep="\t").itertuples(index=False)))
ranks = pd.read_csv(sys.argv[3], sep="\t", index_col=0)
ranks = ranks.astype(np.int64)
total, rank_threshold, min_nes = ranks.shape[1], int(sys.argv[6]), float(sys.argv[7])
min_mapped = float(sys.argv[8]) if len(sys.argv) > 8 else 0.8


def modules(table, levels):
    for name, least in levels:
        for tf, x in table[table["importance"] > least].groupby("tf"):
            yield tf, name, set(x["gene"])
    for tf, x in table.groupby("tf"):
        yield tf, "top50_targets", set(x.nlargest(50, "importance")["gene"])
    for n in 5, 10, 50:
        x = pd.concat([g.nlargest(n, "importance") for _, g in table.groupby("gene")])
        for tf, y in x.groupby("tf"):
            yield tf, f"top{n}_regulators", set(y["gene"])


def close(what, got, want):
    if not abs(float(got) - want) <= 1e-6 * max(abs(want), 1):
        sys.exit(f"{what}: {got}, expected {want!r}")


rows = {(r["tf"], r["sign"], r["module"], r["motif"]): r
        for r in csv.DictReader((x for x in open(sys.argv[5]) if x[0] != "#"), delimiter="\t")}
levels = [(f"q{p:g}", links["importance"].quantile(p)) for p in (0.75, 0.9)]
regulons, n_modules, n_rows = {}, 0, 0
for sign, table in ("+", links[links["rho_tg"] > 0.03]), ("-", links[links["rho_tg"] < -0.03]):
    for tf, way, genes in modules(table, levels):
        genes = genes | {tf}
        found = sorted(genes & set(ranks.columns))
        if len(genes) < 20 or len(found) / len(genes) <= min_mapped:
            continue
        n_modules += 1
        rnk = ranks[found]
        rccs, aucs = recovery(rnk, total, np.ones(len(found)), rank_threshold, 0.05)
        nes = (aucs - aucs.mean()) / aucs.std()
        above = rccs.mean(axis=0) + 2 * rccs.std(axis=0)
        for i, motif in enumerate(ranks.index):
            r = rows.pop((tf, sign, way, motif), None)
            if nes[i] < min_nes:
                if r:
                    sys.exit(f"{motif} in {tf}({sign}) {way} is not enriched: {nes[i]}")
                continue
            if not r:
                sys.exit(f"{motif} in {tf}({sign}) {way} is missing")
            n_rows += 1
            close(f"NES of {motif} in {tf}({sign}) {way}", r["nes"], nes[i])
            close(f"AUC of {motif} in {tf}({sign}) {way}", r["auc"], aucs[i])
            if (motif, tf) not in stands:
                continue
            edge, at = leading_edge(rccs[i], above, rnk.iloc[i].values, np.array(found))
            edge = {g for g, _ in edge}
            if int(r["rank_at_max"]) != at or edge != set(filter(lambda g: g != ".", r["genes"].split(","))):
                sys.exit(f"leading edge of {motif} in {tf}({sign}) {way}: {r['rank_at_max']} {r['genes']}, expected {at} {sorted(edge)}")
            for g in edge:
                key = (f"{tf}({sign})", g)
                regulons[key] = max(regulons.get(key, -1e9), nes[i])
if rows:
    sys.exit(f"{len(rows)} rows more than expected: {next(iter(rows))}")
weight = {(r.tf, r.gene): r.importance for r in links.itertuples()}
edges = pd.read_csv(sys.argv[4], sep="\t", comment="#")
if set(zip(edges["regulon"], edges["gene"])) != set(regulons):
    sys.exit("the regulons hold other genes")
for r in edges.itertuples():
    close(f"NES of {r.regulon} {r.gene}", r.nes, regulons[r.regulon, r.gene])
    close(f"weight of {r.regulon} {r.gene}", r.weight, 1 if r.tf == r.gene else weight[r.tf, r.gene])
print(f"{n_modules} modules, {n_rows} enriched motifs, {len(regulons)} edges agree")
