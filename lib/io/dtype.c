/* Element types of the container and conversion between them. */
#include <math.h>
#include <string.h>

#include "io/container_priv.h"

static const struct {
    const char *name;
    size_t size;
} types[] = { [GRN_U8] = { "U8", 1 },    [GRN_I8] = { "I8", 1 },   [GRN_U16] = { "U16", 2 },
              [GRN_I16] = { "I16", 2 },  [GRN_U32] = { "U32", 4 }, [GRN_I32] = { "I32", 4 },
              [GRN_U64] = { "U64", 8 },  [GRN_I64] = { "I64", 8 }, [GRN_F32] = { "F32", 4 },
              [GRN_F64] = { "F64", 8 },  [GRN_F16] = { "F16", 2 }, [GRN_BF16] = { "BF16", 2 },
              [GRN_BOOL] = { "BOOL", 1 } };

size_t grn_dtype_size(grn_dtype t)
{
    return types[t].size;
}

const char *grn_dtype_name(grn_dtype t)
{
    return types[t].name;
}

grn_status grn_shape_bytes(grn_dtype t, int n_dim, const uint64_t *shape, uint64_t *n_bytes)
{
    uint64_t n = grn_dtype_size(t);
    for (int i = 0; i < n_dim; i++)
        if (shape[i] == 0) return *n_bytes = 0, GRN_OK;
    for (int i = 0; i < n_dim; i++)
        if (__builtin_mul_overflow(n, shape[i], &n))
            return grn_err(GRN_EFORMAT, "a shape overflows 64 bits");
    *n_bytes = n;
    return GRN_OK;
}

/* A number of any type: integers exactly, the rest as double. */
typedef struct {
    enum { UNSIGNED, SIGNED, REAL } kind; /* SIGNED: negative integers only */
    uint64_t u;
    int64_t i;
    double f;
} number_t;

static number_t of_signed(int64_t v)
{
    number_t x = { v < 0 ? SIGNED : UNSIGNED, (uint64_t)v, v, 0 };
    return x;
}
static number_t of_unsigned(uint64_t v)
{
    number_t x = { UNSIGNED, v, 0, 0 };
    return x;
}
static number_t of_real(double v)
{
    number_t x = { REAL, 0, 0, v };
    return x;
}

static double half_to_double(uint16_t h)
{
    int e = h >> 10 & 31, m = h & 1023;
    double v = e == 31 ? (m ? NAN : INFINITY) : e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);
    return h & 0x8000 ? -v : v;
}

static double bfloat_to_double(uint16_t h)
{
    uint32_t u = (uint32_t)h << 16;
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static number_t get(grn_dtype t, const void *p, size_t i)
{
    switch (t) {
    case GRN_U8:
    case GRN_BOOL: return of_unsigned(((const uint8_t *)p)[i]);
    case GRN_U16: return of_unsigned(((const uint16_t *)p)[i]);
    case GRN_U32: return of_unsigned(((const uint32_t *)p)[i]);
    case GRN_U64: return of_unsigned(((const uint64_t *)p)[i]);
    case GRN_I8: return of_signed(((const int8_t *)p)[i]);
    case GRN_I16: return of_signed(((const int16_t *)p)[i]);
    case GRN_I32: return of_signed(((const int32_t *)p)[i]);
    case GRN_I64: return of_signed(((const int64_t *)p)[i]);
    case GRN_F32: return of_real(((const float *)p)[i]);
    case GRN_F16: return of_real(half_to_double(((const uint16_t *)p)[i]));
    case GRN_BF16: return of_real(bfloat_to_double(((const uint16_t *)p)[i]));
    default: return of_real(((const double *)p)[i]);
    }
}

/* A real that is an integer becomes one. */
static number_t to_integer(number_t x)
{
    if (x.kind != REAL || x.f != floor(x.f)) return x;
    if (x.f >= 0 && x.f < 18446744073709551616.0) return of_unsigned((uint64_t)x.f);
    if (x.f < 0 && x.f >= -9223372036854775808.0) return of_signed((int64_t)x.f);
    return x;
}

static double to_real(number_t x)
{
    return x.kind == REAL ? x.f : x.kind == UNSIGNED ? (double)x.u : (double)x.i;
}

/* 1 = stored, 0 = does not fit. */
static int put_integer(grn_dtype t, void *p, size_t i, number_t x)
{
    static const uint64_t top[] = { [GRN_U8] = UINT8_MAX,   [GRN_I8] = INT8_MAX,
                                    [GRN_U16] = UINT16_MAX, [GRN_I16] = INT16_MAX,
                                    [GRN_U32] = UINT32_MAX, [GRN_I32] = INT32_MAX,
                                    [GRN_U64] = UINT64_MAX, [GRN_I64] = INT64_MAX };
    static const int64_t low[] = { [GRN_I8] = INT8_MIN,
                                   [GRN_I16] = INT16_MIN,
                                   [GRN_I32] = INT32_MIN,
                                   [GRN_U64] = 0,
                                   [GRN_I64] = INT64_MIN };
    x = to_integer(x);
    if (x.kind == REAL || (x.kind == UNSIGNED && x.u > top[t]) ||
        (x.kind == SIGNED && x.i < low[t]))
        return 0;
    size_t size = grn_dtype_size(t);
    memcpy((char *)p + i * size, &x.u, size); /* two's complement, little-endian */
    return 1;
}

static int put(grn_dtype t, void *p, size_t i, number_t x)
{
    if (t != GRN_F32 && t != GRN_F64) return put_integer(t, p, i, x);
    double f = to_real(x);
    if (x.kind == UNSIGNED && (x.u > (uint64_t)1 << 53 || (t == GRN_F32 && (double)(float)f != f)))
        return 0;
    if (x.kind == SIGNED && (x.i < -((int64_t)1 << 53) || (t == GRN_F32 && (double)(float)f != f)))
        return 0;
    if (t == GRN_F32 && isfinite(f) && !isfinite((float)f)) return 0;
    if (t == GRN_F32) ((float *)p)[i] = (float)f;
    else ((double *)p)[i] = f;
    return 1;
}

#define WIDEN(S, D) \
    do { \
        const S *s_ = src; \
        D *d_ = dst; \
        for (size_t i_ = 0; i_ < n; i_++) d_[i_] = (D)s_[i_]; \
        return GRN_OK; \
    } while (0)

grn_status grn_dtype_convert(grn_dtype from, const void *src, grn_dtype to, void *dst, size_t n)
{
    if (from == to) return n ? (void)memcpy(dst, src, n * grn_dtype_size(to)) : (void)0, GRN_OK;
    if (to == GRN_F16 || to == GRN_BF16 || to == GRN_BOOL)
        return grn_err(GRN_EUNSUP, "no conversion from %s to %s", grn_dtype_name(from),
                       grn_dtype_name(to));
    if (from == GRN_U8 && to == GRN_F32)
        WIDEN(uint8_t, float); /* the pairs that matter for speed, all exact */
    if (from == GRN_U16 && to == GRN_F32) WIDEN(uint16_t, float);
    if (from == GRN_U8 && to == GRN_U32) WIDEN(uint8_t, uint32_t);
    if (from == GRN_U16 && to == GRN_U32) WIDEN(uint16_t, uint32_t);
    if (from == GRN_F32 && to == GRN_F64) WIDEN(float, double);
    for (size_t i = 0; i < n; i++) {
        number_t x = get(from, src, i);
        if (!put(to, dst, i, x))
            return grn_err(GRN_EFORMAT, "value %.17g does not fit %s", to_real(x),
                           grn_dtype_name(to));
    }
    return GRN_OK;
}
