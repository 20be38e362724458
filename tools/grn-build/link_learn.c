/* TF -> gene links by learned importances, in blocks of genes; what a resumed run finds done, how often a link holds on a share of the
 * cells, and what importances come about by chance. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/rng.h"
#include "base/str.h"
#include "boost/boost.h"
#include "boost/forest.h"
#include "boost/ridge.h"
#include "link_priv.h"
#include "parts.h"
#include "stat/fdr.h"

#define GENES_AT_ONCE 2048
#define MAX_BINS 256

typedef struct {   /* predictors over some of the cells, or over permuted ones */
    size_t n;      /* cells */
    uint64_t *off; /* their values, sparse columns; with ridge, which takes them as they are */
    uint32_t *idx;
    float *val;
    grn_bins_t bins;    /* with the other methods */
    uint64_t *cell_key; /* (n) */
    uint32_t *place;    /* (cells of the run) among these cells; UINT32_MAX: left out. NULL: all */
} design_t;

typedef struct {
    float *v;
    size_t n, cap;
} floats_t;

typedef struct {
    grn_linker_t *l;
    const grn_colblock_t *x;
    const uint32_t *tfs;
    uint64_t *cell_hash, *name_key;
    grn_types_t types;
    uint64_t fingerprint; /* of all but the block of genes */
    grn_tfpairs_t pairs;
    floats_t null;
    size_t n_kept, n_blocks;
} learner_t;

static void design_clear(design_t *d)
{
    grn_bins_clear(&d->bins);
    free(d->off);
    free(d->idx);
    free(d->val);
    free(d->cell_key);
    free(d->place);
}

static const char *tf_name(const grn_linker_t *l, uint32_t tf)
{
    size_t n = l->rna.info->n_cols;
    return tf < n ? grn_names_get(&l->rna.info->col, tf) : grn_names_get(&l->absent, tf - n);
}

/* ---- designs ---- */

/* Bins of the columns, instead of them, unless ridge wants them. */
static grn_status bin_design(const learner_t *a, design_t *d)
{
    if (a->l->opt->method == GRN_LINK_RIDGE) return GRN_OK;
    grn_status rc = grn_bins_init(&d->bins, d->n, a->x->n, d->off, d->idx, d->val, MAX_BINS, grn_common.pool);
    free(d->off);
    free(d->idx);
    free(d->val);
    d->off = NULL;
    d->idx = NULL;
    d->val = NULL;
    return rc;
}

typedef struct {
    uint64_t key;
    uint32_t cell;
    int32_t type;
} keyed_t;

static int by_key(const void *a, const void *b)
{
    const keyed_t *x = a, *y = b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

static grn_status keyed_cells(const learner_t *a, const char *stage, uint64_t run, int by_type, keyed_t **out)
{
    grn_status rc = GRN_NEW_RAW(*out, a->l->cells.n);
    for (size_t i = 0; i < a->l->cells.n && !rc; i++)
        (*out)[i] = (keyed_t){ grn_rng_key(grn_common.seed, stage, a->cell_hash[i], run), (uint32_t)i,
                               by_type ? a->types.code[a->l->cells.a[i]] : 0 };
    return rc;
}

/* The columns over d->n cells, each cell where `place` has it (UINT32_MAX: nowhere; NULL: where it is). */
static grn_status fill_design(const learner_t *a, const uint32_t *place, design_t *d)
{
    grn_status rc = GRN_OK;
    const grn_colblock_t *x = a->x;
    uint64_t m = 0;
    float *dense = NULL;
    GRN_TRY(GRN_NEW(d->off, x->n + 1));
    GRN_TRY(GRN_NEW_RAW(d->idx, x->off[x->n]));
    GRN_TRY(GRN_NEW_RAW(d->val, x->off[x->n]));
    GRN_TRY(GRN_NEW(dense, d->n));
    for (size_t j = 0; j < x->n; j++) {
        for (uint64_t k = x->off[j]; k < x->off[j + 1]; k++) {
            uint32_t i = place ? place[x->idx[k]] : x->idx[k];
            if (i != UINT32_MAX) dense[i] = x->val[k];
        }
        for (size_t i = 0; i < d->n; i++) { /* in order again */
            if (dense[i] == 0) continue;
            d->idx[m] = (uint32_t)i;
            d->val[m++] = dense[i];
            dense[i] = 0;
        }
        d->off[j + 1] = m;
    }
    GRN_TRY(bin_design(a, d));
end:
    free(dense);
    return rc;
}

static grn_status whole_design(const learner_t *a, design_t *d)
{
    grn_status rc = GRN_OK;
    d->n = a->l->cells.n;
    GRN_TRY(GRN_NEW_RAW(d->cell_key, d->n));
    memcpy(d->cell_key, a->cell_hash, d->n * sizeof *d->cell_key);
    GRN_TRY(fill_design(a, NULL, d));
end:
    return rc;
}

/* A share of the cells, chosen by name. */
static grn_status part_design(const learner_t *a, uint64_t run, design_t *d)
{
    grn_status rc = GRN_OK;
    keyed_t *v = NULL;
    size_t n = a->l->cells.n, kept = (size_t)(a->l->opt->learn.stability_cells * (double)n), m = 0;
    GRN_TRY(keyed_cells(a, "link.stability", run, 0, &v));
    qsort(v, n, sizeof *v, by_key);
    GRN_TRY(GRN_NEW_RAW(d->place, n));
    GRN_TRY(GRN_NEW_RAW(d->cell_key, kept));
    memset(d->place, 0xff, n * sizeof *d->place);
    for (size_t i = 0; i < kept; i++) d->place[v[i].cell] = 0;
    for (size_t i = 0; i < n; i++) {
        if (d->place[i]) continue;
        d->cell_key[m] = a->cell_hash[i];
        d->place[i] = (uint32_t)m++;
    }
    d->n = kept;
    GRN_TRY(fill_design(a, d->place, d));
end:
    free(v);
    return rc;
}

/* Every cell with the TFs of another of its type. */
static grn_status null_design(const learner_t *a, uint64_t run, design_t *d)
{
    grn_status rc = GRN_OK;
    keyed_t *from = NULL, *to = NULL;
    uint32_t *place = NULL;
    size_t n = a->l->cells.n;
    GRN_TRY(keyed_cells(a, "link.null.from", run, 1, &from));
    GRN_TRY(keyed_cells(a, "link.null.to", run, 1, &to));
    qsort(from, n, sizeof *from, by_key);
    qsort(to, n, sizeof *to, by_key);
    GRN_TRY(GRN_NEW_RAW(place, n));
    for (size_t i = 0; i < n; i++) place[from[i].cell] = to[i].cell;
    d->n = n;
    GRN_TRY(fill_design(a, place, d));
    GRN_TRY(GRN_NEW_RAW(d->cell_key, n));
    memcpy(d->cell_key, a->cell_hash, n * sizeof *d->cell_key);
end:
    free(from);
    free(to);
    free(place);
    return rc;
}

/* ---- a block of genes ---- */

typedef struct {
    learner_t *a;
    const uint32_t *genes; /* (n) columns of rna */
    const grn_colblock_t *gene;
    size_t n;
    const design_t *design;
    grn_boost_target_t *target; /* (n) */
    uint32_t *idx;              /* of targets on a share of the cells */
    float *val;
    grn_tfpairs_t *pairs; /* (n); tf: column of x */
    float *null;          /* (runs, n, x->n) importances with permuted TFs */
    size_t run;           /* of them, at hand */
} block_t;

static void block_clear(block_t *b)
{
    for (size_t t = 0; b->pairs && t < b->n; t++) free(b->pairs[t].v);
    free(b->pairs);
    free(b->null);
    free(b->target);
    free(b->idx);
    free(b->val);
}

static grn_status set_targets(block_t *b, const design_t *d)
{
    grn_status rc = GRN_OK;
    const grn_colblock_t *y = b->gene;
    uint64_t m = 0;
    b->design = d;
    if (d->place && !b->idx) {
        GRN_TRY(GRN_NEW_RAW(b->idx, y->off[b->n]));
        GRN_TRY(GRN_NEW_RAW(b->val, y->off[b->n]));
    }
    for (size_t t = 0; t < b->n; t++) {
        grn_spcol_t *s = &b->target[t].y;
        uint64_t from = y->off[t], n = y->off[t + 1] - from, begin = m;
        *s = (grn_spcol_t){ d->n, n, y->idx + from, y->val + from };
        if (!d->place) continue;
        for (uint64_t k = from; k < from + n; k++) {
            if (d->place[y->idx[k]] == UINT32_MAX) continue;
            b->idx[m] = d->place[y->idx[k]];
            b->val[m++] = y->val[k];
        }
        *s = (grn_spcol_t){ d->n, m - begin, b->idx + begin, b->val + begin };
    }
end:
    return rc;
}

/* As arboreto has it: the better a gene is predicted, the more trees, the more weight. */
static float scaled(const learner_t *a, double share, size_t n_trees)
{
    return (float)(a->l->opt->method == GRN_LINK_GRNBOOST ? share * (double)n_trees : share);
}

static grn_status keep_pairs(void *ctx, size_t t, size_t n_trees, const double *importance, int worker)
{
    grn_status rc = GRN_OK;
    block_t *b = ctx;
    grn_tfpairs_t *p = &b->pairs[t];
    (void)worker;
    for (size_t j = 0; j < b->a->x->n; j++) {
        float x = scaled(b->a, importance[j], n_trees);
        if (!(x > 0)) continue;
        GRN_TRY(GRN_GROW(p->v, p->cap, p->n + 1));
        p->v[p->n++] = (grn_tfpair_t){ (uint32_t)j, b->genes[t], 0, 0, (float)importance[j], x, 0, 0 };
    }
    grn_progress_add(1);
end:
    return rc;
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The importance of the `k`-th strongest; 0 when fewer have any. */
static grn_status kth_strongest(const double *importance, size_t n, size_t k, double *out)
{
    double *v;
    size_t m = 0;
    grn_status rc = GRN_NEW_RAW(v, n);
    if (rc) return rc;
    for (size_t j = 0; j < n; j++)
        if (importance[j] > 0) v[m++] = importance[j];
    if (m) qsort(v, m, sizeof *v, descending);
    *out = m > k ? v[k - 1] : 0;
    free(v);
    return GRN_OK;
}

static grn_status count_support(void *ctx, size_t t, size_t n_trees, const double *importance, int worker)
{
    block_t *b = ctx;
    double least;
    (void)n_trees, (void)worker;
    grn_status rc = kth_strongest(importance, b->a->x->n, b->a->l->opt->learn.stability_top, &least);
    for (size_t k = 0; k < b->pairs[t].n && !rc; k++) {
        double x = importance[b->pairs[t].v[k].tf];
        b->pairs[t].v[k].support += x > 0 && x >= least;
    }
    grn_progress_add(1);
    return rc;
}

static grn_status keep_null(void *ctx, size_t t, size_t n_trees, const double *importance, int worker)
{
    block_t *b = ctx;
    size_t p = b->a->x->n;
    float *x = b->null + (b->run * b->n + t) * p;
    (void)worker;
    for (size_t j = 0; j < p; j++) x[j] = scaled(b->a, importance[j], n_trees);
    grn_progress_add(1);
    return GRN_OK;
}

static grn_status learn(block_t *b, const design_t *d, uint64_t seed, grn_boost_fn fn)
{
    const learner_t *a = b->a;
    grn_boost_space_t space = { &d->bins, d->cell_key, a->name_key, NULL, a->x->n };
    grn_status rc = set_targets(b, d);
    if (rc) return rc;
    if (a->l->opt->method == GRN_LINK_RIDGE) {
        grn_ridge_space_t values = { d->n, a->x->n, d->off, d->idx, d->val, d->cell_key, a->name_key };
        return grn_ridge_many(&values, b->target, b->n, grn_common.pool, fn, b, NULL);
    }
    if (a->l->opt->method == GRN_LINK_GENIE3) {
        grn_forest_opt_t o = GRN_FOREST_OPT_GENIE3;
        o.seed = seed;
        return grn_forest_many(&o, &space, b->target, b->n, grn_common.pool, fn, b);
    }
    grn_boost_opt_t o = GRN_BOOST_OPT_GRNBOOST2;
    o.seed = seed;
    o.max_trees = a->l->opt->learn.max_trees;
    return grn_boost_many(&o, &space, b->target, b->n, grn_common.pool, fn, b);
}

static grn_status correlate_pairs(void *ctx, size_t begin, size_t end, int worker)
{
    block_t *b = ctx;
    const learner_t *a = b->a;
    float *val = a->l->scratch[worker], *rank = val + a->l->cells.n;
    for (size_t t = begin; t < end; t++) {
        grn_corr_spread(&b->gene->corr, t, val, rank);
        for (size_t k = 0; k < b->pairs[t].n; k++) {
            grn_tfpair_t *p = &b->pairs[t].v[k];
            double r, s;
            grn_corr_pair(&a->x->corr, p->tf, &b->gene->corr, t, val, rank, &r, &s);
            p->pearson = (float)r;
            p->spearman = (float)s;
        }
        grn_corr_drop(&b->gene->corr, t, val, rank);
    }
    return GRN_OK;
}

static uint64_t run_seed(uint64_t kind, uint64_t run)
{
    return kind == 0 ? grn_common.seed : grn_rng_key(grn_common.seed, "link.run", kind, run);
}

static grn_status learn_block(learner_t *a, const design_t *whole, const design_t *part, const design_t *null, block_t *b)
{
    grn_status rc = GRN_OK;
    const grn_learn_opt_t *o = &a->l->opt->learn;
    GRN_TRY(GRN_NEW(b->pairs, b->n));
    GRN_TRY(GRN_NEW_RAW(b->null, o->null * b->n * a->x->n));
    GRN_TRY(learn(b, whole, run_seed(0, 0), keep_pairs));
    for (uint64_t k = 0; k < o->stability; k++) GRN_TRY(learn(b, &part[k], run_seed(1, k), count_support));
    for (b->run = 0; b->run < o->null; b->run++) GRN_TRY(learn(b, &null[b->run], run_seed(2, b->run), keep_null));
    GRN_TRY(grn_par_for(grn_common.pool, b->n, GENES_PER_CHUNK, correlate_pairs, b));
end:
    return rc;
}

/* ---- results, and their parts on disk ---- */

static grn_status append_pairs(grn_tfpairs_t *to, const grn_tfpair_t *v, size_t n)
{
    grn_status rc = GRN_GROW(to->v, to->cap, to->n + n);
    if (rc) return rc;
    if (n) memcpy(to->v + to->n, v, n * sizeof *v);
    to->n += n;
    return GRN_OK;
}

static grn_status append_floats(floats_t *to, const float *v, size_t n)
{
    grn_status rc = GRN_GROW(to->v, to->cap, to->n + n);
    if (rc) return rc;
    if (n) memcpy(to->v + to->n, v, n * sizeof *v);
    to->n += n;
    return GRN_OK;
}

/* What the importance of a TF for a gene exceeds its mean with permuted TFs by; and the same of each null run over the others, where
 * it is above 0. */
static grn_status exceed(const block_t *b, size_t t, floats_t *null)
{
    grn_status rc = GRN_OK;
    size_t p = b->a->x->n, runs = b->a->l->opt->learn.null;
    for (size_t k = 0; k < b->pairs[t].n && runs; k++) {
        grn_tfpair_t *pair = &b->pairs[t].v[k];
        double sum = 0;
        for (size_t r = 0; r < runs; r++) sum += b->null[(r * b->n + t) * p + pair->tf];
        pair->excess = (float)(pair->importance - sum / (double)runs);
    }
    for (size_t j = 0; j < p && runs; j++) {
        double sum = 0;
        for (size_t r = 0; r < runs; r++) sum += b->null[(r * b->n + t) * p + j];
        for (size_t r = 0; r < runs && sum > 0; r++) {
            double x = b->null[(r * b->n + t) * p + j];
            float d = (float)(x - (sum - x) / (double)(runs - 1));
            if (d > 0) GRN_TRY(append_floats(null, &d, 1));
        }
    }
end:
    return rc;
}

/* The block's pairs with TF ids, and its null. */
static grn_status gather_block(const block_t *b, grn_tfpairs_t *pairs, floats_t *null)
{
    grn_status rc = GRN_OK;
    const learner_t *a = b->a;
    for (size_t t = 0; t < b->n; t++) {
        GRN_TRY(exceed(b, t, null));
        for (size_t k = 0; k < b->pairs[t].n; k++) {
            grn_tfpair_t *p = &b->pairs[t].v[k];
            p->tf = a->tfs[p->tf];
            if (a->l->opt->learn.stability) p->support /= (float)a->l->opt->learn.stability;
        }
        GRN_TRY(append_pairs(pairs, b->pairs[t].v, b->pairs[t].n));
    }
end:
    return rc;
}

/* A part: the pairs as edges, and what null runs exceed each other by as weights alone. */
static grn_status save_part(const grn_linker_t *l, const grn_tfpairs_t *pairs, const floats_t *null, const char *path)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 }, none = { 0 };
    grn_str_t null_path = { 0 };
    GRN_TRY(grn_edges_alloc(&none, null->n, "weight"));
    if (null->n) memcpy(none.weight, null->v, null->n * sizeof *null->v);
    GRN_TRY(grn_str_printf(&null_path, "%.*s.null.edges.zst", (int)(strlen(path) - strlen(".edges.zst")), path));
    GRN_TRY(grn_edges_save(&none, null_path.s, NULL, grn_common.pool));
    GRN_TRY(grn_link_tf_edges(l, pairs, 0, NULL, &e));
    GRN_TRY(grn_edges_sort(&e));
    GRN_TRY(grn_edges_save(&e, path, NULL, grn_common.pool));
end:
    grn_edges_clear(&e);
    grn_edges_clear(&none);
    grn_str_clear(&null_path);
    return rc;
}

static grn_status load_part(const learner_t *a, const char *path, grn_tfpairs_t *pairs, floats_t *null)
{
    grn_status rc = GRN_OK;
    const grn_linker_t *l = a->l;
    grn_edges_t e = { 0 }, none = { 0 };
    grn_str_t null_path = { 0 };
    GRN_TRY(grn_str_printf(&null_path, "%.*s.null.edges.zst", (int)(strlen(path) - strlen(".edges.zst")), path));
    GRN_TRY(grn_edges_load(path, grn_common.pool, &e));
    GRN_TRY(grn_edges_load(null_path.s, grn_common.pool, &none));
    const float *rho = grn_edges_find_evidence(&e, "rho_tg"), *rho_sp = grn_edges_find_evidence(&e, "rho_sp_tg");
    const float *importance = grn_edges_find_evidence(&e, "importance_tg"), *support = grn_edges_find_evidence(&e, "support_tg");
    const float *excess = grn_edges_find_evidence(&e, "excess_tg");
    if (e.n && (!e.tf || !e.gene || !e.weight || !rho || !rho_sp || !importance))
        GRN_FAIL(GRN_EFORMAT, "'%s' is no part of this run", path);
    for (size_t k = 0; k < e.n; k++) {
        const char *tf = grn_names_get(&e.genes, e.tf[k]);
        size_t i = grn_names_find(&l->rna.info->col, tf), g = grn_names_find(&l->rna.info->col, grn_names_get(&e.genes, e.gene[k]));
        if (i == GRN_NAMES_NONE) {
            i = grn_names_find(&l->absent, tf);
            if (i != GRN_NAMES_NONE) i += l->rna.info->n_cols;
        }
        if (i == GRN_NAMES_NONE || g == GRN_NAMES_NONE) GRN_FAIL(GRN_EFORMAT, "'%s' is no part of this run", path);
        grn_tfpair_t p = { (uint32_t)i,           (uint32_t)g, rho[k], rho_sp[k], e.weight[k], importance[k], support ? support[k] : 0,
                           excess ? excess[k] : 0 };
        GRN_TRY(append_pairs(pairs, &p, 1));
    }
    GRN_TRY(append_floats(null, none.weight, none.n));
end:
    grn_edges_clear(&e);
    grn_edges_clear(&none);
    grn_str_clear(&null_path);
    return rc;
}

static uint64_t mix_columns(uint64_t h, const grn_colblock_t *b)
{
    h = grn_parts_mix(h, b->off, (b->n + 1) * sizeof *b->off);
    h = grn_parts_mix(h, b->idx, b->off[b->n] * sizeof *b->idx);
    return grn_parts_mix(h, b->val, b->off[b->n] * sizeof *b->val);
}

/* Of the cells, their types, the TFs and the options. */
static uint64_t fingerprint(const learner_t *a)
{
    const grn_learn_opt_t *o = &a->l->opt->learn;
    uint64_t h = grn_parts_mix_name(0, "link 1");
    uint64_t number[] = { grn_common.seed, (uint64_t)a->l->opt->method, o->max_trees, o->stability, o->stability_top, o->null };
    h = grn_parts_mix(h, number, sizeof number);
    h = grn_parts_mix(h, &o->stability_cells, sizeof o->stability_cells);
    h = grn_parts_mix(h, a->cell_hash, a->l->cells.n * sizeof *a->cell_hash);
    if (o->null)
        for (size_t i = 0; i < a->l->cells.n; i++) h = grn_parts_mix(h, &a->types.code[a->l->cells.a[i]], sizeof *a->types.code);
    h = grn_parts_mix(h, a->name_key, a->x->n * sizeof *a->name_key);
    return mix_columns(h, a->x);
}

static uint64_t block_fingerprint(const block_t *b)
{
    uint64_t h = b->a->fingerprint;
    for (size_t t = 0; t < b->n; t++) h = grn_parts_mix_name(h, grn_names_get(&b->a->l->rna.info->col, b->genes[t]));
    return mix_columns(h, b->gene);
}

typedef struct {
    design_t whole, *part, *null;
} designs_t;

static grn_status set_selves(block_t *b)
{
    grn_status rc = GRN_NEW(b->target, b->n);
    for (size_t t = 0; t < b->n && !rc; t++) {
        b->target[t].self = GRN_TREE_NOBODY;
        for (size_t j = 0; j < b->a->x->n; j++)
            if (b->a->tfs[j] == b->genes[t]) b->target[t].self = (uint32_t)j;
    }
    return rc;
}

static grn_status do_block(learner_t *a, const designs_t *d, const uint32_t *genes, size_t n)
{
    grn_status rc = GRN_OK;
    grn_colblock_t gene = { 0 };
    grn_str_t path = { 0 };
    block_t b = { .a = a, .genes = genes, .n = n, .gene = &gene };
    grn_tfpairs_t pairs = { 0 };
    floats_t null = { 0 };
    const grn_learn_opt_t *o = &a->l->opt->learn;
    GRN_TRY(grn_colblock_load(&a->l->rna, genes, n, grn_common.pool, &gene));
    if (o->resume) GRN_TRY(grn_parts_path(a->l->opt->out_tg, block_fingerprint(&b), ".edges.zst", &path));
    if (o->resume && !access(path.s, R_OK)) {
        GRN_TRY(load_part(a, path.s, &pairs, &null));
        grn_progress_add(n * (1 + o->stability + o->null));
        a->n_kept++;
    } else {
        GRN_TRY(set_selves(&b));
        GRN_TRY(learn_block(a, &d->whole, d->part, d->null, &b));
        GRN_TRY(gather_block(&b, &pairs, &null));
        if (o->resume) GRN_TRY(save_part(a->l, &pairs, &null, path.s));
    }
    a->n_blocks++;
    GRN_TRY(append_pairs(&a->pairs, pairs.v, pairs.n));
    GRN_TRY(append_floats(&a->null, null.v, null.n));
end:
    free(pairs.v);
    free(null.v);
    grn_str_clear(&path);
    block_clear(&b);
    grn_colblock_clear(&gene);
    return rc;
}

/* Of the excess of each link. */
static grn_status q_values(learner_t *a, float **q)
{
    grn_status rc = GRN_OK;
    float *excess = NULL;
    GRN_TRY(GRN_NEW_RAW(*q, a->pairs.n));
    GRN_TRY(GRN_NEW_RAW(excess, a->pairs.n));
    for (size_t i = 0; i < a->pairs.n; i++) excess[i] = a->pairs.v[i].excess;
    GRN_TRY(grn_fdr_null(excess, a->pairs.n, a->null.v, a->null.n, a->l->opt->learn.null, *q));
end:
    free(excess);
    return rc;
}

/* ---- the whole ---- */

static grn_status make_designs(const learner_t *a, designs_t *d)
{
    grn_status rc = GRN_OK;
    const grn_learn_opt_t *o = &a->l->opt->learn;
    GRN_TRY(whole_design(a, &d->whole));
    if (d->whole.bins.n_binned)
        grn_log_info("%zu of %zu TFs have more than %d different values: binned", d->whole.bins.n_binned, a->x->n, MAX_BINS);
    GRN_TRY(GRN_NEW(d->part, o->stability));
    for (uint64_t k = 0; k < o->stability; k++) GRN_TRY(part_design(a, k, &d->part[k]));
    GRN_TRY(GRN_NEW(d->null, o->null));
    for (uint64_t k = 0; k < o->null; k++) GRN_TRY(null_design(a, k, &d->null[k]));
end:
    return rc;
}

static void clear_designs(const grn_learn_opt_t *o, designs_t *d)
{
    design_clear(&d->whole);
    for (uint64_t k = 0; d->part && k < o->stability; k++) design_clear(&d->part[k]);
    for (uint64_t k = 0; d->null && k < o->null; k++) design_clear(&d->null[k]);
    free(d->part);
    free(d->null);
}

static grn_status learner_init(learner_t *a)
{
    grn_status rc = GRN_OK;
    const grn_linker_t *l = a->l;
    GRN_TRY(GRN_NEW_RAW(a->cell_hash, l->cells.n));
    GRN_TRY(GRN_NEW_RAW(a->name_key, a->x->n));
    for (size_t i = 0; i < l->cells.n; i++) a->cell_hash[i] = grn_hash_str(grn_names_get(&l->rna.info->row, l->cells.a[i]));
    for (size_t j = 0; j < a->x->n; j++) a->name_key[j] = grn_hash_str(tf_name(l, a->tfs[j]));
    GRN_TRY(grn_types_load(l->rna.info, NULL, NULL, &a->types));
    if (l->opt->learn.null) {
        if (a->types.is_default) grn_log_info("null: TFs permuted over all cells; with cell types (--cells) over those of a type");
        else grn_log_info("null: TFs permuted over the cells of each of %zu types", a->types.types.n);
    }
    a->fingerprint = fingerprint(a);
end:
    return rc;
}

grn_status grn_link_learn(grn_linker_t *l, const uint32_t *tfs, const grn_colblock_t *x, grn_tfpairs_t *out, float **q)
{
    grn_status rc = GRN_OK;
    const grn_learn_opt_t *o = &l->opt->learn;
    learner_t a = { .l = l, .x = x, .tfs = tfs };
    designs_t d = { 0 };
    uint32_t *genes = NULL;
    size_t n = 0;
    GRN_TRY(GRN_NEW_RAW(genes, l->n_genes));
    for (size_t k = o->shard - 1; k < l->n_genes; k += o->n_shard) genes[n++] = l->genes[k];
    GRN_TRY(learner_init(&a));
    GRN_TRY(make_designs(&a, &d));
    grn_progress_begin((uint64_t)n * (1 + o->stability + o->null), "genes x runs");
    for (size_t k = 0, m; k < n; k += m) {
        size_t most = n - k < GENES_AT_ONCE ? n - k : GENES_AT_ONCE;
        m = grn_colblock_fit(&l->rna, genes, k, k + most, l->budget / 2);
        GRN_TRY(do_block(&a, &d, genes + k, m));
    }
    grn_progress_end();
    if (a.n_kept) grn_log_info("resume: %zu of %zu blocks of genes were there", a.n_kept, a.n_blocks);
    if (o->null) GRN_TRY(q_values(&a, q));
    *out = a.pairs;
    a.pairs.v = NULL;
end:
    grn_progress_end();
    clear_designs(o, &d);
    grn_types_clear(&a.types);
    free(genes);
    free(a.pairs.v);
    free(a.null.v);
    free(a.cell_hash);
    free(a.name_key);
    return rc;
}
