# grn-coexpr: links by hand, order, threads, contexts left out, the clique, perturbed graphs, bad input
ran() { t_ok "$@"; cp err log; }
body() { zstd -dcq "$1" | sed '1s/.*}} *//'; } # tensors without the header, which names the input
# 40 cells: g1 = c, g2 = 2c (r = 1), g3 = 41 - c (r = -1), g4 alternates, g5 in 4 cells only, g6 constant
awk 'BEGIN { print "cell,g1,g2,g3,g4,g5,g6"; for (c = 1; c <= 40; c++) printf "c%02d,%d,%d,%d,%d,%d,3\n", c, c, 2 * c, 41 - c, c % 2, c % 10 ? 0 : c }' >x.csv
ran "one link per gene" grn-coexpr --norm none --top 1 --no-pg -o a.zst x.csv
t_true "g1, g2, g3 link among themselves, g4 somewhere; g5 is rare, g6 constant" "grep -q 'all: 40 cells, 5 genes in >= 10 of them, 4 links, median |r| 1.000' log"
t_true "signs: g1 and g2 with each other, g3 against them" "[ \"\$(zstd -dcq a.zst | tail -c 4 | head -c 3 | od -An -td1 | tr -s ' ')\" = ' 1 1 -1' ]"
ran "links need |r|" grn-coexpr --norm none --top 5 --min-r 0.999 -o b.zst x.csv
t_true "6 of them: each of three genes to both others" "grep -q '6 links, median |r| 1.000, weakest 1.000' log"
ran "spearman" grn-coexpr -m spearman --norm none --top 5 --min-r 0.999 -o s.zst x.csv
t_true "sees the same here" "grep -q '6 links' log"
ran "clique" grn-coexpr -m clique -o c.zst x.csv
t_true "is described, not written" "grep -q 'all: 40 cells detect 4.6 genes on average' log && [ \$(wc -c <c.zst) -lt 2000 ]" # 4 + 1/2 + 1/10
t_true "its genes and method are in the file" "zstd -dcq c.zst | grep -aq 'coexpr.method.*clique' && zstd -dcq c.zst | tr '\n' ' ' | grep -aq 'g1 g2 g3 g4 g5 g6'"

grn-sim -q --cells 300 --genes 400 --no-atac -o sim
for n in 1 2; do grn-coexpr -q --no-pg -@ $n --cells sim/cells.tsv -o t$n.zst sim/counts.h5; done
t_cmp "the same bytes for -@ 1 and 2" t1.zst t2.zst
ran "h5ad with the same cells" grn-coexpr --no-pg -o ad.zst sim/counts.h5ad
body t1.zst >b1; body ad.zst >b2
t_cmp "the same links from another format" b1 b2
t_true "every context tells what chance gives" "[ \$(grep -c '99 % of shuffled pairs are below 0' log) = 5 ]"
{ head -n1 x.csv; tail -n +2 x.csv | sort -r; } | awk -F, '{ print $1 "," $7 "," $6 "," $5 "," $4 "," $3 "," $2 }' >y.csv
grn-coexpr -q --norm none --no-pg -o x1.zst x.csv; grn-coexpr -q --norm none --no-pg -o y1.zst y.csv
body x1.zst >b1; body y1.zst >b2
t_cmp "the same links from shuffled cells and genes" b1 b2
awk 'NR == 1 || NR < 60' sim/cells.tsv >some.tsv
ran "small contexts" grn-coexpr --cells some.tsv -o z.zst --min-context 15 sim/counts.h5
t_true "are left out with a warning, as cells without a type" "grep -q 'have no cell type' log && grep -q 'cells, left out (--min-context 15)' log"
t_exit 3 "grn-coexpr*none of 5 contexts has 1000 cells*" "no context is large enough" grn-coexpr --min-context 1000 -o no.zst sim/counts.h5ad
t_exit 3 "grn-coexpr*no link*" "no link is strong enough" grn-coexpr --min-r 1 -o no.zst sim/counts.h5ad
t_true "and no file is left" "[ ! -e no.zst ]"
t_exit 1 "grn-coexpr*--by context needs cell types*" "types asked for, none there" grn-coexpr --by context -o no.zst x.csv
t_exit 1 "grn-coexpr*absent*" "missing file" grn-coexpr -o no.zst absent.h5
t_exit 2 "grn-coexpr*--top*" "bad number" grn-coexpr --top 0 x.csv
t_exit 1 "grn-coexpr*No space left*" "disk full" grn-coexpr -q -o /dev/full sim/counts.h5ad

# measures, filters, terms, covariates, chance
for m in pearson spearman rho_p pmi; do
    one="-m $m --by all --mutual-rank 30 --null 50000 --no-pg"
    t_exit 1 "grn-coexpr*--max-mem 1024: context 'all' needs at least * bytes, * of them for the counts" "$m in too little memory" \
        grn-coexpr -q -@ 2 $one --max-mem 1K -o no.zst sim/counts.h5ad
    ran "$m in just enough" grn-coexpr -@ 2 $one --max-mem $(sed 's/.*at least \([0-9]*\) bytes.*/\1/' err) -o m2.zst sim/counts.h5ad
    t_true "takes several passes" "grep -q 'passes over the cells (--max-mem)' log"
    grn-coexpr -q -@ 1 $one -o m1.zst sim/counts.h5ad
    t_cmp "$m: the same bytes as in one pass on one thread" m1.zst m2.zst
done
evidence() { zstd -dcq "$1" | grep -ao '"evidence\.[a-z_]*"' | sort -u | tr -d '"\n'; }
t_true "links carry q and mutual rank" "[ \"\$(evidence m1.zst)\" = evidence.mutual_rankevidence.q ]"
grn-coexpr -q --no-pg --null 0 -o n0.zst sim/counts.h5ad
t_true "and neither when not asked for" "[ -z \"\$(evidence n0.zst)\" ]"
ran "q" grn-coexpr --max-q 0.2 -o q.zst sim/counts.h5ad
n_links() { sed -n 's/.* \([0-9]*\) links, median.*/\1/p' "$1" | awk '{ n += $1 } END { print n }'; }
grn-coexpr -o m1.zst sim/counts.h5ad 2>log0
t_true "leaves out weak links" "[ $(n_links log) -lt $(n_links log0) ] && [ $(n_links log) -gt 0 ]"
t_true "the log says from which k on links are chance" "[ \$(grep -c 'k-th partners above 99.9 % of [0-9]* shuffled pairs: 1: [0-9.]* %, 5: .*, 50: ' log) = 5 ]"
# a, b follow the batch, c and d each other
awk 'BEGIN { print "cell,a,b,c,d,MT-x,RPL3,e,f"; for (i = 0; i < 80; i++) { x = i * 7919 % 31; y = i * 104729 % 37; z = i * 1299709 % 29
    printf "c%02d,%d,%d,%d,%d,%d,%d,%d,%d\n", i, 1 + (i % 2) * 40 + z % 5, 1 + (i % 2) * 40 + y % 5, x, x + y % 3, 9 + z, 8 + y, 5 + x % 7, 3 + y % 11 } }' >batch.csv
awk 'BEGIN { print "barcode\tbatch\tcell_type\tage"; for (i = 0; i < 80; i++) printf "c%02d\tb%d\tx\t%d\n", i, i % 2, i % 13 }' >batch.tsv
links() { grn-coexpr --norm none --by all --top 1 --cells batch.tsv --null 20000 "$@" -o r.zst batch.csv; }
ran "batch" links
t_true "links a with b" "grn-view r.zst | grep -q 'a.*b'"
ran "batch removed" links --residualise batch,age=number,log_total --min-r 0.5
t_true "3 columns beside the mean; a and b are no longer linked, c and d are" "grep -q 'all: 3 columns of covariates removed' log && grep -q 'all: 80 cells, 8 genes in >= 10 of them, [1-4] links' log && grn-view r.zst | grep -q 'c.*d' && ! grn-view r.zst | grep -q '^a[[:space:]]*b'"
ran "genes by name" links --drop-mito --drop-ribo --max-detected 0.99
t_true "are left out, as those in all cells" "grep -q '2 of 8 genes are left out by name' log && grep -q 'genes left out: 0 rare, 6 in more than --max-detected, 0 by name, 0 less variable' log"
printf 'c\nnobody\n' >no.txt
printf 'cycle\tna\td\tnobody\n' >no.gmt
ran "genes of lists and sets" links --exclude no.txt --exclude-sets no.gmt --variable 4
t_true "are left out, and the least variable" "grep -q \"'no.txt': 1 of 2 genes are in the matrix\" log && grep -q '2 by name, 2 less variable' log && grep -q 'all: 80 cells, 4 genes' log"
printf 'big\tna\ta\tb\tc\td\te\tf\nsmall\tna\ta\tc\nother\tna\td\te\n' >terms.gmt
ran "terms" links --terms terms.gmt --max-term 5
t_true "of at most 5 genes join a and c, d and e" "grep -q \"'terms.gmt': 2 of 3 terms (1 have more than 5 genes), 4 of 8 genes in one of them, 2 pairs share at least 1\" log && grep -q ' 4 links' log && grep -q 'all: 2 of 28 pairs share terms' log"
t_exit 3 "grn-coexpr*'terms.gmt': no two of 8 genes share 3 of 3 terms" "terms too rarely shared" links --terms terms.gmt --min-shared 3
t_exit 3 "grn-coexpr*no link with |score| >= 0 and q <= 0 *" "no link better than chance" links --max-q 0
t_exit 2 "grn-coexpr*--max-q needs shuffled pairs*" "q without a null" grn-coexpr --null 0 --max-q 0.1 -o no.zst x.csv
t_exit 2 "grn-coexpr*--residualise*" "no column" grn-coexpr --residualise , -o no.zst x.csv
t_true "and no file is left" "[ ! -e no.zst ]"

# perturbed graphs
p() { grn-coexpr perturb --no-pg -e sim/truth.edges.zst -a sim/truth_activity.tensor.zst "$@" sim/counts.h5ad; }
cell=$(sed -n 2p sim/cells.tsv | cut -f1)
ran "graphs of a cell" p -c "$cell" --epoch 3 -o p3.zst
t_true "of the cell and of its type" "grep -q '2 graphs of 1 cells at epoch 3 (coexpr, alpha 0.2, seed 1)' log"
sum() { sed -n 's/.*: \([0-9]*\) links, \([0-9]*\) dropped, \([0-9]*\) added, \([0-9]*\) left.*/\1 \2 \3 \4/p' log; }
t_true "|E'| = |E| - dropped + added <= |E|" 'set -- $(sum); [ $(($1 - $2 + $3)) = $4 ] && [ $4 -le $1 ] && [ $3 -gt 0 ]'
p -q -c "$cell" --epoch 3 -@ 1 -o again.zst; p -q -c "$cell" --epoch 4 -o p4.zst
t_cmp "the same graphs again" p3.zst again.zst
t_true "another epoch, other links" "! cmp -s p3.zst p4.zst"
ran "several cells" p --first 4 --graph type -o p5.zst
t_true "four graphs" "grep -q '4 graphs of 4 cells' log"
ran "alpha 0 changes nothing" p -c "$cell" --alpha 0 --dropped -o p0.zst
t_true "nothing dropped or added" 'set -- $(sum); [ "$2 $3" = "0 0" ] && [ $1 = $4 ]'
ran "links of a file" p -c "$cell" --coexpr t1.zst -o pl.zst
t_true "are named as the source" "grep -q '(list, alpha' log"
t_exit 2 "grn-coexpr*no cells*" "no cell asked for" p -o no.zst
t_exit 1 "grn-coexpr*no cell 'nobody'*" "a cell that is not there" p -c nobody -o no.zst
t_exit 2 "grn-coexpr*-e FILE*" "no regulons" grn-coexpr perturb -c x x.csv
t_exit 2 "grn-coexpr*-a FILE*" "no activity" grn-coexpr perturb -e sim/truth.edges.zst -c "$cell" sim/counts.h5ad
t_exit 1 "grn-coexpr*no such graph*" "a graph the model does not have" p --grn type --graph cell -c "$cell" -o no.zst
