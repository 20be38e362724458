/* Output of grn-build dar: the table, a BED file per contrast, marker regions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "dar.h"
#include "io/prov.h"
#include "outdir.h"

typedef struct {
    const grn_dar_t *d;
    const grn_dar_contrasts_t *cs;
    grn_out_t *o;
} sink_t;

static grn_status put_place(const grn_dar_t *d, grn_out_t *o, uint32_t r)
{
    return grn_out_printf(o, "%s\t%llu\t%llu", grn_names_get(&d->place.chroms, d->place.chrom[r]),
                          (unsigned long long)d->place.start[r], (unsigned long long)d->place.end[r]);
}

/* ---- the table ---- */

static grn_status put_row(sink_t *s, const grn_dar_contrast_t *c, const grn_dar_row_t *x)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_out_printf(s->o, "%s\t%s\t", c->name, grn_names_get(s->d->region, x->region)));
    GRN_TRY(put_place(s->d, s->o, x->region));
    GRN_TRY(grn_out_printf(s->o, "\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%s\t%s\n", x->mean_a, x->mean_b, x->log2fc,
                           x->statistic, x->p, x->q, x->log10p, x->auroc, c->pseudobulk ? "pseudobulk" : "wilcoxon",
                           x->capped ? "capped" : "."));
end:
    return rc;
}

static grn_status put_table(sink_t *s)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_prov_text(s->o));
    GRN_TRY(grn_out_puts(s->o, "contrast\tregion\tchrom\tstart\tend\tmean_a\tmean_b\tlog2fc\tstatistic\tp\tp_adj\tlog10_p\tauroc\ttest"
                               "\tflag\n"));
    for (size_t k = 0; k < s->cs->n; k++) {
        const grn_dar_contrast_t *c = &s->cs->v[k];
        for (size_t i = 0, n = s->d->opt->all ? c->n_rows : c->n_pass; i < n; i++) GRN_TRY(put_row(s, c, &c->row[i]));
    }
end:
    return rc;
}

/* ---- markers ---- */

static int compare_markers(const void *a, const void *b)
{
    const grn_dar_row_t *x = *(grn_dar_row_t *const *)a, *y = *(grn_dar_row_t *const *)b;
    if (x->marker != y->marker) return x->marker > y->marker ? -1 : 1;
    if (x->log10p != y->log10p) return x->log10p < y->log10p ? -1 : 1;
    return (x->region > y->region) - (x->region < y->region);
}

/* The most specific regions of a level, out of those that pass against the rest. */
static grn_status put_markers_of(sink_t *s, const grn_dar_contrast_t *c)
{
    grn_status rc = GRN_OK;
    const grn_dar_row_t **x = NULL;
    size_t n = 0;
    GRN_TRY(GRN_NEW_RAW(x, c->n_pass));
    for (size_t i = 0; i < c->n_pass; i++)
        if (c->row[i].marker > 0) x[n++] = &c->row[i];
    if (n) qsort(x, n, sizeof *x, compare_markers);
    for (size_t i = 0; i < n && i < s->d->opt->top_markers; i++) {
        GRN_TRY(grn_out_printf(s->o, "%s\t%zu\t%s\t", grn_names_get(&s->d->levels, (size_t)c->side.a), i + 1,
                               grn_names_get(s->d->region, x[i]->region)));
        GRN_TRY(put_place(s->d, s->o, x[i]->region));
        GRN_TRY(grn_out_printf(s->o, "\t%.6g\t%.6g\t%.6g\t%s\t%.6g\t%.6g\n", x[i]->marker, x[i]->tau, x[i]->mean_a,
                               grn_names_get(&s->d->levels, (size_t)x[i]->next), x[i]->log10p, x[i]->auroc));
    }
end:
    free(x);
    return rc;
}

static grn_status put_markers(sink_t *s)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_prov_text(s->o));
    GRN_TRY(grn_out_puts(s->o, "label\trank\tregion\tchrom\tstart\tend\tspecificity\ttau\tmean\tnext\tlog10_p\tauroc\n"));
    for (size_t k = 0; k < s->cs->n; k++)
        if (s->cs->v[k].side.b < 0) GRN_TRY(put_markers_of(s, &s->cs->v[k]));
end:
    return rc;
}

static grn_status write_file(sink_t *s, const char *path, grn_status (*put)(sink_t *))
{
    grn_status rc = grn_out_open(&s->o, path, 0);
    if (rc) return rc;
    rc = put(s);
    if (rc) grn_out_abort(s->o);
    else rc = grn_out_commit(s->o);
    return rc;
}

/* ---- BED ---- */

/* Passing regions by position: chromosome, start, end, region, score (100 x log2fc, 0 to 1,000). */
static grn_status write_bed(const grn_dar_t *d, const grn_dar_contrast_t *c, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    uint32_t *row = NULL;
    GRN_TRY(GRN_NEW(row, d->R));
    for (size_t i = 0; i < c->n_pass; i++) row[c->row[i].region] = (uint32_t)i + 1;
    GRN_TRY(grn_out_open(&o, path, 0));
    for (size_t k = 0; k < d->R; k++) {
        uint32_t r = d->place.order[k];
        if (!row[r]) continue;
        double score = fmax(0, fmin(1000, round(100 * c->row[row[r] - 1].log2fc)));
        GRN_TRY(put_place(d, o, r));
        GRN_TRY(grn_out_printf(o, "\t%s\t%.0f\n", grn_names_get(d->region, r), score));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    free(row);
    return rc;
}

static grn_status write_beds(const grn_dar_t *d, const grn_dar_contrasts_t *cs)
{
    grn_status rc = GRN_OK;
    grn_names_t taken = { 0 };
    grn_str_t name = { 0 }, path = { 0 };
    const char *dir = d->opt->bed;
    GRN_TRY(grn_outdir_make(dir));
    for (size_t k = 0; k < cs->n; k++) {
        GRN_TRY(grn_outdir_name(cs->v[k].name, &taken, &name));
        path.n = 0;
        GRN_TRY(grn_str_printf(&path, "%s/%s.bed", dir, name.s));
        GRN_TRY(write_bed(d, &cs->v[k], path.s));
    }
end:
    grn_names_clear(&taken);
    grn_str_clear(&name);
    grn_str_clear(&path);
    return rc;
}

grn_status grn_dar_write(const grn_dar_t *d, const grn_dar_contrasts_t *cs)
{
    grn_status rc = GRN_OK;
    sink_t s = { .d = d, .cs = cs };
    if (d->opt->bed) GRN_TRY(write_beds(d, cs));
    if (d->opt->markers) GRN_TRY(write_file(&s, d->opt->markers, put_markers));
    GRN_TRY(write_file(&s, d->opt->output, put_table));
end:
    return rc;
}
