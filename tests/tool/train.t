# grn-train: learning on a simulated network, every kind of network, resume, threads, order of the input, bad input
header() { zstd -dcq "$1" | tail -c +9 | head -c 20000 | tr -cd '[:print:]' | tr ',' '\n' | tr -d '"{}\\'; }
body() { zstd -dcq "$1" >body.raw; tail -c +$(($(head -c 8 body.raw | od -An -tu8) + 9)) body.raw; } # the tensors
ran() { t_ok "$@"; cp err log; }
t_ok "a network to train with" grn-sim --no-atac -n 120 -g 200 -t 16 -k 2 -d 1 -o sim
e=sim/truth.edges.zst a=sim/truth_activity.tensor.zst
small="--dim 16 --heads 2 --ffn 16 --tokens 64 --batch 8 --no-pg"

# learning: from the overall mean to better than the gene means on cells that were not trained on
ran "hybrid" grn-train $small --epochs 12 --log loss.tsv -e $e -a $a -o h.zst sim/counts.h5ad
t_true "baselines are printed beside the loss" "grep -q 'validation loss .*; gene mean .*, gene mean of the cell type' log"
t_true "ten rows" "[ $(grep -vc '^#\|^step' loss.tsv) = 10 ]"
t_true "columns" "grep -q '^step	epoch	lr	train_loss	val_loss	gene_mean_loss	type_mean_loss	grad_norm	cells_per_s$' loss.tsv"
t_true "the validation loss falls by a third" "awk '!/^#|^step/ { if (!n++) a = \$5; b = \$5 } END { exit !(b < a * 2 / 3) }' loss.tsv"
t_true "the baselines do not move" "awk '!/^#|^step/ { if (!n++) g = \$6; if (\$6 != g) bad = 1 } END { exit bad }' loss.tsv"
t_true "near the gene means or better" "awk '!/^#|^step/ { r = \$5 / \$6 } END { exit !(r < 1.1) }' loss.tsv"
t_ok "the file is a zstd file" zstd -tq h.zst
t_true "of the right schema" "header h.zst | grep -q 'schema:grn.model/1'"
for p in encoder.embedding.weight encoder.enc_norm.bias value_encoder.linear2.weight transformer_encoder.layers.1.self_attn.Wqkv.weight \
    decoder.fc.4.bias gnn.layers.1.lin_r.weight fusion.out_proj.weight; do
    t_true "it has $p" "header h.zst | grep -q '^[a-z.]*$p:'"
done
t_true "and no optimiser state" "! header h.zst | grep -q adam_m"

# every kind of network; none has an ordinary last layer
quick="$small --steps 6"
for g in none random type cell; do t_ok "--grn $g" grn-train $quick -q --grn $g -e $e -a $a -o $g.zst sim/counts.h5ad; done
t_true "none: a third transformer layer, no graph encoder" "header none.zst | grep -q layers.2.linear1 && ! header none.zst | grep -q gnn"
t_ok "none without a network" grn-train $quick -q --grn none -o none2.zst sim/counts.h5ad
body none.zst >n1; body none2.zst >n2
t_cmp "the same model" n1 n2
for p in none random; do t_ok "--perturb $p" grn-train $quick -q --perturb $p -e $e -a $a -o p_$p.zst sim/counts.h5ad; done
t_ok "co-expression links from a file" grn-train $quick -q --coexpr $e -e $e -a $a -o p_list.zst sim/counts.h5ad
t_ok "other switches" grn-train $quick -q --direction in --fanout 0 --dropout 0.1 --mask 0.4 --zeros 0 --beta 0.5 --alpha 0.5 -e $e -a $a -o s.zst sim/counts.h5ad

# same bits: again, threads, resume
t_ok "six steps" grn-train $quick -q -@ 1 --log l1.tsv -e $e -a $a -o q1.zst sim/counts.h5ad
t_ok "with three threads" grn-train $quick -q -@ 3 -e $e -a $a -o q3.zst sim/counts.h5ad
t_cmp "same bytes for -@ 1 and 3" q1.zst q3.zst
t_ok "another seed" grn-train $quick -q --seed 2 -e $e -a $a -o q2.zst sim/counts.h5ad
t_true "another model" "! cmp -s q1.zst q2.zst"
t_true "on the same split" "[ \"$(header q1.zst | grep -A 6 split)\" = \"$(header q2.zst | grep -A 6 split)\" ]"
run20="$small --steps 20 --rows 4 -e $e -a $a"
t_ok "twenty steps" grn-train $run20 -q --log full.tsv -o full.zst sim/counts.h5ad
ran "ten steps" grn-train $run20 --checkpoint ck.zst --stop 10 -o no.zst sim/counts.h5ad
t_true "no model yet, and it is said" "[ ! -e no.zst ] && grep -q 'stopped at step 10 of 20' log"
t_true "the checkpoint has the moments" "header ck.zst | grep -q adam_m"
t_ok "ten more" grn-train $run20 -q --resume ck.zst --log half.tsv -o half.zst sim/counts.h5ad
t_cmp "same file as without the break" full.zst half.zst
cut -f1-8 full.tsv | grep -v '^#' >f8; cut -f1-8 half.tsv | grep -v '^#' >h8
t_cmp "and the same log" f8 h8
t_ok "a checkpoint every seven steps" grn-train $run20 -q --checkpoint ck7.zst --every 7 -o full7.zst sim/counts.h5ad
t_cmp "does not change the model" full.zst full7.zst
t_ok "going on from step 14" grn-train $run20 -q --resume ck7.zst -o from14.zst sim/counts.h5ad
t_cmp "same file from there" full.zst from14.zst
# with provenance: the same command in pieces
pg="--dim 16 --heads 2 --ffn 16 --tokens 64 --batch 8 --steps 20 --rows 4 -q -e $e -a $a -o pg.zst"
t_ok "a run with provenance" grn-train $pg --log pg.tsv sim/counts.h5ad
mv pg.zst pg1.zst; mv pg.tsv pg1.tsv
t_ok "its first piece" grn-train $pg --log pg.tsv --checkpoint ckpg.zst --stop 5 sim/counts.h5ad
t_ok "its second, with more threads" grn-train $pg --log pg.tsv --res=ckpg.zst --checkpoint ckpg.zst --sto 11 -@3 sim/counts.h5ad
t_ok "its last" grn-train $pg --log pg.tsv --resume ckpg.zst sim/counts.h5ad
t_cmp "the same file, provenance included" pg1.zst pg.zst
t_true "which there is" "header pg.zst | grep -q 'command:grn-train --dim .*-o pg.zst --log pg.tsv sim/counts.h5ad$' && ! header pg.zst | grep -q ckpg && header pg.zst | grep -q 'name:counts.h5ad'"
t_cmp "and the same log" <(cut -f1-8 pg1.tsv) <(cut -f1-8 pg.tsv)
cp sim/counts.h5ad renamed.h5ad
t_ok "the same cells from another file" grn-train ${pg/-q/} --resume ckpg.zst renamed.h5ad; cp err log
t_true "the checkpoint is an input, and it is said" "grep -q 'ckpg.zst. was made from other files' log && header pg.zst | grep -q 'name:ckpg.zst' && header pg.zst | grep -c 'pn:grn-train' | grep -qx 2"

# shuffled cells and genes of a text table
genes=$(sed -n 's/.*gene_name "\([^"]*\)".*/\1/p' sim/genes.gtf | sort -u)
cut -f1 sim/cells.tsv | sed 1d >cells.txt
awk -v genes="$genes" 'BEGIN { n = split(genes, g, "\n"); printf "cell"; for (i = 1; i <= n; i++) printf ",%s", g[i]; print "" }
    { printf "%s", $1; for (i = 1; i <= n; i++) { x = (x * 69069 + 12345) % 4294967296; printf ",%d", x / 4294967296 < 0.5 ? 0 : x % 11 }; print "" }' cells.txt >one.csv
awk -F, '{ printf "%s", $1; for (i = NF; i > 1; i--) printf ",%s", $i; print "" }' one.csv >turned.csv
{ head -n 1 turned.csv; sed 1d turned.csv | sort -r; } >two.csv
t_ok "a table" grn-train $quick -q --cells sim/cells.tsv -e $e -a $a -o one.zst one.csv
t_ok "the table shuffled" grn-train $quick -q --cells sim/cells.tsv -e $e -a $a -o two.zst two.csv
body one.zst >one.bin; body two.zst >two.bin
t_true "there is something to compare" "[ $(wc -c <one.bin) -gt 20000 ]"
t_cmp "same model whatever the order of cells and genes" one.bin two.bin

# bad input
t_exit 2 "grn-train: --grn hybrid needs the regulons*" "no edges" grn-train sim/counts.h5ad
t_exit 2 "grn-train: --grn hybrid needs the activity*" "no activity" grn-train -e $e sim/counts.h5ad
t_exit 2 "grn-train: --mask is 'mix' or a number*not '1.5'" "mask of 1.5" grn-train --grn none --mask 1.5 sim/counts.h5ad
t_exit 2 "grn-train: *64*not a multiple of*3*" "heads that do not divide the width" grn-train --grn none --heads 3 sim/counts.h5ad
t_exit 2 "grn-train: --test and --validation leave no cells*" "all held out" grn-train --grn none --test 0.6 --validation 0.5 sim/counts.h5ad
t_exit 2 "grn-train: --stop and --every need --checkpoint*" "stop without a checkpoint" grn-train --grn none --stop 3 sim/counts.h5ad
t_exit 2 "grn-train: *" "no such network" grn-train --grn full sim/counts.h5ad
t_exit 2 "*" "no operand" grn-train
t_exit 1 "grn-train: *missing.h5ad*" "missing counts" grn-train --grn none missing.h5ad
cut -f1,2 sim/cells.tsv >types.tsv
t_exit 1 "grn-train: *no donors*" "donors that are not there" grn-train --grn none --split donor --cells types.tsv one.csv
t_exit 1 "grn-train: 1 donors cannot be split*" "one donor" grn-train --grn none --split donor --cells sim/cells.tsv one.csv
t_exit 1 "grn-train: *grn.activity*" "an activity file as edges" grn-train $quick -e $a -a $a -o x.zst sim/counts.h5ad
head -c 3000 $e >cut.zst
t_exit 1 "grn-train: *cut.zst*" "a cut edges file" grn-train $quick -e cut.zst -a $a -o x.zst sim/counts.h5ad
head -c 20000 ck.zst >cutck.zst
t_exit 1 "grn-train: *cutck.zst*" "a cut checkpoint" grn-train $run20 --resume cutck.zst -o x.zst sim/counts.h5ad
t_exit 1 "grn-train: 'h.zst'*" "a model is not a checkpoint" grn-train $small --epochs 12 -e $e -a $a --resume h.zst -o x.zst sim/counts.h5ad
t_exit 1 "grn-train: *cannot be resumed with --lr 0.1: it was made with 0.002" "another learning rate" grn-train $run20 --lr 0.1 --resume ck.zst -o x.zst sim/counts.h5ad
t_exit 1 "grn-train: *cannot be resumed with --steps 30 (or as many epochs): it was made with 20" "more steps" grn-train $run20 --steps 30 --resume ck.zst -o x.zst sim/counts.h5ad
t_exit 1 "grn-train: *cannot be resumed with --val-cells 9: it was made with 256" "other validation cells" grn-train $run20 --val-cells 9 --resume ck.zst -o x.zst sim/counts.h5ad
t_exit 1 "grn-train: *cannot be resumed with --mask 0.3: it was made with mix" "another mask" grn-train $run20 --mask 0.3 --resume ck.zst -o x.zst sim/counts.h5ad
t_exit 1 "grn-train: *cannot be resumed with --seed 5: it was made with 1" "another seed" grn-train $run20 --seed 5 --resume ck.zst -o x.zst sim/counts.h5ad
t_exit 1 "grn-train: *cannot be resumed with --beta 2: it was made with 1" "another model" grn-train $run20 --beta 2 --resume ck.zst -o x.zst sim/counts.h5ad
t_exit 1 "grn-train: 'ck.zst'*" "other counts" grn-train $run20 --cells sim/cells.tsv --resume ck.zst -o x.zst one.csv
t_exit 3 "grn-train: none of the * genes has a count in 500 cells" "no gene passes" grn-train --grn none --min-cells 500 sim/counts.h5ad
sed '1s/,[^,]*/&x/g' one.csv >alien.csv
t_exit 3 "grn-train: none of the * edges joins two of the * genes; first names*" "no gene in common" grn-train $quick --cells sim/cells.tsv -e $e -a $a alien.csv
sed '2,$s/^/z/' one.csv >other.csv
t_exit 1 "grn-train: *" "no cell in common" grn-train $quick -e $e -a $a other.csv
t_exit 1 "grn-train: * at step *" "a loss that is not a number" grn-train $small --steps 50 --lr 10 --decay 10 --clip 0 --warmup 0 -e $e -a $a -o x.zst sim/counts.h5ad
t_true "no file left behind" "[ ! -e x.zst ] && ! ls | grep -q 'tmp'"
t_exit 1 "grn-train: *No space left*" "a full disk" grn-train $quick --grn none -o /dev/full sim/counts.h5ad
