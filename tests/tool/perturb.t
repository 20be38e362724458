# grn-build perturb: changes computed by hand, threads and orders, baseline, direction on a network that is known
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
rows() { grn-view -q "$1" | tr '\n\t' ';,'; }
net() { { printf 'TF\ttarget\timportance\n'; tr ' >' '\n\t' <<<"$2" | sed 's/$/\t1/'; } >"$1.tsv"; grn-view import -q -o "$1.zst" "$1.tsv"; }
payload() { # the tensors of a container, without its header
    zstd -dcq "$1" >payload.tmp
    tail -c +$(($(od -An -t u8 -N 8 payload.tmp) + 9)) payload.tmp
}

# one TF, one gene, one tree: f(0) = 1, f(2) = 5
net one 'A>G'
printf 'cell\tA\tG\tH\nc1\t0\t0\t1\nc2\t0\t2\t0\nc3\t2\t1\t3\nc4\t2\t9\t0\n' >r.tsv
one="grn-build perturb --expression raw --trees 1 --learning-rate 1"
ran "knock-out" $one -r one.zst -k A -o o.zst --summary s.tsv --baseline 0 r.tsv
t_true "changes add, and stop at 0" "[ '$(rows o.zst)' = 'cell,feature,value;c3,A,-2;c3,G,-1;c4,A,-2;c4,G,-4;' ]"
t_true "modelled and perturbed genes only" "[ '$(grn-view -q -O features o.zst | cut -f 1 | tail -n +2 | tr '\n' ' ')' = 'A G ' ]"
t_true "summary" "[ '$(grep -v '^#' s.tsv | tr '\t\n' ',;')' = 'cell_type,cells,gene,steps,mean_before,mean_change,share_changed,baseline_mean,baseline_sd,z;all,4,G,1,3,-1.25,0.5,NA,NA,NA;all,4,A,0,1,-1,0.5,NA,NA,NA;' ]"
t_true "the scale is said" "grep -q 'expression scale: as read' log"
t_true "what was done is in the file" "zstd -dcq o.zst | head -c 3000 | grep -aq '\"perturbed\":\"A knocked out\"' && zstd -dcq o.zst | head -c 3000 | grep -aq '\"rule\":\"additive\"'"
ran "--compat" $one -r one.zst -k A --compat -o o.zst r.tsv
t_true "changes multiply" "[ '$(rows o.zst)' = 'cell,feature,value;c3,A,-2;c3,G,-0.8;c4,A,-2;c4,G,-7.2;' ]"
ran "over-expression" $one -r one.zst --set A=2 -o o.zst r.tsv
t_true "a gene at 0 can rise" "[ '$(rows o.zst)' = 'cell,feature,value;c1,A,2;c1,G,4;c2,A,2;c2,G,4;' ]"
ran "over-expression, --compat" $one -r one.zst --set A=2 --compat -o o.zst r.tsv
t_true "a gene at 0 stays" "[ '$(rows o.zst)' = 'cell,feature,value;c1,A,2;c2,A,2;c2,G,8;' ]"
ran "--scale" $one -r one.zst --scale A=2.5 -o o.zst r.tsv
t_true "a factor that passes no threshold changes the TF alone" "[ '$(rows o.zst)' = 'cell,feature,value;c3,A,3;c4,A,3;' ]"
printf 'cell\tA\tG\tH\nc1\t0\t0\t1\nc2\t0\t2\t0\nc3\t2\t1\t3\nc4\t2\t9\t4\n' >l.tsv
ran "--scale under lognorm" grn-build perturb -q -r one.zst --scale A=2 -o o.zst l.tsv
t_near "twice the RNA: log(1 + 2 x 10,000 x 2 / 6) - log(1 + 10,000 x 2 / 6)" "$(grn-view -q o.zst | awk '$1 == "c3" && $2 == "A" { print $3 }')" 0.6929972 1e-6

# a chain is handed on round by round
net chain 'A>B B>G G>G'
printf 'cell\tA\tB\tG\nc1\t0\t0\t1\nc2\t0\t0\t1\nc3\t2\t4\t7\nc4\t2\t4\t7\n' >c.tsv
ran "two rounds" $one -r chain.zst -k A --rounds 2 --summary s.tsv -o o.zst c.tsv
t_true "reach the end of the chain" "[ '$(rows o.zst)' = 'cell,feature,value;c3,A,-2;c3,B,-4;c3,G,-6;c4,A,-2;c4,B,-4;c4,G,-6;' ]"
t_true "steps" "[ '$(grep -v '^#' s.tsv | awk 'NR > 1 { print $3 $4 }' | sort | tr '\n' ' ')' = 'A0 B1 G2 ' ]"
ran "one round" $one -r chain.zst -k A --rounds 1 -o o.zst c.tsv
t_true "does not" "[ '$(rows o.zst)' = 'cell,feature,value;c3,A,-2;c3,B,-4;c4,A,-2;c4,B,-4;' ]"
t_true "genes out of reach are counted" "grep -q 'modelled genes within 1 steps of the perturbed: kept 1 genes, lost 1' log"
echo B >b.txt
ran "--targets" $one -r chain.zst -k A --targets b.txt -o o.zst c.tsv
t_true "only these are modelled" "[ '$(rows o.zst)' = 'cell,feature,value;c3,A,-2;c3,B,-4;c4,A,-2;c4,B,-4;' ]"
ran "two TFs at once" $one -r chain.zst -k A --set B=4 -o o.zst c.tsv
t_true "a perturbed target stays where it was put" "[ '$(rows o.zst)' = 'cell,feature,value;c1,B,4;c1,G,6;c2,B,4;c2,G,6;c3,A,-2;c4,A,-2;' ]"
net self 'A>A A>G A>H'
ran "a gene without another TF" $one -r self.zst -k A -o o.zst r.tsv
t_true "is skipped and counted" "grep -q 'targets with a TF besides themselves: kept 2 genes, lost 1' log"

# a loop: the perturbed TF is a target of its target
net loop 'A>B B>A'
printf 'cell\tA\tB\nc1\t1\t1\nc2\t1\t1\nc3\t2\t4\nc4\t2\t4\n' >loop.tsv
ran "loop" $one -r loop.zst --set A=2 -o o.zst loop.tsv
t_true "perturbed genes are clamped" "[ '$(rows o.zst)' = 'cell,feature,value;c1,A,1;c1,B,3;c2,A,1;c2,B,3;' ]"
ran "loop, --compat" $one -r loop.zst --set A=2 --compat -o o.zst loop.tsv
t_true "or drift" "[ '$(rows o.zst)' = 'cell,feature,value;c1,A,3;c1,B,3;c2,A,3;c2,B,3;' ]"
sed 's/\t1\t1$/\t0\t1/' loop.tsv >zero.tsv
ran "a prediction of 0, --compat" $one -r loop.zst --set A=2 --compat -o o.zst zero.tsv
t_true "is not divided by" "[ '$(rows o.zst)' = 'cell,feature,value;c1,A,2;c1,B,3;c2,A,2;c2,B,3;' ] && grep -q ' 2 times a value stayed as it was' log"

# what cannot be done
t_exit 1 "grn-build perturb: --knock-out X: no gene of 'r.tsv'; TFs: A" "unknown TF" $one -r one.zst -k X -o x.zst r.tsv
t_exit 1 "grn-build perturb: --set G: no modelled gene is in a regulon of it in 'one.zst'; TFs: A" "a gene that regulates nothing" \
    $one -r one.zst --set G=1 -o x.zst r.tsv
t_exit 1 "grn-build perturb: 'one.zst' has no cell types of edges*" "context of a network without" $one -r one.zst -k A -c T -o x.zst r.tsv
net other 'P>Q'
t_exit 3 "grn-build perturb: nothing to model: 0 of 1 targets of 'other.zst' are left*P, Q vs A, G, H" "genes of another species" \
    $one -r other.zst -k P -o x.zst r.tsv
t_exit 3 "grn-build perturb: nothing to model: the perturbed genes have no targets but themselves*" "all targets are perturbed" \
    $one -r loop.zst -k A -k B -o x.zst loop.tsv
t_exit 3 "grn-build perturb: no value changes*'e.zst' is empty" "values as they are" $one -r one.zst --scale A=1 -o e.zst r.tsv
t_ok "the file is there, without values" grn-view --check e.zst
sed 's/^c1\t0/c1\t-1/' r.tsv >neg.tsv
t_exit 1 "grn-build perturb: 'neg.tsv': -1 of A in cell c1 is negative*" "negative values" $one -r one.zst -k A -o x.zst neg.tsv
t_exit 2 "grn-build perturb: say what to perturb*" "nothing perturbed" $one -r one.zst -o x.zst r.tsv
t_exit 2 "grn-build perturb: 'A' is perturbed twice" "perturbed twice" $one -r one.zst -k A --set A=1 -o x.zst r.tsv
t_exit 2 "grn-build perturb: --set A: a gene, '=' and a number*" "no value" $one -r one.zst --set A -o x.zst r.tsv
t_exit 2 "grn-build perturb: --scale A=-1: a number from 0*" "negative factor" $one -r one.zst --scale A=-1 -o x.zst r.tsv
t_exit 2 "grn-build perturb: --baseline 1 has no*" "one run of the baseline" $one -r one.zst -k A --baseline 1 -o x.zst r.tsv
t_exit 2 "grn-build perturb: give --output*" "no output" $one -r one.zst -k A r.tsv
t_exit 2 "grn-build perturb: give the regulons*" "no regulons" $one -k A -o x.zst r.tsv
t_true "no file is left" "[ ! -e x.zst ]"

# a network that is known: all regulated genes with all TFs as candidates
grn-sim -q -x small -n 400 --no-atac -o sim
sim=sim/counts.h5ad
grn-view -q sim/truth.edges.zst | awk -F'\t' 'NR > 1 { print $3 "\t" $5 "\t" $6 }' | sort -u >true.tsv
{ printf 'TF\ttarget\timportance\n'; awk -F'\t' '{ t[$1]; g[$2] } END { for (a in t) for (b in g) print a "\t" b "\t1" }' true.tsv; } >cand.tsv
grn-view import -q -o cand.zst cand.tsv
p="grn-build perturb -q --no-pg -r cand.zst"
for tf in TF01 TF04 TF06 TF02; do # the last is a repressor
    $p -k $tf --baseline 0 --rounds 1 --summary s.tsv -o o.zst $sim 2>err
    awk -F'\t' -v tf=$tf 'NR == FNR { if ($1 == tf) { t[$2]; sign = $3 } next } /^#/ || $4 != 1 { next }
        $3 in t { a += $2 * $6; m += $2; next } { b += $2 * $6; n += $2 } END { printf "%s %d %.4f %.4f\n", tf, sign, sign * a / m, sign * b / n }' true.tsv s.tsv >>effect
done
t_true "without an activator its targets fall, others do not; of a repressor they rise: $(tr '\n' ';' <effect)" \
    "[ $(awk '$3 < -0.02 && ($4 > 0 ? $4 : -$4) < -$3 / 3' effect | wc -l) = 4 ]"
t_true "one of them is a repressor" "[ \"$(awk '$2 < 0 { print $1 }' effect)\" = TF02 ]"

# the baseline: runs in which the TF tells nothing of cells within types
ran "baseline" $p -@ 1 -k TF01 --rounds 2 --trees 200 --baseline 6 --summary s1.tsv -o o1.zst $sim
awk -F'\t' 'NR == FNR { if ($1 == "TF01") t[$2]; next } /^#/ || $4 != 1 || $1 != "type1" || $10 == "NA" { next }
    $3 in t { m++; if ($10 < -3) a++; next } { n++; if ($10 < -3 || $10 > 3) b++ } END { print (a / m), (b / n) }' true.tsv s1.tsv >power
t_true "z < -3 of true targets and |z| > 3 of others in type1: $(cat power)" "[ $(awk '$1 > 0.5 && $2 < $1 / 2' power | wc -l) = 1 ]"
t_true "sorted by the size of the change within types" "grep -v '^#' s1.tsv | awk -F'\t' 'NR > 1 { c = \$6 < 0 ? -\$6 : \$6; if (\$1 == t && c > last + 1e-9) exit 1; t = \$1; last = c }'"
total() { awk '{ printf "%.3f", $1 }'; }
t_near "means are those of the file" "$(grn-view -q o1.zst | awk 'NR > 1 { s += $3 } END { print s }' | total)" \
    "$(grep -v '^#' s1.tsv | awk -F'\t' 'NR > 1 { s += $2 * $6 } END { print s }' | total)" 0.05
ran "another seed" $p -k TF01 --rounds 2 --trees 200 --baseline 0 --seed 9 -o o9.zst $sim
t_true "gives other models" "! cmp -s o1.zst o9.zst"
ran "two threads, little memory" $p -@ 2 --max-mem 200k -k TF01 --rounds 2 --trees 200 --baseline 6 --summary s2.tsv -o o2.zst $sim
t_cmp "the same changes" o1.zst o2.zst
t_cmp "the same summary" s1.tsv s2.tsv

# cells and genes in another order, regulons from another file
grn-view -q -O tsv $sim >m.tsv 2>err
{ head -n 1 m.tsv; tail -n +2 m.tsv | sort; } | awk -F'\t' '{ printf "%s", $1; for (j = NF; j > 1; j--) printf "\t%s", $j; print "" }' >turned.tsv
{ head -n 1 cand.tsv; tail -n +2 cand.tsv | sort -k 2,2r; } >turned_net.tsv
grn-view import -q -o turned.zst turned_net.tsv
for f in m turned; do
    net=$([ $f = m ] && echo cand || echo turned)
    ran "$f" grn-build perturb -q --no-pg -r $net.zst -k TF01 --scale TF05=2 --rounds 2 --trees 100 --baseline 2 --orient cells --cells sim/cells.tsv \
        --summary $f.summary -o $f.zst $f.tsv
    payload $f.zst >$f.payload
done
t_true "values change" "[ $(stat -c %s m.payload) -gt 20000 ]"
t_cmp "the same changes" m.payload turned.payload
t_cmp "the same summary" m.summary turned.summary

# regulons of one cell type; the link file of regions has no TFs
ran "context" grn-build perturb --no-pg -r sim/truth.edges.zst -k TF01 -c type1 --rounds 1 --trees 50 -o t1.zst $sim
cp log log1
ran "all contexts" grn-build perturb --no-pg -r sim/truth.edges.zst -k TF01 --rounds 1 --trees 50 -o ta.zst $sim
kept() { sed -n 's/.*targets of regulons that are genes of the matrix: kept \([0-9]*\) .*/\1/p' "$1"; }
t_true "fewer genes in one type ($(kept log1) of $(kept log))" "[ $(kept log1) -gt 0 ] && [ $(kept log1) -lt $(kept log) ]"
t_exit 1 "grn-build perturb: --context type9: no cell type of 'sim/truth.edges.zst'; it has: type1, type2, type3" "unknown context" \
    grn-build perturb -r sim/truth.edges.zst -k TF01 -c type9 -o x.zst $sim

# PBMC 3k: without SPI1 monocytes lose what SPI1 gives them, T cells do not
pbmc=$GRN_DATA/rna/pbmc3k
if t_data rna/pbmc3k/filtered && t_data rna/tf_lists && t_data rna/prior_networks; then
    ran "PBMC 3k" grn-build run -q --rna-only -f "$GRN_DATA/rna/tf_lists/pySCENIC_lambert2018.txt" --cells "$pbmc/cell_types.tsv" \
        --prior "$GRN_DATA/rna/prior_networks/collectri.tsv.gz" -o pbmc.zst "$pbmc/filtered"
    ran "SPI1 knocked out" grn-build perturb -q -r pbmc.zst -k SPI1 --cells "$pbmc/cell_types.tsv" --baseline 3 --summary s.tsv -o o.zst "$pbmc/filtered"
    change() { awk -F'\t' -v t="$1" -v g="$2" -v c="${3:-6}" '$1 == t && $3 == g { print $c }' s.tsv; }
    t_true "monocytes lose LYZ, FCN1 and AIF1 ($(change 'CD14+ Mono' LYZ))" \
        "awk 'BEGIN { exit !($(change 'CD14+ Mono' LYZ) < -0.3 && $(change 'CD14+ Mono' FCN1) < -0.3 && $(change 'CD14+ Mono' AIF1) < -0.3) }'"
    t_true "T cells do not ($(change 'Naive CD4 T' LYZ))" "awk 'BEGIN { x = $(change 'Naive CD4 T' LYZ); exit !(x > -0.05 && x < 0.05) }'"
    t_true "most of it is what SPI1 says of types, not of cells ($(change 'CD14+ Mono' LYZ 8))" \
        "awk 'BEGIN { exit !($(change 'CD14+ Mono' LYZ 8) < 0.5 * $(change 'CD14+ Mono' LYZ)) }'"
fi
