#include "cistarget.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

__extension__ typedef unsigned __int128 u128;

#define SMALL 40 /* numbers sorted one by one */
#define S2_BITS 40
#define S2_MASK (((uint64_t)1 << S2_BITS) - 1)

uint64_t grn_round_even(double x)
{
    double down = floor(x), rest = x - down;
    uint64_t k = (uint64_t)down;
    return rest > 0.5 || (rest == 0.5 && k % 2) ? k + 1 : k;
}

void grn_cistarget_clear(grn_cistarget_t *t)
{
    for (size_t s = 0; t->set && s < t->n_sets; s++) {
        free(t->set[s].area);
        free((void *)t->set[s].step);
        free(t->set[s].nes);
        free(t->set[s].above);
    }
    free(t->set);
    *t = (grn_cistarget_t){ 0 };
}

grn_status grn_cistarget_init(grn_cistarget_t *t, size_t M, size_t N, double auc_threshold, double rank_threshold, size_t n_sets,
                              const uint32_t *const *col, const size_t *n)
{
    uint64_t cut = grn_round_even(auc_threshold * (double)N), rt = (uint64_t)(rank_threshold * (double)N);
    *t = (grn_cistarget_t){ 0 };
    if (cut < 1 || cut > rt)
        return grn_err(GRN_EINVAL,
                       "--auc-threshold %g of %zu regions is the first %llu, --rank-threshold %g the first %llu: at least one, and no "
                       "more than the latter, are needed",
                       auc_threshold, N, (unsigned long long)cut, rank_threshold, (unsigned long long)rt);
    return grn_cistarget_init_at(t, M, N, cut, rt, 0, n_sets, col, n);
}

/* M motifs add at a rank at most 1 each to S1, and 2 n - 1 to S2. */
static grn_status check_bits(size_t M, uint64_t rt, size_t n)
{
    uint64_t most = n < rt ? n : rt;
    if (M < (uint64_t)1 << (64 - S2_BITS) && (u128)M * 2 * most < (u128)1 << S2_BITS) return GRN_OK;
    return grn_err(GRN_EUNSUP, "%zu motifs and a set of %zu are too many to add up", M, n);
}

grn_status grn_cistarget_init_at(grn_cistarget_t *t, size_t M, size_t N, uint64_t cut, uint64_t rt, size_t n_lanes, size_t n_sets,
                                 const uint32_t *const *col, const size_t *n)
{
    grn_status rc = GRN_OK;
    *t = (grn_cistarget_t){ .M = M, .N = N, .n_sets = n_sets, .n_lanes = n_lanes ? n_lanes : 1, .shared = !n_lanes };
    t->c = (uint32_t)cut - 1;
    t->rt = (uint32_t)rt;
    GRN_TRY(GRN_NEW(t->set, n_sets));
    for (size_t s = 0; s < n_sets; s++) {
        grn_cistarget_set_t *x = &t->set[s];
        x->col = col[s];
        x->n = n[s];
        GRN_TRY(GRN_NEW(x->area, M));
        GRN_TRY(GRN_NEW(x->nes, M));
        GRN_TRY(check_bits(M, rt, n[s]));
        GRN_TRY(GRN_NEW(x->step, t->n_lanes * rt));
    }
end:
    if (rc) grn_cistarget_clear(t);
    return rc;
}

void grn_cistarget_work_clear(grn_cistarget_work_t *w)
{
    free(w->rank);
    free(w->tmp);
    *w = (grn_cistarget_work_t){ 0 };
}

/* Bytes from the lowest on, as many as the largest has. */
static void sort_ranks(uint32_t *v, uint32_t *tmp, size_t n, uint32_t limit)
{
    if (n <= SMALL) {
        for (size_t i = 1; i < n; i++) {
            uint32_t x = v[i];
            size_t k = i;
            for (; k && v[k - 1] > x; k--) v[k] = v[k - 1];
            v[k] = x;
        }
        return;
    }
    uint32_t *from = v, *to = tmp;
    for (int shift = 0; shift < 32 && limit >> shift; shift += 8) {
        size_t at[257] = { 0 };
        for (size_t i = 0; i < n; i++) at[(from[i] >> shift & 255) + 1]++;
        for (int k = 0; k < 256; k++) at[k + 1] += at[k];
        for (size_t i = 0; i < n; i++) to[at[from[i] >> shift & 255]++] = from[i];
        uint32_t *other = from;
        from = to;
        to = other;
    }
    if (from != v) memcpy(v, from, n * sizeof *v);
}

/* The ranks below rt of a set, ascending, in w->rank. */
static grn_status ranks_of(const grn_cistarget_t *t, const grn_cistarget_set_t *x, const uint32_t *rank, grn_cistarget_work_t *w,
                           size_t *n_out)
{
    grn_status rc = GRN_OK;
    size_t n = 0;
    GRN_TRY(GRN_GROW(w->rank, w->cap, x->n + 1));
    GRN_TRY(GRN_GROW(w->tmp, w->tmp_cap, x->n + 1));
    for (size_t i = 0; i < x->n; i++) {
        w->rank[n] = rank[x->col[i]];
        n += w->rank[n] < t->rt;
    }
    sort_ranks(w->rank, w->tmp, n, t->rt);
    *n_out = n;
end:
    return rc;
}

/* Adds to a sum that no other thread writes to, or that all may. */
static void add_alone(_Atomic uint64_t *x, uint64_t by)
{
    atomic_store_explicit(x, atomic_load_explicit(x, memory_order_relaxed) + by, memory_order_relaxed);
}

static void add_shared(_Atomic uint64_t *x, uint64_t by)
{
    atomic_fetch_add_explicit(x, by, memory_order_relaxed);
}

grn_status grn_cistarget_add(grn_cistarget_t *t, size_t motif, const uint32_t *rank, grn_cistarget_work_t *w)
{
    grn_status rc = GRN_OK;
    for (size_t s = 0; s < t->n_sets; s++) {
        grn_cistarget_set_t *x = &t->set[s];
        size_t n;
        uint64_t area = 0;
        GRN_TRY(ranks_of(t, x, rank, w, &n));
        const uint32_t *v = w->rank;
        for (size_t i = 0; i < n && v[i] < t->c; i++) area += t->c - v[i];
        x->area[motif] = area;
        _Atomic uint64_t *step = x->step + w->lane * t->rt;
        const uint64_t one = (uint64_t)1 << S2_BITS;
        if (t->shared)
            for (size_t i = 0; i < n; i++) add_shared(&step[v[i]], one + 2 * i + 1);
        else
            for (size_t i = 0; i < n; i++) add_alone(&step[v[i]], one + 2 * i + 1);
    }
end:
    return rc;
}

static void finish_nes(const grn_cistarget_t *t, grn_cistarget_set_t *x)
{
    u128 s1 = 0, s2 = 0;
    for (size_t m = 0; m < t->M; m++) {
        s1 += x->area[m];
        s2 += (u128)x->area[m] * x->area[m];
    }
    u128 spread = t->M * s2 - s1 * s1; /* M^2 times the variance, exact */
    double sd = (double)sqrtl((long double)spread);
    for (size_t m = 0; m < t->M; m++) {
        u128 a = (u128)t->M * x->area[m];
        double d = a >= s1 ? (double)(a - s1) : -(double)(s1 - a);
        x->nes[m] = spread ? d / sd : NAN;
    }
}

grn_status grn_cistarget_finish(grn_cistarget_t *t)
{
    grn_status rc = GRN_OK;
    const double M = (double)t->M;
    for (size_t s = 0; s < t->n_sets; s++) {
        grn_cistarget_set_t *x = &t->set[s];
        uint64_t s1 = 0, s2 = 0;
        finish_nes(t, x);
        if (!x->above) GRN_TRY(GRN_NEW_RAW(x->above, t->rt));
        for (uint32_t r = 0; r < t->rt; r++) {
            for (size_t k = 0; k < t->n_lanes; k++) {
                uint64_t step = atomic_load_explicit(&x->step[k * t->rt + r], memory_order_relaxed);
                s1 += step >> S2_BITS;
                s2 += step & S2_MASK;
            }
            u128 spread = (u128)t->M * s2 - (u128)s1 * s1;
            x->above[r] = ((double)s1 + 2 * sqrt((double)spread)) / M;
        }
    }
end:
    return rc;
}

double grn_cistarget_auc(const grn_cistarget_t *t, size_t set, size_t motif)
{
    const grn_cistarget_set_t *x = &t->set[set];
    return (double)x->area[motif] / (((double)t->c + 1) * (double)x->n);
}

grn_status grn_cistarget_edge(const grn_cistarget_t *t, size_t set, const uint32_t *rank, grn_cistarget_work_t *w,
                              uint32_t *rank_at_max, uint32_t *hit, size_t *n_hit)
{
    const grn_cistarget_set_t *x = &t->set[set];
    size_t n, i = 0;
    double best = -INFINITY;
    grn_status rc = ranks_of(t, x, rank, w, &n);
    if (rc) return rc;
    *rank_at_max = 0;
    for (uint32_t r = 0; r < t->rt; r++) {
        while (i < n && w->rank[i] <= r) i++;
        double d = (double)i - x->above[r];
        if (d > best) best = d, *rank_at_max = r;
    }
    *n_hit = 0;
    for (size_t k = 0; k < x->n; k++)
        if (rank[x->col[k]] <= *rank_at_max) hit[(*n_hit)++] = x->col[k];
    return GRN_OK;
}
