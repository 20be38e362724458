#include "nn/param.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/rng.h"
#include "base/str.h"

void grn_params_init(grn_params_t *ps, grn_dev_t *dev)
{
    memset(ps, 0, sizeof *ps);
    ps->dev = dev;
}

static void param_clear(grn_dev_t *dev, grn_param_t *p)
{
    grn_dev_free(dev, p->w);
    grn_dev_free(dev, p->g);
    grn_dev_free(dev, p->m);
    grn_dev_free(dev, p->v);
    free(p->name);
    memset(p, 0, sizeof *p);
}

void grn_params_clear(grn_params_t *ps)
{
    for (size_t i = 0; i < ps->n; i++) param_clear(ps->dev, &ps->p[i]);
    free(ps->p);
    memset(ps, 0, sizeof *ps);
}

size_t grn_params_find(const grn_params_t *ps, const char *name)
{
    for (size_t i = 0; i < ps->n; i++)
        if (strcmp(ps->p[i].name, name) == 0) return i;
    return GRN_PARAM_NONE;
}

int64_t grn_params_count(const grn_params_t *ps)
{
    int64_t n = 0;
    for (size_t i = 0; i < ps->n; i++) n += ps->p[i].n;
    return n;
}

/* ---- initial values ---- */

/* Row r is one stream keyed by (seed, parameter name, row key); without keys the whole tensor is
 * one stream. */
static void init_values(const grn_param_t *p, grn_init_t init, uint64_t seed, float *x)
{
    int64_t rows = init.row_key ? p->shape[0] : 1, width = p->n / rows;
    uint64_t name = grn_hash_str(p->name);
    if (init.kind == GRN_INIT_CONST) {
        for (int64_t i = 0; i < p->n; i++) x[i] = (float)init.a;
        return;
    }
    for (int64_t r = 0; r < rows; r++) {
        grn_rng_t rng;
        grn_rng_init2(&rng, seed, "param.init", name, init.row_key ? init.row_key[r] : 0);
        for (int64_t i = 0; i < width; i++)
            x[r * width + i] = (float)(init.a * (2 * grn_rng_unif(&rng) - 1));
    }
}

grn_status grn_params_add(grn_params_t *ps, const char *name, int n_dim, const int64_t *shape,
                          grn_init_t init, uint64_t seed, size_t *at)
{
    grn_status rc = GRN_OK;
    grn_param_t p = { 0 };
    float *x = NULL;
    if (grn_params_find(ps, name) != GRN_PARAM_NONE)
        return grn_err(GRN_EINVAL, "parameter '%s' added twice", name);
    if (n_dim < 1 || n_dim > GRN_MAX_DIM)
        return grn_err(GRN_EINVAL, "parameter '%s' of rank %d", name, n_dim);
    p.n_dim = n_dim;
    p.n = 1;
    for (int k = 0; k < n_dim; k++) {
        if (shape[k] < 1 || p.n > INT64_MAX / 16 / shape[k])
            return grn_err(GRN_EINVAL, "parameter '%s': size of dimension %d is out of range", name,
                           k);
        p.shape[k] = shape[k];
        p.n *= shape[k];
    }
    p.no_decay = n_dim < 2;
    GRN_TRY(GRN_GROW(ps->p, ps->cap, ps->n + 1));
    p.name = strdup(name);
    if (!p.name) GRN_FAIL(GRN_ENOMEM, "out of memory for a parameter name");
    GRN_TRY(GRN_NEW_RAW(x, (size_t)p.n));
    init_values(&p, init, seed, x);
    GRN_TRY(grn_dev_real(ps->dev, &p.w, (size_t)p.n));
    GRN_TRY(grn_dev_real(ps->dev, &p.g, (size_t)p.n));
    GRN_TRY(grn_dev_put(ps->dev, p.w, x, (size_t)p.n));
    if (at) *at = ps->n;
    ps->p[ps->n++] = p;
end:
    free(x);
    if (rc) param_clear(ps->dev, &p);
    return rc;
}

static grn_status add_named(grn_params_t *ps, const char *prefix, const char *suffix, int n_dim,
                            int64_t s0, int64_t s1, grn_init_t init, uint64_t seed, size_t *at)
{
    grn_str_t name = { 0 };
    int64_t shape[2] = { s0, s1 };
    grn_status rc = grn_str_printf(&name, "%s.%s", prefix, suffix);
    if (rc == GRN_OK) rc = grn_params_add(ps, name.s, n_dim, shape, init, seed, at);
    grn_str_clear(&name);
    return rc;
}

grn_status grn_params_add_linear(grn_params_t *ps, const char *prefix, int64_t out, int64_t in,
                                 int has_bias, uint64_t seed, size_t *w, size_t *b)
{
    grn_init_t init = { GRN_INIT_UNIFORM, 1 / sqrt((double)(in > 0 ? in : 1)), NULL };
    grn_status rc = add_named(ps, prefix, "weight", 2, out, in, init, seed, w);
    if (rc || !has_bias) return rc;
    return add_named(ps, prefix, "bias", 1, out, 0, init, seed, b);
}

grn_status grn_params_add_norm(grn_params_t *ps, const char *prefix, int64_t d, uint64_t seed,
                               size_t *w, size_t *b)
{
    grn_status rc =
        add_named(ps, prefix, "weight", 1, d, 0, (grn_init_t){ GRN_INIT_CONST, 1, NULL }, seed, w);
    return rc ? rc
              : add_named(ps, prefix, "bias", 1, d, 0, (grn_init_t){ GRN_INIT_CONST, 0, NULL },
                          seed, b);
}

grn_status grn_params_add_embedding(grn_params_t *ps, const char *prefix, int64_t rows, int64_t d,
                                    const uint64_t *row_key, uint64_t seed, size_t *w)
{
    return add_named(ps, prefix, "weight", 2, rows, d,
                     (grn_init_t){ GRN_INIT_UNIFORM, 0.1, row_key }, seed, w);
}

grn_status grn_params_zero_grad(grn_params_t *ps)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; !rc && i < ps->n; i++)
        rc = grn_dev_zero(ps->dev, ps->p[i].g, (size_t)ps->p[i].n);
    return rc;
}

grn_status grn_params_moments(grn_params_t *ps)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; !rc && i < ps->n; i++) {
        grn_param_t *p = &ps->p[i];
        if (!p->m) rc = grn_dev_real(ps->dev, &p->m, (size_t)p->n);
        if (!rc && !p->v) rc = grn_dev_real(ps->dev, &p->v, (size_t)p->n);
    }
    return rc;
}

/* ---- files ---- */

/* One tensor "KIND.NAME" from a device buffer; NULL: zeros. */
static grn_status save_one(const grn_params_t *ps, const grn_param_t *p, const char *kind,
                           const grn_real_t *buf, grn_cw_t *w)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    float *x = NULL;
    uint64_t shape[GRN_MAX_DIM];
    for (int k = 0; k < p->n_dim; k++) shape[k] = (uint64_t)p->shape[k];
    GRN_TRY(grn_str_printf(&name, "%s.%s", kind, p->name));
    GRN_TRY(GRN_NEW(x, (size_t)p->n));
    if (buf) GRN_TRY(grn_dev_get(ps->dev, x, buf, (size_t)p->n));
    GRN_TRY(grn_cw_tensor(w, name.s, GRN_F32, p->n_dim, shape, x));
end:
    free(x);
    grn_str_clear(&name);
    return rc;
}

grn_status grn_params_save(const grn_params_t *ps, grn_cw_t *w, int with_optim)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; !rc && i < ps->n; i++) {
        const grn_param_t *p = &ps->p[i];
        rc = save_one(ps, p, "param", p->w, w);
        if (!rc && with_optim) rc = save_one(ps, p, "adam_m", p->m, w);
        if (!rc && with_optim) rc = save_one(ps, p, "adam_v", p->v, w);
    }
    return rc;
}

static grn_status shape_check(const grn_param_t *p, const grn_tensor_info_t *t)
{
    int same = t->n_dim == p->n_dim;
    for (int k = 0; same && k < p->n_dim; k++) same = t->shape[k] == (uint64_t)p->shape[k];
    if (same) return GRN_OK;
    grn_str_t have = { 0 }, want = { 0 };
    grn_status rc = GRN_OK;
    for (int k = 0; !rc && k < t->n_dim; k++)
        rc = grn_str_printf(&have, "%s%llu", k ? "," : "", (unsigned long long)t->shape[k]);
    for (int k = 0; !rc && k < p->n_dim; k++)
        rc = grn_str_printf(&want, "%s%lld", k ? "," : "", (long long)p->shape[k]);
    if (!rc)
        rc = grn_err(GRN_ESHAPE, "tensor '%s' has shape [%s], expected [%s]", t->name,
                     have.s ? have.s : "", want.s);
    grn_str_clear(&have);
    grn_str_clear(&want);
    return rc;
}

static grn_status load_one(grn_params_t *ps, const grn_param_t *p, const char *kind,
                           grn_real_t *buf, grn_cr_t *r)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    const grn_tensor_info_t *t;
    void *data = NULL;
    GRN_TRY(grn_str_printf(&name, "%s.%s", kind, p->name));
    t = grn_cr_find(r, name.s);
    if (!t) GRN_FAIL(GRN_EFORMAT, "'%s' has no tensor '%s'", grn_cr_path(r), name.s);
    rc = shape_check(p, t);
    if (rc) {
        rc = grn_err_prefix(rc, "'%s'", grn_cr_path(r));
        goto end;
    }
    GRN_TRY(grn_cr_load_as(r, t, GRN_F32, &data));
    const float *x = data;
    for (int64_t i = 0; i < p->n; i++)
        if (!isfinite(x[i]))
            GRN_FAIL(GRN_ENONFINITE, "'%s': tensor '%s' is not finite at element %lld",
                     grn_cr_path(r), name.s, (long long)i);
    GRN_TRY(grn_dev_put(ps->dev, buf, x, (size_t)p->n));
end:
    free(data);
    grn_str_clear(&name);
    return rc;
}

grn_status grn_params_load(grn_params_t *ps, grn_cr_t *r, int with_optim)
{
    grn_status rc = with_optim ? grn_params_moments(ps) : GRN_OK;
    for (size_t i = 0; !rc && i < ps->n; i++) {
        grn_param_t *p = &ps->p[i];
        rc = load_one(ps, p, "param", p->w, r);
        if (!rc && with_optim) rc = load_one(ps, p, "adam_m", p->m, r);
        if (!rc && with_optim) rc = load_one(ps, p, "adam_v", p->v, r);
    }
    return rc;
}
