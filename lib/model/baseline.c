#include "model/baseline.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/tokens.h"

void grn_baseline_clear(grn_baseline_t *b)
{
    grn_names_clear(&b->types);
    free(b->gene);
    free(b->type);
    *b = (grn_baseline_t){ 0 };
}

grn_status grn_baseline_types(const grn_baseline_t *b, const grn_matrix_t *m, size_t *type)
{
    const grn_attr_t *a = grn_attr_find(&m->row_attr, "cell_type");
    for (size_t c = 0; c < m->row.n; c++) {
        int known = a && a->code && a->code[c] >= 0;
        type[c] = known ? grn_names_find(&b->types, grn_names_get(&a->levels, (size_t)a->code[c])) : GRN_NAMES_NONE;
    }
    return GRN_OK;
}

typedef struct { /* (types + 1, G) sums; the last row is over all cells */
    double *sum, *n;
    size_t types, genes;
} sums_t;

static void add_tokens(sums_t *s, const grn_tokens_t *t, size_t type)
{
    for (size_t i = 0; i < t->n; i++) {
        size_t all = s->types * s->genes + t->gene[i];
        s->sum[all] += t->target[i];
        s->n[all] += 1;
        if (type >= s->types) continue;
        s->sum[type * s->genes + t->gene[i]] += t->target[i];
        s->n[type * s->genes + t->gene[i]] += 1;
    }
}

static void finish_means(grn_baseline_t *b, const sums_t *s)
{
    const double *sum = s->sum + s->types * s->genes, *n = s->n + s->types * s->genes;
    double total = 0, count = 0;
    for (size_t g = 0; g < s->genes; g++) total += sum[g], count += n[g];
    b->mean = count > 0 ? total / count : 0;
    for (size_t g = 0; g < s->genes; g++) {
        double mean = n[g] > 0 ? sum[g] / n[g] : b->mean;
        b->gene[g] = (float)mean;
        for (size_t k = 0; k < s->types; k++)
            b->type[k * s->genes + g] = (float)((s->sum[k * s->genes + g] + mean) / (s->n[k * s->genes + g] + 1));
    }
}

grn_status grn_baseline_fit(grn_baseline_t *b, const grn_model_config_t *cfg, const grn_cells_t *cells,
                            const uint32_t *cell, size_t n, uint32_t epochs)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *a = grn_attr_find(&cells->m->row_attr, "cell_type");
    grn_tokens_t tok = { 0 };
    sums_t s = { 0 };
    size_t *type = NULL;
    uint32_t *order = NULL;
    *b = (grn_baseline_t){ 0 };
    if (a && a->code) { /* levels in bytewise order: files must not depend on the order of cells */
        GRN_TRY(GRN_NEW_RAW(order, a->levels.n));
        GRN_TRY(grn_names_sort(&a->levels, order));
        for (size_t k = 0; k < a->levels.n; k++)
            GRN_TRY(grn_names_add(&b->types, grn_names_get(&a->levels, order[k]), NULL, NULL));
    }
    s.types = b->types.n;
    s.genes = cells->n_genes;
    GRN_TRY(GRN_NEW(s.sum, (s.types + 1) * s.genes));
    GRN_TRY(GRN_NEW(s.n, (s.types + 1) * s.genes));
    GRN_TRY(GRN_NEW(b->gene, s.genes));
    GRN_TRY(GRN_NEW(b->type, s.types * s.genes));
    GRN_TRY(GRN_NEW_RAW(type, cells->n));
    GRN_TRY(grn_baseline_types(b, cells->m, type));
    for (size_t i = 0; i < n; i++) {
        size_t k;
        const uint32_t *gene;
        const float *count;
        grn_matrix_row(cells->m, cell[i], &k, &gene, &count);
        for (uint32_t e = 0; e < epochs; e++) {
            grn_mask_opt_t how = { .mask = -1, .epoch = e, .seed = cfg->seed };
            GRN_TRY(grn_tokens_draw(&tok, cfg, &how, cells->key[cell[i]], gene, count, k, cells->n_genes, cells->gene_key));
            add_tokens(&s, &tok, type[cell[i]]);
        }
    }
    finish_means(b, &s);
end:
    grn_tokens_clear(&tok);
    free(order);
    free(type);
    free(s.sum);
    free(s.n);
    if (rc != GRN_OK) grn_baseline_clear(b);
    return rc;
}
