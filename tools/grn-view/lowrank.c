/* Low-rank accessibility as text: cells x topics; with --region the accessibility of these regions in each cell; as "features" regions
 * x topics. The matrix is never made. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grn-view/view.h"
#include "io/lowrank.h"
#include "io/prov.h"

static grn_status put_row(grn_out_t *o, const char *name, const float *v, size_t n)
{
    char buf[32];
    grn_status rc = grn_out_puts(o, name);
    for (size_t k = 0; !rc && k < n; k++) rc = grn_out_printf(o, "\t%s", grn_fmt_f32(buf, v[k]));
    return rc ? rc : grn_out_puts(o, "\n");
}

/* Header and rows of a factor; keep: which rows. */
static grn_status put_factor(grn_out_t *o, const char *corner, const grn_lowrank_t *l, const grn_names_t *rows, const float *factor,
                             const uint8_t *keep)
{
    grn_status rc = grn_out_puts(o, corner);
    for (size_t k = 0; !rc && k < l->K; k++) rc = grn_out_printf(o, "\t%s", grn_names_get(&l->topic, k));
    if (!rc) rc = grn_out_puts(o, "\n");
    for (size_t i = 0; !rc && i < rows->n; i++)
        if (keep[i]) rc = put_row(o, grn_names_get(rows, i), factor + i * l->K, l->K);
    return rc;
}

/* Cells x the regions kept. */
static grn_status put_accessibility(grn_out_t *o, const grn_lowrank_t *l, const uint8_t *cell, const uint8_t *region)
{
    grn_status rc = GRN_OK;
    float *row = NULL;
    size_t *pick = NULL, n = 0;
    GRN_TRY(GRN_NEW(pick, l->R));
    for (size_t r = 0; r < l->R; r++)
        if (region[r]) pick[n++] = r;
    GRN_TRY(GRN_NEW(row, n));
    GRN_TRY(grn_out_puts(o, "cell"));
    for (size_t k = 0; k < n; k++) GRN_TRY(grn_out_printf(o, "\t%s", grn_names_get(&l->region, pick[k])));
    GRN_TRY(grn_out_puts(o, "\n"));
    for (size_t c = 0; c < l->C; c++) {
        if (!cell[c]) continue;
        for (size_t k = 0; k < n; k++) row[k] = grn_lowrank_at(l, c, pick[k]);
        GRN_TRY(put_row(o, grn_names_get(&l->cell, c), row, n));
    }
end:
    free(row);
    free(pick);
    return rc;
}

grn_status view_lowrank(const char *path)
{
    grn_status rc = GRN_OK;
    view_sel_t sel = { 0 };
    grn_lowrank_t l = { 0 };
    grn_out_t *o = NULL;
    uint8_t *cell = NULL, *region = NULL;
    int features = view_format_is("features", "tsv");
    if (!features && !view_format_is("tsv", "tsv"))
        GRN_FAIL(GRN_EUSAGE, "low-rank accessibility can be written as tsv and features only");
    GRN_TRY(view_sel_load(&sel));
    if (sel.tf.given || sel.gene.given || sel.regulon.given)
        GRN_FAIL(GRN_EUSAGE, "low-rank accessibility is chosen from by --cell, --context, --where and --region");
    GRN_TRY(grn_lowrank_load(path, grn_common.pool, &l));
    GRN_TRY(GRN_NEW(cell, l.C));
    GRN_TRY(GRN_NEW(region, l.R));
    const grn_matrix_t rows = { .n_rows = l.C, .row = l.cell, .row_attr = l.cell_attr };
    GRN_TRY(view_mark_rows(&sel, &rows, path, cell));
    GRN_TRY(view_mark_regions(&sel, &l.region, path, region));
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (view_opt.pg) GRN_TRY(grn_prov_text(o));
    if (features) GRN_TRY(put_factor(o, "region", &l, &l.region, l.phi, region));
    else if (sel.region.given) GRN_TRY(put_accessibility(o, &l, cell, region));
    else GRN_TRY(put_factor(o, "cell", &l, &l.cell, l.theta, cell));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    free(cell);
    free(region);
    grn_lowrank_clear(&l);
    view_sel_clear(&sel);
    return rc;
}
