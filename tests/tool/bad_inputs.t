# Bad inputs: each row of docs/errors.md is made here and must give exactly that exit status and that one line on stderr ("..." in
# the table stands for any text), and leave no output. Rows without a case, and cases without a row, fail.
table=$SRC/docs/errors.md
[ "${WRITE_ERRORS:-}" ] && : >rows.txt
done_names=" "
bad() { # NAME CMD...: the row of that name says what must happen
    local name=$1 row code glob
    shift
    if [ "${WRITE_ERRORS:-}" ]; then
        rm -f z
        "$@" >out 2>err </dev/null
        echo "| $name | $? | \`$(grep '^grn-' err | tail -n 1)\` |" >>"$WRITE_ERRORS"
        return
    fi
    row=$(grep -F "| $name | " "$table")
    code=$(cut -d'|' -f3 <<<"$row" | tr -d ' ')
    glob=$(sed 's/^[^`]*`//; s/`[^`]*$//; s/[][*?\\]/\\&/g; s/\.\.\./*/g' <<<"$row")
    rm -f z
    t_exit "${code:-none}" "${glob:-no row in docs/errors.md}" "$name" "$@"
    [ "$code" = 2 ] || t_true "$name: one line on stderr, no output" "[ $(grep -c . err) = 1 ] && [ ! -e z ]"
    done_names="$done_names$name "
}
sh_q() { bash -o pipefail -c "$1"; }
payload() { # the tensors of a container, without its header
    zstd -dcq "$1" >payload.tmp
    tail -c +$(($(od -An -t u8 -N 8 payload.tmp) + 9)) payload.tmp
}

t_ok "a small multiome" grn-sim -q -n 60 -g 120 -t 8 -r 200 -o sim
# 30 cells x 12 genes as csv
awk 'BEGIN { printf "cell"; for (j = 1; j <= 12; j++) printf ",G%02d", j; print ""; split("A C G T", b, " ")
    for (i = 0; i < 30; i++) { printf "AAACCCAAGG%s%s%s-1", b[i % 4 + 1], b[int(i / 4) % 4 + 1], b[int(i / 16) + 1]
        for (j = 1; j <= 12; j++) printf ",%d", (i * j * 7) % 5; print "" } }' >c.csv
printf 'R1\tna\tG01\tG02\tG03\tG04\nR2\tna\tG05\tG06\tG07\n' >g.gmt
t_ok "the good case" grn-aucell -q --top-frac 0.5 -r g.gmt c.csv -o a.tensor.zst
t_ok "the good case of counting" grn-build count -q -r sim/regions.bed sim/fragments.tsv.gz -o atac.tensor.zst
t_ok "the good case of thresholds" grn-threshold -q a.tensor.zst -o on.tensor.zst --tsv thr.tsv --summary sum.tsv
printf 'G01\nG02\n' >tfs.txt
t_ok "the good case of regulons" grn-build run -q --rna-only --min-targets 1 -f tfs.txt --keep links -o r.edges.zst c.csv

aucell() { grn-aucell -q --top-frac 0.5 -r g.gmt "$@" -o z; }

# ---- truncated ----
head -c 30000 sim/counts.h5ad >cut.h5ad
bad "h5ad cut short" aucell cut.h5ad
head -c 20000 sim/counts.h5 >cut.h5
bad "10x HDF5 cut short" aucell cut.h5
gzip -nc c.csv | head -c 100 >cut.csv.gz
bad "gzip cut short" aucell cut.csv.gz
zstd -qc c.csv | head -c 90 >cut.csv.zst
bad "zstd cut short" aucell cut.csv.zst
gzip -nc c.csv >flip.csv.gz
printf 'XXXX' | dd of=flip.csv.gz bs=1 seek=$(($(stat -c %s flip.csv.gz) - 8)) conv=notrunc 2>dd.err
bad "gzip with a wrong checksum" aucell flip.csv.gz
head -c -1 a.tensor.zst >cut.tensor.zst
bad "container cut by one byte" grn-threshold -q cut.tensor.zst -o z
{ cat a.tensor.zst; echo; } >long.tensor.zst
bad "container with a byte too many" grn-threshold -q long.tensor.zst -o z
cp a.tensor.zst flip.tensor.zst
printf '\377\377\377' | dd of=flip.tensor.zst bs=1 seek=$(($(stat -c %s a.tensor.zst) / 2)) conv=notrunc 2>dd.err
bad "container with changed bytes" grn-threshold -q flip.tensor.zst -o z
head -c 200000 sim/fragments.tsv.gz >cut.fragments.tsv.gz
bad "fragments cut short" grn-build count -q -r sim/regions.bed cut.fragments.tsv.gz -o z
cp sim/fragments.tsv.gz flip.fragments.tsv.gz
first=$(($(od -An -t u2 -j 16 -N 2 flip.fragments.tsv.gz) + 1)) # bytes of block 1, which ends with checksum and length
printf 'XXXX' | dd of=flip.fragments.tsv.gz bs=1 seek=$((first - 8)) conv=notrunc 2>dd.err
bad "bgzip with changed bytes" grn-build count -q -r sim/regions.bed flip.fragments.tsv.gz -o z
head -c -28 sim/fragments.tsv.gz >noeof.fragments.tsv.gz
bad "bgzip without its last block" grn-build count -q -r sim/regions.bed noeof.fragments.tsv.gz -o z
mkdir mtx
printf '%%%%MatrixMarket matrix coordinate integer general\n2 2 3\n1 1 5\n2 2 1\n' >mtx/matrix.mtx
printf 'G01\nG02\n' >mtx/genes.tsv
printf 'AAAC-1\nAAAG-1\n' >mtx/barcodes.tsv
bad "MatrixMarket cut short" aucell mtx
head -c 5000 sim/genes.gtf >cut.gtf
bad "GTF cut short" grn-build link -q -t z.tg -r z -f sim/tfs.txt -g cut.gtf sim/counts.h5ad atac.tensor.zst
head -c 300 sim/motifs.jaspar >cut.jaspar
bad "motifs cut short" grn-build scan -q -m cut.jaspar -g sim/genome.fa -r sim/regions.bed -o z

# ---- wrong type ----
bad "missing file" aucell nothere.h5ad
bad "folder without a matrix" aucell sim
bad "edges where scores belong" grn-threshold -q sim/truth.edges.zst -o z
cell() { grn-view cell -q -a "$1" -e "$2" -o z "$3"; }
bad "cell that is not there" cell sim/truth_activity.tensor.zst sim/truth.edges.zst nobody
bad "edges where activity belongs" cell sim/truth.edges.zst sim/truth.edges.zst nobody
bad "activity of other regulons" cell on.tensor.zst sim/truth.edges.zst nobody
compare() { grn-view diff -v 1 -a sim/truth_activity.tensor.zst -e sim/truth.edges.zst --cells sim/cells.tsv -o z "$@"; }
bad "groups without a column" compare --a donor1
bad "groups of a column that is not there" compare --a sex=f
bad "groups of a value that is not there" compare --a donor=d9
bad "a cell in both groups" compare --a donor=donor1 --b donor=donor1,donor2
bad "groups of one donor each" compare --a donor=donor1 --b donor=donor2 --donor donor
bad "barcodes of other cells" compare --a @tfs.txt
bad "thresholds where a summary belongs" grn-plot onoff -q thr.tsv -o z
bad "a regulon the summary lacks" grn-plot onoff -q -r nobody sum.tsv -o z
bad "edges without thresholds" grn-view why -q sim/truth.edges.zst G0001 -o z
bad "scores where edges belong" grn-aucell -q --top-frac 0.5 -r a.tensor.zst c.csv -o z
bad "HDF5 where gene sets belong" grn-aucell -q --top-frac 0.5 -r sim/counts.h5 c.csv -o z
bad "genome where counts belong" aucell sim/genome.fa
bad "BED where FASTA belongs" grn-build scan -q -m sim/motifs.jaspar -g sim/regions.bed -r sim/regions.bed -o z
bad "HDF5 where fragments belong" grn-build count -q -r sim/regions.bed sim/counts.h5 -o z
printf 'PK\003\004\024\000\000\000\000\000indices.npy' >x.npz
bad "npz" aucell x.npz
mkdir x.zarr && echo '{"zarr_format": 2}' >x.zarr/.zgroup
bad "zarr" aucell x.zarr
bad "activity where scores belong" grn-aucell -q --top-frac 0.5 -r on.tensor.zst c.csv -o z

# ---- empty ----
: >empty
bad "empty counts" aucell empty
head -n 1 c.csv >header.csv
bad "counts of a header only" aucell header.csv
bad "empty regions" grn-build count -q -r empty sim/fragments.tsv.gz -o z
bad "empty fragments" grn-build count -q -r sim/regions.bed empty -o z
bad "quality of empty fragments" grn-build qc -q -r sim/regions.bed -g sim/genes.gtf empty -o z
bad "barcodes of which none passes" grn-build qc -q --min-fragments 1e9 -r sim/regions.bed -g sim/genes.gtf sim/fragments.tsv.gz -p z -o /dev/null
printf 'chr1\t9\t10\tT\t0\t.\n' >flat.bed
bad "genes without a TSS to use" grn-build qc -q -r sim/regions.bed -g flat.bed sim/fragments.tsv.gz -o z
bad "empty motifs" grn-build scan -q -m empty -g sim/genome.fa -r sim/regions.bed -o z
bad "empty gene sets" grn-aucell -q --top-frac 0.5 -r empty c.csv -o z
bad "empty labels" aucell --cells empty c.csv

# ---- values ----
sed '5s/,[0-9]*,/,NaN,/' c.csv >nan.csv
bad "NaN" aucell nan.csv
sed '5s/,[0-9]*,/,inf,/' c.csv >inf.csv
bad "infinity" aucell --allow-nonfinite inf.csv
sed '5s/,[0-9]*,/,-3,/' c.csv >neg.csv
printf 'G01\nG02\n' >tfs.txt
bad "negative counts" grn-build link -q -t z -f tfs.txt neg.csv
sed '5s/,[0-9]*,/,16777217,/' c.csv >huge.csv
bad "count too large" aucell huge.csv
sed '5s/,[0-9]*,/,abc,/' c.csv >word.csv
bad "word among numbers" aucell word.csv
sed '5s/,[0-9]*,/,/' c.csv >ragged.csv
bad "line with a field missing" aucell ragged.csv
printf '%%%%MatrixMarket matrix coordinate integer general\n2 2 1\n3 1 5\n' >mtx/matrix.mtx
bad "entry outside the matrix" aucell mtx
zcat sim/fragments.tsv.gz | awk -v OFS='\t' 'NR == 7 { $3 = "x" } { print }' >word.fragments.tsv
bad "fragment without an end" grn-build count -q -r sim/regions.bed word.fragments.tsv -o z
zcat sim/fragments.tsv.gz | awk -v OFS='\t' 'NR == 7 { $2 = 900; $3 = 800 } { print }' >turned.fragments.tsv
awk -v OFS='\t' 'NR == 7 { $3 = "5000000000" } 1' word.fragments.tsv >far.fragments.tsv
bad "fragment beyond 32 bits" grn-build count -q -r sim/regions.bed far.fragments.tsv -o z
bad "fragment that ends before it starts" grn-build count -q -r sim/regions.bed turned.fragments.tsv -o z
awk -v OFS='\t' 'NR == 3 { $2 = "abc" } { print }' sim/regions.bed >word.bed
bad "region without a start" grn-build count -q -r word.bed sim/fragments.tsv.gz -o z
sed '2s/[0-9]/x/' sim/motifs.jaspar >word.jaspar
bad "motif with a word" grn-build scan -q -m word.jaspar -g sim/genome.fa -r sim/regions.bed -o z

# ---- names ----
sed '1s/G02/G01/' c.csv >dup.csv
bad "duplicate genes, refused" aucell --duplicate-genes error dup.csv
t_ok "duplicate genes are added up by default" aucell dup.csv
cat g.gmt g.gmt >dup.gmt
bad "duplicate gene sets" grn-aucell -q --top-frac 0.5 -r dup.gmt c.csv -o z
cp g.gmt g2.gmt
bad "gene sets in two files" grn-aucell -q --top-frac 0.5 -r g.gmt -r g2.gmt c.csv -o z
printf 'source\ttarget\nT1\tG01\nT1\tG02\n' >network.tsv
grn-view import -q --from network -o network.edges.zst network.tsv
sed '3s/^[^,]*/AAACCCAAGGAAA-1/' c.csv >dupcell.csv
printf 'barcode\tcell_type\nAAACCCAAGGAAA-1\tB\n' >one.tsv
bad "duplicate barcodes with labels" aucell --cells one.tsv dupcell.csv
printf 'barcode\tcell_type\nAAACCCAAGGAAA-1\tB\nAAACCCAAGGAAA-1\tT\n' >twice.tsv
bad "label table with a barcode twice" aucell --cells twice.tsv c.csv
printf 'barcode\tcell_type\nTTTTTTTTTTTT-1\tB\n' >other.tsv
bad "labels of other cells" aucell --cells other.tsv c.csv
bad "unknown cell type column" aucell --cell-type kind sim/counts.h5ad
bad "unknown layer" aucell --layer spliced sim/counts.h5ad
printf 'R1\tna\tENSG00000000001\tENSG00000000002\n' >ens.gmt
bad "Ensembl ids against symbols" grn-aucell -q --top-frac 0.5 -r ens.gmt c.csv -o z
printf 'R1\tna\tActb\tGapdh\tSpi1\n' >mouse.gmt
bad "gene sets of another species" grn-aucell -q --top-frac 0.5 -r mouse.gmt c.csv -o z
printf 'SPI1\nCEBPA\n' >other_tfs.txt
bad "TFs of another species" grn-build link -q -t z -f other_tfs.txt sim/counts.h5ad
sed 's/^chr1/scaffold_9/' sim/regions.bed >other.bed
bad "regions of another genome, counting" grn-build count -q -r other.bed sim/fragments.tsv.gz -o z
bad "regions of another genome, scanning" grn-build scan -q -m sim/motifs.jaspar -g sim/genome.fa -r other.bed -o z
awk -v OFS='\t' '{ print $1, $2 + 900000000, $3 + 900000000 }' sim/regions.bed >beyond.bed
bad "regions behind the end of the chromosome" grn-build scan -q -m sim/motifs.jaspar -g sim/genome.fa -r beyond.bed -o z
mkdir void
bad "folder without motifs" grn-build scan -q -m void -g sim/genome.fa -r sim/regions.bed -o z
printf '>w\n# WEIGHT heavy\n1 2 3 4\n' >heavy.cb
bad "motif weight with a word" grn-build scan -q --scorer cbust -m heavy.cb -g sim/genome.fa -r sim/regions.bed -o z
grn-build scan -q --scorer max -m sim/motifs.jaspar -g sim/genome.fa -r sim/regions.bed -o scores.tensor.zst
grn-build rank -q scores.tensor.zst -o ranks.tensor.zst
bad "ranks ranked again" grn-build rank -q ranks.tensor.zst -o z
bad "region sets of another genome" grn-build enrich -q -s scores.tensor.zst -o z other.bed

# regulons
t_ok "the good case of links" grn-build link -q -t tg.edges.zst -r rg.edges.zst -f sim/tfs.txt -g sim/genes.gtf sim/counts.h5ad atac.tensor.zst
regulon() { grn-build regulon -q -x scenicplus --min-targets 2 -t tg.edges.zst -r rg.edges.zst "$@" sim/counts.h5ad -o z; }
head -n 100 sim/regions.bed >part.bed
awk -F'\t' '{ printf "scaffold_9\t%d\t%d\n", $2, $3 }' part.bed >moved.bed
sed 's/^chr1/scaffold_9/; s/\tchr1:/\tscaffold_9:/g' <(grn-view -q -O tsv ranks.tensor.zst) >other.ranks
grn-build enrich -q --nes -9 --auc-threshold 0.1 --rank-threshold 0.5 -r ranks.tensor.zst --motif2tf sim/motif2tf.tsv -o enriched part.bed
grn-build enrich -q --nes -9 --auc-threshold 0.1 --rank-threshold 0.5 -r other.ranks --motif2tf sim/motif2tf.tsv -o moved moved.bed
cp moved/cistromes.edges.zst other.cis
bad "cistromes of another genome" regulon --cistromes other.cis
bad "regulons where cistromes are expected" regulon --cistromes sim/truth.edges.zst
bad "links where cistromes are expected" regulon --cistromes tg.edges.zst
bad "rankings of another genome" regulon --cistromes enriched/cistromes.edges.zst --rankings other.ranks
bad "scores where rankings are expected" regulon --cistromes enriched/cistromes.edges.zst --rankings scores.tensor.zst
nothing() { grn-build regulon -q -x scenicplus --gsea-fdr 0 -t tg.edges.zst -r rg.edges.zst --cistromes enriched/cistromes.edges.zst sim/counts.h5ad -o none.edges.zst; }
bad "no regulon passes" nothing
printf ',x1,x2\ny1,1,2\ny2,3,4\n' >which.csv
bad "rows that may be cells or genes" aucell which.csv
metacells() { grn-build metacells -q "$@" -o z; }
bad "metacells of other cells" metacells -a z2 sim/counts.h5ad a.tensor.zst
bad "metacells paired without types" metacells -a z2 --pair types sim/counts.h5ad a.tensor.zst
bad "metacells of a column that is not there" metacells --by batch sim/counts.h5ad
bad "metacells of too few cells" metacells --min-cells 1000 sim/counts.h5ad
# gene rankings: 3 motifs x 4 genes
grn-build link -q -f sim/tfs.txt -t tg.edges.zst sim/counts.h5ad
genes4=$(grn-view -q -O tsv tg.edges.zst | awk -F'\t' '!/^#/ && $2 != "gene" { print $2 }' | sort -u | head -n 4 | paste -sd,)
few() { printf 'motif,%s\nM1,1,2,3,4\nM2,4,3,2,1\nM3,2,1,4,3\n' "$1" | grn-view -q --from counts --orient cells -O zst -o "$2.scores.zst" -; grn-build rank -q --genes "$2.scores.zst" -o "$2.ranks.zst"; }
few "$genes4" few
few Actb,Sox2,Spi1,Gata1 mouse
grn-build rank -q --genes --regions-first few.scores.zst -o genes_first.zst
printf 'motif\ttf\nM1\tT1\n' >m1.m2t
printf 'motif\ttf\nMA0001.1\tT1\n' >other.m2t
prune() { grn-build prune -q -t tg.edges.zst "$@" -o z; }
bad "gene rankings of another species" prune -r mouse.ranks.zst --motif2tf m1.m2t
bad "gene rankings with a row per gene" prune -r genes_first.zst --motif2tf m1.m2t
bad "annotation of other motifs" prune -r few.ranks.zst --auc-threshold 0.5 --motif2tf other.m2t
bad "rankings too short for the threshold" prune -r few.ranks.zst --motif2tf m1.m2t
bad "TF of no file" grn-view why -q r.edges.zst G1 G03 -o z
bad "gene of no file" grn-view why -q r.edges.zst G01 LYZ -o z
bad "gene sets where links belong" grn-view why -q -t g.gmt r.edges.zst G01 G03 -o z
bad "ATAC of other cells" grn-build link -q -t z.tg -r z -f sim/tfs.txt -g sim/genes.gtf sim/counts.h5ad a.tensor.zst

# ---- outputs and usage ----
bad "disk full" grn-aucell -q --top-frac 0.5 -r g.gmt c.csv -o /dev/full
bad "disk full on stdout" sh_q 'grn-aucell -q --top-frac 0.5 -r g.gmt c.csv >/dev/full'
bad "folder of the output missing" grn-aucell -q --top-frac 0.5 -r g.gmt c.csv -o nodir/z
bad "no operand" sh_q 'grn-aucell -q --top-frac 0.5 -r g.gmt -o z'
bad "option out of range" aucell --top-frac 3 c.csv
bad "unknown option" aucell --no-such c.csv
bad "threads that are no number" aucell -@ many c.csv

# ---- differential regions ----
bad "peaks of empty fragments" grn-build peaks -q empty -o z
bad "labels of other cells, peaks" grn-build peaks -q --cells other.tsv sim/fragments.tsv.gz -o z
printf 'chr1 100\n' >blank.sizes
bad "sizes without a tab" grn-build peaks -q --chrom-sizes blank.sizes sim/fragments.tsv.gz -o z
printf 'cell,chr1:0-500,chr1:1000-1500\nA,1,0\nB,-1,2\n' >neg_region.csv
bad "negative counts, topics" grn-build topics -q -k 2 neg_region.csv -o z
printf 'cell,chr1:0-500,chr1:1000-1500\nA,0,0\nB,0,0\n' >closed.csv
bad "nothing accessible" grn-build topics -q -k 2 closed.csv -o z
grn-build topics -q -k 2 --sweeps 5 --average 2 atac.tensor.zst -o model.zst
bad "topics where a matrix belongs" grn-threshold -q model.zst -o z
bad "edges without regions" grn-aucell -q --target region -r network.edges.zst model.zst -o z
printf 'S\tna\tchr9:1-2\tchr9:3-4\n' >chr9.gmt
bad "region sets of another genome, scoring" grn-aucell -q -r chr9.gmt model.zst -o z
printf 'cell,chr1:0-500,chr1-0-500\nA,1,0\nB,0,2\n' >samereg.csv
bad "two columns of one region" grn-aucell -q --target region --top-frac 1 -r chr9.gmt samereg.csv -o z
dar() { grn-build dar -q "$@" -o z; }
bad "labels of other cells, dar" dar --cells other.tsv atac.tensor.zst
bad "accessibility without labels" dar atac.tensor.zst
awk -F'\t' 'NR > 1 { $2 = "x" } { print $1 "\t" $2 }' sim/cells.tsv >onelabel.tsv
bad "one label only" dar --cells onelabel.tsv atac.tensor.zst
bad "label that is not there" dar --cells sim/cells.tsv -c type1,T atac.tensor.zst
cut -f 1,2 sim/cells.tsv >nodonor.tsv
bad "pseudobulk without donors" dar --cells nodonor.tsv -t pseudobulk atac.tensor.zst
bad "genes where regions are expected" dar sim/counts.h5ad

# ---- perturbation ----
perturb() { grn-build perturb -q -r sim/truth.edges.zst "$@" -o z sim/counts.h5ad; }
bad "knock-out of an unknown gene" perturb -k SPI1
bad "knock-out of a gene without targets" perturb -k G0001
bad "context that is not there" perturb -k TF01 -c T
printf 'TF\ttarget\timportance\nSpi1\tActb\t1\n' >mouse.tsv
grn-view import -q -o mouse.zst mouse.tsv
bad "regulons of another species" grn-build perturb -q -r mouse.zst -k Spi1 -o z sim/counts.h5ad
grn-build link -q -r rg.zst -g sim/genes.gtf sim/counts.h5ad atac.tensor.zst
bad "links of regions where regulons belong" grn-build perturb -q -r rg.zst -k TF01 -o z sim/counts.h5ad
printf 'TF\ttarget\timportance\nG01\tG02\t1\n' >g01.tsv
grn-view import -q -o g01.zst g01.tsv
bad "negative values, perturb" grn-build perturb -q -r g01.zst -k G01 --expression raw -o z neg.csv
bad "gene perturbed twice" perturb -k TF01 --set TF01=2
bad "perturbation without a value" perturb --set TF01

# ---- statistics of perturbed graphs ----
stats() { grn-coexpr perturb -q --grn type --min-cells 1 -e sim/truth.edges.zst --stats z "$@" sim/counts.h5ad; }
printf 'A\tna\tActb\tSox2\tSpi1\n' >mouse.gmt
bad "terms of another species" stats --terms mouse.gmt
printf 'A\tna\tG0001\tG0002\tG0003\tG0004\n' >large.gmt
bad "terms that are all too large" stats --terms large.gmt --max-term 3
bad "co-expression links of another species" stats --links mouse.zst
sed '1!s/type/other/' sim/cells.tsv >other.cells.tsv
grn-coexpr -q --min-context 3 --min-cells 3 --cells other.cells.tsv -o other.links.zst sim/counts.h5ad
bad "co-expression links of other types" stats --links other.links.zst
bad "links of regions where links of genes belong" stats --links rg.zst
bad "terms without --stats" grn-coexpr perturb -q --grn type -e sim/truth.edges.zst --terms large.gmt --first 1 -o z sim/counts.h5ad
bad "graphs of all cells" stats -o graphs.zst

# ---- co-expression ----
links() { grn-coexpr -q --by all --min-context 10 --null 0 "$@" -o z c.csv; }
awk -F, 'NR == 1 { print "barcode\tcell_type\tbatch\tid" } NR > 1 { printf "%s\tT\t%s\tid%d\n", $1, NR == 5 ? "" : "b" NR % 2, NR }' c.csv >labels.tsv
bad "covariate that is not there" links --residualise lane
bad "covariate that is no number" links --cells labels.tsv --residualise id=number
bad "covariate without a value" links --cells labels.tsv --residualise batch
bad "covariates of detection" links --residualise log_total --method pmi
printf 'g1\ng2\n' >mouse.txt
bad "genes to leave out of another species" links --exclude mouse.txt
printf 'T1\tna\tActb\tSpi1\n' >mice.gmt
bad "terms of another species, links" links --terms mice.gmt
sed '2s/,[0-9]*,/,-3,/' c.csv >neg.csv
bad "logarithms of negative values" grn-coexpr -q --norm log -o z neg.csv
bad "memory that does not hold the counts" links --max-mem 1K
bad "contexts of too few cells" links --min-context 100
# ---- mapping ----
map() { grn-map -q "$@" -o z; }
printf 'cell,x,y\nA1,0,1\nA2,1,1\nB1,5,1\nB2,6,1\n' >points.csv
printf 'barcode\tcell_type\nA1\tA\nA2\tA\nB1\tB\nB2\tB\n' >points.tsv
printf 'cell,x,y,z\nq,0,1,2\n' >points3.csv
printf 'cell,x,w\nq,0,1\n' >pointsw.csv
printf 'cell,x,y\nq,0,0\n' >origin.csv
points() { map --as embedding --cells points.tsv -k 2 "$@"; }
bad "reference that is not given" map c.csv
bad "reference from stdin" map -r - c.csv
bad "shares without a file of bits" map -r c.csv --posterior c.csv
bad "query of other dimensions" points -r points.csv points3.csv
bad "query of dimensions with other names" points -r points.csv pointsw.csv
bad "activity where counts are expected" map -r sim/counts.h5ad on.tensor.zst
bad "scores and counts" map -r a.tensor.zst sim/counts.h5ad
bad "NaN in an embedding" points -r points.csv nan.csv
bad "cell without a direction" points -r points.csv origin.csv
bad "fewer reference cells than neighbours" points -k 4 -r points.csv points.csv
bad "reference without labels" map --as embedding -k 2 -r points.csv points.csv
bad "reference without this label" points --label batch -r points.csv points.csv
bad "reference without donors" points --hold-out donor -r points.csv points.csv
printf 'cell,Actb,Spi1,Sox2\nq,1,2,3\n' >mouse.csv
bad "query of another species" map --cells sim/cells.tsv -r sim/counts.h5ad mouse.csv
sed 's/,4/,0.5/' c.csv >half.csv
bad "normalised values where counts are expected" map --cells sim/cells.tsv -r sim/counts.h5ad half.csv
bad "bits of other cells" map -a on.tensor.zst -r sim/counts.h5ad sim/counts.h5ad
bad "obsm that is not there" map -r sim/counts.h5ad --layer obsm/X_pca sim/counts.h5ad
grn-embed -q -e sim/truth.edges.zst --epochs 1 -o genes.emb.zst
bad "embeddings of genes where cells are expected" map -r genes.emb.zst genes.emb.zst

# ---- accepted, with the same result ----
if [ -z "${WRITE_ERRORS:-}" ]; then
    payload a.tensor.zst >want
    sed 's/$/\r/' c.csv >crlf.csv
    head -c -1 c.csv >nonl.csv
    { head -n 1 c.csv; tail -n +2 c.csv | sort -r; } >shuffled.csv
    for v in crlf nonl; do
        t_ok "$v is accepted" aucell $v.csv
        payload z >got
        t_cmp "$v gives the same scores" want got
    done
    payload atac.tensor.zst >want
    zcat sim/fragments.tsv.gz | sed 's/$/\r/' >crlf.fragments.tsv
    zcat sim/fragments.tsv.gz | sort -k2,2nr >unsorted.fragments.tsv
    zcat sim/fragments.tsv.gz | sed 's/^chr//' >nochr.fragments.tsv
    for v in crlf unsorted nochr; do
        t_ok "fragments: $v is accepted" grn-build count -q -r sim/regions.bed $v.fragments.tsv -o z
        payload z >got
        t_cmp "fragments: $v gives the same counts" want got
    done
    # a reader that is gone: the writer dies quietly of SIGPIPE (141) or says so (1)
    { sleep 0.3; grn-aucell -q --top-frac 0.5 -r g.gmt c.csv 2>pipe.err; echo $? >pipe.rc; } | true
    t_true "closed pipe: status $(cat pipe.rc), at most one line" "{ [ $(cat pipe.rc) = 141 ] || [ $(cat pipe.rc) = 1 ]; } && [ $(grep -c . pipe.err) -le 1 ]"
    # rows of the table that no case made
    grep -E '^\| [^|]* \| [0-9]+ \|' "$table" | cut -d'|' -f2 | sed 's/^ //; s/ $//' >rows
    while read -r r; do case "$done_names" in *" $r "*) ;; *) echo "$r" ;; esac; done <rows >orphans
    t_true "every row of docs/errors.md has its case ($(head -n 1 orphans))" "[ ! -s orphans ]"
    t_true "at least 30 rows ($(wc -l <rows))" "[ $(wc -l <rows) -ge 30 ]"
fi
