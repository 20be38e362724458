/* The loops of the cluster and occupancy scores, over GRN_LANES regions at once. Private to cbust.c; three copies that give the same
 * bits (SSE2 or portable, AVX2, AVX-512), chosen at run time. All arrays are aligned to 64 bytes; GRN_LANES values to a row. */
#ifndef GRN_BUILD_CBUST_KERNEL_H
#define GRN_BUILD_CBUST_KERNEL_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    /* e[n] = window[n] (P+ + P-): P of a strand = product of its n_pair tables (16 values each; first those of +, then of -) looked up
     * by the pairs at rows n, n + 2, n + 4 ... of `pair`. */
    void (*ratios)(const uint32_t *pair, size_t len, uint32_t n_pair, const float *tab, const float *window, float *e);
    /* Forward sums F[n + 1] = stay F[n] + sum_m e_m[n] F[n + 1 - w_m]; F[0], F[-1] ... F[-(max w - 1)] are given. Where F[n] / (least of
     * F[0..n - 1]) is greatest: the two values and n. top: the greatest F of a lane. */
    void (*forward)(const float *const *e, const uint32_t *w, size_t n_matrix, double stay, size_t len, double *F, double *best,
                    double *low, double *at, double *top);
    /* Lanes (bits) that have a local maximum of F, other than that at row `at`, with F[n] > thr (least of F[0..n - 1]). */
    uint32_t (*rivals)(const double *F, size_t len, const double *thr, const double *at);
    /* sum[lane] of x / (1 + x) over both strands and all placements, x = window P. */
    void (*occupancy)(const uint32_t *pair, size_t len, uint32_t n_pair, const float *tab, const float *window, double *sum);
} grn_cbust_kernel_t;

extern const grn_cbust_kernel_t grn_cbust_kernel_base;
#if defined(__x86_64__)
extern const grn_cbust_kernel_t grn_cbust_kernel_avx2, grn_cbust_kernel_avx512;
#endif

#endif
