/* The answer: signed TF -> region -> gene triplets per type, and which regulon is on in which cell.
 */
#include "sim.h"

#include <math.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/activity.h"
#include "io/edges.h"

static grn_status fill_edges(const grn_sim_t *s, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    float *distance;
    GRN_TRY(grn_edges_alloc(e, s->n_edges, "tf,gene,region,regulon,context,sign,weight"));
    GRN_TRY(grn_edges_evidence(e, "distance", &distance));
    GRN_TRY(grn_names_dup(&e->genes, &s->genes));
    GRN_TRY(grn_names_dup(&e->regions, &s->regions));
    GRN_TRY(grn_names_dup(&e->contexts, &s->types));
    GRN_TRY(grn_names_dup(&e->regulons, &s->regulons));
    for (size_t i = 0; i < s->n_edges; i++) {
        const grn_sim_edge_t *x = &s->edge[i];
        const grn_sim_region_t *r = &s->region[x->region];
        e->tf[i] = s->tf[x->tf].gene;
        e->gene[i] = x->gene;
        e->region[i] = x->region;
        e->regulon[i] = s->tf[x->tf].regulon;
        e->context[i] = (uint16_t)x->type;
        e->sign[i] = (int8_t)s->tf[x->tf].sign;
        e->weight[i] = x->weight;
        distance[i] =
            (float)((double)(r->start + GRN_SIM_REGION_BP / 2) - (double)s->gene[x->gene].tss) *
            (float)s->gene[x->gene].strand;
    }
    GRN_TRY(grn_edges_sort(e));
end:
    return rc;
}

static grn_status fill_activity(const grn_sim_t *s, grn_activity_t *a)
{
    grn_status rc = GRN_OK;
    grn_sim_cell_t c = { 0 };
    a->n_cells = (uint64_t)s->o.cells;
    a->n_regulons = s->regulons.n;
    a->n_words = (a->n_regulons + 63) / 64;
    GRN_TRY(GRN_NEW(a->bits, a->n_cells * a->n_words));
    GRN_TRY(GRN_NEW(a->context, a->n_cells));
    GRN_TRY(GRN_NEW(a->threshold, s->types.n * a->n_regulons));
    GRN_TRY(GRN_NEW(a->klass, s->types.n * a->n_regulons));
    for (size_t i = 0; i < s->types.n * a->n_regulons; i++)
        a->threshold[i] = NAN; /* nothing was thresholded */
    GRN_TRY(grn_names_dup(&a->regulons, &s->regulons));
    GRN_TRY(grn_names_dup(&a->contexts, &s->types));
    GRN_TRY(grn_sim_cell_init(s, &c));
    for (uint64_t k = 0; k < a->n_cells; k++) {
        grn_sim_cell(s, k, &c);
        GRN_TRY(grn_names_add(&a->cells, c.barcode, NULL, NULL));
        a->context[k] = (uint16_t)c.type;
        for (size_t t = 0; t < s->tfs.n; t++)
            if (c.is_on[t] && s->tf[t].regulon != UINT32_MAX)
                grn_activity_set(a, k, s->tf[t].regulon);
    }
end:
    grn_sim_cell_clear(&c);
    return rc;
}

grn_status grn_sim_write_truth(const grn_sim_t *s, const char *dir, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    grn_activity_t a = { 0 };
    grn_str_t path = { 0 };
    GRN_TRY(fill_edges(s, &e));
    GRN_TRY(grn_str_printf(&path, "%s/truth.edges.zst", dir));
    GRN_TRY(grn_edges_save(&e, path.s, NULL, pool));
    GRN_TRY(fill_activity(s, &a));
    grn_str_clear(&path);
    GRN_TRY(grn_str_printf(&path, "%s/truth_activity.tensor.zst", dir));
    GRN_TRY(grn_activity_save(&a, path.s, pool));
end:
    grn_edges_clear(&e);
    grn_activity_clear(&a);
    grn_str_clear(&path);
    return rc;
}
