# make demo: a simulated multiome with a known GRN through the whole line, and what was recovered of it.
#   make -f pipelines/demo.mk [OUT=demo] [SIM_OPT='--cells 1500'] [THREADS=2]
OUT ?= demo
SIM ?= $(OUT)/sim
SIM_OPT ?= -x demo --donors 10
COUNTS := $(SIM)/counts.h5
COUNTS_OPT ?= --cells $(SIM)/cells.tsv
TRUTH_EDGES := $(SIM)/truth.edges.zst
TRUTH_ACTIVITY := $(SIM)/truth_activity.tensor.zst
TRAIN_OPT ?= --layers 2 --mask 0.75 --epochs 12
AUCELL_OPT ?= --weights
BUILD_OPT ?= --link-method grnboost --region-method grnboost --null 10 --max-q 0.5
VARIANTS ?= none random hybrid
SEEDS ?= 1 2
TITLE := grn-tools demo: a simulated multiome whose GRN is known

.DEFAULT_GOAL := summary
include $(dir $(lastword $(MAKEFILE_LIST)))line.mk
$(eval $(call OPTIONS,sim,$(SIM_OPT) $(SEED)))
$(eval $(call OPTIONS,build,$(BUILD_OPT) $(COUNTS_OPT) $(SEED)))

SIMULATED := cells.tsv fragments.tsv.gz genome.fa genes.gtf regions.bed motifs.jaspar motif2tf.tsv tfs.txt truth.edges.zst truth_activity.tensor.zst
$(COUNTS): $(OUT)/.opt/sim
	grn-sim $(COMMON) $(SIM_OPT) --force -o $(SIM)
$(patsubst %,$(SIM)/%,$(SIMULATED)): $(COUNTS)
	@touch -c $@

$(R): $(COUNTS) $(patsubst %,$(SIM)/%,$(SIMULATED)) $(OUT)/.opt/build
	grn-build run $(COMMON) $(BUILD_OPT) $(COUNTS_OPT) --fragments $(SIM)/fragments.tsv.gz --regions $(SIM)/regions.bed --fasta $(SIM)/genome.fa \
		--motifs $(SIM)/motifs.jaspar --motif2tf $(SIM)/motif2tf.tsv --tfs $(SIM)/tfs.txt --genes $(SIM)/genes.gtf --keep $(OUT)/grn -o $@ $(COUNTS)

.PHONY: summary
summary: $(OUT)/report.html
	@$(HERE)/summary.sh $(OUT)
