/* Activity of a TF in a cell from chromatin alone: how much of the cell's accessibility lies in
 * regions with the TF's motif. Stands in for the expression of TFs that the RNA matrix lacks. */
#ifndef GRN_BUILD_TFACCESS_H
#define GRN_BUILD_TFACCESS_H

#include "columns.h"
#include "tfsites.h"

/* The scores of TFs first..first + n - 1 as n dense columns over the cells used of `atac`. Score =
 * (observed - expected) / expected: observed = the cell's counts in the TF's regions, expected =
 * the cell's counts x the share of those regions in all counts (the raw deviation of chromVAR,
 * Schep 2017). 0 for a cell without counts and a TF without sites. Site regions are columns of
 * atac. b must be empty. One pass. */
grn_status grn_tfaccess_block(grn_colsrc_t *atac, const grn_tfsites_t *sites, size_t first,
                              size_t n, grn_par_t *pool, grn_colblock_t *b) GRN_MUST_USE;

#endif
