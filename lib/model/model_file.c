/* Models as files, schema grn.model/1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/model.h"

static grn_status save_baseline(const grn_model_t *m, grn_cw_t *w)
{
    grn_status rc = GRN_OK;
    uint64_t shape[2] = { m->base.types.n, m->genes.n };
    if (!m->base.gene) return GRN_OK;
    GRN_TRY(grn_cw_vec(w, "baseline.gene", GRN_F32, m->genes.n, m->base.gene));
    GRN_TRY(grn_cw_tensor(w, "baseline.type", GRN_F32, 2, shape, m->base.type));
    GRN_TRY(grn_cw_names(w, "names.type", &m->base.types));
end:
    return rc;
}

grn_status grn_model_save(const grn_model_t *m, const char *path, int with_optim, grn_par_t *pool, grn_model_extra_fn extra,
                          void *ctx)
{
    grn_status rc = GRN_OK;
    grn_cw_t *w = NULL;
    char *json = NULL, step[32];
    GRN_TRY(grn_model_config_json(&m->cfg, &json));
    GRN_TRY(grn_cw_open(&w, path, "grn.model/1", pool));
    GRN_TRY(grn_cw_meta(w, "config", json));
    snprintf(step, sizeof step, "%lld", (long long)m->step);
    GRN_TRY(grn_cw_meta(w, "step", step));
    if (m->split) GRN_TRY(grn_cw_meta(w, "split", m->split));
    GRN_TRY(grn_cw_names(w, "names.gene", &m->genes));
    GRN_TRY(save_baseline(m, w));
    GRN_TRY(grn_params_save(&m->params, w, with_optim));
    if (extra) GRN_TRY(extra(ctx, w));
    rc = grn_cw_commit(w);
    w = NULL;
end:
    grn_cw_abort(w);
    free(json);
    return rc;
}

/* A float vector of exactly n numbers. */
static grn_status load_floats(grn_cr_t *r, const char *name, uint64_t n, float **out)
{
    grn_status rc = GRN_OK;
    const grn_tensor_info_t *t = grn_cr_find(r, name);
    if (!t || t->n_bytes != n * sizeof(float) || t->dtype != GRN_F32) {
        GRN_FAIL(GRN_EFORMAT, "'%s': tensor '%s' should hold %llu numbers (F32)", grn_cr_path(r), name,
                 (unsigned long long)n);
    }
    GRN_TRY(grn_cr_load(r, t, (void **)out));
end:
    return rc;
}

static grn_status load_baseline(grn_model_t *m, grn_cr_t *r)
{
    grn_status rc = GRN_OK;
    if (!grn_cr_find(r, "baseline.gene")) return GRN_OK;
    GRN_TRY(grn_cr_load_names(r, "names.type", &m->base.types));
    GRN_TRY(load_floats(r, "baseline.gene", m->genes.n, &m->base.gene));
    GRN_TRY(load_floats(r, "baseline.type", m->genes.n * m->base.types.n, &m->base.type));
end:
    return rc;
}

grn_status grn_model_load_from(grn_model_t **out, grn_dev_t *dev, grn_cr_t *r, int with_optim)
{
    grn_status rc = GRN_OK;
    grn_model_t *m = NULL;
    grn_model_config_t cfg;
    grn_names_t genes = { 0 };
    const char *json, *step, *split;
    *out = NULL;
    GRN_TRY(grn_cr_expect(r, "grn.model", 1));
    json = grn_cr_meta(r, "config");
    step = grn_cr_meta(r, "step");
    split = grn_cr_meta(r, "split");
    if (!json || !step) GRN_FAIL(GRN_EFORMAT, "'%s' has no config and step in its metadata", grn_cr_path(r));
    rc = grn_model_config_parse(&cfg, json);
    if (rc != GRN_OK) {
        grn_err_prefix(rc, "'%s'", grn_cr_path(r));
        goto end;
    }
    GRN_TRY(grn_cr_load_names(r, "names.gene", &genes));
    GRN_TRY(grn_model_create(&m, dev, &cfg, &genes, 0));
    GRN_TRY(grn_parse_i64(step, &m->step));
    if (split) {
        GRN_TRY(GRN_NEW_RAW(m->split, strlen(split) + 1));
        memcpy(m->split, split, strlen(split) + 1);
    }
    GRN_TRY(load_baseline(m, r));
    GRN_TRY(grn_params_load(&m->params, r, with_optim));
    *out = m;
    m = NULL;
end:
    grn_names_clear(&genes);
    grn_model_destroy(m);
    return rc;
}

grn_status grn_model_load(grn_model_t **out, grn_dev_t *dev, const char *path, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_cr_t *r = NULL;
    *out = NULL;
    GRN_TRY(grn_cr_open(&r, path, pool));
    GRN_TRY(grn_model_load_from(out, dev, r, 0));
end:
    grn_cr_close(r);
    return rc;
}
