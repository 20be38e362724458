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
