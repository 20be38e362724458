# grn-embed: type and cell graphs of a simulated network, held-out links, threads, order of the input, bad input
header() { zstd -dcq "$1" | tail -c +9 | head -c 4000 | tr ',' '\n' | tr -d '"{}'; }
ran() { t_ok "$@"; cp err log; }
t_ok "a network to embed" grn-sim --no-atac -n 60 -g 300 -t 16 -k 2 -o sim
e=sim/truth.edges.zst a=sim/truth_activity.tensor.zst
quick="--epochs 3 --dim 16 --no-pg"
ran "type graphs" grn-embed $quick -e $e -o t.zst sim/counts.h5ad
t_true "the loss and what it is worth are said" "grep -q 'loss per pair' log && grep -q 'AUROC of embedding' log && grep -q 'AUROC of degree' log && grep -q 'AUROC of random' log"
t_true "the loss falls" "sed -n 's/.*loss per pair \([0-9.]*\) in the first epoch, \([0-9.]*\) in the last.*/\1 \2/p' log | awk '{ exit !(\$2 < \$1) }'"
t_ok "the file is a zstd file" zstd -tq t.zst
t_true "of the right schema" "header t.zst | grep -q 'schema:grn.embedding/1' && header t.zst | grep -q 'level:type'"
t_true "with its AUROC" "header t.zst | grep -q 'auroc_embedding:0\.' && header t.zst | grep -q 'auroc_degree:0\.'"
t_ok "again" grn-embed $quick -q -e $e -o t2.zst sim/counts.h5ad
t_cmp "same bytes again" t.zst t2.zst
t_ok "one thread" grn-embed $quick -q -@ 1 -e $e -o t1.zst sim/counts.h5ad
t_ok "three threads" grn-embed $quick -q -@ 3 -e $e -o t3.zst sim/counts.h5ad
t_cmp "same bytes for -@ 1 and 3" t1.zst t3.zst
t_ok "another seed" grn-embed $quick -q --seed 2 -e $e -o s2.zst sim/counts.h5ad
t_true "gives other numbers" "! cmp -s t.zst s2.zst"
t_ok "to stdout" sh -c "grn-embed $quick -q -e $e sim/counts.h5ad >pipe.zst"
t_cmp "the same bytes" t.zst pipe.zst
t_ok "without counts" grn-embed $quick -q -e $e -o n.zst
t_ok "other switches" grn-embed $quick -q --direction in --last-act --l2norm --fanout 0 --walk-length 3 --negative-weight 20 -e $e -o w.zst
ran "nothing held out" grn-embed $quick --holdout 0 -e $e -o h.zst
t_true "no test then" "! grep -q AUROC log && ! header h.zst | grep -q auroc"
ran "the table of the test" grn-embed $quick -q --metrics m.zst -e $e -o m2.zst
t_true "is a result" "header m.zst | grep -q 'schema:grn.result/1'"

# cells
c1=$(sed -n 2p sim/cells.tsv | cut -f1) c2=$(sed -n 31p sim/cells.tsv | cut -f1)
ran "two cells" grn-embed $quick -e $e -a $a --level cell --barcode $c1 --barcode $c2 -o c.zst sim/counts.h5ad
t_true "say so" "grep -q 'embeddings of genes in 2 cells' log && header c.zst | grep -q 'level:cell'"
printf '%s\n%s\n' $c2 $c1 >list.txt
t_ok "the same from a list in another order" grn-embed $quick -q -e $e -a $a --level cell --barcodes list.txt -o l.zst sim/counts.h5ad
t_cmp "same bytes" c.zst l.zst
t_ok "cell types from the activity" grn-embed $quick -q -e $e -a $a --level cell --barcodes list.txt -o f.zst

# shuffled cells and genes of a text table
genes=$(sed -n 's/.*gene_name "\([^"]*\)".*/\1/p' sim/genes.gtf | sort -u)
table() { # cells, genes, one value
    printf 'cell'; printf ',%s' $2; echo
    for c in $1; do printf '%s' $c; for g in $2; do printf ',1'; done; echo; done
}
cells="$(cut -f1 sim/cells.tsv | sed 1d)"
table "$cells" "$genes" >one.csv
table "$(sort -r <<<"$cells")" "$(sort -r <<<"$genes")" >two.csv
t_ok "a table" grn-embed $quick -q --cells sim/cells.tsv -e $e -a $a --level cell --barcodes list.txt -o one.zst one.csv
t_ok "the table shuffled" grn-embed $quick -q --cells sim/cells.tsv -e $e -a $a --level cell --barcodes list.txt -o two.zst two.csv
body() { # everything after the header, which names the inputs
    zstd -dcq "$1" >body.raw
    tail -c +$(($(head -c 8 body.raw | od -An -tu8) + 9)) body.raw
}
body one.zst >one.bin; body two.zst >two.bin
t_true "there is something to compare" "[ $(wc -c <one.bin) -gt 10000 ]"
t_cmp "same embeddings whatever the order of cells and genes" one.bin two.bin

# bad input
t_exit 2 "grn-embed: --edges is needed*" "no edges" grn-embed sim/counts.h5ad
t_exit 2 "grn-embed: --level cell needs --activity*" "no activity" grn-embed -e $e --level cell --barcode x
t_exit 2 "grn-embed: --level cell needs --barcode*" "no cells" grn-embed -e $e -a $a --level cell
t_exit 2 "grn-embed: --barcode*go with --level cell*" "cells of types" grn-embed -e $e --barcode x
t_exit 2 "*direction*" "bad word" grn-embed -e $e --direction sideways
t_exit 2 "*epochs*" "no epochs" grn-embed -e $e --epochs 0
t_exit 2 "*device*" "bad device" grn-embed -e $e --device gpu -o x.zst
t_exit 1 "*no-such-file*" "missing edges" grn-embed -e no-such-file -o x.zst
t_exit 1 "*" "not edges" grn-embed -e $a -o x.zst
t_exit 1 "*cell 'nobody' is not among the 60 cells*" "unknown cell" grn-embed $quick -e $e -a $a --level cell --barcode nobody -o x.zst
head -c 3000 $e >cut.zst
t_exit 1 "*cut.zst*" "cut edges" grn-embed -e cut.zst -o x.zst
printf 'cell,FOO,BAR\nA,1,2\nB,0,1\n' >other.csv
t_exit 3 "*none of the*genes of the edges is in the counts*" "other genes" grn-embed -e $e -o x.zst other.csv
t_exit 1 "*/dev/full*" "disk full" grn-embed $quick -e $e -o /dev/full
t_exit 1 "*no/such/dir*" "no such folder" grn-embed $quick -e $e -o no/such/dir/x.zst
t_true "failed runs leave nothing" "! ls x.zst* 2>/dev/null"

# the encoder of a trained model
if command -v grn-train >/dev/null; then
    t_ok "a model" grn-train -q -e $e -a $a --epochs 1 --dim 16 --layers 2 --heads 2 -o model.zst sim/counts.h5ad
    ran "its encoder" grn-embed -e $e --model model.zst -o g.zst sim/counts.h5ad
    t_true "is used" "grep -q \"encoder of 'model.zst'\" log && header g.zst | grep -q 'encoder:model'"
    t_ok "on cells" grn-embed -q -e $e -a $a --model model.zst --level cell --barcodes list.txt -o gc.zst sim/counts.h5ad
    t_exit 1 "*" "edges are no model" grn-embed -e $e --model $e -o x.zst
else
    t_skip "encoder of a trained model" "grn-train is not built"
fi
