#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/why.h"
#include "io/chrom.h"

enum { ROWS_PER_READ = 4096 };

/* ---- cells of two matrices ---- */

/* Bytes of a barcode before a final "-DIGITS". */
static size_t stripped(const char *s)
{
    size_t n = strlen(s), k = n;
    while (k > 0 && s[k - 1] >= '0' && s[k - 1] <= '9') k--;
    return k < n && k > 1 && s[k - 1] == '-' ? k - 1 : n;
}

/* Names without their end; row: which row it is, WHY_NONE when several are. */
static grn_status strip_all(const grn_names_t *d, const uint8_t *taken, grn_names_t *out,
                            uint32_t *row)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < d->n; i++) {
        const char *name = grn_names_get(d, i);
        size_t k;
        int is_new;
        if (taken[i]) continue;
        GRN_TRY(grn_names_add_n(out, name, stripped(name), &k, &is_new));
        row[k] = is_new ? (uint32_t)i : WHY_NONE;
    }
end:
    return rc;
}

/* type[row of atac] from the RNA cell of the same barcode, or of the same without "-1", as
 * grn-build joins them. */
static grn_status types_by_barcode(const grn_matrix_t *rna, const int32_t *rna_type,
                                   const grn_matrix_t *atac, int32_t *type)
{
    grn_status rc = GRN_OK;
    uint8_t *taken_a = NULL, *taken_r = NULL;
    uint32_t *row_a = NULL, *row_r = NULL;
    grn_names_t a = { 0 }, r = { 0 };
    GRN_TRY(GRN_NEW(taken_a, atac->n_rows));
    GRN_TRY(GRN_NEW(taken_r, rna->n_rows));
    GRN_TRY(GRN_NEW_RAW(row_a, atac->n_rows));
    GRN_TRY(GRN_NEW_RAW(row_r, rna->n_rows));
    for (size_t i = 0; i < atac->n_rows; i++) {
        size_t j = grn_names_find(&rna->row, grn_names_get(&atac->row, i));
        type[i] = -1;
        if (j == GRN_NAMES_NONE) continue;
        type[i] = rna_type[j];
        taken_a[i] = taken_r[j] = 1;
    }
    GRN_TRY(strip_all(&atac->row, taken_a, &a, row_a));
    GRN_TRY(strip_all(&rna->row, taken_r, &r, row_r));
    for (size_t i = 0; i < a.n; i++) {
        size_t j = grn_names_find(&r, grn_names_get(&a, i));
        if (j != GRN_NAMES_NONE && row_a[i] != WHY_NONE && row_r[j] != WHY_NONE)
            type[row_a[i]] = rna_type[row_r[j]];
    }
end:
    grn_names_clear(&a);
    grn_names_clear(&r);
    free(row_a);
    free(row_r);
    free(taken_a);
    free(taken_r);
    return rc;
}

/* ---- counts ---- */

/* type[row]: number in w->types, -1: none. by_attr = 0: the matrix has no cell types. */
static grn_status types_of(why_t *w, const grn_matrix_t *m, int add, int32_t *type, int *by_attr)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *a = grn_attr_find(&m->row_attr, "cell_type");
    *by_attr = a && a->code;
    for (size_t i = 0; i < m->n_rows; i++) {
        size_t k;
        const char *name =
            *by_attr ? a->code[i] < 0 ? NULL : grn_names_get(&a->levels, (size_t)a->code[i])
                     : "all";
        type[i] = -1;
        if (!name) continue;
        if (add) GRN_TRY(grn_names_add(&w->types, name, &k, NULL));
        else k = grn_names_find(&w->types, name);
        if (k != GRN_NAMES_NONE) type[i] = (int32_t)k;
    }
end:
    return rc;
}

/* count[type, map[column]]: cells of the type with a count. */
static grn_status count(grn_mr_t *mr, const int32_t *type, const uint32_t *map, size_t n,
                        uint32_t *to)
{
    grn_status rc = GRN_OK;
    grn_matrix_t block = { 0 };
    uint64_t row = 0;
    int got;
    while ((got = grn_mr_next(mr, ROWS_PER_READ, &block)) == 1) {
        GRN_TRY(grn_matrix_to_csr(&block));
        for (uint64_t i = 0; i < block.n_rows; i++, row++) {
            size_t nz;
            const uint32_t *idx;
            const float *val;
            grn_matrix_row(&block, i, &nz, &idx, &val);
            for (size_t k = 0; type[row] >= 0 && k < nz; k++)
                if (map[idx[k]] != WHY_NONE) to[(size_t)type[row] * n + map[idx[k]]]++;
        }
        grn_matrix_clear(&block);
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_matrix_clear(&block);
    return rc;
}

static grn_status count_rna(why_t *w, grn_mr_t *mr, int32_t *type)
{
    grn_status rc = GRN_OK;
    const grn_matrix_t *m = grn_mr_info(mr);
    uint32_t *map = NULL;
    int by_attr;
    size_t found = 0;
    char a[200], b[200];
    GRN_TRY(types_of(w, m, 1, type, &by_attr));
    if (!by_attr)
        grn_log_warn("'%s' has no cell types: every cell is of type 'all' (--cells TSV gives them)",
                     why_cli.rna);
    GRN_TRY(GRN_NEW_RAW(map, m->n_cols));
    GRN_TRY(GRN_NEW(w->in_rna, w->genes.n));
    for (size_t j = 0; j < m->n_cols; j++) {
        size_t k = grn_names_find(&w->genes, grn_names_get(&m->col, j));
        map[j] = k == GRN_NAMES_NONE ? WHY_NONE : (uint32_t)k;
        if (k != GRN_NAMES_NONE) w->in_rna[k] = 1, found++;
    }
    if (!found)
        GRN_FAIL(GRN_ESHAPE, "none of the %zu genes of the files is in '%s'; first names: %s vs %s",
                 w->genes.n, why_cli.rna, grn_names_show(&w->genes, 3, a, sizeof a),
                 grn_names_show(&m->col, 3, b, sizeof b));
    GRN_TRY(GRN_NEW(w->rna_cells, w->types.n));
    GRN_TRY(GRN_NEW(w->gene_cells, w->types.n * w->genes.n));
    for (size_t i = 0; i < m->n_rows; i++)
        if (type[i] >= 0) w->rna_cells[type[i]]++;
    GRN_TRY(count(mr, type, map, w->genes.n, w->gene_cells));
    w->has_rna = 1;
end:
    free(map);
    return rc;
}

static grn_status count_atac(why_t *w, grn_mr_t *mr, const grn_matrix_t *rna,
                             const int32_t *rna_type)
{
    grn_status rc = GRN_OK;
    const grn_matrix_t *m = grn_mr_info(mr);
    uint32_t *map = NULL;
    int32_t *type = NULL;
    int by_attr;
    size_t found = 0;
    GRN_TRY(GRN_NEW_RAW(type, m->n_rows));
    GRN_TRY(GRN_NEW_RAW(map, m->n_cols));
    GRN_TRY(types_of(w, m, 0, type, &by_attr));
    if (!by_attr) GRN_TRY(types_by_barcode(rna, rna_type, m, type));
    for (size_t j = 0; j < m->n_cols; j++)
        found += (map[j] = why_region(w, grn_names_get(&m->col, j))) != WHY_NONE;
    if (!found)
        GRN_FAIL(GRN_ESHAPE,
                 "none of the %zu linked regions is in '%s': was it made with other regions?",
                 w->regions.n, why_cli.atac);
    GRN_TRY(GRN_NEW(w->atac_cells, w->types.n));
    GRN_TRY(GRN_NEW(w->region_cells, w->types.n * w->regions.n));
    for (size_t i = 0; i < m->n_rows; i++)
        if (type[i] >= 0) w->atac_cells[type[i]]++;
    GRN_TRY(count(mr, type, map, w->regions.n, w->region_cells));
    w->has_atac = 1;
end:
    free(map);
    free(type);
    return rc;
}

/* --context: of the types there are. */
static grn_status ask(why_t *w)
{
    grn_status rc = GRN_OK;
    char there[512];
    GRN_TRY(GRN_NEW(w->asked, w->types.n));
    memset(w->asked, view_opt.context.n == 0, w->types.n);
    for (size_t i = 0; i < view_opt.context.n; i++) {
        size_t k = grn_names_find(&w->types, view_opt.context.v[i]);
        if (k == GRN_NAMES_NONE)
            GRN_FAIL(GRN_EEMPTY, "context '%s' is in none of the files; there are %s%s",
                     view_opt.context.v[i], grn_names_show(&w->types, 6, there, sizeof there),
                     w->has_rna || w->opt.all_types ? "" : " (--rna FILE knows more)");
        w->asked[k] = 1;
    }
end:
    return rc;
}

grn_status why_cells(why_t *w)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t rna_opt = GRN_COUNTS_OPT_INIT, atac_opt = GRN_COUNTS_OPT_INIT;
    grn_mr_t *rna = NULL, *atac = NULL;
    int32_t *type = NULL;
    if (w->opt.all_types && (why_cli.rna || why_cli.atac)) {
        grn_log_info("the regulons were made with --types all: --rna and --atac decide nothing and "
                     "are not read");
        return ask(w);
    }
    if (why_cli.atac && !why_cli.rna)
        GRN_FAIL(GRN_EUSAGE, "--atac needs --rna, whose cells have the types");
    if (why_cli.rna) {
        GRN_TRY(grn_counts_cli(&view_opt.counts, &rna_opt));
        GRN_TRY(grn_mr_open(&rna, why_cli.rna, &rna_opt, grn_common.pool));
        GRN_TRY(GRN_NEW_RAW(type, grn_mr_info(rna)->n_rows));
        GRN_TRY(count_rna(w, rna, type));
    }
    if (why_cli.atac) {
        atac_opt.feature_type = why_cli.atac_feature_type;
        atac_opt.layer = why_cli.atac_layer;
        atac_opt.dup = GRN_DUP_ERROR;
        GRN_TRY(grn_mr_open(&atac, why_cli.atac, &atac_opt, grn_common.pool));
        GRN_TRY(count_atac(w, atac, grn_mr_info(rna), type));
    }
    GRN_TRY(ask(w));
end:
    free(type);
    if (atac) grn_mr_close(atac);
    if (rna) grn_mr_close(rna);
    return rc;
}
