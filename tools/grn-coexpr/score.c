#include "grn-coexpr/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CONSTANT 1e-11 /* share of a gene's square below which its variation is rounding error */
#define ROUNDING 1e-12 /* a ratio this near to 1 is 1 */
#define LAMBDA 1.0     /* PMI: cells in which the two genes are independent, added to those seen */

void coexpr_side_clear(coexpr_side_t *s)
{
    free(s->proj);
    free(s->scale);
    free(s->shift);
    memset(s, 0, sizeof *s);
}

/* Squares and products less those of the projections. */
static void centre(const coexpr_moments_t *m, size_t j, const double *mean_proj, double *square, double *with)
{
    *square = m->square[j];
    *with = m->with ? m->with[j] : 0;
    for (size_t q = 0; q < m->p; q++) {
        double x = m->proj[q * m->n_cols + j];
        *square -= x * x;
        if (m->with) *with -= x * mean_proj[q];
    }
    if (*square <= CONSTANT * m->square[j]) *square = 0;
}

grn_status coexpr_side_make(coexpr_side_t *s, coexpr_method method, coexpr_moments_t *m, const double *basis, const double *other,
                            size_t n)
{
    grn_status rc = GRN_OK;
    double *mean_proj = NULL, square, with;
    *s = (coexpr_side_t){ .method = method, .n_genes = m->n_cols, .p = m->p };
    GRN_TRY(GRN_NEW(s->scale, m->n_cols));
    GRN_TRY(GRN_NEW(s->shift, m->n_cols));
    GRN_TRY(GRN_NEW(mean_proj, m->p));
    for (size_t i = 0; other && i < n; i++) {
        s->add += other[i] * other[i];
        for (size_t q = 0; q < m->p; q++) mean_proj[q] += other[i] * basis[i * m->p + q];
    }
    for (size_t q = 0; q < m->p; q++) s->add -= mean_proj[q] * mean_proj[q];
    if (method == COEXPR_PMI) s->add = (double)n;
    for (size_t j = 0; j < m->n_cols; j++) {
        centre(m, j, mean_proj, &square, &with);
        s->shift[j] = with;
        if (method == COEXPR_PMI) s->scale[j] = m->cells[j];
        else if (method == COEXPR_RHO_P) s->scale[j] = fmax(0, square - 2 * with + s->add);
        else s->scale[j] = square > 0 ? 1 / sqrt(square) : 0;
    }
    s->proj = m->proj;
    m->proj = NULL;
end:
    free(mean_proj);
    return rc;
}

/* Normalised pointwise mutual information (Bouma 2009) of being detected: ln(p11 / (p1 p2)) / -ln p11, with LAMBDA cells' worth of
 * independence added. Genes seen together less often than that have none. */
static double npmi(double together, double one, double two, double n)
{
    double chance = one / n * (two / n), p = (together + LAMBDA * chance) / (n + LAMBDA);
    return p > chance * (1 + ROUNDING) && p < 1 ? log(p / chance) / -log(p) : 0;
}

static double clamp(double r)
{
    return r > 1 ? 1 : r < -1 ? -1 : r;
}

void coexpr_score_row(const coexpr_side_t *a, size_t i, const coexpr_side_t *b, size_t j0, size_t n, const float *product, double *tmp,
                      float *score)
{
    const double *scale = b->scale + j0, *shift = b->shift + j0;
    double own = a->scale[i], own_shift = a->shift[i] - a->add;
    for (size_t j = 0; j < n; j++) tmp[j] = (double)product[j];
    if (a->method == COEXPR_PMI) {
        for (size_t j = 0; j < n; j++) score[j] = (float)npmi(tmp[j], own, scale[j], a->add);
        return;
    }
    for (size_t q = 0; q < a->p; q++) {
        double x = a->proj[q * a->n_genes + i];
        const double *y = b->proj + q * b->n_genes + j0;
        for (size_t j = 0; j < n && x != 0; j++) tmp[j] -= x * y[j];
    }
    if (a->method == COEXPR_RHO_P) {
        for (size_t j = 0; j < n; j++) {
            double sum = own + scale[j];
            score[j] = sum > 0 ? (float)clamp(2 * (tmp[j] - own_shift - shift[j]) / sum) : 0;
        }
        return;
    }
    for (size_t j = 0; j < n; j++) score[j] = (float)clamp(tmp[j] * own * scale[j]);
}

double coexpr_score_pair(const coexpr_side_t *a, size_t i, const coexpr_side_t *b, size_t j, double product)
{
    double sum = a->scale[i] + b->scale[j];
    if (a->method == COEXPR_PMI) return npmi(product, a->scale[i], b->scale[j], a->add);
    for (size_t q = 0; q < a->p; q++) product -= a->proj[q * a->n_genes + i] * b->proj[q * b->n_genes + j];
    if (a->method == COEXPR_RHO_P) return sum > 0 ? clamp(2 * (product - a->shift[i] - b->shift[j] + a->add) / sum) : 0;
    return clamp(product * a->scale[i] * b->scale[j]);
}
