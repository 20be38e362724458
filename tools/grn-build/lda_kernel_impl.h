/* Included by lda_kernel_*.c with KERNEL, the name of the table. Only float additions and multiplications in a fixed order: the same
 * bits whatever the width of the machine's vectors. */
#include <string.h>

#include "corpus.h"
#include "lda_kernel.h"

#if defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#endif

#define L GRN_LDA_LANES
#define INLINE static inline __attribute__((always_inline))
typedef float vec_t __attribute__((vector_size(4 * L)));
typedef int32_t ivec_t __attribute__((vector_size(4 * L)));

/* Inclusive prefix sums: x_i + x_(i-1), then + (i-2), (i-4), (i-8). */
INLINE vec_t scan(vec_t x)
{
    const vec_t zero = { 0 };
    x += __builtin_shufflevector(zero, x, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    x += __builtin_shufflevector(zero, x, 0, 1, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    x += __builtin_shufflevector(zero, x, 0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
    x += __builtin_shufflevector(zero, x, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    return x;
}

/* How many of the first 15 values are <= t. */
INLINE uint32_t count_le(const float *s, float t)
{
#if defined(__AVX512F__)
    return (uint32_t)_mm_popcnt_u32(_mm512_cmp_ps_mask(_mm512_load_ps(s), _mm512_set1_ps(t), _CMP_LE_OQ) & 0x7fffu);
#elif defined(__AVX2__)
    __m256 x = _mm256_set1_ps(t);
    uint32_t lo = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_load_ps(s), x, _CMP_LE_OQ));
    uint32_t hi = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_load_ps(s + 8), x, _CMP_LE_OQ));
    return (uint32_t)__builtin_popcount((lo | hi << 8) & 0x7fffu);
#else
    uint32_t n = 0;
    for (int i = 0; i < L - 1; i++) n += s[i] <= t;
    return n;
#endif
}

static const float one_hot[L][L] __attribute__((aligned(64))) = {
    { [0] = 1 }, { [1] = 1 }, { [2] = 1 },  { [3] = 1 },  { [4] = 1 },  { [5] = 1 },  { [6] = 1 },  { [7] = 1 },
    { [8] = 1 }, { [9] = 1 }, { [10] = 1 }, { [11] = 1 }, { [12] = 1 }, { [13] = 1 }, { [14] = 1 }, { [15] = 1 },
};
#define HOT(k) (*(const vec_t *)one_hot[(k) % L])

/* x - y where a == b, else x; n + 1 where x <= y, else n; counts as floats. */
#if defined(__AVX512F__)
INLINE vec_t sub_where(vec_t x, vec_t y, ivec_t a, ivec_t b)
{
    return (vec_t)_mm512_mask_sub_ps((__m512)x, _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b), (__m512)x, (__m512)y);
}
INLINE ivec_t count_where_le(ivec_t n, vec_t x, vec_t y)
{
    __mmask16 le = _mm512_cmp_ps_mask((__m512)x, (__m512)y, _CMP_LE_OQ);
    return (ivec_t)_mm512_mask_add_epi32((__m512i)n, le, (__m512i)n, _mm512_set1_epi32(1));
}
INLINE vec_t float16(const uint16_t *n)
{
    return (vec_t)_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_load_si256((const __m256i *)n)));
}
#else
INLINE vec_t sub_where(vec_t x, vec_t y, ivec_t a, ivec_t b) { return x - (vec_t)((ivec_t)y & (a == b)); }
INLINE ivec_t count_where_le(ivec_t n, vec_t x, vec_t y) { return n - (x <= y); }
typedef uint16_t hvec_t __attribute__((vector_size(2 * L)));
INLINE vec_t float16(const uint16_t *n)
{
    return __builtin_convertvector(__builtin_convertvector(*(const hvec_t *)n, ivec_t), vec_t);
}
#endif
INLINE vec_t float32(const uint32_t *n) { return __builtin_convertvector(*(const ivec_t *)n, vec_t); }

#define WIDTH 16
#include "lda_draw_impl.h"
#undef WIDTH
#define WIDTH 32
#include "lda_draw_impl.h"
#undef WIDTH

#define N 16
static void uniform(const uint32_t key[2], uint32_t first, uint32_t sweep, uint64_t hash, float out[64])
{
    uint32_t c0[N], c1[N], c2[N], c3[N], k0 = key[0], k1 = key[1];
    for (uint32_t i = 0; i < N; i++) {
        c0[i] = first + i;
        c1[i] = sweep;
        c2[i] = (uint32_t)hash;
        c3[i] = (uint32_t)(hash >> 32);
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < N; i++) {
            uint64_t p0 = (uint64_t)c0[i] * 0xD2511F53u, p1 = (uint64_t)c2[i] * 0xCD9E8D57u;
            uint32_t a = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0, d = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c0[i] = a;
            c1[i] = (uint32_t)p1;
            c2[i] = d;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < N; i++) {
        out[i] = (float)(int32_t)(c0[i] >> 8) * 0x1p-24f;
        out[N + i] = (float)(int32_t)(c1[i] >> 8) * 0x1p-24f;
        out[2 * N + i] = (float)(int32_t)(c2[i] >> 8) * 0x1p-24f;
        out[3 * N + i] = (float)(int32_t)(c3[i] >> 8) * 0x1p-24f;
    }
}
#undef N

#undef L

const grn_lda_kernel_t KERNEL = { draw16, draw32, uniform };
