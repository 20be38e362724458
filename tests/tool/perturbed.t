# grn-coexpr perturb: the arcs it writes are those a training step used; any subset and order of cells, other -@; the counts of --stats against
# the arcs, chance levels, bad options
ran() { t_ok "$@"; cp err log; }
body() { zstd -dcq "$1" >body.raw; tail -c +$(($(head -c 8 body.raw | od -An -tu8) + 9)) body.raw; } # the tensors
t_ok "a network" grn-sim -q --no-atac -n 160 -g 240 -t 16 -k 3 -d 1 -o sim
e=sim/truth.edges.zst a=sim/truth_activity.tensor.zst
cut -f1 sim/cells.tsv | sed 1d | sort >barcodes
weights() { # of a model: what is nearest to the graphs
    for t in $(grn-view -q -H "$1" | awk -F'\t' '$1 == "tensor" && $2 ~ /^param.(gnn|fusion|encoder)/ { print $2 }'); do grn-view -q --tensor "$t" "$1"; done
}
p() { grn-coexpr perturb --no-pg --tokens 64 -e $e -a $a "$@"; }

# Training with perturbation is training without it on the graphs that are written: every cell gets its own as the network of a type of its own.
# One epoch of one graph; the weights after it hold every arc of every step.
small="--dim 16 --heads 2 --ffn 16 --tokens 64 --batch 8 --no-pg --fanout 0 --epochs 1 --split cell"
for source in coexpr random list; do
    case $source in
        list) t_ok "links to draw from" grn-coexpr -q --cells sim/cells.tsv --top 20 -o links.zst sim/counts.h5ad; from="--coexpr links.zst" ;;
        *) from="--perturb $source" ;;
    esac
    for graph in type cell; do
        t_ok "training, $graph, $source" grn-train $small -q --grn $graph $from --alpha 0.4 -e $e -a $a -o seen.zst sim/counts.h5ad
        t_ok "its graphs" p -q --grn $graph $from --alpha 0.4 --first 160 -o graphs.zst sim/counts.h5ad
        awk -v g=$graph 'NR == 1 { print "barcode\tcell_type\tdonor"; next } { print $1 "\t" $1 " " g "\tdonor1" }' sim/cells.tsv >own.tsv
        t_ok "training on them" grn-train $small -q --grn type --perturb none --cells own.tsv -e graphs.zst -o given.zst sim/counts.h5ad
        weights seen.zst >seen; weights given.zst >given
        t_cmp "the same weights to the bit" seen given
        grn-train $small -q --grn $graph --perturb none -e $e -a $a -o plain.zst sim/counts.h5ad
        weights plain.zst >plain
        t_true "which the graphs before are not enough for" "! cmp -s plain seen"
    done
done
t_ok "the epoch counts" p -q --grn cell $from --alpha 0.4 --first 160 --epoch 1 -o graphs.zst sim/counts.h5ad
t_ok "training on the next epoch's graphs" grn-train $small -q --grn type --perturb none --cells own.tsv -e graphs.zst -o given.zst sim/counts.h5ad
weights given.zst >given
t_true "is another training" "! cmp -s seen given"

# any subset, order, threads, and another order of the input's cells and genes
arcs() { grn-view -q -O tsv "$1" | sed '/^#/d' | sort; }
ran "ten cells" p --first 10 --epoch 5 --dropped -@ 1 -o ten.zst sim/counts.h5ad
t_true "twenty graphs" "grep -q '20 graphs of 10 cells at epoch 5' log"
set --
for b in $(head -n 10 barcodes | tac); do set -- "$@" -c "$b"; done
t_ok "the same named backwards, three threads" p -q "$@" --epoch 5 --dropped -@ 3 -o back.zst sim/counts.h5ad
t_cmp "the same bytes" ten.zst back.zst
three=$(sed -n 3p barcodes)
t_ok "one of them" p -q -c "$three" --epoch 5 --dropped -o one.zst sim/counts.h5ad
arcs ten.zst | grep "$three" >want; arcs one.zst | grep "$three" >got
t_true "has arcs of every kind" "[ \$(wc -l <want) -gt 100 ]"
t_cmp "the same arcs" want got
grn-view -q -O tsv sim/counts.h5ad | sed '/^#/d' >straight.tsv
awk -F'\t' -v OFS='\t' '{ for (i = NF; i > 1; i--) printf "%s%s", i == NF ? $1 "\t" : "\t", $i; print "" }' straight.tsv >turned.tsv
{ head -n 1 turned.tsv; sed 1d turned.tsv | sort -r; } >shuffled.tsv
t_ok "of a table" p -q --cells sim/cells.tsv --first 10 --epoch 5 --dropped -o t1.zst straight.tsv
t_ok "of the table with its cells and genes turned round" p -q --cells sim/cells.tsv --first 10 --epoch 5 --dropped -o t2.zst shuffled.tsv
body t1.zst >b1; body t2.zst >b2
t_cmp "the same graphs" b1 b2
arcs t1.zst >got; arcs ten.zst >want
t_cmp "and those of the other format" want got

# statistics against the arcs themselves: every number that can be told from them
ran "statistics of ten cells" p --first 10 --epoch 5 --alpha 0.2 --stats ten.tsv -@ 1 sim/counts.h5ad
t_true "the log tells what became of isolated genes" "grep -q 'cell: .* genes have no link, .* of them get one' log && grep -q 'type: on average' log"
get() { awk -F'\t' -v k="$2 $3 $4" '$1 " " $2 " " $4 == k { print $5; exit }' "$1"; } # FILE GRAPH CONTEXT STATISTIC
p -q --first 10 --epoch 5 --alpha 0.2 --dropped -o ten.zst sim/counts.h5ad
grn-view -q -O tsv ten.zst | sed '/^#/d' >arcs.tsv
plain() { # GRAPH: per graph arcs, new, lost, after; genes with an arc before, joined, cut off
    awk -F'\t' -v graph="$1" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { split($at["context"], c, " "); if (c[2] != graph) next
          change = $at["change"]; u = c[1] SUBSEP $at["tf"]; v = c[1] SUBSEP $at["gene"]
          if (change <= 0) { arcs++; before[u] = before[v] = 1 }
          if (change >= 0) { left++; after[u] = after[v] = 1 }
          new += change > 0; lost += change < 0 }
        END { for (k in before) { linked++; cut += !(k in after) }
              for (k in after) joined += !(k in before)
              printf "%.9g %.9g %.9g %.9g %.9g %.9g %.9g\n", arcs / 10, new / 10, lost / 10, left / 10, linked / 10, joined / 10, cut / 10 }' arcs.tsv
}
genes=$(grn-view -q -O tsv sim/counts.h5ad | sed '/^#/d; 1d' | awk -F'\t' '{ for (i = 2; i <= NF; i++) n[i] += $i > 0 } END { for (i in n) k += n[i] >= 3; print k }')
for g in cell type; do
    set -- $(plain $g)
    t_near "$g: arcs" "$(get ten.tsv $g '*' arcs)" "$1" 1e-3
    t_near "$g: new" "$(get ten.tsv $g '*' new)" "$2" 1e-3
    t_near "$g: dropped, less those that came back" "$(awk -v a="$(get ten.tsv $g '*' dropped)" -v b="$(get ten.tsv $g '*' came_back)" 'BEGIN { print a - b }')" "$3" 1e-3
    t_near "$g: after" "$(get ten.tsv $g '*' after)" "$4" 1e-3
    t_near "$g: isolated" "$(get ten.tsv $g '*' isolated)" "$(awk -v a="$genes" -v b="$5" 'BEGIN { print a - b }')" 1e-3
    t_near "$g: joined" "$(get ten.tsv $g '*' joined)" "$6" 1e-3
    t_near "$g: cut off" "$(get ten.tsv $g '*' cut_off)" "$7" 1e-3
    t_true "$g: some of each" "awk -v a=$2 -v b=$3 -v c=$6 -v d=$7 'BEGIN { exit !(a > 5 && b > 5 && c > 1 && d > 1) }'"
done

# gene sets, links, subsets, threads, order
awk 'BEGIN { for (k = 1; k <= 30; k++) { printf "T%d\tna", k; for (g = k; g <= 240; g += 7 + k) printf "\tG%04d", g; print "" } }' >terms.gmt
st="--stats s.tsv --terms terms.gmt --links links.zst"
ran "statistics of all cells" p $st -@ 1 sim/counts.h5ad
mv s.tsv all.tsv
t_true "of 160 cells" "awk -F'\t' '\$2 == \"*\" && \$3 != 160 { bad = 1 } END { exit bad }' all.tsv"
t_true "terms and links are in the log" "[ \$(grep -c 'added pairs share a term' log) = 2 ] && [ \$(grep -c 'added pairs are listed links' log) = 2 ]"
t_ok "with three threads" p -q $st -@ 3 sim/counts.h5ad
t_cmp "the same table" all.tsv s.tsv
t_ok "of a table" p -q --cells sim/cells.tsv $st straight.tsv
t_cmp "the same" all.tsv s.tsv
t_ok "with cells and genes turned round" p -q --cells sim/cells.tsv $st shuffled.tsv
t_cmp "the same" all.tsv s.tsv
t_ok "of three cells by name" p -q -c "$(sed -n 9p barcodes)" -c "$(sed -n 2p barcodes)" -c "$(sed -n 5p barcodes)" $st sim/counts.h5ad
t_true "three" "awk -F'\t' '\$2 == \"*\" && \$3 != 3 { bad = 1 } END { exit bad }' s.tsv"
t_ok "to stdout" p -q --first 3 --stats - sim/counts.h5ad
t_true "with a header" "head -n 1 out | grep -q '^graph	context	cells	statistic	value	low	high	against	expected	ratio	ratio_low	ratio_high$'"
t_ok "graphs and counts at once" p -q --first 10 --epoch 5 --alpha 0.2 --dropped -o both.zst --stats both.tsv sim/counts.h5ad
t_cmp "the same graphs" ten.zst both.zst
t_cmp "the same counts" ten.tsv both.tsv
ran "what is drawn from listed links" p --coexpr links.zst $st sim/counts.h5ad
# --coexpr joins the links of all types into one list, --links keeps them apart
t_true "are listed links, more often than chance" "awk -F'\t' '\$4 == \"share_linked\" && \$2 == \"*\" { n++; if (\$11 <= 2) bad = 1 } END { exit bad || n != 4 }' s.tsv"
grn-coexpr -q --by all --top 20 -o alllinks.zst sim/counts.h5ad
p -q --coexpr alllinks.zst --stats s.tsv --links alllinks.zst sim/counts.h5ad
t_true "all of them where there is one list" "awk -F'\t' '\$4 == \"share_linked\" { n++; if (\$5 != 1) bad = 1 } END { exit bad || n != 16 }' s.tsv"

# the ablation is its own expectation
p -q --perturb random $st sim/counts.h5ad
t_true "random pairs: every ratio is 1 within four standard errors" "awk -F'\t' '\$2 == \"*\" && \$8 == \"random\" && \$4 !~ /came_back|duplicate/ { n++; d = \$10 - 1; if (d < 0) d = -d; if (d > 4 * (\$12 - \$10) / 1.96) bad = 1 } END { exit bad || n != 20 }' s.tsv"
t_true "and visible genes are not preferred" "[ \$(awk -F'\t' '\$2 == \"*\" && \$4 == \"joined_visible\" && \$10 < 1.1 && \$10 > 0.9' s.tsv | wc -l) = 2 ]"
t_true "co-expression joins more visible ones" "[ \$(awk -F'\t' '\$2 == \"*\" && \$4 == \"joined_visible\" && \$11 > 1.1' all.tsv | wc -l) = 2 ]"
p -q --perturb none --stats s.tsv sim/counts.h5ad
t_true "nothing dropped and added: nothing joined" "[ \$(awk -F'\t' '\$4 ~ /^(dropped|added|joined|cut_off)\$/ && \$5 == 0' s.tsv | wc -l) = 32 ]"

t_exit 2 "grn-coexpr perturb: --links is for --stats FILE" "links without statistics" p --links links.zst --first 1 -o z sim/counts.h5ad
t_exit 2 "grn-coexpr perturb: no cells*" "nothing asked for" p sim/counts.h5ad
t_exit 1 "grn-coexpr perturb: *No space left*" "disk full" p -q --stats /dev/full sim/counts.h5ad
t_exit 1 "grn-coexpr perturb: *no such graph*" "a graph the model does not have" p -q --grn type --graph cell --stats z sim/counts.h5ad
t_true "and no file is left" "[ ! -e z ]"
