#include "tfaccess.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct {
    size_t *off;   /* (regions + 2): TFs with a site in region r are tf[off[r]..off[r + 1]) */
    uint32_t *tf;  /* less `first` */
    float *score;  /* (TFs, cells): counts in the TF's regions, then deviations */
    double *total; /* (cells) counts of the cell */
} access_t;

static grn_status group_sites(const grn_tfsites_t *s, size_t first, size_t n, size_t n_regions,
                              access_t *a)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(a->off, n_regions + 2));
    GRN_TRY(GRN_NEW_RAW(a->tf, s->n));
    size_t *at = a->off + 1; /* counts shifted by one: filling turns starts into ends */
    for (size_t i = 0; i < s->n; i++)
        at[s->v[i].region + 1] += s->v[i].tf >= first && s->v[i].tf - first < n;
    for (size_t r = 0; r < n_regions; r++) at[r + 1] += at[r];
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].tf >= first && s->v[i].tf - first < n)
            a->tf[at[s->v[i].region]++] = (uint32_t)(s->v[i].tf - first);
    }
end:
    return rc;
}

static grn_status tally_row(void *ctx, const grn_colsrc_t *s, uint64_t row, size_t n,
                            const uint32_t *idx, const float *val)
{
    access_t *a = ctx;
    uint32_t cell = s->cell[row];
    for (size_t k = 0; k < n; k++) {
        a->total[cell] += val[k];
        for (size_t i = a->off[idx[k]]; i < a->off[idx[k] + 1]; i++)
            a->score[(size_t)a->tf[i] * s->n_cells + cell] += val[k];
    }
    return GRN_OK;
}

static void deviations(access_t *a, size_t n_tfs, size_t n_cells)
{
    double all = 0;
    for (size_t c = 0; c < n_cells; c++) all += a->total[c];
    for (size_t t = 0; t < n_tfs; t++) {
        float *x = a->score + t * n_cells;
        double in = 0;
        for (size_t c = 0; c < n_cells; c++) in += x[c];
        for (size_t c = 0; c < n_cells; c++) {
            double expected = all > 0 ? a->total[c] * in / all : 0;
            x[c] = expected > 0 ? (float)((x[c] - expected) / expected) : 0;
        }
    }
}

grn_status grn_tfaccess_block(grn_colsrc_t *atac, const grn_tfsites_t *sites, size_t first,
                              size_t n, grn_par_t *pool, grn_colblock_t *b)
{
    grn_status rc = GRN_OK;
    access_t a = { 0 };
    size_t n_cells = atac->n_cells;
    *b = (grn_colblock_t){ .n = n };
    GRN_TRY(group_sites(sites, first, n, atac->info->n_cols, &a));
    GRN_TRY(GRN_NEW(a.score, n * n_cells));
    GRN_TRY(GRN_NEW(a.total, n_cells));
    GRN_TRY(grn_colsrc_each(atac, tally_row, &a));
    deviations(&a, n, n_cells);
    GRN_TRY(GRN_NEW(b->off, n + 1));
    GRN_TRY(GRN_NEW_RAW(b->idx, n * n_cells));
    b->val = a.score;
    a.score = NULL;
    for (size_t k = 0; k < n * n_cells; k++) b->idx[k] = (uint32_t)(k % n_cells);
    for (size_t t = 0; t < n; t++) b->off[t + 1] = (t + 1) * n_cells;
    GRN_TRY(grn_corr_cols_init(&b->corr, n_cells, n, b->off, b->idx, b->val, pool));
end:
    free(a.total);
    free(a.score);
    free(a.tf);
    free(a.off);
    if (rc) grn_colblock_clear(b);
    return rc;
}
