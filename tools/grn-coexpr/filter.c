#include "grn-coexpr/filter.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { BINS = 20 };

int coexpr_is_mito(const char *gene)
{
    return strncasecmp(gene, "mt-", 3) == 0;
}

int coexpr_is_ribo(const char *gene)
{
    const char *s = gene + 3;
    if (strncasecmp(gene, "rps", 3) != 0 && strncasecmp(gene, "rpl", 3) != 0) return 0;
    if (strcasecmp(gene, "rpsa") == 0) return 1;
    if (toupper((unsigned char)*s) == 'P') s++;
    if (!isdigit((unsigned char)*s)) return 0;
    while (isdigit((unsigned char)*s)) s++;
    while (*s && strchr("ALXYalxy", *s)) { /* 36A, 36AL, 4Y1, 7L1 */
        s++;
        while (isdigit((unsigned char)*s)) s++;
    }
    return *s == 0;
}

/* ---- cells that detect each gene ---- */

typedef struct {
    const coexpr_context_t *c;
    uint64_t **count; /* per worker */
    uint32_t **gene;
} counting_t;

static grn_status count_cells(void *ctx, size_t begin, size_t end, int worker)
{
    counting_t *k = ctx;
    const coexpr_store_t *s = k->c->store;
    if (!k->count[worker]) {
        if (!(k->count[worker] = grn_calloc(s->n_genes, sizeof(uint64_t)))) return GRN_ENOMEM;
        if (!(k->gene[worker] = grn_calloc(s->n_genes, sizeof(uint32_t)))) return GRN_ENOMEM;
    }
    for (size_t i = begin; i < end; i++) {
        size_t n = coexpr_store_row(s, k->c->cell[i], k->gene[worker], NULL);
        for (size_t q = 0; q < n; q++) k->count[worker][k->gene[worker][q]]++;
    }
    return GRN_OK;
}

static grn_status detected(const coexpr_context_t *c, grn_par_t *pool, uint64_t *count)
{
    grn_status rc = GRN_OK;
    counting_t k = { c, NULL, NULL };
    GRN_TRY(GRN_NEW(k.count, (size_t)grn_par_n(pool)));
    GRN_TRY(GRN_NEW(k.gene, (size_t)grn_par_n(pool)));
    GRN_TRY(grn_par_for(pool, c->n, 64, count_cells, &k));
    for (int w = 0; w < grn_par_n(pool); w++)
        for (size_t g = 0; k.count[w] && g < c->store->n_genes; g++) count[g] += k.count[w][g];
end:
    for (int w = 0; k.count && k.gene && w < grn_par_n(pool); w++) {
        free(k.count[w]);
        free(k.gene[w]);
    }
    free(k.count);
    free(k.gene);
    return rc;
}

/* ---- dispersion ---- */

typedef struct {
    uint32_t gene;
    size_t bin;
    double mean, dispersion, z;
} spread_t;

static int by_z(const void *a, const void *b)
{
    const spread_t *x = a, *y = b;
    if (x->z != y->z) return x->z > y->z ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

/* Dispersions against those of the genes in the same bin of means. */
static void standardise(spread_t *s, size_t n)
{
    double low = INFINITY, high = -INFINITY, sum[BINS] = { 0 }, square[BINS] = { 0 };
    size_t in[BINS] = { 0 };
    for (size_t k = 0; k < n; k++) {
        low = fmin(low, s[k].mean);
        high = fmax(high, s[k].mean);
    }
    for (size_t k = 0; k < n; k++) {
        double x = high > low ? (s[k].mean - low) / (high - low) * BINS : 0;
        s[k].bin = x < BINS ? (size_t)x : BINS - 1;
        sum[s[k].bin] += s[k].dispersion;
        in[s[k].bin]++;
    }
    for (size_t k = 0; k < n; k++) square[s[k].bin] += pow(s[k].dispersion - sum[s[k].bin] / (double)in[s[k].bin], 2);
    for (size_t k = 0; k < n; k++) {
        size_t b = s[k].bin;
        double sd = in[b] > 1 ? sqrt(square[b] / (double)(in[b] - 1)) : 0;
        s[k].z = in[b] == 1 ? 1 : sd > 0 ? (s[k].dispersion - sum[b] / (double)in[b]) / sd : 0;
    }
}

static grn_status add_slab(void *ctx, const coexpr_slab_t *s, size_t first, grn_par_t *pool)
{
    return coexpr_moments_add(ctx, s, NULL, NULL, first, pool);
}

/* Keeps the f->n_variable genes of largest normalised dispersion. */
static grn_status most_variable(const coexpr_context_t *c, const coexpr_filter_t *f, grn_par_t *pool, uint8_t *keep, uint64_t *n_flat)
{
    grn_status rc = GRN_OK;
    coexpr_moments_t m = { 0 };
    uint32_t *place = NULL;
    spread_t *s = NULL;
    uint32_t n = 0;
    double cells = (double)c->n;
    GRN_TRY(GRN_NEW(place, c->store->n_genes));
    GRN_TRY(GRN_NEW(s, c->store->n_genes));
    for (uint32_t g = 0; g < c->store->n_genes; g++) {
        place[g] = UINT32_MAX;
        if (!keep[g]) continue;
        s[n].gene = g;
        place[g] = n++;
    }
    if (n <= (uint64_t)f->n_variable) goto end;
    GRN_TRY(coexpr_moments_init(&m, n, 0));
    GRN_TRY(GRN_NEW(m.raw, n));
    GRN_TRY(GRN_NEW(m.raw2, n));
    m.raw_log = c->value == COEXPR_VALUE_LOG;
    GRN_TRY(coexpr_each_slab(c, place, n, add_slab, &m, pool));
    for (size_t k = 0; k < n; k++) {
        double mean = m.raw[k] / cells, var = cells > 1 ? fmax(0, (m.raw2[k] - cells * mean * mean) / (cells - 1)) : 0;
        s[k].mean = log1p(fmax(mean, -0.999));
        s[k].dispersion = log(fmax(var, 1e-12) / fmax(mean, 1e-12));
    }
    standardise(s, n);
    qsort(s, n, sizeof *s, by_z);
    for (size_t k = (size_t)f->n_variable; k < n; k++) keep[s[k].gene] = 0;
    *n_flat = n - (uint64_t)f->n_variable;
end:
    coexpr_moments_clear(&m);
    free(place);
    free(s);
    return rc;
}

grn_status coexpr_filter(const coexpr_context_t *c, const coexpr_filter_t *f, grn_par_t *pool, uint8_t *keep, uint64_t *count,
                         coexpr_filtered_t *out)
{
    grn_status rc = GRN_OK;
    *out = (coexpr_filtered_t){ 0 };
    GRN_TRY(detected(c, pool, count));
    for (size_t g = 0; g < c->store->n_genes; g++) {
        int rare = count[g]<(uint64_t)f->min_cells, common = (double)count[g]> f->max_detected * (double)c->n;
        int excluded = f->excluded && f->excluded[g];
        keep[g] = !rare && !common && !excluded;
        out->rare += (uint64_t)rare;
        out->common += (uint64_t)(!rare && common);
        out->excluded += (uint64_t)(!rare && !common && excluded);
    }
    if (f->n_variable > 0) GRN_TRY(most_variable(c, f, pool, keep, &out->flat));
end:
    return rc;
}
