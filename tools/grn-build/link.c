#include "link_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"

#define DEFAULT_BUDGET ((uint64_t)1 << 31) /* bytes of column blocks without --max-mem */

static const char *const method_words[] = { "pearson", "spearman", "kendall", "grnboost", "genie3", "ridge" };

grn_link_method grn_link_method_parse(const char *word)
{
    size_t k = 0;
    while (k + 1 < sizeof method_words / sizeof *method_words && strcmp(word, method_words[k]) != 0) k++;
    return (grn_link_method)k;
}

static int uses_atac(const grn_link_opt_t *o)
{
    return o->out_rg || (o->out_tg && (o->scan || o->hits));
}

static void link_clear(grn_linker_t *l)
{
    for (int w = 0; l->scratch && w < l->n_workers; w++) free(l->scratch[w]);
    free(l->scratch);
    free(l->genes);
    grn_names_clear(&l->absent);
    grn_cells_clear(&l->cells);
    grn_colsrc_close(&l->rna);
    grn_colsrc_close(&l->atac);
    grn_funnel_clear(&l->funnel);
}

/* ---- input ---- */

static grn_status open_matrices(grn_linker_t *l)
{
    grn_status rc = GRN_OK;
    const grn_link_opt_t *o = l->opt;
    GRN_TRY(grn_colsrc_open(&l->rna, o->rna, &o->rna_opt, o->expression, grn_common.pool));
    int both = uses_atac(o);
    if (both)
        GRN_TRY(grn_colsrc_open_any(&l->atac, o->atac, &o->atac_opt, o->accessibility, grn_common.pool));
    GRN_TRY(grn_cells_match(&l->rna.info->row, o->rna, both ? &l->atac.info->row : NULL, o->atac,
                            &l->cells));
    if (both) {
        grn_log_info("cells: %zu in both of %" PRIu64 " RNA and %" PRIu64
                     " ATAC cells (%zu by exact barcode, %zu without the -N suffix, %zu ambiguous)",
                     l->cells.n, l->rna.info->n_rows, l->atac.info->n_rows, l->cells.n_exact,
                     l->cells.n_stripped, l->cells.n_ambiguous);
    }
    GRN_TRY(grn_colsrc_use(&l->rna, l->cells.a, l->cells.n));
    if (both) GRN_TRY(grn_colsrc_use(&l->atac, l->cells.b, l->cells.n));
    if (!l->rna.is_counts && o->expression == GRN_SCALE_LOGNORM) {
        grn_log_warn(
            "'%s' does not hold whole numbers: if it is normalised already, give --expression raw",
            o->rna);
    }
    l->n_workers = grn_par_n(grn_common.pool);
    GRN_TRY(GRN_NEW(l->scratch, (size_t)l->n_workers));
    for (int w = 0; w < l->n_workers; w++) GRN_TRY(GRN_NEW(l->scratch[w], 2 * l->cells.n));
    l->budget = (grn_common.max_mem ? grn_common.max_mem / 2 : DEFAULT_BUDGET) / 2;
end:
    return rc;
}

static grn_status pick_genes(grn_linker_t *l)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    size_t n = l->rna.info->n_cols;
    GRN_TRY(GRN_NEW_RAW(order, n));
    GRN_TRY(GRN_NEW_RAW(l->genes, n));
    GRN_TRY(grn_names_sort(&l->rna.info->col, order));
    for (size_t k = 0; k < n; k++) {
        if (l->rna.col_nz[order[k]] >= l->opt->min_cells) l->genes[l->n_genes++] = order[k];
    }
end:
    free(order);
    return rc;
}

grn_status grn_link_funnel(grn_linker_t *l)
{
    grn_funnel_clear(&l->funnel);
    return grn_funnel_add(&l->funnel, "genes", l->n_genes, l->rna.info->n_cols - l->n_genes,
                          "genes seen in at least %" PRIu64 " cells", l->opt->min_cells);
}

static const char *scale_word(grn_scale s)
{
    return s == GRN_SCALE_LOGNORM ? "lognorm" : s == GRN_SCALE_RAW ? "raw" : "binary";
}

grn_status grn_link_save(grn_linker_t *l, grn_edges_t *e, const char *path, const char *kind)
{
    grn_status rc = GRN_OK;
    char cells[32];
    snprintf(cells, sizeof cells, "%zu", l->cells.n);
    const char *json = grn_funnel_json(&l->funnel);
    const char *const meta[] = { "kind",
                                 kind,
                                 "method",
                                 method_words[kind[0] == 't' ? l->opt->method : l->opt->region_method],
                                 "cells",
                                 cells,
                                 "expression",
                                 scale_word(l->opt->expression),
                                 "accessibility",
                                 !uses_atac(l->opt) ? "none" : l->atac.low.K ? "lowrank" : scale_word(l->opt->accessibility),
                                 "funnel",
                                 json ? json : "[]",
                                 NULL };
    GRN_TRY(grn_edges_sort(e));
    GRN_TRY(grn_edges_save(e, path, meta, grn_common.pool));
    if (e->n == 0) l->empty = path;
end:
    return rc;
}

grn_status grn_link_run(const grn_link_opt_t *opt)
{
    grn_status rc = GRN_OK;
    grn_linker_t l = { .opt = opt };
    GRN_TRY(open_matrices(&l));
    GRN_TRY(pick_genes(&l));
    if (opt->out_tg) GRN_TRY(grn_link_tfs(&l));
    if (opt->out_rg) GRN_TRY(grn_link_regions(&l));
    if (l.empty) rc = grn_err(GRN_EEMPTY, "no pair passed; '%s' is empty", l.empty);
end:
    link_clear(&l);
    return rc;
}
