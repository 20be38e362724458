# grn-eval network and report, grn-plot: a hand example, baselines, refusals
# Truth: A->x, A->y, B->x (universe: TFs A,B; genes A,B,x,y; 6 candidate pairs without self). Prediction ranks A->x, B->y, A->y.
printf 'Gene1,Gene2,Type\nA,x,+\nA,y,-\nB,x,+\n' >truth.csv
printf 'TF\ttarget\timportance\nA\tx\t3\nB\ty\t2\nA\ty\t1\nC\tz\t9\n' >pred.tsv
t_ok "network on text tables" grn-eval network -q -t truth.csv -o net.tensor.zst --curve curve.tensor.zst mine=pred.tsv
cp out net.tsv
col() { awk -F'\t' -v m="$2" -v c="$3" 'NR == 1 { for (i = 1; i <= NF; i++) k[$i] = i } $k["method"] == m { print $k[c] }' "$1"; }
t_near "candidate pairs" "$(col net.tsv mine pairs)" 6 0
t_near "true pairs" "$(col net.tsv mine true)" 3 0
t_near "density" "$(col net.tsv mine density)" 0.5 0
# steps: (tp 1, fp 0), (1, 1), (2, 1), then the three unranked pairs tie: (3, 3)
# AUPRC trapezoid: 1/3 * 1 + 0 + 1/3 * (1/2 + 2/3) / 2 + 1/3 * (2/3 + 1/2) / 2 = 0.72222
t_near "AUPRC by hand" "$(col net.tsv mine auprc)" 0.722222 0.000001
# AUROC: (1/3 + 1/3 + 1/6) with fp/N steps: 0 -> 1/3 at tpr 1/3, 1/3 -> 1 from 2/3 to 1: 1/9 + 2/3 * 5/6 = 0.66667
t_near "AUROC by hand" "$(col net.tsv mine auroc)" 0.666667 0.000001
# the 3 best are A->x, B->y, A->y: 2 of 3 true, density 1/2
t_near "EPR by hand" "$(col net.tsv mine epr)" 1.33333 0.00001
t_true "random and degree rows are there" "grep -q random net.tsv && grep -q 'degrees of mine' net.tsv"
grn-eval network -q -t truth.csv -@ 1 mine=pred.tsv >one.tsv; grn-eval network -q -t truth.csv -@ 2 mine=pred.tsv >two.tsv
t_cmp "same table for -@ 1 and 2" one.tsv two.tsv
{ head -n1 pred.tsv; tail -n +2 pred.tsv | sort -r; } >shuffled.tsv
{ head -n1 truth.csv; tail -n +2 truth.csv | sort -r; } >truth2.csv
grn-eval network -q -t truth2.csv mine=shuffled.tsv >three.tsv
t_cmp "same table for shuffled rows" one.tsv three.tsv
t_exit 2 "grn-eval*--truth*" "no truth" grn-eval network pred.tsv
t_exit 1 "grn-eval*absent.tsv*" "missing truth" grn-eval network -t absent.tsv pred.tsv
t_exit 1 "grn-eval*context*" "truth without contexts" grn-eval network --by-context -t truth.csv pred.tsv

t_ok "curve figure" grn-plot curve -q --x recall --y precision -o curve.svg curve.tensor.zst
t_true "it is SVG with our title" "grep -q '<title>Precision and recall' curve.svg && grep -q '</svg>' curve.svg"
t_ok "bars figure" grn-plot bars -q --value auprc --lo auprc_lo --hi auprc_hi -o bars.svg net.tensor.zst
t_ok "png by suffix" grn-plot bars -q --value auprc -o bars.png net.tensor.zst
t_true "png magic" "head -c 4 bars.png | grep -q PNG"
printf 'step\ttrain_loss\tval_loss\n1\t3\t4\n2\t2\t3.5\n' >log.tsv
t_ok "loss figure" grn-plot loss -q -o loss.svg log.tsv
t_ok "script is self-contained" grn-plot loss -q --format script -o loss.gp log.tsv
t_true "it holds the data" "grep -q EOD loss.gp"
t_exit 1 "grn-plot*no column 'step'*" "not a log" grn-plot loss -o x.svg pred.tsv
t_exit 1 "grn-plot*no number column*" "wrong column" grn-plot bars --value nothing -o x.svg net.tensor.zst
t_true "nothing partial is left" "[ ! -e x.svg ]"
t_exit 1 "grn-plot*write*" "full disk" grn-plot bars --value auprc -o /dev/full net.tensor.zst
t_exit 1 "grn-plot*gnuplot is not installed*" "no gnuplot" env PATH="$BIN" "$BIN/grn-plot" bars --value auprc -o x.svg net.tensor.zst

t_ok "report" grn-eval report -q --title 'a <b> & c' -o report.html net.tensor.zst curve.svg bars.svg log.tsv
t_true "title is escaped" "grep -q 'a &lt;b&gt; &amp; c' report.html"
t_true "self-contained: no references outside" "! grep -qE 'src=|<link|@import' report.html"
t_true "tables, figures and text are in" "grep -q '<table>' report.html && [ \$(grep -c '</svg>' report.html) = 2 ] && grep -q train_loss report.html"
t_true "figure ids do not clash" "[ -z \"\$(grep -oE \"id=['\\\"][^'\\\"]+\" report.html | sort | uniq -d)\" ]"
t_exit 1 "grn-eval*absent.svg*" "missing figure" grn-eval report -o r2.html absent.svg
head -c 100 curve.svg >cut.svg
t_exit 1 "grn-eval*not a whole SVG*" "cut figure" grn-eval report -o r2.html cut.svg
head -c 200 net.tensor.zst >cut.zst
t_exit 1 "grn-eval*" "cut result" grn-eval report -o r2.html cut.zst
t_true "no partial report" "[ ! -e r2.html ]"

# posteriors against planted states: the states themselves as scores, cut at one half, are right for activators and the wrong way round for repressors
grn-sim -q --no-atac -x small -o planted
grn-view -q -O tsv planted/truth_activity.tensor.zst | awk -F'\t' 'BEGIN { OFS = "\t" } NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /_.\//) keep[i] = 1 }
    { line = $1; for (i = 2; i <= NF; i++) if (i in keep) line = line OFS $i; print line }' >states.tsv
grn-threshold -q -m otsu --by all --posterior -o states.zst --cells planted/cells.tsv states.tsv
grn-view -q --from counts -O zst -o scores.zst states.tsv
t_ok "calibration of posteriors" grn-eval activity -t planted/truth_activity.tensor.zst -a states.zst --curve cal.zst scores.zst
cp err cal.log
# a column that never changes is called off; else the call is the state, for a repressor the other state
wrong=$(awk -F'\t' 'NR == 1 { for (i = 2; i <= NF; i++) minus[i] = ($i ~ /_-\//); next } { for (i = 2; i <= NF; i++) on[i] += $i }
    END { for (i = 2; i <= NF; i++) { fixed = (on[i] == 0 || on[i] == NR - 1); p = (fixed ? on[i] : 0); w += minus[i] ? NR - 1 - p : p }
    printf "%.4f", w / (NR - 1) / (NF - 1) }' states.tsv)
t_true "Brier score: the share that is called wrongly" "grep -q 'every pair .*Brier score $wrong ' cal.log"
t_true "calibration error: the same" "grep -q 'every pair .*calibration error $wrong ' cal.log"
grn-view -q cal.zst >cal.tsv
t_true "ten rows of a series, each with its interval" "[ \$(grep -c '^every pair' cal.tsv) = 10 ] && [ \"\$(head -n1 cal.tsv | cut -f1-6 | tr '\t' ' ')\" = 'series bin_from bin_to pairs posterior on' ]"
t_ok "drawn" grn-plot curve --x posterior --y on -o cal.svg cal.zst
grn-threshold -q -m otsu --by all -o bits.zst --cells planted/cells.tsv states.tsv
t_exit 1 "grn-eval activity*bits.zst*no posteriors*" "--curve without posteriors" grn-eval activity -t planted/truth_activity.tensor.zst -a bits.zst --curve c2.zst scores.zst
