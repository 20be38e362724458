# grn-sim: the same files for any number of threads, cells that do not depend on their number, sites that are there, truth that agrees
S='-x small --no-pg -q'
t_ok "small multiome" grn-sim $S -o a -@ 1
mkdir sub
t_ok "again on two threads" grn-sim $S -o sub/a -@ 2
for f in fragments.tsv.gz fragments.tsv.gz.tbi counts.h5 counts.h5ad genome.fa genome.fa.fai genes.gtf regions.bed sites.bed motifs.jaspar motif2tf.tsv tfs.txt \
    cells.tsv truth.edges.zst truth_activity.tensor.zst truth_open.tsv; do
    t_cmp "$f: same bytes on 1 and 2 threads" a/$f sub/a/$f
done
t_true "nothing else is written" '[ "$(ls -A a | wc -l)" = 16 ]'
t_ok "another seed" grn-sim $S --seed 2 --no-genome -o b
t_true "another seed gives other cells" '! cmp -s a/cells.tsv b/cells.tsv && ! cmp -s a/regions.bed b/regions.bed && [ ! -e b/genome.fa ]'

# cell k is the same cell whatever --cells
t_ok "fewer cells" grn-sim $S --cells 120 -o few
head -n 121 a/cells.tsv >want
t_cmp "the first 120 of 300 cells" want few/cells.tsv
tail -n +2 few/cells.tsv | cut -f 1 >few.txt
gzip -dc a/fragments.tsv.gz | awk 'NR == FNR { k[$1] = 1; next } $4 in k' few.txt - >want
gzip -dc few/fragments.tsv.gz >got
t_cmp "their fragments are the same" want got
if python3 -c 'import h5py' 2>err; then
    cat >counts.py <<'X'
import h5py
def rows(path, n):
    with h5py.File(path) as f:
        m = f["matrix"]
        p = m["indptr"][: n + 1]
        assert [b.decode() for b in m["features/feature_type"][:3]] == ["Gene Expression"] * 3 and len(m["features/id"]) == m["shape"][0] == 300
        return [b.decode() for b in m["barcodes"][:n]], list(p), list(m["indices"][: p[-1]]), m["data"][: p[-1]]
a, b = rows("a/counts.h5", 120), rows("few/counts.h5", 120)
assert a[:3] == b[:3] and list(a[3]) == list(b[3]), "counts of the same cells differ"
assert a[3].dtype.kind in "iu" and a[3].min() >= 1 and len(a[3]) > 1000
with h5py.File("few/counts.h5ad") as f:
    assert list(f["X/data"][:]) == list(b[3]) and list(f["X/indices"][:]) == b[2] and list(f["X/indptr"][:]) == b[1]
    assert f["obs"].attrs["_index"] in f["obs"] and "cell_type" in f["obs"] and "donor" in f["obs"]
X
    t_ok "their counts are the same whole numbers, in h5 and in h5ad" python3 counts.py
else
    t_skip "sim.t: counts of counts.h5" "no h5py"
fi
for f in regions.bed genes.gtf truth.edges.zst genome.fa sites.bed truth_open.tsv; do t_cmp "$f does not depend on --cells" a/$f few/$f; done

# fragments
gzip -dc a/fragments.tsv.gz >f.tsv
t_true "fragments are sorted by chromosome, start" 'cut -f 1,2 f.tsv | sort -c -s -k1,1 -k2,2n'
awk -F'\t' 'NR == FNR { len[$1] = $2; next } NF != 5 || $2 < 0 || $3 <= $2 || $3 > len[$1] || $5 < 1 || length($4) != 18 { print; bad = 1 } END { exit bad }' \
    a/genome.fa.fai f.tsv >bad
t_true "fragments lie on their chromosome and have five columns" '[ ! -s bad ]'
t_true "every fragment is of a cell of cells.tsv" '[ "$(cut -f 4 f.tsv | sort -u | join -v 1 - <(tail -n +2 a/cells.tsv | cut -f 1 | sort) | wc -l)" = 0 ]'
t_near "fragments per cell" "$(awk 'END { print NR / 300 }' f.tsv)" 400 40
t_near "PCR copies per fragment: 1 / (1 - 0.15)" "$(awk -F'\t' '{ n += $5 } END { print n / NR }' f.tsv)" 1.1765 0.01
t_near "median length" "$(awk -F'\t' '{ print $3 - $2 }' f.tsv | sort -n | awk '{ v[NR] = $1 } END { print v[int(NR / 2)] }')" 130 15
if command -v tabix >/dev/null; then
    tabix a/fragments.tsv.gz chr1:200000-300000 >got
    awk -F'\t' '$1 == "chr1" && $2 < 300000 && $3 >= 200000' f.tsv >want
    t_true "tabix finds what a scan finds" 'cmp got want && [ -s got ]'
else
    t_skip "sim.t: tabix" "no tabix"
fi

# what sites.bed says is in the FASTA, and scores what it says under the motif as written; the index points at the sequences
cat >sites.awk <<'X'
FILENAME ~ /jaspar/ { if (/^>/) { m = substr($1, 2); next } b = substr($0, 1, 1); s = $0; sub(/^.*\[ */, "", s); sub(/ *\].*/, "", s); w[m] = split(s, x, / +/)
    for (i = 1; i <= w[m]; i++) { c[m, b, i] = x[i]; total[m, i] += x[i] } next }
FILENAME ~ /fa$/ { if (/^>/) n = substr($1, 2); else { line[n, ++k[n]] = $0 } next }
function at(chrom, p) { return substr(line[chrom, int(p / 60) + 1], p % 60 + 1, 1) }
BEGIN { comp["A"] = "T"; comp["T"] = "A"; comp["C"] = "G"; comp["G"] = "C" }
{ if ($3 - $2 != w[$4]) { print "width", $0; next } s = 0
    for (i = 1; i <= w[$4]; i++) { b = $6 == "+" ? at($1, $2 + i - 1) : comp[at($1, $3 - i)]; q = c[$4, b, i] / total[$4, i]; s += q > 0 ? log(4 * q) / log(2) : -99 }
    if (s - $5 > 0.002 || $5 - s > 0.002) print "score", s, $0; n_sites++ }
END { if (n_sites < 500) print "sites", n_sites }
X
awk -f sites.awk a/motifs.jaspar a/genome.fa a/sites.bed >bad
t_true "planted sites are in the genome" '[ ! -s bad ]'
awk '/^>/ { n++ } END { print n }' a/genome.fa >n
t_true "one index line per sequence" '[ "$(wc -l <a/genome.fa.fai)" = "$(cat n)" ]'
t_true "index offsets are right" 'while read -r name len off bp width; do
    [ "$(tail -c +$((off + 1)) a/genome.fa | head -c 60)" = "$(awk -v n=">$name" "on { print; exit } \$1 == n { on = 1 }" a/genome.fa)" ] || exit 1; done <a/genome.fa.fai'

# truth: tables agree with each other
if command -v zstd >/dev/null && command -v python3 >/dev/null; then
    zstd -dcq a/truth.edges.zst >edges.safetensors && zstd -dcq a/truth_activity.tensor.zst >activity.safetensors
    cat >truth.py <<'X'
import json, struct
SIZE = {"U8": "B", "I8": "b", "U16": "H", "U32": "I", "U64": "Q", "F32": "f"}
def load(path):
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for name, t in json.loads(raw[8 : 8 + n]).items():
        if name == "__metadata__": continue
        data = raw[8 + n + t["data_offsets"][0] : 8 + n + t["data_offsets"][1]]
        if name.startswith("names."): out[name] = data.decode().split("\n")[:-1]
        elif t["dtype"] in SIZE: out[name] = struct.unpack("<%d%s" % (len(data) // struct.calcsize("<" + SIZE[t["dtype"]]), SIZE[t["dtype"]]), data)
    return out
e, a = load("edges.safetensors"), load("activity.safetensors")
regions = {l.split("\t")[3] for l in open("a/regions.bed").read().splitlines()}
tfs = set(open("a/tfs.txt").read().split())
motif = dict(reversed(l.split("\t")) for l in open("a/motif2tf.tsv").read().splitlines()[1:])
sites = {(f[7], f[3]) for f in (l.split("\t") for l in open("a/sites.bed").read().splitlines()) if f[6] == "regulates"}
types = {f[0]: f[1] for f in (l.split("\t") for l in open("a/cells.tsv").read().splitlines()[1:])}
active = set()
for tf, g, r, c, k, s, w in zip(*(e[x] for x in ("tf", "gene", "region", "context", "regulon", "sign", "weight"))):
    name, region = e["names.gene"][tf], e["names.region"][r]
    assert name in tfs and region in regions and (region, motif[name]) in sites and w > 0 and tf != g
    assert e["names.regulon"][k] == "%s_%s/+" % (name, "+" if s > 0 else "-")
    active.add((e["names.context"][c], e["names.regulon"][k]))
words, n, on, partly = (len(a["names.regulon"]) + 63) // 64, len(a["names.cell"]), {}, 0
for c, cell in enumerate(a["names.cell"]):
    context = a["names.context"][a["context"][c]]
    assert types[cell] == context
    for r, regulon in enumerate(a["names.regulon"]):
        bit = a["bits"][c * words + r // 64] >> r % 64 & 1
        on.setdefault((context, regulon), []).append(bit)
for key, bits in on.items():
    assert (sum(bits) > 0) == (key in active), key
    partly += 0.15 < sum(bits) / len(bits) < 0.85
assert n == 300 and partly > 10 and set(e["sign"]) == {1, -1}
X
    t_ok "on bits and triplets agree: a regulon is on only in types that have its triplets, in part of their cells" python3 truth.py
else
    t_skip "sim.t: bits against triplets" "no zstd or python3"
fi
t_true "TF list and motif table name the same TFs" 'cmp <(sort a/tfs.txt) <(tail -n +2 a/motif2tf.tsv | cut -f 2 | sort)'
t_true "every region is listed once, in genome order" '[ "$(wc -l <a/regions.bed)" = 900 ] && [ "$(cut -f 4 a/regions.bed | sort -u | wc -l)" = 900 ] && cut -f 1,2 a/regions.bed | sort -c -s -k1,1 -k2,2n'
t_true "every gene is in the GTF" '[ "$(awk -F"\t" "\$3 == \"gene\"" a/genes.gtf | wc -l)" = 300 ]'

# the whole point: the regulon's targets tell on from off
t_ok "AUCell on the true regulons" grn-aucell -q -r a/truth.edges.zst a/counts.h5ad -o auc.tensor.zst
t_ok "against the planted states" grn-eval activity -q -t a/truth_activity.tensor.zst auc.tensor.zst
awk -F'\t' 'NR > 1 && $5 + 0 == $5 && $2 ~ /^TF/ { s += $5; n++ } END { print n ? s / n : 0 }' out >auroc
t_true "mean AUROC within types is above 0.75 in the smallest preset ($(cat auroc))" 'awk "{ exit !(\$1 > 0.75 && \$1 < 1) }" auroc'

# streaming: memory does not follow the number of cells
if (ulimit -v 700000; grn-sim --version) >out 2>err; then
    t_true "20,000 cells x 5,000 genes in 300 MB" '(ulimit -v 700000; grn-sim --cells 20000 --genes 5000 --regions 8000 --depth 300 --no-atac -o big -@ 2) 2>log &&
        awk "/GB peak/ { for (i = 1; i < NF; i++) if (\$i == \"GB\") { gb = \$(i - 1) } } END { exit !(gb > 0 && gb < 0.3) }" log && [ ! -e big/fragments.tsv.gz ]'
    t_true "all of its cells" '[ "$(wc -l <big/cells.tsv)" = 20001 ]'
else
    t_skip "sim.t: memory of a streamed run" "the address sanitizer needs more address space"
fi

# edges of the parameter space
t_ok "one cell, one type, one donor" grn-sim --no-pg -q -n 1 -k 1 -d 1 -g 120 -t 4 -r 200 -o one
t_true "one cell is one line" '[ "$(wc -l <one/cells.tsv)" = 2 ]'
t_ok "regulons never on" grn-sim -x small --no-pg -q --on-frac 0 --no-atac -o never
t_ok "regulons always on" grn-sim -x small --no-pg -q --on-frac 1 --no-atac -o always

# wrong command lines and full disks
t_exit 2 'grn-sim: *-o DIR*' "no folder" grn-sim
t_exit 2 'grn-sim: *not empty*' "a folder with something in it" grn-sim $S -o a
t_ok "--force goes into it" grn-sim $S --force -o a
t_cmp "and writes the same" a/counts.h5 sub/a/counts.h5
t_exit 2 'grn-sim: *cells*' "no cells" grn-sim --cells 0 -o x
t_exit 2 'grn-sim: *on-frac*' "a share above 1" grn-sim --on-frac 1.5 -o x
t_exit 2 'grn-sim: *abc*' "a word for a number" grn-sim --genes abc -o x
t_exit 2 'grn-sim: *preset*' "unknown preset" grn-sim -x huge -o x
t_exit 2 'grn-sim: *regions*at least*' "too few regions" grn-sim --regions 100 -o x
t_exit 2 'grn-sim: *tfs*half*' "more TFs than genes bear" grn-sim --genes 80 --tfs 48 -o x
t_exit 2 'grn-sim: *' "an operand" grn-sim -o x y
t_true "none of these made the folder" '[ ! -e x ]'
t_exit 1 'grn-sim: *no/such*' "a folder that cannot be made" grn-sim $S -o no/such/x
touch file
t_exit 1 'grn-sim: *file*' "a file in place of the folder" grn-sim $S -o file
t_true "a disk that fills up: exit 1 and nothing left" '(ulimit -f 200; grn-sim -x small -q -o full) 2>log; [ $? = 1 ] && [ ! -e full ] && grep -q "^grn-sim: " log'
