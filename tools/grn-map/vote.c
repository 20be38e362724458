#include "vote.h"

#include <math.h>
#include <string.h>

void vote_weigh(const uint32_t *id, const double *distance, uint32_t k, vote_weights how, double *w)
{
    double h = 0;
    for (uint32_t i = 0; i < k; i++)
        if (id[i] != KNN_NONE) h = distance[i];
    for (uint32_t i = 0; i < k; i++) {
        double t = h > 0 ? distance[i] / h : 0;
        w[i] = id[i] == KNN_NONE ? 0 : how == VOTE_UNIFORM ? 1 : exp(-t * t / 2);
    }
}

double vote_mean_distance(const uint32_t *id, const double *distance, uint32_t k)
{
    double sum = 0;
    uint32_t n = 0;
    while (n < k && id[n] != KNN_NONE) sum += distance[n++];
    return n ? sum / n : INFINITY;
}

vote_t vote_count(const uint32_t *id, const double *w, uint32_t k, const int32_t *code, size_t n_levels, double *tally)
{
    vote_t v = { -1, NAN, NAN };
    double total = 0;
    memset(tally, 0, n_levels * sizeof *tally);
    for (uint32_t i = 0; i < k; i++) {
        if (id[i] == KNN_NONE || code[id[i]] < 0) continue;
        tally[code[id[i]]] += w[i];
        total += w[i];
    }
    if (!(total > 0)) return v;
    v.entropy = 0;
    for (size_t l = 0; l < n_levels; l++) {
        double share = tally[l] / total;
        if (share <= 0) continue;
        if (v.best < 0 || share > v.share) {
            v.best = (int32_t)l;
            v.share = share;
        }
        v.entropy -= share * log2(share);
    }
    if (v.entropy < 0) v.entropy = 0; /* -1 log 1 is -0 */
    return v;
}
