/* Included by cbust_kernel_*.c with KERNEL, the name of the table. Only additions, multiplications and divisions in a fixed order: the
 * same bits whatever the width of the machine's vectors. */
#include "cbust_kernel.h"
#include "seqlanes.h"

#if defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#endif

#define L GRN_LANES
#if defined(__AVX512F__)
#define W 16 /* floats in a register */
#elif defined(__AVX2__)
#define W 8
#else
#define W 4
#endif
#define D (W / 2) /* doubles */
#define INLINE static inline __attribute__((always_inline))
typedef float vec_t __attribute__((vector_size(4 * W)));
typedef float half_t __attribute__((vector_size(4 * D)));
typedef double dvec_t __attribute__((vector_size(8 * D)));

/* a > b in each lane, as the machine keeps it, and what is done with it. */
#if defined(__AVX512F__)
typedef __mmask8 mask_t;
INLINE mask_t more(dvec_t a, dvec_t b) { return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_GT_OQ); }
INLINE dvec_t choose(mask_t m, dvec_t a, dvec_t b) { return (dvec_t)_mm512_mask_blend_pd(m, (__m512d)b, (__m512d)a); }
INLINE uint32_t bits_of(mask_t m) { return m; }
#elif defined(__AVX2__)
typedef dvec_t mask_t;
INLINE mask_t more(dvec_t a, dvec_t b) { return (mask_t)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_GT_OQ); }
INLINE dvec_t choose(mask_t m, dvec_t a, dvec_t b) { return (dvec_t)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)m); }
INLINE uint32_t bits_of(mask_t m) { return (uint32_t)_mm256_movemask_pd((__m256d)m); }
#else
typedef int64_t mask_t __attribute__((vector_size(8 * D)));
INLINE mask_t more(dvec_t a, dvec_t b) { return a > b; }
INLINE dvec_t choose(mask_t m, dvec_t a, dvec_t b) { return (dvec_t)(((mask_t)a & m) | ((mask_t)b & ~m)); }
INLINE uint32_t bits_of(mask_t m) { return (uint32_t)(m[0] & 1) | (uint32_t)(m[1] & 2); }
#endif

/* t[index] for W lanes; index < 16. */
INLINE vec_t lookup(const float *t, const uint32_t *index)
{
#if defined(__AVX512F__)
    return (vec_t)_mm512_permutexvar_ps(_mm512_load_si512(index), _mm512_load_ps(t));
#elif defined(__AVX2__)
    __m256i i = _mm256_load_si256((const __m256i *)index);
    __m256 lo = _mm256_permutevar8x32_ps(_mm256_load_ps(t), i), hi = _mm256_permutevar8x32_ps(_mm256_load_ps(t + 8), i);
    return (vec_t)_mm256_blendv_ps(lo, hi, _mm256_castsi256_ps(_mm256_slli_epi32(i, 28)));
#else
    return (vec_t){ t[index[0]], t[index[1]], t[index[2]], t[index[3]] };
#endif
}

/* Products of both strands for `rows` placements in a row: the tables are loaded once for all. */
INLINE void products(const uint32_t *pair, int rows, uint32_t n_pair, const float *tab, vec_t *plus, vec_t *minus)
{
    for (int r = 0; r < rows; r++) {
        plus[r] = lookup(tab, pair + r * L);
        minus[r] = lookup(tab + (size_t)n_pair * 16, pair + r * L);
    }
    for (uint32_t k = 1; k < n_pair; k++)
        for (int r = 0; r < rows; r++) {
            plus[r] *= lookup(tab + k * 16, pair + (size_t)(r + (int)(2 * k)) * L);
            minus[r] *= lookup(tab + (size_t)(n_pair + k) * 16, pair + (size_t)(r + (int)(2 * k)) * L);
        }
}

#define ROWS 4
static void ratios(const uint32_t *pair, size_t len, uint32_t n_pair, const float *tab, const float *window, float *e)
{
    vec_t plus[ROWS], minus[ROWS];
    for (size_t n = 0; n < len;) {
        if (len - n >= ROWS) {
            for (int part = 0; part < L; part += W) {
                products(pair + n * L + part, ROWS, n_pair, tab, plus, minus);
                for (size_t r = 0; r < ROWS; r++)
                    *(vec_t *)(e + (n + r) * L + part) = (plus[r] + minus[r]) * *(const vec_t *)(window + (n + r) * L + part);
            }
            n += ROWS;
        } else {
            for (int part = 0; part < L; part += W) {
                products(pair + n * L + part, 1, n_pair, tab, plus, minus);
                *(vec_t *)(e + n * L + part) = (plus[0] + minus[0]) * *(const vec_t *)(window + n * L + part);
            }
            n++;
        }
    }
}
#undef ROWS

static void occupancy(const uint32_t *pair, size_t len, uint32_t n_pair, const float *tab, const float *window, double *sum)
{
    const vec_t one = (vec_t){ 0 } + 1.0f;
    for (int part = 0; part < L; part += W) {
        dvec_t s[2] = { { 0 }, { 0 } };
        for (size_t n = 0; n < len; n++) {
            vec_t plus, minus, both;
            products(pair + n * L + part, 1, n_pair, tab, &plus, &minus);
            plus *= *(const vec_t *)(window + n * L + part);
            minus *= *(const vec_t *)(window + n * L + part);
            both = plus / (one + plus) + minus / (one + minus);
            for (int h = 0; h < 2; h++) s[h] += __builtin_convertvector(((half_t *)&both)[h], dvec_t);
        }
        for (int h = 0; h < 2; h++) *(dvec_t *)(sum + part + h * D) = s[h];
    }
}

INLINE dvec_t widen(const float *x) { return __builtin_convertvector(*(const half_t *)x, dvec_t); }

/* 2 D lanes from `part` on. */
INLINE void forward_n(const float *const *e, const uint32_t *w, size_t n_matrix, double stay, size_t len, double *F, double *best,
                      double *low, double *at, double *top, int part)
{
    dvec_t x[2], b[2], m[2], mb[2], where[2], max[2], row = { 0 };
    for (int h = 0; h < 2; h++) {
        x[h] = *(const dvec_t *)(F + part + h * D);
        b[h] = mb[h] = m[h] = max[h] = x[h];
        where[h] = row;
    }
    for (size_t n = 0; n < len; n++) {
        row += 1;
        for (int h = 0; h < 2; h++) {
            int l = part + h * D;
            dvec_t c = widen(e[0] + n * L + l) * *(const dvec_t *)(F + ((ptrdiff_t)n + 1 - (ptrdiff_t)w[0]) * L + l);
            for (size_t k = 1; k < n_matrix; k++)
                c += widen(e[k] + n * L + l) * *(const dvec_t *)(F + ((ptrdiff_t)n + 1 - (ptrdiff_t)w[k]) * L + l);
            x[h] = x[h] * stay + c;
            *(dvec_t *)(F + (n + 1) * L + l) = x[h];
            mask_t record = more(x[h] * mb[h], b[h] * m[h]);
            b[h] = choose(record, x[h], b[h]);
            mb[h] = choose(record, m[h], mb[h]);
            where[h] = choose(record, row, where[h]);
            m[h] = choose(more(m[h], x[h]), x[h], m[h]);
            max[h] = choose(more(x[h], max[h]), x[h], max[h]);
        }
    }
    for (int h = 0; h < 2; h++) {
        *(dvec_t *)(best + part + h * D) = b[h];
        *(dvec_t *)(low + part + h * D) = mb[h];
        *(dvec_t *)(at + part + h * D) = where[h];
        *(dvec_t *)(top + part + h * D) = max[h];
    }
}

static void forward(const float *const *e, const uint32_t *w, size_t n_matrix, double stay, size_t len, double *F, double *best,
                    double *low, double *at, double *top)
{
    for (int part = 0; part < L; part += 2 * D) {
        if (n_matrix == 1) forward_n(e, w, 1, stay, len, F, best, low, at, top, part);
        else forward_n(e, w, n_matrix, stay, len, F, best, low, at, top, part);
    }
}

static uint32_t rivals(const double *F, size_t len, const double *thr, const double *at)
{
    uint32_t bits = 0;
    for (int l = 0; l < L; l += D) {
        uint32_t found = 0, others;
        dvec_t before = *(const dvec_t *)(F + l), x = *(const dvec_t *)(F + L + l), m = before;
        const dvec_t t = *(const dvec_t *)(thr + l);
        for (size_t n = 1; n <= len; n++) {
            dvec_t next = n < len ? *(const dvec_t *)(F + (n + 1) * L + l) : (dvec_t){ 0 };
            others = bits_of(more(x, t * m)) & bits_of(more(x, before)) & bits_of(more(x, next));
            for (int k = 0; others; k++, others >>= 1)
                if ((others & 1) && at[l + k] != (double)n) found |= 1u << k;
            m = choose(more(m, x), x, m);
            before = x;
            x = next;
        }
        bits |= found << l;
    }
    return bits;
}

#undef L
#undef W
#undef D

const grn_cbust_kernel_t KERNEL = { ratios, forward, rivals, occupancy };
