#include "grn-coexpr/links.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-coexpr/chance.h"
#include "grn-coexpr/gram.h"
#include "grn-coexpr/partners.h"
#include "stat/fdr.h"

#define DEFAULT_PANEL ((uint64_t)1 << 30) /* bytes of products without max_mem */
#define RANK_ROOM ((uint64_t)512 << 20)   /* bytes of columns that are ranked at a time, at most */
enum { SLACK = 8, COUNTED = 50 };         /* candidates beyond those asked for; partners of each gene that are always looked at */

const int coexpr_depth[COEXPR_DEPTHS] = { 1, 5, 10, 20, 50 };

typedef struct { /* links of all contexts */
    uint32_t *u, *v;
    float *score, *q, *mutual;
    uint16_t *context;
    size_t n, cap_u, cap_v, cap_score, cap_q, cap_mutual, cap_context;
} list_t;

static void list_clear(list_t *l)
{
    free(l->u);
    free(l->v);
    free(l->score);
    free(l->q);
    free(l->mutual);
    free(l->context);
}

static grn_status list_room(list_t *l, size_t more)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_GROW(l->u, l->cap_u, l->n + more));
    GRN_TRY(GRN_GROW(l->v, l->cap_v, l->n + more));
    GRN_TRY(GRN_GROW(l->score, l->cap_score, l->n + more));
    GRN_TRY(GRN_GROW(l->q, l->cap_q, l->n + more));
    GRN_TRY(GRN_GROW(l->mutual, l->cap_mutual, l->n + more));
    GRN_TRY(GRN_GROW(l->context, l->cap_context, l->n + more));
end:
    return rc;
}

/* ---- one context ---- */

typedef struct {
    const coexpr_store_t *store;
    const coexpr_opt_t *opt;
    const char *name;
    grn_par_t *pool;
    coexpr_context_t c;
    coexpr_moments_t m;
    double *mean; /* RHO_P: (n) of the cells */
    coexpr_side_t side;
    coexpr_panel_t panel;
    coexpr_partners_t t;
    float *mutual;  /* (genes, depth of t) or NULL */
    uint64_t *null; /* (COEXPR_BINS + 1) */
    double *q;      /* (COEXPR_BINS + 1) */
    int first_pass;
} work_t;

static void work_clear(work_t *w)
{
    coexpr_context_clear(&w->c);
    coexpr_moments_clear(&w->m);
    coexpr_side_clear(&w->side);
    coexpr_panel_clear(&w->panel);
    coexpr_partners_clear(&w->t);
    free(w->mean);
    free(w->mutual);
    free(w->null);
    free(w->q);
}

/* Genes to compare, what is removed from them, and their values. */
static grn_status choose_genes(work_t *w, coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    const coexpr_opt_t *opt = w->opt;
    size_t n = w->store->n_genes;
    uint8_t *keep = NULL;
    uint64_t *count = NULL;
    GRN_TRY(GRN_NEW(keep, n));
    GRN_TRY(GRN_NEW(count, n));
    GRN_TRY(coexpr_filter(&w->c, &opt->filter, w->pool, keep, count, &stat->filtered));
    GRN_TRY(coexpr_context_keep(&w->c, keep, count));
    stat->n_genes = w->c.n_genes;
    if (opt->method == COEXPR_SPEARMAN) GRN_TRY(coexpr_context_rank(&w->c, RANK_ROOM, w->pool));
    if (opt->method == COEXPR_PMI) w->c.value = COEXPR_VALUE_ONE;
end:
    free(keep);
    free(count);
    return rc;
}

static grn_status add_slab(void *ctx, const coexpr_slab_t *s, size_t first, grn_par_t *pool)
{
    work_t *w = ctx;
    grn_status rc = GRN_OK;
    if (w->first_pass) {
        if (w->mean) memcpy(w->mean + first, s->mean, s->n * sizeof *w->mean);
        GRN_TRY(coexpr_moments_add(&w->m, s, w->c.basis, w->mean, first, pool));
    }
    GRN_TRY(coexpr_panel_add(&w->panel, s, pool));
    grn_progress_add(s->n);
end:
    return rc;
}

/* Bytes that are left for products. */
static grn_status panel_room(const work_t *w, uint64_t *room)
{
    const coexpr_context_t *c = &w->c;
    uint64_t ranks = c->rank ? 4 * c->rank_off[c->n] + 8 * c->n : 0;
    uint64_t used = w->store->bytes + ranks + coexpr_slab_room(c) + (uint64_t)c->n * c->p * 8 +
                    (uint64_t)c->n_genes * (16 * w->t.depth + 8 * (c->p + 4)) +
                    (uint64_t)grn_par_n(w->pool) * COEXPR_SLAB * COEXPR_TILE * sizeof(float);
    uint64_t least = coexpr_panel_size(c->n_genes, 0, 1) * sizeof(float);
    *room = DEFAULT_PANEL;
    if (w->opt->max_mem == 0) return GRN_OK;
    if (used + least > w->opt->max_mem)
        return grn_err(GRN_EINVAL, "--max-mem %llu: context '%s' needs at least %llu bytes, %llu of them for the counts",
                       (unsigned long long)w->opt->max_mem, w->name, (unsigned long long)(used + least),
                       (unsigned long long)w->store->bytes);
    *room = w->opt->max_mem - used;
    return GRN_OK;
}

static size_t last_tile(const work_t *w, size_t tile, uint64_t room)
{
    size_t end = tile + 1, tiles = coexpr_tiles(w->c.n_genes);
    while (end < tiles && coexpr_panel_size(w->c.n_genes, tile, end + 1) * sizeof(float) <= room) end++;
    return end;
}

/* The best partners of every gene, from all products. */
static grn_status find_partners(work_t *w, coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    const coexpr_opt_t *opt = w->opt;
    coexpr_context_t *c = &w->c;
    size_t tiles = coexpr_tiles(c->n_genes), asked = (size_t)(opt->top > opt->mutual ? opt->top : opt->mutual) + SLACK;
    uint64_t room;
    if (asked < COUNTED) asked = COUNTED;
    GRN_TRY(coexpr_partners_init(&w->t, c->n_genes, asked < c->n_genes ? asked : c->n_genes, c->gene));
    GRN_TRY(panel_room(w, &room));
    GRN_TRY(coexpr_moments_init(&w->m, c->n_genes, c->p));
    if (opt->method == COEXPR_RHO_P) {
        GRN_TRY(GRN_NEW(w->mean, c->n));
        GRN_TRY(GRN_NEW(w->m.with, c->n_genes));
    }
    for (size_t tile = 0, end; tile < tiles; tile = end, stat->n_panels++) {
        end = last_tile(w, tile, room);
        w->first_pass = tile == 0;
        GRN_TRY(coexpr_panel_init(&w->panel, c->n_genes, tile, end, w->pool));
        grn_progress_begin(c->n, "cells");
        rc = coexpr_each_slab(c, c->place, c->n_genes, add_slab, w, w->pool);
        grn_progress_end();
        if (rc != GRN_OK) goto end;
        if (w->first_pass) GRN_TRY(coexpr_side_make(&w->side, opt->method, &w->m, c->basis, w->mean, c->n));
        GRN_TRY(coexpr_partners_scan(&w->t, &w->panel, &w->side, opt->terms, w->pool));
    }
    coexpr_panel_clear(&w->panel);
    rc = coexpr_partners_sort(&w->t, w->pool);
end:
    return rc;
}

/* Largest score that a share of the pairs is below, as the upper edge of its bin. */
static double quantile(const uint64_t *bins, uint64_t n, double share)
{
    uint64_t sum = 0;
    for (size_t b = 0; b <= COEXPR_BINS; b++)
        if ((double)(sum += bins[b]) >= share * (double)n) return fmin(1, (double)(b + 1) / COEXPR_BINS);
    return 1;
}

static uint64_t total(const uint64_t *bins)
{
    uint64_t sum = 0;
    for (size_t b = 0; b <= COEXPR_BINS; b++) sum += bins[b];
    return sum;
}

/* Share of genes with a k-th partner above `least`. */
static double share_above(const coexpr_partners_t *t, size_t k, double least)
{
    size_t n = 0;
    for (size_t g = 0; g < t->n_genes; g++) n += k <= t->n[g] && fabs(t->best[g * t->depth + k - 1].score) > least;
    return t->n_genes ? (double)n / (double)t->n_genes : NAN;
}

static grn_status compare_with_chance(work_t *w, coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    const coexpr_opt_t *opt = w->opt;
    stat->n_pairs = total(w->t.pairs);
    stat->n_allowed = total(w->t.allowed);
    stat->median_all = quantile(w->t.pairs, stat->n_pairs, 0.5);
    stat->median_allowed = quantile(w->t.allowed, stat->n_allowed, 0.5);
    if (opt->n_null == 0) return GRN_OK;
    GRN_TRY(GRN_NEW(w->null, COEXPR_BINS + 1));
    GRN_TRY(GRN_NEW(w->q, COEXPR_BINS + 1));
    GRN_TRY(coexpr_chance(&w->c, &w->side, w->mean, opt->covariate, opt->n_covariates, (uint64_t)opt->n_null, opt->seed, w->name,
                          w->pool, w->null, &stat->n_null));
    if (stat->n_null == 0) goto end;
    stat->null_q95 = quantile(w->null, stat->n_null, 0.95);
    stat->null_q99 = quantile(w->null, stat->n_null, 0.99);
    stat->null_q999 = quantile(w->null, stat->n_null, 0.999);
    for (int k = 0; k < COEXPR_DEPTHS; k++) stat->above[k] = share_above(&w->t, (size_t)coexpr_depth[k], stat->null_q999);
    grn_fdr_binned(w->t.allowed, w->null, COEXPR_BINS + 1, w->q);
end:
    return rc;
}

/* ---- links ---- */

typedef struct {
    double score;
    float mutual;
    uint32_t gene;
} choice_t;

static int by_mutual(const void *a, const void *b, void *ctx)
{
    const choice_t *x = a, *y = b;
    const uint32_t *name = ctx;
    if (x->mutual != y->mutual) return x->mutual < y->mutual ? -1 : 1;
    if (fabs(x->score) != fabs(y->score)) return fabs(x->score) > fabs(y->score) ? -1 : 1;
    return (name[x->gene] > name[y->gene]) - (name[x->gene] < name[y->gene]);
}

/* The partners of a gene that may be links, best first; returns how many. */
static size_t choose(const work_t *w, size_t gene, choice_t *choice)
{
    const coexpr_partners_t *t = &w->t;
    size_t n = 0;
    for (size_t k = 0; k < t->n[gene]; k++) {
        float mutual = w->mutual ? w->mutual[gene * t->depth + k] : 0;
        if (!isnan(mutual)) choice[n++] = (choice_t){ t->best[gene * t->depth + k].score, mutual, t->best[gene * t->depth + k].gene };
    }
    if (w->mutual && n) qsort_r(choice, n, sizeof *choice, by_mutual, w->c.gene);
    return n < (size_t)w->opt->top ? n : (size_t)w->opt->top;
}

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static grn_status collect(const work_t *w, uint16_t context, list_t *l, coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    const coexpr_opt_t *opt = w->opt;
    double *all = NULL;
    choice_t *choice = NULL;
    size_t first = l->n;
    GRN_TRY(GRN_NEW(choice, w->t.depth));
    for (size_t g = 0; g < w->t.n_genes; g++) {
        size_t n = choose(w, g, choice);
        GRN_TRY(list_room(l, n));
        for (size_t k = 0; k < n; k++) {
            double strength = fabs(choice[k].score), q = w->q ? w->q[coexpr_bin((float)strength)] : NAN;
            if (strength < opt->min_score || q > opt->max_q) continue;
            l->u[l->n] = w->c.gene[g];
            l->v[l->n] = w->c.gene[choice[k].gene];
            l->score[l->n] = (float)choice[k].score;
            l->q[l->n] = (float)q;
            l->mutual[l->n] = choice[k].mutual;
            l->context[l->n++] = context;
        }
    }
    stat->n_links = l->n - first;
    if (stat->n_links == 0) goto end;
    GRN_TRY(GRN_NEW(all, stat->n_links));
    for (size_t k = 0; k < stat->n_links; k++) all[k] = fabs((double)l->score[first + k]);
    qsort(all, stat->n_links, sizeof *all, compare_double);
    stat->weakest_r = all[0];
    stat->median_r = all[stat->n_links / 2];
end:
    free(all);
    free(choice);
    return rc;
}

static grn_status do_context(work_t *w, uint16_t k, list_t *l, coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    const coexpr_opt_t *opt = w->opt;
    size_t keep = (size_t)(opt->top > opt->mutual ? opt->top : opt->mutual) + SLACK;
    GRN_TRY(coexpr_design(opt->covariate, opt->n_covariates, w->c.cell, w->c.n, &w->c.basis, &w->c.p));
    stat->n_columns = w->c.p;
    if (w->c.n - w->c.p + 1 < (size_t)opt->min_context) {
        stat->too_small = 1;
        return GRN_OK;
    }
    GRN_TRY(choose_genes(w, stat));
    if (w->c.n_genes == 0) goto end;
    GRN_TRY(find_partners(w, stat));
    GRN_TRY(compare_with_chance(w, stat));
    GRN_TRY(coexpr_partners_exact(&w->t, &w->c, &w->side, keep, w->pool));
    if (opt->mutual > 0) GRN_TRY(coexpr_mutual_rank(&w->t, (size_t)opt->mutual, w->pool, &w->mutual));
    GRN_TRY(collect(w, k, l, stat));
end:
    return rc;
}

/* Genes detected per cell and the ordered pairs that the clique would hold. */
static void clique_stat(const coexpr_store_t *s, const coexpr_groups_t *g, size_t k, coexpr_stat_t *stat)
{
    double genes = 0, pairs = 0, n = (double)(g->off[k + 1] - g->off[k]);
    for (uint64_t i = g->off[k]; i < g->off[k + 1]; i++) {
        double d = (double)coexpr_store_n(s, g->cell[i]);
        genes += d;
        pairs += d * (d - 1);
    }
    stat->mean_detected = n > 0 ? genes / n : 0;
    stat->implied = n > 0 ? pairs / n : 0;
}

static grn_status to_edges(const list_t *l, const coexpr_opt_t *opt, grn_edges_t *out)
{
    grn_status rc = GRN_OK;
    float *q = NULL, *mutual = NULL;
    GRN_TRY(grn_edges_alloc(out, l->n, "tf,gene,context,sign,weight"));
    if (opt->method != COEXPR_CLIQUE && opt->n_null > 0) GRN_TRY(grn_edges_evidence(out, "q", &q));
    if (opt->method != COEXPR_CLIQUE && opt->mutual > 0) GRN_TRY(grn_edges_evidence(out, "mutual_rank", &mutual));
    for (size_t i = 0; i < l->n; i++) {
        out->tf[i] = l->u[i];
        out->gene[i] = l->v[i];
        out->context[i] = l->context[i];
        out->sign[i] = l->score[i] < 0 ? -1 : 1;
        out->weight[i] = fabsf(l->score[i]);
        if (q) q[i] = l->q[i];
        if (mutual) mutual[i] = l->mutual[i];
    }
    if (l->n > 0) rc = grn_edges_sort(out); /* the empty list keeps its dictionaries: they are the clique */
end:
    return rc;
}

/* What the values are, and whether the options fit them. */
static grn_status value_of(const coexpr_store_t *s, const coexpr_opt_t *opt, coexpr_value *value)
{
    int logged = opt->norm == COEXPR_NORM_LOG || (opt->norm == COEXPR_NORM_AUTO && s->counts);
    *value = logged ? COEXPR_VALUE_LOG : COEXPR_VALUE_RAW;
    if (logged && s->negative)
        return grn_err(GRN_EINVAL, "--norm log needs values of at least 0; some are negative (give --norm none)");
    if (opt->method == COEXPR_PMI && opt->n_covariates > 0)
        return grn_err(GRN_EINVAL, "--residualise is for pearson, spearman and rho_p: pmi is of cells that detect a gene or not");
    return GRN_OK;
}

grn_status coexpr_links(const coexpr_store_t *s, const coexpr_groups_t *g, const coexpr_opt_t *opt, grn_par_t *pool, grn_edges_t *out,
                        coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    list_t l = { 0 };
    size_t n_used = 0;
    coexpr_value value;
    memset(out, 0, sizeof *out);
    GRN_TRY(value_of(s, opt, &value));
    GRN_TRY(grn_names_dup(&out->genes, &s->genes));
    GRN_TRY(grn_names_dup(&out->contexts, &g->names));
    for (size_t k = 0; k < g->names.n; k++) {
        stat[k] = (coexpr_stat_t){
            .n_cells = g->off[k + 1] - g->off[k], .median_r = NAN, .weakest_r = NAN, .null_q95 = NAN, .null_q99 = NAN, .null_q999 = NAN
        };
        clique_stat(s, g, k, &stat[k]);
        stat[k].too_small = stat[k].n_cells < (uint64_t)opt->min_context;
        if (!stat[k].too_small && opt->method != COEXPR_CLIQUE) {
            work_t w = { .store = s, .opt = opt, .name = grn_names_get(&g->names, k), .pool = pool };
            w.c = (coexpr_context_t){ .store = s, .cell = g->cell + g->off[k], .n = (size_t)stat[k].n_cells, .value = value };
            rc = do_context(&w, (uint16_t)k, &l, &stat[k]);
            work_clear(&w);
            if (rc != GRN_OK) goto end;
        }
        n_used += !stat[k].too_small;
    }
    if (n_used == 0) GRN_FAIL(GRN_EEMPTY, "none of %zu contexts has %lld cells", g->names.n, (long long)opt->min_context);
    if (opt->method != COEXPR_CLIQUE && l.n == 0)
        GRN_FAIL(GRN_EEMPTY, "no link with |score| >= %g and q <= %g in %zu contexts", opt->min_score, opt->max_q, n_used);
    GRN_TRY(to_edges(&l, opt, out));
end:
    list_clear(&l);
    if (rc != GRN_OK) grn_edges_clear(out);
    return rc;
}
