/* What count and qc ask for alike: options, reading with messages, and the checks on what was met. */
#ifndef GRN_BUILD_TALLY_INPUT_H
#define GRN_BUILD_TALLY_INPUT_H

#include "base/opt.h"
#include "base/str.h"
#include "tally.h"

typedef struct {
    const char *barcodes, *suffix, *region;
    grn_opt_list_t rename;
} grn_tally_input_t;

#define GRN_TALLY_INPUT_INIT { .suffix = "keep" }
#define GRN_TALLY_OPTIONS(in) \
    GRN_OPT_STR('b', "barcodes", "FILE", &(in).barcodes, "cells to count, one a line [all barcodes found]"), \
        GRN_OPT_ENUM(0, "barcode-suffix", "keep|strip", &(in).suffix, "strip: drop \"-1\" at the end of barcodes, on both sides"), \
        GRN_OPT_LIST(0, "rename", "TEMPLATE", &(in).rename, "cell name made of a barcode, e.g. 'sample1_{}'; once per FRAGMENTS"), \
        GRN_OPT_STR(0, "region", "CHR[:A-B]", &(in).region, "only fragments of this part of the genome, counted from 1; needs the .tbi")

/* The listed barcodes into pass->cells, suffixes as asked; pass->listed_only is set. Nothing without a list. */
grn_status grn_tally_barcodes(const grn_tally_input_t *in, grn_fragpass_t *pass) GRN_MUST_USE;
/* Prefix and suffix of the cell names of fragment file i, of n files. */
grn_status grn_tally_naming(const grn_tally_input_t *in, int n, int i, grn_str_t *prefix, const char **suffix) GRN_MUST_USE;
/* GRN_EEMPTY, for when no listed barcode was met: shows both sides and, where it would have helped, the option. */
grn_status grn_tally_no_match(const grn_fragpass_t *pass) GRN_MUST_USE;
grn_status grn_tally_load_regions(const char *path, grn_regions_t *r) GRN_MUST_USE;
/* Takes the options, loads the listed barcodes and calls grn_tally_init. args: the fragment files. */
grn_status grn_tally_begin(const grn_tally_input_t *in, grn_tally_t *t, const grn_args_t *args) GRN_MUST_USE;
/* Reads fragment file i. */
grn_status grn_tally_one(const grn_tally_input_t *in, grn_tally_t *t, const grn_args_t *args, int i) GRN_MUST_USE;
/* Says what was met; GRN_EEMPTY when nothing matches. After grn_tally_finish. */
grn_status grn_tally_check(const grn_tally_t *t) GRN_MUST_USE;

#endif
