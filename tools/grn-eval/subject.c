#include "grn-eval/subject.h"

#include <stdlib.h>
#include <string.h>

#include "base/opt.h"

grn_status grn_eval_inputs_load(grn_eval_inputs_t *in, const char *counts,
                                const grn_counts_opt_t *opt, const char *edges,
                                const char *activity)
{
    grn_status rc;
    GRN_TRY(grn_counts_load(counts, opt, grn_common.pool, &in->counts));
    if (edges) GRN_TRY(grn_edges_load(edges, grn_common.pool, &in->edges));
    if (activity) GRN_TRY(grn_activity_load(activity, grn_common.pool, &in->activity));
    in->has_edges = edges != NULL;
    in->has_activity = activity != NULL;
end:
    return rc;
}

void grn_eval_inputs_clear(grn_eval_inputs_t *in)
{
    grn_matrix_clear(&in->counts);
    grn_edges_clear(&in->edges);
    grn_activity_clear(&in->activity);
    memset(in, 0, sizeof *in);
}

static grn_status align(grn_eval_inputs_t *in, const grn_model_t *m, const char *path)
{
    if (!in->is_aligned) {
        grn_status rc = grn_matrix_align(&in->counts, &m->genes, NULL);
        in->is_aligned = rc == GRN_OK;
        return rc;
    }
    if (!grn_names_equal(&in->counts.col, &m->genes))
        return grn_err(GRN_ESHAPE,
                       "'%s' was trained on other genes than the first model (%zu and %zu): they "
                       "cannot be compared",
                       path, m->genes.n, in->counts.col.n);
    return GRN_OK;
}

grn_status grn_subject_open(grn_subject_t *s, grn_dev_t *dev, const char *path,
                            grn_eval_inputs_t *in, const grn_edges_t *edges)
{
    grn_status rc;
    memset(s, 0, sizeof *s);
    GRN_TRY(grn_model_load(&s->model, dev, path, grn_common.pool));
    if (!s->model->split)
        GRN_FAIL(GRN_EFORMAT, "'%s' does not say which cells it was trained on", path);
    GRN_TRY(align(in, s->model, path));
    GRN_TRY(grn_split_apply(&s->split, s->model->split, &in->counts));
    GRN_TRY(grn_split_cells(&s->split, &in->counts, GRN_PART_TEST, &s->test, &s->n_test));
    GRN_TRY(grn_split_cells(&s->split, &in->counts, GRN_PART_TRAIN, &s->train, &s->n_train));
    if (!s->n_test)
        GRN_FAIL(GRN_EEMPTY, "none of the %llu cells was held out from training '%s'",
                 (unsigned long long)in->counts.n_rows, path);
    GRN_TRY(grn_cells_build(&s->cells, &in->counts, &s->model->cfg,
                            s->model->cfg.grn == GRN_GRN_NONE ? NULL : edges,
                            in->has_activity ? &in->activity : NULL, NULL));
    GRN_TRY(grn_batch_create(&s->batch, dev, grn_common.pool));
end:
    if (rc) (void)grn_err_prefix(rc, "'%s'", path);
    return rc;
}

void grn_subject_close(grn_subject_t *s)
{
    grn_batch_destroy(s->batch);
    grn_cells_clear(&s->cells);
    grn_split_clear(&s->split);
    grn_model_destroy(s->model);
    free(s->test);
    free(s->train);
    memset(s, 0, sizeof *s);
}
