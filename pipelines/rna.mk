# Any counts with cell labels through the whole line, RNA only: TF -> gene regulons from co-expression and a prior network.
#   make -f pipelines/rna.mk COUNTS=counts.h5ad TFS=tfs.txt [PRIOR=collectri.tsv.gz] [CELLS=labels.tsv CELL_TYPE=cell_type] [OUT=out]
# COUNTS: h5ad, 10x h5, 10x folder, mtx, loom, csv/tsv, or our own container. CELLS: TSV with a header, first column the barcode.
OUT ?= out
COUNTS ?= $(error give the count matrix: COUNTS=counts.h5ad)
TFS ?= $(error give a list of transcription factors, one a line: TFS=tfs.txt)
PRIOR ?=
CELLS ?=
CELL_TYPE ?=
DONOR ?=
COUNTS_OPT ?= $(if $(CELLS),--cells $(CELLS)) $(if $(CELL_TYPE),--cell-type '$(CELL_TYPE)') $(if $(DONOR),--donor '$(DONOR)')
BUILD_OPT ?= --link-method grnboost
TITLE ?= Regulons and a GRN-aware model of $(notdir $(COUNTS))

include $(dir $(lastword $(MAKEFILE_LIST)))line.mk
$(eval $(call OPTIONS,build,$(BUILD_OPT) $(COUNTS_OPT) $(SEED)))

$(R): $(COUNTS) $(TFS) $(PRIOR) $(CELLS) $(OUT)/.opt/build
	grn-build run --rna-only $(COMMON) $(BUILD_OPT) $(COUNTS_OPT) --tfs $(TFS) $(if $(PRIOR),--prior $(PRIOR)) -o $@ $(COUNTS)
