# grn-build scan --scorer: cluster scores against the published program, best words, occupancy, clusters, shards, resume
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
tsv() { grn-view -O tsv "$1"; }
value() { tsv "$1" | awk -F'\t' -v r="$2" -v c="$3" 'NR == 1 { for (i = 2; i <= NF; i++) if ($i == c) k = i } $1 == r { print $k }'; } # FILE MOTIF REGION
scan="grn-build scan --no-pg -q"

# best words by hand: AACGG of a MEME file, one word of 1,024
printf 'MEME version 4\nMOTIF M1 Alpha\nletter-probability matrix: alength= 4 w= 5 nsites= 100\n' >m.meme
printf '1 0 0 0\n1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 1 0\n' >>m.meme # the other strand reads CCGTT
printf '>chr1 x\nTTAACGGTTTCCGTTTTTAACNGGTTaacggTTTTTAACG\n>chr2\nTTTTTTTTTT\n' >g.fa
printf 'chr1\t0\t20\nchr1\t10\t39\nchr2\t0\t10\nchr1\t3\t8\n' >r.bed
t_ok "best words" $scan --scorer max -m m.meme -g g.fa -r r.bed --background uniform --pseudocount 0.1 -o max.zst
t_near "10 bits less the pseudocount" "$(value max.zst M1 chr1:0-20)" "$(awk 'BEGIN { s = int(256 * log(100.025 / 100.1 / 0.25) / log(2) + 0.5); print 5 * s / 256 }')" 1e-6
t_true "below 0 is written as 0" '[ "$(value max.zst M1 chr2:0-10)" = 0 ]'
t_ok "their p-values" $scan --scorer max --log10p -m m.meme -g g.fa -r r.bed --background uniform -o p.zst
t_near "-log10 of 1/1024" "$(value p.zst M1 chr1:10-39)" 3.0103 1e-5
t_ok "one strand" $scan --scorer max --log10p --strand plus -m m.meme -g g.fa -r r.bed --background uniform -o plus.zst
t_true "without the site on the minus strand" 'awk -v v="$(value plus.zst M1 chr1:3-8)" "BEGIN { exit !(v < 3) }"'

# a site of one motif: ln(LR / 72 + gap path), both strands, by awk
printf '>one\n0 20 0 0\n0 20 0 0\n20 0 0 0\n0 0 0 20\n' >one.cb # CCAT
printf '>s\nNNNCCATNNN\n' >s.fa
t_ok "cluster score" $scan --scorer cbust -m one.cb -g s.fa -o c.zst
want=$(awk 'BEGIN { hit = 20.375 / 21.5; miss = 0.375 / 21.5; b["A"] = 2 / 8; b["C"] = 3 / 8; b["T"] = 2 / 8
    plus = hit / b["C"] * hit / b["C"] * hit / b["A"] * hit / b["T"]; minus = miss / b["C"] * miss / b["C"] * miss / b["A"] * miss / b["T"]
    # the other strand reads ATGG: A over C (miss), T over C (miss), G over A (miss), G over T (miss)
    printf "%.7g", log((plus + minus) / 72 + (35 / 36) ^ 4) }')
t_near "a site between N" "$(value c.zst one s)" "$want" 1e-5
t_ok "background within 2 bases" $scan --scorer cbust --range 2 -m one.cb -g s.fa -o near.zst
# windows CCA, CCAT, CCAT, CAT, one of each base added
want=$(awk 'BEGIN { hit = 20.375 / 21.5; miss = 0.375 / 21.5; r = 7 / 3 * 8 / 3 * 8 / 2 * 7 / 2; printf "%.7g", log((hit ^ 4 + miss ^ 4) * r / 72 + (35 / 36) ^ 4) }')
t_near "by hand" "$(value near.zst one s)" "$want" 1e-5
sed 's/^>one/&\n# GAP 3/' one.cb >gap.cb
t_ok "GAP line" $scan --scorer cbust -m gap.cb -g s.fa -o gap.zst
t_ok "gap option" $scan --scorer cbust --gap 3 -m one.cb -g s.fa -o gap3.zst
t_true "the line in the file is the option" '[ "$(value gap.zst one s)" = "$(value gap3.zst one s)" ] && [ "$(value gap.zst one s)" != "$(value c.zst one s)" ]'
t_ok "occupancy" $scan --scorer occupancy -m one.cb -g s.fa -o o.zst
want=$(awk 'BEGIN { hit = 20.375 / 21.5; miss = 0.375 / 21.5; x = hit ^ 4 / (9 / 64 * 1 / 16) / 72; y = miss ^ 4 / (9 / 64 * 1 / 16) / 72; printf "%.7g", x / (1 + x) + y / (1 + y) }')
t_near "x / (1 + x) of both strands" "$(value o.zst one s)" "$want" 1e-6

# simulated sequence: padding, local background, clusters, order, threads
grn-sim -q -o sim --seed 5 --cells 60 --genes 120 --tfs 12 >/dev/null 2>&1 || t_not_ok "grn-sim"
m=sim/motifs.jaspar g=sim/genome.fa
head -n 150 sim/regions.bed | cut -f 1-3 >sub.bed
t_ok "regions with padding" $scan --scorer cbust -m $m -g $g -r sub.bed -o pad.zst
awk -v OFS='\t' '$2 >= 1000 { print $1, $2 - 1000, $3 + 1000 }' sub.bed >wide.bed
awk 'NR == FNR { if (/^>/) { c = substr($1, 2) } else s[c] = s[c] $0; next } { print ">" $1 ":" $2 + 1000 "-" $3 - 1000; print substr(s[$1], $2 + 1, $3 - $2) }' $g wide.bed >wide.fa
t_ok "sequences that bring their padding" $scan --scorer cbust --padding 1000 -m $m -g wide.fa -o wide.zst
columns() { tsv "$1" | awk -F'\t' -v OFS='\t' 'NR == 1 { for (i = 2; i <= NF; i++) n[i] = $i; next } { for (i = 2; i <= NF; i++) print n[i], $1, $i }' | sort; }
columns wide.zst >w.txt; columns pad.zst | awk -F'\t' 'NR == FNR { k[$1]; next } $1 in k' w.txt - >p.txt
t_cmp "are scored alike" w.txt p.txt
t_ok "without padding" $scan --scorer cbust --padding 0 -m $m -g $g -r sub.bed -o nopad.zst
t_true "the background is another" '! cmp -s pad.zst nopad.zst'
t_ok "short range" $scan --scorer cbust --range 50 -m $m -g $g -r sub.bed -o near.zst
t_true "and so is that of 50 bases" '! cmp -s pad.zst near.zst'
t_ok "one thread" $scan -@ 1 --scorer cbust -m $m -g $g -r sub.bed -o t1.zst
t_ok "three threads" $scan -@ 3 --scorer cbust -m $m -g $g -r sub.bed -o t3.zst
t_cmp "same bytes for -@ 1 and 3" t1.zst t3.zst
t_ok "little memory" $scan --max-mem 1k --scorer cbust -m $m -g $g -r sub.bed -o little.zst
t_cmp "same bytes from blocks of one motif" little.zst t1.zst
sort -k2,2nr sub.bed >shuffled.bed
awk 'BEGIN { RS = ">" } NR > 1 { r[NR] = $0 } END { for (i = NR; i > 1; i--) printf ">%s", r[i] }' $m >shuffled.jaspar
for scorer in cbust max occupancy; do
    $scan --scorer $scorer -m $m -g $g -r sub.bed -o a.zst; $scan --scorer $scorer -m shuffled.jaspar -g $g -r shuffled.bed -o b.zst
    columns a.zst >a.txt; columns b.zst >b.txt
    t_cmp "$scorer: order of regions and motifs does not matter" a.txt b.txt
done
mkdir coll && awk 'BEGIN { RS = ">" } NR > 1 { f = "coll/c" int((NR - 2) / 2) ".jaspar"; printf ">%s", $0 >f }' $m
echo notes >coll/README.md
ran "a folder of clusters" grn-build scan --scorer cbust -m coll -g $g -r sub.bed -o coll.zst
t_true "is said" "grep -q 'motifs: 6 files of 11 matrices in .coll., each file one motif; files of other kinds were passed over' log"
t_true "rows are files" '[ "$(tsv coll.zst | tail -n +2 | cut -f 1 | head -n 2 | tr "\n" " ")" = "c0 c1 " ]'
t_ok "one file as a cluster" $scan --clusters --scorer cbust -m coll/c0.jaspar -g $g -r sub.bed -o c0.zst
t_true "is the row of the folder" '[ "$(tsv c0.zst | tail -n 1)" = "$(tsv coll.zst | grep "^c0")" ]'
t_ok "sites of clusters" $scan -m coll -g $g -r sub.bed -p 1e-3 -o sites.zst
t_true "have a column each" '[ "$(tsv sites.zst | head -n 1 | tr "\t" "\n" | grep -c "^c[0-5]$")" = 6 ]'

# shards and resume
for i in 1 2 3; do $scan --scorer cbust --shard $i/3 -m $m -g $g -r sub.bed -o part$i.zst; done
{ tsv part1.zst; tsv part2.zst | tail -n +2; tsv part3.zst | tail -n +2; } >parts.txt; tsv t1.zst >whole.txt
t_cmp "three shards in order are the whole" parts.txt whole.txt
t_ok "joined" grn-view merge -q --no-pg -o joined.zst part1.zst part2.zst part3.zst
tsv joined.zst >joined.txt
t_cmp "joined shards are the whole" joined.txt whole.txt
meta() { grn-view -q -H "$1" | grep -E "^(values|scorer|gap|range|padding|pseudocount|mask)" | sort; }
t_true "and say what they hold" '[ "$(meta joined.zst)" = "$(meta t1.zst)" ] && [ "$(meta t1.zst | wc -l)" = 8 ]'
t_exit 1 "grn-view*part1.zst*" "a shard twice" grn-view merge -q -o x.zst part1.zst part1.zst
t_exit 2 "grn-build*--shard '4/3'*" "shard beyond" $scan --scorer cbust --shard 4/3 -m $m -g $g -o x.zst
t_exit 3 "grn-build*holds none of the 1 motifs*" "empty shard" $scan --scorer cbust --shard 1/3 -m one.cb -g $g -o x.zst
r="$scan --max-mem 1k --scorer cbust -m $m -g $g -r sub.bed --resume -o re.zst"
mkdir re.zst.parts && chmod 700 re.zst.parts
( ulimit -f 5; $r ) 2>/dev/null # the output does not fit, its parts do
t_true "a stopped run keeps its parts and no output" '[ ! -e re.zst ] && [ "$(ls re.zst.parts | grep -c "tensor.zst$")" -ge 1 ]'
kept=$(ls re.zst.parts | grep -c 'tensor.zst$')
ran "resumed" grn-build scan --no-pg --max-mem 1k --scorer cbust -m $m -g $g -r sub.bed --resume -o re.zst
t_true "says what was there" "grep -q \"resume: $kept of 11 blocks of motifs were there\" log"
t_true "parts are gone" '[ ! -e re.zst.parts ]'
tsv re.zst >re.txt
t_cmp "and the scores are those of a whole run" re.txt whole.txt

t_exit 2 "grn-build*--bed goes with*" "BED of scores" $scan --scorer cbust --bed x.bed -m $m -g $g -o x.zst
t_exit 2 "grn-build*--log10p goes with*" "p of clusters" $scan --scorer cbust --log10p -m $m -g $g -o x.zst
t_exit 2 "grn-build*--shard and --resume go with*" "shard of sites" $scan --shard 1/2 -m $m -g $g -o x.zst
t_exit 2 "grn-build*--resume needs*" "resume to stdout" $scan --scorer cbust --resume -m $m -g $g
t_exit 2 "grn-build*--pseudocount*" "pseudocount a word" $scan --pseudocount some -m $m -g $g -o x.zst
mkdir void
t_exit 3 "grn-build*'void' holds no motif file*" "folder without motifs" $scan -m void -g $g -o x.zst
mkdir twice && cp one.cb twice/a.cb && cp one.cb twice/a.pfm
t_exit 1 "grn-build*motif 'a' was there before*" "two files of one name" $scan --scorer cbust -m twice -g $g -o x.zst
printf '>w\n# WEIGHT heavy\n1 2 3 4\n' >w.cb
t_exit 1 "grn-build*w.cb' line 2*WEIGHT or GAP line without a positive number*" "weight a word" $scan --scorer cbust -m w.cb -g $g -o x.zst
t_exit 1 "grn-build*" "disk full" $scan --scorer cbust -m $m -g $g -r sub.bed -o /dev/full
t_true "no output, no folder is left" '[ ! -e x.zst ] && ! ls -d ./*.parts 2>/dev/null'

if [ -n "${SANITIZED:-}" ]; then
    t_skip "motifs.t: published cluster scores" "done in the plain run"
elif t_data atac/cbust_oracle; then
    d=$GRN_DATA/atac
    t_ok "published cluster scores" $scan --scorer cbust -m "$d/motifs/jaspar2022_vertebrates.cb.gz" -g "$d/cbust_oracle/k562_regions.fa" -o k562.zst
    # three printed digits; a difference of one unit in the last is within the rounding of either
    { zcat "$d/cbust_oracle/crm_scores_half.tsv.gz"; echo; tsv k562.zst; } | awk -F'\t' '
        function unit(x, u) { for (u = 1e-12; x >= 1000 * u; u *= 10) {} return u }
        $0 == "" { second = 1; next }
        !second { if (NR == 1) { for (i = 2; i <= NF; i++) name[i] = $i } else for (i = 2; i <= NF; i++) want[$1, name[i]] = $i; next }
        !n_col { for (i = 2; i <= NF; i++) col[i] = $i; n_col = NF; next }
        { for (i = 2; i <= NF; i++) if (($1, col[i]) in want) { w = want[$1, col[i]]; v = sprintf("%.3g", $i) + 0; n++
            if (v == w) same++; else { d = v > w ? v - w : w - v; if (d > 1.01 * unit(v > w ? v : w)) far++ } } }
        END { printf "%d %d %d\n", n, same, far; }' >oracle
    t_true "232,545 pairs, at least 99.9 % the same digits, all but one the rest a unit off: $(cat oracle)" 'awk "{ exit !(\$1 == 232545 && \$2 >= 0.999 * \$1 && \$3 <= 1) }" oracle'
fi
