# grn-view: every form of output by hand-made inputs, filters, import, subset, merge, cell, check, refusals
printf 'cell,G1,G2,G3,G4\nc1,0,2,0,1\nc2,5,0,0,0\nc3,0,0,300,7\n' >m.csv
printf 'barcode\tcell_type\tdonor\nc1\tB\tD1\nc2\tT\tD1\nc3\tT\tD2\n' >cells.tsv
t_ok "import a csv with labels" grn-view import -q --cells cells.tsv -o m.tensor.zst m.csv
t_ok "zstd -t accepts it" zstd -tq m.tensor.zst
t_out "sparse: cell, feature, value" $'cell\tfeature\tvalue\nc1\tG2\t2\nc1\tG4\t1\nc2\tG1\t5\nc3\tG3\t300\nc3\tG4\t7' grn-view -q m.tensor.zst
t_out "wide" $'cell\tG1\tG2\tG3\tG4\nc1\t0\t2\t0\t1\nc2\t5\t0\t0\t0\nc3\t0\t0\t300\t7' grn-view -q -O tsv m.tensor.zst
t_out "cells" $'barcode\tcell_type\tdonor\nc1\tB\tD1\nc2\tT\tD1\nc3\tT\tD2' grn-view -q -O cells m.tensor.zst
t_out "features" $'feature\nG1\nG2\nG3\nG4' grn-view -q -O features m.tensor.zst
t_out "MatrixMarket, features x cells" $'%%MatrixMarket matrix coordinate real general\n%features x cells\n4 3 5\n2 1 2\n4 1 1\n1 2 5\n3 3 300\n4 3 7' grn-view -q -O mtx m.tensor.zst
t_ok "10x folder" grn-view -q -O mtx -o ten/ m.tensor.zst
t_ok "and back" grn-view import -q --cells cells.tsv -o back.tensor.zst ten
t_cmp "the folder holds the same matrix" <(grn-view -q -O tsv back.tensor.zst) <(grn-view -q -O tsv m.tensor.zst)
t_ok "h5ad" grn-view -q -O h5ad -o m.h5ad m.tensor.zst
t_cmp "the h5ad holds the same matrix" <(grn-view -q m.h5ad) <(grn-view -q m.tensor.zst)
t_cmp "and the same labels" <(grn-view -q -O cells m.h5ad) <(grn-view -q -O cells m.tensor.zst)
t_cmp "stdin, as a pipe" <(cat m.tensor.zst | grn-view -q -) <(grn-view -q m.tensor.zst)
t_cmp "stdin, another format" <(cat m.csv | grn-view -q -) <(grn-view -q m.tensor.zst)
t_out "choice of cells and genes" $'cell\tG2\tG4\nc1\t2\t1\nc3\t0\t7' grn-view -q -O tsv --cell c3,c1 --gene G4 --gene G2 m.tensor.zst
t_out "choice by attribute" $'cell\tG1\tG2\tG3\tG4\nc2\t5\t0\t0\t0' grn-view -q -O tsv --where donor=D1 --where cell_type=T m.tensor.zst
t_out "choice by context" $'cell\tG1\tG2\tG3\tG4\nc1\t0\t2\t0\t1' grn-view -q -O tsv --context B m.tensor.zst
printf 'c2\nc1\n' >list.txt
t_out "names from a file" $'barcode\tcell_type\tdonor\nc1\tB\tD1\nc2\tT\tD1' grn-view -q -O cells --cell @list.txt m.tensor.zst
t_exit 3 "grn-view*none of the 1 genes asked for*NOPE*G1*" "no such gene" grn-view --gene NOPE m.tensor.zst
t_exit 3 "grn-view*no cell*donor 'D9'*D1, D2*" "no such value" grn-view --where donor=D9 m.tensor.zst
t_exit 1 "grn-view*no cell attribute 'sex'*cell_type, donor*" "no such attribute" grn-view --where sex=F m.tensor.zst
t_exit 3 "grn-view*no cell*left*" "filters that exclude each other" grn-view --cell c3 --where donor=D1 m.tensor.zst
t_exit 2 "grn-view*COLUMN=VALUE*" "malformed --where" grn-view --where donor m.tensor.zst
t_exit 2 "grn-view*cannot be written as sif*" "a matrix is no network" grn-view -O sif m.tensor.zst
t_ok "subset" grn-view subset -q --where donor=D1 --gene G1,G2 -o s.tensor.zst m.tensor.zst
t_out "subset holds just that" $'cell\tG1\tG2\nc1\t0\t2\nc2\t5\t0' grn-view -q -O tsv s.tensor.zst
t_true "its history names both steps" "[ \$(grn-view -q -H s.tensor.zst | grep -c '^@PG') = 2 ]"
t_true "PP chains them" "grn-view -q -H s.tensor.zst | grep -q 'ID:grn-view.1.*PP:grn-view$'"
grn-view import -q --no-pg --cells cells.tsv -o nopg.tensor.zst m.csv
t_true "--no-pg leaves no command" "! grn-view -q -H nopg.tensor.zst | grep -qE '^(@PG|command)'"
for k in 1 2; do grn-view subset -q -@ $k --where donor=D1 -o t$k.tensor.zst m.tensor.zst; done
t_cmp "same bytes for -@ 1 and 2 but for the name of the output" <(zstd -dc t1.tensor.zst | tail -c 40) <(zstd -dc t2.tensor.zst | tail -c 40)
mkdir a b; for k in a:1 b:2; do (cd "${k%:*}" && grn-view subset -q -@ "${k#*:}" --where donor=D1 -o t.tensor.zst ../m.tensor.zst); done
t_cmp "same bytes altogether" a/t.tensor.zst b/t.tensor.zst
t_ok "check is silent" grn-view --check -q m.tensor.zst m.h5ad m.csv
t_true "indeed" "[ ! -s out ] && [ ! -s err ]"
n=$(stat -c %s m.tensor.zst)
for k in 1 2 3 4 5; do head -c $((n * k / 6)) m.tensor.zst >cut.zst; t_exit 1 "grn-view*cut.zst*" "cut to $((k * 100 / 6)) %" grn-view --check cut.zst; done
{ cat m.tensor.zst; echo; } >more.zst
t_exit 1 "grn-view*more.zst*" "one byte too many" grn-view --check more.zst
t_exit 1 "grn-view*absent*" "missing file" grn-view absent
t_exit 2 "*" "no file" grn-view
t_exit 2 "grn-view*" "unknown option" grn-view --nothing m.tensor.zst
t_exit 1 "grn-view*write*" "full disk" grn-view -o /dev/full m.tensor.zst
t_exit 1 "grn-view*write*" "full disk, container" grn-view subset --cell c1 -o /dev/full m.tensor.zst
t_true "head closes the pipe and nobody complains" "grn-view -q m.tensor.zst 2>pipe.err | head -n 1 >/dev/null; [ ! -s pipe.err ]"

# Edges: two contexts, signs, regions
printf 'TF\ttarget\timportance\nT1\tG1\t3\nT1\tG2\t0.5\nT2\tG1\t7\n' >adj.tsv
t_ok "import a network" grn-view import -q -o n.edges.zst adj.tsv
t_out "edges as TSV" $'tf\tgene\tsign\tweight\nT1\tG1\t0\t3\nT1\tG2\t0\t0.5\nT2\tG1\t0\t7' grn-view -q n.edges.zst
t_out "SCENIC adjacencies, largest first" $'TF\ttarget\timportance\nT2\tG1\t7\nT1\tG1\t3\nT1\tG2\t0.5' grn-view -q -O adj n.edges.zst
t_out "SIF" $'T1\tregulates\tG1\nT1\tregulates\tG2\nT2\tregulates\tG1' grn-view -q -O sif n.edges.zst
t_out "GMT by TF" $'T1\tT1\tG1\tG2\nT2\tT2\tG1' grn-view -q -O gmt n.edges.zst
t_out "targets of one TF" $'tf\tgene\tsign\tweight\nT2\tG1\t0\t7' grn-view -q --tf T2 n.edges.zst
t_out "regulators of one gene" $'T1\tregulates\tG2' grn-view -q -O sif --gene G2 n.edges.zst
t_true "GraphML is well-formed" "grn-view -q -O graphml n.edges.zst >g.xml && [ \$(grep -c '<edge ' g.xml) = 3 ] && [ \$(grep -c '<node ' g.xml) = 4 ] && tail -n 1 g.xml | grep -q '</graphml>'"
t_exit 1 "grn-view*eRegulons need*" "no regions, no eRegulons" grn-view -O eregulon n.edges.zst
t_exit 3 "grn-view*none of the 1 TFs asked for*" "no such TF" grn-view --tf T9 n.edges.zst
t_exit 3 "grn-view*no edge*together*" "TF and gene without an edge" grn-view --tf T2 --gene G2 n.edges.zst
t_exit 2 "grn-view*no cells*" "edges have no cells" grn-view --cell c1 n.edges.zst
printf 'S1\tna\tG1\tG2\nS2\tna\tG2\n' >sets.gmt
t_ok "import gene sets" grn-view import -q -o sets.edges.zst sets.gmt
t_out "gene sets come back" $'S1\tNA\tG1\tG2\nS2\tNA\tG2' grn-view -q -O gmt sets.edges.zst
printf 'TF\ttarget\timportance\nT2\tG1\t7\nT3\tG9\t1\n' >adj2.tsv
t_ok "merge networks" grn-view merge -q -o both.edges.zst adj.tsv adj2.tsv
t_out "a repeated edge is there once" $'T1\tregulates\tG1\nT1\tregulates\tG2\nT2\tregulates\tG1\nT3\tregulates\tG9' grn-view -q -O sif both.edges.zst
grn-view merge -q --no-pg -o ab.edges.zst adj.tsv adj2.tsv; grn-view merge -q --no-pg -o ba.edges.zst adj2.tsv adj.tsv
t_cmp "the order of the files does not matter" <(grn-view -q ab.edges.zst) <(grn-view -q ba.edges.zst)
printf 'TF\ttarget\timportance\nT2\tG1\t8\n' >adj3.tsv
t_exit 1 "grn-view*T2 -> G1*twice*" "a conflicting edge" grn-view merge -o x.edges.zst adj.tsv adj3.tsv
t_exit 1 "grn-view*all of one kind*" "merging apples and pears" grn-view merge -o x.edges.zst adj.tsv m.csv

# Matrices merged
printf 'cell,G4,G3,G2,G1\nd1,1,2,3,4\n' >m2.csv
t_ok "merge matrices, columns in another order" grn-view merge -q -o mm.tensor.zst m.csv m2.csv
t_out "columns are matched by name" $'cell\tG1\tG2\tG3\tG4\nd1\t4\t3\t2\t1' grn-view -q -O tsv --cell d1 mm.tensor.zst
t_exit 1 "grn-view*--tag*c1*twice*" "the same cell twice" grn-view merge -o x.tensor.zst m.csv m.csv
t_ok "tagged" grn-view merge -q --tag -o tagged.tensor.zst m.csv m.csv
t_out "cells by file" $'barcode\nc1_1\nc2_1\nc3_1\nc1_2\nc2_2\nc3_2' grn-view -q -O cells tagged.tensor.zst
printf 'cell,G1,G9\ne1,1,2\n' >m3.csv
t_exit 1 "grn-view*--join inner or outer*" "other columns" grn-view merge -o x.tensor.zst m.csv m3.csv
t_ok "inner" grn-view merge -q --join inner -o inner.tensor.zst m.csv m3.csv
t_out "common columns" $'cell\tG1\nc1\t0\nc2\t5\nc3\t0\ne1\t1' grn-view -q -O tsv inner.tensor.zst
t_ok "outer" grn-view merge -q --join outer -o outer.tensor.zst m.csv m3.csv
t_out "all columns" $'cell\tG1\tG2\tG3\tG4\tG9\ne1\t1\t0\t0\t0\t2' grn-view -q -O tsv --cell e1 outer.tensor.zst
t_true "nothing partial is left" "[ ! -e x.edges.zst ] && [ ! -e x.tensor.zst ] && ! ls | grep -q '\.tmp\.'"

# A simulated network with regions, contexts and activity
t_ok "simulate" grn-sim -q --cells 60 --genes 120 --regions 400 --no-atac -o sim
e=sim/truth.edges.zst a=sim/truth_activity.tensor.zst
grn-view -q $e >all.tsv
read -r ctx reg tf region gene _ < <(sed -n 2p all.tsv)
t_true "filters agree with awk" "grn-view -q --context $ctx --regulon '$reg' $e | cmp - <(awk -F'\t' -v c=$ctx -v r='$reg' 'NR == 1 || (\$1 == c && \$2 == r)' all.tsv)"
IFS=:- read -r chrom start end <<<"$region"
t_true "a region is found by overlap" "grn-view -q --region $chrom:$((start + 10))-$((start + 11)) $e | cut -f4 | sort -u | grep -qxF '$region'"
t_true "chromosome 1 is chr1" "grn-view -q --region ${chrom#chr}:$start-$end $e | cut -f4 | grep -qxF '$region'"
t_true "half-open: the base behind the end is outside" "! grn-view -q --region $chrom:$end-$((end + 1)) $e 2>/dev/null | cut -f4 | grep -qxF '$region'"
grn-view -q -O eregulon $e >er.tsv
t_true "eRegulon columns" "[ \"\$(head -n 1 er.tsv | tr '\t' ' ')\" = 'Region Gene importance_R2G rho_R2G importance_x_rho importance_x_abs_rho TF is_extended eRegulon_name Gene_signature_name Region_signature_name importance_TF2G regulation rho_TF2G triplet_rank' ]"
t_true "one row per triplet over contexts" "[ \$((\$(wc -l <er.tsv) - 1)) = \$(tail -n +2 all.tsv | cut -f2-5 | sort -u | wc -l) ]"
t_true "signature sizes" "n=\$(tail -n +2 all.tsv | awk -F'\t' -v r='$reg' '\$2 == r' | cut -f5 | sort -u | wc -l); cut -f10 er.tsv | grep -qxF \"$reg\"_\"(\${n}g)\""
t_true "GMT is the union over contexts" "grn-view -q -O gmt $e | awk -F'\t' -v r='$reg' '\$1 == r' | cut -f3- | tr '\t' '\n' | cmp - <(tail -n +2 all.tsv | awk -F'\t' -v r='$reg' '\$2 == r' | cut -f5 | sort -u)"
grn-view -q $a >on.tsv
read -r cell cctx creg < <(sed -n 2p on.tsv)
grn-view cell -q -a $a -e $e "$cell" >net.tsv
t_true "the network of a cell: its context, its regulons" "[ -s net.tsv ] && ! tail -n +2 net.tsv | awk -F'\t' -v c='$cctx' '\$1 != c' | grep -q . && ! tail -n +2 net.tsv | cut -f2 | sort -u | comm -23 - <(awk -F'\t' -v c='$cell' '\$1 == c { print \$3 }' on.tsv | sort -u) | grep -q ."
t_true "and all of them that have edges" "[ \$(tail -n +2 net.tsv | wc -l) = \$(awk -F'\t' -v c='$cctx' 'NR == FNR { if (\$1 == \"$cell\") on[\$3]; next } \$1 == c && (\$2 in on)' on.tsv all.tsv | wc -l) ]"
t_exit 1 "grn-view*no cell 'nobody'*" "no such cell" grn-view cell -a $a -e $e nobody
t_exit 2 "grn-view*--active and --edges*" "cell without files" grn-view cell "$cell"
t_ok "subset of activity" grn-view subset -q --cell "$cell" -o one.tensor.zst $a
t_cmp "its bits are those of the cell" <(grn-view -q one.tensor.zst) <(awk -F'\t' -v c="$cell" 'NR == 1 || $1 == c' on.tsv)
t_ok "wide activity" grn-view -q -O tsv $a
t_ok "thresholds" grn-view -q -O fits $a
t_ok "subset of edges" grn-view subset -q --context "$ctx" -o ctx.edges.zst $e
t_cmp "it holds the edges of the context" <(grn-view -q ctx.edges.zst) <(awk -F'\t' -v c="$ctx" 'NR == 1 || $1 == c' all.tsv)
t_ok "a tensor by name" grn-view -q --tensor names.context $e
t_exit 1 "grn-view*no tensor 'x'*-H*" "no such tensor" grn-view --tensor x $e

# Embeddings
if grn-embed -q -e $e --cells sim/cells.tsv --epochs 1 --dim 4 -o emb.tensor.zst sim/counts.h5ad 2>emb.err; then
    grn-view -q emb.tensor.zst >emb.tsv
    t_true "embeddings: names, then numbers" "[ \"\$(head -n 1 emb.tsv | tr '\t' ' ')\" = 'context gene degree x1 x2 x3 x4' ]"
    read -r ectx egene _ < <(sed -n 2p emb.tsv)
    t_cmp "choice of one gene" <(grn-view -q --gene "$egene" emb.tensor.zst) <(awk -F'\t' -v g="$egene" 'NR == 1 || $2 == g' emb.tsv)
    t_exit 2 "grn-view*no cells to choose from*" "type embeddings have no cells" grn-view --cell c emb.tensor.zst
else
    t_true "grn-embed ran" "cat emb.err; false"
fi

# The decompressed bytes are safetensors to everyone
if python3 -c 'import safetensors, numpy' 2>/dev/null; then
    zstd -dqc m.tensor.zst >m.safetensors; zstd -dqc $e >e.safetensors
    t_true "Python's safetensors reads it" "python3 - <<'PY'
from safetensors import safe_open
from safetensors.numpy import load_file
import json, subprocess
m = load_file('m.safetensors')
names = bytes(m['names.row']).decode().split()
assert names == ['c1', 'c2', 'c3'], names
assert m['X.indptr'].tolist() == [0, 2, 3, 5] and m['X.indices'].tolist() == [1, 3, 0, 2, 3] and m['X.data'].tolist() == [2, 1, 5, 300, 7]
assert m['X.data'].dtype == 'uint16' and m['X.indices'].dtype == 'uint16' and m['X.indptr'].dtype == 'uint64'
with safe_open('m.safetensors', 'numpy') as f:
    meta = f.metadata()
assert meta['schema'] == 'grn.matrix/1' and meta['tool'] == 'grn-view' and json.loads(meta['inputs'])[0]['name'] == 'm.csv'
e = load_file('e.safetensors')
genes = bytes(e['names.gene']).decode().split('\n')[:-1]
rows = subprocess.run(['grn-view', '-q', 'sim/truth.edges.zst'], capture_output=True, text=True, check=True).stdout.split('\n')[1:-1]
assert [r.split('\t')[2] for r in rows] == [genes[i] for i in e['tf']]
PY"
else
    t_skip "Python's safetensors reads it" "python3 with safetensors and numpy is not there"
fi

# --where on columns of the input's own labels
printf 'barcode\tcell_type\tmethod\nc1\tB\tx\nc2\tT\ty\nc3\tT\ty\n' >more.tsv
t_out "a further column of the TSV" $'barcode\tcell_type\tmethod\nc2\tT\ty\nc3\tT\ty' grn-view -q -O cells --cells more.tsv --where method=y m.csv
grn-view -q -O h5ad -o more.h5ad --cells more.tsv --where method=y m.csv
t_out "a column of obs" $'barcode\tcell_type\tmethod\nc3\tT\ty' grn-view -q -O cells --where method=y --cell c3 more.h5ad
t_exit 1 "grn-view*no cell attribute 'sex'*" "a column that is not there" grn-view --where sex=F more.h5ad

# What grn-build reads
printf 'chr1\tsrc\tgene\t11\t20\t.\t-\t.\tgene_id "E1"; gene_name "G1";\n' >g.gtf
t_out "genes: 0-based, TSS of the minus strand" $'gene\tid\tbiotype\tchrom\tstart\tend\tstrand\ttss\nG1\tE1\t\tchr1\t10\t20\t-\t19' grn-view -q g.gtf
printf 'chr1\t5\t9\tpeak1\nchr2\t1\t3\tpeak2\n' >r.bed
t_out "regions" $'chr1\t5\t9\tpeak1\t.\t.\nchr2\t1\t3\tpeak2\t.\t.' grn-view -q r.bed
t_out "summary of regions" $'file\tr.bed\nregions\t2\nchromosomes\t2\nbases\t6' grn-view -q -H r.bed
printf '>c1\nACGTN\nAC\n>c2\nT\n' >s.fa
t_out "sequences and lengths" $'c1\t7\nc2\t1' grn-view -q s.fa
printf '# comment\nchr1\t1\t50\tACGTACGTAC-1\t2\nchr1\t7\t90\tACGTACGTTT-1\t1\n' >f.tsv
t_out "fragments" $'chr1\t1\t50\tACGTACGTAC-1\t2\nchr1\t7\t90\tACGTACGTTT-1\t1' grn-view -q f.tsv
t_out "summary of fragments" $'file\tf.tsv\nfragments\t2\nreads\t3\nbarcodes\t2\nchromosomes\t1' grn-view -q -H f.tsv
printf '>M1\tT1\nA [ 9 0 ]\nC [ 0 1 ]\nG [ 1 1 ]\nT [ 0 8 ]\n' >m.jaspar
t_out "motifs" $'motif\tname\twidth\tsites\tgiven_as\tconsensus\nM1\tT1\t2\t10\tcounts\tAT' grn-view -q m.jaspar
printf 'motif\ttf\nM1\tT1\nM2\tT1\n' >m2t.tsv
t_out "motifs and their TFs" $'motif\ttf\tevidence\nM1\tT1\tdirect\nM2\tT1\tdirect' grn-view -q m2t.tsv
t_ok "all of them pass the check" grn-view --check -q g.gtf r.bed s.fa f.tsv m.jaspar m2t.tsv
printf 'chr1\t9\t5\tpeak1\n' >bad.bed
t_exit 1 "grn-view*bad.bed*line 1*" "a region that ends before it starts" grn-view --check --from bed bad.bed
t_exit 1 "grn-view*cannot be cut or converted*" "genes are no matrix" grn-view import -o x.tensor.zst g.gtf
