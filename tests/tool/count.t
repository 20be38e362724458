# grn-build count: numbers by hand, barcodes, chromosomes, threads, order of the input, bad input
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
printf '#peaks\nchr1\t100\t200\tp1\nchr1\t200\t300\tp2\nchr2\t0\t50\tp3\n' >r.bed
printf '# id=x\nchr1\t50\t101\tAA-1\t2\nchr1\t150\t250\tAA-1\t1\nchr1\t0\t100\tAA-1\t1\nchr1\t299\t400\tCC-1\t1\nchr2\t49\t60\tGG-1\t1\n' >f.tsv
bgzip -c f.tsv >f.tsv.gz 2>/dev/null || gzip -c f.tsv >f.tsv.gz
n() { sed -n "s/.*written: \([0-9]*\) cells x \([0-9]*\) regions, \([0-9]*\) entries.*/\1 \2 \3/p" log; }
ran "all barcodes" grn-build count --no-pg -r r.bed f.tsv.gz -o a.zst
t_true "3 cells x 3 regions, 4 entries" '[ "$(n)" = "3 3 4" ]' # AA: p1 (2 fragments), p2; CC: p2; GG: p3
t_true "what was kept is said" "grep -q 'fragments: 5 read, 5 of the cells asked for, 4 of those in a region (80.0%)' log"
ran "plain text on stdin" sh -c 'grn-build count --no-pg -q -r r.bed - -o b.zst <f.tsv'
ran "one thread" grn-build count --no-pg -q -@ 1 -r r.bed f.tsv.gz -o a1.zst
ran "three threads" grn-build count --no-pg -q -@ 3 -r r.bed f.tsv.gz -o a3.zst
t_cmp "same bytes for -@ 1 and 3" a1.zst a3.zst
zstd -dcq a1.zst | sed "1s/.*}} *//" >t1; sort -r f.tsv >g.tsv
ran "shuffled fragments" grn-build count --no-pg -q -r r.bed g.tsv -o g.zst
zstd -dcq g.zst | sed "1s/.*}} *//" >t2
t_cmp "same matrix from shuffled fragments" t1 t2
printf 'CC-1\nAA-1\nTT-1\n' >cells.txt
ran "listed cells" grn-build count -r r.bed -b cells.txt f.tsv.gz -o l.zst
t_true "3 listed cells, one silent, 3 entries" "grep -q '3 listed, 2 found, 1 without any fragment' log && [ \"\$(n)\" = '3 3 3' ]"
t_true "cells in the order listed" "zstd -dcq l.zst | tr '\\n' ' ' | grep -aq 'CC-1 AA-1 TT-1'"
ran "cut sites" grn-build count --unit cutsite -r r.bed f.tsv.gz -o c.zst
t_true "4 entries of cut sites" '[ "$(n)" = "3 3 4" ]' # AA: p1 (100, 150), p2 (249); CC: p2 (299); GG: p3 (49)
ran "few fragments" grn-build count --min-fragments 2 -r r.bed f.tsv.gz -o m.zst
t_true "one cell with two fragments" '[ "$(n)" = "1 3 2" ]'
printf 'AA\nCC\nGG\n' >bare.txt
t_exit 3 "grn-build*0 of 3 listed barcodes*AA, CC*fragments: AA-1*--barcode-suffix strip*" "no barcode matches" \
    grn-build count -r r.bed -b bare.txt f.tsv.gz -o x.zst
t_true "and no file is left" "[ ! -e x.zst ]"
ran "suffix stripped" grn-build count -r r.bed -b bare.txt --barcode-suffix strip f.tsv.gz -o s.zst
ran "two samples renamed" grn-build count -r r.bed --rename 'A_{}' f.tsv.gz --rename 'B_{}' f.tsv -o two.zst
t_true "6 cells" '[ "$(n)" = "6 3 8" ]'
sed 's/^chr//' f.tsv >n.tsv
ran "1 for chr1" grn-build count --no-pg -r r.bed n.tsv -o n.zst
t_true "is said" "grep -q '2 spelled differently' log && [ \"\$(n)\" = '3 3 4' ]"
sed 's/^chr/contig/' f.tsv >k.tsv
t_exit 3 "grn-build*no fragment is on a chromosome*contig1*chr1*" "no chromosome matches" grn-build count -r r.bed k.tsv -o x.zst
sed 's/$/\r/' f.tsv >crlf.tsv
ran "CRLF" grn-build count -r r.bed crlf.tsv -o w.zst
t_true "the same 4 entries" '[ "$(n)" = "3 3 4" ]'
t_exit 2 "grn-build*--regions*" "no regions" grn-build count f.tsv
t_exit 2 "grn-build*--rename*exactly one*" "template without hole" grn-build count -r r.bed --rename A f.tsv
t_exit 2 "grn-build*--rename is given 1*2*" "one template for two files" grn-build count -r r.bed --rename '{}' f.tsv g.tsv
t_exit 1 "grn-build*absent.tsv*" "missing fragments" grn-build count -r r.bed absent.tsv -o x.zst
t_exit 1 "grn-build*absent.bed*" "missing regions" grn-build count -r absent.bed f.tsv -o x.zst
: >empty
t_exit 3 "grn-build*hold no fragment*" "empty fragments" grn-build count -r r.bed empty -o x.zst
t_exit 3 "grn-build*no region*" "empty regions" grn-build count -r empty f.tsv -o x.zst
t_exit 3 "grn-build*lists no barcode*" "empty list" grn-build count -r r.bed -b empty f.tsv -o x.zst
printf 'chr1\t1\n' >short.bed
t_exit 1 "grn-build*short.bed*line 1*2 columns*" "two columns" grn-build count -r short.bed f.tsv -o x.zst
printf 'chr1\t9\t5\tA\n' >back.tsv
t_exit 1 "grn-build*back.tsv*line 1*not behind*" "end before start" grn-build count -r r.bed back.tsv -o x.zst
printf 'chr1 1 5 A\n' >blank.tsv
t_exit 1 "grn-build*blank.tsv*line 1*no tab*" "blanks for tabs" grn-build count -r r.bed blank.tsv -o x.zst
size=$(wc -c <f.tsv.gz)
for k in $((size - 1)) $((size - 28)) $((size / 2)) 20; do
    head -c "$k" f.tsv.gz >cut.gz
    t_exit 1 "grn-build*cut.gz*" "cut after $k of $size bytes" grn-build count -r r.bed cut.gz -o x.zst
done
cat f.tsv.gz f.tsv.gz >twice.gz
ran "two files in a row" grn-build count -r r.bed twice.gz -o twice.zst
t_true "ten fragments" "grep -q 'fragments: 10 read' log"
if command -v bgzip >/dev/null; then
    { echo "#$(head -c 1500000 /dev/zero | tr '\0' x)"; cat f.tsv; } | bgzip -c >wide.gz
    ran "a line longer than the spans that workers take" grn-build count -r r.bed wide.gz -o wide.zst
    t_true "the five fragments behind it" "grep -q 'fragments: 5 read' log"
    printf 'chr1\t1\t2\t%s\n' "$(head -c 600000 /dev/zero | tr '\0' A)" | bgzip -c >wide.gz
    t_exit 1 "grn-build*'wide.gz' line 1: a barcode of more than 1024 bytes" "a barcode of 600 kB" grn-build count -r r.bed wide.gz -o x.zst
fi
mkfifo pipe; { cat f.tsv.gz >pipe & } # opened once only
ran "a named pipe" grn-build count --no-pg -q -r r.bed pipe -o pipe.zst
wait
payload() { zstd -dcq "$1" >all; tail -c +$(($(od -An -t u8 -N 8 all) + 9)) all; } # the tensors, without the header
payload a.zst >t1; payload pipe.zst >t2
t_cmp "same matrix from a pipe" t1 t2
t_out "regions have their coordinates" "$(printf 'feature\tend\tstart\tchrom\nchr1:100-200\t200\t100\tchr1')" sh -c "grn-view -q -O features a.zst | head -n 2"
if command -v tabix >/dev/null; then
    grep -v '^#' f.tsv | sort -k1,1 -k2,2n | bgzip -c >i.tsv.gz
    t_exit 2 "grn-build*--region needs the index of 'i.tsv.gz' (.tbi)*" "a part without an index" grn-build count -r r.bed --region chr1 i.tsv.gz -o x.zst
    tabix -p bed i.tsv.gz
    ran "a part of the genome" grn-build count -r r.bed --region chr1:251-400 i.tsv.gz -o part.zst
    t_true "one fragment overlaps chr1:251-400" "grep -q 'fragments: 1 read' log" # 299-400; 150-250 ends in front of it
    ran "a chromosome of the other spelling" grn-build count -r r.bed --region 2 i.tsv.gz -o part.zst
    t_true "one fragment on chr2" "grep -q 'fragments: 1 read' log"
    t_exit 2 "grn-build*'chr1:9-3' is not of the form*" "a part that ends before it starts" grn-build count -r r.bed --region chr1:9-3 i.tsv.gz -o x.zst
fi
t_exit 1 "grn-build*" "disk full" grn-build count -r r.bed f.tsv -o /dev/full
if t_data atac/pbmc_chr22_fragments; then
    p=$GRN_DATA/atac/pbmc_chr22_fragments
    ran "real fragments" grn-build count --no-pg -r "$p/peaks.narrowPeak.gz" -b "$p/expected_peak_count.barcodes.tsv" "$p/fragments.sorted.tsv.gz" -o p.zst
    t_true "29,773 entries" '[ "$(n)" = "100 4283 29773" ]'
    ran "unsorted, renamed" grn-build count -r "$p/peaks.narrowPeak.gz" -b "$p/barcodes.txt.gz" --rename '0w#{}' "$p/fragments.asshipped.tsv.gz" -o q.zst
    t_true "29,773 entries again" '[ "$(n)" = "100 4283 29773" ]'
fi
