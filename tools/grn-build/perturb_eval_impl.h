/* Included by perturb_eval_*.c with EVAL, the name of the function. Sums of whole numbers: the same on every machine. */
#include <string.h>

#include "perturb_eval.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define W 8      /* cells of a vector */
#define CHUNK 256 /* cells whose values stay close by */

typedef float real_t __attribute__((vector_size(W * 4)));
typedef int32_t mask_t __attribute__((vector_size(W * 4))); /* lanes: all bits or none */
typedef int64_t wide_t __attribute__((vector_size(W * 8)));

static inline mask_t side(const grn_perturb_tree_t *t, const float *x, size_t stride, size_t i, int node)
{
    real_t v;
    memcpy(&v, x + t->predictor[node] * stride + i, sizeof v);
    return (v > (real_t){ 0 } + t->threshold[node]) ^ -(t->flip >> node & 1);
}

static inline mask_t pick(mask_t which, mask_t a, mask_t b)
{
    return (which & a) | (~which & b);
}

/* step[leaf], leaf = a + 2 b + 4 c. */
static inline mask_t step_of(const int32_t *step, mask_t a, mask_t b, mask_t c)
{
    mask_t leaf = (a & 1) | (b & 2) | (c & 4), out;
#if defined(__AVX2__)
    __m256i s, l;
    memcpy(&s, step, sizeof s);
    memcpy(&l, &leaf, sizeof l);
    s = _mm256_permutevar8x32_epi32(s, l);
    memcpy(&out, &s, sizeof out);
#else
    for (int k = 0; k < W; k++) out[k] = step[leaf[k]];
#endif
    return out;
}

static void walk(const grn_perturb_tree_t *t, const float *x, size_t stride, size_t begin, size_t end, int64_t *sum)
{
    for (size_t i = begin; i < end; i += W) {
        mask_t a = side(t, x, stride, i, 0);
        mask_t b = pick(a, side(t, x, stride, i, 2), side(t, x, stride, i, 1));
        mask_t c = pick(b, pick(a, side(t, x, stride, i, 6), side(t, x, stride, i, 5)),
                        pick(a, side(t, x, stride, i, 4), side(t, x, stride, i, 3)));
        wide_t s, step = __builtin_convertvector(step_of(t->step, a, b, c), wide_t);
        memcpy(&s, sum + i, sizeof s);
        s += step;
        memcpy(sum + i, &s, sizeof s);
    }
}

static int is_touched(const grn_perturb_tree_t *t, const uint8_t *touched)
{
    int any = 0;
    for (int k = 0; k < GRN_DRAW_NODES; k++) any |= touched[t->predictor[k]];
    return any;
}

static void eval(const grn_perturb_tree_t *tree, size_t n_trees, const uint8_t *touched, const float *x, size_t stride, size_t n,
                 int64_t *sum)
{
    for (size_t begin = 0; begin < n; begin += CHUNK) {
        size_t end = begin + CHUNK < n ? begin + CHUNK : n;
        for (size_t t = 0; t < n_trees; t++)
            if (!touched || is_touched(&tree[t], touched)) walk(&tree[t], x, stride, begin, end, sum);
    }
}

const grn_perturb_eval_fn EVAL = eval;
