/* Which regions belong to a topic: scores smoothed over topics, scaled to [0, 1] within the topic, and cut.
 *
 * y_kw = phi_kw (ln phi_kw - mean over topics of ln phi_k'w), z = (y - min)/(max - min), regions with z > t belong (pycisTopic,
 * Bravo Gonzalez-Blas 2023; SPEC_GRN 2.4). A topic whose scores are all equal has no regions. phi is smoothed by eta, so that no
 * logarithm is of 0. */
#ifndef GRN_BUILD_TOPIC_BINARIZE_H
#define GRN_BUILD_TOPIC_BINARIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"

typedef enum { GRN_BINARIZE_OTSU, GRN_BINARIZE_YEN, GRN_BINARIZE_LI, GRN_BINARIZE_NTOP } grn_binarize;

#define GRN_BINARIZE_BINS 100

/* Scores z of a matrix of n items x K topics (phi, or theta with smooth = 0) into z (K, n), one row a topic. Constant topics: all 0.
 * Uses pool; same bits for any. */
grn_status grn_topic_scores(const float *p, size_t n, uint32_t K, int smooth, grn_par_t *pool, float *z) GRN_MUST_USE;

/* The cut t of scores in [0, 1] from their histogram of 100 bins; items with z > t belong.
 * OTSU (Otsu 1979): centre of the bin after which the between-class variance is largest, the first of equals.
 * YEN (Yen 1995): largest -ln(sum p^2 below * sum p^2 above) + 2 ln(P (1 - P)); splits with an empty side are passed over.
 * LI (Li & Lee 1993): smallest cross-entropy of t = 0.01, 0.02 ... 0.98; splits with an empty side are passed over.
 * NTOP: the score of the item after the `ntop` best; -1 when there are not more (all belong). */
grn_status grn_topic_cut(const float *z, size_t n, grn_binarize method, size_t ntop, double *t) GRN_MUST_USE;

/* Items with z > t, highest score first, ties by index; NTOP: exactly the best `ntop`, ties at the cut by index. *item: malloc'ed. */
grn_status grn_topic_select(const float *z, size_t n, grn_binarize method, size_t ntop, double t, uint32_t **item,
                            size_t *n_item) GRN_MUST_USE;

#endif
