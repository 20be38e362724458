#!/usr/bin/env bash
# Region -> gene links on A549 cells after dexamethasone (sci-CAR, Cao 2018): where the two glucocorticoid-responsive regions come among
# those in reach of their gene, chr6:35693503-35694982 of FKBP5 and chr5:172295484-172296578 (97 kb away) of DUSP1; from binary counts
# and from a topic model. usage: GRN_DATA=... bench/links_a549.sh. Needs a built tree (make).
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/bin:$PATH" LC_ALL=C
data=$(cd "${GRN_DATA:?}" && pwd)/atac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir atac rna
gzip -dc "$data/a549_scicar/atac_binary.mtx.gz" >atac/matrix.mtx
gzip -dc "$data/a549_scicar/peaks.bed.gz" >atac/peaks.bed
gzip -dc "$data/a549_scicar/rna_counts_recovered.mtx.gz" >rna/matrix.mtx
cut -f1 "$data/a549_scicar/genes.tsv" >rna/genes.tsv
gzip -dc "$data/a549_scicar/barcodes_time.tsv.gz" | cut -f1 | tee atac/barcodes.tsv >rna/barcodes.tsv
gzip -dc "$data/genomes/archr_geneAnnoHg19_genes.bed.gz" >genes.bed
grn-build topics -q atac -o topics.tensor.zst
echo "| accessibility | method | FKBP5's region: rank by weight | of | DUSP1's region: rank | of | CPU |"
echo "|---|---|---|---|---|---|---|"
for input in atac topics.tensor.zst; do
    for method in spearman grnboost; do
        /usr/bin/env time -f '%U s' -o cost grn-build link -q --min-rho 0 --region-method $method -g genes.bed -r rg.zst rna $input
        place() { grn-view -q rg.zst | awk -F'\t' -v g="$1" '$2 == g' | sort -t$'\t' -k4,4gr | awk -v r="$2" '$1 == r { k = NR } END { print k " | " NR }'; }
        echo "| $([ $input = atac ] && echo counts || echo topics) | $method | $(place FKBP5 chr6:35693503-35694982) | $(place DUSP1 chr5:172295484-172296578) | $(cat cost) |"
    done
done
