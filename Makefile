# grn-tools: one non-recursive GNU makefile. `make` builds, `make demo` shows, `make check` tests, `make install` installs.
#   CC=gcc|clang   DEV=1 warnings are errors   SAN=address,undefined   OPT="-O2"   PREFIX=/usr/local DESTDIR=   AUTO_DEPS=0 never install packages
SHELL := /bin/bash
ifeq ($(origin CC),default)
CC := gcc
endif
HASH := \#
OPT ?= -O2 -g
DEV ?= 0
SAN ?=
PREFIX ?= /usr/local
DESTDIR ?=
AUTO_DEPS ?= 1
GRN_DATA ?= ../shared/data
PKGS := htslib hdf5 openblas gsl libzstd jansson libxxhash zlib libdeflate

include sources.mk

PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
WARN := -Wall -Wextra -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wpointer-arith -Wformat=2 -Wno-format-nonliteral
ifeq ($(DEV),1)
WARN += -Werror
endif
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE $(OPT) -ffp-contract=off $(WARN) -pthread $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	-Ilib $(patsubst -I%,-isystem %,$(PKG_CFLAGS)) $(CFLAGS)
ALL_LDFLAGS := -pthread $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)
LIBS := $(PKG_LIBS) -ldl -lm
# Objects of different compilers and flags never mix.
B := build/$(shell printf '%s' '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cksum | cut -d' ' -f1)

LIB_OBJ := $(LIB:%.c=$(B)/%.o)
TOOL_BIN := $(TOOL:%=$(B)/bin/%)
UNIT_BIN := $(UNIT:%=$(B)/unit/%)

.PHONY: all build demo check check-run unit-bins setup install install-files uninstall clean lint
.DEFAULT_GOAL := all

# Packages first (a second make sees their flags), then the build.
all: setup
	@$(MAKE) --no-print-directory build
setup:
	@AUTO_DEPS=$(AUTO_DEPS) mk/setup.sh $(PKGS)
build: $(B)/libgrn.a $(TOOL_BIN) bin
	@:
bin: FORCE
	@[ "$$(readlink bin)" = "$(B)/bin" ] || ln -sfn $(B)/bin bin
FORCE:

demo: setup
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory -f pipelines/demo.mk

check: setup
	@$(MAKE) --no-print-directory check-run
check-run: build unit-bins
	@BIN=$(CURDIR)/$(B)/bin UNIT=$(CURDIR)/$(B)/unit GRN_DATA=$(GRN_DATA) CC="$(CC)" tests/run.sh '$(T)'
unit-bins: $(UNIT_BIN)
lint:
	@tests/lint.sh

# Rewritten only when changed.
VERSION := $(shell mkdir -p $(B); v=$$(git describe --tags --always --dirty=-d 2>/dev/null || echo release); \
	{ echo '$(HASH)define GRN_VERSION "0.1.0"'; echo "$(HASH)define GRN_VERSION_FULL \"0.1.0 ($$v)\""; \
	echo "$(HASH)define GRN_CC \"$$($(CC) --version 2>/dev/null | head -n1)\""; echo '$(HASH)define GRN_CFLAGS "$(OPT)"'; } > $(B)/version.$$$$; \
	if cmp -s $(B)/version.$$$$ $(B)/version_gen.h; then rm $(B)/version.$$$$; else mv $(B)/version.$$$$ $(B)/version_gen.h; fi)

$(B)/libgrn.a: $(LIB_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^
# The numeric kernels are vectorised; nothing here changes a value (no -ffast-math, no contraction). The AVX2 copy is chosen at run time.
$(B)/lib/nn/op_cpu_%.o: KERNEL := -O3 -fno-math-errno -fno-trapping-math
ifeq ($(shell uname -m),x86_64)
$(B)/lib/nn/op_cpu_f32_avx2.o: KERNEL := -O3 -fno-math-errno -fno-trapping-math -mavx2
endif
$(B)/tools/grn-build/lsi.o $(B)/lib/stat/moments.o $(B)/lib/stat/orthogonal.o $(B)/tools/grn-map/pca.o $(B)/lib/io/dtype.o $(B)/lib/io/matrix.o: KERNEL := -O3
$(B)/tools/grn-coexpr/score.o $(B)/tools/grn-coexpr/partners.o: KERNEL := -O3 -fno-math-errno -fno-trapping-math
VECTOR := -O3 -Wno-psabi -fno-math-errno -fno-trapping-math
AVX512 := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512
$(B)/tools/grn-build/lda_kernel_%.o $(B)/tools/grn-aucell/aucell_kernel_%.o: KERNEL := $(VECTOR)
$(B)/tools/grn-build/cbust_kernel_%.o $(B)/tools/grn-build/sites_kernel_%.o $(B)/lib/boost/tree_%.o $(B)/lib/stat/mixture_kernel_%.o $(B)/tools/grn-build/perturb_eval_%.o $(B)/tools/grn-coexpr/gram_kernel_%.o: KERNEL := $(VECTOR)
$(B)/tools/grn-map/knn_kernel_%.o $(B)/tools/grn-map/pca_kernel_%.o: KERNEL := $(VECTOR)
ifeq ($(shell uname -m),x86_64)
$(B)/tools/grn-build/lda_kernel_avx2.o $(B)/tools/grn-aucell/aucell_kernel_avx2.o: KERNEL := $(VECTOR) -mavx2
$(B)/tools/grn-build/lda_kernel_avx512.o $(B)/tools/grn-aucell/aucell_kernel_avx512.o: KERNEL := $(VECTOR) $(AVX512)
$(B)/tools/grn-build/cbust_kernel_avx2.o $(B)/tools/grn-build/sites_kernel_avx2.o $(B)/lib/boost/tree_avx2.o $(B)/lib/stat/mixture_kernel_avx2.o $(B)/tools/grn-build/perturb_eval_avx2.o $(B)/tools/grn-coexpr/gram_kernel_avx2.o: KERNEL := $(VECTOR) -mavx2
$(B)/tools/grn-build/cbust_kernel_avx512.o $(B)/tools/grn-build/sites_kernel_avx512.o $(B)/lib/boost/tree_avx512.o $(B)/lib/stat/mixture_kernel_avx512.o $(B)/tools/grn-coexpr/gram_kernel_avx512.o: KERNEL := $(VECTOR) $(AVX512)
$(B)/tools/grn-map/knn_kernel_avx2.o $(B)/tools/grn-map/pca_kernel_avx2.o: KERNEL := $(VECTOR) -mavx2
$(B)/tools/grn-map/knn_kernel_avx512.o $(B)/tools/grn-map/pca_kernel_avx512.o: KERNEL := $(VECTOR) $(AVX512)
endif
$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) $(KERNEL) -I$(B) -Itools -MMD -MP -c -o $@ $<

define TOOL_RULE
$(B)/bin/$(1): $$($(1):%.c=$(B)/%.o) $(B)/libgrn.a
	@mkdir -p $$(@D)
	@echo "  LD $(1)"
	@$$(CC) $$(ALL_LDFLAGS) -o $$@ $$($(1):%.c=$(B)/%.o) $(B)/libgrn.a $$(LIBS)
endef
$(foreach t,$(TOOL),$(eval $(call TOOL_RULE,$(t))))
define UNIT_RULE
$(B)/unit/$(1): $(B)/tests/unit/$(1).o $$($(1)_WITH:%.c=$(B)/%.o) $(B)/libgrn.a
	@mkdir -p $$(@D)
	@$$(CC) $$(ALL_LDFLAGS) -o $$@ $(B)/tests/unit/$(1).o $$($(1)_WITH:%.c=$(B)/%.o) $(B)/libgrn.a $$(LIBS) -lcmocka
endef
$(foreach t,$(UNIT),$(eval $(call UNIT_RULE,$(t))))

INSTALL_BIN := $(DESTDIR)$(PREFIX)/bin
INSTALL_MAN := $(DESTDIR)$(PREFIX)/share/man
INSTALL_SHARE := $(DESTDIR)$(PREFIX)/share/grn-tools
install: all
	@$(MAKE) --no-print-directory install-files
# What is built, without building.
install-files:
	install -d $(INSTALL_BIN) $(INSTALL_MAN)/man1 $(INSTALL_MAN)/man5 $(INSTALL_SHARE)/pipelines
	install -m 755 $(TOOL:%=bin/%) $(INSTALL_BIN)
	install -m 644 man/*.1 $(INSTALL_MAN)/man1
	install -m 644 man/*.5 $(INSTALL_MAN)/man5
	cp -r pipelines/. $(INSTALL_SHARE)/pipelines/
	install -d $(INSTALL_SHARE)/scripts
	install -m 755 scripts/*.py $(INSTALL_SHARE)/scripts
uninstall:
	rm -f $(TOOL:%=$(INSTALL_BIN)/%) $(patsubst man/%,$(INSTALL_MAN)/man1/%,$(wildcard man/*.1)) $(patsubst man/%,$(INSTALL_MAN)/man5/%,$(wildcard man/*.5))
	rm -rf $(INSTALL_SHARE)
clean:
	rm -rf build bin

-include $(LIB_OBJ:.o=.d)
-include $(foreach t,$(TOOL),$(patsubst %.c,$(B)/%.d,$($(t))))
-include $(UNIT:%=$(B)/tests/unit/%.d)
