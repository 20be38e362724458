# grn-build qc: every column by hand, thresholds, samples, outputs, threads, order, refusals
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
printf 'chr1\t900\t1100\nchr1\t5000\t5100\nchr2\t10\t60\n' >r.bed
printf 'chr1\t1000\t1001\tT1\t0\t-\nchr1\t8000\t8001\tT2\t0\t+\nchr2\t9000\t9001\tT3\t0\t.\n' >tss.bed
# A: cuts at 990 and 1089 (r = +10 and -89 of the TSS on the minus strand); three reads
printf 'chr1\t990\t1090\tA\t3\nchr1\t4990\t5200\tA\t1\nchr2\t500\t700\tA\t1\nchr2\t10\t20\tB\t1\nchr3\t10\t400\tB\t1\n' >f.tsv
row() { grep -v '^#' "$1" | awk -F '\t' -v b="$2" '$1 == b' | cut -f 3-12 | tr '\t' ' '; }
ran "limits given" grn-build qc --no-pg -r r.bed -g tss.bed --keep 1 --min-fragments 0 --min-tss 0 -o q.tsv -p p.txt -c c.zst --profile f.zst --multiqc q_mqc.tsv f.tsv
# A: the cut at +10 counts in S of +10..+19: 10 of its tenths lie in -50..50: 1 / 101 / 0.2; the one at -89 counts in none
t_true "A by hand" '[ "$(row q.tsv A)" = "3 5 0.4 2 4 0.666667 2 0.049505 1 1" ]'
t_true "B by hand: no TSS near, one fragment on a chromosome without regions" '[ "$(row q.tsv B)" = "2 2 0 1 1 0.5 0 0 2 0" ]'
t_true "the definition and the TSS are in the header" "grep -q '^# tss_enrichment: ' q.tsv && grep -q '^# TSS: 2 distinct' q.tsv"
t_true "B does not pass: TSS enrichment is not above 0" '[ "$(cat p.txt)" = A ]'
t_true "counts of what passes" "grep -q 'written: 1 cells x 3 regions, 2 entries' log"
t_true "MultiQC table" "grep -q \"^# plot_type: 'table'\" q_mqc.tsv && [ \"\$(tail -n 1 q_mqc.tsv | cut -f 1-3 | tr '\\t' ' ')\" = 'f 2 1' ]"
ran "counts of listed cells" grn-build count --no-pg -r r.bed -b p.txt f.tsv -o d.zst
payload() { zstd -dcq "$1" >all; tail -c +$(($(od -An -t u8 -N 8 all) + 9)) all; } # the tensors, without the header
payload c.zst >c.bin; payload d.zst >d.bin
t_cmp "the same matrix as count's" c.bin d.bin
if command -v gnuplot >/dev/null; then
    t_ok "figure" grn-plot qc -q -o q.svg f.zst
    t_true "three panels" "grep -q 'fragment length' q.svg && grep -q 'cuts around TSS' q.svg && grep -q 'unique fragments' q.svg"
fi
t_exit 1 "grn-plot*holds grn.matrix/1*" "figure of another file" grn-plot qc -q -o q.svg c.zst
ran "more than --keep" grn-build qc --no-pg -r r.bed -g tss.bed --keep 2 --compat --min-fragments 0 --min-tss 0 -o q2.tsv f.tsv
t_true "only A has more than 2" '[ "$(grep -v "^#" q2.tsv | tail -n +2 | cut -f 1)" = A ] && grep -q "^# barcodes with more than 2 " q2.tsv'
t_exit 3 "grn-build*none of 2 barcodes passes*" "nothing passes" grn-build qc -q -r r.bed -g tss.bed --keep 1 --min-fragments 5 --min-tss 0 -o q3.tsv -p none.txt f.tsv
t_true "the table is there, the list is not" "[ -s q3.tsv ] && [ ! -e none.txt ]"
t_exit 3 "grn-build*none of 2 barcodes has 100 fragments in regions*(most: 2)*--min-fragments*" "no threshold" grn-build qc -q -r r.bed -g tss.bed --keep 1 -o q4.tsv f.tsv
t_true "no file is left" "[ ! -e q4.tsv ]"
t_exit 3 "grn-build*TSS enrichment of 1*largest: 0.0495*--min-tss*" "no TSS threshold" grn-build qc -q -r r.bed -g tss.bed --keep 1 --min-fragments 0 -o q4.tsv f.tsv
t_exit 3 "grn-build*no barcode has 1000 fragments*" "no barcode" grn-build qc -q -r r.bed -g tss.bed --keep 1000 -o q4.tsv f.tsv
t_exit 2 "grn-build*--regions*" "no regions" grn-build qc -g tss.bed f.tsv
t_exit 2 "grn-build*--genes*" "no genes" grn-build qc -r r.bed f.tsv
t_exit 2 "grn-build*--min-tss 'x'*otsu*" "word for a limit" grn-build qc -r r.bed -g tss.bed --min-tss x f.tsv
t_exit 2 "grn-build*two samples*'S'*" "two samples of one name" grn-build qc -r r.bed -g tss.bed --rename 'S_{}' f.tsv --rename 'S-{}' f.tsv
printf 'chr1\t9\t10\tT\t0\t.\n' >flat.bed
t_exit 3 "grn-build*'flat.bed' has no TSS*1 have no strand*" "TSS without strand" grn-build qc -r r.bed -g flat.bed f.tsv
cut -f 1-4 f.tsv >four.tsv
ran "four columns" grn-build qc --no-pg -r r.bed -g tss.bed --keep 1 --min-fragments 0 --min-tss 0 -o q5.tsv four.tsv
t_true "is said" "grep -q '5 lines have no column 5' log"
# protein-coding genes only, every transcript start once
{
    printf 'chr1\tx\tgene\t501\t1001\t.\t-\t.\tgene_id "a"; gene_name "A"; gene_type "protein_coding";\n'
    for t in 1 2; do printf 'chr1\tx\ttranscript\t501\t1001\t.\t-\t.\tgene_id "a"; gene_name "A"; transcript_id "t%s"; gene_type "protein_coding";\n' $t; done
    printf 'chr1\tx\tgene\t3000\t4000\t.\t+\t.\tgene_id "b"; gene_name "B"; gene_type "lncRNA";\n'
} >g.gtf
ran "GTF" grn-build qc --no-pg -r r.bed -g g.gtf --keep 1 --min-fragments 0 --min-tss 0 -o q6.tsv f.tsv
t_true "one TSS of a protein-coding gene" "grep -q '^# TSS: 1 distinct transcription start sites of protein-coding genes' q6.tsv && grep -q 'left out: 1 of other types' log"
t_true "A as before" '[ "$(row q6.tsv A)" = "$(row q.tsv A)" ]'
# a TSS file as pycisTopic writes it: a gene name in several rows, the transcript type in column 7
printf '# Chromosome\tStart\tEnd\tGene\tScore\tStrand\tTranscript_type\nchr1\t1000\t1001\tA\t.\t-\tprotein_coding\nchr1\t70000\t70001\tA\t.\t-\tprotein_coding\nchr1\t70000\t70001\tA\t.\t-\tprotein_coding\nchr1\t1000\t1001\tB\t.\t+\tlncRNA\n' >seven.bed
ran "BED with types" grn-build qc --no-pg -r r.bed -g seven.bed --keep 1 --min-fragments 0 --min-tss 0 -o q7.tsv f.tsv
t_true "two distinct TSS of protein-coding rows" "grep -q '^# TSS: 2 distinct.* of protein-coding' q7.tsv && grep -q 'left out: 1 ' log"
t_true "A as before, from it" '[ "$(row q7.tsv A)" = "$(row q.tsv A)" ]'
printf 'chr1\t5\t5\tT\t0\t+\n' >turned.bed
t_exit 1 "grn-build*'turned.bed' line 1: a TSS needs*" "TSS without length" grn-build qc -r r.bed -g turned.bed f.tsv
# two samples: thresholds of their own
sed 's/\tA\t/\tZ\t/' f.tsv >g.tsv
ran "two samples" grn-build qc --no-pg -r r.bed -g tss.bed --keep 1 --min-fragments 0 --min-tss 0 -o two.tsv -p two.txt --multiqc two_mqc.tsv --rename 's1_{}' f.tsv --rename 's2_{}' g.tsv
t_true "ranks and names per sample" '[ "$(row two.tsv s2_Z)" = "$(row q.tsv A)" ] && [ "$(row two.tsv s1_B)" = "$(row q.tsv B)" ] && [ "$(tr "\n" " " <two.txt)" = "s1_A s2_Z " ]'
t_true "a MultiQC line each" '[ "$(grep -c "^s[12]	" two_mqc.tsv)" = 2 ]'
# threads and order on a multiome of the simulator
t_ok "a small multiome" grn-sim -q -n 200 -g 150 -t 8 -r 300 --frags-per-cell 1500 -o sim
ran "one thread" grn-build qc --no-pg -@ 1 -r sim/regions.bed -g sim/genes.gtf -o s1.tsv -p p1.txt -c s1.zst --profile f1.zst sim/fragments.tsv.gz
ran "three threads" grn-build qc --no-pg -@ 3 -r sim/regions.bed -g sim/genes.gtf -o s3.tsv -p p3.txt -c s3.zst --profile f3.zst sim/fragments.tsv.gz
for f in s1.tsv p1.txt s1.zst f1.zst; do t_cmp "same bytes for -@ 1 and 3: $f" $f "${f/1./3.}"; done
zcat sim/fragments.tsv.gz | sort -t '	' -k 4,4 -k 2,2n >shuffled.tsv
ran "by barcode, plain" grn-build qc --no-pg -r sim/regions.bed -g sim/genes.gtf -o s2.tsv -p p2.txt -c s2.zst shuffled.tsv
grep -v '^#' s1.tsv | cut -f 1,3- >a; grep -v '^#' s2.tsv | cut -f 1,3- >b
t_cmp "same table in another order" a b
t_cmp "same barcodes" p1.txt p2.txt
t_true "barcodes pass" "[ $(wc -l <p1.txt) -gt 20 ]"
chrom=$(cut -f 1 sim/regions.bed | head -n 1)
ran "a region, through the index" grn-build qc --no-pg --region "$chrom:1-500,000" --keep 1 --min-fragments 0 --min-tss 0 -r sim/regions.bed -g sim/genes.gtf -o part.tsv sim/fragments.tsv.gz
want=$(zcat sim/fragments.tsv.gz | awk -v c="$chrom" '$1 == c && $2 < 500000' | wc -l)
t_true "its fragments only ($want)" "grep -q 'fragments: $want read' log"
cp sim/fragments.tsv.gz noindex.tsv.gz
t_exit 2 "grn-build*--region needs the index*.tbi*" "no index" grn-build qc -r sim/regions.bed -g sim/genes.gtf --region "$chrom" noindex.tsv.gz
t_exit 2 "grn-build*no such chromosome*it has: $chrom*" "chromosome not there" grn-build qc -r sim/regions.bed -g sim/genes.gtf --region chrQ sim/fragments.tsv.gz
t_exit 1 "grn-build*" "disk full" grn-build qc --keep 1 --min-fragments 0 --min-tss 0 -r r.bed -g tss.bed f.tsv -o /dev/full
