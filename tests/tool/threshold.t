# grn-threshold: classes and cuts by hand, grouping, order, threads, degenerate columns, bad input, parity with scikit-learn
ran() { t_ok "$@"; cp err log; }
# 400 cells of two types. two: half of each type at 2 +- 0.3, half at 5 +- 0.3. type: type A at 5 +- 0.5, type B at 1 +- 0.5. bell: one population.
# flat: constant. zero: 300 zeros and two populations. few: 390 zeros, 10 others. one: all but one cell at 0
awk 'function normal() { return sqrt(-2 * log(1 - rand())) * cos(6.283185307179586 * rand()) }
    BEGIN { srand(7); print "cell,two,type,bell,flat,zero,few,one"
    for (c = 0; c < 400; c++) { b = (c >= 200)
        printf "c%03d,%.6f,%.6f,%.6f,0.25,%.6f,%.6f,%d\n", c, (c % 2 ? 5 : 2) + 0.3 * normal(), (b ? 1 : 5) + 0.5 * normal(), 3 + normal(),
            c % 4 ? 0 : c % 8 ? 2 + 0.1 * normal() : 4 + 0.1 * normal(), c % 40 ? 0 : 1 + c / 400, c == 5 } }' >x.csv
awk 'BEGIN { print "barcode\tcell_type"; for (c = 0; c < 400; c++) printf "c%03d\t%s\n", c, (c >= 200 ? "B" : "A") }' >labels.tsv
col() { awk -F'\t' -v c="$2" -v r="$3" -v k="$4" 'NR == 1 { for (i = 1; i <= NF; i++) n[$i] = i } $1 == c && $2 == r { print $n[k] }' "$1"; }
ran "three ways of grouping" grn-threshold --cells labels.tsv -o a.zst --tsv a.tsv x.csv
cp log auto.log
t_true "two populations within the type: its own cut" "[ '$(col a.tsv A two class) $(col a.tsv A two source) $(col a.tsv A two n_on)' = 'bimodal context 100' ]"
t_near "the cut lies between them" "$(col a.tsv A two threshold)" 3.5 0.2
t_near "with posterior one half" "$(col a.tsv A two posterior)" 0.5 0.000001
t_near "weights" "$(col a.tsv A two weight2)" 0.5 0.001
t_true "on in a whole type: the cut over all cells" "[ '$(col a.tsv A type source) $(col a.tsv A type n_on) $(col a.tsv B type n_on)' = 'all 200 0' ]"
t_true "the type's own fit is shown beside it" "[ '$(col a.tsv A type class_context) $(col a.tsv A type class_all)' = 'unimodal bimodal' ]"
t_true "one population" "[ '$(col a.tsv A bell class)' = unimodal ]"
t_true "constant: nobody is on" "[ '$(col a.tsv A flat class) $(col a.tsv A flat n_on)' = 'constant 0' ]"
t_true "zeros set aside" "[ '$(col a.tsv A zero class_all)' = bimodal+mass ]"
t_true "all non-zero cells of a mass-only column are on" "[ '$(col a.tsv A few class) $(col a.tsv A few n_on) $(col a.tsv A few n_atom)' = 'mass-only 5 390' ]"
t_true "a single cell off zero is on" "[ '$(col a.tsv A one n_on) $(col a.tsv B one n_on)' = '1 0' ]"
t_true "the log counts classes and sources" "grep -q '2 contexts x 7 regulons = 14 thresholds' auto.log && grep -q 'bimodal *[0-9]* (' auto.log"
t_true "it warns about 0 on and more than 50 % on" "grep -q '0 cells on: .*flat in A' auto.log && grep -q 'more than 50 %.*type in A' auto.log"
ran "all cells together" grn-threshold --by all --cells labels.tsv -o b.zst --tsv b.tsv x.csv
t_true "one context" "[ \"\$(cut -f1 b.tsv | sort -u | paste -sd,)\" = all,context ] && [ '$(col b.tsv all type n_on)' = 200 ]"
ran "within contexts only" grn-threshold --by context --cells labels.tsv -o c.zst --tsv c.tsv x.csv
t_true "a whole type can then not be on" "[ \$(col c.tsv A type n_on) -lt 20 ]"
ran "no labels" grn-threshold -o d.zst --tsv d.tsv x.csv
t_true "is said" "grep -q 'no cell types' log"
grep -v '^c00' labels.tsv >some.tsv
ran "cells without a label" grn-threshold --cells some.tsv -o e.zst --tsv e.tsv x.csv
t_true "have a context of their own, judged by all cells" "grep -q '10 cells have no' log && [ '$(col e.tsv unlabelled two source) $(col e.tsv unlabelled two n)' = 'all 10' ]"

# other rules
ran "quantile" grn-threshold -q -m quantile --quantile 0.85 --by all -o q.zst --tsv q.tsv x.csv
t_near "60 of 400 above the 0.85 quantile" "$(col q.tsv all bell n_on)" 60 0
ran "otsu" grn-threshold -q -m otsu --by all -o o.zst --tsv o.tsv x.csv
t_near "between the populations" "$(col o.tsv all two n_on)" 200 0
ran "scenic" grn-threshold -q -m scenic --by all -o sc.zst --tsv sc.tsv x.csv
t_true "mean + 2 sd for one population, valley for two" "[ '$(col sc.tsv all bell class) $(col sc.tsv all two class) $(col sc.tsv all two n_on)' = 'unimodal bimodal 200' ]"
ran "aucell-r" grn-threshold -q -m aucell-r --by all -o ar.zst --tsv ar.tsv x.csv
t_true "the valley where there are two populations" "[ '$(col ar.tsv all two candidate) $(col ar.tsv all two n_on)' = 'minimumDens 200' ]"
t_near "a tenth of the largest score" "$(col ar.tsv all bell tenPercentOfMax)" "$(tail -n +2 x.csv | cut -d, -f4 | sort -g | tail -n1 | awk '{ print $1 / 10 }')" 0.000001
t_true "one normal population: its outliers are allowed" "case '$(col ar.tsv all bell allowed)' in *outlierOfGlobal*Global_k1*) true;; *) false;; esac"
t_near "the quantile 1 - 0.01/400 of that normal" "$(col ar.tsv all bell outlierOfGlobal)" \
    "$(tail -n +2 x.csv | cut -d, -f4 | awk '{ s += $1; q += $1 * $1; n++ } END { print s / n + 4.0556270 * sqrt((q - s * s / n) / (n - 1)) }')" 0.00005
t_true "the threshold is the winner's value" "[ '$(col ar.tsv all bell threshold)' = '$(col ar.tsv all bell "$(col ar.tsv all bell candidate)")' ] ||
    [ \$(awk 'BEGIN { d = $(col ar.tsv all bell threshold) - $(col ar.tsv all bell "$(col ar.tsv all bell candidate)"); print (d * d < 1e-10) }') = 1 ]"
t_true "the winner is in the file" "grn-view -O fits ar.zst | head -n1 | grep -q candidate"
t_true "a constant column has no candidate" "[ '$(col ar.tsv all flat candidate) $(col ar.tsv all flat allowed) $(col ar.tsv all flat L_k2)' = 'NA NA NA' ]"
ran "tail quantile" grn-threshold -q --tail quantile --quantile 0.9 --by all -o t.zst --tsv t.tsv x.csv
t_true "40 of 400" "[ '$(col t.tsv all bell n_on) $(col t.tsv all two n_on)' = '40 200' ]"
ran "logarithm" grn-threshold -q --transform log10 --by all -o l.zst --tsv l.tsv x.csv
t_true "zeros are outside it and off" "[ '$(col l.tsv all zero n_outside) $(col l.tsv all zero n_on)' = '300 50' ]"
t_ok "posteriors" grn-threshold -q --posterior --cells labels.tsv -o post.zst x.csv
t_true "make the file larger by them" "[ \$(wc -c <post.zst) -gt \$(wc -c <a.zst) ]"

# summary: regulon "type" is on in all cells of A and in none of B
ran "summary" grn-threshold --by all --cells labels.tsv -o sum.zst --summary sum.tsv x.csv
t_true "cells, on, share, share elsewhere" "[ \"\$(awk -F'\t' '\$1 == \"A\" && \$2 == \"type\"' sum.tsv | cut -f3-6 | paste -sd' ' | tr '\t' ' ')\" = '200 200 1 0' ]"
t_near "log2 of the fold: (200.5/201) / (0.5/201)" "$(col sum.tsv A type log2_fold)" 8.647458 0.00001
t_true "bits of one type only: specificity 1 there, 0 elsewhere" "[ '$(col sum.tsv A type rss_bits) $(col sum.tsv B type rss_bits)' = '1 0' ]"
t_true "it is the most specific" "[ '$(col sum.tsv A type rank)' = 1 ] && grep -q 'A: most specific type 1.00 (100 %)' log"
t_near "mean score of the cells that are off" "$(col sum.tsv B type mean_off)" "$(awk -F, 'NR > 201 { s += $3 } END { print s / 200 }' x.csv)" 0.00001
t_near "specificity of the scores, by the formula" "$(col sum.tsv A two rss_score)" "$(awk -F, 'NR > 1 { x[NR - 2] = $2; s += $2 } END {
    for (c = 0; c < 400; c++) { p = x[c] / s; q = (c < 200 ? 1 / 200 : 0); if (p > 0) j += p * log(2 * p / (p + q)); if (q > 0) j += q * log(2 * q / (p + q)) }
    print 1 - sqrt(j / 2 / log(2)) }' x.csv)" 0.00001
t_true "a negative score: none of the scores" "[ '$(col sum.tsv A type rss_score)' = NA ]"
t_true "on nowhere: no specificity" "[ '$(col sum.tsv A flat rss_bits) $(col sum.tsv A flat mean_on)' = 'NA NA' ]"

# figures: the script holds what is drawn
t_ok "dot plot" grn-plot onoff -q --format script -r type -r two -o dots.gp sum.tsv
t_true "types by regulons; a dot of full size where all are on, none where nobody is" "grep -q 'set ytics (\"A\" 0, \"B\" 1)' dots.gp &&
    grep -q 'set xtics (\"type\" 0, \"two\" 1)' dots.gp && grep -qx '0 0 2.4 1' dots.gp && ! grep -q '^0 1 ' dots.gp"
t_near "area by share" "$(awk '$1 == 1 && $2 == 0 && NF == 4 { print $3 * $3 / 2.4 / 2.4; exit }' dots.gp)" "$(col sum.tsv A two frac_on)" 0.001
t_ok "the most specific ones" grn-plot onoff -q --top 1 --format script -o top.gp sum.tsv
t_true "are those of rank 1" "grep -q 'xtics (\"type\" 0' top.gp"
grn-view -q --from counts --cells labels.tsv -O zst -o drawn.zst x.csv
t_ok "gallery" grn-plot activity -q --format script -r zero -r two -o gallery.gp drawn.zst sum.zst
t_true "class and cells on" "grep -q 'bimodal+mass, $(col b.tsv all zero n_on) of 400 on' gallery.gp && grep -q 'bimodal, 200 of 400 on' gallery.gp"
t_near "components over the 100 values that were fitted: the area of both is 100 bins' worth" "$(awk '/of 400 on/ { zero = /mass/ }
    zero && /^plot/ { n = split($0, a, ", "); for (i = 2; i <= n; i++) { split(a[i], b, "*"); split(a[i], s, "/"); sub(/\).*/, "", s[2]); area += b[1] * s[2] * 2.5066282746 }
        print area }' gallery.gp)" "$(awk -F, 'NR > 1 { if ($6 > m) m = $6 } END { print 100 * m / 50 }' x.csv)" 0.01

# memory: through a temporary file, and from a pipe
ran "columns in a file" grn-threshold --no-pg --max-mem 1k --cells labels.tsv --posterior --summary f.tsv -o f.zst x.csv
t_true "which is said, with what is needed" "grep -q 'GB of scores go through a temporary file' log && grep -q -e '--max-mem: .* GB are needed' log"
grn-threshold -q --no-pg --cells labels.tsv --posterior --summary m.tsv -o m.zst x.csv
t_cmp "the same bytes" f.zst m.zst
t_cmp "the same summary" f.tsv m.tsv
grn-view -q --from counts --cells labels.tsv -O zst -o con.zst x.csv
t_ok "a container from a pipe" sh -c 'grn-threshold -q --tsv p.tsv -o p.zst - <con.zst'
grn-threshold -q --tsv q.tsv -o q.zst x.csv --cells labels.tsv
t_cmp "the same table" p.tsv q.tsv
grn-view -q --from counts -O zst -o bare.zst x.csv
ran "a container with labels beside it" grn-threshold -q --cells labels.tsv --tsv b2.tsv -o b2.zst bare.zst
t_cmp "the same table" b2.tsv q.tsv

# order and threads
{ head -n1 x.csv; tail -n +2 x.csv | sort -t, -k2,2; } >s.csv
grn-threshold -q --cells labels.tsv -o s.zst --tsv s.tsv --summary s.sum.tsv s.csv
grn-threshold -q --cells labels.tsv -o a.zst --summary a.sum.tsv x.csv
t_cmp "the same table for shuffled cells" a.tsv s.tsv
t_cmp "and the same summary" a.sum.tsv s.sum.tsv
for n in 1 2; do grn-threshold -q --no-pg -@ $n --cells labels.tsv -o n$n.zst x.csv; done
t_cmp "the same bytes for -@ 1 and 2" n1.zst n2.zst

# small, empty, bad
head -n 11 x.csv >ten.csv
ran "ten cells" grn-threshold -o ten.zst --tsv ten.tsv ten.csv
t_true "are too few for a mixture" "[ '$(col ten.tsv all two class)' = small ]"
printf 'cell,a,b\nc1,1,2\n' >cell.csv
t_exit 3 "grn-threshold*no regulon is on*" "one cell" grn-threshold -o x.zst cell.csv
cut -d, -f1,5 x.csv >flat.csv
t_exit 3 "grn-threshold*no regulon is on in any of 400 cells*" "only constants" grn-threshold -o x.zst flat.csv
t_true "and no file is left" "[ ! -e x.zst ]"
t_exit 1 "grn-threshold*no row labels*--cells*" "contexts asked for, none there" grn-threshold --by context -o x.zst x.csv
t_exit 1 "grn-threshold*absent*" "missing file" grn-threshold -o x.zst absent.zst
sed 's/^c003,[^,]*/c003,nan/' x.csv >nan.csv
t_exit 1 "grn-threshold*nan*" "NaN" grn-threshold -o x.zst nan.csv
head -c 2000 a.zst >cut.zst
t_exit 1 "grn-threshold*cut.zst*" "truncated file" grn-threshold -o x.zst cut.zst
t_exit 1 "grn-threshold*a.zst*grn.activity*" "its own output as input" grn-threshold -o x.zst a.zst
t_exit 2 "grn-threshold*--quantile*" "quantile out of range" grn-threshold --quantile 2 x.csv
t_exit 1 "grn-threshold*No space left*" "disk full" grn-threshold -q -o /dev/full x.csv

# parity: the likelihood of our mixtures is at least that of scikit-learn's fit
if [ -n "${SANITIZED:-}" ]; then
    t_skip "parity with sklearn.mixture.GaussianMixture" "done in the plain run"
elif python3 -c 'import sklearn, numpy' 2>/dev/null; then
    ran "parity with sklearn.mixture.GaussianMixture" python3 "$SRC/tests/parity/mixture_sklearn.py"
    cat out
else
    t_skip "parity with sklearn.mixture.GaussianMixture" "python3 with scikit-learn absent"
fi
