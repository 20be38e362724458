"""Cells x regions and cells x genes of an atlas, for a sample of genes, to time `grn-build link --region-gene` and extrapolate. Needs numpy.
usage: region_scale.py FOLDER [CELLS=117000] [GENES=60] [REGIONS_PER_GENE=60] [SEED=1]
Writes FOLDER/rna, FOLDER/atac (10x folders) and FOLDER/genes.bed: genes 1 Mb apart, each with its own regions within 150 kb; a region is
seen in 1.5 % of the cells (5,000 of 340,000 regions a cell), a gene in 15 %, more often with its first region."""
import os
import sys

import numpy as np


def write(folder, features, columns, cells):
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/barcodes.tsv", "w") as f:
        f.writelines("c%06d\n" % i for i in range(cells))
    with open(folder + "/features.tsv", "w") as f:
        f.writelines(x + "\n" for x in features)
    with open(folder + "/matrix.mtx", "w") as f:
        f.write("%%%%MatrixMarket matrix coordinate integer general\n%d %d %d\n" % (len(features), cells, sum(map(len, columns))))
        for j, c in enumerate(columns):
            f.writelines("%d %d 1\n" % (j + 1, i + 1) for i in c)


def main(folder, cells=117000, genes=60, per_gene=60, seed=1):
    cells, genes, per_gene = int(cells), int(genes), int(per_gene)
    rng = np.random.default_rng(int(seed))
    regions, bed, atac, rna = [], [], [], []
    for g in range(genes):
        at = (g + 1) * 1000000
        bed.append("chr1\t%d\t%d\tG%03d\t0\t+\n" % (at, at + 10000, g))
        for r in range(per_gene):
            s = at - 140000 + r * (290000 // per_gene)
            regions.append("chr1:%d-%d" % (s, s + 500))
            atac.append(np.flatnonzero(rng.random(cells) < 0.015))
        p = np.full(cells, 0.15)
        p[atac[-per_gene]] = 0.5
        rna.append(np.flatnonzero(rng.random(cells) < p))
    write(folder + "/atac", ["%s\t%s\tPeaks" % (r, r) for r in regions], atac, cells)
    write(folder + "/rna", ["G%03d\tG%03d\tGene Expression" % (g, g) for g in range(genes)], rna, cells)
    with open(folder + "/genes.bed", "w") as f:
        f.writelines(bed)


main(*sys.argv[1:])
