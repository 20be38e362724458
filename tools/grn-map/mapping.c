#include "mapping.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/prov.h"

const char *mapped_fate_name(mapped_fate f)
{
    static const char *const name[MAPPED_KINDS] = { "", "ambiguous", "far", "no_counts", "no_label" };
    return name[f];
}

void mapping_clear(mapping_t *m)
{
    free(m->id);
    free(m->distance);
    free(m->vote);
    free(m->mean);
    free(m->score);
    free(m->fate);
    memset(m, 0, sizeof *m);
}

static mapped_fate fate_of(const calibration_t *c, int no_count, vote_t vote, double score)
{
    if (no_count) return MAPPED_NO_COUNTS;
    if (vote.best < 0) return MAPPED_NO_LABEL;
    if (score >= c->cut) return MAPPED;
    return vote.share < c->cut ? MAPPED_AMBIGUOUS : MAPPED_FAR;
}

grn_status mapping_run(mapping_t *m, knn_metric metric, const calibration_t *c, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    knn_t *t = NULL;
    double *weight = NULL, *tally = NULL;
    const size_t n = m->query->n;
    size_t most = 0;
    for (size_t l = 0; l < m->n_labels; l++)
        if (m->label[l]->levels.n > most) most = m->label[l]->levels.n;
    GRN_TRY(GRN_NEW_RAW(m->id, n * m->k));
    GRN_TRY(GRN_NEW_RAW(m->distance, n * m->k));
    GRN_TRY(GRN_NEW(m->vote, n * m->n_labels));
    GRN_TRY(GRN_NEW(m->mean, n));
    GRN_TRY(GRN_NEW(m->score, n));
    GRN_TRY(GRN_NEW(m->fate, n));
    GRN_TRY(GRN_NEW(weight, m->k));
    GRN_TRY(GRN_NEW(tally, most));
    GRN_TRY(knn_create(&t, m->reference->x, m->reference->n, m->reference->d, metric));
    GRN_TRY(knn_search(t, m->query->x, n, m->k, pool, m->id, m->distance));
    for (size_t i = 0; i < n; i++) {
        const uint32_t *id = m->id + i * m->k;
        const double *d = m->distance + i * m->k;
        vote_t *v = m->vote + i * m->n_labels;
        vote_weigh(id, d, m->k, m->weights, weight);
        for (size_t l = 0; l < m->n_labels; l++) v[l] = vote_count(id, weight, m->k, m->label[l]->code, m->label[l]->levels.n, tally);
        m->mean[i] = vote_mean_distance(id, d, m->k);
        m->score[i] = calibration_score(c, v[0], m->mean[i]);
        m->fate[i] = (uint8_t)fate_of(c, m->query->no_count && m->query->no_count[i], v[0], m->score[i]);
        m->n[m->fate[i]]++;
    }
end:
    knn_destroy(t);
    free(weight);
    free(tally);
    return rc;
}

/* ---- the table ---- */

static grn_status put_number(grn_out_t *o, double x)
{
    return isfinite(x) ? grn_out_printf(o, "\t%.6g", x) : grn_out_puts(o, "\tNA");
}

static grn_status put_level(grn_out_t *o, const grn_attr_t *label, int32_t level)
{
    grn_status rc = grn_out_puts(o, "\t");
    return rc ? rc : grn_out_puts(o, level < 0 ? "NA" : grn_names_get(&label->levels, (size_t)level));
}

static grn_status put_head(const mapping_t *m, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_out_printf(o,
                           "barcode\t%s\tbest\tprobability\tentropy\trelative_entropy\tnearest\tmean_distance\tpercentile\tscore"
                           "\tabstain\treason",
                           m->label[0]->name));
    for (size_t l = 1; l < m->n_labels; l++) GRN_TRY(grn_out_printf(o, "\t%s\t%s_probability", m->label[l]->name, m->label[l]->name));
    rc = grn_out_puts(o, "\tneighbours\n");
end:
    return rc;
}

static grn_status put_cell(const mapping_t *m, const calibration_t *c, int keep_abstained, uint32_t show, size_t i, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const vote_t *v = m->vote + i * m->n_labels;
    const uint32_t *id = m->id + i * m->k;
    const size_t n_types = m->label[0]->levels.n;
    const mapped_fate fate = m->fate[i];
    GRN_TRY(grn_out_puts(o, grn_names_get(&m->query->name, i)));
    GRN_TRY(put_level(o, m->label[0], fate == MAPPED || keep_abstained ? v[0].best : -1));
    GRN_TRY(put_level(o, m->label[0], v[0].best));
    GRN_TRY(put_number(o, v[0].share));
    GRN_TRY(put_number(o, v[0].entropy));
    GRN_TRY(put_number(o, n_types > 1 ? v[0].entropy / log2((double)n_types) : 0));
    GRN_TRY(put_number(o, m->distance[i * m->k]));
    GRN_TRY(put_number(o, m->mean[i]));
    GRN_TRY(put_number(o, calibration_percentile(c, v[0].best, m->mean[i])));
    GRN_TRY(put_number(o, m->score[i]));
    GRN_TRY(grn_out_printf(o, "\t%d\t%s", fate != MAPPED, fate == MAPPED ? "NA" : mapped_fate_name(fate)));
    for (size_t l = 1; l < m->n_labels; l++) {
        GRN_TRY(put_level(o, m->label[l], v[l].best));
        GRN_TRY(put_number(o, v[l].share));
    }
    for (uint32_t j = 0; j < show && j < m->k; j++)
        if (id[j] != KNN_NONE) GRN_TRY(grn_out_printf(o, "%s%s", j ? "," : "\t", grn_names_get(&m->reference->name, id[j])));
    rc = grn_out_puts(o, show ? "\n" : "\tNA\n");
end:
    return rc;
}

grn_status mapping_write(const mapping_t *m, const calibration_t *c, int keep_abstained, uint32_t show, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(put_head(m, o));
    for (size_t i = 0; i < m->query->n; i++) GRN_TRY(put_cell(m, c, keep_abstained, show, i, o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}
