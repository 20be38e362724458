# The SEA-AD multiome (middle temporal gyrus) with the settings of the GRNFormer paper (arXiv 2503.01682): 113,209 cells, 28 donors, region -> gene links
# within 150 kb, |Pearson r| > 0.03, two-component Gaussian mixtures, 20 % of the edges perturbed by co-expression links, hybrid graphs.
#
#   make -f pipelines/sea_ad.mk -n                     # what would run
#   make -f pipelines/sea_ad.mk fetch                  # what is public: about 60 GB
#   make -f pipelines/sea_ad.mk OUT=sea_ad             # the line
#
# Every input is a variable; any of them may point at your own file instead (tests point them at a simulated multiome of the same shape).
# Public, AWS open-data bucket sea-ad-single-cell-profiling (no account needed):
#   RNA_ALL    MTG/RNAseq/SEAAD_MTG_RNAseq_final-nuclei.2024-02-13.h5ad
#   ATAC_ALL   MTG/ATACseq/SEAAD_MTG_ATACseq_final-nuclei.2024-12-06.h5ad     nuclei x peaks
#   both hold singleome and multiome nuclei; obs column "method" says 10xMulti for the multiome, "Subclass" the type, "Donor ID" the donor
# Public elsewhere: GENOME (UCSC hg38), GENES (GENCODE 32, as in 10x reference 2020-A), MOTIFS (JASPAR 2024 vertebrates).
# Controlled access (Synapse syn26223298, after approval): raw FASTQ and fragment files. To count fragments yourself instead of using the public
# peak matrix, place them and set FRAGMENTS=path/fragments.tsv.gz REGIONS=path/peaks.bed.
DATA ?= sea_ad_data
OUT ?= sea_ad
BUCKET := https://sea-ad-single-cell-profiling.s3.amazonaws.com
RNA_ALL ?= $(DATA)/SEAAD_MTG_RNAseq_final-nuclei.2024-02-13.h5ad
ATAC_ALL ?= $(DATA)/SEAAD_MTG_ATACseq_final-nuclei.2024-12-06.h5ad
GENOME ?= $(DATA)/hg38.fa
GENES ?= $(DATA)/gencode.v32.primary_assembly.annotation.gtf.gz
MOTIFS ?= $(DATA)/JASPAR2024_CORE_vertebrates_non-redundant_pfms_jaspar.txt
MOTIF2TF ?= $(OUT)/motif2tf.tsv
TFS ?= $(OUT)/tfs.txt
FRAGMENTS ?=
REGIONS ?=
CELL_TYPE ?= Subclass
DONOR ?= Donor ID
# Which nuclei: the multiome ones. Empty: all.
MULTIOME ?= method=10xMulti

# The paper's settings. The model is scGPT's size; on a CPU take less, e.g. TRAIN_OPT='--dim 64 --layers 3 --heads 4 --tokens 256'.
BUILD_OPT ?= --upstream 150000 --downstream 150000 --min-rho 0.03
THRESHOLD_OPT ?=
TRAIN_OPT ?= --dim 512 --layers 12 --heads 8 --ffn 512 --tokens 1200 --perturb coexpr --alpha 0.2 --lr 1e-4 --epochs 10
VARIANTS ?= none random type cell hybrid
SEEDS ?= 1 2 3
TITLE ?= SEA-AD multiome

COUNTS ?= $(OUT)/rna.tensor.zst
ATAC ?= $(if $(FRAGMENTS),,$(OUT)/atac.tensor.zst)
COUNTS_OPT ?=
include $(dir $(lastword $(MAKEFILE_LIST)))multiome.mk

ALL_OPT := --cell-type '$(CELL_TYPE)' --donor '$(DONOR)' $(if $(MULTIOME),--where '$(MULTIOME)')
$(OUT)/rna.tensor.zst: $(RNA_ALL)
	@mkdir -p $(@D)
	grn-view subset -@ $(THREADS) $(ALL_OPT) -o $@ $<
$(OUT)/atac.tensor.zst: $(ATAC_ALL)
	@mkdir -p $(@D)
	grn-view subset -@ $(THREADS) $(ALL_OPT) -o $@ $<
# JASPAR headers read ">MA0139.1<TAB>CTCF"; dimers "FOS::JUN" name two TFs, mouse names become human ones by capitals.
$(OUT)/motif2tf.tsv: $(MOTIFS)
	@mkdir -p $(@D)
	awk -F'[\t ]+' '/^>/ { m = substr($$1, 2); n = split(toupper($$2), t, "::"); for (i = 1; i <= n; i++) { sub(/\(.*/, "", t[i]); print m "\t" t[i] } }' $< > $@
$(OUT)/tfs.txt: $(MOTIF2TF)
	cut -f2 $< | sort -u > $@

.PHONY: fetch
fetch: $(RNA_ALL) $(ATAC_ALL) $(GENOME) $(GENES) $(MOTIFS)
FETCH = @mkdir -p $(@D); curl -fL --retry 3 -C - -o $@.part
$(DATA)/SEAAD_MTG_RNAseq_%.h5ad:
	$(FETCH) $(BUCKET)/MTG/RNAseq/$(@F) && mv $@.part $@
$(DATA)/SEAAD_MTG_ATACseq_%.h5ad:
	$(FETCH) $(BUCKET)/MTG/ATACseq/$(@F) && mv $@.part $@
$(DATA)/hg38.fa:
	$(FETCH) https://hgdownload.soe.ucsc.edu/goldenPath/hg38/bigZips/hg38.fa.gz && gzip -dc $@.part > $@ && rm $@.part
$(DATA)/gencode.v32.primary_assembly.annotation.gtf.gz:
	$(FETCH) https://ftp.ebi.ac.uk/pub/databases/gencode/Gencode_human/release_32/$(@F) && mv $@.part $@
$(DATA)/JASPAR2024_CORE_vertebrates_non-redundant_pfms_jaspar.txt:
	$(FETCH) https://jaspar.elixir.no/download/data/2024/CORE/$(@F) && mv $@.part $@
