#include "io/tflist.h"

#include "io/table.h"

grn_status grn_tflist_load(const char *path, grn_names_t *names, uint64_t *n_duplicate)
{
    static const char header[] = "tf|tfs|gene|gene_name|gene_symbol|symbol|hgnc symbol|hgnc_symbol|barcode|barcodes|cell|cell_id|name";
    grn_status rc = GRN_OK;
    grn_table_t b = { 0 };
    int got, first = 1;
    if (n_duplicate) *n_duplicate = 0;
    GRN_TRY(grn_table_open(&b, path));
    while ((got = grn_table_next(&b)) > 0) {
        int is_new, is_header = first && grn_table_column(&b, header) == 0;
        first = 0;
        if (is_header || !b.field[0][0]) continue;
        GRN_TRY(grn_names_add(names, b.field[0], NULL, &is_new));
        if (!is_new && n_duplicate) ++*n_duplicate;
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_table_close(&b);
    return rc;
}
