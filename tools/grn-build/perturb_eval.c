#include "perturb_eval.h"

#include <math.h>

#include "base/simd.h"

/* The largest float that is not above t: floats exceed both or neither. */
static float float_below(double t)
{
    float f = (float)t;
    return (double)f > t ? nextafterf(f, -INFINITY) : f;
}

void grn_perturb_compile(const grn_boost_model_t *model, grn_perturb_model_t *out)
{
    grn_perturb_tree_t *tree = (grn_perturb_tree_t *)(out + 1);
    double most = 0;
    *out = (grn_perturb_model_t){ .mean = model->mean, .n_trees = (uint32_t)model->n };
    for (size_t t = 0; t < model->n; t++)
        for (int k = 0; k < GRN_TREE_LEAVES; k++) most = fmax(most, fabs(model->tree[t].step[k]));
    if (most > 0) out->scale = 30 - ilogb(most); /* steps are 32-bit multiples of a power of 2: of this one, too */
    for (size_t t = 0; t < model->n; t++) {
        const grn_boost_tree_t *from = &model->tree[t];
        grn_perturb_tree_t to = { .flip = 0 };
        for (int k = 0; k < GRN_DRAW_NODES; k++) {
            const grn_tree_split_t *s = &from->split[k];
            int is_split = s->predictor != GRN_TREE_NOBODY;
            to.threshold[k] = is_split ? float_below(s->threshold) : INFINITY;
            to.predictor[k] = is_split ? (uint16_t)s->predictor : to.predictor[0];
            if (is_split && !s->above) to.flip |= (uint8_t)(1u << k);
        }
        for (int k = 0; k < GRN_TREE_LEAVES; k++) to.step[k] = (int32_t)ldexp(from->step[k], out->scale);
        tree[t] = to;
    }
}

grn_perturb_eval_fn grn_perturb_eval(void)
{
#if defined(__x86_64__)
    if (grn_simd_level() >= GRN_SIMD_AVX2) return grn_perturb_eval_avx2;
#endif
    return grn_perturb_eval_base;
}
