/* Included by aucell_kernel_*.c with KERNEL, the name of the table. Sums are of whole numbers, so that their order is without effect.
 */
#include <string.h>

#include "aucell_kernel.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* Bounds are put to the bits, which are ordered as positive floats are; negative floats are negative numbers. */
static int codes(const float *x, size_t n, uint32_t *code, size_t *n_high)
{
    const float high = AUCELL_CODE_HIGH;
    int32_t high_bits, bad = 0, n_top = 0;
    memcpy(&high_bits, &high, sizeof high_bits);
    for (size_t i = 0; i < n; i++) {
        int32_t bits, k;
        float v;
        memcpy(&bits, &x[i], sizeof bits);
        bits = bits > high_bits ? high_bits : bits;
        bits = bits < 0 ? 0 : bits;
        memcpy(&v, &bits, sizeof v);
        k = (int32_t)v;
        code[i] = (uint32_t)k;
        bad |= ((float)k != v) | (k == 0);
        n_top += k == AUCELL_CODE_HIGH;
    }
    *n_high = (size_t)n_top;
    return !bad;
}

#define FLAT 2048

/* The loops over a gene's few sets end where no processor can foresee it. So they are first laid end to end, copying more than
 * there are and overwriting what was too much; the long loop over them is then without surprises. */
typedef struct {
    uint16_t set[FLAT + AUCELL_COPY];
    uint16_t class[FLAT + AUCELL_COPY];
} flat_t;

static void add_flat(const flat_t *f, size_t n, const int64_t *gain, int64_t *sum)
{
    for (size_t k = 0; k < n; k++) sum[f->set[k]] += gain[f->class[k]];
}

static void add(const aucell_tile_t *tile, size_t n, const uint32_t *gene, const uint32_t *class, uint32_t least, const int64_t *gain,
                int64_t *sum)
{
    const uint32_t *off = tile->off;
    const uint16_t *sets = tile->set;
    flat_t f;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = class[i], from = off[gene[i]], len = off[gene[i] + 1] - from;
        const uint16_t *set = sets + from;
        len = c >= least ? len : 0;
        if (len > AUCELL_COPY || c > UINT16_MAX) {
            for (uint32_t k = 0; k < len; k++) sum[set[k]] += gain[c];
            continue;
        }
        memcpy(f.set + at, set, AUCELL_COPY * sizeof *set);
        for (size_t k = 0; k < AUCELL_COPY; k++) f.class[at + k] = (uint16_t)c;
        at += len;
        if (at >= FLAT) {
            add_flat(&f, at, gain, sum);
            at = 0;
        }
    }
    add_flat(&f, at, gain, sum);
}

static void finish(const int64_t *sum, int64_t zero, const int64_t *size, double unit, const double *top, size_t n, double *wide)
{
    for (size_t s = 0; s < n; s++) wide[s] = (double)(sum[s] + zero * size[s]) * unit / top[s];
}

#if defined(__AVX512F__)
#define W 16
#elif defined(__AVX2__)
#define W 8
#else
#define W 4
#endif
typedef float vec_t __attribute__((vector_size(W * 4), may_alias));

static void impute(const float *phi, size_t n_tiles, size_t K, const float *theta, float *out, size_t stride)
{
    for (size_t at = 0; at < n_tiles * AUCELL_LANES; at += 2 * W) {
        const float *p = phi + at / AUCELL_LANES * K * AUCELL_LANES + at % AUCELL_LANES;
        vec_t sum[AUCELL_GROUP][2];
        memset(sum, 0, sizeof sum);
        for (size_t k = 0; k < K; k++) {
            vec_t a = *(const vec_t *)(p + k * AUCELL_LANES), b = *(const vec_t *)(p + k * AUCELL_LANES + W);
#pragma GCC unroll 8
            for (int j = 0; j < AUCELL_GROUP; j++) {
                float t = theta[k * AUCELL_GROUP + (size_t)j];
                sum[j][0] += t * a;
                sum[j][1] += t * b;
            }
        }
#pragma GCC unroll 8
        for (int j = 0; j < AUCELL_GROUP; j++) memcpy(out + (size_t)j * stride + at, sum[j], sizeof sum[j]);
    }
}

static size_t at_least(const float *x, size_t n, float least, uint32_t first, uint64_t *item)
{
    size_t i = 0, m = 0;
#if defined(__AVX512F__)
    const __m512 bound = _mm512_set1_ps(least);
    const __m512i step = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), low = _mm512_set1_epi32(0x7fffffff);
    for (; i + 16 <= n; i += 16) {
        __m512 v = _mm512_add_ps(_mm512_loadu_ps(x + i), _mm512_setzero_ps());
        __mmask16 take = _mm512_cmp_ps_mask(v, bound, _CMP_GE_OQ);
        if (!take) continue;
        __m512i b = _mm512_castps_si512(v), key = _mm512_xor_si512(b, _mm512_andnot_si512(_mm512_srai_epi32(b, 31), low));
        __m512i half[2] = { _mm512_cvtepu32_epi64(_mm512_castsi512_si256(key)),
                            _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(key, 1)) };
        for (int h = 0; h < 2; h++) {
            __mmask8 some = (__mmask8)(take >> 8 * h);
            __m512i column = _mm512_add_epi64(step, _mm512_set1_epi64((long long)(first + i) + 8 * h));
            __m512i packed = _mm512_or_si512(_mm512_slli_epi64(half[h], 32), column);
            _mm512_storeu_si512(item + m, _mm512_maskz_compress_epi64(some, packed));
            m += (size_t)__builtin_popcount(some);
        }
    }
#elif defined(__AVX2__)
    const __m256 bound = _mm256_set1_ps(least);
    for (; i + 8 <= n; i += 8) {
        int take = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x + i), bound, _CMP_GE_OQ));
        for (; take; take &= take - 1) {
            size_t k = i + (size_t)__builtin_ctz((unsigned)take);
            item[m++] = (uint64_t)aucell_order(x[k]) << 32 | (first + (uint32_t)k);
        }
    }
#endif
    for (; i < n; i++) {
        item[m] = (uint64_t)aucell_order(x[i]) << 32 | (first + (uint32_t)i);
        m += x[i] >= least;
    }
    return m;
}

const aucell_kernel_t KERNEL = { codes, add, finish, impute, at_least };
