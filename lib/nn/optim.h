/* The optimiser: AdamW with decoupled decay on tensors of rank >= 2, global-norm clipping, linear
 * warm-up and cosine decay. Deterministic: the norm is a fixed-order sum in double (grn_ops_t.dot),
 * parameters are taken in order of their names. */
#ifndef GRN_NN_OPTIM_H
#define GRN_NN_OPTIM_H

#include "nn/param.h"

typedef struct {
    double lr;          /* peak [1e-4] */
    double b1, b2, eps; /* [0.9, 0.999, 1e-8] */
    double decay;       /* weight decay; 0: plain Adam [0] */
    double clip;        /* largest global gradient norm; 0: none [1] */
    int64_t warmup,
        total; /* steps of linear warm-up; of the whole run (0: constant after warm-up) [0, 0] */
    double lr_end;  /* share of lr left at the end [0] */
    int64_t step;   /* steps done; saved and restored by the trainer */
    double *norm_d; /* owned: device scalar */
    grn_dev_t *dev; /* borrowed: where norm_d lives */
} grn_optim_t;

/* Defaults as in brackets above. */
void grn_optim_init(grn_optim_t *o);
void grn_optim_clear(grn_optim_t *o); /* accepts zeroed; before the device is closed */

/* Learning rate of step s = 0, 1, ...: lr (s+1)/warmup while s < warmup; then lr (lr_end +
 * (1-lr_end) (1 + cos(pi x))/2), x = (s - warmup)/(total - warmup) clamped to [0,1]; lr when total
 * = 0. */
double grn_optim_lr(const grn_optim_t *o, int64_t s);

/* One step over all parameters that are not frozen, then step += 1. *norm (may be NULL) = the
 * global gradient norm before clipping. GRN_ENONFINITE naming the first parameter (by name) with a
 * non-finite gradient: nothing is changed. Gradients are left as they are. */
grn_status grn_optim_step(grn_optim_t *o, grn_params_t *ps, double *norm) GRN_MUST_USE;

#endif
