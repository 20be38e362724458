/* A list of names, one a line: TF lists (aertslab, Lambert), BEELINE's csv with a header, barcode whitelists. */
#ifndef GRN_IO_TFLIST_H
#define GRN_IO_TFLIST_H

#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

/* First field (tab or comma) of every line, in order. "#" lines and empty lines are skipped; quotes around a field are removed;
 * the first line is a header when its first field is one of tf, tfs, gene, gene_name, gene_symbol, symbol, hgnc symbol,
 * hgnc_symbol, barcode, barcodes, cell, cell_id, name (any case). *n_duplicate (may be NULL) counts names seen again. Appends to
 * `names`. Empty file: GRN_OK, nothing added. */
grn_status grn_tflist_load(const char *path, grn_names_t *names, uint64_t *n_duplicate) GRN_MUST_USE;

#endif
