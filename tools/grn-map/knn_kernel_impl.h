/* Included by knn_kernel_*.c with KERNEL, the name of the table. */
#include <string.h>

#include "knn_kernel.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))
enum { COLUMNS = 2 }; /* vectors of reference points in registers; ROWS: queries */

#if defined(__AVX512F__)
enum { W = 16, ROWS = 8 };
typedef __m512 vec_t;
INLINE vec_t load(const float *p)
{
    return _mm512_loadu_ps(p);
}
INLINE void store(float *p, vec_t x)
{
    _mm512_storeu_ps(p, x);
}
INLINE vec_t all(float x)
{
    return _mm512_set1_ps(x);
}
INLINE vec_t add_product(vec_t sum, vec_t a, vec_t b)
{
    return _mm512_fmadd_ps(a, b, sum);
}
INLINE uint32_t at_least(vec_t x, vec_t bar)
{
    return _mm512_cmp_ps_mask(x, bar, _CMP_GE_OQ);
}
#elif defined(__AVX2__)
enum { W = 8, ROWS = 4 };
typedef __m256 vec_t;
INLINE vec_t load(const float *p)
{
    return _mm256_loadu_ps(p);
}
INLINE void store(float *p, vec_t x)
{
    _mm256_storeu_ps(p, x);
}
INLINE vec_t all(float x)
{
    return _mm256_set1_ps(x);
}
INLINE vec_t add_product(vec_t sum, vec_t a, vec_t b)
{
    return _mm256_add_ps(_mm256_mul_ps(a, b), sum);
}
INLINE uint32_t at_least(vec_t x, vec_t bar)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x, bar, _CMP_GE_OQ));
}
#else /* vectors of the compiler */
enum { W = 4, ROWS = 4 };
typedef float vec_t __attribute__((vector_size(16)));
INLINE vec_t load(const float *p)
{
    vec_t x;
    memcpy(&x, p, sizeof x);
    return x;
}
INLINE void store(float *p, vec_t x)
{
    memcpy(p, &x, sizeof x);
}
INLINE vec_t all(float x)
{
    return (vec_t){ x, x, x, x };
}
INLINE vec_t add_product(vec_t sum, vec_t a, vec_t b)
{
    return sum + a * b;
}
INLINE uint32_t at_least(vec_t x, vec_t bar)
{
    uint32_t bits = 0;
    for (int i = 0; i < W; i++) bits |= (uint32_t)(x[i] >= bar[i]) << i;
    return bits;
}
#endif

/* Queries [first, first + ROWS) against points [column, column + COLUMNS W). */
INLINE void tile(const float *group, const float *panel, size_t m, const float *bar, int first, int column, float *score,
                 uint32_t *reached)
{
    vec_t sum[ROWS][COLUMNS];
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS; c++) sum[r][c] = all(0);
    for (size_t j = 0; j < m; j++) {
        const float *a = group + j * KNN_GROUP + first, *p = panel + j * KNN_PANEL + column;
        vec_t b[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) b[c] = load(p + c * W);
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < COLUMNS; c++) sum[r][c] = add_product(sum[r][c], all(a[r]), b[c]);
    }
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS; c++) {
            int at = column + c * W;
            store(score + (first + r) * KNN_PANEL + at, sum[r][c]);
            reached[first + r] |= at_least(sum[r][c], all(bar[first + r])) << at;
        }
}

static int scores(const float *group, const float *panel, size_t m, const float *bar, float *score, uint32_t *reached)
{
    uint32_t any = 0;
    memset(reached, 0, KNN_GROUP * sizeof *reached);
    for (int column = 0; column < KNN_PANEL; column += COLUMNS * W)
        for (int first = 0; first < KNN_GROUP; first += ROWS) tile(group, panel, m, bar, first, column, score, reached);
    for (int q = 0; q < KNN_GROUP; q++) any |= reached[q];
    return any != 0;
}

static double square_distance(const double *q, const float *r, double scale, size_t d)
{
    double s[8] = { 0 };
    size_t j = 0;
    for (; j + 8 <= d; j += 8)
        for (int l = 0; l < 8; l++) {
            double e = q[j + l] - r[j + l] * scale;
            s[l] += e * e;
        }
    for (int l = 0; j < d; j++, l++) {
        double e = q[j] - r[j] * scale;
        s[l] += e * e;
    }
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

const knn_kernel_t KERNEL = { scores, square_distance };
