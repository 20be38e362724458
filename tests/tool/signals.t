# A run that a signal or a full disk ends leaves nothing: folders and sets of files (grn-sim, grn-view to a 10x folder, grn-build run), single files, indexes
K='-n 4000 --no-pg -q -@ 1'
t_killed "grn-sim: SIGTERM at the tables" TERM 'k1/.grn.tmp.*/regions.bed' grn-sim $K -o k1
t_killed "SIGINT at the counts" INT 'k2/.grn.tmp.*/counts.h5.tmp.*' grn-sim $K --no-genome -o k2
t_killed "SIGHUP at the fragments" HUP 'k3/.grn.tmp.*/fragments.tsv.gz.tmp.*' grn-sim $K --no-genome -o k3
t_true "no folder is left" '[ ! -e k1 ] && [ ! -e k2 ] && [ ! -e k3 ]'
mkdir k4
t_killed "SIGPIPE in a folder that was there" PIPE 'k4/.grn.tmp.*/genome.fa.tmp.*' grn-sim $K -o k4
t_true "it is empty" '[ -d k4 ] && [ -z "$(ls -A k4)" ]'
t_ok "a small simulation" grn-sim -x small --no-pg -q -o a
cp -r a b
t_killed "SIGTERM when writing over it" TERM 'a/.grn.tmp.*/counts.h5.tmp.*' grn-sim $K --force -o a
t_ok "it stays whole" diff -r a b
t_killed "SIGKILL" KILL 'k5/.grn.tmp.*/tfs.txt' grn-sim $K -o k5
t_true "leaves only the hidden folder" '[ -z "$(ls k5)" ] && [ "$(ls -A k5 | wc -l)" = 1 ]'
t_ok "which does not bar the next run" grn-sim -x small --no-atac -q -o k5

# a 10x folder appears whole
t_ok "something to export" grn-sim $K --no-atac -o big
t_killed "grn-view to a new folder: SIGTERM" TERM 'v1/.grn.tmp.*/matrix.mtx.tmp.*' grn-view -q -O mtx -o v1/ big/counts.h5
t_true "no folder is left" '[ ! -e v1 ]'
mkdir v2 && echo x >v2/genes.tsv
t_killed "to a folder with files: SIGINT" INT 'v2/.grn.tmp.*/matrix.mtx.tmp.*' grn-view -q -O mtx -o v2/ big/counts.h5
t_true "they are as they were" '[ "$(ls -A v2)" = genes.tsv ] && [ "$(cat v2/genes.tsv)" = x ]'
t_true "a disk that fills up leaves nothing" '(ulimit -f 200; grn-view -q -O mtx -o v3/ big/counts.h5) 2>log; [ $? = 1 ] && [ ! -e v3 ] && grep -q "^grn-view: " log'

# the steps of grn-build run: the second waits for motifs that never come
mkfifo wait.$$.jaspar
r="grn-build run --no-pg -q -F a/fragments.tsv.gz -R a/regions.bed --motif2tf a/motif2tf.tsv -G a/genome.fa -g a/genes.gtf -o r.zst -m wait.$$.jaspar"
t_killed "grn-build run: SIGTERM in its second step" TERM 'r.zst.parts/atac.tensor.zst' $r a/counts.h5
t_true "neither result nor parts are left" '[ ! -e r.zst ] && [ ! -e r.zst.parts ]'
t_killed "with --keep: SIGINT" INT 'kept/atac.tensor.zst' $r --keep kept a/counts.h5
t_true "the finished parts are kept" '[ "$(ls -A kept | tr "\n" " ")" = "atac.tensor.zst barcodes.txt tfs.txt " ]'
t_true "no step lives on" "! grep -q 'wait[.]$$[.]jaspar' /proc/[0-9]*/cmdline 2>/dev/null"
t_true "a disk that fills up leaves neither result nor parts" '(ulimit -f 40; ${r%-m *} -m a/motifs.jaspar a/counts.h5) 2>log; [ $? = 1 ] && [ ! -e r.zst ] && [ ! -e r.zst.parts ] && grep -q "^grn-build run: " log'

# single files
t_killed "grn-train: SIGTERM" TERM 'm.zst.ck' grn-train -q --grn none --steps 100000 --every 1 --checkpoint m.zst.ck --dim 8 --heads 1 --ffn 8 --tokens 16 -o m.zst a/counts.h5
t_true "the checkpoint is whole, no model" 'grn-view --check -q m.zst.ck && [ ! -e m.zst ] && ! ls | grep -q tmp'
head -c 2000000 a/genome.fa >g.fa
t_killed "grn-build scan: SIGINT" INT 'scan.zst.tmp.*' grn-build scan -q -@ 1 -p 0.1 -m a/motifs.jaspar -g g.fa -o scan.zst
t_true "only the index of the genome is left" '[ ! -e scan.zst ] && [ -z "$(ls | grep tmp)" ] && [ -s g.fa.fai ]'
