/* Included by sites_kernel_*.c with KERNEL, the name of the table. Whole numbers only: the same on every machine. */
#include <string.h>

#include "sites_kernel.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#if defined(__AVX512BW__)
#define W 64
typedef __m512i bytes_t;
INLINE bytes_t load(const uint8_t *p) { return _mm512_loadu_si512(p); }
INLINE void store(uint8_t *p, bytes_t x) { _mm512_storeu_si512(p, x); }
INLINE bytes_t table(const uint8_t *t) { return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)t)); }
INLINE bytes_t lookup(bytes_t t, bytes_t i) { return _mm512_shuffle_epi8(t, i); }
INLINE bytes_t add(bytes_t a, bytes_t b) { return _mm512_adds_epu8(a, b); }
INLINE bytes_t min(bytes_t a, bytes_t b) { return _mm512_min_epu8(a, b); }
INLINE uint64_t upto(bytes_t a, uint8_t most) { return _mm512_cmple_epu8_mask(a, _mm512_set1_epi8((char)most)); }
#elif defined(__AVX2__)
#define W 32
typedef __m256i bytes_t;
INLINE bytes_t load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
INLINE void store(uint8_t *p, bytes_t x) { _mm256_storeu_si256((__m256i *)p, x); }
INLINE bytes_t table(const uint8_t *t) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t)); }
INLINE bytes_t lookup(bytes_t t, bytes_t i) { return _mm256_shuffle_epi8(t, i); }
INLINE bytes_t add(bytes_t a, bytes_t b) { return _mm256_adds_epu8(a, b); }
INLINE bytes_t min(bytes_t a, bytes_t b) { return _mm256_min_epu8(a, b); }
INLINE uint64_t upto(bytes_t a, uint8_t most)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(a, _mm256_set1_epi8((char)most)), a));
}
#else /* vectors of the compiler: tbl on ARM, one by one where there is no such instruction */
#define W 16
typedef uint8_t bytes_t __attribute__((vector_size(W)));
INLINE bytes_t load(const uint8_t *p)
{
    bytes_t x;
    memcpy(&x, p, W);
    return x;
}
INLINE void store(uint8_t *p, bytes_t x) { memcpy(p, &x, W); }
INLINE bytes_t table(const uint8_t *t) { return load(t); }
#if defined(__clang__)
INLINE bytes_t lookup(bytes_t t, bytes_t i)
{
    bytes_t x;
    for (int k = 0; k < W; k++) x[k] = t[i[k]];
    return x;
}
#else
INLINE bytes_t lookup(bytes_t t, bytes_t i) { return __builtin_shuffle(t, i); }
#endif
INLINE bytes_t add(bytes_t a, bytes_t b)
{
    bytes_t s = a + b;
    return s | (bytes_t)(s < a);
}
INLINE bytes_t min(bytes_t a, bytes_t b)
{
    bytes_t m = (bytes_t)(a < b);
    return (a & m) | (b & ~m);
}
INLINE uint64_t upto(bytes_t a, uint8_t most)
{
    uint64_t bits = 0;
    for (int k = 0; k < W; k++) bits |= (uint64_t)(a[k] <= most) << k;
    return bits;
}
#endif

static void falls(const uint8_t *pair, size_t len, uint32_t n_pair, const uint8_t *tab, uint8_t *fall)
{
    for (size_t i = 0; i < len; i += 2 * W) {
        bytes_t x = load(pair + i), y = load(pair + i + W), t = table(tab), u = table(tab + (size_t)n_pair * 16);
        bytes_t px = lookup(t, x), py = lookup(t, y), mx = lookup(u, x), my = lookup(u, y);
        for (uint32_t k = 1; k < n_pair; k++) {
            x = load(pair + i + 2 * (size_t)k);
            y = load(pair + i + W + 2 * (size_t)k);
            t = table(tab + (size_t)k * 16);
            u = table(tab + (size_t)(n_pair + k) * 16);
            px = add(px, lookup(t, x));
            py = add(py, lookup(t, y));
            mx = add(mx, lookup(u, x));
            my = add(my, lookup(u, y));
        }
        store(fall + i, min(px, mx));
        store(fall + i + W, min(py, my));
    }
}

static size_t within(const uint8_t *fall, size_t len, uint8_t most, uint32_t *at)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i += W) {
        uint64_t bits = upto(load(fall + i), most);
        if (len - i < W) bits &= ((uint64_t)1 << (len - i)) - 1;
        for (; bits; bits &= bits - 1) at[n++] = (uint32_t)(i + (size_t)__builtin_ctzll(bits));
    }
    return n;
}

static uint8_t least(const uint8_t *fall, size_t len)
{
    uint8_t part[W], m = 255;
    size_t i = 0;
    if (len >= W) {
        bytes_t x = load(fall);
        for (i = W; i + W <= len; i += W) x = min(x, load(fall + i));
        store(part, x);
        for (int k = 0; k < W; k++) m = part[k] < m ? part[k] : m;
    }
    for (; i < len; i++) m = fall[i] < m ? fall[i] : m;
    return m;
}

#undef W

const grn_sites_kernel_t KERNEL = { falls, within, least };
