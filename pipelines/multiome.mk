# Any RNA counts and ATAC fragments (or a cells x regions matrix) of the same cells through the whole line.
#   make -f pipelines/multiome.mk COUNTS=counts.h5 FRAGMENTS=fragments.tsv.gz REGIONS=peaks.bed GENES=genes.gtf TFS=tfs.txt \
#       GENOME=genome.fa MOTIFS=motifs.meme MOTIF2TF=motif2tf.tsv        # with a genome, or
#       MOTIF_HITS=hits.bed                                             # with motif hits made elsewhere (column 4: motif or TF)
# ATAC=atac.h5ad replaces FRAGMENTS by counts made elsewhere (columns named chrom:start-end).
# Without REGIONS peaks are called from FRAGMENTS, per cell type where CELLS gives them: PEAKS_OPT='-G mm --blacklist blacklist.bed' CHROM_SIZES=hg38.chrom.sizes
# On request (make ... out/dar.tsv): topics of accessibility, TOPICS_OPT='-k 10,20,30,40', and differential regions between cell types, DAR_OPT=.
# On request (make ... out/enriched/enriched.tsv; needs GENOME): cluster scores of all motifs in all regions, SCORES_OPT='--shard 1/4', and the motifs and TFs enriched in
# the region sets of topics and differential regions, ENRICH_OPT='--nes 3'; the page is out/enriched/enriched.html.
OUT ?= out
COUNTS ?= $(error give the RNA counts: COUNTS=counts.h5)
FRAGMENTS ?=
ATAC ?=
REGIONS ?=
GENES ?= $(error give gene positions: GENES=genes.gtf)
TFS ?=
GENOME ?=
MOTIFS ?=
MOTIF2TF ?=
MOTIF_HITS ?=
CELLS ?=
CELL_TYPE ?=
DONOR ?=
COUNTS_OPT ?= $(if $(CELLS),--cells $(CELLS)) $(if $(CELL_TYPE),--cell-type '$(CELL_TYPE)') $(if $(DONOR),--donor '$(DONOR)')
BUILD_OPT ?= --link-method grnboost --region-method grnboost --null 10
PEAKS_OPT ?=
CHROM_SIZES ?=
TOPICS_OPT ?=
DAR_OPT ?=
SCORES_OPT ?=
ENRICH_OPT ?=
AUCELL_OPT ?= --weights
TITLE ?= Regulons and a GRN-aware model of $(notdir $(COUNTS))
ifeq ($(FRAGMENTS)$(ATAC),)
$(error give FRAGMENTS=fragments.tsv.gz (and REGIONS=peaks.bed, or peaks are called), or ATAC=counts of regions)
endif
ifeq ($(MOTIF_HITS)$(GENOME),)
$(error give GENOME, MOTIFS and MOTIF2TF, or MOTIF_HITS)
endif

include $(dir $(lastword $(MAKEFILE_LIST)))line.mk
$(eval $(call OPTIONS,build,$(BUILD_OPT) $(COUNTS_OPT) $(SEED)))

$(eval $(call OPTIONS,peaks,peaks $(PEAKS_OPT) $(CHROM_SIZES)))
$(eval $(call OPTIONS,topics,$(TOPICS_OPT) $(SEED)))
$(eval $(call OPTIONS,dar,dar $(DAR_OPT)))
$(eval $(call OPTIONS,scores,scores $(SCORES_OPT)))
$(eval $(call OPTIONS,enrich,enrich $(ENRICH_OPT) $(SEED)))

# Without a BED file the regions are the peaks of the fragments, or the columns of ATAC (chr1:100-600 or chr1-100-600).
ifeq ($(REGIONS),)
ifneq ($(FRAGMENTS),)
REGIONS := $(OUT)/regions.bed
$(OUT)/regions.bed: $(FRAGMENTS) $(CELLS) $(CHROM_SIZES) $(OUT)/.opt/peaks
	grn-build peaks -@ $(THREADS) $(PEAKS_OPT) $(if $(CELLS),--cells $(CELLS)) $(if $(CELL_TYPE),--cell-type '$(CELL_TYPE)') \
		$(if $(CHROM_SIZES),--chrom-sizes $(CHROM_SIZES)) --narrowpeak $(OUT)/narrowpeak -o $@ $(FRAGMENTS)
else ifneq ($(GENOME),)
REGIONS := $(OUT)/regions.bed
$(OUT)/regions.bed: $(ATAC)
	@mkdir -p $(@D)
	grn-view -q -O features $(ATAC) | awk 'match($$1, /[:-][0-9]+-[0-9]+$$/) { split(substr($$1, RSTART + 1), p, "-"); print substr($$1, 1, RSTART - 1) "\t" p[1] "\t" p[2] }' > $@
endif
endif

$(R): $(COUNTS) $(FRAGMENTS) $(ATAC) $(REGIONS) $(GENES) $(TFS) $(GENOME) $(MOTIFS) $(MOTIF2TF) $(MOTIF_HITS) $(CELLS) $(OUT)/.opt/build
	grn-build run $(COMMON) $(BUILD_OPT) $(COUNTS_OPT) $(if $(FRAGMENTS),--fragments $(FRAGMENTS)) $(if $(ATAC),--atac $(ATAC)) \
		$(if $(REGIONS),--regions $(REGIONS)) --genes $(GENES) $(if $(TFS),--tfs $(TFS)) $(if $(GENOME),--fasta $(GENOME)) $(if $(MOTIFS),--motifs $(MOTIFS)) \
		$(if $(MOTIF2TF),--motif2tf $(MOTIF2TF)) $(if $(MOTIF_HITS),--motif-hits $(MOTIF_HITS)) --keep $(OUT)/grn -o $@ $(COUNTS)

# The counts that the network was made from, their topics, and differential regions between the cell types.
COUNTED := $(if $(ATAC),$(ATAC),$(OUT)/grn/atac.tensor.zst)
ifeq ($(ATAC),)
$(COUNTED): $(R)
	@touch -c $@
endif
$(OUT)/topics.tensor.zst: $(COUNTED) $(CELLS) $(OUT)/.opt/topics
	grn-build topics $(COMMON) $(TOPICS_OPT) $(COUNTS_OPT) --metrics $(OUT)/topics.metrics.tensor.zst --topic-qc $(OUT)/topics.tsv --region-sets $(OUT)/region_sets -o $@ $<
$(OUT)/dar.tsv: $(OUT)/topics.tensor.zst $(CELLS) $(OUT)/.opt/dar
	grn-build dar -@ $(THREADS) $(PG_OPT) $(DAR_OPT) $(COUNTS_OPT) --bed $(OUT)/region_sets/dar --markers $(OUT)/markers.tsv -o $@ $<

# Motifs and TFs enriched in the region sets.
$(OUT)/scores.tensor.zst: $(GENOME) $(MOTIFS) $(REGIONS) $(OUT)/.opt/scores
	grn-build scan -@ $(THREADS) $(PG_OPT) --scorer cbust --resume $(SCORES_OPT) --genome $(GENOME) --motifs $(MOTIFS) --regions $(REGIONS) -o $@
$(OUT)/enriched/enriched.tsv: $(OUT)/scores.tensor.zst $(OUT)/dar.tsv $(GENES) $(TFS) $(MOTIFS) $(MOTIF2TF) $(OUT)/.opt/enrich
	grn-build enrich $(COMMON) $(ENRICH_OPT) --scores $< --genes $(GENES) --motifs $(MOTIFS) $(if $(MOTIF2TF),--motif2tf $(MOTIF2TF)) $(if $(TFS),--tfs $(TFS)) \
		--matrix $(COUNTS) -o $(@D) $(OUT)/region_sets/otsu $(OUT)/region_sets/dar
