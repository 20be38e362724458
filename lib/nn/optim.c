#include "nn/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void grn_optim_init(grn_optim_t *o)
{
    memset(o, 0, sizeof *o);
    o->lr = 1e-4;
    o->b1 = 0.9;
    o->b2 = 0.999;
    o->eps = 1e-8;
    o->clip = 1;
}

void grn_optim_clear(grn_optim_t *o)
{
    if (o->dev) grn_dev_free(o->dev, o->norm_d);
    memset(o, 0, sizeof *o);
}

double grn_optim_lr(const grn_optim_t *o, int64_t s)
{
    if (s < o->warmup) return o->lr * (double)(s + 1) / (double)o->warmup;
    if (o->total <= 0) return o->lr;
    double x = o->total > o->warmup ? (double)(s - o->warmup) / (double)(o->total - o->warmup) : 1;
    if (x > 1) x = 1;
    return o->lr * (o->lr_end + (1 - o->lr_end) * 0.5 * (1 + cos(3.14159265358979323846 * x)));
}

typedef struct {
    const char *name;
    size_t i;
} order_t;

static int key_cmp(const void *a, const void *b)
{
    return strcmp(((const order_t *)a)->name, ((const order_t *)b)->name);
}

/* Indices of the parameters in order of their names, so that sums do not depend on the order of
 * adding. */
static grn_status by_name(const grn_params_t *ps, order_t **out)
{
    grn_status rc = GRN_NEW_RAW(*out, ps->n);
    if (rc) return rc;
    for (size_t i = 0; i < ps->n; i++) (*out)[i] = (order_t){ ps->p[i].name, i };
    qsort(*out, ps->n, sizeof **out, key_cmp);
    return GRN_OK;
}

/* The total squared gradient is not finite: which parameter's is? */
static grn_status blame(grn_optim_t *o, const grn_params_t *ps, const order_t *key)
{
    for (size_t k = 0; k < ps->n; k++) {
        const grn_param_t *p = &ps->p[key[k].i];
        double one;
        if (p->frozen) continue;
        grn_status rc = GRN_OP(o->dev, dot, p->n, p->g, p->g, 0.0, o->norm_d);
        if (rc == GRN_OK) rc = grn_dev_download(o->dev, &one, o->norm_d, sizeof one);
        if (rc) return rc;
        if (!isfinite(one))
            return grn_err(GRN_ENONFINITE, "gradient of '%s' is not finite at step %lld", p->name,
                           (long long)o->step + 1);
    }
    return grn_err(GRN_ENONFINITE, "sum of squared gradients overflows at step %lld",
                   (long long)o->step + 1);
}

grn_status grn_optim_step(grn_optim_t *o, grn_params_t *ps, double *norm)
{
    grn_status rc = GRN_OK;
    order_t *key = NULL;
    double sumsq, lr = grn_optim_lr(o, o->step);
    if (!o->norm_d) {
        o->dev = ps->dev;
        GRN_TRY(GRN_DEV_NEW(o->dev, o->norm_d, 1));
    }
    GRN_TRY(by_name(ps, &key));
    GRN_TRY(grn_params_moments(ps));
    GRN_TRY(GRN_OP(o->dev, zero, o->norm_d, sizeof(double)));
    for (size_t k = 0; k < ps->n; k++) {
        const grn_param_t *p = &ps->p[key[k].i];
        if (!p->frozen) GRN_TRY(GRN_OP(o->dev, dot, p->n, p->g, p->g, 1.0, o->norm_d));
    }
    GRN_TRY(grn_dev_download(o->dev, &sumsq, o->norm_d, sizeof sumsq));
    if (norm) *norm = sqrt(sumsq);
    if (!isfinite(sumsq)) GRN_TRY(blame(o, ps, key));
    for (size_t k = 0; k < ps->n; k++) {
        grn_param_t *p = &ps->p[key[k].i];
        if (p->frozen) continue;
        GRN_TRY(GRN_OP(o->dev, adamw, p->n, p->w, p->g, p->m, p->v, lr, o->b1, o->b2, o->eps,
                       p->no_decay ? 0 : o->decay, o->step + 1, o->norm_d, o->clip));
    }
    o->step++;
end:
    free(key);
    return rc;
}
