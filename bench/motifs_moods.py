"""Sites by MOODS (MOODS-python) and by grn-build scan on the same sequence and matrices, one thread, in turns.
usage: motifs_moods.py MOTIFS.meme|jaspar|cb GENOME.fa P N_MOTIFS   (first N_MOTIFS; both strands; whole chromosomes; scan time only for MOODS)"""
import gzip
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

import MOODS.scan
import MOODS.tools

path, fasta, p, most = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
text = (gzip.open if path.endswith(".gz") else open)(path, "rt").read()
motifs = []
for block in re.split(r"^>", text, flags=re.M)[1 : most + 1]:  # Cluster-Buster: rows are positions
    lines = block.strip().split("\n")
    motifs.append((lines[0].split()[0], [[float(x) for x in l.split()] for l in lines[1:] if l[:1] != "#"]))
bg = [0.25] * 4
matrices = [[[row[b] for row in rows] for b in range(4)] for _, rows in motifs]
odds = [MOODS.tools.log_odds(m, bg, 0.1) for m in matrices]
both = odds + [MOODS.tools.reverse_complement(m, 4) for m in odds]
limits = [MOODS.tools.threshold_from_p(m, bg, p) for m in both]
sequences = [s.split("\n", 1)[1].replace("\n", "") for s in open(fasta).read().split(">")[1:]]
bp = sum(map(len, sequences))
scanner = MOODS.scan.Scanner(7)
scanner.set_motifs(both, bg, limits)
with tempfile.TemporaryDirectory() as d:
    for k, some in ("all.cb", motifs), ("one.cb", [max(motifs, key=lambda m: len(m[1]))]):
        with open(os.path.join(d, k), "w") as f:
            for name, rows in some:
                f.write(">%s\n%s\n" % (name, "\n".join("\t".join("%g" % x for x in r) for r in rows)))
    n_hits = {}
    theirs, ours = [], {"all.cb": [], "one.cb": []}
    for _ in range(3):
        t = time.process_time()
        hits = sum(len(h) for s in sequences for h in scanner.scan(s))
        theirs.append(time.process_time() - t)
        for k in ours:
            u = resource.getrusage(resource.RUSAGE_CHILDREN)
            r = subprocess.run(["grn-build", "scan", "-@1", "-m", os.path.join(d, k), "-g", fasta, "--background", "uniform", "-p", str(p),
                                "-o", os.path.join(d, "o.zst")], capture_output=True, text=True, check=True)
            v = resource.getrusage(resource.RUSAGE_CHILDREN)
            ours[k].append(v.ru_utime + v.ru_stime - u.ru_utime - u.ru_stime)
            n_hits[k] = re.search("sites: ([0-9]+)", r.stderr).group(1)
work = bp * len(motifs) / 1e6
a, b, c = (sorted(x)[1] for x in (theirs, ours["all.cb"], ours["one.cb"]))
print(f"{len(motifs)} motifs x {bp / 1e6:.0f} Mbp, p = {p}, both strands, one thread, medians of 3")
print(f"MOODS: {a:.2f} s scanning, {work / a:.0f} Mbp x motif / s, {hits} hits")
print(f"grn-build scan: {b:.2f} s CPU in all, {work / b:.0f} Mbp x motif / s: {a / b:.1f} times; {n_hits['all.cb']} hits")
print(f"less the run with one motif ({c:.2f} s: start, reading, writing): {b - c:.2f} s, {work / (b - c):.0f} Mbp x motif / s: {a / (b - c):.1f} times")
