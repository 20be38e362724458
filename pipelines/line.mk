# The line after network construction, shared by every pipeline: regulons -> activity -> on/off -> model -> evaluation -> report.
# The including file sets OUT, COUNTS, and makes $(OUT)/regulons.edges.zst. Everything here may be overridden on the command line.
#
# Every stage is one file and can be rerun alone (`make -f pipelines/rna.mk out/active.tensor.zst`); changing a stage's options
# (THRESHOLD_OPT=...) reruns that stage and what depends on it, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
HERE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
# The tools beside this folder when built there, else those on PATH.
ifneq ($(wildcard $(HERE)/../bin/grn-view),)
export PATH := $(abspath $(HERE)/../bin):$(PATH)
endif

THREADS ?= $(shell nproc)
SEED ?= 1
PG_OPT ?=
COMMON := -@ $(THREADS) --seed $(SEED) $(PG_OPT)
COUNTS_OPT ?=
AUCELL_OPT ?=
THRESHOLD_OPT ?=
COEXPR_OPT ?=
EMBED_OPT ?=
TRAIN_OPT ?=
EVAL_OPT ?=
VARIANTS ?= none random type cell hybrid
SEEDS ?= 1
PLOT_REGULONS ?=
TRUTH_ACTIVITY ?=
TRUTH_EDGES ?=
# Further results and figures that a pipeline adds to its report.
MORE_RESULTS ?=
MORE_FIGURES ?=
TITLE ?= grn-tools

.PHONY: all report
all: report
report: $(OUT)/report.html

# One file per stage holds the options it ran with; where they differ from today's, the stage runs again.
define OPTIONS
ifneq ($$(shell cat $(OUT)/.opt/$(1) 2>/dev/null),$(strip $(2)))
$(OUT)/.opt/$(1): FORCE
	@mkdir -p $$(@D); printf '%s\n' "$(strip $(2))" > $$@
endif
endef
FORCE:
$(eval $(call OPTIONS,aucell,$(AUCELL_OPT) $(COUNTS_OPT) $(SEED)))
$(eval $(call OPTIONS,threshold,$(THRESHOLD_OPT) $(SEED)))
$(eval $(call OPTIONS,coexpr,$(COEXPR_OPT) $(COUNTS_OPT) $(SEED)))
$(eval $(call OPTIONS,embed,$(EMBED_OPT) $(COUNTS_OPT) $(SEED)))
$(eval $(call OPTIONS,train,$(TRAIN_OPT) $(COUNTS_OPT)))
$(eval $(call OPTIONS,eval,$(EVAL_OPT) $(VARIANTS) $(SEEDS)))

R := $(OUT)/regulons.edges.zst
A := $(OUT)/auc.tensor.zst
B := $(OUT)/active.tensor.zst

$(A): $(R) $(COUNTS) $(OUT)/.opt/aucell
	grn-aucell $(COMMON) $(AUCELL_OPT) $(COUNTS_OPT) -r $(R) --rss $(OUT)/rss.tsv -o $@ $(COUNTS)
$(OUT)/rss.tsv: $(A)
	@touch -c $@

$(B): $(A) $(OUT)/.opt/threshold
	grn-threshold $(COMMON) $(THRESHOLD_OPT) --tsv $(OUT)/thresholds.tsv --summary $(OUT)/on_off.tsv -o $@ $(A)
$(OUT)/thresholds.tsv $(OUT)/on_off.tsv: $(B)
	@touch -c $@

$(OUT)/coexpr.edges.zst: $(COUNTS) $(OUT)/.opt/coexpr
	grn-coexpr $(COMMON) $(COEXPR_OPT) $(COUNTS_OPT) -o $@ $(COUNTS)

$(OUT)/embedding.tensor.zst: $(R) $(B) $(COUNTS) $(OUT)/.opt/embed
	grn-embed $(COMMON) $(EMBED_OPT) $(COUNTS_OPT) -e $(R) -a $(B) -o $@ $(COUNTS)

# One model per variant and seed.
MODELS :=
NAMED_MODELS :=
define MODEL
$(OUT)/model.$(1).$(2).tensor.zst: $(R) $(B) $(COUNTS) $(OUT)/.opt/train
	grn-train -@ $(THREADS) --seed $(2) $(PG_OPT) --grn $(1) $(TRAIN_OPT) $(COUNTS_OPT) -e $(R) -a $(B) --log $(OUT)/train.$(1).$(2).tsv -o $$@ $(COUNTS)
$(OUT)/train.$(1).$(2).tsv: $(OUT)/model.$(1).$(2).tensor.zst
	@touch -c $$@
MODELS += $(OUT)/model.$(1).$(2).tensor.zst
NAMED_MODELS += $(1)=$(OUT)/model.$(1).$(2).tensor.zst
endef
$(foreach v,$(VARIANTS),$(foreach s,$(SEEDS),$(eval $(call MODEL,$(v),$(s)))))
SHOWN := $(OUT)/model.$(lastword $(VARIANTS)).$(firstword $(SEEDS)).tensor.zst

$(OUT)/masked.tensor.zst: $(MODELS) $(R) $(B) $(COUNTS) $(OUT)/.opt/eval
	grn-eval masked $(COMMON) $(EVAL_OPT) $(COUNTS_OPT) -e $(R) -a $(B) --counts $(COUNTS) -o $@ $(NAMED_MODELS) > $(OUT)/masked.tsv
$(OUT)/attention.tensor.zst: $(SHOWN) $(R) $(B) $(COUNTS)
	grn-eval attention $(COMMON) $(COUNTS_OPT) -e $(R) -a $(B) --counts $(COUNTS) --genes $(OUT)/attention.genes.tensor.zst -o $@ $(SHOWN) > $(OUT)/attention.tsv
$(OUT)/attention.genes.tensor.zst: $(OUT)/attention.tensor.zst
	@touch -c $@

RESULTS := $(OUT)/masked.tensor.zst $(OUT)/attention.tensor.zst
FIGURES := $(OUT)/funnel.svg $(OUT)/activity.svg $(OUT)/on_off.svg $(OUT)/degree.svg $(OUT)/loss.svg $(OUT)/masked.svg $(OUT)/attention.svg
ifneq ($(TRUTH_EDGES),)
RESULTS := $(OUT)/network.tensor.zst $(RESULTS)
FIGURES += $(OUT)/curve.svg
$(OUT)/network.tensor.zst: $(R) $(TRUTH_EDGES) $(COUNTS)
	grn-eval network $(COMMON) $(COUNTS_OPT) -t $(TRUTH_EDGES) --counts $(COUNTS) --curve $(OUT)/network.curve.tensor.zst -o $@ grn-build=$(R) > $(OUT)/network.tsv
$(OUT)/network.curve.tensor.zst: $(OUT)/network.tensor.zst
	@touch -c $@
$(OUT)/curve.svg: $(OUT)/network.curve.tensor.zst
	grn-plot curve -q --x recall --y precision --xlabel recall --ylabel precision -o $@ $<
endif
ifneq ($(TRUTH_ACTIVITY),)
RESULTS := $(OUT)/activity.result.tensor.zst $(RESULTS)
$(OUT)/activity.result.tensor.zst: $(A) $(B) $(TRUTH_ACTIVITY)
	grn-eval activity $(COMMON) $(COUNTS_OPT) -t $(TRUTH_ACTIVITY) -a $(B) --counts $(COUNTS) -o $@ $(A) > $(OUT)/activity.tsv
endif

$(OUT)/funnel.svg: $(R)
	grn-plot funnel -q -o $@ $<
$(OUT)/degree.svg: $(R)
	grn-plot degree -q -o $@ $<
$(OUT)/activity.svg: $(A) $(B)
	grn-plot activity -q $(foreach r,$(PLOT_REGULONS),-r '$(r)') -o $@ $(A) $(B)
$(OUT)/on_off.svg: $(OUT)/on_off.tsv
	grn-plot onoff -q $(foreach r,$(PLOT_REGULONS),-r '$(r)') -o $@ $<
$(OUT)/loss.svg: $(SHOWN)
	grn-plot loss -q -o $@ $(patsubst $(OUT)/model.%.tensor.zst,$(OUT)/train.%.tsv,$(SHOWN))
$(OUT)/masked.svg: $(OUT)/masked.tensor.zst
	grn-plot bars -q --no-zero --label method --value mse --axis 'held-out masked mean squared error' -o $@ $<
$(OUT)/attention.svg: $(OUT)/attention.genes.tensor.zst
	grn-plot attention -q -o $@ $<

$(OUT)/report.html: $(RESULTS) $(FIGURES) $(MORE_RESULTS) $(MORE_FIGURES) $(OUT)/coexpr.edges.zst $(OUT)/embedding.tensor.zst
	grn-eval report -q --title '$(TITLE)' -o $@ $(RESULTS) $(MORE_RESULTS) $(FIGURES) $(MORE_FIGURES)
	@echo "report: $(abspath $@)"
