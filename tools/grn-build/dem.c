#include "dem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "dar.h"
#include "io/chrom.h"
#include "stat/curve.h"
#include "stat/fdr.h"

void grn_dem_contrast_clear(grn_dem_contrast_t *c)
{
    free(c->fg);
    free(c->bg);
    free(c->row);
    *c = (grn_dem_contrast_t){ 0 };
}

/* ---- foreground and background ---- */

typedef struct {
    uint64_t key;
    uint32_t col;
} keyed_t;

static int by_key(const void *x, const void *y)
{
    const keyed_t *a = x, *b = y;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return a->col < b->col ? -1 : a->col > b->col;
}

void grn_dem_order(uint32_t *col, size_t n, const uint64_t *hash)
{
    for (size_t gap = n / 2; gap; gap /= 2) /* Shell's: in place, nothing to fail */
        for (size_t i = gap; i < n; i++) {
            uint32_t x = col[i];
            size_t k = i;
            for (; k >= gap && (hash[col[k - gap]] > hash[x] || (hash[col[k - gap]] == hash[x] && col[k - gap] > x)); k -= gap)
                col[k] = col[k - gap];
            col[k] = x;
        }
}

/* How many promoters and others to take. Without a limit: all of the scarcer, and as many of the other as fit its share. */
static void quota(const grn_dem_background_t *o, size_t n_fg, size_t fg_promoters, const size_t have[2], size_t take[2])
{
    double share = n_fg ? (double)fg_promoters / (double)n_fg : 0;
    double total = (double)o->max_bg;
    if (!o->max_bg) {
        total = (double)(have[0] + have[1]);
        if (share > 0) total = fmin(total, (double)have[1] / share);
        if (share < 1) total = fmin(total, (double)have[0] / (1 - share));
        total = floor(total + 1e-9);
    }
    take[1] = (size_t)(total * share);
    take[0] = (size_t)total - take[1];
    for (int k = 0; k < 2; k++)
        if (take[k] > have[k]) take[k] = have[k];
}

grn_status grn_dem_background(const grn_dem_background_t *o, const uint32_t *candidate, size_t n, uint64_t key, grn_dem_contrast_t *c)
{
    grn_status rc = GRN_OK;
    keyed_t *v = NULL;
    size_t have[2] = { n, 0 }, take[2] = { n, 0 };
    c->n_candidates = n;
    c->n_bg = c->fg_promoters = c->bg_promoters = 0;
    GRN_TRY(GRN_NEW_RAW(v, n));
    GRN_TRY(GRN_NEW_RAW(c->bg, n));
    for (size_t i = 0; i < n; i++) {
        v[i] = (keyed_t){ grn_rng_key(o->seed, "enrich.background", key, o->hash[candidate[i]]), candidate[i] };
        if (o->promoter) have[1] += o->promoter[candidate[i]];
    }
    have[0] = n - have[1];
    for (size_t i = 0; o->promoter && i < c->n_fg; i++) c->fg_promoters += o->promoter[c->fg[i]];
    if (o->promoter) quota(o, c->n_fg, c->fg_promoters, have, take);
    else if (o->max_bg && o->max_bg < n && !o->compat) take[0] = o->max_bg;
    if (n) qsort(v, n, sizeof *v, by_key);
    for (size_t i = 0; i < n; i++) {
        int k = o->promoter && o->promoter[v[i].col];
        if (!take[k]) continue;
        take[k]--;
        c->bg_promoters += (size_t)k;
        c->bg[c->n_bg++] = v[i].col;
    }
    grn_dem_order(c->bg, c->n_bg, o->hash);
end:
    free(v);
    return rc;
}

grn_status grn_dem_promoters(const grn_regions_t *r, const grn_genes_t *g, uint64_t space, int compat, uint8_t *flag, size_t *n)
{
    grn_status rc = GRN_OK;
    size_t coding = grn_names_find(&g->biotypes, "protein_coding"), cap = 0, shared = 0;
    uint32_t *found = NULL;
    char a[200], b[200];
    memset(flag, 0, r->n);
    *n = 0;
    for (size_t i = 0; i < g->n; i++) {
        const grn_gene_t *x = &g->gene[i];
        size_t chrom = grn_chrom_find(&r->chroms, grn_names_get(&g->chroms, x->chrom), NULL);
        shared += chrom != GRN_NAMES_NONE;
        if (chrom == GRN_NAMES_NONE || (coding != GRN_NAMES_NONE && x->biotype != coding)) continue;
        uint64_t at = compat ? x->start : grn_gene_tss(x), from = at > space ? at - space : 0, to = at + space;
        if (to == from) to++;
        size_t k = grn_regions_overlap(r, chrom, from, to, found, cap);
        if (k > cap) {
            GRN_TRY(GRN_GROW(found, cap, k));
            grn_regions_overlap(r, chrom, from, to, found, cap);
        }
        for (size_t j = 0; j < k; j++) flag[found[j]] = 1;
    }
    if (!shared)
        GRN_FAIL(GRN_EEMPTY, "no chromosome of the genes is in the database; genes: %s; database: %s",
                 grn_names_show(&g->chroms, 3, a, sizeof a), grn_names_show(&r->chroms, 3, b, sizeof b));
    for (size_t i = 0; i < r->n; i++) *n += flag[i];
end:
    free(found);
    return rc;
}

/* ---- the test ---- */

void grn_dem_work_clear(grn_dem_work_t *w)
{
    grn_ranksum_clear(&w->ranksum);
    free(w->val);
    free(w->at);
    free(w->code);
    free(w->score);
    free(w->label);
    *w = (grn_dem_work_t){ 0 };
}

static double gather(const float *score, const uint32_t *col, size_t n, uint32_t base, grn_dem_work_t *w, size_t *n_nz)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float x = score[col[i]];
        sum += (double)x;
        if (x == 0) continue;
        w->val[*n_nz] = x;
        w->at[(*n_nz)++] = base + (uint32_t)i;
    }
    return sum / (double)n;
}

grn_status grn_dem_test(grn_dem_contrast_t *c, size_t motif, const float *score, int compat, grn_dem_work_t *w)
{
    grn_status rc = GRN_OK;
    grn_dem_row_t *x = &c->row[motif];
    const size_t n = c->n_fg + c->n_bg, n_group[2] = { c->n_fg, c->n_bg };
    const grn_contrast_t pair = { 0, -1 };
    grn_ranksum_t r;
    size_t n_nz = 0;
    GRN_TRY(GRN_GROW(w->val, w->val_cap, n));
    GRN_TRY(GRN_GROW(w->at, w->at_cap, n));
    GRN_TRY(GRN_GROW(w->code, w->code_cap, n));
    for (size_t i = 0; i < n; i++) w->code[i] = i >= c->n_fg;
    x->mean_fg = gather(score, c->fg, c->n_fg, 0, w, &n_nz);
    x->mean_bg = gather(score, c->bg, c->n_bg, (uint32_t)c->n_fg, w, &n_nz);
    GRN_TRY(grn_ranksum(&w->ranksum, w->val, w->at, n_nz, n, w->code, n_group, 2, &pair, 1, &r));
    x->log2fc = grn_dar_log2fc(x->mean_fg, x->mean_bg, &x->capped);
    if (compat) x->log2fc = log2((x->mean_fg + 1e-12) / (x->mean_bg + 1e-12));
    x->z = grn_ranksum_z(r.u, (double)c->n_fg, (double)c->n_bg, compat ? 0 : r.ties);
    x->log_p = compat ? log(1 + erf(-fabs(x->z) / sqrt(2))) : grn_normal_log_p(x->z);
end:
    return rc;
}

grn_status grn_dem_finish(grn_dem_contrast_t *c, size_t M)
{
    grn_status rc = GRN_OK;
    double *p = NULL;
    GRN_TRY(GRN_NEW_RAW(p, M));
    for (size_t m = 0; m < M; m++) p[m] = exp(c->row[m].log_p);
    GRN_TRY(grn_fdr_bh(p, M, p, NULL));
    for (size_t m = 0; m < M; m++) c->row[m].p_adj = p[m];
end:
    free(p);
    return rc;
}

static void label_above_zero(const float *score, const uint32_t *col, size_t n, uint8_t label, grn_dem_work_t *w, size_t *k)
{
    for (size_t i = 0; i < n; i++) {
        if (!(score[col[i]] > 0)) continue;
        w->score[*k] = (double)score[col[i]];
        w->label[(*k)++] = label;
    }
}

grn_status grn_dem_youden(const grn_dem_contrast_t *c, const float *score, grn_dem_work_t *w, double *threshold)
{
    grn_status rc = GRN_OK;
    grn_curve_points_t p = { 0 };
    size_t n = 0;
    double best = 0;
    *threshold = INFINITY;
    GRN_TRY(GRN_GROW(w->score, w->score_cap, c->n_fg + c->n_bg));
    GRN_TRY(GRN_GROW(w->label, w->label_cap, c->n_fg + c->n_bg));
    label_above_zero(score, c->fg, c->n_fg, 1, w, &n);
    label_above_zero(score, c->bg, c->n_bg, 0, w, &n);
    if (!n) return GRN_OK;
    GRN_TRY(grn_curve_points(w->score, w->label, n, &p));
    for (size_t i = 0; i < p.n; i++) {
        double tpr = p.n_pos ? (double)p.tp[i] / (double)p.n_pos : 0, fpr = p.n_neg ? (double)p.fp[i] / (double)p.n_neg : 0;
        if (tpr - fpr > best) best = tpr - fpr, *threshold = p.threshold[i];
    }
end:
    grn_curve_points_clear(&p);
    return rc;
}
