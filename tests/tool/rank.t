# grn-build rank: ranks by hand, ties, threads, order of the input, regions first, several species, bad input
rank() { grn-build rank --no-pg -q "$@"; }
tsv() { grn-view -q -O tsv "$1"; }
cat >s.csv <<'X'
motif,chr1:100-200,chr1:300-400,chr2:50-90,chrX:1-1000,chrX:2000-2100
M1,1.5,0,4,2,0.5
M2,0,0,0,7,0
M3,0.25,0.5,0.75,1,2
X
grn-view -q --from counts --orient cells -O zst -o s.zst s.csv || t_not_ok "matrix"
t_ok "ranks" rank s.zst -o r.zst
printf 'cell\tchr1:100-200\tchr1:300-400\tchr2:50-90\tchrX:1-1000\tchrX:2000-2100\nM1\t2\t4\t0\t1\t3\n' >want
tsv r.zst | head -n 2 >got
t_cmp "by hand" got want
t_true "rising scores fall" '[ "$(tsv r.zst | grep "^M3" | cut -f 2-)" = "$(printf "4\t3\t2\t1\t0")" ]'
t_true "ties have every rank once" '[ "$(tsv r.zst | grep "^M2" | cut -f 2- | tr "\t" "\n" | sort | tr "\n" " ")" = "0 1 2 3 4 " ] && [ "$(tsv r.zst | grep "^M2" | cut -f 5)" = 0 ]'
t_ok "mean ranks" rank --ties average s.zst -o a.zst
t_true "of ties" '[ "$(tsv a.zst | grep "^M2" | cut -f 2-)" = "$(printf "2.5\t2.5\t2.5\t0\t2.5")" ]'
t_ok "regions first" rank --regions-first s.zst -o t.zst
tsv t.zst | awk -F'\t' '{ for (i = 1; i <= NF; i++) x[NR, i] = $i; n = NF } END { for (i = 1; i <= n; i++) { l = x[1, i]; for (k = 2; k <= NR; k++) l = l "\t" x[k, i]; print l } }' >got
tsv r.zst >want
t_cmp "is the same turned" got want
t_true "the file says what it holds" 'grn-view -q -H r.zst | grep -q "^values.rank$" && grn-view -q -H r.zst | grep -q "^n_regions.5$"'

# simulated scores: order, threads, memory
awk 'BEGIN { srand(5); printf "motif"; for (i = 0; i < 700; i++) printf ",chr1:%d-%d", 1000 * i, 1000 * i + 500; print ""
    for (m = 0; m < 9; m++) { printf "M%d", m; for (i = 0; i < 700; i++) printf ",%s", rand() < 0.6 ? 0 : int(rand() * 300) / 10; print "" } }' >b.csv
grn-view -q --from counts --orient cells -O zst -o b.zst b.csv
rank -@ 1 b.zst -o b1.zst; rank -@ 3 b.zst -o b3.zst; rank --max-mem 1k b.zst -o bs.zst
t_cmp "same bytes for -@ 1 and 3" b1.zst b3.zst
t_cmp "same bytes from blocks of one motif" bs.zst b1.zst
rank --regions-first b.zst -o f1.zst; rank --regions-first --max-mem 1k b.zst -o f2.zst
t_cmp "and regions first" f1.zst f2.zst
awk -F, -v OFS=, 'NR == 1 { n = NF } { printf "%s", $1; for (i = n; i > 1; i--) printf ",%s", $i; print "" }' b.csv | awk 'NR == 1 { print; next } { l[NR] = $0 } END { for (i = NR; i > 1; i--) print l[i] }' >turned.csv
grn-view -q --from counts --orient cells -O zst -o turned.zst turned.csv; rank turned.zst -o turned.r.zst
long() { tsv "$1" | awk -F'\t' 'NR == 1 { for (i = 2; i <= NF; i++) n[i] = $i; next } { for (i = 2; i <= NF; i++) print $1, n[i], $i }' | sort; }
long b1.zst >x.txt; long turned.r.zst >y.txt
t_cmp "order of motifs and regions does not matter" x.txt y.txt
rank --seed 2 b.zst -o seed.zst
long seed.zst >z.txt
t_true "another seed orders ties otherwise" '! cmp -s x.txt z.txt'
t_ok "one motif of many" grn-view -q --cell M4 -O tsv -o one.tsv b1.zst
t_true "is its row" '[ "$(tail -n 1 one.tsv)" = "$(tsv b1.zst | grep "^M4")" ]'

# order statistics of two species: n = 2: Q = 2 r1 r2 - r1^2
printf 'motif,a,b,c,d\nM1,4,3,2,1\nM2,1,2,3,4\n' >h.csv
printf 'motif,d,c,b,x\nM2,1,2,3,4\nM1,1,2,4,3\nM9,1,1,1,1\n' >m.csv
grn-view -q --from counts --orient cells -O zst -o h.zst h.csv; grn-view -q --from counts --orient cells -O zst -o m.zst m.csv
t_ok "two species" grn-build rank --no-pg --genes h.zst m.zst -o q.zst
cp err log
t_true "what matched is said" "grep -q '3 of 4 regions have a counterpart' log"
# M1: human ranks a 0 b 1 c 2 d 3 of 4; the other b 0 x 1 c 2 d 3. r: a {.25}: .25; b {.25, .5}: .1875; c {.75, .75}: .5625; d {1, 1}: 1
t_true "M1: b before a, then c, d" '[ "$(tsv q.zst | grep "^M1" | cut -f 2-)" = "$(printf "1\t0\t2\t3")" ]'
# M2: human d 0 c 1 b 2 a 3; the other x 0 b 1 c 2 d 3: a {1}: 1; b {.5, .75}: .5; c {.5, .75}: .5; d {.25, 1}: .4375
t_true "M2: d first, b and c tied, a last" '[ "$(tsv q.zst | grep "^M2" | cut -f 5)" = 0 ] && [ "$(tsv q.zst | grep "^M2" | cut -f 2)" = 3 ]'
t_exit 2 "grn-build*--ties average goes with one file*" "mean ranks of species" rank --ties average h.zst m.zst -o x.zst
sed 's/^M1/N1/; s/^M2/N2/' m.csv >n.csv; grn-view -q --from counts --orient cells -O zst -o n.zst n.csv
t_exit 3 "grn-build*no motif is in all 2 files*" "no motif in common" rank --genes h.zst n.zst -o x.zst
sed '1s/.*/motif,e,f,g,h/' m.csv >o.csv; grn-view -q --from counts --orient cells -O zst -o o.zst o.csv
t_exit 3 "grn-build*no region of 'h.zst' is in 'o.zst'*" "no region in common" rank --genes h.zst o.zst -o x.zst
t_exit 1 "grn-build*h.zst*" "genes taken for regions" rank h.zst -o x.zst
t_exit 1 "grn-build*'r.zst'*rank*" "ranks ranked again" rank r.zst -o x.zst
head -c 300 b.zst >cut.zst
t_exit 1 "grn-build*cut.zst*" "cut file" rank cut.zst -o x.zst
t_exit 1 "grn-build*" "disk full" rank s.zst -o /dev/full
t_true "nothing is left" '[ ! -e x.zst ]'

# Feather databases of cisTarget: how to convert them is said; both ways
printf 'ARROW1\0\0' >db.feather
t_exit 1 "grn-build*db.feather*scripts/cistarget_feather.py*" "a Feather database" rank db.feather -o x.zst
if [ -n "${SANITIZED:-}" ]; then
    t_skip "rank.t: Feather" "done in the plain run"
elif python3 -c 'import pyarrow, numpy, zstandard, xxhash' 2>/dev/null; then
    f="python3 $SRC/scripts/cistarget_feather.py"
    t_ok "ranks to Feather" $f to-feather b1.zst x.regions_vs_motifs.rankings.feather
    python3 -c 'import pyarrow.feather as f; t = f.read_table("x.regions_vs_motifs.rankings.feather", columns=["motifs", "chr1:4000-4500"]).to_pydict()
for m, r in zip(t["motifs"], t["chr1:4000-4500"]): print(m, r, sep="\t")' >got
    tsv b1.zst | cut -f 1,6 | tail -n +2 >want
    t_cmp "one region's column, as pyarrow reads it" got want
    t_ok "and back" $f to-grn x.regions_vs_motifs.rankings.feather back.zst
    t_ok "a whole container" grn-view --check back.zst
    tsv back.zst >got; tsv b1.zst >want
    t_cmp "same ranks" got want
    python3 -c 'import pyarrow as pa, pyarrow.feather as f
f.write_feather(pa.table({"M1": pa.array([1.5, 0, 4], pa.float32()), "M2": pa.array([0, 7, 0.25], pa.float32()), "regions": ["chr1:1-2", "chr1:3-4", "chr2:5-6"]}), "z.motifs_vs_regions.scores.feather", compression="zstd")'
    t_ok "a column per motif" $f to-grn z.motifs_vs_regions.scores.feather z.zst
    t_true "is a row per motif" '[ "$(tsv z.zst | tail -n +2)" = "$(printf "M1\t1.5\t0\t4\nM2\t0\t7\t0.25")" ]'
    t_ok "ranked" rank z.zst -o z.r.zst
    t_true "ranks under the name of scores are refused" '! $f to-feather b1.zst w.regions_vs_motifs.scores.feather 2>e && grep -q "name it .rankings.feather" e && [ ! -e w.regions_vs_motifs.scores.feather ]'
else
    t_skip "rank.t: Feather" "python3 with pyarrow, zstandard, xxhash absent"
fi
