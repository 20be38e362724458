/* Which groups of cells are compared, and by which test: samples of a pseudobulk. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "dar.h"
#include "io/chrom.h"

void grn_dar_contrasts_clear(grn_dar_contrasts_t *c)
{
    for (size_t k = 0; k < c->n; k++) {
        free(c->v[k].name);
        free(c->v[k].sample);
        free(c->v[k].size);
        free(c->v[k].row);
    }
    free(c->v);
    *c = (grn_dar_contrasts_t){ 0 };
}

/* "A,B", where A and B are levels (which may hold commas themselves), or B is the word "rest". */
static grn_status parse(const grn_dar_t *d, const char *text, grn_contrast_t *c)
{
    char show[512];
    for (const char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ',')) {
        size_t a = grn_names_find_n(&d->levels, text, (size_t)(comma - text)), b = grn_names_find(&d->levels, comma + 1);
        int rest = b == GRN_NAMES_NONE && !strcmp(comma + 1, "rest");
        if (a == GRN_NAMES_NONE || (b == GRN_NAMES_NONE && !rest)) continue;
        if (a == b) return grn_err(GRN_EINVAL, "--contrast '%s' compares a level with itself", text);
        *c = (grn_contrast_t){ (int32_t)a, rest ? -1 : (int32_t)b };
        return GRN_OK;
    }
    return grn_err(GRN_EINVAL, "--contrast '%s' is not two levels A,B, or A,rest; levels: %s", text,
                   grn_names_show(&d->levels, 20, show, sizeof show));
}

static grn_status name_contrast(const grn_dar_t *d, grn_dar_contrast_t *c)
{
    grn_str_t s = { 0 };
    grn_status rc = grn_str_printf(&s, "%s_vs_%s", grn_names_get(&d->levels, (size_t)c->side.a),
                                   c->side.b < 0 ? "rest" : grn_names_get(&d->levels, (size_t)c->side.b));
    c->name = s.s;
    return rc;
}

/* Cells of donor i on side a (side 0) or b (side 1), and their counts. */
static size_t sample_of(const grn_dar_t *d, const grn_dar_contrast_t *c, size_t donor, int side, double *total)
{
    size_t n = 0;
    *total = 0;
    for (size_t l = 0; l < d->L; l++) {
        int on_a = (int32_t)l == c->side.a, on_b = c->side.b < 0 ? !on_a : (int32_t)l == c->side.b;
        if (!(side ? on_b : on_a)) continue;
        n += d->unit_n[donor * d->L + l];
        *total += d->unit_total[donor * d->L + l];
    }
    return n;
}

/* Samples with enough cells. When at least two donors, and at least half of them, are on both sides, donors are pairs and the
 * others are left out; else every sample stands for itself. */
static grn_status make_samples(const grn_dar_t *d, grn_dar_contrast_t *c)
{
    grn_status rc = GRN_OK;
    size_t D = d->donors.n, n_both = 0, n_any = 0;
    uint8_t *on = NULL;
    GRN_TRY(GRN_NEW(on, 2 * D));
    GRN_TRY(GRN_NEW_RAW(c->sample, 2 * D));
    GRN_TRY(GRN_NEW_RAW(c->size, 2 * D));
    for (size_t i = 0; i < D; i++) {
        for (size_t side = 0; side < 2; side++) {
            double total;
            on[2 * i + side] = sample_of(d, c, i, (int)side, &total) >= d->opt->min_sample && total > 0;
        }
        n_both += on[2 * i] && on[2 * i + 1];
        n_any += on[2 * i] || on[2 * i + 1];
    }
    c->paired = n_both >= 2 && 2 * n_both >= n_any;
    c->m_a = c->m_b = 0;
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < D; i++) {
            if (!on[2 * i + side] || (c->paired && !on[2 * i + !side])) continue;
            size_t k = c->m_a + c->m_b;
            c->sample[k] = (uint32_t)i;
            sample_of(d, c, i, (int)side, &c->size[k]);
            *(side ? &c->m_b : &c->m_a) += 1;
        }
    if (c->paired && n_both < n_any)
        grn_log_warn("%s: %zu of %zu donors are on one side only and left out of the pairs", c->name, n_any - n_both, n_any);
end:
    free(on);
    return rc;
}

/* The test of a contrast: the one asked for, or pseudobulk where there are replicates. */
static grn_status choose_test(const grn_dar_t *d, grn_dar_contrast_t *c)
{
    const grn_dar_opt_t *o = d->opt;
    int can = d->n_units && (d->is_counts || strcmp(d->low.method, "lsi") != 0);
    if (o->test == GRN_DAR_WILCOXON) return GRN_OK;
    if (can) {
        grn_status rc = make_samples(d, c);
        if (rc) return rc;
    }
    c->pseudobulk = can && c->m_a >= 2 && c->m_b >= 2;
    if (c->pseudobulk) return GRN_OK;
    const char *why = !d->n_units ? "there are no donors (--donor COLUMN)"
                      : !can      ? "an LSI model has no counts"
                                  : "fewer than 2 donors a side have enough cells";
    if (o->test == GRN_DAR_PSEUDOBULK)
        return grn_err(GRN_EINVAL, "%s: no pseudobulk, as %s; sides have %zu and %zu samples of at least %zu cells", c->name, why,
                       c->m_a, c->m_b, o->min_sample);
    grn_log_warn("%s: falls back to wilcoxon on cells, as %s", c->name, why);
    return GRN_OK;
}

static grn_status add(const grn_dar_t *d, grn_dar_contrasts_t *cs, grn_contrast_t side)
{
    grn_dar_contrast_t c = { .side = side };
    size_t n_a = d->n_level[side.a], n_b = side.b < 0 ? d->C - n_a : d->n_level[side.b];
    grn_status rc = name_contrast(d, &c);
    if (rc) return rc;
    c.n_a = n_a;
    c.n_b = n_b;
    if (n_a < d->opt->min_group || n_b < d->opt->min_group) {
        grn_log_warn("%s: left out, its sides have %zu and %zu cells (--min-group %zu)", c.name, n_a, n_b, d->opt->min_group);
        free(c.name);
        return GRN_OK;
    }
    cs->v[cs->n++] = c;
    return choose_test(d, &cs->v[cs->n - 1]);
}

grn_status grn_dar_contrasts(const grn_dar_t *d, grn_dar_contrasts_t *cs)
{
    grn_status rc = GRN_OK;
    const grn_opt_list_t *asked = &d->opt->contrast;
    size_t n = asked->n ? asked->n : d->L, n_wilcoxon = 0;
    GRN_TRY(GRN_NEW(cs->v, n));
    for (size_t k = 0; k < n; k++) {
        grn_contrast_t side = { (int32_t)k, -1 };
        if (asked->n) GRN_TRY(parse(d, asked->v[k], &side));
        for (size_t j = 0; j < cs->n; j++)
            if (cs->v[j].side.a == side.a && cs->v[j].side.b == side.b)
                GRN_FAIL(GRN_EINVAL, "--contrast '%s' is given twice", asked->v[k]);
        GRN_TRY(add(d, cs, side));
    }
    if (!cs->n) GRN_FAIL(GRN_EEMPTY, "no contrast has %zu cells on both sides", d->opt->min_group);
    for (size_t k = 0; k < cs->n; k++) n_wilcoxon += !cs->v[k].pseudobulk;
    if (n_wilcoxon)
        grn_log_warn("wilcoxon takes cells for replicates, which they are not: its p values are far too small; go by fold change, AUROC");
    if (n_wilcoxon < cs->n && !d->is_counts && !d->total)
        grn_log_warn("the model does not tell the depth of its cells (n_fragments): 10,000 a cell are taken for the pseudobulk");
end:
    return rc;
}
