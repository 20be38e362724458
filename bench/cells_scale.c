/* Counts of an atlas of nuclei, of the shape of SEA-AD: cells x genes as grn.matrix/1 (CSR) with the attributes cell_type and donor,
 * streamed in blocks (memory grows with the cells' names only), and the regulons behind them. For measuring size and speed with
 * something to find; for regulation down to motifs and fragments see grn-sim.
 *
 *     cells_scale OUT DIR [-n CELLS] [-g GENES] [-k NONZEROS] [-r REGULONS] [-t TYPES] [-d DONORS] [-s SEED] [-@ THREADS]
 *
 * OUT "-" is stdout. DIR gets regulons.gmt, edges.tsv (TF, target, importance), edges.tensor.zst (the same by cell type, where a
 * regulon has cells) and truth.tensor.zst (cells x regulons of 0 and 1; not with -n above 200,000 unless -T).
 *
 * Model. A gene has a log-normal rate, times a log-normal factor of each type (one gene in ten: a marker, with a wide one). A regulon
 * (50-500 targets, its TF among them) raises its targets by 2 to 6 times in the cells where it is on: in a share (0.2-0.9) of the cells
 * of one to six types. A cell's depth is log-normal, by type and donor too. Counts: a Poisson number of draws from the cell's rates
 * (alias tables of the type and of every regulon that is on, Walker 1977), each a cluster of logarithmic size: so every gene is
 * negative binomial with variance/mean = 1/(1 - Q) (Quenouille 1949). What a cell gets is a function of seed and barcode: the first
 * cells of a larger run are those of a smaller one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "io/edges.h"
#include "io/gmt.h"
#include "io/matrix.h"

#define Q 0.25      /* of the clusters' sizes */
#define BLOCK 2048  /* cells in memory */
#define GRAIN 32    /* cells of one piece of work */
#define MAX_ON 1024 /* regulons */

typedef struct { /* a column of an alias table: its own item below `cut`, else the other one */
    uint32_t cut, other;
} alias_t;

typedef struct {
    size_t C, G, R, T, D;
    double nonzeros;
    uint64_t seed;
    int64_t threads;
    int all_truth;
    const char *out, *dir;
} option_t;

typedef struct {
    option_t o;
    grn_names_t gene, regulon, type, donor;
    double *base;      /* (G) rates, sum 1 */
    alias_t *of_type;  /* (T, G) */
    grn_gmt_t set;     /* regulons and their genes, TF first */
    alias_t *of_set;   /* (set.off[R]) */
    double *raises;    /* (R) by what a regulon that is on adds to a total of 1 */
    float *share;      /* (T, R) of the type's cells in which it is on; 0: none */
    double *type_cdf;  /* (T) */
    double *donor_cdf; /* (D) */
    double *type_depth, *donor_depth;
    double depth; /* clusters of a cell, median */
    uint8_t size[256];
} model_t;

typedef struct { /* splitmix64 */
    uint64_t s;
} stream_t;

static inline uint64_t next(stream_t *s)
{
    return grn_rng_mix(s->s += 0x9e3779b97f4a7c15u);
}

static grn_status make_alias(const double *w, size_t n, alias_t *a)
{
    grn_status rc = GRN_OK;
    double sum = 0, *p = NULL;
    uint32_t *small = NULL, *large = NULL;
    size_t n_small = 0, n_large = 0;
    GRN_TRY(GRN_NEW(p, n));
    GRN_TRY(GRN_NEW(small, n));
    GRN_TRY(GRN_NEW(large, n));
    for (size_t i = 0; i < n; i++) sum += w[i];
    for (size_t i = 0; i < n; i++) {
        p[i] = w[i] / sum * (double)n;
        if (p[i] < 1) small[n_small++] = (uint32_t)i;
        else large[n_large++] = (uint32_t)i;
    }
    while (n_small && n_large) {
        uint32_t s = small[--n_small], l = large[n_large - 1];
        a[s] = (alias_t){ (uint32_t)(p[s] * 0x1p32), l };
        p[l] -= 1 - p[s];
        if (p[l] < 1) n_large--, small[n_small++] = l;
    }
    while (n_large) n_large--, a[large[n_large]] = (alias_t){ UINT32_MAX, large[n_large] };
    while (n_small) n_small--, a[small[n_small]] = (alias_t){ UINT32_MAX, small[n_small] };
end:
    free(p);
    free(small);
    free(large);
    return rc;
}

static inline size_t draw(const alias_t *a, size_t n, stream_t *s)
{
    unsigned __int128 x = (unsigned __int128)next(s) * n;
    size_t i = (size_t)(x >> 64);
    return (uint32_t)((uint64_t)x >> 32) < a[i].cut ? i : a[i].other;
}

/* Shares that fall like a power of the rank, as a cumulative sum. */
static void zipf(double *cdf, size_t n, double power)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) cdf[i] = sum += pow((double)(i + 1), -power);
    for (size_t i = 0; i < n; i++) cdf[i] /= sum;
}

static size_t pick(const double *cdf, size_t n, double u)
{
    size_t i = 0;
    while (i + 1 < n && u >= cdf[i]) i++;
    return i;
}

/* ---- the model ---- */

static grn_status numbered(grn_names_t *d, const char *format, size_t n)
{
    char name[64];
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < n && !rc; i++) {
        snprintf(name, sizeof name, format, i + 1);
        rc = grn_names_add(d, name, NULL, NULL);
    }
    return rc;
}

static grn_status make_names(model_t *m)
{
    const option_t *o = &m->o;
    grn_status rc = GRN_OK;
    GRN_TRY(numbered(&m->gene, "TF%03zu", o->R));
    GRN_TRY(numbered(&m->gene, "GENE%05zu", o->G - o->R));
    for (size_t r = 0; r < o->R; r++) {
        char name[64];
        snprintf(name, sizeof name, "%s_+", grn_names_get(&m->gene, r));
        GRN_TRY(grn_names_add(&m->regulon, name, NULL, NULL));
    }
    GRN_TRY(numbered(&m->type, "type%02zu", o->T));
    GRN_TRY(numbered(&m->donor, "donor%02zu", o->D));
end:
    return rc;
}

static grn_status make_rates(model_t *m)
{
    const option_t *o = &m->o;
    grn_status rc = GRN_OK;
    double sum = 0, *rate = NULL;
    grn_rng_t rng;
    GRN_TRY(GRN_NEW(m->base, o->G));
    GRN_TRY(GRN_NEW(rate, o->G));
    GRN_TRY(GRN_NEW_RAW(m->of_type, o->T * o->G));
    grn_rng_init(&rng, o->seed, "cells_scale.base", 0);
    for (size_t g = 0; g < o->G; g++)
        sum += m->base[g] = exp((g < o->R ? 0.9 : 1.9) * grn_rng_normal(&rng)); /* TFs: neither rare nor frequent */
    for (size_t g = 0; g < o->G; g++) m->base[g] /= sum;
    for (size_t t = 0; t < o->T; t++) {
        grn_rng_init(&rng, o->seed, "cells_scale.type", t);
        for (size_t g = 0; g < o->G; g++) {
            double sd = grn_rng_unif(&rng) < 0.1 ? 1.5 : 0.3;
            rate[g] = m->base[g] * exp(sd * grn_rng_normal(&rng));
        }
        GRN_TRY(make_alias(rate, o->G, m->of_type + t * o->G));
    }
end:
    free(rate);
    return rc;
}

/* Regulon r: its TF, then targets of the upper two thirds of the rates. */
static grn_status make_regulon(model_t *m, size_t r, double least, uint8_t *taken)
{
    grn_status rc = GRN_OK;
    const option_t *o = &m->o;
    grn_gmt_t *s = &m->set;
    grn_rng_t rng;
    double sum = 0, rate[500];
    grn_rng_init(&rng, o->seed, "cells_scale.regulon", r);
    size_t n = (size_t)(50 * pow(10, grn_rng_unif(&rng))), k = 1;
    uint32_t *gene = s->gene + s->off[r];
    if (n > (o->G - o->R) / 3) n = (o->G - o->R) / 3;
    gene[0] = (uint32_t)r;
    memset(taken, 0, o->G);
    while (k < n) {
        size_t g = o->R + (size_t)grn_rng_below(&rng, o->G - o->R);
        if (taken[g] || m->base[g] < least) continue;
        taken[g] = 1;
        gene[k++] = (uint32_t)g;
    }
    for (size_t i = 0; i < n; i++) sum += rate[i] = m->base[gene[i]];
    s->off[r + 1] = s->off[r] + n;
    m->raises[r] = sum * (1 + 4 * grn_rng_unif(&rng));
    for (size_t i = 1 + grn_rng_below(&rng, 6); i-- > 0;)
        m->share[grn_rng_below(&rng, o->T) * o->R + r] = (float)(0.2 + 0.7 * grn_rng_unif(&rng));
    GRN_TRY(make_alias(rate, n, m->of_set + s->off[r]));
    s->desc[r] = strdup(grn_names_get(&m->gene, r));
    if (!s->desc[r]) GRN_FAIL(GRN_ENOMEM, "out of memory");
end:
    return rc;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static grn_status make_regulons(model_t *m)
{
    const option_t *o = &m->o;
    grn_status rc = GRN_OK;
    uint8_t *taken = NULL;
    double *sorted = NULL;
    GRN_TRY(GRN_NEW(m->set.off, o->R + 1));
    GRN_TRY(GRN_NEW(m->set.gene, o->R * 500));
    GRN_TRY(GRN_NEW(m->set.desc, o->R));
    GRN_TRY(GRN_NEW(m->of_set, o->R * 500));
    GRN_TRY(GRN_NEW(m->raises, o->R));
    GRN_TRY(GRN_NEW(m->share, o->T * o->R));
    GRN_TRY(GRN_NEW(taken, o->G));
    GRN_TRY(GRN_NEW(sorted, o->G));
    memcpy(sorted, m->base, o->G * sizeof *sorted);
    qsort(sorted, o->G, sizeof *sorted, ascending);
    m->set.n = o->R;
    GRN_TRY(grn_names_dup(&m->set.sets, &m->regulon));
    GRN_TRY(grn_names_dup(&m->set.genes, &m->gene));
    for (size_t r = 0; r < o->R; r++) GRN_TRY(make_regulon(m, r, sorted[o->G / 3], taken));
end:
    free(taken);
    free(sorted);
    return rc;
}

static grn_status make_groups(model_t *m)
{
    const option_t *o = &m->o;
    grn_status rc = GRN_OK;
    grn_rng_t rng;
    double p = Q / -log(1 - Q), cdf = p;
    GRN_TRY(GRN_NEW(m->type_cdf, o->T));
    GRN_TRY(GRN_NEW(m->donor_cdf, o->D));
    GRN_TRY(GRN_NEW(m->type_depth, o->T));
    GRN_TRY(GRN_NEW(m->donor_depth, o->D));
    grn_rng_init(&rng, o->seed, "cells_scale.depth", 0);
    zipf(m->type_cdf, o->T, 1.2);
    zipf(m->donor_cdf, o->D, 0.3);
    for (size_t t = 0; t < o->T; t++) m->type_depth[t] = exp(0.3 * grn_rng_normal(&rng));
    for (size_t d = 0; d < o->D; d++) m->donor_depth[d] = exp(0.2 * grn_rng_normal(&rng));
    for (int i = 0, k = 1; i < 256; i++) { /* sizes of clusters by their quantiles */
        while ((i + 0.5) / 256 > cdf && k < 255) k++, p *= Q * (k - 1) / k, cdf += p;
        m->size[i] = (uint8_t)k;
    }
end:
    return rc;
}

/* ---- cells ---- */

typedef struct {
    size_t type, donor, n_on;
    double depth;
    uint32_t on[MAX_ON];
    stream_t s;
} cell_t;

static void barcode(size_t c, char name[19])
{
    uint32_t x = (uint32_t)c * 2654435761u; /* odd: one to one */
    for (int i = 0; i < 16; i++, x >>= 2) name[i] = "ACGT"[x & 3];
    memcpy(name + 16, "-1", 3);
}

static void make_cell(const model_t *m, size_t c, cell_t *x)
{
    char name[19];
    grn_rng_t rng;
    barcode(c, name);
    grn_rng_init(&rng, m->o.seed, "cells_scale.cell", grn_hash_str(name));
    x->type = pick(m->type_cdf, m->o.T, grn_rng_unif(&rng));
    x->donor = pick(m->donor_cdf, m->o.D, grn_rng_unif(&rng));
    x->depth = m->type_depth[x->type] * m->donor_depth[x->donor] * exp(0.45 * grn_rng_normal(&rng));
    x->s.s = grn_rng_u64(&rng);
    x->n_on = 0;
    for (size_t r = 0; r < m->o.R; r++) {
        float share = m->share[x->type * m->o.R + r];
        if (share > 0 && (float)(next(&x->s) >> 40) * 0x1p-24f < share) x->on[x->n_on++] = (uint32_t)r;
    }
}

/* `clusters` draws from n items of which item i is gene[i] (NULL: itself). */
static void add_counts(const model_t *m, uint64_t clusters, const alias_t *a, size_t n, const uint32_t *gene, stream_t *s,
                       uint16_t *count)
{
    uint64_t sizes = 0;
    for (uint64_t i = 0; i < clusters; i++) {
        if (i % 8 == 0) sizes = next(s);
        size_t k = draw(a, n, s), g = gene ? gene[k] : k;
        unsigned v = count[g] + m->size[sizes & 255];
        sizes >>= 8;
        count[g] = (uint16_t)(v < UINT16_MAX ? v : UINT16_MAX);
    }
}

/* count: (G), all 0 before. */
static void count_cell(const model_t *m, size_t c, cell_t *x, uint16_t *count)
{
    grn_rng_t rng;
    double total = 1;
    make_cell(m, c, x);
    grn_rng_init(&rng, m->o.seed, "cells_scale.counts", next(&x->s));
    for (size_t i = 0; i < x->n_on; i++) total += m->raises[x->on[i]];
    double clusters = m->depth * x->depth / total;
    add_counts(m, grn_rng_poisson(&rng, clusters), m->of_type + x->type * m->o.G, m->o.G, NULL, &x->s, count);
    for (size_t i = 0; i < x->n_on; i++) {
        size_t r = x->on[i], at = m->set.off[r];
        add_counts(m, grn_rng_poisson(&rng, clusters * m->raises[r]), m->of_set + at, m->set.off[r + 1] - at, m->set.gene + at, &x->s,
                   count);
    }
}

/* The depth that gives the number of non-zeros asked for, on average over the first cells: bisection. */
static grn_status calibrate(model_t *m)
{
    grn_status rc = GRN_OK;
    const size_t n = 512; /* of any run, however short */
    double lo = 1, hi = 1e6;
    uint16_t *count;
    GRN_TRY(GRN_NEW(count, m->o.G));
    for (int i = 0; i < 30; i++) {
        double nonzeros = 0;
        m->depth = sqrt(lo * hi);
        for (size_t c = 0; c < n && nonzeros <= m->o.nonzeros * (double)n; c++) {
            cell_t x;
            count_cell(m, c, &x, count);
            for (size_t g = 0; g < m->o.G; g++) nonzeros += count[g] > 0;
            memset(count, 0, m->o.G * sizeof *count);
        }
        *(nonzeros > m->o.nonzeros * (double)n ? &hi : &lo) = m->depth;
    }
end:
    free(count);
    return rc;
}

/* ---- blocks ---- */

typedef struct { /* what came of GRAIN cells */
    uint32_t *gene;
    float *value;
    size_t n, gene_cap, value_cap;
} piece_t;

typedef struct {
    const model_t *m;
    size_t from; /* first cell of the block */
    piece_t piece[BLOCK / GRAIN];
    uint32_t n[BLOCK]; /* non-zeros */
    int32_t type[BLOCK], donor[BLOCK];
    float *on;       /* (BLOCK, R); NULL: not asked for */
    uint16_t *count; /* (threads, G rounded up to 4) */
} block_t;

static size_t count_stride(const model_t *m)
{
    return (m->o.G + 3) / 4 * 4;
}

static grn_status collect(piece_t *p, uint16_t *count, size_t n_genes, uint32_t *n)
{
    size_t before = p->n;
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_GROW(p->gene, p->gene_cap, p->n + n_genes));
    GRN_TRY(GRN_GROW(p->value, p->value_cap, p->n + n_genes));
    for (size_t g = 0; g < n_genes; g += 4) {
        uint64_t four;
        memcpy(&four, count + g, 8);
        if (!four) continue;
        for (size_t i = g; i < g + 4; i++)
            if (count[i]) p->gene[p->n] = (uint32_t)i, p->value[p->n++] = count[i];
        memset(count + g, 0, 8);
    }
    *n = (uint32_t)(p->n - before);
end:
    return rc;
}

static grn_status fill(void *ctx, size_t begin, size_t end, int worker)
{
    block_t *b = ctx;
    const model_t *m = b->m;
    piece_t *p = &b->piece[begin / GRAIN];
    uint16_t *count = b->count + (size_t)worker * count_stride(m);
    grn_status rc = GRN_OK;
    p->n = 0;
    for (size_t i = begin; i < end && !rc; i++) {
        cell_t x;
        count_cell(m, b->from + i, &x, count);
        b->type[i] = (int32_t)x.type;
        b->donor[i] = (int32_t)x.donor;
        if (b->on) {
            memset(b->on + i * m->o.R, 0, m->o.R * sizeof *b->on);
            for (size_t k = 0; k < x.n_on; k++) b->on[i * m->o.R + x.on[k]] = 1;
        }
        rc = collect(p, count, m->o.G, &b->n[i]);
    }
    return rc;
}

static grn_status add_code(grn_matrix_t *x, const char *name, const int32_t *code, const grn_names_t *levels)
{
    grn_status rc = GRN_OK;
    grn_names_t copy = { 0 };
    int32_t *own = NULL;
    GRN_TRY(GRN_NEW_RAW(own, x->n_rows));
    memcpy(own, code, x->n_rows * sizeof *own);
    GRN_TRY(grn_names_dup(&copy, levels));
    GRN_TRY(grn_attr_add_code(&x->row_attr, name, own, &copy));
    own = NULL;
end:
    free(own);
    grn_names_clear(&copy);
    return rc;
}

/* The block's n cells with names and attributes; without columns' names. */
static grn_status assemble(const block_t *b, size_t n, grn_matrix_t *x)
{
    grn_status rc = GRN_OK;
    size_t nnz = 0;
    char name[19];
    x->n_rows = n;
    x->n_cols = b->m->o.G;
    GRN_TRY(GRN_NEW(x->indptr, n + 1));
    for (size_t i = 0; i < n; i++) {
        x->indptr[i + 1] = nnz += b->n[i];
        barcode(b->from + i, name);
        GRN_TRY(grn_names_add(&x->row, name, NULL, NULL));
    }
    GRN_TRY(GRN_NEW_RAW(x->indices, nnz));
    GRN_TRY(GRN_NEW_RAW(x->data, nnz));
    for (size_t i = 0, at = 0; i * GRAIN < n; at += b->piece[i++].n) {
        memcpy(x->indices + at, b->piece[i].gene, b->piece[i].n * sizeof *x->indices);
        memcpy(x->data + at, b->piece[i].value, b->piece[i].n * sizeof *x->data);
    }
    GRN_TRY(add_code(x, "cell_type", b->type, &b->m->type));
    GRN_TRY(add_code(x, "donor", b->donor, &b->m->donor));
end:
    return rc;
}

/* The same cells' states: takes the names from x. */
static grn_status append_states(grn_mw_t *w, const block_t *b, const grn_matrix_t *x)
{
    grn_matrix_t on = {
        .n_rows = x->n_rows, .n_cols = b->m->o.R, .is_dense = 1, .dense = b->on, .row = x->row, .row_attr = x->row_attr
    };
    return grn_mw_append(w, &on); /* all borrowed */
}

static grn_status write_cells(const model_t *m, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const grn_attrs_t none = { 0 };
    grn_mw_t *counts = NULL, *states = NULL;
    grn_matrix_t x = { 0 };
    block_t *b = NULL;
    char path[4096];
    uint64_t nnz = 0;
    GRN_TRY(GRN_NEW(b, 1));
    b->m = m;
    GRN_TRY(GRN_NEW(b->count, (size_t)m->o.threads * count_stride(m)));
    GRN_TRY(grn_mw_open(&counts, m->o.out, &m->gene, &none, 0, pool));
    if (m->o.C <= 200000 || m->o.all_truth) {
        snprintf(path, sizeof path, "%s/truth.tensor.zst", m->o.dir);
        GRN_TRY(GRN_NEW(b->on, BLOCK * m->o.R));
        GRN_TRY(grn_mw_open(&states, path, &m->regulon, &none, 1, pool));
    }
    for (b->from = 0; b->from < m->o.C; b->from += BLOCK) {
        size_t n = m->o.C - b->from < BLOCK ? m->o.C - b->from : BLOCK;
        GRN_TRY(grn_par_for(pool, n, GRAIN, fill, b));
        GRN_TRY(assemble(b, n, &x));
        nnz += x.indptr[n];
        GRN_TRY(grn_mw_append(counts, &x));
        if (states) GRN_TRY(append_states(states, b, &x));
        grn_matrix_clear(&x);
    }
    rc = grn_mw_commit(counts);
    counts = NULL;
    if (!rc && states) rc = grn_mw_commit(states), states = NULL;
    fprintf(stderr, "%zu cells x %zu genes, %llu non-zeros, %.1f a cell\n", m->o.C, m->o.G, (unsigned long long)nnz,
            (double)nnz / (double)m->o.C);
end:
    grn_mw_abort(counts);
    grn_mw_abort(states);
    grn_matrix_clear(&x);
    for (size_t i = 0; b && i < BLOCK / GRAIN; i++) free(b->piece[i].gene), free(b->piece[i].value);
    if (b) free(b->on), free(b->count);
    free(b);
    return rc;
}

/* ---- regulons ---- */

static grn_status write_texts(const model_t *m)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    char path[4096];
    snprintf(path, sizeof path, "%s/regulons.gmt", m->o.dir);
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_gmt_write(&m->set, o));
    rc = grn_out_commit(o);
    o = NULL;
    GRN_TRY(rc);
    snprintf(path, sizeof path, "%s/edges.tsv", m->o.dir);
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_out_printf(o, "TF\ttarget\timportance\n"));
    for (size_t r = 0; r < m->o.R; r++)
        for (size_t i = m->set.off[r]; i < m->set.off[r + 1]; i++)
            GRN_TRY(
                grn_out_printf(o, "%s\t%s\t%g\n", grn_names_get(&m->gene, r), grn_names_get(&m->gene, m->set.gene[i]), m->raises[r]));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

static grn_status write_edges(const model_t *m, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    size_t n = 0;
    char path[4096];
    for (size_t i = 0; i < m->o.T * m->o.R; i++)
        if (m->share[i] > 0) n += m->set.off[i % m->o.R + 1] - m->set.off[i % m->o.R];
    GRN_TRY(grn_edges_alloc(&e, n, "tf,gene,regulon,context,sign,weight"));
    GRN_TRY(grn_names_dup(&e.genes, &m->gene));
    GRN_TRY(grn_names_dup(&e.regulons, &m->regulon));
    GRN_TRY(grn_names_dup(&e.contexts, &m->type));
    n = 0;
    for (size_t t = 0; t < m->o.T; t++)
        for (size_t r = 0; r < m->o.R; r++)
            for (size_t i = m->set.off[r]; m->share[t * m->o.R + r] > 0 && i < m->set.off[r + 1]; i++, n++) {
                e.tf[n] = (uint32_t)r;
                e.gene[n] = m->set.gene[i];
                e.regulon[n] = (uint32_t)r;
                e.context[n] = (uint16_t)t;
                e.sign[n] = 1;
                e.weight[n] = (float)m->raises[r];
            }
    GRN_TRY(grn_edges_sort(&e));
    snprintf(path, sizeof path, "%s/edges.tensor.zst", m->o.dir);
    GRN_TRY(grn_edges_save(&e, path, NULL, pool));
end:
    grn_edges_clear(&e);
    return rc;
}

static void model_clear(model_t *m)
{
    grn_names_clear(&m->gene);
    grn_names_clear(&m->regulon);
    grn_names_clear(&m->type);
    grn_names_clear(&m->donor);
    grn_gmt_clear(&m->set);
    free(m->base);
    free(m->of_type);
    free(m->of_set);
    free(m->raises);
    free(m->share);
    free(m->type_cdf);
    free(m->donor_cdf);
    free(m->type_depth);
    free(m->donor_depth);
}

static int parse(int argc, char **argv, option_t *o)
{
    int n = 0;
    *o = (option_t){ .C = 113209, .G = 18984, .R = 300, .T = 24, .D = 84, .nonzeros = 2470, .seed = 1, .threads = 1 };
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-T")) o->all_truth = 1;
        else if (argv[i][0] == '-' && argv[i][1] && !argv[i][2] && i + 1 < argc) {
            const char letter = argv[i][1], *v = argv[++i];
            size_t k = strtoul(v, NULL, 10);
            switch (letter) {
            case 'n': o->C = k; break;
            case 'g': o->G = k; break;
            case 'k': o->nonzeros = strtod(v, NULL); break;
            case 'r': o->R = k; break;
            case 't': o->T = k; break;
            case 'd': o->D = k; break;
            case 's': o->seed = k; break;
            case '@': o->threads = (int64_t)k; break;
            default: return 0;
            }
        } else *(n++ ? &o->dir : &o->out) = argv[i];
    }
    return n == 2 && o->C > 0 && o->R > 0 && o->R < MAX_ON && o->G > o->R + 30 && o->T > 0 && o->D > 0 && o->threads > 0 &&
           o->nonzeros < 0.9 * (double)o->G;
}

int main(int argc, char **argv)
{
    grn_status rc = GRN_OK;
    grn_par_t *pool = NULL;
    model_t m = { 0 };
    grn_log_init("cells_scale", 2);
    if (!parse(argc, argv, &m.o)) {
        fprintf(stderr, "usage: cells_scale OUT DIR [-n CELLS] [-g GENES] [-k NONZEROS] [-r REGULONS] [-t TYPES] [-d DONORS] [-s SEED] "
                        "[-@ THREADS] [-T]\n");
        return 2;
    }
    GRN_TRY(grn_par_create(&pool, (int)m.o.threads));
    GRN_TRY(make_names(&m));
    GRN_TRY(make_rates(&m));
    GRN_TRY(make_regulons(&m));
    GRN_TRY(make_groups(&m));
    GRN_TRY(calibrate(&m));
    GRN_TRY(write_texts(&m));
    GRN_TRY(write_edges(&m, pool));
    GRN_TRY(write_cells(&m, pool));
end:
    if (rc) fprintf(stderr, "cells_scale: %s\n", grn_err_msg());
    grn_par_destroy(pool);
    model_clear(&m);
    return rc != GRN_OK;
}
